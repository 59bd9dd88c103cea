"""Parse workers: up to two processes that read bodies, so that no body can hang, bloat or end the desk. I/O: processes.

A worker that dies says nothing about the body that it held: it may have been killed for want of memory, or by hand. So
the body that it had begun is read once more, alone in its process, and only when that ends the same way is the reading
given up, with the reason. What waited beside it is read again at once, as is all that a worker held that died before it
was warm. A pool of processes from a library can't tell these apart: see
`docs/decisions/0004-parse-workers-of-our-own.md`.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import deque
from typing import Any

from feeds.engine.parse_process import Limits, ParseProcess, Read, Task
from feeds.errors import ParseUnfinished
from feeds.ingest.reading import Job, Reading, read
from feeds.urls import masked

log = logging.getLogger(__name__)

TASKS_PER_PROCESS = 2000  # a fresh process now and then bounds whatever a parser leaks
PILED_UP = 64
STUCK_S = 2.0
AT_ONCE = 2
"""So many bodies are with a process at once: the one that it reads, and the next, for it not to wait for us."""
TRIES = 2
LOOK_EVERY_S = 1.0
START_AGAIN_S = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0)
"""How long after a worker that died before it was warm the next one is started; a machine in trouble needs time."""


class Workers:
    """Reads bodies by *read* in up to *processes* processes, within *limits*.

    None is started before the first body: most polls bring none. A second one is a third of a second's work, as much as
    reading PILED_UP bodies, so it comes when more are waiting, or when the first has not given one back for a while.
    """

    def __init__(self, processes: int = 2, *, limits: Limits | None = None, read: Read = read) -> None:
        self._limits = limits or Limits()
        self._read = read
        self._done: queue.SimpleQueue[tuple[Any, Reading]] = queue.SimpleQueue()
        self._pending = 0
        self._most = processes
        self._looked_at = 0.0
        # What follows is changed by this thread and by those of the processes.
        self._lock = threading.RLock()
        self._waiting: deque[Task] = deque()
        self._suspects: deque[Task] = deque()
        self._processes: list[ParseProcess] = []
        self._moved_at = self._start_at = 0.0
        self._stillborn = 0
        self._closed = False

    @property
    def pending(self) -> int:
        """How many bodies were handed in and not yet given back by `done`."""
        return self._pending

    def submit(self, job: Job, tag: object) -> None:
        """Hand in a body; `done` gives its reading back with *tag*."""
        self._pending += 1
        with self._lock:
            self._waiting.append(Task(job, tag))
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
        if self._pending:
            self._look()
        return ready

    def close(self) -> None:
        """End the processes; what they were reading is read again from the inbox at the next start."""
        with self._lock:
            self._closed = True
            processes = list(self._processes)
        for process in processes:
            process.close()

    def _look(self) -> None:
        """End processes that are past a limit, and start what could not be started before."""
        now = time.monotonic()
        if now - self._looked_at >= LOOK_EVERY_S:
            self._looked_at = now
            for process in list(self._processes):
                process.look(now)
        if self._waiting or self._suspects:
            with self._lock:
                self._hand_out()

    # ------------------------------------------------------------------ with the lock held

    def _hand_out(self) -> None:
        """Give every process what it can take."""
        if self._closed:
            return
        if len(self._processes) < self._most and self._is_another_wanted():
            self._start()
        for process in self._processes:
            while (task := self._next_for(process)) is not None:
                process.give(task)
                if process.given == TASKS_PER_PROCESS:
                    process.retire()

    def _next_for(self, process: ParseProcess) -> Task | None:
        if process.alone or process.given >= TASKS_PER_PROCESS:
            return None
        # A suspect needs a process without any other body, and the first one makes room for it.
        if self._suspects and not process.tasks:
            process.alone = True
            return self._suspects.popleft()
        makes_room = bool(self._suspects) and process is self._processes[0]
        if self._waiting and not makes_room and len(process.tasks) < AT_ONCE:
            return self._waiting.popleft()
        return None

    def _is_another_wanted(self) -> bool:
        now = time.monotonic()
        if not (self._waiting or self._suspects) or now < self._start_at:
            return False
        if not self._processes or len(self._waiting) > PILED_UP:
            return True
        return now - max(self._moved_at, *(process.warm_at for process in self._processes)) > STUCK_S

    def _start(self) -> None:
        self._moved_at = time.monotonic()
        try:
            process = ParseProcess(self._read, self._limits, on_reading=self._take, on_end=self._ended)
        except OSError as error:
            self._wait_before_start(f"could not be started: {error}")
        else:
            self._processes.append(process)

    def _wait_before_start(self, why: str) -> None:
        wait_s = START_AGAIN_S[min(self._stillborn, len(START_AGAIN_S) - 1)]
        self._stillborn += 1
        self._start_at = time.monotonic() + wait_s
        log.error("a parse worker %s; the next one is started in %.1f s", why, wait_s)

    # ------------------------------------------------------------------ called by the processes' threads

    def _take(self, process: ParseProcess, reading: Reading) -> None:
        with self._lock:
            self._moved_at = time.monotonic()
            self._stillborn = 0
            process.alone = False
            self._settle(process.taken(), reading, "met a fault of the desk's own" if reading.bug else "")
            self._hand_out()

    def _ended(self, process: ParseProcess, why: str) -> None:
        with self._lock:
            self._processes.remove(process)
            if self._closed:
                return
            left = list(process.tasks)
            if not process.is_warm:
                self._wait_before_start(f"{why or 'ended'} before it was ready")
            elif left:
                first, why = left.pop(0), why or "ended"
                self._settle(first, _unfinished([*first.ends, why]), why)
            elif why:
                log.warning("a parse worker without work %s", why)
            self._waiting.extendleft(reversed(left))
            self._hand_out()

    def _settle(self, task: Task, reading: Reading, doubt: str) -> None:
        """Give *reading* back; where a *doubt* remains whose fault it is, only after a second try, alone."""
        if doubt:
            task.ends.append(doubt)
        if not doubt or len(task.ends) >= TRIES:
            self._done.put((task.tag, reading))
            return
        name, url = task.job.source.name, masked(task.job.url)
        log.warning("source=%s url=%s: its reader %s; it is read once more, alone", name, url, doubt)
        self._suspects.append(task)


def _unfinished(ends: list[str]) -> Reading:
    """What is known of a body whose readers have ended in the ways of *ends*."""
    *before, last = ends
    again = "" if not before else ", and so did the one before" if before == [last] else f"; the one before {before[0]}"
    return Reading(
        error=ParseUnfinished(
            f"the document could not be read: its reader {last}{again}",
            remedy="it is tried again later; if it stays so, report its address",
        )
    )
