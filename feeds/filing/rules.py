"""Match rules over atoms: asked only where they could hold, and able to say why they do, or what they lack. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import re2

from feeds.filing.names import (
    SHIPPED,
    Names,
    Vocabulary,
    breadcrumb_of,
    categories_of,
    host_of,
    segments_of,
    split_breadcrumb,
    split_path,
)
from feeds.model import (
    DROPPED,
    DROPPED_AT_SOURCE,
    UNFILED,
    Drop,
    Entry,
    Match,
    Placement,
    Section,
    Source,
    Term,
    TermField,
)
from feeds.text import fold, words

_PUNCTUATION = frozenset(".,;:!?'\"()[]{}«»“”‘’„…-–—")
_BREAK = "\n"
_APOSTROPHES = "'’‘ʼ´`＇′"
_ELIDED = (
    "l d j m n s t c qu lorsqu puisqu jusqu quoiqu presqu "  # French, Catalan
    "un all dall dell nell sull coll quell quest bell sant anch tutt mezz senz gl com dov cos"  # Italian
)
_CLITICS = re.compile(
    rf"(?<!\w)({'|'.join(_ELIDED.split())})[{_APOSTROPHES}](?=\w)|(?<=\w)[{_APOSTROPHES}](s)(?!\w)", re.IGNORECASE
)
# The endings that Turkish hangs on names: cases, "of", "from", "who is in".
_TURKISH = re.compile(
    rf"(?<=\w\w)[{_APOSTROPHES}](?=(?:n?[ıiuü]n|y?[ıiuü]|y?[ae]|n?[dt][ae]n?|[dt][ae]ki\w*|l[ae]r\w*|l[ıiuü]|yl[ae])(?!\w))",
    re.IGNORECASE,
)
_TURKISH_LETTERS = re.compile("[ığşİĞŞ]")


@dataclass(frozen=True, slots=True)
class _Phrase:
    number: int
    words: tuple[str, ...]
    spelled: str  # its words between blanks
    literal: str  # folded as written, where words alone would say too little ("C++"); else ""


class Phrases:
    """An index of phrases, each with the number that stands for it. One is found where its folded words stand side by
    side within title or text: never inside a word, and in scripts without blanks never inside a syllable. What an
    apostrophe hangs on a word (Sweden's, l'École, Ankara'da) is read both as part of it and as a word of its own.
    """

    def __init__(self, phrases: Iterable[tuple[str, int]]) -> None:
        single: dict[str, list[int]] = {}
        several: list[_Phrase] = []
        for text, number in phrases:
            found = tuple(words(text))
            literal = _literal(text)
            if len(found) == 1 and not literal and not _syllabic(found[0]):
                single.setdefault(found[0], []).append(number)
            elif found:
                several.append(_Phrase(number, found, f" {' '.join(found)} ", literal))
        self._single = {word: tuple(numbers) for word, numbers in single.items()}
        # Each longer phrase hangs on the word that the fewest others have, so that "the" calls up few of them.
        common: dict[str, int] = {}
        for phrase in several:
            for word in set(phrase.words):
                common[word] = common.get(word, 0) + 1
        hung: dict[str, list[_Phrase]] = {}
        for phrase in several:
            hung.setdefault(min(phrase.words, key=lambda word: (common[word], word)), []).append(phrase)
        self._several = {word: tuple(held) for word, held in hung.items()}
        self._keys = self._single.keys() | self._several.keys()

    def __bool__(self) -> bool:
        return bool(self._keys)

    def found(self, title: str, text: str = "") -> set[int]:
        """The numbers of the phrases that stand in *title* or in *text*, not across the two.

        >>> phrases = Phrases([("United Nations", 1), ("tea", 2), ("C++", 3)])
        >>> sorted(phrases.found("The united NATIONS met", "Teams left; vitamin C.")), phrases.found("C++ and tea")
        ([1], {2, 3})
        """
        if not self._keys:
            return set()
        met: set[int] = set()
        for reading in _readings(title, text):
            self._find(reading, title, text, met)
        return met

    def _find(self, reading: tuple[str, ...], title: str, text: str, met: set[int]) -> None:
        """Add to *met* the phrases that stand in the words *reading* of *title* and *text*."""
        spelled = folded = ""
        present: set[str] = set()
        for word in self._keys.intersection(reading):
            met.update(self._single.get(word, ()))
            for phrase in self._several.get(word, ()):
                if not spelled:
                    spelled = f" {' '.join(reading)} "
                    present = set(reading)
                if not present.issuperset(phrase.words) or not _stands(phrase, spelled):
                    continue
                if phrase.literal:
                    folded = folded or fold(f"{title}\n{text}")
                    if phrase.literal not in folded:
                        continue
                met.add(phrase.number)


@lru_cache(maxsize=4)
def _readings(title: str, text: str) -> tuple[tuple[str, ...], ...]:
    """The words of *title* and *text*; and once more with what apostrophes hang on them apart, where there is any."""
    # Kept, for several sets of rules are asked about one entry where configs are compared.
    glued = (*words(title), _BREAK, *words(text))
    apart = _apart(title), _apart(text)
    return (glued,) if apart == (title, text) else (glued, (*words(apart[0]), _BREAK, *words(apart[1])))


def _apart(text: str) -> str:
    """*text* with blanks for the apostrophes of possessives, of elided articles, and of Turkish endings.

    >>> _apart("Sweden's mayor doesn’t like l'École"), _apart("Cumhurbaşkanı Ankara'da")
    ('Sweden s mayor doesn’t like l École', 'Cumhurbaşkanı Ankara da')
    """
    if not any(mark in text for mark in _APOSTROPHES):
        return text
    apart = _CLITICS.sub(lambda clitic: f"{clitic[1]} " if clitic[1] else f" {clitic[2]}", text)
    return _TURKISH.sub(" ", apart) if _TURKISH_LETTERS.search(apart) else apart


def _stands(phrase: _Phrase, spelled: str) -> bool:
    """Whether the phrase is in *spelled* where a reader would see it: not cut off before a vowel sign of its script."""
    at = spelled.find(phrase.spelled)
    if not _syllabic(phrase.words[-1]):
        return at >= 0
    while at >= 0:
        after = spelled[at + len(phrase.spelled) : at + len(phrase.spelled) + 1]
        if not after or not unicodedata.category(after).startswith("M"):
            return True
        at = spelled.find(phrase.spelled, at + 1)
    return False


def _syllabic(word: str) -> bool:
    """Whether *word* is a character of a script without blanks whose vowel signs are characters of their own."""
    return len(word) == 1 and (
        "\u0e00" <= word <= "\u0eff" or "\u1000" <= word <= "\u109f" or "\u1780" <= word <= "\u17ff"
    )


def _literal(text: str) -> str:
    """The folded phrase where a sign at its start or end tells it from other words: "C++", ".NET", "#metoo"."""
    folded = fold(text).strip()
    if not folded:
        return ""
    first, last = folded[0], folded[-1]
    starts = not first.isalnum() and (first not in _PUNCTUATION or first == ".") and not _mark(first)
    ends = not last.isalnum() and last not in _PUNCTUATION and not _mark(last)
    return folded if starts or ends else ""


def _mark(char: str) -> bool:
    return unicodedata.category(char).startswith("M")


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


_SHOWN = 3


@dataclass(frozen=True, slots=True)
class _Leaf:
    """A term: one of *numbers* must be true."""

    field: str
    numbers: tuple[int, ...]
    each: frozenset[int]


@dataclass(frozen=True, slots=True)
class _Joint:
    any: tuple[_Leaf | _Joint, ...]
    all: tuple[_Leaf | _Joint, ...]
    none: tuple[_Leaf | _Joint, ...]


_Node = _Leaf | _Joint


@dataclass(frozen=True, slots=True)
class Seen:
    """How a rule stands to an entry: what of it holds, and what it lacks or is left out by; see `Rule.seen`."""

    holds: bool
    reason: str
    lacks: str = ""


class Rule:
    """One rule, compiled against *atoms*."""

    def __init__(self, match: Match | Term, atoms: Atoms) -> None:
        self._root = _compile(match, atoms)
        self._told = atoms.told
        self.triggers = _triggers(self._root)
        """Atoms of which at least one is true wherever the rule holds; None where it may hold without any."""

    def holds(self, true: set[int]) -> str | None:
        """The reason why the rule holds, in words; None where it does not.

        The reason of a joint is that of each *all* and of its first *any*; a rule of nothing but *none* holds where
        none of them does.
        """
        numbers = _decide(self._root, true)
        return None if numbers is None else self._words(numbers)

    def seen(self, true: set[int]) -> Seen:
        """The rule's standing, also where it does not hold: the answer to "why not?"."""
        held = self.holds(true)
        if held is not None:
            return Seen(True, held)
        met = [number for number in _positive(self._root) if number in true]
        return Seen(False, " and ".join(self._told[number] for number in met[:_SHOWN]), self._lack(self._root, true))

    def _words(self, numbers: Iterable[int]) -> str:
        return " and ".join(dict.fromkeys(self._told[number] for number in numbers)) or "nothing of `none` holds"

    def _lack(self, node: _Node, true: set[int]) -> str:
        if isinstance(node, _Leaf):
            return f"no {self._list(node.numbers)}"
        for part in node.all:
            if _decide(part, true) is None:
                return self._lack(part, true)
        if node.any and all(_decide(part, true) is None for part in node.any):
            numbers = [number for part in node.any for number in _positive(part)]
            met = [part for part in node.any if any(number in true for number in _positive(part))]
            return self._lack(met[0], true) if met else f"no {self._list(numbers)}"
        for part in node.none:
            numbers_met = _decide(part, true)
            if numbers_met is not None:
                return f"left out by {self._words(numbers_met)}"
        return ""

    def _list(self, numbers: Iterable[int]) -> str:
        told = [self._told[number] for number in dict.fromkeys(numbers)]
        more = f" or {len(told) - _SHOWN} others" if len(told) > _SHOWN else ""
        return " or ".join(told[:_SHOWN]) + more


def _compile(rule: Match | Term, atoms: Atoms) -> _Node:
    if isinstance(rule, Term):
        numbers = atoms.numbers(rule)
        return _Leaf(rule.field, numbers, frozenset(numbers))

    def parts(joint: Literal["any", "all", "none"]) -> tuple[_Node, ...]:
        return tuple(_compile(part, atoms) for part in getattr(rule, joint))

    return _Joint(parts("any"), parts("all"), parts("none"))


def _decide(node: _Node, true: set[int]) -> tuple[int, ...] | None:
    """The atoms that make *node* hold; None where it does not."""
    if isinstance(node, _Leaf):
        met = node.each & true
        if len(met) > 1:
            return (next(number for number in node.numbers if number in met),)
        return tuple(met) or None
    deciding: tuple[int, ...] = ()
    for part in node.all:
        numbers = _decide(part, true)
        if numbers is None:
            return None
        deciding += numbers
    if node.any:
        for part in node.any:
            numbers = _decide(part, true)
            if numbers is not None:
                deciding += numbers
                break
        else:
            return None
    for part in node.none:
        if _decide(part, true) is not None:
            return None
    return deciding


def _positive(node: _Node) -> list[int]:
    if isinstance(node, _Leaf):
        return list(node.numbers)
    return [number for part in (*node.all, *node.any) for number in _positive(part)]


def _triggers(node: _Node) -> frozenset[int] | None:
    if isinstance(node, _Leaf):
        return node.each
    choices = [found for part in node.all if (found := _triggers(part)) is not None]
    if node.any:
        several = [_triggers(part) for part in node.any]
        if None not in several:
            choices.append(frozenset().union(*(found for found in several if found is not None)))
    return min(choices, key=len) if choices else None


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
