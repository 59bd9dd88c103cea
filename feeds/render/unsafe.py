"""What in sanitised markup would run all the same: the gate's last look at an article's texts. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import blake2b

from selectolax.lexbor import LexborHTMLParser

_UNSAFE_TAGS = frozenset(
    "script style iframe frame frameset object embed applet form input button meta base link svg portal".split()
)
# What may be one of them, in small letters: most texts hold nothing that looks like it, and need not be parsed. Each
# search begins with letters that it can look for fast; one for all takes four times as long.
_SUSPECT_TAG = re.compile(rf"<(?:{'|'.join(sorted(_UNSAFE_TAGS))})")
_SUSPECT_HANDLER = re.compile(r"on[a-z]+\s*=")
_SUSPECT_DATA = re.compile(r"data\s*:")
_SUSPECT_WORDS = ("javascript", "vbscript", "&#", "&colon", "&tab", "&newline")
_RUNS = re.compile(r"(?:javascript|vbscript|data:text|data:application|data:image/svg)", re.IGNORECASE)
_ADDRESSES = frozenset("href src action formaction xlink:href poster cite data background".split())
_BLANKS = re.compile(r"[\x00-\x20]+")
MOST_REMEMBERED = 4096
"""Texts, of which two are in an article: more than are rendered at once."""


def unsafe_markup(html: str) -> str | None:
    """Return the first element or attribute of *html* that would run, frame or submit something, as a browser reads it.

    >>> unsafe_markup("<p onclick=x>a</p>"), unsafe_markup('<p title="a onclick=x">a</p>')
    ('onclick=', None)
    """
    mark = blake2b(html.encode("utf-8", "surrogatepass"), digest_size=16).digest()
    if mark not in _unsafe:
        if len(_unsafe) >= MOST_REMEMBERED:
            _unsafe.clear()
        _unsafe[mark] = _found_unsafe(html)
    return _unsafe[mark]


_unsafe: dict[bytes, str | None] = {}
"""What was found in texts, by their digests: three formats have the same texts, and looking at each once saves a tenth
of what fragments cost.
"""


def _found_unsafe(html: str) -> str | None:
    # Browsers read addresses without the tabs and line ends that stand in them.
    if "<" not in html or not _is_suspect(html.lower().replace("\n", "").replace("\t", "").replace("\r", "")):
        return None
    root = LexborHTMLParser(html, is_fragment=True).root
    for node in root.traverse() if root is not None else ():
        if node.tag in _UNSAFE_TAGS:
            return f"<{node.tag}>"
        if unsafe := _unsafe_attribute(node.attributes):
            return unsafe
    return None


def _unsafe_attribute(attributes: Mapping[str, str | None]) -> str | None:
    for name, value in attributes.items():
        if name.startswith("on"):
            return f"{name}="
        if name in _ADDRESSES and _RUNS.match(_BLANKS.sub("", value or "")):
            return f"{name}={value}"
    return None


def _is_suspect(lower: str) -> bool:
    searches = (_SUSPECT_TAG, _SUSPECT_HANDLER, _SUSPECT_DATA)
    return any(word in lower for word in _SUSPECT_WORDS) or any(search.search(lower) for search in searches)
