"""A page to the feeds that it offers: named in its head for programs, linked in its body for people. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from feeds.errors import ParseError
from feeds.parse.pages import page_tree
from feeds.urls import absolute

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
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
    base = next((named for node in tree.iter("base") if (named := absolute(url, node.get("href") or ""))), url)
    found: dict[str, Offer] = {}

    def add(href: str, title: str, *, named: bool) -> None:
        address = absolute(base, href.strip())
        if address is None or len(found) >= MAX_OFFERS:
            return
        title = " ".join(title.split())[:200]
        about_comments = is_about_comments(title) or is_about_comments(urlsplit(address).path)
        found.setdefault(address, Offer(url=address, title=title, named=named, comments=about_comments))

    for node in tree.iter("link"):
        kind = (node.get("type") or "").partition(";")[0].strip().lower()
        if "alternate" in (node.get("rel") or "").lower().split() and kind in _FEED_TYPES and node.get("href"):
            add(node.get("href"), node.get("title") or "", named=True)
    for node in tree.iter("a"):
        href, said = (node.get("href") or "").strip(), " ".join((node.text_content(), node.get("title") or ""))
        if _LIKE_A_FEED.search(href.partition("?")[0]) or (len(said) < _SHORT and _SAYS_FEED.search(said)):
            add(href, node.get("title") or "", named=False)
    return tuple(found.values())


def is_about_comments(words: str) -> bool:
    """Tell whether a feed of this title, or at this path, seems to be of what readers comment.

    >>> is_about_comments("Comments on: Tides"), is_about_comments("/comments/feed/"), is_about_comments("Commentary")
    (True, True, False)
    """
    return _COMMENTS.search(words) is not None
