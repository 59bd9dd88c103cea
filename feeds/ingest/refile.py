"""The flow that files what is stored again after the section tree changed; nothing old is published as new."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from feeds.filing import Cabinet
from feeds.store import Store

AT_ONCE = 200


def refile(store: Store, cabinet: Cabinet, *, clock: Callable[[], datetime]) -> int:
    """File every stored article by *cabinet*'s rules, in small transactions; returns how many there were.

    An article keeps the `rank_at` that it has, so it takes its old place in a section that it comes to.
    """
    after, count = 0, 0
    while True:
        with store.read() as tx:
            articles = tx.articles.for_filing(after, AT_ONCE)
        if not articles:
            return count
        placed = {
            article.uid: [placement for entry, source in article.entries for placement in cabinet.place(entry, source)]
            for article in articles
        }
        with store.write() as tx:
            for uid, placements in placed.items():
                tx.articles.refile(uid, placements, clock())
        after = articles[-1].id
        count += len(articles)
