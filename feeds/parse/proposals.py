"""Selectors for a page or JSON that lists articles and is no feed, from what repeats in it. Part of `parse`. Pure.

    elements of one class or one parent -> columns of what each of them has -> the parts of an article -> the best group

A group is as good as it has headlines of its own, each with an address, a date and a text.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import chain
from math import prod
from typing import Any

import jmespath
from msgspec import Struct
from msgspec.structs import replace

from feeds.configuration import Select
from feeds.dates import listed_date, parse_date
from feeds.errors import ParseError
from feeds.parse.json_feeds import read_json
from feeds.parse.page_marks import words
from feeds.parse.pages import MAX_ELEMENTS, page_tree
from feeds.parse.selected import ENOUGH, MAX_ARTICLES, compiled

MOST_GROUPS = 25
MOST_COLUMNS = 60
SAMPLE = 30
"""Members of a group that are looked at; their likes are like them."""

_FURNITURE = ("nav", "footer", "aside", "form", "head", "select")
_ITEMS = ("article", "li", "tr", "div", "section", "a", "p", "dt", "td")
_PARTS = ("a", "time", "p", "img", "b", "strong", "small", "em", "i", "h1", "h2", "h3", "h4", "h5", "h6")
_HEADING = re.compile(r"h[1-6]")
_NAME = re.compile(r"[A-Za-z_][A-Za-z_-]*\d?[A-Za-z_-]*")
"""A class that people wrote: what a program adds holds several digits, and changes with the next design."""
_TITLE_NAME = re.compile(r"title|titel|titre|headline|heading|subject|name", re.IGNORECASE)
_AUTHOR_NAME = re.compile(r"author|byline|(?<![a-z])by(?![a-z])|autor|auteur|writer|user|who", re.IGNORECASE)
_LONGEST_DATE = 60


class _Column(Struct, frozen=True):
    """What *selector* finds first in each member of a group: elements, None for none, and their words."""

    selector: str
    elements: tuple[Any, ...]
    texts: tuple[str, ...]

    @property
    def share(self) -> float:
        """Of how many of the members it is."""
        return sum(element is not None for element in self.elements) / len(self.elements)

    @property
    def words(self) -> float:
        """The mean number of words, where there are any."""
        counts = [len(text.split()) for text in self.texts if text]
        return sum(counts) / len(counts) if counts else 0.0

    @property
    def distinct(self) -> float:
        """The share of different texts among those that there are."""
        texts = [text for text in self.texts if text]
        return len(set(texts)) / len(texts) if texts else 0.0


def propose(body: bytes, *, content_type: str | None, now: datetime) -> Select | None:
    """Return selectors for the articles that the page *body* at *url* lists; None where nothing repeats like some.

    Dates count as such where they can be read at *now*.
    """
    try:
        tree = page_tree(body, content_type)
    except ParseError:
        return None
    if tree is None or tree.xpath("count(//*)") > MAX_ELEMENTS:
        return None
    found = filter(None, (_proposed(item, members, now) for item, members in _groups(tree)))
    return max(found, key=lambda one: one[0], default=(0.0, None))[1]


# --------------------------------------------------------------------------- what repeats


def _groups(tree: Any) -> list[tuple[str, Sequence[Any]]]:
    """The groups of elements that may be articles, with the selector of each; those with most headlines first."""
    apart = set(chain.from_iterable(outer.iter() for outer in tree.iter(*_FURNITURE)))
    sizes: Counter[str] = Counter()
    for element in tree.iter(*_ITEMS):
        if element not in apart and _has_headline(element):
            sizes.update(_selectors_of(element))
    likely = [selector for selector, size in sizes.most_common(MOST_GROUPS) if size >= ENOUGH]
    groups = [(selector, compiled(selector, "descendant-or-self::")(tree)) for selector in likely]
    return [(selector, members) for selector, members in groups if _is_list(members, apart)]


def _selectors_of(element: Any) -> Iterator[str]:
    for name in _names(element):
        yield f"{element.tag}.{name}"
    parent = element.getparent()
    if parent is not None and (above := _place_of(parent)):
        yield f"{above} > {element.tag}"


def _place_of(element: Any) -> str:
    """How *element* is known by itself or by what it is in; ``""`` where that is neither by an id nor by a class."""
    tags: list[str] = []
    for up in (element, *element.iterancestors()):
        if up.tag in ("body", "html") or len(tags) > 2:
            break
        name = next(iter(_names(up)), "")
        if _NAME.fullmatch(up.get("id") or ""):
            return " > ".join([f"#{up.get('id')}", *tags])
        if name:
            return " > ".join([f"{up.tag}.{name}", *tags])
        tags.insert(0, up.tag)
    return " > ".join(tags) if element.tag in ("main", "table", "tbody") else ""


def _names(element: Any) -> list[str]:
    return [name for name in (element.get("class") or "").split() if _NAME.fullmatch(name)]


def _has_headline(element: Any) -> bool:
    """Whether a link in *element* has words."""
    return any(link.get("href") and len(link.text_content().split()) >= 2 for link in element.iter("a"))


def _is_list(members: Sequence[Any], apart: set[Any]) -> bool:
    known = set(members)
    few = ENOUGH <= len(members) <= MAX_ARTICLES
    return few and not any(one in apart or not known.isdisjoint(one.iterancestors()) for one in members)


# --------------------------------------------------------------------------- the parts of an article


_WITH = {"link": 1.0, "date": 1.6, "text": 1.3, "picture": 1.1, "author": 1.05}
_WITHOUT = {"link": 0.4}
"""How much better a group is for a part that it has, and how much worse without."""


def _proposed(item: str, members: Sequence[Any], now: datetime) -> tuple[float, Select] | None:
    """How good the group *item* is, and the selectors of its parts; None where it has no headlines."""
    sample = members[:SAMPLE]
    columns = [_column(selector, sample) for selector in _column_selectors(sample)]
    dates = [column for column in columns if _are_dates(column, now)]
    others = [column for column in columns if column not in dates]
    title = max(filter(_may_be_title, others), key=_title_score, default=None)
    if title is None:
        return None
    found: dict[str, Any] = {
        "link": _link_of(title, columns, sample),
        "date": _date_selector(dates),
        "text": _text_of(title, dates, columns),
        "picture": _first(filter(_may_be_picture, columns)),
        "author": _first(filter(_may_be_author, others)),
    }
    weights = [_WITH[part] if selector else _WITHOUT.get(part, 1.0) for part, selector in found.items()]
    score = len(members) * title.share * min(title.words, 5) * prod(weights)
    return score, replace(Select(item=item, title=title.selector), **found)


def _first(columns: Iterable[_Column]) -> str:
    return next((column.selector for column in columns), "")


def _column_selectors(members: Iterable[Any]) -> list[str]:
    found: dict[str, None] = {}
    for member in list(members)[:5]:
        for element in member.iterdescendants():
            for name in _names(element):
                found[f".{name}"] = None
            if element.tag in ("td", "th"):
                found[f"{element.tag}:nth-child({1 + sum(1 for _ in element.itersiblings(preceding=True))})"] = None
            elif element.tag in _PARTS:
                found[element.tag] = None
    return list(found)[:MOST_COLUMNS]


def _column(selector: str, members: Sequence[Any]) -> _Column:
    find = compiled(selector)
    elements = tuple(next(iter(find(member)), None) for member in members)
    return _Column(selector, elements, tuple("" if one is None else words(one) for one in elements))


def _are_dates(column: _Column, now: datetime) -> bool:
    pairs = zip(column.elements, column.texts, strict=True)
    texts = [(one.get("datetime") or "").strip() or text for one, text in pairs if one is not None]
    return column.share >= 0.6 and sum(_is_date(text, now) for text in texts) >= 0.8 * len(texts)


def _is_date(text: str, now: datetime) -> bool:
    return len(text) <= _LONGEST_DATE and (parse_date(text) or listed_date(text, now, UTC)) is not None


def _may_be_title(column: _Column) -> bool:
    return column.share >= 0.9 and column.distinct >= 0.8 and 2 <= column.words <= 30 and column.selector != "img"


def _title_score(column: _Column) -> float:
    element = next(one for one in column.elements if one is not None)
    linked = element.tag == "a" or next(element.iter("a"), None) is not None
    score = 3.0 * bool(_HEADING.fullmatch(column.selector)) + 2.0 * linked
    score += 2.0 * bool(_TITLE_NAME.search(column.selector)) - 2.0 * bool(_AUTHOR_NAME.search(column.selector))
    # What holds more than the headline is longer than it.
    return score + min(column.words, 8) / 8 - max(0.0, column.words - 14) / 4


def _link_of(title: _Column, columns: Sequence[_Column], members: Sequence[Any]) -> str:
    """The selector of the article's address: of the headline's own link, else of one around it or beside it."""
    titled = [member for member, one in zip(members, title.elements, strict=True) if one is not None]
    for selector in (f"{title.selector}@href", f"{title.selector} a@href", "@href"):
        if all(map(compiled(selector), titled)):
            return selector
    beside = _first(one for one in columns if one.share >= 0.9 and _addresses(one) >= 0.8 * len(members))
    return f"{beside}@href" if beside else ""


def _addresses(column: _Column) -> int:
    """How many addresses the links of *column* lead to."""
    links = {one.get("href") for one in column.elements if one is not None and one.tag == "a"}
    return len(links - {None, "#"})


def _date_selector(dates: Sequence[_Column]) -> str:
    """The selector of the surest of *dates*: of an element for times, else of the shortest."""
    if not dates:
        return ""
    column = min(dates, key=lambda one: (one.elements[0] is None or one.elements[0].tag != "time", one.words))
    stated = all(one is None or one.get("datetime") for one in column.elements)
    return f"{column.selector}@datetime" if stated else column.selector


def _text_of(title: _Column, dates: Sequence[_Column], columns: Sequence[_Column]) -> str:
    """The selector of the longest text that is not, and does not hold, headline or date."""
    others = set(chain.from_iterable(column.elements for column in (title, *dates))) - {None}
    telling = (one for one in columns if one.share >= 0.5 and one.words >= 8 and one.distinct >= 0.6)
    apart = [one for one in telling if _is_apart(one, others)]
    return max(apart, key=lambda one: one.words).selector if apart else ""


def _is_apart(column: _Column, others: set[Any]) -> bool:
    """Whether no element of *column* holds, or stands in, one of *others*."""
    return all(
        others.isdisjoint(one.iter()) and others.isdisjoint(one.iterancestors())
        for one in column.elements
        if one is not None
    )


def _may_be_picture(column: _Column) -> bool:
    return column.share >= 0.5 and column.selector == "img"


def _may_be_author(column: _Column) -> bool:
    return column.share >= 0.5 and bool(_AUTHOR_NAME.search(column.selector)) and 0 < column.words <= 6


# --------------------------------------------------------------------------- JSON


MOST_VALUES = 20_000
_NAMES: dict[str, tuple[str, ...]] = {
    "id": ("id", "guid", "uuid"),
    "title": ("title", "headline", "name", "subject", "heading"),
    "link": ("url", "link", "href", "permalink", "canonical_url", "web_url", "html_url", "path", "slug"),
    "date": (
        "date_published",
        "published_at",
        "published",
        "pubdate",
        "issued",
        "created_at",
        "created",
        "date",
        "time",
    ),
    "text": ("content", "body", "text", "description", "summary", "abstract", "excerpt", "teaser", "message"),
    "picture": ("image", "image_url", "thumbnail", "picture"),
    "author": ("author", "byline", "creator", "user"),
    "category": ("category", "categories", "tags", "section"),
}
"""What programs call the parts of an article, the likeliest first."""


def propose_json(body: bytes) -> Select | None:
    """Return selectors for the longest list of things with headlines in the JSON *body*; None where there is none."""
    try:
        value = read_json(body)[0]
    except ParseError:
        return None
    found = [(len(listed), _of_members(path, listed[:SAMPLE])) for path, listed in _lists(value)]
    return max((one for one in found if one[1] is not None), key=lambda one: one[0], default=(0, None))[1]


def _lists(value: Any) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The lists of objects in *value*, each with its path; outer ones first."""
    waiting, seen = [("", value)], 0
    while waiting and seen < MOST_VALUES:
        path, value = waiting.pop(0)
        seen += 1
        if isinstance(value, dict):
            waiting += [(f"{path}.{_key(name)}".lstrip("."), inner) for name, inner in value.items()]
        elif isinstance(value, list):
            objects = [one for one in value if isinstance(one, dict)]
            if len(objects) >= ENOUGH:
                yield path or "@", objects


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z_]\w*", name) else json.dumps(name)


def _of_members(path: str, members: Sequence[dict[str, Any]]) -> Select | None:
    """The selectors of the parts that most of *members* have; None where they have no headlines of their own."""
    found: dict[str, Any] = {part: at for part, names in _NAMES.items() if (at := _member(members, names))}
    if "title" not in found:
        return None
    titles = {str(jmespath.search(found["title"], one)) for one in members}
    return Select(item=path, **found) if len(titles) > 1 else None


def _member(members: Sequence[dict[str, Any]], names: Sequence[str]) -> str:
    """The path to the first of *names* that most of *members* have, whatever its case: a text, or one in an object."""
    known = [(name.lower().replace("_", ""), _key(name)) for name in members[0]]
    keys = (key for wanted in names for name, key in known if name == wanted.replace("_", ""))
    paths = (f"{key}{inner}" for key in keys for inner in ("", ".rendered", ".name", ".url"))
    return next((path for path in paths if _is_common(path, members)), "")


def _is_common(path: str, members: Sequence[dict[str, Any]]) -> bool:
    values = [jmespath.search(path, one) for one in members]
    return sum(isinstance(value, str | int) and bool(value) for value in values) * 2 > len(members)
