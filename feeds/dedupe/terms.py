"""What an article is about, as weighted terms: what stories are found by. Pure.

A term is the stem of a word of the title or the first NEWS_WORDS words, as a 32 bit hash; its strength grows with how
often it stands there (three times as much in the title). How much it tells depends on how many articles hold it: on
what the desk has seen so far (`TermCounts`), over a background from a word-frequency library.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import xxhash

from feeds.dedupe import background

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
WORDS_CACHED = 1 << 15

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
    found = [*TITLE_TIMES * list(title_words[:TITLE_WORDS]), *text_words[:NEWS_WORDS]]
    ordered = np.sort(np.fromiter(map(hashed, found), np.uint32, len(found)))
    first = np.empty(len(found) + 1, np.bool_)
    first[0] = first[-1] = True
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:-1])
    starts = np.flatnonzero(first)
    return Terms(ordered[starts[:-1]], _STRENGTHS[np.diff(starts)])


@lru_cache(WORDS_CACHED)
def hashed(word: str) -> int:
    """The term that *word* stands for."""
    return _hash(background.stemmed(word))


def _hash(stem: str) -> int:
    return xxhash.xxh32_intdigest(stem.encode("utf-8", "surrogatepass"))


class TermCounts:
    """In how many articles a term stood; halved now and then, so that the past fades."""

    def __init__(self) -> None:
        self._cells = np.zeros(CELLS, np.float32)
        self._common: dict[str, npt.NDArray[np.float16]] = {}
        self.articles = 0.0

    def add(self, terms: Terms) -> None:
        self._cells[terms.hashes % np.uint32(CELLS)] += 1.0
        self.articles += 1.0
        if self.articles > HALVE_ARTICLES:
            self._cells *= 0.5
            self.articles *= 0.5

    def weigh(self, terms: Terms, language: str) -> Weighed:
        """The MOST_TERMS of *terms* that weigh most."""
        every = self.articles + BACKGROUND_ARTICLES + 1.0
        cells = terms.hashes % np.uint32(CELLS)
        held = self._cells[cells] + self._background(language)[cells]
        weights = terms.strengths * np.log(every / held)
        kept = np.flatnonzero(weights > 0.0)
        if len(kept) > MOST_TERMS:
            kept = np.sort(kept[np.argsort(-weights[kept], kind="stable")[:MOST_TERMS]])
        weights = weights[kept]
        length = math.sqrt(weights @ weights)
        return Weighed(terms.hashes[kept], terms.strengths[kept], weights / length if length else weights)

    def _background(self, language: str) -> npt.NDArray[np.float16]:
        """1 and the number of articles with a term that the background stands for, by cell."""
        if language not in self._common:
            shares = background.shares(language)
            cells = np.fromiter((_hash(stem) % CELLS for stem in shares), np.int64, len(shares))
            common = np.zeros(CELLS)
            np.maximum.at(common, cells, np.fromiter(shares.values(), np.float64, len(shares)))
            common[common == 0.0] = RARE
            self._common[language] = (1.0 + BACKGROUND_ARTICLES * common).astype(np.float16)
        return self._common[language]


def pack(terms: Terms) -> bytes:
    """*terms* without weights, in 5 bytes each."""
    return terms.hashes.tobytes() + terms.strengths.tobytes()


def unpack(packed: bytes) -> Terms:
    """What `pack` made; release 0.1.0 kept terms by their weight and not in order."""
    count = len(packed) // 5
    hashes = np.frombuffer(packed, np.uint32, count)
    order = hashes.argsort(kind="stable")
    return Terms(hashes[order], np.frombuffer(packed, np.uint8, count, 4 * count)[order])
