"""The flow that files what is stored again after the section tree changed; nothing old is published as new."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from feeds.filing import FilingRules
from feeds.model import Placement
from feeds.store import Store
from feeds.store.values import Refilable

AT_ONCE = 100


def refile(
    store: Store,
    filing_rules: FilingRules,
    *,
    clock: Callable[[], datetime],
    go_on: Callable[[], bool] = lambda: True,
    first: Callable[[], None] = lambda: None,
) -> int | None:
    """File every article that was filed by *filing_rules* again, in small transactions; how many there were.

    The newest come first, for documents hold them: what subscribers see is right after the first steps. An article
    keeps the `rank_at` that it has, so it takes its old place in a section that it comes to. One that came with a first
    import and was left out then stays out. Where *filing_rules* has no model, what an earlier one filed stays.
    *first* is called after the first step. None where *go_on* said no before the end.
    """

    def placements(articles: Sequence[Refilable]) -> dict[str, list[Placement]]:
        return {one.uid: filing_rules.place_again(one.entries, one.placed)[0] for one in articles}

    before: int | None = None
    count = 0
    while go_on():
        with store.read() as tx:
            articles = tx.articles.filed(before, AT_ONCE)
        if not articles:
            return count
        placed = placements(articles)
        with store.write() as tx:
            # What came to an article meanwhile (a copy, a correction) has a say in where it belongs.
            present = tx.articles.with_entries([article.id for article in articles])
            if present != articles:
                placed = placements(present)
            tx.articles.refile_all(placed, clock())
        if before is None:
            first()
        before = articles[-1].id
        count += len(articles)
    return None
