"""What a page says about its article besides the text: title, people, dates, addresses, place. Part of `parse`. Pure.

Each fact is taken from the most explicit statement there is: schema.org in JSON-LD, then Open Graph and article
metas, then other metas, then marks in the page itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from copy import deepcopy
from functools import cached_property
from html import unescape
from itertools import islice
from typing import Any

from lxml import etree
from msgspec import Struct

from feeds.dates import parse_date
from feeds.parse import line_kinds
from feeds.parse.fields import PHRASES
from feeds.parse.page_marks import (
    Marks,
    alike,
    headline,
    ld_address,
    ld_article,
    ld_body,
    ld_breadcrumb,
    ld_nodes,
    ld_text,
    ld_texts,
    names_in,
    short_lines,
    words,
)
from feeds.parsed import Category, Image, Origin, ParsedEntry, Person, RawText
from feeds.urls import absolute, host_of

_DATE_METAS, _UPDATE_METAS, _AUTHOR_METAS = (
    " ".join(PHRASES[name]).split() for name in ("date metas", "update metas", "author metas")
)
_JSON_LD: Any = etree.XPath("//script[contains(@type,'ld+json')]")
_PUBLISHED: Any = etree.XPath("//*[@itemprop='datePublished']")
_DAY = re.compile(
    r"\b(?:\d{1,2}(?:\.|st|nd|rd|th|er|º)? (?:de |of )?[^\W\d_]{3,10}\.?,? (?:de )?(?:19|20)\d\d|"
    r"[^\W\d_]{3,10}\.? \d{1,2}(?:st|nd|rd|th)?, ?(?:19|20)\d\d|(?:19|20)\d\d[-/.]\d\d?[-/.]\d\d?|"
    r"\d\d?[./]\d\d?[./](?:19|20)\d\d|(?:19|20)\d\d年\d\d?月\d\d?日)"
)
_EARLIEST, _LATEST = "1995-01-01", "2100-01-01"
_PREFIX = re.compile(
    r"^(?:(?:(?:view|show|see) all (?:posts|articles|stories) by|zeige alle beiträge von|alle beiträge von|"
    r"(?:posted|published|written|created|submitted) by|"
    r"(?:eingestellt|veröffentlicht|erstellt|geschrieben|verfasst) von|"
    r"(?:publié|écrit|posté) par|(?:publicado|escrito) por|(?:scritto|pubblicato) da|a cura di)\s*:?\s*|"
    r"(?:by|von|par|por|di|text(?:e)?|author|autor(?:in)?|auteur|autore|interview|reporter)(?:\s*:\s*|\s+))",
    re.IGNORECASE,
)
_BEHIND = re.compile(r"\s+(?:Stand|Alle (?:Artikel|Beiträge)|All (?:articles|posts)|le|am|on|um|il|el|in)$")
_NOT_NAMES = re.compile(
    r"^(?:.*[*(@].*|.* (?:said|says|sagt|sagte|dit|dice)|"
    r"(?:posted|published|publiziert|veröffentlicht|publié|publicado)(?: (?:on|am|le|el))?|"
    r"name|admin|editor|administrator|webmaster|staff|redaktion|redaction|user|unknown|none|null|home|n/a|https?:.*)$",
    re.I,
)
_SITE_METAS = ("og:site_name", "application-name", "twitter:app:name:iphone", "dc.publisher", "publisher")


class PageFacts(Struct, frozen=True, kw_only=True):
    """What a page states of its article: *entry*, still without its text, and what helps to find that.

    *descriptions* are all that is given as such, *body* the text in JSON-LD, which templates fill from the same place
    as the page. Dates are the page's own strings.
    """

    entry: ParsedEntry = ParsedEntry()
    title: str = ""
    site: str | None = None
    descriptions: tuple[str, ...] = ()
    body: str = ""


class _Page:
    """A page's *tree* from *url*, and where it states things: its metas, JSON-LD, marks and short lines."""

    def __init__(self, tree: Any, url: str) -> None:
        self.tree, self.url = tree, url
        self.metas = _metas(tree)
        self.marks = Marks(tree)
        self.before, self.after = short_lines(tree)
        self.nodes = ld_nodes([script.text or "" for script in _JSON_LD(tree)])
        self.article = ld_article(self.nodes)
        self.site = self.meta(*_SITE_METAS)
        self.publisher = self.member("publisher") or self.site

    @cached_property
    def title(self) -> str | None:
        """The headline."""
        element = next((element for element in self.tree.iter("title") if element.getparent() is not None), None)
        stated = [unescape(self.member("headline")), *self.all_metas(("og:title", "twitter:title"))]
        whole = words(element) if element is not None else ""
        named = self.site or self.publisher or ""
        return headline(self.tree, [text for text in stated if text], whole=whole, site=named, url=self.url)

    def all_metas(self, names: Iterable[str]) -> list[str]:
        """The contents of all metas of these *names*."""
        return [value for name in names for value in self.metas.get(name, ())]

    def meta(self, *names: str) -> str | None:
        """The content of the first of these metas that there is."""
        return next(iter(self.all_metas(names)), None)

    def member(self, *keys: str) -> str:
        """The text of the first of these members of the article in JSON-LD."""
        return next((text for key in keys if (text := ld_text(self.article.get(key)))), "")


def read_metadata(tree: Any, url: str) -> PageFacts:
    """Return what the page *tree* at *url* states."""
    page = _Page(tree, url)
    title, descriptions, canonical = page.title, _descriptions(page), _canonical(page)
    credits = _credits(page.after)
    publisher = page.publisher or _name_under(credits, page.after)
    entry = ParsedEntry(
        link=url or canonical,
        original_link=canonical,
        title=RawText(value=title) if title else None,
        summary=RawText(value=descriptions[0]) if descriptions else None,
        base=url,
        language=_language(page),
        authors=next(filter(None, _authors(page)), ()),
        published=next(filter(None, _dates(page)), None),
        updated=_dated([page.member("dateModified"), *page.all_metas(_UPDATE_METAS)]),
        categories=_categories(page),
        breadcrumb=_breadcrumb(page),
        origin=next(filter(None, _origins(page, credits)), None),
        credits=tuple(dict.fromkeys(credit.printed for _, credit in credits))[:6],
        publisher=publisher or None,
        image=_image(page),
        rights=page.meta("copyright", "dc.rights", "dcterms.rights") or page.member("copyrightNotice") or None,
        noindex=_noindex(page),
    )
    return PageFacts(
        entry=entry, title=title or "", site=page.site, descriptions=descriptions, body=ld_body(page.article)
    )


def _metas(tree: Any) -> dict[str, list[str]]:
    metas: dict[str, list[str]] = {}
    for meta in tree.iter("meta"):
        name = meta.get("property") or meta.get("name") or meta.get("itemprop") or meta.get("http-equiv")
        content = " ".join((meta.get("content") or "").split())
        if name and content:
            metas.setdefault(name.strip().lower(), []).append(content[:5000])
    return metas


def _descriptions(page: _Page) -> tuple[str, ...]:
    texts = page.all_metas(("og:description", "description", "twitter:description", "dc.description"))
    texts += [page.member(key) for key in ("description", "alternativeHeadline", "abstract")]
    return tuple(dict.fromkeys(filter(None, texts)))


# --------------------------------------------------------------------------- people and dates


def _authors(page: _Page) -> Iterator[tuple[Person, ...]]:
    """The authors by each statement of the page, the most explicit first, each only looked for when asked for."""
    sites = (page.site, page.publisher)
    authors = page.article.get("author") or page.article.get("creator")
    people = [_person(author) for author in (authors if isinstance(authors, list) else [authors]) if author]
    yield _distinct(people, sites)
    yield _distinct([name for text in page.all_metas(_AUTHOR_METAS) for name in _names(text)], sites)
    # The first is the article's; those after it are of comments, forms and other articles.
    for element in islice(page.marks.bylines(), 6):
        yield _distinct(_names(words(element)), sites)
    for stated in filter(None, map(line_kinds.stated, page.after[:15])):
        yield _distinct(stated.authors, sites)
    yield _distinct(people, ())


def _person(author: Any) -> Person | None:
    name, url = ld_text(author), ""
    if isinstance(author, dict):
        url = ld_address(author.get("url"))
        name = name or " ".join(filter(None, (ld_text(author.get(key)) for key in ("givenName", "familyName"))))
    return Person(name=name, url=url or None) if name and not name.startswith("http") else None


def _names(text: str) -> list[Person]:
    text = _PREFIX.sub("", text.strip())
    if not text or len(text) > 160:
        return []
    names = re.split(r"\s*\|\s*|\s+[–—-]\s+", text)[0]
    return list(line_kinds.people(_BEHIND.sub("", names)))


def _distinct(people: Iterable[Person | None], sites: tuple[str | None, ...]) -> tuple[Person, ...]:
    kept: dict[str, Person] = {}
    for person in filter(None, people):
        if len(person.name) > 100 or _NOT_NAMES.match(person.name):
            continue
        parts = () if person.url else line_kinds.people(person.name)
        for one in parts or (person,):
            kept.setdefault(one.name.casefold(), one)
    for site in filter(None, sites):
        kept.pop(site.casefold(), None)
    return tuple(kept.values())


def _dates(page: _Page) -> Iterator[str | None]:
    """When the article was published, by each statement of the page, each only looked for when asked for."""
    yield _dated(ld_text(page.article.get(key)) for key in ("datePublished", "dateCreated", "uploadDate"))
    yield _dated(page.all_metas(_DATE_METAS))
    yield _dated(ld_text(node.get("datePublished")) for node in page.nodes)
    yield from _shown_dates(page)
    yield _searched(page.tree)


def _shown_dates(page: _Page) -> Iterator[str | None]:
    """Dates in the markup and the words of the page."""
    times = (time for time in page.tree.iter("time") if time.get("datetime") or time.text)
    yield _dated(time.get("datetime") or words(time) for time in islice(times, 3))
    yield _dated(element.get("content") or words(element) for element in _PUBLISHED(page.tree))
    shown = [text for text in map(words, islice(page.marks.dates(), 60)) if len(text) <= 120]
    yield next(filter(line_kinds.only_date, shown), None)
    yield _dated(_dates_in(shown))
    yield _dated(_dates_in(page.after[:12]))


def _searched(tree: Any) -> str | None:
    """What htmldate finds in the habits of templates when it does not guess: right wherever it was tried, and slow."""
    from htmldate import find_date  # with its own dates' parser, 30 MB, for pages that state no date plainly

    # It takes elements away as it looks. Its own bounds would be the clock's.
    return find_date(deepcopy(tree), extensive_search=False, original_date=True, min_date=_EARLIEST, max_date=_LATEST)


def _dates_in(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        yield from (match[0] for match in _DAY.finditer(text))


def _dated(texts: Iterable[str]) -> str | None:
    return next((text for text in texts if text and len(text) < 100 and parse_date(text)), None)


# --------------------------------------------------------------------------- addresses, place, credit


def _canonical(page: _Page) -> str | None:
    links = [
        link.get("href") for link in page.tree.iter("link") if "canonical" in (link.get("rel") or "").lower().split()
    ]
    stated = [*links[:1], *page.metas.get("og:url", [])[:1]]
    stated += [ld_address(page.article.get("mainEntityOfPage")), ld_address(page.article)]
    for candidate in filter(None, stated):
        resolved = absolute(page.url or candidate, candidate)
        # Templates gone wrong name the front page as the address of every article.
        if resolved and resolved.count("/") >= 3 and resolved.split("/", 3)[3]:
            return resolved
    return None


def _language(page: _Page) -> str | None:
    names = ("lang", "{http://www.w3.org/XML/1998/namespace}lang", "xml:lang")
    return (
        next(filter(None, map(page.tree.get, names)), None)
        or page.meta("og:locale", "content-language", "language", "dc.language")
        or page.member("inLanguage")
        or None
    )


def _categories(page: _Page) -> tuple[Category, ...]:
    sections = ld_texts(page.article.get("articleSection")) or page.metas.get("article:section", [])
    keywords = page.article.get("keywords") or page.metas.get("news_keywords") or page.metas.get("keywords") or []
    named = [*sections, *page.metas.get("article:tag", [])]
    for text in [keywords] if isinstance(keywords, str) else ld_texts(keywords):
        named += re.split(r"\s*[,;]\s*", text)
    terms = dict.fromkeys(term for text in named if 1 < len(term := text.strip(" #")) <= 60)
    return tuple(Category(term=term) for term in list(terms)[:40])


def _breadcrumb(page: _Page) -> tuple[str, ...]:
    names = next(filter(None, _breadcrumbs(page)), ())
    return line_kinds.without_home(tuple(name for name in names if not (page.title and alike(name, page.title))))


def _breadcrumbs(page: _Page) -> Iterator[Iterable[str]]:
    yield ld_breadcrumb(page.nodes)
    yield from map(names_in, page.marks.crumbs())
    for text in page.before:
        if len(text) <= 160 and any(mark in text for mark in ">›»"):
            yield line_kinds.breadcrumb(text)


_Credits = list[tuple[int, line_kinds.Credit]]
"""Credits with the numbers of their lines."""


def _credits(lines: list[str]) -> _Credits:
    """The credits among *lines*; the bare name of an agency is one in the second half alone."""
    found = [(number, credit) for number, text in enumerate(lines) if (credit := line_kinds.credit(text))]
    return [(number, credit) for number, credit in found if not credit.bare or number > len(lines) // 2]


def _name_under(credits: _Credits, lines: list[str]) -> str | None:
    """The publisher's name, where it stands in a line under the last credit."""
    under = lines[credits[-1][0] + 1 :][:1] if credits else []
    return next(filter(line_kinds.is_name, under), None)


def _origins(page: _Page, credits: _Credits) -> Iterator[Origin | None]:
    """Whom the page credits, by each statement of it."""
    source = page.meta("original-source", "syndication-source")
    if source and (address := absolute(page.url or source, source)) and host_of(address) != host_of(page.url):
        yield Origin(name=_host_name(address), url=address)
    based = page.article.get("isBasedOn") or page.article.get("isBasedOnUrl")
    name, place = ld_text(based), ld_address(based) or ld_text(based)
    link = absolute(page.url, place)
    if not name or name.startswith("http"):
        name = _host_name(link or "")
    if name:
        yield Origin(name=name, url=link)
    yield from (credit.origin for _, credit in reversed(credits))


def _host_name(address: str) -> str:
    return host_of(address).removeprefix("www.")


def _image(page: _Page) -> Image | None:
    url = page.meta("og:image:secure_url", "og:image", "og:image:url", "twitter:image", "twitter:image:src")
    if url:
        size: dict[str, Any] = {side: _pixels(page.meta(f"og:image:{side}")) for side in ("width", "height")}
        return Image(url=url, alt=page.meta("og:image:alt", "twitter:image:alt") or "", **size)
    image = page.article.get("image")
    image = image[0] if isinstance(image, list) and image else image
    if not image or not (address := ld_address(image)):
        return None
    stated = image if isinstance(image, dict) else {}
    size = {side: _pixels(stated.get(side)) for side in ("width", "height")}
    return Image(url=address, alt=ld_text(stated.get("caption")), **size)


def _pixels(value: Any) -> int | None:
    digits = re.match(r"\s*(\d{1,5})", str(value)) if isinstance(value, (str, int, float)) else None
    return int(digits[1]) if digits else None


def _noindex(page: _Page) -> bool:
    robots = ",".join(page.all_metas(("robots", "googlebot", "googlebot-news"))).lower()
    return any(word.strip() in ("noindex", "none") for word in robots.split(","))
