"""How common words are in a language at large, before the desk has seen much of it. Pure, but for one library's tables.

The frequencies are those of the library wordfreq; each language's table is read at its first use (a few MB, tenths of
a second). A language that the library does not know has none: there the desk's own counts must do.
"""

from __future__ import annotations

import math
import os
from importlib.util import find_spec

from feeds import text
from feeds.text import UNSPACED, fold

TYPICAL_WORDS = 60
"""Of a text so long the chance is told that it holds a word at all."""


def shares(language: str) -> dict[str, float]:
    """word stem → the part of short texts in *language* (a primary subtag) that hold it. Made anew each time."""
    import wordfreq  # half a second, and parse workers weigh nothing

    if language not in wordfreq.available_languages("small"):
        return {}  # asked for it, the library would give the nearest language that it knows
    table = wordfreq.get_frequency_dict(language, wordlist="small")
    # All words in one go: folding them one by one is most of the work.
    folded = fold("\n".join(table)).replace("'", "")
    spaced = UNSPACED.search(folded) is None
    frequencies: dict[str, float] = {}
    for word, frequency in zip(folded.split("\n"), table.values(), strict=True):
        stem = stemmed(word)
        # Scripts without blanks: the table has words, an article's text is taken apart into characters.
        for part in (stem,) if spaced or not UNSPACED.match(stem) else stem:
            frequencies[part] = frequencies.get(part, 0.0) + frequency
    for kept in (wordfreq.get_frequency_dict, wordfreq.get_frequency_list):
        kept.cache_clear()  # 10 MB a language, which is asked for once
    return {stem: 1.0 - math.exp(-frequency * TYPICAL_WORDS) for stem, frequency in frequencies.items()}


def made_of() -> list[str]:
    """The files on which `shares` depends, for who keeps what it gives."""
    found = find_spec("wordfreq")
    places = list(found.submodule_search_locations or ()) if found is not None else []
    return [__file__, text.__file__, *(os.path.join(place, "data") for place in places)]


def stemmed(word: str) -> str:
    """*word* without a plural s: the one ending that many languages share and that tells stories apart nowhere.

    >>> stemmed("reactors"), stemmed("press")
    ('reactor', 'press')
    """
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
