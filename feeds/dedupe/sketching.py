"""What dedupe reads out of the words of an entry, before it knows anything else. Pure; needs no memory of the desk.

It is the dear half of deciding, and the half that depends on title and text alone: parse workers may do it, and hand
the result over with the entries.
"""

from __future__ import annotations

from dataclasses import dataclass

from feeds.dedupe import signature, terms
from feeds.dedupe.names import named
from feeds.model import Entry
from feeds.text import words


@dataclass(frozen=True, slots=True)
class Sketched:
    """*signature* is what near copies are found by, *terms* (packed) what stories are."""

    signature: bytes
    terms: bytes


def sketch(entry: Entry) -> Sketched:
    """Read title and text of *entry*, once for all that dedupe asks of them."""
    return sketch_text(entry.title, entry.text)


def sketch_text(title: str, text: str) -> Sketched:
    title_words, text_words = words(title), signature.text_words(text)
    names = named(title, text)
    counted = terms.count_terms(title_words, text_words, names)
    return Sketched(signature.of_words(title_words, text_words, names), terms.pack(counted))
