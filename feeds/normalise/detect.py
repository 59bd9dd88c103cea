"""The language of a text that no document names, found offline. Part of `normalise`. Pure once the model is loaded.

py3langid carries its model; loading it takes some seconds of a worker's first use and about 40 MB, so it is loaded
when a text first needs it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from feeds.text import plain

LEAST_LETTERS = 60
LEAST_LETTERS_UNSPACED = 12
LEAST_PROBABILITY = 0.9
MOST_CHARS = 600
"""More adds time and hardly ever changes the answer."""

# Those that feeds are written in; among hundreds more, neighbours would make each less sure.
_LANGUAGES = (
    "af ar az be bg bn bs ca cs cy da de el en es et eu fa fi fr ga gl gu he hi hr hu hy id is it ja ka kk km kn ko ku "
    "ky lo lt lv mk ml mn mr ms mt my ne nl no pa pl ps pt ro ru si sk sl sq sr sv sw ta te th tl tr uk ur uz vi zh"
).split()


def detected_language(text: str) -> str | None:
    """The language tag of *text*, None where it is too short or not clear; markup is overlooked.

    >>> detected_language("Ferry late") is None
    True
    """
    told = plain(text[: 4 * MOST_CHARS])[:MOST_CHARS]
    letters = sum(char.isalpha() for char in told)
    # Han, Kana and Hangul say as much in a fifth of the letters.
    dense = sum("\u3040" <= char <= "\u9fff" or "\uac00" <= char <= "\ud7a3" for char in told)
    if letters < (LEAST_LETTERS_UNSPACED if dense > letters / 2 else LEAST_LETTERS):
        return None
    language, probability = _model().classify(told)
    return language if probability >= LEAST_PROBABILITY else None


@lru_cache(maxsize=1)
def _model() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    model = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    model.set_languages(sorted(set(_LANGUAGES) & set(model.labels)))
    return model
