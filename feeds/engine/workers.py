"""Parse workers: up to two processes that read bodies, with limits of time and memory that charge one source. I/O.

A thread for each hands it one body after another and waits; a body that takes too long, or ends its process, costs
that process and nothing else, and the next body gets a fresh one.
"""

from __future__ import annotations

import queue
import threading
import time
from traceback import format_exc
from typing import Any

from feeds.engine.parse_worker import Child, NotTaken, Outcome
from feeds.errors import DeskError, ParseError
from feeds.ingest.reading import Job, Reading, read

TASKS_PER_PROCESS = 2000  # a fresh process now and then bounds whatever a parser leaks
CLOSE_TIMEOUT_S = 5.0
PILED_UP = 64
STUCK_S = 2.0


class Workers:
    """Reads bodies in up to *processes* processes; a body has *timeout_s* seconds and *memory_bytes* of address space.

    None is started before the first body: most polls bring none. A second one is a third of a second's work, as much as
    reading PILED_UP bodies, so it comes when more are waiting, or when the first has not given one back for a while.
    """

    def __init__(self, processes: int = 2, *, timeout_s: float = 20.0, memory_bytes: int = 2 << 30) -> None:
        self._timeout_s = timeout_s
        self._memory_bytes = memory_bytes
        self._processes = processes
        self._waiting: queue.SimpleQueue[tuple[Job, object] | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[tuple[Any, Reading]] = queue.SimpleQueue()
        self._pending = 0
        self._threads: list[threading.Thread] = []
        self._moved_at = 0.0
        self._lock = threading.Lock()
        self._closed = False
        self._children: set[Child] = set()

    @property
    def pending(self) -> int:
        """How many bodies were handed in and not yet given back by `done`."""
        return self._pending

    def submit(self, job: Job, tag: object) -> None:
        """Hand in a body; `done` gives its reading back with *tag*."""
        self._pending += 1
        self._waiting.put((job, tag))
        self._start_another_if_wanted()

    def done(self, wait_s: float = 0.0, most: int = 256) -> list[tuple[Any, Reading]]:
        """The readings that are ready, waiting up to *wait_s* for the first."""
        ready: list[tuple[Any, Reading]] = []
        while len(ready) < most:
            try:
                ready.append(self._done.get(timeout=wait_s) if wait_s and not ready else self._done.get_nowait())
            except queue.Empty:
                break
        self._pending -= len(ready)
        if ready:
            self._moved_at = time.monotonic()
        else:
            self._start_another_if_wanted()
        return ready

    def close(self) -> None:
        """End the processes; what they were reading is read again from the inbox at the next start."""
        with self._lock:
            self._closed = True
            children = list(self._children)
        for _ in self._threads:
            self._waiting.put(None)
        for child in children:
            child.kill()
        for thread in self._threads:
            thread.join(CLOSE_TIMEOUT_S)

    def _start_another_if_wanted(self) -> None:
        waiting = self._waiting.qsize()
        if not waiting or len(self._threads) >= self._processes:
            return
        if not self._threads or waiting > PILED_UP or time.monotonic() - self._moved_at > STUCK_S:
            self._moved_at = time.monotonic()
            thread = threading.Thread(target=self._serve, name=f"parse worker {len(self._threads) + 1}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self) -> None:
        """Read what is waiting, until closed."""
        child: Child | None = None
        try:
            while (waiting := self._waiting.get()) is not None and not self._closed:
                job, tag = waiting
                child, reading = self._read(child, job)
                if not self._closed:
                    self._done.put((tag, reading))
        finally:
            self._let_go(child)

    def _read(self, child: Child | None, job: Job) -> tuple[Child | None, Reading]:
        """What *job* says, and the child that the next one may have."""
        if child is None or child.tasks >= TASKS_PER_PROCESS:
            self._let_go(child)
            try:
                child = self._started()
            except (OSError, EOFError) as error:  # TimeoutError is an OSError
                bug = f"a parse worker did not start: {error!r}"
                return None, Reading(error=ParseError(f"a fault of the desk's own: {bug}"), bug=bug)
        try:
            return child, _reading_of(child.ask(read, job, self._timeout_s), self._memory_bytes)
        except NotTaken:
            if child.tasks > 1 and not self._closed:  # killed from outside, between two bodies
                self._let_go(child)
                return self._read(None, job)
            cause = _ended(self._memory_bytes)
        except TimeoutError:
            cause = f"reading the document took more than {self._timeout_s:.0f} seconds and was ended"
        except (OSError, EOFError):
            cause = _ended(self._memory_bytes)
        except Exception as error:  # noqa: BLE001 - what can't cross the pipe is a fault of ours; this thread goes on
            self._let_go(child)
            return None, Reading(error=ParseError(f"a fault of the desk's own: {error!r}"), bug=format_exc())
        self._let_go(child)
        return None, _charged(cause)

    def _started(self) -> Child:
        child = Child(self._memory_bytes)
        with self._lock:
            self._children.add(child)
            if self._closed:
                child.kill()
        return child

    def _let_go(self, child: Child | None) -> None:
        if child is not None:
            with self._lock:
                self._children.discard(child)
            child.end()


def _reading_of(outcome: Outcome, memory_bytes: int) -> Reading:
    match outcome:
        case ("done", Reading() as reading):
            return reading
        case ("done", DeskError() as error):
            return Reading(error=error)
        case ("memory", _):
            return _charged(_ended(memory_bytes))
        case (_, (line, trace)):
            return Reading(error=ParseError(f"a fault of the desk's own: {line}"), bug=trace)
    return Reading(error=ParseError("a fault of the desk's own: no reading came back"), bug=repr(outcome)[:500])


def _ended(memory_bytes: int) -> str:
    return f"reading the document ended its worker, most likely at the limit of {memory_bytes >> 20} MiB"


def _charged(cause: str) -> Reading:
    return Reading(error=ParseError(cause, remedy="the source is asked again later; if it stays, report its URL"))
