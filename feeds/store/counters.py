"""The publication counter: moves whenever anything that is served has changed. I/O: database."""

from __future__ import annotations

from sqlalchemy import Connection, insert, select, update

from feeds.store import dialect
from feeds.store.schema import counters


def publish(connection: Connection) -> int:
    """Move the counter, tell who listens, give its new value."""
    statement = (
        update(counters)
        .where(counters.c.name == "publication")
        .values(value=counters.c.value + 1)
        .returning(counters.c.value)
    )
    value = connection.execute(statement).scalar_one_or_none()
    if value is None:
        connection.execute(insert(counters).values(name="publication", value=1))
        value = 1
    dialect.notify(connection, value)
    return int(value)


def publication(connection: Connection) -> int:
    """The counter's value, 0 before anything was published."""
    statement = select(counters.c.value).where(counters.c.name == "publication")
    return int(connection.execute(statement).scalar_one_or_none() or 0)
