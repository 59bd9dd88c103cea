"""A desk without processes: a real store with what ingest would have written, the publish flow, the application."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from feeds.configuration import Section, Settings, Source
from feeds.model import Decision, Entry, Placement
from feeds.publish import Published, publish
from feeds.serve.app import answers_of, create_app
from feeds.settings import Config, config_to_json
from feeds.store import Store, open_store
from tests.databases import database
from tests.serve.wsgi import Got, ask

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
TREE = (Section(path="news", title="News"), Section(path="news/world", title="World"))
SOURCES = (
    Source(key="Harbour Post", name="Harbour Post", kind="feed", target="https://harbour.example/f"),
    Source(key="sea", name="Sea & Shore", kind="feed", target="https://sea.example/f"),
)
SETTINGS = Settings(title="The Wire", base_url="https://wire.example.org")
WORLD = "news/world"


def uid_of(number: int) -> str:
    return f"urn:uuid:00000000-0000-4000-8000-{number:012d}"


class Desk:
    """*now* is the desk's clock, which tests move; each article's number is its minute after `NOW`, unless said."""

    def __init__(self, store: Store, url: str, settings: Settings = SETTINGS) -> None:
        self.store = store
        self.settings = settings
        self.tree: tuple[Section, ...] = ()
        self.now = NOW
        self.accepted = 0
        with store.write() as tx:
            tx.sources.sync(SOURCES, "full", NOW)
        self.accept(TREE)
        self.web = create_app(url)
        answers_of(self.web)._look_every_s = 0.0

    def accept(self, tree: tuple[Section, ...], **settings: Any) -> None:
        self.tree = tree
        self.settings = replace(self.settings, **settings)
        self.accepted += 1
        with self.store.write() as tx:
            config = Config(settings=self.settings, sections=tree, sources=SOURCES, digest=str(self.accepted))
            tx.configs.accept(config_to_json(config), config.digest, self.now)
            tx.sections.sync(tree, self.now)
            tx.sections.mark_dirty()

    def bring(
        self,
        numbers: Iterable[int],
        *,
        kind: Any = "new",
        source: int = 1,
        paths: Iterable[str] | None = (WORLD, ""),
        at: datetime | None = None,
        significant: bool = True,
        title: str = "Tide & time",
        story: int | None = None,
        **entry: Any,
    ) -> None:
        """Save articles as ingest does; filed in the order of *numbers*, not rendered yet. No *paths*: left out."""
        decisions = [
            Decision(
                kind=kind,
                article_uid=uid_of(number),
                source_id=source,
                story_uid=None if story is None else f"urn:uuid:00000000-0000-4000-9000-{story:012d}",
                significant=kind == "updated" and significant,
                entry=Entry(
                    **{
                        "key": str(number),
                        "title": f"{title} {number}",
                        "link": f"https://a.example/{number}",
                        "comparable": f"a.example/{number}",
                        "content": f"<p>Water &amp; wind {number}.</p>",
                        "published": at or NOW + timedelta(minutes=number),
                        "language": "en",
                        "content_hash": hash(title) & 0xFFFF,
                    }
                    | entry
                ),
            )
            for number in numbers
        ]
        places = None if paths is None else [Placement(section=path, by="rule", reason="test") for path in paths]
        with self.store.write() as tx:
            tx.articles.save(decisions, self.now, {each.article_uid: places for each in decisions})

    def render(self, **more: Any) -> Published:
        return publish(self.store, self.settings, self.tree, now=self.now, **more)

    def retract(self, number: int) -> None:
        with self.store.write() as tx:
            tx.articles.retract(uid_of(number), "asked for", self.now)

    def pass_time(self, **time: float) -> None:
        self.now += timedelta(**time)

    def get(self, path: str, **asked: Any) -> Got:
        return ask(self.web, path, **asked)

    def listed(self, path: str = WORLD, query: str = "") -> list[int]:
        """The numbers of the articles that a JSON document lists."""
        got = self.get(f"/{path or 'index'}.json", query=query)
        assert got.status == 200, got
        return numbers_in(got.body)


@contextmanager
def published(folder: Path) -> Iterator[Desk]:
    """A desk below *folder*, a month after `NOW`."""
    url = database(folder / "desk.sqlite3")
    with open_store(url) as store:
        desk = Desk(store, url)
        desk.now = NOW.replace(month=12)
        try:
            yield desk
        finally:
            answers_of(desk.web).close()


def numbers_in(body: bytes) -> list[int]:
    return [int(item["id"][-12:]) for item in json.loads(body)["items"]]
