"""Signatures as the window keeps them: a fifth smaller than stored, with all that comparing asks for. Pure.

Of the hashes of triples the lower 24 bits are kept: enough to tell two hundred apart. What is above them only the
sample needs, for its hashes are compared with a limit. As they are in order it rises slowly, and stands as Elias and
Fano wrote such numbers: in a row of bits, the n-th one that is set at the place n + its number.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from feeds.dedupe import signature
from feeds.dedupe.arrays import Hashes, Ints
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


class Triples:
    """The triples of several signatures, *every* one behind the other, those of each head before those of its body.

    Raises ValueError where a signature is shorter than it says.
    """

    def __init__(self, signatures: Sequence[bytes], headers: Sequence[Header]) -> None:
        both = list(zip(signatures, headers, strict=True))
        self.every: Hashes = np.frombuffer(b"".join([whole[one.end : one.behind] for whole, one in both]), np.uint32)
        self.bodies = np.array([one.bodies for one in headers])
        self.sizes = self.bodies + [one.heads for one in headers]
        ends = self.sizes.cumsum()
        if len(self.every) != ends[-1]:
            raise ValueError("a signature is cut short")
        self.owners: Ints = np.arange(len(headers)).repeat(self.sizes)
        self.places: Ints = np.arange(len(self.every)) - (ends - self.bodies)[self.owners]
        """Of each triple its place in the body, below 0 in a head."""
        self._before = [whole[: one.end] for whole, one in both]

    def compact(self) -> list[bytes]:
        """The signatures as they are kept; nothing may be put behind one."""
        lower = self.every.astype("<u4").view(np.uint8).reshape(-1, 4)[:, :3].tobytes()
        high = (self.every >> _HIGH).astype(np.uint8)
        plain, rows = high.tobytes(), self._rows_of_bits(high)
        found, start = [], 0
        for number, size in enumerate(self.sizes.tolist()):
            bodies, end = int(self.bodies[number]), start + size
            # The last bit set is that of the last triple.
            upper = plain[end - bodies : end] if bodies <= FEW else rows[number][: (plain[end - 1] + bodies + 7) // 8]
            found.append(self._before[number] + lower[3 * start : 3 * end] + upper)
            start = end
        return found

    def _rows_of_bits(self, high: npt.NDArray[np.uint8]) -> list[bytes]:
        """For each body a row in which the bit n + the n-th of *high* is set."""
        width = 256 + int(self.bodies.max())
        bits = np.zeros((len(self.sizes), width), np.uint8)
        body = np.flatnonzero(self.places >= 0)
        bits[self.owners[body], self.places[body] + high[body]] = 1
        return [row.tobytes() for row in np.packbits(bits, axis=1, bitorder="little")]


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
