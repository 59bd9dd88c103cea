"""Articles and the entries that they are told by. I/O: database."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, case, delete, exists, func, select, update

from feeds.codec import entry_from_blob, part_from_blob
from feeds.comparable import comparable_url
from feeds.errors import UrlError
from feeds.model import (
    DROPPED,
    DROPPED_AT_SOURCE,
    FILING_FIELDS,
    Article,
    Beside,
    Decision,
    Entry,
    Filing,
    Known,
    Placement,
    StoredSignature,
)
from feeds.store import dialect, filings, relations, saving, small_tables, stories
from feeds.store.dialect import (
    AnyRow,
    Verbs,
    article_mark,
    change_in,
    chunks,
    entry_mark,
    how_many,
    indexable,
    rows_in,
    value_of,
)
from feeds.store.hydrate import Edit, hydrate, last_edit
from feeds.store.schema import (
    IN_SECTION,
    LIVE,
    NEXT_REVISION,
    RETRACTED,
    WITHDRAWN,
    article_edits,
    article_urls,
    articles,
    entries,
    fragments,
    sections,
    tombstones,
)
from feeds.store.schema import filings as filing_rows
from feeds.store.source_rows import sources_by_id
from feeds.store.values import ArticleState, Refilable, SaveReport, StoredEntry

_UUID = re.compile(r"(?:urn:uuid:)?([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})", re.IGNORECASE)

Brought = dict[int, list[tuple[Entry, int]]]
"""Entries with their source's row, the first that came first, by the article's row."""


class Articles(Verbs):
    """``tx.articles``"""

    # ------------------------------------------------------------------ a batch

    def known(self, wanted: Sequence[tuple[int, Sequence[Entry]]], beside: Mapping[int, Beside] | None = None) -> Known:
        """What is stored of these entries, given by source id: see `feeds.model.Known`. Many sources at once.

        *beside* says, by source id, what else their documents hold.
        """
        return saving.known(self._connection, wanted, beside or {})

    def changed_since(self, moment: datetime, source_id: int, keys: Sequence[str]) -> set[str]:
        """Those of *keys* under which there is an entry of a source that came or changed at *moment* or later."""
        stored = {indexable(key): key for key in keys}
        theirs = select(entries.c.key).where(entries.c.source_id == source_id, entries.c.changed_at >= moment)
        return {stored[row.key] for row in rows_in(self._connection, theirs, entries.c.key, sorted(stored))}

    def entries_of_keys(self, source_id: int, keys: Sequence[str]) -> dict[str, tuple[Entry, str]]:
        """The stored entries of a source under these *keys*, by key, each with the uid of its article."""
        stored = {indexable(key): key for key in keys}
        theirs = select(entries.c.key, entries.c.payload, articles.c.uid).join_from(entries, articles)
        rows = rows_in(self._connection, theirs.where(entries.c.source_id == source_id), entries.c.key, sorted(stored))
        return {stored[row.key]: (entry_from_blob(row.payload), row.uid) for row in rows}

    def keys_since(self, source_id: int, when: datetime) -> set[str]:
        """The keys of what a source first brought at *when* or later."""
        theirs = entries.c.source_id == source_id, entries.c.first_seen >= when
        return set(self._connection.scalars(select(entries.c.key).where(*theirs)))

    def newest_of(self, source_id: int, most: int) -> list[str]:
        """The uids of the newest articles that a source had part in."""
        newest = select(articles.c.uid).join_from(entries, articles).where(entries.c.source_id == source_id)
        return list(self._connection.scalars(newest.order_by(entries.c.id.desc()).limit(most)))

    def entry_at(self, source_id: int, link: str) -> Entry | None:
        """The newest stored entry of a source with this *link*."""
        theirs = select(entries.c.payload).where(entries.c.source_id == source_id, entries.c.link == link)
        blob = self._connection.scalar(theirs.order_by(entries.c.id.desc()).limit(1))
        return None if blob is None else entry_from_blob(blob)

    def save(
        self,
        decisions: Sequence[Decision],
        now: datetime,
        placements: Mapping[str, Sequence[Placement] | None],
        ranks: Mapping[str, datetime] | None = None,
        *,
        missing: frozenset[tuple[int, str]] = frozenset(),
    ) -> SaveReport:
        """Write a batch. *placements* and *ranks* are by article uid; those of all entries of an article together.
        None leaves an article out of every section, `unfiled` too.

        A new article without a rank gets the earlier of its date and *now*. Copies and updates add filings and
        withdraw none but that in `unfiled`. The order of *decisions* is the order of filing. *missing* is as in
        `Known`, where nobody saved an entry since.
        """
        return saving.save(self._connection, decisions, now, placements, ranks or {}, missing)

    # ------------------------------------------------------------------ looking

    def get(self, uid: str) -> Article | None:
        """The article, if it can be shown; `state` says why not."""
        found = self.several([uid])
        return found.get(_uid(uid) or uid)

    def several(self, uids: Sequence[str]) -> dict[str, Article]:
        """Those of the articles that can be shown, by uid."""
        wanted = [_uid(uid) or uid for uid in uids]
        shown = select(articles.c.id).where(articles.c.retracted_at.is_(None))
        ids = [row.id for row in rows_in(self._connection, shown, articles.c.uid, wanted)]
        return {article.uid: article for article in hydrate(self._connection, ids).values()}

    def edit(self, uid: str) -> Edit | None:
        """How the article read before its last significant change, and how it reads now; None where it has had none."""
        return last_edit(self._connection, uid)

    def of_rows(self, ids: Sequence[int]) -> dict[str, Article]:
        """The articles of these rows, by uid; they must be such as can be shown."""
        return {article.uid: article for article in hydrate(self._connection, ids).values()} if ids else {}

    def state(self, uid: str) -> ArticleState | None:
        """Whether the article can be shown, is retracted or gone; None if there never was one."""
        row = self._row(_uid(uid) or uid)
        if row is not None and row.retracted_at is not None:
            return ArticleState(kind="retracted", reason=row.retracted_reason, at=row.retracted_at)
        if row is not None:
            return ArticleState(kind="live")
        mark = select(tombstones.c.mark).where(tombstones.c.mark == article_mark(_uid(uid) or uid))
        return None if self._execute(mark).one_or_none() is None else ArticleState(kind="gone")

    def find(self, url_or_uid: str) -> str | None:
        """The uid of the article meant by a uid, a bare UUID, an ``/article/ID`` address or any copy's URL."""
        uid = _uid(url_or_uid)
        if uid is not None:
            return uid if self._row(uid) is not None else None
        try:
            comparable = indexable(comparable_url(url_or_uid))
        except UrlError:
            return None
        statement = select(articles.c.uid).join_from(article_urls, articles, articles.c.id == article_urls.c.article_id)
        found = self._execute(statement.where(article_urls.c.comparable == comparable)).scalar_one_or_none()
        inside = None if found is not None else re.search(r"/article/([0-9a-fA-F-]{36})", url_or_uid)
        return self.find(inside[1]) if inside is not None else found

    def entries_of(self, uid: str) -> list[StoredEntry]:
        """All entries of the article, first come first; whole, so not to be published."""
        statement = (
            select(entries)
            .join_from(entries, articles)
            .where(articles.c.uid == (_uid(uid) or uid))
            .order_by(entries.c.id)
        )
        rows = self._execute(statement).all()
        found = sources_by_id(self._connection, {row.source_id for row in rows})
        return [
            value_of(
                StoredEntry,
                row,
                entry=entry_from_blob(row.payload),
                source=found[row.source_id],
                shown=bool(row.shown),
                copy=bool(row.copy),
                evidence=relations.evidence_of(row.evidence),
            )
            for row in rows
        ]

    def filings_of(self, uid: str) -> list[Filing]:
        """Where the article is filed and why, in the order of the tree."""
        statement = (
            select(filing_rows, sections.c.path)
            .join_from(filing_rows, articles)
            .join(sections)
            .where(articles.c.uid == (_uid(uid) or uid), IN_SECTION, sections.c.removed_at.is_(None))
            .order_by(sections.c.position, sections.c.id)
        )
        return [
            value_of(Filing, row, section=row.path, article_uid=_uid(uid) or uid, by=row.filed_by)
            for row in self._execute(statement)
        ]

    def why_dropped(self, uid: str) -> str:
        """The reason why a `drop:` rule keeps the article from being published; empty where none does."""
        statement = (
            select(filing_rows.c.reason)
            .join_from(filing_rows, articles)
            .where(articles.c.uid == (_uid(uid) or uid), filing_rows.c.state == WITHDRAWN)
            .where(filing_rows.c.filed_by.in_((DROPPED, DROPPED_AT_SOURCE)))
        )
        return self._execute(statement).scalar() or ""

    def signatures(self, after: int, since: datetime, limit: int) -> list[StoredSignature]:
        """The signatures of entries behind the row *after* that were first seen *since* then, as they came.

        Those of retracted articles too, which are in no story any more: what is nearly the same stays out with them.
        """
        # Rows come in the order of time: from the first that counts on, the primary key is the shortest way.
        oldest = select(entries.c.id).where(entries.c.first_seen >= since).order_by(entries.c.first_seen, entries.c.id)
        start = self._execute(oldest.limit(1)).scalar_one_or_none()
        if start is None:
            return []
        after = max(after, start - 1)
        # The entry that made its article, which lineage may have found to be a copy since.
        twin = entries.alias()
        maker = select(func.min(twin.c.id)).where(twin.c.article_id == entries.c.article_id).scalar_subquery()
        statement = (
            select(
                entries.c.id,
                articles.c.uid,
                entries.c.source_id,
                func.coalesce(entries.c.signature, b""),
                entries.c.first_seen,
                entries.c.published_at,
                entries.c.id != maker,
                case((articles.c.retracted_at.is_(None), articles.c.story_uid)),
            )
            .join_from(entries, articles)
            .where(entries.c.id > after, entries.c.first_seen >= since)
            .order_by(entries.c.id)
            .limit(limit)
        )
        return list(map(StoredSignature._make, self._execute(statement).all()))

    def newest_entry(self) -> int:
        """The number of the entry that came last, 0 before any."""
        return saving.newest_entry(self._connection)

    def count(self) -> int:
        """How many articles are stored."""
        return how_many(self._connection, articles)

    # ------------------------------------------------------------------ taking out

    def retract(self, uid: str, reason: str, now: datetime) -> frozenset[str]:
        """Take an article out of everything, for good; the sections that changed; none if it is out already."""
        row = self._row(_uid(uid) or uid)
        if row is None or row.retracted_at is not None:
            return frozenset()
        self._mark(row.id, now, reason)
        for table in (fragments, article_edits):
            self._execute(delete(table).where(table.c.article_id == row.id))
        stories.forget(self._connection, [row.story_uid] if row.story_uid else [])
        relations.renew_neighbours(self._connection, [row.id], at_once=True)
        changed = filings.switch(self._connection, row.id, LIVE, RETRACTED, now)
        small_tables.publish(self._connection)
        return changed

    def take_back(self, source_id: int, key: str, reason: str, now: datetime) -> bool | None:
        """Retract what a source brought under *key*; whether that was done, None where there is nothing.

        An article that is told by another source's entry stays.
        """
        columns = entries.c.shown, articles.c.uid
        theirs = entries.c.source_id == source_id, entries.c.key == indexable(key)
        row = self._execute(select(*columns).join_from(entries, articles).where(*theirs)).first()
        if row is None:
            return None
        return bool(row.shown and self.retract(row.uid, reason, now))

    def kill(self, source_id: int, key: str, reason: str, now: datetime) -> bool:
        """`take_back`, and refuse for ever what is still to come under *key*; whether anything was retracted."""
        done = self.take_back(source_id, key, reason, now)
        if done is None:
            mark = {"mark": entry_mark(source_id, key), "met_at": now, "forever": 1}
            dialect.upsert(self._connection, tombstones, [mark], ("mark",))
        return bool(done)

    def unretract(self, uid: str, now: datetime) -> frozenset[str]:
        """Put a retracted article back where it was; the sections that changed."""
        row = self._row(_uid(uid) or uid)
        if row is None or row.retracted_at is None:
            return frozenset()
        self._mark(row.id, None, "")
        relations.renew_neighbours(self._connection, [row.id])
        changed = filings.switch(self._connection, row.id, RETRACTED, LIVE, now)
        small_tables.publish(self._connection)
        return changed

    def _mark(self, article_id: int, at: datetime | None, reason: str) -> None:
        values = {"retracted_at": at, "retracted_reason": reason, "revision": articles.c.revision + 1}
        self._execute(update(articles).where(articles.c.id == article_id).values(values))

    def brought_by(self, source_id: int) -> tuple[list[str], int]:
        """The uids of the articles that a source alone brought, the oldest first, and how many others brought too.

        Those that are retracted are left out.
        """
        theirs = select(entries.c.article_id).where(entries.c.source_id == source_id)
        others = select(entries.c.article_id).where(entries.c.article_id.in_(theirs), entries.c.source_id != source_id)
        shown = articles.c.id.in_(theirs), articles.c.retracted_at.is_(None)
        alone = select(articles.c.uid).where(*shown, articles.c.id.not_in(others)).order_by(articles.c.id)
        shared = how_many(self._connection, articles, *shown, articles.c.id.in_(others))
        return list(self._connection.scalars(alone)), shared

    # ------------------------------------------------------------------ filing again

    def filed(self, before: int | None, limit: int) -> list[Refilable]:
        """Articles that were ever filed, the newest first, those below the row *before*: to file them again.

        Of their entries with no more than filing may look at, `feeds.model.FILING_FIELDS`.
        """
        ever_filed = exists().where(filing_rows.c.article_id == articles.c.id)
        statement = select(articles.c.id, articles.c.uid).where(articles.c.retracted_at.is_(None), ever_filed)
        if before is not None:
            statement = statement.where(articles.c.id < before)
        newest = statement.order_by(articles.c.id.desc()).limit(limit)
        uids = {article_id: uid for article_id, uid in self._execute(newest).all()}
        if not uids:
            return []
        first, last = min(uids), max(uids)
        brought = self._entries_of(entries.c.article_id.between(first, last), uids)
        placed = filings.placed(self._connection, filing_rows.c.article_id.between(first, last))
        return self._refilable(uids, brought, placed)

    def with_entries(self, ids: Sequence[int]) -> list[Refilable]:
        """The articles of these rows, in this order, as `filed` gives them."""
        uids: dict[int, str] = dict.fromkeys(ids, "")
        brought: Brought = {}
        placed: filings.Placed = {}
        for some in chunks(ids):
            named = select(articles.c.id, articles.c.uid).where(articles.c.id.in_(some))
            uids |= {article_id: uid for article_id, uid in self._execute(named).all()}
            brought |= self._entries_of(entries.c.article_id.in_(some), uids)
            placed |= filings.placed(self._connection, filing_rows.c.article_id.in_(some))
        return self._refilable({article_id: uid for article_id, uid in uids.items() if uid}, brought, placed)

    def _entries_of(self, those: ColumnElement[bool], uids: Mapping[int, str]) -> Brought:
        columns = entries.c.article_id, entries.c.source_id, entries.c.payload
        by_age = select(*columns).where(those).order_by(entries.c.id)
        brought: Brought = {}
        for article_id, source_id, payload in self._execute(by_age).all():
            if article_id in uids:
                brought.setdefault(article_id, []).append((part_from_blob(payload, FILING_FIELDS), source_id))
        return brought

    def _refilable(self, uids: Mapping[int, str], brought: Brought, placed: filings.Placed) -> list[Refilable]:
        by_id = sources_by_id(self._connection, {source_id for some in brought.values() for _, source_id in some})
        return [
            Refilable(
                id=article_id,
                uid=uid,
                entries=tuple([(entry, by_id[source_id]) for entry, source_id in brought.get(article_id, ())]),
                placed=tuple(placed.get(article_id, ())),
            )
            for article_id, uid in uids.items()
        ]

    def refile_all(self, placements: Mapping[str, Sequence[Placement]], now: datetime) -> frozenset[str]:
        """File articles exactly where *placements* say, by the rank that they have: nothing old comes out as new."""
        wanted: dict[filings.Article, Sequence[Placement]] = {}
        shown = select(articles.c.id, articles.c.uid, articles.c.rank_at).where(articles.c.retracted_at.is_(None))
        in_order = shown.order_by(articles.c.rank_at, articles.c.id)
        for row in rows_in(self._connection, in_order, articles.c.uid, placements):
            wanted[filings.Article(id=row.id, rank_at=row.rank_at)] = placements[row.uid]
        moved: set[int] = set()
        changed = filings.file(self._connection, wanted, now, exactly=True, moved=moved)
        # What an article says of its sections has changed with them.
        change_in(self._connection, NEXT_REVISION, articles.c.id, sorted(moved))
        return changed

    # ------------------------------------------------------------------

    def _row(self, uid: str) -> AnyRow | None:
        return self._execute(select(articles).where(articles.c.uid == uid)).one_or_none()


def _uid(text: str) -> str | None:
    match = _UUID.fullmatch(text.strip())
    return f"urn:uuid:{match[1].lower()}" if match else None
