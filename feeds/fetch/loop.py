"""The loop that fetches: who may start now, so that no host is asked too much, and all transfers in one thread.
I/O: network.
"""

from __future__ import annotations

import heapq
import logging
import random
import resource
import socket
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Generic, TypeVar

import pycurl
from msgspec import Struct, field

from feeds.configuration import FetchSettings, PollSettings
from feeds.errors import FetchBroken, FetchError, UrlError
from feeds.fetch.guard import Guard
from feeds.fetch.resolver import Lookup, Resolved, Resolver
from feeds.fetch.target import Target
from feeds.fetch.transfer import Failure, Hop, Transfer, Unsendable, bad_url, blocked, subject, too_slow
from feeds.fetch.wire import Multi, Wire
from feeds.parsed import Answer, Request

T = TypeVar("T")
TICK_S = 0.1
BRISK_S = 0.25
"""A transfer that was silent for so long no longer counts against `max_transfers`."""
SLUGGISH = 8
"""How many times `max_transfers` may be open in all, the silent ones included."""
SPARE_FILES = 256
ARRIVING_BYTES = 268_435_456
UNTAKEN_BYTES = 8_388_608
"""Bodies in memory at which nothing new is started: those that arrive, of which slow sources may hold many, and those
that have arrived and nobody has taken yet: with so many, who takes them is busy for seconds.
"""
ORDERS = 512
"""How many new requests are taken in between two looks at the sockets."""
PARKED_S = 120.0
"""How long a host may wait for a thread of the resolver: long only in the lane of those that failed lately."""


class _Line(Struct, Generic[T]):
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


log = logging.getLogger(__name__)

Outcome = Answer | FetchError


class Loop:
    """Everything that only the curl thread touches. `put` and `wake` are for other threads; `run` is the thread."""

    def __init__(
        self,
        settings: FetchSettings,
        poll: PollSettings,
        user_agent: str,
        lookup: Lookup,
        deliver: Callable[[list[tuple[Outcome, object]]], None],
        untaken_bytes: Callable[[], int],
        may_begin: Callable[[], bool],
    ) -> None:
        self._may_begin = may_begin
        self._deliver = deliver
        self._untaken_bytes = untaken_bytes
        self._orders: deque[Callable[[], None]] = deque()
        self._stopping = False
        self._clock = time.monotonic
        self._now = self._clock()
        self._multi = Multi(self._clock)
        self.wake = self._multi.wake
        self._hosts: HostQueues[Transfer] = HostQueues(poll.per_host, poll.gap_s, lambda: random.uniform(1.0, 1.25))  # noqa: S311 -- spreads, hides nothing
        self._resolver = Resolver(lookup, self.wake)
        self._resolving: dict[str, list[Transfer]] = {}
        self._active: dict[Transfer, Wire | None] = {}
        self._running: dict[pycurl.Curl, Wire] = {}
        self._idle: list[Wire] = []
        self._brisk = 0
        self._arriving = 0
        self._next_tick = 0.0
        self._outcomes: list[tuple[Outcome, object]] = []
        self.configure(settings, poll, user_agent)

    # --- for other threads

    def put(self, request: Request, private: object = None, *, first: bool = False) -> None:
        """Have *request* fetched; its outcome is delivered with *private*."""
        self.order(lambda: self._admit(request, private, first))

    def order(self, action: Callable[[], None]) -> None:
        """Have the curl thread do *action*."""
        self._orders.append(action)
        self.wake()

    def stop(self) -> None:
        """Let `run` return soon; what is under way is dropped."""
        self._stopping = True
        self.wake()

    # --- the thread

    def run(self) -> None:
        """Drive transfers until `stop`."""
        while not self._stopping:
            try:
                self._turn()
            except Exception:
                # One odd answer must never end the thread that serves all the others.
                log.exception("the fetch loop stumbled")
                time.sleep(0.05)
        self._close()

    def configure(self, settings: FetchSettings, poll: PollSettings, user_agent: str) -> None:
        """Take new limits; transfers under way keep theirs. Raises UrlError for a bad `allow_private`."""
        guard = Guard(settings.ports, settings.allow_private)
        self._settings = settings
        self._guard = guard
        self._user_agent = b"User-Agent: " + user_agent.encode("latin-1", "replace").replace(b"\n", b" ")
        self._hosts.per_host = max(poll.per_host, 1)
        self._hosts.gap_s = poll.gap_s
        soft_limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        files = soft_limit if soft_limit != resource.RLIM_INFINITY else 1_000_000
        self._most = max(min(settings.max_transfers * SLUGGISH, files - SPARE_FILES), 16)
        self._multi.keep_connections(settings.max_transfers)
        for wire in self._idle:
            wire.close()
        self._idle.clear()

    def _turn(self) -> None:
        self._multi.turn(self._next_due())
        self._now = now = self._clock()
        for _ in range(min(len(self._orders), ORDERS)):
            self._orders.popleft()()
        self._take_addresses(now)
        for easy, code, message in self._multi.ended():
            self._ended(easy, code, message, now)
        if self._next_tick <= now:
            self._tick(now)
        self._hand_over()
        # Last, for all of the above makes room.
        self._start_ready(now)
        self._hand_over()

    def _next_due(self) -> float | None:
        """When something is to be done that no socket, timer or other thread will call for."""
        if self._orders:
            return self._now
        upcoming = None if self._is_full() else self._hosts.next_start()
        if not self._active:
            return upcoming
        return self._next_tick if upcoming is None else min(self._next_tick, upcoming)

    def _hand_over(self) -> None:
        if self._outcomes:
            self._deliver(self._outcomes)
            self._outcomes = []

    def _admit(self, request: Request, private: object, first: bool) -> None:
        try:
            transfer = Transfer.begin(request, self._settings.timeout_s, self._settings.max_redirects, private)
        except UrlError as error:
            self._outcomes.append((subject(bad_url(error), request, request.url), private))
            return
        except Exception as error:
            log.exception("a request that the fetcher does not understand")
            self._outcomes.append((subject(_not_understood(error), request, str(request.url)), private))
            return
        self._hosts.put(transfer.target.host, transfer, self._now, first=first)

    def _start_ready(self, now: float) -> None:
        while not self._is_full():
            transfer = self._hosts.take(now)
            if transfer is None:
                return
            transfer.brisk = True
            self._brisk += 1
            self._active[transfer] = None
            transfer.started = transfer.seen_at = now
            transfer.deadline = now + transfer.timeout_s - transfer.spent_s
            self._begin_hop(transfer, now)

    def _is_full(self) -> bool:
        if not self._may_begin():
            return True
        return (
            self._brisk >= self._settings.max_transfers
            or len(self._active) - self._resolver.parked >= self._most
            or self._arriving >= ARRIVING_BYTES
            or self._untaken_bytes() >= UNTAKEN_BYTES
        )

    def _begin_hop(self, transfer: Transfer, now: float) -> None:
        target = transfer.target
        if not self._guard.port_is_open(target.port):
            self._fail(transfer, blocked(f"port {target.port} is not among the allowed ports"), now)
        elif target.literal is not None:
            self._connect(transfer, (target.host,), now)
        elif self._settings.proxy:
            self._connect(transfer, (), now)
        else:
            resolved = self._resolver.known(target.host, now)
            if resolved is not None:
                self._resolved(transfer, resolved, now)
                return
            transfer.resolving = True
            self._resolving.setdefault(target.host, []).append(transfer)
            self._resolver.ask(target.host, now)

    def _take_addresses(self, now: float) -> None:
        for resolved in self._resolver.answers(now):
            for transfer in self._resolving.pop(resolved.host, ()):
                transfer.resolving = False
                transfer.seen_at = now
                self._resolved(transfer, resolved, now)

    def _resolved(self, transfer: Transfer, resolved: Resolved, now: float) -> None:
        if resolved.error is not None:
            self._fail(transfer, _no_address(resolved), now)
        else:
            self._connect(transfer, resolved.addresses, now)

    def _connect(self, transfer: Transfer, addresses: tuple[str, ...], now: float) -> None:
        target = transfer.target
        refusals = [self._guard.refusal(address, target.port) for address in addresses]
        allowed = [address for address, refusal in zip(addresses, refusals, strict=True) if refusal is None]
        if addresses and not allowed:
            self._fail(transfer, blocked(refusals[0] or "no address"), now)
            return
        wire = self._idle.pop() if self._idle else Wire(self._settings, self._guard, self._clock)
        try:
            wire.start(transfer, transfer.headers(self._user_agent), [] if target.literal else allowed)
            self._multi.add(wire.easy)
        except (Unsendable, pycurl.error, ValueError) as error:
            wire.close()
            self._fail(transfer, Failure(FetchBroken, "hard", f"the request can't be sent: {error}"), now)
            return
        self._active[transfer] = wire
        self._running[wire.easy] = wire

    def _ended(self, easy: pycurl.Curl, code: int, message: str, now: float) -> None:
        wire = self._running.pop(easy)
        transfer = wire.transfer
        assert transfer is not None
        self._active[transfer] = None
        try:
            hop = wire.ended(code, message)
            self._keep(wire)
            self._conclude(transfer, hop, now)
        except Exception as error:
            log.exception("an answer that the fetcher does not understand")
            self._fail(transfer, _not_understood(error), now)

    def _conclude(self, transfer: Transfer, hop: Hop, now: float) -> None:
        transfer.spent_s += now - transfer.started
        transfer.started = now
        result = transfer.conclude(hop, datetime.now(UTC))
        if not isinstance(result, Target):
            self._finish(transfer, result, now)
            return
        host = transfer.target.host
        transfer.move(result)
        transfer.seen_at = now
        if result.host == host:
            self._begin_hop(transfer, now)
            return
        # Another host has a line of its own, and its place is given free here.
        self._leave(transfer, host, now)
        self._hosts.put(result.host, transfer, now, first=True)

    def _fail(self, transfer: Transfer, failure: Failure, now: float) -> None:
        self._finish(transfer, transfer.error(failure), now)

    def _finish(self, transfer: Transfer, outcome: Outcome, now: float) -> None:
        self._leave(transfer, transfer.target.host, now)
        self._outcomes.append((outcome, transfer.private))

    def _leave(self, transfer: Transfer, host: str, now: float) -> None:
        del self._active[transfer]
        self._brisk -= transfer.brisk
        transfer.brisk = False
        self._hosts.done(host, now)

    def _keep(self, wire: Wire) -> None:
        if wire.belongs_to(self._settings, self._guard) and len(self._idle) < self._settings.max_transfers:
            self._idle.append(wire)
        else:
            wire.close()

    def _tick(self, now: float) -> None:
        self._next_tick = now + TICK_S
        self._arriving = sum(wire.held_bytes for wire in self._running.values())
        self._resolver.dispatch(now)
        late: list[tuple[Transfer, str]] = []
        for transfer, wire in self._active.items():
            silent_s = now - transfer.seen_at
            if silent_s > BRISK_S and wire is not None and wire.stirs():
                transfer.seen_at, silent_s = now, 0.0
            if transfer.brisk and silent_s > BRISK_S:
                transfer.brisk = False
                self._brisk -= 1
            if cause := self._too_late(transfer, silent_s, now):
                late.append((transfer, cause))
        for transfer, cause in late:
            self._give_up(transfer, cause, now)

    def _too_late(self, transfer: Transfer, silent_s: float, now: float) -> str:
        """Which limit of time a transfer has passed, "" where none."""
        if transfer.resolving and not self._resolver.runs(transfer.target.host):
            # Waiting for a thread of ours is not the origin's fault; it has a limit of its own.
            transfer.deadline += TICK_S
            return f"no turn to look the name up for {PARKED_S:g} s" if silent_s > PARKED_S else ""
        if now >= transfer.deadline:
            return f"not done within {transfer.timeout_s:g} s"
        if silent_s > self._settings.idle_s:
            what = "no answer for the name" if transfer.resolving else "no sign of life"
            return f"{what} for {self._settings.idle_s:g} s"
        return ""

    def _give_up(self, transfer: Transfer, cause: str, now: float) -> None:
        wire = self._active[transfer]
        if wire is not None:
            del self._running[wire.easy]
            self._multi.remove(wire.easy)
            hop = wire.ended(28, cause)
            self._keep(wire)
            if hop.failure is None:  # the head said all that matters
                self._conclude(transfer, hop, now)
                return
        elif transfer.resolving:
            host = transfer.target.host
            self._resolving[host].remove(transfer)
            if not self._resolving[host]:
                del self._resolving[host]
            self._resolver.resent(host, now)
        transfer.spent_s += now - transfer.started
        self._fail(transfer, too_slow(cause), now)

    def _close(self) -> None:
        for easy, wire in self._running.items():
            self._multi.remove(easy)
            wire.close()
        for wire in self._idle:
            wire.close()
        self._multi.close()
        self._resolver.close()


def _not_understood(error: Exception) -> Failure:
    return Failure(FetchBroken, "soft", f"not understood ({type(error).__name__})")


def _no_address(resolved: Resolved) -> Failure:
    error = resolved.error
    code = error.errno if error is not None else None
    missing = isinstance(error, socket.gaierror) and code in (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", -5))
    if missing:
        return Failure(FetchBroken, "hard", f"no such host as {resolved.host}", "check the source's URL")
    return Failure(FetchBroken, "temporary", f"the name {resolved.host} could not be looked up ({error})")
