"""Many texts as one weighted matrix of the features worth keeping. Pure; needs SciPy."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from feeds.filing.learned.features import BITS, BLOCKS, LENGTHS, WORDS, features, word_numbers
from feeds.filing.learned.senses import Vectors, Written, senses_of

MOST_FEATURES = 400_000
MOST_WEIGHTS = 6_000_000

Matrix = Any  # a SciPy sparse matrix
Weights = npt.NDArray[np.float32]
Rows = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Texts × features: for each block the texts with length 1; the features' *numbers* and *idf* over all blocks.

    *senses* are the vectors of the features of the block WORDS, None without any; *common* says which of these features
    are known even where no text holds them.
    """

    blocks: tuple[Matrix, ...]
    numbers: npt.NDArray[np.int32]
    idf: Weights
    senses: Vectors | None = None
    common: npt.NDArray[np.bool_] | None = None

    def rows(self, chosen: Rows | None = None) -> Matrix:
        """The matrix of the texts *chosen*, or of all."""
        return _joined([block if chosen is None else block[chosen] for block in self.blocks])

    def unseen(self, rest: Rows, test: Rows) -> Matrix:
        """The texts *test* as a model of the texts *rest* would see them: what it never met is not there at all."""
        seen = []
        for number, block in enumerate(self.blocks):
            met = block[rest].getnnz(axis=0) > 0
            if number == WORDS and self.common is not None:
                met |= self.common
            seen.append(_of_length_one(block[test].multiply(met.astype(np.float32)[None, :]).tocsr()))
        return _joined(seen)


def table_of(
    told: Sequence[Sequence[str]],
    authors: Sequence[Sequence[str]],
    sections: int,
    *,
    common: Sequence[str] = (),
    written: Written | None = None,
) -> Table:
    """The table of texts by the words *told* and their *authors*. Of too many features the commonest stay.

    *common* are words to know besides, for their senses; *written* tells how words are written.
    """
    from scipy import sparse

    numbers, counts = zip(*map(features, told, authors), strict=True)
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
    idf = (np.log((1 + len(told)) / (1 + frequency[kept])) + 1).astype(np.float16).astype(np.float32)
    place = np.full(BLOCKS << BITS, -1, np.int32)
    place[kept] = np.arange(len(kept), dtype=np.int32)
    columns = place[every]
    before = np.concatenate(([0], np.cumsum(columns >= 0)))
    ends = before[np.concatenate(([0], np.cumsum([len(found) for found in numbers])))]
    values = np.concatenate(counts)[columns >= 0] * idf[columns[columns >= 0]]
    whole = sparse.csr_matrix((values, columns[columns >= 0], ends), shape=(len(told), len(kept)))
    bounds = np.searchsorted(kept, np.arange(BLOCKS + 1) << BITS)
    blocks = tuple(_of_length_one(whole[:, first:last]) for first, last in pairwise(bounds))
    known = np.zeros(bounds[WORDS + 1], np.bool_)
    known[place[general]] = True
    return Table(
        blocks=blocks,
        numbers=kept.astype(np.int32),
        idf=idf,
        senses=_senses({*common, *(word for one in told for word in one)}, written or {}, place, len(known)),
        common=known,
    )


def _senses(words: Collection[str], written: Written, place: npt.NDArray[np.int32], features: int) -> Vectors | None:
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
    from scipy import sparse

    lengths = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1)).ravel())
    lengths[lengths == 0] = 1
    return (sparse.diags(1 / lengths) @ rows).tocsr().astype(np.float32)


def _joined(blocks: Sequence[Matrix]) -> Matrix:
    from scipy import sparse

    return sparse.hstack([block * length for block, length in zip(blocks, LENGTHS, strict=True)], format="csr")
