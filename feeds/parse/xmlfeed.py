"""An XML feed read by feedparser's own parsers, bounded, and each entry by itself. Part of `parse`. Pure.

`feedparser.parse` opens what is not a stream, resolves and sanitises HTML, and lets the state of one entry leak into
the next. Here its strict parser, and for what is not well-formed its loose one, get bytes and nothing else: no
sanitising and no resolving inside HTML (`normalise` does both), ids as they stand, and a clean state for each entry,
so that an entry reads the same whichever others stand beside it.
"""

from __future__ import annotations

import html.entities
import io
import re
import xml.sax
import xml.sax.handler
import xml.sax.xmlreader
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
_MORE_NAMESPACES = {"http://purl.org/syndication/thread/1.0": "thr"}


class _Enough(Exception):
    """MAX_ENTRIES were read."""


class _Bounded:
    """What the desk adds to feedparser's parsers: caps, and entries that do not touch each other."""

    can_be_relative_uri = feedparser.api.StrictFeedParser.can_be_relative_uri - {"id"}  # an id is no address

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._before: tuple[int, int, int, int] = (0, 0, 0, 0)
        # The table is one for all parsers; a namespace that feedparser does not know is added for ours alone.
        self._matchnamespaces = {**self._matchnamespaces, **_MORE_NAMESPACES}  # type: ignore[has-type]

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

    def _start_hour(self: Any, attrs_d: dict[str, str]) -> None:
        self.push("hour", 1)

    def _end_hour(self: Any) -> None:
        self.feeddata.setdefault("desk_hours", []).append(self.pop("hour"))

    def _start_day(self: Any, attrs_d: dict[str, str]) -> None:
        self.push("day", 1)

    def _end_day(self: Any) -> None:
        self.feeddata.setdefault("desk_days", []).append(self.pop("day"))


class _Strict(_Bounded, feedparser.api.StrictFeedParser):  # type: ignore[misc]
    pass


class _Loose(_Bounded, feedparser.api.LooseFeedParser):  # type: ignore[misc]
    pass


@dataclass(frozen=True, slots=True)
class XmlFeed:
    """What feedparser made of a document: its dictionaries, its name for the format, and how it got there."""

    feed: FeedParserDict
    entries: list[FeedParserDict]
    version: str
    strict: bool
    full: bool  # MAX_ENTRIES were reached


def whole(body: bytes, prolog: Prolog) -> bytes:
    """Return what follows the prolog, up to the end of the root element: what stands around it is not the feed's."""
    closing = body.rfind(b"</" + prolog.name.encode())
    end = body.find(b">", closing) + 1 if closing >= prolog.end else 0
    return body[prolog.start : end or len(body)]


def well_formed(root: bytes, prolog: Prolog) -> tuple[bytes, bool]:
    """Return *root* as a document that an XML parser takes, and whether it does; mended where a known fault allows it.

    Mended are control characters, HTML's entities without their DTD, and bare ampersands (criterion F5). What is not
    mended is given back for the loose parser.
    """
    document = _DECLARATION + doctype_of(prolog.entities) + root.translate(None, _ILLEGAL)
    if _is_well_formed(document):
        return document, True
    entities = dict(prolog.entities)
    for name in set(_REFERENCE.findall(root)):
        value = html.entities.html5.get(name.decode() + ";")
        if value is not None and name not in _BUILT_IN:
            entities.setdefault(name, "".join(f"&#{ord(character)};" for character in value).encode())
    mended = _DECLARATION + doctype_of(entities) + _escape_ampersands(root.translate(None, _ILLEGAL), entities)
    if _is_well_formed(mended):
        return mended, True
    return document, False


def _is_well_formed(document: bytes) -> bool:
    parser = expat.ParserCreate(namespace_separator=" ")
    try:
        parser.Parse(document, True)
    except expat.ExpatError:
        return False
    return True


def _escape_ampersands(root: bytes, entities: dict[bytes, bytes]) -> bytes:
    def escaped(found: re.Match[bytes]) -> bytes:
        if found.group(1) is None or found.group(1) in entities or found.group(1) in _BUILT_IN:
            return found.group() if found.group() != b"&" else b"&amp;"
        return b"&amp;" + found.group()[1:]

    return _AMPERSAND.sub(escaped, root)


def read(document: bytes, *, strict: bool, base: str, entities: dict[bytes, bytes]) -> XmlFeed:
    """Read *document*, as `well_formed` gave it. Raises ParseError where feedparser gives up."""
    parser: Any
    full = False
    try:
        if strict:
            parser = _Strict(base, None, "utf-8")
        else:
            texts = {name.decode(): value.decode() for name, value in entities.items()}
            parser = _Loose(base, None, "utf-8", texts)
        parser.resolve_relative_uris = parser.sanitize_html = False
        try:
            _run(parser, document) if strict else parser.feed(document.decode("utf-8", "replace"))
        except _Enough:
            full = True
    except ParseError:
        raise
    except Exception as error:  # feedparser meets hostile input with whatever Python raises
        raise ParseError(
            f"feedparser could not read the document ({type(error).__name__}: {error})",
            remedy="look at the document with `wiredesk preview URL`; its publisher may have to mend it",
        ) from error
    return XmlFeed(parser.feeddata, parser.entries, parser.version, strict, full)


def _run(parser: Any, document: bytes) -> None:
    sax = xml.sax.make_parser()
    sax.setFeature(xml.sax.handler.feature_namespaces, True)
    sax.setFeature(xml.sax.handler.feature_external_ges, False)
    sax.setContentHandler(parser)
    sax.setErrorHandler(parser)
    source = xml.sax.xmlreader.InputSource()
    source.setByteStream(io.BytesIO(document))
    sax.parse(source)
