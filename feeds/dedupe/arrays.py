"""What several modules do with arrays of numbers, and ids as bytes. Pure."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint32]
_SHIFT = np.uint64(32)

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


def distinct_each(hashes: Hashes, owners: Ints, count: int) -> tuple[Hashes, list[int]]:
    """What `distinct` gives of the *hashes* of each of *count* owners, one behind the other, and how many each has.

    >>> distinct_each(np.array([7, 3, 7, 3], np.uint32), np.array([0, 0, 0, 1]), 2)
    (array([3, 7, 3], dtype=uint32), [2, 1])
    """
    keys = owners.astype(np.uint64) << _SHIFT | hashes
    keys.sort()
    keys = keys[first_of_each(keys)]
    return keys.astype(np.uint32), np.bincount((keys >> _SHIFT).astype(np.int64), minlength=count).tolist()


def urn(uuid: bytes) -> str:
    """
    >>> urn(bytes(range(16)))
    'urn:uuid:00010203-0405-0607-0809-0a0b0c0d0e0f'
    """
    text = uuid.hex()
    return f"urn:uuid:{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
