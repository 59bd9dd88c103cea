"""The scheduler of the few jobs, intervals by a clock that nobody sets, and what to do when that on the wall is set.
I/O: reads clocks.

APScheduler goes by the wall clock: set back a day, its jobs wait a day; set forward, it lists every run missed.
`Every` is a trigger that lists one, and `Clocks` says when the scheduler is to be told the time anew.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger
from msgspec import Struct

THREADS = 4
LEAST_S = 5.0
"""Seconds by which the clock is set before anybody minds; what NTP slews is far less between two looks."""


class Scheduler(BackgroundScheduler):  # type: ignore[misc]
    """APScheduler's, in UTC, with THREADS threads."""

    def __init__(self) -> None:
        self._steps = ThreadPoolExecutor(THREADS)
        super().__init__(timezone=UTC, executors={"default": self._steps})

    def end(self) -> None:
        """Stop after the jobs that are under way, which may ask this scheduler something meanwhile: its own `shutdown`
        would wait for them with the lock that they then wait for.
        """
        if self.running:
            self.pause()
            self.get_jobs()  # waits until nobody is starting jobs any more
            self._steps.shutdown(wait=True)
            self.shutdown()


class Every(BaseTrigger):  # type: ignore[misc]
    """Every *seconds*; runs that were missed are not made up for."""

    def __init__(self, seconds: float) -> None:
        self._step = timedelta(seconds=seconds)

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        """The next time after *now*; a time to come that is further away than one step is none."""
        following = (previous_fire_time or now) + self._step
        return following if now < following <= now + self._step else now + self._step


class Change(Struct, frozen=True):
    """What happened between two looks: seconds by which the wall clock was *set*, and which the machine *slept*."""

    set_s: float = 0.0
    slept_s: float = 0.0

    def __bool__(self) -> bool:
        return bool(self.set_s or self.slept_s)


def since_boot() -> float:
    """Seconds that nobody sets and that count while the machine sleeps, where the system has such a clock."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


class Clocks:
    """`look` tells what happened since the last look."""

    def __init__(
        self,
        wall: Callable[[], float] = time.time,
        awake: Callable[[], float] = time.monotonic,
        steady: Callable[[], float] = since_boot,
    ) -> None:
        self._clocks = wall, awake, steady
        self._last = self._read()

    def _read(self) -> list[float]:
        return [clock() for clock in self._clocks]

    def look(self) -> Change:
        """What the clocks show to have happened, LEAST_S and more."""
        before, self._last = self._last, self._read()
        wall_s, awake_s, steady_s = (now - then for now, then in zip(self._last, before, strict=True))
        set_s, slept_s = wall_s - steady_s, steady_s - awake_s
        return Change(set_s if abs(set_s) >= LEAST_S else 0.0, slept_s if slept_s >= LEAST_S else 0.0)


def in_words(seconds: float) -> str:
    """A time as people say it.

    >>> in_words(86_400), in_words(-3_600), in_words(7.2)
    ('1 day', '1 hour', '7 seconds')
    """
    for size, name in ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")):
        if abs(seconds) >= size:
            count = round(abs(seconds) / size)
            return f"{count} {name}{'' if count == 1 else 's'}"
    return "no time"
