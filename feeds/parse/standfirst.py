"""The standfirst of an article page: the lines between headline and text that say in short what it is about. Pure.

An extractor looks for the container of most paragraphs; a standfirst stands above it, in the article's head. It is
known by what the page gives as its description, or by its place and the name of its class. Part of `parse`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from feeds.parse import lines as kinds
from feeds.parse.figures import squashed, without_signs
from feeds.parse.furniture import furniture
from feeds.parse.metadata import PageFacts

LEAST_CHARS, MOST_CHARS = 40, 900
NEAR = 12
LOOKED_AT = 60
"""Lines behind the headline among which a standfirst is looked for."""

Line = tuple[str, str]
"""A line of the page, and the names of its classes."""

_TAGS = ("p", "div", "h2", "h3", "h4", "span", "strong", "section", "em", "b", "header", "li", "summary")
_INLINE = set("a span b strong em i small br u time cite sup sub font abbr mark q".split())
_NAMED = re.compile(
    r"stand-?first|(?:^|[\s_-])(?:lead|lede|leader|dek|deck|intro|introduction|ingress|chapo|chapeau|entradilla|bajada|"
    r"vorspann|anrei(?:ss|ß)er|sub-?title|sub-?headline|sub-?heading|subline|sub-?hed|excerpt|abstract|preamble|"
    r"sommario|occhiello|synopsis|kurzfassung|teaser-?text|(?:article|post|story|page|head|header|entry)(?:__|--|-|_)?(?:lead|intro|teaser|summary|"
    r"description|subtitle|excerpt|abstract|text-?lead))(?:$|[\s_-])|articleIntro|articleLead|articleTeaser|articleSummary|"
    r"[a-z](?:Lead|Intro|Standfirst|Subtitle|Summary|Excerpt|Dek)(?:$|[\s_-])",
    re.IGNORECASE,
)
_SITE = re.compile(r"site|blog|logo|tagline|footer|sidebar|widget", re.IGNORECASE)
_WORD = re.compile(r"\w+")
_SENTENCE = re.compile(r"""[.!?…。！？।][\"'”’»)\]]*$""")


def standfirst(lines: Sequence[Line], facts: PageFacts, first: str) -> str:
    """Return the standfirst among the *lines* behind a page's headline, ``""`` where there is none.

    *first* is the first paragraph of the article: a standfirst stands before it.
    """
    said = [_bag(text) for text in facts.descriptions if len(text) >= LEAST_CHARS]
    title = squashed(facts.title or "")
    for text, names in lines[: _place_of(first, lines)]:
        if len(text) > MOST_CHARS or furniture(text) or kinds.stated(text) or kinds.credit(text):
            continue
        if title and (squashed(text) in title or title in squashed(text)[: len(title) + 10]):
            continue
        bag = _bag(text)
        if any(_alike(bag, other) for other in said):
            return text
        if _NAMED.search(names) and not _SITE.search(names):
            if _SENTENCE.search(text) or len(text) >= 2 * LEAST_CHARS:
                return text
    return ""


def _place_of(first: str, lines: Sequence[Line]) -> int:
    """How many of *lines* stand before the paragraph *first*; a dozen where it is none of them."""
    begins = squashed(first)[:60]
    found = (number for number, (text, _) in enumerate(lines) if squashed(text)[:60] == begins)
    return next(found, NEAR)


def lines_behind_headline(tree: Any) -> list[Line]:
    """Return the lines after the headline of the page *tree*, each with the names of its classes; without a headline,
    of the whole page.
    """
    return list(islice(_lines(tree), LOOKED_AT))


def _lines(tree: Any) -> Iterator[Line]:
    headline = next((head for head in tree.iter("h1") if head.text_content().strip()), None)
    behind = headline is None
    for element in tree.iter():
        if element is headline:
            behind = True
        elif behind and element.tag in _TAGS and _is_line(element, headline):
            text = " ".join(without_signs(element.text_content()).split())
            linked = sum(len(link.text_content()) for link in element.iter("a"))
            if len(text) >= LEAST_CHARS and linked * 2 <= len(text):
                yield text, _names(element)


def _is_line(element: Any, headline: Any) -> bool:
    """Tell whether *element* is one line of the page: no block is in it, and it is in none."""
    if any(child.tag not in _INLINE for child in element) or headline in element.iterancestors("h1"):
        return False
    if element.tag not in ("span", "strong", "em", "b"):
        return True
    parent = element.getparent()
    alone = parent is not None and len(parent) == 1
    return alone and not (parent.text or "").strip() and not (element.tail or "").strip()


def _names(element: Any) -> str:
    parent = element.getparent()
    own = " ".join(filter(None, map(element.get, ("class", "id", "itemprop", "data-testid"))))
    if parent is not None and len(parent) <= 2:
        own += f" {parent.get('class') or ''} {parent.get('id') or ''}"
    return own


def _bag(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text.casefold()))


def _alike(shown: frozenset[str], said: frozenset[str]) -> bool:
    """Tell whether a line says what the description does, which may be its beginning or go on behind it."""
    common = len(shown & said)
    return bool(shown) and common >= 0.8 * min(len(shown), len(said)) and common >= 0.55 * max(len(shown), len(said))
