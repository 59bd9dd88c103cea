"""The texts most like one, and where they are filed: the news goes on, and its next report has its words. Pure.

Kept as lists by word: in which texts it stands, and how much it tells there. Words of many texts are left out, and of
each text all but the most telling ones, so that the lists stay short and asking takes a fraction of a millisecond.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

NEAREST = 15
SHARPNESS = 2
"""How many texts are asked, and to which power their likeness counts."""
COMMON = 0.05
"""A word of more than this share of all texts brings none near."""
MOST_TEXTS = 40_000
MOST_WORDS = 40
FLOOR = 0.01
"""What a section has where no text near is filed in it."""

Weights = npt.NDArray[np.float32]
Places = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """Texts of training by the words that they share with another.

    *words* are rows of the model's features, ascending; that at i stands in `texts[starts[i]:starts[i + 1]]`, as
    strong as *strengths* of 255. Text t is filed in the sections `filed[firsts[t]:firsts[t + 1]]`.
    """

    words: Places
    starts: Places
    texts: Places
    strengths: npt.NDArray[np.uint8]
    firsts: Places
    filed: npt.NDArray[np.int16]

    def shares(self, rows: Places, values: Weights, sections: int) -> Weights:
        """For each section the share, of the texts most like that of *rows* with *values*, that is filed there."""
        found = np.zeros(sections, np.float32)
        texts = len(self.firsts) - 1
        if not len(self.words) or not len(rows):
            return found
        at = np.minimum(np.searchsorted(self.words, rows), len(self.words) - 1)
        known = np.flatnonzero(self.words[at] == rows)
        if not len(known):
            return found
        spans = list(zip(self.starts[at[known]].tolist(), self.starts[at[known] + 1].tolist(), strict=True))
        likeness = np.bincount(
            np.concatenate([self.texts[first:last] for first, last in spans]),
            np.concatenate([self.strengths[a:b] * value for (a, b), value in zip(spans, values[known], strict=True)]),
            minlength=texts,
        )
        near = np.argpartition(-likeness, NEAREST)[:NEAREST] if texts > NEAREST else np.arange(texts)
        weights = likeness[near] ** SHARPNESS
        several = self.firsts[near + 1] - self.firsts[near]
        # Of the sections of each text near: where its run begins, and the steps within it.
        begin = np.repeat(self.firsts[near] - np.cumsum(several) + several, several)
        filed = self.filed[begin + np.arange(len(begin))]
        total = weights.sum()
        return np.bincount(filed, np.repeat(weights, several), sections).astype(np.float32) / np.float32(total or 1)

    def fits(self, features: int, sections: int) -> bool:
        """Whether every number in it means something in a model of so many *features* and *sections*."""
        texts = len(self.firsts) - 1
        return bool(
            texts >= 0
            and len(self.starts) == len(self.words) + 1
            and len(self.texts) == len(self.strengths) == self.starts[-1]
            and len(self.filed) == self.firsts[-1]
            and self.starts[0] == self.firsts[0] == 0
            and (np.diff(self.starts) >= 0).all()
            and (np.diff(self.firsts) >= 0).all()
            and (np.diff(self.words) > 0).all()
            and _within(self.words, features)
            and _within(self.texts, texts)
            and _within(self.filed, sections)
        )


def no_neighbours() -> Neighbours:
    """None, for a model that does as well without."""
    none, zero = np.empty(0, np.int32), np.zeros(1, np.int32)
    return Neighbours(
        words=none,
        starts=zero,
        texts=none,
        strengths=none.astype(np.uint8),
        firsts=zero,
        filed=none.astype(np.int16),
    )


def leaning(shares: Weights) -> Weights:
    """Shares on the scale of scores."""
    return np.asarray(np.log(shares + np.float32(FLOOR)), np.float32)


def _within(numbers: npt.NDArray[np.signedinteger], limit: int) -> bool:
    return not len(numbers) or (int(numbers.min()) >= 0 and int(numbers.max()) < limit)
