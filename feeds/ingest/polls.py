"""Polls from claim to save: sources that this process may poll are taken and given back, and what has ended waits to be
saved together. Holds state; reads and writes the store.

The answer to a commit can be lost while the commit stands. So what was asked for last is remembered until it is
confirmed, and undone or left alone, whichever is right, by the next call. What can't be saved together, by a fault of
ours, is saved one by one: one source's fault costs no other. What a StoreError stops stays, and is saved when the store
answers again.
"""

from __future__ import annotations

import logging
import math
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from uuid import uuid4

from msgspec import Struct, field

from feeds.configuration import SourceKind
from feeds.errors import ParseError, StoreError
from feeds.ingest import notices
from feeds.ingest.batches import Batch, Saved, Saving
from feeds.ingest.bodies import LEASE_S, InFlight, Read
from feeds.ingest.desk import Desk
from feeds.ingest.host_queues import Follows
from feeds.ingest.reading import Reading
from feeds.ingest.verdicts import Late, log_late, log_poll, log_reading
from feeds.redaction import fault_of_ours
from feeds.store import Store, WriteTx
from feeds.store.values import Claim, PollResult
from feeds.urls import masked


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


log = logging.getLogger(__name__)

SAVE_AT_ONCE = 1024
SAVE_WITHIN_S = 0.2
"""Polls that brought nothing are saved in company: so many at once, or as many as there are after so long."""

MOST_SAVED = 64
MOST_ENTRIES_SAVED = 250
"""Bodies and entries saved in one transaction, some tenths of a second of work: what arrives meanwhile is in the inbox,
and so safe from a kill, only after it."""


class Progress(Struct):
    """What the flow got done in one go, in numbers and in the polls that ended."""

    polls: list[PollResult] = field(default_factory=list)
    new: int = 0
    copies: int = 0
    updated: int = 0
    late: list[Late] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.polls or self.new or self.copies or self.updated)

    def add(self, saved: Saved) -> None:
        """Count what a batch saved."""
        self.polls += saved.results
        self.late += saved.late
        self.new += saved.report.new
        self.copies += saved.report.copies
        self.updated += saved.report.updated


class Unsaved:
    """Add to *polls*, *read* and *postponed* (claims that go back undone); `save` takes out what it has saved."""

    def __init__(self, saving: Saving, flight: InFlight, pages: Follows, *, clock: Callable[[], datetime]) -> None:
        self._saving = saving
        self._flight = flight
        self._pages = pages
        self._clock = clock
        self._save_at = math.inf
        self.polls: list[PollResult] = []
        self.read: list[Read] = []
        self.postponed: list[Claim] = []

    def is_due(self, *, fetching: bool) -> bool:
        """Polls that ended without a body are saved many at a time, or as soon as nothing else comes; all else at once:
        a listing that is claimed meanwhile must know which of its pages are done with.
        """
        if self.read or self.postponed or self._pages.followed:
            return True
        if not self.polls:
            return False
        now = time.monotonic()
        self._save_at = min(self._save_at, now + SAVE_WITHIN_S)
        return len(self.polls) >= SAVE_AT_ONCE or now >= self._save_at or not fetching

    def save(self, desk: Desk, progress: Progress) -> None:
        """Save all polls that ended and some of the bodies, and let go of them. Raises StoreError."""
        count = self._how_many()
        try:
            self._save_batch(self.polls, self.read[:count], desk, progress)
            del self.read[:count]
        except StoreError:
            raise
        except Exception:
            log.exception("a fault of ours saving %d bodies: each is saved by itself", count)
            self._save_apart(desk, progress)

    def save_polls(self, desk: Desk) -> None:
        """Save the polls that ended, before the process does; bodies are in the inbox. Raises StoreError."""
        if self.polls:
            self._save_batch(self.polls, [], desk, Progress())

    def _how_many(self) -> int:
        """How many of the bodies that were read go into one transaction: one, however much it holds, or a few."""
        entries = 0
        for count, (_, reading) in enumerate(self.read[:MOST_SAVED]):
            entries += len(reading.entries)
            if count and entries > MOST_ENTRIES_SAVED:
                return count
        return min(len(self.read), MOST_SAVED)

    def _save_apart(self, desk: Desk, progress: Progress) -> None:
        while self.polls:
            self._save_poll(self.polls[0], desk, progress)
            del self.polls[0]
        while self.read:
            self._save_read(self.read[0], desk, progress)
            del self.read[0]

    def _save_poll(self, result: PollResult, desk: Desk, progress: Progress) -> None:
        try:
            self._save_batch([result], [], desk, progress)
        except StoreError:
            raise
        except Exception:
            log.exception("a fault of ours saving how a poll ended: source=%s", result.name)
            if (claim := self._flight.claims.get(result.source_id)) is not None:
                self.postponed.append(claim)

    def _save_read(self, one: Read, desk: Desk, progress: Progress) -> None:
        waiting, _ = one
        try:
            self._save_batch([], [one], desk, progress)
        except StoreError:
            raise
        except Exception as error:
            url = masked(waiting.item.final_url)
            log.exception("a fault of ours saving source=%s url=%s", waiting.source.name, url)
            fault = ParseError(fault_of_ours(error), remedy="please report it with the address")
            unreadable = Reading(error=fault, bug=traceback.format_exc())
            self._save_batch([], [(waiting, unreadable)], desk, progress)

    def _save_batch(self, ended: list[PollResult], read: list[Read], desk: Desk, progress: Progress) -> None:
        """Save one batch and let go of what it held; *ended* is emptied."""
        began = time.monotonic()
        batch = Batch(
            ended=ended,
            read=read,
            flight=self._flight.claims,
            postponed=self.postponed,
            followed=self._pages.followed,
            refused=self._pages.refused,
        )
        saved = self._saving.save(batch, desk, self._clock())
        ended.clear()
        self.postponed, self._save_at = [], math.inf
        self._pages.saved()
        for waiting, reading in read:
            log_reading(waiting, reading)
            self._flight.late_bodies -= waiting.claim is None
            self._flight.items.discard(waiting.item.id)
            if reading.next_page is not None:
                self._pages.turn(waiting.source, reading.next_page, self._clock(), polled=waiting.claim is not None)
        for source_id, urls in saved.pages.items():
            self._pages.want(source_id, urls, self._clock())
        for claim in (*batch.postponed, *saved.handed):
            self._flight.claims.pop(claim.source.id, None)
        for result in saved.results:
            self._flight.ended(result)
            log_poll(result)
        for late in saved.late:
            log_late(late)
        progress.add(saved)
        log.debug("saved bodies=%d ms=%.0f", len(read), (time.monotonic() - began) * 1000)
