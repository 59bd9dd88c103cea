"""Which worker polls a database that several machines share: one at a time, the others stand by. I/O: database."""

from __future__ import annotations

from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from feeds.store.store import Store, mapped

LEAD_LOCK = 0x57444C44


class Lead:
    """The right to poll; PostgreSQL gives it back when its holder's connection ends, however that came about.

    On SQLite the lock on the data folder has decided it already.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._connection: Connection | None = None

    def take(self) -> bool:
        """Take it where nobody has it; whether this process has it now."""
        if self._store.file is not None or self._connection is not None:
            return True
        with mapped():
            connection = self._store.session()
            try:
                taken = connection.execute(text("SELECT pg_try_advisory_lock(:number)"), {"number": LEAD_LOCK})
                if taken.scalar_one():
                    self._connection = connection
                    return True
            except BaseException:
                connection.invalidate()
                raise
            connection.close()
            return False

    def held(self) -> bool:
        """Whether this process still has it: a server that restarted has forgotten."""
        if self._store.file is not None:
            return True
        if self._connection is None:
            return False
        try:
            self._connection.execute(text("SELECT 1"))
        except SQLAlchemyError:
            self._connection.invalidate()
            self._connection = None
            return False
        return True

    def close(self) -> None:
        """Give it back."""
        if self._connection is not None:
            # Not back into the pool, where the lock would live on.
            self._connection.invalidate()
            self._connection.close()
            self._connection = None
