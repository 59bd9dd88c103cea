"""The section tree: where an entry belongs and why; and what another config would do with what is stored. Pure.

`Comparison`, for `wiredesk plan`, looks at one article after the other and keeps counts, some examples, and those among
what enters a section that could come to stand in its document.
"""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from copy import copy
from functools import cache, partial
from typing import TYPE_CHECKING

from msgspec import Struct, field

from feeds.configuration import UNFILED, Drop, Section, Source
from feeds.filing.names import Signal
from feeds.filing.rules import Compiled
from feeds.model import DROPPED_AT_SOURCE, WHOLE_DESK, Entry, Placement, dropped

if TYPE_CHECKING:
    from feeds.filing.text_model import Model

_GUESSES = 5


class FilingRules:
    """Files entries by *sections* (parents before children). Compiled when first asked, then asked for each entry.

    What one of *drops* holds of is filed nowhere. With a learned *model*, what no rule and no name files is filed by
    it, in sections that are set to learn.
    """

    def __init__(
        self, sections: Sequence[Section], model: Model | None = None, *, drops: Collection[Drop] = ()
    ) -> None:
        self._sections = {section.path: section for section in sections}
        self._compiled = cache(lambda: Compiled(sections, drops))
        self._dropping = {drop.source for drop in drops if drop.source is not None}
        self.learning = {section.path: section.learned_precision for section in sections if section.learned_precision}
        """The sections that are set to learn, with the precision that each asks for."""
        self._use(model)

    def with_model(self, model: Model | None) -> FilingRules:
        """The same rules, which ask *model*; None: no model at all. Nothing is compiled again."""
        if model is self._model:
            return self
        other = copy(self)
        other._use(model)
        return other

    def _use(self, model: Model | None) -> None:
        self._model = model
        known = ((path, model.threshold(path, precision)) for path, precision in self.learning.items()) if model else ()
        self._thresholds = {path: threshold for path, threshold in known if threshold is not None}

    def place(self, entry: Entry, source: Source) -> tuple[Placement, ...]:
        """The sections of *entry*, those above that include their children, and the whole desk, which holds all that is
        public; else `unfiled` alone, which means the whole desk too where no copy says more. What is to be dropped gets
        one placement, which says so. What is in private sections alone comes no higher than these.

        In this order: the source's own section, rules, the breadcrumb; where none of these says anything, the
        publisher's categories, then the address, then the learned classifier. A section appears once, with its first
        reason. Where a matched section is exclusive, only the matched sections of the highest priority stay.
        """
        return self.weigh(entry, source)[0]

    @property
    def terms(self) -> Sequence[str]:
        """Every term of every rule in words, such as ``keyword 'tide'``, by the number that `weigh` gives it."""
        return self._compiled().atoms.words

    def weigh(self, entry: Entry, source: Source) -> tuple[tuple[Placement, ...], set[int]]:
        """What `place` gives, and the numbers of the terms that hold of *entry*."""
        compiled = self._compiled()
        true = compiled.true_of(entry, source)
        if (never := compiled.dropped(true, source)) is not None:
            return (never,), true
        found = self._set_by(source)
        compiled.by_rules(true, found)
        for placement in compiled.names.place(entry, alone=not found):
            if not any(f"{path}/".startswith(f"{placement.section}/") for path in found):
                found[placement.section] = placement
        if not found and self._thresholds:
            found = self._learned(entry)
        if not found:
            reason = compiled.names.unknown(entry) or "no rule holds"
            return (Placement(section=UNFILED, by="none", reason=reason),), true
        return tuple(self._with_parents(self._exclusive(found)).values()), true

    def _set_by(self, source: Source) -> dict[str, Placement]:
        """The section that *source* itself is set to."""
        if source.section is None or source.section not in self._sections:
            return {}
        reason = f"the source {source.name!r} is set to it"
        return {source.section: Placement(section=source.section, by="source", reason=reason)}

    def place_again(
        self, entries: Iterable[tuple[Entry, Source]], before: Sequence[Placement]
    ) -> tuple[list[Placement], set[int]]:
        """The placements of an article by all its *entries*, and the numbers of the terms that hold of one.

        *before* is where it is filed. While there is no model to ask, what one has filed stays.
        """
        placed: list[Placement] = []
        true: set[int] = set()
        for entry, source in entries:
            placements, held = self.weigh(entry, source)
            placed += placements
            true |= held
        if self._model is None and all(one.by == "none" for one in placed):
            kept = {one.section: one for one in before if one.by == "learned" and one.section in self.learning}
            placed = [*self._with_parents(kept).values()] if kept else placed
        return placed, true

    def dropped_by(self, source: Source, entry: Entry) -> str:
        """Why *source* itself drops *entry*; empty where it does not."""
        if source.key not in self._dropping:
            return ""
        never = dropped(self.place(entry, source))
        return never.reason if never is not None and never.by == DROPPED_AT_SOURCE else ""

    def explain(self, entry: Entry, source: Source) -> tuple[str, ...]:
        """All that `place` weighs, a line each: rules that hold, then those that nearly do, the publisher's words that
        mean no section, and the classifier's guesses.
        """
        compiled = self._compiled()
        true = compiled.true_of(entry, source)
        holding, near = [], []
        for path, rule in compiled.rules:
            if (reason := rule.holds(true)) is not None:
                holding.append(f"rule of {path} holds: {reason}")
            elif nearly := rule.nearly(true):
                near.append(f"rule of {path} nearly holds: {nearly}")
        unmapped = (f"no section is surely meant by the {one.kind} {one.value!r}" for one in self.unmapped(entry))
        return (*holding, *near, *unmapped, *self._guesses(entry))

    def unmapped(self, entry: Entry) -> tuple[Signal, ...]:
        """The publisher's words of *entry* that mean no section, for `wiredesk sections --unmapped`."""
        return tuple(self._compiled().names.unmapped(entry))

    def _guesses(self, entry: Entry) -> Iterator[str]:
        """What the model says of the likeliest sections: the probability, what filing takes, the telling words."""
        model = self._model
        if model is None:
            return
        for path, probability in model.guess(entry.title, entry.text, _authors(entry))[:_GUESSES]:
            threshold, wanted = self._thresholds.get(path), self.learning.get(path)
            if wanted is None:
                needed = "not set to learn"
            elif threshold is None:
                needed = f"was never right as often as {wanted:.0%}"
            else:
                needed = f"needs {threshold:.0%}{': the floor' if threshold == model.floor(wanted) else ''}"
            telling = model.telling(path, entry.title, entry.text)
            words = ", ".join(f"{word} {weight:+.1f}" for word, weight in telling)
            yield f"classifier: {path} {probability:.0%} ({needed})" + (f": {words}" if words else "")

    def _learned(self, entry: Entry) -> dict[str, Placement]:
        assert self._model is not None
        found = {}
        ask = self._model.decide if self._model.single else self._model.guess
        for path, probability in ask(entry.title, entry.text, _authors(entry)):
            threshold = self._thresholds.get(path)
            if threshold is not None and probability >= threshold:
                telling = ", ".join(word for word, weight in self._model.telling(path, entry.title, entry.text)[:3])
                reason = f"learned, probability {probability:.2f}" + (f", by the words {telling}" if telling else "")
                found[path] = Placement(section=path, by="learned", reason=reason, probability=probability)
        return found

    def _exclusive(self, found: dict[str, Placement]) -> dict[str, Placement]:
        if not any(self._sections[path].exclusive for path in found):
            return found
        top = max(self._sections[path].priority for path in found)
        best = [path for path in found if self._sections[path].priority == top]
        alone = next((path for path in best if self._sections[path].exclusive), None)
        return {path: found[path] for path in (best if alone is None else [alone])}

    def _with_parents(self, found: dict[str, Placement]) -> dict[str, Placement]:
        placed = dict(found)
        for path in found:
            private = self._sections[path].private
            for parent in self._above(path):
                if parent.include_children and parent.path not in placed and (parent.private or not private):
                    reason = f"it holds what {path} holds"
                    placed[parent.path] = Placement(section=parent.path, by="child", reason=reason)
        if not all(self._sections[path].private for path in found):
            placed[""] = WHOLE_DESK
        return placed

    def _above(self, path: str) -> Iterator[Section]:
        """The sections above the one at *path*, the nearest first."""
        while "/" in path:
            path = path.rpartition("/")[0]
            if path in self._sections:
                yield self._sections[path]


def _authors(entry: Entry) -> tuple[str, ...]:
    return tuple(person.name for person in entry.authors)


EXAMPLES = 3
DROPPED_PATH = "dropped"
"""Stands for a section where articles count that `drop:` rules keep from being published; no section has this key."""
NEWEST = 1000
"""Of what enters a section so many, the newest, are kept: no document holds more."""


class Moved(Struct, frozen=True, order=True):
    """An article that enters or leaves a section. *dated* is its date, infinite where it has none of its own."""

    dated: float
    uid: str
    title: str
    source: str
    reason: str


class Tally(Struct):
    """What was counted, by section path; two that looked at different articles can be put together with `add`."""

    articles: int = 0
    dropped: int = 0  # by the config in force
    ruled: Counter[str] = field(default_factory=Counter)  # filed by a rule, under the edited config
    terms: Counter[int] = field(default_factory=Counter)  # articles of which a term of the edited config holds
    enters: dict[str, list[Moved]] = field(default_factory=partial(defaultdict, list))  # the newest, as a heap
    entering: Counter[str] = field(default_factory=Counter)
    leaves: dict[str, list[Moved]] = field(default_factory=partial(defaultdict, list))
    left: dict[str, set[str]] = field(default_factory=partial(defaultdict, set))  # uids of all that leaves

    def add(self, other: Tally) -> None:
        """Count in what *other* counted."""
        self.articles += other.articles
        self.dropped += other.dropped
        self.ruled.update(other.ruled)
        self.entering.update(other.entering)
        self.terms.update(other.terms)
        for path, entered in other.enters.items():
            _keep(self.enters[path], entered, NEWEST)
        for path, left in other.leaves.items():
            _keep(self.leaves[path], left, EXAMPLES)
        for path, uids in other.left.items():
            self.left[path] |= uids

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
        tally.ruled.update(path for path, one in new.items() if one.by == "rule")
        tally.terms.update(true)
        if old.keys() == new.keys():
            return
        entry, source = entries[0]
        dated = entry.published.timestamp() if entry.published else float("inf")
        for path in new.keys() - old.keys():
            tally.entering[path] += 1
            moved = Moved(dated, uid, entry.title, source.name, new[path].reason)
            _keep(tally.enters[path], (moved,), NEWEST)
        for path in old.keys() - new.keys():
            tally.left[path].add(uid)
            moved = Moved(dated, uid, entry.title, source.name, old[path].reason)
            _keep(tally.leaves[path], (moved,), EXAMPLES)


def _by_path(placements: Sequence[Placement]) -> dict[str, Placement]:
    """Where an article with these is: in its sections, else in `unfiled`, or, alone, in what is dropped."""
    if (never := dropped(placements)) is not None:
        return {DROPPED_PATH: never}
    found: dict[str, Placement] = {}
    for one in placements:
        found.setdefault(one.section, one)
    # What one copy says nothing of, another may: an article is unfiled only where it is in no section.
    if found.keys() - {UNFILED, ""}:
        found.pop(UNFILED, None)
    else:
        found[""] = WHOLE_DESK
    return found


def _keep(heap: list[Moved], more: Iterable[Moved], most: int) -> None:
    for moved in more:
        if len(heap) < most:
            heapq.heappush(heap, moved)
        else:
            heapq.heappushpop(heap, moved)
