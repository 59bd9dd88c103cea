"""Rows of `sources`: to values and back, and brought in line with config. I/O: database."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any
from zlib import crc32

from msgspec import Struct, field
from sqlalchemy import ColumnElement, Connection, bindparam, delete, insert, select, update

from feeds.codec import hashes_from_blob, hashes_to_blob, restore
from feeds.codec import plain as as_json
from feeds.condition import SourceState
from feeds.configuration import FullText, Select, Source, renames
from feeds.parsed import Validators
from feeds.store import stories
from feeds.store.dialect import AnyRow, change_in, chunks, plain, rows_in, storable
from feeds.store.hydrate import strictest
from feeds.store.schema import NEXT_REVISION, articles, entries, events, page_queue, sections, source_hubs, sources
from feeds.store.values import SourcesSynced
from feeds.urls import shard_of

CONFIGURED = (
    "name",
    "kind",
    "target",
    "section",
    "enabled",
    "fixed_interval_s",
    "full_text",
    "rights",
    "language",
    "timezone",
    "priority",
    "ignore_validators",
    "line",
    "selectors",
)
"""The columns that config decides."""

OFTEN = (
    "interval_s",
    "failures",
    "last_poll_at",
    "last_ok_at",
    "last_status",
    "last_outcome",
    "last_error",
    "last_remedy",
    "retry_after_until",
    "rhythm",
)
"""The columns of a state that every poll writes, but for the due time and its reason, which go their own way."""

_SELDOM = (
    "validators_url",
    "body_hash",
    "last_new_at",
    "last_full_at",
    "gone_at",
    "adopted_url",
    "redirect_target",
    "redirect_first_seen",
    "redirect_count",
    "distrusted_at",
    "site_url",
)
_SAME_IN_STATE = (*OFTEN, *_SELDOM, "next_poll_at", "reason", "title")
_SAME_IN_SOURCE = (
    "id",
    "key",
    "name",
    "kind",
    "target",
    "section",
    "full_text",
    "language",
    "timezone",
    "priority",
    "line",
)

OF_SOURCE = ("id", "key", *(name for name in CONFIGURED if name != "rights"))
"""The columns that `source_of` needs."""

SELDOM = (*_SELDOM, "etag", "last_modified", "item_hashes", "item_marks", "first_poll_done", "title")
"""The columns that a poll which brought nothing leaves as they are."""
# Asked by name, a row looks every column up, and a thousand sources have forty thousand: so all are taken at once.
_COLUMNS = tuple(sources.c.keys())
ALL_COLUMNS = select(sources)
_ONLY_FOR_POLLING: dict[str, Any] = {"item_hashes": None, "item_marks": None, "body_hash": None, "rhythm": ""}
BRIEF = tuple(name for name in _COLUMNS if name not in _ONLY_FOR_POLLING)
"""The columns of which people want to know something."""

_ADDRESS = frozenset(("target", "kind", "selectors"))
"""With another of these a source is asked as if it had never been."""
_SHOWN = frozenset(("name", "target", "rights", "full_text", "priority"))
"""What of a source is seen in published articles."""
_OF_A_SOURCE = ("gone", "failing", "unread", "moved", "validators", "silent", "flood", "robots")
"""Events that are over with another URL, or when the source goes."""
_OF_THE_OLD_URL: dict[str, Any] = {
    "etag": None,
    "last_modified": None,
    "failures": 0,
    "retry_after_until": None,
    "gone_at": None,
    "adopted_url": None,
    "redirect_target": None,
    "redirect_first_seen": None,
    "redirect_count": 0,
    "distrusted_at": None,
    "rhythm": "",
    "last_error": "",
    "last_remedy": "",
    "item_hashes": None,
    "item_marks": None,
    "body_hash": None,
}


def configured(source: Source, desk_full_text: FullText) -> dict[str, Any]:
    """The columns of *source* that config decides. Headers are left out: they may hold secrets."""
    same = {name: getattr(source, name) for name in _SAME_IN_SOURCE if name in CONFIGURED}
    return same | {
        "enabled": int(source.enabled),
        "fixed_interval_s": source.interval_s,
        "rights": source.rights or desk_full_text,
        "ignore_validators": int(source.ignore_validators),
        "selectors": json.dumps(as_json(source.select), sort_keys=True) if source.select else "",
    }


def source_of(row: AnyRow, columns: Sequence[str] = _COLUMNS) -> Source:
    """The source of a row of all of the table's columns, or of those of *columns*, without headers."""
    return _source(dict(zip(columns, row, strict=True)))


def both_of(row: AnyRow) -> tuple[Source, SourceState]:
    """The source of a row of all columns, and what the desk remembers of it."""
    values = dict(zip(_COLUMNS, row, strict=True))
    return _source(values), _state(values)


def brief_of(row: AnyRow) -> tuple[Source, SourceState]:
    """The source of a row of the columns `BRIEF`, and its state without what only polling needs."""
    values = _ONLY_FOR_POLLING | dict(zip(BRIEF, row, strict=True))
    return _source(values), _state(values)


def _source(values: dict[str, Any]) -> Source:
    return Source(
        enabled=bool(values["enabled"]),
        interval_s=values["fixed_interval_s"],
        ignore_validators=bool(values["ignore_validators"]),
        select=restore(Select, json.loads(values["selectors"])) if values["selectors"] else None,
        **{name: values[name] for name in _SAME_IN_SOURCE},
    )


def _state(values: dict[str, Any]) -> SourceState:
    return SourceState(
        validators=Validators(etag=values["etag"], last_modified=values["last_modified"]),
        item_hashes=hashes_from_blob(values["item_hashes"]),
        item_marks=values["item_marks"] or b"",
        first_poll_done=bool(values["first_poll_done"]),
        **{name: values[name] for name in _SAME_IN_STATE},
    )


_often = attrgetter(*OFTEN)
_seldom = attrgetter(*_SELDOM, "validators", "item_hashes", "item_marks", "first_poll_done", "title")


def differs_seldom(state: SourceState, before: SourceState | None) -> bool:
    """Whether anything in *state* that seldom changes is other than *before*; None: not known, so yes."""
    return before is None or _seldom(state) != _seldom(before)


def often(state: SourceState) -> list[Any]:
    """The values of the columns `OFTEN`, as a driver takes them."""
    return [storable(value) if value.__class__ is str else plain(value) for value in _often(state)]


def seldom(state: SourceState) -> list[Any]:
    """The values of the columns `SELDOM`, as a driver takes them."""
    etag, last_modified = state.validators.etag, state.validators.last_modified
    return [
        *(plain(getattr(state, name)) for name in _SELDOM),
        None if etag is None else storable(etag),
        None if last_modified is None else storable(last_modified),
        hashes_to_blob(state.item_hashes),
        state.item_marks or None,
        int(state.first_poll_done),
        storable(state.title),
    ]


_PUSHING = select(source_hubs.c.source_id).where(
    source_hubs.c.state == "active", source_hubs.c.expires_at > bindparam("of_now")
)


def pushing(connection: Connection, now: datetime) -> frozenset[int]:
    """The sources whose hub pushes: verified, and the lease has not ended."""
    return frozenset(connection.scalars(_PUSHING, {"of_now": now}))


def sources_by_id(connection: Connection, ids: Iterable[int]) -> dict[int, Source]:
    """The sources of these rows, removed or not."""
    return {row.id: source_of(row) for row in rows_in(connection, ALL_COLUMNS, sources.c.id, set(ids))}


def sync_sources(
    connection: Connection,
    wanted: Sequence[Source],
    desk_full_text: str,
    now: datetime,
    first_poll_spread_s: float,
) -> SourcesSynced:
    """See `Sources.sync`."""
    rows = list(connection.execute(select(sources)))
    present = {row.key: row for row in rows}
    renamed = renames(sorted(rows, key=lambda row: row.removed_at is None), wanted)
    plan = _Plan()
    for source in wanted:
        columns = configured(source, desk_full_text)  # type: ignore[arg-type]
        if (row := present.get(renamed.get(source.key, source.key))) is not None:
            plan.change(source, row, columns, now)
        else:
            wait = timedelta(seconds=first_poll_spread_s * crc32(source.key.encode()) / 2**32)
            due = {"next_poll_at": now + wait, "due_at": now + wait, "added_at": now, "shard": shard_of(source.target)}
            plan.added.append(columns | due | {"key": source.key})
    keys = {source.key for source in wanted}
    keys.update(renamed.values())
    plan.gone = {row.id: row.key for row in rows if row.key not in keys and row.removed_at is None}
    plan.write(connection, now)
    return SourcesSynced(
        added=tuple(row["key"] for row in plan.added),
        changed=tuple(plan.changed),
        returned=tuple(plan.returned),
        removed=tuple(plan.gone.values()),
    )


class _Plan(Struct):
    """What is to be written of sources; *restart* are those with another URL, *gone* the removed ones, {row: key}, and
    *renamed* those that have another key, {old: new}.
    """

    added: list[dict[str, Any]] = field(default_factory=list)
    updates: list[dict[str, Any]] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    returned: list[str] = field(default_factory=list)
    restart: dict[int, str] = field(default_factory=dict)
    shards: list[dict[str, int]] = field(default_factory=list)
    gone: dict[int, str] = field(default_factory=dict)
    renamed: dict[str, str] = field(default_factory=dict)
    seen_differently: list[int] = field(default_factory=list)
    say_less: list[int] = field(default_factory=list)

    def change(self, source: Source, row: AnyRow, columns: dict[str, Any], now: datetime) -> None:
        """Bring *row* in line with *source*, where they differ."""
        differs = [name for name in CONFIGURED if columns[name] != getattr(row, name)]
        back = row.removed_at is not None
        if not differs and not back and row.key == source.key:
            return
        if row.key != source.key:
            self.renamed[row.key] = source.key
        (self.returned if back else self.changed).append(source.key)
        due = {"of_id": row.id, "new_key": source.key, "new_due": _due(row, source, differs, now)}
        self.updates.append({f"new_{name}": value for name, value in columns.items()} | due)
        if not _ADDRESS.isdisjoint(differs):
            self.restart[row.id] = row.key
            self.shards.append({"of_id": row.id, "of_shard": shard_of(source.target)})
        if not _SHOWN.isdisjoint(differs):
            self.seen_differently.append(row.id)
        if _says_less(row, columns):
            self.say_less.append(row.id)

    def write(self, connection: Connection, now: datetime) -> None:
        """Write all of it."""
        if self.added:
            connection.execute(insert(sources), self.added)
        if self.updates:
            names: dict[str, Any] = {name: bindparam(f"new_{name}") for name in CONFIGURED}
            names |= {"key": bindparam("new_key"), "next_poll_at": bindparam("new_due"), "removed_at": None}
            connection.execute(update(sources).where(sources.c.id == bindparam("of_id")).values(names), self.updates)
        # A poll of the old URL that is still out loses its claim: what it brings of state is not the new URL's.
        cleared = update(sources).values(claim_id=None, **_OF_THE_OLD_URL)
        change_in(connection, cleared, sources.c.id, self.restart)
        reshard(connection, self.shards)
        change_in(connection, delete(page_queue), page_queue.c.source_id, self.restart)
        removed = update(sources).values(removed_at=now, claim_id=None)
        change_in(connection, removed, sources.c.id, self.gone)
        theirs = update(events).where(events.c.kind.in_(_OF_A_SOURCE), events.c.closed_at.is_(None))
        # Those of a renamed one come again under its new name, where they still hold.
        over = [*self.restart.values(), *self.gone.values(), *self.renamed]
        change_in(connection, theirs.values(closed_at=now), events.c.subject, over)
        for key in [*self.gone.values(), *self.renamed]:  # its documents that could not be read
            its = events.c.kind == "document", events.c.subject.startswith(f"{key}:file:", autoescape=True)
            connection.execute(update(events).where(*its, events.c.closed_at.is_(None)).values(closed_at=now))
        _renew(connection, self.seen_differently)
        _withhold(connection, self.say_less)


def reshard(connection: Connection, rows: Sequence[dict[str, int]]) -> None:
    """Put sources (`of_id`) into other shards (`of_shard`)."""
    if rows:
        its = update(sources).where(sources.c.id == bindparam("of_id"))
        connection.execute(its.values(shard=bindparam("of_shard")), list(rows))


def _due(row: AnyRow, source: Source, differs: Sequence[str], now: datetime) -> datetime:
    """When a changed source is due: a new URL at once, a shorter interval from its last poll."""
    due: datetime = row.next_poll_at
    if not _ADDRESS.isdisjoint(differs):
        return min(due, now) if row.claim_id is None else now
    patient = row.claim_id is not None or row.failures or row.retry_after_until is not None
    if "fixed_interval_s" in differs and source.interval_s and row.last_poll_at is not None and not patient:
        last: datetime = row.last_poll_at
        return min(due, last + timedelta(seconds=source.interval_s))
    return due


def _renew(connection: Connection, source_ids: Sequence[int]) -> None:
    """Have every article that these sources have part in rendered again."""
    for some in chunks(source_ids):
        connection.execute(NEXT_REVISION.where(_theirs(some)))
    if source_ids:
        connection.execute(update(sections).values(touched=sections.c.touched + 1))


def _says_less(row: AnyRow, columns: dict[str, Any]) -> bool:
    """Whether less of the source's articles may be shown than before; its own `full` also frees what it copied."""
    tighter = columns["rights"] != row.rights and strictest(columns["rights"], row.rights) == columns["rights"]
    own = ("full", "fetch")
    return bool(tighter or (row.full_text in own and columns["full_text"] not in own))


def _withhold(connection: Connection, source_ids: Sequence[int]) -> None:
    """Have nothing served any more of these sources' articles that was rendered before `_renew`.

    What is joined from their fragments waits for new ones. A mark, for a desk's fragments are too many to be deleted.
    """
    for some in chunks(source_ids):
        connection.execute(update(articles).where(_theirs(some)).values(least_revision=articles.c.revision))
        of_stories = select(articles.c.story_uid).where(_theirs(some), articles.c.story_uid.is_not(None))
        stories.forget(connection, connection.scalars(of_stories.distinct()))


def _theirs(source_ids: Sequence[int]) -> ColumnElement[bool]:
    """Whether any of these sources has part in an article."""
    return articles.c.id.in_(select(entries.c.article_id).where(entries.c.source_id.in_(source_ids)))
