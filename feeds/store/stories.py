"""Stories: which articles are told together, and where a merged one went. I/O: database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, func, select, update

from feeds.model import Article, Format
from feeds.store import selections
from feeds.store.dialect import upsert
from feeds.store.hydrate import hydrate
from feeds.store.marks import chunks
from feeds.store.schema import FILED, IN_SECTION, articles, entries, filings, sections, story_moves
from feeds.store.values import Selection, StorySize


class StoryShelf:
    """``tx.stories``"""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def merge(self, merged: Mapping[str, str], now: datetime) -> None:
        """Let stories become part of others, {gone: kept}; what their articles say of them is rendered again."""
        if not merged:
            return
        for gone, kept in merged.items():
            moved = select(articles.c.id).where(articles.c.story_uid == gone)
            ids = self._connection.execute(moved).scalars().all()
            for some in chunks(ids):
                renewed = {"story_uid": kept, "revision": articles.c.revision + 1}
                self._connection.execute(update(articles).where(articles.c.id.in_(some)).values(renewed))
                held = select(filings.c.section_id).where(filings.c.article_id.in_(some), IN_SECTION)
                stale = update(sections).where(sections.c.id.in_(held)).values(touched=sections.c.touched + 1)
                self._connection.execute(stale)
            # A story that was merged into the one that goes now goes on with it.
            onward = update(story_moves).where(story_moves.c.uid == gone).values(uid=kept)
            self._connection.execute(onward)
        rows = [{"old_uid": gone, "uid": kept, "moved_at": now} for gone, kept in merged.items()]
        upsert(self._connection, story_moves, rows, ("old_uid",), change=("uid", "moved_at"))

    def moved(self, uid: str) -> str | None:
        """The story that *uid* became part of; None where it did not."""
        statement = select(story_moves.c.uid).where(story_moves.c.old_uid == uid)
        found: str | None = self._connection.execute(statement).scalar_one_or_none()
        return found

    def known(self, uid: str) -> bool:
        """Whether there is, or was until it was retracted, an article of that story."""
        statement = select(articles.c.id).where(articles.c.story_uid == uid).limit(1)
        return self._connection.execute(statement).first() is not None

    def articles(self, uid: str, limit: int = 100) -> tuple[Article, ...]:
        """The articles of a story that can be shown, newest first."""
        return self.several([uid], limit).get(uid, ())

    def several(self, uids: Sequence[str], limit: int = 100) -> dict[str, tuple[Article, ...]]:
        """The articles of several stories, newest first, at most *limit* of each; stories without any are left out."""
        ids: dict[str, list[int]] = {}
        for some in chunks(list(uids)):
            statement = (
                select(articles.c.id, articles.c.story_uid)
                .where(articles.c.story_uid.in_(some), articles.c.retracted_at.is_(None), FILED)
                .order_by(articles.c.rank_at.desc(), articles.c.id.desc())
            )
            for row in self._connection.execute(statement):
                kept = ids.setdefault(row.story_uid, [])
                if len(kept) < limit:
                    kept.append(row.id)
        whole = hydrate(self._connection, [number for numbers in ids.values() for number in numbers])
        return {uid: tuple(whole[number] for number in numbers if number in whole) for uid, numbers in ids.items()}

    def sizes(self, uids: Sequence[str]) -> dict[str, StorySize]:
        """How many articles that can be shown each of these stories has, of how many sources."""
        found: dict[str, StorySize] = {}
        for some in chunks(list(uids)):
            told, by = func.count(articles.c.id.distinct()), func.count(entries.c.source_id.distinct())
            statement = (
                select(articles.c.story_uid, told, by)
                .join_from(articles, entries, entries.c.article_id == articles.c.id)
                .where(articles.c.story_uid.in_(some), articles.c.retracted_at.is_(None), FILED)
                .group_by(articles.c.story_uid)
            )
            found |= {uid: StorySize(count, sources) for uid, count, sources in self._connection.execute(statement)}
        return found

    def selection(self, uid: str, format: Format, limit: int) -> Selection:
        """The articles of a story as finished fragments, newest first."""
        return selections.story(self._connection, uid, format, limit)
