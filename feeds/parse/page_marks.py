"""What a page says of itself in its markup: headline, JSON-LD, breadcrumbs, bylines, dates, short lines. Pure.

Part of `parse`, for `metadata`. Class names are asked for once and judged by regular expressions, each distinct name
once in a process: several times faster than an XPath for each kind.

A page states its headline up to five times: in its heading, in JSON-LD, Open Graph, for Twitter, in `title`. The
heading is what readers see; the others tell which heading it is, and where in it the headline begins. So it comes
without its site's name and without a kicker.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, lru_cache, partial
from html import unescape
from itertools import chain, islice, takewhile
from typing import Any

from lxml import etree

from feeds.parse import line_kinds
from feeds.text import plain
from feeds.urls import host_of

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

    def crumbs(self) -> Iterator[Any]:
        """Elements that are, by name, breadcrumbs."""
        yield from self._named["crumb"]
        yield from _CRUMBS(self._tree)

    def bylines(self) -> Iterator[Any]:
        """Elements that name authors: those that say so outright, then those whose class does."""
        yield from _AUTHORS(self._tree)
        yield from (one for one in self._named["byline"] if one.tag in _BYLINE_TAGS and len(one) <= 6)

    def dates(self) -> Iterator[Any]:
        """Elements whose class speaks of dates, times or publishing."""
        yield from self._named["date"]

    @cached_property
    def _named(self) -> dict[str, list[Any]]:
        named: dict[str, list[Any]] = {"crumb": [], "byline": [], "date": []}
        for name in _NAMES(self._tree):
            for kind in _kinds(str(name)):
                named[kind].append(name.getparent())
        return named


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


# ---------------------------------------------------------------------------------------- the headline


MAX_HEADING_CHARS = 400
MAX_PIECES = 12
LOWER_HEADINGS = 8
"""Headings of the second rank that are looked at; some templates put the headline there."""
LEAST_PART_WORDS = 3
"""Of a part of a title, between bars or dashes, that a heading repeats."""
LEAST_WORDS = 4
"""Of what is left without a kicker, where nothing in the markup says that it is one."""
MOST_TAILS = 8
"""So many parts behind bars are taken for sections of a site; a title has two or three."""

_SEPARATED = re.compile(r"\s+[|–—·•»:-]\s+|\s*[|\u3163\uff5c]\s*")
_KICKER = re.compile(
    r"kicker|over-?line|roof-?line|top-?line|dachzeile|spitzmarke|pre-?title|pre-?header|eyebrow|(?:^|[\s_-])(?:label|category|rubrik|"
    r"section|h1small|small|flag|badge|tag|topic|sub-?headline|supertitle|surtitre|antetitulo|cintillo|volanta|occhiello|vignette)(?:$|[\s_-])",
    re.IGNORECASE,
)
_BAR = re.compile("[|\u3163\uff5c]")
_ARCHIVE = re.compile(r"^(?:[^»]{0,40})?\bblog[ -]?archive?\s*[»:|-]\s*", re.IGNORECASE)
_BLOCKS = {"div", "p", "br", "h1", "h2", "h3", "h4", "li", "header", "section", "hgroup", "td", "hr"}
_JOINED = "'’ʼ-‐‑/("
"""A word goes on behind these."""
_GAP = re.compile(r"([\n\v]\s*)")
_KICKED = re.compile(r"\x0e[^\x0e\x0f]*\x0f(?!\v*:)")
"""A kicker, but for one that goes on as the beginning of a sentence does."""


def headline(tree: Any, stated: Sequence[str], *, whole: str, site: str, url: str) -> str | None:
    """Return the headline of the page *tree* at *url*, None where it has none.

    *stated* are the titles that the page gives of itself, the most explicit first, *whole* is its ``title``, *site* the
    name of its site.
    """
    host = host_of(url)
    whole = _ARCHIVE.sub("", whole)
    titles = list(filter(None, (without_site(text, site, host) for text in (*stated, whole))))
    named = [text for text in titles if not is_site(text, site, host)] or titles
    shown = list(_headings(tree, site, host))
    first = [" ".join(pieces) for tag, pieces in shown if tag == "h1"]
    parts = list(chain.from_iterable(map(_SEPARATED.split, (*named, whole))))
    for found in filter(None, _found([pieces for _, pieces in shown], first, named, parts, any(stated))):
        return _without_kicker(without_site(found, site, host), [*named, *first])
    return None


def _found(
    headings: list[list[str]], first: list[str], named: list[str], parts: list[str], is_stated: bool
) -> Iterator[str | None]:
    """The headline by each way to tell it, the surest first.

    *headings* are in their pieces, *first* those of the first rank, *named* the titles of the page without its site's
    name, *parts* what stands between the bars and dashes of these. *is_stated*: a title is more than ``title``.
    """
    yield _shown(headings, named)
    yield _repeated(first, named)
    yield _shown(headings, [part for part in parts if len(part.split()) >= LEAST_PART_WORDS])
    # The one heading of a page that puts another headline on itself than into search results, of the same things.
    enough = not is_stated or len(" ".join(first).split()) >= LEAST_WORDS
    if len(first) == 1 and enough and _telling(first[0]) & _telling(" ".join(named)):
        yield first[0]
    yield from named[:1]
    yield from first[:1]


def without_site(text: str, site: str, host: str = "") -> str:
    """Return ``Headline | The Paper`` without the paper, where the page or its address says that this is its name."""
    if site and text.casefold().startswith(f"{site.casefold()}: "):
        text = text[len(site) + 2 :].strip()
    marks = list(_SEPARATED.finditer(text))
    for mark in marks[-3:]:
        before, behind = text[: mark.start()].strip(), text[mark.end() :].strip()
        if before and is_site(_SEPARATED.split(behind)[0], site, host):
            return before
    if marks and is_site(text[: marks[0].start()], site, host):
        return text[marks[0].end() :].strip()
    sections = takewhile(partial(_is_section, text), marks[: -MOST_TAILS - 1 : -1])
    end = min((mark.start() for mark in sections), default=len(text))
    return text[:end].strip()


def _is_section(text: str, mark: re.Match[str]) -> bool:
    """Tell whether few words behind the bar *mark* in *text* name a section of the site, and more stand before it."""
    behind = _SEPARATED.split(text[mark.end() :])[0]
    return bool(_BAR.search(mark[0])) and len(behind.split()) <= 4 and len(text[: mark.start()].split()) >= 4


def is_site(text: str, site: str, host: str) -> bool:
    """Tell whether *text* is the name of the site, or its address."""
    name, whole = _squashed(text), _squashed(site)
    return bool(name) and (name == whole or (len(name) > 3 and name in whole) or _is_host(name, host))


def _is_host(name: str, host: str) -> bool:
    labels = [_squashed(label) for label in host.removeprefix("www.").split(".")]
    telling = [label for label in labels[:-1] if len(label) > 3]
    if any(label in name and len(name) <= 3 * len(label) for label in telling):
        return True
    return bool(telling) and len(name) > 3 and name in "".join(labels)


def _squashed(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).casefold()


def _headings(tree: Any, site: str, host: str) -> Iterator[tuple[str, list[str]]]:
    """The tag and the pieces of each heading that may be the headline."""
    for heading in chain(tree.iter("h1"), islice(tree.iter("h2"), LOWER_HEADINGS)):
        pieces = _pieces(heading)
        text = " ".join(pieces)
        is_other = is_site(text, site, host) or _leads_home(heading, host) or line_kinds.furniture(text)
        if text and not is_other:
            yield heading.tag, pieces


def _leads_home(heading: Any, host: str) -> bool:
    """Tell whether all of a heading is a link to the front page: the site's name."""
    link = next(heading.iter("a"), heading)
    target = re.sub(r"^(?:https?:)?//", "", (link.get("href") or "#").strip())
    return target.rstrip("/") in ("", host) and words(link) == words(heading)


def _pieces(heading: Any) -> list[str]:
    """The parts of a heading that its markup sets apart, kickers by name left out; a word is never cut."""
    flat = _flat(heading)
    texts = _split(_KICKED.sub("", flat)) or _split(flat)
    if sum(map(len, texts)) > MAX_HEADING_CHARS:
        return []
    return texts if len(texts) <= MAX_PIECES else [" ".join(texts)]


def _flat(element: Any) -> str:
    """The text of *element*, each element in it between two ``\\n`` where it is a block, else between two ``\\v``;
    that of a kicker between ``\\x0e`` and ``\\x0f``.
    """
    pieces = [element.text or ""]
    for child in element.iterchildren(tag=etree.Element):
        edge = "\n" if child.tag in _BLOCKS else "\v"
        text = _flat(child)
        if _KICKER.search(f"{child.get('class') or ''} {child.get('itemprop') or ''}"):
            text = f"\x0e{text}\x0f"
        pieces += [edge, text, edge, child.tail or ""]
    return "".join(pieces)


def _split(flat: str) -> list[str]:
    pieces = _GAP.split(re.sub("[\x0e\x0f\u00ad]", "", flat))
    texts = pieces[:1]
    for gap, text in zip(pieces[1::2], pieces[2::2], strict=True):
        if not gap.strip("\v") and texts[-1] and text and _goes_on(texts[-1], text):
            texts[-1] += text
        else:
            texts.append(text)
    return [" ".join(text.split()) for text in texts if _squashed(text)]


def _goes_on(before: str, behind: str) -> bool:
    """Tell whether the text *behind* a piece goes on with its word or sentence, as behind an initial set apart."""
    if before[-1].isspace():
        return False
    last = re.split(r"\s", before)[-1]
    if len(_squashed(last)) <= 2 or before[-1] in _JOINED or not behind[0].isalnum():
        return True
    return behind[0].islower()


def alike(one: str, other: str) -> bool:
    """Tell whether one of two titles is the other, or most of it."""
    one, other = _squashed(one), _squashed(other)
    return bool(one) and (
        one == other or (len(one) > 15 and (one in other or other in one) and 2 * len(other) > len(one))
    )


def _shown(headings: list[list[str]], named: list[str]) -> str | None:
    """The heading, or what stands at its beginning or end, that a title of the page repeats."""
    wanted = set(map(_squashed, named))
    for pieces in headings:
        ends = [*(pieces[at:] for at in range(len(pieces))), *(pieces[:at] for at in range(1, len(pieces)))]
        for text in map(" ".join, ends):
            if _squashed(text) in wanted:
                return text
    return None


def _repeated(first: list[str], named: list[str]) -> str | None:
    """A heading that says more or less than a title, and the same; less a kicker that stands before it."""
    for head in first:
        for text in named:
            if alike(head, text):
                return text if len(text) > 15 and head.casefold().endswith(" " + text.casefold()) else head
    return None


def _telling(text: str) -> set[str]:
    """The words of *text* that are long enough to say what it is about."""
    return set(re.findall(r"\w{5,}", text.casefold()))


def _without_kicker(text: str, others: list[str]) -> str:
    """*text* without the words before a colon or a bar, where the page states the rest as a title as well."""
    for other in sorted(others, key=len, reverse=True):
        if len(other.split()) >= LEAST_WORDS and len(other) < len(text) and text.casefold().endswith(other.casefold()):
            if text[: -len(other)].rstrip()[-1:] in (":", "|"):
                return other
    return text
