"""What an edit changed, word for word. Pure.

Only what is different is shown, with some words around it, so that a reader sees a correction at a glance.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import islice
from typing import Literal

Kind = Literal["same", "gone", "new", "gap"]

AROUND = 8
"""Words shown before and after a change."""
MOST_RUNS = 120
"""Runs of words shown at most: of a text that was written anew the beginning tells enough."""
MOST_CHANGED = 0.75
"""Above this share of other words a text was written anew: two texts in one tell nothing."""


@dataclass(frozen=True, slots=True)
class Run:
    """Some words that are the same, gone, or new; a gap stands for same words that are left out."""

    kind: Kind
    words: str = ""


def changes(before: str, after: str) -> tuple[Run, ...]:
    """Return what is different between two plain texts, in the order of the text; nothing where nothing is.

    >>> [(run.kind, run.words) for run in changes("Three ships sank.", "Two ships sank.")]
    [('gone', 'Three'), ('new', 'Two'), ('same', 'ships sank.')]
    """
    old, new = before.split(), after.split()
    if old == new or not old:
        return ()
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    steps = matcher.get_opcodes()
    changed = sum(max(b - a, d - c) for tag, a, b, c, d in steps if tag != "equal")
    if changed > MOST_CHANGED * max(len(old), len(new)) and max(len(old), len(new)) > 2 * AROUND:
        return ()
    last = len(steps) - 1
    runs = (
        run
        for at, (tag, a, b, c, d) in enumerate(steps)
        for run in (_same(new[c:d], at == 0, at == last) if tag == "equal" else _changed(old[a:b], new[c:d]))
    )
    return tuple(islice(runs, MOST_RUNS))


def _changed(old: Sequence[str], new: Sequence[str]) -> Iterator[Run]:
    if old:
        yield Run("gone", " ".join(old))
    if new:
        yield Run("new", " ".join(new))


def _same(words: Sequence[str], first: bool, last: bool) -> Iterator[Run]:
    """Same words: those right before and behind changes, whole where these reach each other."""
    head = () if first else words[:AROUND]
    tail = () if last else words[len(words) - AROUND :] if len(words) > AROUND else words
    if len(words) <= len(head) + len(tail):
        yield Run("same", " ".join(words))
        return
    if head:
        yield Run("same", " ".join(head))
    yield Run("gap")
    if tail:
        yield Run("same", " ".join(tail))
