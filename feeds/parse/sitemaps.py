"""Sitemaps and news sitemaps (sitemaps.org 0.9, Google News) to entries and addresses. Part of `parse`. Pure.

The same guards as for feeds stand before the XML parser: no DOCTYPE reaches it, nothing is fetched or expanded.
"""

from __future__ import annotations

import re
from typing import Any

from lxml import etree

from feeds.dates import parse_date
from feeds.errors import ParseError
from feeds.model import Category, Image, ParsedEntry, ParsedFeed, RawText
from feeds.parse.kinds import recognise, refusal
from feeds.parse.xmlfeed import mended, root_of

MAX_ADDRESSES = 50_000
"""As many as one sitemap may hold (sitemaps.org)."""

MAX_NEWS = 2_000
MAX_SITEMAP_BYTES = 52_428_800

_LISTED = {"url", "sitemap"}  # at any depth: some put a whole sitemap into another
_ADDRESS_LINE = re.compile(rb"https?://\S+\s*$")


def parse_sitemap(body: bytes, *, url: str, content_type: str | None = None) -> ParsedFeed:
    """Return what the sitemap *body* lists.

    Kind ``sitemapindex``: *links* are other sitemaps. Kind ``sitemap``: *links* are pages, and each that a news
    sitemap describes is an entry too. Both newest first as far as dates are given, else in document order. Plain text
    with an address a line is a sitemap as well. Raises ParseError for all else.
    """
    if len(body) > MAX_SITEMAP_BYTES:
        raise ParseError(
            f"a sitemap of more than {MAX_SITEMAP_BYTES} bytes", remedy="name one part of its index instead"
        )
    seen = recognise(body, content_type)
    if seen.kind == "junk" and (lines := _address_lines(seen.body)):
        return ParsedFeed(kind="sitemap", links=lines)
    if seen.kind != "sitemap" or seen.prolog is None:
        if seen.kind == "xml":
            raise ParseError("a feed where a sitemap was expected", remedy="write `url:` instead of `sitemap:`")
        raise refusal(seen, content_type)
    root = _root(mended(root_of(seen.body, seen.prolog), seen.prolog.entities))
    if root is None:
        raise ParseError("a sitemap that is no XML", remedy="tell its publisher; nothing can be read of it")
    index = _local(root) == "sitemapindex"
    warnings: list[str] = []
    listed: list[tuple[str, str, ParsedEntry | None]] = []
    for position, node in enumerate(inner for inner in root.iter(tag=etree.Element) if _local(inner) in _LISTED):
        if position >= MAX_ADDRESSES:
            warnings.append(f"more than {MAX_ADDRESSES} addresses; only the first are read")
            break
        if (address := _text(node, "loc")) is not None:
            entry = None if index else _entry(node, address, position)
            listed.append((_day(node), address, entry))
    dated = sorted(listed, key=lambda item: item[0], reverse=True)
    entries = [entry for _, _, entry in dated if entry is not None]
    return ParsedFeed(
        kind="sitemapindex" if index else "sitemap",
        title=next((entry.publisher for entry in entries if entry.publisher), ""),
        link=url,
        entries=tuple(entries[:MAX_NEWS]),
        links=tuple(dict.fromkeys(address for _, address, _ in dated)),
        warnings=tuple(warnings),
    )


def _root(body: bytes) -> Any:
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=True, encoding="utf-8",
        remove_comments=True, remove_pis=True,
    )  # fmt: skip
    try:
        return etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError):
        return None


def _local(node: Any) -> str:
    return re.split("[}:]", str(node.tag))[-1].lower()  # a prefix that nobody declared stays before the name


def _child(node: Any, name: str) -> Any:
    return next((inner for inner in node.iterchildren(tag=etree.Element) if _local(inner) == name), None)


def _text(node: Any, *path: str) -> str | None:
    for name in path:
        node = _child(node, name) if node is not None else None
    text = "".join(node.itertext()).strip() if node is not None else ""
    return text[:10_000] or None


def _day(node: Any) -> str:
    """What *node* says of its age, in a form that sorts; ``""`` where it says nothing readable."""
    moment = parse_date(_text(node, "news", "publication_date") or _text(node, "lastmod") or "")
    return moment.isoformat() if moment else ""


def _entry(node: Any, address: str, position: int) -> ParsedEntry | None:
    """The entry that a news sitemap describes, None for a page of which only the address is told."""
    title = _text(node, "news", "title")
    if title is None:
        return None
    keywords = re.split(r"\s*[,;]\s*", _text(node, "news", "keywords") or "")
    image = _text(node, "image", "loc")
    return ParsedEntry(
        position=position,
        link=address,
        title=RawText(value=title),
        language=_text(node, "news", "publication", "language"),
        published=_text(node, "news", "publication_date"),
        updated=_text(node, "lastmod"),
        categories=tuple(Category(term=word) for word in dict.fromkeys(keywords) if word),
        publisher=_text(node, "news", "publication", "name"),
        image=Image(url=image, alt=_text(node, "image", "caption") or "") if image else None,
    )


def _address_lines(body: bytes) -> tuple[str, ...]:
    lines = [line.strip() for line in body[:MAX_SITEMAP_BYTES].splitlines() if line.strip()]
    if not lines or not all(_ADDRESS_LINE.match(line) for line in lines[:100]):
        return ()
    return tuple(dict.fromkeys(line.decode("utf-8", "replace") for line in lines[:MAX_ADDRESSES]))
