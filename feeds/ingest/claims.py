"""Sources taken to be polled, whoever asks: what is due, or what is named. I/O: the store.

A claim whose commit was not heard of may stand all the same. It is given back with the next one, or at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from uuid import uuid4

from feeds.store import Store, WriteTx
from feeds.store.values import Claim

LEASE_S = 600.0
"""How long a claim holds; one whose poll takes longer is held on to."""


class Claims:
    """Takes sources by *clock*; for one thread. All of it raises StoreError."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock
        self._unheard = ""  # the claim that was asked for and not heard of

    def due(self, limit: int) -> list[Claim]:
        """Take up to *limit* sources that are due, the longest waiting first."""
        with self._take() as (tx, claim_id):
            return tx.sources.claim_due(self._clock(), lease_s=LEASE_S, limit=limit, claim_id=claim_id)

    def named(self, keys: Sequence[str] | None, *, force: bool = False) -> tuple[list[Claim], list[Claim]]:
        """Take the sources with these *keys*, all if None, due or not: those taken, and those left out because they
        asked not to be asked yet (*force* asks all the same). Who is out on a claim is in neither.
        """
        now = self._clock()
        with self._take() as (tx, claim_id):
            claims = tx.sources.claim_named(keys, now, lease_s=LEASE_S, claim_id=claim_id)
            held = [] if force else [claim for claim in claims if (claim.state.retry_after_until or now) > now]
            tx.sources.release(held)
        waiting = {claim.source.id for claim in held}
        return [claim for claim in claims if claim.source.id not in waiting], held

    def give_back(self, claims: Iterable[Claim] = ()) -> None:
        """Give *claims* back undone, and what was taken and not heard of."""
        claims = list(claims)
        if not claims and not self._unheard:
            return
        with self._store.write() as tx:
            tx.sources.release(claims)
            tx.sources.release_claim(self._unheard)
        self._unheard = ""

    @contextmanager
    def _take(self) -> Iterator[tuple[WriteTx, str]]:
        before, self._unheard = self._unheard, self._unheard or uuid4().hex
        with self._store.write() as tx:
            if before:
                tx.sources.release_claim(before)
            yield tx, self._unheard
        self._unheard = ""
