"""Which articles of the window hold a hash: an index of 8 bytes a posting. Pure; held in memory.

Postings are 64 bit numbers, hash above, document below, in sorted arrays that are merged as they grow: a lookup is a
few binary searches, growing never copies more than one array, and because only neighbours in time are merged, old
articles go by dropping the oldest array whole.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

FLUSH_POSTINGS = 8_192
LARGEST_SEGMENT = 8_000_000
MERGED_TIMES = 4
"""An array up to so many times as large as the one that follows is merged with it: a lookup has few to search."""
PER_HASH = 8
"""So many of the documents that share a hash are looked at in one array: a flood of equal texts costs no more."""

_SHIFT = np.uint64(32)
_LOW = np.uint64(0xFFFFFFFF)
_NONE = np.empty(0, np.uint64)


class _Segment(NamedTuple):
    postings: npt.NDArray[np.uint64]
    newest: int


class Postings:
    """hash → documents, by number; documents must be added in the order of their numbers."""

    def __init__(self, *, per_hash: int = PER_HASH, largest: int = LARGEST_SEGMENT) -> None:
        self._per_hash = per_hash
        self._largest = largest
        self._segments: list[_Segment] = []
        self._fresh: defaultdict[int, list[int]] = defaultdict(list)
        self._fresh_count = 0

    def add(self, document: int, hashes: Sequence[int]) -> None:
        for one in hashes:
            self._fresh[one].append(document)
        self._fresh_count += len(hashes)
        if self._fresh_count >= FLUSH_POSTINGS:
            self._flush(document)

    def add_many(self, documents: npt.NDArray[np.int64], hashes: npt.NDArray[np.uint32]) -> None:
        """What `add` does with each of *documents* in turn, given with every hash of it."""
        if not len(documents):
            return
        pairs = (hashes.astype(np.uint64) << _SHIFT) | documents.astype(np.uint64)
        ends = np.flatnonzero(np.append(documents[1:] != documents[:-1], True)) + 1
        at = 0
        while (full := int(np.searchsorted(ends, at + FLUSH_POSTINGS - self._fresh_count))) < len(ends):
            end = int(ends[full])
            self._flush(int(documents[end - 1]), pairs[at:end])
            at = end
        for one, document in zip(hashes[at:].tolist(), documents[at:].tolist(), strict=True):
            self._fresh[one].append(document)
        self._fresh_count += len(hashes) - at

    def lookup(self, hashes: npt.NDArray[np.uint32]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Pairs (position in *hashes*, document), the newest *per_hash* documents of each array for each hash."""
        at: list[int] = []
        documents: list[int] = []
        if self._fresh:
            for position, one in enumerate(hashes.tolist()):
                if one in self._fresh:
                    newest = self._fresh[one][-self._per_hash :]
                    documents += newest
                    at += [position] * len(newest)
        positions = [np.array(at, np.int64)]
        found = [np.array(documents, np.int64)]
        if self._segments:
            wanted = hashes.astype(np.uint64)
            after = (wanted << _SHIFT) | _LOW  # no document has this number: the place behind the last posting
            steps = np.arange(1, self._per_hash + 1)
            for postings, _ in self._segments:
                places = np.searchsorted(postings, after)
                hit = np.flatnonzero((postings[places - 1] >> _SHIFT) == wanted)
                if len(hit):
                    rows = places[hit, None] - steps
                    values = postings[np.maximum(rows, 0)]
                    held = ((values >> _SHIFT) == wanted[hit, None]) & (rows >= 0)
                    positions.append(hit[np.nonzero(held)[0]])
                    found.append((values[held] & _LOW).astype(np.int64))
        return np.concatenate(positions), np.concatenate(found)

    def forget(self, before: int) -> None:
        """Drop the arrays that hold only documents with smaller numbers than *before*."""
        self._segments = [segment for segment in self._segments if segment.newest >= before]

    def _flush(self, newest: int, more: npt.NDArray[np.uint64] = _NONE) -> None:
        pairs = [(one << 32) | document for one, documents in self._fresh.items() for document in documents]
        self._fresh.clear()
        self._fresh_count = 0
        self._segments.append(_Segment(np.sort(np.concatenate((np.array(pairs, np.uint64), more))), newest))
        while len(self._segments) > 1:
            last, before = self._segments[-1].postings, self._segments[-2].postings
            if before.size > MERGED_TIMES * last.size or before.size + last.size > self._largest:
                break
            del self._segments[-2:]
            merged = np.concatenate((before, last))
            del before, last
            merged.sort(kind="stable")
            self._segments.append(_Segment(merged, newest))
