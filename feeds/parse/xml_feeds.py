"""XML feeds to ParsedFeed: cut, read what is new, say what feed and entries declare. Part of `parse`. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import filterfalse
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from feeds.dates import is_ambiguous, order_of
from feeds.errors import ParseError
from feeds.parse.attachments import episode_of, files_and_image, place_of, show_of
from feeds.parse.cut import Cut, cut
from feeds.parse.expat import XmlFeed, read_loosely, read_strictly, root_of
from feeds.parse.fields import (
    BROKEN_OFF,
    FULL,
    MAX_LIST_ITEMS,
    Table,
    is_web_address,
    raw_text,
    read_fields,
    short,
    text,
    whole_number,
)
from feeds.parse.kinds import Prolog, Seen, format_of, refusal
from feeds.parsed import (
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

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_HOURS = frozenset(range(25))  # 0 to 23 by RSS 2.0, 1 to 24 by what came before it
_PERIODS_S = {"hourly": 3600, "daily": 86400, "weekly": 604800, "monthly": 2629800, "yearly": 31557600}
_DATES = re.compile(
    rb"<(?:[\w.-]+:)?(?:pubdate|date|published|updated|modified|issued|created|lastbuilddate)(?:\s[^>]*)?>"
    rb"\s*(?:<!\[CDATA\[)?([^<\]]{6,60})",
    re.IGNORECASE,
)
_MARKUP = re.compile(r"</?[A-Za-z][^<>]*>|<!--|&(?:[A-Za-z][A-Za-z0-9]{1,31}|#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6});")
_TYPES: dict[str, TextType] = {"text/plain": "text", "text/html": "html", "application/xhtml+xml": "xhtml"}

_FEED: Table = {"title": ("title", text), "feed_id": ("id", short), "language": ("language", short)}
_NOBODY = Person()
_PERSON: Table = {"name": ("name", text), "url": ("href", short), "email": ("email", short)}


class _Document(Struct, frozen=True):
    """A feed's document from *url*, and where its items are; *pieces* is None where that is not certain."""

    body: bytes
    prolog: Prolog
    pieces: Cut | None
    url: str


def parse_xml(
    seen: Seen, *, url: str, known_items: frozenset[int] = frozenset(), known_head: int | None = None
) -> ParsedFeed:
    """Return what the feed *seen* says, without the items that are in *known_items*.

    Only the head and the new items are read, where the document could be cut; else all are, and none is *skipped*. With
    nothing new, and no other *head_hash* than *known_head* (None: any), nothing is read at all: *head_parsed* is then
    False and the fields of the feed are empty. Raises ParseError.
    """
    if seen.prolog is None:
        raise refusal(seen)
    document = _Document(seen.body, seen.prolog, cut(seen.body, seen.prolog), url)
    unchanged = _unchanged(document, known_items, known_head) if known_items else None
    if unchanged is not None:
        return unchanged
    feed = _read_new(document, known_items) or _read_whole(document)
    if any(is_ambiguous(date) for entry in feed.entries for date in (entry.published, entry.updated) if date):
        # All of them, also of the items left out: what a date means must not depend on which are read anew.
        dates = (found.decode("utf-8", "replace") for found in _DATES.findall(seen.body))
        feed = replace(feed, date_order=order_of(dates))
    return feed


def _unchanged(document: _Document, known_items: frozenset[int], known_head: int | None) -> ParsedFeed | None:
    """The feed without any entry, where its items and its head are known."""
    pieces = document.pieces
    if pieces is None or not pieces.hashes:
        return None
    hashes = next((some for some in (pieces.hashes, _marked(pieces.hashes)) if known_items.issuperset(some)), None)
    if hashes is None:
        return None
    head = pieces.head_hash(document.body)
    if known_head is not None and head != known_head:
        return None
    return ParsedFeed(
        kind=format_of(document.prolog),
        item_hashes=hashes,
        head_hash=head,
        skipped=len(hashes),
        head_parsed=False,
    )


def _marked(hashes: tuple[int, ...]) -> tuple[int, ...]:
    """The hashes for items of a document that had to be read loosely: known again, never left out."""
    return tuple([one ^ 1 for one in hashes])


def _read_new(document: _Document, known: frozenset[int]) -> ParsedFeed | None:
    """Read the new items alone; None where none is known, or the whole has to be read to be right.

    Well-formed, this says as much of the whole: an item left out was part of a well-formed document at the last poll,
    under the same root and DOCTYPE, or its hash would not be known. What is malformed is never read in parts, since
    in the loose parser one item can swallow the next.
    """
    pieces, prolog = document.pieces, document.prolog
    if pieces is None or known.isdisjoint(pieces.hashes):
        return None
    rest, positions = pieces.without(document.body, prolog.start, known)
    raw = read_strictly(root_of(rest, replace(prolog, start=0, end=0)), prolog.entities, base=document.url)
    if raw is None or len(raw.entries) != len(positions):
        return None
    if pieces.over:
        raw = replace(raw, warnings=(*raw.warnings, FULL))
    return _feed(raw, document, positions, pieces.hashes)


def _read_whole(document: _Document) -> ParsedFeed:
    pieces, entities = document.pieces, document.prolog.entities
    root = root_of(document.body, document.prolog)
    raw = read_strictly(root, entities, base=document.url) or read_loosely(root, entities, base=document.url)
    if BROKEN_OFF in raw.warnings and not raw.entries:
        raise ParseError("the document breaks off before its first entry", remedy="nothing to do if it does not last")
    hashes: tuple[int, ...] = ()
    # The next polls rely on the cut: hashes are given only where it found the very entries that feedparser did.
    if pieces is not None and len(pieces.hashes) == len(raw.entries):
        hashes = pieces.hashes if raw.strict else _marked(pieces.hashes)
    return _feed(raw, document, range(len(raw.entries)), hashes)


def _feed(raw: XmlFeed, document: _Document, positions: Sequence[int], hashes: tuple[int, ...]) -> ParsedFeed:
    feed: dict[str, Any] = dict(raw.feed)
    announced = format_of(document.prolog)
    kind = announced if announced == "rss091n" else raw.version or announced
    atom, noindex, show = kind.startswith("atom"), _says_noindex(feed), show_of(feed)
    entries = [
        _entry(entry, position=position, atom=atom, noindex=noindex, show=show)
        for position, entry in zip(positions, raw.entries, strict=True)
    ]
    linked = _by_relation(links_of(feed))
    alternates, link = linked("alternate"), short(feed.get("link"))
    return ParsedFeed(
        kind=kind,
        link=link if link in alternates else _first(alternates),
        self_url=_first(linked("self")),
        updated=short(feed.get("updated")) or short(feed.get("published")),
        rights=short(feed.get("rights")) or _first(linked("license")),
        image_url=_image_url(feed),
        authors=_persons(feed.get("authors"), feed.get("author")),
        hubs=linked("hub"),
        next_archive=_first(linked("prev-archive") or linked("next")),
        hints=_hints(feed),
        entries=tuple(entries),
        item_hashes=hashes,
        head_hash=document.pieces.head_hash(document.body) if document.pieces is not None else 0,
        skipped=len(hashes) - len(entries) if hashes else 0,
        broken_off=BROKEN_OFF in raw.warnings,
        warnings=raw.warnings,
        **read_fields(feed, _FEED),
    )


def links_of(raw: Any) -> list[dict[str, Any]]:
    """The links of a feed, an entry or its source."""
    return [dict(link) for link in (raw.get("links") or ())[:MAX_LIST_ITEMS] if isinstance(link, dict)]


def _by_relation(links: Iterable[Any]) -> Callable[[str], tuple[str, ...]]:
    """Gives the addresses of those of *links* that have a relation, of which one may have several."""
    found: dict[str, dict[str, None]] = {}
    for link in links:
        if href := short(link.get("href")):
            for rel in str(link.get("rel", "")).lower().split():
                found.setdefault(rel, {})[href] = None
    return lambda rel: tuple(found.get(rel, ()))


def _first(found: Iterable[str]) -> str | None:
    return next(iter(found), None)


def _image_url(feed: Any) -> str | None:
    image = feed.get("image")
    if isinstance(image, dict) and (url := short(image.get("href") or image.get("url"))):
        return url
    return short(feed.get("logo")) or short(feed.get("icon"))


def _hints(feed: Any) -> Hints:
    ttl = whole_number(feed.get("ttl"))
    frequency = whole_number(feed.get("sy_updatefrequency"))
    # The module's default is daily.
    period = _PERIODS_S.get(str(feed.get("sy_updateperiod", "")).strip().lower(), 86400 if frequency is not None else 0)
    hours = _HOURS.intersection(map(whole_number, feed.get("desk_hours", ())))
    days = {str(day).strip().lower() for day in feed.get("desk_days", ())}
    return Hints(
        ttl_s=ttl * 60.0 if ttl else None,
        skip_hours=tuple(sorted({hour % 24 for hour in hours})),
        skip_days=tuple(number for number, day in enumerate(_DAYS) if day in days),
        update_period_s=period / max(frequency or 1, 1) or None,
    )


# --------------------------------------------------------------------------- entries


_ENTRY: Table = {"entry_id": ("id", short), "updated": ("updated", short), "publisher": ("publisher", short)}


def _entry(raw: Any, *, position: int, atom: bool, noindex: bool, show: Episode) -> ParsedEntry:
    """What feedparser's *raw* says; *atom* tells whose rules hold, *noindex* and *show* what the feed says of all its
    entries.

    RSS does not say whether a text is plain or HTML: a title is HTML where feedparser takes it for that, any other
    text where it has a tag or a character reference. RSS dates of Dublin Core stand as published where nothing else
    does. Where Media RSS lists one picture in several sizes, the largest is the image.
    """
    raw = dict(raw)  # feedparser's own kind of dictionary answers each miss with an exception
    links = links_of(raw)
    linked = _by_relation(links)
    title = _title(raw, atom)
    summary, content = _atom_texts(raw) if atom else _rss_texts(raw)
    enclosures, image = files_and_image(raw, links, titled=title is not None)
    return ParsedEntry(
        position=position,
        id_is_permalink=bool(not atom and raw.get("desk_permalink") and is_web_address(short(raw.get("id")))),
        link=_alternate(links, _language(raw)) if atom else _link(raw, linked("alternate")),
        original_link=short(raw.get("feedburner_origlink")) or _first(linked("canonical")),
        title=title,
        summary=summary or _described(raw),
        content=content,
        base=raw.get("desk_base") or "",
        language=_language(raw),
        authors=_persons(raw.get("authors"), raw.get("author")),
        contributors=_persons(raw.get("contributors")),
        published=_published(raw, atom),
        categories=_categories(raw.get("tags")),
        origin=_origin(raw),
        enclosures=enclosures,
        image=image,
        episode=episode_of(raw, enclosures, show),
        place=place_of(raw),
        discussion=_discussion(raw, links),
        rights=short(raw.get("rights")) or _first(linked("license")),
        via=linked("via"),
        related=linked("related"),
        noindex=noindex or _says_noindex(raw),
        **read_fields(raw, _ENTRY),
    )


def _published(raw: Any, atom: bool) -> str | None:
    published, created = short(raw.get("published")), short(raw.get("created"))
    if published is not None or created is not None or atom:
        return published if published is not None else created
    return short(raw.get("updated"))


def _link(raw: Any, alternates: tuple[str, ...]) -> str | None:
    link = short(raw.get("link"))
    if link is not None and link == short(raw.get("id")) and link not in alternates:
        # feedparser took the guid for it, as RSS 2.0 has it; that holds for a whole address alone.
        return link if raw.get("desk_permalink") and is_web_address(link) else None
    return link or _first(alternates)


def _title(raw: Any, atom: bool) -> RawText | None:
    detail = raw.get("title_detail") or {}
    kind = _TYPES.get(detail.get("type", ""), "text")
    return _text(raw.get("title") or raw.get("itunes_title"), detail, "html" if kind == "xhtml" and not atom else kind)


def _language(raw: Any) -> str | None:
    return short(raw.get("language")) or raw.get("desk_language")


def _alternate(links: Sequence[Any], language: str | None) -> str | None:
    """The address that stands for what *links* belong to: a page before other types, then in its own *language*.

    The first of equals; RFC 4287 §4.2.7 allows one for each type and language.
    """

    def fitness(link: Any) -> tuple[bool, int]:
        page = "html" in str(link.get("type") or "text/html").lower()
        tag = str(link.get("hreflang") or "").lower()
        return page, 1 if not tag else 2 * (tag.partition("-")[0] == (language or "").lower().partition("-")[0])

    found = [link for link in links if link.get("rel") == "alternate" and short(link.get("href"))]
    return short(max(found, key=fitness)["href"]) if found else None


def _contents(raw: Any) -> list[Any]:
    return [found for found in raw.get("content") or () if isinstance(found, dict) and found.get("value")]


def _atom_texts(raw: Any) -> tuple[RawText | None, RawText | None]:
    """Summary and content as named, types as declared."""
    contents = ((found, kind) for found in _contents(raw) if (kind := _type_of(found)))
    content = next((_text(found["value"], found, kind) for found, kind in contents), None)
    detail = raw.get("summary_detail")
    if not isinstance(detail, dict):
        return None, content
    return _text(raw.get("summary"), detail, _TYPES.get(detail.get("type", ""), "text")), content


def _rss_texts(raw: Any) -> tuple[RawText | None, RawText | None]:
    """Summary and content: description, and the longest content:encoded."""
    longest = max(_contents(raw), key=lambda found: len(found["value"]), default=None)
    content = _text(longest["value"], longest) if longest else None
    detail = raw.get("summary_detail")
    if content is not None and not isinstance(detail, dict):
        return None, content  # feedparser's copy of the content
    return _text(raw.get("summary"), detail), content


def _type_of(detail: Any) -> TextType | None:
    """How the text of an Atom construct is to be read; None for what is no text (RFC 4287 §4.1.3.3)."""
    kind = str(detail.get("type") or "text/plain")
    return _TYPES.get(kind) or ("text" if kind.startswith("text/") else None)


def _described(raw: Any) -> RawText | None:
    names = ("itunes_summary", "media_description", "subtitle")
    return next(filter(None, (_text(raw.get(name), raw.get(f"{name}_detail")) for name in names)), None)


def _text(value: Any, detail: Any, kind: TextType | None = None) -> RawText | None:
    """*value* as a text of *kind*, None: HTML where it has a tag or a character reference."""
    attributes = dict(detail) if isinstance(detail, dict) else {}
    if kind is None:
        kind = "html" if isinstance(value, str) and _MARKUP.search(value) else "text"
    return raw_text(value, kind, attributes.get("base") or "", attributes.get("language"))


def _persons(raw: Any, alone: Any = None) -> tuple[Person, ...]:
    """The people in feedparser's list, each once; *alone* is its string, for what it could not take apart."""
    found: dict[tuple[str, str | None], Person] = {}
    for one in _dicts(raw):
        person = Person(**read_fields(one, _PERSON))
        if person != _NOBODY:
            found.setdefault((person.name, person.email), person)
    if not found and (name := short(alone)):
        return (Person(name=name),)
    return tuple(found.values())


def _dicts(raw: Any) -> Iterator[dict[str, Any]]:
    yield from (dict(one) for one in (raw or ())[:MAX_LIST_ITEMS] if isinstance(one, dict))


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
        linked = _by_relation(links_of(source))
        origin = Origin(
            name=text(source.get("title")),
            url=_first(linked("alternate")),
            feed_url=_first(linked("self")) or short(source.get("href")),
            feed_id=short(source.get("id")),
        )
        if origin.name or origin.url or origin.feed_url:
            return origin
    credited = short(raw.get("dc_source"))
    if credited is None:
        return None
    return Origin(name="", url=credited) if is_web_address(credited) else Origin(name=credited)


def _discussion(raw: Any, links: Iterable[Any]) -> Discussion | None:
    replies = [link for link in links if link.get("rel") == "replies"]
    pages = list(filter(_is_page, replies))
    documents = list(filterfalse(_is_page, replies))
    stated = [raw.get("slash_comments"), raw.get("thr_total")]
    stated += [link.get("thr:count", link.get("count")) for link in pages + documents]
    count = next((number for number in map(whole_number, stated) if number is not None), None)
    url = short(raw.get("comments")) or _first(_by_relation(pages)("replies"))
    feed_url = short(raw.get("wfw_commentrss")) or _first(_by_relation(documents)("replies"))
    if url is None and feed_url is None and count is None:
        return None
    return Discussion(url=url, feed_url=feed_url, count=count)


def _is_page(link: Any) -> bool:
    return "html" in str(link.get("type", "text/html"))


def _says_noindex(raw: Any) -> bool:
    """Whether a feed or entry asks robots to leave it alone (``<xhtml:meta name="robots" content="noindex">``)."""
    for name in ("xhtml_meta", "meta"):
        meta = raw.get(name)
        if isinstance(meta, dict) and str(meta.get("name", "")).lower() == "robots":
            return "noindex" in str(meta.get("content", "")).lower()
    return False
