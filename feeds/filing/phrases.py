"""Many phrases looked for at once: one pass over a text's words, whatever the number of phrases. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

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
    # Kept, for several cabinets are asked about one entry where configs are compared.
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
