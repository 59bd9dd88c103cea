"""Signatures as the window keeps them: a fifth smaller than stored, with all that comparing asks for. Pure.

Of the hashes of triples the lower 24 bits are kept: enough to tell two hundred apart. What is above them only the
sample needs, for its hashes are compared with a limit. As they are in order it rises slowly, and stands as Elias and
Fano wrote such numbers: in a row of bits, the n-th one that is set at the place n + its number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from feeds.dedupe import signature
from feeds.dedupe.arrays import Hashes, Ints, spans, starts_of
from feeds.dedupe.signature import READABLE, Sketch

LOW_BITS = np.uint32(0xFFFFFF)
_HIGH = np.uint32(24)
_HEADER = np.dtype(
    [
        ("version", "u1"),
        ("titles", "u1"),
        ("figures", "u1"),
        ("heads", "u1"),
        ("bodies", "u1"),
        ("title_length", "u1"),
        ("words", "<u2"),
        ("grams", "<u2"),
        ("reach", "<u2"),
        ("title_hash", "<u4"),
    ]
)
FEW = 36
"""Of so few the upper bits, which fill a byte each, take less room as they are."""


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Signatures taken apart, those of *rows*: others are empty or of another version.

    *sketches* and *terms* are the two halves that `signature.split` gives; *grams* holds the head's and then the
    body's triples of each, *starts* where in there each begins; *titles* are how many words of a title there are.
    """

    rows: list[int]
    sketches: list[bytes]
    terms: list[bytes]
    titles: Ints
    title_hashes: Hashes
    words: Ints
    heads: Ints
    bodies: Ints
    grams: Hashes
    starts: Ints


def take_apart(signatures: Sequence[bytes]) -> Columns:
    """What `signature.read` and `split` give of each, as columns. Raises ValueError for one that is cut short."""
    rows = [row for row, one in enumerate(signatures) if len(one) >= _HEADER.itemsize and one[0] in READABLE]
    kept = [signatures[row] for row in rows]
    header = np.frombuffer(b"".join([one[: _HEADER.itemsize] for one in kept]), _HEADER)
    titles, heads, bodies = (header[name].astype(np.int64) for name in ("titles", "heads", "bodies"))
    begins = _HEADER.itemsize + 2 * titles + 4 * header["figures"].astype(np.int64)
    ends = (begins + 4 * (heads + bodies)).tolist()
    counts = heads + bodies
    grams = b"".join([one[begin:end] for one, begin, end in zip(kept, begins.tolist(), ends, strict=True)])
    if len(grams) != 4 * counts.sum():
        raise ValueError("a signature ends before its triples do")
    return Columns(
        rows=rows,
        sketches=[one[:end] for one, end in zip(kept, ends, strict=True)],
        terms=[one[end:] for one, end in zip(kept, ends, strict=True)],
        titles=titles,
        title_hashes=header["title_hash"].astype(np.uint32),
        words=header["words"].astype(np.int64),
        heads=heads,
        bodies=bodies,
        grams=np.frombuffer(grams, np.uint32),
        starts=starts_of(counts),
    )


class Glance(NamedTuple):
    """What tells most signatures apart from one: the title's hash, and the triples, the head's first."""

    title_hash: int
    heads: int
    bodies: int
    grams: bytes | bytearray


def compact(sketched: bytes, sketch: Sketch) -> bytes:
    """*sketched*, which is *sketch*, as it is kept; nothing may be put behind it."""
    grams = np.concatenate((sketch.head, sketch.body))
    high = (sketch.body >> _HIGH).astype(np.int64)
    if len(high) > FEW:
        places = high + np.arange(len(high))
        bits = np.zeros(int(places[-1]) + 1, np.uint8)
        bits[places] = 1
        upper = np.packbits(bits, bitorder="little").tobytes()
    else:
        upper = high.astype(np.uint8).tobytes()
    return sketched[: len(sketched) - 4 * len(grams)] + _lower(grams) + upper


def compact_many(found: Columns, chosen: Sequence[int]) -> list[bytes]:
    """What `compact` makes of those of *found* that are *chosen*."""
    rows = np.array(chosen, np.int64)
    heads, bodies = found.heads[rows], found.bodies[rows]
    lower = _lower(found.grams[spans(found.starts[rows], heads + bodies)])
    high = (found.grams[spans(found.starts[rows] + heads, bodies)] >> _HIGH).astype(np.int64)
    begins = starts_of(bodies)
    number = np.arange(len(high)) - np.repeat(begins, bodies)
    in_bits = bodies > FEW
    sizes = bodies.copy()
    sizes[in_bits] = ((high + number)[(begins + bodies - 1)[in_bits]] >> 3) + 1
    at = starts_of(sizes)
    first, is_bit = np.repeat(at, bodies), np.repeat(in_bits, bodies)
    bits = np.zeros(8 * int(sizes.sum()), np.uint8)
    bits[(8 * first + high + number)[is_bit]] = 1
    upper = np.packbits(bits, bitorder="little")
    upper[(first + number)[~is_bit]] = high[~is_bit]
    written = upper.tobytes()
    lower_at, grams = (3 * starts_of(heads + bodies)).tolist(), (heads + bodies).tolist()
    return [
        (whole := found.sketches[row])[: len(whole) - 4 * count]
        + lower[start : start + 3 * count]
        + written[begin : begin + size]
        for row, count, start, begin, size in zip(chosen, grams, lower_at, at.tolist(), sizes.tolist(), strict=True)
    ]


def glance(kept: bytes | bytearray) -> Glance:
    header = signature.header(kept)
    at = header.end
    heads, bodies = header.heads, header.bodies
    return Glance(header.title_hash, heads, bodies, kept[at : at + 3 * (heads + bodies)])


def grams_of(glances: Sequence[Glance]) -> Hashes:
    """The lower bits of the triples of all."""
    return _raised(b"".join([one.grams for one in glances]))


def expand(kept: bytes | bytearray) -> Sketch:
    """The sketch that was kept; of the triples of the head the lower bits alone."""
    header = signature.header(kept)
    at = header.end
    end = at + 3 * (header.heads + header.bodies)
    grams = _raised(kept[at:end])
    upper = np.frombuffer(kept[end:], np.uint8)
    if header.bodies > FEW:
        places = np.flatnonzero(np.unpackbits(upper, bitorder="little"))
        high = (places - np.arange(len(places))).astype(np.uint32)
    else:
        high = upper.astype(np.uint32)
    return signature.assemble(header, kept, grams[: header.heads], grams[header.heads :] | (high << _HIGH))


def _lower(grams: Hashes) -> bytes:
    return grams.astype("<u4").view(np.uint8).reshape(-1, 4)[:, :3].tobytes()


def _raised(lower: bytes | bytearray) -> Hashes:
    wide = np.zeros((len(lower) // 3, 4), np.uint8)
    wide[:, :3] = np.frombuffer(lower, np.uint8).reshape(-1, 3)
    return wide.view("<u4").ravel()
