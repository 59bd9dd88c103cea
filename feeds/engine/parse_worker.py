"""The child process of a parse worker, and the pipe to it: a job goes in, its outcome comes out, each in time. I/O.

Started as a program of its own, never forked: the desk has threads. What crosses the pipe are pickled values, each
behind its length. Whatever a library prints goes to standard error.
"""

from __future__ import annotations

import os
import pickle
import resource
import select
import signal
import struct
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, Literal

from feeds import kept
from feeds.errors import DeskError

START_S = 60.0
"""For starting and importing, which the time limit of no body should pay for."""

_LENGTH = struct.Struct("<Q")

Outcome = tuple[Literal["ready", "taken", "done", "memory", "fault"], Any]
"""``done`` comes with what the job gave or the DeskError that it raised, ``fault`` with a line and a traceback."""


class NotTaken(Exception):
    """The child ended before it took the job, which is not to blame."""


class Child:
    """A running child. Not for several threads, but for `kill`."""

    def __init__(self, memory_bytes: int) -> None:
        """Start it. Raises OSError, EOFError or TimeoutError where it does not come up."""
        tables = kept.folder()
        path = os.pathsep.join(folder or os.getcwd() for folder in sys.path)
        self.tasks = 0
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, str(memory_bytes), str(os.getpid()), str(tables) if tables else ""],
            env=os.environ | {"PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1"},  # threads cost address space
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._to, self._from = self._process.stdin.fileno(), self._process.stdout.fileno()
        os.set_blocking(self._to, False)
        os.set_blocking(self._from, False)
        try:
            self._receive(time.monotonic() + START_S)
        except BaseException:
            self.end()
            raise

    def ask(self, function: Callable[[Any], Any], job: Any, timeout_s: float) -> Outcome:
        """What *function* gives for *job* there.

        Raises TimeoutError, EOFError or OSError where the child ended over it, and NotTaken.
        """
        until = time.monotonic() + timeout_s
        self.tasks += 1
        body = pickle.dumps((function, job), pickle.HIGHEST_PROTOCOL)
        try:
            self._send(body, until)
            self._receive(until)
        except TimeoutError:
            raise
        except (EOFError, OSError) as error:
            raise NotTaken from error
        return self._receive(until)

    def kill(self) -> None:
        """Stop it at once; who waits for it gets an EOFError."""
        self._process.kill()

    def end(self) -> None:
        """Stop it and let go of all that it held."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _send(self, body: bytes, until: float) -> None:
        left = memoryview(_LENGTH.pack(len(body)) + body)
        while left:
            _wait(self._to, select.POLLOUT, until)
            left = left[os.write(self._to, left) :]

    def _receive(self, until: float) -> Outcome:
        (length,) = _LENGTH.unpack(self._read(_LENGTH.size, until))
        outcome: Outcome = pickle.loads(self._read(length, until))
        return outcome

    def _read(self, size: int, until: float) -> bytearray:
        found = bytearray()
        while len(found) < size:
            _wait(self._from, select.POLLIN, until)
            some = os.read(self._from, min(size - len(found), 1 << 20))
            if not some:
                raise EOFError("the parse worker ended")
            found += some
        return found


def _wait(pipe: int, event: int, until: float) -> None:
    poll = select.poll()
    poll.register(pipe, event)
    if not poll.poll(max(0.0, until - time.monotonic()) * 1000):
        raise TimeoutError


# --------------------------------------------------------------------------- in the child


def main(memory_bytes: int, parent: int, tables: Path | None) -> None:
    """Do jobs from standard input until it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole group; the parent ends its children
    jobs, outcomes = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    _prepare(memory_bytes, parent, tables)
    _tell(outcomes, ("ready", None))
    while head := jobs.read(_LENGTH.size):
        body = jobs.read(*_LENGTH.unpack(head))
        _tell(outcomes, ("taken", None))
        _tell(outcomes, _done(body))


def _prepare(memory_bytes: int, parent: int, tables: Path | None) -> None:
    # Here and not with the first body, whose time limit the imports would eat on a busy machine.
    from feeds import normalise, parse  # noqa: F401
    from feeds.engine.entrance import collect_seldom
    from feeds.engine.lifeline import end_with_parent

    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    end_with_parent(parent)
    kept.use(tables)
    collect_seldom()


def _done(body: bytes) -> Outcome:
    try:
        function, job = pickle.loads(body)
        return "done", function(job)
    except MemoryError:
        return "memory", None
    except DeskError as error:
        return "done", error
    except BaseException as error:  # noqa: BLE001 - a fault of ours, told with its traceback; the next job goes on
        return "fault", (repr(error), traceback.format_exc())


def _tell(outcomes: BinaryIO, outcome: Outcome) -> None:
    try:
        body = pickle.dumps(outcome, pickle.HIGHEST_PROTOCOL)
    except MemoryError:
        body = pickle.dumps(("memory", None))
    except Exception as error:  # noqa: BLE001 - what can't be pickled is a fault of ours
        body = pickle.dumps(("fault", (repr(error), traceback.format_exc())))
    outcomes.write(_LENGTH.pack(len(body)) + body)
    outcomes.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]) if sys.argv[3] else None)
