"""What an article is about, as weighted terms: what stories are found by. Pure.

A term is the stem of a word of the title or the first NEWS_WORDS words, as a 32 bit hash; its strength grows with how
often it stands there, and is more for a name. How much it tells depends on how many articles hold it: on what the desk
has seen so far (`counts.TermCounts`), over how common words are at large (`feeds.wordlist`).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import xxhash

from feeds import files, text, wordlist
from feeds.dates import MONTHS
from feeds.dedupe.arrays import first_of_each
from feeds.text import UNSPACED

NEWS_WORDS = 250
TITLE_WORDS = 100
TITLE_TIMES = 2
"""A word of the title counts as so many of the text."""
NAME = 1.25
"""So much stronger is a name than another word: who and where tell one event from another, what is done hardly."""
DATE = 0.65
"""And so much weaker a month or a year: columns and briefings of one day have these in common and nothing else."""
MOST_TERMS = 32
"""Those that weigh most are kept with the entry; further ones add little."""
BACKGROUND_ARTICLES = 8_000
"""So many articles' worth the background weighs against the desk's own counts."""
RARE = 2e-4
"""The share of texts that hold a word which the background does not know."""
TERM_CELLS = 1 << 20


_STEP = 32
"""Strengths are kept in steps of a 32nd: a byte holds all up to 8."""
_MOST_TIMES = NEWS_WORDS + TITLE_TIMES * TITLE_WORDS
_STRENGTHS = np.array([0] + [round(_STEP * (1.0 + math.log(times))) for times in range(1, _MOST_TIMES + 1)], np.uint8)
TYPICAL_WORDS = 60
"""Of a text so long the chance is told that it holds a word at all."""


@dataclass(frozen=True, slots=True, eq=False)
class Terms:
    """*hashes* of stems, in order and each once, with their *strengths*."""

    hashes: npt.NDArray[np.uint32]
    strengths: npt.NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.hashes)


def shares(language: str) -> dict[str, float]:
    """word stem → the part of short texts in *language* (a primary subtag) that hold it. Made anew each time."""
    frequencies: dict[str, float] = {}
    for word, frequency in wordlist.frequencies(language).items():
        stem = stemmed(word)
        # Scripts without blanks: the table has words, an article's text is taken apart into characters.
        for part in stem if UNSPACED.match(stem) else (stem,):
            frequencies[part] = frequencies.get(part, 0.0) + frequency
    return {stem: 1.0 - math.exp(-frequency * TYPICAL_WORDS) for stem, frequency in frequencies.items()}


def made_of() -> list[str]:
    """The files on which `shares` depends, for who keeps what it gives."""
    return [__file__, text.__file__, wordlist.__file__, str(wordlist.PLACE)]


def stemmed(word: str) -> str:
    """*word* without a plural s: the one ending that many languages share and that tells stories apart nowhere.

    >>> stemmed("reactors"), stemmed("press")
    ('reactor', 'press')
    """
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def count_terms(title_words: Sequence[str], text_words: Sequence[str], names: Collection[str] = ()) -> Terms:
    """The terms of an article, as strong as 1 + log of how often they stand there, times NAME or DATE.

    *names* are words, as `signature.named` gives them.
    """
    title, text = hash_stems(title_words[:TITLE_WORDS]), hash_stems(text_words[:NEWS_WORDS])
    ordered = np.concatenate((*TITLE_TIMES * (title,), text))
    ordered.sort()
    starts = np.flatnonzero(first_of_each(ordered))
    hashes, strengths = ordered[starts], _STRENGTHS[np.diff(starts, append=len(ordered))]
    if hashes.size:
        for some, times in ((hash_stems(list(names)), NAME), (_DATES, DATE)):
            at = np.minimum(hashes.searchsorted(some), hashes.size - 1)
            at = at[hashes[at] == some]
            strengths[at] = np.minimum(strengths[at] * times, 255).astype(np.uint8)
    return Terms(hashes, strengths)


def hashed(word: str) -> int:
    """The term that *word* stands for."""
    return _hash(stemmed(word))


def _hash(stem: str) -> int:
    return xxhash.xxh32_intdigest(stem.encode("utf-8", "surrogatepass"))


def hash_stems(words: Sequence[str]) -> npt.NDArray[np.uint32]:
    """What `hashed` gives of each. Nothing is remembered: to look a word up in a large memory takes longer."""
    if not words:
        return np.empty(0, np.uint32)
    stems = [stemmed(word) if word[-1:] == "s" else word for word in words]
    each = " ".join(stems).encode("utf-8", "surrogatepass").split(b" ")  # one call for all: words hold no blanks
    return np.fromiter(map(xxhash.xxh32_intdigest, each), np.uint32, len(each))


_DATES = np.sort(hash_stems([*MONTHS, *map(str, range(1900, 2100))]))


def articles_with(language: str) -> npt.NDArray[np.float16]:
    """1 and the number of articles with a term that the background stands for, by cell of TERM_CELLS."""

    def made() -> dict[str, bytes]:
        stem_shares = shares(language)
        cells = np.fromiter((_hash(stem) % TERM_CELLS for stem in stem_shares), np.int64, len(stem_shares))
        common = np.zeros(TERM_CELLS)
        np.maximum.at(common, cells, np.fromiter(stem_shares.values(), np.float64, len(stem_shares)))
        common[common == 0.0] = RARE
        return {"cells": (1.0 + BACKGROUND_ARTICLES * common).astype(np.float16).tobytes()}

    parts = files.cached(f"words-{language}", made_of(), made) if language.isalpha() else made()
    return np.frombuffer(parts["cells"], np.float16)


def pack(terms: Terms) -> bytes:
    """*terms* without weights, in 5 bytes each."""
    return terms.hashes.tobytes() + terms.strengths.tobytes()


def unpack(packed: bytes) -> Terms:
    """What `pack` made."""
    return unpack_several([packed])[0]


def unpack_several(packed: Sequence[bytes]) -> tuple[Terms, list[int]]:
    """What `pack` made of several, one behind the other, and how many each has.

    Release 0.1.0 kept terms by their weight and not in order.
    """
    sizes = [len(one) // 5 for one in packed]
    hashes = np.frombuffer(b"".join([one[: 4 * size] for one, size in zip(packed, sizes, strict=True)]), np.uint32)
    strengths = b"".join([one[4 * size : 5 * size] for one, size in zip(packed, sizes, strict=True)])
    owners = np.arange(len(sizes), dtype=np.uint64).repeat(sizes)
    order = (owners << np.uint64(32) | hashes).argsort(kind="stable")
    return Terms(hashes[order], np.frombuffer(strengths, np.uint8)[order]), sizes
