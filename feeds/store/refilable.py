"""Articles as they are filed again: what filing asks of their entries, and where they are. I/O: database.

A desk may hold a million of them and goes through them all, so rows are asked for by ranges and only the fields that
filing may look at are read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import ColumnElement, Connection, exists, select

from feeds.model import FILING_FIELDS, Entry, Source
from feeds.store import filings
from feeds.store.codec import part_from_blob
from feeds.store.marks import chunks
from feeds.store.schema import articles, entries, sources
from feeds.store.schema import filings as filing_rows
from feeds.store.source_rows import source_of
from feeds.store.values import Refilable

Told = dict[int, list[tuple[Entry, int]]]
"""Entries with their source's row, the first that came first, by the article's row."""


def filed(connection: Connection, before: int | None, limit: int) -> list[Refilable]:
    """Articles that were ever filed, the newest first, those below the row *before*."""
    statement = select(articles.c.id, articles.c.uid).where(articles.c.retracted_at.is_(None))
    statement = statement.where(exists().where(filing_rows.c.article_id == articles.c.id))
    if before is not None:
        statement = statement.where(articles.c.id < before)
    newest = statement.order_by(articles.c.id.desc()).limit(limit)
    uids = {article_id: uid for article_id, uid in connection.execute(newest).all()}
    if not uids:
        return []
    first, last = min(uids), max(uids)
    told = _told(connection, entries.c.article_id.between(first, last), uids)
    return _joined(connection, uids, told, filings.placed(connection, filing_rows.c.article_id.between(first, last)))


def with_entries(connection: Connection, ids: Sequence[int]) -> list[Refilable]:
    """The articles of these rows, in this order."""
    uids: dict[int, str] = dict.fromkeys(ids, "")
    told: Told = {}
    placed: filings.Placed = {}
    for some in chunks(ids):
        named = select(articles.c.id, articles.c.uid).where(articles.c.id.in_(some))
        uids |= {article_id: uid for article_id, uid in connection.execute(named).all()}
        told |= _told(connection, entries.c.article_id.in_(some), uids)
        placed |= filings.placed(connection, filing_rows.c.article_id.in_(some))
    return _joined(connection, {article_id: uid for article_id, uid in uids.items() if uid}, told, placed)


def _told(connection: Connection, those: ColumnElement[bool], uids: Mapping[int, str]) -> Told:
    columns = entries.c.article_id, entries.c.source_id, entries.c.payload
    by_age = select(*columns).where(those).order_by(entries.c.id)
    told: Told = {}
    for article_id, source_id, payload in connection.execute(by_age).all():
        if article_id in uids:
            told.setdefault(article_id, []).append((part_from_blob(payload, FILING_FIELDS), source_id))
    return told


def _joined(connection: Connection, uids: Mapping[int, str], told: Told, placed: filings.Placed) -> list[Refilable]:
    by_id = source_map(connection, {source_id for entries in told.values() for _, source_id in entries})
    return [
        Refilable(
            id=article_id,
            uid=uid,
            entries=tuple([(entry, by_id[source_id]) for entry, source_id in told.get(article_id, ())]),
            placed=tuple(placed.get(article_id, ())),
        )
        for article_id, uid in uids.items()
    ]


def source_map(connection: Connection, ids: set[int]) -> dict[int, Source]:
    """The sources of these rows."""
    found: dict[int, Source] = {}
    for some in chunks(sorted(ids)):
        for row in connection.execute(select(sources).where(sources.c.id.in_(some))):
            found[row.id] = source_of(row)
    return found
