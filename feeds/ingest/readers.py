"""What reads which body: a reader for each kind, from bytes to entries made trustworthy. Part of `reading`.

A module of its own, for it loads the parsers: a parse worker pays for them, and not the process that hands out jobs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import xxhash

from feeds import parse
from feeds.dates import zone_of
from feeds.errors import ParseError
from feeds.ingest.item_marks import NOTHING, item_marks
from feeds.ingest.reading import Job, Reader
from feeds.listening import OWN
from feeds.model import Beside, Entry
from feeds.normalise import Normalised, normalise, without_furniture
from feeds.parsed import ParsedFeed
from feeds.text import Recurring, Shown, of_blob


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What a reader made of a body: the document, its entries made trustworthy, and what else is to be kept."""

    feed: ParsedFeed
    known: Normalised
    entries: tuple[Entry, ...] | None = None  # those of *known*, without furniture
    beside: Beside | None = None
    marks: bytes = b""
    shown: tuple[Shown, ...] = ()


def _feed(job: Job) -> Made:
    feed, known, marks, beside = _read_feed(job)
    furnished = without_furniture(known.entries, of_blob(job.learnt))
    shown = furnished.shown[::-1]
    return Made(feed=feed, known=known, entries=furnished.entries, beside=beside, marks=marks, shown=shown)


def _document(job: Job) -> Made:
    feed = parse.parse_document(job.body, name=job.name)
    # What such a document names without a host is on the desk itself, such as `/static/…`.
    feed = replace(feed, entries=tuple(replace(one, base=one.base or f"{OWN}/") for one in feed.entries))
    return Made(feed=feed, known=_normalised(job, feed))


def _page(job: Job) -> Made:
    feed, shown = parse.read_page(job.body, url=job.url, content_type=job.content_type, learnt=of_blob(job.learnt))
    known = _normalised(job, feed)
    entries = without_furniture(known.entries, Recurring()).entries
    if job.source.has_entries:
        _refuse_wall(job, entries)
    return Made(feed=feed, known=known, entries=entries, shown=shown)


def _letter(job: Job) -> Made:
    feed = parse.parse_letter(job.body, name=job.name, digest=job.source.digest)
    return Made(feed=feed, known=_normalised(job, feed))


def _listing(job: Job) -> Made:
    feed = parse.parse_listing(job.body, url=job.url, content_type=job.content_type)
    return Made(feed=feed, known=_normalised(job, feed))


def _selected(job: Job) -> Made:
    feed = _read_selected(job)
    return Made(feed=feed, known=_normalised(job, feed))


def _sitemap(job: Job) -> Made:
    feed = parse.parse_sitemap(job.body, url=job.url)
    return Made(feed=feed, known=_normalised(job, feed))


READERS: dict[Reader, Callable[[Job], Made]] = {
    "feed": _feed,
    "document": _document,
    "letter": _letter,
    "page": _page,
    "listing": _listing,
    "selected": _selected,
    "sitemap": _sitemap,
}


def _refuse_wall(job: Job, entries: Iterable[Entry]) -> None:
    """Raise ParseError where an entry's page is no article: the entry then stays as its feed has it."""
    for entry in entries:
        if found := parse.wall(job.body, title=entry.title, text=entry.text):
            raise ParseError(f"{found}, where the text of an entry was expected", remedy="the feed's own text stays")


def _read_feed(job: Job) -> tuple[ParsedFeed, Normalised, bytes, Beside]:
    """A feed without the items that need no reading, what is to be remembered of its items, and what of those left
    out matters to the others.
    """
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


def next_page(job: Job, feed: ParsedFeed) -> str | None:
    """The page behind this one of a list, unless some of what stands here was there before."""
    return feed.next_archive if set(job.item_hashes).isdisjoint(feed.item_hashes) else None


def _outside(job: Job) -> int:
    """A hash of what is said of a feed's items outside of the feed."""
    said = (job.url, job.source.language, job.source.timezone, job.desk_language, job.desk_timezone)
    return xxhash.xxh3_64_intdigest(repr(said).encode("utf-8", "surrogatepass"))


def _normalised(job: Job, feed: ParsedFeed) -> Normalised:
    return normalise(
        feed,
        source=job.source,
        url=job.url,
        received_at=job.received_at,
        desk_language=job.desk_language,
        desk_timezone=job.desk_timezone,
    )
