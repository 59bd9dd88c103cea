"""Sources: the schedule, the claims, what is remembered between polls. I/O: database.

`next_poll_at` is due time and lease in one column. A claim moves it ahead by the lease and writes a claim id; a result
is written only where that claim still stands. So a worker that dies delays its sources by a lease and loses none, and
one that comes back late overwrites nobody.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, Select, bindparam, case, exists, func, select, true, update
from sqlalchemy.sql.dml import ReturningUpdate

from feeds.codec import hashes_from_blob, hashes_to_blob, micros, moment
from feeds.condition import SourceState
from feeds.configuration import DOCUMENTS, Source, SourceKind
from feeds.store import dialect, small_tables
from feeds.store.dialect import AnyRow, Verbs, change_in, chunks, how_many, one_of, rows_in, storable, value_of
from feeds.store.schema import POLLABLE, POLLS_KEPT, inbox, metadata, polls, sources
from feeds.store.source_rows import (
    ALL_COLUMNS,
    OF_SOURCE,
    OFTEN,
    SELDOM,
    both_of,
    differs_seldom,
    often,
    pushing,
    reshard,
    seldom,
    source_of,
    sources_by_id,
    sync_sources,
)
from feeds.store.values import Claim, Poll, PollResult, SourcesSynced
from feeds.urls import shard_of

_LINE = (
    "source_id",
    "slot",
    "at",
    "outcome",
    "status",
    "new_entries",
    "copies",
    "updated",
    "wire_bytes",
    "seconds",
    "error",
    "remedy",
    "next_poll_at",
    "reason",
)
_IN_ITS_SLOT = (
    f" ON CONFLICT (source_id, slot) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in _LINE[2:])}"
)
DUE = ("next_poll_at", "due_at", "retry_after_until", "next_try_at")
"""The columns that say when something is to be done."""
JUST = timedelta(minutes=1)
OF_HAND = "hand-"
"""How the claims of hands begin (`feeds.engine.hand`)."""
OF_DESK = DOCUMENTS
"""The kinds of sources that stay with the process that decides, where hands poll the others: they lie on its disk."""
BY_HANDS = sources.c.kind.not_in(OF_DESK)
_IN_INBOX = exists().where(inbox.c.source_id == sources.c.id, inbox.c.claim_id == sources.c.claim_id)
"""Whether what a claim has brought waits to be saved."""


# Made once: SQLAlchemy takes several times as long to make a statement as to run it.


def _claim(which: ColumnElement[bool]) -> ReturningUpdate[Any]:
    """A claim named `of_claim`, until `of_until`."""
    values = {
        "due_at": sources.c.next_poll_at,
        "next_poll_at": bindparam("of_until"),
        "claim_id": bindparam("of_claim"),
    }
    return update(sources).where(which).values(values).returning(*sources.c)


def _claim_first(*which: ColumnElement[bool]) -> ReturningUpdate[Any]:
    """A claim on up to `of_limit` of these that are due at `of_now`, the longest waiting first."""
    due = select(sources.c.id).where(POLLABLE, sources.c.next_poll_at <= bindparam("of_now"), *which)
    due = due.order_by(sources.c.next_poll_at).limit(bindparam("of_limit")).with_for_update(skip_locked=True)
    return _claim(sources.c.id.in_(due))


@cache
def _claim_due(kinds: tuple[SourceKind, ...] | None) -> ReturningUpdate[Any]:
    return _claim_first(true() if kinds is None else sources.c.kind.in_(kinds))


_CLAIM_SHARD = _claim_first(
    BY_HANDS,
    ~_IN_INBOX,
    sources.c.shard == bindparam("of_shard"),
    ~one_of(sources.c.key, "of_lacking"),
)


@cache
def _next_due(kinds: tuple[SourceKind, ...] | None) -> Select[Any]:
    of_these = true() if kinds is None else sources.c.kind.in_(kinds)
    return select(func.min(sources.c.next_poll_at)).where(POLLABLE, of_these)


_LOCKED = select(sources.c.id, sources.c.claim_id, sources.c.polled).order_by(sources.c.id).with_for_update()


class Sources(Verbs):
    """``tx.sources``"""

    def sync(
        self,
        configured: Sequence[Source],
        desk_full_text: str,
        now: datetime,
        *,
        first_poll_spread_s: float = 0.0,
    ) -> SourcesSynced:
        """Take over the sources of a config. History stays with the key, even when the URL changes, and with the
        address, where it stands under another key now (`feeds.configuration.renames`).

        New ones are due at once, or spread over *first_poll_spread_s*. Missing ones rest, marked as removed.
        """
        return sync_sources(self._connection, configured, desk_full_text, now, first_poll_spread_s)

    # ------------------------------------------------------------------ claims

    def claim_due(
        self,
        now: datetime | None,
        lease_s: float,
        limit: int,
        *,
        claim_id: str | None = None,
        kinds: Sequence[SourceKind] | None = None,
    ) -> list[Claim]:
        """Take up to *limit* sources that are due, the longest waiting first, until *lease_s* from *now*.

        *now* None means the database's clock, which all machines share. Nobody else gets them meanwhile.
        """
        now = moment(dialect.clock(self._connection)) if now is None else now
        claim = _claim_due(None if kinds is None else tuple(kinds))
        return self._claim(claim, now, lease_s, claim_id, of_now=now, of_limit=limit)

    def due_shards(self) -> list[int]:
        """The shards in which a source is due that a hand may poll, by the database's clock."""
        now = moment(dialect.clock(self._connection))
        statement = select(sources.c.shard).where(POLLABLE, sources.c.next_poll_at <= now, BY_HANDS, ~_IN_INBOX)
        return list(self._execute(statement.distinct()).scalars())

    def claim_shard(self, shard: int, lease_s: float, limit: int, *, lacking: Collection[str] = ()) -> list[Claim]:
        """`claim_due` for a hand that polls a *shard*; sources *lacking*, by key, are left to others."""
        now = moment(dialect.clock(self._connection))
        bound = {"of_now": now, "of_limit": limit, "of_shard": shard, "of_lacking": sorted(lacking)}
        return self._claim(_CLAIM_SHARD, now, lease_s, f"{OF_HAND}{uuid4().hex}", **bound)

    def free_shard(self, shard: int) -> None:
        """Give claims of hands in a *shard* back, for the only one who polls it when it begins; what is in the inbox
        is left to be saved.
        """
        orphaned = sources.c.shard == shard, sources.c.claim_id.startswith(OF_HAND), ~_IN_INBOX
        self._execute(update(sources).where(*orphaned).values(next_poll_at=sources.c.due_at, claim_id=None))

    def claim_named(
        self, keys: Sequence[str] | None, now: datetime, lease_s: float, *, claim_id: str | None = None
    ) -> list[Claim]:
        """Take the sources named, all if None, whether due or not; those that are out on a claim are left out."""
        free = sources.c.claim_id.is_(None) | (sources.c.next_poll_at <= now)
        wanted = select(sources.c.id).where(POLLABLE, free).with_for_update(skip_locked=True)
        if keys is None:
            return self._claim(_claim(sources.c.id.in_(wanted)), now, lease_s, claim_id)
        claim_id = claim_id or uuid4().hex
        taken: list[Claim] = []
        for some in chunks(keys):
            named = wanted.where(sources.c.key.in_(some))
            taken += self._claim(_claim(sources.c.id.in_(named)), now, lease_s, claim_id)
        return taken

    def _claim(
        self, statement: ReturningUpdate[Any], now: datetime, lease_s: float, claim_id: str | None, **bound: Any
    ) -> list[Claim]:
        claim_id = claim_id or uuid4().hex
        until = now + timedelta(seconds=lease_s)
        rows = self._execute(statement, {"of_until": until, "of_claim": claim_id, **bound}).all()
        pushed = pushing(self._connection, now)
        claims = []
        for row in rows:
            source, state = both_of(row)
            claims.append(
                Claim(source=source, claim_id=claim_id, state=state, due_at=row.due_at, pushed=source.id in pushed)
            )
        return sorted(claims, key=lambda claim: (claim.due_at, claim.source.id))

    def release(self, claims: Sequence[Claim]) -> None:
        """Give claims back undone: their sources are due again when they were."""
        self._change_claimed(claims, next_poll_at=sources.c.due_at, claim_id=None)

    def _change_claimed(self, claims: Sequence[Claim], **values: Any) -> None:
        if claims:
            theirs = sources.c.id == bindparam("of_id"), sources.c.claim_id == bindparam("of_claim")
            rows = [{"of_id": claim.source.id, "of_claim": claim.claim_id} for claim in claims]
            self._execute(update(sources).where(*theirs).values(values), rows)

    def release_claim(self, claim_id: str) -> None:
        """Give back what was claimed under *claim_id*, if anything was."""
        mine = update(sources).where(sources.c.claim_id == claim_id)
        self._execute(mine.values(next_poll_at=sources.c.due_at, claim_id=None))

    def release_all(self, kinds: Sequence[SourceKind] | None = None) -> None:
        """Free every claim on sources of these *kinds* (None: all) at once: for their only poller, when it starts."""
        theirs = sources.c.kind.in_(kinds) if kinds is not None else true()
        self._execute(
            update(sources)
            .where(sources.c.claim_id.is_not(None), theirs)
            .values(next_poll_at=func.coalesce(sources.c.due_at, sources.c.next_poll_at), claim_id=None)
        )

    def extend(self, claims: Sequence[Claim], until: datetime) -> None:
        """Move the lease of claims that still stand to *until*."""
        self._change_claimed(claims, next_poll_at=until)

    def finish(self, results: Sequence[PollResult]) -> set[int]:
        """Write results where their claim still stands, end those claims, and give the ids of these sources."""
        standing = self._standing({result.source_id: result.claim_id for result in results})
        kept = {result.source_id: result for result in results if result.source_id in standing}
        if not kept:
            return set()
        for whole in (False, True):
            some = [result for result in kept.values() if differs_seldom(result.state, result.before) is whole]
            if some:
                self._write_states(some, whole=whole)
        lines = [_line(result, standing[result.source_id]) for result in kept.values()]
        dialect.insert_values(self._connection, polls.name, _LINE, lines, _IN_ITS_SLOT)
        return set(kept)

    def came_late(self, source_id: int, *, new: int, copies: int, updated: int) -> None:
        """Add to what the last poll of a source brought: what its document or push held was read after it ended."""
        last = select((sources.c.polled - 1) % POLLS_KEPT).where(sources.c.id == source_id).scalar_subquery()
        self._execute(
            update(polls)
            .where(polls.c.source_id == source_id, polls.c.slot == last)
            .values(
                new_entries=polls.c.new_entries + new,
                copies=polls.c.copies + copies,
                updated=polls.c.updated + updated,
            )
        )

    def _write_states(self, results: Sequence[PollResult], *, whole: bool) -> None:
        """End the claims of *results*; of their states what seldom changes is written only where *whole*."""
        names = (*OFTEN, *SELDOM) if whole else OFTEN
        rows = []
        for result in results:
            values = [*often(result.state), *(seldom(result.state) if whole else ())]
            reason = storable(result.reason or result.state.reason)
            rows.append((*values, reason, micros(result.next_poll_at), result.source_id))
        statement = f"UPDATE sources SET {', '.join(f'{name} = ?' for name in names)}"
        statement += ", reason = ?, next_poll_at = ?, claim_id = NULL, polled = polled + 1 WHERE id = ?"
        dialect.execute_many(self._connection, statement, rows)
        if whole:
            self._follow_moves([result for result in results if _moved(result)])

    def _follow_moves(self, results: Sequence[PollResult]) -> None:
        """A source that is asked at another address shares the limits of that one's host."""
        targets = select(sources.c.id, sources.c.target)
        found = rows_in(self._connection, targets, sources.c.id, [result.source_id for result in results])
        target = {row.id: row.target for row in found}
        reshard(
            self._connection,
            [
                {"of_id": one.source_id, "of_shard": shard_of(one.state.adopted_url or target[one.source_id])}
                for one in results
            ],
        )

    def _standing(self, claims: Mapping[int, str]) -> dict[int, int]:
        """Source id to polls so far, of those whose claim stands."""
        rows = list(rows_in(self._connection, _LOCKED, sources.c.id, sorted(claims)))
        return {row.id: row.polled for row in rows if row.claim_id is not None and row.claim_id == claims[row.id]}

    def addresses(self, part: str) -> dict[int, str]:
        """Addresses asked of sources that hold *part* and are not out on a claim, by id."""
        asked = func.coalesce(sources.c.adopted_url, sources.c.target)
        statement = select(sources.c.id, asked).where(
            sources.c.removed_at.is_(None), sources.c.claim_id.is_(None), asked.icontains(part, autoescape=True)
        )
        return {row[0]: row[1] for row in self._execute(statement)}

    def hold(self, until: Mapping[int, datetime]) -> None:
        """Have sources that are not out on a claim wait until these times at least, as a `Retry-After` asks."""
        if not until:
            return
        later = case(
            (sources.c.next_poll_at < bindparam("of_time"), bindparam("of_time")), else_=sources.c.next_poll_at
        )
        statement = (
            update(sources)
            .where(sources.c.id == bindparam("of_id"), sources.c.claim_id.is_(None))
            .values(next_poll_at=later, retry_after_until=bindparam("of_time"))
        )
        rows = [{"of_id": id_, "of_time": time} for id_, time in sorted(until.items())]
        self._execute(statement, rows)

    def hurry(self, source_ids: Collection[int], at: datetime) -> None:
        """Have these sources asked at *at*, those that would be asked later and are not out on a claim."""
        later = sources.c.claim_id.is_(None), sources.c.next_poll_at > at
        sooner = update(sources).where(*later).values(next_poll_at=at)
        change_in(self._connection, sooner, sources.c.id, sorted(source_ids))

    def followed(self, done: Mapping[int, Collection[int]]) -> None:
        """Add links that are done with to what their sources' listings are known to hold; claims make no difference."""
        for source_id, hashes in sorted(done.items()):
            listing = sources.c.id == source_id, sources.c.kind != "feed"  # of a feed these are its items
            row = self._execute(select(sources.c.item_hashes).where(*listing)).first()
            if row is None:
                continue
            known = hashes_to_blob(tuple(sorted({*hashes_from_blob(row.item_hashes), *hashes})))
            self._execute(update(sources).where(sources.c.id == source_id).values(item_hashes=known))

    # ------------------------------------------------------------------ looking

    def links_of(self, source_id: int) -> frozenset[int]:
        """The hashes of links that a listing is known to hold."""
        held = self._execute(select(sources.c.item_hashes).where(sources.c.id == source_id)).scalar()
        return frozenset(hashes_from_blob(held))

    def by_key(self, key: str) -> tuple[Source, SourceState] | None:
        """The source with this key, None where there is none or it was removed."""
        statement = select(sources).where(sources.c.key == key, sources.c.removed_at.is_(None))
        row = self._execute(statement).one_or_none()
        return None if row is None else both_of(row)

    def called(self, name: str) -> Source | None:
        """The source of this key or name, also one that was taken out of config; the present one of several."""
        named = (sources.c.key == name) | (sources.c.name == name)
        newest = sources.c.removed_at.is_not(None), sources.c.id.desc()
        row = self._execute(select(sources).where(named).order_by(*newest).limit(1)).one_or_none()
        return None if row is None else source_of(row)

    def by_id(self, source_id: int) -> tuple[Source, SourceState] | None:
        """The source with this id, removed or not."""
        row = self._execute(select(sources).where(sources.c.id == source_id)).one_or_none()
        return None if row is None else both_of(row)

    def claims_of(self, ids: Sequence[int]) -> dict[int, Claim]:
        """The sources with these ids as they stand, with the claim that is on them (empty where there is none)."""
        found: dict[int, Claim] = {}
        for row in rows_in(self._connection, ALL_COLUMNS, sources.c.id, set(ids)):
            source, state = both_of(row)
            due_at = row.due_at or row.next_poll_at
            found[source.id] = Claim(source=source, claim_id=row.claim_id or "", state=state, due_at=due_at)
        return found

    def by_ids(self, ids: Iterable[int]) -> dict[int, Source]:
        """The sources with these ids, removed or not."""
        return sources_by_id(self._connection, ids)

    def all(self, kinds: Sequence[SourceKind] | None = None) -> list[Source]:
        """Every source of the present config, of these *kinds* alone where some are named, in the config's order."""
        columns = [sources.c[name] for name in OF_SOURCE]
        these = true() if kinds is None else sources.c.kind.in_(kinds)
        statement = select(*columns).where(sources.c.removed_at.is_(None), these).order_by(sources.c.line, sources.c.id)
        return [source_of(row, OF_SOURCE) for row in self._execute(statement)]

    def all_states(self) -> list[tuple[Source, SourceState]]:
        """Every source of the present config with its state, in the config's order."""
        statement = select(sources).where(sources.c.removed_at.is_(None)).order_by(sources.c.line, sources.c.id)
        return [both_of(row) for row in self._execute(statement)]

    def names(self) -> dict[str, str]:
        """Key → name of every source of the present config, without reading what is remembered of each."""
        statement = select(sources.c.key, sources.c.name).where(sources.c.removed_at.is_(None)).order_by(sources.c.id)
        return {row.key: row.name for row in self._execute(statement)}

    def claimed(self, now: datetime) -> int:
        """How many sources are out on a claim."""
        return how_many(self._connection, sources, sources.c.claim_id.is_not(None), sources.c.next_poll_at > now)

    def next_due_at(self, kinds: Sequence[SourceKind] | None = None) -> datetime | None:
        """When the next source of these *kinds* (None: any) is due, None if there is none to poll.

        A lease counts as due at its end.
        """
        due: datetime | None = self._execute(_next_due(None if kinds is None else tuple(kinds))).scalar_one()
        return due

    def polls(self, source_id: int, limit: int) -> list[Poll]:
        """The newest polls of a source, newest first; at most `POLLS_KEPT` are kept."""
        newest = polls.c.at.desc(), polls.c.slot.desc()
        statement = select(polls).where(polls.c.source_id == source_id).order_by(*newest).limit(limit)
        return [_poll(row) for row in self._execute(statement)]


def _moved(result: PollResult) -> bool:
    return (result.before.adopted_url if result.before else None) != result.state.adopted_url


def _line(result: PollResult, polled: int) -> tuple[Any, ...]:
    """A row of the history, by the columns of `_LINE`."""
    return (
        result.source_id,
        polled % POLLS_KEPT,
        micros(result.at),
        result.outcome,
        result.state.last_status,
        result.new,
        result.copies,
        result.updated,
        result.wire_bytes,
        result.seconds,
        storable(result.error),
        storable(result.remedy),
        micros(result.next_poll_at),
        storable(result.reason),
    )


def _poll(row: AnyRow) -> Poll:
    return value_of(Poll, row, new=row.new_entries)


class Schedule(Verbs):
    """``tx.schedule``"""

    def shifts(self) -> int:
        """How often due times were moved: tells whether a `shift` that was not heard of has been."""
        return small_tables.value(self._connection, small_tables.SHIFTS)

    def shift(self, by: timedelta, now: datetime) -> None:
        """Move all that is due by as much as the clock was set, which shows *now*.

        Sources that were polled in the minute before *now* go by the new clock already. Those that were polled at what
        is the future by it were so now: who starts next is not to find the clock set back once more.
        """
        small_tables.count(self._connection, small_tables.SHIFTS)
        shifted = by // timedelta(microseconds=1)
        for table in metadata.sorted_tables:
            names = [name for name in DUE if name in table.columns and table is not polls]
            if not names:
                continue
            statement = f"UPDATE {table.name} SET {', '.join(f'{name} = {name} + ?' for name in names)}"
            values = [shifted] * len(names)
            if table is sources:
                statement += ", last_poll_at = CASE WHEN last_poll_at > ? THEN ? ELSE last_poll_at END"
                statement += " WHERE last_poll_at IS NULL OR last_poll_at < ? OR last_poll_at > ?"
                values += [micros(now), micros(now), micros(now - JUST), micros(now)]
            dialect.execute_many(self._connection, statement, [values])

    def latest_poll_at(self) -> datetime | None:
        """When a source was last polled, by the clock of then; None before the first poll."""
        found: datetime | None = self._execute(select(func.max(sources.c.last_poll_at))).scalar_one()
        return found
