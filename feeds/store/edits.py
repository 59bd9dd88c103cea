"""How articles read before their last significant change: title and text, of the entry that was shown. I/O: database.

One change an article is kept, and of a long text its beginning, so that what is often edited grows no further.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select

from feeds.codec import deflate, inflate
from feeds.store.dialect import change_in, rows_in, upsert
from feeds.store.schema import article_edits, articles, entries

MOST_CHARS = 6000
"""How much of a text is kept and compared."""

_CUT = "…"
_PAYLOADS = select(entries.c.id, entries.c.article_id, entries.c.payload)


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """An article before and after its last significant change: plain title and text, the text cut at `MOST_CHARS`."""

    at: datetime
    old_title: str
    old_text: str
    title: str
    text: str


def keep(connection: Connection, entry_ids: Iterable[int], now: datetime) -> None:
    """Note how these entries, which are about to be changed, read now."""
    kept = [
        {
            "article_id": row.article_id,
            "at": now,
            "before": deflate(json.dumps([row.id, *_words(row.payload)]).encode()),
        }
        for row in rows_in(connection, _PAYLOADS, entries.c.id, sorted(set(entry_ids)))
    ]
    upsert(connection, article_edits, kept, ("article_id",), replace=True)


def edit(connection: Connection, uid: str) -> Edit | None:
    """The last significant change of the words that an article is shown in; None where there was none."""
    statement = (
        select(article_edits.c.at, article_edits.c.before, entries.c.id, entries.c.payload)
        .join_from(articles, article_edits, article_edits.c.article_id == articles.c.id)
        .join(entries, (entries.c.article_id == articles.c.id) & (entries.c.shown == 1))
        .where(articles.c.uid == uid, articles.c.retracted_at.is_(None))
    )
    row = connection.execute(statement).first()
    if row is None:
        return None
    of_entry, old_title, old_text = json.loads(inflate(row.before))
    if of_entry != row.id:
        return None  # another source's words are shown since
    title, text = _words(row.payload)
    return Edit(at=row.at, old_title=old_title, old_text=old_text, title=title, text=text)


def forget(connection: Connection, article_ids: Iterable[int]) -> None:
    """Remove what is kept of articles that go."""
    change_in(connection, delete(article_edits), article_edits.c.article_id, list(article_ids))


def _words(payload: bytes) -> tuple[str, str]:
    stored = json.loads(inflate(payload))
    text = str(stored.get("text") or "")
    if len(text) > MOST_CHARS:
        text = text[:MOST_CHARS].rpartition(" ")[0] or text[:MOST_CHARS]
        text += _CUT
    return str(stored.get("title") or ""), text
