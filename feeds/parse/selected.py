"""Pages and JSON by selectors: of config (`select:`), and ours for what pages say themselves. Part of `parse`. Pure.

    document -> its articles, each a list of pieces for each part -> entries

Microformats and lists in JSON-LD are read the same way, by selectors of ours (`feeds.conventions`). A list that a
redesign has broken is a ParseError that names the selector at fault, so that what was known of its source stands.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from functools import cache
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError
from lxml import etree
from msgspec import Struct
from msgspec.structs import replace
from xxhash import xxh3_64_intdigest

from feeds.configuration import Select
from feeds.conventions import H_ENTRY, ITEM_LIST, xpath_of
from feeds.dates import listed_date, order_of
from feeds.errors import ParseError
from feeds.parse.charset import to_utf8
from feeds.parse.fields import FULL, MAX_ENTRIES, MAX_FIELD_CHARACTERS, MAX_LIST_ITEMS, raw_text, short
from feeds.parse.json_feeds import read_json
from feeds.parse.page_marks import ld_members, ld_nodes, ld_types, words
from feeds.parse.pages import MAX_ELEMENTS, base_of, page_tree
from feeds.parsed import Category, Image, ParsedEntry, ParsedFeed, Person
from feeds.urls import absolute

MAX_ARTICLES = 500
"""Articles of one page of a list; a selector that finds more finds everything."""
ENOUGH = 3
"""Articles from which on what none of them has, or all have alike, is no chance."""

_PARTS = ("id", "title", "link", "date", "text", "picture", "author", "category")
_NEEDED = ("title", "link", "text")
_ATTRIBUTES = {
    "link": ("href", "src", "content"),
    "picture": ("data-src", "src", "content", "href"),
    "date": ("datetime", "content"),
}
"""What of an element is the part, where no attribute was asked for; else its words."""
_KEEPS_TAG = frozenset(("p", "ul", "ol", "dl", "blockquote", "pre", "table", "figure"))
_MARKUP = re.compile(r"<[a-zA-Z/!]|&#?\w{2,8};")
_JSON_START = re.compile(r"[\[{]")


class Piece(Struct, frozen=True):
    """What a selector found: its *value*, markup where *html*, and *where* in the document it stands."""

    value: str
    where: str = ""
    html: bool = False


Article = Mapping[str, Sequence[Piece]]
"""The pieces of one article by part, those that selectors found."""


class Picked(Struct, frozen=True, kw_only=True):
    """What the selectors of *select* found: *count* items, of which *articles* have a headline, an address or a text.

    *next* is the address of the list's next page.
    """

    select: Select
    count: int
    articles: tuple[Article, ...]
    base: str
    title: str = ""
    language: str | None = None
    next: str | None = None
    everything: str = ""  # why *select* finds more than articles, in words
    full: bool = False  # whether there are more than MAX_ENTRIES

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts that are looked for."""
        return tuple(_selectors(self.select))


def _selectors(select: Select) -> dict[str, str]:
    """The selectors of the parts that are looked for."""
    return {part: selector for part in _PARTS if (selector := getattr(select, part))}


def parse_selected(
    body: bytes, *, select: Select, is_json: bool, url: str, content_type: str | None, now: datetime, zone: tzinfo
) -> ParsedFeed:
    """Return the articles that *select* finds in *body*, kind ``selected``; dates without a zone are read in *zone*.

    The `next_archive` of the feed is the next page of the list; *item_hashes* are of the articles in order. Raises
    ParseError where a selector finds nothing, or everything: then the document is not what *select* was written for.
    """
    picked = pick(body, select=select, is_json=is_json, url=url, content_type=content_type)
    _check(picked)
    feed = feed_of(picked, url=url, now=now, zone=zone)
    hashes = tuple(xxh3_64_intdigest(repr((one.entry_id, one.link, one.title)).encode()) for one in feed.entries)
    return replace(feed, item_hashes=hashes)


def pick(body: bytes, *, select: Select, is_json: bool, url: str, content_type: str | None) -> Picked:
    """Return the pieces that *select* finds in *body*, unjudged. Raises ParseError where it can't be looked in."""
    try:
        if is_json:
            return _pick_json(_json_of(body, select, content_type), select, url)
        return pick_page(_tree_of(body, content_type), select, url)
    except (etree.XPathError, JMESPathError, RecursionError) as error:
        remedy = "`wiredesk preview` shows what each selector finds"
        raise ParseError(
            f"a selector that fails on this document: {str(error).splitlines()[0]}", remedy=remedy
        ) from error


# --------------------------------------------------------------------------- pages


def pick_page(tree: Any, select: Select, url: str) -> Picked:
    """Return the pieces that *select* finds in the page *tree* at *url*."""
    base = base_of(tree, url)
    found = compiled(select.item, "descendant-or-self::")(tree)
    elements = [item for item in found if isinstance(item, etree.ElementBase)][: MAX_ARTICLES + 1]
    finders = {part: compiled(selector) for part, selector in _selectors(select).items()}
    articles = [{part: _pieces(part, find(item)) for part, find in finders.items()} for item in elements]
    onward = _pieces("link", compiled(select.next)(tree)) if select.next else []
    return Picked(
        select=select,
        count=len(elements),
        articles=tuple(filter(_says_something, articles)),
        base=base,
        title=next(map(words, tree.iter("title")), "")[:300],
        language=tree.get("lang"),
        next=absolute(base, onward[0].value) if onward else None,
        everything=_everything(elements),
    )


def _says_something(article: Article) -> bool:
    """Whether *article* has a headline, an address or a text."""
    return any(map(article.get, _NEEDED))


def _everything(elements: Sequence[Any]) -> str:
    """Why *elements* are more than the articles of a page, ``""`` where they may be those."""
    if len(elements) > MAX_ARTICLES:
        return f"more than {MAX_ARTICLES} articles"
    known = set(elements)
    nested = sum(not known.isdisjoint(element.iterancestors()) for element in elements)
    return f"{nested} of {len(elements)} articles within others" if nested * 2 > len(elements) else ""


def picked_without(body: bytes, *, url: str, content_type: str | None, listed: bool) -> Picked | None:
    """Return the pieces of what a page says itself, *listed* in JSON-LD too; None where it says nothing.

    Raises ParseError where there is no page.
    """
    tree = _tree_of(body, content_type)
    return said_by_page(tree, url) or (listed_by_page(tree, url) if listed else None)


def said_by_page(tree: Any, url: str) -> Picked | None:
    """Return the posts that the page *tree* marks as such (h-entry), with their texts; None where it marks none."""
    picked = pick_page(tree, H_ENTRY, url)
    whole = tuple(article for article in picked.articles if article["link"] and article["text"])
    return replace(picked, articles=whole) if len(whole) > 1 else None


def listed_by_page(tree: Any, url: str) -> Picked | None:
    """Return the members of the lists that the page *tree* has in JSON-LD, None where it has none with addresses."""
    blocks = [script.text or "" for script in tree.iter("script")]
    articles: list[Article] = []
    for node in ld_nodes(blocks):
        if {"ItemList", "Blog"} & set(ld_types(node)):
            members = ld_members(node.get("itemListElement")) or ld_members(node.get("blogPost"))
            articles += articles_of(members, ITEM_LIST, within=ld_types(node)[0])
    whole = [article for article in articles if article["link"] and article["title"]][:MAX_ARTICLES]
    if len(whole) < 2:
        return None
    return Picked(select=ITEM_LIST, count=len(articles), articles=tuple(whole), base=base_of(tree, url))


def _tree_of(body: bytes, content_type: str | None, *, scripts: bool = False) -> Any:
    tree = page_tree(body, content_type, scripts=scripts)
    if tree is None or len(body) == 0:
        raise ParseError("an empty page where a list of articles was expected", remedy="look at it in a browser")
    if tree.xpath("count(//*)") > MAX_ELEMENTS:
        raise ParseError(f"a page of more than {MAX_ELEMENTS} elements", remedy="no list needs as many; leave it out")
    return tree


@cache
def compiled(selector: str, axis: str = "descendant::") -> Callable[[Any], Any]:
    """Return what finds *selector* in an element."""
    find: Callable[[Any], Any] = etree.XPath(xpath_of(selector, axis))
    return find


def _pieces(part: str, found: Any) -> list[Piece]:
    """What an XPath *found* for *part*: elements, attributes, texts, or one value that it worked out."""
    nodes = found[:MAX_LIST_ITEMS] if isinstance(found, list) else [found]
    pieces = [_piece(part, node) for node in nodes]
    return [piece for piece in pieces if piece.value.strip()]


def _piece(part: str, node: Any) -> Piece:
    if not isinstance(node, etree.ElementBase):
        holder = node.getparent() if hasattr(node, "getparent") else None
        if holder is None:
            return Piece(str(node))
        return Piece(str(node), _where(holder) + (f"@{node.attrname}" if node.is_attribute else ""))
    if part == "text":
        return Piece(_markup(node), _where(node), html=True)
    if part == "link":
        node = next((link for link in node.iter("a") if link.get("href")), node)
    for name in _ATTRIBUTES.get(part, ()):
        if value := (node.get(name) or "").strip():
            return Piece(value, f"{_where(node)}@{name}")
    return Piece(words(node), _where(node))


def _where(node: Any) -> str:
    """The line of *node* in its document, and its name."""
    names = "".join(f".{name}" for name in (node.get("class") or "").split()[:2])
    return f"line {node.sourceline}, <{node.tag}{names}>"


def _markup(node: Any) -> str:
    tag = node.tag if node.tag in _KEEPS_TAG else "div"
    inner = (node.text or "").replace("&", "&amp;").replace("<", "&lt;")
    inner += "".join(etree.tostring(child, encoding="unicode", method="html") for child in node)
    return f"<{tag}>{inner}</{tag}>" if inner.strip() else ""


# --------------------------------------------------------------------------- JSON


def _json_of(body: bytes, select: Select, content_type: str | None) -> Any:
    """The JSON that *body* is, or that the element `script` of the page that it is holds."""
    if not select.script:
        return read_json(to_utf8(body, content_type))[0]
    found = compiled(select.script)(_tree_of(body, content_type, scripts=True))
    text = next((piece.value for piece in _pieces("title", found)), "") if isinstance(found, list) else str(found)
    if not text:
        raise _nothing("script", select.script)
    try:
        return read_json(text.encode())[0]
    except ParseError:
        start = _JSON_START.search(text)  # a script that gives it a name: window.state = {…};
        if start is None:
            raise
    try:
        return json.JSONDecoder().raw_decode(text, start.start())[0]
    except (ValueError, RecursionError) as error:
        raise ParseError(
            f"script {select.script!r} holds no JSON: {error}", remedy="look at the page's source"
        ) from error


def _pick_json(value: Any, select: Select, url: str) -> Picked:
    found = _path(select.item).search(value)
    listed = found if isinstance(found, list) else [] if found is None else [found]
    onward = _texts(_path(select.next).search(value)) if select.next else []
    return Picked(
        select=select,
        count=len(listed),
        full=len(listed) > MAX_ENTRIES,
        articles=tuple(articles_of(listed[:MAX_ENTRIES], select)),
        base=url,
        next=absolute(url, onward[0]) if onward else None,
    )


def articles_of(listed: Iterable[Any], select: Select, within: str = "") -> list[Article]:
    """Return the pieces of the articles *listed* in JSON; those without title, link and text are left out."""
    selectors = _selectors(select).items()
    articles = [
        {part: _in_json(one, part, selector, f"{within or select.item}[{number}]") for part, selector in selectors}
        for number, one in enumerate(listed)
    ]
    return list(filter(_says_something, articles))


def _in_json(value: Any, part: str, selector: str, where: str) -> list[Piece]:
    texts = _texts(_path(selector).search(value))
    return [Piece(text, f"{where}.{selector}", part == "text" and bool(_MARKUP.search(text))) for text in texts]


@cache
def _path(selector: str) -> Any:
    return jmespath.compile(selector)


def _texts(value: Any) -> list[str]:
    """The texts and numbers of *value*, one or a list of them."""
    values = value[:MAX_LIST_ITEMS] if isinstance(value, list) else [value]
    texts = [one[:MAX_FIELD_CHARACTERS] if isinstance(one, str) else short(one) or "" for one in values]
    return [text for text in texts if text.strip()]


# --------------------------------------------------------------------------- what was found


def _check(picked: Picked) -> None:
    """Raise ParseError where what was *picked* shows that the document is another than *select* was written for."""
    select = picked.select
    if not picked.count:
        raise _nothing("item", select.item)
    if picked.everything:
        raise _broken("item", select.item, f"finds everything: {picked.everything}")
    _check_parts(select, picked.articles, picked.count)
    titles = [article["title"][0].value for article in picked.articles if article.get("title")]
    if len(titles) >= ENOUGH and len(set(titles)) == 1:
        raise _broken("title", select.title, f"finds the same words in all {len(titles)} articles, {titles[0][:60]!r}")


def _check_parts(select: Select, articles: Sequence[Mapping[str, Sequence[Piece]]], count: int) -> None:
    for part in _NEEDED:
        enough = part == "link" or len(articles) >= ENOUGH or not articles
        if (selector := getattr(select, part)) and enough and not any(article[part] for article in articles):
            raise _nothing(part, selector, f" in any of {count} articles")


def _nothing(part: str, selector: str, where: str = "") -> ParseError:
    return _broken(part, selector, f"finds nothing{where}")


def _broken(part: str, selector: str, how: str) -> ParseError:
    remedy = (
        "the page may have a new design: `wiredesk preview` shows what each selector finds; mend it in sources.yaml"
    )
    return ParseError(f"select: {part} {selector!r} {how}", remedy=remedy)


def feed_of(picked: Picked, *, url: str, now: datetime | None = None, zone: tzinfo = UTC) -> ParsedFeed:
    """Return what was *picked* as a feed. A part of which nothing was found in any article is a warning.

    Without *now* dates are left as they are written.
    """
    entries = tuple(_entry(article, position, picked, now, zone) for position, article in enumerate(picked.articles))
    warnings = [
        f"select: {part} {selector!r} finds nothing in any article"
        for part, selector in _selectors(picked.select).items()
        if not any(article[part] for article in picked.articles)
    ]
    return ParsedFeed(
        kind="selected",
        title=picked.title,
        link=url,
        language=picked.language,
        entries=entries,
        next_archive=picked.next,
        date_order=order_of(entry.published for entry in entries if entry.published),
        warnings=tuple(warnings + [FULL] * picked.full),
    )


def _entry(article: Article, position: int, picked: Picked, now: datetime | None, zone: tzinfo) -> ParsedEntry:
    def first(part: str) -> str | None:
        return next((short(piece.value) for piece in article.get(part, ())), None)

    def every(part: str) -> list[str]:
        return list(dict.fromkeys(text for piece in article.get(part, ()) if (text := short(piece.value))))

    written = first("date")
    moment = listed_date(written, now, zone, picked.select.date_format) if written and now else None
    picture = first("picture")
    return ParsedEntry(
        position=position,
        entry_id=first("id"),
        link=first("link"),
        title=raw_text(first("title"), "text", picked.base, picked.language),
        content=_content(article.get("text", ()), picked),
        base=picked.base,
        authors=tuple(Person(name=name) for name in every("author")),
        published=moment.isoformat() if moment else written,
        categories=tuple(Category(term=term) for term in every("category")),
        image=Image(url=picture) if picture else None,
    )


def _content(pieces: Sequence[Piece], picked: Picked) -> Any:
    if any(piece.html for piece in pieces):
        markup = "\n".join(piece.value if piece.html else f"<p>{piece.value}</p>" for piece in pieces)
        return raw_text(markup, "html", picked.base, picked.language)
    return raw_text("\n\n".join(piece.value for piece in pieces), "text", picked.base, picked.language)
