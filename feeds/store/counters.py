"""The publication counter, which moves whenever anything served has changed, and the desk's number. I/O: database."""

from __future__ import annotations

import secrets

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


def desk_number(connection: Connection) -> int:
    """The number drawn for this desk when its first config was accepted, the same for good; 0 before that."""
    statement = select(counters.c.value).where(counters.c.name == "desk")
    return int(connection.execute(statement).scalar_one_or_none() or 0)


def draw_desk_number(connection: Connection) -> None:
    """Draw the desk's number where there is none yet."""
    if desk_number(connection) == 0:
        connection.execute(insert(counters).values(name="desk", value=secrets.randbits(62) + 1))
