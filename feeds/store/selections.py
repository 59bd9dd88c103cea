"""Articles of sections chosen: for documents, many sections in one statement; as finished fragments, for archive pages
and narrowed feeds. I/O: database.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from functools import cache, lru_cache
from typing import Any

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Select, bindparam, exists, literal, select, union_all

from feeds.codec import deflate, inflate
from feeds.model import FORMATS, Format, Fragment
from feeds.store.dialect import AnyRow, chunks, rows_in, value_of
from feeds.store.schema import (
    ALL_FORMATS,
    BY_NUMBER,
    BY_RANK,
    IN_SECTION,
    NOT_ASIDE,
    RETRACTED,
    SERVABLE,
    SET_ASIDE,
    articles,
    entries,
    filings,
    fragments,
    sections,
)
from feeds.store.values import Newest, Selection, Standing, Withdrawn

SECTIONS_AT_ONCE = 16
"""Sections in one statement: three parts of it each, of the 500 that SQLite takes."""
TOMBSTONES = 50
"""Retractions that a document tells of at most (RFC 6721)."""

_LISTED, _UNLISTED, _RETRACTED = 0, 1, 2

_ARTICLE = (articles.c.uid, articles.c.updated_at, articles.c.published_at)
_FRAGMENT = (
    fragments.c.version,
    fragments.c.revision,
    fragments.c.updated_at.label("made_of"),
    fragments.c.format,
    fragments.c.body,
)
_PICTURE: dict[Format, bytes] = {"rss": b"<media:thumbnail ", "atom": b"<media:thumbnail ", "json": b'"image":"'}
"""What a fragment with a picture holds; text in one is escaped."""
_BETWEEN = b"\0"
"""Between the formats of one row: neither XML nor JSON may hold it."""
_DECODED_AT_ONCE = 100  # most articles of a section are in one language, so that the first hundred often do


class Wanted(Struct, frozen=True, kw_only=True):
    """Of a section: so *many* of its newest articles, its retractions *after* a sequence number, and the highest number
    of a filing that is not among the *listed* newest articles.
    """

    section_id: int
    listed: int
    many: int
    after: int


PUBLIC = ()
"""No private section."""


def filed_in(private: Collection[str]) -> ColumnElement[bool]:
    """Of articles: in a public section, or in one of these *private* ones; see `_filed_in`."""
    return _filed_in(tuple(sorted(private)))


@lru_cache(maxsize=256)
def _filed_in(private: tuple[str, ...]) -> ColumnElement[bool]:
    """Of articles: in a public section, or in one of these *private* ones. The whole desk is none of them: articles
    stay there until they are filed again.
    """
    mine = (filings.c.article_id == articles.c.id) & IN_SECTION & sections.c.removed_at.is_(None)
    public = (sections.c.private == 0) & (sections.c.path != "")
    open_ = public | sections.c.path.in_(list(private)) if private else public
    # Joined, for a desk may have thousands of sections, and an article is in few.
    return exists(select(1).join_from(filings, sections).where(mine, open_).correlate(articles))


def newest(connection: Connection, wanted: Sequence[Wanted]) -> dict[int, Newest]:
    """What there is of each section, by its row; see `Sections.newest`."""
    parts: dict[int, tuple[list[Standing], list[Withdrawn], list[int]]] = {
        one.section_id: ([], [], []) for one in wanted
    }
    for start in range(0, len(wanted), SECTIONS_AT_ONCE):
        some = wanted[start : start + SECTIONS_AT_ONCE]
        values: dict[str, int] = {}
        for place, one in enumerate(some):
            values |= {f"section_{place}": one.section_id, f"listed_{place}": one.listed}
            values |= {f"many_{place}": one.many, f"after_{place}": one.after}
        for row in connection.execute(_statement(len(some)), values).all():
            part, section_id, number, sequence, changed_at, *standing = row
            standings, retracted, unlisted = parts[section_id]
            if part == _LISTED:
                standings.append(standing_of(*standing))
            elif part == _RETRACTED:
                retracted.append(Withdrawn(uid=row.uid, at=changed_at, sequence=sequence, retracted=True))
            else:
                unlisted.append(number)
    return {
        section_id: Newest(
            standings=tuple(sorted(standings, key=lambda one: (one.rank_at, one.article_id), reverse=True)),
            retracted=tuple(sorted(retracted, key=lambda one: one.sequence, reverse=True)),
            unlisted=max(unlisted, default=0),
        )
        for section_id, (standings, retracted, unlisted) in parts.items()
    }


STANDING = (
    articles.c.uid,
    articles.c.revision,
    articles.c.rendered_revision,
    entries.c.source_id,
    entries.c.comparable,
)
"""The columns of a `Standing` that are not its filing's."""


def standing_of(
    article_id: int,
    rank_at: datetime,
    filed_at: datetime,
    uid: str,
    revision: int,
    rendered_revision: int,
    source_id: int,
    comparable: str | None,
) -> Standing:
    """The standing that a row tells of: its filing's columns and `STANDING`. By place, for each name looked up in a row
    takes as long as all of this.
    """
    return Standing(
        article_id=article_id,
        uid=uid,
        rank_at=rank_at,
        filed_at=filed_at,
        source_id=source_id,
        link=comparable,
        revision=revision,
        rendered=revision == rendered_revision,
    )


@cache
def _statement(sections: int) -> Select[Any]:
    """For so many sections. Kept: SQLAlchemy takes longer to put it together than a database to answer it."""
    found = union_all(*(part for place in range(sections) for part in _parts(place))).subquery()
    shown = (entries.c.article_id == articles.c.id) & (entries.c.shown == 1)
    return (
        select(found, *STANDING)
        .join_from(found, articles, articles.c.id == found.c.article_id)
        .join(entries, shown, isouter=True)
        # As `standings`: an article without an entry to show stands nowhere.
        .where((found.c.part != _LISTED) | entries.c.source_id.is_not(None))
    )


def _parts(place: int) -> list[Select[Any]]:
    """The three questions about one section; the numbers that differ are bound under its *place*."""
    section = filings.c.section_id == bindparam(f"section_{place}")
    by_rank = filings.c.rank_at.desc(), filings.c.article_id.desc()

    def top(count: str) -> Select[Any]:
        return (
            _filings(_LISTED, section, IN_SECTION, _not_aside())
            .order_by(*by_rank)
            .limit(bindparam(f"{count}_{place}"))
            .with_hint(filings, BY_RANK, "sqlite")
        )

    listed = select(top("listed").subquery().c.article_id)
    unlisted = (
        _filings(_UNLISTED, section, IN_SECTION, _not_aside(), filings.c.article_id.not_in(listed))
        .order_by(filings.c.number.desc())
        .limit(1)
        .with_hint(filings, BY_NUMBER, "sqlite")
    )
    retracted = (
        _filings(_RETRACTED, section, filings.c.sequence > bindparam(f"after_{place}"), filings.c.state == RETRACTED)
        .order_by(filings.c.sequence.desc())
        .limit(TOMBSTONES)
    )
    # A part with an order of its own has to be a table for SQLite.
    return [select(part.subquery()) for part in (top("many"), unlisted, retracted)]


def _filings(part: int, *those: ColumnElement[bool] | Any) -> Select[Any]:
    names = ("section_id", "number", "sequence", "changed_at", "article_id", "rank_at", "filed_at")
    return select(literal(part).label("part"), *(filings.c[name] for name in names)).where(*those)


def _not_aside() -> ColumnElement[bool]:
    return filings.c.article_id.not_in(select(articles.c.id).where(SET_ASIDE))


# --------------------------------------------------------------------------- as fragments


def archive_page(connection: Connection, section_id: int, first: int, last: int, format: Format) -> Selection:
    """See `Sections.archive_page`."""
    here = filings.c.section_id == section_id, filings.c.number.between(first, last)
    page = _fragments(format).with_hint(filings, BY_NUMBER, "sqlite")
    kept = connection.execute(page.where(*here, IN_SECTION, NOT_ASIDE)).all()
    gone = (
        select(articles.c.uid, articles.c.retracted_at, filings.c.number)
        .join_from(filings, articles)
        .where(*here, filings.c.state == RETRACTED, articles.c.retracted_at.is_not(None))
        .order_by(filings.c.number.desc())
        .with_hint(filings, BY_NUMBER, "sqlite")
    )
    before = select(filings.c.number).where(filings.c.section_id == section_id, filings.c.number < first, IN_SECTION)
    newest = before.order_by(filings.c.number.desc()).limit(1).with_hint(filings, BY_NUMBER, "sqlite")
    older = connection.scalar(newest)
    return _selection(
        sorted(kept, key=lambda row: -int(row.number)),
        format,
        retracted=tuple((row.uid, row.retracted_at) for row in connection.execute(gone)),
        older=int(older or 0),
    )


def narrowed(
    connection: Connection,
    section_id: int,
    format: Format,
    *,
    sources: Sequence[int],
    language: str,
    fallback: str,
    limit: int,
    scan: int,
    pictured: bool,
) -> Selection:
    """See `Sections.narrowed`."""
    chosen = _newest_of(connection, section_id, sources, scan)
    if not (language or pictured):
        chosen = chosen.limit(limit)
    ids = list(connection.scalars(chosen))
    if language:
        ids = _in_language(connection, ids, language, fallback, scan if pictured else limit)
    here = _fragments(format).where(filings.c.section_id == section_id, NOT_ASIDE)
    rows = {row.article_id: row for row in rows_in(connection, here, filings.c.article_id, ids)}
    found = [rows[each] for each in ids if each in rows]
    if pictured:
        # What rights leave of an article is told by its fragment alone; one that waits for being rendered has to come.
        found = [row for row in found if row.body is None or _PICTURE[format] in bodies_of(row)[format]][:limit]
    return _selection(found, format)


def _newest_of(connection: Connection, section_id: int, sources: Sequence[int], scan: int) -> Select[Any]:
    """Of the newest *scan* published articles of a section those that any of *sources* brought; empty: all."""
    newest = (
        select(filings.c.article_id, filings.c.rank_at)
        .where(filings.c.section_id == section_id, IN_SECTION, *published(connection, section_id))
        .order_by(filings.c.rank_at.desc(), filings.c.article_id.desc())
        .limit(scan)
        .with_hint(filings, BY_RANK, "sqlite")
        .subquery()
    )
    chosen = select(newest.c.article_id).order_by(newest.c.rank_at.desc(), newest.c.article_id.desc())
    if sources:
        brought = exists().where(entries.c.article_id == newest.c.article_id, entries.c.source_id.in_(sources))
        chosen = chosen.where(brought)
    return chosen


def published(connection: Connection, section_id: int) -> list[ColumnElement[bool]]:
    """What leaves out filings that no document tells of yet: they came just now, or the gate holds them.

    Nothing where there are none, for the condition costs a look at every row.
    """
    columns = select(sections.c.filed, sections.c.rendered_filed).where(sections.c.id == section_id)
    filed, rendered = connection.execute(columns).one()
    return [filings.c.number <= rendered] if rendered < filed else []


def story(connection: Connection, uid: str, format: Format, limit: int, within: Collection[str]) -> Selection:
    """See `StoryShelf.selection`."""
    statement = (
        select(*_ARTICLE, *_FRAGMENT)
        .join_from(articles, fragments, _servable(format), isouter=True)
        .where(articles.c.story_uid == uid, articles.c.retracted_at.is_(None), NOT_ASIDE, filed_in(within))
        .order_by(articles.c.rank_at.desc(), articles.c.id.desc())
        .limit(limit)
    )
    return _selection(connection.execute(statement).all(), format)


def _in_language(connection: Connection, ids: Sequence[int], language: str, fallback: str, limit: int) -> list[int]:
    chosen: list[int] = []
    for some in chunks(ids, _DECODED_AT_ONCE):
        shown = select(entries.c.article_id, entries.c.payload)
        rows = connection.execute(shown.where(entries.c.article_id.in_(some), entries.c.shown == 1))
        named = {row.article_id: _language(row.payload) or fallback for row in rows}
        chosen += [each for each in some if (named.get(each, "").lower() + "-").startswith(language + "-")]
        if len(chosen) >= limit:
            break
    return chosen[:limit]


def _language(payload: bytes) -> str:
    return str(json.loads(inflate(payload)).get("language") or "")


def unlisted(connection: Connection, section_id: int, uids: Sequence[str], filed: int) -> int:
    """See `Sections.unlisted`. Documents hold a thousand articles at most, so few rows are passed over."""
    listed = set(uids)
    statement = (
        select(filings.c.number, articles.c.uid)
        .join_from(filings, articles)
        .where(filings.c.section_id == section_id, filings.c.number <= filed, IN_SECTION, NOT_ASIDE)
        .order_by(filings.c.number.desc())
        .limit(len(listed) + 1)
        .with_hint(filings, BY_NUMBER, "sqlite")
    )
    return next((int(row.number) for row in connection.execute(statement) if row.uid not in listed), 0)


def _fragments(format: Format) -> Select[Any]:
    """Filed articles with their fragment, where there is one that may be served, of whatever version."""
    return (
        select(filings.c.article_id, filings.c.number, filings.c.sequence, *_ARTICLE, *_FRAGMENT)
        .join_from(filings, articles)
        .join(fragments, _servable(format), isouter=True)
    )


def _servable(format: Format) -> ColumnElement[bool]:
    return (fragments.c.article_id == articles.c.id) & fragments.c.format.in_(holding(format)) & SERVABLE


def holding(format: Format) -> tuple[str, str]:
    """What stands as the format of rows that hold a fragment in this one."""
    return ALL_FORMATS, format


def rows_of(made: Iterable[Fragment]) -> dict[str, dict[str, Any]]:
    """The columns for fragments in every format, by article or story: one row, so that words are stored once."""
    of: dict[str, dict[Format, Fragment]] = {}
    for fragment in made:
        of.setdefault(fragment.article_uid, {})[fragment.format] = fragment
    rows = {}
    for uid, its in of.items():
        one = its[FORMATS[0]]
        body = deflate(_BETWEEN.join(its[format].body for format in FORMATS))
        rows[uid] = {"format": ALL_FORMATS, "version": one.version, "updated_at": one.updated, "body": body}
    return rows


def bodies_of(row: AnyRow) -> dict[Format, bytes]:
    """The bytes of the fragments that a *row* holds."""
    body = inflate(row.body)
    return {row.format: body} if row.format else dict(zip(FORMATS, body.split(_BETWEEN), strict=True))


def fragment_of(row: AnyRow, format: Format, **other: Any) -> Fragment:
    """The fragment that a *row* holds in this format; *other* are fields that are not its columns."""
    return value_of(Fragment, row, format=format, body=bodies_of(row)[format], **other)


def _selection(
    rows: Sequence[AnyRow],
    format: Format,
    *,
    retracted: tuple[tuple[str, Any], ...] = (),
    older: int = 0,
) -> Selection:
    made = [row for row in rows if row.body is not None]
    changes = [max(row.updated_at, row.published_at) for row in rows] + [at for _, at in retracted]
    return Selection(
        fragments=tuple(fragment_of(row, format, article_uid=row.uid, updated=row.made_of) for row in made),
        missing=len(rows) - len(made),
        updated=max(changes, default=None),
        retracted=retracted,
        older=older,
    )
