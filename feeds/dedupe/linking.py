"""How like articles are to each other, and which of them stand together. Pure.

Two articles are alike by the terms that both have, each weighing what it tells, less the longer they lie apart in time
and the fewer terms they share. Groups of them are joined, the most alike first, as long as some two are alike enough:
it does not matter in which order they came.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from feeds.dedupe.arrays import Ints, distinct
from feeds.dedupe.terms import TermCounts

JOIN = 0.084
"""How like each other two groups of articles must be to be one story."""
NEAREST = 2
"""An article's likeness to a group is that to so many of its articles, on average: one alone may be a bridge."""
RECENT = 8
"""So many of a group's newest articles are compared: a story goes where its news goes."""
FADE = timedelta(hours=48)
"""Likeness falls by a factor e in this time between two articles."""
REST = 0.5
"""Two groups of several are no more alike than 1/REST times what they are without the article that ties them most,
which may be a roundup."""
OWN = 0.95
"""So much of their likeness counts between articles of one source, which writes of its matters in its own words."""
FEW = 3
"""Articles that share so many terms are half as alike as their weights say: a verb and a noun are no event."""
LINKED = 0.7
"""Groups are compared of which two articles have this part of JOIN."""

Floats = npt.NDArray[np.float32]
CELLS = 1 << 21
HALVE_LOAD = 0.5
"""Counts per cell at which all are halved: a table that is fuller tells little of the sources that write little."""
PRIOR = 30.0
"""So many articles' worth the whole desk weighs against what a source has said."""
_CELL = np.uint64(CELLS - 1)
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
_UPPER = np.uint64(40)


class Member(NamedTuple):
    """An article as far as it is compared; those of one *batch* in the order of writing.

    *number* counts articles as they came; *uid* is the article's id.
    """

    batch: int
    written_s: float
    number: int
    uid: str
    source_id: int
    hashes: bytes
    strengths: bytes


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """The terms of several articles, one behind the other: whose each is, and what it weighs.

    The weights of an article have together, as a vector, the length 1; *telling* is what the terms tell of any article.
    """

    sizes: list[int]
    owners: npt.NDArray[np.int64]
    hashes: npt.NDArray[np.uint32]
    telling: Floats
    weights: Floats


class Likeness:
    """Compares articles by what terms tell now."""

    def __init__(self, counts: TermCounts, habits: Habits) -> None:
        self._counts = counts
        self._habits = habits

    def weigh(self, members: Sequence[Member], language: str) -> Weights:
        """The terms of *members*, at least one."""
        sizes = [len(member.strengths) for member in members]
        owners = np.repeat(np.arange(len(members)), sizes)
        hashes = np.frombuffer(b"".join([member.hashes for member in members]), np.uint32)
        strengths = np.frombuffer(b"".join([member.strengths for member in members]), np.uint8)
        telling = self._counts.telling(hashes, language)
        weights = strengths * telling
        lengths = np.sqrt(np.bincount(owners, weights * weights, len(members))).astype(np.float32)
        lengths = np.maximum(lengths, np.float32(1e-9))
        weights /= lengths[owners]
        return Weights(sizes, owners, hashes, telling, weights)

    def between(self, ones: Sequence[Member], others: Sequence[Member], language: str) -> Floats:
        """How like each of *ones* is to each of *others*, at least one of each: a row for each of *ones*."""
        mine = self.weigh(ones, language)
        theirs = mine if others is ones else self.weigh(others, language)
        terms = distinct(mine.hashes)
        table, its = _table(mine, mine.weights, terms), _table(theirs, theirs.weights, terms).T
        with np.errstate(invalid="ignore"):  # which some builds raise for sums that are sound
            alike = table @ its
        same = np.equal.outer([one.source_id for one in ones], [other.source_id for other in others])
        if same.any() and (others is not ones or np.count_nonzero(same) > len(ones)):
            alike = np.where(same, OWN * (_table(mine, self._new(ones, mine), terms) @ its), alike)
        shared = (table > 0).astype(np.float32) @ (its > 0).astype(np.float32)
        apart_s = np.subtract.outer([one.written_s for one in ones], [other.written_s for other in others])
        fading = np.exp(-np.abs(apart_s) / FADE.total_seconds())
        found: Floats = (alike * (shared / (FEW + shared)) * fading).astype(np.float32)
        return found

    def shared(self, one: Member, other: Member, language: str) -> dict[int, float]:
        """The terms of both, each with its part of what makes them alike."""
        mine, theirs = self.weigh([one], language), self.weigh([other], language)
        weights = self._new([one], mine) if one.source_id == other.source_id else mine.weights
        terms, own, its = np.intersect1d(mine.hashes, theirs.hashes, assume_unique=True, return_indices=True)
        return dict(zip(terms.tolist(), (weights[own] * theirs.weights[its]).tolist(), strict=True))

    def _new(self, ones: Sequence[Member], mine: Weights) -> Floats:
        """What of each weight counts within the article's source, squared: both of two weigh what they tell there."""
        source_ids = [one.source_id for one in ones]
        found: Floats = mine.weights * self._habits.novelty(source_ids, mine.hashes, mine.sizes, mine.telling) ** 2
        return found


def _table(of: Weights, weights: Floats, terms: npt.NDArray[np.uint32]) -> Floats:
    """The *weights* as a row for each article and a column for each of *terms*, which are in order."""
    found = np.zeros((len(of.sizes), len(terms)), np.float32)
    at = np.minimum(terms.searchsorted(of.hashes), len(terms) - 1)
    held = np.flatnonzero(terms[at] == of.hashes)
    found[of.owners[held], at[held]] = weights[held]
    return found


Group = list[int]
"""Articles by their place in a table of likeness, where they stand in the order in which they came."""


def gather(groups: Sequence[Group], alike: Floats) -> list[Group]:
    """Join *groups* as long as two are alike enough, the most alike first; *alike* is of every two articles."""
    held: list[Group] = [list(group) for group in groups]
    near = np.zeros((len(held), len(held)), np.float32)

    def compare(i: int, j: int) -> None:
        near[i, j] = near[j, i] = nearness(alike[np.ix_(held[i][-RECENT:], held[j][-RECENT:])])

    alone = np.array([i for i, group in enumerate(held) if len(group) == 1], np.int64)
    places = np.array([held[i][0] for i in alone], np.int64)
    near[np.ix_(alone, alone)] = alike[np.ix_(places, places)]
    np.fill_diagonal(near, 0)
    for i, j in combinations(range(len(held)), 2):
        if len(held[i]) > 1 or len(held[j]) > 1:
            compare(i, j)
    while len(held) > 1:
        i, j = divmod(int(near.argmax()), len(held))
        if near[i, j] < JOIN:
            break
        held[i], held[j] = sorted(held[i] + held[j]), []
        near[j] = near[:, j] = 0
        for other in range(len(held)):
            if held[other] and other != i:
                compare(i, other)
    return [group for group in held if group]


def nearness(alike: Floats) -> float:
    """How like two groups are: each article to the NEAREST of the other group, on average."""
    if alike.max() < LINKED * JOIN:
        return 0.0
    found = _both_ways(alike)
    if found < JOIN or min(alike.shape) == 1:
        return found
    rest = (np.delete(alike, alike.sum(axis).argmax(), 1 - axis) for axis in (0, 1))
    return min(found, *(_both_ways(one) / REST for one in rest))


def _both_ways(alike: Floats) -> float:
    return (_to_nearest(alike) + _to_nearest(alike.T)) / 2


def _to_nearest(alike: Floats) -> float:
    if alike.shape[1] > NEAREST:
        alike = np.partition(alike, -NEAREST, axis=1)[:, -NEAREST:]
    return float(alike.mean())


Hashes = npt.NDArray[np.uint32]


class Habits:
    """How many articles of a source hold a term."""

    def __init__(self) -> None:
        self._cells = np.zeros(CELLS, np.uint16)
        self._articles: Counter[int] = Counter()
        self._added = 0
        self._before: list[tuple[Any, npt.NDArray[np.uint16], int, dict[int, int]]] = []  # what was where, for `undo`

    def begin(self) -> None:
        """From here on `undo` takes back; what was counted before stays."""
        self._before.clear()

    def undo(self) -> None:
        """Be what this was at `begin`."""
        while self._before:
            cells, counts, self._added, articles = self._before.pop()
            self._cells[cells] = counts
            dict.update(self._articles, articles)
        self._articles = +self._articles

    def add(self, source_id: int, terms: Hashes) -> None:
        """Count one article of a source; each of its *terms* stands there once."""
        cells = _cells(np.uint64(source_id), terms)
        counts = self._cells[cells]
        self._before.append((cells, counts, self._added, {source_id: self._articles[source_id]}))
        self._cells[cells] = counts + (counts < 0xFFFF)
        self._articles[source_id] += 1
        self._added += cells.size
        self._fade()

    def add_many(self, source_ids: npt.NDArray[np.uint64], terms: Hashes, sizes: Ints) -> None:
        """What `add` does with each of several articles; *terms* are those of all, *sizes* how many each has."""
        owners = np.repeat(np.arange(len(sizes)), sizes)
        cells = _cells(source_ids[owners], terms)
        pairs = np.unique((owners.astype(np.uint64) << _UPPER) | cells)  # a cell twice in one article counts once
        np.add.at(self._cells, pairs & _CELL, np.uint16(1))
        self._articles.update(source_ids.tolist())
        self._added += cells.size
        self._fade()

    def novelty(
        self, source_ids: Sequence[int], terms: Hashes, sizes: Sequence[int], telling: npt.NDArray[np.float32]
    ) -> npt.NDArray[np.float32]:
        """What part of *telling* (natural logs, as `TermCounts` gives them) each term of articles, which are counted
        already, keeps between articles of its source: 1 what the source says no more often than the desk at large.

        *terms* are those of all, *sizes* how many each article has, *source_ids* whose it is.
        """
        written = np.repeat([self._articles[source_id] for source_id in source_ids], sizes)
        cells = _cells(np.repeat(np.array(source_ids, np.uint64), sizes), terms)
        held = np.maximum(self._cells[cells].astype(np.float32) - 1, 0)
        here = (held + PRIOR * np.exp(-telling)) / (np.maximum(written - 1, 0) + PRIOR)
        kept = np.minimum(-np.log(np.minimum(here, 1.0)), telling) / np.maximum(telling, 1e-6)
        found: npt.NDArray[np.float32] = kept.astype(np.float32)
        return found

    def _fade(self) -> None:
        if self._added <= HALVE_LOAD * CELLS:
            return
        self._before.append((slice(None), self._cells.copy(), self._added, dict(self._articles)))
        self._cells >>= 1
        self._added //= 2
        self._articles = Counter({source_id: count // 2 for source_id, count in self._articles.items() if count > 1})


def _cells(source_ids: Any, terms: Hashes) -> npt.NDArray[np.uint64]:
    """The cell of each term of a source; of many, *source_ids* has one for each term."""
    mixed = (terms.astype(np.uint64) | (source_ids << np.uint64(32))) * _SPREAD
    found: npt.NDArray[np.uint64] = (mixed >> _UPPER) & _CELL
    return found
