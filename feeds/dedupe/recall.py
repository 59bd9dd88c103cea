"""What dedupe keeps in memory between batches, read back from what the store keeps. Pure.

The window and the stories live in the process that decides; the store has everything that they are made of. A restart
costs less than a tenth of a millisecond an entry; where several processes decide, each takes in what the others saved
since it last looked, under the same lock under which it decides.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from feeds.dedupe import signature
from feeds.dedupe.grouping import Arriving, Stories
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


class Stored(Protocol):
    """What `Remembered` has, by whatever name the store gives it."""

    @property
    def article_uid(self) -> str: ...
    @property
    def source_id(self) -> int: ...
    @property
    def signature(self) -> bytes: ...
    @property
    def first_seen(self) -> datetime: ...
    @property
    def published(self) -> datetime | None: ...
    @property
    def copy(self) -> bool: ...
    @property
    def story_uid(self) -> str | None: ...


def remember(entries: Iterable[Stored], window: Window, stories: Stories | None) -> None:
    """Take stored entries into memory, in the order in which they were first seen."""
    for entry in entries:
        window.begin()
        seen, source_id = entry.first_seen, entry.source_id
        window.add(entry.article_uid, entry.signature, seen=seen, source_id=source_id, copy=entry.copy)
        if stories is None or entry.copy or not entry.story_uid:
            continue
        if packed := signature.split(entry.signature)[1]:
            stories.begin()
            written = entry.published or seen
            arriving = Arriving(unpack(packed), "", written=written, source_id=source_id, uid=entry.article_uid)
            stories.join(entry.story_uid, arriving, now=seen)
