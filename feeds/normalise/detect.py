"""The language of a text that no document names, found offline. Part of `normalise`. Pure once the model is loaded.

Its little words tell most texts; py3langid tells the rest, and carries its model. That is loaded when a text first
needs it: unpacking it takes half a second and 150 MB, and `kept` spares all later ones that.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from feeds.normalise import little_words
from feeds.normalise.language_model import model

LEAST_LETTERS = 60
LEAST_LETTERS_UNSPACED = 12
LEAST_PROBABILITY = 0.9
MOST_CHARS = 300
"""More adds time, 0.1 ms for each 100, and hardly ever changes the answer."""

_ADDRESS = re.compile(r"(?:https?://|www\.)\S+|[@#]\w+")

# Those that feeds are written in; among hundreds more, neighbours would make each less sure.
_LANGUAGES = (
    "af ar az be bg bn bs ca cs cy da de el en es et eu fa fi fr ga gl gu he hi hr hu hy id is it ja ka kk km kn ko ku "
    "ky lo lt lv mk ml mn mr ms mt my ne nl no pa pl ps pt ro ru si sk sl sq sr sv sw ta te th tl tr uk ur uz vi zh"
).split()


def detected_language(text: str) -> str | None:
    """The language tag of a plain *text*, None where it is too short or not clear.

    >>> detected_language("Ferry late") is None
    True
    """
    told = text[:MOST_CHARS]
    said = _ADDRESS.sub("", told)  # addresses and names of accounts are in no language
    letters = sum(map(str.isalpha, said))
    # Han, Kana and Hangul say as much in a fifth of the letters.
    dense = 0 if told.isascii() else sum("\u3040" <= char <= "\u9fff" or "\uac00" <= char <= "\ud7a3" for char in told)
    if letters < (LEAST_LETTERS_UNSPACED if dense > letters / 2 else LEAST_LETTERS):
        return None
    if (plainly := little_words.language_of(said)) is not None:
        return plainly
    language, probability = _model().classify(told)
    return language if probability >= LEAST_PROBABILITY else None


def warm() -> None:
    """Load the model now: so that the first text is not charged with it."""
    _model()


@lru_cache(maxsize=1)
def _model() -> Any:
    return model(_LANGUAGES, __file__)
