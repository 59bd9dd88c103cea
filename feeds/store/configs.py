"""Configs that were accepted: all that other processes know of the files. I/O: database."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, func, insert, select, update

from feeds.store import counters
from feeds.store.schema import configs
from feeds.store.values import StoredConfig


class Configs:
    """``tx.configs``"""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def accept(self, text: str, digest: str, now: datetime, *, brief: str = "") -> int:
        """Store a config and give its version; the present one's version where *digest* is the same.

        *brief* is what a process needs that finds the sources in the store; "" where it is not told apart.
        """
        present = self.current()
        if present is not None and present.digest == digest:
            return present.version
        counters.draw_desk_number(self._connection)
        row = {"digest": digest, "text": text, "brief": brief or text, "accepted_at": now}
        statement = insert(configs).values(row).returning(configs.c.version)
        version = self._connection.execute(statement).scalar_one()
        counters.publish(self._connection)
        return int(version)

    def renew(self, version: int, text: str, *, brief: str = "") -> None:
        """Put *text*, which means the same, in place of what is stored: its line numbers are those of the files now."""
        present = configs.c.version == version
        self._connection.execute(update(configs).where(present).values(text=text, brief=brief or text))

    def current(self) -> StoredConfig | None:
        """The config in force, None before any was accepted."""
        return self._newest(configs.c.text)

    def brief(self) -> StoredConfig | None:
        """The config in force with its *brief* for a text, however many sources it has."""
        return self._newest(configs.c.brief.label("text"))

    def version(self) -> int:
        """The version of the config in force, 0 before any was accepted."""
        return self._connection.execute(select(func.max(configs.c.version))).scalar_one() or 0

    def _newest(self, text: ColumnElement[str]) -> StoredConfig | None:
        columns = configs.c.version, text, configs.c.digest, configs.c.accepted_at
        row = self._connection.execute(select(*columns).order_by(configs.c.version.desc()).limit(1)).one_or_none()
        if row is None:
            return None
        return StoredConfig(version=row.version, text=row.text, digest=row.digest, accepted_at=row.accepted_at)

    def desk_id(self) -> str:
        """What stays with this desk for good, whatever it is called and wherever it is served: for the ids of feeds."""
        return str(counters.desk_number(self._connection))
