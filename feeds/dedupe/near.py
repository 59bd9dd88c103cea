"""Near copies: reprints with another headline, a cut tail, added paragraphs, boilerplate around. Pure.

`judge` compares two signatures. What counts is not how many word triples two texts share but how many *telling* ones:
triples that many articles of the window hold ("all rights reserved", "shr 12 cts vs") weigh next to nothing, which
is what keeps template briefs apart and boilerplate out, in any language and without a list of phrases.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from feeds.dedupe.columns import first_of_each
from feeds.dedupe.compact import LOW_BITS, expand, glance, grams_of
from feeds.dedupe.signature import Hashes, Sketch, distinct
from feeds.model import Evidence

COMMON_GRAMS = 3
"""A word triple in more articles than this is common and loses weight."""
CELLS = 1 << 22
HALVE_LOAD = 2.0

ALIKE = 0.65
"""The part of the shorter text's telling triples that the longer must hold too."""
ALIKE_SAME_TITLE = 0.4
ALIKE_OTHER_TITLE = 0.72
BRIEF_WORDS = 122
SAME_LENGTH = 0.8
ALIKE_SAME_LENGTH = 0.72
"""Of two texts of one length none is an excerpt of the other: all must agree, and not the beginning alone."""
ALIKE_SAME_SOURCE = 0.8
"""A source that writes nearly the same under another address twice (tables, columns) mostly means two articles."""
OTHER_FIGURES = 0.9
"""What is asked where the figures differ: more than forms filled in twice have in common."""
NEVER = 1.01
TITLE_WORDS = 3
"""Titles with fewer words than this say nothing."""
LONE_TITLE_WORDS = 5
"""A title that must do alone, without texts, has at least so many."""
FEW_WORDS = 8
"""A text with fewer words is none."""
NOTICE_WORDS = 25
"""Two texts that are both shorter may be a notice ("Subscribe to continue"): then the titles must be alike."""
FIGURES_AGREE = 4
"""Where more than one in so many words has other numbers before it, the figures differ."""
SUPPORT = 0.3
ENOUGH = 6.0
"""With so many telling triples in both samples, SUPPORT of them must agree before a like beginning counts."""
MIN_WEIGHT = 4.0
"""Fewer telling triples than this never suffice, however well they agree."""
LEAST_SHARED = ALIKE_SAME_TITLE * MIN_WEIGHT
"""Where neither beginnings nor samples share so much, no threshold is reached."""

Weights = npt.NDArray[np.float64]

_CELL = np.uint32(CELLS - 1)
_COUNTS = np.arange(256)
_BODY = LOW_BITS + np.uint32(1)
_TABLE = 1 << 14
_TABLE_MASK = np.uint32(_TABLE - 1)


class GramCounts:
    """In about how many articles a word triple stands: a table of small counters, halved when it fills up."""

    def __init__(self) -> None:
        self._cells = np.zeros(CELLS, np.uint8)
        self._before: list[tuple[Any, npt.NDArray[np.uint8], int]] = []  # what was where, for `undo`
        self._added = 0
        self._weighed = -1
        self._weight_of = np.empty(0)  # by what a cell counts, as it was when *_weighed* triples were added

    def begin(self) -> None:
        """From here on `undo` takes back; what was counted before stays."""
        self._before.clear()

    def undo(self) -> None:
        """Be what this was at `begin`."""
        while self._before:
            cells, counts, self._added = self._before.pop()
            self._cells[cells] = counts

    def add(self, grams: Hashes) -> None:
        if not grams.size:
            return
        cells = grams & _CELL
        counts = self._cells[cells]
        self._before.append((cells, counts, self._added))
        self._cells[cells] = counts + (counts < 255)
        self._added += cells.size
        if self._added > HALVE_LOAD * CELLS:
            self._before.append((slice(None), self._cells.copy(), self._added))
            self._cells >>= 1
            self._added //= 2

    def add_many(self, grams: Hashes, owners: npt.NDArray[np.int64]) -> None:
        """What `add` does with the triples of each of *owners* in turn; *grams* may repeat one of an owner's."""
        # By cell, then owner, then what is left of the hash: one order that tells apart all three.
        high = grams.astype(np.uint64)
        cells = (high & np.uint64(CELLS - 1)) << np.uint64(42)
        keys = distinct(cells | (owners.astype(np.uint64) << np.uint64(10)) | (high >> np.uint64(22)))
        if self._added + keys.size > HALVE_LOAD * CELLS:
            for one in np.split(grams, np.flatnonzero(first_of_each(owners))[1:]):
                self.add(distinct(one))
            return
        held = keys[first_of_each(keys >> np.uint64(10))] >> np.uint64(42)  # a cell for each owner that has it
        first = np.flatnonzero(first_of_each(held))
        found = held[first].astype(np.int64)
        times = np.diff(first, append=held.size)
        self._cells[found] = np.minimum(self._cells[found] + times, 255)
        self._added += keys.size

    def weights(self, grams: Hashes) -> Weights:
        """1 for rare triples, towards 0 for common ones."""
        if self._weighed != self._added:
            # A full table counts strangers too: what they add on average is no sign of being common.
            common = COMMON_GRAMS + 4 * self._added / CELLS
            self._weight_of = np.square(common / np.maximum(_COUNTS, common))
            self._weighed = self._added
        weights: Weights = self._weight_of[self._cells[grams & _CELL]]
        return weights


@dataclass(frozen=True, slots=True)
class Likeness:
    """How near two texts are: *score* against *threshold*, and the parts it was made of."""

    score: float
    threshold: float
    body: float
    head: float
    title: float
    by_title: bool = False
    asked: str = ""  # why the threshold is what it is

    @property
    def near(self) -> bool:
        return self.score >= self.threshold


def evidence(likeness: Likeness) -> Evidence:
    parts = f"text {likeness.body:.2f}, beginning {likeness.head:.2f}, title {likeness.title:.2f}"
    parts += f"; {likeness.asked}" if likeness.asked else ""
    return Evidence(kind="near", detail=parts, score=round(likeness.score, 3), threshold=round(likeness.threshold, 3))


@dataclass(frozen=True, eq=False)
class Weighed:
    """A sketch with the weights of its triples, as they are now."""

    sketch: Sketch
    body: Weights
    head: Weights

    @cached_property
    def by_key(self) -> tuple[Hashes, Weights]:
        """The LOW_BITS of all triples, above them whether they are of the body, in order; and their weights."""
        keys = np.concatenate(((self.sketch.body & LOW_BITS) | _BODY, self.sketch.head & LOW_BITS))
        order = keys.argsort()
        return keys[order], np.concatenate((self.body, self.head))[order]

    @cached_property
    def by_triple(self) -> tuple[dict[int, float], dict[int, float]]:
        """The weights by triple (its LOW_BITS in the head): made where a text comes near, which most never do."""
        pairs = (self.sketch.body, self.body), (self.sketch.head & LOW_BITS, self.head)
        body, head = (dict(zip(grams.tolist(), weights.tolist(), strict=True)) for grams, weights in pairs)
        return body, head

    def total(self, limit: int) -> float:
        """What the triples of the body weigh together whose hashes reach up to *limit*."""
        within = self.sketch.body.searchsorted(np.uint32(limit), "right")
        return float(np.add.reduce(self.body[:within]))


def weigh(sketch: Sketch, counts: GramCounts) -> Weighed:
    weights = counts.weights(np.concatenate((sketch.body, sketch.head)))
    return Weighed(sketch, weights[: len(sketch.body)], weights[len(sketch.body) :])


def candidates(one: Weighed, others: Sequence[bytes | bytearray]) -> list[tuple[int, Sketch]]:
    """Those of *others*, as `compact` keeps them, that `judge` may find near, with their places among them.

    A quick look at all of them at once, for most of what an index gives shares hardly anything.
    """
    looks = [glance(other) for other in others]
    sizes = [size for look in looks for size in (look.heads, look.bodies)]
    parts = np.repeat(np.arange(len(sizes), dtype=np.uint32), sizes)
    keys = grams_of(looks) | (parts & 1) * _BODY
    mine, weights = one.by_key
    # One table for all: most triples are not the article's, and need no search.
    table = np.zeros(_TABLE, np.bool_)
    table[mine & _TABLE_MASK] = True
    maybe = np.flatnonzero(table[keys & _TABLE_MASK])
    keys = keys[maybe]
    at = np.minimum(mine.searchsorted(keys), len(mine) - 1)
    shared = np.bincount(parts[maybe], weights[at] * (mine[at] == keys), len(sizes)).reshape(-1, 2).max(axis=1)
    return [
        (number, expand(others[number]))
        for number, (look, weight) in enumerate(zip(looks, shared.tolist(), strict=True))
        if weight >= LEAST_SHARED or look.title_hash == one.sketch.title_hash
    ]


def judge(weighed: Weighed, other: Sketch, counts: GramCounts, *, same_source: bool = False) -> Likeness:
    """Compare two articles; symmetrical."""
    one = weighed.sketch
    overlap, sizes = title_overlap(one, other)
    if not same_source and _said_alike(one, other):
        return Likeness(1.0, 1.0, 1.0, 1.0, 1.0, by_title=one.word_count < NOTICE_WORDS)
    if min(one.word_count, other.word_count) < FEW_WORDS:
        return _by_title(one, other, overlap, same_source=same_source)
    limit = min(one.limit, other.limit)
    opposite = weigh(other, counts)
    body_weights, head_weights = weighed.by_triple
    sampled = min(weighed.total(limit), opposite.total(limit))
    body = _contained(_shared(body_weights, other.body), sampled)
    smaller = min(float(np.add.reduce(weighed.head)), float(np.add.reduce(opposite.head)))
    head = _contained(_shared(head_weights, other.head & LOW_BITS), smaller)
    if sampled >= ENOUGH and body < SUPPORT:
        head = 0.0  # two texts that begin alike and go on differently
    same_title = overlap == 1.0 and sizes >= 0.6
    if same_title:
        threshold, asked = ALIKE_SAME_TITLE, "one title"
    elif overlap >= 0.5:
        threshold, asked = ALIKE, "titles alike"
    else:
        threshold, asked = ALIKE_OTHER_TITLE, "another title"
    score = max(body, head)
    shorter, longer = sorted((one.gram_count, other.gram_count))
    if max(one.word_count, other.word_count) <= BRIEF_WORDS:  # long texts agree that far by no accident
        if shorter >= SAME_LENGTH * longer:
            score, threshold = body, max(threshold, ALIKE_SAME_LENGTH)
            asked += ", short and of one length"
        if _other_figures(one, other):
            score, threshold, asked = body, OTHER_FIGURES, "short texts with other figures"
    if max(one.word_count, other.word_count) < NOTICE_WORDS and overlap < 0.5:
        threshold, asked = NEVER, "too short to be one under two titles"
    if same_source:
        threshold = max(threshold, ALIKE_SAME_SOURCE) if overlap >= 0.5 else NEVER
        asked += ", one source"
    return Likeness(score, threshold, body, head, overlap, asked=asked)


def _said_alike(one: Sketch, other: Sketch) -> bool:
    """Title and text word for word, however short both are: what two sources write alike by chance is shorter still."""
    return (
        one.title.size > 0
        and one.title_hash == other.title_hash
        and one.word_count == other.word_count >= FEW_WORDS
        and one.gram_count == other.gram_count
        and np.array_equal(one.head & LOW_BITS, other.head & LOW_BITS)
        and np.array_equal(one.body, other.body)
    )


def _by_title(one: Sketch, other: Sketch, overlap: float, *, same_source: bool) -> Likeness:
    """Without texts only the same long title of another source tells."""
    same = one.title_hash == other.title_hash and one.title_length >= LONE_TITLE_WORDS
    return Likeness(1.0 if same and not same_source else 0.0, 1.0, 0.0, 0.0, overlap, by_title=True)


def _other_figures(one: Sketch, other: Sketch) -> bool:
    """Whether other numbers stand before the same word, as in a form filled in twice."""
    first, second = _numbers_by_word(one), _numbers_by_word(other)
    compared = [first[word].isdisjoint(second[word]) for word in first.keys() & second.keys()]
    return sum(compared) * FIGURES_AGREE > len(compared)


def _numbers_by_word(sketch: Sketch) -> dict[int, set[int]]:
    found: dict[int, set[int]] = {}
    parts = iter(sketch.figures.tolist())
    for word, number in zip(parts, parts, strict=True):
        found.setdefault(word, set()).add(number)
    return found


def _shared(weights: dict[int, float], grams: Hashes) -> float:
    """What those of *grams* weigh that stand in *weights*."""
    return sum(map(weights.__getitem__, filter(weights.__contains__, grams.tolist())))


def _contained(shared: float, smaller: float) -> float:
    """How much of the lighter text the other holds."""
    return shared / max(smaller + 1.0, MIN_WEIGHT) if shared else 0.0


def title_overlap(one: Sketch, other: Sketch) -> tuple[float, float]:
    """The part of the shorter title's words that stand in the other, and shorter over longer; 0 for tiny titles."""
    shorter, longer = sorted((len(one.title), len(other.title)))
    if min(one.title_length, other.title_length) < TITLE_WORDS:
        return 0.0, 0.0
    return len(set(one.title.tolist()).intersection(other.title.tolist())) / shorter, shorter / longer
