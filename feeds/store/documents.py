"""Documents, frames and fragments: the finished bytes that serve answers from. I/O: database."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update

from feeds.model import Document, Format, Fragment, Frame
from feeds.store import counters
from feeds.store.codec import deflate, inflate
from feeds.store.dialect import upsert
from feeds.store.marks import chunks
from feeds.store.schema import articles, documents, fragments, frames, sections


class Documents:
    """``tx.documents``"""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    # ------------------------------------------------------------------ fragments

    def fragments(self, uids: Sequence[str], format: Format, version: int) -> dict[str, Fragment]:
        """The fragments of articles that are up to date: of render's *version* and the article's present revision."""
        found: dict[str, Fragment] = {}
        for some in chunks(uids):
            statement = (
                select(articles.c.uid, fragments)
                .join_from(fragments, articles, articles.c.id == fragments.c.article_id)
                .where(
                    articles.c.uid.in_(some),
                    fragments.c.format == format,
                    fragments.c.version == version,
                    fragments.c.revision == articles.c.revision,
                )
            )
            for row in self._connection.execute(statement):
                found[row.uid] = Fragment(
                    article_uid=row.uid,
                    format=row.format,
                    version=row.version,
                    body=inflate(row.body),
                    updated=row.updated_at,
                    revision=row.revision,
                )
        return found

    def put_fragments(self, made: Sequence[Fragment]) -> None:
        """Keep fragments; those of articles that are gone or retracted are left out."""
        rows_by_uid: dict[str, Row[*tuple[Any, ...]]] = {}
        for some in chunks(sorted({fragment.article_uid for fragment in made})):
            statement = select(articles.c.id, articles.c.uid, articles.c.revision)
            for row in self._connection.execute(
                statement.where(articles.c.uid.in_(some), articles.c.retracted_at.is_(None))
            ):
                rows_by_uid[row.uid] = row
        rows = [
            {
                "article_id": rows_by_uid[fragment.article_uid].id,
                "format": fragment.format,
                "version": fragment.version,
                "revision": rows_by_uid[fragment.article_uid].revision
                if fragment.revision is None
                else fragment.revision,
                "updated_at": fragment.updated,
                "body": deflate(fragment.body),
            }
            for fragment in made
            if fragment.article_uid in rows_by_uid
        ]
        change = ("version", "revision", "updated_at", "body")
        upsert(self._connection, fragments, rows, ("article_id", "format"), change=change)

    # ------------------------------------------------------------------ documents

    def replace(
        self,
        made: Sequence[Document],
        made_frames: Sequence[Frame],
        section_path: str,
        rendered_sequence: int,
        *,
        rendered_touched: int | None = None,
    ) -> int | None:
        """Put a section's documents in the place of the old; the new publication number, None where nothing changed.

        Where the bytes are the same, the old document stays whole, with its ETag and Last-Modified. *rendered_touched*
        is the `touched` of the SectionState that was rendered, so that what changed meanwhile is rendered again.
        """
        changed = [document for document in made if self._differs(document)]
        publication = counters.publish(self._connection) if changed else None
        rows = [_document_columns(document) | {"publication": publication} for document in changed]
        if rows:
            change = [name for name in rows[0] if name not in ("path", "format")]
            upsert(self._connection, documents, rows, ("path", "format"), change=change)
        frame_rows = [
            {
                "path": section_path,
                "format": each.format,
                "head": each.head,
                "tail": each.tail,
                "separator": each.separator,
            }
            for each in made_frames
        ]
        upsert(self._connection, frames, frame_rows, ("path", "format"), change=("head", "tail", "separator"))
        touched = sections.c.touched if rendered_touched is None else rendered_touched
        done = {"rendered_sequence": rendered_sequence, "rendered_touched": touched}
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
        counters.publish(self._connection)

    def all_since(self, publication: int) -> tuple[list[Document], int]:
        """The documents replaced after *publication*, and the number to ask with next time. 0 gives all.

        Documents that were taken away do not show here; `keys` tells which there are.
        """
        now = counters.publication(self._connection)
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

    def frame(self, path: str, format: Format) -> Frame | None:
        """The frame of a document, for putting other selections of its fragments together."""
        row = self._connection.execute(
            select(frames).where(frames.c.path == path, frames.c.format == format)
        ).one_or_none()
        if row is None:
            return None
        return Frame(format=row.format, head=row.head, tail=row.tail, separator=row.separator)

    def publication(self) -> int:
        """A number that moves whenever anything served has changed: documents, config, sections, retractions."""
        return counters.publication(self._connection)


def _document_columns(document: Document) -> dict[str, Any]:
    return {
        "path": document.path,
        "format": document.format,
        "media_type": document.media_type,
        "sequence": document.sequence,
        "etag": document.etag,
        "last_modified": document.last_modified,
        "article_uids": json.dumps(document.article_uids),
        "body": document.body,
        "gzip": document.gzip,
        "brotli": document.brotli,
    }


def _document(row: Row[*tuple[Any, ...]]) -> Document:
    return Document(
        path=row.path,
        format=row.format,
        media_type=row.media_type,
        sequence=row.sequence,
        etag=row.etag,
        last_modified=row.last_modified,
        body=row.body,
        gzip=row.gzip,
        brotli=row.brotli,
        article_uids=tuple(json.loads(row.article_uids)),
    )
