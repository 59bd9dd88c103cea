"""An extracted article without what stands around and between its text: date lines, teasers, tags. Pure.

Blocks are those of the extractor, in its own element names. A block is known by being nothing else than what a page
prints of the article besides its text, or nothing else than links to other pages of its site. Part of `parse`.
"""

from __future__ import annotations

import re
from typing import Any

from lxml import etree

from feeds.dates import month_named
from feeds.parse import lines as kinds
from feeds.parse.boxes import prose_in
from feeds.parse.figures import squashed, without_signs
from feeds.parse.furniture import furniture
from feeds.parse.metadata import PageFacts
from feeds.urls import host_of

MAX_LINE_CHARS = 200
LOOKED_AT = 8
"""Blocks at the beginning among which a headline, a byline or a date may stand."""
LEAST_TEASER_CHARS = 25
"""Of a block that is nothing but a link; a shorter one may be a name in a list."""

_BULLET = re.compile(r"\s*[•‣◦▪▫●○■□►▸➤∙⁃·]\s*(?=\S)")
_LINES = frozenset(("p", "head", "hi", "quote", "ab", "ref"))
_TIMES = re.compile(
    r"\d[\d.:/,h-]*|\b(?:uhr|am|pm|gmt|utc|cet|cest|ist|est|edt|bst|min(?:ute[ns]?|uti|utos|s)?|hours?|hrs?|days?|ago|stunden?|tage?n?|"
    r"vor|heute|gestern|today|yesterday|lesezeit|reading|time|read|von|by|par|por|di|da|af|av|door|at|on|le|el|il|um|the|"
    r"updated?|published|posted|aktualisiert|veröffentlicht|stand|publié|modifié|mis|jour|publicado|actualizado|pubblicato|"
    r"aggiornato|güncelleme|opublikowano|aktualizacja|oppdatert|publisert|"
    r"mon|tue|wed|thu|fri|sat|sun|(?:mon|tues|wednes|thurs|fri|satur|sun)day|\w+tag|mittwoch)\b",
    re.IGNORECASE,
)
_LETTERS = re.compile(r"[^\W\d_]")
_WORD = re.compile(r"[^\W\d_]+")
_MARKED = re.compile(
    r"^(?:tags?|keywords?|topics?|themen|schlag(?:worte|wörter)|stichworte|etiketler|etiquetas|temas|mots-clés|tagi|теги)"
    r"\s*:?\s*",
    re.IGNORECASE,
)


def trimmed(blocks: list[Any], facts: PageFacts, *, heads: list[str], url: str) -> list[Any]:
    """Return the blocks of an article without what is none of its text; *heads* are the page's h1, squashed."""
    lines = [" ".join(without_signs("".join(block.itertext())).split()) for block in blocks]
    dropped = _beginning(blocks, lines, facts, heads) | _end(blocks, lines, facts) | _ways_on(blocks, lines)
    for number, line in enumerate(lines):
        if blocks[number].tag in _LINES and line and len(line) <= MAX_LINE_CHARS and furniture(line):
            dropped.add(number)
    site = _site(url)
    kept = [block for number, block in enumerate(blocks) if number not in dropped]
    return _lists([block for block in kept if not _leads_away(block, site)])


def _beginning(blocks: list[Any], lines: list[str], facts: PageFacts, heads: list[str]) -> set[int]:
    """The numbers of the blocks before the first paragraph that repeat headline, place, byline or date."""
    titles = {*heads, squashed(facts.title or "")} - {""}
    dropped: set[int] = set()
    for number, line in enumerate(lines[:LOOKED_AT]):
        repeats = squashed(line) in titles
        if not repeats and (len(line) > MAX_LINE_CHARS or prose_in(blocks[number])):
            break
        if not line or blocks[number].tag not in (*_LINES, "list"):
            continue
        if repeats:
            dropped.add(number)
            if number <= 3 and squashed(line) == squashed(facts.title or ""):
                # What stands above the headline is a kicker, or the way to its section.
                dropped |= {above for above in range(number) if lines[above] and blocks[above].tag != "head"}
        elif kinds.stated(line) or furniture(line) or kinds.breadcrumb(line) == facts.breadcrumb != ():
            dropped.add(number)
        elif _is_known(line, facts):
            dropped.add(number)
    return dropped if len(dropped) < len(blocks) else set()


def _is_known(line: str, facts: PageFacts) -> bool:
    """Tell whether *line* names the article's authors, section, site or date and says nothing besides."""
    if len(line) > 120:
        return False
    left = line.casefold()
    names = [person.name for person in facts.authors] + [facts.site or "", facts.publisher or "", *facts.breadcrumb]
    names += [category.label or category.term for category in facts.categories]
    for name in sorted(filter(None, names), key=len, reverse=True):
        left = left.replace(name.casefold(), " ")
    left = _TIMES.sub(" ", left)
    words = [word for word in _WORD.findall(left) if not month_named(word)]
    unknown, letters = sum(map(len, words)), len(_LETTERS.findall(line))
    return letters >= 4 and unknown <= 3 and 4 * unknown <= letters


def _end(blocks: list[Any], lines: list[str], facts: PageFacts) -> set[int]:
    """The numbers of the blocks behind the last paragraph that are credits, dates, tags, or page furniture."""
    dropped: set[int] = set()
    credited = False
    end = len(blocks)
    while end > 1:
        block, line = blocks[end - 1], lines[end - 1]
        if not line:
            end -= 1  # a picture
            continue
        if block.tag == "list" and _are_tags(block, facts):
            dropped.add(end - 1)
            end -= 1
            continue
        if block.tag not in _LINES or len(line) > MAX_LINE_CHARS:
            break
        under = end >= 2 and bool(kinds.credit(lines[end - 2])) and kinds.is_name(line)
        if not (
            kinds.credit(line)
            or kinds.rights(line)
            or furniture(line)
            or kinds.stated(line)
            or _is_known(_MARKED.sub("", line), facts)
            or (block.tag == "head" and end in dropped)  # it headed what has gone
            or (under and not credited)
        ):
            break
        credited = credited or bool(kinds.credit(line))
        dropped.add(end - 1)
        end -= 1
    return dropped


def _ways_on(blocks: list[Any], lines: list[str]) -> set[int]:
    """The numbers of the blocks behind the last paragraph, from a heading on, where they are mostly links."""
    last = max((number for number, block in enumerate(blocks) if _says_something(block)), default=-1)
    first = next((number for number in range(last + 1, len(blocks)) if blocks[number].tag == "head"), None)
    if last < 0 or first is None:
        return set()
    behind = range(first, len(blocks))
    letters = sum(len(_LETTERS.findall(lines[number])) for number in behind)
    linked = sum(
        len(_LETTERS.findall("".join(link.itertext()))) for number in behind for link in blocks[number].iter("ref", "a")
    )
    return {number for number in behind if lines[number]} if 2 * linked >= letters else set()


def _says_something(block: Any) -> bool:
    return any(prose_in(part) for part in block.iter("p", "item", "quote", "cell", "ab", "hi"))


def _are_tags(block: Any, facts: PageFacts) -> bool:
    """Tell whether the items of a list at the end are the article's categories, each a word or three."""
    terms = {squashed(category.label or category.term) for category in facts.categories}
    items = [squashed("".join(item.itertext())) for item in block.iter("item")]
    return bool(items) and all(item in terms for item in items if item)


def _leads_away(block: Any, site: str) -> bool:
    """Tell whether *block* is nothing but links to other pages of *site*, each perhaps behind a word in bold."""
    letters = len(_LETTERS.findall("".join(block.itertext())))
    if letters < LEAST_TEASER_CHARS - 5:
        return False
    linked = bold = 0
    for link in block.iter("ref", "a"):
        said = "".join(link.itertext()).strip()
        target = link.get("target") or link.get("href") or ""
        if not target:
            continue
        elsewhere = target.startswith(("http", "//")) and _site(target) != site
        if elsewhere or said.startswith(("http", "www.")) or target.startswith("#"):
            return False
        linked += len(_LETTERS.findall(said))
    if not linked:
        return False
    for strong in block.iter("hi"):
        apart = next(strong.iterancestors("ref"), None) is None and next(strong.iter("ref"), None) is None
        if strong.get("rend") == "#b" and apart:
            bold += len(_LETTERS.findall("".join(strong.itertext())))
    return 2 * linked >= letters and linked + bold >= 0.9 * letters


def _site(url: str) -> str:
    return host_of(url if not url.startswith("//") else f"https:{url}").removeprefix("www.")


def _lists(children: list[Any]) -> list[Any]:
    """Paragraphs that begin with a bullet, two or more in a row, made the list that they stand for."""
    made: list[Any] = []
    for number, child in enumerate(children):
        following = children[number + 1] if number + 1 < len(children) else None
        if child.tag != "p" or not (mark := _BULLET.match(child.text or "")):
            made.append(child)
            continue
        within = bool(made) and made[-1].tag == "list" and made[-1].get("made") == "here"
        if not within and (following is None or following.tag != "p" or not _BULLET.match(following.text or "")):
            made.append(child)
            continue
        if not within:
            made.append(etree.Element("list", made="here"))
        child.tag, child.text = "item", (child.text or "")[mark.end() :]
        made[-1].append(child)
    return made
