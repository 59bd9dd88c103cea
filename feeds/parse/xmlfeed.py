"""An XML feed read by feedparser's parsers: strictly, mended, or loosely. Part of `parse`. Pure.

`feedparser.parse` itself is not used: it opens whatever is not a stream, and resolves and sanitises HTML, which is
for `normalise` to do. Its parsers get bytes and nothing else.
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
from feeds.parse.bounded import Bounded, Enough
from feeds.parse.limits import MAX_ENTRIES, MAX_LOOSE_BYTES
from feeds.parse.prolog import Prolog, doctype_of
from feeds.parse.strict import read_strictly

# What feedparser and sgmllib have been seen to raise, and would raise, on what they do not foresee.
_RAISED = (ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
FULL = f"more than {MAX_ENTRIES} entries; only the first are read"
_DECLARATION = b'<?xml version="1.0" encoding="utf-8"?>'
_ILLEGAL = bytes(set(range(32)) - {9, 10, 13})  # XML 1.0 §2.2
_BUILT_IN = (b"lt", b"gt", b"amp", b"quot", b"apos")
_REFERENCE = re.compile(rb"&([A-Za-z][A-Za-z0-9]{1,31});")
# What may hold an ampersand as it is, a reference, or an ampersand that should have been escaped.
_AMPERSAND = re.compile(
    rb"<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z)|<\?.*?(?:\?>|\Z)|&#[0-9]{1,7};|&#x[0-9A-Fa-f]{1,6};|&([A-Za-z][A-Za-z0-9]*);|&",
    re.DOTALL,
)


class LooseParser(Bounded, feedparser.api.LooseFeedParser):  # type: ignore[misc]
    """feedparser's parser for what no XML parser takes. The prefixes that people forget to declare are known to it."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.namespacemap.update({"rss": "", "atom": "", "atom10": ""})

    def unknown_starttag(self, tag: str, attrs: list[tuple[str, str]]) -> None:
        self.check_depth()
        self.depth -= 1  # counted by feedparser
        super().unknown_starttag(tag, attrs)


@dataclass(frozen=True, slots=True)
class XmlFeed:
    """What feedparser made of a document: its dictionaries, its name for the format, and how it got there."""

    feed: FeedParserDict
    entries: list[FeedParserDict]
    version: str
    strict: bool
    warnings: tuple[str, ...] = ()


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
    """Whether an XML parser takes *document*: a fraction of the time of reading it."""
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
    try:
        return _read_strictly(root, entities, base) or _read_loosely(root, entities, base)
    except _RAISED as error:
        raise _given_up(error) from error


def read_well_formed(root: bytes, entities: dict[bytes, bytes], *, base: str) -> XmlFeed | None:
    """Read a feed's root element strictly, mended where it must be; None where it is not well-formed then."""
    try:
        return _read_strictly(root, entities, base)
    except _RAISED as error:
        raise _given_up(error) from error


def _given_up(error: Exception) -> ParseError:
    return ParseError(
        f"feedparser could not read the document ({type(error).__name__}: {error})",
        remedy="look at the document with `wiredesk preview URL`; its publisher may have to mend it",
    )


def _read_strictly(root: bytes, entities: dict[bytes, bytes], base: str) -> XmlFeed | None:
    found = read_strictly(document_of(root, entities), base)
    if found is None and is_well_formed(better := mended(root, entities)):
        found = read_strictly(better, base)
    if found is None:
        return None
    parser, full = found
    return XmlFeed(parser.feeddata, parser.entries, parser.version, True, (FULL,) if full else ())


def _read_loosely(root: bytes, entities: dict[bytes, bytes], base: str) -> XmlFeed:
    texts = {name.decode(): value.decode("utf-8", "replace") for name, value in entities.items()}
    parser: Any = LooseParser(base, None, "utf-8", texts)
    warnings = ["the document is not well-formed XML; read as well as can be"]
    document = document_of(root, entities)
    if len(document) > MAX_LOOSE_BYTES:
        warnings.append(f"more than {MAX_LOOSE_BYTES} bytes that are not well-formed; only the first are read")
    try:
        parser.feed(document[:MAX_LOOSE_BYTES].decode("utf-8", "replace"))
    except Enough:
        warnings.append(FULL)
    return XmlFeed(parser.feeddata, parser.entries, parser.version, False, tuple(warnings))
