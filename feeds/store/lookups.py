"""What is known of a batch of entries: all that dedupe may ask, in a few queries. I/O: database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, select

from feeds.model import Beside, Entry, Known, KnownEntry
from feeds.store.columns import signed, unsigned
from feeds.store.marks import chunks, entry_mark, indexable, text_mark, url_mark
from feeds.store.schema import article_texts, article_urls, articles, entries, tombstones

RECENT = 50
"""How many of a source's newest entries dedupe gets, for sources whose ids move; more where its document holds more."""

Wanted = Sequence[tuple[int, Sequence[Entry]]]


def known(connection: Connection, wanted: Wanted, beside: Mapping[int, Beside]) -> Known:
    """See `Articles.known`."""
    refused: set[tuple[int, str] | str | int] = set()
    found: dict[tuple[int, str], KnownEntry] = {}
    asked = {(source_id, indexable(entry.key)): entry.key for source_id, some in wanted for entry in some}
    for row in stored(connection, asked):
        key = (row.source_id, asked[row.source_id, row.key])
        found[key] = _entry(row, key[1])
        if row.retracted_at is not None:
            refused.add(key)
    by_comparable, by_text = _owners(connection, wanted, refused)
    _add_tombstones(connection, wanted, found, refused)
    moving = {}
    for source_id, some in wanted:
        strange = (found.get((source_id, entry.key)) for entry in some)
        if any(one is None or one.content_hash != entry.content_hash for one, entry in zip(strange, some, strict=True)):
            moving[source_id] = max(RECENT, 2 * max(len(some), beside[source_id].window if source_id in beside else 0))
    return Known(
        entries=found,
        by_comparable=by_comparable,
        by_text=by_text,
        recent={source_id: _recent(connection, source_id, most) for source_id, most in moving.items()},
        refused=frozenset(refused),
    )


def _select() -> Select[Any]:
    return select(
        entries.c.id,
        entries.c.key,
        entries.c.source_id,
        entries.c.article_id,
        entries.c.shown,
        entries.c.entry_id,
        entries.c.comparable,
        entries.c.title,
        entries.c.text_hash,
        entries.c.content_hash,
        entries.c.published_at,
        entries.c.first_seen,
        entries.c.signature,
        articles.c.uid,
        articles.c.retracted_at,
    ).join_from(entries, articles, articles.c.id == entries.c.article_id)


# Built once: it runs for every source of a batch.
_NEWEST = (
    _select()
    .where(entries.c.source_id == bindparam("of_source"))
    .order_by(entries.c.id.desc())
    .limit(bindparam("most"))
)


def stored(connection: Connection, keys: Iterable[tuple[int, str]]) -> list[Row[*tuple[Any, ...]]]:
    """The entries with these (source id, indexable key), joined with their articles."""
    wanted = set(keys)
    # One list of keys, not of pairs, which SQLite looks up by reading everything; other sources' rows are few.
    of_these = (entries.c.source_id + 0).in_(sorted({source_id for source_id, _ in wanted}))
    rows: list[Row[*tuple[Any, ...]]] = []
    for some in chunks(sorted({key for _, key in wanted})):
        for row in connection.execute(_select().where(entries.c.key.in_(some), of_these)):
            if (row.source_id, row.key) in wanted:
                rows.append(row)
    return rows


def _entry(row: Row[*tuple[Any, ...]], key: str) -> KnownEntry:
    return KnownEntry(
        key=key,
        source_id=row.source_id,
        article_uid=row.uid,
        entry_id=row.entry_id,
        comparable=row.comparable,
        title=row.title,
        text_hash=unsigned(row.text_hash),
        content_hash=unsigned(row.content_hash),
        published=row.published_at,
        first_seen=row.first_seen,
        signature=row.signature or b"",
    )


def _recent(connection: Connection, source_id: int, most: int) -> tuple[KnownEntry, ...]:
    rows = connection.execute(_NEWEST, {"of_source": source_id, "most": most})
    return tuple([_entry(row, row.key) for row in rows])


def _owners(
    connection: Connection, wanted: Wanted, refused: set[tuple[int, str] | str | int]
) -> tuple[dict[str, str], dict[int, str]]:
    """Article uids by comparable URL and by text; those of retracted articles are *refused* too."""
    addresses = {
        indexable(entry.comparable): entry.comparable for _, some in wanted for entry in some if entry.comparable
    }
    by_comparable: dict[str, str] = {}
    for some in chunks(sorted(addresses)):
        statement = select(article_urls.c.comparable, articles.c.uid, articles.c.retracted_at)
        statement = statement.join_from(article_urls, articles, articles.c.id == article_urls.c.article_id)
        for row in connection.execute(statement.where(article_urls.c.comparable.in_(some))):
            by_comparable[addresses[row.comparable]] = row.uid
            if row.retracted_at is not None:
                refused.add(addresses[row.comparable])
    hashes = {entry.text_hash for _, some in wanted for entry in some if entry.text_hash}
    by_text: dict[int, str] = {}
    for numbers in chunks(sorted(signed(number) for number in hashes)):
        statement = select(article_texts.c.text_hash, articles.c.uid, articles.c.retracted_at)
        statement = statement.join_from(article_texts, articles, articles.c.id == article_texts.c.article_id)
        for row in connection.execute(statement.where(article_texts.c.text_hash.in_(numbers))):
            by_text[unsigned(row.text_hash)] = row.uid
            if row.retracted_at is not None:
                refused.add(unsigned(row.text_hash))
    return by_comparable, by_text


def _add_tombstones(
    connection: Connection,
    wanted: Wanted,
    found: dict[tuple[int, str], KnownEntry],
    refused: set[tuple[int, str] | str | int],
) -> None:
    """Add to *refused* what retention took, for entries that are not stored."""
    marks: dict[int, tuple[int, str] | str | int] = {}
    for source_id, some in wanted:
        for entry in some:
            if (source_id, entry.key) in found:
                continue
            marks[entry_mark(source_id, entry.key)] = (source_id, entry.key)
            if entry.comparable:
                marks[url_mark(entry.comparable)] = entry.comparable
            if entry.text_hash:
                marks[text_mark(entry.text_hash)] = entry.text_hash
    for numbers in chunks(sorted(marks)):
        statement = select(tombstones.c.mark).where(tombstones.c.mark.in_(numbers))
        refused.update(marks[mark] for mark in connection.execute(statement).scalars())
