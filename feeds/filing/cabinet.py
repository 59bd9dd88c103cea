"""The section tree, compiled: where an entry belongs and why. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from feeds.filing.atoms import Atoms
from feeds.filing.names import Names
from feeds.filing.rules import Rule
from feeds.filing.vocabulary import SHIPPED, Vocabulary
from feeds.model import UNFILED, Entry, Placement, Section, Source


class Cabinet:
    """Files entries by *sections* (parents before children). Compiled once, then asked for each entry."""

    def __init__(self, sections: Sequence[Section], *, vocabulary: Vocabulary = SHIPPED) -> None:
        self._sections = {section.path: section for section in sections}
        ruled = [(section.path, section.match) for section in sections if section.match is not None]
        self._atoms = Atoms(match for _, match in ruled)
        self._rules = [(path, Rule(match, self._atoms)) for path, match in ruled]
        self._always: list[int] = []
        self._called: dict[int, list[int]] = {}  # atom → the rules that it may make hold
        for index, (_, rule) in enumerate(self._rules):
            if rule.triggers is None:
                self._always.append(index)
            for number in rule.triggers or ():
                self._called.setdefault(number, []).append(index)
        self._names = Names(sections, vocabulary)

    def place(self, entry: Entry, source: Source) -> tuple[Placement, ...]:
        """The sections of *entry*, those above that include their children, and the whole desk; else `unfiled`.

        In this order: the source's own section, rules, the breadcrumb; where none of these says anything, the
        publisher's categories, then the address. A section appears once, with its first reason. Where a matched
        section is exclusive, only the matched sections of the highest priority stay.
        """
        found: dict[str, Placement] = {}
        if source.section is not None and source.section in self._sections:
            found[source.section] = Placement(
                section=source.section, by="source", reason=f"the source {source.name!r} is set to it"
            )
        if self._rules:
            self._by_rules(self._atoms.true_of(entry, source), found)
        named = self._names.place(entry, alone=not found)
        for placement in named:
            if placement.section not in found and not any(path.startswith(f"{placement.section}/") for path in found):
                found[placement.section] = placement
        found = self._exclusive(found)
        if not found:
            return (Placement(section=UNFILED, by="none", reason=self._names.unknown(entry) or "no rule holds"),)
        return tuple(self._with_parents(found).values())

    def _by_rules(self, true: set[int], found: dict[str, Placement]) -> None:
        asked = set(self._always)
        for number in true:
            asked.update(self._called.get(number, ()))
        for index in sorted(asked):
            path, rule = self._rules[index]
            if path not in found and (reason := rule.holds(true)) is not None:
                found[path] = Placement(section=path, by="rule", reason=reason)

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
                if parent is not None and parent.include_children and above not in placed:
                    placed[above] = Placement(section=above, by="child", reason=f"it holds what {path} holds")
        placed[""] = Placement(section="", by="child", reason="the whole desk")
        return placed
