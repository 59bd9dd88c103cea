"""What a page marks in its markup: breadcrumbs, bylines, dates, short lines. Part of `parse`, for `metadata`. Pure.

Class names are asked for once and judged by regular expressions, each distinct name once in a process: several times
faster than an XPath for each kind.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from lxml import etree

from feeds.parse import lines as kinds

MAX_SHORT_LINES = 400

_BREADCRUMB = re.compile(r"bread-?_?crumb|crumbs\b|^crumb$|brotkr|fil-ariane|migas", re.IGNORECASE)
_BYLINE = re.compile(
    r"(?:^|[\s_-])(?:byline|author(?:-?name|__name)?|autor|auteur|writer|by)(?:$|[\s_-])", re.IGNORECASE
)
_DATE = re.compile(r"date|time|meta|ublish|posted|datum|byline|Date|Posted|Datum")
_BYLINE_TAGS = {"a", "span", "div", "p", "address"}
_INLINE = {"a", "span", "b", "strong", "em", "i", "small", "li", "img", "br", "u", "time", "cite", "sup", "sub", "font"}
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
        items = [said.strip(" >›»/|→") for item in element.iter(tag) if (said := words(item))]
        if len(items) > 1:
            last = (items[-1] and text.rpartition(items[-1])[2].strip(" >›»/|→\u200e")) if tag == "a" else ""
            return [item for item in [*items, last] if item and len(item) <= 60]
    return list(kinds.breadcrumb(text))


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
        if len(element) > 12 or any(inner.tag not in _INLINE for inner in element):
            continue
        text = words(element) if len(element) else " ".join((element.text or "").split())
        if 2 < len(text) <= 200 and (not lines or lines[-1] != text):
            lines.append(text)
            if len(lines) >= MAX_SHORT_LINES and seen:
                break
    return before[-80:], lines[:MAX_SHORT_LINES]
