"""Many phrases looked for at once: one pass over a text's words, whatever the number of phrases. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from feeds.text import fold, words

_PUNCTUATION = frozenset(".,;:!?'\"()[]{}«»“”‘’„…-–—")
_BREAK = "\n"


@dataclass(frozen=True, slots=True)
class _Phrase:
    number: int
    words: tuple[str, ...]
    spelled: str  # its words between blanks
    literal: str  # folded as written, where words alone would say too little ("C++"); else ""


class Phrases:
    """An index of phrases, each with the number that stands for it. One is found where its folded words stand side by
    side within title or text: never inside a word, and in scripts without blanks never inside a syllable.
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
        told = _told(title, text)
        met: set[int] = set()
        here = self._keys.intersection(told)
        if not here:
            return met
        spelled = folded = ""
        present: set[str] = set()
        for word in here:
            met.update(self._single.get(word, ()))
            for phrase in self._several.get(word, ()):
                if not spelled:
                    spelled = f" {' '.join(told)} "
                    present = set(told)
                if not present.issuperset(phrase.words) or not _stands(phrase, spelled):
                    continue
                if phrase.literal:
                    folded = folded or fold(f"{title}\n{text}")
                    if phrase.literal not in folded:
                        continue
                met.add(phrase.number)
        return met


@lru_cache(maxsize=4)
def _told(title: str, text: str) -> tuple[str, ...]:
    # Several cabinets are asked about one entry where configs are compared.
    return (*words(title), _BREAK, *words(text))


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
