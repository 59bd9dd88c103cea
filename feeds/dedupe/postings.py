"""Which articles of the window hold a hash: an index of 8 bytes a posting. Pure; held in memory.

Postings are 64 bit numbers, hash above, document below, in sorted arrays that are merged as they grow: a lookup is a
few binary searches, growing never copies more than one array, and because only neighbours in time are merged, old
articles go by dropping the oldest array whole.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

FLUSH_POSTINGS = 8_192
LARGEST_SEGMENT = 8_000_000
PER_HASH = 8
"""So many of the documents that share a hash are looked at in one array: a flood of equal texts costs no more."""

_SHIFT = np.uint64(32)
_LOW = np.uint64(0xFFFFFFFF)
Segment = npt.NDArray[np.uint64]


class Postings:
    """hash → documents, by number; documents must be added in the order of their numbers."""

    def __init__(self) -> None:
        self._segments: list[Segment] = []
        self._fresh: dict[int, list[int]] = {}
        self._fresh_count = 0

    def add(self, document: int, hashes: Iterable[int]) -> None:
        for one in hashes:
            self._fresh.setdefault(one, []).append(document)
            self._fresh_count += 1
        if self._fresh_count >= FLUSH_POSTINGS:
            self._flush()

    def lookup(self, hashes: npt.NDArray[np.uint32]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Pairs (position in *hashes*, document), the newest PER_HASH documents of each array for each hash."""
        at: list[int] = []
        documents: list[int] = []
        if self._fresh:
            for position, one in enumerate(hashes.tolist()):
                for document in self._fresh.get(one, ())[-PER_HASH:]:
                    at.append(position)
                    documents.append(document)
        positions = [np.array(at, np.int64)]
        found = [np.array(documents, np.int64)]
        if self._segments:
            wanted = hashes.astype(np.uint64)
            after = (wanted << _SHIFT) | _LOW  # no document has this number: the place behind the last posting
            steps = np.arange(1, PER_HASH + 1)
            for segment in self._segments:
                places = np.searchsorted(segment, after)[:, None] - steps
                values = segment[np.maximum(places, 0)]
                hit = ((values >> _SHIFT) == wanted[:, None]) & (places >= 0)
                if hit.any():
                    positions.append(np.nonzero(hit)[0])
                    found.append((values[hit] & _LOW).astype(np.int64))
        return np.concatenate(positions), np.concatenate(found)

    def forget(self, before: int) -> None:
        """Drop the arrays that hold only documents with smaller numbers than *before*."""
        self._segments = [segment for segment in self._segments if int((segment & _LOW).max()) >= before]

    @property
    def size_bytes(self) -> int:
        return sum(segment.nbytes for segment in self._segments) + 120 * self._fresh_count

    def _flush(self) -> None:
        pairs = [(one << 32) | document for one, documents in self._fresh.items() for document in documents]
        self._fresh, self._fresh_count = {}, 0
        self._segments.append(np.sort(np.array(pairs, np.uint64)))
        while len(self._segments) > 1:
            last, before = self._segments[-1], self._segments[-2]
            if before.size > 2 * last.size or before.size + last.size > LARGEST_SEGMENT:
                break
            del self._segments[-2:]
            merged = np.concatenate((before, last))
            merged.sort(kind="stable")
            self._segments.append(merged)
