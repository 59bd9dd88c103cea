"""An XML feed read by feedparser's own parsers, bounded, and each entry by itself. Part of `parse`. Pure.

`feedparser.parse` opens what is not a stream, resolves and sanitises HTML, and lets the state of one entry leak into
the next. Here its strict parser, and for what is not well-formed its loose one, get bytes and nothing else: no
sanitising and no resolving inside HTML (`normalise` does both), ids as they stand, and a clean state for each entry,
so that an entry reads the same whichever others stand beside it. Expat is driven directly: half the time of `xml.sax`.
"""

from __future__ import annotations

import html.entities
import re
from dataclasses import dataclass
from typing import Any
from xml.parsers import expat

import feedparser.api
from feedparser.util import FeedParserDict

from feeds.errors import ParseError
from feeds.parse.limits import MAX_DEPTH_ELEMENTS, MAX_ENTRIES
from feeds.parse.prolog import Prolog, doctype_of

_DECLARATION = b'<?xml version="1.0" encoding="utf-8"?>'
_ILLEGAL = bytes(set(range(32)) - {9, 10, 13})  # XML 1.0 §2.2
_BUILT_IN = (b"lt", b"gt", b"amp", b"quot", b"apos")
_REFERENCE = re.compile(rb"&([A-Za-z][A-Za-z0-9]{1,31});")
# What may hold an ampersand as it is, a reference, or an ampersand that should have been escaped.
_AMPERSAND = re.compile(
    rb"<!\[CDATA\[.*?\]\]>|<!--.*?-->|<\?.*?\?>|&#[0-9]{1,7};|&#x[0-9A-Fa-f]{1,6};|&([A-Za-z][A-Za-z0-9]*);|&",
    re.DOTALL,
)
_USERLAND = "backend.userland.com/rss"
_XLINK = "http://www.w3.org/1999/xlink"
# Elements that keep their namespace where they stand inside a text.
_INLINE = {("math", "http://www.w3.org/1998/Math/MathML"), ("svg", "http://www.w3.org/2000/svg")}


class _Enough(Exception):
    """MAX_ENTRIES were read."""


class _Bounded:
    """What the desk adds to feedparser's parsers: caps, and entries that do not touch each other."""

    can_be_relative_uri = feedparser.api.StrictFeedParser.can_be_relative_uri - {"id"}  # an id is no address

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._before: tuple[int, int, int, int] = (0, 0, 0, 0)
        self._spaces: tuple[dict[Any, str], dict[str, str], str] | None = None
        # One table serves all of feedparser; RFC 4685 is added for this parser alone.
        self._matchnamespaces: dict[str, str] = {
            **self._matchnamespaces,
            "http://purl.org/syndication/thread/1.0": "thr",
        }

    def unknown_starttag(self: Any, tag: str, attrs: list[tuple[str, str]]) -> None:
        if self.depth >= MAX_DEPTH_ELEMENTS:
            raise ParseError(
                f"elements nested more than {MAX_DEPTH_ELEMENTS} deep",
                remedy="no reader takes this; tell the publisher, or remove the source",
            )
        super().unknown_starttag(tag, attrs)  # type: ignore[misc]

    def _start_item(self: Any, attrs_d: dict[str, str]) -> None:
        if len(self.entries) >= MAX_ENTRIES:
            raise _Enough
        self._before = (len(self.elementstack), len(self.basestack), len(self.langstack), self.depth)
        self.incontent = self.svgOK = self.inauthor = self.incontributor = self.inpublisher = self.insource = 0
        self.inimage = self.intextinput = self.hasContent = 0
        self._summaryKey = None
        self.contentparams.clear()
        self.sourcedata.clear()
        super()._start_item(attrs_d)  # type: ignore[misc]
        self.entries[-1]["desk_base"] = self.baseuri
        if self.lang:
            self.entries[-1]["desk_language"] = self.lang

    _start_entry = _start_item

    def _end_item(self: Any) -> None:
        super()._end_item()  # type: ignore[misc]
        if self.entries:
            elements, bases, languages, depth = self._before
            del self.elementstack[elements:], self.basestack[bases:], self.langstack[languages:]
            self.incontent = self.svgOK = self.insource = 0
            self.depth = depth
            if self._spaces is not None:
                self.namespacemap, self.namespaces_in_use, self.version = self._spaces
                self._spaces = None

    _end_entry = _end_item

    def _start_guid(self: Any, attrs_d: dict[str, str]) -> None:
        super()._start_guid(attrs_d)  # type: ignore[misc]
        if self.inentry and not self.insource:
            self.entries[-1]["desk_permalink"] = bool(self.guidislink)

    _start_id = _start_guid

    # feedparser makes a second text of an entry its content, whatever it is; these are kept under names of their own.
    def _start_itunes_summary(self: Any, attrs_d: dict[str, str]) -> None:
        self.push("itunes_summary", 1)

    def _end_itunes_summary(self: Any) -> None:
        self.pop("itunes_summary")

    def _start_media_description(self: Any, attrs_d: dict[str, str]) -> None:
        self.push("media_description", 1)

    def _end_media_description(self: Any) -> None:
        self.pop("media_description")

    # skipHours and skipDays (RSS 2.0) are lists, of which feedparser keeps the last.
    def _start_hour(self: Any, attrs_d: dict[str, str]) -> None:
        self.push("hour", 1)

    def _end_hour(self: Any) -> None:
        self.feeddata.setdefault("desk_hours", []).append(self.pop("hour"))

    def _start_day(self: Any, attrs_d: dict[str, str]) -> None:
        self.push("day", 1)

    def _end_day(self: Any) -> None:
        self.feeddata.setdefault("desk_days", []).append(self.pop("day"))


class _Loose(_Bounded, feedparser.api.LooseFeedParser):  # type: ignore[misc]
    """For what no XML parser takes."""


class _Strict(_Bounded, feedparser.api.StrictFeedParser):  # type: ignore[misc]
    """For well-formed XML; `start`, `end`, `declare` and `handle_data` are the handlers for expat."""

    def __init__(self, base: str) -> None:
        super().__init__(base, None, "utf-8")
        self._declared: list[tuple[str | None, str]] = []
        self._tags: dict[str, str] = {}  # expat's "namespace local prefix" to feedparser's "prefix:local"
        self._keys: dict[str, tuple[str, ...]] = {}

    def declare(self, prefix: str | None, uri: str) -> None:
        self._declared.append((prefix, uri or ""))

    def start(self: Any, name: str, attributes: dict[str, str]) -> None:
        if not self.inentry and name.split(" ")[1 if " " in name else 0].lower() in ("item", "entry"):
            # What an entry declares holds for itself alone.
            self._spaces = (dict(self.namespacemap), dict(self.namespaces_in_use), self.version)
        if self._declared:
            for prefix, uri in self._declared:
                self.startPrefixMapping(prefix, uri)
            self._declared.clear()
        values: dict[str, str] = self.decls
        self.decls: dict[str, str] = {}
        tag = self._tags.get(name) or self._tag(name)
        if " " in name and tag in ("math", "svg"):
            uri, local = name.split(" ")[:2]
            if (local, uri) in _INLINE:
                values["xmlns"] = uri
        if attributes:
            for key, value in attributes.items():
                for known in self._keys.get(key) or self._key(key):
                    values[known] = value
        self.unknown_starttag(tag, list(values.items()))

    def end(self, name: str) -> None:
        self.unknown_endtag(self._tags.get(name) or self._tag(name))

    def _tag(self: Any, name: str) -> str:
        """feedparser's name of an element: its own prefix for a namespace, else the first that the document gave it."""
        parts = name.split(" ")
        uri, local = (parts[0], parts[1].lower()) if len(parts) > 1 else ("", name.lower())
        lower = uri.lower()
        prefix = "" if _USERLAND in lower else self._matchnamespaces.get(lower)
        if prefix is not None or not uri:
            tag = f"{prefix.lower()}:{local}" if prefix else local
            self._tags[name] = tag
            return tag
        given = next((known for known, value in self.namespaces_in_use.items() if known and value == uri), None)
        return f"{given}:{local}".lower() if given else local

    def _key(self, name: str) -> tuple[str, ...]:
        parts = name.split(" ")
        if len(parts) == 1:
            keys: tuple[str, ...] = (name.lower(),)
        else:
            prefix = self._matchnamespaces.get(parts[0].lower(), "")
            bare = f"{prefix}:{parts[1]}" if prefix else parts[1]
            keys = (bare.lower(), ":".join(parts[:0:-1]).lower())
        self._keys[name] = keys
        return keys


@dataclass(frozen=True, slots=True)
class XmlFeed:
    """What feedparser made of a document: its dictionaries, its name for the format, and how it got there."""

    feed: FeedParserDict
    entries: list[FeedParserDict]
    version: str
    strict: bool
    full: bool  # MAX_ENTRIES were reached


def root_of(body: bytes, prolog: Prolog) -> bytes:
    """Return the root element of *body*: what a server put before or behind it is not the feed's."""
    closing = body.rfind(b"</" + prolog.name.encode())
    end = body.find(b">", closing) + 1 if closing >= prolog.end else 0
    return body[prolog.start : end or len(body)]


def document_of(root: bytes, entities: dict[bytes, bytes]) -> bytes:
    """Return *root* as an XML document with a prolog of our own."""
    return _DECLARATION + doctype_of(entities) + root.translate(None, _ILLEGAL)


def mended(root: bytes, entities: dict[bytes, bytes]) -> bytes:
    """Return `document_of` *root* with HTML's entities declared and bare ampersands escaped (criterion F5)."""
    known = dict(entities)
    for name in set(_REFERENCE.findall(root)):
        value = html.entities.html5.get(name.decode() + ";")
        if value is not None and name not in _BUILT_IN:
            known.setdefault(name, "".join(f"&#{ord(character)};" for character in value).encode())

    def escaped(found: re.Match[bytes]) -> bytes:
        name, text = found.group(1), found.group()
        if text == b"&" or (name is not None and name not in known and name not in _BUILT_IN):
            return b"&amp;" + text[1:]
        return text

    return document_of(_AMPERSAND.sub(escaped, root), known)


def is_well_formed(document: bytes) -> bool:
    """Whether an XML parser with namespaces takes *document*."""
    parser = expat.ParserCreate(namespace_separator=" ")
    try:
        parser.Parse(document, True)
    except expat.ExpatError:
        return False
    return True


def read(root: bytes, entities: dict[bytes, bytes], *, base: str) -> XmlFeed:
    """Read a feed's root element: strictly, else mended and strictly, else loosely.

    Raises ParseError where feedparser gives up.
    """
    document = document_of(root, entities)
    try:
        return (
            _read_strictly(document, base)
            or _read_strictly(mended(root, entities), base)
            or _read_loosely(document, entities, base)
        )
    except ParseError:
        raise
    except Exception as error:  # feedparser meets hostile input with whatever Python raises
        raise ParseError(
            f"feedparser could not read the document ({type(error).__name__}: {error})",
            remedy="look at the document with `wiredesk preview URL`; its publisher may have to mend it",
        ) from error


def _read_strictly(document: bytes, base: str) -> XmlFeed | None:
    parser: Any = _Strict(base)
    parser.resolve_relative_uris = parser.sanitize_html = False
    reader = expat.ParserCreate(namespace_separator=" ")
    reader.namespace_prefixes = True
    reader.buffer_text = True
    reader.StartNamespaceDeclHandler = parser.declare
    reader.StartElementHandler = parser.start
    reader.EndElementHandler = parser.end
    reader.CharacterDataHandler = parser.handle_data
    full = False
    try:
        reader.Parse(document, True)
    except expat.ExpatError:
        return None
    except _Enough:
        full = True
    return XmlFeed(parser.feeddata, parser.entries, parser.version, True, full)


def _read_loosely(document: bytes, entities: dict[bytes, bytes], base: str) -> XmlFeed:
    texts = {name.decode(): value.decode("utf-8", "replace") for name, value in entities.items()}
    parser: Any = _Loose(base, None, "utf-8", texts)
    parser.resolve_relative_uris = parser.sanitize_html = False
    full = False
    try:
        parser.feed(document.decode("utf-8", "replace"))
    except _Enough:
        full = True
    return XmlFeed(parser.feeddata, parser.entries, parser.version, False, full)
