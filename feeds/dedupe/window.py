"""The articles of the last days, as near as memory allows: signatures and an index into them. Pure; held in memory.

About 570 bytes an article. The store keeps each signature with its entry, so that a restart adds them again and no text
is read again (measured in `bench/dedupe.py`).

What one source writes under all of its entries (`Boilerplate`: a channel's description, the form of its release notes)
is no sign. Nothing is kept for it: only where an entry comes near to another, which few do, the triples of the source's
other entries are counted, those of the document in hand and the newest that are stored.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from feeds.dedupe import near, signature
from feeds.dedupe.near import Speaking, Weighed
from feeds.dedupe.postings import Postings
from feeds.dedupe.signature import HEAD_GRAMS, LOW_BITS, Sketch, Sketches
from feeds.dedupe.terms import GramCounts, Hashes, Ints, Weights, distinct, each_once, first_of_each
from feeds.model import StoredSignature

DAYS = 14.0
MOST_ARTICLES = 1_000_000
INDEXED_BODY = 20
INDEXED_HEAD = 8
TITLE_WORDS = 3
"""An article is found by its title too where that has so many words."""
COMPARED = 8
"""So many candidates are compared with an arriving article, those first that share most with it."""
LEAST_TELLING = 0.5
"""A candidate that shares less than this of what is indexed has no telling triple in common with the article."""
COPIES_KEPT = 8
"""So many copies of one article are kept for comparing; further ones add time and tell nothing."""
CHUNK_BYTES = 1 << 18
_TITLE_SALT = 0x5BD1E995
_COLUMNS = np.r_[:INDEXED_HEAD, HEAD_GRAMS : HEAD_GRAMS + INDEXED_BODY, -1]
"""Of `Sketches.hashes`, what an article is found by."""
_URN = re.compile(r"urn:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ROW = np.dtype([("uid", "V16"), ("chunk", "u4"), ("offset", "u4"), ("size", "u2"), ("seen", "u4"), ("source", "u4")])
"""What is kept of an article beside its index: where its signature lies, when it was seen, in seconds."""

RECURS = 2
"""A triple in more entries of a source than this is no sign between them."""
OWN = 0.08
"""Where less than this of a text is its own, the source repeats whole texts: as who gathers others' news does."""


class _Row(NamedTuple):
    """A row of `_ROW`, but for its *uid*."""

    uid: str
    chunk: int
    offset: int
    size: int
    seen: int
    source: int


class Near(NamedTuple):
    """An article of the window that an arriving one is a copy of."""

    uid: str
    likeness: near.Likeness


class _Met(NamedTuple):
    """An article of the window that was compared with an arriving one; *place* is what that is to it.

    *own_title* says that it is of the same source and has the same title.
    """

    uid: str
    likeness: near.Likeness
    weighed: Weighed
    place: near.Place | None
    own_title: bool


class Found(NamedTuple):
    """What the window has for an article: of which others it is a *copy*, the nearest first, and the uids of those
    that are *parts* of it, and of the *wholes* that it is a part of."""

    copies: tuple[Near, ...] = ()
    parts: tuple[str, ...] = ()
    wholes: tuple[str, ...] = ()


NOTHING = Found()


class Window:
    """What near copies are looked for in: `find` one, `add` what was decided."""

    def __init__(self, *, days: float = DAYS, most: int = MOST_ARTICLES) -> None:
        self._days = days
        self._most = most
        self._postings = Postings()
        self.counts = GramCounts()
        self._chunks: dict[int, bytearray] = {}
        self._last_chunk = 0
        self._filled = 0
        self._rows = np.zeros(1024, _ROW)
        self._odd_uids: dict[int, str] = {}
        self._next = 0  # the number of the next document; numbers never come again
        self._oldest = 0
        self._copies: Counter[str] = Counter()
        self._begun = 0, 0, 0
        self._copied: list[str] = []
        self.begin()

    def begin(self) -> None:
        """Begin a batch: from here on `undo` takes back; what was added before stays."""
        self._begun = self._next, self._last_chunk, self._filled
        self._copied.clear()
        self.counts.begin()
        self._postings.begin()

    def undo(self) -> None:
        """Be what this was when the batch began: for one that could not be saved."""
        self._next, self._last_chunk, self._filled = self._begun
        self._odd_uids = {document: uid for document, uid in self._odd_uids.items() if document < self._next}
        self._chunks = {number: chunk for number, chunk in self._chunks.items() if number <= self._last_chunk}
        self._copies -= Counter(self._copied)
        self._copied.clear()
        self.counts.undo()
        self._postings.undo(self._next)

    def __len__(self) -> int:
        return self._next - self._oldest

    def reaches_days(self, now: datetime) -> float:
        """How far back it reaches: less than its days where it holds as many articles as it may."""
        if len(self) < self._most:
            return self._days
        return min(self._days, (now.timestamp() - int(self._rows["seen"][0])) / 86400)

    def add(self, entries: Iterable[StoredSignature]) -> None:
        """Take in *entries*, in the order in which they were seen. Raises ValueError where a signature is cut short."""
        wanted = [entry for entry in entries if self._is_wanted(entry)]
        if not wanted:
            return
        several = signature.read_together([entry.signature for entry in wanted])
        hashes, sizes = _indexed(several)
        self._postings.add(np.arange(self._next, self._next + len(wanted)).repeat(sizes), hashes)
        self.counts.add(several.hashes, several.held & ~np.array([entry.copy for entry in wanted])[:, None])
        self._keep(wanted, several.behind)
        self._next += len(wanted)

    def _is_wanted(self, entry: StoredSignature) -> bool:
        """Whether *entry* is to be compared with."""
        return signature.tells(entry.signature) and (not entry.copy or self._is_wanted_copy(entry.article_uid))

    def find(
        self,
        sketched: bytes,
        *,
        now: datetime,
        source_id: int,
        speaks: Speaking | None = None,
        boilerplate: Boilerplate | None = None,
        but: str = "",
    ) -> Found:
        """What of the window is near *sketched*, contains it or stands in it; the article *but* is left out.

        *boilerplate* is that of the source, *speaks* is of the title and text that were sketched.
        """
        sketch = signature.read(sketched)
        if sketch is None:
            return NOTHING
        mine = near.weigh(sketch, self.counts)
        since = self._since(now)
        rows = [row for row in self._rows_at(self._sharing(mine)) if row.seen >= since and row.uid != but]
        if not rows:
            return NOTHING
        met = []
        for at, other in near.candidates(mine, [self._signature(row) for row in rows]):
            same_source = rows[at].source == source_id & 0xFFFFFFFF
            weighed = near.weigh(other, self.counts)
            likeness, place = _compared(mine, weighed, boilerplate, same_source=same_source, speaks=speaks)
            own_title = same_source and other.title_hash == mine.sketch.title_hash
            met.append(_Met(rows[at].uid, likeness, weighed, place, own_title))
        return _found(mine, met)

    def signatures_of(self, uid: str) -> list[bytearray]:
        """Those of the entries of the article *uid*; it looks at every row."""
        places = np.flatnonzero(self._rows["uid"][: len(self)] == np.void(_uuid_of(uid) or bytes(16)))
        return [self._signature(row) for row in self._rows_at(places.tolist()) if row.uid == uid]

    def _sharing(self, mine: Weighed) -> list[int]:
        """The rows that share most with an arriving article: what is indexed of it, by how telling it is."""
        hashes, telling = _telling(mine)
        at, documents = self._postings.lookup(hashes)
        if not documents.size:
            return []
        order = documents.argsort(kind="stable")
        documents = documents[order]
        first = first_of_each(documents).nonzero()[0]
        shared = np.add.reduceat(telling[at[order]], first)
        likely = (shared >= LEAST_TELLING).nonzero()[0]
        best = likely[(-shared[likely]).argsort(kind="stable")[:COMPARED]]
        return [row for row in (documents[first[best]] - self._oldest).tolist() if row >= 0]

    def forget(self, now: datetime) -> None:
        """Let go what is older than the window's days, and the oldest beyond its number of articles."""
        count = len(self)
        gone = self._too_many(now)
        if gone < 1 or (gone < count // 16 and gone < 50_000):
            return
        self._rows[: count - gone] = self._rows[gone:count]
        self._oldest += gone
        self._odd_uids = {document: uid for document, uid in self._odd_uids.items() if document >= self._oldest}
        first = int(self._rows["chunk"][0]) if len(self) else self._last_chunk
        self._chunks = {number: chunk for number, chunk in self._chunks.items() if number >= first}
        self._postings.forget(self._oldest)
        self._copies.clear()

    def _too_many(self, now: datetime) -> int:
        """How many of the oldest articles are too old, or beyond the window's number of articles."""
        count = len(self)
        old = bisect_left(self._rows["seen"], self._since(now), hi=count)
        return max(old, count - self._most)

    def _since(self, now: datetime) -> int:
        return int((now - timedelta(days=self._days)).timestamp())

    def _keep(self, entries: Sequence[StoredSignature], sizes: Ints) -> None:
        """Write the next rows; *sizes* is how much is kept of each signature."""
        kept = b"".join([entry.signature[:size] for entry, size in zip(entries, sizes.tolist(), strict=True)])
        if self._filled + len(kept) > CHUNK_BYTES or not self._chunks:
            self._last_chunk += 1
            # Made at full size: a bytearray that grows keeps an eighth more than it holds.
            self._chunks[self._last_chunk] = bytearray(max(CHUNK_BYTES, len(kept)))
            self._filled = 0
        offset, self._filled = self._filled, self._filled + len(kept)
        self._chunks[self._last_chunk][offset : self._filled] = kept
        first, end = len(self), len(self) + len(entries)
        if end > len(self._rows):
            self._rows = np.concatenate((self._rows, np.zeros(max(1024, first // 4, len(entries)), _ROW)))
        rows = self._rows[first:end]
        rows["uid"] = [self._uid_of(entry, number) for number, entry in enumerate(entries, self._next)]
        rows["chunk"] = self._last_chunk
        rows["offset"] = offset + sizes.cumsum() - sizes
        rows["size"] = sizes
        rows["seen"] = [int(entry.first_seen.timestamp()) for entry in entries]
        rows["source"] = [entry.source_id & 0xFFFFFFFF for entry in entries]

    def _uid_of(self, entry: StoredSignature, number: int) -> bytes:
        """What a row has of the uid of *entry*; one of another form is kept beside the rows."""
        uid = _uuid_of(entry.article_uid)
        if uid is None:
            self._odd_uids[number] = entry.article_uid
        return uid or bytes(16)

    def _is_wanted_copy(self, uid: str) -> bool:
        if self._copies[uid] >= COPIES_KEPT:
            return False
        self._copies[uid] += 1
        self._copied.append(uid)
        return True

    def _rows_at(self, places: list[int]) -> list[_Row]:
        """The rows at *places*, taken out at once: of an array of records each field of each row costs as much."""
        rows = zip(places, self._rows[places].tolist(), strict=True)
        return [_Row(self._odd_uids.get(self._oldest + at) or _urn(uid), *others) for at, (uid, *others) in rows]

    def _signature(self, row: _Row) -> bytearray:
        return self._chunks[row.chunk][row.offset : row.offset + row.size]


def _urn(uuid: bytes) -> str:
    """
    >>> _urn(bytes(range(16)))
    'urn:uuid:00010203-0405-0607-0809-0a0b0c0d0e0f'
    """
    text = uuid.hex()
    return f"urn:uuid:{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _uuid_of(uid: str) -> bytes | None:
    """The UUID of an article's id; None for an id of another form."""
    return bytes.fromhex(uid[9:].replace("-", "")) if _URN.fullmatch(uid) else None


def _compared(
    mine: Weighed,
    other: Weighed,
    boilerplate: Boilerplate | None,
    *,
    same_source: bool,
    speaks: Speaking | None,
) -> tuple[near.Likeness, near.Place | None]:
    """How near two articles are, and where they are not, what one is to the other; *boilerplate* is no sign for either.

    It is expensive, and looked at only where something was found.
    """
    likeness = near.judge(mine, other, same_source=same_source, speaks=speaks)
    if likeness.near and boilerplate is not None:
        own, its = (boilerplate.taken_from(each, same_source=same_source) for each in (mine, other))
        if own is not mine or its is not other:
            likeness = near.judge(own, its, same_source=same_source, speaks=speaks)
    if likeness.near:
        return likeness, None
    place = near.place(mine, other, likeness.body, same_source=same_source, speaks=speaks)
    if place is not None and boilerplate is not None:
        own, its = (boilerplate.taken_from(each, same_source=True) for each in (mine, other))
        place = near.place(own, its, near.judge(own, its).body, same_source=same_source, speaks=speaks)
    return likeness, place


def _found(mine: Weighed, met: Sequence[_Met]) -> Found:
    """What of those that were compared an article is a copy of, and which hold it or stand in it."""
    copies = sorted((one for one in met if one.likeness.near), key=lambda one: -one.likeness.score)
    parts, wholes = ([one for one in met if one.place == place] for place in ("whole", "part"))
    if copies and _is_whole(mine, copies, parts):
        parts += copies
        copies = []
    if _is_column(copies, met):
        copies = []
    return Found(tuple(Near(one.uid, one.likeness) for one in copies), _uids(parts), _uids(wholes))


def _is_column(copies: Sequence[_Met], met: Sequence[_Met]) -> bool:
    """Whether an article is of a column, whose title comes again and again, and is like others by its title alone."""
    return bool(copies) and copies[0].likeness.by_title and any(one.own_title for one in met)


def _uids(met: Iterable[_Met]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.uid for one in met))


def _is_whole(mine: Weighed, copies: Sequence[_Met], parts: Sequence[_Met]) -> bool:
    """Whether an article holds two texts that have nothing in common: then it is a copy of neither."""
    most = near.SHORTER * mine.sketch.gram_count
    if any(one.likeness.one_title or one.weighed.sketch.gram_count >= most for one in copies):
        return False
    nearest = copies[0]
    return any(near.unlike(nearest.weighed, one.weighed) for one in (*parts, *copies) if one.uid != nearest.uid)


def _indexed(several: Sketches) -> tuple[Hashes, list[int]]:
    """The hashes that articles are found by, one article behind the other, those of each once; how many each has.

    They are the smallest of its text, those of its first sentences, and its title's.
    """
    hashes, held = several.hashes[:, _COLUMNS], several.held[:, _COLUMNS]
    hashes[:, -1] = _of_title(hashes[:, -1])
    held[:, -1] = several.titles >= TITLE_WORDS
    return each_once(hashes, held)


def _of_title(title_hash: Any) -> Any:
    return title_hash ^ _TITLE_SALT


def _telling(mine: Weighed) -> tuple[Hashes, Weights]:
    """What `_indexed` gives, and what each weighs."""
    sketch = mine.sketch
    found = dict(zip(sketch.body[:INDEXED_BODY].tolist(), mine.body[:INDEXED_BODY].tolist(), strict=True))
    found.update(zip(sketch.head[:INDEXED_HEAD].tolist(), mine.head[:INDEXED_HEAD].tolist(), strict=True))
    if len(sketch.title) >= TITLE_WORDS:
        found.setdefault(_of_title(sketch.title_hash), 1.0)
    return np.array(list(found), np.uint32), np.array(list(found.values()), np.float64)


class Boilerplate:
    """Weighs away what recurs in the entries of one source; *others* gives their signatures when they are needed."""

    def __init__(self, others: Callable[[], Iterable[bytes]]) -> None:
        self._others = others

    def taken_from(self, weighed: Weighed, *, same_source: bool) -> Weighed:
        """*weighed* without what recurs; itself where nothing does, or all of what is compared with another source."""
        if not self._recurring.size:
            return weighed
        sketch = weighed.sketch
        body, head = weighed.body * self._own(sketch.body), weighed.head * self._own(sketch.head)
        if not same_source and body.sum() < OWN * weighed.body.sum():
            return weighed
        return Weighed(sketch, body, head)

    def _own(self, grams: Hashes) -> npt.NDArray[np.bool_]:
        low = grams & LOW_BITS
        at = np.minimum(self._recurring.searchsorted(low), len(self._recurring) - 1)
        own: npt.NDArray[np.bool_] = self._recurring[at] != low
        return own

    @cached_property
    def _recurring(self) -> Hashes:
        """The LOW_BITS of triples that recur, in order."""
        others = list(self._others())
        if len(others) <= RECURS:
            return np.empty(0, np.uint32)
        each = [_triples(sketch) for one in others if (sketch := signature.read(one)) is not None]
        every = np.sort(np.concatenate([np.empty(0, np.uint32), *each]))
        starts = np.flatnonzero(first_of_each(every))
        return every[starts[np.diff(starts, append=len(every)) > RECURS]]


def _triples(sketch: Sketch) -> Hashes:
    return distinct(np.concatenate((sketch.body, sketch.head)) & LOW_BITS)
