"""A text as numbered features: words, pairs of words, and the letters within words. Pure; needs numpy.

Features are numbered by hashing, so that there is no vocabulary to keep and training and asking see the same. Two
blocks, words and letters, each of unit length: words say what a text is about, letters bridge inflection and
compounds in every language with letters.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import xxhash

from feeds.filing.learned.leftovers import without_leftovers
from feeds.filing.phrases import split

BITS = 22
BLOCKS = 2
MOST_WORDS = 600
MOST_LETTERS = 1800
"""How much of a text is looked at: what it is about stands in its beginning, and asking has a millisecond."""

_LETTERS = (3, 4, 5)
_SHIFT = np.uint64(64 - BITS)
_TURN = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(0xBF58476D1CE4E5B9)
_HALF = np.uint64(29)
_BLANK = np.uint64(32)

Numbers = npt.NDArray[np.int32]
Counts = npt.NDArray[np.float32]
_Hashes = npt.NDArray[np.uint64]


def learned_words(title: str, text: str) -> list[str]:
    """The words that are learned from: folded, without agencies' marks. A title that the text repeats counts once."""
    body = text if not title or text.startswith(title) else f"{title}\n{text}"
    return split(without_leftovers(body[: 12 * MOST_WORDS]))[:MOST_WORDS]


def features(told: Sequence[str]) -> tuple[tuple[Numbers, Counts], ...]:
    """For each block the numbers of its features, ascending, and how often each stands in the words *told*."""
    return _counted(_of_words(told)), _counted(_of_letters(told))


def word_numbers(told: Sequence[str]) -> Numbers:
    """The feature number of each single word."""
    return (_hashes(told) >> _SHIFT).astype(np.int32)


def _of_words(told: Sequence[str]) -> _Hashes:
    single = _hashes(told)
    if len(single) < 2:
        return single
    return np.concatenate((single, _mixed(single[:-1] * _TURN + single[1:])))


def _of_letters(told: Sequence[str]) -> _Hashes:
    spelled = f" {' '.join(told)} "[:MOST_LETTERS]
    letters = np.frombuffer(spelled.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
    blank = letters == _BLANK
    found = []
    run = letters
    for length in range(2, _LETTERS[-1] + 1):
        if len(run) < 2:
            break
        run = run[:-1] * _TURN + letters[length - 1 :]
        if length >= _LETTERS[0]:
            # Runs may begin or end at a word's edge, but not cross into another word.
            across = np.zeros(len(run), bool)
            for inner in range(1, length - 1):
                across |= blank[inner : inner + len(run)]
            found.append(_mixed(run[~across] + np.uint64(length)))
    return np.concatenate(found) if found else np.empty(0, np.uint64)


def _hashes(told: Sequence[str]) -> _Hashes:
    return np.fromiter(map(_hash, told), np.uint64, len(told))


@lru_cache(maxsize=200_000)
def _hash(word: str) -> int:
    return xxhash.xxh3_64_intdigest(word.encode("utf-8", "surrogatepass"))


def _mixed(hashes: _Hashes) -> _Hashes:
    hashes = (hashes ^ (hashes >> _HALF)) * _MIX
    return hashes ^ (hashes >> np.uint64(32))


def _counted(hashes: _Hashes) -> tuple[Numbers, Counts]:
    numbers, counts = np.unique((hashes >> _SHIFT).astype(np.int32), return_counts=True)
    return numbers, (1.0 + np.log(counts)).astype(np.float32)
