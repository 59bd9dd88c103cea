"""What dedupe keeps in memory between batches, read back from what the store keeps. Pure.

The window and the stories live in the process that decides; the store has everything that they are made of. A restart
costs less than a tenth of a millisecond an entry; where several processes decide, each takes in what the others saved
since it last looked, under the same lock under which it decides.
"""

from __future__ import annotations

from collections.abc import Sequence

from feeds.dedupe.grouping import Stories
from feeds.dedupe.window import Window
from feeds.model import StoredSignature

AT_ONCE = 2_000
"""Entries that are decoded together."""


def remember(entries: Sequence[StoredSignature], window: Window, stories: Stories | None) -> None:
    """Take stored entries into memory, in the order in which they were first seen."""
    for at in range(0, len(entries), AT_ONCE):
        some = entries[at : at + AT_ONCE]
        window.begin()
        window.add(some)
        if stories is not None:
            stories.begin()
            stories.join(some)
