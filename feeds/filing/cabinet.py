"""The section tree, compiled: where an entry belongs and why. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from feeds.filing.facts import Facts
from feeds.filing.phrases import Phrases
from feeds.filing.rules import holds, keywords_of
from feeds.model import UNFILED, Entry, Placement, Section, Source
from feeds.text import fold


class Cabinet:
    """Files entries by *sections* (parents before children). Compiled once, then asked for each entry."""

    def __init__(self, sections: Sequence[Section]) -> None:
        self._sections = {section.path: section for section in sections}
        self._rules = [(section, section.match) for section in sections if section.match is not None]
        self._phrases = Phrases(keyword for _, match in self._rules for keyword in keywords_of(match))
        self._chains = self._title_chains(sections)

    def place(self, entry: Entry, source: Source) -> tuple[Placement, ...]:
        """The sections of *entry*, those above that include their children, and the whole desk; else `unfiled`.

        In this order: the source's own section, rules, the breadcrumb. A section appears once, with its first reason.
        Where a matched section is exclusive, only the matched sections of the highest priority stay.
        """
        facts = Facts(entry=entry, source=source, phrases=self._phrases)
        found: dict[str, Placement] = {}
        if source.section is not None and source.section in self._sections:
            found[source.section] = Placement(
                section=source.section, by="source", reason=f"the source {source.name!r} is set to it"
            )
        for section, match in self._rules:
            if section.path not in found and (reason := holds(match, facts)) is not None:
                found[section.path] = Placement(section=section.path, by="rule", reason=reason)
        unknown = ""
        if facts.breadcrumb:
            chain = self._deepest(facts.breadcrumb)
            told = " > ".join(entry.breadcrumb)
            if chain is None:
                unknown = f"no section for the breadcrumb {told!r}"
            elif chain not in found and not any(path.startswith(f"{chain}/") for path in found):
                found[chain] = Placement(section=chain, by="breadcrumb", reason=f"breadcrumb {told!r}")
        found = self._exclusive(found)
        if not found:
            return (Placement(section=UNFILED, by="none", reason=unknown or "no rule holds"),)
        return tuple(self._with_parents(found).values())

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

    def _deepest(self, breadcrumb: tuple[str, ...]) -> str | None:
        """The section whose titles (or keys) are the breadcrumb or its longest beginning."""
        for length in range(len(breadcrumb), 0, -1):
            path = self._chains.get(breadcrumb[:length])
            if path is not None:
                return path
        return None

    def _title_chains(self, sections: Sequence[Section]) -> dict[tuple[str, ...], str]:
        chains: dict[tuple[str, ...], str] = {}
        names: dict[str, list[tuple[str, ...]]] = {"": [()]}
        for section in sections:
            key = section.path.rpartition("/")[2]
            above = names.get(section.parent or "", [])
            names[section.path] = [chain + (fold(name),) for chain in above for name in {section.title, key}][:16]
            for chain in names[section.path]:
                chains.setdefault(chain, section.path)
        return chains
