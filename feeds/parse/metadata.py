"""What a page says about its article besides the text: title, people, dates, addresses, place. Part of `parse`. Pure.

Each fact is taken from the most explicit statement there is: schema.org in JSON-LD, then Open Graph and article
metas, then other metas, then marks in the page itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from html import unescape
from itertools import islice
from typing import Any

from lxml import etree

from feeds.dates import parse_date
from feeds.model import Category, Image, Origin, Person
from feeds.parse import line_kinds
from feeds.parse.headline import alike, headline
from feeds.parse.page_marks import (
    Marks,
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
from feeds.urls import absolute, host_of

_DATE_METAS = (
    "article:published_time", "og:published_time", "article:published", "datepublished", "parsely-pub-date",
    "sailthru.date", "pubdate", "publishdate", "publish-date", "publication_date", "publication-date", "dc.date.issued",
    "dcterms.created", "dcterms.date", "dc.date", "dcterms.issued", "cxenseparse:recs:publishtime",
    "cxenseparse:publishtime", "article_date_original", "originalpublicationdate", "og:article:published_time",
    "article.published", "date.created", "citation_publication_date", "rnews:datepublished", "date", "created",
)  # fmt: skip
_UPDATE_METAS = (
    "article:modified_time", "og:updated_time", "article:modified", "datemodified", "lastmod", "last-modified",
    "dcterms.modified", "dc.date.modified", "og:modified_time", "article.updated",
)  # fmt: skip
_AUTHOR_METAS = (
    "author", "article:author", "parsely-author", "sailthru.author", "dc.creator", "dcterms.creator", "byl",
    "article.author", "cxenseparse:author", "citation_author", "og:article:author", "rnews:creator",
    "article:author_name", "creator",
)  # fmt: skip
_JSON_LD: Any = etree.XPath("//script[contains(@type,'ld+json')]")
_PUBLISHED: Any = etree.XPath("//*[@itemprop='datePublished']")
_DAY = re.compile(
    r"\b(?:\d{1,2}(?:\.|st|nd|rd|th|er|º)? (?:de |of )?[^\W\d_]{3,10}\.?,? (?:de )?(?:19|20)\d\d|"
    r"[^\W\d_]{3,10}\.? \d{1,2}(?:st|nd|rd|th)?, ?(?:19|20)\d\d|(?:19|20)\d\d[-/.]\d\d?[-/.]\d\d?|"
    r"\d\d?[./]\d\d?[./](?:19|20)\d\d|(?:19|20)\d\d年\d\d?月\d\d?日)"
)
_EARLIEST, _LATEST = "1995-01-01", "2100-01-01"
_URL_DAY = re.compile(r"(?<!\d)((?:19|20)\d\d)[/_-]?(0[1-9]|1[0-2])[/_-]?([0-2]\d|3[01])(?!\d)")
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


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFacts:
    """What a page states of its article; None, empty or False where it does not. Dates are the page's own strings."""

    title: str | None = None
    summary: str | None = None
    authors: tuple[Person, ...] = ()
    published: str | None = None
    updated: str | None = None
    canonical: str | None = None
    language: str | None = None
    site: str | None = None
    categories: tuple[Category, ...] = ()
    breadcrumb: tuple[str, ...] = ()
    origin: Origin | None = None
    credits: tuple[str, ...] = ()
    publisher: str | None = None
    image: Image | None = None
    rights: str | None = None
    noindex: bool = False
    descriptions: tuple[str, ...] = ()  # all that is given as such
    body: str = ""  # the text in JSON-LD, which templates fill from the same place as the page


def read_metadata(tree: Any, url: str) -> PageFacts:
    """Return what the page *tree* at *url* states."""
    metas, marks = _metas(tree), Marks(tree)
    before, after = short_lines(tree)
    found = ld_nodes([script.text or "" for script in _JSON_LD(tree)])
    article = ld_article(found)
    site = _first(metas, "og:site_name", "application-name", "twitter:app:name:iphone", "dc.publisher", "publisher")
    publisher = ld_text(article.get("publisher")) or site
    title = _title(tree, metas, article, site or publisher, url)
    origin, credits, named = _credit(after, metas, article, url)
    section = ld_texts(article.get("articleSection")) or metas.get("article:section", [])
    descriptions = _descriptions(metas, article)
    return PageFacts(
        title=title,
        summary=next(iter(descriptions), None),
        authors=_authors(marks, metas, article, after, (site, publisher)),
        published=_published(tree, marks, metas, article, found, after, url),
        updated=_dated([ld_text(article.get("dateModified"))]) or _dated(_all(metas, _UPDATE_METAS)),
        canonical=_canonical(tree, metas, article, url),
        language=_language(tree, metas, article),
        site=site,
        categories=_categories(section, metas, article),
        breadcrumb=_crumbs(marks, found, before, title),
        origin=origin,
        credits=credits,
        publisher=publisher or named or None,
        image=_image(metas, article),
        rights=_first(metas, "copyright", "dc.rights", "dcterms.rights")
        or ld_text(article.get("copyrightNotice"))
        or None,
        noindex=_noindex(metas),
        descriptions=descriptions,
        body=ld_body(article),
    )


def _metas(tree: Any) -> dict[str, list[str]]:
    metas: dict[str, list[str]] = {}
    for meta in tree.iter("meta"):
        name = meta.get("property") or meta.get("name") or meta.get("itemprop") or meta.get("http-equiv")
        content = " ".join((meta.get("content") or "").split())
        if name and content:
            metas.setdefault(name.strip().lower(), []).append(content[:5000])
    return metas


def _all(metas: dict[str, list[str]], names: Iterable[str]) -> list[str]:
    return [value for name in names for value in metas.get(name, ())]


def _descriptions(metas: dict[str, list[str]], article: dict[str, Any]) -> tuple[str, ...]:
    said = [
        *_all(metas, ("og:description", "description", "twitter:description", "dc.description")),
        *(ld_text(article.get(key)) for key in ("description", "alternativeHeadline", "abstract")),
    ]
    return tuple(dict.fromkeys(text for text in said if text))


def _first(metas: dict[str, list[str]], *names: str) -> str | None:
    return next(iter(_all(metas, names)), None)


# --------------------------------------------------------------------------- title


def _title(tree: Any, metas: dict[str, list[str]], article: dict[str, Any], site: str | None, url: str) -> str | None:
    element = next((element for element in tree.iter("title") if element.getparent() is not None), None)
    stated = [unescape(ld_text(article.get("headline"))), *_all(metas, ("og:title", "twitter:title"))]
    whole = words(element) if element is not None else ""
    return headline(tree, [text for text in stated if text], whole=whole, site=site or "", url=url)


# --------------------------------------------------------------------------- people and dates


def _authors(
    marks: Marks,
    metas: dict[str, list[str]],
    article: dict[str, Any],
    after: list[str],
    sites: tuple[str | None, ...],
) -> tuple[Person, ...]:
    said = article.get("author") or article.get("creator")
    people = [_person(author) for author in (said if isinstance(said, list) else [said]) if author]
    persons = _distinct(people, sites)
    if not persons:
        persons = _distinct([name for text in _all(metas, _AUTHOR_METAS) for name in _names(text)], sites)
    if not persons:
        # The first is the article's; those after it are of comments, forms and other articles.
        named = (_distinct(_names(words(element)), sites) for element in islice(marks.bylines(), 6))
        persons = next((found for found in named if found), ())
    if not persons:
        stated = (_distinct(said.authors, sites) for line in after[:15] if (said := line_kinds.stated(line)))
        persons = next((found for found in stated if found), ())
    return persons or _distinct(people, ())


def _person(author: Any) -> Person | None:
    name = ld_text(author)
    if not name and isinstance(author, dict):
        name = " ".join(part for key in ("givenName", "familyName") if (part := ld_text(author.get(key))))
    url = ld_address(author.get("url")) if isinstance(author, dict) else ""
    return Person(name=name, url=url or None) if name and not name.startswith("http") else None


def _names(text: str) -> list[Person]:
    text = _PREFIX.sub("", text.strip())
    if not text or len(text) > 160:
        return []
    names, _ = line_kinds.split_date(text)
    names = re.split(r"\s*\|\s*|\s+[–—-]\s+", names)[0]
    return list(line_kinds.people(_BEHIND.sub("", names)))


def _distinct(people: Iterable[Person | None], sites: tuple[str | None, ...]) -> tuple[Person, ...]:
    shut = {site.casefold() for site in sites if site}
    kept: dict[str, Person] = {}
    for person in people:
        if person and not _NOT_NAMES.match(person.name) and len(person.name) <= 100:
            for name in [person] if person.url else (list(line_kinds.people(person.name)) or [person]):
                if name.name.casefold() not in shut:
                    kept.setdefault(name.name.casefold(), name)
    return tuple(kept.values())


def _published(
    tree: Any,
    marks: Marks,
    metas: dict[str, list[str]],
    article: dict[str, Any],
    found: list[dict[str, Any]],
    after: list[str],
    url: str,
) -> str | None:
    stated = [ld_text(article.get(key)) for key in ("datePublished", "dateCreated", "uploadDate")]
    if date := _dated(stated) or _dated(_all(metas, _DATE_METAS)):
        return date
    if date := _dated(ld_text(node.get("datePublished")) for node in found):
        return date
    times = [time for time in tree.iter("time") if time.get("datetime") or time.text]
    marked = [
        time for time in times if "datePublished" in (time.get("itemprop") or "") or time.get("pubdate") is not None
    ]
    if date := _dated(time.get("datetime") or words(time) for time in marked + times[:3]):
        return date
    if date := _dated(element.get("content") or words(element) for element in _PUBLISHED(tree)):
        return date
    shown = [text for element in islice(marks.dates(), 60) if len(text := words(element)) <= 120]
    if date := next((text for text in shown if line_kinds.only_date(text)), None) or _dated(_dates_in(shown)):
        return date
    return (
        _dated(_dates_in(after[:12])) or _dated("-".join(found) for found in _URL_DAY.findall(url)) or _searched(tree)
    )


def _searched(tree: Any) -> str | None:
    """What htmldate finds in the habits of templates when it does not guess: right wherever it was tried, and slow."""
    from htmldate import find_date  # with its own dates' parser, 30 MB, for pages that state no date plainly

    # It takes elements away as it looks. Its own bounds would be the clock's.
    return find_date(
        deepcopy(tree), extensive_search=False, original_date=True, min_date="1995-01-01", max_date=_LATEST
    )


def _dates_in(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        yield from (match[0] for match in _DAY.finditer(text))


def _dated(texts: Iterable[str]) -> str | None:
    return next((text for text in texts if text and len(text) < 100 and parse_date(text)), None)


# --------------------------------------------------------------------------- addresses, place, credit


def _canonical(tree: Any, metas: dict[str, list[str]], article: dict[str, Any], url: str) -> str | None:
    links = [link.get("href") for link in tree.iter("link") if "canonical" in (link.get("rel") or "").lower().split()]
    stated = [
        *links[:1],
        *metas.get("og:url", [])[:1],
        ld_address(article.get("mainEntityOfPage")),
        ld_address(article),
    ]
    for candidate in stated:
        resolved = absolute(url or candidate or "", candidate or "")
        # Templates gone wrong name the front page as the address of every article.
        if resolved and resolved.count("/") >= 3 and resolved.split("/", 3)[3]:
            return resolved
    return None


def _language(tree: Any, metas: dict[str, list[str]], article: dict[str, Any]) -> str | None:
    stated = (tree.get("lang"), tree.get("{http://www.w3.org/XML/1998/namespace}lang"), tree.get("xml:lang"))
    return next((tag for tag in stated if tag), None) or (
        _first(metas, "og:locale", "content-language", "language", "dc.language")
        or ld_text(article.get("inLanguage"))
        or None
    )


def _categories(section: list[str], metas: dict[str, list[str]], article: dict[str, Any]) -> tuple[Category, ...]:
    words = [*section, *metas.get("article:tag", [])]
    keywords = article.get("keywords") or metas.get("news_keywords") or metas.get("keywords") or []
    for text in [keywords] if isinstance(keywords, str) else ld_texts(keywords):
        words += re.split(r"\s*[,;]\s*", text)
    terms = dict.fromkeys(word for text in words if 1 < len(word := text.strip(" #")) <= 60)
    return tuple(Category(term=term) for term in list(terms)[:40])


def _crumbs(marks: Marks, found: list[dict[str, Any]], before: list[str], title: str | None) -> tuple[str, ...]:
    names = ld_breadcrumb(found) or next((names for element in marks.crumbs() if (names := names_in(element))), [])
    if not names:
        strong = (text for text in before if len(text) <= 160 and any(mark in text for mark in ">›»"))
        names = next((list(crumbs) for text in strong if (crumbs := line_kinds.breadcrumb(text))), [])
    return line_kinds.without_home(tuple(name for name in names if not (title and alike(name, title))))


def _credit(
    lines: list[str], metas: dict[str, list[str]], article: dict[str, Any], url: str
) -> tuple[Origin | None, tuple[str, ...], str | None]:
    """Whom the page credits, the credit lines as printed, and the publisher's name in a line under the credit."""
    credits = [(number, credit) for number, text in enumerate(lines) if (credit := line_kinds.credit(text))]
    credits = [(number, credit) for number, credit in credits if not credit.bare or number > len(lines) // 2]
    printed = tuple(dict.fromkeys(credit.printed for _, credit in credits))[:6]
    named = None
    if credits and (number := credits[-1][0] + 1) < len(lines):
        under = lines[number]
        named = under if line_kinds.is_name(under) else None
    source = _first(metas, "original-source", "syndication-source")
    if source and (address := absolute(url or source, source)) and host_of(address) != host_of(url):
        return Origin(name=host_of(address).removeprefix("www."), url=address), printed, named
    based = article.get("isBasedOn") or article.get("isBasedOnUrl")
    if based and (ld_text(based) or ld_address(based)):
        link = absolute(url or "", ld_address(based) or ld_text(based))
        name = ld_text(based)
        name = host_of(link or "").removeprefix("www.") if not name or name.startswith("http") else name
        if name:
            return Origin(name=name, url=link), printed, named
    return next((credit.origin for _, credit in reversed(credits) if credit.origin), None), printed, named


def _image(metas: dict[str, list[str]], article: dict[str, Any]) -> Image | None:
    url = _first(metas, "og:image:secure_url", "og:image", "og:image:url", "twitter:image", "twitter:image:src")
    if url:
        width, height = (_pixels(_first(metas, f"og:image:{side}")) for side in ("width", "height"))
        return Image(url=url, width=width, height=height, alt=_first(metas, "og:image:alt", "twitter:image:alt") or "")
    said = article.get("image")
    said = said[0] if isinstance(said, list) and said else said
    if not said or not (address := ld_address(said)):
        return None
    sized = said if isinstance(said, dict) else {}
    width, height = (_pixels(sized.get(side)) for side in ("width", "height"))
    return Image(url=address, width=width, height=height, alt=ld_text(sized.get("caption")))


def _pixels(value: Any) -> int | None:
    digits = re.match(r"\s*(\d{1,5})", str(value)) if isinstance(value, (str, int, float)) else None
    return int(digits[1]) if digits else None


def _noindex(metas: dict[str, list[str]]) -> bool:
    said = ",".join(_all(metas, ("robots", "googlebot", "googlebot-news"))).lower()
    return any(word.strip() in ("noindex", "none") for word in said.split(","))
