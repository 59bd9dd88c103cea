"""How like articles are to each other, and which of them stand together. Pure.

Two articles are alike by the terms that both have, each weighing what it tells, less the longer they lie apart in time
and the fewer terms they share. Groups of them are joined, the most alike first, as long as some two are alike enough:
it does not matter in which order they came.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import chain, combinations
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from feeds.dedupe.terms import Floats, Habits, TermCounts, distinct

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


class Weights(Struct, frozen=True, eq=False):
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

    def weigh(self, members: Sequence[Member], languages: Sequence[str]) -> Weights:
        """The terms of *members*, at least one, by what they tell in the language of each."""
        sizes = [len(member.strengths) for member in members]
        owners = np.arange(len(members)).repeat(sizes)
        hashes = np.frombuffer(b"".join([member.hashes for member in members]), np.uint32)
        strengths = np.frombuffer(b"".join([member.strengths for member in members]), np.uint8)
        telling = self._counts.telling_of(hashes, sizes, languages)
        weights = strengths * telling
        lengths = np.sqrt(np.bincount(owners, weights * weights, len(members))).astype(np.float32)
        lengths = np.maximum(lengths, np.float32(1e-9))
        weights /= lengths[owners]
        return Weights(sizes, owners, hashes, telling, weights)

    def of_each(
        self, ones: Sequence[Member], others: Sequence[Sequence[Member]], languages: Sequence[str]
    ) -> list[Floats]:
        """How like each of *ones* is, in its language, to each of its own *others*."""
        counts = list(map(len, others))
        ends = np.cumsum(counts)
        every = list(chain.from_iterable(others))
        if not every:
            return [np.empty(0, np.float32) for _ in ones]
        one_of = np.arange(len(ones)).repeat(counts)
        mine, theirs = self.weigh(ones, languages), self.weigh(every, [languages[one] for one in one_of.tolist()])
        terms = distinct(mine.hashes)
        column, held = _columns(theirs, terms)
        pairs, its = theirs.owners[held], theirs.weights[held]
        cells = one_of[pairs], column

        def products(weights: Floats) -> Floats:
            return _table(mine, weights, terms)[cells] * its

        shared_weights = products(mine.weights)
        alike = np.bincount(pairs, shared_weights, len(every))
        same = np.array([one.source_id for one in ones])[one_of] == [other.source_id for other in every]
        if same.any():
            alike = np.where(same, OWN * np.bincount(pairs, products(self._new(ones, mine)), len(every)), alike)
        shared = np.bincount(pairs, shared_weights > 0, len(every))
        apart_s = np.array([one.written_s for one in ones])[one_of] - [other.written_s for other in every]
        return np.split(_faded(alike, shared, apart_s), ends[:-1])

    def between(self, ones: Sequence[Member], others: Sequence[Member], language: str) -> Floats:
        """How like each of *ones* is to each of *others*, at least one of each: a row for each of *ones*."""
        mine = self.weigh(ones, [language] * len(ones))
        theirs = mine if others is ones else self.weigh(others, [language] * len(others))
        terms = distinct(mine.hashes)
        table, its = _table(mine, mine.weights, terms), _table(theirs, theirs.weights, terms).T
        with np.errstate(invalid="ignore"):  # which some builds raise for sums that are sound
            alike = table @ its
        same = np.equal.outer([one.source_id for one in ones], [other.source_id for other in others])
        if same.any() and (others is not ones or np.count_nonzero(same) > len(ones)):
            alike = np.where(same, OWN * (_table(mine, self._new(ones, mine), terms) @ its), alike)
        shared = (table > 0).astype(np.float32) @ (its > 0).astype(np.float32)
        apart_s = np.subtract.outer([one.written_s for one in ones], [other.written_s for other in others])
        return _faded(alike, shared, apart_s)

    def shared(self, one: Member, other: Member, language: str) -> dict[int, float]:
        """The terms of both, each with its part of what makes them alike."""
        mine, theirs = self.weigh([one], [language]), self.weigh([other], [language])
        weights = self._new([one], mine) if one.source_id == other.source_id else mine.weights
        terms, own, its = np.intersect1d(mine.hashes, theirs.hashes, assume_unique=True, return_indices=True)
        return dict(zip(terms.tolist(), (weights[own] * theirs.weights[its]).tolist(), strict=True))

    def _new(self, ones: Sequence[Member], mine: Weights) -> Floats:
        """What of each weight counts within the article's source, squared: both of two weigh what they tell there."""
        source_ids = [one.source_id for one in ones]
        found: Floats = mine.weights * self._habits.novelty(source_ids, mine.hashes, mine.sizes, mine.telling) ** 2
        return found


def _faded(alike: npt.NDArray[Any], shared: npt.NDArray[Any], apart_s: npt.NDArray[np.float64]) -> Floats:
    """Likeness of articles that have so many terms in common and were written so long apart."""
    fading = np.exp(-np.abs(apart_s) / FADE.total_seconds())
    found: Floats = (alike * (shared / (FEW + shared)) * fading).astype(np.float32)
    return found


def _columns(of: Weights, terms: npt.NDArray[np.uint32]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The places in *terms*, which are in order, of those terms that stand there, and which these are."""
    at = np.minimum(terms.searchsorted(of.hashes), len(terms) - 1)
    held = (terms[at] == of.hashes).nonzero()[0]
    return at[held], held


def _table(of: Weights, weights: Floats, terms: npt.NDArray[np.uint32]) -> Floats:
    """The *weights* as a row for each article and a column for each of *terms*, which are in order."""
    found = np.zeros((len(of.sizes), len(terms)), np.float32)
    columns, held = _columns(of, terms)
    found[of.owners[held], columns] = weights[held]
    return found


Group = list[int]
"""Articles by their place in a table of likeness, where they stand in the order in which they came."""


def gather(groups: Sequence[Group], alike: Floats) -> list[Group]:
    """Join *groups* as long as two are alike enough, the most alike first; *alike* is of every two articles."""
    held: list[Group] = [list(group) for group in groups]
    near = _near(held, alike)
    while len(held) > 1:
        i, j = divmod(int(near.argmax()), len(held))
        if near[i, j] < JOIN:
            break
        held[i], held[j] = sorted(held[i] + held[j]), []
        near[j] = near[:, j] = 0
        for other, group in enumerate(held):
            if group and other != i:
                near[i, other] = near[other, i] = _nearness_of(held[i], group, alike)
    return [group for group in held if group]


def _near(groups: Sequence[Group], alike: Floats) -> Floats:
    """How like each two groups are, 0 of each to itself."""
    near = np.zeros((len(groups), len(groups)), np.float32)
    alone = np.array([i for i, group in enumerate(groups) if len(group) == 1], np.int64)
    places = np.array([groups[i][0] for i in alone], np.int64)
    near[np.ix_(alone, alone)] = alike[np.ix_(places, places)]
    np.fill_diagonal(near, 0)
    for i, j in combinations(range(len(groups)), 2):
        if len(groups[i]) > 1 or len(groups[j]) > 1:
            near[i, j] = near[j, i] = _nearness_of(groups[i], groups[j], alike)
    return near


def _nearness_of(one: Group, other: Group, alike: Floats) -> float:
    return nearness(alike[np.ix_(one[-RECENT:], other[-RECENT:])])


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
