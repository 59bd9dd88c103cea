"""What the documents of changed sections are to hold: their newest articles, or what a held section held.
I/O: reads the store.

Two things hold a new selection of articles: a fault of ours (an id that changed, an article lost without reason), and a
flood: nearly all of a full document suddenly new, from one source, and as of this moment, as when a source renames and
redates everything that it has. What is old by its own date, first imports among it, never counts, and neither does a
busy hour of many sources. A held section goes on with the articles that it had, but for those that were taken out;
after `HOLD_S` it is published all the same, for a desk must not stand still until somebody looks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from feeds import frames
from feeds.codec import EPOCH
from feeds.store import ReadTx
from feeds.store.selections import TOMBSTONES, Wanted
from feeds.store.values import Listing, Newest, StaleSection, Standing

TOMBSTONE_CHANGES = 1000
"""For how many changes of its section a document tells a retraction. No time is in this, so that a document changes
only when its section does."""

HOLD_S = 900
FLOOD_SHARE = 0.8
FLOOD_LEAST = 20
SUDDEN_S = 120
"""How close to its filing an article's place in the order is, where it claims to be of this very moment."""

_NOTHING = Newest(standings=(), retracted=(), unlisted=0)
"""What there is of a section in which nothing was ever filed."""


class Choice(Struct, frozen=True, kw_only=True):
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
    objections: tuple[str, ...] = ()


def choose(tx: ReadTx, stale: Sequence[StaleSection], limits: Mapping[str, int], now: datetime) -> list[Choice]:
    """Choose for each section of *stale*, in their order; *limits* are how many entries its documents have, by path."""
    wanted = [_wanted(each, limits[each.state.path]) for each in stale if each.state.filed]
    found = tx.sections.newest(wanted)
    return [_choice(tx, each, limits[each.state.path], found.get(each.state.id, _NOTHING), now) for each in stale]


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
        standings = _standings(tx, stale, stale.listing, found)
        new = [one.uid for one in found.standings[:limit]]
        problems = objections(stale.listing.uids, new, standings, limit=limit)
        since = tx.events.since("gate", stale.state.path) if problems else None
        if problems and still_held(since, now):
            return _held(tx, stale, stale.listing, standings, problems if since is None else ())
    return Choice(
        stale=stale,
        articles=found.standings[:limit],
        retracted=tuple((gone.uid, gone.at) for gone in found.retracted),
        archive_page=frames.newest_archive_page(found.unlisted, stale.state.filed),
        sequence=stale.state.sequence,
    )


def _standings(tx: ReadTx, stale: StaleSection, listing: Listing, found: Newest) -> dict[str, Standing]:
    """How the articles stand that were *found* and those that the documents list, as far as they are in the section."""
    standings = {one.uid: one for one in found.standings}
    missing = [uid for uid in listing.uids if uid not in standings]
    return standings | tx.sections.standings(stale.state.path, missing) if missing else standings


def _held(
    tx: ReadTx, stale: StaleSection, listing: Listing, standings: Mapping[str, Standing], problems: tuple[str, ...]
) -> Choice:
    """What the documents hold already, as far as it stands; *problems* are those that nobody was told of yet."""
    path, filed = stale.state.path, stale.state.rendered_filed
    kept = tuple(standings[uid] for uid in listing.uids if uid in standings)
    unlisted = tx.sections.unlisted(path, [one.uid for one in kept], filed)
    retracted = tx.sections.retracted(path, listing.sequence - TOMBSTONE_CHANGES, TOMBSTONES)
    return Choice(
        stale=stale,
        articles=kept,
        retracted=tuple((gone.uid, gone.at) for gone in retracted),
        archive_page=frames.newest_archive_page(unlisted, filed),
        sequence=listing.sequence,
        waits=True,
        objections=problems,
    )


def objections(
    old: Sequence[str], new: Sequence[str], standings: Mapping[str, Standing], *, limit: int
) -> tuple[str, ...]:
    """Return why the articles *new* may not stand where *old* stand now, and what to do; nothing where they may.

    *standings* are those of all of them; who of *old* has none has left the section with reason. *limit* is how many
    entries the document holds at most: what newer ones pushed out is not lost. A flood is a document of at least
    `FLOOD_LEAST` entries of which more than `FLOOD_SHARE` are sudden.
    """
    stood = [standings[uid] for uid in old if uid in standings]
    found = [*_changed_ids(old, new, stood, standings), *_lost(new, stood, standings, limit)]
    sudden = _sudden([uid for uid in new if uid not in set(old)], standings) if len(old) >= limit else set()
    if old and len(new) >= FLOOD_LEAST and len(sudden) > FLOOD_SHARE * len(new):
        found.append(
            f"the document: has {len(sudden)} of {len(new)} entries that are suddenly new; look at the source; it is"
            " published after a while all the same"
        )
    return tuple(found)


def _changed_ids(
    old: Sequence[str], new: Sequence[str], stood: Sequence[Standing], standings: Mapping[str, Standing]
) -> Iterator[str]:
    before, after = set(old), set(new)
    by_link = {standing.link: standing.uid for standing in stood if standing.link and standing.uid not in after}
    for uid in new:
        link = standings[uid].link if uid in standings else None
        if uid not in before and link in by_link:
            yield (
                f"{uid}: stands where {by_link[link]} stood, with the same link; an article keeps its id: look at what"
                " dedupe decided"
            )


def _lost(
    new: Sequence[str], stood: Sequence[Standing], standings: Mapping[str, Standing], limit: int
) -> Iterator[str]:
    places = [standings[uid].rank_at if uid in standings else EPOCH for uid in new]
    edge = min(places) if len(places) >= limit else None
    listed = set(new)
    for standing in stood:
        if standing.uid not in listed and (edge is None or standing.rank_at > edge):
            yield (
                f"{standing.uid}: is no longer listed and was not pushed out; name the reason (retraction, re-filing,"
                " retention) or file it again"
            )


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
