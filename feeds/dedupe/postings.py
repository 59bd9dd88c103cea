"""Which articles of the window hold a hash: an index of about 4.5 bytes a posting. Pure; held in memory.

A segment holds the postings of a run of documents in the order of their hashes. The upper bits of a hash say where
its postings begin; what is left of it shares 32 bits with the document's number within the run, so that nothing of
either is lost. All segments lie in one array and are looked into at once, for the number of steps is what a lookup
costs. They are merged as they grow; because only neighbours in time are, old articles go by dropping the oldest.
What came last lies beside them as it is, and can be taken back until the next batch begins.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from feeds.dedupe.terms import Hashes, Ints

FLUSH_POSTINGS = 8_192
LARGEST_SEGMENT = 8_000_000
MERGED_TIMES = 4
"""A segment up to so many times as large as what follows is merged with it: a lookup has few to look into."""
PER_HASH = 8
"""So many of the documents that share a hash are kept in one segment: a flood of equal texts costs no more."""
BUCKET_POSTINGS = 8
LEAST_BITS = 10
MERGED_AT_ONCE = 1 << 16
"""Postings in full take four times the room of packed ones: so many of them exist at a time."""

_SHIFT = np.uint64(32)
_LOW = np.uint64(0xFFFFFFFF)
_SPREAD = np.uint32(0x9E3779B1)
"""Odd, so that no two hashes become one. The smallest hashes of texts are indexed: the first buckets would hold all."""

Keys = npt.NDArray[np.uint64]
"""Postings in full, the hash (times _SPREAD) above, the document below."""


class Segment(NamedTuple):
    """Documents *first* to *newest*; the upper *bits* of a hash choose one of as many buckets.

    Its postings begin at *start* in the packed array, its directory of buckets at *directory*.
    """

    first: int
    newest: int
    bits: int
    size: int
    start: int
    directory: int


class Postings:
    """hash → documents, by number; documents must be added in the order of their numbers."""

    def __init__(self, *, per_hash: int = PER_HASH, largest: int = LARGEST_SEGMENT) -> None:
        self._per_hash = per_hash
        self._largest = largest
        self._segments: list[Segment] = []
        self._packed = np.empty(0, np.uint32)  # for each: the hash's lower bits, below them the document less first
        self._starts = np.empty(0, np.uint32)  # where in the packed array each bucket begins, and the last one ends
        self._lay_out()
        self._fresh: list[tuple[Ints, Hashes]] = []  # what is in no segment yet: documents in order, and a hash of each
        self._documents_of: defaultdict[int, list[int]] = defaultdict(list)  # in what is fresh, as far as it is read
        self._read = 0

    def begin(self) -> None:
        """From here on `undo` takes back; what was added before stays, and becomes segments where it fills some."""
        if sum(len(hashes) for _, hashes in self._fresh) < FLUSH_POSTINGS:
            return
        documents, hashes = map(np.concatenate, zip(*self._fresh, strict=True))
        start = 0
        while (left := len(hashes) - start) >= FLUSH_POSTINGS:
            # As long as this whatever came at once: of a hash each segment has so many documents alone.
            last = documents[start + FLUSH_POSTINGS - 1]
            end = int(documents.searchsorted(last, "right"))
            self._flush(int(documents[start]), int(last), documents[start:end], hashes[start:end])
            start = end
        self._keep([(documents[start:], hashes[start:])] if left else [])

    def undo(self, document: int) -> None:
        """Take back what was added of *document* and those behind it since `begin`."""
        self._keep([one for one in self._fresh if one[0][0] < document])

    def add(self, documents: Ints, hashes: Hashes) -> None:
        """Take in documents: the number of each as often as it has hashes, each of which is given once."""
        if len(hashes):
            self._fresh.append((documents, hashes))

    def _keep(self, fresh: list[tuple[Ints, Hashes]]) -> None:
        """Let *fresh* be all that is in no segment."""
        self._fresh = fresh
        self._documents_of.clear()
        self._read = 0

    def _read_fresh(self) -> None:
        """Arrange for `lookup` what was added since the last one."""
        for documents, hashes in self._fresh[self._read :]:
            for document, one in zip(documents.tolist(), hashes.tolist(), strict=True):
                self._documents_of[one].append(document)
        self._read = len(self._fresh)

    def lookup(self, hashes: Hashes) -> tuple[Ints, Ints]:
        """Pairs (position in *hashes*, document), the newest *per_hash* documents of each segment for each hash."""
        at: list[int] = []
        documents: list[int] = []
        self._read_fresh()
        for position, one in enumerate(hashes.tolist()):
            if one in self._documents_of:
                newest = self._documents_of[one][-self._per_hash :]
                documents += newest
                at += [position] * len(newest)
        if not self._segments or not hashes.size:
            return np.array(at, np.int64), np.array(documents, np.int64)
        bits, unused, limit, directory, first = self._layout
        hashes = hashes * _SPREAD
        edges = self._starts.take((hashes >> unused) + directory).astype(np.int64)  # where each bucket begins and ends
        begin, end = edges.reshape(2, -1)
        counts = end - begin
        ends = counts.cumsum()
        values = self._packed.take(np.arange(ends[-1]) + (end - ends).repeat(counts))
        # What has the lower bits of the hash above becomes a mere number of a document.
        values ^= (hashes << bits).ravel().repeat(counts)
        hit = np.flatnonzero(values < limit.repeat(hashes.size).repeat(counts))
        segment, places = np.divmod(ends.searchsorted(hit, "right"), hashes.size)
        packed = first[segment] + values[hit]
        if not at:
            return places, packed
        return np.concatenate((at, places)), np.concatenate((documents, packed))

    def forget(self, before: int) -> None:
        """Drop the segments that hold only documents with smaller numbers than *before*."""
        kept = [segment for segment in self._segments if segment.newest >= before]
        if len(kept) == len(self._segments):
            return
        start, directory = (kept[0].start, kept[0].directory) if kept else (self._packed.size, self._starts.size)
        self._packed[: self._packed.size - start] = self._packed[start:]
        self._packed.resize(self._packed.size - start, refcheck=False)
        self._starts = self._starts[directory:] - np.uint32(start)
        self._segments = [one._replace(start=one.start - start, directory=one.directory - directory) for one in kept]
        self._lay_out()

    def _flush(self, first: int, newest: int, documents: Ints, hashes: Hashes) -> None:
        """Make one segment of documents *first* to *newest*, and the segments before not much larger."""
        fresh = np.sort((hashes * _SPREAD).astype(np.uint64) << _SHIFT | documents.astype(np.uint64))
        size, kept = fresh.size, len(self._segments)
        while kept:
            before = self._segments[kept - 1]
            if before.size > MERGED_TIMES * size or before.size + size > self._largest:
                break
            first, size, kept = before.first, before.size + size, kept - 1
        bits = max((newest - first).bit_length(), (size // BUCKET_POSTINGS).bit_length(), LEAST_BITS)
        merged = self._segments[kept:]
        end = self._packed.size
        start, directory = (merged[0].start, merged[0].directory) if merged else (end, self._starts.size)
        # Written behind what it is made of, then moved there: of the largest arrays here there is never a second one.
        self._packed.resize(end + size, refcheck=False)
        starts = self._merge(merged, fresh, self._packed[end:], first, bits)
        size = int(starts[-1])
        self._packed[start : start + size] = self._packed[end : end + size]
        self._packed.resize(start + size, refcheck=False)
        self._starts.resize(directory + starts.size, refcheck=False)
        self._starts[directory:] = starts + np.uint32(start)
        self._segments[kept:] = [Segment(first, newest, bits, size, start, directory)]
        self._lay_out()

    def _merge(
        self, segments: Sequence[Segment], fresh: Keys, packed: npt.NDArray[np.uint32], first: int, bits: int
    ) -> npt.NDArray[np.uint32]:
        """Fill *packed* with the postings of neighbours as one segment has them; give its directory, from 0 on."""
        cut = (packed.size // MERGED_AT_ONCE).bit_length()
        width = 1 << bits - cut
        edges = np.searchsorted(fresh >> np.uint64(64 - LEAST_BITS), np.arange((1 << cut) + 1) << LEAST_BITS - cut)
        starts, filled = np.zeros((1 << bits) + 1, np.uint32), 0
        for part in range(1 << cut):
            keys = np.concatenate(
                [*(self._unpacked(one, part, cut) for one in segments), fresh[edges[part] : edges[part + 1]]]
            )
            keys.sort(kind="stable")
            hashes = keys >> _SHIFT
            newest = np.ones(keys.size, np.bool_)
            newest[: -self._per_hash] = hashes[self._per_hash :] != hashes[: -self._per_hash]
            keys, hashes = keys[newest], hashes[newest]
            packed[filled : filled + keys.size] = (hashes << np.uint64(bits)) | ((keys & _LOW) - np.uint64(first))
            buckets = (hashes >> np.uint64(32 - bits)).astype(np.int64) - part * width
            starts[part * width + 1 : (part + 1) * width + 1] = np.bincount(buckets, minlength=width).cumsum() + filled
            filled += keys.size
        return starts

    def _unpacked(self, segment: Segment, part: int, cut: int) -> Keys:
        """The postings of *segment* whose hashes have *part* in their upper *cut* bits."""
        width = 1 << segment.bits - cut
        bits = np.uint64(segment.bits)
        at = segment.directory + part * width
        starts = self._starts[at : at + width + 1].astype(np.int64)
        values = self._packed[starts[0] : starts[-1]].astype(np.uint64)
        buckets = np.repeat(np.arange(part * width, (part + 1) * width, dtype=np.uint64), np.diff(starts))
        hashes = (buckets << np.uint64(32 - segment.bits)) | (values >> bits)
        return (hashes << _SHIFT) | ((values & np.uint64((1 << segment.bits) - 1)) + np.uint64(segment.first))

    def _lay_out(self) -> None:
        """The segments as columns, for `lookup`."""
        bits = np.array([one.bits for one in self._segments], np.uint32)
        directory = np.array([one.directory for one in self._segments], np.int64)
        self._layout = (
            bits[:, None],
            np.uint32(32) - bits[:, None],
            np.uint32(1) << bits,
            np.stack((directory, directory + 1))[:, :, None],
            np.array([one.first for one in self._segments], np.int64),
        )
