"""Pages and sitemaps to addresses: of articles, of feeds, of other sitemaps. Part of `parse`. Pure.

What a link on a front page is shows in its address (a slug of words, a date, a number) and in its words (a headline
has many). Each sign scores; menus, tags, authors and shops fall below the mark. For sitemaps (sitemaps.org 0.9,
Google News) the same guards as for feeds stand before the XML parser: no DOCTYPE reaches it, nothing is fetched.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain, islice
from typing import Any
from urllib.parse import urlsplit

from lxml import etree
from msgspec import Struct

from feeds.comparable import comparable_or_none
from feeds.dates import parse_date
from feeds.errors import ParseError
from feeds.parse.expat import mended, root_of
from feeds.parse.kinds import Seen, recognise, refusal
from feeds.parse.pages import base_of, local_name, page_tree, xml_tree
from feeds.parse.selected import feed_of, listed_by_page, said_by_page
from feeds.parsed import Category, Image, ParsedEntry, ParsedFeed, RawText
from feeds.urls import absolute, host_of, registrable

# --------------------------------------------------------------------------------------- front pages


MAX_LINKS = 500
THRESHOLD = 3

_NO_ARTICLE = re.compile(
    r"/(?:tags?|topics?|categor(?:y|ies)|authors?|contributors?|people|profile|users?|members?|login|log-in|signin|signup|"
    r"register|account|subscribe|subscription|newsletters?|about(?:-us)?|contact(?:-us)?|privacy|terms|cookies?|legal|"
    r"impressum|datenschutz|agb|jobs|careers|advertis\w*|shop|store|cart|search|suche|rss|feeds?|sitemap|help|faq|page|"
    r"wp-login\.php|wp-admin|cdn-cgi|comments?|share|print|gallery|live-tv|schedule|weather|horoscopes?|crosswords?)"
    r"(?:/|$)",
    re.IGNORECASE,
)
_FILE = re.compile(r"\.(?:jpe?g|png|gif|webp|svg|pdf|mp[34]|m4a|zip|css|js|xml|rss|atom|json|ics|docx?|xlsx?)$", re.I)
_DATE = re.compile(r"/(?:19|20)\d\d[/-]?(?:0?[1-9]|1[0-2])(?:[/-]?[0-3]?\d)?(?:[/-]|$)")
_NUMBER = re.compile(r"(?:^|[^\d])\d{5,}(?:[^\d]|$)")
_OUTSIDE = {"nav", "footer", "header", "aside", "form"}
_WITHIN = {"article": 2, "main": 1, "h1": 2, "h2": 2, "h3": 2, "h4": 2}


def parse_listing(body: bytes, *, url: str, content_type: str | None = None) -> ParsedFeed:
    """Return the articles that the page *body* at *url* links: *links* of the feed, kind ``listing``, in page order.

    Only links to the same site, each article once. Posts that the page marks with their texts (h-entry) are entries
    instead, and so are the members of its list in JSON-LD where it links none. Raises ParseError where there are none.
    """
    tree = page_tree(body, content_type)
    if tree is None:
        raise ParseError(
            "an empty page where links to articles were expected", remedy="look at the address in a browser"
        )
    if (said := said_by_page(tree, url)) is not None:
        return feed_of(said, url=url)
    scores: dict[str, tuple[int, str]] = {}
    for key, target, anchor in _links_within(tree, url):
        score = _score(target, anchor)
        # A picture and a headline often link the same article: the better of the two counts.
        best, first = scores.get(key, (score, target))
        scores[key] = (max(best, score), first)
    links = [link for score, link in scores.values() if score >= THRESHOLD][:MAX_LINKS]
    if not links and (listed := listed_by_page(tree, url)) is not None:
        return feed_of(listed, url=url)
    if not links:
        raise ParseError(
            "a page without links to articles",
            remedy="`wiredesk discover URL` lists the feeds of a site, which are better than its pages",
        )
    title = next((" ".join(found.text_content().split()) for found in tree.iter("title")), "")
    return ParsedFeed(kind="listing", title=title[:300], link=url, language=tree.get("lang"), links=tuple(links))


def _links_within(tree: Any, url: str) -> Iterator[tuple[str, str, Any]]:
    """The links of the page *tree* at *url* to others of its site: comparable address, address, element."""
    base, site, own = base_of(tree, url), registrable(host_of(url)), comparable_or_none(url)
    for anchor in tree.iter("a"):
        target = (absolute(base, anchor.get("href") or "") or "").partition("#")[0]
        key = comparable_or_none(target)
        if target and key and key != own and registrable(host_of(target)) == site:
            yield key, target, anchor


def _score(url: str, anchor: Any) -> int:
    """How much the address and the words of a link are those of an article; from THRESHOLD on it is one."""
    parts = urlsplit(url)
    path = parts.path.rstrip("/")
    if _NO_ARTICLE.search(parts.path) or _FILE.search(path) or not path:
        return -1
    last = re.sub(r"\.\w{2,5}$", "", path.rpartition("/")[2])
    slug = sum(len(word) > 1 and not word.isdigit() for word in re.split(r"[-_]", last))
    score = min(max(slug - 2, 0), 2)
    score += 2 * bool(_DATE.search(path))
    score += bool(_NUMBER.search(last) or _NUMBER.search(parts.query))
    score += path.count("/") >= 3
    return score + _words_score(len(anchor.text_content().split())) + _place_score(anchor)


def _words_score(words: int) -> int:
    """A headline has many words, a menu one, a picture none."""
    if words == 1:
        return -1
    return 2 if words >= 5 else int(words >= 3)


def _place_score(anchor: Any) -> int:
    """Headings and articles hold links to articles, menus and footers others."""
    around = [outer.tag for outer in islice(anchor.iterancestors(), 8)]
    tags = {inner.tag for inner in anchor.iter()}.union(around)
    outside = bool(tags & _OUTSIDE) and "article" not in tags
    return max((weight for tag, weight in _WITHIN.items() if tag in tags), default=0) - 3 * outside


# ------------------------------------------------------------------------- feeds that a page offers


MAX_OFFERS = 60

_FEED_TYPES = frozenset(
    ("application/rss+xml", "application/atom+xml", "application/feed+json", "application/rdf+xml")
    # What these mostly hold is no feed; who asks will see.
    + ("application/xml", "text/xml", "application/json")
)
_LIKE_A_FEED = re.compile(
    r"(?:^|/)(?:rss|feeds?|atom)(?:/|$)|(?:rss|feed|atom)[\w.-]*\.(?:xml|json|php|aspx?)$|\.(?:rss|atom|rdf)$", re.I
)
_SAYS_FEED = re.compile(r"\b(?:rss|atom|feed|json feed)\b", re.I)
_SHORT = 40  # characters of a link that only says what it is
_COMMENTS = re.compile(
    r"\b(?:comments?|commentaires?|kommentare?|comentarios?|comentários?|commenti|reacties|комментарии)\b", re.I
)


class Offer(Struct, frozen=True, kw_only=True):
    """An address that a page gives for a feed. *named*: in its head; *comments*: of what readers comment, it seems."""

    url: str
    title: str = ""
    named: bool = True
    comments: bool = False


def parse_offers(body: bytes, *, url: str, content_type: str | None = None) -> tuple[Offer, ...]:
    """Return what the page *body* at *url* offers, each address once: first what its head names, then what it links.

    >>> page = b'<link rel="alternate" type="application/rss+xml" href="/x.xml" title="Tea &amp; tide"><a href="/rss/">'
    >>> [(offer.url, offer.title, offer.named) for offer in parse_offers(page, url="https://example.org/a/")]
    [('https://example.org/x.xml', 'Tea & tide', True), ('https://example.org/rss/', '', False)]
    """
    try:
        tree = page_tree(body, content_type)
    except ParseError:
        tree = None
    if tree is None:
        return ()
    base = base_of(tree, url)
    found: dict[str, Offer] = {}
    for href, title, named in chain(_named_feeds(tree), _linked_feeds(tree)):
        address = absolute(base, href)
        if address is not None and len(found) < MAX_OFFERS:
            title = " ".join(title.split())[:200]
            about_comments = is_about_comments(title) or is_about_comments(urlsplit(address).path)
            found.setdefault(address, Offer(url=address, title=title, named=named, comments=about_comments))
    return tuple(found.values())


def _named_feeds(tree: Any) -> Iterator[tuple[str, str, bool]]:
    for node in tree.iter("link"):
        kind = (node.get("type") or "").partition(";")[0].strip().lower()
        if "alternate" in (node.get("rel") or "").lower().split() and kind in _FEED_TYPES:
            yield node.get("href") or "", node.get("title") or "", True


def _linked_feeds(tree: Any) -> Iterator[tuple[str, str, bool]]:
    for node in tree.iter("a"):
        href, title = node.get("href") or "", node.get("title") or ""
        label = f"{node.text_content()} {title}"
        if _LIKE_A_FEED.search(href.strip().partition("?")[0]) or (len(label) < _SHORT and _SAYS_FEED.search(label)):
            yield href, title, False


def is_about_comments(words: str) -> bool:
    """Tell whether a feed of this title, or at this path, seems to be of what readers comment.

    >>> is_about_comments("Comments on: Tides"), is_about_comments("/comments/feed/"), is_about_comments("Commentary")
    (True, True, False)
    """
    return _COMMENTS.search(words) is not None


# ------------------------------------------------------------------------------------------ sitemaps


MAX_ADDRESSES = 50_000
"""As many as one sitemap may hold (sitemaps.org)."""

MAX_NEWS = 2_000
MAX_PARTS = 20
"""Sitemaps of an index that are asked for: the newest."""
MAX_SITEMAP_BYTES = 52_428_800

_LISTED = {"url", "sitemap"}  # at any depth: some put a whole sitemap into another
_ADDRESS_LINE = re.compile(rb"https?://\S+\s*$")


def parse_sitemap(body: bytes, *, url: str, content_type: str | None = None) -> ParsedFeed:
    """Return what the sitemap *body* lists.

    Kind ``sitemapindex``: *links* are other sitemaps, behind a ``#`` the day of each where it is given, so that one
    that changed is another link. Kind ``sitemap``: *links* are pages, and each that a news sitemap describes is an
    entry too. Both newest first as far as dates are given, else in document order. Plain text
    with an address a line is a sitemap as well. Raises ParseError for all else.
    """
    if len(body) > MAX_SITEMAP_BYTES:
        raise ParseError(
            f"a sitemap of more than {MAX_SITEMAP_BYTES} bytes", remedy="name one part of its index instead"
        )
    seen = recognise(body, content_type)
    if seen.kind == "junk" and (lines := _address_lines(seen.body)):
        return ParsedFeed(kind="sitemap", links=lines)
    root = _sitemap(seen, content_type)
    index = local_name(root) == "sitemapindex"
    nodes = [node for node in root.iter(tag=etree.Element) if local_name(node) in _LISTED]
    listed = sorted(_listed(nodes[:MAX_ADDRESSES], index), key=lambda item: item[0], reverse=True)
    entries = [entry for _, _, entry in listed if entry is not None]
    over = f"more than {MAX_ADDRESSES} addresses; only the first are read"
    if index:
        listed = [(day, f"{address}#{day}" if day else address, None) for day, address, _ in listed[:MAX_PARTS]]
    return ParsedFeed(
        kind="sitemapindex" if index else "sitemap",
        title=next(filter(None, (entry.publisher for entry in entries)), ""),
        link=url,
        entries=tuple(entries[:MAX_NEWS]),
        links=tuple(dict.fromkeys(address for _, address, _ in listed)),
        warnings=(over,) if len(nodes) > MAX_ADDRESSES else (),
    )


_SITEMAP = re.compile(rb"<(?:[\w.-]+:)?(?:urlset|sitemapindex)[\s>]")


def is_sitemap(body: bytes) -> bool:
    """Whether *body* begins as a sitemap does; plain text with addresses is none here."""
    return _SITEMAP.search(body[:4096]) is not None


def _listed(nodes: list[Any], index: bool) -> Iterator[tuple[str, str, ParsedEntry | None]]:
    """The day, the address and the entry of each of *nodes*; an *index* has no entries."""
    for position, node in enumerate(nodes):
        if (address := _text(node, "loc")) is not None:
            yield _day(node), address, None if index else _entry(node, address, position)


def _sitemap(seen: Seen, content_type: str | None) -> Any:
    """The root of the sitemap *seen*. Raises ParseError where it is none."""
    if seen.kind == "xml":
        raise ParseError("a feed where a sitemap was expected", remedy="write `url:` instead of `sitemap:`")
    if seen.kind != "sitemap" or seen.prolog is None:
        raise refusal(seen, content_type)
    root = xml_tree(mended(root_of(seen.body, seen.prolog), seen.prolog.entities))
    if root is None:
        raise ParseError("a sitemap that is no XML", remedy="tell its publisher; nothing can be read of it")
    return root


def _text(node: Any, *path: str) -> str | None:
    """The text of the element at *path* below *node*, each step the first child of a name; None where it has none."""
    for name in path:
        children = () if node is None else node.iterchildren(tag=etree.Element)
        node = next((inner for inner in children if local_name(inner) == name), None)
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
