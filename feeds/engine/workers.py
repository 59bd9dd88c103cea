"""Parse workers: processes that read bodies in order, their limits, and what becomes of a body whose reader ended.
I/O: processes, pipes, signals.

A limit is in CPU seconds, set with an interval timer of the kernel's: a busy machine makes a reading late, never
expensive, and code that never comes back to Python is ended as well. Beside it stand a far limit of wall time and one
for a process that holds a body and uses no CPU at all: it was stopped, or waits for something that does not come.

The worker reads in the order in which it is asked, so the first body outstanding is the suspect when it ends: it is
read once more, alone in its process, and only when that ends the same way is the reading given up, with the reason.
What waited beside it is read again at once. Why not a library: `docs/decisions/0004-parse-workers-of-our-own.md`.
"""

from __future__ import annotations

import itertools
import logging
import math
import os
import queue
import resource
import signal
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from feeds import files
from feeds.engine.liveness import LEAST_SHARE, cpu_seconds, end_with_parent, name_process
from feeds.engine.startup import collect_seldom, give_back_memory, set_up_logging, start_process, without_threads
from feeds.errors import ParseError, ParseUnfinished
from feeds.ingest.reading import Job, Reading, read, reading_from_bytes, reading_to_bytes
from feeds.redaction import fault_of_ours
from feeds.urls import masked

log = logging.getLogger(__name__)

OUT_OF_MEMORY = 70
"""The exit code of a worker that its limit of memory stopped."""
MOST_LOOK_S = 2.0
"""Seconds that one look adds at most: whoever slept between two looks has not seen a worker stand still."""
JOIN_S = 5.0

Read = Callable[[Job], Reading]
TASKS_PER_PROCESS = 2000  # a fresh process now and then bounds whatever a parser leaks
PILED_UP = 16
AWAITED_S = 1.0
STUCK_S = 2.0
IDLE_S = 300.0
"""So long after the last body the processes end: each holds 50 to 80 MB, and a start costs a third of a second."""
TRIM_EVERY = 32
"""After so many bodies a process gives back memory that it does not use: it has 50 MB after 300 feeds, not 85, and
32 feeds, which are two seconds' work, cost 10 ms more."""
AT_ONCE = 2
"""So many bodies are with a process at once: the one that it reads, and the next, for it not to wait for us."""
TRIES = 2
LOOK_EVERY_S = 1.0
START_AGAIN_S = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0)
"""How long after a worker that died before it was warm the next one is started; a machine in trouble needs time."""


class Limits(Struct, frozen=True, kw_only=True):
    """What one body may cost. *still_s*: seconds without any use of CPU, where the system tells that of a process."""

    cpu_s: float = 20.0
    wall_s: float = 1800.0
    still_s: float = 60.0
    memory_bytes: int = 2 << 30


class Task(Struct, eq=False):
    """A body to read and the tag to give it back with; *ends* says how the workers ended that had begun with it."""

    job: Job
    tag: object
    ends: list[str] = field(default_factory=list)


class ParseProcess:
    """A process of its own with its two pipes. `give` tasks; *on_reading* and *on_end* are called by another thread.

    Readings come in the order of the tasks, so of those that are left at its end only the first can have been begun.
    *warm_at* is when it had loaded what feeds need (monotonic; infinite until then); before that none has begun.
    """

    def __init__(
        self,
        read: Read,
        limits: Limits,
        *,
        on_reading: Callable[[ParseProcess, Reading], None],
        on_end: Callable[[ParseProcess, str], None],
    ) -> None:
        self.tasks: deque[Task] = deque()
        self.given = 0
        self.alone = False
        self.warm_at = math.inf
        self._limits = limits
        self._on_reading = on_reading
        self._on_end = on_end
        self._killed_for = ""
        self._busy_s = self._still_s = self._cpu_s = 0.0
        self._looked_at = time.monotonic()
        their_jobs, self._jobs = Pipe(duplex=False)
        self._readings, their_readings = Pipe(duplex=False)
        self._orders: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._orders.put((read, limits, os.getpid(), files.cache_folder()))
        self._threads = [
            threading.Thread(target=run, name=f"parse worker: {what}", daemon=True)
            for run, what in ((self._send, "jobs"), (self._receive, "readings"))
        ]
        self._process = start_process("feeds.engine.workers:work", their_jobs, their_readings)
        for thread in self._threads:
            thread.start()

    @property
    def is_warm(self) -> bool:
        """Whether it can read."""
        return self.warm_at < math.inf

    def give(self, task: Task) -> None:
        """Have *task* read after those given before."""
        if not self.tasks:
            self._begin()
        self.tasks.append(task)
        self.given += 1
        self._orders.put(task.job)

    def taken(self) -> Task:
        """The task whose reading has come; the next one is begun with that."""
        self._begin()
        return self.tasks.popleft()

    def look(self, now_s: float) -> None:
        """End the process where it is past a limit that the kernel does not keep; *now_s* is monotonic."""
        gone_s, self._looked_at = min(now_s - self._looked_at, MOST_LOOK_S), now_s
        if self.is_warm and not self.tasks:
            return
        cpu_s = cpu_seconds(self._process.pid)
        self._busy_s += gone_s
        works = cpu_s is None or cpu_s - self._cpu_s > LEAST_SHARE * gone_s
        self._still_s = 0.0 if works else self._still_s + gone_s
        self._cpu_s = cpu_s or 0.0
        if self._still_s > self._limits.still_s:
            self._kill(f"stood still for {self._limits.still_s:.0f} seconds")
        elif self._busy_s > self._limits.wall_s:
            self._kill(f"took more than {self._limits.wall_s:.0f} seconds")

    def retire(self) -> None:
        """Let it end by itself; what was given to it is read before, and it is given nothing more."""
        self.given = TASKS_PER_PROCESS
        self._orders.put(None)

    def close(self) -> None:
        """End it now."""
        self._kill("was ended with the desk")
        for thread in self._threads:
            thread.join(JOIN_S)

    def _begin(self) -> None:
        self._busy_s = self._still_s = 0.0

    def _kill(self, reason: str) -> None:
        self._killed_for = self._killed_for or reason
        self._process.kill()
        self._orders.put(None)

    def _send(self) -> None:
        """Write jobs into the pipe. A thread of its own: a pipe takes less than most bodies have."""
        try:
            while (job := self._orders.get()) is not None:
                self._jobs.send(job)
        except OSError:
            pass  # it has ended, as the other thread sees
        except Exception:
            log.exception("a body could not be given to a parse worker")
            self._kill("could not be given its task")
        finally:
            self._jobs.close()

    def _receive(self) -> None:
        try:
            self._readings.recv_bytes()  # it has loaded all
            self.warm_at = time.monotonic()
            self._begin()
            while True:
                self._on_reading(self, reading_from_bytes(self._readings.recv_bytes()))
        except (EOFError, OSError):
            pass
        except Exception:
            log.exception("what a parse worker gave back could not be taken")
            self._kill("gave back what could not be taken")
        code = self._process.wait()
        self._orders.put(None)
        self._readings.close()
        self._on_end(self, self._killed_for or _how_it_ended(code, self._limits))


def _how_it_ended(code: int, limits: Limits) -> str:
    """Why a worker ended, as the end of the sentence "its worker …"; empty where it was meant to.

    >>> _how_it_ended(-11, Limits())
    'ended with signal 11 (SIGSEGV)'
    """
    if code == 0:
        return ""
    if code == -signal.SIGPROF:
        return f"took more than {limits.cpu_s:g} seconds of CPU time"
    if code == OUT_OF_MEMORY:
        return f"needed more than {limits.memory_bytes >> 20} MiB of memory"
    if code == -signal.SIGKILL:
        return f"was killed (signal {int(signal.SIGKILL)}), as a system does that is out of memory"
    if code < 0:
        return f"ended with signal {-code} ({_name_of(-code)})"
    return f"ended with exit code {code}"


def _name_of(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "of this system"


# ------------------------------------------------------------------ in the process


def work(jobs_fd: int, readings_fd: int) -> None:
    """Read what comes until the pipe is closed; first of all comes by what, and within which limits."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that gives the jobs
    jobs, readings = Connection(jobs_fd, writable=False), Connection(readings_fd, readable=False)
    try:
        read, limits, parent, tables = jobs.recv()
        _prepare(limits.memory_bytes, parent, tables)
        readings.send_bytes(b"warm")
        for count in itertools.count(1):
            job = jobs.recv()
            signal.setitimer(signal.ITIMER_PROF, limits.cpu_s)  # SIGPROF ends a process that does not ask for it
            readings.send_bytes(_reading_of(read, job))
            signal.setitimer(signal.ITIMER_PROF, 0.0)
            if count % TRIM_EVERY == 0:
                del job
                give_back_memory()
    except (EOFError, OSError):
        return
    except MemoryError:
        os._exit(OUT_OF_MEMORY)  # nothing that would have to be allocated


def _prepare(memory_bytes: int, parent: int, tables: Path | None) -> None:
    name_process("reader")
    set_up_logging(os.environ)
    without_threads()  # their stacks would count as memory of the body
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    end_with_parent(parent)
    files.use_cache(tables)
    # Here and not with the first body: what all feeds need must not count as the cost of one.
    from feeds.ingest import readers  # noqa: F401

    collect_seldom()


def _reading_of(read: Read, job: Job) -> bytes:
    """What *read* says of *job*, as bytes: to make them too can fail, and takes time."""
    try:
        return reading_to_bytes(read(job))
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - our bug: told with its traceback, held against no source
        fault = ParseError(fault_of_ours(error), remedy="please report it with the address")
        return reading_to_bytes(Reading(error=fault, bug=traceback.format_exc()))


log = logging.getLogger(__name__)


class Workers:
    """Reads bodies by *read* in up to *processes* processes, within *limits*.

    None is started before the first body: most polls bring none. A second one is a third of a second's work and 60 MB,
    so it comes when more than PILED_UP bodies wait and so does who saves, half of the time and for AWAITED_S at least
    (one process reads twice as many feeds as are decided and saved meanwhile), or when none was read for STUCK_S.
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
        self._moved_at = self._start_at = self._piled_at = self._awaited_s = 0.0
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
        began = time.monotonic()
        while len(ready) < most:
            try:
                ready.append(self._done.get(timeout=wait_s) if wait_s and not ready else self._done.get_nowait())
            except queue.Empty:
                break
        now = time.monotonic()
        if len(self._waiting) > PILED_UP and all(process.is_warm for process in self._processes):
            self._awaited_s += now - began
        else:
            self._piled_at, self._awaited_s = now, 0.0
        self._pending -= len(ready)
        if self._pending:
            self._look()
        return ready

    def rest(self) -> None:
        """To be called now and then while nothing is read: has the processes end that have read nothing for long."""
        if not self._processes or self._pending or time.monotonic() - self._moved_at < IDLE_S:
            return
        with self._lock:
            for process in self._processes:
                process.retire()
        give_back_memory()  # what was decided and saved of all that was read here

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
        if not self._processes or self._awaited_s > max(AWAITED_S, (now - self._piled_at) / 2):
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
