"""Where requests wait before they are handed to the fetcher, who is held by a `Retry-After`, and whether it is this
machine's own network that fails. Holds state; no I/O.

The fetcher keeps the pace of a host; what it has it will ask. So only a few of a host are handed over at once: what an
origin has asked to wait then still can.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from feeds.configuration import RateScope
from feeds.errors import FetchBlocked, FetchError, FetchTooLarge
from feeds.parsed import Answer, Request
from feeds.urls import host_of, registrable

MOST_HELD = 10_000
"""Hosts, or addresses, of which it is remembered that they asked to wait; the store knows it of every source."""
LOOKS_BACK = timedelta(minutes=1)
HOSTS_AT_LEAST = 3
"""So many hosts that can't be reached, and none that can, are no coincidence."""


class HostQueues:
    """`put` requests; `ended` for each that came back; `hold` what is not to be asked for a while."""

    def __init__(self, submit: Callable[[Request], None]) -> None:
        self._submit = submit
        self._waiting: dict[str, deque[Request]] = {}
        self._running: dict[str, int] = {}
        self._held: dict[str, datetime] = {}
        self.scope: RateScope = "host"
        self.per_host = 2

    def __len__(self) -> int:
        """How many wait."""
        return sum(len(line) for line in self._waiting.values())

    def put(self, request: Request) -> None:
        """Hand *request* over, now or when its host's turn comes."""
        host = host_of(request.url)
        if self._running.get(host, 0) < self._most:
            self._running[host] = self._running.get(host, 0) + 1
            self._submit(request)
        else:
            self._waiting.setdefault(host, deque()).append(request)

    def ended(self, url: str) -> None:
        """One of the requests handed over has come back."""
        host = host_of(url)
        line = self._waiting.get(host)
        if line:
            self._submit(line.popleft())
            if not line:
                del self._waiting[host]
            return
        left = self._running.get(host, 0) - 1
        if left > 0:
            self._running[host] = left
        else:
            self._running.pop(host, None)

    def hold(self, url: str, until: datetime) -> list[Request]:
        """Hold the host or domain of *url* until then; gives back the requests of it that were still waiting."""
        scope = scope_of(url, self.scope)
        if len(self._held) >= MOST_HELD:
            del self._held[next(iter(self._held))]
        self._held[scope] = max(until, self._held.get(scope, until))
        dropped: list[Request] = []
        for host in [host for host in self._waiting if self.scope != "url"]:
            line = self._waiting[host]
            dropped += [request for request in line if scope_of(request.url, self.scope) == scope]
            kept = deque(request for request in line if scope_of(request.url, self.scope) != scope)
            if kept:
                self._waiting[host] = kept
            else:
                del self._waiting[host]
        return dropped

    def held_until(self, url: str, now: datetime) -> datetime | None:
        """Until when *url* is not to be asked; None where it may be."""
        if not self._held:
            return None
        scope = scope_of(url, self.scope)
        until = self._held.get(scope)
        if until is not None and until <= now:
            del self._held[scope]
            return None
        return until

    def clock_was_set(self, by: timedelta) -> None:
        """Hold on for as long as was asked, whatever the clock shows now."""
        self._held = {scope: until + by for scope, until in self._held.items()}

    @property
    def _most(self) -> int:
        return max(2 * self.per_host, 4)


def scope_of(url: str, scope: RateScope) -> str:
    """What shares a limit with *url*: itself, its host, or the domain that was registered (Public Suffix List)."""
    if scope == "url":
        return url
    host = host_of(url)
    return registrable(host) if scope == "domain" else host


class Outage:
    """Give it every outcome by `saw`; `now` asks. Sources fail alone, a network fails them all."""

    def __init__(self) -> None:
        self._answered_at: datetime | None = None
        self._failed: deque[tuple[datetime, str]] = deque()

    def saw(self, outcome: Answer | FetchError, at: datetime) -> None:
        """Take in how a request ended."""
        if isinstance(outcome, Answer) or outcome.status is not None or isinstance(outcome, FetchTooLarge):
            self._answered_at = at
            self._failed.clear()
        elif not isinstance(outcome, FetchBlocked):
            self._failed.append((at, urlsplit(outcome.request.url).netloc if outcome.request else outcome.url))
            if len(self._failed) > 1000:
                self._failed.popleft()

    def now(self, at: datetime) -> bool:
        """Whether everything that was asked lately failed before any answer."""
        if self._answered_at is not None and at - self._answered_at < LOOKS_BACK:
            return False
        while self._failed and at - self._failed[0][0] > LOOKS_BACK:
            self._failed.popleft()
        return len({host for _, host in self._failed}) >= HOSTS_AT_LEAST
