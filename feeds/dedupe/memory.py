"""What dedupe keeps in memory between batches, read back from what the store keeps. Pure.

The window and the stories live in the process that decides; the store has everything that they are made of. A restart
costs about a fiftieth of a millisecond an entry; where several processes decide, each takes in what the others saved
since it last looked, under the same lock under which it decides.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Protocol

import numpy as np

from feeds.dedupe.columns import take_apart
from feeds.dedupe.stories import Stories
from feeds.dedupe.terms import unpack_many
from feeds.dedupe.window import Window

AT_ONCE = 1000


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


def remember(entries: Iterable[Stored], window: Window, stories: Stories | None) -> int:
    """Take stored entries into memory, in the order in which they were first seen; give their number."""
    count = 0
    every = iter(entries)
    while many := list(islice(every, AT_ONCE)):
        found = take_apart([entry.signature for entry in many])
        window.add_many(
            found,
            [entry.article_uid for entry in many],
            np.array([int(entry.first_seen.timestamp()) for entry in many]),
            np.array([entry.source_id for entry in many]),
            [entry.copy for entry in many],
        )
        if stories is not None:
            read = [(many[row], terms) for row, terms in zip(found.rows, found.terms, strict=True) if terms]
            joining = [(entry, entry.story_uid, terms) for entry, terms in read if entry.story_uid and not entry.copy]
            stories.join(
                [uid for _, uid, _ in joining],
                [entry.article_uid for entry, _, _ in joining],
                *unpack_many([terms for _, _, terms in joining]),
                [(entry.published or entry.first_seen, entry.first_seen) for entry, _, _ in joining],
                [entry.source_id for entry, _, _ in joining],
            )
        count += len(many)
    return count
