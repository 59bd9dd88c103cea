"""Parse workers: two processes that read bodies, killed at a limit of time or memory with one source charged. I/O.

The processes come from Pebble, whose pool can end a task that does not end by itself and start a fresh process in its
place; the standard library's pool can't. They are spawned, never forked: this process has threads.
"""

from __future__ import annotations

import os
import queue
import resource
from concurrent.futures import TimeoutError as FutureTimeout
from typing import TYPE_CHECKING, Any

from feeds.errors import DeskError, ParseError
from feeds.ingest.reading import Job, Reading, read

if TYPE_CHECKING:
    from concurrent.futures import Future

    from pebble import ProcessPool

TASKS_PER_PROCESS = 2000  # a fresh process now and then bounds whatever a parser leaks
CLOSE_TIMEOUT_S = 5.0


class Workers:
    """Reads bodies in *processes* processes; a body has *timeout_s* seconds and *memory_bytes* of address space.

    Nothing is started before the first body: most polls bring none.
    """

    def __init__(self, processes: int = 2, *, timeout_s: float = 20.0, memory_bytes: int = 2 << 30) -> None:
        self._timeout_s = timeout_s
        self._memory_bytes = memory_bytes
        self._done: queue.SimpleQueue[tuple[Any, Reading]] = queue.SimpleQueue()
        self._pending = 0
        self._processes = processes
        self._pool: ProcessPool | None = None

    @property
    def pending(self) -> int:
        """How many bodies were handed in and not yet given back by `done`."""
        return self._pending

    def submit(self, job: Job, tag: object) -> None:
        """Hand in a body; `done` gives its reading back with *tag*."""
        if self._pool is None:
            self._pool = self._started()
        self._pending += 1
        future = self._pool.schedule(read, args=(job,), timeout=self._timeout_s)
        future.add_done_callback(lambda ended: self._done.put((tag, self._reading_of(ended))))

    def done(self, wait_s: float = 0.0, most: int = 256) -> list[tuple[Any, Reading]]:
        """The readings that are ready, waiting up to *wait_s* for the first."""
        ready: list[tuple[Any, Reading]] = []
        while len(ready) < most:
            try:
                ready.append(self._done.get(timeout=wait_s) if wait_s and not ready else self._done.get_nowait())
            except queue.Empty:
                break
        self._pending -= len(ready)
        return ready

    def close(self) -> None:
        """End the processes; what they were reading is read again from the inbox at the next start."""
        if self._pool is not None:
            self._pool.stop()  # type: ignore[no-untyped-call]
            self._pool.join(timeout=CLOSE_TIMEOUT_S)

    def _started(self) -> ProcessPool:
        import multiprocessing

        from pebble import ProcessPool

        return ProcessPool(
            max_workers=self._processes,
            max_tasks=TASKS_PER_PROCESS,
            initializer=_prepare,
            initargs=(self._memory_bytes, os.getpid()),
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


def _prepare(memory_bytes: int, parent: int) -> None:
    # Here and not with the first body, whose time limit the imports would eat on a busy machine.
    from feeds import normalise, parse  # noqa: F401
    from feeds.engine.entrance import collect_seldom
    from feeds.engine.lifeline import end_with_parent
    from feeds.parse import documents  # noqa: F401

    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    end_with_parent(parent)
    collect_seldom()
