"""What several modules do with arrays of numbers, and ids as bytes. Pure."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint32]
Number = TypeVar("Number", bound=np.integer[Any])


def distinct(hashes: npt.NDArray[Number]) -> npt.NDArray[Number]:
    """What `np.unique` gives, in a fifth of its time on arrays as short as these."""
    ordered = np.sort(hashes)
    return ordered[first_of_each(ordered)]


def first_of_each(ordered: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """True where a value stands in *ordered* for the first time.

    >>> first_of_each(np.array([3, 3, 4])).tolist()
    [True, False, True]
    """
    first = np.ones(len(ordered), np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    return first


def urn(uuid: bytes) -> str:
    """
    >>> urn(bytes(range(16)))
    'urn:uuid:00010203-0405-0607-0809-0a0b0c0d0e0f'
    """
    text = uuid.hex()
    return f"urn:uuid:{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
