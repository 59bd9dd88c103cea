"""Fragments and a frame make the bytes of a feed, and a finished document in pieces again. Ground floor. Pure.

`render` has feedgen write each article and each section's frame once; from then on a document, an RFC 3229 delta, a
narrowed or a search feed is a matter of joining bytes. The result is the document that feedgen would have written
whole, byte for byte. The other way, `cut` takes a document apart: serve makes deltas of it, the hub what it
distributes, both the same bytes with what is known already left out.

A frame's head holds slots: a name between two Unicode noncharacters, which `legal` takes out of every text, so that no
title can hold one. A ``@`` before the name says that the slot stands in an XML attribute.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple
from xml.parsers import expat
from xml.sax.saxutils import escape

from msgspec import Struct

from feeds.codec import compact_json
from feeds.dates import rfc822, rfc3339
from feeds.errors import ParseError
from feeds.model import FORMATS, Document, Format, Fragment, Frame

_NAMESPACE = uuid.UUID("8a6f2f0e-3d3c-5b7e-9a54-6c1f0d6e7b11")
_OPEN, _CLOSE = "\ufdd0", "\ufdd1"
_SLOT = re.compile(f"{_OPEN}(@?)([a-z]+){_CLOSE}".encode())
# What XML 1.0 §2.2 forbids, and of what it discourages controls (C1 too: wrongly read Windows-1252 as a rule) and the
# noncharacters of the slots. All in one plane, for then the search is three times faster.
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_NEWLINE = re.compile("\r\n?")
_ATTRIBUTE = {'"': "&quot;", "\n": "&#10;", "\t": "&#9;"}

OPTIONAL_NAMESPACES = {
    "itunes": "http://www.itunes.com/dtds/podcast-1.0.dtd",
    "podcast": "https://podcastindex.org/namespace/1.0",
    "georss": "http://www.georss.org/georss",
    "webfeeds": "http://webfeeds.org/rss/1.0",
}
"""Declared by documents that use them alone, so that what has come without them stays as it is."""

_ROOT = re.compile(b"<(?:rss|feed)(?= )")
# The part of a channel that is for podcasts alone, and what it takes up of the items. Text in a fragment is escaped,
# and so is ``>`` in an attribute.
_SHOW = re.compile(f"{_OPEN}podcast{_CLOSE}(.*?){_OPEN}podcast{_CLOSE}".encode(), re.DOTALL)
_PLAYED = re.compile(b'<enclosure [^>]*type="(?:audio|video)/')
_COVER = re.compile(b"<itunes:image [^>]*>")
_EXPLICIT = b"<itunes:explicit>true</itunes:explicit>"

ARCHIVE_PAGE = 100
"""Filings an archive page. Never change it for a desk that has published: pages keep their addresses and members."""

HEAD_BYTES = 16_384
"""More than what a document has around its entries: titles, links, fifty tombstones."""

Extra = bytes
"""A piece for the end of a document's head, written by one of the functions below for one format."""


def assemble(
    frame: Frame,
    fragments: Iterable[Fragment | bytes],
    *,
    self_url: str,
    alternate_url: str,
    title: str,
    updated: datetime,
    feed_id: str,
    description: str = "",
    extra: Sequence[Extra] = (),
) -> bytes:
    """Return the document of *fragments*, in their order, in *frame*.

    *self_url* is the document's own address, *alternate_url* that of the page for people. *updated* is the content's
    last change, never the present. *feed_id* is `feed_urn`'s. An empty *description* repeats the title, for RSS must
    have one. *extra* holds what `hub_links`, `archive_links` and `deleted_entries` give for this format.
    """
    title = legal(title).strip() or legal(self_url)
    values = {
        "self": legal(self_url),
        "page": legal(alternate_url),
        "title": title,
        "description": legal(description).strip() or title,
        "id": legal(feed_id),
        "updated": rfc822(updated) if frame.format == "rss" else rfc3339(updated),
    }
    bodies = [fragment.body if isinstance(fragment, Fragment) else fragment for fragment in fragments]
    head, raw = _of_a_show(frame.head, bodies)
    raw["extra"] = b"".join(extra)

    def fill(match: re.Match[bytes]) -> bytes:
        name = match[2].decode()
        return raw[name] if name in raw else _escaped(values[name], frame.format, attribute=bool(match[1])).encode()

    filled = _SLOT.sub(fill, head)
    if frame.format != "json":
        filled = _declared(filled, bodies, frame.tail)
    return b"".join([filled, frame.separator.join(bodies), frame.tail])


def fitting(fragments: Sequence[Fragment], most_bytes: int) -> int:
    """Return how many of the first *fragments* a document of at most *most_bytes* has room for, at least one.

    What stands around them is reckoned with `HEAD_BYTES`.
    """
    room = most_bytes - HEAD_BYTES
    for count, fragment in enumerate(fragments):
        room -= len(fragment.body) + 1
        if room < 0:
            return max(count, 1)
    return len(fragments)


def _of_a_show(head: bytes, bodies: Sequence[bytes]) -> tuple[bytes, dict[str, bytes]]:
    """*head* with what it says of a podcast where its items are one, and the slots that these fill."""
    if b"podcast" not in head or (show := _SHOW.search(head)) is None:
        return head, {}
    head = head[: show.start()] + (show[1] if _is_podcast(bodies) else b"") + head[show.end() :]
    cover = next((cover for body in bodies if (cover := _traits(body).cover)), b"")
    return head, {"cover": cover, "explicit": b"true" if any(_traits(body).explicit for body in bodies) else b"false"}


def _is_podcast(bodies: Sequence[bytes]) -> bool:
    """Whether more than half of a channel's items can be played."""
    return sum(_traits(body).played for body in bodies) * 2 > len(bodies)


def _declared(head: bytes, bodies: Iterable[bytes], tail: bytes) -> bytes:
    """*head* with the optional namespaces declared that the document uses."""
    found = {*_prefixes(head + tail), *(prefix for body in bodies for prefix in _traits(body).prefixes)}
    used = "".join(f' xmlns:{prefix}="{uri}"' for prefix, uri in OPTIONAL_NAMESPACES.items() if prefix in found)
    return _ROOT.sub(lambda root: root[0] + used.encode(), head, count=1) if used else head


def _prefixes(part: bytes) -> tuple[str, ...]:
    return tuple(prefix for prefix in OPTIONAL_NAMESPACES if f"<{prefix}:".encode() in part)


class _Traits(NamedTuple):
    """What a document says of itself because of one of its parts."""

    prefixes: tuple[str, ...]
    played: bool
    cover: bytes
    explicit: bool


@lru_cache(maxsize=1024)
def _traits(body: bytes) -> _Traits:
    """Kept, for what documents list is listed again with the next change: looking took an eighth of a publication."""
    cover = _COVER.search(body)
    return _Traits(
        prefixes=_prefixes(body),
        played=_PLAYED.search(body) is not None,
        cover=cover[0] if cover else b"",
        explicit=_EXPLICIT in body,
    )


def slot(name: str, *, attribute: bool = False) -> str:
    """Return the text that stands for a value in a frame: self, page, title, description, id, updated or extra."""
    return f"{_OPEN}{'@' if attribute else ''}{name}{_CLOSE}"


def legal(text: str) -> str:
    """Return *text* without characters that XML 1.0 forbids or discourages, its line ends as line feeds.

    >>> legal("a\\x00b\\r\\nc\\ufdd0")
    'ab\\nc'
    """
    if text.isprintable():
        return text
    return _ILLEGAL.sub("", _NEWLINE.sub("\n", text) if "\r" in text else text)


def feed_urn(desk_id: str, path: str, variant: str = "") -> str:
    """Return the id of a section's feed: the same in every format and under every base URL (RFC 4287 §4.2.6).

    *desk_id* is whatever stays with the desk for good. *variant* tells apart feeds cut from one section, such as a
    canonical query string.
    """
    return f"urn:uuid:{uuid.uuid5(_NAMESPACE, json.dumps([desk_id, path, variant], ensure_ascii=False))}"


def hub_links(format: Format, hubs: Sequence[str]) -> Extra:
    """Return the links to WebSub hubs (W3C WebSub §4; JSON Feed 1.1 `hubs`); nothing for none."""
    if format == "json":
        return _key("hubs", [{"type": "WebSub", "url": legal(hub)} for hub in hubs]) if hubs else b""
    return b"".join(_link(format, "hub", hub) for hub in hubs)


def archive_links(
    format: Format,
    *,
    prev_url: str | None = None,
    next_url: str | None = None,
    current_url: str | None = None,
    archive: bool = False,
) -> Extra:
    """Return the links of RFC 5005 §4: *prev_url* is the next older page, *next_url* the next newer.

    *archive* marks an archive page. JSON Feed has one link of the kind, `next_url`, which leads to older entries.
    """
    if format == "json":
        return _key("next_url", legal(prev_url)) if prev_url else b""
    pairs = (("current", current_url), ("prev-archive", prev_url), ("next-archive", next_url))
    links = b"".join(_link(format, rel, url) for rel, url in pairs if url)
    return (b"<fh:archive/>" if archive else b"") + links


def feed_title(path: str, title: str, desk_title: str) -> str:
    """Return the title of a section's feed: readers show it without what is around it, so it names the desk too."""
    return f"{title} · {desk_title}" if path else desk_title


def document_path(section: str, format: Format) -> str:
    """Return the path under which a section's document is served.

    >>> document_path("news/world", "atom"), document_path("", "rss")
    ('/news/world.atom', '/index.rss')
    """
    return f"/{section or 'index'}.{format}"


def split_format(path: str) -> tuple[str, Format | None]:
    """Return *path* without the suffix of a format, and the format.

    >>> split_format("news/world.json"), split_format("news/world")
    (('news/world', 'json'), ('news/world', None))
    """
    for format in FORMATS:
        if path.endswith(f".{format}"):
            return path[: -len(format) - 1], format
    return path, None


def archive_path(section: str, page: int, format: Format) -> str:
    """Return the path of an archive page. Its number is that of the last filing on it, so that members never change.

    >>> archive_path("news/world", 300, "atom"), archive_path("", 42, "rss")
    ('/news/world/archive/300.atom', '/archive/42.rss')
    """
    return f"{'/' if section else ''}{section}/archive/{page}.{format}"


def archive_page(number: int) -> int:
    """Return the full page that the filing *number* is on."""
    return -(-number // ARCHIVE_PAGE) * ARCHIVE_PAGE


def archive_first(page: int) -> int:
    """Return the number of the first filing on *page*, which may end before it is full.

    >>> archive_first(200), archive_first(142)
    (101, 101)
    """
    return (page - 1) // ARCHIVE_PAGE * ARCHIVE_PAGE + 1


def newest_archive_page(unlisted: int, filed: int) -> int | None:
    """Return the page that a document of a section goes on with; None where it holds every article.

    *unlisted* is the highest number of a filing that the document does not hold, 0 for none, *filed* the section's last
    number. While the filings since the last full page hold such a one, a page of fewer goes before the full ones: its
    address too is for good.
    """
    if not unlisted:
        return None
    full = archive_page(unlisted)
    return full if full <= filed else unlisted


def deleted_entries(format: Format, tombstones: Sequence[tuple[str, datetime]]) -> Extra:
    """Return the tombstones of retracted articles, (uid, when) each: RFC 6721 in Atom, `_deleted` in JSON.

    RSS has no way to say it.
    """
    if format == "atom":
        return "".join(
            f'<at:deleted-entry ref="{_escaped(legal(uid), format, attribute=True)}" when="{rfc3339(when)}"/>'
            for uid, when in tombstones
        ).encode()
    if format == "json" and tombstones:
        # An extension has to be an object (JSON Feed 1.1, extensions).
        return _key("_deleted", {"entries": [{"id": legal(uid), "when": rfc3339(when)} for uid, when in tombstones]})
    return b""


def _link(format: Format, rel: str, url: str) -> bytes:
    name = "atom:link" if format == "rss" else "link"
    return f'<{name} href="{_escaped(legal(url), format, attribute=True)}" rel="{rel}"/>'.encode()


def _key(name: str, value: object) -> bytes:
    return f"{compact_json(name)}:{compact_json(value)},".encode()


def _escaped(text: str, format: Format, *, attribute: bool) -> str:
    """As lxml escapes, so that a filled slot has the bytes that feedgen would have written."""
    if format == "json":
        return compact_json(text)[1:-1]
    return escape(text, _ATTRIBUTE) if attribute else escape(text)


_ENTRY = {"rss": "item", "atom": "http://www.w3.org/2005/Atom entry"}
_JSON = json.JSONDecoder()
_ITEMS = re.compile(r'"items":\s*\[\s*')  # in a text its quotes are escaped
_BETWEEN = re.compile(r"\s*(?:,\s*|(?=\]))")


class Cut(Struct, frozen=True):
    """A document in pieces: head + separator.join(entries) + tail are its bytes."""

    head: bytes
    entries: tuple[bytes, ...]
    separator: bytes
    tail: bytes


def cut(document: Document) -> Cut:
    """Return *document* in pieces. Raises ParseError where they are not one for each of its articles."""
    pieces = _cut_json(document.body) if document.format == "json" else _cut_xml(document.body, document.format)
    if len(pieces.entries) != len(document.article_uids):
        raise ParseError(
            f"{document.path}.{document.format} has {len(pieces.entries)} entries and not as many articles"
        )
    return pieces


def delta_body(
    document: Document, pieces: Cut, changed: Collection[str], retracted: Sequence[tuple[str, datetime]]
) -> bytes:
    """Return the feed of those articles of *document* that are in *changed*, with tombstones of the *retracted*.

    What changed and does not stand in the document is left out: a delta makes the client's copy the document, no more.
    """
    chosen = [entry for uid, entry in zip(document.article_uids, pieces.entries, strict=True) if uid in changed]
    tombstones = [(uid, at) for uid, at in retracted if uid.encode() not in pieces.head]
    head = pieces.head
    if document.format == "atom":
        head += deleted_entries("atom", tombstones)
    return head + pieces.separator.join(chosen) + pieces.tail


def _cut_xml(body: bytes, format: Format) -> Cut:
    spans: list[tuple[int, int]] = []
    start, depth = 0, 0
    wanted, level = _ENTRY[format], 3 if format == "rss" else 2
    parser = expat.ParserCreate(namespace_separator=" ")

    def opened(name: str, attributes: object) -> None:
        nonlocal depth, start
        depth += 1
        if depth == level and name == wanted:
            start = parser.CurrentByteIndex

    def closed(name: str) -> None:
        nonlocal depth
        if depth == level and name == wanted:
            # Of an empty element expat gives the end, of any other where its end tag begins.
            end = parser.CurrentByteIndex
            spans.append((start, body.index(b">", end) + 1 if body[end : end + 2] == b"</" else end))
        depth -= 1

    parser.StartElementHandler, parser.EndElementHandler = opened, closed
    try:
        parser.Parse(body, True)
    except expat.ExpatError as error:
        raise ParseError("a published document is not well-formed") from error
    return _pieces(body, spans)


def _cut_json(body: bytes) -> Cut:
    text = body.decode("latin-1")  # a character a byte; all that is looked for is ASCII
    spans: list[tuple[int, int]] = []
    found = _ITEMS.search(text)
    try:
        while found is not None and text[found.end()] != "]":
            _, end = _JSON.raw_decode(text, found.end())
            spans.append((found.end(), end))
            found = _BETWEEN.match(text, end)
    except (ValueError, IndexError) as error:
        raise ParseError("a published JSON feed can't be read") from error
    if found is None:
        raise ParseError("a published JSON feed has no items, or no comma between them")
    return _pieces(body, spans)


def _pieces(body: bytes, spans: list[tuple[int, int]]) -> Cut:
    if not spans:
        return Cut(body, (), b"", b"")
    separator = body[spans[0][1] : spans[1][0]] if len(spans) > 1 else b""
    if any(body[before[1] : after[0]] != separator for before, after in zip(spans, spans[1:], strict=False)):
        raise ParseError("a published document has something between its entries")
    return Cut(body[: spans[0][0]], tuple(body[start:end] for start, end in spans), separator, body[spans[-1][1] :])
