"""An XML feed read by feedparser's parsers: strictly, mended, or loosely. Part of `parse`. Pure.

`feedparser.parse` itself is not used: it opens whatever is not a stream, and resolves and sanitises HTML, which is
for `normalise` to do. Its parsers get bytes and nothing else, well-formed ones straight from expat.

What an element means, in every dialect of RSS, Atom, CDF and their modules, is feedparser's to say: its ``_start_*``
and ``_end_*`` methods are all used as they are. Ours is the way there: from expat without `xml.sax`, each start tag
looked up once, no URL joined where no base changed, texts stored without copying them. It is twice as fast and gives
the same (`tests/parse/test_expat.py` compares over every feed of the data), but for two faults that it
mends: markup inside a text that bears the name of an element of feeds (``<summary>``, ``<title>``) stays markup, and
what an entry leaves open or declares ends with it, so that it reads the same whichever others stand beside it.
"""

from __future__ import annotations

import base64
import binascii
import html.entities
import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import accumulate
from typing import Any
from xml.parsers import expat
from xml.sax.saxutils import escape

import feedparser.api
from feedparser.html import _cp1252
from feedparser.urls import make_safe_absolute_uri
from feedparser.util import FeedParserDict
from msgspec import Struct

from feeds.errors import ParseError
from feeds.parse.fields import BROKEN_OFF, FULL, MAX_LOOSE_BYTES, MAX_NAMESPACES
from feeds.parse.handlers import Bounded, Enough
from feeds.parse.kinds import Prolog, doctype_of
from feeds.text import mend_references

_XHTML = "application/xhtml+xml"
_USERLAND = "backend.userland.com/rss"
# Elements that keep their namespace where they stand inside a text; as expat names them.
_INLINE = ("http://www.w3.org/1998/Math/MathML math", "http://www.w3.org/2000/svg svg")
_C1 = re.compile("[\x80-\x9f]")
_QUERY_REFERENCE = re.compile("&([A-Za-z0-9_]+);")
_IN_TEXT_INPUT = ("title", "link", "description", "name")
_IN_IMAGE = ("title", "link", "description", "url", "href", "width", "height")
_KEPT_BY_HANDLER = ("category", "tags", "itunes_keywords")
_LANGUAGE_HOLDERS = ("feed", "rss", "rdf:RDF")


class StrictParser(Bounded, feedparser.api.StrictFeedParser):  # type: ignore[misc]
    """feedparser's strict parser with handlers for expat: `declare`, `start`, `end` and `text`."""

    def __init__(self, base: str) -> None:
        super().__init__(base, None, "utf-8")
        self._declared: list[tuple[str | None, str]] = []
        self._inline: list[str | None] = []  # open elements in a text: markup, None left out, "" neither
        self._tags: dict[str, str] = {}  # expat's "namespace local prefix" to feedparser's "prefix:local"
        self._keys: dict[str, tuple[str, ...]] = {}
        self._starts: dict[str, tuple[str, Any]] = {}
        self._ends: dict[str, tuple[str, Any]] = {}

    def declare(self, prefix: str | None, uri: str | None) -> None:
        """Take note of a namespace; it counts from the element that follows."""
        self._declared.append((prefix, uri or ""))

    def start(self: Any, name: str, attributes: dict[str, str]) -> None:
        """Open the element *name*, as expat writes it with its namespace."""
        if self._declared:
            self._take_declared(name)
        self.check_depth()
        tag = self._tags.get(name) or self._tag(name)
        values: dict[str, str] = {}
        if attributes or self.decls or name.startswith(_INLINE):  # as most are not
            values = self._values(name, attributes)
            self._set_base_and_language(tag, values)
        self.basestack.append(self.baseuri)
        self.langstack.append(self.lang)
        if self.incontent:
            self._start_inline(tag, values)
        else:
            self._open(tag, values)

    def _set_base_and_language(self: Any, tag: str, values: dict[str, str]) -> None:
        if base := values.get("xml:base") or values.get("base"):
            joined = make_safe_absolute_uri(self.baseuri, base) if self.baseuri else base
            self.baseuri = joined or self.baseuri
        self.lang = values.get("xml:lang", values.get("lang", self.lang)) or None
        if self.lang and tag in _LANGUAGE_HOLDERS:
            self.feeddata["language"] = self.lang.replace("_", "-")

    def _values(self: Any, name: str, attributes: dict[str, str]) -> dict[str, str]:
        """The attributes of the element *name* under feedparser's names."""
        values: dict[str, str] = self.decls
        self.decls: dict[str, str] = {}
        if name.startswith(_INLINE):
            values["xmlns"] = name.split(" ")[0]
        for key, value in attributes.items():
            for known in self._keys.get(key) or self._key(key):
                values[known] = value.lower() if known == "rel" or known == "type" else value
        return values

    def end(self: Any, name: str) -> None:
        """Close the element *name*."""
        inline = self._inline.pop() if self._inline else ""
        if inline:
            self.text(f"</{inline}>", False)
        elif inline == "":
            self._close(self._tags.get(name) or self._tag(name))
        self.basestack.pop()
        if self.basestack and self.basestack[-1]:
            self.baseuri = self.basestack[-1]
        self.langstack.pop()
        if self.langstack:
            self.lang = self.langstack[-1]
        self.depth -= 1

    def _close(self: Any, tag: str) -> None:
        key, method = self._ends.get(tag) or self._handler(self._ends, "_end_", tag)
        try:
            if method is not None:
                method(self)
                return
        except AttributeError:  # as feedparser has it: an element out of its place is as good as an unknown one
            pass
        self.pop(key)

    def text(self: Any, text: str, escaped: bool = True) -> None:
        """Add *text* to the open element."""
        if self.elementstack:
            if escaped and dict.get(self.contentparams, "type") == _XHTML:
                text = escape(text)
            self.elementstack[-1][2].append(text)

    def _take_declared(self: Any, name: str) -> None:
        if not self.inentry and name.split(" ")[1 if " " in name else 0].lower() in ("item", "entry"):
            self.spaces = (dict(self.namespacemap), dict(self.namespaces_in_use), self.version)
        for prefix, uri in self._declared:
            self.startPrefixMapping(prefix, uri)
        self._declared.clear()
        if len(self.namespaces_in_use) > MAX_NAMESPACES:
            raise ParseError(
                f"more than {MAX_NAMESPACES} namespaces declared",
                remedy="this looks like an attack; remove the source unless its publisher is known",
            )

    def _start_inline(self: Any, tag: str, values: dict[str, str]) -> None:
        """Markup inside a text becomes part of it; a text that said it was escaped is not, then."""
        if not dict.get(self.contentparams, "type", "xml").endswith("xml"):
            if tag in ("xhtml:div", "div"):
                self._inline.append(None)
                return
            self.contentparams["type"] = _XHTML
        if dict.get(self.contentparams, "type") != _XHTML:
            self._inline.append("")
            self._open(tag, values)
            return
        prefix, _, local = tag.rpartition(":")
        if prefix and (uri := self.namespaces_in_use.get(prefix, "")) and f"{uri} {local}" in _INLINE:
            values["xmlns"] = uri
        self._inline.append(local)
        self.text(f"<{local}{self.strattrs(list(values.items()))}>", False)

    def _open(self: Any, tag: str, values: dict[str, str]) -> None:
        key, method = self._starts.get(tag) or self._handler(self._starts, "_start_", tag)
        if ":" not in tag:
            if tag not in _IN_TEXT_INPUT:
                self.intextinput = 0
            if tag not in _IN_IMAGE:
                self.inimage = 0
        try:
            if method is not None:
                method(self, values)
                return
        except AttributeError:
            pass
        if values:
            self._get_context()[key] = values
        else:
            self.push(key, 1)

    def _handler(self, handlers: dict[str, tuple[str, Any]], verb: str, tag: str) -> tuple[str, Any]:
        key = tag.replace(":", "_", 1)
        # The class's own function: the parser would hold itself by one that is bound, and with it all that was read.
        handlers[tag] = key, getattr(type(self), verb + key, None)
        return handlers[tag]

    def pop(self: Any, element: str, strip_whitespace: int = 1) -> str | None:
        """Close *element* if it is the open one, store its text where it belongs, and return it."""
        if not self.elementstack or self.elementstack[-1][0] != element:
            return None
        _, expecting, pieces = self.elementstack.pop()
        if dict.get(self.contentparams, "type") == _XHTML and self.version == "atom10":
            pieces = _without_wrapper(pieces)
        output: str = "".join(pieces)
        if strip_whitespace:
            output = output.strip()
        if not expecting:
            return output
        output = self._meant(element, output)
        is_inner_title = element == "title" and -1 < self.title_depth <= self.depth
        if element not in _KEPT_BY_HANDLER and not is_inner_title:
            self._store(element, output)
        return output

    def _meant(self: Any, element: str, output: str) -> str:
        """The text of *element* as it was meant; what it is goes into its parameters."""
        params = self.contentparams
        if dict.get(params, "base64"):
            output = _from_base64(output)
        if output and element in self.can_be_relative_uri:
            output = self.resolve_uri(output)
        plain = dict.get(params, "type") == "text/plain" and not self.version.startswith("atom")
        if plain and self.looks_like_html(output):
            params["type"] = "text/html"
        dict.pop(params, "mode", None)
        dict.pop(params, "base64", None)
        return output if output.isascii() else _mended(output)

    def _store(self: Any, element: str, output: str) -> None:
        """Put the text of *element* into the entry, or the feed or source, that it stands in."""
        in_entry = self.inentry and not self.insource
        if not (in_entry or self.infeed or self.insource):
            return
        context = self._get_context()
        if element == "link":
            if not (in_entry and self.inimage):
                _store_link(context, _QUERY_REFERENCE.sub(r"&\1", output.replace("&amp;", "&")), in_entry)
        elif element == "content" and in_entry:
            context.setdefault("content", []).append(FeedParserDict(self.contentparams, value=output))
        elif element == "description":
            self._store_text(context, "summary" if in_entry else "subtitle", output, in_entry)
        else:
            self._store_text(context, element, output, in_entry)

    def _store_text(self: Any, context: Any, element: str, output: str, in_entry: bool) -> None:
        # In an entry a text that stands deeper than another of its name does not count.
        depths = self.property_depth_map.setdefault(context, {}) if in_entry else {}
        if depths.get(element, self.depth) >= self.depth:
            depths[element] = self.depth
            context[element] = output
        if self.incontent:
            context[element + "_detail"] = FeedParserDict(self.contentparams, value=output)

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
        """feedparser's names of an attribute: with its own prefix, and with the document's."""
        parts = name.split(" ")
        if len(parts) == 1:
            keys: tuple[str, ...] = (name.lower(),)
        else:
            prefix = self._matchnamespaces.get(parts[0].lower(), "")
            bare = f"{prefix}:{parts[1]}" if prefix else parts[1]
            keys = (bare.lower(), ":".join(parts[:0:-1]).lower())
        self._keys[name] = keys
        return keys


# What expat says where a document ends too early: in a tag, a character, a CDATA section, or between elements.
_EARLY = {
    expat.errors.codes[said]
    for said in (
        expat.errors.XML_ERROR_NO_ELEMENTS,
        expat.errors.XML_ERROR_UNCLOSED_TOKEN,
        expat.errors.XML_ERROR_PARTIAL_CHAR,
        expat.errors.XML_ERROR_UNCLOSED_CDATA_SECTION,
    )
}


def _store_link(context: Any, address: str, in_entry: bool) -> None:
    context["link"] = address
    if address or not in_entry:
        context["links"][-1]["href"] = address


def _without_wrapper(pieces: list[str]) -> list[str]:
    """Atom wraps XHTML in one div that is not part of the text (RFC 4287 §3.1.1.3)."""
    filled = [number for number, piece in enumerate(pieces) if piece.strip()]
    pieces = pieces[filled[0] : filled[-1] + 1] if filled else pieces[:1]
    if not pieces or not pieces[0].startswith(("<div>", "<div ")) or pieces[-1] != "</div>":
        return pieces
    # Where the first div ends before the last piece, it is not around all of them.
    depths = accumulate(map(_step, pieces[:-1]))
    ends_before = any(depth == 0 and piece.startswith("</") for depth, piece in zip(depths, pieces, strict=False))
    return pieces if ends_before else pieces[1:-1]


def _step(piece: str) -> int:
    """How much deeper what follows *piece* stands."""
    if piece.startswith("</"):
        return -1
    return 1 if piece.startswith("<") and not piece.endswith("/>") else 0


def _from_base64(output: str) -> str:
    try:
        return base64.decodebytes(output.encode()).decode()
    except (binascii.Error, UnicodeDecodeError):
        return output


def _mended(output: str) -> str:
    """UTF-8 that was read as Latin-1 somewhere on its way, and windows-1252 that was written as numbers."""
    try:
        output = output.encode("iso-8859-1").decode("utf-8")
    except UnicodeError:
        pass
    return output.translate(_cp1252) if _C1.search(output) else output


# ------------------------------------------------------------------------- strictly, mended, loosely


# What feedparser and sgmllib have been seen to raise, and would raise, on what they do not foresee.
_RAISED = (ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
_DECLARATION = b'<?xml version="1.0" encoding="utf-8"?>'
_ILLEGAL = bytes(set(range(32)) - {9, 10, 13})  # XML 1.0 §2.2
_NO_CHARACTERS = re.compile(rb"\xef\xbf[\xbe\xbf]")  # U+FFFE and U+FFFF, that §2.2 forbids as well
# What is not to be touched, or what should have been escaped: a reference, an ampersand, a < that begins no tag.
_FAULTS = re.compile(
    rb"<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z)|<\?.*?(?:\?>|\Z)"
    rb"|(?P<numbers>(?:&#(?:[0-9]+|[xX][0-9A-Fa-f]+);?)+)|&(?!(?:lt|gt|amp|quot|apos);)(?:(?P<name>[A-Za-z][A-Za-z0-9]*);)?"
    rb"|\]\]>|<(?![A-Za-z_/\x80-\xff]|\Z)",
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


class XmlFeed(Struct, frozen=True):
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
            return _value_of(name, entities) or b"&amp;" + text[1:]
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


@contextmanager
def _feedparser_errors() -> Iterator[None]:
    """Raise ParseError where feedparser gives up."""
    try:
        yield
    except _RAISED as error:
        raise ParseError(
            f"feedparser could not read the document ({type(error).__name__}: {error})",
            remedy="look at the document with `wiredesk preview URL`; its publisher may have to mend it",
        ) from error


@_feedparser_errors()
def read_strictly(root: bytes, entities: dict[bytes, bytes], *, base: str) -> XmlFeed | None:
    """Read a feed's root element strictly, mended where it must be; None where it is not well-formed then.

    Of a document that breaks off the entries are read that stand whole before. Raises ParseError.
    """
    return _read(document_of(root, entities), base) or _read(mended(root, entities), base)


@_feedparser_errors()
def read_loosely(root: bytes, entities: dict[bytes, bytes], *, base: str) -> XmlFeed:
    """Read a feed's root element with the parser for what no XML parser takes. Raises ParseError."""
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


def _read(document: bytes, base: str) -> XmlFeed | None:
    """What feedparser's handlers make of *document*; None where it is not well-formed."""
    parser = StrictParser(base)
    reader = expat.ParserCreate(namespace_separator=" ")
    reader.namespace_prefixes = True
    reader.buffer_text = True
    reader.StartNamespaceDeclHandler = parser.declare
    reader.StartElementHandler = parser.start
    reader.EndElementHandler = parser.end
    reader.CharacterDataHandler = parser.text
    warnings: tuple[str, ...] = ()
    try:
        reader.Parse(document, True)
    except expat.ExpatError as error:
        if error.code not in _EARLY:
            return None
        parser.broke_off(document)
        warnings = (BROKEN_OFF,)
    except Enough:
        warnings = (FULL,)
    return XmlFeed(parser.feeddata, parser.entries, parser.version, True, warnings)
