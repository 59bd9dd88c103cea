"""Many phrases looked for at once: one pass over a text's words, whatever the number of phrases. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from feeds.text import words


class Phrases:
    """An index of phrases; one is found where its folded words stand side by side, so never inside a word."""

    def __init__(self, phrases: Iterable[str]) -> None:
        self._starts: dict[str, list[tuple[tuple[str, ...], str]]] = {}
        for phrase in phrases:
            folded = tuple(words(phrase))
            if folded:
                self._starts.setdefault(folded[0], []).append((folded, phrase))

    def found(self, text_words: Sequence[str]) -> set[str]:
        """The phrases that stand in *text_words*.

        >>> sorted(Phrases(["United Nations", "tea"]).found(words("The united NATIONS met; teams left.")))
        ['United Nations']
        """
        met: set[str] = set()
        for position, word in enumerate(text_words):
            for folded, phrase in self._starts.get(word, ()):
                if len(folded) == 1 or tuple(text_words[position : position + len(folded)]) == folded:
                    met.add(phrase)
        return met
