"""Neighbours among the texts of training: the lists that a model keeps, and shares held back. Pure; needs SciPy."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from functools import cache
from importlib.util import find_spec
from itertools import chain, pairwise
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import Struct
from scipy import sparse

from feeds.filing.text_model import (
    BITS,
    BLOCKS,
    COMMON,
    LENGTHS,
    MOST_TEXTS,
    NEAR_WORDS,
    NEAREST,
    SHARPNESS,
    WORDS,
    Bools,
    Floats,
    Ints,
    Neighbours,
    Rows,
    features,
    word_numbers,
)
from feeds.text import fold, frequencies

Written = dict[str, Counter[str]]

_PIECES = Path("tokenizers", "l2_supercat_tokenizer_config.json")
_VECTORS = Path("weights", "l2_supercat_256.safetensors")
_SHORT = 5
"""Words with fewer letters are often written in capitals."""
_LEAST_LETTERS = 3
_WAYS = 3
_GUESS = 0.5
"""How many times the ways that were not seen count as seen."""
_WORD = re.compile(r"\w+")


@cache
def _library() -> tuple[Any, Floats] | None:
    """What cuts words into pieces, and the vector of each piece; None where the library is not there."""
    spec = find_spec("wordllama")
    files = [Path(spec.origin or "").parent / name for name in (_PIECES, _VECTORS)] if spec is not None else []
    if not files or not all(file.is_file() for file in files):
        return None
    # Not by the library's own loader, which asks the network for what lies in its package.
    from safetensors.numpy import load_file
    from tokenizers import Tokenizer

    (vectors,) = load_file(files[1]).values()
    return Tokenizer.from_file(str(files[0])), vectors.astype(np.float32)


def knows_senses() -> bool:
    """Whether the library is installed."""
    return _library() is not None


def common_words(languages: Sequence[str]) -> list[str]:
    """The folded words that are commonest in *languages* (primary subtags); none where senses are not known."""
    if not knows_senses():
        return []
    known = {word for one in languages for word in frequencies(one)}
    return sorted(word for word in known if len(word) >= _LEAST_LETTERS and word.isalpha())


def ways_written(texts: Iterable[str]) -> Written:
    """By folded word, how often it is written in which way: in one desk's texts *Apple* and *may*, in another's *apple*
    and *May*.
    """
    ways: Written = {}
    for text in texts:
        for word in _WORD.findall(text):
            ways.setdefault(fold(word), Counter())[word] += 1
    return ways


def senses_of(words: Sequence[str], written: Written) -> Floats | None:
    """words × dimensions, each a mean over the ways to write a word; None without the library."""
    library = _library()
    if library is None:
        return None
    pieces, vectors = library
    forms, parts, counts = [], [], []
    for word in words:
        ways = _forms(word, written.get(word))
        forms += [form for form, _ in ways]
        parts += [part for _, part in ways]
        counts.append(len(ways))
    cut = [one.ids for one in pieces.encode_batch(forms, add_special_tokens=False)]
    lengths = np.fromiter(map(len, cut), np.int64, len(cut))
    held = np.repeat(np.array(parts, np.float32) / lengths, lengths)
    ends = np.concatenate(([0], np.cumsum(lengths)))[np.concatenate(([0], np.cumsum(counts)))]
    spelled = sparse.csr_matrix((held, np.fromiter(chain(*cut), np.int64), ends), (len(words), len(vectors)))
    senses: Floats = np.asarray(spelled @ vectors, np.float32)
    return senses


def _forms(word: str, ways: Counter[str] | None) -> list[tuple[str, float]]:
    """Ways to write *word* and what part each has; without having seen it, small letters and capitals alike."""
    guessed = (word, word.capitalize(), word.upper()) if len(word) < _SHORT else (word, word.capitalize())
    total = ways.total() if ways else 0
    seen = [(form, count / (total + _GUESS)) for form, count in ways.most_common(_WAYS)] if ways else []
    return seen + [(form, _GUESS / (total + _GUESS) / len(guessed)) for form in guessed]


MOST_FEATURES = 400_000
MOST_WEIGHTS = 6_000_000

Matrix = Any  # a SciPy sparse matrix


class Table(Struct, frozen=True, kw_only=True):
    """Texts × features: for each block the texts with length 1; the features' *numbers* and *idf* over all blocks.

    *senses* are the vectors of the features of the block WORDS, None without any; *common* says which of these features
    are known even where no text holds them.
    """

    blocks: tuple[Matrix, ...]
    numbers: Ints
    idf: Floats
    senses: Floats | None = None
    common: Bools | None = None

    def rows(self, chosen: Rows | None = None) -> Matrix:
        """The matrix of the texts *chosen*, or of all."""
        return _joined([block if chosen is None else block[chosen] for block in self.blocks])

    def unseen(self, rest: Rows, test: Rows) -> Matrix:
        """The texts *test* as a model of the texts *rest* would see them: what it never saw is not there at all."""
        seen = []
        for number, block in enumerate(self.blocks):
            known = block[rest].getnnz(axis=0) > 0
            if number == WORDS and self.common is not None:
                known |= self.common
            seen.append(_of_length_one(block[test].multiply(known.astype(np.float32)[None, :]).tocsr()))
        return _joined(seen)


def table_of(
    tokens: Sequence[Sequence[str]],
    authors: Sequence[Sequence[str]],
    sections: int,
    *,
    common: Sequence[str] = (),
    written: Written | None = None,
) -> Table:
    """The table of texts by the words *tokens* and their *authors*. Of too many features the commonest stay.

    *common* are words to know besides, for their senses; *written* tells how words are written.
    """
    numbers, counts = zip(*map(features, tokens, authors), strict=True)
    every = np.concatenate(numbers)
    frequency = np.bincount(every, minlength=BLOCKS << BITS).astype(np.int32)
    least, most = 1, min(MOST_FEATURES, MOST_WEIGHTS // sections)
    while (frequency >= least).sum() > most:
        least += 1
    general = word_numbers(common)
    held = frequency >= least
    held[general] = True
    kept = np.flatnonzero(held)
    # As the file keeps it, so that learning and asking see the same.
    idf = (np.log((1 + len(tokens)) / (1 + frequency[kept])) + 1).astype(np.float16).astype(np.float32)
    place = np.full(BLOCKS << BITS, -1, np.int32)
    place[kept] = np.arange(len(kept), dtype=np.int32)
    columns = place[every]
    before = np.concatenate(([0], np.cumsum(columns >= 0)))
    ends = before[np.concatenate(([0], np.cumsum([len(found) for found in numbers])))]
    values = np.concatenate(counts)[columns >= 0] * idf[columns[columns >= 0]]
    whole = sparse.csr_matrix((values, columns[columns >= 0], ends), shape=(len(tokens), len(kept)))
    bounds = np.searchsorted(kept, np.arange(BLOCKS + 1) << BITS)
    blocks = tuple(_of_length_one(whole[:, first:last]) for first, last in pairwise(bounds))
    known = np.zeros(bounds[WORDS + 1], np.bool_)
    known[place[general]] = True
    return Table(
        blocks=blocks,
        numbers=kept.astype(np.int32),
        idf=idf,
        senses=_senses({*common, *(word for one in tokens for word in one)}, written or {}, place, len(known)),
        common=known,
    )


def _senses(words: Collection[str], written: Written, place: Ints, features: int) -> Floats | None:
    """The senses of the *features* that *words* have, each in the place of its number."""
    ordered = sorted(words)
    places = place[word_numbers(ordered)]
    kept = [word for word, at in zip(ordered, places, strict=True) if at >= 0]
    vectors = senses_of(kept, written)
    if vectors is None:
        return None
    senses = np.zeros((features, vectors.shape[1]), np.float32)
    senses[places[places >= 0]] = vectors
    return senses


def _of_length_one(rows: Matrix) -> Matrix:
    lengths = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1)).ravel())
    lengths[lengths == 0] = 1
    return (sparse.diags(1 / lengths) @ rows).tocsr().astype(np.float32)


def _joined(blocks: Sequence[Matrix]) -> Matrix:
    return sparse.hstack([block * length for block, length in zip(blocks, LENGTHS, strict=True)], format="csr")


_AT_ONCE = 500


def telling_words(words: Matrix) -> Matrix:
    """The texts × *words* (each text of length 1) with what brings texts near alone; the last MOST_TEXTS of them."""
    count = words.shape[0]
    chosen = words.tocsr(copy=True)
    common = words.getnnz(axis=0) > max(COMMON * count, 2)
    chosen.data[common[chosen.indices]] = 0
    for row in range(count):
        first, last = chosen.indptr[row], chosen.indptr[row + 1]
        if row < count - MOST_TEXTS:
            chosen.data[first:last] = 0
        elif last - first > NEAR_WORDS:
            strengths = chosen.data[first:last]
            strengths[np.argpartition(-strengths, NEAR_WORDS)[NEAR_WORDS:]] = 0
    chosen.eliminate_zeros()
    return chosen


def neighbours_of(telling: Matrix, truth: Floats) -> Neighbours:
    """What a model keeps of the texts of `telling_words`."""
    kept = np.flatnonzero(telling.getnnz(axis=1))
    by_word = telling[kept].tocsc()
    by_word.sort_indices()
    words = np.flatnonzero(np.diff(by_word.indptr))
    filed = [np.flatnonzero(row) for row in truth[kept]]
    return Neighbours(
        words=words.astype(np.int32),
        starts=np.append(by_word.indptr[words], by_word.indptr[-1]).astype(np.int32),
        texts=by_word.indices.astype(np.int32),
        strengths=np.clip(np.rint(by_word.data * 255), 1, 255).astype(np.uint8),
        firsts=np.concatenate(([0], np.cumsum([len(one) for one in filed]))).astype(np.int32),
        filed=np.concatenate([*filed, np.empty(0, np.intp)]).astype(np.int16),
    )


def shares_held_back(telling: Matrix, truth: Floats, folds: list[Rows]) -> Floats:
    """`Neighbours.shares` for each text, of the texts that are not held back with it."""
    shares = np.zeros(truth.shape, np.float32)
    for test in folds:
        rest = np.setdiff1d(np.arange(len(truth)), test)
        others = telling[rest].T.tocsr()
        for first in range(0, len(test), _AT_ONCE):
            rows = test[first : first + _AT_ONCE]
            alike = (telling[rows] @ others).tocsr()
            for row, start, end in zip(rows, alike.indptr[:-1], alike.indptr[1:], strict=True):
                strengths, found = alike.data[start:end], alike.indices[start:end]
                if len(strengths) > NEAREST:
                    near = np.argpartition(-strengths, NEAREST)[:NEAREST]
                    strengths, found = strengths[near], found[near]
                weights = strengths**SHARPNESS
                if len(weights):
                    shares[row] = weights @ truth[rest[found]] / weights.sum()
    return shares
