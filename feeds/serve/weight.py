"""What stands above what on the desk's pages: the weight of articles, days, and nothing twice. Pure; no clock.

The place of an article is its time with a head start: six hours for each doubling of the independent sources that tell
its story, two hours for a picture. A story of four sources stands as if it had come twelve hours later than it did. So
the order of two articles is the same whenever somebody looks, and what is new gets to the top by itself.

Feeds keep an order of their own: by `rank_at`, whatever an article weighs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta, tzinfo
from itertools import groupby
from math import log2
from typing import TYPE_CHECKING

from feeds.store.values import Outline, StorySize

if TYPE_CHECKING:
    from feeds.serve.view_models import Headline

HOURS_A_DOUBLING = 6.0
"""What twice as many independent sources of a story are worth."""
HOURS_A_PICTURE = 2.0
MOST_OF_A_STORY = 3
"""Articles of one story among those that a front page is chosen from: the others are behind the link to it."""


def weight(published: datetime, sources: int, pictured: bool = False) -> datetime:
    """Return when an article would have come that weighs as much with one source and no picture; later is heavier.

    >>> from datetime import UTC
    >>> noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    >>> [f"{weight(noon, sources, pictured):%H:%M}" for sources, pictured in ((0, False), (1, True), (3, False))]
    ['12:00', '14:00', '21:30']
    """
    hours = HOURS_A_DOUBLING * log2(max(sources, 1)) + HOURS_A_PICTURE * pictured
    return published + timedelta(hours=hours)


def heaviest(outlines: Sequence[Outline], sizes: Mapping[str, StorySize], most: int) -> list[str]:
    """Return the uids of the heaviest *most* articles, the heaviest first, `MOST_OF_A_STORY` of one story at most.

    Pictures are not looked at: an outline does not tell of them.
    """

    def weighs(one: Outline) -> datetime:
        size = sizes.get(one.story_uid)
        return weight(one.published, size.independent if size else 1)

    chosen: list[str] = []
    told: dict[str, int] = {}
    for one in sorted(outlines, key=weighs, reverse=True):
        told[one.story_uid] = told.get(one.story_uid, 0) + 1
        if not one.story_uid or told[one.story_uid] <= MOST_OF_A_STORY:
            chosen.append(one.uid)
    return chosen[:most]


def by_weight(lines: Iterable[Headline], most_others: int = 4) -> list[Headline]:
    """Return *lines* with the heaviest first, and those of one story below the heaviest of them."""
    return grouped(sorted(lines, key=_weight_of, reverse=True), most_others)


def by_day(lines: Iterable[Headline], zone: tzinfo) -> list[tuple[date, list[Headline]]]:
    """Return *lines* by days in *zone*, the newest day first; within a day the heaviest stands first."""

    return days(by_weight(lines), zone)


def days(lines: Iterable[Headline], zone: tzinfo) -> list[tuple[date, list[Headline]]]:
    """Return *lines* by days in *zone*, the newest day first; within a day their order stays."""

    def day(line: Headline) -> date:
        return line.published.astimezone(zone).date()

    return [(its, list(several)) for its, several in groupby(sorted(lines, key=day, reverse=True), key=day)]


def not_shown(lines: Iterable[Headline], shown: set[str], most: int) -> list[Headline]:
    """Return the first *most* of *lines* that a page does not have yet, and note them in *shown*.

    What is of a story that is there already is left out too: that story leads to it. Where the first has no picture,
    there are two more: they fill its room.
    """
    taken: list[Headline] = []
    for line in lines:
        if len(taken) == most + 2 * (bool(taken) and taken[0].image is None):
            break
        marks = {line.page} if line.series or line.story is None else {line.page, line.story}
        if marks.isdisjoint(shown):
            taken.append(line)
            shown |= marks | {other.page for other in line.others}
    return taken


def grouped(lines: Iterable[Headline], most: int = 4) -> list[Headline]:
    """Return *lines* with those of one story below the first of them, at most *most*; the order stays else."""
    first: dict[str, int] = {}
    kept: list[Headline] = []
    for one in lines:
        at = first.get(one.story) if one.story else None
        if at is None:
            if one.story:
                first[one.story] = len(kept)
            kept.append(one)
        elif len(kept[at].others) < most:
            kept[at] = replace(kept[at], others=(*kept[at].others, one))
    return kept


def _weight_of(line: Headline) -> datetime:
    return weight(line.published, line.independent, line.image is not None)
