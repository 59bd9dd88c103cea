"""What dedupe keeps in memory between batches, read back from what the store keeps. Pure.

The window and the stories live in the process that decides; the store has everything that they are made of. A restart
costs about a tenth of a millisecond an entry; where several processes decide, each takes in what the others saved
since it last looked, under the same lock under which it decides.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from feeds.dedupe import signature
from feeds.dedupe.stories import Stories
from feeds.dedupe.terms import unpack
from feeds.dedupe.window import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """A stored entry as far as memory needs it. *copy* is False for the entry that made its article."""

    article_uid: str
    source_id: int
    signature: bytes
    first_seen: datetime
    published: datetime | None = None
    copy: bool = False
    story_uid: str | None = None
    language: str | None = None


def remember(entries: Iterable[Remembered], window: Window, stories: Stories | None, *, language: str = "en") -> int:
    """Take stored entries into memory, in the order in which they were first seen; give their number."""
    count = 0
    for entry in entries:
        window.add(
            entry.article_uid, entry.signature, seen=entry.first_seen, source_id=entry.source_id, copy=entry.copy
        )
        _, packed = signature.split(entry.signature)
        if stories is not None and packed and entry.story_uid and not entry.copy:
            stories.forget(entry.first_seen)
            terms = unpack(packed)
            stories.counts.add(terms)
            spoken = (entry.language or language).partition("-")[0].lower()
            stories.join(
                entry.story_uid,
                stories.counts.weigh(terms, spoken),
                written=entry.published or entry.first_seen,
                now=entry.first_seen,
            )
        count += 1
    return count
