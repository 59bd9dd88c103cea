"""The parent process of `wiredesk run`: forks ingest and web, restarts what dies, stops them all. I/O.

It holds the data folder by a lock that the kernel gives back when its holder dies: one desk a folder. It does no work
of its own, so there is little that could end it; what its children hold (claims, transactions) is made to survive
`kill -9`, and they notice when it is gone (`liveness.py`). Why they are forked:
`docs/decisions/0028-processes-are-forked.md`.
"""

from __future__ import annotations

import fcntl
import logging
import multiprocessing
import os
import select
import signal
import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing.context import ForkProcess
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

from feeds.engine.liveness import end_with_parent, name_process
from feeds.errors import DeskError
from feeds.files import make_private

LOOK_EVERY_S, RESTARTING_EVERY_S = 5.0, 0.1
"""How often the parent looks at what nothing tells it, and while a child waits to be started again. The end of a child
and a signal wake it."""
STEADY_S = 60.0
"""A child that ran this long is restarted at once and forgiven what came before."""
BACKOFF_S = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
STOP_S = 15.0
CONFIG_EXIT = 78
"""sysexits.h EX_CONFIG: starting again would not help."""
ANEW_EXIT = 75
"""sysexits.h EX_TEMPFAIL: what all children share is another now; they all have to let go of it and start anew."""

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
DEFAULT_HANDLERS: dict[signal.Signals, Any] = {
    signal.SIGTERM: signal.SIG_DFL,
    signal.SIGINT: signal.default_int_handler,
    signal.SIGCHLD: signal.SIG_DFL,
}
"""As a program is started with them by Python; the parent's own are not for its children."""


class DeskLock:
    """Holds `desk.lock` in a data folder for as long as it is open; a context manager.

    Raises DeskError on entering when another desk has it (naming its process), or the folder can't be written.
    """

    def __init__(self, data: Path, name: str = "desk.lock") -> None:
        self._path = data / name
        self._fd = -1

    def __enter__(self) -> DeskLock:
        try:
            self._fd = self._take()
        except OSError as error:
            raise DeskError(
                f"can't write in the data folder {self._path.parent}: {error.strerror}",
                remedy="make it writable for this user, or name another one with --data",
            ) from error
        return self

    def kept(self) -> bool:
        """Whether the folder is still this desk's. A lock whose file was deleted is made anew, unless another desk has
        done so before.
        """
        try:
            if not os.path.exists(self._path) or not os.path.samestat(os.stat(self._path), os.fstat(self._fd)):
                before, self._fd = self._fd, self._take()
                os.close(before)
        except DeskError:
            return False
        except OSError:
            pass  # the folder can't be looked into or written: whoever comes now can't take it either
        return True

    def _take(self) -> int:
        """The open file with the lock on it. Raises DeskError where another desk has it, else OSError."""
        make_private(self._path.parent)
        # Not inheritable: what is started from here must not keep the lock.
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(fd, 64).decode("ascii", "replace").strip()
            os.close(fd)
            who = f" (process {holder})" if holder else ""
            raise DeskError(
                f"another desk{who} already runs on the data folder {self._path.parent}",
                remedy="stop that one first, or name another folder with --data and another --port",
            ) from error
        with suppress(OSError):  # on a full disk the lock holds, and does not tell whose it is
            os.ftruncate(fd, 0)
            os.pwrite(fd, str(os.getpid()).encode("ascii"), 0)
        return fd

    def let_go(self) -> None:
        """Close the lock in a forked child, which must not keep it where it outlives the parent."""
        os.close(self._fd)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._fd)


def holder(data: Path) -> str | None:
    """The process that holds the lock on *data*, "?" where it can't be told; None where no desk runs there."""
    try:
        fd = os.open(data / "desk.lock", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return os.read(fd, 64).decode("ascii", "replace").strip() or "?"
    finally:
        os.close(fd)
    return None


log = logging.getLogger(__name__)


class Child:
    """One process to keep alive: *name* for people, *main* what it runs.

    It is forked from this process, which has loaded what its children need and has no other thread. So they share what
    they only read, which is most of what a desk at rest holds.
    """

    def __init__(self, name: str, main: Callable[[], object]) -> None:
        self.name = name
        self._main = main
        self._process: ForkProcess | None = None
        self._started_at = 0.0
        self._restart_at = 0.0
        self._restarts = 0
        self.final_exit: int | None = None
        self.wants_all_anew = False

    def start(self) -> None:
        """Start it. It has a process group of its own: Ctrl-C reaches the parent alone, which then stops it in order.

        Not a session: Linux shares a machine out by sessions first (autogroup), and a request takes longest where its
        client has one share beside one for each web process.
        """
        self._started_at = time.monotonic()
        self._process = multiprocessing.get_context("fork").Process(target=self._run, args=(os.getpid(),))
        # A signal that comes before the child has let go of its parent's handlers would be lost.
        signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
        try:
            self._process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)

    def _run(self, parent: int) -> None:
        os.setpgid(0, 0)
        signal.set_wakeup_fd(-1)
        for number, handler in DEFAULT_HANDLERS.items():
            signal.signal(number, handler)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
        name_process(self.name)
        end_with_parent(parent)
        self._main()

    @property
    def runs(self) -> bool:
        """Whether it was started and its end was not seen yet."""
        return self._process is not None

    def look(self) -> None:
        """Restart it when it has died and its back-off is over."""
        if self._process is None:
            if time.monotonic() >= self._restart_at:
                self.start()
            return
        code = self._process.exitcode
        if code is None:
            return
        # What a dead child leaves behind (its own workers) would hold its port or its locks.
        self._kill_group()
        self._process = None
        if code == CONFIG_EXIT:
            self.final_exit = code
            return
        self.wants_all_anew = code == ANEW_EXIT
        if time.monotonic() - self._started_at > STEADY_S:
            self._restarts = 0
        wait_s = BACKOFF_S[min(self._restarts, len(BACKOFF_S) - 1)]
        self._restarts += 1
        self._restart_at = time.monotonic() + wait_s
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        log.error("process %s ended with %s; started again in %.1f s", self.name, how, wait_s)

    def terminate(self) -> None:
        """Ask it to stop."""
        if self._process is not None:
            self._process.terminate()

    def wait(self, until: float) -> None:
        """Wait for its end, by force at *until* (monotonic seconds)."""
        if self._process is None:
            return
        self._process.join(max(0.0, until - time.monotonic()))
        if self._process.exitcode is None:
            log.warning("process %s did not stop in time and is killed", self.name)
        self._kill_group()
        self._process.join()
        self._process = None

    def _kill_group(self) -> None:
        if self._process is not None and self._process.pid is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)


def supervise(
    children: Sequence[Child],
    stop: threading.Event,
    settled: Callable[[], bool] = lambda: True,
    read_ahead: Callable[[], object] = lambda: None,
) -> int:
    """Keep *children* running until *stop* is set or one says that starting it again is no use; returns the exit code.

    *settled* is called at each look, to see to those that run and do nothing; where it says no, the next look is soon.
    *read_ahead* is called before all are started, and before they are started anew. SIGTERM and SIGINT set *stop*.
    """
    waiting = Waiting(stop)
    read_ahead()
    for child in children:
        child.start()
    code, at_rest = 0, False
    try:
        while not waiting.wait(LOOK_EVERY_S if at_rest else RESTARTING_EVERY_S):
            at_rest = settled()
            for child in children:
                child.look()
            if any(child.wants_all_anew for child in children):
                _stop_all(children)
                read_ahead()
                for child in children:
                    child.wants_all_anew = False
                    child.start()
            at_rest &= all(child.runs for child in children)
            ended = next((child.final_exit for child in children if child.final_exit is not None), None)
            if ended is not None:
                code = ended
                break
    finally:
        _stop_all(children)
        waiting.close()
    return code


class Waiting:
    """Waits for *stop*, for the end of a child, or for SIGTERM and SIGINT, which set *stop*.

    Signals are heard by the main thread alone; another one, as of tests, looks now and then.
    """

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._ours, self._theirs = socket.socketpair()
        self._hears = threading.current_thread() is threading.main_thread()
        if self._hears:
            self._ours.setblocking(False)
            self._theirs.setblocking(False)
            signal.set_wakeup_fd(self._theirs.fileno(), warn_on_full_buffer=False)
            signal.signal(signal.SIGTERM, self._on_signal)
            signal.signal(signal.SIGINT, self._on_signal)
            signal.signal(signal.SIGCHLD, lambda number, frame: None)  # what is ignored wakes nobody

    def wait(self, timeout_s: float) -> bool:
        """Wait for at most so long; whether *stop* is set."""
        if not self._hears:
            return self._stop.wait(min(timeout_s, RESTARTING_EVERY_S))
        if not self._stop.is_set() and select.select([self._ours], [], [], timeout_s)[0]:
            with suppress(BlockingIOError):
                self._ours.recv(4096)
        return self._stop.is_set()

    def close(self) -> None:
        """Hear no more."""
        if self._hears:
            signal.set_wakeup_fd(-1)
        self._ours.close()
        self._theirs.close()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._stop.set()


def _stop_all(children: Sequence[Child]) -> None:
    for child in children:
        child.terminate()
    until = time.monotonic() + STOP_S
    for child in children:
        child.wait(until)
