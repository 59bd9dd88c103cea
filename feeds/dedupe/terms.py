"""What an article is about, as weighted terms, and in how many articles something stands. Pure; held in memory.

A term is the stem of a word of the title or the first NEWS_WORDS words, as a 32 bit hash; its strength grows with how
often it stands there, and is more for a name. How much it tells depends on how many articles hold it: on what the desk
has seen so far (`TermCounts`), over how common words are at large (`feeds.text.frequencies`).

The tables of small counters never grow; they are halved as they fill, so that the past fades. Word triples are counted
for near copies (`GramCounts`), terms for stories, and what each source says again and again (`Habits`): column heads,
places, seasons, a channel's description. A term that many articles of one source hold tells nothing of one of them,
however rare it is elsewhere.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import xxhash
from msgspec import Struct

from feeds import files, text
from feeds.dates import MONTHS
from feeds.text import UNSPACED

Ints = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint32]
_NONE = np.uint32(0xFFFFFFFF)
"""Stands for no hash; of four thousand million that is one."""
Mask = npt.NDArray[np.bool_]
Number = TypeVar("Number", bound=np.integer[Any])


def distinct(hashes: npt.NDArray[Number]) -> npt.NDArray[Number]:
    """What `np.unique` gives, in a fifth of its time on arrays as short as these."""
    ordered = hashes.copy()
    ordered.sort()
    return ordered[first_of_each(ordered)]


def first_of_each(ordered: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """True where a value stands in *ordered* for the first time.

    >>> first_of_each(np.array([3, 3, 4])).tolist()
    [True, False, True]
    """
    first = np.empty(len(ordered), np.bool_)
    first[:1] = True
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    return first


def each_once(table: Hashes, held: Mask) -> tuple[Hashes, list[int]]:
    """What each row of *table* has where it is *held*, in order and once, one row behind the other; how many each has.

    >>> each_once(np.array([[7, 3, 7], [3, 0, 0]], np.uint32), np.array([[True, True, True], [True, False, False]]))
    (array([3, 7, 3], dtype=uint32), [2, 1])
    """
    table = np.where(held, table, _NONE)
    table.sort(axis=1)  # rows as short as these in a tenth of the time of a sort of all
    first = table != _NONE
    first[:, 1:] &= table[:, 1:] != table[:, :-1]
    return table[first], first.sum(axis=1).tolist()


def rows_of(hashes: Hashes, sizes: Sequence[int]) -> tuple[Hashes, Mask]:
    """A table with a row for each article, whose *hashes* stand one behind the other, as many as *sizes* says; where it
    has any.
    """
    held = np.arange(max(sizes, default=0)) < np.array(sizes, np.int64)[:, None]
    table = np.zeros(held.shape, np.uint32)
    table[held] = hashes
    return table, held


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


class Terms(Struct, frozen=True, eq=False):
    """*hashes* of stems, in order and each once, with their *strengths*."""

    hashes: npt.NDArray[np.uint32]
    strengths: npt.NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.hashes)


def primary(language: str) -> str:
    """The primary subtag of a language tag.

    >>> primary("de-AT")
    'de'
    """
    return language.partition("-")[0].lower()


def shares(language: str) -> dict[bytes, float]:
    """word stem → the part of short texts in *language* (a primary subtag) that hold it. Made anew each time."""
    frequencies: dict[bytes, float] = {}
    for word, frequency in text.frequencies(language).items():
        # Scripts without blanks: the table has words, an article's text is taken apart into characters.
        for part in word if UNSPACED.match(word) else (word,):
            stem = stemmed(part.encode())
            frequencies[stem] = frequencies.get(stem, 0.0) + frequency
    return {stem: 1.0 - math.exp(-frequency * TYPICAL_WORDS) for stem, frequency in frequencies.items()}


def made_of() -> list[str]:
    """The files on which `shares` depends, for who keeps what it gives."""
    return [__file__, text.__file__, str(text.WORDLIST)]


def stemmed(word: bytes) -> bytes:
    """*word* without a plural s: the one ending that many languages share and that tells stories apart nowhere.

    >>> stemmed(b"reactors"), stemmed(b"press")
    (b'reactor', b'press')
    """
    return word[:-1] if len(word) > 3 and word.endswith(b"s") and not word.endswith(b"ss") else word


def count_terms(title_words: Sequence[bytes], text_words: Sequence[bytes], names: Collection[bytes] = ()) -> Terms:
    """The terms of an article, as strong as 1 + log of how often they stand there, times NAME or DATE.

    *names* are words, as `signature.named` gives them.
    """
    times = Counter(hashed(text_words[:NEWS_WORDS]))
    for one in hashed(title_words[:TITLE_WORDS]):
        times[one] += TITLE_TIMES
    hashes = np.fromiter(times, np.uint32, len(times))
    strengths = _STRENGTHS[np.fromiter(times.values(), np.int64, len(times))]
    for some, factor in ((frozenset(hashed(names)), NAME), (_DATES, DATE)):
        if at := [place for place, one in enumerate(times) if one in some]:
            strengths[at] = np.minimum(strengths[at] * factor, 255).astype(np.uint8)
    order = hashes.argsort()
    return Terms(hashes[order], strengths[order])


def hashed(words: Iterable[bytes]) -> list[int]:
    """The term that each of *words* stands for. Nothing is remembered: looking up in a large memory takes longer."""
    return [xxhash.xxh32_intdigest(stemmed(word) if word.endswith(b"s") else word) for word in words]


_DATES = frozenset(hashed(word.encode() for word in (*MONTHS, *map(str, range(1900, 2100)))))


def articles_with(language: str) -> npt.NDArray[np.float16]:
    """1 and the number of articles with a term that the background stands for, by cell of TERM_CELLS."""

    def made() -> dict[str, bytes]:
        stem_shares = shares(language)
        cells = np.fromiter(map(xxhash.xxh32_intdigest, stem_shares), np.int64, len(stem_shares)) % TERM_CELLS
        common = np.zeros(TERM_CELLS)
        np.maximum.at(common, cells, np.fromiter(stem_shares.values(), np.float64, len(stem_shares)))
        common[common == 0.0] = RARE
        return {"cells": (1.0 + BACKGROUND_ARTICLES * common).astype(np.float16).tobytes()}

    parts = files.cached(f"words-{language}", made_of(), made) if language.isalpha() else made()
    return np.frombuffer(parts["cells"], np.float16)


PACKED_BYTES = 5


def pack(terms: Terms) -> bytes:
    """*terms* without weights, in PACKED_BYTES each."""
    return terms.hashes.tobytes() + terms.strengths.tobytes()


def unpack_several(packed: Sequence[bytes]) -> tuple[Terms, list[int]]:
    """What `pack` made of several, one behind the other, and how many each has.

    Release 0.1.0 kept terms by their weight and not in order.
    """
    sizes = [len(one) // PACKED_BYTES for one in packed]
    hashes = np.frombuffer(b"".join([one[: 4 * size] for one, size in zip(packed, sizes, strict=True)]), np.uint32)
    strengths = b"".join([one[4 * size : PACKED_BYTES * size] for one, size in zip(packed, sizes, strict=True)])
    owners = np.arange(len(sizes), dtype=np.uint64).repeat(sizes)
    order = (owners << np.uint64(32) | hashes).argsort(kind="stable")
    return Terms(hashes[order], np.frombuffer(strengths, np.uint8)[order]), sizes


COMMON_GRAMS = 3
"""A word triple in more articles than this is common and loses weight."""
PRIOR = 30.0
"""So many articles' worth the whole desk weighs against what a source has said."""
GRAM_CELLS = 1 << 22
GRAM_LOAD = 2.0
"""So many triples added for each cell, and all counts are halved; with HABIT_LOAD terms those of sources."""
HALVE_ARTICLES = 200_000
HABIT_CELLS = 1 << 21
HABIT_LOAD = 0.5
"""A table that is fuller tells little of the sources that write little."""

_COUNTS = np.arange(256)
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
_UPPER = np.uint64(40)

Weights = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]
AT_ONCE = 255
"""Articles that are counted together: as many as a byte takes."""


class Counters:
    """A table of *size* counters up to *largest*; what was added since `begin` can be taken back."""

    def __init__(self, size: int, kind: npt.DTypeLike, largest: float) -> None:
        self._cells: npt.NDArray[Any] = np.zeros(size, kind)
        self._largest = largest
        self._one = self._cells.dtype.type(1)  # of another type numpy takes a hundred times as long
        self._added = 0
        """Of what is added; halved with the counters."""
        self._before: list[tuple[Any, npt.NDArray[Any], int]] = []  # what was where

    def begin(self) -> None:
        """From here on `undo` takes back; what was counted before stays."""
        self._before.clear()

    def undo(self) -> None:
        """Be what this was at `begin`."""
        while self._before:
            cells, counts, self._added = self._before.pop()
            self._cells[cells] = counts

    def _count(self, table: Hashes, held: Mask, most: float, added: Sequence[int] | None = None) -> list[int]:
        """Count the cells that *table* has, a row for each article, where they are *held*; each once for an article.

        *added* is what each article adds, as much as it has cells where None. Return behind how many articles all was
        halved, as more than *most* were added.
        """
        once, sizes = each_once(table, held)
        cells = once.astype(np.int64)
        halved = []
        first = start = end = 0
        before = self._added
        for number, (size, more) in enumerate(zip(sizes, added or sizes, strict=True), 1):
            end += size
            self._added += more
            if self._added > most or number == len(sizes) or number - first == AT_ONCE:
                self._add(cells[start:end], before)
                if self._added > most:
                    self._halve()
                    halved.append(number)
                first, start, before = number, end, self._added
        return halved

    def _add(self, cells: Ints, before: int) -> None:
        """Count each of *cells* as often as it is given, at most AT_ONCE times; *before* was added until then."""
        counts = self._cells[cells]
        self._before.append((cells, counts, before))
        np.add.at(self._cells, cells, self._one)
        full = self._cells[cells] < counts  # what is beyond a byte comes out small
        if full.any():
            self._cells[cells[full]] = self._largest

    def _halve(self) -> None:
        self._before.append((slice(None), self._cells.copy(), self._added))
        np.multiply(self._cells, 0.5, out=self._cells, casting="unsafe")
        self._added //= 2


class GramCounts(Counters):
    """In about how many articles a word triple stands."""

    def __init__(self) -> None:
        super().__init__(GRAM_CELLS, np.uint8, 255)
        self._weighed = -1
        self._weight_of = np.empty(0)  # by what a cell counts, as it was when *_weighed* triples were added

    def add(self, grams: Hashes, held: Mask) -> None:
        """Count the *grams* of articles, a row for each, where they are *held*."""
        self._count(grams & np.uint32(GRAM_CELLS - 1), held, GRAM_LOAD * GRAM_CELLS)

    def weights(self, grams: Hashes) -> Weights:
        """1 for rare triples, towards 0 for common ones."""
        if self._weighed != self._added:
            # A full table counts strangers too: what they add on average is no sign of being common.
            common = COMMON_GRAMS + 4 * self._added / GRAM_CELLS
            self._weight_of = np.square(common / np.maximum(_COUNTS, common))
            self._weighed = self._added
        weights: Weights = self._weight_of[self._cells[grams & np.uint32(GRAM_CELLS - 1)]]
        return weights


class TermCounts(Counters):
    """In how many articles a term stood, over a background of what is common in each language."""

    def __init__(self) -> None:
        super().__init__(TERM_CELLS, np.float32, np.inf)
        self._common: dict[str, npt.NDArray[np.float16]] = {}

    @property
    def articles(self) -> int:
        """So many were counted, less what has faded."""
        return self._added

    def add(self, terms: Hashes, held: Mask) -> None:
        """Count the *terms* of articles, a row for each, where they are *held*."""
        self._count(terms & np.uint32(TERM_CELLS - 1), held, HALVE_ARTICLES, [1] * len(terms))

    def strongest(self, packed: Sequence[bytes], languages: Sequence[str]) -> list[Terms]:
        """Of the terms of each of several articles, not counted yet, the MOST_TERMS that weigh most in its language."""
        terms, sizes = unpack_several(packed)
        weights = terms.strengths * self.telling_of(terms.hashes, sizes, languages)
        found, start = [], 0
        for size in sizes:
            kept: Ints | slice = slice(start, start + size)
            if size > MOST_TERMS:
                kept = start + np.sort(weights[kept].argpartition(size - MOST_TERMS)[-MOST_TERMS:])
            found.append(Terms(terms.hashes[kept], terms.strengths[kept]))
            start += size
        return found

    def telling_of(self, hashes: Hashes, sizes: Sequence[int], languages: Sequence[str]) -> Floats:
        """What `telling` gives of the terms of several articles, one behind the other: each in the language of its
        article, which has as many as *sizes* says.
        """
        found = np.empty(len(hashes), np.float32)
        for language in set(languages):
            of_it = np.array([language == each for each in languages]).repeat(sizes)
            found[of_it] = self.telling(hashes[of_it], language)
        return found

    def telling(self, hashes: Hashes, language: str) -> Floats:
        """What each term tells where it stands once: 0 what all texts have, 8 a rare name."""
        if language not in self._common:
            self._common[language] = articles_with(language)
        cells = hashes & np.uint32(TERM_CELLS - 1)
        held = self._cells[cells] + self._common[language][cells]
        every = np.float32(self.articles + BACKGROUND_ARTICLES + 1.0)
        found: Floats = np.maximum(np.log(every / held), np.float32(0.0))
        return found

    def words_tell(self, words: Sequence[bytes], language: str) -> Floats:
        """What each of *words* tells, as `telling` has it."""
        return self.telling(np.array(hashed(words), np.uint32), language)


class Habits(Counters):
    """How many articles of a source hold a term."""

    def __init__(self) -> None:
        super().__init__(HABIT_CELLS, np.uint16, 0xFFFF)
        self._articles: Counter[int] = Counter()
        self._articles_before: dict[int, int] = {}

    def begin(self) -> None:
        super().begin()
        self._articles_before.clear()

    def undo(self) -> None:
        super().undo()
        dict.update(self._articles, self._articles_before)
        self._articles = +self._articles
        self._articles_before.clear()

    def add(self, source_ids: Sequence[int], terms: Hashes, held: Mask) -> None:
        """Count the *terms* of articles as `TermCounts.add` does; *source_ids* says whose each article is."""
        for source_id in source_ids:
            self._articles_before.setdefault(source_id, self._articles[source_id])
        cells = _cells(np.array(source_ids, np.uint64)[:, None], terms)
        start = 0
        for end in self._count(cells, held, HABIT_LOAD * HABIT_CELLS):
            self._articles.update(source_ids[start:end])
            self._articles_before = dict(self._articles) | self._articles_before
            self._articles = Counter({source: count // 2 for source, count in self._articles.items() if count > 1})
            start = end
        self._articles.update(source_ids[start:])

    def novelty(self, source_ids: Sequence[int], terms: Hashes, sizes: Sequence[int], telling: Floats) -> Floats:
        """What part of *telling* (natural logs, as `TermCounts` gives them) each term of articles, which are counted
        already, keeps between articles of its source: 1 what the source says no more often than the desk at large.

        *terms* are those of all, *sizes* how many each article has, *source_ids* whose it is.
        """
        written = np.repeat([self._articles[source_id] for source_id in source_ids], sizes)
        cells = _cells(np.repeat(np.array(source_ids, np.uint64), sizes), terms)
        held = np.maximum(self._cells[cells].astype(np.float32) - 1, 0)
        here = (held + PRIOR * np.exp(-telling)) / (np.maximum(written - 1, 0) + PRIOR)
        kept = np.minimum(-np.log(np.minimum(here, 1.0)), telling) / np.maximum(telling, 1e-6)
        found: Floats = kept.astype(np.float32)
        return found


def _cells(source_ids: npt.NDArray[np.uint64], terms: Hashes) -> Hashes:
    """The cell of each term; *source_ids* has a source for each."""
    mixed = (terms.astype(np.uint64) | (source_ids << np.uint64(32))) * _SPREAD
    return (mixed >> _UPPER).astype(np.uint32) & np.uint32(HABIT_CELLS - 1)
