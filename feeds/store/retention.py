"""Retention: what is past its time goes, in small steps, and leaves tombstones. I/O: database.

One step is one short transaction, so that serving and polling never wait for it. A tombstone is eight bytes and a time;
it stays for ever for what was retracted, else until no source has listed the entry for some years.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, exists, select, update

from feeds.store import dialect, filings, relations, search_index, stories
from feeds.store.dialect import (
    AnyRow,
    Verbs,
    article_mark,
    change_in,
    entry_mark,
    rows_in,
    text_mark,
    unsigned,
    url_mark,
)
from feeds.store.schema import (
    IN_SECTION,
    LIVE,
    MORTAL,
    article_edits,
    article_texts,
    article_urls,
    articles,
    configs,
    entries,
    events,
    folder_files,
    fragments,
    furniture,
    inbox,
    page_queue,
    polls,
    raw_answers,
    sections,
    sources,
    story_moves,
    tombstones,
)
from feeds.store.schema import filings as filing_rows

TOMBSTONE_DAYS = 3 * 366
"""How long at least a tombstone outlives the last time that a source listed its entry."""

CONFIGS_KEPT = 50
EVENT_DAYS = 400
DOCUMENT_DAYS = 30
FURNITURE_DAYS = 400
PAGES_A_STEP = 500


class Retention(Verbs):
    """``tx.retention``"""

    def sweep(self, now: datetime, keep_days: int, keep_articles: int, limit: int = 200) -> int:
        """Take out up to *limit* articles that are past *keep_days* or the newest *keep_articles* of each section.

        Gives how many went and how many filings; 0 means that nothing is left to do. 0 for a limit means for ever.
        """
        done = 0
        if keep_days > 0:
            old = select(articles.c.id).where(articles.c.seen_at < now - timedelta(days=keep_days))
            ids = self._connection.scalars(old.order_by(articles.c.seen_at).limit(limit)).all()
            done += self._expire(ids, now)
        if keep_articles > 0 and done < limit:
            done += self._trim(keep_articles, limit - done, now)
        done += self._tidy(now, max(keep_days, TOMBSTONE_DAYS) if keep_days else 0, limit)
        if not done:
            search_index.tidy(self._connection, PAGES_A_STEP)
        dialect.give_back(self._connection, PAGES_A_STEP)
        return done

    def _expire(self, ids: Sequence[int], now: datetime) -> int:
        """Remove articles with all that hangs on them; their sections are rendered again."""
        if not ids:
            return 0
        columns = articles.c.id, articles.c.uid, articles.c.story_uid, articles.c.retracted_at
        doomed = {row.id: row for row in rows_in(self._connection, select(*columns), articles.c.id, ids)}
        named = entries.c.article_id, entries.c.source_id, entries.c.key, entries.c.comparable, entries.c.text_hash
        gone = list(rows_in(self._connection, select(*named), entries.c.article_id, ids))
        self._bury(doomed, gone, now)
        self._disown(gone)
        stale = filings.sections_of(self._connection, ids)
        search_index.forget(self._connection, ids)
        relations.forget(self._connection, ids)
        stories.forget(self._connection, {row.story_uid for row in doomed.values() if row.story_uid})
        for table in (filing_rows, fragments, entries, article_edits):
            change_in(self._connection, delete(table), table.c.article_id, ids)
        change_in(self._connection, delete(articles), articles.c.id, ids)
        filings.touch(self._connection, stale)
        return len(ids)

    def _bury(self, doomed: Mapping[int, AnyRow], gone: Sequence[AnyRow], now: datetime) -> None:
        """Leave tombstones of articles, by row, and of their entries; for ever, where the article was retracted."""
        marks = {article_mark(row.uid): row.retracted_at is not None for row in doomed.values()}
        for row in gone:
            forever = doomed[row.article_id].retracted_at is not None
            marks[entry_mark(row.source_id, row.key)] = forever
            if row.comparable:
                marks[url_mark(row.comparable)] = forever
            if row.text_hash:
                marks[text_mark(unsigned(row.text_hash))] = forever
        rows = [{"mark": mark, "met_at": now, "forever": int(forever)} for mark, forever in sorted(marks.items())]
        dialect.upsert(self._connection, tombstones, rows, ("mark",), change=("met_at",))

    def _disown(self, gone: Sequence[AnyRow]) -> None:
        """Forget which URLs and texts these entries' articles own."""
        for table, name in ((article_urls, "comparable"), (article_texts, "text_hash")):
            owned = [(getattr(row, name), row.article_id) for row in gone if getattr(row, name)]
            forget = f"DELETE FROM {table.name} WHERE {name} = ? AND article_id = ?"
            dialect.execute_many(self._connection, forget, owned)

    def _trim(self, keep_articles: int, limit: int, now: datetime) -> int:
        """Remove what lies behind the newest *keep_articles* of a section; articles that no section keeps go whole."""
        done = 0
        for section_id in self._connection.scalars(select(sections.c.id).order_by(sections.c.id)).all():
            newest = filing_rows.c.rank_at.desc(), filing_rows.c.article_id.desc()
            here = (filing_rows.c.section_id == section_id, IN_SECTION)
            behind = select(filing_rows.c.article_id).where(*here).order_by(*newest)
            ids = self._connection.scalars(behind.offset(keep_articles).limit(limit - done)).all()
            if not ids:
                continue
            of_this = delete(filing_rows).where(filing_rows.c.section_id == section_id)
            change_in(self._connection, of_this, filing_rows.c.article_id, ids)
            elsewhere = select(filing_rows.c.article_id).where(filing_rows.c.state == LIVE)
            kept = {row.article_id for row in rows_in(self._connection, elsewhere, filing_rows.c.article_id, ids)}
            self._expire([article_id for article_id in ids if article_id not in kept], now)
            done += len(ids)
            if done >= limit:
                break
        return done

    def _tidy(self, now: datetime, tombstone_days: int, limit: int) -> int:
        """Forget what only piles up: old configs and events, unmet tombstones, story moves, sources without trace."""
        newest = select(configs.c.version).order_by(configs.c.version.desc()).limit(CONFIGS_KEPT)
        self._execute(delete(configs).where(configs.c.version.not_in(newest)))
        self._execute(delete(events).where(events.c.closed_at < now - timedelta(days=EVENT_DAYS)))
        # A document that could not be read and never came again: nobody will ever say that it is mended.
        stale = (events.c.kind == "document") & events.c.closed_at.is_(None)
        stale &= events.c.at < now - timedelta(days=DOCUMENT_DAYS)
        self._execute(update(events).where(stale).values(closed_at=now))
        unseen = now - timedelta(days=FURNITURE_DAYS)
        self._execute(delete(furniture).where(furniture.c.changed_at < unseen))
        done = 0
        if tombstone_days:
            long_ago = now - timedelta(days=tombstone_days)
            unmet = select(tombstones.c.mark).where(tombstones.c.met_at < long_ago, MORTAL)
            marks = self._connection.scalars(unmet.limit(limit)).all()
            done = change_in(self._connection, delete(tombstones), tombstones.c.mark, marks)
            self._execute(delete(story_moves).where(story_moves.c.moved_at < long_ago))
        bare = select(sources.c.id).where(
            sources.c.removed_at < now - timedelta(days=30),
            ~exists().where(entries.c.source_id == sources.c.id),
            ~exists().where(inbox.c.source_id == sources.c.id),
        )
        ids = self._connection.scalars(bare.limit(limit)).all()
        tables = (polls, page_queue, folder_files, raw_answers)
        for column in (*(table.c.source_id for table in tables), sources.c.id):
            change_in(self._connection, delete(column.table), column, ids)
        return done
