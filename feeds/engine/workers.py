"""Parse workers: up to two processes that read bodies, with limits of time and memory that charge one source. I/O.

The processes come from Pebble, whose pool can end a task that does not end by itself and start a fresh process in its
place; the standard library's pool can't. They are spawned, never forked: this process has threads.
"""

from __future__ import annotations

import os
import queue
import resource
import threading
import time
from collections import deque
from concurrent.futures import TimeoutError as FutureTimeout
from functools import partial
from typing import TYPE_CHECKING, Any

from feeds import kept
from feeds.errors import DeskError, ParseError
from feeds.ingest.reading import Job, Reading, read

if TYPE_CHECKING:
    from concurrent.futures import Future
    from pathlib import Path

    from pebble import ProcessPool

TASKS_PER_PROCESS = 2000  # a fresh process now and then bounds whatever a parser leaks
CLOSE_TIMEOUT_S = 5.0
PILED_UP = 64
STUCK_S = 2.0
AT_ONCE = 2
"""So many bodies are with a process at once: the one that it reads, and the next, for it not to wait for us."""


class Workers:
    """Reads bodies in up to *processes* processes; a body has *timeout_s* seconds and *memory_bytes* of address space.

    None is started before the first body: most polls bring none. A second one is a third of a second's work, as much as
    reading PILED_UP bodies, so it comes when more are waiting, or when the first has not given one back for a while.
    """

    def __init__(self, processes: int = 2, *, timeout_s: float = 20.0, memory_bytes: int = 2 << 30) -> None:
        self._timeout_s = timeout_s
        self._memory_bytes = memory_bytes
        self._done: queue.SimpleQueue[tuple[Any, Reading]] = queue.SimpleQueue()
        self._pending = 0
        self._processes = processes
        # What follows is changed by this thread and by those of the pools.
        self._lock = threading.RLock()
        self._waiting: deque[tuple[Job, object]] = deque()
        self._held: dict[ProcessPool, int] = {}
        self._moved_at = 0.0
        self._closed = False

    @property
    def pending(self) -> int:
        """How many bodies were handed in and not yet given back by `done`."""
        return self._pending

    def submit(self, job: Job, tag: object) -> None:
        """Hand in a body; `done` gives its reading back with *tag*."""
        self._pending += 1
        with self._lock:
            self._waiting.append((job, tag))
            self._hand_out()

    def done(self, wait_s: float = 0.0, most: int = 256) -> list[tuple[Any, Reading]]:
        """The readings that are ready, waiting up to *wait_s* for the first."""
        ready: list[tuple[Any, Reading]] = []
        while len(ready) < most:
            try:
                ready.append(self._done.get(timeout=wait_s) if wait_s and not ready else self._done.get_nowait())
            except queue.Empty:
                break
        self._pending -= len(ready)
        if not ready and self._waiting:
            with self._lock:
                self._hand_out()
        return ready

    def close(self) -> None:
        """End the processes; what they were reading is read again from the inbox at the next start."""
        with self._lock:
            self._closed = True
            pools = list(self._held)
        for pool in pools:
            pool.stop()  # type: ignore[no-untyped-call]
        for pool in pools:
            pool.join(timeout=CLOSE_TIMEOUT_S)

    def _hand_out(self) -> None:
        """Give every process what it can take; the lock is held."""
        if self._closed:
            return
        if len(self._held) < self._processes and self._is_another_wanted():
            self._held[self._started()] = 0
            self._moved_at = time.monotonic()
        for pool in list(self._held):
            while self._waiting and self._held.get(pool, AT_ONCE) < AT_ONCE:
                job, tag = self._waiting[0]
                try:
                    future = pool.schedule(read, args=(job,), timeout=self._timeout_s)
                except RuntimeError:  # its only process ended between two bodies: killed from outside
                    del self._held[pool]
                    self._hand_out()
                    return
                self._waiting.popleft()
                self._held[pool] += 1
                future.add_done_callback(partial(self._give_back, pool, tag))

    def _is_another_wanted(self) -> bool:
        if not self._held or len(self._waiting) > PILED_UP:
            return bool(self._waiting)
        return bool(self._waiting) and time.monotonic() - self._moved_at > STUCK_S

    def _give_back(self, pool: ProcessPool, tag: object, ended: Future[Reading]) -> None:
        self._done.put((tag, self._reading_of(ended)))
        with self._lock:
            self._moved_at = time.monotonic()
            if pool in self._held:
                self._held[pool] -= 1
            self._hand_out()

    def _started(self) -> ProcessPool:
        import multiprocessing

        from pebble import ProcessPool

        return ProcessPool(
            max_workers=1,
            max_tasks=TASKS_PER_PROCESS,
            initializer=_prepare,
            initargs=(self._memory_bytes, os.getpid(), kept.folder()),
            context=multiprocessing.get_context("spawn"),
        )

    def _reading_of(self, future: Future[Reading]) -> Reading:
        from pebble import ProcessExpired

        try:
            return future.result()
        except FutureTimeout:
            cause = f"reading the document took more than {self._timeout_s:.0f} seconds and was ended"
        except (ProcessExpired, MemoryError):
            cause = f"reading the document ended its worker, most likely at the limit of {self._memory_bytes >> 20} MiB"
        except DeskError as error:
            return Reading(error=error)
        except Exception as error:  # noqa: BLE001 - our bug, charged to this source alone and logged by the flow
            return Reading(error=ParseError(f"a fault of the desk's own: {error!r}"), bug=_trace(error))
        return Reading(error=ParseError(cause, remedy="the source is asked again later; if it stays, report its URL"))


def _trace(error: BaseException) -> str:
    # The pool sends the worker's own traceback along as the cause, as text.
    return str(error.__cause__ or error)


def _prepare(memory_bytes: int, parent: int, tables: Path | None) -> None:
    # Here and not with the first body, whose time limit the imports would eat on a busy machine.
    from feeds import normalise, parse  # noqa: F401
    from feeds.engine.entrance import collect_seldom, without_threads
    from feeds.engine.lifeline import end_with_parent

    without_threads()  # their stacks would count as memory of the body
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    end_with_parent(parent)
    kept.use(tables)
    collect_seldom()
