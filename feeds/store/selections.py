"""Articles of a section chosen as finished fragments: archive pages and narrowed feeds. I/O: database."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, exists, select

from feeds.codec import inflate
from feeds.model import Format, Fragment
from feeds.store.columns import chunks
from feeds.store.dialect import rows_in, value_of
from feeds.store.schema import (
    BY_NUMBER,
    BY_RANK,
    FILED,
    IN_SECTION,
    NOT_ASIDE,
    RETRACTED,
    SERVABLE,
    articles,
    entries,
    filings,
    fragments,
    sections,
)
from feeds.store.values import Selection

_ARTICLE = (articles.c.uid, articles.c.updated_at, articles.c.published_at)
_FRAGMENT = (
    fragments.c.version,
    fragments.c.revision,
    fragments.c.updated_at.label("made_of"),
    fragments.c.body,
)
_DECODED_AT_ONCE = 100  # most articles of a section are in one language, so that the first hundred often do


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
) -> Selection:
    """See `Sections.narrowed`."""
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
    if not language:
        chosen = chosen.limit(limit)
    ids = list(connection.scalars(chosen))
    if language:
        ids = _in_language(connection, ids, language, fallback, limit)
    here = _fragments(format).where(filings.c.section_id == section_id, NOT_ASIDE)
    rows = {row.article_id: row for row in rows_in(connection, here, filings.c.article_id, ids)}
    return _selection([rows[each] for each in ids if each in rows], format)


def published(connection: Connection, section_id: int) -> list[ColumnElement[bool]]:
    """What leaves out filings that no document tells of yet: they came just now, or the gate holds them.

    Nothing where there are none, for the condition costs a look at every row.
    """
    columns = select(sections.c.filed, sections.c.rendered_filed).where(sections.c.id == section_id)
    filed, rendered = connection.execute(columns).one()
    return [filings.c.number <= rendered] if rendered < filed else []


def story(connection: Connection, uid: str, format: Format, limit: int) -> Selection:
    """See `StoryShelf.selection`."""
    statement = (
        select(*_ARTICLE, *_FRAGMENT)
        .join_from(articles, fragments, _servable(format), isouter=True)
        .where(articles.c.story_uid == uid, articles.c.retracted_at.is_(None), NOT_ASIDE, FILED)
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
    return (fragments.c.article_id == articles.c.id) & (fragments.c.format == format) & SERVABLE


def fragment_of(row: Row[Any], **other: Any) -> Fragment:
    """The fragment of a *row*; *other* are fields that are not its columns."""
    return value_of(Fragment, row, body=inflate(row.body), **other)


def _selection(
    rows: Sequence[Row[*tuple[Any, ...]]],
    format: Format,
    *,
    retracted: tuple[tuple[str, Any], ...] = (),
    older: int = 0,
) -> Selection:
    made = [row for row in rows if row.body is not None]
    changes = [max(row.updated_at, row.published_at) for row in rows] + [at for _, at in retracted]
    return Selection(
        fragments=tuple(fragment_of(row, article_uid=row.uid, format=format, updated=row.made_of) for row in made),
        missing=len(rows) - len(made),
        updated=max(changes, default=None),
        retracted=retracted,
        older=older,
    )
