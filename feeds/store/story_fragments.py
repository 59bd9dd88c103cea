"""Stories of a section as finished fragments: what ``?by=story`` is joined from. I/O: database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Any

from sqlalchemy import Connection, Row, delete, select

from feeds.model import FORMATS, Format, Fragment
from feeds.store.codec import deflate, inflate
from feeds.store.dialect import upsert
from feeds.store.marks import chunks
from feeds.store.schema import (
    BY_RANK,
    FILED,
    IN_SECTION,
    NOT_ASIDE,
    SERVABLE,
    articles,
    filings,
    fragments,
    story_fragments,
)
from feeds.store.selections import published
from feeds.store.values import Selection


def newest(connection: Connection, section_id: int, among: int) -> list[tuple[str, str]]:
    """The (article uid, story uid or "") of a section's newest published articles, newest first."""
    statement = (
        select(articles.c.uid, articles.c.story_uid)
        .join_from(filings, articles, articles.c.id == filings.c.article_id)
        .where(filings.c.section_id == section_id, IN_SECTION, NOT_ASIDE, *published(connection, section_id))
        .order_by(filings.c.rank_at.desc(), filings.c.article_id.desc())
        .limit(among)
        .with_hint(filings, BY_RANK, "sqlite")
    )
    return [(row.uid, row.story_uid or "") for row in connection.execute(statement)]


def made_of(connection: Connection, story_uids: Iterable[str]) -> dict[str, str]:
    """What tells whether a story has changed: a hash of its articles and their revisions."""
    told: dict[str, list[str]] = {}
    for some in chunks(sorted(set(story_uids))):
        statement = select(articles.c.story_uid, articles.c.id, articles.c.revision).where(
            articles.c.story_uid.in_(some), articles.c.retracted_at.is_(None), NOT_ASIDE, FILED
        )
        for row in connection.execute(statement.order_by(articles.c.id)):
            told.setdefault(row.story_uid, []).append(f"{row.id}/{row.revision}")
    return {uid: blake2b(" ".join(parts).encode(), digest_size=12).hexdigest() for uid, parts in told.items()}


def stale(connection: Connection, wanted: dict[str, str], version: int) -> set[str]:
    """Those of the stories *wanted*, each with what it is made of, whose fragments are missing or out of date."""
    fresh: dict[str, int] = {}
    for some in chunks(sorted(wanted)):
        columns = story_fragments.c.story_uid, story_fragments.c.made_of
        here = story_fragments.c.story_uid.in_(some), story_fragments.c.version == version
        for row in connection.execute(select(*columns).where(*here)):
            if row.made_of == wanted[row.story_uid]:
                fresh[row.story_uid] = fresh.get(row.story_uid, 0) + 1
    return {uid for uid in wanted if fresh.get(uid, 0) < len(FORMATS)}


def put(connection: Connection, made: Sequence[Fragment], of: dict[str, str]) -> None:
    """Keep stories' fragments; *of* tells what each story was made of."""
    rows = [
        {
            "story_uid": fragment.article_uid,
            "format": fragment.format,
            "version": fragment.version,
            "made_of": of[fragment.article_uid],
            "updated_at": fragment.updated,
            "body": deflate(fragment.body),
        }
        for fragment in made
    ]
    change = ("version", "made_of", "updated_at", "body")
    upsert(connection, story_fragments, rows, ("story_uid", "format"), change=change)


def forget(connection: Connection, story_uids: Iterable[str]) -> None:
    """Remove the fragments of stories that are gone, or that say what must not be said any more."""
    for some in chunks(sorted(set(story_uids))):
        connection.execute(delete(story_fragments).where(story_fragments.c.story_uid.in_(some)))


def selection(connection: Connection, section_id: int, format: Format, *, limit: int, among: int) -> Selection:
    """See `Sections.by_story`; an article without a story stands for itself."""
    chosen = list(dict.fromkeys(story_uid or uid for uid, story_uid in newest(connection, section_id, among)))[:limit]
    found: dict[str, Fragment] = {}
    for some in chunks(chosen):
        stories = select(story_fragments).where(
            story_fragments.c.story_uid.in_(some), story_fragments.c.format == format
        )
        for row in connection.execute(stories):
            found[row.story_uid] = _fragment(row.story_uid, row)
        alone = (
            select(articles.c.uid, fragments)
            .join_from(fragments, articles, articles.c.id == fragments.c.article_id)
            .where(articles.c.uid.in_(some), fragments.c.format == format, SERVABLE)
        )
        for row in connection.execute(alone):
            found.setdefault(row.uid, _fragment(row.uid, row))
    made = tuple(found[uid] for uid in chosen if uid in found)
    return Selection(
        fragments=made,
        # A story that came a moment ago comes with the next publication; a feed of none at all is not ready.
        missing=0 if made else len(chosen),
        updated=max((fragment.updated for fragment in made), default=None),
    )


def _fragment(uid: str, row: Row[*tuple[Any, ...]]) -> Fragment:
    return Fragment(
        article_uid=uid,
        format=row.format,
        version=row.version,
        body=inflate(row.body),
        updated=row.updated_at,
    )
