"""The names in a title and a text, told by their capitals. Pure."""

from __future__ import annotations

import re

from feeds.text import words

NAMES_WITHIN = 1_600
"""So many characters are looked through for names: about as many words as tell what an article is about."""
TITLE_CASE = 0.6
"""In a title of which more words have capitals than this, capitals name nobody."""

_CAPITALS = "".join(filter(str.isupper, map(chr, range(0x530))))  # of Latin, Greek, Cyrillic: all that have any in use
_INSIDE = re.compile(rf"(?<=[\w,;] )[{_CAPITALS}][\w'’]*")
"""A word with a capital behind another one of its sentence: one that begins a sentence has it whatever it is."""


def named(title: str, text: str) -> list[str]:
    """The words that have a capital where no sentence begins, and only there: names, and in German every noun.

    >>> sorted(named("Ministers Meet In Oslo", "On Friday the ministers met in Oslo. They said Oslo was late."))
    ['friday', 'oslo']
    """
    text = text[:NAMES_WITHIN]
    found = set(_INSIDE.findall(text))
    in_title = [word for word in title.split() if word[0].isalpha()]
    if sum(word[0].isupper() for word in in_title) <= TITLE_CASE * len(in_title):
        found.update(_INSIDE.findall(title))
    return words(" ".join(word for word in found if f" {word.lower()} " not in text)) if found else []
