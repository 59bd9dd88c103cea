"""When an entry was published and updated, as far as its source can be believed (criteria G3). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from feeds.dates import Order, parse_date, settle
from feeds.model import ParsedEntry

FAST_CLOCK = timedelta(hours=1)
"""A date less than this ahead is a clock that goes fast, and not worth a word."""


@dataclass(frozen=True, slots=True)
class Dates:
    """Aware UTC, None where nothing believable was said; *updated* is never before *published*."""

    published: datetime | None
    updated: datetime | None
    warnings: tuple[str, ...]


def dates_of(entry: ParsedEntry, *, zone: tzinfo, order: Order | None = None, received_at: datetime) -> Dates:
    """Return the dates of *entry* by these rules.

    What has no zone is in *zone*; numbers that could be read in several orders are in *order*, the document's. Before
    1990, impossible or unreadable: none. Ahead of *received_at*: *received_at*. Only updated: that is when it was
    published, as far as anybody knows. Updated before published: published.
    """
    warnings: list[str] = []
    published, updated = (
        _moment(name, text, zone, order, received_at, warnings)
        for name, text in (("published", entry.published), ("updated", entry.updated))
    )
    if published is None:
        published = updated
    elif updated is None or updated < published:
        updated = published if updated is not None else None
    return Dates(published, updated, tuple(warnings))


def _moment(
    name: str, text: str | None, zone: tzinfo, order: Order | None, received_at: datetime, warnings: list[str]
) -> datetime | None:
    stated = parse_date(text, zone, order) if text else None
    if stated is None:
        if text and text.strip():
            warnings.append(f"{name}: {text.strip()[:60]!r} is no date")
        return None
    believed = settle(stated, received_at=received_at)
    if believed is None:
        warnings.append(f"{name}: nothing was published in {stated.year}")
    elif stated - received_at > FAST_CLOCK:
        warnings.append(f"{name}: {stated:%Y-%m-%d %H:%M} UTC lies ahead, taken as now")
    return believed
