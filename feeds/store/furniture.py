"""What recurs at the ends of a source's entries and on the pages of a site, as far as it was learnt. I/O: database.

A state is bytes that `feeds.text` makes and reads, some kilobytes for a site. It may be lost: it is learnt again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import Connection, select

from feeds.store import dialect
from feeds.store.marks import chunks, indexable
from feeds.store.schema import furniture


class Furniture:
    """``tx.furniture``; a scope is ``source:`` and its number, or ``site:`` and a host."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def states(self, scopes: Iterable[str]) -> dict[str, bytes]:
        """The states of those of *scopes* of which something was learnt."""
        wanted = {indexable(scope): scope for scope in scopes}
        found: dict[str, bytes] = {}
        for some in chunks(sorted(wanted)):
            rows = self._connection.execute(
                select(furniture.c.scope, furniture.c.state).where(furniture.c.scope.in_(some))
            )
            found |= {wanted[row.scope]: bytes(row.state) for row in rows}
        return found

    def learn(self, states: Mapping[str, bytes], now: datetime) -> None:
        """Keep *states* in the place of those before."""
        rows = [
            {"scope": indexable(scope), "state": state, "changed_at": now} for scope, state in sorted(states.items())
        ]
        dialect.upsert(self._connection, furniture, rows, ["scope"], change=["state", "changed_at"])
