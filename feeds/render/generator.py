"""feedgen's generators as the desk uses them: deterministic, free of the locale, with our extensions. Pure.

Traps of feedgen 1.0 that are closed here and in `rss` and `atom`: unset dates become the present, RSS dates go through
the process-wide `setlocale`, entries are put in front, a channel's link is the last one given, an entry's links lose
their rel, its syndication extension writes a wrong case, and its atom:source has neither id nor date.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from feedgen.ext.base import BaseEntryExtension, BaseExtension
from feedgen.feed import FeedGenerator
from lxml import etree

from feeds.frames import OPTIONAL_NAMESPACES
from feeds.model import Format

ATOM = "http://www.w3.org/2005/Atom"
NAMESPACES: dict[str, str] = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "media": "http://search.yahoo.com/mrss/",
    "fh": "http://purl.org/syndication/history/1.0",
    "xhtml": "http://www.w3.org/1999/xhtml",
}
RSS_NAMESPACES = NAMESPACES | {
    "dcterms": "http://purl.org/dc/terms/",
    "slash": "http://purl.org/rss/1.0/modules/slash/",
    "sy": "http://purl.org/rss/1.0/modules/syndication/",
    "wfw": "http://wellformedweb.org/CommentAPI/",
}
ATOM_NAMESPACES = NAMESPACES | {
    "at": "http://purl.org/atompub/tombstones/1.0",
    "thr": "http://purl.org/syndication/thread/1.0",
}

PREFIXES = (
    OPTIONAL_NAMESPACES
    | RSS_NAMESPACES
    | ATOM_NAMESPACES
    | {
        "atom": ATOM,
        "content": "http://purl.org/rss/1.0/modules/content/",
        "xml": "http://www.w3.org/XML/1998/namespace",
    }
)
"""Every prefix that a document may declare."""

Write = Callable[[etree._Element], None]


class Stamp(datetime):
    """A date that feedgen writes as *text*, or leaves out where *text* is empty."""

    text: str

    @classmethod
    def of(cls, text: str) -> Stamp:
        stamp = cls(2000, 1, 1, tzinfo=UTC)
        stamp.text = text
        return stamp

    def isoformat(self, sep: str = "T", timespec: str = "auto") -> str:
        return self.text

    def __bool__(self) -> bool:
        return bool(self.text)


class Feed(BaseExtension):  # type: ignore[misc]
    """What *write* adds to a channel or feed; *optional* are the namespaces declared that few documents need."""

    write: Write | None = None
    optional: dict[str, str] = OPTIONAL_NAMESPACES
    namespaces: dict[str, str] = {}

    def extend_ns(self) -> dict[str, str]:
        return self.optional | self.namespaces

    def extend_rss(self, feed: etree._Element) -> etree._Element:
        if self.write:
            self.write(feed[0])
        return feed

    def extend_atom(self, feed: etree._Element) -> etree._Element:
        if self.write:
            self.write(feed)
        return feed


class Entry(BaseEntryExtension):  # type: ignore[misc]
    """What *write* adds to an item or entry."""

    write: Write | None = None

    def extend_rss(self, item: etree._Element) -> etree._Element:
        if self.write:
            self.write(item)
        return item

    extend_atom = extend_rss


def new_generator(format: Format) -> Any:
    """Return a feedgen generator for *format* ("rss" or "atom") with our extensions, as ``generator.desk``."""
    generator = FeedGenerator()
    generator.register_extension("desk", Feed, Entry)
    generator.desk.namespaces = RSS_NAMESPACES if format == "rss" else ATOM_NAMESPACES
    return generator


def add(parent: etree._Element, name: str, text: str | None = None, /, **attributes: str) -> etree._Element:
    """Add an element to *parent* and return it; *name* may have one of our prefixes, such as ``dc:creator``."""
    child = etree.SubElement(parent, expanded(name), attributes)
    child.text = text
    return child


def add_texts(parent: etree._Element, *pairs: tuple[str, str | None]) -> None:
    """Add an element to *parent* for each name with a text; none where the text is empty."""
    for name, text in pairs:
        if text:
            add(parent, name, text)


LICENCE_TYPE = "application/rsl+xml"
"""Of terms for machines (Really Simple Licensing 1.0)."""


def add_looks(element: etree._Element, icon_url: str | None, colour: str) -> None:
    """Add to a channel or feed what readers show it with: Feedly's elements, which others read too."""
    add_texts(element, ("webfeeds:icon", icon_url), ("webfeeds:accentColor", colour.removeprefix("#")))


def expanded(name: str) -> str:
    """Return the name with its prefix as lxml wants it.

    >>> expanded("dc:creator"), expanded("pubDate")
    ('{http://purl.org/dc/elements/1.1/}creator', 'pubDate')
    """
    prefix, colon, local = name.rpartition(":")
    return f"{{{PREFIXES[prefix]}}}{local}" if colon else name


def undeclared(body: bytes) -> bytes:
    """Return *body* without the declarations of optional namespaces."""
    for prefix, uri in OPTIONAL_NAMESPACES.items():
        body = body.replace(f' xmlns:{prefix}="{uri}"'.encode(), b"", 1)
    return body


def cut_out(body: bytes, opening: bytes, closing: bytes) -> list[bytes]:
    """Return the elements of *body* between these tags, which stand side by side.

    Text is escaped, so the tags can only be the markup's own.

    >>> cut_out(b"<channel><item>1</item><item>2</item></channel>", b"<item>", b"</item>")
    [b'<item>1</item>', b'<item>2</item>']
    """
    if opening not in body:
        return []
    return [piece + closing for piece in body[body.index(opening) : body.rindex(closing)].split(closing)]
