"""What the documents of changed sections are to hold: their newest articles, or what a held section held.
I/O: reads the store.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from feeds import frames
from feeds.publish.held import Objection, objections, still_held
from feeds.store import ReadTx
from feeds.store.selections import TOMBSTONES, Wanted
from feeds.store.values import Listing, Newest, StaleSection, Standing

log = logging.getLogger(__name__)

TOMBSTONE_CHANGES = 1000
"""For how many changes of its section a document tells a retraction. No time is in this, so that a document changes
only when its section does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What the documents of one section are to hold: *articles* in their order, and retractions.

    *sequence* is what they stand for, *archive_page* what they go on with. A section that *waits* is held: these are
    the articles of its last good documents, and *objections* say why, where nobody was told yet.
    """

    stale: StaleSection
    articles: tuple[Standing, ...]
    retracted: tuple[tuple[str, datetime], ...]
    archive_page: int | None
    sequence: int
    waits: bool = False
    objections: tuple[Objection, ...] = ()


def choose(tx: ReadTx, stale: Sequence[StaleSection], limits: Mapping[str, int], now: datetime) -> list[Choice]:
    """Choose for each section of *stale*, in their order; *limits* are how many entries its documents have, by path."""
    wanted = [_wanted(each, limits[each.state.path]) for each in stale]
    found = tx.sections.newest(wanted)
    return [_choice(tx, each, limits[each.state.path], found[each.state.id], now) for each in stale]


def _wanted(stale: StaleSection, limit: int) -> Wanted:
    """What to ask of a section: its new articles, and behind them those that these push out of its documents."""
    listed, changes = 0, 0
    if stale.listing is not None:
        listed, changes = len(stale.listing.uids), max(stale.state.sequence - stale.listing.sequence, 0)
    return Wanted(
        section_id=stale.state.id,
        listed=limit,
        many=max(limit, listed) + min(changes, limit),
        after=stale.state.sequence - TOMBSTONE_CHANGES,
    )


def _choice(tx: ReadTx, stale: StaleSection, limit: int, found: Newest, now: datetime) -> Choice:
    """A held section is rendered all the same: a correction, or rights that were tightened, wait for no gate."""
    if stale.listing is not None and stale.listing.uids:
        held = _held(tx, stale, stale.listing, limit, found, now)
        if held is not None:
            return held
    return Choice(
        stale=stale,
        articles=found.standings[:limit],
        retracted=tuple((gone.uid, gone.at) for gone in found.retracted),
        archive_page=frames.newest_archive_page(found.unlisted, stale.state.filed),
        sequence=stale.state.sequence,
    )


def _held(tx: ReadTx, stale: StaleSection, listing: Listing, limit: int, found: Newest, now: datetime) -> Choice | None:
    """What the documents hold already, where the gate objects to what they would hold; None where it does not."""
    path, filed = stale.state.path, stale.state.rendered_filed
    standings = {one.uid: one for one in found.standings}
    if missing := [uid for uid in listing.uids if uid not in standings]:
        standings |= tx.sections.standings(path, missing)
    problems = objections(listing.uids, [one.uid for one in found.standings[:limit]], standings, limit=limit)
    since = tx.events.since("gate", path) if problems else None
    if not problems or not still_held(since, now):
        return None
    articles = tuple(standings[uid] for uid in listing.uids if uid in standings)
    unlisted = tx.sections.unlisted(path, [one.uid for one in articles], filed)
    retracted = tx.sections.retracted(path, listing.sequence - TOMBSTONE_CHANGES, TOMBSTONES)
    return Choice(
        stale=stale,
        articles=articles,
        retracted=tuple((gone.uid, gone.at) for gone in retracted),
        archive_page=frames.newest_archive_page(unlisted, filed),
        sequence=listing.sequence,
        waits=True,
        objections=problems if since is None else (),
    )
