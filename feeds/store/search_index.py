"""The words that articles are found by: noted, forgotten, tidied. I/O: database.

Both databases keep the folded words of `feeds.text.words`, and where they stand, but no text: what an article was found
by is made again from its entry. So `words_of` may change only with a migration that makes the index anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, select, text

from feeds.codec import part_from_blob
from feeds.model import Entry
from feeds.store import dialect
from feeds.store.dialect import rows_in, storable
from feeds.store.schema import SEARCH as TABLE
from feeds.store.schema import entries
from feeds.text import spelled

MOST_TEXT_CHARS = 6000
"""How much of an article's text can be found; what it is about stands in its beginning."""
FOUND_BY = frozenset("key title authors categories text".split())

_SHOWN = select(entries.c.article_id, entries.c.payload).where(entries.c.shown == 1)
_INDEX_POSTGRES = text(
    f"INSERT INTO {TABLE} (article_id, words) VALUES (:number, to_tsvector('simple', :words))"
    " ON CONFLICT (article_id) DO UPDATE SET words = excluded.words"
)
_INDEX = text(f"INSERT INTO {TABLE} (rowid, words) VALUES (:number, :words)")
_FORGET = text(f"INSERT INTO {TABLE} ({TABLE}, rowid, words) VALUES ('delete', :number, :words)")


def index(connection: Connection, shown: Mapping[int, Entry]) -> None:
    """Let articles be found by the words of these entries; what they were found by before is forgotten already."""
    if shown:
        rows = [{"number": article_id, "words": words_of(entry)} for article_id, entry in shown.items()]
        connection.execute(_INDEX_POSTGRES if dialect.is_postgres(connection) else _INDEX, rows)


def index_shown(connection: Connection, ids: Iterable[int]) -> None:
    """Let these articles be found by the words of the entries that are shown now."""
    index(connection, _shown(connection, ids))


def forget(connection: Connection, ids: Iterable[int]) -> None:
    """Take articles out of what can be found, before their entries change or go: SQLite wants to be told the words.

    PostgreSQL forgets by itself, when they are indexed anew or their rows go.
    """
    rows = {} if dialect.is_postgres(connection) else _shown(connection, ids)
    if rows:
        connection.execute(_FORGET, [{"number": each, "words": words_of(entry)} for each, entry in rows.items()])


def _shown(connection: Connection, ids: Iterable[int]) -> dict[int, Entry]:
    rows = rows_in(connection, _SHOWN, entries.c.article_id, sorted(set(ids)))
    return {row.article_id: part_from_blob(row.payload, FOUND_BY) for row in rows}


def tidy(connection: Connection, pages: int) -> None:
    """Merge up to *pages* of the index: FTS5 only notes what is deleted, and drops it when it merges by itself, which
    for the oldest words is never. PostgreSQL's autovacuum does so.
    """
    if not dialect.is_postgres(connection):
        # A negative number makes one merge of all segments, and goes on with that one the next time.
        connection.execute(text(f"INSERT INTO {TABLE} ({TABLE}, rank) VALUES ('merge', :pages)"), {"pages": -pages})


def words_of(entry: Entry) -> str:
    """What an article is found by that is told in the words of *entry*, of which it takes `FOUND_BY`."""
    names = " ".join(person.name for person in entry.authors)
    terms = " ".join(category.label or category.term for category in entry.categories)
    # A blank line of nothing findable keeps a phrase from reaching over the end of a title.
    parts = (entry.title, names, terms, entry.text[:MOST_TEXT_CHARS])
    return storable(" \n ".join(spelled(part) for part in parts if part))
