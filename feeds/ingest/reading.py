"""Flow, first half of ingest: one body from parse to normalise. Runs in a parse worker; no I/O, no clock.

What comes back crosses a pipe, so it is values alone; every DeskError is a value too, for it is one source's trouble.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Literal

import xxhash

from feeds.dates import zone_of
from feeds.errors import DeskError, ParseError
from feeds.ingest.item_marks import NOTHING, item_marks
from feeds.listening import OWN
from feeds.model import NOTHING_BESIDE, Beside, Entry, Hints, ParsedFeed, Source
from feeds.text import Recurring, Shown, of_blob

if TYPE_CHECKING:
    from feeds.normalise import Normalised

Reader = Literal["feed", "document", "letter", "page", "listing", "selected", "sitemap"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One body to read. *name* is the file's name for a document; *item_hashes* and *item_marks* are what is remembered
    of the items that the feed had at the last poll, see `feeds.ingest.item_marks`; *learnt* is what
    recurs in what its source or site shows, see `feeds.text`.
    """

    reader: Reader
    body: bytes
    url: str
    source: Source
    received_at: datetime
    desk_language: str
    desk_timezone: str
    content_type: str | None = None
    name: str = ""
    item_hashes: tuple[int, ...] = ()
    item_marks: bytes = b""
    learnt: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a body said, and what stands *beside* the entries that were read; *error*: why it could not be read."""

    entries: tuple[Entry, ...] = ()
    beside: Beside = NOTHING_BESIDE
    kind: str = ""
    title: str = ""
    site: str | None = None
    hints: Hints = Hints()
    hubs: tuple[str, ...] = ()
    self_url: str | None = None
    links: tuple[str, ...] = ()
    next_page: str | None = None  # of a list read by selectors, where all that this page has is unknown
    broken_off: bool = False  # the body ended too early: there is more of it, to be asked for
    killed: tuple[str, ...] = ()  # keys of entries that their agency takes back
    embargo: datetime | None = None  # until when nothing of it may be shown
    item_hashes: tuple[int, ...] = ()
    item_marks: bytes = b""
    shown: tuple[Shown, ...] = ()  # what was seen of the lines that may recur, the newest document last
    notes: tuple[str, ...] = ()
    error: DeskError | None = None
    bug: str = ""  # the traceback where *error* is our own fault


def read(job: Job) -> Reading:
    """Parse and normalise *job*'s body. Never raises for what the body holds."""
    # Imported here: a worker pays for the parsers, the process that only hands out jobs does not.
    from feeds import parse
    from feeds.normalise import without_furniture

    marks, beside, furnished = b"", None, None
    shown: tuple[Shown, ...] = ()
    try:
        match job.reader:
            case "feed":
                feed, known, marks, beside = _read_feed(job)
                furnished = without_furniture(known.entries, of_blob(job.learnt))
                shown = furnished.shown[::-1]
            case "document":
                feed = parse.parse_document(job.body, name=job.name)
                # What such a document names without a host is on the desk itself, such as `/static/…`.
                feed = replace(feed, entries=tuple(replace(one, base=one.base or f"{OWN}/") for one in feed.entries))
                known = _normalised(job, feed)
            case "letter":
                feed = parse.parse_letter(job.body, name=job.name, digest=job.source.digest)
                known = _normalised(job, feed)
            case "page":
                feed, shown = parse.read_page(
                    job.body, url=job.url, content_type=job.content_type, learnt=of_blob(job.learnt)
                )
                known = _normalised(job, feed)
                furnished = without_furniture(known.entries, Recurring())
                if job.source.has_entries:
                    _refuse_wall(job, furnished.entries)
            case "listing":
                feed = parse.parse_listing(job.body, url=job.url, content_type=job.content_type)
                known = _normalised(job, feed)
            case "selected":
                feed = _read_selected(job)
                known = _normalised(job, feed)
            case "sitemap":
                feed = parse.parse_sitemap(job.body, url=job.url)
                known = _normalised(job, feed)
    except DeskError as error:
        return Reading(error=error)
    except RecursionError:
        return Reading(error=ParseError("the document is nested too deeply", remedy="ask its publisher to mend it"))
    return Reading(
        entries=furnished.entries if furnished else known.entries,
        beside=beside or Beside(window=len(feed.entries) + feed.skipped),
        kind=feed.kind,
        title=feed.title,
        site=feed.link,
        hints=feed.hints,
        hubs=feed.hubs,
        self_url=feed.self_url,
        links=feed.links,
        next_page=_next_page(job, feed) if job.reader == "selected" else None,
        broken_off=feed.broken_off,
        killed=known.killed,
        embargo=known.embargo,
        item_hashes=feed.item_hashes,
        item_marks=marks,
        shown=shown,
        notes=feed.warnings + known.dropped,
    )


def _refuse_wall(job: Job, entries: Iterable[Entry]) -> None:
    """Raise ParseError where an entry's page is no article: the entry then stays as its feed has it."""
    from feeds import parse

    for entry in entries:
        if found := parse.wall(job.body, title=entry.title, text=entry.text):
            raise ParseError(f"{found}, where the text of an entry was expected", remedy="the feed's own text stays")


def _read_feed(job: Job) -> tuple[ParsedFeed, Normalised, bytes, Beside]:
    """A feed without the items that need no reading, what is to be remembered of its items, and what of those left
    out matters to the others.
    """
    from feeds import parse

    before = item_marks(job.item_hashes, job.item_marks)
    # Where the address or the config is another one, the head is looked at again, whatever its bytes say.
    outside = _outside(job)
    if before.hashes:
        feed = parse.parse(
            job.body,
            url=job.url,
            content_type=job.content_type,
            known_items=frozenset(before.hashes),
            known_head=before.head ^ outside,
        )
        known = _normalised(job, feed)
        if feed.skipped and not before.allows(feed, known):
            before = NOTHING
    if not before.hashes:
        feed = parse.parse(job.body, url=job.url, content_type=job.content_type)
        known = _normalised(job, feed)
    now = before.after(feed, known)
    beside = Beside(
        window=len(feed.entries) + feed.skipped,
        addresses=before.shared(feed, known),
        left_out=before.left_out(feed, known),
    )
    return feed, known, replace(now, head=now.head ^ outside).blob(), beside


def _read_selected(job: Job) -> ParsedFeed:
    """A list by the selectors of its source."""
    from feeds import parse

    source = job.source
    if source.select is None:
        raise ParseError("a source without selectors", remedy="write `select:` for it")
    return parse.parse_selected(
        job.body,
        select=source.select,
        is_json=source.kind == "json",
        url=job.url,
        content_type=job.content_type,
        now=job.received_at,
        zone=zone_of(source.timezone or job.desk_timezone),
    )


def _next_page(job: Job, feed: ParsedFeed) -> str | None:
    """The page behind this one of a list, unless some of what stands here was there before."""
    return feed.next_archive if set(job.item_hashes).isdisjoint(feed.item_hashes) else None


def _outside(job: Job) -> int:
    """A hash of what is said of a feed's items outside of the feed."""
    said = (job.url, job.source.language, job.source.timezone, job.desk_language, job.desk_timezone)
    return xxhash.xxh3_64_intdigest(repr(said).encode("utf-8", "surrogatepass"))


def _normalised(job: Job, feed: ParsedFeed) -> Normalised:
    from feeds.normalise import normalise

    return normalise(
        feed,
        source=job.source,
        url=job.url,
        received_at=job.received_at,
        desk_language=job.desk_language,
        desk_timezone=job.desk_timezone,
    )
