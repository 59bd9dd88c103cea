"""Documents, frames and fragments: the finished bytes that serve answers from; what sitemaps list. I/O: database."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import BigInteger, Select, bindparam, delete, exists, func, or_, select, update

from feeds.model import Article, Document, Format, Fragment, Frame
from feeds.store import small_tables, stories
from feeds.store.dialect import (
    AnyRow,
    Verbs,
    change_in,
    is_postgres,
    row_of,
    rows_in,
    storable,
    upsert,
    upsert_selected,
    value_of,
)
from feeds.store.filings import sections_of, touch
from feeds.store.hydrate import hydrate
from feeds.store.schema import (
    ALL_FORMATS,
    BY_NUMBER,
    BY_SEQUENCE,
    IN_SECTION,
    NOT_ASIDE,
    SET_ASIDE,
    UNRENDERED,
    articles,
    documents,
    filings,
    fragments,
    frames,
    sections,
    sitemap_months,
)
from feeds.store.selections import bodies_of, rows_of
from feeds.store.values import Listing, Replacement

RESET_AT_ONCE = 2000
NOTED = "sitemap"
"""The counter of up to which sequence number of the whole desk the months are known."""
NOTED_AT_ONCE = 5000


class Documents(Verbs):
    """``tx.documents``"""

    # ------------------------------------------------------------------ fragments

    def fragments(self, uids: Sequence[str], version: int) -> dict[str, dict[Format, Fragment]]:
        """The fragments of articles that are up to date: of render's *version* and the article's present revision."""
        statement = (
            select(articles.c.uid, fragments)
            .join_from(fragments, articles)
            .where(fragments.c.version == version, fragments.c.revision == articles.c.revision)
        )
        found: dict[str, dict[Format, Fragment]] = {}
        for row in rows_in(self._connection, statement, articles.c.uid, uids):
            for format, body in bodies_of(row).items():
                of_row = {"article_uid": row.uid, "format": format, "body": body, "updated": row.updated_at}
                found.setdefault(row.uid, {})[format] = value_of(Fragment, row, **of_row)
        return found

    def put_fragments(self, made: Sequence[Fragment]) -> None:
        """Keep fragments, of each article in every format; those of what is gone or retracted are left out."""
        revisions = {fragment.article_uid: fragment.revision for fragment in made}
        rows = [
            {"of_uid": uid, "of_revision": revisions[uid]} | {f"of_{name}": value for name, value in columns.items()}
            for uid, columns in rows_of(made).items()
        ]
        if not rows:
            return
        upsert_selected(self._connection, fragments, _KEPT, rows, ("article_id", "format"), change=_CHANGES)
        if is_postgres(self._connection):  # where release 0.1.0 may run beside this one
            change_in(self._connection, _APART, articles.c.uid, revisions)
        change_in(self._connection, _SETTLED, articles.c.uid, revisions)

    def unrendered(self, limit: int, below: int | None = None) -> dict[int, Article]:
        """Filed articles whose fragments are missing or out of date, by row, the newest first.

        Only those *below* a row: who asks again goes on there, for what is filed nowhere lies between and waits too.
        """
        waiting = select(articles.c.id).where(UNRENDERED, _filed())
        if below is not None:
            waiting = waiting.where(articles.c.id < below)
        ids = self._connection.scalars(waiting.order_by(articles.c.id.desc()).limit(limit)).all()
        return hydrate(self._connection, ids)

    def put_stories(self, made: Sequence[Fragment], of: dict[str, str]) -> None:
        """Keep the fragments of stories; *of* is what `stale_stories` said of each."""
        stories.put(self._connection, made, of)

    def waiting(self) -> bool:
        """Whether any article has fragments missing or out of date; cheap."""
        return self._execute(_FIRST_UNRENDERED).first() is not None

    def pass_over(self, limit: int) -> int:
        """Note of articles that are filed nowhere that they need no fragments until they are; how many there were."""
        idle = select(articles.c.id).where(UNRENDERED, ~_filed()).order_by(articles.c.id.desc()).limit(limit)
        ids = self._connection.scalars(idle).all()
        done = update(articles).values(rendered_revision=articles.c.revision)
        change_in(self._connection, done, articles.c.id, ids)
        return len(ids)

    def set_aside(self, uid: str, reason: str, revision: int | None = None) -> None:
        """Publish an article nowhere while it is as it is now; its next revision is tried again.

        Nothing happens where its revision is not *revision* any more; None takes whichever it is.
        """
        here = articles.c.uid == uid
        if revision is not None:
            here &= articles.c.revision == revision
        article_id = self._connection.scalar(select(articles.c.id).where(here))
        if article_id is None:
            return
        aside = {"rendered_revision": articles.c.revision, "set_aside": storable(reason) or "it does not check"}
        self._execute(update(articles).where(articles.c.id == article_id).values(aside))
        self._execute(delete(fragments).where(fragments.c.article_id == article_id))
        touch(self._connection, sections_of(self._connection, [article_id]))

    def why_aside(self, uid: str) -> str:
        """Why an article is set aside, empty where it is not."""
        statement = select(articles.c.set_aside).where(articles.c.uid == uid, SET_ASIDE)
        return str(self._connection.scalar(statement) or "")

    def renewal_due(self, version: int) -> bool:
        """Whether `renew_fragments` has something to note."""
        same = small_tables.value(self._connection, "fragment_version") == version
        return not same or small_tables.value(self._connection, "fragment_renewal") > 0

    def renew_fragments(self, version: int) -> bool:
        """Have all fragments made again where *version* is another than the last; whether there is more to note.

        Noted from the newest article back, some thousands at a time, so that no transaction is long.
        """
        if small_tables.value(self._connection, "fragment_version") != version:
            newest = self._execute(select(func.max(articles.c.id))).scalar_one() or 0
            small_tables.set_value(self._connection, "fragment_version", version)
            small_tables.set_value(self._connection, "fragment_renewal", newest)
        before = small_tables.value(self._connection, "fragment_renewal")
        if before <= 0:
            return False
        after = max(before - RESET_AT_ONCE, 0)
        stale = exists().where(fragments.c.article_id == articles.c.id, fragments.c.version != version)
        renewed = update(articles).where(articles.c.id > after, articles.c.id <= before, or_(stale, SET_ASIDE))
        self._execute(renewed.values(rendered_revision=-1))
        small_tables.set_value(self._connection, "fragment_renewal", after)
        return after > 0

    # ------------------------------------------------------------------ documents

    def replace(self, made: Sequence[Replacement]) -> int:
        """Put sections' documents in the place of the old; the new publication number.

        Each section that has a document in *made* moves the number by one. What a replacement says was rendered is that
        of the SectionState which was, so that what changed meanwhile is rendered again, and what was filed meanwhile
        comes with it.
        """
        moved = sum(bool(one.documents) for one in made)
        publication = small_tables.publish(self._connection, moved) - moved if moved else self.publication()
        rows, frame_rows = [], []
        for one in made:
            publication += bool(one.documents)
            for document in one.documents:
                uids = json.dumps(document.article_uids)
                rows.append(row_of(document, article_uids=uids, publication=publication))
            frame_rows += [row_of(frame, path=one.path) for frame in one.frames]
        upsert(self._connection, documents, rows, ("path", "format"), replace=True)
        upsert(self._connection, frames, frame_rows, ("path", "format"), replace=True)
        done = [
            {"of_path": one.path, "of_sequence": one.sequence, "of_touched": one.touched, "of_filed": one.filed}
            for one in made
        ]
        if done:
            self._execute(_RENDERED, done)
        return publication

    def all_since(self, publication: int) -> tuple[list[Document], int]:
        """The documents replaced after *publication*, and the number to ask with next time. 0 gives all.

        Documents that were taken away do not show here; `keys` tells which there are.
        """
        now = small_tables.publication(self._connection)
        statement = select(documents).where(documents.c.publication > publication).order_by(documents.c.publication)
        return [_document(row) for row in self._execute(statement)], now

    def keys(self) -> set[tuple[str, Format]]:
        """The path and format of every document."""
        rows = self._execute(select(documents.c.path, documents.c.format))
        return {(row.path, row.format) for row in rows}

    def topics(self) -> set[tuple[str, Format]]:
        """The path and format of every document that everybody may read: a hub gives no other away."""
        private = select(sections.c.path).where(sections.c.private == 1)
        rows = self._execute(select(documents.c.path, documents.c.format).where(documents.c.path.not_in(private)))
        return {(row.path, row.format) for row in rows}

    def get(self, path: str, format: Format) -> Document | None:
        """One document, None where it was never rendered."""
        row = self._execute(_DOCUMENT, {"of_path": path, "of_format": format}).one_or_none()
        return None if row is None else _document(row)

    def listing(self, path: str) -> Listing | None:
        """What a section's documents hold, without their bytes; None where they were never rendered."""
        columns = documents.c.sequence, documents.c.article_uids, documents.c.last_modified
        row = self._execute(
            select(*columns).where(documents.c.path == path).order_by(documents.c.format).limit(1)
        ).one_or_none()
        return None if row is None else value_of(Listing, row, uids=tuple(json.loads(row.article_uids)))

    def announce(self) -> None:
        """Tell who serves that fragments have changed of which archive pages and narrowed feeds are made."""
        small_tables.publish(self._connection)

    def frame(self, path: str, format: Format) -> Frame | None:
        """The frame of a document, for putting other selections of its fragments together."""
        row = self._execute(select(frames).where(frames.c.path == path, frames.c.format == format)).one_or_none()
        return None if row is None else value_of(Frame, row)

    def publication(self) -> int:
        """A number that moves whenever anything served has changed: documents, config, sections, retractions."""
        return small_tables.publication(self._connection)


_FIRST_UNRENDERED = select(articles.c.id).where(UNRENDERED).limit(1)
_DOCUMENT = select(documents).where(
    documents.c.path == bindparam("of_path"), documents.c.format == bindparam("of_format")
)
_CHANGES = ("version", "revision", "updated_at", "body")
_KEPT = select(
    articles.c.id,
    bindparam("of_format", type_=fragments.c.format.type),
    bindparam("of_version", type_=fragments.c.version.type),
    func.coalesce(bindparam("of_revision", type_=fragments.c.revision.type), articles.c.revision),
    bindparam("of_updated_at", type_=fragments.c.updated_at.type),
    bindparam("of_body", type_=fragments.c.body.type),
).where(articles.c.uid == bindparam("of_uid"), articles.c.retracted_at.is_(None))
"""A fragment's row, where its article may be shown."""
_APART = delete(fragments).where(fragments.c.format != ALL_FORMATS, fragments.c.article_id == articles.c.id)
"""Rows of single formats, which one of all takes the place of."""

_OURS = (fragments.c.article_id == articles.c.id) & (fragments.c.revision == articles.c.revision)
_SETTLED = update(articles).where(exists().where(_OURS)).values(rendered_revision=articles.c.revision, set_aside="")
"""Articles of which there are fragments of the present revision."""

_RENDERED = (
    update(sections)
    .where(sections.c.path == bindparam("of_path"))
    .values(
        rendered_sequence=bindparam("of_sequence"),
        rendered_touched=func.coalesce(bindparam("of_touched", type_=BigInteger), sections.c.touched),
        rendered_filed=func.coalesce(bindparam("of_filed", type_=BigInteger), sections.c.filed),
    )
)


def _filed() -> Any:
    return exists().where(filings.c.article_id == articles.c.id, IN_SECTION)


def _document(row: AnyRow) -> Document:
    return value_of(Document, row, article_uids=tuple(json.loads(row.article_uids)))


# --------------------------------------------------------------------------- sitemaps


class Month(Struct, frozen=True, kw_only=True):
    """A month as 202611: the numbers of its first and last filing, and when one of them changed last."""

    month: int
    first: int
    last: int
    changed_at: datetime


class Listed(Struct, frozen=True):
    """An article in a sitemap, with its last significant change."""

    uid: str
    updated: datetime


class Sitemaps(Verbs):
    """``tx.sitemaps``: which months the whole desk has published in, and what was filed in each.

    A month is that in which an article was filed, so that its filings have numbers that follow one another, and no
    article changes its month. What is known of each is brought up to date by what changed: nothing counts all articles.
    """

    def note(self) -> int:
        """Take in what changed since the last time, up to `NOTED_AT_ONCE` filings; how many there were."""
        section_id = self._desk()
        rows = self._execute(changed_filings(section_id, small_tables.value(self._connection, NOTED))).all()
        if not rows:
            return 0
        known = {month.month: month for month in self.months()}
        for row in rows:
            number = row.filed_at.year * 100 + row.filed_at.month
            old = known.get(number) or Month(month=number, first=row.number, last=row.number, changed_at=row.changed_at)
            known[number] = Month(
                month=number,
                first=min(old.first, row.number),
                last=max(old.last, row.number),
                changed_at=max(old.changed_at, row.changed_at),
            )
        upsert(self._connection, sitemap_months, [row_of(month) for month in known.values()], ("month",), replace=True)
        small_tables.set_value(self._connection, NOTED, rows[-1].sequence)
        return len(rows)

    def months(self) -> Sequence[Month]:
        """The months of which something is there, the oldest first."""
        oldest = select(func.min(filings.c.number)).where(filings.c.section_id == self._desk())
        there = select(sitemap_months).where(sitemap_months.c.last >= oldest.scalar_subquery())
        return [value_of(Month, row) for row in self._execute(there.order_by(sitemap_months.c.month))]

    def listed(self, first: int, last: int) -> Sequence[Listed]:
        """The articles of the filings from *first* to *last* that are published, in the order of filing."""
        return [Listed(row.uid, row.updated_at) for row in self._execute(listed_filings(self._desk(), first, last))]

    def _desk(self) -> int:
        return int(self._connection.scalar(select(sections.c.id).where(sections.c.path == "")) or 0)


def changed_filings(section_id: int, after: int) -> Select[Any]:
    """What of a section changed *after* a sequence number, in that order."""
    return (
        select(filings.c.number, filings.c.filed_at, filings.c.changed_at, filings.c.sequence)
        .where(filings.c.section_id == section_id, filings.c.sequence > after)
        .order_by(filings.c.sequence)
        .limit(NOTED_AT_ONCE)
        .with_hint(filings, BY_SEQUENCE, "sqlite")
    )


def listed_filings(section_id: int, first: int, last: int) -> Select[Any]:
    """The articles of a section's filings from *first* to *last*, without what waits or is set aside."""
    published = select(sections.c.rendered_filed).where(sections.c.id == section_id).scalar_subquery()
    return (
        select(articles.c.uid, articles.c.updated_at)
        .join_from(filings, articles)
        .where(filings.c.section_id == section_id, filings.c.number.between(first, last), filings.c.number <= published)
        .where(IN_SECTION, NOT_ASIDE)
        .order_by(filings.c.number)
        .with_hint(filings, BY_NUMBER, "sqlite")
    )
