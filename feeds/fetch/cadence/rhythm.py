"""How often a source posts, and at which hours and days: learned from its polls, kept as short JSON. Pure.

The rate of posts is estimated over three spans of memory, each leaning on the longer one until it has seen enough,
times a profile of the hours of the day and the days of the week (GMT). Asking costs the same at any time, so the mean
delay of articles is least where polls are as dense as the square root of the rate: `Rhythm.reach` finds the moment at
which that pressure has grown to a given amount. Times are epoch seconds here, rates are posts a day.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from feeds.fetch.cadence.values import Poll
from feeds.model import Hints

DAY_S = 86400.0
HOUR_S = 3600.0

UNKNOWN_RATE = 4.0
"""Posts a day of a source of which nothing is known: asked every `poll.first_s`, as is any that posts so often."""

LIVES_DAYS = (60.0, 7.0, 1.0)
"""Half-lives of the three memories of the rate, the longest first."""

LEANING = (0.5, 4.0, 4.0)
"""Posts that a memory must have seen to weigh as much as the longer one before it (the first: as `UNKNOWN_RATE`)."""

PROFILE_LIFE_DAYS = 60.0
PROFILE_LEANING = 4.0
"""Posts by which each hour and each day is taken for an average one."""

LEAST, MOST = 0.05, 20.0
"""Bounds of a single hour's or day's share of the average."""

LONGEST_STEP_DAYS = 14.0
"""A longer time between two polls is taken to have held all hours and days alike."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """A source quiet against its own rhythm: *expected* arrivals since, and how *probable* none of them is."""

    since: datetime
    expected: float
    probability: float


@dataclass(slots=True)
class Rhythm:
    """What is remembered of one source. Lists by memory, by hour of day, by day of week (Monday is 0)."""

    at: float = 0.0
    posts: list[float] = field(default_factory=lambda: [0.0] * len(LIVES_DAYS))
    days: list[float] = field(default_factory=lambda: [0.0] * len(LIVES_DAYS))
    hour_posts: list[float] = field(default_factory=lambda: [0.0] * 24)
    hour_days: list[float] = field(default_factory=lambda: [0.0] * 24)
    day_posts: list[float] = field(default_factory=lambda: [0.0] * 7)
    day_days: list[float] = field(default_factory=lambda: [0.0] * 7)
    window: int = 0
    tight_s: float = 0.0  # a bound on the interval after much of the window turned over; 0: none
    last_new: float = 0.0
    arrivals: float = 0.0  # polls that brought something, decayed as the longest memory
    longest: float = 0.0  # the longest time between two of them, in average days
    hints: Hints = Hints()

    # ------------------------------------------------------------------ what is known

    def rate(self) -> float:
        """Posts a day at an average hour."""
        rate = UNKNOWN_RATE
        for posts, days, leaning in zip(self.posts, self.days, LEANING, strict=True):
            rate = (posts + leaning) / (days + leaning / rate)
        return rate

    def profile(self) -> tuple[list[float], list[float]]:
        """What hours and days are times the average: 24 and 7 numbers around 1."""
        hours = _shares(_smoothed(self.hour_posts), _smoothed(self.hour_days))
        return hours, _shares(self.day_posts, self.day_days)

    def reach(self, start: float, pressure: float, most: float, limit_s: float) -> float:
        """When the integral of sqrt(rate) comes to *pressure* or that of the rate to *most*, at most after *limit_s*.

        Both count days; *most* is a number of posts.
        """
        rate = self.rate()
        hours, days = self.profile()
        end = start + limit_s
        for since, until in _hours(start, end):
            here = rate * hours[_hour(since)] * days[_day(since)]
            span = (until - since) / DAY_S
            pressing, posting = math.sqrt(here) * span, here * span
            if pressing >= pressure or posting >= most:
                share = min(pressure / pressing, most / posting)
                return since + share * (until - since)
            pressure -= pressing
            most -= posting
        return end

    # ------------------------------------------------------------------ learning

    def learn(self, poll: Poll) -> None:
        """Take in a poll that brought an answer."""
        now = poll.at.timestamp()
        if poll.window:
            self.window = poll.window
        if poll.hints is not None and poll.hints != Hints():
            self.hints = poll.hints
        if not self.at or poll.first:
            self._begin(poll, now)
        elif now > self.at:
            self._go_on(poll, now)
        self.at = max(now, self.at)

    def _begin(self, poll: Poll, now: float) -> None:
        """The first document's dates tell a rhythm at once; the oldest only says where it begins."""
        dates = sorted(stamp for date in poll.published if (stamp := date.timestamp()) <= now)
        if len(dates) < 2:
            return
        oldest, later = dates[0], dates[1:]
        for which, life in enumerate(LIVES_DAYS):
            self.posts[which] = sum(_left((now - date) / DAY_S, life) for date in later)
            self.days[which] = _lived((now - oldest) / DAY_S, life)
        # Sites that only know the date put everything at one hour, which says nothing about when it appears.
        if any(date % HOUR_S for date in later):
            self._expose(oldest, now)
            for date in later:
                self._mark(date, _left((now - date) / DAY_S, PROFILE_LIFE_DAYS))
        self.last_new = later[-1]
        gaps = [(after - before) / DAY_S for before, after in zip(dates, later, strict=False)]
        self.arrivals = sum(_left((now - date) / DAY_S, LIVES_DAYS[0]) for date in set(later))
        self.longest = max(gaps)

    def _go_on(self, poll: Poll, now: float) -> None:
        before, span = self.at, (now - self.at) / DAY_S
        lived = self._average_days(before, now)
        for which, life in enumerate(LIVES_DAYS):
            left = _left(span, life)
            self.days[which] = self.days[which] * left + lived * (_lived(span, life) / span)
            self.posts[which] = self.posts[which] * left + poll.new
        left = _left(span, PROFILE_LIFE_DAYS)
        for counted in (self.hour_posts, self.hour_days, self.day_posts, self.day_days):
            counted[:] = [value * left for value in counted]
        self._expose(before, now)
        self.arrivals *= _left(span, LIVES_DAYS[0])
        self._turnover(poll, now - before)
        if not poll.new:
            return
        within = [stamp for date in poll.published if before < (stamp := date.timestamp()) <= now]
        for date in within:
            self._mark(date, 1.0)
        if poll.new > len(within):
            # Late, early or no date: it came at some time between the two polls.
            pieces = list(_hours(before, now)) if span <= 1.0 else []
            for since, until in pieces:
                self._mark(since, (poll.new - len(within)) * (until - since) / (now - before))
        if self.last_new:
            self.longest = max(self.longest * _left(span, LIVES_DAYS[0]), self._average_days(self.last_new, now))
        self.last_new = now
        self.arrivals += 1.0

    def _turnover(self, poll: Poll, elapsed_s: float) -> None:
        """Half of the window new at once: ask twice as often, and come back slowly."""
        if poll.window and poll.new * 2 >= poll.window:
            self.tight_s = max(min(elapsed_s, self.tight_s or elapsed_s) / 2, 1.0)
        elif self.tight_s:
            self.tight_s *= 1.25
            if self.tight_s > DAY_S:
                self.tight_s = 0.0

    def _expose(self, since: float, until: float) -> None:
        days = (until - since) / DAY_S
        if days > LONGEST_STEP_DAYS:
            lived = _lived(days, PROFILE_LIFE_DAYS)
            self.hour_days[:] = [value + lived / 24 for value in self.hour_days]
            self.day_days[:] = [value + lived / 7 for value in self.day_days]
            return
        for start, end in _hours(since, until):
            span = (end - start) / DAY_S
            self.hour_days[_hour(start)] += span
            self.day_days[_day(start)] += span

    def _mark(self, at: float, weight: float) -> None:
        self.hour_posts[_hour(at)] += weight
        self.day_posts[_day(at)] += weight

    def _average_days(self, since: float, until: float) -> float:
        """How many average days' posts the time from *since* to *until* is good for."""
        days = (until - since) / DAY_S
        if days > LONGEST_STEP_DAYS:
            return days
        hours, weekdays = self.profile()
        return sum(
            (end - start) / DAY_S * hours[_hour(start)] * weekdays[_day(start)] for start, end in _hours(since, until)
        )

    # ------------------------------------------------------------------ silence

    def silent(self, now: float) -> Silence | None:
        """See `silence`."""
        seen = self.days[0]
        if not self.last_new or self.arrivals < 8 or seen <= 0:
            return None
        quiet = self._average_days(self.last_new, now)
        # Arrivals, not posts: a batch of twenty is one sign of life.
        expected = quiet * self.arrivals / seen
        if quiet <= 2 * self.longest or expected < SILENCE_EXPECTED:
            return None
        return Silence(
            since=datetime.fromtimestamp(self.last_new, UTC), expected=expected, probability=math.exp(-expected)
        )


SILENCE_EXPECTED = 12.0
"""Arrivals that must be missing before a silence is told: by chance less than once in 150,000 times."""


def silence(memory: str, now: datetime) -> Silence | None:
    """Whether a source is silent against its own rhythm; None while it is not, or too little is known of it.

    Poisson over the arrivals that its hours and days let expect since the last one, and at least twice the longest
    time it was ever quiet, for real sources post in spells. For sources that answer: failing is told by itself.
    """
    rhythm = recall(memory)
    return rhythm.silent(now.timestamp())


# --------------------------------------------------------------------------- memory


def recall(memory: str) -> Rhythm:
    """The rhythm that *memory* holds; an empty one where it holds none that can be read."""
    try:
        told = json.loads(memory) if memory else None
        if not isinstance(told, dict) or told.get("v") != 1:
            return Rhythm()
        hints = told.get("i") or {}
        rhythm = Rhythm(
            at=float(told["t"]),
            posts=_floats(told["p"], len(LIVES_DAYS)),
            days=_floats(told["d"], len(LIVES_DAYS)),
            hour_posts=_floats(told["hp"], 24),
            hour_days=_floats(told["hd"], 24),
            day_posts=_floats(told["wp"], 7),
            day_days=_floats(told["wd"], 7),
            window=int(told["w"]),
            tight_s=float(told["s"]),
            last_new=float(told["n"]),
            arrivals=float(told["a"]),
            longest=float(told["l"]),
            hints=Hints(
                ttl_s=hints.get("ttl"),
                skip_hours=tuple(int(hour) for hour in hints.get("hours", ())),
                skip_days=tuple(int(day) for day in hints.get("days", ())),
                update_period_s=hints.get("period"),
            ),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return Rhythm()
    return rhythm


def remember(rhythm: Rhythm) -> str:
    """*rhythm* as JSON, below 1.5 KB; three digits are more than is known."""
    told: dict[str, object] = {
        "v": 1,
        "t": round(rhythm.at),
        "p": _short(rhythm.posts),
        "d": _short(rhythm.days),
        "hp": _short(rhythm.hour_posts),
        "hd": _short(rhythm.hour_days),
        "wp": _short(rhythm.day_posts),
        "wd": _short(rhythm.day_days),
        "w": rhythm.window,
        "s": round(rhythm.tight_s),
        "n": round(rhythm.last_new),
        "a": _short([rhythm.arrivals])[0],
        "l": _short([rhythm.longest])[0],
    }
    hints = {
        "ttl": rhythm.hints.ttl_s,
        "hours": list(rhythm.hints.skip_hours),
        "days": list(rhythm.hints.skip_days),
        "period": rhythm.hints.update_period_s,
    }
    if any(hints.values()):
        told["i"] = {name: value for name, value in hints.items() if value}
    return json.dumps(told, separators=(",", ":"))


def _floats(values: object, count: int) -> list[float]:
    if not isinstance(values, list) or len(values) != count:
        raise ValueError("not a list of that many numbers")
    return [float(value) for value in values]


def _short(values: Sequence[float]) -> list[float]:
    return [float(f"{value:.3g}") if value >= 1e-4 else 0 for value in values]


# --------------------------------------------------------------------------- small things


def _left(days: float, life: float) -> float:
    """What is left of a weight of 1 after *days*."""
    return float(2.0 ** (-days / life))


def _lived(days: float, life: float) -> float:
    """How much of *days* up to now is remembered."""
    return life / math.log(2) * (1 - _left(days, life))


def _hours(since: float, until: float) -> Iterator[tuple[float, float]]:
    """The time from *since* to *until* cut at full hours."""
    while since < until:
        end = min((since // HOUR_S + 1) * HOUR_S, until)
        yield since, end
        since = end


def _hour(at: float) -> int:
    return int(at // HOUR_S) % 24


def _day(at: float) -> int:
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
        min(max((some + PROFILE_LEANING) / (rate * span + PROFILE_LEANING), LEAST), MOST)
        for some, span in zip(posts, days, strict=True)
    ]
