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
    """What each hour of the day and day of the week is times the average, worked out where it is asked for.

    Takes posts seen and days lived by hour of day, and by day of week (Monday is 0).
    """

    __slots__ = ("_day_days", "_day_posts", "_day_rate", "_found", "_hour_days", "_hour_posts", "_hour_rate")

    def __init__(
        self,
        hour_posts: Sequence[float],
        hour_days: Sequence[float],
        day_posts: Sequence[float],
        day_days: Sequence[float],
    ) -> None:
        self._hour_posts, self._hour_days = hour_posts, hour_days
        self._day_posts, self._day_days = day_posts, day_days
        self._hour_rate, self._day_rate = _rate(hour_posts, hour_days), _rate(day_posts, day_days)
        self._found: dict[int, float] = {}

    def at(self, time: float) -> float:
        """The share of the hour and the day that *time* is in."""
        hour = int(time // HOUR_S)
        found = self._found.get(hour)
        if found is None:
            found = self._found[hour] = self._hour(hour % 24) * self._day((hour // 24 + 3) % 7)
        return found

    def average_days(self, since: float, until: float) -> float:
        """How many average days' posts the time from *since* to *until* is good for."""
        return sum([(end - start) / DAY_S * self.at(start) for start, end in hours(since, until)])

    def _hour(self, hour: int) -> float:
        if not self._hour_rate:
            return 1.0
        # Neighbouring hours are alike, round the clock.
        posts, days, after = self._hour_posts, self._hour_days, (hour + 1) % 24
        some = 0.25 * posts[hour - 1] + 0.5 * posts[hour] + 0.25 * posts[after]
        span = 0.25 * days[hour - 1] + 0.5 * days[hour] + 0.25 * days[after]
        return _share(some, span, self._hour_rate)

    def _day(self, day: int) -> float:
        return _share(self._day_posts[day], self._day_days[day], self._day_rate) if self._day_rate else 1.0


class Pace:
    """A *rate* at an average hour, and the *profile* of hours and days."""

    __slots__ = ("profile", "rate")

    def __init__(self, rate: float, profile: Profile) -> None:
        self.rate = rate
        self.profile = profile

    def reach(self, start: float, pressure: float, most: float, limit_s: float) -> float:
        """When the integral of sqrt(rate) comes to *pressure* or that of the rate to *most*, at most after *limit_s*.

        Both count days; *most* is a number of posts.
        """
        end = start + limit_s
        for since, until in hours(start, end):
            here = self.rate * self.profile.at(since)
            span = (until - since) / DAY_S
            pressing, posting = math.sqrt(here) * span, here * span
            if pressing >= pressure or posting >= most:
                share = min(pressure / pressing, most / posting)
                return since + share * (until - since)
            pressure -= pressing
            most -= posting
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


def _rate(posts: Sequence[float], days: Sequence[float]) -> float:
    """Posts a day over all of them; 0 where nothing is known."""
    total_posts, total_days = sum(posts), sum(days)
    return total_posts / total_days if total_posts > 0 and total_days > 0 else 0.0


def _share(posts: float, days: float, rate: float) -> float:
    return min(max((posts + LEANING) / (rate * days + LEANING), LEAST), MOST)
