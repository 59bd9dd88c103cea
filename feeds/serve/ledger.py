"""What the admins' pages and search ask of the store, each question one moment. I/O: read transactions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from feeds import frames
from feeds.errors import StoreError
from feeds.model import Article, Format, Fragment, Frame
from feeds.store import Store
from feeds.store.overview import Line, Numbers, Saved
from feeds.store.search import Hits
from feeds.store.values import Event, Poll, Selection, StorySize

CHART_DAYS = 14
BEHIND_S = 900.0
"""When the longest waiting source is so late, nobody polls, or not fast enough."""
REMEMBERED = 2_000
"""The glance at a desk with at most so many sources is kept for when the store does not answer: about 5 MB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """The desk at one moment; *section_days* are articles by path and by day counted from 1970."""

    lines: Sequence[Line]
    numbers: Numbers
    section_days: dict[str, dict[int, int]]
    open_events: Sequence[Event]


@dataclass(frozen=True, slots=True, kw_only=True)
class Closer:
    """More of some sources: entries and copies by day, and what their polls cost; by the source's id."""

    days: dict[int, dict[int, tuple[int, int]]]
    saved: dict[int, Saved]


class Ledger:
    """Asks the store that *store* gives, opened with the first question."""

    def __init__(self, store: Callable[[], Store]) -> None:
        self._store = store
        self._seen: dict[bool, Glance] = {}
        self.trouble: StoreError | None = None
        """Why the store did not answer when it was last asked for a glance; None where it did."""

    def glance(self, now: datetime, *, sections: bool = True) -> Glance:
        """The desk as a whole; without *sections* the days of each, which cost most, are left out.

        Where the store does not answer, the last glance, of a desk with few enough sources to be remembered. Raises
        StoreError where there is none.
        """
        try:
            with self._store().read() as tx:
                glance = Glance(
                    lines=tx.overview.lines(),
                    numbers=tx.overview.numbers(now),
                    section_days=tx.overview.section_days(now - timedelta(days=CHART_DAYS)) if sections else {},
                    open_events=tx.events.open(),
                )
        except StoreError as error:
            self.trouble = error
            if sections not in self._seen:
                raise
            return self._seen[sections]
        self.trouble = None
        if len(glance.lines) <= REMEMBERED:
            self._seen[sections] = glance
        return glance

    def closer(self, ids: Sequence[int], now: datetime) -> Closer:
        """More of the sources with these ids; nothing where the store does not answer."""
        try:
            with self._store().read() as tx:
                days = tx.overview.days(ids, now - timedelta(days=CHART_DAYS))
                return Closer(days=days, saved=tx.overview.saved(ids))
        except StoreError as error:
            self.trouble = error
            return Closer(days={}, saved={})

    def source(self, key: str) -> tuple[Line, list[Poll], str] | None:
        """One source with its history, newest first, and what its open alarm of silence says."""
        with self._store().read() as tx:
            lines = tx.overview.lines(key)
            if not lines:
                return None
            quiet = next((one.text for one in tx.events.open() if (one.kind, one.subject) == ("silent", key)), "")
            return lines[0], tx.sources.polls(lines[0].id, 100), quiet

    def events(self, limit: int) -> tuple[list[Event], str]:
        """The newest events, newest first, and the urn of their feed."""
        with self._store().read() as tx:
            return tx.events.recent(limit), frames.feed_urn(tx.configs.desk_id(), "status")

    def lag_s(self, now: datetime) -> float:
        """How long the source that is due longest has waited."""
        with self._store().read() as tx:
            return tx.overview.waiting(now)[1]

    def numbers(self, now: datetime) -> Numbers:
        """The desk in numbers."""
        with self._store().read() as tx:
            return tx.overview.numbers(now)

    def story(self, uid: str, limit: int) -> tuple[Article, ...]:
        """The articles of a story that can be shown, newest first."""
        with self._store().read() as tx:
            return tx.stories.articles(uid, limit)

    def story_sizes(self, uids: Sequence[str]) -> dict[str, StorySize]:
        """How many articles that can be shown each of these stories has, of how many sources."""
        with self._store().read() as tx:
            return tx.stories.sizes(uids)

    def story_place(self, uid: str) -> str | bool:
        """Where a story without articles went: the one it became part of, else whether it ever was there."""
        with self._store().read() as tx:
            return tx.stories.moved(uid) or tx.stories.known(uid)

    def story_feed(self, uid: str, format: Format, limit: int) -> tuple[Frame | None, Selection, str]:
        """The frame of the whole desk, the fragments of a story's articles, and the desk's own id."""
        with self._store().read() as tx:
            return (
                tx.documents.frame("", format),
                tx.stories.selection(uid, format, limit),
                tx.configs.desk_id(),
            )

    def find(self, query: str, limit: int, before: int | None) -> Hits:
        """What search finds."""
        with self._store().read() as tx:
            return tx.search.find(query, limit, before)

    def found_feed(self, query: str, format: Format, limit: int) -> tuple[Frame | None, tuple[Fragment, ...], str]:
        """The frame of the whole desk, the fragments of what search finds, and the desk's own id."""
        with self._store().read() as tx:
            return (
                tx.documents.frame("", format),
                tx.search.fragments(query, format, limit),
                tx.configs.desk_id(),
            )
