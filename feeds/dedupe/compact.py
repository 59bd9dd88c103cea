"""Signatures as the window keeps them: a fifth smaller than stored, with all that comparing asks for. Pure.

Of the hashes of triples the lower 24 bits are kept: enough to tell two hundred apart. What is above them only the
sample needs, for its hashes are compared with a limit. As they are in order it rises slowly, and stands as Elias and
Fano wrote such numbers: in a row of bits, the n-th one that is set at the place n + its number.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from feeds.dedupe import signature
from feeds.dedupe.arrays import Hashes
from feeds.dedupe.signature import Header, Sketch

LOW_BITS = np.uint32(0xFFFFFF)
_HIGH = np.uint32(24)
FEW = 36
"""Of so few the upper bits, which fill a byte each, take less room as they are."""


class Glance(NamedTuple):
    """What tells most signatures apart from one: the title's hash, and the triples, the head's first."""

    title_hash: int
    heads: int
    bodies: int
    grams: bytes | bytearray


def compact(sketched: bytes, header: Header) -> bytes:
    """The signature *sketched*, which begins with *header*, as it is kept; nothing may be put behind it."""
    grams = sketched[header.end :]
    lower = np.frombuffer(grams, np.uint8).reshape(-1, 4)[:, :3].tobytes()
    upper = grams[4 * header.heads + 3 :: 4]
    if header.bodies > FEW:
        bits = 0
        for number, high in enumerate(upper):
            bits |= 1 << (number + high)
        upper = bits.to_bytes((bits.bit_length() + 7) // 8, "little")
    return sketched[: header.end] + lower + upper


def glance(kept: bytes | bytearray) -> Glance:
    header = _header(kept)
    at = header.end
    heads, bodies = header.heads, header.bodies
    return Glance(header.title_hash, heads, bodies, kept[at : at + 3 * (heads + bodies)])


def grams_of(glances: Sequence[Glance]) -> Hashes:
    """The lower bits of the triples of all."""
    return _raised(b"".join([one.grams for one in glances]))


def expand(kept: bytes | bytearray) -> Sketch:
    """The sketch that was kept; of the triples of the head the lower bits alone."""
    header = _header(kept)
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


def _header(kept: bytes | bytearray) -> Header:
    header = signature.header(kept)
    assert header is not None  # no other is kept
    return header


def _raised(lower: bytes | bytearray) -> Hashes:
    wide = np.zeros((len(lower) // 3, 4), np.uint8)
    wide[:, :3] = np.frombuffer(lower, np.uint8).reshape(-1, 3)
    return wide.view("<u4").ravel()
