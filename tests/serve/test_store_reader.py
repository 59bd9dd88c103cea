"""The reader over a real store, filled and rendered by the flows that the desk runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest

from feeds.frames import cut
from feeds.model import FORMATS, UNFILED, Decision, Entry, Placement, Section, Settings, Source
from feeds.publish import publish
from feeds.serve import answers_of, create_app
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
SETTINGS = Settings(title="The Wire", base_url="https://wire.example.org")


class Desk:
    """A store with what ingest would have written, and the application over it."""

    def __init__(self, store: Store, url: str) -> None:
        self.store = store
        self.tree: tuple[Section, ...] = ()
        self.minutes = 0
        self.accept(TREE)
        with store.write() as tx:
            tx.sources.sync(
                [Source(key="a", name="Harbour Post", kind="feed", target="https://a.example/f")], "full", NOW
            )
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
            config = Config(settings=settings, sections=tree, digest=str(self.minutes))
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
