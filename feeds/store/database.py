"""The database as a whole: what it and its drivers raise, as a StoreError; brought to this release by Alembic, with the
migrations that ship in this package; its file copied, restored, and saved where it was lost. I/O: database, files.

Who deletes or exchanges a SQLite file under a process that has it open leaves that process with files that nobody else
can find, and others with files that do not belong together. What was committed is still in the open ones.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from sqlalchemy import Connection, exc, inspect, text

from feeds.errors import StoreError, StoreTooNew
from feeds.files import make_private
from feeds.store import dialect, migrations

if TYPE_CHECKING:
    from alembic.config import Config


PAGES_A_STEP = 2000
Loss = Literal["", "deleted", "replaced", "overwritten", "log deleted"]
MAGIC, COUNTER = b"SQLite format 3\0", slice(24, 28)
"""How a SQLite file begins, and where in its head the counter is that only ever goes up."""

FileId = tuple[int, int]


# --------------------------------------------------------------------------- errors

_UPGRADE = "upgrade it: start the desk with `wiredesk run`"
_SQLITE = (
    ("locked", "the database is locked by another program", "end the program that holds it, or try again later"),
    ("busy", "the database is locked by another program", "end the program that holds it, or try again later"),
    ("disk is full", "the disk is full", "free space under the data folder; the desk goes on by itself"),
    ("disk i/o error", "the disk gives errors", "check the disk and its space; `wiredesk doctor` looks closer"),
    ("readonly", "the database file cannot be written", "give this user write permission on the file and its folder"),
    ("read-only", "the database file cannot be written", "give this user write permission on the file and its folder"),
    ("unable to open", "the database file cannot be opened", "check that the data folder exists and can be written"),
    ("not a database", "the file is no SQLite database", "name another file, or restore a backup"),
    ("malformed", "the database file is damaged", "restore the last backup with `wiredesk restore`"),
    ("no such table", "the database lacks tables of this release", _UPGRADE),
    ("no such column", "the database lacks columns of this release", _UPGRADE),
)
_POSTGRES = (
    ("40", "another program changed the same rows", "it is tried again"),  # serialisation, deadlock
    ("55", "another program changed the same rows", "it is tried again"),  # lock not available
    ("53", "the database server is out of room: {words}", "free disk, memory or connections there"),
    ("28", "the database server refuses the login", "check user and password in WIREDESK_DATABASE"),
    ("42501", "the database user may not do this: {words}", "grant it all rights on the desk's tables"),
    (
        "25006",
        "the database server takes no writes: it is a standby, or set to read-only",
        "name the primary in WIREDESK_DATABASE, or set default_transaction_read_only off",
    ),
    ("3D000", "the database does not exist: {words}", "create it with `createdb`"),
    ("42P01", "the database lacks parts of this release", _UPGRADE),
    ("42703", "the database lacks parts of this release", _UPGRADE),
)
"""What SQLSTATEs that begin so mean, and what to do."""


@contextmanager
def mapped() -> Iterator[None]:
    """Raise what goes wrong inside as StoreError, with its remedy; broken constraints and statements pass as they are.

    Those would be errors in the desk itself, to be logged with their traceback.
    """
    try:
        yield
    except exc.TimeoutError as error:
        raise StoreError("no database connection came free", remedy="fewer threads, or try again later") from error
    except (exc.OperationalError, exc.InterfaceError, exc.InternalError, exc.DatabaseError) as error:
        known = _known(error)
        if known is None:
            raise
        raise known from error


def _known(error: exc.DBAPIError) -> StoreError | None:
    words = str(error.orig).strip()
    if type(error.orig).__module__.startswith("sqlite3"):
        return _known_of_sqlite(error, words)
    code = getattr(error.orig, "sqlstate", None) or ""
    for start, cause, remedy in _POSTGRES:
        if code.startswith(start):
            return StoreError(cause.format(words=words), remedy=remedy)
    if isinstance(error, (exc.OperationalError, exc.InterfaceError)):
        first = words.splitlines()[0] if words else "connection lost"
        return StoreError(f"the database server is gone: {first}", remedy="start it, or check WIREDESK_DATABASE")
    return None


def _known_of_sqlite(error: exc.DBAPIError, words: str) -> StoreError | None:
    for sign, cause, remedy in _SQLITE:
        if sign in words.lower():
            return StoreError(cause, remedy=remedy)
    return StoreError(f"the database refuses: {words}") if isinstance(error, exc.OperationalError) else None


# --------------------------------------------------------------------------- upgrades


def revision(connection: Connection) -> str | None:
    """The revision that the database is at, None before the first."""
    with connection.begin():
        if not inspect(connection).has_table(migrations.VERSION_TABLE):
            return None
        found = connection.scalar(text(f"SELECT version_num FROM {migrations.VERSION_TABLE}"))
        return None if found is None else str(found)


def pending(connection: Connection) -> bool:
    """Whether there are migrations to do. StoreError if the database knows one that this release does not."""
    present = revision(connection)
    shipped = migrations.revisions()
    if present is not None and present not in shipped:
        raise StoreTooNew(
            f"the database belongs to a newer release (its revision is {present})",
            remedy="install that release again, or restore the backup that was made before the upgrade",
        )
    return present != shipped[-1]


def to_head(connection: Connection) -> None:
    """Run all migrations that are due in one transaction: an interrupted upgrade has not happened."""
    from alembic import command  # here, for only an upgrade needs it, and its import costs more than most starts

    with connection.begin():
        dialect.lock(connection, dialect.MIGRATE_LOCK)
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _config() -> Config:
    from alembic.config import Config  # see `to_head`

    config = Config()
    config.set_main_option("script_location", str(migrations.FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def copy(source: Path, target: Path) -> None:
    """Copy *source* to *target* as of one moment. *target* is whole or not there, and replaced if it was."""
    partial = target.with_name(f".{target.name}.partial")
    try:
        make_private(target.parent)
        _remove(partial)
        # Made here and not by SQLite: for nobody else to read, and through no link that others put there.
        os.close(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640))
        with closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as old:
            old.execute("PRAGMA busy_timeout = 15000")
            # A read transaction holds the moment: without it every commit starts the copying over.
            old.execute("BEGIN")
            old.execute("SELECT count(*) FROM sqlite_master").fetchone()
            with closing(sqlite3.connect(partial)) as new:
                old.backup(new, pages=PAGES_A_STEP)
                # One file without a log beside it, fit to be carried away.
                new.execute("PRAGMA journal_mode = DELETE").fetchall()
        with partial.open("rb+") as written:
            os.fsync(written.fileno())
        os.replace(partial, target)
    except (sqlite3.Error, OSError) as error:
        with suppress(OSError):
            _remove(partial)
        cause = (error.strerror or str(error)).lower() if isinstance(error, OSError) else str(error)
        raise StoreError(
            f"no copy could be made at {target}: {cause}", remedy="check its folder, permissions and free space"
        ) from error


def fault(file: Path) -> str:
    """What is wrong with the SQLite file *file*, in SQLite's words; "" where nothing is. Reads all of it."""
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as opened:
            found = str(opened.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.Error as error:
        return str(error)
    return "" if found == "ok" else found


def restore(copied: Path, database: Path, aside: Path | None) -> None:
    """Put a copy of the file *copied* in the place of *database*; *aside* keeps what was there."""
    made = database.with_name(f".{database.name}.restored")
    copy(copied, made)
    try:
        put_in_place(made, database, aside)
    finally:
        with suppress(OSError):
            made.unlink(missing_ok=True)


def put_in_place(copied: Path, database: Path, aside: Path | None) -> None:
    """Put the file *copied* in the place of *database*, which nobody may have open; *aside* keeps what was there.

    A kill at any moment leaves the one or the other whole: what was in the log beside the old file goes into it first,
    since a log that outlives its file would be read into the next.
    """
    try:
        if aside is not None:
            with closing(sqlite3.connect(database)) as old:
                old.execute("PRAGMA busy_timeout = 5000")
                busy = old.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
                old.execute("PRAGMA journal_mode = DELETE").fetchall()
            if busy or database.with_name(f"{database.name}-wal").exists():
                raise StoreError(f"{database} is in use", remedy="stop what uses it and try again")
            os.link(database, aside)
        os.replace(copied, database)
    except (sqlite3.Error, OSError) as error:
        raise StoreError(f"{database} could not be replaced: {error}", remedy="nothing was changed") from error


# --------------------------------------------------------------------------- losses


class Place:
    """Where the database *file* lies; `loss` says what has become of it since this was made. Raises OSError if it can't
    be looked at then.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._was = _id_of(file)
        self._opened = self._counted = -1
        self._log: FileId | None = None

    def loss(self) -> Loss:
        """What is wrong now; "" where nothing is, or nothing can be told."""
        try:
            return self._look()
        except OSError:
            return ""

    def is_replaced(self) -> bool:
        """Whether another file lies there; no file is held open for this."""
        with suppress(OSError):
            return _id_of(self._file) not in (None, self._was)
        return False

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
        _remove(partial)
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
            _remove(partial)


def _remove(partial: Path) -> None:
    """Take away a copy, and what SQLite leaves beside one that it could not finish. Raises OSError."""
    for path in (partial, partial.with_name(f"{partial.name}-journal")):
        path.unlink(missing_ok=True)


def _counter_of(opened: int) -> int:
    """The counter in the head of an open SQLite file, -1 for what is none. Raises OSError."""
    head = os.pread(opened, COUNTER.stop, 0)
    return int.from_bytes(head[COUNTER], "big") if head.startswith(MAGIC) else -1


def _id_of(path: Path) -> FileId | None:
    """What a path leads to, None where there is nothing. Raises OSError where that can't be told."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
