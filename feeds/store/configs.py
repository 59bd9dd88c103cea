"""Configs that were accepted: all that other processes know of the files. I/O: database."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from feeds.store import counters
from feeds.store.schema import configs
from feeds.store.values import StoredConfig


class Configs:
    """``tx.configs``"""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def accept(self, text: str, digest: str, now: datetime) -> int:
        """Store a config and give its version; the present one's version where *digest* is the same."""
        present = self.current()
        if present is not None and present.digest == digest:
            return present.version
        counters.draw_desk_number(self._connection)
        statement = insert(configs).values(digest=digest, text=text, accepted_at=now).returning(configs.c.version)
        version = self._connection.execute(statement).scalar_one()
        counters.publish(self._connection)
        return int(version)

    def renew(self, version: int, text: str) -> None:
        """Put *text*, which means the same, in place of what is stored: its line numbers are those of the files now."""
        self._connection.execute(update(configs).where(configs.c.version == version).values(text=text))

    def current(self) -> StoredConfig | None:
        """The config in force, None before any was accepted."""
        statement = select(configs).order_by(configs.c.version.desc()).limit(1)
        row = self._connection.execute(statement).one_or_none()
        if row is None:
            return None
        return StoredConfig(version=row.version, text=row.text, digest=row.digest, accepted_at=row.accepted_at)

    def desk_id(self) -> str:
        """What stays with this desk for good, whatever it is called and wherever it is served: for the ids of feeds."""
        return str(counters.desk_number(self._connection))
