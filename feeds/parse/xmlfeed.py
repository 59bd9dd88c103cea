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
from feeds.parse.limits import BROKEN_OFF, MAX_ENTRIES, MAX_LOOSE_BYTES, MAX_NAMESPACES
from feeds.parse.prolog import Prolog, doctype_of
from feeds.parse.strict import read_strictly
from feeds.text import mend_references

# What feedparser and sgmllib have been seen to raise, and would raise, on what they do not foresee.
_RAISED = (ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
FULL = f"more than {MAX_ENTRIES} entries; only the first are read"
_DECLARATION = b'<?xml version="1.0" encoding="utf-8"?>'
_ILLEGAL = bytes(set(range(32)) - {9, 10, 13})  # XML 1.0 §2.2
_NO_CHARACTERS = re.compile(rb"\xef\xbf[\xbe\xbf]")  # U+FFFE and U+FFFF, that §2.2 forbids as well
_BUILT_IN = (b"lt", b"gt", b"amp", b"quot", b"apos")
# What is not to be touched, or what should have been escaped: a reference, an ampersand, a < that begins no tag.
_FAULTS = re.compile(
    rb"<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z)|<\?.*?(?:\?>|\Z)"
    rb"|(?P<numbers>(?:&#(?:[0-9]+|[xX][0-9A-Fa-f]+);?)+)|&(?P<name>[A-Za-z][A-Za-z0-9]*);|&|\]\]>|<(?![A-Za-z_/\x80-\xff]|\Z)",
    re.DOTALL,
)
_ESCAPED = {b"&": b"&amp;", b"<": b"&lt;", b"]]>": b"]]&gt;"}
_PREFIXES = re.compile(rb"<([A-Za-z_][\w.\-]*):[A-Za-z_]|[\s\"']([A-Za-z_][\w.\-]*):[A-Za-z_][\w.\-]*\s*=\s*[\"']")
_ROOT_TAG = re.compile(rb"""(<[^\s/>]+)((?:[^"'>]++|"[^"]*+"|'[^']*+')*+)""")
_DECLARED = re.compile(rb"\sxmlns:([A-Za-z_][\w.\-]*)\s*=")


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
    end = b"</" + prolog.name.encode()
    closing = body.rfind(end)
    return body[prolog.start : closing] + end + b">" if closing >= prolog.end else body[prolog.start :]


def document_of(root: bytes, entities: dict[bytes, bytes]) -> bytes:
    """Return *root* as an XML document with a prolog of our own."""
    return _DECLARATION + doctype_of(entities) + root.translate(None, _ILLEGAL)


def mended(root: bytes, entities: dict[bytes, bytes]) -> bytes:
    """Return `document_of` *root* with what people forget set right (criterion F5).

    References are characters: those of HTML's names and of *entities* too, surrogate pairs the one that they mean, and
    what names no character is left out. Bare ampersands, less-than signs and ends of CDATA are escaped, the prefixes
    that are used declared.
    """

    def right(found: re.Match[bytes]) -> bytes:
        text, name = found.group(), found["name"]
        if found["numbers"]:
            return mend_references(text.decode("ascii")).encode("ascii")
        if name is not None:
            return text if name in _BUILT_IN else _value_of(name, entities) or b"&amp;" + text[1:]
        return _ESCAPED.get(text, text)

    return document_of(_with_prefixes(_FAULTS.sub(right, _NO_CHARACTERS.sub(b"", root))), {})


def _value_of(name: bytes, entities: dict[bytes, bytes]) -> bytes | None:
    if name in entities:
        return entities[name]
    value = html.entities.html5.get(name.decode() + ";")
    return value.encode("ascii", "xmlcharrefreplace") if value else None


def _with_prefixes(root: bytes) -> bytes:
    """*root* with all prefixes declared that it uses: as feeds mean them, else as names that stand for nothing."""
    tag = _ROOT_TAG.match(root)
    used = {prefix for pair in _PREFIXES.findall(root) for prefix in pair if prefix}
    if tag is None or len(used) > MAX_NAMESPACES:
        return root
    missing = used.difference(_DECLARED.findall(tag[2]), (b"xml", b"xmlns"))
    declared = [b' xmlns:%s="%s"' % (prefix, _namespace_of(prefix.decode())) for prefix in sorted(missing)]
    return tag[1] + b"".join(declared) + root[tag.end(1) :]


def _namespace_of(prefix: str) -> bytes:
    known = feedparser.api.StrictFeedParser.namespaces
    uri = next((uri for uri, its in known.items() if uri and its == prefix), None) or f"urn:undeclared:{prefix}"
    return uri.encode()


def is_well_formed(document: bytes) -> bool:
    """Whether an XML parser takes *document* as it is; no DOCTYPE must be in it."""
    try:
        expat.ParserCreate().Parse(document, True)
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
    if found is None:
        found = read_strictly(mended(root, entities), base)
    if found is None:
        return None
    parser, end = found
    warnings = {"enough": (FULL,), "early": (BROKEN_OFF,), "proper": ()}[end]
    return XmlFeed(parser.feeddata, parser.entries, parser.version, True, warnings)


def _read_loosely(root: bytes, entities: dict[bytes, bytes], base: str) -> XmlFeed:
    parser: Any = LooseParser(base, None, "utf-8", {})
    warnings = ["the document is not well-formed XML; read as well as can be"]
    document = mended(root, entities)
    if len(document) > MAX_LOOSE_BYTES:
        warnings.append(f"more than {MAX_LOOSE_BYTES} bytes that are not well-formed; only the first are read")
    try:
        parser.feed(document[:MAX_LOOSE_BYTES].decode("utf-8", "replace"))
    except Enough:
        warnings.append(FULL)
    return XmlFeed(parser.feeddata, parser.entries, parser.version, False, tuple(warnings))
