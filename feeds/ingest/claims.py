"""Sources that this process may poll: taken, held on to while their polls last, and given back. Reads and writes the
store.

The answer to a commit can be lost while the commit stands. So what was asked for last is remembered until it is
confirmed, and undone or left alone, whichever is right, by the next call.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from uuid import uuid4

from feeds.configuration import SourceKind
from feeds.ingest import notices
from feeds.store import Store, WriteTx
from feeds.store.values import Claim, PollResult

LEASE_S = 600.0
"""How long a claim holds; one whose poll takes longer is held on to."""


class Claims:
    """Takes sources of these *kinds* (None: all) by *clock*; for one thread. All of it raises StoreError."""

    def __init__(self, store: Store, clock: Callable[[], datetime], kinds: Sequence[SourceKind] | None = None) -> None:
        self._store = store
        self._clock = clock
        self._kinds = kinds
        self._unconfirmed = ""  # the claim that was asked for, and may have been given
        self._shifts: int | None = None  # how often due times were moved before the move that is not confirmed

    def due(self, limit: int) -> list[Claim]:
        """Take up to *limit* sources that are due, the longest waiting first."""
        with self._take() as (tx, claim_id):
            return tx.sources.claim_due(
                self._clock(), lease_s=LEASE_S, limit=limit, claim_id=claim_id, kinds=self._kinds
            )

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
        """Give *claims* back undone, and what was taken and not confirmed."""
        claims = list(claims)
        if not claims and not self._unconfirmed:
            return
        with self._store.write() as tx:
            tx.sources.release(claims)
            tx.sources.release_claim(self._unconfirmed)
        self._unconfirmed = ""

    def shift(self, by: timedelta) -> None:
        """Move what is due with a clock that was set *by* so much; after a StoreError call it again with the same."""
        if self._shifts is None:
            with self._store.read() as tx:
                self._shifts = tx.schedule.shifts()
        with self._store.write() as tx:
            if tx.schedule.shifts() == self._shifts:
                tx.schedule.shift(by, self._clock())
                notices.write(tx, [notices.clock_was_set(by)], self._clock())
        self._shifts = None

    @contextmanager
    def _take(self) -> Iterator[tuple[WriteTx, str]]:
        before, self._unconfirmed = self._unconfirmed, self._unconfirmed or uuid4().hex
        with self._store.write() as tx:
            if before:
                tx.sources.release_claim(before)
            yield tx, self._unconfirmed
        self._unconfirmed = ""


class InFlight:
    """What has begun and not ended: *claims* of polls, by source, and how many bodies whose polls had ended before."""

    def __init__(self) -> None:
        self.claims: dict[int, Claim] = {}
        self.late_bodies = 0
        self.items: set[int] = set()  # the numbers of bodies in the inbox that are being read here
        self._held_at = time.monotonic()

    def __len__(self) -> int:
        return len(self.claims) + self.late_bodies

    def hold(self, store: Store, now: datetime) -> None:
        """Hold on to claims of polls that take long: else they would be given out again, to this very process."""
        at = time.monotonic()
        if at - self._held_at < LEASE_S / 4:
            return
        with store.write() as tx:
            tx.sources.extend(list(self.claims.values()), now + timedelta(seconds=LEASE_S))
        self._held_at = at

    def begun(self, item_id: int, source_id: int, claim: Claim | None) -> None:
        """A body of the inbox is under way; *claim* is that of the poll that it ends."""
        self.items.add(item_id)
        if claim is not None:
            self.claims[source_id] = claim
        else:
            self.late_bodies += 1

    def ended(self, result: PollResult) -> None:
        """The poll has ended, unless its source was claimed anew meanwhile."""
        claim = self.claims.get(result.source_id)
        if claim is not None and claim.claim_id == result.claim_id:
            del self.claims[result.source_id]
