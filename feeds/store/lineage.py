"""Which entry of an article is the original and which one is shown: read, and written. I/O: database."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, select, update

from feeds.codec import part_from_blob, plain, restore
from feeds.model import LINEAGE_FIELDS, Entry, Evidence
from feeds.store import containments, filings
from feeds.store.columns import chunks, storable
from feeds.store.dialect import rows_in
from feeds.store.schema import articles, entries

MOST_WEIGHED = 32
"""Of an article with more entries the lineage stands: a flood of copies must not be weighed again with each."""

_WORDS = {
    "entry-id": "the same entry id",
    "url": "the same address",
    "text": "the same text, word for word",
    "near": "nearly the same text",
    "title": "the same headline",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One stored entry of an article, as far as its lineage goes; *id* is its row, which says the same as long as it
    *changed_at* the same time.
    """

    id: int
    source_id: int
    key: str
    changed_at: datetime
    first_seen: datetime
    shown: bool
    copy: bool
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What becomes of one entry of an article."""

    line: Line
    shown: bool
    copy: bool
    evidence: tuple[Evidence, ...]


_LINE = (
    entries.c.id,
    entries.c.source_id,
    entries.c.key,
    entries.c.changed_at,
    entries.c.first_seen,
    entries.c.shown,
    entries.c.copy,
    entries.c.evidence,
)


def lines(connection: Connection, uids: Sequence[str]) -> dict[str, list[Line]]:
    """The entries of the articles, first come first; without articles that have more than MOST_WEIGHED."""
    found: dict[str, list[Line]] = {}
    for some in chunks(list(uids)):
        ids = connection.execute(
            select(entries.c.article_id)
            .join_from(entries, articles, articles.c.id == entries.c.article_id)
            .where(articles.c.uid.in_(some))
            .group_by(entries.c.article_id)
            .having(func.count() <= MOST_WEIGHED)
        )
        statement = (
            select(*_LINE, articles.c.uid)
            .join_from(entries, articles, articles.c.id == entries.c.article_id)
            .where(entries.c.article_id.in_(ids.scalars().all()))
            .order_by(entries.c.id)
        )
        for row in connection.execute(statement):
            evidence = tuple(restore(Evidence, each) for each in json.loads(row.evidence)) if row.evidence else ()
            found.setdefault(row.uid, []).append(
                Line(
                    id=row.id,
                    source_id=row.source_id,
                    key=row.key,
                    changed_at=row.changed_at,
                    first_seen=row.first_seen,
                    shown=bool(row.shown),
                    copy=bool(row.copy),
                    evidence=evidence,
                )
            )
    return found


def entries_of(connection: Connection, ids: Sequence[int]) -> dict[int, Entry]:
    """The entries of these rows with the LINEAGE_FIELDS alone."""
    found: dict[int, Entry] = {}
    for row in rows_in(connection, select(entries.c.id, entries.c.payload), entries.c.id, ids):
        found[row.id] = part_from_blob(row.payload, LINEAGE_FIELDS)
    return found


def settle(connection: Connection, settled: Mapping[str, Sequence[Settled]]) -> int:
    """Write what differs from what stands; how many articles are told otherwise now and have to be rendered again."""
    moved: list[str] = []
    changes: dict[frozenset[str], list[dict[str, Any]]] = {}  # rows that change the same columns are one statement
    for uid, several in settled.items():
        changed = False
        for one in several:
            values: dict[str, Any] = {}
            if one.shown != one.line.shown:
                values["shown"] = int(one.shown)
            if one.copy != one.line.copy:
                values["copy"] = int(one.copy)
            changed |= bool(values)
            if one.evidence != one.line.evidence:
                values["evidence"] = storable(json.dumps(plain(one.evidence), ensure_ascii=False))
            if values:
                row = {f"new_{name}": value for name, value in values.items()}
                changes.setdefault(frozenset(values), []).append(row | {"of_id": one.line.id})
        if changed:
            moved.append(uid)
    for columns, rows in changes.items():
        renewed = update(entries).where(entries.c.id == bindparam("of_id"))
        connection.execute(renewed.values({name: bindparam(f"new_{name}") for name in sorted(columns)}), rows)
    ids = [row.id for row in rows_in(connection, select(articles.c.id), articles.c.uid, moved)]
    filings.renew(connection, ids)
    containments.renew_neighbours(connection, ids)
    return len(moved)


def in_words(evidence: str, *, original: bool) -> str:
    """The stored *evidence* of an entry in a few words for readers, empty where there is none."""
    told = [restore(Evidence, each) for each in json.loads(evidence)] if evidence else []
    if original:
        return next((each.detail for each in told if each.kind == "lineage"), "")
    for each in told:
        if each.kind in _WORDS:
            words = _WORDS[each.kind]
            return f"{words} ({each.score:.2f})" if each.kind == "near" and each.score is not None else words
    return ""
