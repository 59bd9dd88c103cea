"""The sketch of an article that near copies are found and judged by: a few hundred bytes for any length. Pure.

It holds the words of the title, the numbers near the top, every word triple of the first sentences, and of the whole
text the triples with the smallest hashes (a bottom-k sample: the same triples are drawn from two texts that share
them, whatever stands around). Stored with the entry, it spares a restart from reading texts again.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import xxhash

from feeds.text import words

VERSION = 1
GRAM_WORDS = 3
HEAD_GRAMS = 32
BODY_GRAMS = 64
TITLE_WORDS = 16
NUMBERS = 12
MAX_WORDS = 6000
"""Words beyond are not looked at: a bound on time, at ten times the length of a long report."""

_HEADER = struct.Struct("<BBBBBBHII")  # version, counts of title, numbers, head, body; spare; words, grams, title hash
_THOUSANDS = re.compile(r"(?<=\d)[,.\u00a0\u202f](?=\d{3}(?!\d))")
_UNSIGNED_32 = 0xFFFFFFFF

Hashes = npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Sketch:
    """A signature taken apart. *limit* is the hash up to which *body* holds every triple of the text."""

    title_hash: int
    word_count: int
    gram_count: int
    title: frozenset[int]
    numbers: frozenset[int]
    head: Hashes
    body: Hashes
    limit: int


def make(title: str, text: str) -> bytes:
    """The signature of an article; title and text are plain. Texts without words give one all the same."""
    title_words = words(title)
    text_words = words(_THOUSANDS.sub("", text[: MAX_WORDS * 12]))[:MAX_WORDS]
    grams = _grams(text_words)
    head = np.unique(grams[:HEAD_GRAMS])
    distinct = np.unique(grams)
    body = distinct[:BODY_GRAMS]
    short_title = _short_hashes(title_words[:TITLE_WORDS])
    numbers = _short_hashes([word for word in text_words[:80] if word.isdigit()][:NUMBERS])
    title_hash = xxhash.xxh3_64_intdigest(" ".join(title_words).encode("utf-8", "surrogatepass")) & _UNSIGNED_32
    header = _HEADER.pack(
        VERSION,
        len(short_title),
        len(numbers),
        len(head),
        len(body),
        0,
        min(len(text_words), 0xFFFF),
        len(distinct),
        title_hash,
    )
    return b"".join((header, short_title.tobytes(), numbers.tobytes(), head.tobytes(), body.tobytes()))


def read(signature: bytes) -> Sketch | None:
    """The signature taken apart; None for an empty one and one of another version."""
    if len(signature) < _HEADER.size or signature[0] != VERSION:
        return None
    _, titles, numbers, heads, bodies, _, word_count, gram_count, title_hash = _HEADER.unpack_from(signature)
    at = _HEADER.size
    title = np.frombuffer(signature, np.uint16, titles, at)
    at += 2 * titles
    number = np.frombuffer(signature, np.uint16, numbers, at)
    at += 2 * numbers
    head = np.frombuffer(signature, np.uint32, heads, at)
    at += 4 * heads
    body = np.frombuffer(signature, np.uint32, bodies, at)
    limit = _UNSIGNED_32 if gram_count <= bodies else int(body[-1])
    return Sketch(
        title_hash=title_hash,
        word_count=word_count,
        gram_count=gram_count,
        title=frozenset(title.tolist()),
        numbers=frozenset(number.tolist()),
        head=head,
        body=body,
        limit=limit,
    )


def containment(one: bytes, other: bytes) -> float | None:
    """The part of the shorter text's word triples that the other has too, estimated; None where one has no text."""
    first, second = read(one), read(other)
    if first is None or second is None or not first.gram_count or not second.gram_count:
        return None
    limit = min(first.limit, second.limit)
    some, others = first.body[first.body <= limit], second.body[second.body <= limit]
    shared = np.intersect1d(some, others, assume_unique=True).size
    return float(shared / min(some.size, others.size)) if some.size and others.size else None


def resemblance(one: bytes, other: bytes) -> float | None:
    """The part of both texts' word triples that stand in both (Jaccard), estimated; None where one has no text."""
    first, second = read(one), read(other)
    if first is None or second is None or not first.gram_count or not second.gram_count:
        return None
    limit = min(first.limit, second.limit)
    some, others = first.body[first.body <= limit], second.body[second.body <= limit]
    shared = np.intersect1d(some, others, assume_unique=True).size
    every = some.size + others.size - shared
    return float(shared / every) if every else None


def _grams(found: list[str]) -> Hashes:
    """Hashes of the word triples in order; a shorter text counts as one triple, an empty one has none."""
    if not found:
        return np.empty(0, np.uint32)
    if len(found) < GRAM_WORDS:
        found = found + [""] * (GRAM_WORDS - len(found))
    hashes = np.fromiter(
        (xxhash.xxh3_64_intdigest(word.encode("utf-8", "surrogatepass")) for word in found), np.uint64, len(found)
    )
    mixed = hashes[:-2] * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(29))) + hashes[1:-1]
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(32))) + hashes[2:]
    mixed *= np.uint64(0x94D049BB133111EB)
    return (mixed >> np.uint64(32)).astype(np.uint32)


def _short_hashes(found: list[str]) -> npt.NDArray[np.uint16]:
    distinct = sorted({xxhash.xxh32_intdigest(word.encode("utf-8", "surrogatepass")) & 0xFFFF for word in found})
    return np.array(distinct, np.uint16)
