"""What publishers call their sections → concepts, by the table `vocabulary.tsv`. Pure; the table is read at import."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from feeds import files
from feeds import text as folding
from feeds.text import words

GENERIC = "generic"
_JOINS = frozenset("and und et y e en och og ja i the".split())
_NEWS = frozenset("news nachrichten noticias notizie actualites nieuws nyheter".split())


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Name (as `name_key` gives it) → concept, such as ``sport/football``."""

    concepts: Mapping[str, str]

    def concept(self, name: str) -> str | None:
        """The concept that *name* means, None where the table lacks it.

        >>> SHIPPED.concept("Wirtschaft & Finanzen"), SHIPPED.concept("Angling")
        ('economy', None)
        """
        return self.concepts.get(name_key(name))

    def several(self, name: str) -> tuple[str, ...]:
        """The concepts of a section's title, where it may join some: "Health & Science".

        >>> SHIPPED.several("Health & Science")
        ('health', 'science-technology/science')
        """
        whole = self.concept(name)
        if whole is not None:
            return (whole,)
        for sign in ("&", "/", ",", "+"):
            name = name.replace(sign, " and ")
        parts = [part for part in f" {name} ".split(" and ") if part.strip()]
        found = [self.concept(part) for part in parts]
        known = tuple(concept for concept in found if concept is not None and concept != GENERIC)
        return known if len(known) == len(parts) > 1 else ()


@lru_cache(maxsize=65_536)
def name_key(name: str) -> str:
    """A name as the table has it: folded words, without "and", and without "news" beside others.

    >>> name_key("World-News"), name_key("Arts & Culture"), name_key("Arts and culture"), name_key("News")
    ('world', 'arts culture', 'arts culture', 'news')
    """
    told = words(name.replace("_", " "))
    kept = [word for word in told if word not in _JOINS] or told
    return " ".join([word for word in kept if word not in _NEWS] or kept)


def read_vocabulary(text: str) -> Vocabulary:
    """The vocabulary that *text* tells: lines of concept, language and names, parted by tabs; `#` begins a remark.

    Raises ValueError, naming the line, for one that is none, or for a name that means two concepts.
    """
    concepts: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        parts = line.split("\t")
        if len(parts) != 3:
            raise ValueError(f"line {number}: write concept, language and names with tabs between")
        for name in parts[2].split(","):
            key = name_key(name.strip())
            if not key:
                raise ValueError(f"line {number}: an empty name")
            if concepts.setdefault(key, parts[0]) != parts[0]:
                raise ValueError(f"line {number}: {name.strip()!r} means {concepts[key]!r} already")
    return Vocabulary(concepts)


def _shipped() -> Vocabulary:
    place = Path(__file__).with_suffix(".tsv")

    def read() -> dict[str, bytes]:
        return {"concepts": json.dumps(dict(read_vocabulary(place.read_text(encoding="utf-8")).concepts)).encode()}

    parts = files.cached("vocabulary", [__file__, folding.__file__, str(place)], read)
    return Vocabulary(json.loads(bytes(parts["concepts"])))


SHIPPED = _shipped()
"""The table that comes with the desk."""
