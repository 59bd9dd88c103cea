"""Another config over the articles that are stored: what would enter a section and what leave it. Pure.

For `wiredesk plan`: `Comparison` looks at one article after the other and keeps counts, some examples, and those
among what enters that could come to stand in a document.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from feeds.configuration import UNFILED, Source
from feeds.filing.tree import FilingRules
from feeds.model import Entry, Placement, dropped

EXAMPLES = 3
DROPPED_PATH = "dropped"
"""Stands for a section where articles count that `drop:` rules keep from being published; no section has this key."""
NEWEST = 1000
"""Of what enters a section so many, the newest, are kept: no document holds more."""


@dataclass(frozen=True, slots=True, order=True)
class Moved:
    """An article that enters or leaves a section. *dated* is its date, infinite where it has none of its own."""

    dated: float
    uid: str
    title: str
    source: str
    reason: str


@dataclass(slots=True)
class Tally:
    """What was counted, by section path; two that looked at different articles can be put together with `add`."""

    articles: int = 0
    dropped: int = 0  # by the config in force
    ruled: Counter[str] = field(default_factory=Counter)  # filed by a rule, under the edited config
    terms: Counter[int] = field(default_factory=Counter)  # articles of which a term of the edited config holds
    enters: dict[str, list[Moved]] = field(default_factory=dict)  # the newest, as a heap
    entering: Counter[str] = field(default_factory=Counter)
    leaves: dict[str, list[Moved]] = field(default_factory=dict)
    left: dict[str, set[str]] = field(default_factory=dict)  # uids of all that leaves

    def add(self, other: Tally) -> None:
        """Count in what *other* counted."""
        self.articles += other.articles
        self.dropped += other.dropped
        for mine, theirs in (
            (self.ruled, other.ruled),
            (self.entering, other.entering),
        ):
            mine.update(theirs)
        self.terms.update(other.terms)
        for path, entered in other.enters.items():
            _keep(self.enters.setdefault(path, []), entered, NEWEST)
        for path, left in other.leaves.items():
            _keep(self.leaves.setdefault(path, []), left, EXAMPLES)
        for path, uids in other.left.items():
            self.left.setdefault(path, set()).update(uids)

    def newest(self, path: str, limit: int = EXAMPLES) -> list[Moved]:
        """The newest of what enters the section."""
        return heapq.nlargest(limit, self.enters.get(path, ()))


class Comparison:
    """Looks at articles as they are filed, and as the rules *after* would file them.

    *moved* leads from the old path of a section to its new one, *sources* from a source's key to it as edited.
    """

    def __init__(self, after: FilingRules, *, moved: Mapping[str, str], sources: Mapping[str, Source]) -> None:
        self._after = after
        self._moved = moved
        self._sources = sources
        self.tally = Tally()

    def look(self, uid: str, entries: Sequence[tuple[Entry, Source]], placed: Sequence[Placement]) -> None:
        """Count one article, told by *entries* and filed as *placed* says."""
        tally = self.tally
        edited = [(entry, self._sources.get(source.key, source)) for entry, source in entries]
        placements, true = self._after.place_again(edited, placed)
        old = {self._moved.get(path, path): one for path, one in _by_path(placed).items()}
        new = _by_path(placements)
        tally.articles += 1
        tally.dropped += DROPPED_PATH in old
        for path, one in new.items():
            if one.by == "rule":
                tally.ruled[path] += 1
        for number in true:
            tally.terms[number] += 1
        if old.keys() == new.keys():
            return
        entry, source = entries[0]
        dated = entry.published.timestamp() if entry.published else float("inf")
        for path in new.keys() - old.keys():
            tally.entering[path] += 1
            moved = Moved(dated, uid, entry.title, source.name, new[path].reason)
            _keep(tally.enters.setdefault(path, []), (moved,), NEWEST)
        for path in old.keys() - new.keys():
            tally.left.setdefault(path, set()).add(uid)
            moved = Moved(dated, uid, entry.title, source.name, old[path].reason)
            _keep(tally.leaves.setdefault(path, []), (moved,), EXAMPLES)


def _by_path(placements: Sequence[Placement]) -> dict[str, Placement]:
    """Where an article with these is: in its sections, else in `unfiled`, or, alone, in what is dropped."""
    if (never := dropped(placements)) is not None:
        return {DROPPED_PATH: never}
    found: dict[str, Placement] = {}
    for one in placements:
        found.setdefault(one.section, one)
    if found.keys() - {UNFILED, ""}:
        # What one copy says nothing of, another may: an article is unfiled only where it is in no section.
        found.pop(UNFILED, None)
    return found


def _keep(heap: list[Moved], more: Iterable[Moved], most: int) -> None:
    for moved in more:
        if len(heap) < most:
            heapq.heappush(heap, moved)
        else:
            heapq.heappushpop(heap, moved)
