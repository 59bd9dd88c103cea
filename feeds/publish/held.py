"""A section whose new documents do not check goes on with the last good ones, less what was taken out since.
I/O: reads and writes the store.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import xxhash

from feeds.errors import RenderError
from feeds.frames import cut, delta_body
from feeds.model import FORMATS, Document
from feeds.render import Listed, Problem, compare, compress
from feeds.store import Store
from feeds.store.values import SectionState, Standing

HOLD_S = 900
FLOOD_SHARE = 0.8
FLOOD_LEAST = 20
SUDDEN_S = 120
"""How close to its filing an article's place in the order is, where it claims to be of this very moment."""

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def objections(
    old: Sequence[str], new: Sequence[str], standings: Mapping[str, Standing], *, limit: int
) -> tuple[Problem, ...]:
    """Return why the articles *new* may not stand where *old* stand now; nothing where they may.

    *standings* are those of all of them; who of *old* has none has left the section with reason.
    """
    fresh = [uid for uid in new if uid not in set(old)]
    return compare(
        [_listed(uid, standings.get(uid)) for uid in old],
        [_listed(uid, standings.get(uid)) for uid in new],
        limit=limit,
        gone={uid for uid in old if uid not in standings},
        expected=set(fresh) - _sudden(fresh, standings) if len(old) >= limit else set(fresh),
        flood_share=FLOOD_SHARE,
        flood_least=FLOOD_LEAST,
    )


def still_held(since: datetime | None, now: datetime) -> bool:
    """Tell whether a section that is held *since* then is to be held on; None: it was not held yet."""
    # A time to come is one before the clock was set back.
    return since is None or timedelta(0) <= now - since < timedelta(seconds=HOLD_S)


def _sudden(fresh: Sequence[str], standings: Mapping[str, Standing]) -> set[str]:
    """Those of *fresh* that claim to be of this moment, of the source that brought most of them."""
    close = timedelta(seconds=SUDDEN_S)
    sudden = [
        standing
        for uid in fresh
        if (standing := standings.get(uid)) is not None and standing.filed_at - standing.rank_at <= close
    ]
    most = Counter(standing.source_id for standing in sudden).most_common(1)
    return {standing.uid for standing in sudden if standing.source_id == most[0][0]} if most else set()


def _listed(uid: str, standing: Standing | None) -> Listed:
    if standing is None:
        return Listed(uid=uid, rank_at=_LONG_AGO)
    return Listed(uid=uid, link=standing.link, rank_at=standing.rank_at)


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
