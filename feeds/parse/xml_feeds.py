"""XML feeds to ParsedFeed: cut, read what is new, say what feed and entries declare. Part of `parse`. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from feeds.dates import is_ambiguous, order_of
from feeds.errors import ParseError
from feeds.model import (
    Category,
    Discussion,
    Episode,
    Hints,
    Origin,
    ParsedEntry,
    ParsedFeed,
    Person,
    RawText,
    TextType,
)
from feeds.parse.attachments import NO_SHOW, episode_of, files_and_image, place_of, show_of
from feeds.parse.cut import Cut, cut
from feeds.parse.expat import FULL, XmlFeed, read, read_well_formed, root_of
from feeds.parse.fields import BROKEN_OFF, MAX_FIELD_CHARACTERS, MAX_LIST_ITEMS, short, whole_number
from feeds.parse.kinds import Prolog, Seen, format_of, refusal
from feeds.text import mend_references

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
        link=_feed_link(feed, links),
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


def _feed_link(feed: Any, links: Sequence[Any]) -> str | None:
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


# ------------------------------------------------------------------------------------------- entries


_MARKUP = re.compile(r"</?[A-Za-z][^<>]*>|<!--|&(?:[A-Za-z][A-Za-z0-9]{1,31}|#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6});")
_TYPES: dict[str, TextType] = {"text/plain": "text", "text/html": "html", "application/xhtml+xml": "xhtml"}


def parsed_entry(raw: Any, *, position: int, atom: bool, noindex: bool = False, show: Episode = NO_SHOW) -> ParsedEntry:
    """Return the ParsedEntry of *raw*; *atom* tells whose rules hold, *noindex* and *show* what the feed says of all
    its entries.

    RSS does not say whether a text is plain or HTML: a title is HTML where feedparser takes it for that, any other
    text where it has a tag or a character reference. RSS dates of Dublin Core stand as published where nothing else
    does. Where Media RSS lists one picture in several sizes, the largest is the image.
    """
    raw = dict(raw)  # feedparser's own kind of dictionary answers each miss with an exception
    links = links_of(raw)
    entry_id = short(raw.get("id"))
    link = _entry_link(raw, links, entry_id, atom)
    title = _title(raw, atom)
    summary, content = _texts(raw, atom)
    published, updated, created = (short(raw.get(name)) for name in ("published", "updated", "created"))
    if published is None:
        published = created if created is not None or atom else updated
    enclosures, image = files_and_image(raw, links, titled=title is not None)
    return ParsedEntry(
        position=position,
        entry_id=entry_id,
        id_is_permalink=bool(
            not atom and raw.get("desk_permalink") and entry_id and entry_id.lower().startswith(("http://", "https://"))
        ),
        link=link,
        original_link=short(raw.get("feedburner_origlink")) or _first(links, "canonical"),
        title=title,
        summary=summary,
        content=content,
        base=raw.get("desk_base") or "",
        language=short(raw.get("language")) or raw.get("desk_language"),
        authors=persons(raw.get("authors"), raw.get("author")),
        contributors=persons(raw.get("contributors")),
        published=published,
        updated=updated,
        categories=_categories(raw.get("tags")),
        origin=_origin(raw),
        publisher=short(raw.get("publisher")),
        enclosures=enclosures,
        image=image,
        episode=episode_of(raw, enclosures, show),
        place=place_of(raw),
        discussion=_discussion(raw, links),
        rights=short(raw.get("rights")) or _first(links, "license"),
        via=_all(links, "via"),
        related=_all(links, "related"),
        noindex=noindex or says_noindex(raw),
    )


def links_of(raw: Any) -> list[dict[str, Any]]:
    """The links of a feed, an entry or its source."""
    return [dict(link) for link in (raw.get("links") or ())[:MAX_LIST_ITEMS] if isinstance(link, dict)]


def _entry_link(raw: Any, links: Sequence[Any], entry_id: str | None, atom: bool) -> str | None:
    link = short(raw.get("link"))
    if atom:
        return alternate(links, short(raw.get("language")) or raw.get("desk_language"))
    alternates = [short(found.get("href")) for found in links if found.get("rel") == "alternate"]
    if link is not None and link == entry_id and link not in alternates:
        # feedparser took the guid for it, as RSS 2.0 has it; that holds for a whole address alone.
        return link if raw.get("desk_permalink") and link.lower().startswith(("http://", "https://")) else None
    return link or next((found for found in alternates if found), None)


def alternate(links: Sequence[Any], language: str | None) -> str | None:
    """The address that stands for what *links* belong to: a page before other types, then in its own *language*.

    The first of equals; RFC 4287 §4.2.7 allows one for each type and language.
    """

    def fitness(link: Any) -> tuple[bool, int]:
        page = "html" in str(link.get("type") or "text/html").lower()
        tag = str(link.get("hreflang") or "").lower()
        return page, 1 if not tag else 2 * (tag.partition("-")[0] == (language or "").lower().partition("-")[0])

    found = [link for link in links if link.get("rel") == "alternate" and short(link.get("href"))]
    return short(max(found, key=fitness)["href"]) if found else None


def _title(raw: Any, atom: bool) -> RawText | None:
    detail = raw.get("title_detail")
    value = raw.get("title")
    if not isinstance(value, str) or not value.strip():
        return None
    kind: TextType = _TYPES.get(detail.get("type", ""), "text") if isinstance(detail, dict) else "text"
    if not atom and kind == "xhtml":
        kind = "html"
    return _text(value, kind, detail)


def _texts(raw: Any, atom: bool) -> tuple[RawText | None, RawText | None]:
    """Summary and content. RSS: description and content:encoded; Atom: as named, types as declared."""
    contents = [found for found in raw.get("content") or () if isinstance(found, dict) and found.get("value")]
    if atom:
        known = [(kind, found) for found in contents if (kind := _type_of(found))]
        content = _text(known[0][1]["value"], *known[0]) if known else None
        detail = raw.get("summary_detail")
        summary = None
        if isinstance(detail, dict) and raw.get("summary"):
            summary = _text(raw["summary"], _TYPES.get(detail.get("type", ""), "text"), detail)
        return summary or _described(raw), content
    summary, content = None, None
    if contents:
        longest = max(contents, key=lambda found: len(found["value"]))
        content = _text(longest["value"], _guessed(longest["value"]), longest)
    if isinstance(raw.get("summary"), str) and raw["summary"].strip():
        detail = raw.get("summary_detail")
        if isinstance(detail, dict) or content is None:  # else it is feedparser's copy of the content
            summary = _text(raw["summary"], _guessed(raw["summary"]), detail)
    return summary or _described(raw), content


def _type_of(detail: Any) -> TextType | None:
    """How the text of an Atom construct is to be read; None for what is no text (RFC 4287 §4.1.3.3)."""
    kind = str(detail.get("type") or "text/plain")
    return _TYPES.get(kind) or ("text" if kind.startswith("text/") else None)


def _described(raw: Any) -> RawText | None:
    for name in ("itunes_summary", "media_description", "subtitle"):
        value = raw.get(name)
        if isinstance(value, str) and value.strip():
            return _text(value, _guessed(value), raw.get(f"{name}_detail"))
    return None


def _guessed(value: str) -> TextType:
    return "html" if _MARKUP.search(value) else "text"


def _text(value: str, kind: TextType, detail: Any) -> RawText:
    base, language = ("", None)
    if isinstance(detail, dict):
        base, language = detail.get("base") or "", detail.get("language")
    value = value[:MAX_FIELD_CHARACTERS]
    return RawText(value=mend_references(value) if kind == "html" else value, type=kind, base=base, language=language)


def persons(raw: Any, alone: Any = None) -> tuple[Person, ...]:
    """The people in feedparser's list, each once; *alone* is its string, for what it could not take apart."""
    found: dict[tuple[str, str | None], Person] = {}
    for one in [dict(one) for one in (raw or ())[:MAX_LIST_ITEMS] if isinstance(one, dict)]:
        person = Person(name=short(one.get("name")) or "", url=short(one.get("href")), email=short(one.get("email")))
        if person.name or person.email or person.url:
            found.setdefault((person.name, person.email), person)
    if not found and (name := short(alone)):
        found[name, None] = Person(name=name)
    return tuple(found.values())


def _categories(tags: Any) -> tuple[Category, ...]:
    found: dict[tuple[str, str | None], Category] = {}
    for tag in map(dict, (tags or ())[:MAX_LIST_ITEMS]):
        label, scheme = short(tag.get("label")), short(tag.get("scheme"))
        if term := short(tag.get("term")) or label:
            found.setdefault((term, scheme), Category(term=term, scheme=scheme, label=label))
    return tuple(found.values())


def _origin(raw: Any) -> Origin | None:
    source = raw.get("source")
    if isinstance(source, dict) and source:
        source = dict(source)
        links = links_of(source)
        origin = Origin(
            name=short(source.get("title")) or "",
            url=_first(links, "alternate"),
            feed_url=_first(links, "self") or short(source.get("href")),
            feed_id=short(source.get("id")),
        )
        if origin.name or origin.url or origin.feed_url:
            return origin
    credited = short(raw.get("dc_source"))
    if credited is None:
        return None
    if credited.lower().startswith(("http://", "https://")):
        return Origin(name="", url=credited)
    return Origin(name=credited)


def _discussion(raw: Any, links: Iterable[Any]) -> Discussion | None:
    replies = [link for link in links if link.get("rel") == "replies"]
    pages = [link for link in replies if "html" in str(link.get("type", "text/html"))]
    documents = [link for link in replies if link not in pages]
    counts = [raw.get("slash_comments"), raw.get("thr_total")]
    counts += [link.get("thr:count", link.get("count")) for link in pages + documents]
    discussion = Discussion(
        url=short(raw.get("comments")) or _first(pages, "replies"),
        feed_url=short(raw.get("wfw_commentrss")) or _first(documents, "replies"),
        count=next((count for count in map(whole_number, counts) if count is not None), None),
    )
    return discussion if discussion != Discussion() else None


def _first(links: Iterable[Any], rel: str) -> str | None:
    return next(iter(_all(links, rel)), None)


def _all(links: Iterable[Any], rel: str) -> tuple[str, ...]:
    hrefs = [short(link.get("href")) for link in links if link.get("rel") == rel]
    return tuple(dict.fromkeys(href for href in hrefs if href))


def says_noindex(raw: Any) -> bool:
    """Whether a feed or entry asks robots to leave it alone (``<xhtml:meta name="robots" content="noindex">``)."""
    for name in ("xhtml_meta", "meta"):
        meta = raw.get(name)
        if isinstance(meta, dict) and str(meta.get("name", "")).lower() == "robots":
            return "noindex" in str(meta.get("content", "")).lower()
    return False
