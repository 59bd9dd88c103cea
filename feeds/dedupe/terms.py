"""What an article is about, as weighted terms: what stories are found by. Pure.

A term is the stem of a word of the title or the first NEWS_WORDS words, as a 32 bit hash; its strength grows with how
often it stands there (three times as much in the title). How much it tells depends on how many articles hold it: on
what the desk has seen so far (`TermCounts`), over a background from a word-frequency library.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import xxhash

from feeds import kept
from feeds.dedupe import background
from feeds.dedupe.columns import Ints, first_of_each

NEWS_WORDS = 250
TITLE_WORDS = 100
TITLE_TIMES = 3
MOST_TERMS = 80
"""The strongest are kept with the entry; further ones add little."""
BACKGROUND_ARTICLES = 8_000
"""So many articles' worth the background weighs against the desk's own counts."""
RARE = 2e-4
"""The share of texts that hold a word which the background does not know."""
CELLS = 1 << 20
HALVE_ARTICLES = 200_000

_CELL = np.uint32(CELLS - 1)
_LARGEST = np.int64(0x7FFFFFFF)

_STEP = 32
"""Strengths are kept in steps of a 32nd: a byte holds all up to 8."""
_MOST_TIMES = NEWS_WORDS + TITLE_TIMES * TITLE_WORDS
_STRENGTHS = np.array([0] + [round(_STEP * (1.0 + math.log(times))) for times in range(1, _MOST_TIMES + 1)], np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class Terms:
    """*hashes* of stems, in order and each once, with their *strengths*."""

    hashes: npt.NDArray[np.uint32]
    strengths: npt.NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.hashes)


@dataclass(frozen=True, slots=True, eq=False)
class Weighed(Terms):
    """Terms with what they weigh: strength times how telling each is, of length 1 together."""

    weights: npt.NDArray[np.float64]


def count_terms(title_words: Sequence[str], text_words: Sequence[str]) -> Terms:
    """The terms of an article, as strong as 1 + log of how often they stand there."""
    title, text = _hash_stems(title_words[:TITLE_WORDS]), _hash_stems(text_words[:NEWS_WORDS])
    ordered = np.concatenate((*TITLE_TIMES * (title,), text))
    ordered.sort()
    first = np.empty(len(ordered) + 1, np.bool_)
    first[0] = first[-1] = True
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:-1])
    starts = np.flatnonzero(first)
    return Terms(ordered[starts[:-1]], _STRENGTHS[np.diff(starts)])


def hashed(word: str) -> int:
    """The term that *word* stands for."""
    return _hash(background.stemmed(word))


def _hash(stem: str) -> int:
    return xxhash.xxh32_intdigest(stem.encode("utf-8", "surrogatepass"))


def _hash_stems(words: Sequence[str]) -> npt.NDArray[np.uint32]:
    """What `hashed` gives of each. Nothing is remembered: to look a word up in a large memory takes longer."""
    if not words:
        return np.empty(0, np.uint32)
    stems = [background.stemmed(word) if word[-1:] == "s" else word for word in words]
    each = " ".join(stems).encode("utf-8", "surrogatepass").split(b" ")  # one call for all: words hold no blanks
    return np.fromiter(map(xxhash.xxh32_intdigest, each), np.uint32, len(each))


class TermCounts:
    """In how many articles a term stood; halved now and then, so that the past fades."""

    def __init__(self) -> None:
        self._cells = np.zeros(CELLS, np.float32)
        self._before: list[tuple[Any, npt.NDArray[np.float32], float]] = []  # what was where, for `undo`
        self._common: dict[str, npt.NDArray[np.float16]] = {}
        self.articles = 0.0

    def begin(self) -> None:
        """From here on `undo` takes back; what was counted before stays."""
        self._before.clear()

    def undo(self) -> None:
        """Be what this was at `begin`."""
        while self._before:
            cells, counts, self.articles = self._before.pop()
            self._cells[cells] = counts

    def add(self, terms: Terms) -> None:
        cells = terms.hashes & _CELL
        self._before.append((cells, self._cells[cells], self.articles))
        self._cells[cells] += 1.0
        self.articles += 1.0
        if self.articles > HALVE_ARTICLES:
            self._before.append((slice(None), self._cells.copy(), self.articles))
            self._cells *= 0.5
            self.articles *= 0.5

    def weigh(self, terms: Terms, language: str) -> Weighed:
        """The MOST_TERMS of *terms* that weigh most."""
        every = self.articles + BACKGROUND_ARTICLES + 1.0
        cells = terms.hashes & _CELL
        held = self._cells[cells] + self._background(language)[cells]
        weights = terms.strengths * np.log(every / held)
        kept = np.flatnonzero(weights > 0.0)
        if len(kept) > MOST_TERMS:
            order = falling(weights[kept])
            kept = kept[order <= np.partition(order, MOST_TERMS - 1)[MOST_TERMS - 1]]
        weights = weights[kept]
        length = math.sqrt(weights @ weights)
        return Weighed(terms.hashes[kept], terms.strengths[kept], weights / length if length else weights)

    def telling(self, words: Sequence[str], language: str) -> npt.NDArray[np.float64]:
        """What each of *words* weighs for standing once in a text: 0 for what all texts have, 8 for a rare name."""
        cells = _hash_stems(words) & _CELL
        held = self._cells[cells] + self._background(language)[cells]
        weights: npt.NDArray[np.float64] = np.maximum(0.0, np.log((self.articles + BACKGROUND_ARTICLES + 1.0) / held))
        return weights

    def may_weigh(self, sizes: Ints) -> bool:
        """False where `weigh_many` would have to halve the counts on the way, or to leave terms out."""
        return self.articles + len(sizes) <= HALVE_ARTICLES and sizes.max(initial=0) <= MOST_TERMS

    def weigh_many(self, terms: Terms, sizes: Ints, language: str) -> tuple[Weighed, Ints]:
        """What `add` and then `weigh` do with each of several articles in turn.

        *terms* are those of all, *sizes* how many each has, here and in what is given back.
        """
        owners = np.repeat(np.arange(len(sizes)), sizes)
        cells = (terms.hashes & _CELL).astype(np.int64)
        held = self._count_many(cells, owners) + self._background(language)[cells]
        every = (self.articles + BACKGROUND_ARTICLES + 2.0 + np.arange(len(sizes))).astype(np.float32)
        self.articles += len(sizes)
        weights = terms.strengths * np.log(every[owners] / held)
        kept = weights > 0.0
        sizes = np.bincount(owners[kept], minlength=len(sizes))
        weights = weights[kept]
        ends = np.cumsum(sizes).tolist()
        # Each for itself, for a sum in another order would be another one in its last digit.
        squares = [weights[start:end] @ weights[start:end] for start, end in zip([0, *ends], ends, strict=False)]
        lengths = np.array([math.sqrt(square) or 1.0 for square in squares], np.float32)
        return Weighed(terms.hashes[kept], terms.strengths[kept], weights / np.repeat(lengths, sizes)), sizes

    def restored(self) -> None:
        """Make what is not kept in a snapshot."""
        self._common = {}

    def _count_many(self, cells: Ints, owners: Ints) -> npt.NDArray[np.float32]:
        """Count one article after another, *cells* of *owners*; what each cell held when its owner was counted."""
        order = np.sort((cells << 32) | np.arange(len(cells)))
        at = order & 0xFFFFFFFF
        of_cell = first_of_each(order >> 32)
        number = np.cumsum(
            of_cell | first_of_each(owners[at]), dtype=np.int64
        )  # a cell twice in one article counts once
        starts = np.flatnonzero(of_cell)
        before = np.repeat(number[starts] - 1, np.diff(starts, append=len(order)))
        held = np.empty(len(cells), np.float32)
        held[at] = self._cells[cells[at]] + (number - before).astype(np.float32)
        last = at[np.concatenate((starts[1:], [len(order)]))[: len(starts)] - 1]
        self._cells[cells[last]] = held[last]
        return held

    def _background(self, language: str) -> npt.NDArray[np.float16]:
        """1 and the number of articles with a term that the background stands for, by cell."""
        if language not in self._common:
            self._common[language] = _articles_with(language)
        return self._common[language]


def _articles_with(language: str) -> npt.NDArray[np.float16]:
    def made() -> dict[str, bytes]:
        shares = background.shares(language)
        cells = np.fromiter((_hash(stem) % CELLS for stem in shares), np.int64, len(shares))
        common = np.zeros(CELLS)
        np.maximum.at(common, cells, np.fromiter(shares.values(), np.float64, len(shares)))
        common[common == 0.0] = RARE
        return {"cells": (1.0 + BACKGROUND_ARTICLES * common).astype(np.float16).tobytes()}

    parts = kept.table(f"words-{language}", [__file__, *background.made_of()], made) if language.isalpha() else made()
    return np.frombuffer(parts["cells"], np.float16)


def falling(weights: npt.NDArray[np.float32]) -> Ints:
    """Numbers in the order of falling *weights* above zero, of equal ones the first first."""
    # Bits of floats above zero are in the order of the floats.
    return ((_LARGEST - weights.view(np.int32)) << 16) | np.arange(len(weights))


def pack(terms: Terms) -> bytes:
    """*terms* without weights, in 5 bytes each."""
    return terms.hashes.tobytes() + terms.strengths.tobytes()


def unpack(packed: bytes) -> Terms:
    """What `pack` made; release 0.1.0 kept terms by their weight and not in order."""
    count = len(packed) // 5
    hashes = np.frombuffer(packed, np.uint32, count)
    order = hashes.argsort(kind="stable")
    return Terms(hashes[order], np.frombuffer(packed, np.uint8, count, 4 * count)[order])


def unpack_many(packed: Sequence[bytes]) -> tuple[Terms, Ints]:
    """What `unpack` gives of each, one behind the other, and how many terms each has."""
    sizes = np.fromiter(map(len, packed), np.int64, len(packed)) // 5
    hashes = np.frombuffer(b"".join([one[: len(one) // 5 * 4] for one in packed]), np.uint32)
    strengths = np.frombuffer(b"".join([one[len(one) // 5 * 4 :] for one in packed]), np.uint8)
    places = (np.repeat(np.arange(len(sizes)), sizes) << 32) | hashes
    if (places[1:] < places[:-1]).any():
        order = places.argsort(kind="stable")
        hashes, strengths = hashes[order], strengths[order]
    return Terms(hashes, strengths), sizes
