"""A feed's bytes cut into its items, without building a tree. The part of `parse` that makes polling cheap. Pure.

Items whose bytes were seen at the last poll are left out, and feedparser reads the head and the new ones. The cut goes
by searching bytes: comments, CDATA sections and processing instructions are stepped over, and whenever it is not
certain where an item begins or ends there is no cut, and the document is read whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from functools import lru_cache

from msgspec import Struct
from xxhash import xxh3_64_intdigest

from feeds.parse.fields import MAX_ENTRIES, MAX_ROOT_TAG_BYTES
from feeds.parse.kinds import COMMENT, TAG_END, Prolog

_NAMES = {
    "item": re.compile(rb"<((?:[A-Za-z_][\w.\-]*:)?item)(?=[\s>/])", re.IGNORECASE),
    "entry": re.compile(rb"<((?:[A-Za-z_][\w.\-]*:)?entry)(?=[\s>/])", re.IGNORECASE),
}
_ITEM_LIKE = re.compile(rb"<(?:[^<>\s/:]+:)?(?:item|entry)[\s>/]", re.IGNORECASE)
_MARKS = ((b"<![CDATA[", b"]]>"), (b"<!--", b"-->"), (b"<?", b"?>"))
_SLASH = 47
_Search = Callable[[bytes, int], re.Match[bytes] | None]
_CLOSING_END = re.compile(rb"[ \t\r\n]*>")
_CHANNEL = re.compile(rb"<(?:[\w.\-]+:)?channel(?=[\s>/])[^>]*>", re.IGNORECASE)
# The elements by which a feed says when it was made, which most say anew at every poll.
_STAMP = re.compile(
    rb"<((?:[\w.\-]+:)?(?:lastBuildDate|pubDate|updated|modified|date))(?=[\s>])[^>]*>[^<]*</\1\s*>", re.IGNORECASE
)


class Cut(Struct, frozen=True):
    """Where the items of a document are. *hashes* has one for each range; bytes outside of them are the head.

    *tail* is where what follows the last item begins; with *over*, items beyond MAX_ENTRIES lie before it. *start* is
    where the root's tag is over.
    """

    ranges: tuple[tuple[int, int], ...]
    hashes: tuple[int, ...]
    tail: int
    over: bool = False
    start: int = 0

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

    def head_hash(self, body: bytes) -> int:
        """A hash (unsigned 64 bit) of all that stands outside of items, but for comments and the feed's own dates."""
        pieces, done = [], self.start
        for first, last in self.ranges:
            if first > done:
                pieces.append(body[done:first])
            done = last
        pieces.append(body[max(self.tail, done) :])
        outside = _STAMP.sub(b"", COMMENT.sub(b"", b"".join(pieces)))
        return xxh3_64_intdigest(b" ".join(outside.split()))


class _Uncertain(Exception):
    """It cannot be told where an item begins or ends."""


def cut(body: bytes, prolog: Prolog) -> Cut | None:
    """Find the items of *body* (UTF-8); None where they can't be told apart with certainty.

    A hash is xxh3 of the item's bytes, seeded with the tags that it stands in and the DOCTYPE: when a namespace, a
    base, a language or an entity changes, every item is new.
    """
    named = _NAMES["entry" if prolog.local == "feed" else "item"].search(body, prolog.end)
    if named is None:
        return Cut((), (), len(body), start=prolog.end) if _ITEM_LIKE.search(body, prolog.end) is None else None
    try:
        ranges, tail, over = _items(body, named.group(1), prolog.end)
    except _Uncertain:
        return None
    channel = _CHANNEL.search(body, prolog.end, ranges[0][0] if ranges else len(body))
    # A bare tag says nothing, and adds nothing.
    holder = channel.group() if channel is not None and b"=" in channel.group() else b""
    seed = xxh3_64_intdigest(prolog.tag + holder + prolog.doctype)
    hashes = tuple([xxh3_64_intdigest(body[first:last], seed) for first, last in ranges])
    return Cut(tuple(ranges), hashes, tail, over, prolog.end)


def _items(body: bytes, name: bytes, start: int) -> tuple[list[tuple[int, int]], int, bool]:
    """Where the items called *name* are, where the last of all is over, and whether there are more than MAX_ENTRIES."""
    search = _tokens(name).search
    ranges: list[tuple[int, int]] = []
    outside: list[bytes] = []  # what the cut takes for the head, without comments and CDATA
    over = False
    at = done = tail = start
    while (found := search(body, at)) is not None:
        token = found.start()
        outside.append(body[done:token])
        if found.lastindex is None:
            at = done = _after_mark(body, token)
        elif found.group(1):
            raise _Uncertain  # the end of an item that never began
        elif len(ranges) == MAX_ENTRIES:
            over = True
            done = tail = _after_last(body, b"</" + name, done)
            break
        else:
            at = done = tail = _after_item(body, found.end(), search)
            ranges.append((token, at))
    outside.append(body[done:])
    if _ITEM_LIKE.search(b"".join(outside)) is not None:
        raise _Uncertain
    return ranges, tail if ranges else len(body), over


def _after_item(body: bytes, at: int, search: _Search) -> int:
    """Where the item is over whose tag goes on at *at*."""
    tag = TAG_END.match(body, at, at + MAX_ROOT_TAG_BYTES)
    if tag is None:
        raise _Uncertain
    at = tag.end()
    if body[at - 2] == _SLASH:
        return at
    while (found := search(body, at)) is not None:
        if found.lastindex is None:
            at = _after_mark(body, found.start())
        elif found.group(1) and (closed := _CLOSING_END.match(body, found.end())) is not None:
            return closed.end()
        else:
            break  # an item in an item, or an end that does not end
    raise _Uncertain


@lru_cache(maxsize=64)
def _tokens(name: bytes) -> re.Pattern[bytes]:
    """What can begin or end an item called *name*, or hide the beginning or end of one; group 1 is / for an end."""
    return re.compile(rb"<(?:[!?]|(/?)" + re.escape(name) + rb"(?=[\s>/]))")


def _after_mark(body: bytes, mark: int) -> int:
    """Where the comment, CDATA section or processing instruction at *mark* is over."""
    for opening, closing in _MARKS:
        if body.startswith(opening, mark):
            end = body.find(closing, mark + len(opening))
            if end >= 0:
                return end + len(closing)
            break
    raise _Uncertain


def _after_last(body: bytes, closing: bytes, at: int) -> int:
    """Where the last item of all is over, for a document with more items than are read."""
    last = body.rfind(closing, at)
    closed = _CLOSING_END.match(body, last + len(closing)) if last >= 0 else None
    return closed.end() if closed else at
