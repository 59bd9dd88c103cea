"""A config's tree and sources taken over into their tables: new, renamed, moved, removed, back. I/O: database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zlib import crc32

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from feeds.model import UNFILED, Section, Source
from feeds.store import small_tables, stories
from feeds.store.columns import chunks
from feeds.store.dialect import change_in, upsert
from feeds.store.hydrate import strictest
from feeds.store.schema import (
    NEXT_REVISION,
    articles,
    documents,
    entries,
    events,
    frames,
    page_queue,
    section_moves,
    sections,
    sources,
)
from feeds.store.source_rows import CONFIGURED, configured
from feeds.store.values import SourcesSynced

_SHOWN = ("name", "target", "rights", "full_text", "priority")
"""What of a source is seen in published articles."""
_OF_A_SOURCE = ("gone", "failing", "moved", "validators", "silent", "flood")
"""Events that are over with another URL, or when the source goes."""
_OF_THE_OLD_URL: dict[str, Any] = {
    "failures": 0,
    "retry_after_until": None,
    "gone_at": None,
    "adopted_url": None,
    "redirect_target": None,
    "redirect_first_seen": None,
    "redirect_count": 0,
    "distrusted_at": None,
    "rhythm": "",
    "last_error": "",
    "last_remedy": "",
    "item_hashes": None,
    "item_marks": None,
    "body_hash": None,
}


def sync_sections(connection: Connection, wanted: Sequence[Section], now: datetime) -> None:
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
    written = [
        _write_section(connection, present.get(path), path, titles[path], at, now) for at, path in enumerate(titles)
    ]
    gone = [row for path, row in present.items() if path not in titles and row.removed_at is None]
    for row in gone:
        connection.execute(update(sections).where(sections.c.id == row.id).values(removed_at=now))
        _forget_documents(connection, row.path)
    if moved or gone or any(written):
        small_tables.publish(connection)


def _write_section(
    connection: Connection, row: Row[Any] | None, path: str, title: str, position: int, now: datetime
) -> bool:
    """Bring the row of a section in line with config; whether anything changed."""
    if row is None:
        connection.execute(insert(sections).values(path=path, title=title, position=position, created_at=now))
        return True
    if (row.title, row.position) == (title, position) and row.removed_at is None:
        return False
    values = {"title": title, "position": position, "removed_at": None, "touched": row.touched + 1}
    connection.execute(update(sections).where(sections.c.id == row.id).values(values))
    return True


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


def sync_sources(
    connection: Connection,
    wanted: Sequence[Source],
    desk_full_text: str,
    now: datetime,
    first_poll_spread_s: float,
) -> SourcesSynced:
    """See `Sources.sync`."""
    present = {row.key: row for row in connection.execute(select(sources))}
    plan = _Plan()
    for source in wanted:
        columns = configured(source, desk_full_text)  # type: ignore[arg-type]
        row = present.get(source.key)
        if row is not None:
            plan.change(source, row, columns, now)
            continue
        wait = timedelta(seconds=first_poll_spread_s * crc32(source.key.encode()) / 2**32)
        due = {"next_poll_at": now + wait, "due_at": now + wait, "added_at": now}
        plan.added.append(columns | due | {"key": source.key})
    keys = {source.key for source in wanted}
    gone = [row for row in present.values() if row.key not in keys and row.removed_at is None]

    if plan.added:
        connection.execute(insert(sources), plan.added)
    if plan.updates:
        names: dict[str, Any] = {name: bindparam(f"new_{name}") for name in CONFIGURED}
        names |= {"next_poll_at": bindparam("new_due"), "removed_at": None}
        connection.execute(update(sources).where(sources.c.id == bindparam("of_id")).values(names), plan.updates)
    # A poll of the old URL that is still out loses its claim: what it brings of state is not the new URL's.
    cleared = update(sources).values(claim_id=None, **_OF_THE_OLD_URL)
    change_in(connection, cleared, sources.c.id, plan.restart)
    change_in(connection, delete(page_queue), page_queue.c.source_id, plan.restart)
    removed = update(sources).values(removed_at=now, claim_id=None)
    change_in(connection, removed, sources.c.id, [row.id for row in gone])
    theirs = update(events).where(events.c.kind.in_(_OF_A_SOURCE), events.c.closed_at.is_(None))
    over = [*plan.restart.values(), *(row.key for row in gone)]
    change_in(connection, theirs.values(closed_at=now), events.c.subject, over)
    _renew(connection, plan.seen_differently)
    _withhold(connection, plan.say_less)
    return SourcesSynced(
        added=tuple(row["key"] for row in plan.added),
        changed=tuple(plan.changed),
        returned=tuple(plan.returned),
        removed=tuple(row.key for row in gone),
    )


@dataclass(slots=True)
class _Plan:
    """What is to be written of sources; *restart* are those with another URL, {row: key}."""

    added: list[dict[str, Any]] = field(default_factory=list)
    updates: list[dict[str, Any]] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    returned: list[str] = field(default_factory=list)
    restart: dict[int, str] = field(default_factory=dict)
    seen_differently: list[int] = field(default_factory=list)
    say_less: list[int] = field(default_factory=list)

    def change(self, source: Source, row: Row[Any], columns: dict[str, Any], now: datetime) -> None:
        """Bring *row* in line with *source*, where they differ."""
        differs = [name for name in CONFIGURED if columns[name] != getattr(row, name)]
        back = row.removed_at is not None
        if not differs and not back:
            return
        (self.returned if back else self.changed).append(source.key)
        due = {"of_id": row.id, "new_due": _due(row, source, differs, now)}
        self.updates.append({f"new_{name}": value for name, value in columns.items()} | due)
        if "target" in differs or "kind" in differs:
            self.restart[row.id] = row.key
        if any(name in differs for name in _SHOWN):
            self.seen_differently.append(row.id)
        if _says_less(row, columns):
            self.say_less.append(row.id)


def _due(row: Row[Any], source: Source, differs: Sequence[str], now: datetime) -> datetime:
    """When a changed source is due: a new URL at once, a shorter interval from its last poll."""
    due: datetime = row.next_poll_at
    if "target" in differs or "kind" in differs:
        return min(due, now) if row.claim_id is None else now
    patient = row.claim_id is not None or row.failures or row.retry_after_until is not None
    if "fixed_interval_s" in differs and source.interval_s and row.last_poll_at is not None and not patient:
        last: datetime = row.last_poll_at
        return min(due, last + timedelta(seconds=source.interval_s))
    return due


def _renew(connection: Connection, source_ids: Sequence[int]) -> None:
    """Have every article that these sources have part in rendered again."""
    for some in chunks(source_ids):
        theirs = select(entries.c.article_id).where(entries.c.source_id.in_(some))
        connection.execute(NEXT_REVISION.where(articles.c.id.in_(theirs)))
    if source_ids:
        connection.execute(update(sections).values(touched=sections.c.touched + 1))


def _says_less(row: Row[Any], columns: dict[str, Any]) -> bool:
    """Whether less of the source's articles may be shown than before; its own `full` also frees what it copied."""
    tighter = columns["rights"] != row.rights and strictest(columns["rights"], row.rights) == columns["rights"]
    return bool(tighter or (row.full_text == "full" and columns["full_text"] != "full"))


def _withhold(connection: Connection, source_ids: Sequence[int]) -> None:
    """Have nothing served any more of these sources' articles that was rendered before `_renew`.

    What is joined from their fragments waits for new ones. A mark, for a desk's fragments are too many to be deleted.
    """
    for some in chunks(source_ids):
        theirs = select(entries.c.article_id).where(entries.c.source_id.in_(some))
        withheld = update(articles).where(articles.c.id.in_(theirs)).values(least_revision=articles.c.revision)
        connection.execute(withheld)
        told_in = select(articles.c.story_uid).where(articles.c.id.in_(theirs), articles.c.story_uid.is_not(None))
        stories.forget(connection, connection.execute(told_in.distinct()).scalars())
