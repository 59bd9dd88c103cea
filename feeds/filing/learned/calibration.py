"""Scores held back → probabilities, thresholds and cuts. Pure; needs SciPy and scikit-learn.

What is fitted is small beside what it is fitted on: one part for each machine, one offset for each section.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from feeds.filing.learned.text_model import PRECISIONS, Weights

LEAST_SUPPORT = 10
"""Filings held back on which a threshold must rest."""
WRONG = 0.03
"""Below this probability of its own section an example is taken to be in the wrong one."""
CAUTION = 1.0
"""How many standard errors below what was seen a precision is believed."""
TIE = 0.5
"""How firmly parts and offsets are held near 0: small sections are not given up, and few texts make nobody sure."""

Labels = npt.NDArray[np.float32]
Owners = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True)
class Blend:
    """Scores (a table for each machine) as probabilities: the sum of *parts* × scores + *offset*, a *doubt* spread.

    *parts* is machines × sections; *loss* the mean surprise at what was true, in nats a text.
    """

    parts: Weights
    offset: Weights
    doubt: float
    loss: float


def blend_exclusive(scores: Sequence[Weights], owner: Owners) -> Blend:
    """The blend for texts of one section each.

    Some examples are in the wrong section; those that are surely so must not make all others less sure. What is left
    of them is a doubt that no score takes away.
    """
    count = scores[0].shape[1]
    stacked = np.stack([table - table.mean(axis=1, keepdims=True) for table in scores]).astype(np.float64)
    scale = np.maximum(stacked.std(axis=(1, 2)), 1e-6)
    stacked /= scale[:, None, None]
    kept = np.ones(len(owner), bool)
    for _ in range(2):
        parts, offset = _steepest(stacked[:, kept], owner[kept])
        chance = _softmax(np.tensordot(parts, stacked, 1) + offset)[np.arange(len(owner)), owner]
        kept = chance > WRONG
        if len(np.unique(owner[kept])) < len(np.unique(owner)):
            break
    doubts = np.linspace(0, 0.2, 41)
    losses = [-np.log(np.maximum((1 - doubt) * chance + doubt / count, 1e-9)).mean() for doubt in doubts]
    best = int(np.argmin(losses))
    spread = np.repeat((parts / scale)[:, None], count, axis=1)
    return Blend(
        parts=spread.astype(np.float32),
        offset=offset.astype(np.float32),
        doubt=float(doubts[best]),
        loss=float(losses[best]),
    )


def blend_several(scores: Sequence[Weights], truth: Labels) -> Blend:
    """The blend for texts of several sections, each section by itself (Platt's way)."""
    count = truth.shape[1]
    parts, offset = np.zeros((len(scores), count), np.float32), np.zeros(count, np.float32)
    loss = 0.0
    for index in range(count):
        scored, true = np.stack([table[:, index] for table in scores], axis=1), truth[:, index] > 0
        fitted = LogisticRegression(C=10.0, max_iter=200).fit(scored, true)
        parts[:, index] = np.maximum(fitted.coef_[0], 0)
        parts[0, index] = max(parts[0, index], 1e-3)
        offset[index] = fitted.intercept_[0]
        raised = np.clip(scored @ parts[:, index] + offset[index], -30, 30)
        loss += float(np.log1p(np.exp(np.where(true, -raised, raised))).mean())
    return Blend(parts=parts, offset=offset, doubt=0.0, loss=loss)


def _steepest(stacked: npt.NDArray[np.float64], owner: Owners) -> tuple[npt.NDArray[np.float64], ...]:
    """The parts (none below 0) and offsets that make what was true likeliest."""
    machines, texts, sections = stacked.shape
    rows = np.arange(texts)

    def surprise(point: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        parts, offset = point[:machines], point[machines:]
        chances = _softmax(np.tensordot(parts, stacked, 1) + offset)
        loss = -np.log(np.maximum(chances[rows, owner], 1e-12)).sum() + TIE * (point @ point)
        chances[rows, owner] -= 1
        slope = np.concatenate((np.tensordot(stacked, chances, 2), chances.sum(axis=0))) + 2 * TIE * point
        return loss / texts, slope / texts

    start = np.concatenate((np.ones(machines), np.zeros(sections)))
    bounds = [(0.0, None)] * machines + [(None, None)] * sections
    found = minimize(surprise, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 200}).x
    return found[:machines], found[machines:]


def _softmax(raised: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    raised = np.exp(raised - raised.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def thresholds_of(chance: Weights, right: Labels) -> tuple[float | None, ...]:
    """For each of PRECISIONS the lowest probability from which filings were *right* so often, by a careful count.

    *chance* and *right* are of the texts held back that would be filed here, were every probability enough.
    """
    order = np.argsort(-chance, kind="stable")
    count = np.arange(1, len(order) + 1)
    share = np.cumsum(right[order]) / count
    # Wilson's lower bound: what is promised must hold for texts to come.
    squared = CAUTION**2
    spread = CAUTION * np.sqrt(share * (1 - share) / count + squared / (4 * count**2))
    believed = (share + squared / (2 * count) - spread) / (1 + squared / count)
    found: list[float | None] = []
    for wanted in PRECISIONS:
        enough = np.flatnonzero(believed >= wanted)
        last = int(enough[-1]) if len(enough) else -1
        found.append(float(chance[order[last]]) if last + 1 >= LEAST_SUPPORT else None)
    return tuple(found)


def strictest(views: Sequence[tuple[float | None, ...]]) -> tuple[float | None, ...]:
    """Of the thresholds of several views those that keep the promise in all of them."""
    found: list[float | None] = []
    for several in zip(*views, strict=True):
        held = [one for one in several if one is not None]
        found.append(max(held) if len(held) == len(several) else None)
    return tuple(found)


def cut_of(chances: Weights, truth: Labels) -> float:
    """The probability from which calling it this section gives the best balance of precision and recall (F1)."""
    order = np.argsort(-chances, kind="stable")
    hits = np.cumsum(truth[order])
    balance = 2 * hits / (np.arange(len(order)) + 1 + truth.sum())
    best = int(balance.argmax())
    following = chances[order[best + 1]] if best + 1 < len(order) else 0.0
    # Few examples choose badly: towards even odds where there are few.
    trust = truth.sum() / (truth.sum() + 10)
    return float(trust * (chances[order[best]] + following) / 2 + (1 - trust) * min(0.5, chances[order[best]]))
