"""Digests made of real articles, for `bench/dedupe.py`: each, and each part, is an article. Pure."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence
from typing import Any

Row = dict[str, Any]

TITLES = (
    "Morning briefing",
    "Five things to know today",
    "The week in review",
    "What we are reading",
    "Daily newsletter: all you need to know this morning",
    "Live: the day's events as they happened",
)
INTRO = "Good morning. Here is what happened while you slept, and what to look out for in the day ahead."
PLACES = ("before", "between", "after")
EACH = 8
"""So many trials of every kind."""


def trials(rows: Sequence[Row], seed: int = 4) -> Iterator[tuple[str, list[Row]]]:
    """(what kind of trial, its rows as they arrive); the digest's id is ``digest``.

    Of three and six articles, in full and by their beginnings, with the digest before, between and after them, with and
    without headings and a word of greeting.
    """
    dice = random.Random(seed)
    first_of_each = {row["cluster"]: row for row in reversed(rows) if not row["ops"] and _is_article(row)}
    pool = list(first_of_each.values())
    kinds = itertools.product((3, 6), ("in full", "beginnings"), PLACES, (False, True), (False, True))
    for count, how, place, headed, greeting in kinds:
        for _ in range(EACH):
            parts = dice.sample(pool, count)
            arriving = [*parts]
            at = {"before": 0, "between": count // 2, "after": count}[place]
            arriving.insert(at, _digest(dice, parts, how == "in full", headed, greeting))
            yield f"{count} {how}, {place}", arriving


def _is_article(row: Row) -> bool:
    return row["source"] != "reuters-template" and 80 < len(str(row["text"]).split()) < 900


def _digest(dice: random.Random, parts: Sequence[Row], whole: bool, headed: bool, greeting: bool) -> Row:
    told = [INTRO] if greeting else []
    for part in parts:
        text = part["text"] if whole else " ".join(part["text"].split()[: dice.choice((40, 60, 80))])
        told.append(f"{part['title']}\n\n{text}" if headed else text)
    return {"id": "digest", "title": dice.choice(TITLES), "text": "\n\n".join(told)}
