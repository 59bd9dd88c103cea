"""How the desk is doing, in numbers: what the status pages, the alarms and `/metrics` are made of. I/O: database.

Only reads. Whatever could grow with the desk is bounded by the sources asked about or by a span of time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    and_,
    case,
    exists,
    func,
    or_,
    select,
    text,
    type_coerce,
)

from feeds.codec import micros
from feeds.condition import SILENT_AFTER, WORDS, WORTH_A_LOOK, SourceState
from feeds.configuration import DOCUMENTS, Source
from feeds.store import dialect
from feeds.store.dialect import AnyRow, Verbs, rows_in
from feeds.store.schema import (
    BY_SEEN,
    IN_SECTION,
    POLLABLE,
    articles,
    configs,
    entries,
    events,
    filings,
    inbox,
    polls,
    sections,
    sources,
)
from feeds.store.source_rows import BRIEF, brief_of
from feeds.urls import masked

DAY_US = 86_400_000_000
SORTS = ("config", "name", "state", "poll", "news", "interval")
"""What sources can be ordered by; "config": what needs somebody first, the rest as in the file."""

_PRESENT = sources.c.removed_at.is_(None)
_QUIET = sources.c.key.in_(
    select(events.c.subject).where(events.c.kind == "silent", events.c.closed_at.is_(None), events.c.text != "")
)
"""An open alarm says that the source is quiet against its own rhythm."""
_NEEDY = ("gone!", "failing!", "silent!")
_LETTERS = {state: chr(ord("a") + place) for place, state in enumerate((*WORDS, *_NEEDY))}


class Line(Struct, frozen=True, kw_only=True):
    """One source: as configured, and what of its state people want to know. *id* is the store's."""

    id: int
    source: Source
    state: SourceState
    added_at: datetime
    polled: int


class Saved(Struct, frozen=True, kw_only=True):
    """What the polls in a source's history cost. *saved_bytes* is an estimate: what 304s would have brought."""

    polls: int = 0
    not_modified: int = 0
    wire_bytes: int = 0
    saved_bytes: int = 0
    outcomes: Mapping[str, int] = field(default_factory=dict)


class Numbers(Struct, frozen=True, kw_only=True):
    """The desk as a whole. *articles* and *entries* count all that ever came, *due* what should be polled now.

    *lag_s* is how long the longest waiting of them waits; *states* are sources by the word for their condition, and
    *trouble* says how many of them need somebody; *database_bytes* is None where the database will not say.
    """

    states: Mapping[str, int] = field(default_factory=dict)
    trouble: int = 0
    articles: int = 0
    entries: int = 0
    inbox: int = 0
    due: int = 0
    lag_s: float = 0.0
    polls: int = 0
    config_version: int = 0
    database_bytes: int | None = None


class Overview(Verbs):
    """``tx.overview``"""

    def lines(self, ids: Sequence[int]) -> list[Line]:
        """The sources with these *ids*, in this order, without what only polling needs."""
        statement = select(*(sources.c[name] for name in BRIEF))
        found = {row.id: _line(row) for row in rows_in(self._connection, statement, sources.c.id, ids)}
        return [found[each] for each in ids if each in found]

    def id_of(self, key: str) -> int | None:
        """The id of the source of the present config with this *key*; None where there is none."""
        found: int | None = self._execute(
            select(sources.c.id).where(_PRESENT, sources.c.key == key)
        ).scalar_one_or_none()
        return found

    def source_ids(
        self, now: datetime, *, word: str = "", sought: str = "", sort: str = "config", limit: int, offset: int = 0
    ) -> list[int]:
        """Ids of the sources in the state *word* ("": any; "trouble": those that need somebody), in order of *sort*,
        whose name or masked address holds *sought*: *limit* of them behind the first *offset*.
        """
        chosen: list[ColumnElement[bool]] = [_PRESENT]
        if word:
            chosen.append(_state(now).in_(_NEEDY if word == "trouble" else (word, f"{word}!")))
        order = (*_ORDERS[sort](now), sources.c.line, sources.c.id)
        statement = select(sources.c.id).where(*chosen).order_by(*order)
        sought = sought.strip().casefold()
        if not sought and sort != "name":
            return list(self._execute(statement.limit(limit).offset(offset)).scalars())
        # Neither database folds case as Python does, nor knows what is masked; of plain letters all agree.
        statement = statement.add_columns(sources.c.name, sources.c.target)
        if sought.isascii() and "*" not in sought:
            columns = sources.c.name, sources.c.target
            statement = statement.where(or_(*(dialect.may_hold(column, sought) for column in columns)))
        rows = self._execute(statement).all()
        rows = [row for row in rows if sought in row.name.casefold() or _holds(row.target, sought)]
        if sort == "name":
            rows.sort(key=lambda row: row.name.casefold())
        return [row.id for row in rows[offset : offset + limit]]

    def failing(self) -> tuple[int, int]:
        """How many sources were asked, and how many of them fail and were not gone for good before."""
        # Where it is this machine's own network, no failure is held against a source.
        fails = and_(sources.c.gone_at.is_(None), or_(sources.c.failures > 0, sources.c.last_outcome == "failed"))
        counts = select(func.count(), func.sum(case((fails, 1), else_=0)))
        asked, down = self._execute(counts.where(POLLABLE, sources.c.last_poll_at.is_not(None))).one()
        return int(asked), int(down or 0)

    def days(self, ids: Sequence[int], since: datetime) -> dict[int, dict[int, tuple[int, int]]]:
        """Entries that came *since*: by source id, by day (counted from 1970, UTC), how many and how many copies.

        An entry whose article nobody else has brought is no copy here, though it credits another as its origin.
        """
        other = entries.alias()
        shared = exists().where(other.c.article_id == entries.c.article_id, other.c.id != entries.c.id)
        copies = func.sum(case((and_(entries.c.copy == 1, shared), 1), else_=0))
        day = type_coerce(entries.c.first_seen, BigInteger) // DAY_US
        # Numbers grow as entries come: none is looked at that came before the last article that is older.
        older = select(articles.c.id).where(articles.c.seen_at < since).order_by(articles.c.seen_at.desc()).limit(1)
        before = select(func.min(other.c.id)).where(other.c.article_id == older.scalar_subquery()).scalar_subquery()
        statement = (
            select(entries.c.source_id, day.label("day"), func.count(), copies)
            .where(entries.c.id > func.coalesce(before, 0), entries.c.first_seen >= since)
            .group_by(text("1"), text("2"))
        )
        found: dict[int, dict[int, tuple[int, int]]] = {}
        for source_id, at, count, copied in rows_in(self._connection, statement, entries.c.source_id, ids):
            found.setdefault(source_id, {})[int(at)] = (int(count), int(copied or 0))
        return found

    def section_days(self, since: datetime, *, quiet_since: datetime | None = None) -> dict[str, dict[int, int]]:
        """Articles filed that were first seen *since*: by section path, by day (counted from 1970, UTC); where a time
        is given, of those sections alone that are *quiet_since* then.
        """
        day = type_coerce(articles.c.seen_at, BigInteger) // DAY_US
        statement = _filed(since, filings.c.section_id, day, func.count()).group_by(text("1"), text("2"))
        if quiet_since is not None:
            loud = _filed(quiet_since, filings.c.section_id).correlate(None)
            statement = statement.where(filings.c.section_id.not_in(loud))
        present = select(sections.c.id, sections.c.path).where(sections.c.removed_at.is_(None))
        paths: dict[int, str] = {section_id: path for section_id, path in self._execute(present).all()}
        found: dict[str, dict[int, int]] = {}
        for section_id, at, count in self._execute(statement).all():
            if section_id in paths:
                found.setdefault(paths[section_id], {})[int(at)] = int(count)
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
        states, trouble, polled = self._states(now)
        return Numbers(
            states=states,
            trouble=trouble,
            articles=int(one(select(func.max(articles.c.id))).scalar_one() or 0),
            entries=int(one(select(func.max(entries.c.id))).scalar_one() or 0),
            inbox=dialect.how_many(self._connection, inbox),
            due=due,
            lag_s=lag_s,
            polls=polled,
            config_version=int(one(select(func.max(configs.c.version))).scalar_one() or 0),
            database_bytes=self._bytes(),
        )

    def _states(self, now: datetime) -> tuple[dict[str, int], int, int]:
        """Sources by state, those that need somebody, and the polls of all, those of removed sources included."""
        # A letter for each source, in a row: SQLite takes longer to sort them by state than to go through them.
        letter = case((_PRESENT, case(_LETTERS, value=_state(now))), else_="")
        letters, polled = self._execute(select(func.aggregate_strings(letter, ""), func.sum(sources.c.polled))).one()
        found = Counter(letters or "")
        states: dict[str, int] = dict.fromkeys(WORDS, 0)
        for name, letter_of in _LETTERS.items():
            states[name.rstrip("!")] += found[letter_of]
        return states, sum(found[_LETTERS[name]] for name in _NEEDY), int(polled or 0)

    def _bytes(self) -> int | None:
        if dialect.is_postgres(self._connection):
            return int(self._execute(text("SELECT pg_database_size(current_database())")).scalar_one())
        pages = int(self._connection.exec_driver_sql("PRAGMA page_count").scalar_one())
        return pages * int(self._connection.exec_driver_sql("PRAGMA page_size").scalar_one())


def _filed(since: datetime, *columns: ColumnElement[Any]) -> Select[Any]:
    """These *columns* of articles that were first seen *since*, and of their filings."""
    lately = select(*columns).join_from(articles, filings).where(articles.c.seen_at >= since, IN_SECTION)
    return lately.with_hint(articles, BY_SEEN, "sqlite")


def _line(row: AnyRow) -> Line:
    source, state = brief_of(row)
    if row.claim_id is not None:
        state = replace(state, next_poll_at=row.due_at)  # the column is the lease while a poll is under way
    return Line(id=row.id, source=source, state=state, added_at=row.added_at, polled=row.polled)


def _holds(target: str, sought: str) -> bool:
    """Whether the address as people see it holds *sought*, which is folded. Masking costs more than folding."""
    return ("*" in sought or sought in target.casefold()) and sought in masked(target).casefold()


def _state(now: datetime) -> ColumnElement[str]:
    """What `condition.condition` says, in SQL: its word, with ``!`` behind it where somebody has to do something.

    A test holds the two equal. It is one expression, since it is worked out for every source.
    """
    urgent = or_(sources.c.failures >= WORTH_A_LOOK, sources.c.first_poll_done == 0)
    return case(
        (sources.c.enabled == 0, "resting"),
        (sources.c.gone_at.is_not(None), "gone!"),
        (sources.c.failures > 0, case((urgent, "failing!"), else_="failing")),
        (or_(sources.c.retry_after_until > now, sources.c.last_outcome == "failed"), "waiting"),
        (sources.c.last_poll_at.is_(None), "new"),
        (sources.c.adopted_url.is_not(None), "moved"),
        (_QUIET, "silent!"),
        (and_(sources.c.kind.not_in(DOCUMENTS), sources.c.last_new_at < now - SILENT_AFTER), "silent"),
        else_="fine",
    )


def _rank(now: datetime) -> ColumnElement[int]:
    """The place of a source in the order by state: those that need somebody behind the others, then by `WORDS`."""
    places: dict[str, int] = {word: place for place, word in enumerate(WORDS)}
    return case(
        {state: places[state.rstrip("!")] + len(WORDS) * ("!" in state) for state in (*WORDS, *_NEEDY)},
        value=_state(now),
    )


def _interval_us() -> ColumnElement[int]:
    """From the last poll to the next, whatever made it so; before the first the interval that is set."""
    due = case((sources.c.claim_id.is_(None), sources.c.next_poll_at), else_=sources.c.due_at)
    between = type_coerce(due, BigInteger) - type_coerce(sources.c.last_poll_at, BigInteger)
    fixed = func.coalesce(func.nullif(sources.c.fixed_interval_s, 0), sources.c.interval_s, 0) * 1_000_000
    return case((between > 0, between), else_=fixed)


_ORDERS: dict[str, Callable[[datetime], tuple[ColumnElement[Any], ...]]] = {
    "config": lambda now: (_state(now).in_(_NEEDY).desc(),),
    "name": lambda now: (),
    "state": lambda now: (_rank(now).desc(),),
    "poll": lambda now: (func.coalesce(sources.c.last_poll_at, sources.c.added_at).desc(),),
    "news": lambda now: (func.coalesce(sources.c.last_new_at, sources.c.added_at).desc(),),
    "interval": lambda now: (_interval_us(),),
}


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
