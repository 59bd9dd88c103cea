"""What a source posts at present: its rate, times what the hour and the day are of the average. Pure.

Times are epoch seconds, rates are posts a day.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

DAY_S = 86400.0
HOUR_S = 3600.0

LEANING = 4.0
"""Posts by which each hour and each day is taken for an average one."""

LEAST, MOST = 0.05, 20.0
"""Bounds of a single hour's or day's share of the average."""


class Profile:
    """What hours of the day and days of the week (Monday is 0) are times the average: 24 and 7 numbers around 1."""

    __slots__ = ("days", "hours")

    def __init__(self, hours: Sequence[float], days: Sequence[float]) -> None:
        self.hours = hours
        self.days = days

    @classmethod
    def seen(
        cls,
        hour_posts: Sequence[float],
        hour_days: Sequence[float],
        day_posts: Sequence[float],
        day_days: Sequence[float],
    ) -> Profile:
        """The profile of so many posts seen in so many days lived, by hour and by day."""
        return cls(_shares(_smoothed(hour_posts), _smoothed(hour_days)), _shares(day_posts, day_days))

    def average_days(self, since: float, until: float) -> float:
        """How many average days' posts the time from *since* to *until* is good for."""
        by_hour, by_day = self.hours, self.days
        total = 0.0
        for start, end in hours(since, until):
            hour = int(start // HOUR_S)
            total += (end - start) * by_hour[hour % 24] * by_day[(hour // 24 + 3) % 7]
        return total / DAY_S

    def reach(self, rate: float, start: float, pressure: float, most: float, limit_s: float) -> float:
        """When the integral of sqrt(rate) comes to *pressure* or that of the rate to *most*, at most after *limit_s*.

        Both count days; *most* is a number of posts, *rate* that of an average hour.
        """
        by_hour, by_day = self.hours, self.days
        end, since = start + limit_s, start
        while since < end:  # as `hours` cuts it, but this is what planning a poll costs
            hour = int(since // HOUR_S)
            until = min((hour + 1) * HOUR_S, end)
            here = rate * by_hour[hour % 24] * by_day[(hour // 24 + 3) % 7]
            span = (until - since) / DAY_S
            pressing, posting = math.sqrt(here) * span, here * span
            if pressing >= pressure or posting >= most:
                share = min(pressure / pressing, most / posting)
                return since + share * (until - since)
            pressure -= pressing
            most -= posting
            since = until
        return end


def hours(since: float, until: float) -> Iterator[tuple[float, float]]:
    """The time from *since* to *until* cut at full hours."""
    while since < until:
        end = min((since // HOUR_S + 1) * HOUR_S, until)
        yield since, end
        since = end


def hour_of(at: float) -> int:
    """The hour of the day, GMT."""
    return int(at // HOUR_S) % 24


def day_of(at: float) -> int:
    """The day of the week, GMT; Monday is 0."""
    return int(at // DAY_S + 3) % 7


def _smoothed(values: Sequence[float]) -> list[float]:
    """Neighbouring hours are alike, round the clock."""
    last = len(values)
    return [0.25 * values[at - 1] + 0.5 * value + 0.25 * values[(at + 1) % last] for at, value in enumerate(values)]


def _shares(posts: Sequence[float], days: Sequence[float]) -> list[float]:
    total_posts, total_days = sum(posts), sum(days)
    if total_posts <= 0 or total_days <= 0:
        return [1.0] * len(posts)
    rate = total_posts / total_days
    return [
        min(max((some + LEANING) / (rate * span + LEANING), LEAST), MOST)
        for some, span in zip(posts, days, strict=True)
    ]
