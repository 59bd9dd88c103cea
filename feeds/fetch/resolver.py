"""Names to addresses on threads of our own, so that hanging names hold up nobody. I/O: the system's resolver.

libcurl's own look-ups share a few threads: fifty names that hang among five hundred made half of the good ones time
out. Here a look-up that takes long gives its place to the next one, and a host that failed lately waits in a small
lane of its own.
"""

from __future__ import annotations

import socket
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import NamedTuple

from msgspec import Struct

Lookup = Callable[[str], Sequence[str]]
"""A host name to its addresses, best first; may block; raises OSError (socket.gaierror) where there are none."""


class Resolved(NamedTuple):
    """What a look-up brought: *addresses*, or the *error* it failed with."""

    host: str
    addresses: tuple[str, ...]
    error: OSError | None = None


def system_lookup(host: str) -> list[str]:
    """The addresses that the system knows for *host*, in its order of preference (RFC 6724)."""
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class _Run(Struct):
    host: str
    start: float
    slow: bool
    brisk: bool = True


class Resolver:
    """Looks names up on threads; all methods but the look-up itself belong to one calling thread.

    At most *brisk* look-ups younger than *brisk_s* run at once; older ones do not count any more, up to *most*
    threads. Hosts that failed within *grudge_s* share *slow_lane* threads. Answers are kept for *ttl_s* (the
    system's resolver tells no TTL), failures for *failure_ttl_s*, *cache_size* names at most. *wake* is called from
    a look-up's thread when `answers` has something.
    """

    def __init__(
        self,
        lookup: Lookup,
        wake: Callable[[], None],
        *,
        brisk: int = 64,
        brisk_s: float = 0.1,
        most: int = 512,
        slow_lane: int = 8,
        grudge_s: float = 3600.0,
        ttl_s: float = 60.0,
        failure_ttl_s: float = 5.0,
        cache_size: int = 10_000,
    ) -> None:
        self._lookup = lookup
        self._wake = wake
        self._brisk = brisk
        self._brisk_s = brisk_s
        self._most = most
        self._slow_lane = slow_lane
        self._grudge_s = grudge_s
        self._ttl_s = ttl_s
        self._failure_ttl_s = failure_ttl_s
        self._cache_size = cache_size
        self._cache: OrderedDict[str, tuple[float, Resolved]] = OrderedDict()
        self._failed: OrderedDict[str, float] = OrderedDict()
        self._waiting: deque[str] = deque()
        self._waiting_slow: deque[str] = deque()
        self._running: dict[str, _Run] = {}
        self._young: deque[_Run] = deque()  # in the order of their starts; ended ones stay until they are old
        self._brisk_running = 0
        self._slow_running = 0
        self._asked: set[str] = set()
        self._jobs: SimpleQueue[str | None] = SimpleQueue()
        self._answers: deque[Resolved] = deque()
        self._threads = 0

    def known(self, host: str, now: float) -> Resolved | None:
        """What is remembered of *host*; None where it has to be asked for."""
        kept = self._cache.get(host)
        if kept is None:
            return None
        if kept[0] <= now:
            del self._cache[host]
            return None
        return kept[1]

    def ask(self, host: str, now: float) -> None:
        """Have *host* looked up; its answer comes out of `answers`, once however often it was asked for."""
        if host in self._asked:
            return
        self._asked.add(host)
        failed_at = self._failed.get(host)
        if failed_at is not None and now - failed_at < self._grudge_s:
            self._waiting_slow.append(host)
        else:
            self._waiting.append(host)
        self.dispatch(now)

    def resent(self, host: str, now: float) -> None:
        """*host* failed, or has not answered in time: its next look-ups take the slow lane."""
        self._failed[host] = now
        self._failed.move_to_end(host)
        if len(self._failed) > self._cache_size:
            self._failed.popitem(last=False)

    def answers(self, now: float) -> list[Resolved]:
        """The look-ups that have ended since the last call; gives their threads new ones."""
        ended: list[Resolved] = []
        while self._answers:
            resolved = self._answers.popleft()
            run = self._running.pop(resolved.host)
            self._slow_running -= run.slow
            self._brisk_running -= run.brisk
            run.brisk = False
            self._asked.discard(resolved.host)
            self._remember(resolved, now)
            ended.append(resolved)
        self.dispatch(now)
        return ended

    def dispatch(self, now: float) -> None:
        """Start what may start; called at least every *brisk_s* while anything waits."""
        while self._young and self._young[0].start <= now - self._brisk_s:
            run = self._young.popleft()
            self._brisk_running -= run.brisk
            run.brisk = False
        while self._waiting_slow and self._slow_running < self._slow_lane:
            self._start(self._waiting_slow.popleft(), now, slow=True)
        room = self._most - self._slow_lane + self._slow_running
        while self._waiting and len(self._running) < room and self._brisk_running < self._brisk:
            self._start(self._waiting.popleft(), now, slow=False)
        self._dismiss()

    def runs(self, host: str) -> bool:
        """Whether the look-up of *host* has begun; False while it waits for a thread."""
        return host in self._running

    @property
    def parked(self) -> int:
        """How many hosts wait for the slow lane."""
        return len(self._waiting_slow)

    def close(self) -> None:
        """Let the threads end; those inside a hanging look-up end with the process."""
        self._waiting.clear()
        self._waiting_slow.clear()
        for _ in range(self._threads):
            self._jobs.put(None)

    def _start(self, host: str, now: float, *, slow: bool) -> None:
        run = self._running[host] = _Run(host, now, slow, brisk=not slow)
        if slow:
            self._slow_running += 1
        else:
            self._brisk_running += 1
            self._young.append(run)
        if len(self._running) > self._threads:
            self._threads += 1
            threading.Thread(target=self._work, name="wiredesk-resolver", daemon=True).start()
        self._jobs.put(host)

    def _dismiss(self) -> None:
        """Send spare threads home once a crowd of hanging names has passed."""
        while self._threads > max(self._brisk, 2 * len(self._running)):
            self._threads -= 1
            self._jobs.put(None)

    def _remember(self, resolved: Resolved, now: float) -> None:
        if resolved.error is None:
            self._failed.pop(resolved.host, None)
        else:
            self.resent(resolved.host, now)
        ttl_s = self._ttl_s if resolved.error is None else self._failure_ttl_s
        self._cache[resolved.host] = (now + ttl_s, resolved)
        self._cache.move_to_end(resolved.host)
        if len(self._cache) > self._cache_size:
            self._cache.popitem(last=False)

    def _work(self) -> None:
        while (host := self._jobs.get()) is not None:
            self._answers.append(self._look_up(host))
            self._wake()

    def _look_up(self, host: str) -> Resolved:
        try:
            addresses = tuple(self._lookup(host))
        except OSError as error:
            return Resolved(host, (), error)
        except Exception as error:  # a name that no resolver can even encode
            return Resolved(host, (), OSError(f"{type(error).__name__}: {error}"))
        return Resolved(host, addresses) if addresses else Resolved(host, (), OSError("no address"))
