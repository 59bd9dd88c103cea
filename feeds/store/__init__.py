"""The store: the only room with SQL. I/O: SQLite or PostgreSQL.

Flows open a transaction, ``with store.write() as tx:``, and say by verbs what they mean: `tx.sources.claim_due`,
`tx.articles.known`, `tx.articles.save`, `tx.sections.changed`, `tx.documents.replace`. Values come out, no rows.
"""

from feeds.store.dialect import CHANGED, PUBLISHED, READ, WRITTEN
from feeds.store.store import ReadTx, Store, WriteTx, open_store

__all__ = ["CHANGED", "PUBLISHED", "READ", "WRITTEN", "ReadTx", "Store", "WriteTx", "open_store"]
