"""Neighbours among the texts of training: the lists that a model keeps, and shares held back. Pure; needs SciPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from feeds.filing.learned.neighbours import COMMON, MOST_TEXTS, MOST_WORDS, NEAREST, SHARPNESS, Neighbours

Matrix = Any  # a SciPy sparse matrix
Labels = npt.NDArray[np.float32]
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
        elif last - first > MOST_WORDS:
            strengths = chosen.data[first:last]
            strengths[np.argpartition(-strengths, MOST_WORDS)[MOST_WORDS:]] = 0
    chosen.eliminate_zeros()
    return chosen


def neighbours_of(telling: Matrix, truth: Labels) -> Neighbours:
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


def shares_held_back(telling: Matrix, truth: Labels, folds: list[npt.NDArray[np.intp]]) -> Labels:
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
