"""A copy of a SQLite database while it is in use. I/O: files."""

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
        raise StoreError(
            f"no copy could be made at {target}: {error}", remedy="check its folder and free space"
        ) from error
