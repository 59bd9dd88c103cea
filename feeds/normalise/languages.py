"""Languages: tags believed only where they are well formed (BCP 47), and that of a text that no document names.

Part of `normalise`. Pure once table and model are loaded. Little words tell the language of most texts; the model of
py3langid tells the rest.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from feeds.normalise.language_model import LanguageModel

# ---------------------------------------------------------------------------------------------- tags


_TAG = re.compile(r"([a-z]{2,3})(?:-([a-z]{4}))?(?:-([a-z]{2}|\d{3}))?((?:-(?:[a-z\d]{5,8}|\d[a-z\d]{3}))*)$")
_NOTHING = {"und", "zxx", "mul", "mis", "root", "xx", "xxx"}
_NAMES = {
    "english": "en",
    "german": "de", "deutsch": "de", "french": "fr", "français": "fr", "spanish": "es", "español": "es",
    "italian": "it", "italiano": "it", "portuguese": "pt", "português": "pt", "dutch": "nl", "nederlands": "nl",
    "russian": "ru", "русский": "ru", "chinese": "zh", "japanese": "ja", "korean": "ko", "arabic": "ar", "hindi": "hi",
    "turkish": "tr", "türkçe": "tr", "polish": "pl", "polski": "pl", "swedish": "sv", "svenska": "sv", "greek": "el",
    "norwegian": "no", "danish": "da", "finnish": "fi", "czech": "cs", "ukrainian": "uk", "persian": "fa",
    "hebrew": "he",
}  # fmt: skip
_MISTAKEN = {"jp": "ja", "cz": "cs", "gr": "el", "dk": "da", "ua": "uk", "iw": "he", "in": "id", "ji": "yi"}


@lru_cache(maxsize=1024)
def language_tag(text: str | None) -> str | None:
    """Return *text* as a tag in its canonical case (RFC 5646 §2.1.1), None where it is none.

    >>> language_tag("EN_gb"), language_tag("zh-hant-tw"), language_tag("Deutsch"), language_tag("??")
    ('en-GB', 'zh-Hant-TW', 'de', None)
    """
    if not text or len(text) > 60:
        return None
    tag = text.strip().lower().partition(".")[0].partition(",")[0].replace("_", "-")
    tag = _NAMES.get(tag, tag)
    match = _TAG.match(tag)
    if match is None or match[1] in _NOTHING:
        return None
    language = _MISTAKEN.get(match[1], match[1])
    script = f"-{match[2].title()}" if match[2] else ""
    region = f"-{match[3].upper()}" if match[3] else ""
    return language + script + region + (match[4] or "")


# --------------------------------------------------------------------------------------------- texts


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
    beginning = text[:MOST_CHARS]
    words = _ADDRESS.sub("", beginning)  # addresses and names of accounts are in no language
    letters = sum(map(str.isalpha, words))
    # Han, Kana and Hangul say as much in a fifth of the letters.
    dense = 0 if beginning.isascii() else sum(map(_is_dense, beginning))
    if letters < (LEAST_LETTERS_UNSPACED if dense > letters / 2 else LEAST_LETTERS):
        return None
    if (language := language_of(words)) is not None:
        return language
    language, probability = _model().classify(beginning)
    return language if probability >= LEAST_PROBABILITY else None


def _is_dense(character: str) -> bool:
    return "\u3040" <= character <= "\u9fff" or "\uac00" <= character <= "\ud7a3"


@lru_cache(maxsize=1)
def _model() -> LanguageModel:
    from feeds.normalise.language_model import language_model  # with numpy, that few texts need

    return language_model(_LANGUAGES, __file__)


# --------------------------------------------------------------- little words: "the", "und", "de la"


LEAST_OWN = 4
"""Words that the language has and a rival has not."""
MOST_AGAINST = 4
"""A rival may have a word that the language has not for every so many that it is the other way round."""

TOLD = ("de", "en", "es", "fr", "it", "nl", "pl", "pt", "ru", "sv")
"""The languages that are named; the table holds the little words of their rivals too."""

_WORD = re.compile(r"(?<![\w'’])[^\W\d_]+")
"""What stands behind an apostrophe is no word of its own: the s of "it's" is none of Czech."""


def language_of(text: str) -> str | None:
    """The language that the little words of *text* tell plainly, None where they do not.

    >>> language_of("The ferry was late on Monday because of the fog in the sound, said the line.")
    'en'
    >>> language_of("Ferry late") is None
    True
    """
    languages, table = _table()
    found = Counter([table[word] for word in _WORD.findall(text.lower()) if word in table])
    scores = _spoken(found)
    best = max(scores, key=scores.__getitem__, default=-1)
    if scores[best] < LEAST_OWN or languages[best] not in TOLD:
        return None
    shared = _spoken({speakers: count for speakers, count in found.items() if best in speakers})
    for rival in scores.keys() - {best}:
        own, against = scores[best] - shared[rival], scores[rival] - shared[rival]
        if own < LEAST_OWN or against * MOST_AGAINST > own:
            return None
    return languages[best]


def _spoken(found: Mapping[tuple[int, ...], int]) -> Counter[int]:
    """How many of the words *found* each language has, by its number."""
    scores: Counter[int] = Counter()
    for speakers, count in found.items():
        for language in speakers:
            scores[language] += count
    return scores


@lru_cache(maxsize=1)
def _table() -> tuple[list[str], dict[str, tuple[int, ...]]]:
    """The languages, and for each word the numbers of those that it is a little word of."""
    languages: list[str] = []
    spoken: dict[str, tuple[int, ...]] = {}
    lines = Path(__file__).with_suffix(".tsv").read_text(encoding="utf-8")
    for line in lines.splitlines():
        language, tab, words = line.partition("\t")
        if tab:
            for word in words.split():
                spoken[word] = (*spoken.get(word, ()), len(languages))
            languages.append(language)
    return languages, spoken
