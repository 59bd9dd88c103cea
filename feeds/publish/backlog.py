"""What is behind documents: fragments of articles that none holds, for archive pages and narrowed feeds are joined from
them; and the months of sitemaps.
I/O: reads and writes the store.

Requests cannot render, so whatever is filed gets its fragments here, the newest first, some at a time. They are checked
before they are kept, as every published entry is.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime

from feeds import render
from feeds.errors import RenderError
from feeds.model import Article, Fragment
from feeds.publish.rendering import Listing
from feeds.render import DeskContext, fragment_version
from feeds.store import Store
from feeds.store.documents import NOTED_AT_ONCE

log = logging.getLogger(__name__)

AT_ONCE = 200
PASSED_AT_ONCE = 2000
STORIES_AMONG = 200
"""Among how many of a section's newest articles stories are looked for; `serve` looks among as many."""

SECTIONS_AT_ONCE = 8

MOST_MEMBERS = 60
NOTED_TIMES = 4


def catch_up(store: Store, desk: DeskContext, *, most: int | None, now: datetime) -> tuple[int, list[str]]:
    """Make the fragments of up to *most* articles (None: all that wait); how many, and who had to be set aside."""
    made = 0
    below: int | None = None
    aside: list[str] = []
    with store.read() as tx:
        if not tx.documents.waiting():
            return 0, []
    while most is None or made + len(aside) < most:
        at_once = AT_ONCE if most is None else min(AT_ONCE, most - made - len(aside))
        with store.read() as tx:
            found = tx.documents.unrendered(at_once, below)
        if not found:
            break
        below = min(found)
        faulty = _make(store, list(found.values()), desk, now)
        made += len(found) - len(faulty)
        aside += faulty
    while True:
        with store.write() as tx:
            passed = tx.documents.pass_over(PASSED_AT_ONCE)
        if most is not None or passed < PASSED_AT_ONCE:
            return made, aside


def _make(store: Store, articles: Sequence[Article], desk: DeskContext, now: datetime) -> list[str]:
    """Make and keep the fragments of *articles*; the uids of those that had to be set aside."""
    fragments, faults = _fragments(articles, desk, fragment_version(desk))
    with store.write() as tx:
        tx.documents.put_fragments(fragments)
        for article in articles:
            if (fault := faults.get(article.uid)) is not None:
                tx.documents.set_aside(article.uid, fault.cause, article.revision)
                tx.events.add("set-aside", article.uid, text=fault.cause, now=now)
        tx.documents.announce()
    for uid, fault in faults.items():
        log.error("set aside article=%s: %s", uid, fault.cause)
    return list(faults)


def catch_up_stories(store: Store, paths: Sequence[str], desk: DeskContext) -> int:
    """Make the fragments of the newest stories of sections where an article of theirs has changed; how many stories.

    Some sections at a time, for most stories are in several.
    """
    return sum(
        _catch_up_stories(store, paths[at : at + SECTIONS_AT_ONCE], desk)
        for at in range(0, len(paths), SECTIONS_AT_ONCE)
    )


def _catch_up_stories(store: Store, paths: Sequence[str], desk: DeskContext) -> int:
    version = fragment_version(desk)
    with store.read() as tx:
        stale = tx.sections.stale_stories(paths, STORIES_AMONG, version)
        if not stale:
            return 0
        members = tx.stories.several(list(stale), MOST_MEMBERS)
    stories = [render.as_story(articles, story_uid=uid, desk=desk) for uid, articles in members.items()]
    fragments, faults = _fragments(stories, desk, version)
    for uid, fault in faults.items():
        log.error("no fragment of story=%s: %s", uid, fault.cause)
    with store.write() as tx:
        tx.documents.put_stories(fragments, stale)
        tx.documents.announce()
    return len(stories)


def note_months(store: Store) -> None:
    """Have sitemaps know what was published, in short transactions. Of what an older release left behind each
    publication takes a part.
    """
    for _ in range(NOTED_TIMES):
        with store.write() as tx:
            if tx.sitemaps.note() < NOTED_AT_ONCE:
                break


def _fragments(
    articles: Sequence[Article], desk: DeskContext, version: int
) -> tuple[list[Fragment], dict[str, RenderError]]:
    """Fragments of *articles* in every format, and why those without have none."""
    listing = Listing(
        uids=[article.uid for article in articles],
        kept={},
        articles={article.uid: article for article in articles},
    )
    return listing.complete(desk, version)
