"""Errors of databases and drivers in the desk's own words: the one seam where they are mapped. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import exc

from feeds.errors import StoreError

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
    ("no such table", "the database lacks tables of this release", "upgrade it: start the desk with `wiredesk run`"),
    ("no such column", "the database lacks columns of this release", "upgrade it: start the desk with `wiredesk run`"),
)


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
    lowered = words.lower()
    if type(error.orig).__module__.startswith("sqlite3"):
        for sign, cause, remedy in _SQLITE:
            if sign in lowered:
                return StoreError(cause, remedy=remedy)
        return StoreError(f"the database refuses: {words}") if isinstance(error, exc.OperationalError) else None
    code = getattr(error.orig, "sqlstate", None) or ""
    if code.startswith(("40", "55")):  # serialisation, deadlock, lock not available
        return StoreError("another program changed the same rows", remedy="it is tried again")
    if code.startswith("53"):
        return StoreError(
            f"the database server is out of room: {words}", remedy="free disk, memory or connections there"
        )
    if code.startswith("28"):
        return StoreError(
            "the database server refuses the login", remedy="check user and password in WIREDESK_DATABASE"
        )
    if code == "25006":
        return StoreError(
            "the database server takes no writes: it is a standby, or set to read-only",
            remedy="name the primary in WIREDESK_DATABASE, or set default_transaction_read_only off",
        )
    if code == "3D000":
        return StoreError(f"the database does not exist: {words}", remedy="create it with `createdb`")
    if code in ("42P01", "42703"):
        return StoreError(
            "the database lacks parts of this release", remedy="upgrade it: start the desk with `wiredesk run`"
        )
    if isinstance(error, (exc.OperationalError, exc.InterfaceError)):
        first = words.splitlines()[0] if words else "connection lost"
        return StoreError(f"the database server is gone: {first}", remedy="start it, or check WIREDESK_DATABASE")
    return None
