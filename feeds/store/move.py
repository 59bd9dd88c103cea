"""A whole desk from SQLite to PostgreSQL, in one transaction of each: what is interrupted has not happened.
I/O: databases.

Rows are copied as they are, so that ids, bytes, validators and what sources said last stay. The search index alone is
made anew, for each database has its own.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Table, select, text

from feeds.codec import part_from_blob
from feeds.errors import StoreError
from feeds.store import dialect
from feeds.store.database import mapped
from feeds.store.dialect import storable
from feeds.store.schema import SEARCH, articles, configs, documents, metadata, sources
from feeds.store.search_index import FOUND_BY, words_of
from feeds.store.store import Store

ROWS_AT_ONCE = 1000
"""Rows that are held in memory while they are copied: at 10 kB an article some 10 MB."""

Progress = Callable[[int], None]
"""Called with the number of rows that were copied since the last call."""


def move(old: Store, new: Store, progress: Progress) -> dict[str, int]:
    """Copy everything in *old*, a SQLite database, to *new*, a PostgreSQL database without a desk; rows by table.

    Nobody writes to either meanwhile. Raises StoreError where *new* holds a desk, or where the documents there are not
    the same in the end; nothing is changed then.
    """
    with mapped(), old.unfenced() as source, new.unfenced() as target:
        _claim(target)
        # SQLAlchemy's result would make an object of each row; the drivers' own rows pass as they are.
        reader: sqlite3.Connection = source.connection.driver_connection  # type: ignore[assignment]
        writer: Any = target.connection.driver_connection
        copied = {
            table.name: _copy(reader, writer, table.name, table.columns.keys(), progress)
            for table in metadata.sorted_tables
        }
        copied[SEARCH] = _copy_search(reader, writer, progress)
        for table in metadata.sorted_tables:
            _go_on_counting(source, target, table)
        _compare(source, target)
    return copied


def rows(store: Store) -> int:
    """How many rows `move` will copy."""
    with mapped(), store.unfenced() as connection:
        counts = (connection.execute(text(f"SELECT count(*) FROM {name}")) for name in (*metadata.tables, SEARCH))
        return sum(int(count.scalar_one()) for count in counts)


def _claim(target: Connection) -> None:
    """Keep every other process out of *target*; StoreError where it holds a desk already."""
    target.execute(text(f"LOCK TABLE {', '.join(metadata.tables)} IN ACCESS EXCLUSIVE MODE"))
    for table in (configs, sources, articles):
        if dialect.how_many(target, table):
            raise StoreError(
                "the PostgreSQL database holds a desk already",
                remedy="name an empty one in WIREDESK_DATABASE (`createdb NAME` makes it)",
            )
    for table in reversed(metadata.sorted_tables):
        target.execute(table.delete())  # counters, which stand in an empty desk too


def _copy(reader: sqlite3.Connection, writer: Any, name: str, columns: Sequence[str], progress: Progress) -> int:
    """Copy the rows of the table *name*; how many they were."""
    names = ", ".join(columns)
    count = 0
    with writer.cursor() as cursor, cursor.copy(f"COPY {name} ({names}) FROM STDIN") as copy:
        for some in _in_pieces(reader.execute(f"SELECT {names} FROM {name}")):
            for row in some:
                copy.write_row([_storable(value) for value in row])
            count += len(some)
            progress(len(some))
    return count


def _copy_search(reader: sqlite3.Connection, writer: Any, progress: Progress) -> int:
    """Fill PostgreSQL's index with what articles are found by; how many they are."""
    count = 0
    with writer.cursor() as cursor:
        for some in _in_pieces(reader.execute("SELECT article_id, payload FROM entries WHERE shown = 1")):
            cursor.executemany(
                f"INSERT INTO {SEARCH} (article_id, words) VALUES (%s, to_tsvector('simple', %s))",
                [(article_id, words_of(part_from_blob(payload, FOUND_BY))) for article_id, payload in some],
            )
            count += len(some)
            progress(len(some))
    return count


def _in_pieces(cursor: sqlite3.Cursor) -> Iterator[list[tuple[Any, ...]]]:
    while some := cursor.fetchmany(ROWS_AT_ONCE):
        yield some


def _storable(value: Any) -> Any:
    return storable(value) if value.__class__ is str else value


def _go_on_counting(source: Connection, target: Connection, table: Table) -> None:
    """Let new rows of *table* be numbered from where SQLite was: no number of a row that is gone comes again."""
    found = source.execute(text("SELECT seq FROM sqlite_sequence WHERE name = :name"), {"name": table.name}).scalar()
    if found:
        [number] = table.primary_key.columns.keys()
        statement = text("SELECT setval(pg_get_serial_sequence(:name, :number), :last)")
        target.execute(statement, {"name": table.name, "number": number, "last": int(found)})


def _compare(source: Connection, target: Connection) -> None:
    """Raise StoreError unless both hold the same documents, by their bytes, ETags and dates."""
    here, there = _digests(source), _digests(target)
    differing = sorted(path for path in here.keys() | there.keys() if here.get(path) != there.get(path))
    if differing:
        raise StoreError(
            f"{len(differing)} documents are not the same there, {differing[0]} for one; nothing was moved",
            remedy="start the desk as it was, and report this",
        )


def _digests(connection: Connection) -> dict[str, tuple[str, ...]]:
    columns = (documents.c.body, documents.c.gzip, documents.c.brotli)
    rows = connection.execute(
        select(documents.c.path, documents.c.format, documents.c.etag, documents.c.last_modified, *columns)
    )
    return {
        f"{row.path}.{row.format}": (
            row.etag,
            row.last_modified.isoformat(),
            *(sha256(coded or b"").hexdigest() for coded in (row.body, row.gzip, row.brotli)),
        )
        for row in rows
    }
