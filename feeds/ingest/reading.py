"""Flow, first half of ingest: one body from parse to normalise. Runs in a parse worker; no I/O, no clock.

What comes back crosses a pipe, so it is values alone; every DeskError is a value too, for it is one source's trouble.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from feeds.errors import DeskError, ParseError
from feeds.model import Entry, Hints, Source

Reader = Literal["feed", "document", "page", "listing", "sitemap"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One body to read. *name* is the file's name for a document; *known_items* the hashes seen at the last poll."""

    reader: Reader
    body: bytes
    url: str
    source: Source
    received_at: datetime
    desk_language: str
    desk_timezone: str
    content_type: str | None = None
    name: str = ""
    known_items: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a body said. *window* counts its items, known ones included; *error* is set where it could not be read."""

    entries: tuple[Entry, ...] = ()
    window: int = 0
    kind: str = ""
    title: str = ""
    site: str | None = None
    hints: Hints = Hints()
    hubs: tuple[str, ...] = ()
    self_url: str | None = None
    links: tuple[str, ...] = ()
    item_hashes: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()
    error: DeskError | None = None
    bug: str = ""  # the traceback where *error* is our own fault


def read(job: Job) -> Reading:
    """Parse and normalise *job*'s body. Never raises for what the body holds."""
    # Imported here: a worker pays for the parsers, the process that only hands out jobs does not.
    from feeds import normalise as normal
    from feeds import parse

    try:
        match job.reader:
            case "feed":
                feed = parse.parse(job.body, url=job.url, content_type=job.content_type, known_items=job.known_items)
            case "document":
                feed = parse.parse_document(job.body, name=job.name)
            case "page":
                feed = parse.parse_page(job.body, url=job.url, content_type=job.content_type)
            case "listing":
                feed = parse.parse_listing(job.body, url=job.url, content_type=job.content_type)
            case "sitemap":
                feed = parse.parse_sitemap(job.body, url=job.url)
    except DeskError as error:
        return Reading(error=error)
    except RecursionError:
        return Reading(error=ParseError("the document is nested too deeply", remedy="ask its publisher to mend it"))
    known = normal.normalise(
        feed,
        source=job.source,
        url=job.url,
        received_at=job.received_at,
        desk_language=job.desk_language,
        desk_timezone=job.desk_timezone,
    )
    return Reading(
        entries=known.entries,
        window=len(feed.entries) + feed.skipped,
        kind=feed.kind,
        title=feed.title,
        site=feed.link,
        hints=feed.hints,
        hubs=feed.hubs,
        self_url=feed.self_url,
        links=feed.links,
        item_hashes=feed.item_hashes,
        notes=feed.warnings + known.dropped,
    )
