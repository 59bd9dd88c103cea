"""Boxes of a page that are none of its article, by what their markup calls them. Part of `parse`, for `body`. Pure.

Teasers of other articles, calls to subscribe, share rows, advertising: an extractor knows some of these names; these
are the others that templates use. A box goes only where it is a small part of the page and holds no headline.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

_BOX = re.compile(
    r"(?:^|[\s_-])(?:"
    r"related|recirc(?:ulation)?|recommend(?:ed|ations?)?|also-?read|read-?(?:more|also|next)|more-?(?:stories|articles|on|from)|"
    r"you-?may-?(?:also-?)?like|most-?(?:read|viewed|popular|shared)|popular|trending|onward|"
    r"teaser-?(?:list|group|box|row|container|grid)|teasers|(?:article|in-?text|inline|content)-?teaser|promo(?:tion)?(?:-?box|s)?|"
    r"newsletter\w*|subscri(?:be|ption)\w*|sign-?up|paywall|piano|abo-?box|advert\w*|ads?|sponsor\w*|affiliate\w*|taboola|outbrain|"
    r"share|sharing|share-?(?:bar|buttons?|links?|tools?|this)|social(?:-?(?:media|links?|icons?|share|sharing|bar|buttons?))?|follow-?(?:us|button|box)|"
    r"comments|comment-?(?:form|list|section|area)|respond|disqus|"
    r"author-?(?:box|bio|info|card|profile|description)|about-?(?:the-?)?author|"
    r"donat\w+|spenden?|support-?us|survey|poll|rating|feedback|app-?(?:banner|promo)|cookie\w*|consent|"
    r"breadcrumbs?|pagination|pager|post-?navigation|nav(?:igation)?|toc|skip-?link|print-?only|sr-only|visually-?hidden|"
    r"screen-?reader\w*"
    r")(?:$|[\s_-])|(?:^|\s)hidden(?:$|\s)",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"[.!?…。！？।][\"'”’»)\]]*(?:\s|$)")
_TAGS = ("div", "section", "aside", "ul", "ol", "li", "p", "span", "header", "figure", "details", "table")
_HIDDEN = re.compile(r"display\s*:\s*none", re.IGNORECASE)


def drop_boxes(tree: Any, *, text_chars: int) -> None:
    """Take out of the page *tree*, which has so many characters of text, the boxes that are none of its article.

    Where they hold most of its paragraphs, the names mean something else: then only those without any go.
    """
    written = prose(tree)
    boxes: list[tuple[Any, int]] = []
    for element in tree.iter(*_TAGS):
        name = element.get("class") or element.get("id")
        if not (name and _is_box(name)) and not _is_hidden(element):
            continue
        if len("".join(element.itertext())) * 5 > text_chars or next(element.iter("h1"), None) is not None:
            continue
        if (said := prose(element)) * 5 <= written:
            boxes.append((element, said))
    outer = _outermost(boxes)
    wordy = 2 * sum(said for _, said in outer) > written
    for element, said in boxes if wordy else outer:
        if element.getparent() is not None and not (wordy and said):
            element.drop_tree()


def _outermost(boxes: list[tuple[Any, int]]) -> list[tuple[Any, int]]:
    """Those of *boxes*, in document order, that are in none of the others."""
    found: list[tuple[Any, int]] = []
    inside: set[Any] = set()
    for element, said in boxes:
        if element not in inside:
            found.append((element, said))
            inside.update(element.iter())
    return found


def _is_hidden(element: Any) -> bool:
    return element.get("hidden") is not None or _HIDDEN.search(element.get("style") or "") is not None


def prose(element: Any) -> int:
    """Return how many characters in *element* stand in paragraphs that are sentences."""
    return sum(map(prose_in, element.iter("p")))


def prose_in(paragraph: Any) -> int:
    """Return how many characters *paragraph* has, 0 where it is no sentence of some length."""
    text = "".join(paragraph.itertext())
    return len(text) if len(text) >= 80 and _SENTENCE.search(text) else 0


@lru_cache(maxsize=8192)
def _is_box(name: str) -> bool:
    return len(name) < 300 and bool(_BOX.search(name))
