"""The entries of a section whose config says `copies: link` or `copies: show`. I/O: reads the store.

Fragments are kept as folded: what differs here is made anew with the document and kept nowhere, and archive pages and
deltas, which are joined from kept fragments, give articles folded.
"""

from __future__ import annotations

from dataclasses import dataclass

from feeds.model import FORMATS, Article, Copies
from feeds.publish.rendering import Kept
from feeds.render.copies import linked, shown
from feeds.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfolded:
    """The entries to list, and which of them are not as the store keeps them."""

    uids: list[str]
    own: frozenset[str]


def unfold(
    store: Store, uids: list[str], kept: Kept, articles: dict[str, Article], copies: Copies, limit: int
) -> Unfolded:
    """Give what the section lists; *kept* and *articles* are changed to render it."""
    if copies == "fold" or not uids:
        return Unfolded(uids=uids, own=frozenset())
    with store.read() as tx:
        whole = tx.articles.several(uids)
    own: set[str] = set()
    listed: list[str] = []
    for uid in uids:
        listed.append(uid)
        article = whole.get(uid)
        if article is None or not article.copies:
            continue
        if copies == "show":
            extra = {each.uid: each for each in shown(article)}
            articles |= extra
            own |= extra.keys()
            listed += extra
        else:
            articles[uid] = linked(article)
            own.add(uid)
            for format in FORMATS:
                kept[format].pop(uid, None)
    return Unfolded(uids=listed[:limit], own=frozenset(own))
