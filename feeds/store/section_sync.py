"""A config's section tree taken over into the table: new, renamed, moved, removed, back. I/O: database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from feeds.model import UNFILED, Section
from feeds.store import counters
from feeds.store.dialect import upsert
from feeds.store.schema import documents, frames, section_moves, sections


def sync(connection: Connection, wanted: Sequence[Section], now: datetime) -> None:
    """See `Sections.sync`."""
    titles = {section.path: section.title for section in wanted}
    titles = {"": titles.get("", "")} | titles | {UNFILED: titles.get(UNFILED, "Unfiled")}
    present = {row.path: row for row in connection.execute(select(sections))}
    moved = False
    for section in wanted:
        for old in section.moved_from:
            moved |= _move(connection, old, section.path, now, here=section.path in present, free=old not in titles)
    if moved:
        present = {row.path: row for row in connection.execute(select(sections))}
    changed = moved
    for position, (path, title) in enumerate(titles.items()):
        row = present.get(path)
        if row is None:
            connection.execute(insert(sections).values(path=path, title=title, position=position, created_at=now))
            changed = True
        elif (row.title, row.position) != (title, position) or row.removed_at is not None:
            values = {"title": title, "position": position, "removed_at": None, "touched": row.touched + 1}
            connection.execute(update(sections).where(sections.c.id == row.id).values(values))
            changed = True
    for path, row in present.items():
        if path not in titles and row.removed_at is None:
            connection.execute(update(sections).where(sections.c.id == row.id).values(removed_at=now))
            _forget_documents(connection, path)
            changed = True
    if changed:
        counters.publish(connection)


def _move(connection: Connection, old: str, path: str, now: datetime, *, here: bool, free: bool) -> bool:
    """Remember that *old* is *path* now; its row comes along where *path* has none. Whether anything was new."""
    statement = select(section_moves.c.path).where(section_moves.c.old_path == old)
    known = connection.execute(statement).scalar_one_or_none() == path
    row = {"old_path": old, "path": path, "moved_at": now}
    if not known:
        upsert(connection, section_moves, [row], ("old_path",), change=("path", "moved_at"))
    if here or not free:
        return not known
    values = {"path": path, "removed_at": None, "touched": sections.c.touched + 1}
    taken = connection.execute(select(sections.c.id).where(sections.c.path == path)).one_or_none()
    renamed = 0
    if taken is None:
        renamed = connection.execute(update(sections).where(sections.c.path == old).values(values)).rowcount
    _forget_documents(connection, old)
    return bool(renamed) or not known


def _forget_documents(connection: Connection, path: str) -> None:
    connection.execute(delete(documents).where(documents.c.path == path))
    connection.execute(delete(frames).where(frames.c.path == path))
