"""Match rules over atoms: asked only where they could hold, and able to say why they do, or what they lack. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from msgspec import Struct

from feeds.configuration import UNFILED, Drop, Match, Section, Source, Term, TermField, terms_of
from feeds.filing.names import Names, breadcrumb_of, categories_of, segments_of, split_breadcrumb, split_path
from feeds.model import DROPPED, DROPPED_AT_SOURCE, Entry, Placement
from feeds.parsed import Origin
from feeds.text import fold, words
from feeds.urls import host_of

_PUNCTUATION = frozenset(".,;:!?'\"()[]{}«»“”‘’„…-–—")
_BREAK = "\n"
_APOSTROPHES = "'’‘ʼ´`＇′"
# What articles and prepositions that lose a vowel are written as. Those of one length stand together: what is looked
# back at has one length.
_ELIDED = (  # French, Catalan, Italian
    "l|d|j|m|n|s|t|c",
    "qu|un|gl",
    "all|com|dov|cos",
    "dall|dell|nell|sull|coll|bell|sant|anch|tutt|mezz|senz",
    "jusqu|quell|quest",
    "lorsqu|puisqu|quoiqu|presqu",
)
_BEHIND_ELIDED = "|".join(rf"(?<=(?<!\w)(?:{some}).)" for some in _ELIDED)
# Both patterns begin with the sign: to try them at every letter takes twenty times as long.
_CLITICS = re.compile(rf"[{_APOSTROPHES}](?:(?<=\w.)(?=s(?!\w))|(?=\w)(?:{_BEHIND_ELIDED}))", re.IGNORECASE)
# The endings that Turkish hangs on names: cases, "of", "from", "who is in".
_TURKISH = re.compile(
    rf"[{_APOSTROPHES}](?<=\w\w.)(?=(?:n?[ıiuü]n|y?[ıiuü]|y?[ae]|n?[dt][ae]n?|[dt][ae]ki\w*|l[ae]r\w*|l[ıiuü]|yl[ae])(?!\w))",
    re.IGNORECASE,
)
_TURKISH_LETTERS = re.compile("[ığşİĞŞ]")


class _Phrase(Struct, frozen=True):
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
        self._single: dict[str, list[int]] = {}
        several: list[_Phrase] = []
        for text, number in phrases:
            found = tuple(words(text))
            literal = _literal(text)
            if len(found) == 1 and not literal and not _syllabic(found[0]):
                self._single.setdefault(found[0], []).append(number)
            elif found:
                several.append(_Phrase(number, found, f" {' '.join(found)} ", literal))
        self._several = _by_rarest(several)
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
        held: set[int] = set()
        for reading in _readings(title, text):
            self._find(reading, title, text, held)
        return held

    def _find(self, reading: tuple[str, ...], title: str, text: str, held: set[int]) -> None:
        """Add to *held* the phrases that stand in the words *reading* of *title* and *text*."""
        spelled = folded = ""
        present: set[str] = set()
        for word in self._keys.intersection(reading):
            held.update(self._single.get(word, ()))
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
                held.add(phrase.number)


def _by_rarest(phrases: Sequence[_Phrase]) -> dict[str, list[_Phrase]]:
    """Each of *phrases* by the word of it that the fewest others have, so that "the" calls up few of them."""
    common = Counter(word for phrase in phrases for word in set(phrase.words))
    found: dict[str, list[_Phrase]] = {}
    for phrase in phrases:
        found.setdefault(min(phrase.words, key=lambda word: (common[word], word)), []).append(phrase)
    return found


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
    apart = _CLITICS.sub(" ", text)
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


SHOWN = 3
"""So many terms are named in a reason why a rule lacks something."""
SET_SIZE = 1024
"""Regular expressions in one automaton; more would make it too large to be kept whole."""


def term_in_words(field: TermField, value: str) -> str:
    """How reasons name one value of a term.

    >>> term_in_words("keywords", "tide"), term_in_words("path", "/world")
    ("keyword 'tide'", "path '/world'")
    """
    return f"{'keyword' if field == 'keywords' else field} {value!r}"


def _name(text: str) -> str:
    return fold(text).strip()


def _subtags(language: str | None) -> Iterator[str]:
    """A language tag and what it is a kind of: for ``de-AT`` both ``de`` and ``de-at``."""
    parts = (language or "").casefold().split("-")
    return ("-".join(parts[:count]) for count in range(1, len(parts) + 1))


def _origin_names(origin: Origin | None) -> Sequence[str]:
    return (_name(origin.name), host_of(origin.url or "").removeprefix("www.")) if origin else ()


def _beginnings(parts: Sequence[str]) -> Iterator[Sequence[str]]:
    return (parts[:count] for count in range(1, len(parts) + 1))


# What an entry has of a field whose terms are found by looking them up; a path is asked for its runs of segments.
_NAMES: dict[TermField, Callable[[Entry, Source], Iterable[Any]]] = {
    "source": lambda entry, source: (_name(source.key), _name(source.name)),
    "category": lambda entry, source: categories_of(entry),
    "author": lambda entry, source: (_name(author.name) for author in entry.authors),
    "language": lambda entry, source: _subtags(entry.language),
    "origin": lambda entry, source: _origin_names(entry.origin),
    "breadcrumb": lambda entry, source: _beginnings(breadcrumb_of(entry)),
}


class Atoms:
    """The terms of *rules* as numbers, so that an entry is asked each question once.

    An atom is one value of one field: the keyword "tide", the category "World". However many rules name it, it has one
    number, from 0; `words[number]` says it in words.
    """

    def __init__(self, rules: Iterable[Match | Term]) -> None:
        self.words: list[str] = []
        self._fields: dict[TermField, dict[Any, int]] = {}
        for term in terms_of(*rules):
            for value in term.values:
                self._number(term.field, value)
        self._looked_up = [(keys, self._fields[field]) for field, keys in _NAMES.items() if field in self._fields]
        self._paths = self._fields.get("path", {})
        self._longest_path = max(map(len, self._paths), default=0)
        self._phrases = Phrases(self._fields.get("keywords", {}).items())
        self._titles = Phrases(self._fields.get("title", {}).items())
        self._regexes = list(_automata(self._fields.get("regex", {})))

    def numbers(self, term: Term) -> dict[int, int]:
        """The atoms of a term, each with its place among the term's values."""
        known = self._fields.get(term.field, {})
        numbers = (known.get(_key(term.field, value)) for value in term.values)
        return {number: place for place, number in enumerate(dict.fromkeys(numbers)) if number is not None}

    def true_of(self, entry: Entry, source: Source) -> set[int]:
        """The atoms that hold of *entry*, which *source* brought: names looked up, words and patterns searched for."""
        true = self._phrases.found(entry.title, entry.text)
        true |= self._titles.found(entry.title)
        for keys, known in self._looked_up:
            true.update(known[key] for key in keys(entry, source) if key in known)
        if self._paths:
            true.update(self._paths[run] for run in self._runs(segments_of(entry)) if run in self._paths)
        if self._regexes:
            true |= self._matched(f"{entry.title}\n{entry.text}" if entry.text else entry.title)
        return true

    def _matched(self, prose: str) -> set[int]:
        """The atoms of the patterns that are found in *prose*."""
        found = ((numbers, automaton.Match(prose) or ()) for automaton, numbers in self._regexes)
        return {numbers[index] for numbers, matches in found for index in matches}

    def _runs(self, segments: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        for at in range(len(segments)):
            for end in range(at + 1, min(at + self._longest_path, len(segments)) + 1):
                yield segments[at:end]

    def _number(self, field: TermField, value: str) -> None:
        key = _key(field, value)
        known = self._fields.setdefault(field, {})
        if key and key not in known:
            known[key] = len(self.words)
            self.words.append(term_in_words(field, value))


def _key(field: TermField, value: str) -> Any:
    """What is compared: equal for values that the same entries have."""
    if field == "breadcrumb":
        return split_breadcrumb(value)
    if field == "path":
        return split_path(value)
    if field == "language":
        return value.strip().casefold().replace("_", "-")
    return value if field in ("regex", "keywords", "title") else _name(value)


def _automata(patterns: dict[str, int]) -> Iterator[tuple[Any, list[int]]]:
    """RE2 automata over all *patterns*, each with the numbers that its matches mean."""
    import re2  # 3 MB that a desk does not hold before it has something to file

    every = list(patterns.items())
    for start in range(0, len(every), SET_SIZE):
        options = re2.Options()
        options.max_mem = 128 << 20  # a set that outgrows this would match nothing, silently
        options.log_errors = False
        automaton = re2.Set.SearchSet(options)
        some = every[start : start + SET_SIZE]
        for pattern, _ in some:
            automaton.Add(pattern)
        automaton.Compile()
        yield automaton, [number for _, number in some]


class _Leaf(Struct, frozen=True):
    """A term: one of its *atoms* must be true. What they lead to says in which order they are named."""

    atoms: dict[int, int]

    def deciding(self, true: set[int]) -> tuple[int, ...] | None:
        held = self.atoms.keys() & true
        return (min(held, key=self.atoms.__getitem__),) if held else None

    def positive(self) -> list[int]:
        return list(self.atoms)

    def triggers(self) -> frozenset[int]:
        return frozenset(self.atoms)

    def lacks(self, true: set[int], words: Sequence[str]) -> str:
        return _none_of(self.atoms, words)


class _Joint(Struct, frozen=True):
    any: tuple[_Node, ...]
    all: tuple[_Node, ...]
    none: tuple[_Node, ...]

    def deciding(self, true: set[int]) -> tuple[int, ...] | None:
        """The atoms that make it hold; None where it does not."""
        found: tuple[int, ...] = ()
        for part in self.all:
            numbers = part.deciding(true)
            if numbers is None:
                return None
            found += numbers
        if self.any:
            first = _first(self.any, true)
            if first is None:
                return None
            found += first
        return found if _first(self.none, true) is None else None

    def positive(self) -> list[int]:
        """The atoms that can make it hold."""
        return [number for part in (*self.all, *self.any) for number in part.positive()]

    def triggers(self) -> frozenset[int] | None:
        choices = [found for part in self.all if (found := part.triggers()) is not None]
        several = [part.triggers() for part in self.any]
        if several and None not in several:
            choices.append(frozenset().union(*filter(None, several)))
        return min(choices, key=len) if choices else None

    def lacks(self, true: set[int], words: Sequence[str]) -> str:
        """What is missing, where it does not hold, or what leaves it out."""
        missing = next((part for part in self.all if part.deciding(true) is None), None)
        if missing is not None:
            return missing.lacks(true, words)
        if self.any and _first(self.any, true) is None:
            return self._lacks_any(true, words)
        against = _first(self.none, true)
        return "" if against is None else f"left out by {_named(against, words)}"

    def _lacks_any(self, true: set[int], words: Sequence[str]) -> str:
        """What the nearest of *any* lacks, of which none holds."""
        nearest = next((part for part in self.any if not true.isdisjoint(part.positive())), None)
        if nearest is not None:
            return nearest.lacks(true, words)
        return _none_of((number for part in self.any for number in part.positive()), words)


_Node = _Leaf | _Joint


def _first(parts: Iterable[_Node], true: set[int]) -> tuple[int, ...] | None:
    """The atoms that make the first of *parts* hold that does."""
    return next((numbers for part in parts if (numbers := part.deciding(true)) is not None), None)


def _named(numbers: Iterable[int], words: Sequence[str]) -> str:
    return " and ".join(dict.fromkeys(words[one] for one in numbers)) or "nothing of `none` holds"


def _none_of(numbers: Iterable[int], words: Sequence[str]) -> str:
    named = [words[number] for number in dict.fromkeys(numbers)]
    more = f" or {len(named) - SHOWN} others" if len(named) > SHOWN else ""
    return f"no {' or '.join(named[:SHOWN])}{more}"


class Rule:
    """One rule, compiled against *atoms*."""

    def __init__(self, match: Match | Term, atoms: Atoms) -> None:
        self._root = _compile(match, atoms)
        self._words = atoms.words
        self.triggers = self._root.triggers()
        """Atoms of which at least one is true wherever the rule holds; None where it may hold without any."""

    def holds(self, true: set[int]) -> str | None:
        """The reason why the rule holds, in words; None where it does not.

        The reason of a joint is that of each *all* and of its first *any*; a rule of nothing but *none* holds where
        none of them does.
        """
        numbers = self._root.deciding(true)
        return None if numbers is None else _named(numbers, self._words)

    def nearly(self, true: set[int]) -> str:
        """What holds of a rule that does not, and what it lacks: the answer to "why not?"; empty where nothing does."""
        held = [self._words[number] for number in self._root.positive() if number in true]
        return f"{' and '.join(held[:SHOWN])}, but {self._root.lacks(true, self._words)}" if held else ""


def _compile(rule: Match | Term, atoms: Atoms) -> _Node:
    if isinstance(rule, Term):
        return _Leaf(atoms.numbers(rule))
    parts = (tuple(_compile(part, atoms) for part in some) for some in (rule.any, rule.all, rule.none))
    return _Joint(*parts)


def _by_trigger(rules: Sequence[Rule]) -> tuple[list[int], Mapping[int, list[int]]]:
    """The places of the *rules* that are always asked, and those that an atom may make hold, by atom."""
    called: defaultdict[int, list[int]] = defaultdict(list)
    for index, rule in enumerate(rules):
        for number in rule.triggers or ():
            called[number].append(index)
    return [index for index, rule in enumerate(rules) if rule.triggers is None], called


class Compiled:
    """The rules and names of *sections*, and the *drops*; *rules* are by path, in the order of the tree."""

    def __init__(self, sections: Sequence[Section], drops: Collection[Drop]) -> None:
        ruled = [(section.path, section.match) for section in sections if section.match is not None]
        self.atoms = Atoms([match for _, match in ruled] + [drop.match for drop in drops])
        self._drops = [(drop, Rule(drop.match, self.atoms)) for drop in drops]
        self.rules = [(path, Rule(match, self.atoms)) for path, match in ruled]
        self.names = Names(sections)
        self._always, self._called = _by_trigger([rule for _, rule in self.rules])

    def true_of(self, entry: Entry, source: Source) -> set[int]:
        """The atoms that hold of *entry*, which *source* brought."""
        return self.atoms.true_of(entry, source) if self.rules or self._drops else set()

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

    def by_rules(self, true: set[int], found: dict[str, Placement]) -> None:
        """Add to *found* the sections whose rules hold where the atoms *true* do."""
        asked = set(self._always)
        for number in true:
            asked.update(self._called.get(number, ()))
        for index in sorted(asked):
            path, rule = self.rules[index]
            if path not in found and (reason := rule.holds(true)) is not None:
                found[path] = Placement(section=path, by="rule", reason=reason)
