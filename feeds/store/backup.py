"""A copy of a SQLite database while it is in use, and a copy put in its place. I/O: files."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from feeds.errors import StoreError

PAGES_A_STEP = 2000


def copy(source: Path, target: Path) -> None:
    """Copy *source* to *target* as of one moment. *target* is whole or not there, and replaced if it was."""
    partial = target.with_name(f".{target.name}.partial")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        partial.unlink(missing_ok=True)
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
            partial.unlink(missing_ok=True)
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
