"""Where an entry stands among others when it is filed (`rank_at`), and what a first import leaves out. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from feeds.ingest.bodies import Waiting
from feeds.model import Entry

UNDATED_AGE = timedelta(days=1)


def rank(entry: Entry, waiting: Waiting, siblings: Sequence[Entry], now: datetime) -> datetime:
    """The place in the order: the earlier of published and first seen; never the top for what is not new.

    In a first import an entry without a date stands right after the dated one before it in the document, else, with
    nothing to go by, as if it were a day old.
    """
    if entry.published is not None:
        return min(entry.published, now)
    if not waiting.first or waiting.source.kind == "files":
        return now
    before = [other for other in siblings if other.position < entry.position and other.published is not None]
    if before:
        nearest = max(before, key=lambda other: other.position)
        assert nearest.published is not None
        return min(nearest.published, now) - timedelta(microseconds=entry.position - nearest.position)
    dated = [other.published for other in siblings if other.published is not None]
    anchor = min(dated) if dated else now - UNDATED_AGE
    return min(anchor, now) - timedelta(microseconds=entry.position)


def left_out(waiting: Waiting, entries: Sequence[Entry], most: int) -> list[Entry]:
    """What a first import of more than *most* entries files nowhere; 0 lets all in."""
    if not waiting.first or not most or waiting.source.kind == "files":
        return []
    return sorted(entries, key=_newest_first)[most:]


def _newest_first(entry: Entry) -> tuple[bool, float, int]:
    return (entry.published is None, -entry.published.timestamp() if entry.published else 0.0, entry.position)
