"""The step *fetch* as the rest of the desk sees it: requests in from any thread, outcomes out. I/O: the network."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import TYPE_CHECKING

from feeds.configuration import FetchSettings, PollSettings
from feeds.errors import FetchError
from feeds.fetch.guard import Guard
from feeds.fetch.resolver import Lookup, system_lookup
from feeds.parsed import Answer, Request

if TYPE_CHECKING:
    from feeds.fetch.loop import Loop, Outcome


class Fetcher:
    """A polite HTTP client for thousands of sources, on one thread of its own. A context manager.

    *user_agent* is sent as it is: product, version, contact. *resolver* takes the place of the system's: a function
    from a host name to its addresses, called on other threads, which may block. Raises UrlError for a bad entry of
    `allow_private`. While *may_begin* says no, no transfer is begun.
    """

    def __init__(
        self,
        settings: FetchSettings,
        poll: PollSettings,
        user_agent: str,
        resolver: Lookup | None = None,
        *,
        may_begin: Callable[[], bool] | None = None,
    ) -> None:
        Guard(settings.ports, settings.allow_private)
        self._limits = settings, poll, user_agent
        self._lookup = resolver or system_lookup
        self._may_begin = may_begin or (lambda: True)
        self._starting = threading.Lock()
        self._loop: Loop | None = None
        self._closed = False
        self._arrived = threading.Condition()
        self._ready: deque[Outcome] = deque()
        self._ready_bytes = 0
        self._open = 0
        self._interrupted = False

    def __enter__(self) -> Fetcher:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def submit(self, request: Request) -> None:
        """Have *request* fetched as soon as its host's turn allows; never blocks. One outcome will come of it."""
        with self._arrived:
            self._open += 1
        self._started().put(request)

    def outcomes(self, wait_s: float, most: int = 256) -> list[Answer | FetchError]:
        """Up to *most* outcomes, oldest first; waits up to *wait_s* for the first, or for `interrupt`. Errors are
        values here.
        """
        with self._arrived:
            if not self._ready and wait_s > 0:
                self._arrived.wait_for(lambda: self._ready or self._interrupted, wait_s)
            self._interrupted = False
            taken = [self._ready.popleft() for _ in range(min(most, len(self._ready)))]
            self._open -= len(taken)
            self._ready_bytes -= sum(len(outcome.body) for outcome in taken if isinstance(outcome, Answer))
        if taken:
            self._started().wake()  # it may have stopped starting because too much lay here
        return taken

    def interrupt(self) -> None:
        """Have the wait of `outcomes` end now, or not begin."""
        with self._arrived:
            self._interrupted = True
            self._arrived.notify_all()

    @property
    def in_flight(self) -> int:
        """How many submitted requests have not been handed out by `outcomes` yet."""
        return self._open

    def fetch(self, request: Request) -> Answer:
        """The answer to one request, ahead of others for its host; raises FetchError. Apart from `outcomes`."""
        reply: SimpleQueue[Outcome] = SimpleQueue()
        self._started().put(request, reply, first=True)
        while True:
            try:
                outcome = reply.get(timeout=1.0)
                break
            except Empty:
                if not self._thread.is_alive():
                    raise RuntimeError("the fetcher is closed") from None
        if isinstance(outcome, FetchError):
            raise outcome
        return outcome

    def configure(self, settings: FetchSettings, poll: PollSettings, user_agent: str) -> None:
        """Take new limits for whatever starts from now on. Raises UrlError for a bad entry of `allow_private`."""
        Guard(settings.ports, settings.allow_private)
        with self._starting:
            self._limits = settings, poll, user_agent
            if (loop := self._loop) is not None:
                loop.order(lambda: loop.configure(settings, poll, user_agent))

    def close(self) -> None:
        """End the thread; what is under way is dropped without an outcome. Closing twice is fine."""
        with self._starting:
            self._closed = True
        if self._loop is not None:
            self._loop.stop()
            self._thread.join()

    def _started(self) -> Loop:
        """The loop, begun with the first request."""
        with self._starting:
            if self._closed:
                raise RuntimeError("the fetcher is closed")
            if self._loop is None:
                from feeds.fetch.loop import Loop  # curl and its TLS: 8 MB that nobody holds who has nothing to fetch

                self._loop = Loop(
                    *self._limits, self._lookup, self._deliver, lambda: self._ready_bytes, self._may_begin
                )
                self._thread = threading.Thread(target=self._loop.run, name="wiredesk-fetch", daemon=True)
                self._thread.start()
            return self._loop

    def _deliver(self, outcomes: list[tuple[Outcome, object]]) -> None:
        shared = []
        for outcome, private in outcomes:
            if isinstance(private, SimpleQueue):
                private.put(outcome)
            else:
                shared.append(outcome)
        if shared:
            with self._arrived:
                self._ready.extend(shared)
                self._ready_bytes += sum(len(outcome.body) for outcome in shared if isinstance(outcome, Answer))
                self._arrived.notify_all()
