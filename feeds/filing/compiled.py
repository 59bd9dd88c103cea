"""A section tree made ready for asking: its rules over numbered atoms, the names of its sections. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from feeds.filing.atoms import Atoms
from feeds.filing.names import Names
from feeds.filing.rules import Rule
from feeds.filing.vocabulary import SHIPPED, Vocabulary
from feeds.model import DROPPED, DROPPED_AT_SOURCE, UNFILED, Drop, Placement, Section, Source


class Compiled:
    """The rules and names of *sections*, and the *drops*; *rules* are by path, in the order of the tree."""

    def __init__(
        self, sections: Sequence[Section], drops: Collection[Drop] = (), vocabulary: Vocabulary | None = None
    ) -> None:
        ruled = [(section.path, section.match) for section in sections if section.match is not None]
        self.atoms = Atoms([match for _, match in ruled] + [drop.match for drop in drops])
        self._drops = [(drop, Rule(drop.match, self.atoms)) for drop in drops]
        self.rules = [(path, Rule(match, self.atoms)) for path, match in ruled]
        self.names = Names(sections, vocabulary or SHIPPED)
        self._always: list[int] = []
        self._called: dict[int, list[int]] = {}  # atom → the rules that it may make hold
        for index, (_, rule) in enumerate(self.rules):
            if rule.triggers is None:
                self._always.append(index)
            for number in rule.triggers or ():
                self._called.setdefault(number, []).append(index)

    def dropped(self, true: set[int], source: Source) -> Placement | None:
        """Why what *source* brought, of which the atoms *true* hold, is never published; None where it may be."""
        for drop, rule in self._drops:
            if drop.source not in (None, source.key) or (reason := rule.holds(true)) is None:
                continue
            if drop.source is None:
                return Placement(section=UNFILED, by=DROPPED, reason=f"dropped by {reason} (`drop:` of sections.yaml)")
            words = f"dropped by {reason} (`drop:` of the source {source.name!r})"
            return Placement(section=UNFILED, by=DROPPED_AT_SOURCE, reason=words)
        return None

    @property
    def asks(self) -> bool:
        """Whether there is any rule to ask at all."""
        return bool(self.rules or self._drops)

    def by_rules(self, true: set[int], found: dict[str, Placement]) -> None:
        """Add to *found* the sections whose rules hold where the atoms *true* do."""
        asked = set(self._always)
        for number in true:
            asked.update(self._called.get(number, ()))
        for index in sorted(asked):
            path, rule = self.rules[index]
            if path not in found and (reason := rule.holds(true)) is not None:
                found[path] = Placement(section=path, by="rule", reason=reason)
