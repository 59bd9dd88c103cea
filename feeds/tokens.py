"""Values in addresses that name a visit and no article: session ids, tickets, cache busters. Known by their form. Pure.

No list of names can hold what every shop calls its session. What such values have in common is that chance made them
(hex, base64, UUIDs, fractions of a random number) or the clock (seconds or milliseconds of this age).
"""

from __future__ import annotations

import re

_UUID = re.compile(r"\{?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\}?", re.IGNORECASE)
_HEX = re.compile(r"[0-9a-f]{16,}", re.IGNORECASE)
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{16,}={0,2}(?:\.[A-Za-z0-9+/_-]{8,}={0,2}){0,2}")
_CLOCK = re.compile(r"1[0-9]{9}(?:[0-9]{3})?(?:\.[0-9]+)?")
_FRACTION = re.compile(r"0\.[0-9]{6,}")
_PASSING = re.compile(
    r"_+|z?x|n?cb?|r|t|ts|v|ver|version|_dc|dc|ord|rnd|rand.*|.*(?:sess|token|ticket|nonce|csrf|cache|bust|stamp|time).*"
    r"|[a-z]?sid|.*(?:visit|visitor|client|device|user|request|req|click|track)_?id",
    re.IGNORECASE,
)
_OWN = re.compile(
    r"(?:.*[_-])?(?:id|ids|guid|uuid|key|uri|url|link|q|query|search|page|p|n|s|hash|code|slug|file|path|doc|no|nr|num)"
    r"|.*(?:article|story|post|news|item|entry|content|doc|node|episode|video|audio|photo|image|event|page|issue).*"
    r"|[a-z]{1,3}id",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]{2,}")
_FRAME = frozenset(
    """
    a an and article articles content default detail details display en full get index item latest main more news of
    online open page post print read show single site stories story text the this today view web whole
    """.split()
)
SLUG_WORDS = 3
"""A last part of a path with so many words of its own names an article."""
LEAST_CHANGES = 0.4
LEAST_CHANGES_HEX = 0.3
"""How often letters, capitals and digits take turns in what chance wrote; words in a row do less."""


def by_chance(value: str) -> bool:
    """Whether *value* looks drawn: a UUID, long hex, base64 or a random fraction.

    >>> [by_chance(value) for value in ("d41d8cd98f00b204e9800998ecf8427e", "mBx7Kq2LrT9vWz4N", "0.7263548891")]
    [True, True, True]
    >>> [by_chance(value) for value in ("harbour-council-votes", "20260301123456789", "deadbeefdeadbeef")]
    [False, False, False]
    """
    if _UUID.fullmatch(value) or _FRACTION.fullmatch(value):
        return True
    if _HEX.fullmatch(value):
        return _changes(value) >= LEAST_CHANGES_HEX and len(set(value.lower())) > 6
    kinds = {_kind(char) for char in value} - {"-"}
    return _BASE64.fullmatch(value) is not None and len(kinds) == 3 and _changes(value) >= LEAST_CHANGES


def by_clock(value: str) -> bool:
    """Whether *value* is a time of this age in seconds or milliseconds since 1970."""
    return _CLOCK.fullmatch(value) is not None


def names_article(path: str) -> bool:
    """Whether the last part of *path* says what the article is about, and is no name of a script for all of them.

    >>> names_article("/2026/harbour-council-votes-again.html"), names_article("/read-full-story.php")
    (True, False)
    """
    words = {word.lower() for word in _WORD.findall(path.rstrip("/").rpartition("/")[2].partition(".")[0])}
    return len(words - _FRAME) >= SLUG_WORDS


def passing(name: str, value: str, *, named: bool, alone: bool) -> bool:
    """Whether a parameter tells of the visit alone. *named*: the path names the article; *alone*: nothing else would.

    A name that says so needs a value that looks so too; one that says nothing needs a path that names the article as
    well, and one that means an article is never taken for a visit's.
    """
    drawn = by_chance(value or name)
    timed = by_clock(value or name)
    if not (drawn or timed):
        return False
    if not value:
        return named
    if _PASSING.fullmatch(name):
        return named or not alone
    return drawn and named and not _OWN.fullmatch(name)


def _changes(value: str) -> float:
    """How often the kind of character changes from one to the next, of how often it might."""
    kinds = [_kind(char) for char in value]
    return sum(one != other for one, other in zip(kinds, kinds[1:], strict=False)) / max(1, len(kinds) - 1)


def _kind(char: str) -> str:
    return "0" if char.isdigit() else "A" if char.isupper() else "a" if char.isalpha() else "-"
