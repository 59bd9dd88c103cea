"""What rules and the vocabulary may ask of an entry, folded once for all of them. Pure."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import unquote, urlsplit

from feeds.model import Entry
from feeds.text import fold

SEPARATORS = re.compile(r"\s*[>›»/|→]\s*")
_HOME = frozenset({"home", "homepage", "start", "startseite", "accueil", "inicio"})


def breadcrumb_of(entry: Entry) -> tuple[str, ...]:
    """The folded breadcrumb, without a leading "home" and without the article's own title at its end."""
    folded = tuple(fold(part).strip() for part in entry.breadcrumb)
    if len(folded) > 1 and folded[-1] == fold(entry.title).strip():
        folded = folded[:-1]
    return folded[1:] if folded and folded[0] in _HOME else folded


def categories_of(entry: Entry) -> dict[str, str]:
    """Folded category → as the publisher wrote it; terms and their labels."""
    named = [name for category in entry.categories for name in (category.term, category.label) if name]
    return {fold(name).strip(): name for name in named}


def segments_of(entry: Entry) -> tuple[str, ...]:
    """The folded segments of the article's own address."""
    address = entry.canonical_url or entry.link
    return address_segments(address) if address else ()


@lru_cache(maxsize=4096)
def address_segments(address: str) -> tuple[str, ...]:
    """The folded path segments of an address.

    >>> address_segments("https://example.org/World/asia/a-story.html?x=1")
    ('world', 'asia', 'a-story.html')
    """
    # `urlsplit` is four times as slow, and addresses of entries are absolute and clean.
    path = address.partition("#")[0].partition("?")[0].partition("://")[2].partition("/")[2]
    return tuple([fold(unquote(part)) for part in path.split("/") if part])


def host_of(address: str | None) -> str:
    """The host of *address* without ``www.``, folded; empty where there is none."""
    try:
        host = urlsplit(address or "").hostname or ""
    except ValueError:
        return ""
    return host.removeprefix("www.")


def split_breadcrumb(text: str) -> tuple[str, ...]:
    """The folded parts of a breadcrumb as an admin writes it.

    >>> split_breadcrumb("News > World")
    ('news', 'world')
    """
    return tuple(fold(part).strip() for part in SEPARATORS.split(text.strip()) if part)


def split_path(text: str) -> tuple[str, ...]:
    """The folded segments of a path as an admin writes it.

    >>> split_path("/World/asia/")
    ('world', 'asia')
    """
    return tuple(fold(unquote(part)) for part in text.strip().split("/") if part)
