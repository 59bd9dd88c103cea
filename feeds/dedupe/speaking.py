"""Whether a title speaks of a text: what tells a cut copy from the first part of a digest. Pure.

A digest has a headline of its own, "Morning briefing", of which none of its parts says a word; a longer version of an
article has one whose telling words stand in the shorter version too.
"""

from __future__ import annotations

from functools import cached_property

from feeds.dedupe import signature
from feeds.dedupe.background import stemmed
from feeds.dedupe.compact import LOW_BITS
from feeds.dedupe.signature import Sketch
from feeds.dedupe.terms import TermCounts
from feeds.text import words

SPEAKS = 0.12
"""What the title's words that stand in the text must weigh, of what all weigh."""
TELLING = 4.5
"""Words that weigh less stand in any text: they speak of nothing."""
STRANGE = 8.0
"""What a word of the title weighs that the text has not: the common ones every text has."""
LEAST_WORDS = 60
MOST_WORDS = 200


class Speaking:
    """Asked with a sketch and a number of words: does its title speak of the beginning of *text*, so long?"""

    def __init__(self, title: str, text: str, counts: TermCounts, language: str) -> None:
        self._title = title
        self._text = text
        self._counts = counts
        self._language = language

    def __call__(self, sketch: Sketch, word_count: int) -> bool:
        return self.share(sketch, word_count) >= SPEAKS

    def of_one(self, one: Sketch, other: Sketch) -> bool:
        """Whether two titles, one of them of this article, share a telling word."""
        both = set(one.title.tolist()).intersection(other.title.tolist())
        shared = [word for word in words(self._title) if signature.title_hash(word) in both]
        return bool((self._counts.words_tell(shared, self._language) >= TELLING).any())

    def untitled(self, sketch: Sketch) -> bool:
        """Whether the title is the beginning of its own text, which begins as this one: then it is no headline."""
        first = self._words[:LEAST_WORDS]
        title = set(sketch.title.tolist())
        named = [signature.title_hash(word) in title for word in first]
        grams = (signature.grams(first) & LOW_BITS).tolist()
        own = set((sketch.head & LOW_BITS).tolist())
        held = {gram for at, gram in enumerate(grams) if all(named[at : at + signature.GRAM_WORDS])} & own
        return len(title) > signature.GRAM_WORDS and 3 * len(held) >= 2 * (len(title) - signature.GRAM_WORDS + 1)

    def share(self, sketch: Sketch, word_count: int) -> float:
        """The part of the title's weight that stands in the text."""
        within = max(word_count, LEAST_WORDS)
        title = sketch.title.tolist()
        shared = [said[1] for each in title if (said := self._said.get(each)) is not None and said[0] < within]
        weights = self._counts.words_tell(shared, self._language)
        spoken = float(weights[weights >= TELLING].sum())
        return spoken / (spoken + STRANGE * (len(title) - len(shared)) or 1.0)

    @cached_property
    def _said(self) -> dict[int, tuple[int, str]]:
        """By the hashes of its forms where a word stands for the first time, and the word."""
        said: dict[int, tuple[int, str]] = {}
        for at, word in enumerate(self._words):
            for form in (word, f"{word}s", stemmed(word)):
                said.setdefault(signature.title_hash(form), (at, word))
        return said

    @cached_property
    def _words(self) -> list[str]:
        return signature.text_words(self._text)[:MOST_WORDS]
