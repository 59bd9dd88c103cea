"""What the pages of one site have in common: blocks that are furniture, and the place where the text stands. Pure.

A template shows the same lines beside every article. What stands on three pages of a site is furniture; a paragraph,
which papers use again as background, must stand on half of the last ones. No page loses the most of its text by that.
The place of the text is the element that held it on most of the last pages. Both are learnt from the last pages alone
(`feeds.text`), so a redesign is forgotten with them. Part of `parse`, for `body`.
"""

from __future__ import annotations

import re
from typing import Any

from feeds.parse.boxes import prose_in
from feeds.parse.figures import squashed, without_signs
from feeds.text import Recurring, Shown, line_hash, mark_of

LEAST_PAGES = 3
PROSE_PART = 0.5
"""Of the last pages, on which a whole paragraph stands before it counts as furniture."""
MOST_TAKEN = 0.5
"""Of a page's text; where more of it is shared, the pages are parts of one article."""
MOST_PLACES = 3
NOTHING_SHOWN = Shown(0, ())


def seen(blocks: list[Any], tree: Any, title: str) -> Shown:
    """Return what is to be remembered of a page: its *blocks*, and the place of its text in *tree*."""
    texts = [_text(block) for block in blocks]
    place = _place(tree, squashed("".join(texts)))
    hashes = [line_hash(place, "place")] if place else []
    hashes += [_hash(text, title) for text in texts if text]
    return Shown(mark_of(title, " ".join(texts)[:200]), tuple(hashes))


def without_shared(blocks: list[Any], title: str, known: Recurring) -> tuple[list[Any], tuple[str, ...]]:
    """Return *blocks* without those that other pages have too, and in words what was taken."""
    if len(known.documents) < LEAST_PAGES:
        return blocks, ()
    kept, taken = [], []
    for block in blocks:
        text = _text(block)
        needed = max(LEAST_PAGES, PROSE_PART * len(known.documents)) if prose_in(block) else LEAST_PAGES
        if text and known.counts[_hash(text, title)] >= needed:
            taken.append(text)
        else:
            kept.append(block)
    if sum(map(len, taken)) > MOST_TAKEN * sum(len(_text(block)) for block in blocks):
        return blocks, ()
    return kept, tuple(f"on other pages of the site as well, taken out: “{text[:120]}”" for text in taken)


def places_of_text(tree: Any, learnt: Recurring) -> list[Any]:
    """Return the elements of *tree* that are named as those which held the text of most of the site's last pages."""
    if len(learnt.documents) < LEAST_PAGES:
        return []
    needed = max(LEAST_PAGES, len(learnt.documents) / 2)
    places: dict[str, list[Any]] = {}
    for element in tree.iter("div", "article", "section", "main", "td"):
        if element.get("class") or element.get("id"):
            places.setdefault(_name(element), []).append(element)
    found = [held for name, held in places.items() if learnt.counts[line_hash(name, "place")] >= needed]
    return [element for held in found if len(held) <= MOST_PLACES for element in held]


def _text(block: Any) -> str:
    return " ".join(without_signs("".join(block.itertext())).split())


def _hash(text: str, title: str) -> int:
    return line_hash(text.replace(title, "\u25a1") if len(title) >= 4 else text, "page")


def _place(tree: Any, text: str) -> str:
    """The name of the element that holds most of the paragraphs in *text*, ``""`` where it has none."""
    chars: dict[Any, int] = {}
    for paragraph in tree.iter("p"):
        length = prose_in(paragraph)
        if length and squashed("".join(paragraph.itertext()))[:60] in text:
            parent = paragraph.getparent()
            chars[parent] = chars.get(parent, 0) + length
    if not chars:
        return ""
    holder = max(chars, key=lambda element: chars[element])
    return _name(holder) if holder.get("class") or holder.get("id") else ""


def _name(element: Any) -> str:
    """The tag, classes and id of *element*; numbers in them are those of the article."""
    classes = sorted((element.get("class") or "").split())
    return re.sub(r"\d+", "0", f"{element.tag}.{'.'.join(classes)}#{element.get('id') or ''}")
