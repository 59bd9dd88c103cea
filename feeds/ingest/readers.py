"""What reads which body: a reader for each kind, from bytes to entries made trustworthy. Part of `reading`.

A module of its own, for it loads the parsers: a parse worker pays for them, and not the process that hands out jobs.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Callable, Mapping

import xxhash
from msgspec import Struct
from msgspec.structs import replace

from feeds import parse
from feeds.comparable import addresses_of
from feeds.dates import zone_of
from feeds.errors import ParseError
from feeds.ingest.reading import Job, Reader, Reading
from feeds.model import Beside
from feeds.normalise import Marks, Normalised, normalise, without_furniture
from feeds.parsed import ParsedFeed
from feeds.text import Recurring, of_blob
from feeds.urls import OWN


def read_body(job: Job) -> Reading:
    """What *job*'s body says. Raises DeskError where it can't be read."""
    if job.reader == "feed":
        return _feed(job)
    reader = job.reader
    if reader == "page" and job.source.kind == "sitemap" and parse.is_sitemap(job.body):
        reader = "sitemap"  # a part of an index
    if reader == "page":
        return _page(job)
    feed = _PARSERS[reader](job)
    reading = _reading(feed, _normalised(job, feed))
    # The page behind this one of a list, unless some of what stands here was there before.
    goes_on = job.reader == "selected" and set(job.item_hashes).isdisjoint(feed.item_hashes)
    return replace(reading, next_page=feed.next_archive) if goes_on else reading


def _normalised(job: Job, feed: ParsedFeed) -> Normalised:
    return normalise(
        feed,
        source=job.source,
        url=job.url,
        received_at=job.received_at,
        desk_language=job.desk_language,
        desk_timezone=job.desk_timezone,
    )


def _reading(feed: ParsedFeed, known: Normalised) -> Reading:
    return Reading(
        entries=known.entries,
        beside=Beside(window=len(feed.entries) + feed.skipped),
        kind=feed.kind,
        title=feed.title,
        site=feed.link,
        hints=feed.hints,
        hubs=feed.hubs,
        self_url=feed.self_url,
        links=feed.links,
        broken_off=feed.broken_off,
        killed=known.killed,
        embargo=known.embargo,
        item_hashes=feed.item_hashes,
        notes=feed.warnings + known.dropped,
    )


def _document(job: Job) -> ParsedFeed:
    feed = parse.parse_document(job.body, name=job.name)
    # What such a document names without a host is on the desk itself, such as `/static/…`.
    return replace(feed, entries=tuple(replace(one, base=one.base or f"{OWN}/") for one in feed.entries))


def _selected(job: Job) -> ParsedFeed:
    source = job.source
    assert source.select is not None
    zone = zone_of(source.timezone or job.desk_timezone)
    return parse.parse_selected(
        job.body,
        select=source.select,
        is_json=source.kind == "json",
        url=job.url,
        content_type=job.content_type,
        now=job.received_at,
        zone=zone,
    )


def _sitemap(job: Job) -> ParsedFeed:
    feed = parse.parse_sitemap(job.body, url=job.url)
    if feed.kind != "sitemapindex":
        return feed
    # A part of which no day is given is asked for once a day, though the index stays the same.
    links = tuple(link if "#" in link else f"{link}#{job.received_at:%Y-%m-%d}" for link in feed.links)
    return replace(feed, links=links, broken_off=links != feed.links)


_PARSERS: dict[Reader, Callable[[Job], ParsedFeed]] = {
    "document": _document,
    "letter": lambda job: parse.parse_letter(job.body, name=job.name, digest=job.source.digest),
    "listing": lambda job: parse.parse_listing(job.body, url=job.url, content_type=job.content_type),
    "selected": _selected,
    "sitemap": _sitemap,
}


def _page(job: Job) -> Reading:
    feed, shown = parse.read_page(job.body, url=job.url, content_type=job.content_type, learnt=of_blob(job.learnt))
    known = _normalised(job, feed)
    entries = without_furniture(known.entries, Recurring()).entries
    for entry in entries:
        if job.source.has_entries and (found := parse.wall(job.body, title=entry.title, text=entry.text)):
            raise ParseError(f"{found}, where the text of an entry was expected", remedy="the feed's own text stays")
        # What has a date is an article, though its headline be of an error.
        if entry.published is None and (found := parse.stand_in(entry.title, entry.text)):
            raise ParseError(f"{found}, where an article was expected", remedy="look at the address in a browser")
    return replace(_reading(feed, known), entries=entries, shown=shown)


def _feed(job: Job) -> Reading:
    """A feed without the items that need no reading, what is to be remembered of its items, and what of those left
    out matters to the others.
    """
    before = item_marks(job.item_hashes, job.item_marks)
    # Where the address or the config is another one, the head is looked at again, whatever its bytes say.
    said = (job.url, job.source.language, job.source.timezone, job.desk_language, job.desk_timezone)
    outside = xxhash.xxh3_64_intdigest(repr(said).encode("utf-8", "surrogatepass"))
    feed = parse.parse(
        job.body,
        url=job.url,
        content_type=job.content_type,
        known_items=frozenset(before.hashes),
        known_head=before.head ^ outside if before.hashes else None,
    )
    known = _normalised(job, feed)
    if feed.skipped and not before.allows(feed, known):
        before = NOTHING
        feed = parse.parse(job.body, url=job.url, content_type=job.content_type)
        known = _normalised(job, feed)
    now = before.after(feed, known)
    reading = _reading(feed, known)
    furnished = without_furniture(known.entries, of_blob(job.learnt))
    shared, left_out = before.shared(feed, known), before.left_out(feed, known)
    return replace(
        reading,
        entries=furnished.entries,
        beside=replace(reading.beside, addresses=shared, left_out=left_out),
        item_marks=replace(now, head=now.head ^ outside).blob(),
        shown=furnished.shown[::-1],
    )


# ------------------------------------------------ what is remembered of the items of a feed


_FORM = 1
"""Counts up with what marks mean: those of another form are not believed, and the document is read whole once."""

_FRAME = struct.Struct("<BQQ")  # form, head, ground
_MARKS = struct.Struct("<5I")
_NONE = (0, 0, 0, 0, 0)


class ItemMarks(Struct, frozen=True):
    """The items of a feed as the last poll saw them. *hashes* in the order of the document, *packed* their marks.

    What an entry is must not depend on whether the entries beside it were read anew. So an item is left out only where
    nothing that arrived has anything in common with it that makes entries one (`Marks`: key, title, text), nothing that
    it shared its key with has gone, and what it takes from the document and the config is as it was. Where that does
    not hold, which is seldom, the document is read whole. An address in common is handed on (`shared`).

    *head* and *ground* are hashes of what stands around them, as bytes and as what entries take from it.
    """

    hashes: tuple[int, ...]
    head: int
    ground: int
    packed: bytes

    def blob(self) -> bytes:
        """All but the hashes, to be stored beside them; empty where there is nothing to remember."""
        return _FRAME.pack(_FORM, self.head, self.ground) + self.packed if self.hashes else b""

    def marks(self) -> dict[int, Marks]:
        """The marks of each item, by its hash."""
        return dict(zip(self.hashes, _MARKS.iter_unpack(self.packed), strict=True))

    def allows(self, feed: ParsedFeed, known: Normalised) -> bool:
        """Whether *feed*, of which only new items were read and became *known*, says the same as if read whole."""
        if feed.head_parsed and known.ground != self.ground:
            return False
        if feed.item_hashes == self.hashes:
            return True
        left_out = self._of_left_out(feed)
        keys = Counter(marks[0] for marks in left_out if marks[0])
        return not (_may_be_one(left_out, known) or self._has_lost(keys, feed) or self._has_reordered(keys, feed))

    def _has_lost(self, keys: Counter[int], feed: ParsedFeed) -> bool:
        """Whether an item is gone that shared its key with one that was left out."""
        before = self.marks()
        return any(before[gone][0] in keys for gone in before.keys() - set(feed.item_hashes))

    def _has_reordered(self, keys: Counter[int], feed: ParsedFeed) -> bool:
        """Whether items of one key stand in another order: of entries that are one, it can decide which is kept."""
        before = self.marks()
        repeated = {key for key, count in keys.items() if count > 1}

        def order(hashes: tuple[int, ...]) -> list[int]:
            return [one for one in hashes if one in before and before[one][0] in repeated]

        return order(self.hashes) != order(feed.item_hashes)

    def shared(self, feed: ParsedFeed, known: Normalised) -> frozenset[str]:
        """Addresses of the entries that were read which items left out give too; under other titles, says `allows`."""
        if not self._is_of_use(feed, known):
            return frozenset()
        places = {place for marks in self._of_left_out(feed) for place in marks[1:3]}
        return frozenset(
            address
            for entry in known.entries
            for address, place in zip(
                addresses_of(entry.comparable, entry.entry_id), known.marks[entry.position][1:3], strict=False
            )
            if place in places
        )

    def left_out(self, feed: ParsedFeed, known: Normalised) -> frozenset[tuple[int, int]]:
        """Keys and titles of the items of *feed* that were left out, hashed; none where nothing is new beside them."""
        if not self._is_of_use(feed, known):
            return frozenset()
        return frozenset((key, title) for key, _, _, title, _ in self._of_left_out(feed))

    def _is_of_use(self, feed: ParsedFeed, known: Normalised) -> bool:
        """Whether there are both: entries that were read, and items that were left out."""
        return bool(self.hashes and known.entries and feed.skipped)

    def _of_left_out(self, feed: ParsedFeed) -> list[Marks]:
        """The marks of the items of *feed* that were not read."""
        before = self.marks()
        read = {entry.position for entry in feed.entries}
        return [before[one] for position, one in enumerate(feed.item_hashes) if position not in read]

    def after(self, feed: ParsedFeed, known: Normalised) -> ItemMarks:
        """What is to be remembered once *feed* has been read, items left out included."""
        ground = known.ground if feed.head_parsed else self.ground
        packed = self.packed
        if feed.item_hashes != self.hashes or feed.entries:
            read = {entry.position for entry in feed.entries}
            before: Mapping[int, Marks] = self.marks() if len(read) < len(feed.item_hashes) else {}
            packed = b"".join(
                _MARKS.pack(*(known.marks.get(position, _NONE) if position in read else before[one]))
                for position, one in enumerate(feed.item_hashes)
            )
        return ItemMarks(feed.item_hashes, feed.head_hash, ground, packed)


def _may_be_one(left_out: list[Marks], known: Normalised) -> bool:
    """Whether an entry that was read may be one with an item that was left out."""
    stays = {mark for marks in left_out for mark in _identifying(marks)}
    return any(mark in stays for marks in known.marks.values() for mark in _identifying(marks))


def _identifying(marks: Marks) -> tuple[int, ...]:
    """The marks of which another entry can be read only together with this one: key, title, text."""
    return tuple(mark for mark in (marks[0], *marks[3:]) if mark)


NOTHING = ItemMarks((), 0, 0, b"")
"""Of a feed that was never read, or not in a form that could be cut."""


def item_marks(hashes: tuple[int, ...], blob: bytes) -> ItemMarks:
    """What `ItemMarks.blob` was made of; `NOTHING` where it is of another form, or of other items."""
    if len(blob) != _FRAME.size + _MARKS.size * len(hashes):
        return NOTHING
    form, head, ground = _FRAME.unpack_from(blob)
    return ItemMarks(hashes, head, ground, blob[_FRAME.size :]) if form == _FORM else NOTHING
