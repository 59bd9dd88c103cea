"""A desk in memory: the reader that serving asks, with what a test publishes in it."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from xml.sax.saxutils import escape

import brotli
import pytest
from flask import Flask
from msgspec.structs import replace

from feeds.configuration import Section, Settings
from feeds.model import FORMATS, MEDIA_TYPES, Article, Document, Format
from feeds.serve.app import answers_of, create_app
from feeds.serve.store_reader import Changes, Desk, StoreReader
from feeds.store.hydrate import Edit
from feeds.store.values import AccessToken, Withdrawn
from feeds.store.values import Changes as Changed

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def uid_of(number: int) -> str:
    return f"urn:uuid:00000000-0000-4000-8000-{number:012d}"


def make_article(number: int = 1, **more: object) -> Article:
    at = NOW - timedelta(hours=number)
    given: dict[str, object] = {
        "uid": uid_of(number),
        "link": f"https://example.org/story/{number}",
        "title": f"Tide & time {number}",
        "summary": "<p>The tide came in, and then it went out again.</p>",
        "published": at,
        "updated": at,
        "rank_at": at,
        "source_name": "Harbour Post",
        "sections": ("", "news", "news/world"),
    }
    return Article(**{**given, **more})  # type: ignore[arg-type]


class MemoryReader(StoreReader):
    """Answers what a StoreReader is asked from what was put in it; counts the questions."""

    def __init__(self, desk: Desk | None) -> None:
        super().__init__("sqlite:////there/is/no/such/desk.sqlite3")
        self.accepted = desk
        self.counter = 1
        self.documents: dict[tuple[str, Format], tuple[int, Document]] = {}
        self.articles: dict[str, Article] = {}
        self.order: dict[str, list[str]] = {}
        self.given: dict[str, AccessToken] = {}
        self.edits: dict[str, Edit] = {}
        self.archives: dict[str, int] = {}
        self.removed: set[str] = set()
        self.retracted: set[str] = set()
        self.moves: dict[str, str] = {}
        self.changed: dict[str, dict[str, int]] = {}
        self.withdrawn: dict[str, list[tuple[int, str, datetime]]] = {}
        self.asked: list[str] = []
        self.fails: Exception | None = None
        self.complete = True
        self._seen = -1

    # what tests do

    def put(self, *documents: Document) -> None:
        """Replace documents of one section: one publication."""
        self.counter += 1
        for document in documents:
            self.documents[document.path, document.format] = (self.counter, document)

    def publish(self, path: str, articles: Sequence[Article], sequence: int) -> None:
        """Render a section in small feeds of a form of their own."""
        uids = tuple(article.uid for article in articles)
        self.order[path] = list(uids)
        for article in articles:
            self.articles.setdefault(article.uid, article)
        bodies = {format: make_body(path, format, articles) for format in FORMATS}
        self.put(*(make_document(path, format, body, sequence, uids) for format, body in bodies.items()))

    def drop(self, path: str) -> None:
        self.counter += 1
        for format in FORMATS:
            self.documents.pop((path, format), None)
        self.removed.add(path)

    def accept(self, **settings: object) -> None:
        assert self.accepted is not None
        self.counter += 1
        self.accepted = replace(
            self.accepted,
            settings=replace(self.accepted.settings, **settings),  # type: ignore[arg-type]
            version=self.accepted.version + 1,
        )

    def _ask(self, question: str) -> None:
        self.asked.append(question)
        if self.fails is not None:
            raise self.fails

    # what serving asks

    def close(self) -> None:
        self._ask("close")

    def moved(self) -> bool:
        self._ask("moved")
        moved, self._seen = self.counter != self._seen, self.counter
        return moved

    def changes(self, after: int) -> Changes:
        self._ask("changes")
        documents = [document for at, document in self.documents.values() if at > after]
        return Changes(
            counter=self.counter,
            documents=documents,
            only_documents=after > 0 and self.counter - after == len({document.path for document in documents}),
            present=frozenset(self.documents),
        )

    def desk(self) -> Desk | None:
        self._ask("desk")
        return self.accepted

    def tokens(self) -> Mapping[str, AccessToken]:
        self._ask("tokens")
        return self.given

    def document(self, path: str, format: Format) -> Document | None:
        self._ask("document")
        return self.documents[path, format][1] if (path, format) in self.documents else None

    def latest(self, path: str, limit: int) -> Sequence[Article]:
        self._ask("latest")
        return [self.articles[uid] for uid in self.order.get(path, []) if uid in self.articles][:limit]

    def heaviest(self, path: str, limit: int, among: int) -> Sequence[Article]:
        return self.latest(path, limit)

    def older(self, path: str, shown: Sequence[str]) -> int | None:
        return self.archives.get(path)

    def article(self, uid: str) -> Article | None:
        self._ask("article")
        return self.articles.get(uid)

    def was_taken_out(self, uid: str) -> bool:
        return uid in self.retracted

    def edit(self, uid: str) -> Edit | None:
        return self.edits.get(uid)

    def retract(self, uid: str) -> None:
        self.counter += 1
        del self.articles[uid]
        self.retracted.add(uid)

    def published_after(self, moment: datetime, limit: int) -> Sequence[Article]:
        self._ask("published_after")
        found = [one for one in self.articles.values() if one.published > moment]
        return sorted(found, key=lambda article: article.published, reverse=True)[:limit]

    def former_sections(self) -> Mapping[str, str | None]:
        self._ask("former_sections")
        return dict.fromkeys(self.removed) | self.moves

    def since(self, path: str, sequence: int, limit: int) -> Changed | None:
        self._ask("since")
        if not self.complete or sequence > 300:
            return None
        changed = {uid: at for uid, at in self.changed.get(path, {}).items() if at > sequence}
        uids = sorted(changed, key=lambda uid: -changed[uid])[:limit]
        gone = [
            Withdrawn(uid=uid, at=at, sequence=number, retracted=True)
            for number, uid, at in self.withdrawn.get(path, [])
            if number > sequence
        ]
        articles = tuple(make_article(uid=uid) for uid in uids)
        return Changed(articles=articles, withdrawn=tuple(gone), complete=True)


def make_body(path: str, format: Format, articles: Sequence[Article]) -> bytes:
    """A feed with as much in it as these tests need, cut as render cuts: no bytes but entries between entries."""
    text = "lorem ipsum dolor " * 30
    if format == "json":
        items = [{"id": article.uid, "title": article.title, "content_text": text} for article in articles]
        return json.dumps({"title": path, "items": items}, separators=(",", ":")).encode()
    entry = "item" if format == "rss" else "entry"
    titles = [f"<{entry}><id>{one.uid}</id><title>{escape(one.title)}</title><b>{text}</b></{entry}>"
              for one in articles]  # fmt: skip
    if format == "rss":
        return f'<rss version="2.0"><channel><title>{path}</title>{"".join(titles)}</channel></rss>'.encode()
    return f'<feed xmlns="http://www.w3.org/2005/Atom"><title>{path}</title>{"".join(titles)}</feed>'.encode()


def make_document(
    path: str, format: Format, body: bytes, sequence: int = 1, uids: tuple[str, ...] = (), coded: bool = True
) -> Document:
    return Document(
        path=path,
        format=format,
        media_type=MEDIA_TYPES[format],
        sequence=sequence,
        etag=f"{sequence}-{hashlib.sha256(body).hexdigest()[:16]}",
        last_modified=NOW,
        body=body,
        gzip=gzip.compress(body, mtime=0) if coded else None,
        brotli=brotli.compress(body, quality=1) if coded else None,
        article_uids=uids,
    )


SECTIONS = (
    Section(path="", title="The Wire"),
    Section(path="news", title="News", include_children=True),
    Section(path="news/world", title="World", description="Abroad.", moved_from=("intl", "news/abroad")),
    Section(path="news/world/asia", title="Asia"),
    Section(path="sport", title="Sport"),
)


@pytest.fixture
def make_reader():
    def make(base_url: str = "https://wire.example.org", **settings: object) -> MemoryReader:
        given = Settings(title="The Wire", description="All the tides", base_url=base_url, **settings)  # type: ignore[arg-type]
        desk = Desk(settings=given, sections=SECTIONS, version=1, accepted_at=NOW - timedelta(days=1))
        reader = MemoryReader(desk)
        articles = [make_article(number) for number in range(1, 8)]
        for path in ("", "news", "news/world"):
            reader.publish(path, articles, sequence=7)
        return reader

    return make


@pytest.fixture
def reader(make_reader) -> MemoryReader:
    return make_reader()


@pytest.fixture
def desk(reader) -> Flask:
    """The application over *reader*, looking at every request."""
    return application(reader)


def application(reader: MemoryReader) -> Flask:
    app = create_app(reader=reader)
    answers_of(app)._look_every_s = 0.0
    return app
