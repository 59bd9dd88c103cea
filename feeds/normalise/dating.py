"""When an entry was published and updated, as far as its source can be believed (criteria G3). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from feeds.dates import parse_date, settle
from feeds.model import ParsedEntry

FAST_CLOCK = timedelta(hours=1)
"""A date less than this ahead is a clock that goes fast, and not worth a word."""


@dataclass(frozen=True, slots=True)
class Dates:
    """Aware UTC, None where nothing believable was said; *updated* is never before *published*."""

    published: datetime | None
    updated: datetime | None
    warnings: tuple[str, ...]


def dates_of(entry: ParsedEntry, *, zone: tzinfo, received_at: datetime) -> Dates:
    """Return the dates of *entry* by these rules.

    The document's own words count before what a parser made of them, since only here the source's *zone* is known.
    Before 1990, impossible or unreadable: none. Ahead of *received_at*: *received_at*. Only updated: that is when it
    was published, as far as anybody knows. Updated before published: published.
    """
    warnings: list[str] = []
    published = _moment("published", entry.published, entry.published_utc, zone, received_at, warnings)
    updated = _moment("updated", entry.updated, entry.updated_utc, zone, received_at, warnings)
    if published is None:
        published = updated
    elif updated is None or updated < published:
        updated = published if updated is not None else None
    return Dates(published, updated, tuple(warnings))


def _moment(
    name: str, text: str | None, parsed: datetime | None, zone: tzinfo, received_at: datetime, warnings: list[str]
) -> datetime | None:
    stated = parse_date(text, zone) if text else None
    if stated is None and parsed is not None and parsed.tzinfo is not None:
        stated = _in_utc(parsed)
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


def _in_utc(moment: datetime) -> datetime | None:
    try:
        return moment.astimezone(UTC)
    except OverflowError:  # at either end of the calendar
        return None
