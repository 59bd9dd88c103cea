"""Bodies that have arrived and whose entries are not saved yet. I/O: database.

An item is put as soon as it arrives, and removed by the transaction that saves its entries: whatever dies in between,
the entries are not lost (promise 2).
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from sqlalchemy import Connection, delete, func, insert, select

from feeds.model import Validators
from feeds.store.codec import deflate, inflate
from feeds.store.marks import chunks
from feeds.store.schema import inbox
from feeds.store.values import InboxItem


class Inbox:
    """``tx.inbox``"""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, items: Sequence[InboxItem]) -> list[int]:
        """Keep *items* and give their ids, in the same order."""
        ids = []
        for item in items:
            row = {
                "source_id": item.source_id,
                "claim_id": item.claim_id,
                "received_at": item.received_at,
                "final_url": item.final_url,
                "status": item.status,
                "headers": json.dumps(item.headers),
                "etag": item.validators.etag,
                "last_modified": item.validators.last_modified,
                "pushed": int(item.pushed),
                "body": deflate(item.body),
            }
            ids.append(int(self._connection.execute(insert(inbox).returning(inbox.c.id), row).scalar_one()))
        return ids

    def waiting(self, limit: int, after_id: int = 0, *, pushed: bool = False) -> list[InboxItem]:
        """Up to *limit* items behind *after_id*, in order of arrival; with *pushed* only what hubs sent."""
        statement = select(inbox).where(inbox.c.id > after_id).order_by(inbox.c.id).limit(limit)
        if pushed:
            statement = statement.where(inbox.c.pushed == 1)
        return [
            InboxItem(
                id=row.id,
                source_id=row.source_id,
                claim_id=row.claim_id,
                received_at=row.received_at,
                final_url=row.final_url,
                status=row.status,
                headers=tuple((name, value) for name, value in json.loads(row.headers)),
                validators=Validators(etag=row.etag, last_modified=row.last_modified),
                body=inflate(row.body),
                pushed=bool(row.pushed),
            )
            for row in self._connection.execute(statement)
        ]

    def count(self) -> int:
        """How many items wait."""
        return int(self._connection.execute(select(func.count()).select_from(inbox)).scalar_one())

    def remove(self, ids: Sequence[int]) -> None:
        """Forget items whose entries are saved in this same transaction."""
        for some in chunks(ids):
            self._connection.execute(delete(inbox).where(inbox.c.id.in_(some)))
