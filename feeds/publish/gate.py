"""What a new selection of articles would change for subscribers, and what becomes of it where it should not. Pure.

Two things hold a section: a fault of ours (an id that changed, an article lost without reason), and a flood: nearly all
of a full document suddenly new, from one source, and as of this moment, as when a source renames and redates everything
that it has. What is old by its own date, first imports among it, never counts, and neither does a busy hour of many
sources. A held section goes on with the articles that it had, but for those that were taken out; after `HOLD_S` it is
published all the same, for a desk must not stand still until somebody looks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from feeds.render import Listed, Problem, compare
from feeds.store.values import Standing

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
