"""A front page to the addresses of the articles that it links. Part of `parse`. Pure.

What a link is shows in its address (a slug of words, a date, a number) and in its words (a headline has many). Each
sign scores; menus, tags, authors and shops fall below the mark.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from feeds.errors import ParseError, UrlError
from feeds.model import ParsedFeed
from feeds.parse.pages import page_tree
from feeds.urls import absolute, comparable_url, host_of

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
_TWO_PART = re.compile(r"\.(?:co|com|org|net|ac|gov|gob|edu|or|ne|go)\.[a-z]{2}$")


def parse_listing(body: bytes, *, url: str, content_type: str | None = None) -> ParsedFeed:
    """Return the articles that the page *body* at *url* links: *links* of the feed, kind ``listing``, in page order.

    Only links to the same site, each article once. Raises ParseError where the page links none.
    """
    tree = page_tree(body, content_type)
    if tree is None:
        raise ParseError(
            "an empty page where links to articles were expected", remedy="look at the address in a browser"
        )
    base = (
        next((absolute(url, found.get("href") or "") for found in tree.iter("base") if found.get("href")), None) or url
    )
    site, own = _site(host_of(url)), _comparable(url)
    scores: dict[str, tuple[int, str]] = {}
    for anchor in tree.iter("a"):
        target = absolute(base, anchor.get("href") or "")
        key = _comparable(target) if target else None
        if target is None or key is None or key == own or _site(host_of(target)) != site:
            continue
        score = _score(target, anchor)
        # A picture and a headline often link the same article: the better of the two counts.
        best, first = scores.get(key, (score, target.partition("#")[0]))
        scores[key] = (max(best, score), first)
    links = [link for score, link in scores.values() if score >= THRESHOLD][:MAX_LINKS]
    if not links:
        raise ParseError(
            "a page without links to articles",
            remedy="`wiredesk discover URL` lists the feeds of a site, which are better than its pages",
        )
    title = next((" ".join(found.text_content().split()) for found in tree.iter("title")), "")
    return ParsedFeed(kind="listing", title=title[:300], link=url, language=tree.get("lang"), links=tuple(links))


def _site(host: str) -> str:
    """The part of *host* that belongs to one publisher, as near as can be told without the public suffix list."""
    labels = host.split(".")
    return ".".join(labels[-3:] if _TWO_PART.search(host) else labels[-2:])


def _comparable(url: str | None) -> str | None:
    try:
        return comparable_url(url) if url else None
    except UrlError:
        return None


def _score(url: str, anchor: Any) -> int:
    parts = urlsplit(url)
    path = parts.path.rstrip("/")
    if _NO_ARTICLE.search(parts.path) or _FILE.search(path) or not path:
        return -1
    last = re.sub(r"\.\w{2,5}$", "", path.rpartition("/")[2])
    words = [word for word in re.split(r"[-_]", last) if len(word) > 1 and not word.isdigit()]
    score = 2 if len(words) >= 4 else 1 if len(words) == 3 else 0
    score += 2 if _DATE.search(path) else 0
    score += 1 if _NUMBER.search(last) or _NUMBER.search(parts.query) else 0
    score += 1 if path.count("/") >= 3 else 0
    text = anchor.text_content().split()
    score += 2 if len(text) >= 5 else 1 if len(text) >= 3 else -1 if len(text) == 1 else 0
    seen = {inner.tag for inner in anchor.iter()} | {
        outer.tag for outer, _ in zip(anchor.iterancestors(), range(8), strict=False)
    }
    score += max((weight for tag, weight in _WITHIN.items() if tag in seen), default=0)
    return score - (3 if seen & _OUTSIDE and "article" not in seen else 0)
