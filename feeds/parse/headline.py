"""The headline of an article page: what the page shows as one, without its site's name and without a kicker. Pure.

A page states its headline up to five times: in its heading, in JSON-LD, Open Graph, for Twitter, in `title`. The
heading is what readers see; the others tell which heading it is, and where in it the headline begins. Part of `parse`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from lxml import etree

from feeds.parse.line_kinds import furniture
from feeds.parse.page_marks import words
from feeds.urls import host_of

MAX_HEADING_CHARS = 400
MAX_PIECES = 12
LOWER_HEADINGS = 8
"""Headings of the second rank that are looked at; some templates put the headline there."""
LEAST_PART_WORDS = 3
"""Of a part of a title, between bars or dashes, that a heading repeats."""
LEAST_WORDS = 4
"""Of what is left without a kicker, where nothing in the markup says that it is one."""

_SEPARATED = re.compile(r"\s+[|–—·•»:-]\s+|\s*[|\u3163\uff5c]\s*")
_KICKER = re.compile(
    r"kicker|over-?line|roof-?line|top-?line|dachzeile|spitzmarke|pre-?title|pre-?header|eyebrow|(?:^|[\s_-])(?:label|category|rubrik|"
    r"section|h1small|small|flag|badge|tag|topic|sub-?headline|supertitle|surtitre|antetitulo|cintillo|volanta|occhiello|vignette)(?:$|[\s_-])",
    re.IGNORECASE,
)
_BARS = set("|\u3163\uff5c")
_ARCHIVE = re.compile(r"^(?:[^»]{0,40})?\bblog[ -]?archive?\s*[»:|-]\s*", re.IGNORECASE)
_BLOCKS = {"div", "p", "br", "h1", "h2", "h3", "h4", "li", "header", "section", "hgroup", "td", "hr"}
_JOINED = "'’ʼ-‐‑/("
"""A word goes on behind these."""


def headline(tree: Any, stated: Sequence[str], *, whole: str, site: str, url: str) -> str | None:
    """Return the headline of the page *tree* at *url*, None where it has none.

    *stated* are the titles that the page gives of itself, the most explicit first, *whole* is its ``title``, *site* the
    name of its site.
    """
    host = host_of(url)
    whole = _ARCHIVE.sub("", whole)
    titles = list(filter(None, (without_site(text, site, host) for text in (*stated, whole))))
    named = [text for text in titles if not is_site(text, site, host)] or titles
    headings = ((heading.tag, _pieces(heading)) for heading in _headings(tree, host))
    shown = [(tag, pieces) for tag, pieces in headings if pieces and not is_site(" ".join(pieces), site, host)]
    first = [" ".join(pieces) for tag, pieces in shown if tag == "h1"]
    for found in filter(None, _found(shown, first, named, [*named, whole], any(stated))):
        return _without_kicker(without_site(found, site, host), [*named, *first])
    return None


def _found(
    shown: list[tuple[str, list[str]]], first: list[str], named: list[str], whole: list[str], is_stated: bool
) -> Iterator[str | None]:
    """The headline by each way to tell it, the surest first.

    *shown* are the headings in their pieces, *first* those of the first rank, *named* the titles of the page, without
    its site's name and, in *whole*, with it. *is_stated*: a title is more than the page's ``title``.
    """
    headings = [pieces for _, pieces in shown]
    parts = [part for text in whole for part in _SEPARATED.split(text) if len(part.split()) >= LEAST_PART_WORDS]
    yield _shown(headings, named)
    yield _repeated(first, named)
    yield _shown(headings, parts)
    yield _about(first, named)
    if not is_stated and len(first) == 1 and (not named or _shares_a_word(first[0], named)):
        yield first[0]
    yield from named[:1]
    yield from first[:1]


MOST_TAILS = 8
"""So many parts behind bars are taken for sections of a site; a title has two or three."""


def without_site(text: str, site: str, host: str = "") -> str:
    """Return ``Headline | The Paper`` without the paper, where the page or its address says that this is its name."""
    for _ in range(MOST_TAILS):
        text, again = _without_tail(text, site, host)
        if not again:
            break
    return text


def _without_tail(text: str, site: str, host: str) -> tuple[str, bool]:
    """*text* with one part less at its edge, where that is the site's; and whether another may be behind it."""
    if site and text.casefold().startswith(f"{site.casefold()}: "):
        text = text[len(site) + 2 :].strip()
    parts = list(_SEPARATED.finditer(text))
    if not parts:
        return text, False
    for mark in parts[-3:]:
        before, behind = text[: mark.start()].strip(), text[mark.end() :].strip()
        if before and is_site(_SEPARATED.split(behind)[0], site, host):
            return before, False
    if is_site(text[: parts[0].start()], site, host):
        return text[parts[0].end() :].strip(), False
    return _without_section(text, parts[-1])


def _without_section(text: str, last: re.Match[str]) -> tuple[str, bool]:
    """*text* without what stands behind its *last* mark, where that is a bar and a few words stand there."""
    before, behind = text[: last.start()], text[last.end() :]
    if set(last[0]) & _BARS and len(behind.split()) <= 4 and len(before.split()) >= 4:
        return before.strip(), True
    return text, False


def is_site(text: str, site: str, host: str) -> bool:
    """Tell whether *text* is the name of the site, or its address."""
    name, own = _squashed(text), _squashed(site)
    return bool(name) and (name == own or _is_part_of(name, own) or _is_host(name, host))


def _is_part_of(name: str, own: str) -> bool:
    """Tell whether *name* is some of the site's *own* name, or that and little more."""
    return bool(own) and len(name) > 3 and (name in own or (own in name and len(own) * 2 > len(name)))


def _is_host(name: str, host: str) -> bool:
    labels = [_squashed(label) for label in host.removeprefix("www.").split(".")]
    telling = [label for label in labels[:-1] if len(label) > 3]
    if any(label in name and len(name) <= 3 * len(label) for label in telling):
        return True
    return bool(telling) and len(name) > 3 and name in "".join(labels)


def _squashed(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).casefold()


def _headings(tree: Any, host: str) -> Iterator[Any]:
    for heading in tree.iter("h1"):
        if not _leads_home(heading, host) and furniture(words(heading)) is None:
            yield heading
    yield from islice(tree.iter("h2"), LOWER_HEADINGS)


def _leads_home(heading: Any, host: str) -> bool:
    """Tell whether a heading is a link to the front page: the site's name."""
    link = next(heading.iter("a"), None)
    if link is None or words(link) != words(heading):
        return False
    target = (link.get("href") or "").strip()
    return target == "/" or (bool(host) and re.fullmatch(rf"(?:https?:)?//{re.escape(host)}/?", target) is not None)


@dataclass(slots=True)
class _Run:
    """A run of *text* in a heading: whether a *block* stands before it, and whether it is a *kicker* by name."""

    text: str
    block: bool
    kicker: bool


def _pieces(heading: Any) -> list[str]:
    """The parts of a heading that its markup sets apart, kickers by name left out; a word is never cut."""
    runs: list[_Run] = []
    _collect(heading, runs, block=True, kicker=False)
    pieces: list[_Run] = []
    for run in runs:
        if pieces and not run.block and _goes_on(pieces[-1].text, run.text):
            pieces[-1].text += run.text
            pieces[-1].kicker &= run.kicker
        else:
            pieces.append(run)
    texts = _texts(pieces)
    if sum(map(len, texts)) > MAX_HEADING_CHARS:
        return []
    return texts if len(texts) <= MAX_PIECES else [" ".join(texts)]


def _texts(pieces: Iterable[_Run]) -> list[str]:
    """What *pieces* say, without kickers where anything else says something."""
    filled = [piece for piece in pieces if _squashed(piece.text)]
    kept = [piece for piece in filled if not piece.kicker] or filled
    return [" ".join(piece.text.replace("\u00ad", "").split()) for piece in kept]


def _is_kicker(element: Any) -> bool:
    names = f"{element.get('class') or ''} {element.get('itemprop') or ''}"
    return _KICKER.search(names) is not None


def _collect(element: Any, runs: list[_Run], *, block: bool, kicker: bool) -> bool:
    """Add the runs of text in *element* to *runs*; returns whether a block ended behind the last one."""
    if element.text and element.text.strip():
        runs.append(_Run(element.text, block, kicker))
        block = False
    for child in element.iterchildren(tag=etree.Element):
        apart = child.tag in _BLOCKS
        block = _collect(child, runs, block=block or apart, kicker=kicker or _is_kicker(child)) or apart
        tail = child.tail or ""
        if tail.strip():
            runs.append(_Run(tail, block, kicker))
            block = False
        elif tail and runs:
            runs[-1].text += " "
    return block


def _goes_on(before: str, behind: str) -> bool:
    """Tell whether the text *behind* a piece goes on with its word or sentence, as behind an initial set apart."""
    if before[-1:].isspace() or behind[:1].isspace():
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
    wanted = [_squashed(text) for text in named]
    for pieces in headings:
        parts = [pieces, *(pieces[at:] for at in range(1, len(pieces))), *(pieces[:at] for at in range(1, len(pieces)))]
        for part in parts:
            if (text := " ".join(part)) and _squashed(text) in wanted:
                return text
    return None


def _repeated(first: list[str], named: list[str]) -> str | None:
    """A heading that says more or less than a title, and the same; less a kicker that stands before it."""
    for head in first:
        for text in named:
            if alike(head, text):
                return text if len(text) > 15 and head.casefold().endswith(" " + text.casefold()) else head
    return None


def _about(first: list[str], named: list[str]) -> str | None:
    """The one heading of a page that puts another headline on itself than into search results, of the same things."""
    spoken_of = set().union(*map(_telling, named))
    if len(first) == 1 and len(first[0].split()) >= LEAST_WORDS and _telling(first[0]) & spoken_of:
        return first[0]
    return None


def _shares_a_word(head: str, named: list[str]) -> bool:
    known = {word for text in named for word in re.findall(r"\w{4,}", text.casefold())}
    return any(word in known for word in re.findall(r"\w{4,}", head.casefold()))


def _telling(text: str) -> set[str]:
    """The words of *text* that are long enough to say what it is about."""
    return {word for word in re.findall(r"\w+", text.casefold()) if len(word) >= 5}


def _without_kicker(text: str, others: list[str]) -> str:
    """*text* without the words before a colon or a bar, where the page states the rest as a title as well."""
    for other in sorted(others, key=len, reverse=True):
        if len(other.split()) >= LEAST_WORDS and len(other) < len(text) and text.casefold().endswith(other.casefold()):
            before = text[: -len(other)].rstrip()
            if before[-1:] in (":", "|"):
                return other
    return text
