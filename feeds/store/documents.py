"""Documents, frames and fragments: the finished bytes that serve answers from. I/O: database."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, delete, exists, func, or_, select, update

from feeds.codec import deflate
from feeds.model import FORMATS, Article, Document, Format, Fragment, Frame
from feeds.store import small_tables, stories
from feeds.store.columns import storable
from feeds.store.dialect import Verbs, change_in, row_of, rows_in, upsert, value_of
from feeds.store.filings import sections_of, touch
from feeds.store.hydrate import hydrate
from feeds.store.schema import (
    IN_SECTION,
    SET_ASIDE,
    UNRENDERED,
    articles,
    documents,
    filings,
    fragments,
    frames,
    sections,
)
from feeds.store.selections import fragment_of
from feeds.store.values import Listing

RESET_AT_ONCE = 2000


class Documents(Verbs):
    """``tx.documents``"""

    # ------------------------------------------------------------------ fragments

    def fragments(self, uids: Sequence[str], format: Format, version: int) -> dict[str, Fragment]:
        """The fragments of articles that are up to date: of render's *version* and the article's present revision."""
        statement = (
            select(articles.c.uid, fragments)
            .join_from(fragments, articles, articles.c.id == fragments.c.article_id)
            .where(fragments.c.format == format, fragments.c.version == version)
            .where(fragments.c.revision == articles.c.revision)
        )
        return {
            row.uid: fragment_of(row, article_uid=row.uid, updated=row.updated_at)
            for row in rows_in(self._connection, statement, articles.c.uid, uids)
        }

    def put_fragments(self, made: Sequence[Fragment]) -> None:
        """Keep fragments; those of articles that are gone or retracted are left out."""
        columns = articles.c.id, articles.c.uid, articles.c.revision
        shown = select(*columns).where(articles.c.retracted_at.is_(None))
        uids = sorted({fragment.article_uid for fragment in made})
        present = {row.uid: row for row in rows_in(self._connection, shown, articles.c.uid, uids)}
        rows = [
            {
                "article_id": present[fragment.article_uid].id,
                "format": fragment.format,
                "version": fragment.version,
                "revision": present[fragment.article_uid].revision if fragment.revision is None else fragment.revision,
                "updated_at": fragment.updated,
                "body": deflate(fragment.body),
            }
            for fragment in made
            if fragment.article_uid in present
        ]
        change = ("version", "revision", "updated_at", "body")
        upsert(self._connection, fragments, rows, ("article_id", "format"), change=change)
        self._settle([row.id for row in present.values()])

    def _settle(self, ids: Sequence[int]) -> None:
        """Note of which articles there are fragments of the present revision in every format."""
        ours = (fragments.c.article_id == articles.c.id) & (fragments.c.revision == articles.c.revision)
        there = select(func.count()).select_from(fragments).where(ours).scalar_subquery()
        done = update(articles).where(there == len(FORMATS))
        done = done.values(rendered_revision=articles.c.revision, set_aside="")
        change_in(self._connection, done, articles.c.id, ids)

    def unrendered(self, limit: int, below: int | None = None) -> dict[int, Article]:
        """Filed articles whose fragments are missing or out of date, by row, the newest first.

        Only those *below* a row: who asks again goes on there, for what is filed nowhere lies between and waits too.
        """
        waiting = select(articles.c.id).where(UNRENDERED, _filed())
        if below is not None:
            waiting = waiting.where(articles.c.id < below)
        ids = self._connection.execute(waiting.order_by(articles.c.id.desc()).limit(limit)).scalars().all()
        return hydrate(self._connection, ids)

    def put_stories(self, made: Sequence[Fragment], of: dict[str, str]) -> None:
        """Keep the fragments of stories; *of* is what `stale_stories` said of each."""
        stories.put(self._connection, made, of)

    def waiting(self) -> bool:
        """Whether any article has fragments missing or out of date; cheap."""
        return self._connection.execute(select(articles.c.id).where(UNRENDERED).limit(1)).first() is not None

    def pass_over(self, limit: int) -> int:
        """Note of articles that are filed nowhere that they need no fragments until they are; how many there were."""
        idle = select(articles.c.id).where(UNRENDERED, ~_filed()).order_by(articles.c.id.desc()).limit(limit)
        ids = self._connection.execute(idle).scalars().all()
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
        article_id = self._connection.execute(select(articles.c.id).where(here)).scalar_one_or_none()
        if article_id is None:
            return
        aside = {"rendered_revision": articles.c.revision, "set_aside": storable(reason) or "it does not check"}
        self._connection.execute(update(articles).where(articles.c.id == article_id).values(aside))
        self._connection.execute(delete(fragments).where(fragments.c.article_id == article_id))
        touch(self._connection, sections_of(self._connection, [article_id]))

    def why_aside(self, uid: str) -> str:
        """Why an article is set aside, empty where it is not."""
        statement = select(articles.c.set_aside).where(articles.c.uid == uid, SET_ASIDE)
        return str(self._connection.execute(statement).scalar_one_or_none() or "")

    def renewal_due(self, version: int) -> bool:
        """Whether `renew_fragments` has something to note."""
        same = small_tables.value(self._connection, "fragment_version") == version
        return not same or small_tables.value(self._connection, "fragment_renewal") > 0

    def renew_fragments(self, version: int) -> bool:
        """Have all fragments made again where *version* is another than the last; whether there is more to note.

        Noted from the newest article back, some thousands at a time, so that no transaction is long.
        """
        if small_tables.value(self._connection, "fragment_version") != version:
            newest = self._connection.execute(select(func.max(articles.c.id))).scalar_one() or 0
            small_tables.set_value(self._connection, "fragment_version", version)
            small_tables.set_value(self._connection, "fragment_renewal", newest)
        before = small_tables.value(self._connection, "fragment_renewal")
        if before <= 0:
            return False
        after = max(before - RESET_AT_ONCE, 0)
        stale = exists().where(fragments.c.article_id == articles.c.id, fragments.c.version != version)
        renewed = update(articles).where(articles.c.id > after, articles.c.id <= before, or_(stale, SET_ASIDE))
        self._connection.execute(renewed.values(rendered_revision=-1))
        small_tables.set_value(self._connection, "fragment_renewal", after)
        return after > 0

    # ------------------------------------------------------------------ documents

    def replace(
        self,
        made: Sequence[Document],
        made_frames: Sequence[Frame],
        section_path: str,
        rendered_sequence: int,
        *,
        rendered_touched: int | None = None,
        rendered_filed: int | None = None,
    ) -> int | None:
        """Put a section's documents in the place of the old; the new publication number, None where nothing changed.

        Where the bytes are the same, the old document stays whole, with its ETag and Last-Modified. *rendered_touched*
        and *rendered_filed* are `touched` and `filed` of the SectionState that was rendered, so that what changed
        meanwhile is rendered again, and what was filed meanwhile comes with it.
        """
        changed = [document for document in made if self._differs(document)]
        publication = small_tables.publish(self._connection) if changed else None
        rows = [
            row_of(document, article_uids=json.dumps(document.article_uids), publication=publication)
            for document in changed
        ]
        if rows:
            change = [name for name in rows[0] if name not in ("path", "format")]
            upsert(self._connection, documents, rows, ("path", "format"), change=change)
        frame_rows = [row_of(frame, path=section_path) for frame in made_frames]
        upsert(self._connection, frames, frame_rows, ("path", "format"), change=("head", "tail", "separator"))
        touched = sections.c.touched if rendered_touched is None else rendered_touched
        filed = sections.c.filed if rendered_filed is None else rendered_filed
        done = {"rendered_sequence": rendered_sequence, "rendered_touched": touched, "rendered_filed": filed}
        self._connection.execute(update(sections).where(sections.c.path == section_path).values(done))
        return publication

    def _differs(self, document: Document) -> bool:
        statement = select(documents.c.body, documents.c.media_type).where(
            documents.c.path == document.path, documents.c.format == document.format
        )
        row = self._connection.execute(statement).one_or_none()
        return row is None or row.body != document.body or row.media_type != document.media_type

    def remove(self, path: str) -> None:
        """Take a section's documents away."""
        self._connection.execute(delete(documents).where(documents.c.path == path))
        self._connection.execute(delete(frames).where(frames.c.path == path))
        small_tables.publish(self._connection)

    def all_since(self, publication: int) -> tuple[list[Document], int]:
        """The documents replaced after *publication*, and the number to ask with next time. 0 gives all.

        Documents that were taken away do not show here; `keys` tells which there are.
        """
        now = small_tables.publication(self._connection)
        statement = select(documents).where(documents.c.publication > publication).order_by(documents.c.publication)
        return [_document(row) for row in self._connection.execute(statement)], now

    def keys(self) -> set[tuple[str, Format]]:
        """The path and format of every document."""
        rows = self._connection.execute(select(documents.c.path, documents.c.format))
        return {(row.path, row.format) for row in rows}

    def get(self, path: str, format: Format) -> Document | None:
        """One document, None where it was never rendered."""
        statement = select(documents).where(documents.c.path == path, documents.c.format == format)
        row = self._connection.execute(statement).one_or_none()
        return None if row is None else _document(row)

    def listing(self, path: str) -> Listing | None:
        """What a section's documents hold, without their bytes; None where they were never rendered."""
        columns = documents.c.sequence, documents.c.article_uids, documents.c.last_modified
        row = self._connection.execute(
            select(*columns).where(documents.c.path == path).order_by(documents.c.format).limit(1)
        ).one_or_none()
        return None if row is None else value_of(Listing, row, uids=tuple(json.loads(row.article_uids)))

    def announce(self) -> None:
        """Tell who serves that fragments have changed of which archive pages and narrowed feeds are made."""
        small_tables.publish(self._connection)

    def frame(self, path: str, format: Format) -> Frame | None:
        """The frame of a document, for putting other selections of its fragments together."""
        row = self._connection.execute(
            select(frames).where(frames.c.path == path, frames.c.format == format)
        ).one_or_none()
        return None if row is None else value_of(Frame, row)

    def publication(self) -> int:
        """A number that moves whenever anything served has changed: documents, config, sections, retractions."""
        return small_tables.publication(self._connection)


def _filed() -> Any:
    return exists().where(filings.c.article_id == articles.c.id, IN_SECTION)


def _document(row: Row[*tuple[Any, ...]]) -> Document:
    return value_of(Document, row, article_uids=tuple(json.loads(row.article_uids)))
