"""What serving asks of the store, as values: the seam between requests and SQL. Pure.

`StoreReader` in `stored.py` answers from the real store; tests answer from memory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from feeds.model import Article, Document, Format, Frame, Section, Settings, Source
from feeds.store.values import Selection


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The accepted config as far as readers meet it. *sections* stand in tree order, parents first."""

    settings: Settings = Settings()
    sections: tuple[Section, ...] = ()
    sources: tuple[Source, ...] = ()
    version: int = 0
    accepted_at: datetime = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What was published after some counter: *counter* is the newest, *documents* the changed ones whole.

    Each section's documents move the counter by one. *only_documents* says that it moved by just so many, so that
    nothing else can have changed; else *present* names every document that there is. Asked from 0, *documents* are all.
    """

    counter: int
    documents: Sequence[Document] = ()
    only_documents: bool = False
    present: frozenset[tuple[str, Format]] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Since:
    """What changed in a section after a sequence number: the *article_uids* filed or changed, newest first, and
    the uids *retracted* or withdrawn with the time of it. *known* is False where the number tells nothing: it is ahead
    of the section, or older than what is kept.
    """

    known: bool
    article_uids: tuple[str, ...] = ()
    retracted: tuple[tuple[str, datetime], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What a feed of some of a section's articles is joined from. *filed* is that of its last published filing."""

    selection: Selection
    frame: Frame
    section_id: int
    desk_id: str
    sequence: int
    filed: int
    created_at: datetime
    last_modified: datetime


class Retracted:
    """Stands for an article that was there and was taken out for good."""


RETRACTED = Retracted()


class Reader(Protocol):
    """The questions. Each is one short read transaction; any of them may raise StoreError."""

    def close(self) -> None:
        """Let go of what is held open."""

    def moved(self) -> bool:
        """Whether anything may have been published since the last call from this process; cheap, never misses."""

    def changes(self, after: int) -> Changes:
        """What was published after the counter *after*."""

    def desk(self) -> Desk | None:
        """The accepted config; None before the first."""

    def document(self, path: str, format: Format) -> Document | None:
        """One finished document as it stands."""

    def latest(self, path: str, limit: int) -> Sequence[Article]:
        """The newest articles of a section, rights applied, in the document's order."""

    def article(self, uid: str) -> Article | Retracted | None:
        """One article by its ``urn:uuid:``."""

    def published_after(self, moment: datetime, limit: int) -> Sequence[Article]:
        """Articles of the whole desk published after *moment*, newest first."""

    def former_sections(self) -> Mapping[str, str | None]:
        """The paths that sections once had: where each is now, None where it has gone."""

    def since(self, path: str, sequence: int, limit: int) -> Since:
        """What changed in a section after *sequence*."""

    def archive_page(self, path: str, page: int, format: Format) -> Part | None:
        """The archive page of a section that ends with the filing *page*; None where the section has no documents."""

    def narrowed(
        self,
        path: str,
        format: Format,
        *,
        source_keys: Sequence[str],
        language: str,
        fallback: str,
        limit: int,
        scan: int,
    ) -> Part | None:
        """The newest articles of a section that are of these sources and in this language; empty means any."""

    def by_story(self, path: str, format: Format, *, limit: int, among: int) -> Part | None:
        """The newest stories among a section's newest articles, one entry each."""
