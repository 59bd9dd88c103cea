"""Texts with their sections, to learn from, and how well a model tells those that it has not seen: precision, recall
and support a section, telling words, confusions. Pure.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from msgspec import Struct

from feeds.dates import parse_date
from feeds.errors import DeskError
from feeds.filing.text_model import Bools, Floats, Model
from feeds.text import plain, words

LABELS = ("label", "section", "sections", "category", "topics")
TEXTS = ("text", "description", "summary", "content")
GROUPS = ("group", "dup_group")
AUTHORS = ("authors", "author", "byline")
DATES = ("published", "date")
_ENTITY = re.compile(r"(?<![&\w])(#x?[0-9a-fA-F]{2,5};|(?:quot|amp|lt|gt|nbsp|apos);)")
_BETWEEN = re.compile(r"\s*[,;|]\s*|\s+(?:and|&)\s+")
_GROUP_WORDS = 8


class Example(Struct, frozen=True, kw_only=True):
    """A text and the sections that it is filed in. Those of one *group* are never on both sides of a test.

    Nor are those of one *source*, for sections that enough sources fill: what is learned must hold for new ones. *at*
    is when it was published, in seconds; where all have it, what is learned is tested on other days too.
    """

    title: str
    text: str
    sections: tuple[str, ...]
    group: str = ""
    source: str = ""
    authors: tuple[str, ...] = ()
    at: float | None = None
    language: str = ""


def example_of(row: Mapping[str, Any], label: str | None = None) -> Example:
    """The example that a *row* of a labelled file is: *label* (or one of LABELS) holds a section, or a list of them.

    Text is cleaned as a feed reader does. Raises DeskError where the row has no such field.
    """
    field = label or next((name for name in LABELS if name in row), "")
    if field not in row:
        raise DeskError(f"a row has no field {label or 'label'!r}", remedy="name the field of the section with --label")
    filed = row[field] if isinstance(row[field], list) else [row[field]]
    title = clean(str(row.get("title") or ""))
    text = clean(str(_first(row, TEXTS)))
    return Example(
        title=title,
        text=text,
        sections=tuple(map(str, filed)),
        group=_group(row) or group_of(title, text),
        authors=_authors(_first(row, AUTHORS)),
        at=_seconds(_first(row, DATES)),
        language=str(row.get("language") or ""),
    )


def _group(row: Mapping[str, Any]) -> str:
    """What *row* names as its group, were it 0; ``""`` where it names none."""
    group = _first({name: str(value) for name, value in row.items() if value is not None}, GROUPS)
    return f"g:{group}" if group else ""


def _first(row: Mapping[str, Any], names: Iterable[str]) -> Any:
    """What *row* has under the first of *names* that holds anything; ``""`` where none does."""
    return next((row[name] for name in names if row.get(name)), "")


def _authors(value: object) -> tuple[str, ...]:
    names = _BETWEEN.split(value) if isinstance(value, str) else value if isinstance(value, list) else []
    return tuple(name for name in (str(name).strip() for name in names) if name)


def _seconds(value: object) -> float | None:
    moment = parse_date(str(value)) if value else None
    return moment.timestamp() if moment else None


def group_of(title: str, text: str) -> str:
    """A group for texts that begin alike, so that a reprint is no test of what was learned from its original."""
    return " ".join(words(f"{title} {text[:200]}")[:_GROUP_WORDS])


def clean(text: str) -> str:
    """Text with markup and half-eaten entities resolved.

    >>> clean("Oil #39;s up &lt;b&gt;3\\\\%&lt;/b&gt;")
    "Oil 's up 3 %"
    """
    if "\\" in text or ";" in text:
        text = _ENTITY.sub(r"&\1", text).replace("\\", " ")
    if "&" in text:
        text = plain(text)  # once for entities of the markup, once for the markup itself
    return plain(text)


def is_single(examples: Iterable[Example]) -> bool:
    """Whether every example is in one section alone, so that sections exclude each other."""
    return all(len(example.sections) == 1 for example in examples)


# --------------------------------------------------------------------------- how well they are told

_WORDS = 10
_CONFUSIONS = 3
_EXAMPLES = 2


class Trial(Struct, frozen=True, kw_only=True):
    """What the model says of each example when it has not seen it, for the report. *truth* is texts × sections."""

    examples: tuple[Example, ...]
    truth: Floats
    chances: Floats
    called: Bools  # what it would be called: one section each, or all above their cut
    tokens: tuple[tuple[str, ...], ...]  # the words learned from


class Confusion(Struct, frozen=True, kw_only=True):
    """Articles of a section that the model would file in *other*, with some of their titles."""

    other: str
    count: int
    titles: tuple[str, ...]


class SectionReport(Struct, frozen=True, kw_only=True):
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


class Report(Struct, frozen=True, kw_only=True):
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
    counts = _word_counts(trial, index)
    common = [word for word, count in counts.most_common(4000) if count > 1 and len(word) > 1 and not word.isdigit()]
    weighed = []
    for word, place in zip(common, model.word_rows(common), strict=True):
        if place >= 0:
            row = model.weights[place].astype(np.float32)
            # A word is telling where it weighs much and is not rare.
            weighed.append((float(row[index] - row.mean()) * np.log1p(counts[word]), word))
    return tuple(word for _, word in sorted(weighed, reverse=True)[:_WORDS])


def _word_counts(trial: Trial, index: int) -> Counter[str]:
    """In how many texts of a section each word stands."""
    mine = (tokens for tokens, filed in zip(trial.tokens, trial.truth[:, index], strict=True) if filed)
    return Counter(word for tokens in mine for word in set(tokens))


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
