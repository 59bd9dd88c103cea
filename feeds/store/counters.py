"""The publication counter, which moves whenever anything served has changed, how often due times were moved, and the
desk's number. I/O: database.
"""

from __future__ import annotations

import secrets

from sqlalchemy import Connection, insert, select, update

from feeds.store import dialect
from feeds.store.schema import counters

PUBLICATION, SHIFTS, DESK = "publication", "shifts", "desk"


def count(connection: Connection, name: str) -> int:
    """Move the counter *name* by one; its new value."""
    statement = (
        update(counters).where(counters.c.name == name).values(value=counters.c.value + 1).returning(counters.c.value)
    )
    value = connection.execute(statement).scalar_one_or_none()
    if value is None:
        connection.execute(insert(counters).values(name=name, value=1))
        value = 1
    return int(value)


def value(connection: Connection, name: str) -> int:
    """What the counter *name* is at, 0 before it was moved."""
    statement = select(counters.c.value).where(counters.c.name == name)
    return int(connection.execute(statement).scalar_one_or_none() or 0)


def publish(connection: Connection) -> int:
    """Move the publication counter, tell who listens, give its new value."""
    moved = count(connection, PUBLICATION)
    dialect.notify(connection, moved)
    return moved


def publication(connection: Connection) -> int:
    """The publication counter's value, 0 before anything was published."""
    return value(connection, PUBLICATION)


def desk_number(connection: Connection) -> int:
    """The number drawn for this desk when its first config was accepted, the same for good; 0 before that."""
    return value(connection, DESK)


def draw_desk_number(connection: Connection) -> None:
    """Draw the desk's number where there is none yet."""
    if desk_number(connection) == 0:
        connection.execute(insert(counters).values(name=DESK, value=secrets.randbits(62) + 1))
