"""Rows of `sources` to values and back. Pure."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from feeds.model import FullText, Source, Validators
from feeds.store.codec import hashes_from_blob, hashes_to_blob
from feeds.store.marks import storable
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

_SAME_IN_STATE = (
    "validators_url",
    "body_hash",
    "interval_s",
    "failures",
    "last_poll_at",
    "last_ok_at",
    "last_new_at",
    "last_full_at",
    "last_status",
    "last_outcome",
    "retry_after_until",
    "gone_at",
    "adopted_url",
    "redirect_target",
    "redirect_first_seen",
    "redirect_count",
    "distrusted_at",
    "rhythm",
    "site_url",
)


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


def source_of(row: Row[Any]) -> Source:
    """The source of a row, without headers."""
    return Source(
        key=row.key,
        name=row.name,
        kind=row.kind,
        target=row.target,
        id=row.id,
        section=row.section,
        enabled=bool(row.enabled),
        interval_s=row.fixed_interval_s,
        full_text=row.full_text,
        language=row.language,
        timezone=row.timezone,
        priority=row.priority,
        ignore_validators=bool(row.ignore_validators),
        line=row.line,
    )


def state_of(row: Row[Any]) -> SourceState:
    """What the desk remembers of the source of a row."""
    values = row._mapping
    return SourceState(
        validators=Validators(etag=row.etag, last_modified=row.last_modified),
        item_hashes=hashes_from_blob(row.item_hashes),
        first_poll_done=bool(row.first_poll_done),
        next_poll_at=row.next_poll_at,
        last_error=row.last_error,
        last_remedy=row.last_remedy,
        reason=row.reason,
        title=row.title,
        **{name: values[name] for name in _SAME_IN_STATE},
    )


def state_columns(state: SourceState) -> dict[str, Any]:
    """The columns that keep *state*, all but the due time, which goes its own way."""
    columns: dict[str, Any] = {name: getattr(state, name) for name in _SAME_IN_STATE}
    columns.update(
        etag=None if state.validators.etag is None else storable(state.validators.etag),
        last_modified=None if state.validators.last_modified is None else storable(state.validators.last_modified),
        item_hashes=hashes_to_blob(state.item_hashes),
        first_poll_done=int(state.first_poll_done),
        last_error=storable(state.last_error),
        last_remedy=storable(state.last_remedy),
        reason=storable(state.reason),
        title=storable(state.title),
    )
    return columns
