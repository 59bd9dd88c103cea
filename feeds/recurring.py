"""Lines that recur in what one source or one site shows: counted over its last documents, forgotten with them. Pure.

Whoever looks for furniture (`normalise` at the ends of entries, `parse` in article pages) says which lines a document
has; how often a line may stand there and still be its text is theirs to say.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import xxhash

from feeds.text import spelled

DOCUMENTS_KEPT = 24
LINES_KEPT = 96
"""Of one document; with 24 of them at most 19 kB, for entries a tenth of that."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One document: by what it is known, and the hashes of its lines."""

    mark: int
    lines: tuple[int, ...]


@dataclass(frozen=True)
class Recurring:
    """The last documents of a source or a site, the newest last."""

    documents: tuple[Shown, ...] = ()

    @cached_property
    def counts(self) -> Counter[int]:
        """How many documents have each line."""
        return Counter(line for document in self.documents for line in set(document.lines))

    def with_(self, shown: Iterable[Shown]) -> Recurring:
        """Return what is known after *shown* was seen too; a document that comes again is counted once."""
        last = {document.mark: document for document in self.documents}
        for document in shown:
            last.pop(document.mark, None)
            last[document.mark] = Shown(document.mark, document.lines[:LINES_KEPT])
        return Recurring(tuple(last.values())[-DOCUMENTS_KEPT:])

    def blob(self) -> bytes:
        """Return this as bytes, for `of_blob`."""
        words: list[int] = []
        for document in self.documents:
            words += (document.mark, len(document.lines), *document.lines)
        return struct.pack(f"<{len(words)}Q", *words)


def of_blob(blob: bytes) -> Recurring:
    """Return what `Recurring.blob` wrote; nothing where *blob* is damaged, for it is learnt again."""
    if len(blob) % 8:
        return Recurring()
    words = struct.unpack(f"<{len(blob) // 8}Q", blob)
    documents: list[Shown] = []
    at = 0
    while at + 2 <= len(words) and at + 2 + words[at + 1] <= len(words):
        documents.append(Shown(words[at], words[at + 2 : at + 2 + words[at + 1]]))
        at += 2 + words[at + 1]
    return Recurring(tuple(documents))


def mark_of(*texts: str) -> int:
    """Return by what a document is known: the words of *texts*."""
    return xxhash.xxh3_64_intdigest("\0".join(map(spelled, texts)).encode("utf-8", "surrogatepass"))


def line_hash(line: str, place: str = "") -> int:
    """Return the hash (unsigned 64 bit) of the words of a *line* that stands in *place*."""
    return xxhash.xxh3_64_intdigest(f"{place}\0{spelled(line)}".encode("utf-8", "surrogatepass"))
