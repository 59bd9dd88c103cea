"""The headline of an article page: what the page shows as one, without its site's name and without a kicker. Pure.

A page states its headline up to five times: in its heading, in JSON-LD, Open Graph, for Twitter, in `title`. The
heading is what readers see; the others tell which heading it is, and where in it the headline begins. Part of `parse`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import Any

from lxml import etree

from feeds.parse.line_kinds import furniture
from feeds.urls import host_of

MAX_HEADING_CHARS = 400
MAX_PIECES = 12
LOWER_HEADINGS = 8
"""Headings of the second rank that are looked at; some templates put the headline there."""
LEAST_PART_WORDS = 3
"""Of a part of a title, between bars or dashes, that a heading repeats."""
LEAST_WORDS = 4
"""Of what is left without a kicker, where nothing in the markup says that it is one."""
MOST_TAILS = 8
"""So many parts behind bars are taken for sections of a site; a title has two or three."""

_SEPARATED = re.compile(r"\s+[|–—·•»:-]\s+|\s*[|\u3163\uff5c]\s*")
_KICKER = re.compile(
    r"kicker|over-?line|roof-?line|top-?line|dachzeile|spitzmarke|pre-?title|pre-?header|eyebrow|(?:^|[\s_-])(?:label|category|rubrik|"
    r"section|h1small|small|flag|badge|tag|topic|sub-?headline|supertitle|surtitre|antetitulo|cintillo|volanta|occhiello|vignette)(?:$|[\s_-])",
    re.IGNORECASE,
)
_BAR = re.compile("[|\u3163\uff5c]")
_ARCHIVE = re.compile(r"^(?:[^»]{0,40})?\bblog[ -]?archive?\s*[»:|-]\s*", re.IGNORECASE)
_BLOCKS = {"div", "p", "br", "h1", "h2", "h3", "h4", "li", "header", "section", "hgroup", "td", "hr"}
_JOINED = "'’ʼ-‐‑/("
"""A word goes on behind these."""
_GAP = re.compile(r"([\n\v]\s*)")
_KICKED = re.compile(r"\x0e[^\x0e\x0f]*\x0f(?!\v*:)")
"""A kicker, but for one that goes on as the beginning of a sentence does."""


def headline(tree: Any, stated: Sequence[str], *, whole: str, site: str, url: str) -> str | None:
    """Return the headline of the page *tree* at *url*, None where it has none.

    *stated* are the titles that the page gives of itself, the most explicit first, *whole* is its ``title``, *site* the
    name of its site.
    """
    host = host_of(url)
    whole = _ARCHIVE.sub("", whole)
    titles = list(filter(None, (without_site(text, site, host) for text in (*stated, whole))))
    named = [text for text in titles if not is_site(text, site, host)] or titles
    shown = list(_headings(tree, site, host))
    first = [" ".join(pieces) for tag, pieces in shown if tag == "h1"]
    parts = [part for text in (*named, whole) for part in _SEPARATED.split(text)]
    for found in filter(None, _found([pieces for _, pieces in shown], first, named, parts, any(stated))):
        return _without_kicker(without_site(found, site, host), [*named, *first])
    return None


def _found(
    headings: list[list[str]], first: list[str], named: list[str], parts: list[str], is_stated: bool
) -> Iterator[str | None]:
    """The headline by each way to tell it, the surest first.

    *headings* are in their pieces, *first* those of the first rank, *named* the titles of the page without its site's
    name, *parts* what stands between the bars and dashes of these. *is_stated*: a title is more than ``title``.
    """
    yield _shown(headings, named)
    yield _repeated(first, named)
    yield _shown(headings, [part for part in parts if len(part.split()) >= LEAST_PART_WORDS])
    # The one heading of a page that puts another headline on itself than into search results, of the same things.
    enough = not is_stated or len(" ".join(first).split()) >= LEAST_WORDS
    if len(first) == 1 and enough and _telling(first[0]) & _telling(" ".join(named)):
        yield first[0]
    yield from named[:1]
    yield from first[:1]


def without_site(text: str, site: str, host: str = "") -> str:
    """Return ``Headline | The Paper`` without the paper, where the page or its address says that this is its name."""
    if site and text.casefold().startswith(f"{site.casefold()}: "):
        text = text[len(site) + 2 :].strip()
    marks = list(_SEPARATED.finditer(text))
    for mark in marks[-3:]:
        before, behind = text[: mark.start()].strip(), text[mark.end() :].strip()
        if before and is_site(_SEPARATED.split(behind)[0], site, host):
            return before
    if marks and is_site(text[: marks[0].start()], site, host):
        return text[marks[0].end() :].strip()
    for mark in marks[: -MOST_TAILS - 1 : -1]:
        if not (_BAR.search(mark[0]) and _is_section(text[: mark.start()], text[mark.end() :])):
            break
        text = text[: mark.start()].strip()
    return text


def _is_section(before: str, behind: str) -> bool:
    """Tell whether the few words *behind* a bar name a section of the site, and not a headline."""
    return len(behind.split()) <= 4 and len(before.split()) >= 4


def is_site(text: str, site: str, host: str) -> bool:
    """Tell whether *text* is the name of the site, or its address."""
    name = _squashed(text)
    return bool(name) and (name == _squashed(site) or _is_host(name, host))


def _is_host(name: str, host: str) -> bool:
    labels = [_squashed(label) for label in host.removeprefix("www.").split(".")]
    telling = [label for label in labels[:-1] if len(label) > 3]
    if any(label in name and len(name) <= 3 * len(label) for label in telling):
        return True
    return bool(telling) and len(name) > 3 and name in "".join(labels)


def _squashed(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).casefold()


def _headings(tree: Any, site: str, host: str) -> Iterator[tuple[str, list[str]]]:
    """The tag and the pieces of each heading that may be the headline."""
    for heading in chain(tree.iter("h1"), islice(tree.iter("h2"), LOWER_HEADINGS)):
        pieces = _pieces(heading)
        text = " ".join(pieces)
        if text and not is_site(text, site, host) and furniture(text) is None:
            yield heading.tag, pieces


def _pieces(heading: Any) -> list[str]:
    """The parts of a heading that its markup sets apart, kickers by name left out; a word is never cut."""
    flat = _flat(heading)
    texts = _split(_KICKED.sub("", flat)) or _split(flat)
    if sum(map(len, texts)) > MAX_HEADING_CHARS:
        return []
    return texts if len(texts) <= MAX_PIECES else [" ".join(texts)]


def _flat(element: Any) -> str:
    """The text of *element*, each element in it between two ``\\n`` where it is a block, else between two ``\\v``;
    that of a kicker between ``\\x0e`` and ``\\x0f``.
    """
    pieces = [element.text or ""]
    for child in element.iterchildren(tag=etree.Element):
        edge = "\n" if child.tag in _BLOCKS else "\v"
        text = _flat(child)
        if _KICKER.search(f"{child.get('class') or ''} {child.get('itemprop') or ''}"):
            text = f"\x0e{text}\x0f"
        pieces += [edge, text, edge, child.tail or ""]
    return "".join(pieces)


def _split(flat: str) -> list[str]:
    pieces = _GAP.split(re.sub("[\x0e\x0f\u00ad]", "", flat))
    texts = pieces[:1]
    for gap, text in zip(pieces[1::2], pieces[2::2], strict=True):
        if not gap.strip("\v") and texts[-1] and text and _goes_on(texts[-1], text):
            texts[-1] += text
        else:
            texts.append(text)
    return [" ".join(text.split()) for text in texts if _squashed(text)]


def _goes_on(before: str, behind: str) -> bool:
    """Tell whether the text *behind* a piece goes on with its word or sentence, as behind an initial set apart."""
    if before[-1].isspace():
        return False
    last = re.split(r"\s", before)[-1]
    if len(_squashed(last)) <= 2 or before[-1] in _JOINED or not behind[0].isalnum():
        return True
    return behind[0].islower()


def alike(one: str, other: str) -> bool:
    """Tell whether one of two titles is the other, or most of it."""
    one, other = _squashed(one), _squashed(other)
    return bool(one) and (
        one == other or (len(one) > 15 and (one in other or other in one) and 2 * len(other) > len(one))
    )


def _shown(headings: list[list[str]], named: list[str]) -> str | None:
    """The heading, or what stands at its beginning or end, that a title of the page repeats."""
    wanted = set(map(_squashed, named))
    for pieces in headings:
        ends = [*(pieces[at:] for at in range(len(pieces))), *(pieces[:at] for at in range(1, len(pieces)))]
        for text in map(" ".join, ends):
            if _squashed(text) in wanted:
                return text
    return None


def _repeated(first: list[str], named: list[str]) -> str | None:
    """A heading that says more or less than a title, and the same; less a kicker that stands before it."""
    for head in first:
        for text in named:
            if alike(head, text):
                return text if len(text) > 15 and head.casefold().endswith(" " + text.casefold()) else head
    return None


def _telling(text: str) -> set[str]:
    """The words of *text* that are long enough to say what it is about."""
    return set(re.findall(r"\w{5,}", text.casefold()))


def _without_kicker(text: str, others: list[str]) -> str:
    """*text* without the words before a colon or a bar, where the page states the rest as a title as well."""
    for other in sorted(others, key=len, reverse=True):
        if len(other.split()) >= LEAST_WORDS and len(other) < len(text) and text.casefold().endswith(other.casefold()):
            if text[: -len(other)].rstrip()[-1:] in (":", "|"):
                return other
    return text
