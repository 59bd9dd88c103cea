"""Which sources have a hub that pushes: asked with every claim, so apart from all else of hubs. I/O: database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, select

from feeds.store.schema import source_hubs


def pushing(connection: Connection, now: datetime, source_ids: Sequence[int] | None = None) -> frozenset[int]:
    """Of these sources (None: of all) those whose hub pushes: verified, and the lease has not ended."""
    alive = source_hubs.c.state == "active", source_hubs.c.expires_at > now
    statement = select(source_hubs.c.source_id).where(*alive)
    if source_ids is not None:
        statement = statement.where(source_hubs.c.source_id.in_(list(source_ids)))
    return frozenset(connection.execute(statement).scalars())
