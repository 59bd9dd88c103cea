"""Sections: their rows, and what is filed in them. I/O: database."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, bindparam, delete, exists, func, insert, literal, select, tuple_, update

from feeds.configuration import UNFILED, Section
from feeds.errors import SectionNotFound
from feeds.model import Article, Format
from feeds.store import selections, small_tables, stories
from feeds.store.dialect import AnyRow, UtcDateTime, Verbs, change_in, rows_in, upsert, value_of
from feeds.store.hydrate import hydrate
from feeds.store.schema import (
    BY_RANK,
    IN_SECTION,
    LIVE,
    NOT_ASIDE,
    RETRACTED,
    SET_ASIDE,
    STALE,
    articles,
    documents,
    entries,
    events,
    filings,
    frames,
    section_moves,
    sections,
)
from feeds.store.selections import Wanted
from feeds.store.values import (
    Changes,
    Listing,
    Newest,
    Outline,
    Page,
    SectionState,
    Selection,
    StaleSection,
    Standing,
    Withdrawn,
)

_NEWEST = filings.c.rank_at.desc(), filings.c.article_id.desc()
_CONFIGURED = ("title", "position", "private")
PUBLISHING = "gate", "held", "set-aside"
"""The kinds of events that publishing opens and closes."""


_SECTION_ID = select(sections.c.id).where(sections.c.path == bindparam("of_path"), sections.c.removed_at.is_(None))
_SINCE = (
    select(filings.c.article_id, filings.c.state, filings.c.sequence, filings.c.changed_at, articles.c.uid)
    .join_from(filings, articles)
    .where(filings.c.section_id == bindparam("of_section"), filings.c.sequence > bindparam("of_sequence"))
    .order_by(filings.c.sequence.desc())
    .limit(bindparam("of_limit"))
)


class Sections(Verbs):
    """``tx.sections``"""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._ids: dict[str, int] = {}  # as this transaction found them

    def sync(self, configured: Sequence[Section], now: datetime) -> None:
        """Take over the section tree of a config; the whole desk and `unfiled` are there in any case.

        A section with `moved_from` keeps the filings and the numbers that it had under its old path.
        """
        self._ids.clear()
        titles = _titles(configured)
        private = {section.path for section in configured if section.private}
        present = self._rows()
        moves = [(old, section.path) for section in configured for old in section.moved_from]
        changes = [
            _move(self._connection, old, path, now, here=path in present, free=old not in titles) for old, path in moves
        ]
        if any(changes):
            present = self._rows()
        changes += [
            _write_section(self._connection, present.get(path), path, (title, position, int(path in private)), now)
            for position, (path, title) in enumerate(titles.items())
        ]
        for row in present.values():
            if row.path not in titles and row.removed_at is None:
                self._execute(update(sections).where(sections.c.id == row.id).values(removed_at=now))
                _forget_documents(self._connection, row.path)
                changes.append(True)
        if any(changes):
            small_tables.publish(self._connection)

    def _rows(self) -> dict[str, AnyRow]:
        return {row.path: row for row in self._execute(select(sections))}

    # ------------------------------------------------------------------ rows

    def all(self) -> list[SectionState]:
        """The sections of the present config, in the order of its tree."""
        statement = select(sections).where(sections.c.removed_at.is_(None))
        rows = self._execute(statement.order_by(sections.c.position, sections.c.id))
        return [_state(row) for row in rows]

    def get(self, path: str) -> SectionState | None:
        """The section at *path*; None where there is none, or it was removed."""
        statement = select(sections).where(sections.c.path == path, sections.c.removed_at.is_(None))
        row = self._execute(statement).one_or_none()
        return None if row is None else _state(row)

    def former(self) -> dict[str, str]:
        """Every path that was a section's and is none's now: where that section is, or ``"gone"`` if it was removed."""
        rows = self._execute(select(sections.c.path, sections.c.removed_at)).all()
        present = {path for path, removed_at in rows if removed_at is None}
        moved = self._execute(select(section_moves.c.old_path, section_moves.c.path))
        moves: dict[str, str] = {old_path: path for old_path, path in moved}
        former = {}
        for path in ({path for path, _ in rows} | moves.keys()) - present:
            target, seen = path, {path}
            while (after := moves.get(target)) is not None and after not in seen and target not in present:
                target = after
                seen.add(target)
            former[path] = target if target in present else "gone"
        return former

    def changed(self) -> list[StaleSection]:
        """Sections whose documents are out of date, in the order of the tree."""
        by_path: dict[str, list[AnyRow]] = {}
        for row in self._execute(_CHANGED):
            by_path.setdefault(row.path, []).append(row)
        return [_stale(rows) for rows in by_path.values()]

    def mark_dirty(self, paths: Sequence[str] | None = None) -> None:
        """Have sections rendered again, all if None."""
        renewed = update(sections).values(touched=sections.c.touched + 1)
        if paths is None:
            self._execute(renewed)
            return
        change_in(self._connection, renewed, sections.c.path, paths)

    def hold(self, state: SectionState) -> None:
        """Leave the documents as they are until something more than *state* changes; what would replace them is bad."""
        held = {"rendered_sequence": state.sequence, "rendered_touched": state.touched}
        self._execute(update(sections).where(sections.c.id == state.id).values(held))

    # ------------------------------------------------------------------ what is filed

    def top(self, path: str, limit: int) -> tuple[Article, ...]:
        """The newest *limit* articles by (`rank_at`, id), whole; none that is set aside. Raises SectionNotFound."""
        return self.page(path, None, limit).articles

    def outlines(self, path: str, limit: int) -> list[Outline]:
        """The newest *limit* published articles of the section in outline, newest first. Raises SectionNotFound."""
        return stories.newest(self._connection, self._id(path), limit)

    def newest(self, wanted: Sequence[Wanted]) -> dict[int, Newest]:
        """What the documents of sections are chosen from, by the section's row: articles that are not set aside."""
        return selections.newest(self._connection, wanted)

    def _newest(self, path: str, limit: int) -> Select[Any]:
        aside = select(articles.c.id).where(SET_ASIDE)
        statement = select(filings.c.article_id, filings.c.rank_at, filings.c.sequence)
        statement = statement.where(filings.c.section_id == self._id(path), IN_SECTION)
        statement = statement.where(filings.c.article_id.not_in(aside)).order_by(*_NEWEST).limit(limit)
        return statement.with_hint(filings, BY_RANK, "sqlite")

    def page(self, path: str, before: tuple[datetime, int] | None, limit: int) -> Page:
        """The newest *limit* articles behind the place *before*, and the place to go on from."""
        statement = self._newest(path, limit + 1)
        if before is not None:
            place = tuple_(literal(before[0], UtcDateTime()), literal(before[1]))
            statement = statement.where(tuple_(filings.c.rank_at, filings.c.article_id) < place)
        rows = self._execute(statement).all()
        more, rows = len(rows) > limit, rows[:limit]
        last = (rows[-1].rank_at, rows[-1].article_id) if more and rows else None
        return Page(articles=self._articles(rows), next=last)

    def archive(self, path: str, first: int, last: int) -> tuple[Article, ...]:
        """The articles filed as number *first* to *last*, in that order: a page whose members stay (RFC 5005 §4)."""
        statement = select(filings.c.article_id, filings.c.sequence)
        statement = statement.where(filings.c.section_id == self._id(path), filings.c.number.between(first, last))
        rows = self._execute(statement.where(filings.c.state == LIVE).order_by(filings.c.number)).all()
        return self._articles(rows)

    def archive_page(self, path: str, first: int, last: int, format: Format) -> Selection:
        """What `archive` gives, the newest first, as fragments of any age: only publishing can make others."""
        return selections.archive_page(self._connection, self._id(path), first, last, format)

    def narrowed(
        self,
        path: str,
        format: Format,
        *,
        sources: Sequence[int],
        language: str,
        fallback: str,
        limit: int,
        scan: int,
        pictured: bool = False,
    ) -> Selection:
        """The newest *limit* of the newest *scan* articles that any of *sources* brought and that are in *language*; of
        those that show a picture, where that is wanted.

        Empty means any. ``en`` takes in ``en-GB``; an article that names no language is in *fallback*.
        """
        return selections.narrowed(
            self._connection,
            self._id(path),
            format,
            sources=sources,
            language=language,
            fallback=fallback,
            limit=limit,
            scan=scan,
            pictured=pictured,
        )

    def by_story(self, path: str, format: Format, *, limit: int, among: int) -> Selection:
        """The newest *limit* stories among the section's newest *among* articles, as publishing last made them."""
        return stories.selection(self._connection, self._id(path), format, limit=limit, among=among)

    def stale_stories(self, paths: Sequence[str], among: int, version: int) -> dict[str, str]:
        """Stories of the sections' newest articles, *among* so many of each, that `documents.put_stories` has to get,
        with what they are of. A section that was taken out has none.
        """
        wanted = stories.made_of(self._connection, stories.told_in(self._connection, paths, among))
        stale = stories.stale(self._connection, wanted, version)
        return {uid: made_of for uid, made_of in wanted.items() if uid in stale}

    def unlisted(self, path: str, uids: Sequence[str], filed: int) -> int:
        """The highest number up to *filed* of a filing of the section that is not among *uids*; 0 where all are."""
        return selections.unlisted(self._connection, self._id(path), uids, filed)

    def standings(self, path: str, uids: Sequence[str]) -> dict[str, Standing]:
        """How those of the articles stand that are in the section and not set aside."""
        # By id, for a section may hold a million: the key of `filings` leads straight to these.
        named = select(articles.c.id, articles.c.uid).where(NOT_ASIDE)
        by_id = {row.id: row.uid for row in rows_in(self._connection, named, articles.c.uid, uids)}
        columns = filings.c.article_id, filings.c.rank_at, filings.c.filed_at
        statement = (
            select(*columns, *selections.STANDING)
            .join_from(filings, articles)
            .join(entries, (entries.c.article_id == filings.c.article_id) & (entries.c.shown == 1))
            .where(filings.c.section_id == self._id(path), IN_SECTION)
        )
        return {
            row.uid: selections.standing_of(*row)
            for row in rows_in(self._connection, statement, filings.c.article_id, by_id)
        }

    def retracted(self, path: str, after: int, limit: int) -> list[Withdrawn]:
        """The section's newest retractions of those numbered above *after*, newest first."""
        statement = (
            select(articles.c.uid, filings.c.changed_at, filings.c.sequence)
            .join_from(filings, articles)
            .where(filings.c.section_id == self._id(path), filings.c.sequence > after, filings.c.state == RETRACTED)
            .order_by(filings.c.sequence.desc())
            .limit(limit)
        )
        return [
            Withdrawn(uid=row.uid, at=row.changed_at, sequence=row.sequence, retracted=True)
            for row in self._execute(statement)
        ]

    def since(self, path: str, sequence: int, limit: int) -> Changes:
        """What was filed, changed, withdrawn or retracted after *sequence*, newest change first (RFC 3229)."""
        bound = {"of_section": self._id(path), "of_sequence": sequence, "of_limit": limit + 1}
        rows = self._execute(_SINCE, bound).all()
        complete, rows = len(rows) <= limit, rows[:limit]
        return Changes(
            articles=self._articles([row for row in rows if row.state == LIVE]),
            withdrawn=tuple(
                Withdrawn(uid=row.uid, at=row.changed_at, sequence=row.sequence, retracted=row.state == RETRACTED)
                for row in rows
                if row.state != LIVE
            ),
            complete=complete,
        )

    def filed_after(self, path: str, number: int, most: int) -> tuple[Article, ...]:
        """The last *most* articles that were filed in the section after the filing *number*, newest first."""
        last = (
            select(filings.c.article_id, filings.c.rank_at, filings.c.sequence)
            .where(filings.c.section_id == self._id(path), filings.c.number > number, IN_SECTION)
            .where(filings.c.article_id.not_in(select(articles.c.id).where(SET_ASIDE)))
            .order_by(filings.c.number.desc())
            .limit(most)
        )
        rows = self._execute(last).all()
        return self._articles(sorted(rows, key=lambda row: (row.rank_at, row.article_id), reverse=True))

    def counts(self) -> dict[str, int]:
        """How many articles are filed in each section, by path."""
        live = select(filings.c.section_id, func.count().label("many")).where(IN_SECTION)
        by_section = live.group_by(filings.c.section_id).subquery()
        statement = select(sections.c.path, func.coalesce(by_section.c.many, 0)).join_from(
            sections, by_section, by_section.c.section_id == sections.c.id, isouter=True
        )
        rows = self._execute(statement.where(sections.c.removed_at.is_(None)).order_by(sections.c.position))
        return {path: int(many) for path, many in rows}

    def _articles(self, rows: Sequence[AnyRow]) -> tuple[Article, ...]:
        sequences = {row.article_id: row.sequence for row in rows}
        return tuple(hydrate(self._connection, [row.article_id for row in rows], sequences).values())

    def _id(self, path: str) -> int:
        if path in self._ids:
            return self._ids[path]
        found: int | None = self._connection.scalar(_SECTION_ID, {"of_path": path})
        if found is None:
            raise SectionNotFound(path)
        self._ids[path] = found
        return found


def _titles(configured: Sequence[Section]) -> dict[str, str]:
    """The titles of all sections by path, in the order of the tree: the whole desk first, `unfiled` last."""
    titles = {section.path: section.title for section in configured}
    return {"": titles.get("", "")} | titles | {UNFILED: titles.get(UNFILED, "Unfiled")}


def _write_section(
    connection: Connection, row: AnyRow | None, path: str, configured: tuple[str, int, int], now: datetime
) -> bool:
    """Bring the row of a section in line with what is *configured* of `_CONFIGURED`; whether anything changed."""
    values: dict[str, Any] = dict(zip(_CONFIGURED, configured, strict=True))
    if row is None:
        connection.execute(insert(sections).values(path=path, created_at=now, **values))
        return True
    if (row.title, row.position, row.private) == configured and row.removed_at is None:
        return False
    values |= {"removed_at": None, "touched": row.touched + 1}
    connection.execute(update(sections).where(sections.c.id == row.id).values(values))
    return True


def _move(connection: Connection, old: str, path: str, now: datetime, *, here: bool, free: bool) -> bool:
    """Remember that *old* is *path* now; its row comes along where *path* has none. Whether anything was new."""
    statement = select(section_moves.c.path).where(section_moves.c.old_path == old)
    known = connection.scalar(statement) == path
    row = {"old_path": old, "path": path, "moved_at": now}
    if not known:
        upsert(connection, section_moves, [row], ("old_path",), replace=True)
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
    for table in (documents, frames):
        connection.execute(delete(table).where(table.c.path == path))


def _state(row: AnyRow) -> SectionState:
    return value_of(SectionState, row)


_CHANGED = (
    select(
        sections,
        *(documents.c[name] for name in ("format", "media_type", "etag", "article_uids", "last_modified")),
        documents.c.sequence.label("document_sequence"),
        exists().where(events.c.kind.in_(PUBLISHING), events.c.closed_at.is_(None)).label("troubled"),
    )
    .join_from(sections, documents, documents.c.path == sections.c.path, isouter=True)
    .where(STALE)
    .order_by(sections.c.position, sections.c.id, documents.c.format)
)


def _stale(rows: Sequence[AnyRow]) -> StaleSection:
    """A section of its *rows*, one for each of its documents."""
    first = rows[0]
    listing = None
    if first.format is not None:
        uids = tuple(json.loads(first.article_uids))
        listing = Listing(sequence=first.document_sequence, uids=uids, last_modified=first.last_modified)
    return StaleSection(
        state=_state(first),
        listing=listing,
        bodies={row.format: (row.media_type, row.etag) for row in rows if row.format is not None},
        troubled=bool(first.troubled),
    )
