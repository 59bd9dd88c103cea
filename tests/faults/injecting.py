"""What fails, and when: one kind of operation, from the n-th on, for so many times. Patches what the desk calls.

    faults = Faults(folder)
    with faults.in_place():
        faults.plan("commit", at=3, lasts=2)
        with faults.on():
            ...                     # here the third and fourth commit fail
        faults.struck               # how many did

Only what is done between `on` and its end counts, so that origins and checks in the same process meet no fault.
"""

from __future__ import annotations

import errno
import sqlite3
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

WRITES = ("INSERT", "UPDATE", "DELETE", "REPLACE", "CREATE", "ALTER", "DROP")

KINDS = {
    "begin": "a transaction that writes can't begin: the database is locked",
    "write": "a statement that writes: the disk is full",
    "read": "a statement that reads: the disk gives errors",
    "commit": "a commit: nothing of it is there",
    "commit unheard": "a commit: all of it is there, its answer is lost",
    "connect": "the database can't be opened",
    "open": "a file of the data or config folder can't be opened: too many are open",
    "path": "a folder or file can't be made, linked, renamed or removed: no space left",
    "transfer reset": "the origin resets the connection",
    "transfer cut": "the origin breaks off in the middle of a body",
    "transfer refused": "the origin answers 500",
    "worker": "the parse worker dies twice over a body",
    "worker bug": "reading a body meets a fault of the desk's own",
}
"""Every kind of operation that fails without help from outside of Python, and how it does."""


class Disk(Protocol):
    """What makes the system itself fail, below Python and SQLite: the shim of `bench/faults.py`."""

    def plan(self, kind: str, at: int, lasts: int) -> None: ...
    def on(self, yes: bool) -> None: ...
    def counts(self) -> dict[str, int]: ...
    def struck(self) -> int: ...


class Faults:
    """One plan at a time, for paths below *folder*; *disk* knows kinds of its own."""

    def __init__(self, folder: Path, disk: Disk | None = None) -> None:
        self.folder = str(folder)
        self.counts: Counter[str] = Counter()
        self._kind, self._at, self._lasts, self._struck = "", 0, 0, 0
        self._on = False
        self._lock = threading.Lock()
        self._disk = disk

    def plan(self, kind: str, at: int, lasts: int = 1) -> None:
        """Let operations of *kind* fail from number *at* (of those counted from now) on, *lasts* of them."""
        self.counts.clear()
        self._kind, self._at, self._lasts, self._struck = kind, at, lasts, 0
        if self._disk is not None:
            self._disk.plan(kind, at, lasts)

    @property
    def struck(self) -> int:
        """How many have failed."""
        return self._struck + (self._disk.struck() if self._disk else 0)

    @property
    def over(self) -> bool:
        """Whether all that were to fail have."""
        return self.struck >= self._lasts

    def total(self, kind: str) -> int:
        """How many operations of *kind* there were since the plan."""
        if self._disk is not None and kind in (counts := self._disk.counts()):
            return counts[kind]
        return self.counts[kind]

    @contextmanager
    def on(self) -> Iterator[None]:
        """What is done in here counts, and fails by the plan."""
        self._switch(True)
        try:
            yield
        finally:
            self._switch(False)

    def _switch(self, yes: bool) -> None:
        self._on = yes
        if self._disk is not None:
            self._disk.on(yes)

    def strikes(self, kind: str) -> bool:
        """Count an operation of *kind*; whether it is to fail."""
        if not self._on:
            return False
        with self._lock:
            self.counts[kind] += 1
            hit = kind == self._kind and self._at <= self.counts[kind] < self._at + self._lasts
            self._struck += hit
            return hit

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Stand between the desk and its driver and system."""
        global _present
        before, _present = _present, self
        plain = sqlite3.dbapi2.connect
        sqlite3.dbapi2.connect = sqlite3.connect = _connecting(self, plain)  # type: ignore[assignment]
        _hook_once()
        try:
            yield
        finally:
            _present = before
            sqlite3.dbapi2.connect = sqlite3.connect = plain  # type: ignore[assignment]


_present: Faults | None = None


def _connecting(faults: Faults, plain: Callable[..., Any]) -> Callable[..., Any]:
    class Cursor(sqlite3.Cursor):
        def execute(self, sql: str, *more: Any) -> Any:
            _strike(faults, sql)
            return super().execute(sql, *more)

        def executemany(self, sql: str, *more: Any) -> Any:
            _strike(faults, sql)
            return super().executemany(sql, *more)

    class Connection(sqlite3.Connection):
        def cursor(self, factory: Any = Cursor) -> Any:
            return super().cursor(factory)

        def execute(self, sql: str, *more: Any) -> Any:
            return self.cursor().execute(sql, *more)

        def commit(self) -> None:
            if faults.strikes("commit"):
                raise sqlite3.OperationalError("disk I/O error")
            super().commit()
            if faults.strikes("commit unheard"):
                raise sqlite3.OperationalError("disk I/O error")

    def connect(*args: Any, **more: Any) -> Any:
        if faults.strikes("connect"):
            raise sqlite3.OperationalError("unable to open database file")
        return plain(*args, **{"factory": Connection} | more)

    return connect


def _strike(faults: Faults, sql: str) -> None:
    verb = sql.lstrip().split(None, 1)[0].upper()
    if verb == "BEGIN":
        if "IMMEDIATE" in sql and faults.strikes("begin"):
            raise sqlite3.OperationalError("database is locked")
    elif verb in WRITES:
        if faults.strikes("write"):
            raise sqlite3.OperationalError("database or disk is full")
    elif verb == "SELECT" and faults.strikes("read"):
        raise sqlite3.OperationalError("disk I/O error")


_PATHS = frozenset(("os.mkdir", "os.rename", "os.link", "os.symlink", "os.remove"))
_hooked = False


def _hook_once() -> None:
    """Audit hooks are for good, and see every open and path operation of Python's before it is done."""
    global _hooked
    if not _hooked:
        _hooked = True
        sys.addaudithook(_heard)


def _heard(event: str, args: tuple[Any, ...]) -> None:
    faults = _present
    if faults is None or not faults._on:
        return
    if event == "open":
        kind, code = "open", errno.EMFILE
    elif event in _PATHS:
        kind, code = "path", errno.ENOSPC
    else:
        return
    if any(str(each).startswith(faults.folder) for each in args[:2]) and faults.strikes(kind):
        raise OSError(code, "made to fail", str(args[0]))
