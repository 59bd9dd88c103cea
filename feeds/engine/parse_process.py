"""One parse worker: a process that reads bodies in order, its limits, and why it ended. I/O: processes, pipes, signals.

A limit is in CPU seconds, set with an interval timer of the kernel's: a busy machine makes a reading late, never
expensive, and code that never comes back to Python is ended as well. Beside it stand a far limit of wall time and one
for a process that holds a body and uses no CPU at all: it was stopped, or waits for something that does not come.
"""

from __future__ import annotations

import logging
import math
import multiprocessing
import os
import queue
import resource
import signal
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler
from pathlib import Path

from feeds import files
from feeds.engine.liveness import LEAST_SHARE, cpu_seconds
from feeds.errors import ParseError
from feeds.ingest.reading import Job, Reading
from feeds.redaction import fault_of_ours

log = logging.getLogger(__name__)

OUT_OF_MEMORY = 70
"""The exit code of a worker that its limit of memory stopped."""
MOST_LOOK_S = 2.0
"""Seconds that one look adds at most: whoever slept between two looks has not seen a worker stand still."""
JOIN_S = 5.0

Read = Callable[[Job], Reading]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one body may cost. *still_s*: seconds without any use of CPU, where the system tells that of a process."""

    cpu_s: float = 20.0
    wall_s: float = 1800.0
    still_s: float = 60.0
    memory_bytes: int = 2 << 30


@dataclass(slots=True, eq=False)
class Task:
    """A body to read and the tag to give it back with; *ends* says how the workers ended that had begun with it."""

    job: Job
    tag: object
    ends: list[str] = field(default_factory=list)


class ParseProcess:
    """A process of its own with its two pipes. `give` tasks; *on_reading* and *on_end* are called by another thread.

    Readings come in the order of the tasks, so of those that are left at its end only the first can have been begun.
    *warm_at* is when it had loaded what all readings need (monotonic; infinite until then); before that none has begun.
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
        spawn = multiprocessing.get_context("spawn")
        their_jobs, self._jobs = spawn.Pipe(duplex=False)
        self._readings, their_readings = spawn.Pipe(duplex=False)
        self._process = spawn.Process(
            target=_work,
            args=(read, their_jobs, their_readings, limits, os.getpid(), files.cache_folder()),
            name="parse worker",
            daemon=True,
        )
        self._orders: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=run, name=f"parse worker: {what}", daemon=True)
            for run, what in ((self._send, "jobs"), (self._receive, "readings"))
        ]
        try:
            self._process.start()
        finally:
            their_jobs.close()
            their_readings.close()
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
        """Let it end by itself; what was given to it is read before."""
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
            while True:
                told = self._readings.recv()
                if isinstance(told, Reading):
                    self._on_reading(self, told)
                else:
                    self.warm_at = time.monotonic()
                    self._begin()
        except (EOFError, OSError):
            pass
        except Exception:
            log.exception("what a parse worker gave back could not be taken")
            self._kill("gave back what could not be taken")
        code = self._exit_code()
        self._orders.put(None)
        self._readings.close()
        self._on_end(self, self._killed_for or _how_it_ended(code, self._limits))

    def _exit_code(self) -> int | None:
        """Wait for its end; None where somebody else has taken note of that first."""
        self._process.join()
        for _ in range(100):
            if (code := self._process.exitcode) is not None:
                return code
            time.sleep(0.01)  # another thread, that starts a process, may just be about to say
        return None


def _how_it_ended(code: int | None, limits: Limits) -> str:
    """Why a worker ended, as the end of the sentence "its worker …"; empty where it was meant to.

    >>> _how_it_ended(-11, Limits())
    'ended with signal 11 (SIGSEGV)'
    """
    if code == 0:
        return ""
    if code is None:
        return "ended"
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


def _work(read: Read, jobs: Connection, readings: Connection, limits: Limits, parent: int, tables: Path | None) -> None:
    """Read what comes until the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that gives the jobs
    try:
        _prepare(limits.memory_bytes, parent, tables)
        readings.send("warm")
        while True:
            job = jobs.recv()
            signal.setitimer(signal.ITIMER_PROF, limits.cpu_s)  # SIGPROF ends a process that does not ask for it
            readings.send_bytes(_reading_of(read, job))
            signal.setitimer(signal.ITIMER_PROF, 0.0)
    except (EOFError, OSError):
        return
    except MemoryError:
        os._exit(OUT_OF_MEMORY)  # nothing that would have to be allocated


def _prepare(memory_bytes: int, parent: int, tables: Path | None) -> None:
    from feeds.engine.entrance import collect_seldom, without_threads
    from feeds.engine.lifeline import end_with_parent
    from feeds.engine.logs import set_up_logging

    set_up_logging(os.environ)
    without_threads()  # their stacks would count as memory of the body
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    end_with_parent(parent)
    files.use_cache(tables)
    # Here and not with the first body: what is loaded once must not count as the cost of one.
    from feeds import normalise, parse  # noqa: F401

    normalise.warm()
    collect_seldom()


def _reading_of(read: Read, job: Job) -> memoryview:
    """What *read* says of *job*, pickled: that too can fail, and takes time."""
    try:
        return ForkingPickler.dumps(read(job))
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - our bug: told with its traceback, held against no source
        fault = ParseError(fault_of_ours(error), remedy="please report it with the address")
        return ForkingPickler.dumps(Reading(error=fault, bug=traceback.format_exc()))
