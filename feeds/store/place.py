"""Whether an open SQLite database is still the one at its place, and what of it can be saved. I/O: files.

Who deletes or exchanges a database under a process that has it open leaves that process with files that nobody else can
find, and others with files that do not belong together. What was committed is still in the open ones.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Literal

from feeds.errors import StoreError

Loss = Literal["", "deleted", "replaced", "overwritten", "log deleted"]
MAGIC, COUNTER = b"SQLite format 3\0", slice(24, 28)
"""How a SQLite file begins, and where in its head the counter is that only ever goes up."""

PAGES_A_STEP = 2000
Id = tuple[int, int]


class Place:
    """Where the database *file* lies; `loss` says what has become of it since this was made. Raises OSError if it can't
    be looked at then.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._was = _id_of(file)
        self._opened = self._counted = -1
        self._log: Id | None = None

    def loss(self) -> Loss:
        """What is wrong now; "" where nothing is, or nothing can be told."""
        try:
            return self._look()
        except OSError:
            return ""

    def _look(self) -> Loss:
        present = _id_of(self._file)
        if present != self._was:
            return "deleted" if present is None else "replaced"
        if self._opened < 0:
            # Never closed: whoever closes a file lets go of all locks that his process has on it, SQLite's too (POSIX).
            self._opened = os.open(self._file, os.O_RDONLY | os.O_CLOEXEC)
        counted = _counter_of(self._opened)
        if counted < self._counted:
            return "overwritten"
        self._counted = counted
        # The log comes with the first that is written, and stays for as long as anybody has the database open.
        log = _id_of(log_of(self._file))
        if self._log is None:
            self._log = log
        return "" if log == self._log else "log deleted"


def log_of(file: Path) -> Path:
    """The write-ahead log beside *file*."""
    return file.with_name(f"{file.name}-wal")


def save_log(connection: sqlite3.Connection) -> None:
    """Take over into the database what an open *connection*'s deleted log holds. Raises StoreError."""
    try:
        busy, pages, moved = connection.execute("PRAGMA wal_checkpoint(FULL)").fetchone()
    except sqlite3.Error as error:
        raise StoreError(f"the deleted log could not be saved: {error}", remedy="restore the last backup") from error
    if busy or pages != moved:
        raise StoreError("the deleted log could not be saved whole", remedy="restore the last backup")


def save_all(connection: sqlite3.Connection, file: Path) -> None:
    """Write anew to *file*, where nothing is any more, the database that *connection* has open. Raises StoreError."""
    partial = file.with_name(f".{file.name}.rescued")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        partial.unlink(missing_ok=True)
        with closing(sqlite3.connect(partial)) as new:
            connection.backup(new, pages=PAGES_A_STEP)
        with partial.open("rb+") as written:
            os.fsync(written.fileno())
        for beside in (log_of(file), file.with_name(f"{file.name}-shm")):
            beside.unlink(missing_ok=True)  # a log that outlives its file would be read into the next
        os.link(partial, file)  # and not over one that has come meanwhile
    except (sqlite3.Error, OSError) as error:
        raise StoreError(
            f"the deleted database could not be saved: {error}", remedy="restore the last backup"
        ) from error
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


def _counter_of(opened: int) -> int:
    """The counter in the head of an open SQLite file, -1 for what is none. Raises OSError."""
    head = os.pread(opened, COUNTER.stop, 0)
    return int.from_bytes(head[COUNTER], "big") if head.startswith(MAGIC) else -1


def _id_of(path: Path) -> Id | None:
    """What a path leads to, None where there is nothing. Raises OSError where that can't be told."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
