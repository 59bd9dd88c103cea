"""Due times of all kinds, moved together when the clock was set. I/O: database.

Due times stand in the store by the wall clock, which people and other machines share. When it is set, what was to be
done in ten minutes is still to be done in ten minutes, not in a day and not at once.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from feeds.store import counters, dialect
from feeds.store.columns import micros
from feeds.store.schema import metadata, polls, sources

DUE = ("next_poll_at", "due_at", "retry_after_until", "next_try_at")
"""The columns that say when something is to be done."""


JUST = timedelta(minutes=1)


class Schedule:
    """``tx.schedule``"""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def shifts(self) -> int:
        """How often due times were moved: tells whether a `shift` that was not heard of has been."""
        return counters.value(self._connection, counters.SHIFTS)

    def shift(self, by: timedelta, now: datetime) -> None:
        """Move all that is due by as much as the clock was set, which shows *now*.

        Sources that were polled in the minute before *now* go by the new clock already. Those that were polled at what
        is the future by it were so now: who starts next is not to find the clock set back once more.
        """
        counters.count(self._connection, counters.SHIFTS)
        shifted = by // timedelta(microseconds=1)
        for table in metadata.sorted_tables:
            names = [name for name in DUE if name in table.columns and table is not polls]
            if not names:
                continue
            statement = f"UPDATE {table.name} SET {', '.join(f'{name} = {name} + ?' for name in names)}"
            values = [shifted] * len(names)
            if table is sources:
                statement += ", last_poll_at = CASE WHEN last_poll_at > ? THEN ? ELSE last_poll_at END"
                statement += " WHERE last_poll_at IS NULL OR last_poll_at < ? OR last_poll_at > ?"
                values += [micros(now), micros(now), micros(now - JUST), micros(now)]
            dialect.execute_many(self._connection, statement, [values])

    def latest_poll_at(self) -> datetime | None:
        """When a source was last polled, by the clock of then; None before the first poll."""
        found: datetime | None = self._connection.execute(select(func.max(sources.c.last_poll_at))).scalar_one()
        return found
