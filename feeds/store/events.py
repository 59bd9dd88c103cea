"""What an admin should know, kept until it is over: the stuff of the status feed. I/O: database."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Row, delete, insert, select, update

from feeds.store.schema import events
from feeds.store.values import Event


class Events:
    """``tx.events``"""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, kind: str, subject: str, *, text: str, remedy: str = "", now: datetime) -> bool:
        """Open an event, and say so; while one of this *kind* and *subject* is open only its words are renewed."""
        present = (events.c.kind == kind) & (events.c.subject == subject) & events.c.closed_at.is_(None)
        renewed = self._connection.execute(update(events).where(present).values(text=text, remedy=remedy))
        if renewed.rowcount:
            return False
        row = {
            "uid": f"urn:uuid:{uuid4()}",
            "kind": kind,
            "subject": subject,
            "text": text,
            "remedy": remedy,
            "at": now,
        }
        self._connection.execute(insert(events), row)
        return True

    def close(self, kind: str, subject: str, now: datetime) -> bool:
        """End the open event of this *kind* and *subject*; whether there was one."""
        present = (events.c.kind == kind) & (events.c.subject == subject) & events.c.closed_at.is_(None)
        return bool(self._connection.execute(update(events).where(present).values(closed_at=now)).rowcount)

    def since(self, kind: str, subject: str) -> datetime | None:
        """When the open event of this *kind* and *subject* began; None where there is none."""
        present = (events.c.kind == kind) & (events.c.subject == subject) & events.c.closed_at.is_(None)
        found: datetime | None = self._connection.execute(select(events.c.at).where(present)).scalar_one_or_none()
        return found

    def subjects(self, kind: str) -> set[str]:
        """What events of this *kind* are open about."""
        present = (events.c.kind == kind) & events.c.closed_at.is_(None)
        return set(self._connection.execute(select(events.c.subject).where(present)).scalars())

    def open(self) -> list[Event]:
        """Events that are not over, newest first."""
        statement = select(events).where(events.c.closed_at.is_(None)).order_by(events.c.id.desc())
        return [_event(row) for row in self._connection.execute(statement)]

    def recent(self, limit: int) -> list[Event]:
        """The newest events, over or not, newest first."""
        return [
            _event(row) for row in self._connection.execute(select(events).order_by(events.c.id.desc()).limit(limit))
        ]

    def forget(self, before: datetime) -> int:
        """Remove events that were over *before* then; how many."""
        return self._connection.execute(delete(events).where(events.c.closed_at < before)).rowcount


def _event(row: Row[Any]) -> Event:
    return Event(
        id=row.uid,
        kind=row.kind,
        subject=row.subject,
        text=row.text,
        remedy=row.remedy,
        at=row.at,
        closed_at=row.closed_at,
    )
