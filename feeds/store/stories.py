"""Stories: which articles are told together, and where a merged one went. I/O: database."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache, lru_cache
from hashlib import blake2b
from typing import Any

from sqlalchemy import Connection, Select, bindparam, case, delete, func, select, union_all, update

from feeds.model import Article, Format, Fragment
from feeds.store import selections
from feeds.store.dialect import Verbs, change_in, chunks, rows_in, upsert
from feeds.store.filings import renew
from feeds.store.hydrate import hydrate
from feeds.store.schema import (
    ALL_FORMATS,
    BY_RANK,
    FILED,
    IN_SECTION,
    NOT_ASIDE,
    SERVABLE,
    SET_ASIDE,
    articles,
    entries,
    filings,
    fragments,
    sections,
    story_fragments,
    story_moves,
)
from feeds.store.selections import PUBLIC, SECTIONS_AT_ONCE, filed_in, fragment_of, holding, published, rows_of
from feeds.store.values import Outline, Selection, StorySize


@lru_cache(maxsize=16)
def _filed(within: frozenset[str] | None) -> Select[Any]:
    """Articles in public sections and the private ones *within* (None: in any), newest first."""
    return (
        select(articles.c.id, articles.c.story_uid)
        .where(articles.c.retracted_at.is_(None), FILED if within is None else filed_in(within))
        .order_by(articles.c.rank_at.desc(), articles.c.id.desc())
    )


class StoryShelf(Verbs):
    """``tx.stories``"""

    def move(self, moved: Mapping[str, str]) -> None:
        """Put articles into other stories, {article: story}; what they say of these is rendered again."""
        for story in sorted(set(moved.values())):
            uids = [article for article, its in moved.items() if its == story]
            self._put([row.id for row in rows_in(self._connection, select(articles.c.id), articles.c.uid, uids)], story)

    def merge(self, merged: Mapping[str, str], now: datetime) -> None:
        """Let stories become part of others, {gone: kept}; what their articles say of them is rendered again."""
        if not merged:
            return
        for gone, kept in merged.items():
            held = select(articles.c.id).where(articles.c.story_uid == gone)
            self._put(self._connection.scalars(held).all(), kept)
            # A story that was merged into the one that goes now goes on with it.
            onward = update(story_moves).where(story_moves.c.uid == gone).values(uid=kept)
            self._execute(onward)
        rows = [{"old_uid": gone, "uid": kept, "moved_at": now} for gone, kept in merged.items()]
        upsert(self._connection, story_moves, rows, ("old_uid",), replace=True)

    def _put(self, ids: Sequence[int], story: str) -> None:
        change_in(self._connection, update(articles).values(story_uid=story), articles.c.id, ids)
        renew(self._connection, ids)

    def moved(self, uid: str) -> str | None:
        """The story that *uid* became part of; None where it did not."""
        statement = select(story_moves.c.uid).where(story_moves.c.old_uid == uid)
        found: str | None = self._connection.scalar(statement)
        return found

    def known(self, uid: str) -> bool:
        """Whether there is, or was until it was retracted, an article of that story."""
        statement = select(articles.c.id).where(articles.c.story_uid == uid).limit(1)
        return self._execute(statement).first() is not None

    def articles(self, uid: str, limit: int = 100, within: Collection[str] | None = PUBLIC) -> tuple[Article, ...]:
        """The articles of a story in public sections and the private ones *within* (None: in any), newest first."""
        return self.several([uid], limit, within).get(uid, ())

    def several(
        self, uids: Sequence[str], limit: int = 100, within: Collection[str] | None = PUBLIC
    ) -> dict[str, tuple[Article, ...]]:
        """The articles of several stories, newest first, at most *limit* of each; stories without any are left out."""
        ids: dict[str, list[int]] = {}
        statement = _filed(None if within is None else frozenset(within))
        for row in rows_in(self._connection, statement, articles.c.story_uid, uids):
            kept = ids.setdefault(row.story_uid, [])
            if len(kept) < limit:
                kept.append(row.id)
        whole = hydrate(self._connection, [number for numbers in ids.values() for number in numbers])
        return {uid: tuple(whole[number] for number in numbers if number in whole) for uid, numbers in ids.items()}

    def sizes(self, uids: Sequence[str], within: Collection[str] = PUBLIC) -> dict[str, StorySize]:
        """How many articles each of these stories has in public sections and those *within*, of how many sources."""
        members, by = func.count(articles.c.id.distinct()), func.count(entries.c.source_id.distinct())
        telling = func.count(case((entries.c.copy == 0, entries.c.source_id)).distinct())
        statement = (
            select(articles.c.story_uid, members, by, telling)
            .join_from(articles, entries)
            .where(articles.c.retracted_at.is_(None), filed_in(within))
            .group_by(articles.c.story_uid)
        )
        rows = rows_in(self._connection, statement, articles.c.story_uid, uids)
        return {uid: StorySize(count, sources, independent) for uid, count, sources, independent in rows}

    def selection(self, uid: str, format: Format, limit: int, within: Collection[str] = PUBLIC) -> Selection:
        """The articles of a story in public sections and those *within*, as finished fragments, newest first."""
        return selections.story(self._connection, uid, format, limit, within)


def newest(connection: Connection, section_id: int, among: int) -> list[Outline]:
    """See `Sections.outlines`."""
    statement = (
        select(articles.c.uid, articles.c.story_uid, articles.c.published_at)
        .join_from(filings, articles)
        .where(filings.c.section_id == section_id, IN_SECTION, NOT_ASIDE, *published(connection, section_id))
        .order_by(filings.c.rank_at.desc(), filings.c.article_id.desc())
        .limit(among)
        .with_hint(filings, BY_RANK, "sqlite")
    )
    return [
        Outline(uid=uid, story_uid=story_uid or "", published=published_at)
        for uid, story_uid, published_at in connection.execute(statement)
    ]


def told_in(connection: Connection, paths: Sequence[str], among: int) -> set[str]:
    """The stories of the newest published articles of sections, *among* so many of each."""
    told: set[str] = set()
    for some in chunks(paths, SECTIONS_AT_ONCE):
        bound: dict[str, Any] = {f"path_{place}": path for place, path in enumerate(some)} | {"among": among}
        told.update(connection.scalars(_told_in(len(some)), bound))
    return told


@cache
def _told_in(count: int) -> Select[Any]:
    """For so many sections."""
    parts = []
    for place in range(count):
        here = (sections.c.path == bindparam(f"path_{place}")) & sections.c.removed_at.is_(None)
        published_here = filings.c.number <= select(sections.c.rendered_filed).where(here).scalar_subquery()
        newest_here = (
            select(filings.c.article_id)
            .where(filings.c.section_id == select(sections.c.id).where(here).scalar_subquery(), IN_SECTION)
            .where(filings.c.article_id.not_in(select(articles.c.id).where(SET_ASIDE)), published_here)
            .order_by(filings.c.rank_at.desc(), filings.c.article_id.desc())
            .limit(bindparam("among"))
            .with_hint(filings, BY_RANK, "sqlite")
        )
        parts.append(select(newest_here.subquery().c.article_id))
    told = articles.c.id.in_(union_all(*parts)) & articles.c.story_uid.is_not(None) & (articles.c.story_uid != "")
    return select(articles.c.story_uid).where(told).distinct()


_MEMBERS = (
    select(articles.c.story_uid, articles.c.id, articles.c.revision)
    .where(articles.c.retracted_at.is_(None), NOT_ASIDE, filed_in(PUBLIC))
    .order_by(articles.c.id)
)


def made_of(connection: Connection, story_uids: Iterable[str]) -> dict[str, str]:
    """What tells whether a story has changed: a hash of its articles and their revisions."""
    members: dict[str, list[str]] = {}
    for row in rows_in(connection, _MEMBERS, articles.c.story_uid, sorted(set(story_uids))):
        members.setdefault(row.story_uid, []).append(f"{row.id}/{row.revision}")
    return {uid: blake2b(" ".join(parts).encode(), digest_size=12).hexdigest() for uid, parts in members.items()}


_MADE = select(story_fragments.c.story_uid, story_fragments.c.made_of).where(
    story_fragments.c.version == bindparam("of_version")
)

_APART = delete(story_fragments).where(story_fragments.c.format != ALL_FORMATS)
"""Rows of single formats, which one of all takes the place of."""


def stale(connection: Connection, wanted: dict[str, str], version: int) -> set[str]:
    """Those of the stories *wanted*, each with what it is made of, whose fragments are missing or out of date."""
    made = rows_in(connection, _MADE, story_fragments.c.story_uid, sorted(wanted), of_version=version)
    return wanted.keys() - {row.story_uid for row in made if row.made_of == wanted[row.story_uid]}


def put(connection: Connection, made: Sequence[Fragment], of: dict[str, str]) -> None:
    """Keep stories' fragments, of each in every format; *of* tells what each story was made of."""
    rows = [{"story_uid": uid, "made_of": of[uid]} | columns for uid, columns in rows_of(made).items()]
    change_in(connection, _APART, story_fragments.c.story_uid, [row["story_uid"] for row in rows])
    upsert(connection, story_fragments, rows, ("story_uid", "format"), replace=True)


def forget(connection: Connection, story_uids: Iterable[str]) -> None:
    """Remove the fragments of stories that are gone, or that say what must not be said any more."""
    change_in(connection, delete(story_fragments), story_fragments.c.story_uid, sorted(set(story_uids)))


def selection(connection: Connection, section_id: int, format: Format, *, limit: int, among: int) -> Selection:
    """See `Sections.by_story`; an article without a story stands for itself."""
    among_these = newest(connection, section_id, among)
    chosen = list(dict.fromkeys(one.story_uid or one.uid for one in among_these))[:limit]
    found: dict[str, Fragment] = {}
    several = select(story_fragments).where(story_fragments.c.format.in_(holding(format)))
    for row in rows_in(connection, several, story_fragments.c.story_uid, chosen):
        of_story = {"article_uid": row.story_uid, "updated": row.updated_at, "revision": None}
        found[row.story_uid] = fragment_of(row, format, **of_story)
    alone = select(articles.c.uid, fragments).join_from(fragments, articles)
    alone = alone.where(fragments.c.format.in_(holding(format)), SERVABLE)
    for row in rows_in(connection, alone, articles.c.uid, chosen):
        alone_now = fragment_of(row, format, article_uid=row.uid, updated=row.updated_at, revision=None)
        found.setdefault(row.uid, alone_now)
    made = tuple(found[uid] for uid in chosen if uid in found)
    return Selection(
        fragments=made,
        # A story that came a moment ago comes with the next publication; a feed of none at all is not ready.
        missing=0 if made else len(chosen),
        updated=max((fragment.updated for fragment in made), default=None),
    )
