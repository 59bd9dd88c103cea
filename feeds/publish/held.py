"""What holds a section back, and what it goes on with. I/O: `keep_last_good` reads and writes the store.

Two things hold a new selection of articles: a fault of ours (an id that changed, an article lost without reason), and a
flood: nearly all of a full document suddenly new, from one source, and as of this moment, as when a source renames and
redates everything that it has. What is old by its own date, first imports among it, never counts, and neither does a
busy hour of many sources. A held section goes on with the articles that it had, but for those that were taken out;
after `HOLD_S` it is published all the same, for a desk must not stand still until somebody looks.

A section whose new documents do not check goes on with the last good ones, less what was taken out since.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

from feeds.errors import RenderError
from feeds.frames import cut, delta_body
from feeds.model import FORMATS, Document
from feeds.publish.rendering import etag_of
from feeds.render import compress
from feeds.store import Store
from feeds.store.values import Replacement, SectionState, Standing

HOLD_S = 900
FLOOD_SHARE = 0.8
FLOOD_LEAST = 20
SUDDEN_S = 120
"""How close to its filing an article's place in the order is, where it claims to be of this very moment."""

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Objection:
    """Why a selection is held. *message* says what is wrong and what to do, *article_uid* which article is at fault."""

    rule: Literal["gate-id-changed", "gate-entry-lost", "gate-flood"]
    message: str
    article_uid: str | None = None


def objections(
    old: Sequence[str], new: Sequence[str], standings: Mapping[str, Standing], *, limit: int
) -> tuple[Objection, ...]:
    """Return why the articles *new* may not stand where *old* stand now; nothing where they may.

    *standings* are those of all of them; who of *old* has none has left the section with reason. *limit* is how many
    entries the document holds at most: what newer ones pushed out is not lost. A flood is a document of at least
    `FLOOD_LEAST` entries of which more than `FLOOD_SHARE` are sudden.
    """
    stood = [standings[uid] for uid in old if uid in standings]
    found = [*_changed_ids(old, new, stood, standings), *_lost(new, stood, standings, limit)]
    sudden = _sudden([uid for uid in new if uid not in set(old)], standings) if len(old) >= limit else set()
    if old and len(new) >= FLOOD_LEAST and len(sudden) > FLOOD_SHARE * len(new):
        message = (
            f"the document: has {len(sudden)} of {len(new)} entries that are suddenly new; look at the source; it is"
            " published after a while all the same"
        )
        found.append(Objection(rule="gate-flood", message=message))
    return tuple(found)


def _changed_ids(
    old: Sequence[str], new: Sequence[str], stood: Sequence[Standing], standings: Mapping[str, Standing]
) -> Iterator[Objection]:
    before, after = set(old), set(new)
    by_link = {standing.link: standing.uid for standing in stood if standing.link and standing.uid not in after}
    for uid in new:
        link = standings[uid].link if uid in standings else None
        if uid not in before and link in by_link:
            message = (
                f"{uid}: stands where {by_link[link]} stood, with the same link; an article keeps its id: look at what"
                " dedupe decided"
            )
            yield Objection(rule="gate-id-changed", message=message, article_uid=uid)


def _lost(
    new: Sequence[str], stood: Sequence[Standing], standings: Mapping[str, Standing], limit: int
) -> Iterator[Objection]:
    places = [standings[uid].rank_at if uid in standings else _LONG_AGO for uid in new]
    edge = min(places) if len(places) >= limit else None
    listed = set(new)
    for standing in stood:
        if standing.uid not in listed and (edge is None or standing.rank_at > edge):
            message = (
                f"{standing.uid}: is no longer listed and was not pushed out; name the reason (retraction, re-filing,"
                " retention) or file it again"
            )
            yield Objection(rule="gate-entry-lost", message=message, article_uid=standing.uid)


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


def still_held(since: datetime | None, now: datetime) -> bool:
    """Tell whether a section that is held *since* then is to be held on; None: it was not held yet."""
    # A time to come is one before the clock was set back.
    return since is None or timedelta(0) <= now - since < timedelta(seconds=HOLD_S)


def keep_last_good(store: Store, state: SectionState, error: RenderError, now: datetime) -> None:
    """Hold the section until it changes again, and tell of it. A retraction waits for nobody: it is cut out."""
    path = state.path
    log.error("section=%s kept its last good documents: %s", path or "(all)", error)
    made = _without_what_left(store, path, now)
    with store.write() as tx:
        if made:
            sequence, touched, filed = state.rendered_sequence, state.rendered_touched, state.rendered_filed
            tx.documents.replace(
                [Replacement(path=path, documents=made, sequence=sequence, touched=touched, filed=filed)]
            )
        tx.sections.hold(state)
        tx.events.add("held", path, text=error.cause, remedy=error.remedy, now=now)


def _without_what_left(store: Store, path: str, now: datetime) -> list[Document]:
    """A section's documents without the articles that are in it no more; none where all are."""
    with store.read() as tx:
        documents = [found for format in FORMATS if (found := tx.documents.get(path, format)) is not None]
        listed = documents[0].article_uids if documents else ()
        standing = tx.sections.standings(path, listed)
        # What is no article is a copy that `copies: show` lists.
        left = {uid for uid in listed if uid not in standing and tx.articles.state(uid) is not None}
        tombstones = [(one.uid, one.at) for one in tx.sections.retracted(path, -1, len(listed)) if one.uid in left]
    return [_without(each, left, tombstones, now) for each in documents] if left else []


def _without(document: Document, left: set[str], tombstones: list[tuple[str, datetime]], now: datetime) -> Document:
    """The document's own bytes without the entries that have *left*, and with these *tombstones*."""
    stays = [uid for uid in document.article_uids if uid not in left]
    body = delta_body(document, cut(document), stays, tombstones)
    gzip, brotli = compress(body)
    return replace(
        document,
        body=body,
        gzip=gzip,
        brotli=brotli,
        etag=etag_of(document.sequence, body),
        last_modified=now.replace(microsecond=0),
        article_uids=tuple(stays),
    )
