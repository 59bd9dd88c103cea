"""XML feeds to ParsedFeed: cut, read what is new, say what the feed itself declares. Part of `parse`. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from feeds.dates import is_ambiguous, order_of
from feeds.errors import ParseError
from feeds.model import Hints, ParsedEntry, ParsedFeed
from feeds.parse.cut import Cut, cut
from feeds.parse.entries import links_of, parsed_entry, persons, says_noindex
from feeds.parse.episodes import show_of
from feeds.parse.kinds import Seen, format_of, refusal
from feeds.parse.limits import BROKEN_OFF
from feeds.parse.prolog import Prolog
from feeds.parse.scalars import short, whole_number
from feeds.parse.xmlfeed import FULL, XmlFeed, read, read_well_formed, root_of

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_PERIODS_S = {"hourly": 3600, "daily": 86400, "weekly": 604800, "monthly": 2629800, "yearly": 31557600}
_DATES = re.compile(
    rb"<(?:[\w.-]+:)?(?:pubdate|date|published|updated|modified|issued|created|lastbuilddate)(?:\s[^>]*)?>"
    rb"\s*(?:<!\[CDATA\[)?([^<\]]{6,60})",
    re.IGNORECASE,
)


def parse_xml(
    seen: Seen, *, url: str, known_items: frozenset[int] = frozenset(), known_head: int | None = None
) -> ParsedFeed:
    """Return what the feed *seen* says, without the items that are in *known_items*.

    Only the head and the new items are read, where the document could be cut; *whole_parse* says where not. With
    nothing new, and no other *head_hash* than *known_head* (None: any), nothing is read at all: *head_parsed* is then
    False and the fields of the feed are empty. Raises ParseError.
    """
    feed = _parsed(seen, url, known_items, known_head)
    if any(is_ambiguous(text) for entry in feed.entries for text in (entry.published, entry.updated) if text):
        # All of them, also of the items left out: what a date means must not depend on which are read anew.
        texts = (found.decode("utf-8", "replace") for found in _DATES.findall(seen.body))
        feed = replace(feed, date_order=order_of(texts))
    return feed


def _parsed(seen: Seen, url: str, known_items: frozenset[int], known_head: int | None) -> ParsedFeed:
    prolog = seen.prolog
    if prolog is None:
        raise refusal(seen)
    pieces = cut(seen.body, prolog)
    if pieces is not None and pieces.hashes and known_items:
        for hashes in (pieces.hashes, _marked(pieces.hashes)):
            if known_items.issuperset(hashes):
                head = pieces.head_hash(seen.body)
                if known_head is None or head == known_head:
                    return ParsedFeed(
                        kind=format_of(prolog),
                        item_hashes=hashes,
                        head_hash=head,
                        skipped=len(hashes),
                        whole_parse=False,
                        head_parsed=False,
                    )
        if not known_items.isdisjoint(pieces.hashes):
            feed = _read_new(seen.body, prolog, pieces, url, known_items)
            if feed is not None:
                return feed
    return _read_whole(seen.body, prolog, pieces, url)


def _marked(hashes: tuple[int, ...]) -> tuple[int, ...]:
    """The hashes for items of a document that had to be read loosely: known again, never left out."""
    return tuple([one ^ 1 for one in hashes])


def _read_whole(body: bytes, prolog: Prolog, pieces: Cut | None, url: str) -> ParsedFeed:
    raw = read(root_of(body, prolog), prolog.entities, base=url)
    if BROKEN_OFF in raw.warnings and not raw.entries:
        raise ParseError("the document breaks off before its first entry", remedy="nothing to do if it does not last")
    hashes: tuple[int, ...] = ()
    # The next polls rely on the cut: hashes are given only where it found the very entries that feedparser did.
    if pieces is not None and len(pieces.hashes) == len(raw.entries):
        hashes = pieces.hashes if raw.strict else _marked(pieces.hashes)
    head = pieces.head_hash(body) if pieces is not None else 0
    return _feed(raw, prolog, range(len(raw.entries)), hashes=hashes, head=head, whole_parse=True)


def _read_new(body: bytes, prolog: Prolog, pieces: Cut, url: str, known: frozenset[int]) -> ParsedFeed | None:
    """Read the new items alone; None where the whole has to be read to be right.

    Well-formed, this says as much of the whole: an item left out was part of a well-formed document at the last poll,
    under the same root and DOCTYPE, or its hash would not be known. What is malformed is never read in parts, since
    in the loose parser one item can swallow the next.
    """
    document, positions = pieces.without(body, prolog.start, known)
    raw = read_well_formed(root_of(document, replace(prolog, start=0, end=0)), prolog.entities, base=url)
    if raw is None or len(raw.entries) != len(positions):
        return None
    if pieces.over:
        raw = replace(raw, warnings=(*raw.warnings, FULL))
    return _feed(raw, prolog, positions, hashes=pieces.hashes, head=pieces.head_hash(body), whole_parse=False)


def _feed(
    raw: XmlFeed,
    prolog: Prolog,
    positions: Sequence[int],
    *,
    hashes: tuple[int, ...],
    head: int,
    whole_parse: bool,
) -> ParsedFeed:
    feed: dict[str, Any] = dict(raw.feed)
    announced = format_of(prolog)
    kind = announced if announced == "rss091n" else raw.version or announced
    atom = kind.startswith("atom")
    noindex, show = says_noindex(feed), show_of(feed)
    entries: list[ParsedEntry] = []
    for position, entry in zip(positions, raw.entries, strict=True):
        entries.append(parsed_entry(entry, position=position, atom=atom, noindex=noindex, show=show))
    links = links_of(feed)
    older = _hrefs(links, "prev-archive") or _hrefs(links, "next")
    return ParsedFeed(
        kind=kind,
        title=short(feed.get("title")) or "",
        link=_link(feed, links),
        self_url=next(iter(_hrefs(links, "self")), None),
        feed_id=short(feed.get("id")),
        language=short(feed.get("language")),
        updated=short(feed.get("updated")) or short(feed.get("published")),
        rights=short(feed.get("rights")) or next(iter(_hrefs(links, "license")), None),
        image_url=_image_url(feed),
        authors=persons(feed.get("authors"), feed.get("author")),
        hubs=_hrefs(links, "hub"),
        next_archive=next(iter(older), None),
        hints=_hints(feed),
        entries=tuple(entries),
        item_hashes=hashes,
        head_hash=head,
        skipped=len(hashes) - len(entries) if hashes else 0,
        whole_parse=whole_parse,
        broken_off=BROKEN_OFF in raw.warnings,
        warnings=raw.warnings,
    )


def _link(feed: Any, links: Sequence[Any]) -> str | None:
    alternates = _hrefs(links, "alternate")
    link = short(feed.get("link"))
    return link if link in alternates else next(iter(alternates), None)


def _hrefs(links: Sequence[Any], rel: str) -> tuple[str, ...]:
    hrefs = [short(link.get("href")) for link in links if rel in str(link.get("rel", "")).lower().split()]
    return tuple(dict.fromkeys(href for href in hrefs if href))


def _image_url(feed: Any) -> str | None:
    image = feed.get("image")
    if isinstance(image, dict) and (url := short(image.get("href") or image.get("url"))):
        return url
    return short(feed.get("logo")) or short(feed.get("icon"))


def _hints(feed: Any) -> Hints:
    ttl = whole_number(feed.get("ttl"))
    period = _PERIODS_S.get(str(feed.get("sy_updateperiod", "")).strip().lower())
    frequency = whole_number(feed.get("sy_updatefrequency"))
    if period is None and frequency is not None:
        period = _PERIODS_S["daily"]  # the module's default
    hours = [whole_number(hour) for hour in feed.get("desk_hours") or ()]
    days = [str(day).strip().lower() for day in feed.get("desk_days") or ()]
    return Hints(
        ttl_s=ttl * 60.0 if ttl else None,
        skip_hours=tuple(sorted({hour % 24 for hour in hours if hour is not None and hour <= 24})),
        skip_days=tuple(sorted({_DAYS.index(day) for day in days if day in _DAYS})),
        update_period_s=period / max(frequency or 1, 1) if period is not None else None,
    )
