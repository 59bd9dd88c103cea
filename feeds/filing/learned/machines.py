"""The machines that score texts: support vectors a section, and naive Bayes beside them. Pure; needs scikit-learn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from feeds.filing.learned.features import AUTHORS, PAIRS
from feeds.filing.learned.matrix import Table
from feeds.filing.learned.senses import Vectors

SMOOTHING = 0.1
SCARCE = 8.0
"""How much more one text of a small section may count than one of the rest, at most."""

Matrix = Any  # a SciPy sparse matrix
Weights = npt.NDArray[np.float32]
Labels = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A linear layer: *weights* (the first features × sections) and *intercept*."""

    weights: Weights
    intercept: Weights

    def scores(self, matrix: Matrix) -> Weights:
        """The scores of texts in each section."""
        return np.asarray(matrix[:, : len(self.weights)] @ self.weights + self.intercept, np.float32)


def machines_of(table: Table, matrix: Matrix, truth: Labels, single: bool) -> list[Machine]:
    """The machines learned from some rows of *table*, as *matrix*; naive Bayes only where sections exclude each other.

    One Bayes knows words and authors alone, which holds better for few and long texts, the other pairs too.
    """
    machines = [_vectors(matrix, truth) if table.senses is None else _with_senses(matrix, table.senses, truth)]
    if single:
        ends = np.cumsum([block.shape[1] for block in table.blocks])
        machines += [_bayes(matrix[:, : ends[block]], truth) for block in (AUTHORS, PAIRS)]
    return machines


def added_up(machines: list[Machine], parts: Sequence[Weights], features: int) -> Machine:
    """One layer that gives the sum of the scores of all, each times its part (one a section)."""
    weights = np.zeros((features, len(machines[0].intercept)), np.float32)
    intercept = np.zeros(weights.shape[1], np.float32)
    for machine, part in zip(machines, parts, strict=True):
        weights[: len(machine.weights)] += part * machine.weights
        intercept += part * machine.intercept
    return Machine(weights=weights, intercept=intercept)


def _vectors(matrix: Matrix, truth: Labels) -> Machine:
    from sklearn.svm import LinearSVC

    texts, sections = truth.shape
    # Many short texts, some of them in the wrong section, want a softer margin than a few long ones.
    cost = 1 / (1 + texts / 8000)
    weights = np.zeros((matrix.shape[1], sections), np.float32)
    intercept = np.zeros(sections, np.float32)
    for index in range(sections):
        column = truth[:, index] > 0
        if not column.any() or column.all():
            intercept[index] = 1 if column.all() else -1
            continue
        scarce = float(np.clip(np.sqrt(texts / (2 * column.sum())), 1, SCARCE))
        machine = LinearSVC(C=cost, class_weight={True: scarce}, tol=1e-2, random_state=0, max_iter=2000)
        machine.fit(matrix, column)
        weights[:, index] = machine.coef_[0]
        intercept[index] = machine.intercept_[0]
    return Machine(weights=weights, intercept=intercept)


def _with_senses(matrix: Matrix, senses: Vectors, truth: Labels) -> Machine:
    """`_vectors` that also see what the words of a text mean together: a sum over its words.

    So what they learn of that sum can be said of each word alone, of those too that no text here holds.
    """
    from scipy import sparse

    meant = np.asarray(matrix[:, : len(senses)] @ senses, np.float32)
    middle = meant.mean(axis=0)
    meant -= middle
    # Where all texts mean the same, what is left of them is nothing to be enlarged.
    scale = 1 / max(float(np.linalg.norm(meant, axis=1).mean()), float(np.linalg.norm(middle)) / 10, 1e-9)
    machine = _vectors(sparse.hstack([matrix, sparse.csr_matrix(meant * scale)], format="csr"), truth)
    weights, of_meaning = machine.weights[: matrix.shape[1]].copy(), machine.weights[matrix.shape[1] :] * scale
    weights[: len(senses)] += senses @ of_meaning
    return Machine(weights=weights, intercept=machine.intercept - middle @ of_meaning)


def _bayes(matrix: Matrix, truth: Labels) -> Machine:
    from sklearn.naive_bayes import ComplementNB

    bayes = ComplementNB(alpha=SMOOTHING).fit(matrix, truth.argmax(axis=1))
    log = np.asarray(bayes.feature_log_prob_, np.float32)
    weights = np.zeros((matrix.shape[1], truth.shape[1]), np.float32)
    weights[:, bayes.classes_] = (log - log.mean(axis=0)).T
    weights[matrix.getnnz(axis=0) == 0] = 0  # of a word that no text holds it says how long each section's texts are
    return Machine(weights=weights, intercept=np.zeros(truth.shape[1], np.float32))
