"""Filing, asked of the rules: for what a batch brings, and again for what is stored where the rules have changed.

Nothing old is ever filed as new: `rank` gives the place in the order, once and for all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from feeds.configuration import DOCUMENTS
from feeds.filing import FilingRules
from feeds.ingest.bodies import Read, Waiting
from feeds.ingest.desk import Desk
from feeds.model import Entry, Placement
from feeds.store import CHANGED, Store
from feeds.store.values import Refilable

Places = dict[int, tuple[Placement, ...] | None]
"""Where the entries of a body belong, by their position in it; None for what a first import leaves out: stored, so that
it is known, and in no section."""

UNDATED_AGE = timedelta(days=1)
REFILED_AT_ONCE = 100


def places(one: Read, desk: Desk) -> Places:
    """Where each entry of a body belongs, by its position, for dedupe may change keys."""
    waiting, reading = one
    out = left_out(waiting, reading.entries, desk.settings.publish.first_import)
    found: Places = dict.fromkeys((entry.position for entry in out), None)
    for entry in reading.entries:
        if entry.position not in found:
            found[entry.position] = desk.filing_rules.place(entry, waiting.source)
    return found


def left_out(waiting: Waiting, entries: Sequence[Entry], most: int) -> list[Entry]:
    """What a first import of more than *most* entries files nowhere; 0 lets all in."""
    if not waiting.first or not most or waiting.source.kind == "files":
        return []
    return sorted(entries, key=_newest_first)[most:]


def _newest_first(entry: Entry) -> tuple[bool, float, int]:
    return (entry.published is None, -entry.published.timestamp() if entry.published else 0.0, entry.position)


def rank(entry: Entry, waiting: Waiting, siblings: Sequence[Entry], now: datetime) -> datetime:
    """The place in the order: the earlier of published and first seen; never the top for what is not new."""
    if entry.published is not None:
        return min(entry.published, now)
    if not waiting.first or waiting.source.kind in DOCUMENTS:
        return now
    return _rank_without_date(entry, [other for other in siblings if other.published is not None], now)


def _rank_without_date(entry: Entry, dated: Sequence[Entry], now: datetime) -> datetime:
    """In a first import an entry without a date stands right after the *dated* one before it in the document, else,
    with nothing to go by, as if it were a day old.
    """
    before = [other for other in dated if other.position < entry.position]
    if before:
        nearest = max(before, key=lambda other: other.position)
        return _earlier(nearest, now) - timedelta(microseconds=entry.position - nearest.position)
    anchor = min((_earlier(other, now) for other in dated), default=now - UNDATED_AGE)
    return anchor - timedelta(microseconds=entry.position)


def _earlier(entry: Entry, now: datetime) -> datetime:
    return min(entry.published or now, now)


def refile(
    store: Store,
    filing_rules: FilingRules,
    *,
    clock: Callable[[], datetime],
    go_on: Callable[[], bool] = lambda: True,
) -> int | None:
    """File every article that was filed by *filing_rules* again, in small transactions; how many there were.

    The newest come first, for documents hold them: what subscribers see is right after the first steps. An article
    keeps the `rank_at` that it has, so it takes its old place in a section that it comes to. One that came with a first
    import and was left out then stays out. Where *filing_rules* has no model, what an earlier one filed stays.
    None where *go_on* said no before the end.
    """

    def placements(articles: Sequence[Refilable]) -> dict[str, list[Placement]]:
        return {one.uid: filing_rules.place_again(one.entries, one.placed)[0] for one in articles}

    before: int | None = None
    count = 0
    while go_on():
        with store.read() as tx:
            articles = tx.articles.filed(before, REFILED_AT_ONCE)
        if not articles:
            return count
        placed = placements(articles)
        with store.write() as tx:
            # What came to an article meanwhile (a copy, a correction) has a say in where it belongs.
            present = tx.articles.with_entries([article.id for article in articles])
            if present != articles:
                placed = placements(present)
            tx.articles.refile_all(placed, clock())
            several = {one.uid: _drops(one, filing_rules) for one in present if len(one.entries) > 1}
            tx.relations.drop(several)
            if before is None:
                tx.tell(CHANGED)
        before = articles[-1].id
        count += len(articles)
    return None


def _drops(article: Refilable, filing_rules: FilingRules) -> tuple[list[str], int]:
    """Why the entries of an article are dropped by their own sources, and which one is shown in the place of such."""
    reasons = [filing_rules.dropped_by(source, entry) for entry, source in article.entries]
    priorities = [source.priority for _, source in article.entries]
    return reasons, max(range(len(reasons)), key=lambda at: (not reasons[at], priorities[at], -at))
