"""What a model learned, for the admin: precision, recall and support a section, telling words, confusions. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from feeds.filing.learned.examples import Example
from feeds.filing.learned.text_model import Model, Weights

_WORDS = 10
_CONFUSIONS = 3
_EXAMPLES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What the model says of each example when it has not seen it, for the report. *truth* is texts × sections."""

    examples: tuple[Example, ...]
    truth: Weights
    chances: Weights
    called: npt.NDArray[np.bool_]  # what it would be called: one section each, or all above their cut
    tokens: tuple[tuple[str, ...], ...]  # the words learned from


@dataclass(frozen=True, slots=True, kw_only=True)
class Confusion:
    """Articles of a section that the model would file in *other*, with some of their titles."""

    other: str
    count: int
    titles: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionReport:
    """How well one section is told, on texts held back: over all (*precision*, *recall*), and where the model is sure.

    *coverage* is the share of the section's own articles that are filed when *wanted* of them must be right, by the
    probability *threshold*; None where that was never reached; *floor* says that it is the least for a single filing.
    """

    section: str
    support: int
    precision: float
    recall: float
    wanted: float
    threshold: float | None
    floor: bool
    coverage: float
    words: tuple[str, ...]
    confusions: tuple[Confusion, ...]

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall."""
        return 2 * self.precision * self.recall / ((self.precision + self.recall) or 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The whole: *right* is the share of texts told right, *coverage* the share filed at 95 % precision over all,
    *error* by how much probabilities were off on average (expected calibration error).
    """

    articles: int
    right: float
    coverage: float
    error: float
    sections: tuple[SectionReport, ...]

    @property
    def macro_f1(self) -> float:
        """The mean F1 of the sections."""
        return sum(one.f1 for one in self.sections) / max(len(self.sections), 1)


def report_of(model: Model, trial: Trial, wanted: dict[str, float] | None = None, default: float = 0.95) -> Report:
    """The report on *trial*; *wanted* are the precisions that sections ask for."""
    chances, truth = trial.chances, trial.truth
    called = trial.called
    top = called.argmax(axis=1) if model.single else chances.argmax(axis=1)
    sure = chances[np.arange(len(top)), top]
    right = truth[np.arange(len(top)), top] > 0
    sections = []
    for index, section in enumerate(model.sections):
        mine, hits = truth[:, index] > 0, called[:, index] & (truth[:, index] > 0)
        precision = (wanted or {}).get(section, default)
        threshold = model.threshold(section, precision)
        filed = 0
        if threshold is not None:
            filed = int((mine & (chances[:, index] >= threshold) & (~np.bool_(model.single) | (top == index))).sum())
        sections.append(
            SectionReport(
                section=section,
                support=int(mine.sum()),
                precision=float(hits.sum() / max(called[:, index].sum(), 1)),
                recall=float(hits.sum() / max(mine.sum(), 1)),
                wanted=precision,
                threshold=threshold,
                floor=threshold == model.floor(precision),
                coverage=filed / max(int(mine.sum()), 1),
                words=_words(model, trial, index),
                confusions=_confusions(model, trial, index, called),
            )
        )
    return Report(
        articles=len(trial.examples),
        right=float(right.mean()),
        coverage=coverage_at(sure, right),
        error=calibration_error(sure, right),
        sections=tuple(sections),
    )


def coverage_at(sure: np.ndarray, right: np.ndarray, precision: float = 0.95) -> float:
    """The largest share of texts, surest first, of which *precision* are right."""
    if not len(sure):
        return 0.0
    order = np.argsort(-sure, kind="stable")
    shares = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    enough = np.flatnonzero(shares >= precision)
    return float((enough[-1] + 1) / len(order)) if len(enough) else 0.0


def calibration_error(sure: np.ndarray, right: np.ndarray, bins: int = 10) -> float:
    """By how much a probability differs from the share that was right of those like it, on average."""
    total = 0.0
    for rows in np.array_split(np.argsort(sure), bins):
        if len(rows):
            total += abs(float(sure[rows].mean()) - float(right[rows].mean())) * len(rows)
    return total / max(len(sure), 1)


def _words(model: Model, trial: Trial, index: int) -> tuple[str, ...]:
    """The words that speak most for a section: of those that stand in some of its texts and weigh most."""
    counts: Counter[str] = Counter()
    for tokens, mine in zip(trial.tokens, trial.truth[:, index], strict=True):
        if mine:
            counts.update(set(tokens))
    common = [word for word, count in counts.most_common(4000) if count > 1 and len(word) > 1 and not word.isdigit()]
    if not common:
        return ()
    places = model.word_rows(common)
    weighed = []
    for word, place in zip(common, places, strict=True):
        if place >= 0:
            row = model.weights[place].astype(np.float32)
            # A word is telling where it weighs much and is not rare.
            weighed.append((float(row[index] - row.mean()) * np.log1p(counts[word]), word))
    return tuple(word for _, word in sorted(weighed, reverse=True)[:_WORDS])


def _confusions(model: Model, trial: Trial, index: int, called: np.ndarray) -> tuple[Confusion, ...]:
    missed = np.flatnonzero((trial.truth[:, index] > 0) & ~called[:, index])
    taken: dict[int, list[int]] = {}
    for row in map(int, missed):
        for mistaken in np.flatnonzero(called[row] & (trial.truth[row] == 0)):
            taken.setdefault(int(mistaken), []).append(row)
    worst = sorted(taken.items(), key=lambda item: (-len(item[1]), item[0]))[:_CONFUSIONS]
    found = []
    for other, rows in worst:
        surest = sorted(rows, key=lambda row: -float(trial.chances[row, other]))[:_EXAMPLES]
        titles = tuple((trial.examples[row].title or trial.examples[row].text)[:90] for row in surest)
        found.append(Confusion(other=model.sections[other], count=len(rows), titles=titles))
    return tuple(found)
