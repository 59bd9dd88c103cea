"""A feed's bytes cut into its items, without building a tree. The part of `parse` that makes polling cheap. Pure.

Items whose bytes were seen at the last poll are left out, and feedparser reads the head and the new ones. The cut goes
by searching bytes: comments, CDATA sections and processing instructions are stepped over, and whenever it is not
certain where an item begins or ends there is no cut, and the document is read whole.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from xxhash import xxh3_64_intdigest

from feeds.parse.limits import MAX_ENTRIES, MAX_ROOT_TAG_BYTES
from feeds.parse.prolog import Prolog

_OPENINGS = {
    "item": re.compile(rb"<((?:[A-Za-z_][\w.\-]*:)?item)(?=[\s>/])", re.IGNORECASE),
    "entry": re.compile(rb"<((?:[A-Za-z_][\w.\-]*:)?entry)(?=[\s>/])", re.IGNORECASE),
}
_ITEM_LIKE = re.compile(rb"<(?:[^<>\s/:]+:)?(?:item|entry)[\s>/]", re.IGNORECASE)
_TAG_END = re.compile(rb"""(?:[^"'>]++|"[^"]*+"|'[^']*+')*+>""")
_AFTER_NAME = (b" ", b"\t", b"\r", b"\n", b">", b"/")
_MAX_STEPS = 500  # comments, CDATA sections and the like in one item: keeps the time within a multiple of the size
_CLOSING_END = re.compile(rb"[ \t\r\n]*>")


@dataclass(frozen=True, slots=True)
class Cut:
    """Where the items of a document are. *hashes* has one for each range; bytes outside of them are the head.

    *tail* is where what follows the last item begins; with *over*, items beyond MAX_ENTRIES lie before it.
    """

    ranges: tuple[tuple[int, int], ...]
    hashes: tuple[int, ...]
    tail: int
    over: bool = False

    def without(self, body: bytes, start: int, left_out: Collection[int]) -> tuple[bytes, list[int]]:
        """Return `body[start:]` without the items whose hash is in *left_out*, and the positions of those that stay."""
        pieces, stay = [], []
        done = start
        for position, (first, last) in enumerate(self.ranges):
            if self.hashes[position] in left_out:
                pieces.append(body[done:first])
                done = last
            else:
                stay.append(position)
        end = self.ranges[-1][1] if self.ranges else done
        pieces += [body[done:end], body[max(self.tail, end) :]]
        return b"".join(pieces), stay


def cut(body: bytes, prolog: Prolog) -> Cut | None:
    """Find the items of *body* (UTF-8); None where they can't be told apart with certainty.

    A hash is xxh3 of the item's bytes, seeded with the root's tag and the DOCTYPE: when a namespace, a base or an
    entity changes, every item is new.
    """
    local = "entry" if prolog.local == "feed" else "item"
    named = _OPENINGS[local].search(body, prolog.end)
    if named is None:
        return Cut((), (), len(body)) if _ITEM_LIKE.search(body, prolog.end) is None else None
    opening, closing = b"<" + named.group(1), b"</" + named.group(1)
    ranges: list[tuple[int, int]] = []
    outside: list[bytes] = []
    at, over = prolog.end, False
    while True:
        first = _next_item(body, opening, at, outside)
        if first is None:
            return None
        if first < 0:
            break
        if len(ranges) == MAX_ENTRIES:
            over = True
            break
        last = _item_end(body, opening, closing, first)
        if last is None:
            return None
        ranges.append((first, last))
        at = last
    if over:
        at = _after_last(body, closing, at)
        outside.append(body[at:])
    if _ITEM_LIKE.search(b"".join(outside)) is not None:
        return None
    seed = xxh3_64_intdigest(prolog.tag + prolog.doctype)
    hashes = tuple([xxh3_64_intdigest(body[first:last], seed) for first, last in ranges])
    return Cut(tuple(ranges), hashes, at, over)


def _next_item(body: bytes, opening: bytes, at: int, outside: list[bytes]) -> int | None:
    """Where the next item begins, -1 for none, None where that is unclear; what lies before goes to *outside*."""
    first = body.find(opening, at)
    for _ in range(_MAX_STEPS):
        end = first if first >= 0 else len(body)
        mark = _mark(body, at, end)
        if mark >= 0:
            outside.append(body[at:mark])
            after = _after_mark(body, mark)
            if after is None:
                return None
            at = after
            if at > end:
                first = body.find(opening, at)
            continue
        if first < 0:
            outside.append(body[at:])
            return -1
        after = first + len(opening)
        if body[after : after + 1] in _AFTER_NAME:
            outside.append(body[at:first])
            return first
        outside.append(body[at:after])  # a longer name, such as <items>
        at = after
        first = body.find(opening, at)
    return None


def _item_end(body: bytes, opening: bytes, closing: bytes, first: int) -> int | None:
    """Where the item that begins at *first* is over; None where it holds another, or never ends."""
    at = first + len(opening)
    if body[at] != 62:  # ">"
        tag = _TAG_END.match(body, at, at + MAX_ROOT_TAG_BYTES)
        if tag is None:
            return None
        at = tag.end()
        if body[at - 2] == 47:  # "/>"
            return at
    end = body.find(closing, at)
    for _ in range(_MAX_STEPS):
        if end < 0:
            return None
        mark = _mark(body, at, end)
        if body.find(opening, at, end if mark < 0 else mark) >= 0:
            return None
        if mark >= 0:
            after = _after_mark(body, mark)
            if after is None:
                return None
            at = after
            if at > end:
                end = body.find(closing, at)
            continue
        closed = _CLOSING_END.match(body, end + len(closing))
        if closed is not None:
            return closed.end()
        at = end + len(closing)  # a longer name
        end = body.find(closing, at)
    return None


def _mark(body: bytes, at: int, end: int) -> int:
    """The first comment, CDATA section, declaration or processing instruction in ``body[at:end]``, -1 for none."""
    mark = body.find(b"<!", at, end)
    instruction = body.find(b"<?", at, end if mark < 0 else mark)
    return mark if instruction < 0 else instruction


def _after_mark(body: bytes, mark: int) -> int | None:
    if body.startswith(b"<![CDATA[", mark):
        end = body.find(b"]]>", mark + 9)
    elif body.startswith(b"<!--", mark):
        end = body.find(b"-->", mark + 4)
    elif body.startswith(b"<?", mark):
        end = body.find(b"?>", mark + 2) + 1 or -1
        return None if end < 0 else end + 1
    else:
        return None
    return None if end < 0 else end + 3


def _after_last(body: bytes, closing: bytes, at: int) -> int:
    """Where the last item of all is over, for a document with more items than are read."""
    last = body.rfind(closing, at)
    closed = _CLOSING_END.match(body, last + len(closing)) if last >= 0 else None
    return closed.end() if closed else at
