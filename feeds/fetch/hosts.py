"""The waiting line of every host: who may start now, so that no host is asked too much. Pure; part of fetch."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(slots=True)
class _Line(Generic[T]):
    waiting: deque[T] = field(default_factory=deque)
    running: int = 0
    next_start: float = 0.0
    listed: bool = False  # stands in _ready or _later, exactly once


class HostQueues(Generic[T]):
    """Items wait by host; `take` gives one that may start: at most *per_host* at once, *gap_s* between starts.

    Each gap is stretched by ``jitter()``, a factor of 1 or a little more, so that hosts do not march in step.
    Hosts with something to start take turns. A host leaves no trace once nothing of it waits or runs and its gap
    has passed. Times are seconds of any clock that does not go back.
    """

    def __init__(self, per_host: int, gap_s: float, jitter: Callable[[], float] = lambda: 1.0) -> None:
        self.per_host = max(per_host, 1)
        self.gap_s = gap_s
        self._jitter = jitter
        self._lines: dict[str, _Line[T]] = {}
        self._ready: deque[str] = deque()
        self._later: list[tuple[float, str]] = []
        self.waiting = 0

    def __len__(self) -> int:
        """How many hosts are known at the moment."""
        return len(self._lines)

    def put(self, host: str, item: T, now: float, *, first: bool = False) -> None:
        """Let *item* wait for *host*, at the head of the line where *first*."""
        line = self._lines.get(host)
        if line is None:
            line = self._lines[host] = _Line()
        if first:
            line.waiting.appendleft(item)
        else:
            line.waiting.append(item)
        self.waiting += 1
        self._list(host, line, now)

    def take(self, now: float) -> T | None:
        """An item that may start at *now*; it counts as running until `done`. None where none may."""
        self._wake(now)
        while self._ready:
            host = self._ready.popleft()
            line = self._lines[host]
            line.listed = False
            if not line.waiting or line.running >= self.per_host:
                continue
            if line.next_start > now:  # a gap was lengthened meanwhile
                self._list(host, line, now)
                continue
            line.running += 1
            line.next_start = now + self.gap_s * self._jitter()
            self.waiting -= 1
            item = line.waiting.popleft()
            self._list(host, line, now)
            return item
        return None

    def done(self, host: str, now: float) -> None:
        """One that was taken for *host* has ended."""
        line = self._lines[host]
        line.running -= 1
        self._list(host, line, now)

    def next_start(self) -> float | None:
        """When the next host becomes ready that is not yet; None where none waits for its gap alone."""
        return self._later[0][0] if self._later else None

    def _list(self, host: str, line: _Line[T], now: float) -> None:
        if line.listed or line.running >= self.per_host:
            return
        if line.next_start > now:
            # Also without anything waiting: the gap must be remembered until it has passed.
            line.listed = True
            heapq.heappush(self._later, (line.next_start, host))
        elif line.waiting:
            line.listed = True
            self._ready.append(host)
        elif not line.running:
            del self._lines[host]

    def _wake(self, now: float) -> None:
        while self._later and self._later[0][0] <= now:
            host = heapq.heappop(self._later)[1]
            line = self._lines[host]
            line.listed = False
            self._list(host, line, now)
