"""Whether a desk on SQLite has anything to do, asked through Python's own driver. I/O: database.

`wiredesk poll` by a clock finds nothing due most of the time; SQLAlchemy would be two thirds of what that costs.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

from feeds.codec import micros
from feeds.store.migrations import VERSION_TABLE, revisions

WRONG_FILES, REFILE = "config", "refile"
"""Kinds of events that stand for work to be done, which a kill does not lose: files that had errors are to be judged
again, what is stored is to be filed again."""

_AT_REST = f"""
    SELECT brief FROM configs
    WHERE (SELECT version_num FROM {VERSION_TABLE}) = :revision
    AND NOT EXISTS (SELECT 1 FROM events WHERE closed_at IS NULL AND kind IN ('{WRONG_FILES}', '{REFILE}'))
    AND NOT EXISTS (SELECT 1 FROM sources WHERE enabled = 1 AND removed_at IS NULL AND next_poll_at <= :now)
    ORDER BY version DESC LIMIT 1
"""


def config_at_rest(file: Path, now: datetime) -> str | None:
    """The config in force (see `tx.configs.brief`) of a desk at rest: the tables in *file* are of this release, no
    source is due at *now*, and no work waits. None where it does not rest, or this can't be told.
    """
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=rw", uri=True)) as opened:
            row = opened.execute(_AT_REST, {"revision": revisions()[-1], "now": micros(now)}).fetchone()
    except sqlite3.Error:
        return None  # whoever opens the store says what is wrong
    return None if row is None else str(row[0])
