"""The reader over a real store, filled and rendered by the flows that the desk runs."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree

import pytest

from feeds.configuration import UNFILED, Section, Settings, Source
from feeds.frames import cut
from feeds.model import FORMATS, Decision, Entry, Placement
from feeds.publish import publish
from feeds.serve.app import answers_of, create_app
from feeds.settings import Config, config_to_json
from feeds.store import Store, open_store
from tests.databases import database
from tests.serve.conftest import uid_of
from tests.serve.wsgi import ask

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
TREE = (
    Section(path="news", title="News"),
    Section(path="news/world", title="World", moved_from=("intl",)),
    Section(path="sport", title="Sport"),
)
SOURCE = Source(key="a", name="Harbour Post", kind="feed", target="https://a.example/f")
SETTINGS = Settings(title="The Wire", base_url="https://wire.example.org")


class Desk:
    """A store with what ingest would have written, and the application over it."""

    def __init__(self, store: Store, url: str) -> None:
        self.store = store
        self.tree: tuple[Section, ...] = ()
        self.minutes = 0
        self.accept(TREE)
        with store.write() as tx:
            tx.sources.sync([SOURCE], "full", NOW)
        self.web = create_app(url)
        answers_of(self.web)._look_every_s = 0.0

    @property
    def now(self) -> datetime:
        self.minutes += 1
        return NOW + timedelta(minutes=self.minutes)

    def accept(self, tree: tuple[Section, ...], settings: Settings = SETTINGS) -> None:
        now = self.now
        self.tree = tree
        with self.store.write() as tx:
            config = Config(settings=settings, sections=tree, sources=(SOURCE,), digest=str(self.minutes))
            tx.configs.accept(config_to_json(config), config.digest, now)
            tx.sections.sync(tree, now)

    def bring(self, *numbers: int, kind: str = "new", title: str = "Tide & time") -> None:
        now = self.now
        decisions = [
            Decision(
                kind=kind,  # type: ignore[arg-type]
                article_uid=uid_of(number),
                source_id=1,
                significant=kind == "updated",
                entry=Entry(
                    key=str(number),
                    title=f'{title} {number} </item> "items":[ ]]>',
                    link=f"https://a.example/{number}",
                    comparable=f"a.example/{number}",
                    content=f"<p>Water &amp; wind {number}. &lt;item&gt;</p>",
                    published=NOW - timedelta(minutes=number),
                    updated=now,
                    content_hash=self.minutes,
                ),
            )
            for number in numbers
        ]
        places = [Placement(section=path, by="rule", reason="test") for path in ("news/world", "")]
        with self.store.write() as tx:
            tx.articles.save(decisions, now, {uid_of(number): places for number in numbers})
        self.render()

    def render(self) -> None:
        publish(self.store, SETTINGS, self.tree, now=self.now)


@pytest.fixture
def desk(tmp_path) -> Iterator[Desk]:
    url = database(tmp_path / "desk.sqlite3")
    with open_store(url) as store:
        made = Desk(store, url)
        yield made
        answers_of(made.web).close()


def ids_of(body: bytes) -> list[str]:
    return [item["id"] for item in json.loads(body)["items"]]


def test_what_was_filed_and_rendered_is_served_in_every_format_and_seen_when_it_changes(desk):
    desk.bring(1, 2, 3)
    first = {format: ask(desk.web, f"/news/world.{format}") for format in FORMATS}
    assert {got.status for got in first.values()} == {200}
    assert ids_of(first["json"].body) == [uid_of(1), uid_of(2), uid_of(3)]
    for format, got in first.items():
        assert ask(desk.web, f"/news/world.{format}", if_none_match=got.headers["etag"]).status == 304
    desk.bring(4)
    for format, got in first.items():
        assert ask(desk.web, f"/news/world.{format}", if_none_match=got.headers["etag"]).status == 200


def test_who_has_read_ahead_has_no_file_open_and_takes_over_what_came_since(tmp_path):
    def open_files() -> set[str]:
        return {os.readlink(link) for link in Path("/proc/self/fd").iterdir() if link.exists()}

    folders = [tmp_path / name for name in ("present", "other")]
    for folder, number in zip(folders, (1, 2), strict=True):
        folder.mkdir()
        with open_store(f"sqlite:///{folder}/desk.sqlite3") as store:
            Desk(store, "").bring(number)
    shutil.copy(folders[0] / "desk.sqlite3", tmp_path)
    url = f"sqlite:///{tmp_path}/desk.sqlite3"
    web = create_app(url)
    answers = answers_of(web)
    answers._look_every_s = 0.0
    answers.read_ahead()
    assert not [file for file in open_files() if file.startswith(str(tmp_path))]
    assert ids_of(ask(web, "/news/world.json").body) == [uid_of(1)]
    with open_store(url) as store:
        desk = Desk(store, "")
        desk.minutes = 60
        desk.bring(3)
        assert ids_of(ask(web, "/news/world.json").body) == [uid_of(1), uid_of(3)]
    answers.close()
    shutil.copy(folders[1] / "desk.sqlite3", tmp_path)
    answers.read_ahead()
    assert ids_of(ask(web, "/news/world.json").body) == [uid_of(2)]
    answers.close()


def test_another_database_at_the_place_of_the_first_is_the_one_that_is_served(tmp_path):
    for name, number in (("desk", 1), ("other", 2)):
        with open_store(f"sqlite:///{tmp_path}/{name}.sqlite3") as store:
            made = Desk(store, "")
            made.minutes = number * 60
            made.accept(TREE, SETTINGS if number == 1 else Settings(title="The Other", base_url=SETTINGS.base_url))
            made.bring(number)
    place = tmp_path / "desk.sqlite3"
    web = create_app(f"sqlite:///{place}")
    answers_of(web)._look_every_s = 0.0
    assert ids_of(ask(web, "/news/world.json").body) == [uid_of(1)]
    first = ask(web, "/news/world")
    assert "The Wire" in first.text
    place.rename(tmp_path / "aside.sqlite3")
    assert ask(web, "/news/world").body == first.body, "what is open goes on while nothing is there"
    (tmp_path / "other.sqlite3").rename(place)
    assert ids_of(ask(web, "/news/world.json").body) == [uid_of(2)]
    page = ask(web, "/news/world")
    assert "The Other" in page.text and "The Wire" not in page.text
    assert ask(web, f"/article/{uid_of(1).removeprefix('urn:uuid:')}").status == 404
    answers_of(web).close()


def test_pages_lead_back_to_the_first_article_and_forth_again(desk):
    desk.bring(*range(1, 131))
    address, seen, walked = "/news/world", set(), []
    while address:
        page = ask(desk.web, address)
        assert page.status == 200 and len(page.body) < 60_000, address
        seen |= set(re.findall(r"Tide &amp; time (\d+) ", page.text))
        walked.append(address)
        found = re.search(r'href="([^"]*)" rel="next"', page.text)
        address = found[1] if found else ""
    assert seen == {str(number) for number in range(1, 131)}
    # Eighty are not on the page: those that were filed since the last full page of a hundred have one that ends there.
    assert walked == ["/news/world", "/news/world/archive/130", "/news/world/archive/100"]
    newer = re.search(r'href="([^"]*)" rel="prev"', ask(desk.web, walked[-1]).text)
    assert newer is not None and newer[1] == "/news/world"
    assert ask(desk.web, "/news/world/archive/131").status == ask(desk.web, "/nowhere/archive/1").status == 404
    assert ask(desk.web, "/archive/100").status == 200
    with desk.store.write() as tx:
        tx.articles.retract(uid_of(5), "test", desk.now)
    desk.render()
    assert "Tide &amp; time 5 " not in "".join(ask(desk.web, each).text for each in walked)


def test_search_is_by_relevance_or_date_narrowed_in_pages_and_offers_the_feed_of_the_same(desk):
    desk.bring(*range(1, 31))
    page = ask(desk.web, "/search", query="q=tide").text
    assert page.count('<article class="story"') == 20 and "30 articles" in page
    rest = ask(desk.web, "/search", query="q=tide&page=2").text
    assert rest.count('<article class="story"') == 10 and 'rel="prev"' in rest and 'rel="next"' not in rest
    assert 'href="/search?q=tide&amp;page=2" rel="next"' in page
    narrow = ask(desk.web, "/search", query="q=tide&section=news/world&source=a&days=30&sort=date").text
    assert '<option value="news/world" selected>News › World</option>' in narrow
    assert '<option value="date" selected>' in narrow and "section=news%2Fworld&amp;source=a" in narrow
    assert "Nothing was found" in ask(desk.web, "/search", query="q=tide&section=sport").text
    feed = ask(desk.web, "/search.atom", query="q=tide&section=news/world")
    assert feed.status == 200 and feed.text.count("<entry>") == 30
    other = ask(desk.web, "/search.atom", query="q=tide")
    ids = [re.search("<id>([^<]*)</id>", one.text) for one in (feed, other)]
    assert ids[0] and ids[1] and ids[0][1] != ids[1][1]


@pytest.mark.parametrize("query", ["section=nowhere", "source=nobody", "days=0", "days=x", "page=51", "sort=up"])
def test_a_search_for_what_cannot_be_says_what_could(desk, query):
    desk.bring(1)
    got = ask(desk.web, "/search", query=f"q=tide&{query}")
    assert got.status == 400 and query.partition("=")[0] in got.text and "nobody" not in got.text


@pytest.mark.parametrize("format", FORMATS)
def test_a_delta_of_real_documents_holds_what_is_newer_and_is_the_document_with_less(desk, format):
    desk.bring(*range(1, 13))
    path = f"/news/world.{format}"
    before = ask(desk.web, path, accept_encoding="gzip")
    desk.bring(0)
    desk.bring(5, kind="updated", title="Ebb")

    delta = ask(desk.web, path, a_im="feed", if_none_match=before.headers["etag"])
    whole = ask(desk.web, path)

    assert delta.status == 226 and len(delta.body) < len(whole.body)
    here = [number for number in range(13) if uid_of(number).encode() in delta.body]
    assert here == [0, 5]
    with desk.store.read() as tx:
        document = tx.documents.get("news/world", format)
    pieces = cut(document)
    assert pieces.head + pieces.separator.join(pieces.entries) + pieces.tail == whole.body
    assert delta.body.startswith(pieces.head) and delta.body.endswith(pieces.tail)


def test_a_retracted_article_leaves_pages_at_once_and_comes_back_with_unretract(desk):
    desk.bring(1, 2)
    page = "/article/" + uid_of(1).removeprefix("urn:uuid:")
    assert ask(desk.web, page).status == 200
    with desk.store.write() as tx:
        tx.articles.retract(uid_of(1), "asked for", desk.now)
    assert ask(desk.web, page).status == 410
    assert uid_of(1).removeprefix("urn:uuid:") not in ask(desk.web, "/news/world").text
    with desk.store.write() as tx:
        tx.articles.unretract(uid_of(1), desk.now)
    assert ask(desk.web, page).status == 200


def test_a_delta_tells_of_retracted_articles_in_well_formed_atom(desk):
    desk.bring(*range(1, 13))
    before = ask(desk.web, "/news/world.atom").headers["etag"]
    with desk.store.write() as tx:
        tx.articles.retract(uid_of(3), "asked for", desk.now)
    desk.bring(0)
    delta = ask(desk.web, "/news/world.atom", a_im="feed", if_none_match=before)
    assert delta.status == 226
    root = ElementTree.fromstring(delta.body)
    gone = root.findall("{http://purl.org/atompub/tombstones/1.0}deleted-entry")
    assert [one.get("ref") for one in gone] == [uid_of(3)]
    assert len(root.findall("{http://www.w3.org/2005/Atom}entry")) == 1


def test_sections_that_move_or_go_are_remembered(desk):
    desk.bring(1)
    assert ask(desk.web, "/intl.rss").headers["location"] == "https://wire.example.org/news/world.rss"
    desk.accept(
        (TREE[0], Section(path="world", title="World", moved_from=("news/world",)), Section(path="arts", title="A"))
    )
    desk.render()
    assert ask(desk.web, "/news/world.atom").headers["location"] == "https://wire.example.org/world.atom"
    assert ask(desk.web, "/world.atom").status == 200
    assert ask(desk.web, "/sport").status == 410
    assert ask(desk.web, "/sport.json").status == 410


def test_the_rest_comes_from_the_store_too(desk):
    desk.bring(1, 2)
    assert "Tide &amp; time 1" in ask(desk.web, "/").text
    desk.web.extensions["feeds.site"].now = lambda: NOW  # a news sitemap holds two days
    sitemap = ask(desk.web, "/sitemap-news.xml").text
    assert f"https://wire.example.org/article/{uid_of(2).removeprefix('urn:uuid:')}" in sitemap
    assert ask(desk.web, f"/{UNFILED}").status == 200
    assert ask(desk.web, f"/{UNFILED}.atom").status == 200
    assert ask(desk.web, "/readyz").status == 200
    desk.accept(TREE, Settings(title="The Tide", base_url="https://wire.example.org"))
    assert "<title>The Tide</title>" in ask(desk.web, "/").text
