"""Which texts are held back together while learning, so that no test is made of what was learned from. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from feeds.filing.learned.examples import Example

LEAST_SOURCES = 2
"""From so many sources on a section is tested on sources not seen."""
LATEST = 0.2
"""The share of the texts, the latest by date, on which those of days to come are tried."""
FEW = 3000

Labels = npt.NDArray[np.float32]
Rows = npt.NDArray[np.intp]


def views_of(examples: Sequence[Example], truth: Labels) -> list[list[Rows]]:
    """The ways to hold texts back: all by groups in some turns; where all have a date, the latest too, in one."""
    views = [_by_group(_groups(examples), truth)]
    days = [example.at for example in examples if example.at is not None]
    if len(days) == len(examples) and max(days) > min(days):
        latest = np.argsort(np.array(days), kind="stable")[int(len(days) * (1 - LATEST)) :]
        views.append([np.sort(latest)])
    return views


def _turns(texts: int) -> int:
    return 5 if texts < FEW else 3


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


def _by_group(grouped: Sequence[str], truth: Labels) -> list[Rows]:
    """Whole groups, and of every section about as many each time."""
    rows_of: dict[str, list[int]] = {}
    for row, group in enumerate(grouped):
        rows_of.setdefault(group, []).append(row)
    turns = _turns(len(grouped))
    sizes = np.zeros((turns, truth.shape[1]), np.float64)
    totals = np.zeros(turns)
    held: list[list[int]] = [[] for _ in range(turns)]
    dice = np.random.default_rng(0)
    groups = list(rows_of.values())
    dice.shuffle(groups)
    rarity = 1 / np.maximum(truth.sum(axis=0), 1)
    for rows in sorted(groups, key=len, reverse=True):
        mine = truth[rows].sum(axis=0)
        # Where what this group holds is scarcest so far; then where there is least of all.
        turn = int(np.lexsort((totals, sizes @ (mine * rarity)))[0])
        held[turn].extend(rows)
        sizes[turn] += mine
        totals[turn] += len(rows)
    return [np.array(sorted(rows), np.intp) for rows in held if rows]
