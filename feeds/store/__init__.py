"""The store: the only room with SQL. I/O: SQLite or PostgreSQL.

Flows open a transaction, ``with store.write() as tx:``, and say by verbs what they mean: `tx.sources.claim_due`,
`tx.articles.known`, `tx.articles.save`, `tx.sections.changed`, `tx.documents.replace`. Values come out, no rows.

What is named here is loaded when it is first asked for, and SQLAlchemy with it: it takes longer than all else that a
small command loads, and who wants a module of this room that has none (`at_rest`, `values`) need not wait for it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from feeds.store.dialect import CHANGED, PUBLISHED, READ, WRITTEN
    from feeds.store.store import ReadTx, Store, WriteTx, open_store

__all__ = ["CHANGED", "PUBLISHED", "READ", "WRITTEN", "ReadTx", "Store", "WriteTx", "open_store"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{'dialect' if name.isupper() else 'store'}"), name)
