"""Examples → a model, with probabilities that were tested on texts held back. Pure; needs scikit-learn.

A linear support vector machine over words and letters, and where sections exclude each other naive Bayes beside it,
summed into one layer. Every score that calibration and thresholds are made from comes from a machine that had not
seen the text, nor another of its group.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from feeds.errors import DeskError
from feeds.filing.learned.examples import Example, is_single
from feeds.filing.learned.features import BITS, BLOCKS, features, learned_words
from feeds.filing.learned.model import PRECISIONS, Model, Weights

LEAST_EXAMPLES = 3
"""Sections with fewer are not learned."""
LEAST_SUPPORT = 10
"""Filings held back on which a threshold must rest."""
MOST_FEATURES = 400_000
MOST_WEIGHTS = 6_000_000
LEAST_SOURCES = 3
"""From so many sources on a section is tested on sources not seen."""
FOLDS = 3
FAVOUR = 0.35
"""How much small sections are favoured where one must be chosen: chances are set against this power of their share."""
WRONG = 0.03
"""Below this probability of its own section an example is taken to be in the wrong one."""
COST = 0.2
BAYES = 0.1

Matrix = Any  # a SciPy sparse matrix
Labels = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What the model says of each example when it has not seen it, for the report. *truth* is texts × sections."""

    examples: tuple[Example, ...]
    truth: Labels
    chances: Weights
    called: npt.NDArray[np.bool_]  # what it would be called: one section each, or all above their cut
    told: tuple[tuple[str, ...], ...]  # the words learned from


def learn(examples: Sequence[Example], *, facts: dict[str, Any] | None = None) -> tuple[Model, Trial]:
    """Learn from *examples*. Raises DeskError where there are fewer than two sections with enough of them."""
    counts = Counter(section for example in examples for section in example.sections)
    sections = tuple(sorted(section for section, count in counts.items() if count >= LEAST_EXAMPLES))
    if len(sections) < 2:
        raise DeskError(
            f"{len(sections)} sections have {LEAST_EXAMPLES} articles or more, and it takes two to tell them apart",
            remedy="let rules file more first, or give labelled files",
        )
    single = is_single(examples)
    if single:
        examples = [example for example in examples if example.sections[0] in sections]
    place = {section: index for index, section in enumerate(sections)}
    truth = np.zeros((len(examples), len(sections)), np.float32)
    for row, example in enumerate(examples):
        for section in example.sections:
            if section in place:
                truth[row, place[section]] = 1
    told = tuple(tuple(learned_words(example.title, example.text)) for example in examples)
    blocks, numbers, idf = _matrix(told, len(sections))
    matrix = _joined(blocks)
    scores = np.zeros(truth.shape, np.float32)
    for test in _folds(_groups(examples), truth):
        rest = np.setdiff1d(np.arange(len(examples)), test)
        weights, intercept = _fit(matrix[rest], truth[rest], single)
        scores[test] = _unseen(blocks, rest, test) @ weights + intercept
    slope, offset, doubt = _calibrate(scores, truth, single)
    weights, intercept = _fit(matrix, truth, single)
    blank = Model(
        sections=sections,
        single=single,
        numbers=numbers,
        idf=idf.astype(np.float16),
        weights=weights.astype(np.float16),
        intercept=intercept,
        slope=slope,
        offset=offset,
        doubt=doubt,
        thresholds={},
        cuts=(),
    )
    chances = blank.probabilities(scores)
    if single:
        cuts = tuple(float(share**FAVOUR) for share in truth.mean(axis=0))
        called = np.zeros(truth.shape, bool)
        called[np.arange(len(examples)), (chances / np.asarray(cuts)).argmax(axis=1)] = True
    else:
        cuts = tuple(_cut(chances[:, index], truth[:, index]) for index in range(len(sections)))
        called = chances >= np.asarray(cuts, np.float32)
    model = Model(
        sections=sections,
        single=single,
        numbers=numbers,
        idf=blank.idf,
        weights=blank.weights,
        intercept=intercept,
        slope=slope,
        offset=offset,
        doubt=doubt,
        thresholds={section: _thresholds(chances, truth, called, index, single) for section, index in place.items()},
        cuts=cuts,
        facts={"articles": len(examples), **(facts or {})},
    )
    return model, Trial(examples=tuple(examples), truth=truth, chances=chances, called=called, told=told)


def _matrix(told: Sequence[Sequence[str]], sections: int) -> tuple[list[Matrix], npt.NDArray[np.int32], Weights]:
    """For each block the weighted texts × features, then the features kept over all blocks, and their idf."""
    from scipy import sparse

    raw: list[tuple[list[Any], list[Any], list[int]]] = [([], [], [0]) for _ in range(BLOCKS)]
    for one in told:
        for (numbers, values, ends), (found, counts) in zip(raw, features(one), strict=True):
            numbers.append(found)
            values.append(counts)
            ends.append(ends[-1] + len(found))
    documents = len(told)
    most = min(MOST_FEATURES, MOST_WEIGHTS // sections)
    frequent = [
        np.bincount(np.concatenate(numbers), minlength=1 << BITS) if numbers else np.zeros(1 << BITS, int)
        for numbers, _, _ in raw
    ]
    # Of too many features the commonest stay.
    everywhere = np.concatenate(frequent)
    least = 1
    while (everywhere >= least).sum() > most:
        least += 1
    blocks, kept_of_all, idf_of_all = [], [], []
    for block, ((numbers, values, ends), frequency) in enumerate(zip(raw, frequent, strict=True)):
        kept = np.flatnonzero(frequency >= least)
        # As the file keeps it, so that learning and asking see the same.
        idf = (np.log((1 + documents) / (1 + frequency[kept])) + 1).astype(np.float16).astype(np.float32)
        shape = (documents, 1 << BITS)
        whole = sparse.csr_matrix((np.concatenate(values), np.concatenate(numbers), ends), shape=shape)
        chosen = whole[:, kept].multiply(idf[None, :]).tocsr()
        lengths = np.sqrt(np.asarray(chosen.multiply(chosen).sum(axis=1)).ravel())
        lengths[lengths == 0] = 1
        blocks.append((sparse.diags(1 / lengths) @ chosen).tocsr().astype(np.float32))
        kept_of_all.append((kept + (block << BITS)).astype(np.int32))
        idf_of_all.append(idf)
    return blocks, np.concatenate(kept_of_all), np.concatenate(idf_of_all)


def _joined(blocks: list[Matrix]) -> Matrix:
    from scipy import sparse

    return sparse.hstack(blocks, format="csr")


def _unseen(blocks: list[Matrix], rest: npt.NDArray[np.intp], test: npt.NDArray[np.intp]) -> Matrix:
    """The rows *test* as a model of the rows *rest* would see them: what it never met is not there at all."""
    from scipy import sparse

    seen = []
    for block in blocks:
        met = (block[rest].getnnz(axis=0) > 0).astype(np.float32)
        rows = block[test].multiply(met[None, :]).tocsr()
        lengths = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1)).ravel())
        lengths[lengths == 0] = 1
        seen.append((sparse.diags(1 / lengths) @ rows).tocsr())
    return _joined(seen)


def _fit(matrix: Matrix, truth: Labels, single: bool) -> tuple[Weights, Weights]:
    """The weights (features × sections) and intercepts of machines that tell each section from the rest."""
    from sklearn.naive_bayes import ComplementNB
    from sklearn.svm import LinearSVC

    weights = np.zeros((matrix.shape[1], truth.shape[1]), np.float32)
    intercept = np.zeros(truth.shape[1], np.float32)
    for index in range(truth.shape[1]):
        column = truth[:, index]
        if not column.any() or column.all():
            intercept[index] = 1 if column.all() else -1
            continue
        machine = LinearSVC(C=COST, tol=1e-3, random_state=0, max_iter=2000)
        machine.fit(matrix, column)
        weights[:, index] = machine.coef_[0]
        intercept[index] = machine.intercept_[0]
    if single:
        bayes = ComplementNB(alpha=0.1).fit(matrix, truth.argmax(axis=1))
        log = np.asarray(bayes.feature_log_prob_, np.float32)
        weights[:, bayes.classes_] += BAYES * (log - log.mean(axis=0)).T
    return weights, intercept


def _groups(examples: Sequence[Example]) -> list[str]:
    """What must stay together in a test: an example's source where all its sections have several, else its group."""
    sources: dict[str, set[str]] = {}
    for example in examples:
        for section in example.sections:
            sources.setdefault(section, set()).add(example.source)
    return [
        f"source {example.source}"
        if example.source and all(len(sources[section]) >= LEAST_SOURCES for section in example.sections)
        else example.group or f"row {row}"
        for row, example in enumerate(examples)
    ]


def _folds(grouped: Sequence[str], truth: Labels) -> list[npt.NDArray[np.intp]]:
    """The rows to be held back at each turn: whole groups, and of every section about as many each time."""
    rows_of: dict[str, list[int]] = {}
    for row, group in enumerate(grouped):
        rows_of.setdefault(group, []).append(row)
    folds = 5 if len(grouped) < 3000 else FOLDS
    sizes = np.zeros((folds, truth.shape[1]), np.float64)
    totals = np.zeros(folds)
    held: list[list[int]] = [[] for _ in range(folds)]
    dice = np.random.default_rng(0)
    groups = list(rows_of.values())
    dice.shuffle(groups)
    rarity = 1 / np.maximum(truth.sum(axis=0), 1)
    for rows in sorted(groups, key=len, reverse=True):
        mine = truth[rows].sum(axis=0)
        # Where what this group holds is scarcest so far; then where there is least of all.
        fold = int(np.lexsort((totals, sizes @ (mine * rarity)))[0])
        held[fold].extend(rows)
        sizes[fold] += mine
        totals[fold] += len(rows)
    return [np.array(sorted(rows), np.intp) for rows in held if rows]


def _calibrate(scores: Weights, truth: Labels, single: bool) -> tuple[Weights, Weights, float]:
    """What turns scores into probabilities, by how scores held back came true (Platt's way), and the last doubt.

    Some examples are in the wrong section; those that are surely so must not make all others less sure. What is left
    of them is a doubt that no score takes away.
    """
    from sklearn.linear_model import LogisticRegression

    count = truth.shape[1]
    if single:
        owner = truth.argmax(axis=1)
        kept = np.ones(len(owner), bool)
        for _ in range(2):
            slope, offset = np.zeros((count, count), np.float32), np.zeros(count, np.float32)
            fitted = LogisticRegression(C=100.0, max_iter=1000).fit(scores[kept], owner[kept])
            if len(fitted.classes_) == 2:
                slope[:, fitted.classes_[1]], offset[fitted.classes_[1]] = fitted.coef_[0], fitted.intercept_[0]
            else:
                slope[:, fitted.classes_] = fitted.coef_.T
                offset[fitted.classes_] = fitted.intercept_
            raised = scores @ slope + offset
            raised = np.exp(raised - raised.max(axis=1, keepdims=True))
            chance = (raised / raised.sum(axis=1, keepdims=True))[np.arange(len(owner)), owner]
            kept = chance > WRONG
            if len(np.unique(owner[kept])) < count:
                break
        doubts = np.linspace(0, 0.2, 41)
        losses = [-np.log(np.maximum((1 - doubt) * chance + doubt / count, 1e-9)).mean() for doubt in doubts]
        return slope, offset, float(doubts[int(np.argmin(losses))])
    slopes, offsets = np.ones(count, np.float32), np.zeros(count, np.float32)
    for index in range(count):
        fitted = LogisticRegression(C=10.0, max_iter=200).fit(scores[:, index : index + 1], truth[:, index] > 0)
        slopes[index], offsets[index] = max(float(fitted.coef_[0, 0]), 1e-3), fitted.intercept_[0]
    return slopes, offsets, 0.0


def _thresholds(
    chances: Weights, truth: Labels, called: npt.NDArray[np.bool_], index: int, single: bool
) -> tuple[float | None, ...]:
    """For each of PRECISIONS the lowest probability from which filings in this section were right so often."""
    rows = np.flatnonzero(called[:, index]) if single else np.arange(len(chances))
    chance = chances[rows, index]
    order = np.argsort(-chance, kind="stable")
    # One more wrong one than there were: what is promised must hold for texts to come.
    right = np.cumsum(truth[rows, index][order]) / (np.arange(len(order)) + 2)
    found: list[float | None] = []
    for wanted in PRECISIONS:
        enough = np.flatnonzero(right >= wanted)
        last = int(enough[-1]) if len(enough) else -1
        found.append(round(float(chance[order[last]]), 5) if last + 1 >= LEAST_SUPPORT else None)
    return tuple(found)


def _cut(chances: Weights, truth: Labels) -> float:
    """The probability from which calling it this section gives the best balance of precision and recall (F1)."""
    order = np.argsort(-chances, kind="stable")
    hits = np.cumsum(truth[order])
    balance = 2 * hits / (np.arange(len(order)) + 1 + truth.sum())
    best = int(balance.argmax())
    following = chances[order[best + 1]] if best + 1 < len(order) else 0.0
    # Few examples choose badly: towards even odds where there are few.
    trust = truth.sum() / (truth.sum() + 10)
    return float(trust * (chances[order[best]] + following) / 2 + (1 - trust) * min(0.5, chances[order[best]]))
