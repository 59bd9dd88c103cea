"""The learned model: a text → sections with probabilities, and the words that told. Pure; needs numpy alone.

One linear layer over hashed features. What a probability is worth was measured when it was learned, on texts held
back: each section has the probability from which its filings were right as often as an admin may want.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from feeds.errors import DeskError
from feeds.filing.learned.features import BITS, BLOCKS, features, learned_words, word_numbers

FORM = 1
"""Of the file; raised when a release changes its meaning, or that of the features."""
PRECISIONS = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.925, 0.95, 0.96, 0.97, 0.98, 0.985, 0.99, 0.995, 0.999)
"""The precisions for which a threshold is kept; one between two takes the stricter."""
MOST_BYTES = 256 << 20
_TELLING = 5

Weights = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What was learned. *single*: every text was in one section alone, so the probabilities of a text sum to 1.

    *numbers* are the features kept, ascending, over all blocks; *idf* and *weights* (features × sections) are theirs.
    A score becomes a probability by *slope* and *offset*: with all others where *single*, else each for itself.
    """

    sections: tuple[str, ...]
    single: bool
    numbers: npt.NDArray[np.int32]
    idf: npt.NDArray[np.float16]
    weights: npt.NDArray[np.float16]
    intercept: Weights
    slope: Weights
    offset: Weights
    doubt: float  # what no score takes away, spread evenly: some examples were in the wrong section
    thresholds: Mapping[str, tuple[float | None, ...]]  # by section, one for each of PRECISIONS
    cuts: tuple[float, ...]  # by section, what its probability is set against where it must be decided
    facts: Mapping[str, Any] = field(default_factory=dict)  # when and of what it was learned, for people
    _places: list[npt.NDArray[np.int32]] = field(default_factory=list, repr=False)

    def threshold(self, section: str, precision: float) -> float | None:
        """The probability from which filings in *section* were right at least so often; None where they never were."""
        known = self.thresholds.get(section)
        if known is None:
            return None
        return next((held for wanted, held in zip(PRECISIONS, known, strict=True) if wanted >= precision - 1e-9), None)

    def guess(self, title: str, text: str = "") -> list[tuple[str, float]]:
        """Every section with its probability, the likeliest first; none for a text without a known word."""
        scores = self._scores(learned_words(title, text))
        if scores is None:
            return []
        chances = self.probabilities(scores[None, :])[0]
        order = np.argsort(-chances, kind="stable")
        return [(self.sections[index], float(chances[index])) for index in order]

    def decide(self, title: str, text: str = "") -> list[tuple[str, float]]:
        """The sections that the model would call a text, with their probabilities, however low.

        One where they exclude each other, small sections a little favoured, so that they are not crowded out; else
        every one above its cut, which may be none.
        """
        scores = self._scores(learned_words(title, text))
        if scores is None:
            return []
        chances = self.probabilities(scores[None, :])[0]
        if self.single:
            chosen = [int((chances / np.asarray(self.cuts)).argmax())]
        else:
            chosen = [int(index) for index in np.argsort(-chances, kind="stable") if chances[index] >= self.cuts[index]]
        return [(self.sections[index], float(chances[index])) for index in chosen]

    def probabilities(self, scores: Weights) -> Weights:
        """Scores (texts × sections) as probabilities."""
        if self.single:
            raised = scores @ self.slope + self.offset
            raised = np.exp(raised - raised.max(axis=1, keepdims=True))
            chances = raised / raised.sum(axis=1, keepdims=True)
            return np.asarray((1 - self.doubt) * chances + self.doubt / len(self.sections), np.float32)
        return np.asarray(1.0 / (1.0 + np.exp(-np.clip(scores * self.slope + self.offset, -30, 30))), np.float32)

    def telling(self, section: str, title: str, text: str = "") -> tuple[tuple[str, float], ...]:
        """The words of a text that speak most for *section*, with their weight against the other sections."""
        if section not in self.sections:
            return ()
        index = self.sections.index(section)
        told = list(dict.fromkeys(learned_words(title, text)))
        places = self._place(0)[word_numbers(told)] if told else np.empty(0, np.int32)
        weighed = []
        for word, place in zip(told, places, strict=True):
            if place < 0 or len(word) < 2:
                continue
            row = self.weights[place].astype(np.float32)
            others = (row.sum() - row[index]) / max(len(row) - 1, 1) if self.single else 0.0
            weight = float((row[index] - others) * self.idf[place])
            if weight > 0:
                weighed.append((word, round(weight, 2)))
        return tuple(sorted(weighed, key=lambda one: (-one[1], one[0]))[:_TELLING])

    def _scores(self, told: Sequence[str]) -> Weights | None:
        total: Weights | None = None
        for block, (numbers, counts) in enumerate(features(told)):
            places = self._place(block)[numbers]
            kept = places >= 0
            places = places[kept]
            if not len(places):
                continue
            values = counts[kept] * self.idf[places]
            values /= np.sqrt(values @ values)
            told_by = values @ self.weights[places].astype(np.float32)
            total = told_by if total is None else total + told_by
        return None if total is None else np.asarray(total + self.intercept, np.float32)

    def _place(self, block: int) -> npt.NDArray[np.int32]:
        """Feature number within *block* → row, -1 for those that are not kept."""
        if not self._places:
            for each in range(BLOCKS):
                places = np.full(1 << BITS, -1, np.int32)
                first, last = np.searchsorted(self.numbers, (each << BITS, (each + 1) << BITS))
                places[self.numbers[first:last] - (each << BITS)] = np.arange(first, last, dtype=np.int32)
                self._places.append(places)
        return self._places[block]


_ARRAYS: dict[str, tuple[type, int]] = {
    "numbers": (np.int32, 1),
    "idf": (np.float16, 1),
    "weights": (np.float16, 2),
    "intercept": (np.float32, 1),
    "slope": (np.float32, 0),
    "offset": (np.float32, 1),
}


def model_to_bytes(model: Model) -> bytes:
    """*model* as a file: a zip of plain arrays and a JSON text, nothing that could run."""
    told = {
        "form": FORM,
        "bits": BITS,
        "sections": model.sections,
        "single": model.single,
        "doubt": model.doubt,
        "precisions": PRECISIONS,
        "thresholds": model.thresholds,
        "cuts": model.cuts,
        "facts": model.facts,
    }
    out = io.BytesIO()
    text = np.frombuffer(json.dumps(told, ensure_ascii=False).encode(), np.uint8)
    np.savez_compressed(out, told=text, **{name: getattr(model, name) for name in _ARRAYS})
    return out.getvalue()


def model_from_bytes(body: bytes) -> Model:
    """The model that `model_to_bytes` was given. Raises DeskError for anything else, whatever it holds."""
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as packed:
            if sum(member.file_size for member in packed.infolist()) > MOST_BYTES:
                raise ValueError("too large")
        with np.load(io.BytesIO(body), allow_pickle=False) as arrays:
            told = json.loads(arrays["told"].tobytes())
            if told["form"] != FORM or told["bits"] != BITS or tuple(told["precisions"]) != PRECISIONS:
                raise ValueError("of another release")
            found = {name: arrays[name] for name in _ARRAYS}
        return _checked(told, found)
    except Exception as error:  # numpy and zipfile stumble over wild bytes in more ways than they name
        raise DeskError(f"the learned model can't be read: {error}", remedy="run `wiredesk learn` again") from error


def _checked(told: Any, found: Mapping[str, Any]) -> Model:
    sections = tuple(str(section) for section in told["sections"])
    count, single = len(sections), bool(told["single"])
    for name, (kind, dimensions) in _ARRAYS.items():
        array = found[name]
        wanted = (2 if single else 1) if name == "slope" else dimensions
        if array.dtype != kind or array.ndim != wanted or not np.isfinite(array).all():
            raise ValueError(f"{name} is damaged")
    numbers = found["numbers"]
    rows = len(numbers)
    shapes = (found["weights"].shape, found["idf"].shape, found["intercept"].shape, found["offset"].shape)
    slope = (count, count) if single else (count,)
    if shapes != ((rows, count), (rows,), (count,), (count,)) or found["slope"].shape != slope:
        raise ValueError("its parts do not fit")
    if rows and (numbers[0] < 0 or numbers[-1] >= BLOCKS << BITS or (np.diff(numbers) <= 0).any()):
        raise ValueError("numbers is damaged")
    thresholds = {
        str(section): tuple(None if one is None else float(one) for one in known)
        for section, known in told["thresholds"].items()
    }
    cuts, doubt = tuple(float(cut) for cut in told["cuts"]), float(told["doubt"])
    if not (0 <= doubt < 1 and (not single or min(cuts, default=0) > 0)):
        raise ValueError("its probabilities are damaged")
    if any(len(known) != len(PRECISIONS) for known in thresholds.values()) or len(cuts) != count:
        raise ValueError("its thresholds do not fit")
    return Model(
        sections=sections,
        single=single,
        doubt=doubt,
        thresholds=thresholds,
        cuts=cuts,
        facts=dict(told["facts"]),
        **found,
    )
