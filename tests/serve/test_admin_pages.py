"""The admins' pages over a real store: every source in words, what starves, what is behind, and nothing secret."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from feeds.condition import SourceState
from feeds.configuration import Section, Settings, Source
from feeds.engine.alarms import look
from feeds.parsed import Validators
from feeds.serve.app import answers_of
from feeds.settings import Config, config_to_json
from feeds.store import Store, open_store
from feeds.store.values import PollResult
from tests.databases import database
from tests.publish.desk import Desk
from tests.serve.wsgi import Got, ask

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SECTIONS = tuple(Section(path=f"s{number}", title=f"Section {number}") for number in range(70))
SOURCES = tuple(
    Source(
        key=f"k{number}",
        name=f"Paper {number:03d}",
        kind="feed",
        target=f"https://me:hushhush@h{number}.example/feed?token=hushhush",
        section="s1",
    )
    for number in range(120)
)


@pytest.fixture
def store(tmp_path, monkeypatch) -> Iterator[Store]:
    monkeypatch.setenv("WIREDESK_BIND", "127.0.0.1")
    with open_store(database(tmp_path / "desk.sqlite3")) as opened:
        yield opened


@pytest.fixture
def desk(store) -> Iterator[Desk]:
    made = Desk(store, store.url.render_as_string(), Settings(title="The Wire", base_url="http://127.0.0.1:8080"))
    config = Config(settings=made.settings, sections=SECTIONS, sources=SOURCES, digest="x")
    with store.write() as tx:
        tx.configs.accept(config_to_json(config), "x", NOW)
        tx.sections.sync(SECTIONS, NOW)
        tx.sources.sync(SOURCES, "full", NOW)
    made.web.extensions["feeds.site"].now = lambda: NOW
    yield made
    answers_of(made.web).close()


def see(desk: Desk, path: str = "/status", query: str = "", **headers: str) -> Got:
    got = ask(desk.web, path, query=query, host="127.0.0.1:8080", **headers)
    assert got.status == 200 and "hushhush" not in got.body.decode("latin-1")
    return got


def names(got: Got) -> list[str]:
    return re.findall(r'<th scope="row"><a href="/status/source/[^"]+">([^<]+)</a>', got.text)


def poll(store: Store, keys: set[str], outcome: str, at: datetime = NOW, **state: object) -> None:
    """End a poll of the sources with these *keys*."""
    with store.write() as tx:
        claims = tx.sources.claim_named([*keys], at, 60)
        results = [
            PollResult(
                source_id=claim.source.id,
                claim_id=claim.claim_id,
                at=at,
                outcome=outcome,
                wire_bytes=0 if outcome == "not-modified" else 20_000,
                error=str(state.get("last_error", "")),
                remedy=str(state.get("last_remedy", "")),
                reason="its rhythm: about 5 a day",
                state=SourceState(
                    **{"first_poll_done": True, "last_poll_at": at, "last_ok_at": at, "last_new_at": at,
                       "last_status": 304 if outcome == "not-modified" else 200, "last_outcome": outcome,
                       "reason": "its rhythm: about 5 a day", "next_poll_at": NOW + timedelta(hours=1)}
                    | state  # type: ignore[arg-type]
                ),
                next_poll_at=NOW + timedelta(hours=1),
            )
            for claim in claims
        ]  # fmt: skip
        tx.sources.finish(results)


def test_a_page_holds_fifty_sources_and_leads_on_and_those_in_need_come_first(desk, store):
    failing = {
        "failures": 3,
        "last_status": 503,
        "last_error": f"answered 503: {SOURCES[70].target}",
        "last_remedy": "see `https://me:hushhush@x.example/`",
        "last_ok_at": NOW - timedelta(days=2),
    }
    poll(store, {"k70"}, "failed", **failing)
    first, last = see(desk), see(desk, query="page=3")
    assert names(first)[0] == "Paper 070" and len(names(first)) == 50 and len(names(last)) == 20
    assert "Page 1 of 3, 120 sources" in first.text and 'href="/status?page=2#sources"' in first.text
    row = first.text.split("Paper 070")[1].split("</tr>")[0]
    assert '<span class="word failing">failing</span>: 3 times in a row since 21 Nov, next try in 60 min: answered 503<' in row  # noqa: E501  # fmt: skip
    assert "60 min <small>its rhythm: about 5 a day</small>" in row
    assert names(see(desk, query="state=trouble")) == ["Paper 070"]
    assert names(see(desk, query="q=paper+11&sort=name")) == [f"Paper {number}" for number in range(110, 120)]
    assert len(names(see(desk, query="page=99&state=nonsense&sort=nonsense"))) == 20
    assert "Section 69" in see(desk, query="sections=2").text and "Section 69" not in first.text
    coded = see(desk, accept_encoding="gzip")
    assert coded.headers["content-encoding"] == "gzip" and gzip.decompress(coded.body) == first.body


def test_a_source_s_page_tells_its_polls_validators_and_what_to_do(desk, store):
    poll(store, {"k7"}, "new", at=NOW - timedelta(hours=3), validators=Validators(etag='"1"', last_modified="x"))
    for hour in (2, 1):
        poll(store, {"k7"}, "not-modified", NOW - timedelta(hours=hour), validators=Validators(etag='"1"'))
    page = see(desk, "/status/source/k7").text
    assert "2 of 3 unchanged (304); about 40 kB saved" in page and "<b>ETag</b>" in page
    assert page.count(">20 kB</td>") == 1 and "23 Nov 2026, 13:00 <small>its rhythm" in page
    assert 'href="/s1">Section 1</a>' in page and 'href="/index.atom?source=k7"' in page
    poll(store, {"k7"}, "gone", gone_at=NOW, last_error="answers 410", last_remedy="set `enabled: false`")
    page = see(desk, "/status/source/k7").text
    assert "What to do: set <code>enabled: false</code>" in page and "answered 410 at 12:00 UTC" in page
    poll(store, {"k7"}, "same", distrusted_at=NOW)
    assert "lie: left out for now" in see(desk, "/status/source/k7").text


def test_what_starves_is_marked_as_its_alarm_says_and_comes_first(desk, store):
    for day in range(2, 13):
        desk.now = NOW - timedelta(days=day)
        desk.bring(range(day * 100, day * 100 + 9), paths=("s60", ""), at=desk.now)
    look(store, now=NOW)
    page = see(desk).text
    sections = page.split('aria-label="Table of sections"')[1]
    assert sections.index("starving") < sections.index("Section 0<")
    row = sections.split("Section 60")[1].split("</tr>")[0]
    assert "starving" in row and "articles a day, last 14 days: 0, 9, 9" in row
    assert "s60: no article since yesterday, 8 a day before" in page
    with store.read() as tx:
        assert {event.subject for event in tx.events.open()} == {"s60", ""}


def test_silence_against_its_own_rhythm_shows_in_the_table_and_in_the_numbers(desk, store):
    poll(store, {source.key for source in SOURCES}, "same")
    with store.write() as tx:
        tx.events.add("silent", "k5", text="Paper 005 answers, yet has brought nothing", remedy="look", now=NOW)
    assert names(see(desk, query="state=silent")) == ["Paper 005"]
    told = see(desk, "/metrics").text
    assert 'wiredesk_sources{state="silent"} 1.0' in told and 'wiredesk_sources{state="fine"} 119.0' in told


def test_many_alarms_of_a_kind_are_folded_and_an_outage_is_one(desk, store):
    poll(store, {source.key for source in SOURCES}, "failed", failures=1, last_error="no such host")
    look(store, now=NOW)
    page = see(desk).text
    assert page.count('<ul class="alarms">') == 1 and "120 of 120 sources fail at once" in page
    with store.write() as tx:
        for number in range(12):
            tx.events.add("gone", f"k{number}", text=f"Paper {number}: answers 410", remedy="take it out", now=NOW)
    page = see(desk).text
    assert "<summary>Gone: 12</summary>" in page
    feed = see(desk, "/status.atom")
    assert feed.text.count("<entry>") == 2 and "Gone: 12 at once" in feed.text
    assert ask(desk.web, "/status.atom", host="127.0.0.1", if_none_match=feed.headers["etag"]).status == 304


def test_a_flood_of_alarms_is_counted_and_the_newest_are_listed(desk, store):
    with store.write() as tx:
        for number in range(120):
            tx.events.add("failing", f"k{number}", text=f"Paper {number}: answers 500", now=NOW)
    page = see(desk).text
    assert "<summary>Failing: 120</summary>" in page and "<p>and 20 more</p>" in page
    assert "Paper 119: answers 500" in page and "Paper 19: answers 500" not in page


def test_a_desk_that_nobody_polls_says_so(desk):
    assert "Polling is behind" not in see(desk).text
    desk.web.extensions["feeds.site"].now = lambda: NOW + timedelta(hours=5)
    assert "A source waits for 5 h to be asked" in see(desk).text
