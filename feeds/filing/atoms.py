"""All terms of all rules as numbered atoms, so that an entry is asked each question once. Pure.

An atom is one value of one term field: the keyword "tide", the category "World". However many rules name it, it has
one number, and `Atoms.true_of` finds in one pass all that hold of an entry: by lookup for names, by one search for
all keywords, by one automaton for all regular expressions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import re2

from feeds.filing.facts import breadcrumb_of, categories_of, host_of, segments_of, split_breadcrumb, split_path
from feeds.filing.phrases import Phrases
from feeds.model import Entry, Match, Source, Term, TermField
from feeds.text import fold

WORDS: dict[TermField, str] = {"keywords": "keyword"}
"""How a field is called in a reason, where it is not by its own name."""
SET_SIZE = 1024
"""Regular expressions in one automaton; more would make it too large to be kept whole."""


class Atoms:
    """The atoms of *rules*. Numbers count from 0; `told[number]` says the atom in words."""

    def __init__(self, rules: Iterable[Match | Term]) -> None:
        self.told: list[str] = []
        self._numbers: dict[tuple[TermField, Any], int] = {}
        self._fields: dict[TermField, dict[Any, int]] = {}
        for term in _terms(rules):
            for value in term.values:
                self._number(term.field, value)
        empty: dict[Any, int] = {}
        fields = self._fields
        self._source = fields.get("source", empty)
        self._category = fields.get("category", empty)
        self._author = fields.get("author", empty)
        self._language = fields.get("language", empty)
        self._origin = fields.get("origin", empty)
        self._breadcrumb = fields.get("breadcrumb", empty)
        self._path = fields.get("path", empty)
        self._longest_path = max(map(len, self._path), default=0)
        self._phrases = Phrases(fields.get("keywords", empty).items())
        self._titles = Phrases(fields.get("title", empty).items())
        self._regexes = list(_automata(fields.get("regex", empty)))

    def numbers(self, term: Term) -> tuple[int, ...]:
        """The atoms of a term, in the order of its values."""
        found = (self._numbers.get((term.field, _folded(term.field, value))) for value in term.values)
        return tuple(number for number in found if number is not None)

    def true_of(self, entry: Entry, source: Source) -> set[int]:
        """The atoms that hold of *entry*, which *source* brought."""
        true = self._phrases.found(entry.title, entry.text) if self._phrases else set()
        if self._titles:
            true |= self._titles.found(entry.title)
        if self._source:
            _look(self._source, (fold(source.key).strip(), fold(source.name).strip()), true)
        if self._category and entry.categories:
            _look(self._category, categories_of(entry), true)
        if self._author and entry.authors:
            _look(self._author, (fold(author.name).strip() for author in entry.authors), true)
        if self._language and entry.language:
            subtags = entry.language.casefold().split("-")
            _look(self._language, ("-".join(subtags[:count]) for count in range(1, len(subtags) + 1)), true)
        if self._origin and entry.origin:
            _look(self._origin, (fold(entry.origin.name).strip(), host_of(entry.origin.url)), true)
        if self._breadcrumb and entry.breadcrumb:
            told = breadcrumb_of(entry)
            _look(self._breadcrumb, (told[:count] for count in range(1, len(told) + 1)), true)
        if self._path:
            told = segments_of(entry)
            spans = (
                told[at : at + count]
                for at in range(len(told))
                for count in range(1, min(self._longest_path, len(told) - at) + 1)
            )
            _look(self._path, spans, true)
        if self._regexes:
            prose = f"{entry.title}\n{entry.text}" if entry.text else entry.title
            for automaton, numbers in self._regexes:
                true.update(numbers[index] for index in automaton.Match(prose) or ())
        return true

    def _number(self, field: TermField, value: str) -> None:
        key = _folded(field, value)
        if key and (field, key) not in self._numbers:
            self._numbers[field, key] = len(self.told)
            self._fields.setdefault(field, {})[key] = len(self.told)
            self.told.append(f"{WORDS.get(field, field)} {value!r}")


def _terms(rules: Iterable[Match | Term]) -> Iterator[Term]:
    waiting = list(rules)
    while waiting:
        rule = waiting.pop()
        if isinstance(rule, Term):
            yield rule
        else:
            waiting.extend((*rule.any, *rule.all, *rule.none))


def _folded(field: TermField, value: str) -> Any:
    """What is compared: equal for values that the same entries have."""
    if field == "breadcrumb":
        return split_breadcrumb(value)
    if field == "path":
        return split_path(value)
    if field == "language":
        return value.strip().casefold().replace("_", "-")
    if field in ("regex", "keywords", "title"):
        return value
    return fold(value).strip()


def _look(known: dict[Any, int], asked: Any, true: set[int]) -> None:
    for key in asked:
        number = known.get(key)
        if number is not None:
            true.add(number)


def _automata(patterns: dict[str, int]) -> Iterator[tuple[Any, list[int]]]:
    """RE2 automata over all *patterns*, each with the numbers that its matches mean."""
    told = list(patterns)
    for start in range(0, len(told), SET_SIZE):
        options = re2.Options()
        options.max_mem = 128 << 20  # a set that outgrows this would match nothing, silently
        options.log_errors = False
        automaton = re2.Set.SearchSet(options)
        numbers = []
        for pattern in told[start : start + SET_SIZE]:
            automaton.Add(pattern)
            numbers.append(patterns[pattern])
        automaton.Compile()
        yield automaton, numbers
