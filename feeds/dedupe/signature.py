"""The sketch of an article that near copies are found and judged by: a few hundred bytes for any length. Pure.

It holds the words of the title, the figures near the top, every word triple of the first sentences, and of the whole
text the triples with the smallest hashes (a bottom-k sample: the same triples are drawn from two texts that share
them, whatever stands around). Stored with the entry, it spares a restart from reading texts again.

With the terms that stories are found by (`Sketched`) it is all that dedupe reads out of an entry's words.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Collection, Sequence
from functools import lru_cache
from itertools import compress, count
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import xxhash
from msgspec import Struct

from feeds.dates import MONTHS
from feeds.dedupe.terms import Hashes, Ints, Mask, count_terms, distinct, pack, stemmed
from feeds.model import Entry
from feeds.text import UNSPACED, encoded_words

VERSION = 3
READABLE = (1, 2, 3)
"""In 1, of release 0.1.0, nothing tells the words of a title that number it from the others; 1 and 2 have no reach."""
GRAM_WORDS = 3
HEAD_GRAMS = 32
BODY_GRAMS = 64
TITLE_WORDS = 16
FIGURES = 16
FIGURE_WORDS = 160
TELLING_LETTERS = 5
MAX_WORDS = 6000
"""Words beyond are not looked at: a bound on time, at ten times the length of a long report."""

_HEADER = struct.Struct(
    "<BBBBBBHHHI"
)  # version, counts of title, figures, head, body; words of title, of text; grams, reach, title hash
_FORM = np.dtype(
    {
        "names": ["counts", "title_hash"],
        "formats": [("u1", 4), "<u4"],
        "offsets": [1, 12],
        "itemsize": _HEADER.size,
    }
)
"""Of that what `read_together` needs."""
_PART = np.array([2] * HEAD_GRAMS + [3] * BODY_GRAMS + [0])
_PLACE = np.array([*range(HEAD_GRAMS), *range(BODY_GRAMS), 0xFF])
"""Which count tells whether there is anything in a column of `Sketches.hashes`, and what it must be more than."""
_INSIDE_NUMBER = re.compile(r"[-,./:](?<=\d.)(?=\d)")  # 5,500 and 5500 are one number, and so is 6-3/8
_UNSIGNED_32 = 0xFFFFFFFF
_NUMBERS = np.uint16(1)
_ORDINALS = MONTHS.union("ii iii iv vi vii viii ix xi xii xiii xiv xv xvi xvii xviii xix xx".split())

ShortHashes = npt.NDArray[np.uint16]
NAMES_WITHIN = 1_600
"""So many characters are looked through for names: about as many words as tell what an article is about."""
TITLE_CASE = 0.6
"""In a title of which more words have capitals than this, capitals name nobody."""
_CAPITALS = "".join(filter(str.isupper, map(chr, range(0x530))))  # of Latin, Greek, Cyrillic: all that have any in use
_INSIDE = re.compile(rf"[{_CAPITALS}](?<=[\w,;] .)[\w'’]*")
"""A word with a capital behind another one of its sentence: one that begins a sentence has it whatever it is."""


class Sketch(Struct, frozen=True):
    """A signature taken apart. *limit* is the hash up to which *body* holds every triple of the text.

    *title* holds the words of the title, *marked* the same, odd where one numbers it, *figures* the numbers near the
    top, each behind the word that follows it; *title_length* and *word_count* are lengths in words. *reach* is through
    how many words of the text goes what its title speaks of, see `reach`.
    """

    title_hash: int
    title_length: int
    word_count: int
    gram_count: int
    reach: int
    title: ShortHashes
    marked: ShortHashes
    figures: ShortHashes
    head: Hashes
    body: Hashes
    limit: int

    @property
    def numbers(self) -> frozenset[int]:
        """Those of the title's words that number it."""
        return frozenset([each & ~1 for each in self.marked.tolist() if each & 1])


def make(title: str, text: str) -> bytes:
    """The signature of an article; title and text are plain. Texts without words give one all the same."""
    return of_words(encoded_words(title), text_words(text), named(title, text))


def text_words(text: str) -> list[bytes]:
    """The words of a text that are looked at; a number is one word, however its digits are set apart.

    >>> b" ".join(text_words("Shr 6-3/8 cts vs 5,500"))
    b'shr 638 cts vs 5500'
    """
    return encoded_words(_INSIDE_NUMBER.sub("", text[: MAX_WORDS * 12]))[:MAX_WORDS]


def length(found: Sequence[bytes]) -> int:
    """How many words *found* stands for: of the characters of scripts without blanks two make one.

    >>> length([b"tide", b"table"]), length(encoded_words("潮汐表 2030"))
    (2, 3)
    """
    joined = b"".join(found)
    return len(found) if joined.isascii() else len(found) - len(UNSPACED.findall(joined.decode())) // 2


def of_words(title_words: list[bytes], text_words: list[bytes], names: Collection[bytes] = ()) -> bytes:
    """What `make` gives, for who has the words already; *names* are those among them that are names."""
    found = grams(text_words)
    head = distinct(found[:HEAD_GRAMS])
    every = distinct(found)
    body = every[:BODY_GRAMS]
    short_title = np.array(sorted(set(map(_title_hash, title_words[:TITLE_WORDS]))), np.uint16)
    figures = _figures(text_words[:FIGURE_WORDS])
    title_hash = xxhash.xxh3_64_intdigest(b" ".join(title_words)) & _UNSIGNED_32
    header = _HEADER.pack(
        VERSION,
        len(short_title),
        len(figures) // 2,
        len(head),
        len(body),
        min(length(title_words), 0xFF),
        length(text_words),
        len(every),
        reach(title_words, text_words, names),
        title_hash,
    )
    return b"".join((header, short_title.tobytes(), figures.tobytes(), head.tobytes(), body.tobytes()))


def reach(title_words: Sequence[bytes], text_words: Sequence[bytes], names: Collection[bytes]) -> int:
    """Through how many words of a text goes what its title speaks of: from the first to the last telling word of it.

    In an article that is most of the text; in a digest it is nothing, or no more than the part that gave it its
    headline. Telling are names and long words; where a title has none it may speak of all.

    >>> reach([b"harbour", b"to", b"close"], b"the harbour will close in may says the port the harbour".split(), ())
    10
    """
    telling = {word for word in title_words if len(word.decode()) >= TELLING_LETTERS or word in names}
    if not telling:
        return len(text_words)
    telling |= {word + b"s" for word in telling} | {stemmed(word) for word in telling}
    before, behind = (
        next(compress(count(), map(telling.__contains__, found)), len(text_words))
        for found in (text_words, reversed(text_words))
    )
    return max(0, len(text_words) - before - behind)


@lru_cache(8)  # looking for copies, deciding and remembering read the same one in turn
def read(signature: bytes) -> Sketch | None:
    """The signature taken apart; None for an empty one and one of another version."""
    found = header(signature)
    return None if found is None else taken_apart(signature, found)


class Header(NamedTuple):
    """What a signature begins with: counts, lengths in words, the title's hash."""

    version: int
    titles: int
    figures: int
    heads: int
    bodies: int
    title_length: int
    word_count: int
    gram_count: int
    reach: int
    title_hash: int

    @property
    def end(self) -> int:
        """Where the triples begin."""
        return _HEADER.size + 2 * self.titles + 4 * self.figures

    @property
    def behind(self) -> int:
        """Where the sketch ends."""
        return self.end + 4 * (self.heads + self.bodies)


def header(signature: bytes | bytearray) -> Header | None:
    """What *signature* begins with; None for an empty one and one of another version."""
    if len(signature) < _HEADER.size or signature[0] not in READABLE:
        return None
    return Header._make(_HEADER.unpack_from(signature))


def taken_apart(signature: bytes | bytearray, header: Header) -> Sketch:
    """The sketch that *signature* is, which begins with *header*. Raises ValueError where it is cut short."""
    title = np.frombuffer(signature, np.uint16, header.titles, _HEADER.size)
    figures = np.frombuffer(signature, np.uint16, 2 * header.figures, _HEADER.size + 2 * header.titles)
    head = np.frombuffer(signature, np.uint32, header.heads, header.end)
    body = np.frombuffer(signature, np.uint32, header.bodies, header.end + 4 * header.heads)
    return Sketch(
        title_hash=header.title_hash,
        title_length=header.title_length or header.titles,  # release 0.1.0 left it out
        word_count=header.word_count,
        gram_count=header.gram_count,
        reach=header.reach if header.version > 2 else header.word_count,
        title=title & ~_NUMBERS,
        marked=title if header.version != 1 else title & ~_NUMBERS,
        figures=figures,
        head=head,
        body=body,
        limit=_UNSIGNED_32 if header.gram_count <= header.bodies else int(body[-1]),
    )


class Sketches(NamedTuple):
    """Several signatures, a row for each: where the sketch ends (*behind*), how many words of the *titles* are kept.

    *hashes* are the triples of the head, from column HEAD_GRAMS on those of the body, where they are *held*. The last
    column is the title's hash.
    """

    behind: Ints
    titles: Ints
    hashes: Hashes
    held: Mask


def read_together(signatures: Sequence[bytes]) -> Sketches:
    """*signatures*, of which each `tells` something. Raises ValueError where one is cut short."""
    header = np.frombuffer(b"".join([one[: _HEADER.size] for one in signatures]), _FORM)
    counts = header["counts"].astype(np.int64)
    titles, figures, heads, bodies = counts.T
    ends = _HEADER.size + 2 * titles + 4 * figures
    behind = ends + 4 * (heads + bodies)
    held = counts[:, _PART] > _PLACE
    hashes = np.zeros(held.shape, np.uint32)
    places = zip(signatures, ends.tolist(), behind.tolist(), strict=True)
    hashes[held] = np.frombuffer(b"".join([one[start:end] for one, start, end in places]), np.uint32)
    hashes[:, -1] = header["title_hash"]
    return Sketches(behind, titles, hashes, held)


def tells(signature: bytes) -> bool:
    """Whether *signature* is of a version that can be read, and of an article that has words."""
    has_words = signature[1:2] + signature[6:8] != bytes(3)  # in its title, in its text
    return has_words and len(signature) >= _HEADER.size and signature[0] in READABLE


def split(signature: bytes) -> tuple[bytes, bytes]:
    """The sketch, and what was put behind it (the terms that stories are found by)."""
    end = end_of(signature)
    return (signature[:end], signature[end:]) if end else (b"", b"")


def end_of(signature: bytes | bytearray) -> int:
    """Where the sketch ends that *signature* begins with; 0 for an empty one and one of another version."""
    if len(signature) < _HEADER.size or signature[0] not in READABLE:
        return 0
    titles, figures, heads, bodies = signature[1:5]
    return _HEADER.size + 2 * titles + 4 * (figures + heads + bodies)


def containment(one: bytes, other: bytes) -> float | None:
    """The part of the shorter text's word triples that the other has too, estimated; None where one has no text."""
    shared, smaller, _ = _sampled(one, other)
    return shared / smaller if smaller else None


def resemblance(one: bytes, other: bytes) -> float | None:
    """The part of both texts' word triples that stand in both (Jaccard), estimated; None where one has no text."""
    shared, smaller, larger = _sampled(one, other)
    return shared / (smaller + larger - shared) if smaller else None


def _sampled(one: bytes, other: bytes) -> tuple[int, int, int]:
    """How many triples two texts share, and have, below the hash up to which both signatures are complete."""
    first, second = read(one), read(other)
    if first is None or second is None:
        return 0, 0, 0
    limit = min(first.limit, second.limit)
    some, others = first.body[first.body <= limit], second.body[second.body <= limit]
    smaller, larger = sorted((some.size, others.size))
    return np.intersect1d(some, others, assume_unique=True).size, smaller, larger


def grams(found: list[bytes]) -> Hashes:
    """Hashes of the word triples in order; a shorter text counts as one triple, an empty one has none."""
    if not found:
        return np.empty(0, np.uint32)
    if len(found) < GRAM_WORDS:
        found = found + [b""] * (GRAM_WORDS - len(found))
    hashes = np.fromiter(map(xxhash.xxh3_64_intdigest, found), np.uint64, len(found))
    mixed = hashes[:-2] * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(29))) + hashes[1:-1]
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(32))) + hashes[2:]
    mixed *= np.uint64(0x94D049BB133111EB)
    return (mixed >> np.uint64(32)).astype(np.uint32)


def _figures(found: list[bytes]) -> ShortHashes:
    digits = list(map(str.isdigit, b" ".join(found).decode().split()))
    if not any(digits):
        return np.empty(0, np.uint16)
    pairs = compress(zip([*found[1:], b""], found, strict=True), digits)
    distinct = list(dict.fromkeys((_short_hash(after), _short_hash(word)) for after, word in pairs))
    return np.array([part for pair in distinct[:FIGURES] for part in pair], np.uint16)


def title_hash(word: bytes) -> int:
    """What stands in `Sketch.title` for *word*."""
    return _short_hash(word) & ~1


def _title_hash(word: bytes) -> int:
    """The hash of a title's word, odd for one that numbers it."""
    return title_hash(word) | numbers(word.decode())


def numbers(word: str) -> bool:
    """Whether a title's word tells one instalment, release or day from the next: a number, a Roman one, a month.

    >>> [word for word in "week 12 of march part iv rc1 is mixed".split() if numbers(word)]
    ['12', 'march', 'iv', 'rc1']
    """
    return word in _ORDINALS if word.isalpha() else any(map(str.isdigit, word))


def _short_hash(word: bytes) -> int:
    return xxhash.xxh32_intdigest(word) & 0xFFFF


def named(title: str, text: str) -> list[bytes]:
    """The words that have a capital where no sentence begins, and only there: names, and in German every noun.

    >>> sorted(named("Ministers Meet In Oslo", "On Friday the ministers met in Oslo. They said Oslo was late."))
    [b'friday', b'oslo']
    """
    text = text[:NAMES_WITHIN]
    found = set(_INSIDE.findall(text))
    in_title = [word for word in title.split() if word[0].isalpha()]
    if sum(word[0].isupper() for word in in_title) <= TITLE_CASE * len(in_title):
        found.update(_INSIDE.findall(title))
    return encoded_words(" ".join([word for word in found if f" {word.lower()} " not in text])) if found else []


class Sketched(Struct, frozen=True):
    """*signature* is what near copies are found by, *terms* (packed) what stories are."""

    signature: bytes
    terms: bytes


def sketch(entry: Entry) -> Sketched:
    """Read title and text of *entry*, once for all that dedupe asks of them."""
    return sketch_text(entry.title, entry.text)


def sketch_text(title: str, text: str) -> Sketched:
    in_title, in_text, names = encoded_words(title), text_words(text), named(title, text)
    return Sketched(of_words(in_title, in_text, names), pack(count_terms(in_title, in_text, names)))


LOW_BITS = np.uint32(0xFFFFFF)
"""By so much of their hashes triples are compared: enough to tell two hundred apart."""
