"""A section whose new documents do not check goes on with the last good ones, less what was taken out since.
I/O: reads and writes the store.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime

import xxhash

from feeds.errors import RenderError
from feeds.frames import cut, delta_body
from feeds.model import FORMATS, Document
from feeds.render import compress
from feeds.store import Store
from feeds.store.values import SectionState

log = logging.getLogger(__name__)


def keep_last_good(store: Store, state: SectionState, error: RenderError, now: datetime) -> None:
    """Hold the section until it changes again, and tell of it. A retraction waits for nobody: it is cut out."""
    path = state.path
    log.error("section=%s kept its last good documents: %s", path or "(all)", error)
    with store.read() as tx:
        documents = [found for format in FORMATS if (found := tx.documents.get(path, format)) is not None]
        listed = documents[0].article_uids if documents else ()
        standing = tx.sections.standings(path, listed)
        # What is no article is a copy that `copies: show` lists.
        left = {uid for uid in listed if uid not in standing and tx.articles.state(uid) is not None}
        told = [(one.uid, one.at) for one in tx.sections.retracted(path, -1, len(listed)) if one.uid in left]
    made = [_without(each, left, told, now) for each in documents] if left else []
    with store.write() as tx:
        if made:
            tx.documents.replace(made, [], path, state.rendered_sequence, rendered_filed=state.rendered_filed)
        tx.sections.hold(state)
        tx.events.add("held", path, text=error.cause, remedy=error.remedy, now=now)


def _without(document: Document, left: set[str], told: list[tuple[str, datetime]], now: datetime) -> Document:
    """The document's own bytes without the entries that have *left*, and with tombstones of those *told*."""
    stays = [uid for uid in document.article_uids if uid not in left]
    body = delta_body(document, cut(document), stays, told)
    gzip, brotli = compress(body)
    return replace(
        document,
        body=body,
        gzip=gzip,
        brotli=brotli,
        etag=f"{document.sequence}-{xxhash.xxh3_64_hexdigest(body)}",
        last_modified=now.replace(microsecond=0),
        article_uids=tuple(stays),
    )
