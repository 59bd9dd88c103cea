"""How the desk is doing, in numbers: what the status pages, the alarms and `/metrics` are made of. I/O: database.

Only reads. Whatever could grow with the desk is bounded by the sources asked about or by a span of time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import BigInteger, func, select, text, type_coerce

from feeds.codec import micros
from feeds.model import Source
from feeds.store import dialect
from feeds.store.dialect import Verbs, rows_in
from feeds.store.schema import (
    IN_SECTION,
    POLLABLE,
    articles,
    configs,
    entries,
    filings,
    inbox,
    polls,
    sections,
    sources,
)
from feeds.store.source_rows import BRIEF, brief_of
from feeds.store.values import SourceState

DAY_US = 86_400_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One source: as configured, and what of its state people want to know. *id* is the store's."""

    id: int
    source: Source
    state: SourceState
    added_at: datetime
    polled: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """What the polls in a source's history cost. *saved_bytes* is an estimate: what 304s would have brought."""

    polls: int = 0
    not_modified: int = 0
    wire_bytes: int = 0
    saved_bytes: int = 0
    outcomes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """The desk as a whole. *articles* and *entries* count all that ever came, *due* what should be polled now.

    *lag_s* is how long the longest waiting of them waits; *database_bytes* None where the database will not say.
    """

    sources: int = 0
    articles: int = 0
    entries: int = 0
    inbox: int = 0
    due: int = 0
    lag_s: float = 0.0
    failing: int = 0
    polls: int = 0
    config_version: int = 0
    database_bytes: int | None = None


class Overview(Verbs):
    """``tx.overview``"""

    def lines(self, key: str | None = None) -> list[Line]:
        """Every source of the present config, in its order, without what only polling needs; or the one with *key*."""
        columns = [sources.c[name] for name in BRIEF]
        statement = select(*columns).where(sources.c.removed_at.is_(None)).order_by(sources.c.line, sources.c.id)
        if key is not None:
            statement = statement.where(sources.c.key == key)
        found = []
        for row in self._execute(statement):
            source, state = brief_of(row)
            if row.claim_id is not None:
                state = replace(state, next_poll_at=row.due_at)  # the column is the lease while a poll is under way
            found.append(Line(id=row.id, source=source, state=state, added_at=row.added_at, polled=row.polled))
        return found

    def days(self, ids: Sequence[int], since: datetime) -> dict[int, dict[int, tuple[int, int]]]:
        """Entries that came *since*: by source id, by day (counted from 1970, UTC), how many and how many copies."""
        day = type_coerce(entries.c.first_seen, BigInteger) // DAY_US
        statement = (
            select(entries.c.source_id, day.label("day"), func.count(), func.sum(entries.c.copy))
            .where(entries.c.first_seen >= since)
            .group_by(text("1"), text("2"))
        )
        found: dict[int, dict[int, tuple[int, int]]] = {}
        for source_id, at, count, copies in rows_in(self._connection, statement, entries.c.source_id, ids):
            found.setdefault(source_id, {})[int(at)] = (int(count), int(copies or 0))
        return found

    def section_days(self, since: datetime) -> dict[str, dict[int, int]]:
        """Articles filed that were first seen *since*: by section path, by day (counted from 1970, UTC)."""
        day = type_coerce(articles.c.seen_at, BigInteger) // DAY_US
        statement = (
            select(sections.c.path, day.label("day"), func.count())
            .join_from(articles, filings)
            .join(sections)
            .where(articles.c.seen_at >= since, IN_SECTION, sections.c.removed_at.is_(None))
            .group_by(text("1"), text("2"))
        )
        found: dict[str, dict[int, int]] = {}
        for path, at, count in self._execute(statement):
            found.setdefault(path, {})[int(at)] = int(count)
        return found

    def saved(self, ids: Sequence[int]) -> dict[int, Saved]:
        """What the polls in these sources' histories cost, by source id."""
        kinds = polls.c.source_id, polls.c.outcome, polls.c.status
        grouped = select(*kinds, func.count(), func.sum(polls.c.wire_bytes)).group_by(*kinds)
        by_source: dict[int, list[tuple[str, int | None, int, int]]] = {}
        for source_id, outcome, status, count, wire in rows_in(self._connection, grouped, polls.c.source_id, ids):
            by_source.setdefault(source_id, []).append((outcome, status, int(count), int(wire or 0)))
        return {source_id: _saved(rows) for source_id, rows in by_source.items()}

    def waiting(self, now: datetime) -> tuple[int, float]:
        """How many sources are due, and for how many seconds the first of them has been."""
        # Out on a claim is not late: `next_poll_at` is the lease's end then.
        waiting = select(func.count(), func.min(sources.c.next_poll_at)).where(POLLABLE, sources.c.next_poll_at <= now)
        due, oldest = self._execute(waiting).one()
        return int(due), max(0.0, (now - oldest).total_seconds()) if oldest is not None else 0.0

    def numbers(self, now: datetime) -> Numbers:
        """The desk as a whole, at one moment."""
        one = self._connection.execute
        due, lag_s = self.waiting(now)
        return Numbers(
            sources=dialect.how_many(self._connection, sources, POLLABLE),
            articles=int(one(select(func.max(articles.c.id))).scalar_one() or 0),
            entries=int(one(select(func.max(entries.c.id))).scalar_one() or 0),
            inbox=dialect.how_many(self._connection, inbox),
            due=due,
            lag_s=lag_s,
            failing=dialect.how_many(self._connection, sources, POLLABLE, sources.c.failures > 0),
            polls=int(one(select(func.sum(sources.c.polled))).scalar_one() or 0),
            config_version=int(one(select(func.max(configs.c.version))).scalar_one() or 0),
            database_bytes=self._bytes(),
        )

    def _bytes(self) -> int | None:
        if dialect.is_postgres(self._connection):
            return int(self._execute(text("SELECT pg_database_size(current_database())")).scalar_one())
        pages = int(self._connection.exec_driver_sql("PRAGMA page_count").scalar_one())
        return pages * int(self._connection.exec_driver_sql("PRAGMA page_size").scalar_one())


def day_of(at: datetime) -> int:
    """The day of *at*, counted from 1970 in UTC, as `days` counts."""
    return micros(at) // DAY_US


def _saved(rows: Sequence[tuple[str, int | None, int, int]]) -> Saved:
    outcomes: Counter[str] = Counter()
    for outcome, _, number, _ in rows:
        outcomes[outcome] += number
    same = sum(number for _, status, number, _ in rows if status == 304)
    return Saved(
        polls=outcomes.total(),
        not_modified=same,
        wire_bytes=sum(wire for _, _, _, wire in rows),
        saved_bytes=round(same * _mean_bytes(rows)),
        outcomes=dict(outcomes),
    )


def _mean_bytes(rows: Sequence[tuple[str, int | None, int, int]]) -> float:
    """What a whole document of a source took on average, 0.0 where none came."""
    whole = [(number, wire) for _, status, number, wire in rows if status == 200 and wire]
    return sum(wire for _, wire in whole) / sum(number for number, _ in whole) if whole else 0.0
