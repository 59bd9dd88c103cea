"""What an article is about, as weighted terms: what stories are found by. Pure.

A term is the stem of a word of the title or the first NEWS_WORDS words, as a 32 bit hash; its strength grows with how
often it stands there (three times as much in the title). How much it tells depends on how many articles hold it: on
what the desk has seen so far (`TermCounts`), over a background from a word-frequency library.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import xxhash

from feeds.dedupe import background
from feeds.text import words

NEWS_WORDS = 250
TITLE_TIMES = 3.0
MOST_TERMS = 80
"""The strongest are kept with the entry; further ones add little."""
BACKGROUND_ARTICLES = 8_000
"""So many articles' worth the background weighs against the desk's own counts."""
RARE = 2e-4
"""The share of texts that hold a word which the background does not know."""
CELLS = 1 << 20
HALVE_ARTICLES = 200_000

Terms = Mapping[int, float]
"""Hash of a stem → strength, 1 and more."""


def count_terms(title: str, text: str) -> dict[str, float]:
    """Stem → strength (1 + log of how often)."""
    often: dict[str, float] = {}
    for word in words(title):
        stem = background.stemmed(word)
        often[stem] = often.get(stem, 0.0) + TITLE_TIMES
    for word in words(text[: NEWS_WORDS * 12])[:NEWS_WORDS]:
        stem = background.stemmed(word)
        often[stem] = often.get(stem, 0.0) + 1.0
    return {stem: 1.0 + math.log(times) for stem, times in often.items()}


def hashed(stem: str) -> int:
    return xxhash.xxh32_intdigest(stem.encode("utf-8", "surrogatepass"))


class TermCounts:
    """In how many articles a term stood; halved now and then, so that the past fades."""

    def __init__(self) -> None:
        self._cells = np.zeros(CELLS, np.float32)
        self._common: dict[str, dict[int, float]] = {}
        self.articles = 0.0

    def add(self, terms: Terms) -> None:
        self._cells[np.fromiter((term % CELLS for term in terms), np.int64, len(terms))] += 1.0
        self.articles += 1.0
        if self.articles > HALVE_ARTICLES:
            self._cells *= 0.5
            self.articles *= 0.5

    def weigh(self, terms: Terms, language: str) -> dict[int, float]:
        """term → strength times how telling it is, of length 1 together; the MOST_TERMS largest."""
        if not terms:
            return {}
        common = self._background(language)
        every = self.articles + BACKGROUND_ARTICLES + 1.0
        held = self._cells[np.fromiter((term % CELLS for term in terms), np.int64, len(terms))].tolist()
        weights: dict[int, float] = {}
        for (term, strength), count in zip(terms.items(), held, strict=True):
            telling = math.log(every / (count + 1.0 + BACKGROUND_ARTICLES * common.get(term, RARE)))
            if telling > 0.0:
                weights[term] = strength * telling
        if len(weights) > MOST_TERMS:
            weights = dict(sorted(weights.items(), key=lambda item: (-item[1], item[0]))[:MOST_TERMS])
        length = math.sqrt(sum(weight * weight for weight in weights.values()))
        return {term: weight / length for term, weight in weights.items()} if length else {}

    def _background(self, language: str) -> dict[int, float]:
        found = self._common.get(language)
        if found is None:
            found = {hashed(stem): share for stem, share in background.shares(language).items()}
            self._common[language] = found
        return found


def pack(terms: Terms, weights: Terms) -> bytes:
    """The terms that *weights* kept, with their strengths: 5 bytes each, for the store."""
    kept = list(weights)
    strengths = np.array([min(255, round(terms[term] * 32)) for term in kept], np.uint8)
    return np.array(kept, np.uint32).tobytes() + strengths.tobytes()


def unpack(packed: bytes) -> dict[int, float]:
    count = len(packed) // 5
    terms = np.frombuffer(packed, np.uint32, count)
    strengths = np.frombuffer(packed, np.uint8, count, 4 * count)
    return dict(zip(terms.tolist(), (strengths / 32.0).tolist(), strict=True))
