"""Language tags, believed only where they are well formed (BCP 47). Part of `normalise`. Pure."""

from __future__ import annotations

import re
from functools import lru_cache

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
