"""What a page says of itself in its markup: JSON-LD (schema.org), breadcrumbs, bylines, dates, short lines. Pure.

Part of `parse`, for `metadata`. Class names are asked for once and judged by regular expressions, each distinct name
once in a process: several times faster than an XPath for each kind.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from html import unescape
from typing import Any

from lxml import etree

from feeds.parse import line_kinds
from feeds.text import plain

# --------------------------------------------------------------------------------------------- marks


MAX_SHORT_LINES = 400

_BREADCRUMB = re.compile(r"bread-?_?crumb|crumbs\b|^crumb$|brotkr|fil-ariane|migas", re.IGNORECASE)
_BYLINE = re.compile(
    r"(?:^|[\s_-])(?:byline|author(?:-?name|__name)?|autor|auteur|writer|by)(?:$|[\s_-])", re.IGNORECASE
)
_DATE = re.compile(r"date|time|meta|ublish|posted|datum|byline|Date|Posted|Datum")
_BYLINE_TAGS = {"a", "span", "div", "p", "address"}
_INLINE = {"a", "span", "b", "strong", "em", "i", "small", "li", "img", "br", "u", "time", "cite", "sup", "sub", "font"}
_ARROWS = " >›»/|→"
_LINE_TAGS = ("h1", "p", "div", "li", "small", "cite", "footer", "figcaption", "em", "td")


def _xpath(path: str) -> Callable[[Any], Any]:
    """Compiled once; what it gives is as untyped as the tree that it is given."""
    compiled: Callable[[Any], Any] = etree.XPath(path)
    return compiled


_NAMES = _xpath("//@class")
_CRUMBS = _xpath(
    "//*[@id and contains(@id,'rumb')] | //*[contains(@aria-label,'rumb')] | //*[contains(@itemtype,'dcrumbList')]"
)
_AUTHORS = _xpath("//*[@rel='author'] | //*[contains(@itemprop,'author')] | //*[contains(@data-testid,'yline')]")


class Marks:
    """The marked elements of one page, found when the first is asked for."""

    def __init__(self, tree: Any) -> None:
        self._tree = tree
        self._found: dict[str, list[Any]] | None = None

    def crumbs(self) -> Iterator[Any]:
        """Elements that are, by name, breadcrumbs."""
        yield from self._kind("crumb")
        yield from _CRUMBS(self._tree)

    def bylines(self) -> Iterator[Any]:
        """Elements that name authors: those that say so outright, then those whose class does."""
        yield from _AUTHORS(self._tree)
        yield from (element for element in self._kind("byline") if element.tag in _BYLINE_TAGS and len(element) <= 6)

    def dates(self) -> Iterator[Any]:
        """Elements whose class speaks of dates, times or publishing."""
        yield from self._kind("date")

    def _kind(self, kind: str) -> list[Any]:
        if self._found is None:
            self._found = {"crumb": [], "byline": [], "date": []}
            for name in _NAMES(self._tree):
                for found in _kinds(str(name)):
                    self._found[found].append(name.getparent())
        return self._found[kind]


@lru_cache(maxsize=8192)
def _kinds(name: str) -> tuple[str, ...]:
    found = (("crumb", _BREADCRUMB), ("byline", _BYLINE), ("date", _DATE))
    return tuple(kind for kind, pattern in found if pattern.search(name)) if len(name) < 300 else ()


def words(element: Any) -> str:
    """The text of *element* on one line."""
    return " ".join(element.text_content().split())


def names_in(element: Any) -> list[str]:
    """The names in a breadcrumb *element*: of its items, its links and what follows the last, or of its text."""
    text = words(element)
    if len(text) > 400:
        return []
    for tag in ("li", "a"):
        items = [name.strip(_ARROWS) for item in element.iter(tag) if (name := words(item))]
        if len(items) > 1:
            if tag == "a" and items[-1]:  # behind the last link stands the page itself
                items.append(text.rpartition(items[-1])[2].strip(_ARROWS + "\u200e"))
            return [item for item in items if 0 < len(item) <= 60]
    return list(line_kinds.breadcrumb(text))


def short_lines(tree: Any) -> tuple[list[str], list[str]]:
    """The short lines of the page before and after its headline, in order; without a headline all are after it."""
    before: list[str] = []
    lines: list[str] = []
    seen = False
    for element in tree.iter(*_LINE_TAGS):
        if element.tag == "h1":
            if not seen:
                seen, before, lines = True, lines, []
            continue
        text = _line_of(element)
        if 2 < len(text) <= 200 and lines[-1:] != [text]:
            lines.append(text)
            if len(lines) >= MAX_SHORT_LINES and seen:
                break
    return before[-80:], lines[:MAX_SHORT_LINES]


def _line_of(element: Any) -> str:
    """The text of *element* where it is one line, ``""`` where blocks are in it."""
    if not len(element):
        return " ".join((element.text or "").split())
    if len(element) > 12 or any(inner.tag not in _INLINE for inner in element):
        return ""
    return words(element)


# ------------------------------------------------------------------------------------------- JSON-LD


MAX_BLOCKS = 30
MAX_NODES = 2_000
MAX_BODY_CHARS = 300_000

_ARTICLE = re.compile(r"\w*(?:Article|Posting|BlogPost)$|Report$")
_BREAK = re.compile(r"[\x00-\x1f]")
_WRAPPED = re.compile(r"^\s*(?:<!\[CDATA\[|<!--|//<!\[CDATA\[)|(?:\]\]>|-->|//\]\]>)\s*;?\s*$")


def ld_nodes(blocks: list[str]) -> list[dict[str, Any]]:
    """Return every object with a type in the JSON-LD *blocks*, outer before inner; what is no JSON counts nothing."""
    found: list[dict[str, Any]] = []
    for block in blocks[:MAX_BLOCKS]:
        try:
            # Line breaks inside strings are what pages get wrong most.
            value = json.loads(_BREAK.sub(" ", _WRAPPED.sub("", block.strip())), strict=False)
        except (ValueError, RecursionError):
            continue
        for node in _walk(value):
            found.append(node)
            if len(found) >= MAX_NODES:
                return found
    return found


def _walk(value: Any) -> Iterator[dict[str, Any]]:
    waiting = [(value, 0)]
    while waiting:
        value, depth = waiting.pop(0)
        if depth > 12:
            continue
        if isinstance(value, dict):
            if "@type" in value:
                yield value
            waiting.extend((inner, depth + 1) for inner in value.values() if isinstance(inner, (dict, list)))
        elif isinstance(value, list):
            waiting.extend((inner, depth + 1) for inner in value[:500] if isinstance(inner, (dict, list)))


def ld_types(node: dict[str, Any]) -> list[str]:
    """Return the types of *node* without their vocabulary."""
    kind = node.get("@type")
    kinds = kind if isinstance(kind, list) else [kind]
    return [kind.rpartition("/")[2] for kind in kinds if isinstance(kind, str)]


def ld_article(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the article that the page is about, ``{}`` without one: of several the first that has a headline."""
    articles = [node for node in found if any(_ARTICLE.match(kind) for kind in ld_types(node))]
    return next((node for node in articles if ld_text(node.get("headline"))), articles[0] if articles else {})


def ld_body(article: dict[str, Any]) -> str:
    """Return the text of *article* as it gives it (``articleBody``), markup out, ``""`` where it gives none."""
    body = article.get("articleBody") or article.get("text")
    if isinstance(body, list):
        body = "\n".join(part for part in body if isinstance(part, str))
    if not isinstance(body, str):
        return ""
    # Some write their markup into it, some write it as references.
    return plain(unescape(body) if "&lt;" in body else body)[:MAX_BODY_CHARS]


def ld_breadcrumb(found: list[dict[str, Any]]) -> list[str]:
    """Return the names of the first BreadcrumbList with any, in the order of their positions."""
    lists = (_dicts(node.get("itemListElement")) for node in found if "BreadcrumbList" in ld_types(node))
    for items in lists:
        items.sort(key=lambda item: _position(item.get("position")))
        names = [ld_text(item.get("name")) or ld_text(item.get("item")) for item in items]
        if any(names):
            return [name for name in names if name and not name.startswith("http")]
    return []


def ld_members(value: Any) -> list[dict[str, Any]]:
    """Return the things of an `itemListElement` in order: those within its ListItems, or they themselves."""
    return [one["item"] if isinstance(one.get("item"), dict) else one for one in _dicts(value)]


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, dict)]


def _position(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        return 0


def ld_text(value: Any) -> str:
    """Return the text of *value*: a string, the first of a list, or the name of an object; ``""`` for nothing."""
    if isinstance(value, list):
        return next((found for inner in value if (found := ld_text(inner))), "")
    if isinstance(value, dict):
        return ld_text(value.get("name")) or ld_text(value.get("@value"))
    return " ".join(value.split()) if isinstance(value, str) else ""


def ld_texts(value: Any) -> list[str]:
    """Return the texts of a list, or of one value."""
    return [found for inner in (value if isinstance(value, list) else [value]) if (found := ld_text(inner))]


def ld_address(value: Any) -> str:
    """Return the address that *value* is or has; ``""`` for none."""
    if isinstance(value, list):
        return next((found for inner in value if (found := ld_address(inner))), "")
    if isinstance(value, dict):
        return ld_address(value.get("url")) or ld_address(value.get("contentUrl")) or ld_address(value.get("@id"))
    return value.strip() if isinstance(value, str) and value.strip().startswith(("http", "/")) else ""
