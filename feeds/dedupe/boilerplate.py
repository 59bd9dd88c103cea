"""What one source writes under all of its entries: a channel's description, the form of its release notes. Pure.

Nothing is kept for it. Only where an entry comes near to another, which few do, the triples of the source's other
entries are counted: those of the document in hand, and the newest that are stored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property

import numpy as np
import numpy.typing as npt

from feeds.dedupe import signature
from feeds.dedupe.columns import first_of_each
from feeds.dedupe.compact import LOW_BITS
from feeds.dedupe.near import Weighed
from feeds.dedupe.signature import Hashes, Sketch

RECURS = 2
"""A triple in more entries of a source than this is no sign between them."""
OWN = 0.08
"""Where less than this of a text is its own, the source repeats whole texts: as who gathers others' news does."""


class Boilerplate:
    """Weighs away what recurs in the entries of one source; *others* gives their signatures when they are needed."""

    def __init__(self, others: Callable[[], Iterable[bytes]]) -> None:
        self._others = others

    def taken_from(self, weighed: Weighed, *, same_source: bool) -> Weighed:
        """*weighed* without what recurs; itself where nothing does, or all of what is compared with another source."""
        if not self._recurring.size:
            return weighed
        sketch = weighed.sketch
        body, head = weighed.body * self._own(sketch.body), weighed.head * self._own(sketch.head)
        if not same_source and body.sum() < OWN * weighed.body.sum():
            return weighed
        return Weighed(sketch, body, head)

    def _own(self, grams: Hashes) -> npt.NDArray[np.bool_]:
        low = grams & LOW_BITS
        at = np.minimum(self._recurring.searchsorted(low), len(self._recurring) - 1)
        own: npt.NDArray[np.bool_] = self._recurring[at] != low
        return own

    @cached_property
    def _recurring(self) -> Hashes:
        """The LOW_BITS of triples that recur, in order."""
        others = list(self._others())
        if len(others) <= RECURS:
            return np.empty(0, np.uint32)
        each = [_triples(sketch) for one in others if (sketch := signature.read(one)) is not None]
        every = np.sort(np.concatenate([np.empty(0, np.uint32), *each]))
        starts = np.flatnonzero(first_of_each(every))
        return every[starts[np.diff(starts, append=len(every)) > RECURS]]


def _triples(sketch: Sketch) -> Hashes:
    return signature.distinct(np.concatenate((sketch.body, sketch.head)) & LOW_BITS)
