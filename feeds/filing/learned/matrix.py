"""Many texts as one weighted matrix of the features worth keeping. Pure; needs SciPy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from feeds.filing.learned.features import BITS, BLOCKS, LENGTHS, features

MOST_FEATURES = 400_000
MOST_WEIGHTS = 6_000_000

Matrix = Any  # a SciPy sparse matrix
Weights = npt.NDArray[np.float32]
Rows = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Texts × features: for each block the texts with length 1; the features' *numbers* and *idf* over all blocks."""

    blocks: tuple[Matrix, ...]
    numbers: npt.NDArray[np.int32]
    idf: Weights

    def rows(self, chosen: Rows | None = None) -> Matrix:
        """The matrix of the texts *chosen*, or of all."""
        return _joined([block if chosen is None else block[chosen] for block in self.blocks])

    def unseen(self, rest: Rows, test: Rows) -> Matrix:
        """The texts *test* as a model of the texts *rest* would see them: what it never met is not there at all."""
        seen = []
        for block in self.blocks:
            met = (block[rest].getnnz(axis=0) > 0).astype(np.float32)
            seen.append(_of_length_one(block[test].multiply(met[None, :]).tocsr()))
        return _joined(seen)


def table_of(told: Sequence[Sequence[str]], authors: Sequence[Sequence[str]], sections: int) -> Table:
    """The table of texts by the words *told* and their *authors*. Of too many features the commonest stay."""
    from scipy import sparse

    numbers, counts = zip(*map(features, told, authors), strict=True)
    every = np.concatenate(numbers)
    frequency = np.bincount(every, minlength=BLOCKS << BITS).astype(np.int32)
    least, most = 1, min(MOST_FEATURES, MOST_WEIGHTS // sections)
    while (frequency >= least).sum() > most:
        least += 1
    kept = np.flatnonzero(frequency >= least)
    # As the file keeps it, so that learning and asking see the same.
    idf = (np.log((1 + len(told)) / (1 + frequency[kept])) + 1).astype(np.float16).astype(np.float32)
    place = np.full(BLOCKS << BITS, -1, np.int32)
    place[kept] = np.arange(len(kept), dtype=np.int32)
    columns = place[every]
    known = np.concatenate(([0], np.cumsum(columns >= 0)))
    ends = known[np.concatenate(([0], np.cumsum([len(found) for found in numbers])))]
    values = np.concatenate(counts)[columns >= 0] * idf[columns[columns >= 0]]
    whole = sparse.csr_matrix((values, columns[columns >= 0], ends), shape=(len(told), len(kept)))
    bounds = np.searchsorted(kept, np.arange(BLOCKS + 1) << BITS)
    blocks = tuple(_of_length_one(whole[:, first:last]) for first, last in pairwise(bounds))
    return Table(blocks=blocks, numbers=kept.astype(np.int32), idf=idf)


def _of_length_one(rows: Matrix) -> Matrix:
    from scipy import sparse

    lengths = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1)).ravel())
    lengths[lengths == 0] = 1
    return (sparse.diags(1 / lengths) @ rows).tocsr().astype(np.float32)


def _joined(blocks: Sequence[Matrix]) -> Matrix:
    from scipy import sparse

    return sparse.hstack([block * length for block, length in zip(blocks, LENGTHS, strict=True)], format="csr")
