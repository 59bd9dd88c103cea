"""What each source says again and again: column heads, places, seasons, a channel's description. Pure; in memory.

A term that many articles of one source hold tells nothing of one of them, however rare it is elsewhere. Counted by
hash, in a table whose size does not grow with the sources; it fades as it fills.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from feeds.dedupe.columns import Ints

CELLS = 1 << 21
HALVE_LOAD = 0.5
"""Counts per cell at which all are halved: a table that is fuller tells little of the sources that write little."""
PRIOR = 30.0
"""So many articles' worth the whole desk weighs against what a source has said."""

_CELL = np.uint64(CELLS - 1)
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
_UPPER = np.uint64(40)

Hashes = npt.NDArray[np.uint32]


class Habits:
    """How many articles of a source hold a term."""

    def __init__(self) -> None:
        self._cells = np.zeros(CELLS, np.uint16)
        self._articles: Counter[int] = Counter()
        self._added = 0
        self._before: list[tuple[Any, npt.NDArray[np.uint16], int, dict[int, int]]] = []  # what was where, for `undo`

    def begin(self) -> None:
        """From here on `undo` takes back; what was counted before stays."""
        self._before.clear()

    def undo(self) -> None:
        """Be what this was at `begin`."""
        while self._before:
            cells, counts, self._added, articles = self._before.pop()
            self._cells[cells] = counts
            dict.update(self._articles, articles)
        self._articles = +self._articles

    def add(self, source_id: int, terms: Hashes) -> None:
        """Count one article of a source; each of its *terms* stands there once."""
        cells = _cells(np.uint64(source_id), terms)
        counts = self._cells[cells]
        self._before.append((cells, counts, self._added, {source_id: self._articles[source_id]}))
        self._cells[cells] = counts + (counts < 0xFFFF)
        self._articles[source_id] += 1
        self._added += cells.size
        self._fade()

    def add_many(self, source_ids: npt.NDArray[np.uint64], terms: Hashes, sizes: Ints) -> None:
        """What `add` does with each of several articles; *terms* are those of all, *sizes* how many each has."""
        owners = np.repeat(np.arange(len(sizes)), sizes)
        cells = _cells(source_ids[owners], terms)
        pairs = np.unique((owners.astype(np.uint64) << _UPPER) | cells)  # a cell twice in one article counts once
        np.add.at(self._cells, pairs & _CELL, np.uint16(1))
        self._articles.update(source_ids.tolist())
        self._added += cells.size
        self._fade()

    def novelty(
        self, source_ids: Sequence[int], terms: Hashes, sizes: Sequence[int], telling: npt.NDArray[np.float32]
    ) -> npt.NDArray[np.float32]:
        """What part of *telling* (natural logs, as `TermCounts` gives them) each term of articles, which are counted
        already, keeps between articles of its source: 1 what the source says no more often than the desk at large.

        *terms* are those of all, *sizes* how many each article has, *source_ids* whose it is.
        """
        written = np.repeat([self._articles[source_id] for source_id in source_ids], sizes)
        cells = _cells(np.repeat(np.array(source_ids, np.uint64), sizes), terms)
        held = np.maximum(self._cells[cells].astype(np.float32) - 1, 0)
        here = (held + PRIOR * np.exp(-telling)) / (np.maximum(written - 1, 0) + PRIOR)
        kept = np.minimum(-np.log(np.minimum(here, 1.0)), telling) / np.maximum(telling, 1e-6)
        found: npt.NDArray[np.float32] = kept.astype(np.float32)
        return found

    def _fade(self) -> None:
        if self._added <= HALVE_LOAD * CELLS:
            return
        self._before.append((slice(None), self._cells.copy(), self._added, dict(self._articles)))
        self._cells >>= 1
        self._added //= 2
        self._articles = Counter({source_id: count // 2 for source_id, count in self._articles.items() if count > 1})


def _cells(source_ids: Any, terms: Hashes) -> npt.NDArray[np.uint64]:
    """The cell of each term of a source; of many, *source_ids* has one for each term."""
    mixed = (terms.astype(np.uint64) | (source_ids << np.uint64(32))) * _SPREAD
    found: npt.NDArray[np.uint64] = (mixed >> _UPPER) & _CELL
    return found
