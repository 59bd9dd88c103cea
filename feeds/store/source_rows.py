"""Rows of `sources` to values and back. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, Row, select

from feeds.codec import hashes_from_blob, hashes_to_blob
from feeds.model import FullText, Source, Validators
from feeds.store.columns import plain, storable
from feeds.store.dialect import rows_in
from feeds.store.schema import source_hubs, sources
from feeds.store.values import SourceState

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
_SAME_IN_STATE = (*(name for name in OFTEN if name not in ("last_error", "last_remedy")), *_SELDOM)

OF_SOURCE = ("id", "key", *(name for name in CONFIGURED if name != "rights"))
"""The columns that `source_of` needs."""

SELDOM = (*_SELDOM, "etag", "last_modified", "item_hashes", "item_marks", "first_poll_done", "title")
"""The columns that a poll which brought nothing leaves as they are."""
# Asked by name, a row looks every column up, and a thousand sources have forty thousand: so all are taken at once.
_COLUMNS = tuple(sources.c.keys())


def configured(source: Source, desk_full_text: FullText) -> dict[str, Any]:
    """The columns of *source* that config decides. Headers are left out: they may hold secrets."""
    return {
        "name": source.name,
        "kind": source.kind,
        "target": source.target,
        "section": source.section,
        "enabled": int(source.enabled),
        "fixed_interval_s": source.interval_s,
        "full_text": source.full_text,
        "rights": source.full_text or desk_full_text,
        "language": source.language,
        "timezone": source.timezone,
        "priority": source.priority,
        "ignore_validators": int(source.ignore_validators),
        "line": source.line,
    }


def source_of(row: Row[Any], columns: Sequence[str] = _COLUMNS) -> Source:
    """The source of a row of all of the table's columns, or of those of *columns*, without headers."""
    return _source(dict(zip(columns, row, strict=True)))


def both_of(row: Row[Any]) -> tuple[Source, SourceState]:
    """The source of a row of all columns, and what the desk remembers of it."""
    values = dict(zip(_COLUMNS, row, strict=True))
    return _source(values), _state(values)


def _source(values: dict[str, Any]) -> Source:
    return Source(
        key=values["key"],
        name=values["name"],
        kind=values["kind"],
        target=values["target"],
        id=values["id"],
        section=values["section"],
        enabled=bool(values["enabled"]),
        interval_s=values["fixed_interval_s"],
        full_text=values["full_text"],
        language=values["language"],
        timezone=values["timezone"],
        priority=values["priority"],
        ignore_validators=bool(values["ignore_validators"]),
        line=values["line"],
    )


def _state(values: dict[str, Any]) -> SourceState:
    return SourceState(
        validators=Validators(etag=values["etag"], last_modified=values["last_modified"]),
        item_hashes=hashes_from_blob(values["item_hashes"]),
        item_marks=values["item_marks"] or b"",
        first_poll_done=bool(values["first_poll_done"]),
        next_poll_at=values["next_poll_at"],
        last_error=values["last_error"],
        last_remedy=values["last_remedy"],
        reason=values["reason"],
        title=values["title"],
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


def pushing(connection: Connection, now: datetime, source_ids: Sequence[int] | None = None) -> frozenset[int]:
    """Of these sources (None: of all) those whose hub pushes: verified, and the lease has not ended."""
    alive = source_hubs.c.state == "active", source_hubs.c.expires_at > now
    statement = select(source_hubs.c.source_id).where(*alive)
    if source_ids is not None:
        statement = statement.where(source_hubs.c.source_id.in_(list(source_ids)))
    return frozenset(connection.execute(statement).scalars())


def sources_by_id(connection: Connection, ids: Iterable[int]) -> dict[int, Source]:
    """The sources of these rows, removed or not."""
    return {row.id: source_of(row) for row in rows_in(connection, select(sources), sources.c.id, set(ids))}
