"""The section tree, compiled: where an entry belongs and why. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from feeds.configuration import UNFILED, Drop, Section, Source
from feeds.model import WHOLE_DESK, Entry, Placement

if TYPE_CHECKING:
    from feeds.filing.learned.text_model import Model
    from feeds.filing.names import Signal, Vocabulary
    from feeds.filing.rules import Compiled, RuleState


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """What the learned classifier says of a section: its probability, what it takes to be filed, the telling words.

    *wanted* is the precision that the section asks for, None where it is not set to learn; *threshold* the probability
    that it takes, None where so many were never right; *floor* says that it is the least for any single filing, while
    lower ones would do for the mean.
    """

    section: str
    probability: float
    threshold: float | None
    wanted: float | None = None
    floor: bool = False
    words: tuple[tuple[str, float], ...] = ()

    def line(self) -> str:
        """The guess as a line for people."""
        if self.threshold is not None:
            needed = f"needs {self.threshold:.0%}{': the floor' if self.floor else ''}"
        elif self.wanted is not None:
            needed = f"was never right as often as {self.wanted:.0%}"
        else:
            needed = "not set to learn"
        words = ", ".join(f"{word} {weight:+.1f}" for word, weight in self.words)
        return f"classifier: {self.section} {self.probability:.0%} ({needed})" + (f": {words}" if words else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """All that was weighed for one entry of one source. *unmapped* are the publisher's words that mean no section."""

    placements: tuple[Placement, ...]
    rules: tuple[tuple[str, RuleState], ...] = ()  # by path: those that hold, then those of which a part does
    unmapped: tuple[str, ...] = ()
    guesses: tuple[Guess, ...] = ()

    def lines(self) -> tuple[str, ...]:
        """The whole as lines for people."""
        found = []
        for path, rule in self.rules:
            if rule.holds:
                found.append(f"rule of {path} holds: {rule.reason}")
            else:
                found.append(f"rule of {path} nearly holds: {rule.reason or 'something'}, but {rule.lacks}")
        found += [f"no section is surely meant by the {name}" for name in self.unmapped]
        return (*found, *(guess.line() for guess in self.guesses))


_GUESSES = 5


class FilingRules:
    """Files entries by *sections* (parents before children). Compiled when first asked, then asked for each entry.

    What one of *drops* holds of is filed nowhere. With a learned *model*, what no rule and no name files is filed by
    it, in sections that are set to learn.
    *vocabulary* takes the place of the shipped one.
    """

    def __init__(
        self,
        sections: Sequence[Section],
        model: Model | None = None,
        *,
        drops: Collection[Drop] = (),
        vocabulary: Vocabulary | None = None,
    ) -> None:
        self._sections = {section.path: section for section in sections}
        self._compiled = cache(lambda: _compile(sections, drops, vocabulary))
        self.learning = {section.path: section.learned_precision for section in sections if section.learned_precision}
        """The sections that are set to learn, with the precision that each asks for."""
        self._teach(model)

    def with_model(self, model: Model | None) -> FilingRules:
        """The same rules, which ask *model*; None: no model at all. Nothing is compiled again."""
        if model is self._model:
            return self
        other = copy(self)
        other._teach(model)
        return other

    def _teach(self, model: Model | None) -> None:
        self._model = model
        known = ((path, model.threshold(path, precision)) for path, precision in self.learning.items()) if model else ()
        self._thresholds = {path: threshold for path, threshold in known if threshold is not None}

    def place(self, entry: Entry, source: Source) -> tuple[Placement, ...]:
        """The sections of *entry*, those above that include their children, and the whole desk; else `unfiled` and the
        whole desk, which holds all that is public. What is to be dropped gets one placement, which says so. What is in
        private sections alone comes no higher than these.

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
        true = compiled.atoms.true_of(entry, source) if compiled.asks else set()
        if (never := compiled.dropped(true, source)) is not None:
            return (never,), true
        found = self._set_by(source)
        compiled.by_rules(true, found)
        for placement in compiled.names.place(entry, alone=not found):
            if not any(f"{path}/".startswith(f"{placement.section}/") for path in found):
                found[placement.section] = placement
        if not found and self._thresholds:
            found = self._learned(entry)
        found = self._exclusive(found)
        if not found:
            reason = compiled.names.unknown(entry) or "no rule holds"
            return (Placement(section=UNFILED, by="none", reason=reason), WHOLE_DESK), true
        return tuple(self._with_parents(found).values()), true

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
            placements, met = self.weigh(entry, source)
            placed += placements
            true |= met
        if self._model is None and all(one.by == "none" or one is WHOLE_DESK for one in placed):
            kept = {one.section: one for one in before if one.by == "learned" and one.section in self.learning}
            placed = [*self._with_parents(kept).values()] if kept else placed
        return placed, true

    def explain(self, entry: Entry, source: Source) -> Explanation:
        """All that `place` weighs: rules that hold or nearly do, the publisher's words, the classifier's guesses."""
        compiled = self._compiled()
        true = compiled.atoms.true_of(entry, source)
        states = [(path, rule.state(true)) for path, rule in compiled.rules]
        near = [(path, state) for path, state in states if state.holds or state.reason]
        return Explanation(
            placements=self.place(entry, source),
            rules=tuple(sorted(near, key=lambda rule: not rule[1].holds)),
            unmapped=tuple(f"{signal.kind} {signal.value!r}" for signal in self.unmapped(entry)),
            guesses=self._guesses(self._model, entry) if self._model is not None else (),
        )

    def _guesses(self, model: Model, entry: Entry) -> tuple[Guess, ...]:
        guesses = []
        for path, probability in model.guess(entry.title, entry.text, _authors(entry))[:_GUESSES]:
            threshold, wanted = self._thresholds.get(path), self.learning.get(path)
            guesses.append(
                Guess(
                    section=path,
                    probability=probability,
                    threshold=threshold,
                    wanted=wanted,
                    floor=wanted is not None and threshold == model.floor(wanted),
                    words=model.telling(path, entry.title, entry.text),
                )
            )
        return tuple(guesses)

    def unmapped(self, entry: Entry) -> tuple[Signal, ...]:
        """The publisher's words of *entry* that mean no section, for `wiredesk sections --unmapped`."""
        return tuple(self._compiled().names.unmapped(entry))

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
        return {alone: found[alone]} if alone is not None else {path: found[path] for path in best}

    def _with_parents(self, found: dict[str, Placement]) -> dict[str, Placement]:
        placed = dict(found)
        for path in found:
            above = path
            while "/" in above:
                above = above.rpartition("/")[0]
                parent = self._sections.get(above)
                shut = self._sections[path].private and (parent is None or not parent.private)
                if parent is not None and parent.include_children and above not in placed and not shut:
                    placed[above] = Placement(section=above, by="child", reason=f"it holds what {path} holds")
        if not all(self._sections[path].private for path in found):
            placed[""] = WHOLE_DESK
        return placed


def _compile(sections: Sequence[Section], drops: Collection[Drop], vocabulary: Vocabulary | None) -> Compiled:
    # Here, for most polls bring nothing to file, and what compiles rules is large.
    from feeds.filing.rules import Compiled

    return Compiled(sections, drops, vocabulary)


def _authors(entry: Entry) -> tuple[str, ...]:
    return tuple(person.name for person in entry.authors)
