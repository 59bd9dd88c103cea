"""Who reads: names from User-Agents, what each was given, bounds against whoever says anything."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner

from feeds.cli.subscribers import readers as readers_command
from feeds.errors import StoreError
from feeds.serve.admission import Access
from feeds.serve.app import answers_of
from feeds.serve.counters import Tally
from feeds.serve.readership import (
    MOST_AGENTS,
    MOST_CLIENTS,
    MOST_NAMES,
    OTHERS,
    Readership,
    declared_subscribers,
    reader_of,
    report,
)
from feeds.store.values import ReaderDay
from tests.publish.desk import published
from tests.serve.wsgi import ask

FEEDLY = "Feedly/1.0 (+http://www.feedly.com/fetcher.html; {} subscribers; like FeedFetcher-Google)"
HOME = 7


@pytest.mark.parametrize(
    ("user_agent", "name", "count"),
    [
        (FEEDLY.format(16), "Feedly", 16),
        ("Inoreader/1.0 (+http://www.inoreader.com/feed-fetcher; 3 subscribers; )", "Inoreader", 3),
        ("Mozilla/5.0 (compatible; inoreader.com; 3 subscribers)", "Inoreader", 3),
        ("Mozilla/5.0 (compatible; theoldreader.com; 22 subscribers; feed-id=58f...)", "The Old Reader", 22),
        ("Feedbin feed-id:1373711 - 142 subscribers", "Feedbin", 142),
        ("NewsBlur Feed Fetcher - 54 subscribers - https://www.newsblur.com/site/1/x (Mozilla/5.0)", "NewsBlur", 54),
        ("BazQux/2.4 (+https://bazqux.com/fetcher; 1 subscriber)", "BazQux", 1),
        ("Netvibes (http://www.netvibes.com/; 4 subscribers; feedId: 11)", "netvibes", 4),
        ("Feed Wrangler/1.0 (12 subscribers; feed-id=1; http://feedwrangler.net)", "feed wrangler", 12),
        ("livedoor FeedFetcher/0.01 (http://reader.livedoor.com/; 12 subscribers)", "livedoor feedfetcher", 12),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Thunderbird/140.0", "Thunderbird", 0),
        ("Mozilla/5.0 (Linux; Android 15) FreshRSS/1.26.0 (Linux; https://freshrss.org)", "FreshRSS", 0),
        ("NewsFlash/3.3 (desktop)", "NewsFlash", 0),
        ("Mozilla/5.0 (X11)", "a browser", 0),
        ("curl/8.5.0", "curl", 0),
        ("5 subscribers", "no name", 5),
        ("", "no name", 0),
        ("a/1.5 sub", "a", 0),
    ],
)
def test_a_reader_is_known_by_what_it_says_and_so_is_for_how_many_it_asks(user_agent, name, count):
    assert (reader_of(user_agent)[0], declared_subscribers(user_agent)) == (name, count)


class Saved(list[ReaderDay]):
    """Stands for the store; *fails* while a test says so."""

    fails = False

    def keep(self, rows: Sequence[ReaderDay]) -> None:
        if self.fails:
            raise StoreError("away")
        self += [ReaderDay(20_000, *[getattr(row, name) for name in list(row.__struct_fields__)[1:]]) for row in rows]


@pytest.fixture
def saved() -> Saved:
    return Saved()


@pytest.fixture
def readers(saved: Saved) -> Readership:
    made = Readership(saved.keep)
    made.polite_s = 300
    return made


def settled(readers: Readership, saved: Saved):
    readers.settle(readers.take())
    readers.save()
    return report(saved)


def test_what_a_client_had_already_is_wasted_and_who_asks_too_soon_is_hasty(readers, saved):
    now = 0
    for after, status, sent, tag in (
        (0, 200, 1000, "1-a"),  # the first
        (600, 200, 1000, "1-a"),  # the same again: wasted
        (600, 304, 0, "1-a"),
        (100, 200, 1100, "2-b"),  # too soon, and new
        (600, 226, 50, "3-c"),
    ):
        now += after
        readers.count("/news.atom", status, "Reeder/5", sent, tag, HOME, now)
    readers.count("/news.atom", 200, "Reeder/5", 1100, "2-b", 8, now)  # somebody else has it new
    [one] = settled(readers, saved).readers
    assert (one.name, one.answers, one.same, one.parts, one.hasty) == ("Reeder", 6, 1, 1, 1)
    assert (one.sent, one.wasted) == (4250, 1000)


def test_what_one_client_is_given_again_and_again_counts_as_often(readers, saved):
    readers.count("/news.atom", 200, "Reeder/5", 1000, "1-a", HOME, 0, 3)
    readers.count("/news.atom", 200, "Reeder/5", 1000, "1-a", HOME, 600, 2)
    readers.count("/news.atom", 304, "Reeder/5", 0, "1-a", HOME, 600, 4)
    [one] = settled(readers, saved).readers
    assert (one.answers, one.same, one.sent) == (9, 4, 5000)
    assert (one.wasted, one.hasty) == (4000, 7)


def test_who_asks_again_just_when_it_may_is_not_hasty(saved):
    seconds = iter((0.9, 300.95, 600.96, 890.0))
    tally = Tally(save=saved.keep, clock=lambda: next(seconds))
    tally.readership.polite_s = 300
    for _ in range(4):
        tally.answered("/news.rss", 304, {"HTTP_USER_AGENT": "Reeder/5"})
        tally.flush()
    tally.readership.save()
    [one] = report(saved).readers
    assert (one.answers, one.hasty) == (4, 1)


def test_subscribers_are_those_declared_last_over_a_sections_documents(readers, saved):
    for count, path in ((9, "/news.rss"), (12, "/news.rss"), (3, "/news.atom"), (40, "/index.rss")):
        readers.count(path, 200, FEEDLY.format(count), 10, "", HOME, 0)
        settled(readers, saved)
    readers.count("/news.rss", 304, "Feedbin feed-id:1 - 5 subscribers", 10, "", HOME, 0)
    told = settled(readers, saved)
    assert told.subscribers == {"news": {"Feedly": 15, "Feedbin": 5}, "": {"Feedly": 40}}
    assert told.total.declared == 60 and told.total.answers == 5


def test_a_million_names_and_clients_take_bounded_room_and_known_readers_keep_theirs(readers, saved):
    for number in range(3 * MOST_CLIENTS):
        readers.count("/news.rss", 200, f"Bot{number}", 10, "t", number, 0)
    readers.count("/news.rss", 200, "FreshRSS/1", 10, "t", HOME, 0)
    assert len(readers._rows) <= MOST_AGENTS + 2
    assert len(readers._seen) + len(readers._seen_before) <= 2 * MOST_CLIENTS
    for _ in range(3):
        readers.settle(readers.take())
        for number in range(MOST_AGENTS):
            readers.count("/news.rss", 200, f"Other{number}-{_}", 10, "t", number, 0)
    readers.settle(readers.take())
    readers.count("/news.rss", 200, "FreshRSS/1", 10, "t", HOME, 0)
    told = settled(readers, saved)
    assert len(told.readers) <= MOST_NAMES + 2 and told.readers[0].name == OTHERS
    assert told.total.answers == 3 * (MOST_CLIENTS + MOST_AGENTS) + 2 and any(
        one.name == "FreshRSS" for one in told.readers
    )
    assert not any("." in row.name or str(row.document).isdigit() for row in saved)


def test_what_could_not_be_saved_is_saved_later(readers, saved):
    readers.count("/news.rss", 200, "curl/8", 10, "t", HOME, 0)
    readers.settle(readers.take())
    saved.fails = True
    readers.save()
    saved.fails = False
    readers.count("/news.rss", 200, "curl/8", 10, "t", HOME, 0)
    assert [one.answers for one in settled(readers, saved).readers] == [2]


def test_an_impolite_reader_has_a_line_for_a_proxy(readers, saved):
    for now in range(0, 1000, 5):
        readers.count("/news.rss", 200, "Rude.Bot/1.0", 10, "t", HOME, now)
        readers.count("/news.rss", 200, "Mozilla/5.0 (X11)", 10, "t", HOME, now)
    told = {one.name: one for one in settled(readers, saved).readers}
    assert told["rude.bot"].impolite and told["rude.bot"].slowed == '"~*rude\\.bot" $binary_remote_addr;'
    assert told["a browser"].slowed == ""


def test_finished_answers_and_views_are_counted_alike(desk, saved):
    answers_of(desk).tally.readership._save_in_store = saved.keep
    first = ask(desk, "/news/world.rss", user_agent="curl/8", remote_addr="192.0.2.7")
    ask(desk, "/news/world.rss", user_agent="curl/8", if_match="*")  # for the view
    ask(desk, "/news/world.rss", user_agent="curl/8", if_none_match=first.headers["etag"])
    ask(desk, "/news/world.rss", user_agent="curl/8", method="HEAD")
    ask(desk, "/news/nowhere.rss", user_agent="curl/8")
    answers_of(desk).close()
    [one] = report(saved).readers
    assert (one.name, one.answers, one.same) == ("curl", 4, 1)
    assert (one.sent, one.wasted) == (2 * len(first.body), len(first.body))


def test_the_page_and_the_command_tell_it(tmp_path):
    with published(tmp_path) as paper:
        paper.bring([1])
        paper.render()
        answers_of(paper.web).tally.readership.polite_s = 300
        for _ in range(60):
            for agent in (FEEDLY.format(12), "<b>Rude</b>/1", "Rude.Bot/1"):
                got = paper.get("/news/world.atom", user_agent=agent)
                assert got.status == 200
        page = paper.get("/status/readers", authorization="Bearer letmein")
        assert page.status == 403  # without a token to give the page is closed
        paper.web.extensions["feeds.site"].access = Access(token="letmein")
        paper.web.extensions["feeds.site"].now = lambda: datetime.now(UTC)
        page = paper.get("/status/readers", authorization="Bearer letmein").text
        for words in ("Feedly", "<td>12</td><td>Feedly 12</td>", "98 %", "&#34;~*rude\\.bot&#34; $binary_remote_addr;"):
            assert words in page, words
        assert "<b>Rude" not in page
        told = CliRunner().invoke(readers_command, ["--data", str(tmp_path)]).output
        assert "news/world: 12 subscribers (Feedly 12)" in told and '"~*rude\\.bot" $binary_remote_addr;' in told
        as_json = json.loads(CliRunner().invoke(readers_command, ["--data", str(tmp_path), "--json"]).output)
        assert as_json["subscribers"] == {"news/world": {"Feedly": 12}}
        assert sum(one["answers"] for one in as_json["readers"]) == 180
