"""What a source posts: its rate at present, at which hours and days; learned from its polls, kept as short text. Pure.

Times are epoch seconds, rates are posts a day.
"""

from __future__ import annotations

import json
import math
import struct
from binascii import a2b_base64, b2a_base64
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import chain
from typing import Literal

from msgspec import Struct, field

from feeds.errors import FailureKind
from feeds.parsed import Hints

PollOutcome = Literal["new", "same", "not-modified", "failed", "gone"]
Ours = Literal["", "network", "fault"]

DAY_S = 86400.0
HOUR_S = 3600.0

PACE_LEANING = 4.0
"""Posts by which each hour and each day is taken for an average one."""

LEAST, MOST = 0.05, 20.0
"""Bounds of a single hour's or day's share of the average."""
UNKNOWN_RATE = 4.0
"""Posts a day of a source of which nothing is known: asked every `poll.first_s`, as is any that posts so often."""
LIVES_DAYS = (60.0, 7.0, 1.0)
"""Half-lives of the three memories of the rate, the longest first."""
LEANING = (0.5, 4.0, 4.0)
"""Posts that a memory must have seen to weigh as much as the longer one before it (the first: as `UNKNOWN_RATE`)."""
PROFILE_LIFE_DAYS = 60.0
LONGEST_STEP_DAYS = 14.0
"""A longer time between two polls is taken to have held all hours and days alike."""
_LN2 = math.log(2)
QUIET_DAYS = 0.5
"""Polls that brought nothing are noted by their time alone, and learned in one step after so long or with the next
news: what is known of a source hardly changes by them, and they are nearly all of its polls."""
SILENCE_EXPECTED = 12.0
"""Arrivals that must be missing before a silence is told: by chance less than once in 150,000 times."""
_FORM = "2"
_MEMORIES = len(LIVES_DAYS)
_LEARNED = ("posts", "days", "hour_posts", "hour_days", "day_posts", "day_days")
_LISTS = (_MEMORIES, _MEMORIES, 24, 24, 7, 7, 24, 7)
"""How long the lists of a rhythm and its profile are, in the order in which they are kept."""
_CUTS = [slice(sum(_LISTS[:at]), sum(_LISTS[: at + 1])) for at in range(len(_LISTS))]
_NUMBERS = struct.Struct(f"<ddIfff{sum(_LISTS)}f")


class Poll(Struct, frozen=True, kw_only=True):
    """What one poll brought. *window* counts the entries the document held, *new* those never seen before.

    *published* are the dates of the new entries; *fresh_s* is what Cache-Control or Expires still allow (RFC 9111
    §4.2); *hints* what the document declares, None where no document was read. *ours*: a failure that says nothing
    about the source, of this machine's network or a fault of the desk's own.
    """

    at: datetime
    outcome: PollOutcome
    new: int = 0
    window: int = 0
    first: bool = False
    published: tuple[datetime, ...] = ()
    fresh_s: float | None = None
    hints: Hints | None = None
    failure: FailureKind | None = None
    retry_after_s: float | None = None
    ours: Ours = ""


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
        min(max((some + PACE_LEANING) / (rate * span + PACE_LEANING), LEAST), MOST)
        for some, span in zip(posts, days, strict=True)
    ]


EVEN = Profile([1.0] * 24, [1.0] * 7)


class Silence(Struct, frozen=True, kw_only=True):
    """A source quiet against its own rhythm: *expected* arrivals since, and how *probable* none of them is."""

    since: datetime
    expected: float
    probability: float


class Rhythm(Struct):
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
    profile: Profile = EVEN  # what hours and days come to by the four lists above
    quiet_until: float = 0.0  # polls up to then brought nothing and are not learned yet; 0: there are none
    remembered: str = ""  # before those

    def rate(self) -> float:
        """Posts a day at an average hour."""
        posts, days = self.posts, self.days
        if self.quiet_until:
            posts, days = self._passed(self.quiet_until)
        rate = UNKNOWN_RATE
        for seen, lived, leaning in zip(posts, days, LEANING, strict=True):
            rate = (seen + leaning) / (lived + leaning / rate)
        return rate

    # ------------------------------------------------------------------ learning

    def learn(self, poll: Poll) -> None:
        """Take in a poll that brought an answer."""
        now = poll.at.timestamp()
        if self._brings_nothing(poll) and self.at < now < self.at + QUIET_DAYS * DAY_S:
            self.quiet_until = max(now, self.quiet_until)
            return
        self.settle()
        if poll.window:
            self.window = poll.window
        if poll.hints is not None and poll.hints != Hints():
            self.hints = poll.hints
        if not self.at or poll.first:
            self._begin(poll, now)
        elif now > self.at:
            self._go_on(poll, now)
        self.at = max(now, self.at)
        self._draw()

    def settle(self) -> None:
        """Learn the polls that were only noted."""
        until, self.quiet_until, self.remembered = self.quiet_until, 0.0, ""
        if until > self.at:
            self._go_on(Poll(at=datetime.fromtimestamp(until, UTC), outcome="same"), until)
            self.at = until
            self._draw()

    def _draw(self) -> None:
        self.profile = Profile.seen(self.hour_posts, self.hour_days, self.day_posts, self.day_days)

    def _brings_nothing(self, poll: Poll) -> bool:
        return bool(self.remembered) and not (poll.new or poll.window or poll.first or poll.hints or self.tight_s)

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
        self.posts, self.days = self._passed(now)
        self.posts = [posts + poll.new for posts in self.posts]
        left = _left(span, PROFILE_LIFE_DAYS)
        for counted in (self.hour_posts, self.hour_days, self.day_posts, self.day_days):
            counted[:] = [value * left for value in counted]
        self._expose(before, now)
        self.arrivals *= _left(span, LIVES_DAYS[0])
        self._turnover(poll, now - before)
        if not poll.new:
            return
        self._mark_posts(poll, before, now)
        if self.last_new:
            quiet = _average_days(self.profile, self.last_new, now)
            self.longest = max(self.longest * _left(span, LIVES_DAYS[0]), quiet)
        self.last_new = now
        self.arrivals += 1.0

    def _mark_posts(self, poll: Poll, before: float, now: float) -> None:
        """Note when the posts of a poll came, the last poll having been *before*."""
        within = [stamp for date in poll.published if before < (stamp := date.timestamp()) <= now]
        for date in within:
            self._mark(date, 1.0)
        undated = poll.new - len(within)  # late, early or no date: it came at some time between the two polls
        if undated > 0 and now - before <= DAY_S:
            for since, until in hours(before, now):
                self._mark(since, undated * (until - since) / (now - before))

    def _passed(self, now: float) -> tuple[list[float], list[float]]:
        """The memories of posts and days as they are at *now*, nothing having come since `at`."""
        span, lived = (now - self.at) / DAY_S, _average_days(self.profile, self.at, now)
        left = [_left(span, life) for life in LIVES_DAYS]
        return (
            [posts * here for posts, here in zip(self.posts, left, strict=True)],
            [
                days * here + lived * (life / _LN2 * (1 - here) / span)
                for days, here, life in zip(self.days, left, LIVES_DAYS, strict=True)
            ],
        )

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
        for start, end in hours(since, until):
            span = (end - start) / DAY_S
            self.hour_days[hour_of(start)] += span
            self.day_days[day_of(start)] += span

    def _mark(self, at: float, weight: float) -> None:
        self.hour_posts[hour_of(at)] += weight
        self.day_posts[day_of(at)] += weight

    # ------------------------------------------------------------------ silence

    def silent(self, now: float) -> Silence | None:
        """Whether the source is silent against its own rhythm; None while it is not, or too little is known of it.

        Poisson over the arrivals that its hours and days let expect since the last one, and at least twice the longest
        time it was ever quiet, for real sources post in spells. For sources that answer: failing is told by itself.
        """
        self.settle()
        seen = self.days[0]
        if not self.last_new or self.arrivals < 8 or seen <= 0:
            return None
        quiet = _average_days(self.profile, self.last_new, now)
        # Arrivals, not posts: a batch of twenty is one sign of life.
        expected = quiet * self.arrivals / seen
        if quiet <= 2 * self.longest or expected < SILENCE_EXPECTED:
            return None
        return Silence(
            since=datetime.fromtimestamp(self.last_new, UTC), expected=expected, probability=math.exp(-expected)
        )


def _left(days: float, life: float) -> float:
    """What is left of a weight of 1 after *days*."""
    return float(2.0 ** (-days / life))


def _lived(days: float, life: float) -> float:
    """How much of *days* up to now is remembered."""
    return life / _LN2 * (1 - _left(days, life))


def _average_days(profile: Profile, since: float, until: float) -> float:
    days = (until - since) / DAY_S
    return days if days > LONGEST_STEP_DAYS else profile.average_days(since, until)


def recall(memory: str) -> Rhythm:
    """The rhythm that *memory* holds; an empty one where it holds none that can be read."""
    form, _, rest = memory.partition(" ")
    if form != _FORM:
        return Rhythm()
    packed, _, rest = rest.partition(" ")
    hints, _, quiet = rest.partition(" ")
    try:
        at, last_new, window, tight_s, arrivals, longest, *numbers = _NUMBERS.unpack(a2b_base64(packed))
        *learned, hours, weekdays = [numbers[cut] for cut in _CUTS]
        return Rhythm(
            at=at,
            window=window,
            tight_s=tight_s,
            last_new=last_new,
            arrivals=arrivals,
            longest=longest,
            hints=_hints(hints) if hints else Hints(),
            profile=Profile(hours, weekdays),
            quiet_until=float(quiet or 0.0),
            remembered=f"{form} {packed} {hints}",
            **dict(zip(_LEARNED, learned, strict=True)),
        )
    except (ValueError, struct.error, KeyError, TypeError, AttributeError):
        return Rhythm()


def remember(rhythm: Rhythm) -> str:
    """*rhythm* as text, below 1 KB."""
    if rhythm.quiet_until:
        return f"{rhythm.remembered} {rhythm.quiet_until:.0f}"
    packed = _NUMBERS.pack(
        rhythm.at,
        rhythm.last_new,
        rhythm.window,
        rhythm.tight_s,
        rhythm.arrivals,
        rhythm.longest,
        *chain.from_iterable(getattr(rhythm, name) for name in _LEARNED),
        *rhythm.profile.hours,
        *rhythm.profile.days,
    )
    return f"{_FORM} {b2a_base64(packed, newline=False).decode('ascii')} {_hints_as_text(rhythm.hints)}"


def silence(memory: str, now: datetime) -> Silence | None:
    """See `Rhythm.silent`."""
    return recall(memory).silent(now.timestamp())


def _hints(text: str) -> Hints:
    declared = json.loads(text)
    return Hints(
        ttl_s=declared.get("ttl"),
        skip_hours=tuple(int(hour) for hour in declared.get("hours", ())),
        skip_days=tuple(int(day) for day in declared.get("days", ())),
        update_period_s=declared.get("period"),
    )


def _hints_as_text(hints: Hints) -> str:
    declared = {
        "ttl": hints.ttl_s,
        "hours": list(hints.skip_hours),
        "days": list(hints.skip_days),
        "period": hints.update_period_s,
    }
    if not any(declared.values()):
        return ""
    return json.dumps({name: value for name, value in declared.items() if value}, separators=(",", ":"))
