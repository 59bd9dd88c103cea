"""Many stored signatures at once, as columns: what a restart reads back, at a tenth of one after another. Pure.

A *row* is a signature's number in what was handed in. Flat arrays hold the values of all rows one behind the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from feeds.dedupe.signature import READABLE, Hashes

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
_PREFIX = "urn:uuid:"
_NOBODY = _PREFIX + "00000000-0000-0000-0000-000000000000"
_DASHES = [len(_PREFIX) + at for at in (8, 13, 18, 23)]
_DIGITS = [at for at in range(len(_PREFIX), len(_NOBODY)) if at not in _DASHES]
_NO_DIGIT = 16
_VALUES = np.full(256, _NO_DIGIT, np.uint8)
_VALUES[np.frombuffer(b"0123456789abcdef", np.uint8)] = np.arange(16)

Ints = npt.NDArray[np.int64]


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


def starts_of(counts: Ints) -> Ints:
    """Where each of parts so long begins, laid one behind the other."""
    return np.cumsum(counts) - counts


def spans(starts: Ints, counts: Ints) -> Ints:
    """The places ``start, start + 1, …`` of each of several spans, one span behind the other.

    >>> spans(np.array([7, 2]), np.array([2, 3])).tolist()
    [7, 8, 2, 3, 4]
    """
    return np.repeat(starts - starts_of(counts), counts) + np.arange(counts.sum())


def first_of_each(ordered: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """True where a value stands in *ordered* for the first time.

    >>> first_of_each(np.array([3, 3, 4])).tolist()
    [True, False, True]
    """
    first = np.ones(len(ordered), np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    return first


def uuid_bytes(uids: Sequence[str]) -> tuple[npt.NDArray[np.uint8], list[int]]:
    """The 16 bytes of each ``urn:uuid:…`` (n × 16), and the numbers of those that are written in another way."""
    text = "".join([uid if len(uid) == len(_NOBODY) else _NOBODY.upper() for uid in uids]).encode("ascii", "replace")
    written = np.frombuffer(text, np.uint8).reshape(len(uids), len(_NOBODY))
    values = _VALUES[written[:, _DIGITS]]
    model = np.frombuffer(_NOBODY.encode(), np.uint8)
    others = [at for at in range(len(_NOBODY)) if at not in _DIGITS]
    odd = (values == _NO_DIGIT).any(axis=1) | (written[:, others] != model[others]).any(axis=1)
    found: npt.NDArray[np.uint8] = (values[:, ::2] << np.uint8(4)) | values[:, 1::2]
    return found, np.flatnonzero(odd).tolist()


def urn(uuid: bytes) -> str:
    """
    >>> urn(bytes(range(16)))
    'urn:uuid:00010203-0405-0607-0809-0a0b0c0d0e0f'
    """
    text = uuid.hex()
    return f"{_PREFIX}{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
