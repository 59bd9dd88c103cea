"""Signs of life, and children that end with their parent. I/O: sockets, signals.

A process that is stopped, or whose loop hangs, does not end: nothing but its silence tells. Signs are datagrams to a
socket of the parent's, one in ten seconds, each with the process id of who lives; whoever has once given one and then
is silent for SILENT_S is killed by the parent, and started again by whoever started it. A process that works is given
ten times as long: on a busy machine what takes a second may take minutes. A child that outlives its parent would hold
ports, locks and claims: it notices and goes.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, MutableMapping
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

LOOK_EVERY_S = 0.5
"""How often a parent is looked for where the system does not tell of its end."""
GRACE_S = 5.0
VARIABLE = "WIREDESK_ALIVE"
EVERY_S = 10.0
SILENT_S = 60.0
"""How long a process may be silent: longer than any lock is waited for, and than a busy machine lets it wait."""
WORKING = 0.1
"""How much of a second of silence counts in which a process used CPU."""
LEAST_SHARE = 0.001
"""Of a core: who uses less does not work. The busiest machine leaves a process of the lowest priority more."""
LONGEST_LOOK_S = 10.0
"""Of silence that one look counts: who was stopped together with its children has not heard them."""


def end_with_parent(parent: int | None = None) -> None:
    """Watch the parent from a daemon thread; when it is gone, end this process as SIGTERM would, then for sure.

    *parent* is its process id where the caller knows it: a parent may be gone before this is called.
    Works on every POSIX system and survives `kill -9` of the parent, which can tell nobody.
    """
    parent = parent or os.getppid()
    threading.Thread(target=_watch, args=(parent,), name="parent-watchdog", daemon=True).start()


def name_process(name: str) -> None:
    """Have `ps -o comm`, `top` and `pgrep` show this process as `wiredesk NAME`, where the system can (Linux)."""
    with suppress(OSError):
        Path("/proc/self/comm").write_text(f"wiredesk {name}"[:15])


def _watch(parent: int) -> None:
    # An event's wait goes by a clock that nobody sets.
    never = threading.Event()
    if (end := _end_of(parent)) is not None:
        end.poll()
    while os.getppid() == parent:
        never.wait(LOOK_EVERY_S)
    os.kill(os.getpid(), signal.SIGTERM)
    never.wait(GRACE_S)
    os._exit(1)


def _end_of(pid: int) -> select.poll | None:
    """What waits for the end of a process, where the system has such a thing (Linux: pidfd_open(2))."""
    if sys.platform != "linux":
        return None
    try:
        descriptor = os.pidfd_open(pid)
    except OSError:  # gone already, or an old kernel
        return None
    waiting = select.poll()
    waiting.register(descriptor, select.POLLIN)
    return waiting


log = logging.getLogger(__name__)


class Signs:
    """Takes signs of life, in the parent. *address* is for the environment of its children (`VARIABLE`)."""

    def __init__(self, *, silent_s: float = SILENT_S, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="wiredesk-")
        self.address = str(Path(self._folder.name) / "alive")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.address)
        self._socket.setblocking(False)
        self._silent_s = silent_s
        self._clock = clock
        self._looked_at = clock()
        self._heard: dict[int, _Heard] = {}

    def look(self) -> bool:
        """Take in what has come, and kill who is silent for too long; whether all who live were heard lately."""
        now = self._clock()
        # Who was stopped with all its children has not heard their silence.
        gone_s, self._looked_at = min(now - self._looked_at, LONGEST_LOOK_S), now
        with suppress(BlockingIOError):
            while True:
                name, _, number = self._socket.recv(200).decode("ascii", "replace").rpartition(" ")
                if number.isdigit():
                    self._heard[int(number)] = _Heard(name, cpu_seconds(int(number)))
        for pid, heard in list(self._heard.items()):
            if not _is_there(pid):
                del self._heard[pid]
                continue
            heard.was_silent(gone_s, cpu_seconds(pid))
            if heard.silent_s > self._silent_s:
                log.error("process %s (%d) has given no sign of life for too long: killed", heard.name, pid)
                del self._heard[pid]
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
        return all(heard.silent_s < self._silent_s / 2 for heard in self._heard.values())

    def close(self) -> None:
        """Take no more."""
        self._socket.close()
        self._folder.cleanup()


class _Heard(Struct):
    """Who has given a sign, the CPU seconds it had used then, and for how long it was silent since."""

    name: str
    cpu_s: float | None
    silent_s: float = 0.0

    def was_silent(self, for_s: float, cpu_s: float | None) -> None:
        works = cpu_s is not None and self.cpu_s is not None and cpu_s - self.cpu_s > LEAST_SHARE * for_s
        self.silent_s += for_s * (WORKING if works else 1.0)
        self.cpu_s = cpu_s


class Alive:
    """Gives signs of life as *name*, where somebody takes them; `beat` as often as wanted."""

    def __init__(self, name: str, address: str | None = None) -> None:
        self._address = os.environ.get(VARIABLE) if address is None else address
        self._sign = f"{name} {os.getpid()}".encode("ascii")
        self._next = 0.0
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) if self._address else None
        if self._socket is not None:
            self._socket.setblocking(False)

    def beat(self) -> None:
        """Give a sign, once in EVERY_S at most."""
        if self._socket is None or self._address is None or time.monotonic() < self._next:
            return
        self._next = time.monotonic() + EVERY_S
        with suppress(OSError):  # nobody there, or too busy to take it
            self._socket.sendto(self._sign, self._address)

    def beat_from_a_thread(self) -> None:
        """Give signs for as long as this process runs at all."""
        threading.Thread(target=self._run, name="signs of life", daemon=True).start()

    def close(self) -> None:
        """Give no more."""
        if self._socket is not None:
            self._socket.close()

    def _run(self) -> None:
        never = threading.Event()
        self.beat()
        while not never.wait(EVERY_S):
            self.beat()


class Systemd:
    """What systemd is told, where it started the desk and asks for it (sd_notify(3)); else nothing."""

    def __init__(self, environ: MutableMapping[str, str]) -> None:
        self._address = environ.pop("NOTIFY_SOCKET", "").replace("@", "\0", 1)
        microseconds = environ.pop("WATCHDOG_USEC", "")
        environ.pop("WATCHDOG_PID", None)
        self._every_s = int(microseconds) / 1e6 / 3 if microseconds.isdigit() else None
        self._next = 0.0

    def tell(self, state: str) -> None:
        """Say *state*, such as READY=1."""
        if self._address:
            with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as to:
                to.sendto(state.encode("ascii"), self._address)

    def feed(self) -> None:
        """Say that the desk lives, as often as the watchdog wants."""
        if self._every_s is not None and time.monotonic() >= self._next:
            self._next = time.monotonic() + self._every_s
            self.tell("WATCHDOG=1")


def cpu_seconds(pid: int | None) -> float | None:
    """The CPU seconds that a process has used, None where the system does not tell."""
    if sys.platform != "linux" or pid is None:
        return None
    try:
        return time.clock_gettime((~pid << 3) | 2)  # the number of its clock, as clock_getcpuclockid(3) gives it
    except OSError:
        return None


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
