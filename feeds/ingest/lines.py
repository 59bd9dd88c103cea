"""Where requests wait before they are handed to the fetcher, and who is held by a `Retry-After`. Holds state; no I/O.

The fetcher keeps the pace of a host; what it has it will ask. So only a few of a host are handed over at once: what an
origin has asked to wait then still can.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta

from feeds.model import RateScope, Request
from feeds.urls import host_of, registrable

MOST_HELD = 10_000
"""Hosts, or addresses, of which it is remembered that they asked to wait; the store knows it of every source."""


class Lines:
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
