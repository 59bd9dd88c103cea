"""Flat arrays in which parts lie one behind the other, and ids as bytes. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

_PREFIX = "urn:uuid:"
_NOBODY = _PREFIX + "00000000-0000-0000-0000-000000000000"
_DASHES = [len(_PREFIX) + at for at in (8, 13, 18, 23)]
_DIGITS = [at for at in range(len(_PREFIX), len(_NOBODY)) if at not in _DASHES]
_NO_DIGIT = 16
_VALUES = np.full(256, _NO_DIGIT, np.uint8)
_VALUES[np.frombuffer(b"0123456789abcdef", np.uint8)] = np.arange(16)

Ints = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint32]
Number = TypeVar("Number", bound=np.integer[Any])


def starts_of(counts: Ints) -> Ints:
    """Where each of parts so long begins, laid one behind the other."""
    return np.cumsum(counts) - counts


def spans(starts: Ints, counts: Ints) -> Ints:
    """The places ``start, start + 1, …`` of each of several spans, one span behind the other.

    >>> spans(np.array([7, 2]), np.array([2, 3])).tolist()
    [7, 8, 2, 3, 4]
    """
    return np.repeat(starts - starts_of(counts), counts) + np.arange(counts.sum())


def distinct(hashes: npt.NDArray[Number]) -> npt.NDArray[Number]:
    """What `np.unique` gives, in a fifth of its time on arrays as short as these."""
    ordered = np.sort(hashes)
    if ordered.size < 2:
        return ordered
    first = np.empty(ordered.size, np.bool_)
    first[0] = True
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    return ordered[first]


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
