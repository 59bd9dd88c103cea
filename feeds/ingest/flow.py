"""The flow from fetch to filing, for as many sources at once as are handed in. Knows the order of the steps.

`Ingest.run_once` is the order: fetch, keep the body in the inbox, have it read (`reading.py`: parse, normalise), save
(`batches.py`: dedupe, file). A poll ends in one of three ways: at fetch (not modified, a known body, a failure), after
its body was read, or, for a folder, at once. A body is in the inbox before anything else is done with it; the
transaction that saves its entries takes it out and writes its source's row, so a kill at any moment loses nothing and
saves nothing twice.

While the store refuses, what could not be written stays here and is written when it answers again: claims, bodies and
readings alike. A commit that failed may stand all the same, for its answer can be lost too; so what is written again
takes the place of what was written before. Whatever else goes wrong with one source ends that source's poll alone, as a
fault of ours.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace

from feeds.configuration import DOCUMENTS, SourceKind
from feeds.errors import DeskError, FetchError
from feeds.fetch.cadence import RETRY_AFTER_CAP_S
from feeds.fetch.client import Fetcher
from feeds.fetch.rhythm import Ours
from feeds.ingest import verdicts
from feeds.ingest.arrivals import Folders, Pushes, refused
from feeds.ingest.batches import AGAIN_AFTER, Saving
from feeds.ingest.bodies import LEASE_S, InFlight, Intake, Readers, Waiting, unpacked
from feeds.ingest.desk import Desk
from feeds.ingest.host_queues import Follows, HostQueues, Outage
from feeds.ingest.polls import MOST_SAVED, Claims, Progress, Unsaved
from feeds.ingest.verdicts import log_poll
from feeds.parsed import Answer, Request, posting
from feeds.redaction import fault_of_ours
from feeds.store import Store
from feeds.store.values import Claim, InboxItem, PollResult
from feeds.urls import masked

log = logging.getLogger(__name__)

CUT_OFF = (
    "no source can be reached: this machine has no network, or a firewall or DNS is in the way (see `wiredesk doctor`)."
    " What is here goes on being served, and sources are asked again by themselves"
)
PUT_OFF_LOOK_S = 30.0
"""How often bodies are looked for whose time has come to be tried again."""

MOST_READING = 32
"""Bodies that are being read, or were and wait to be saved. The others stay with the fetcher, which then begins no more
transfers: what is in flight is bounded, however many sources are due."""


_ACCEPTS = {"page": "page", "json": "json"}


class Ingest:
    """Holds what is in flight between one call of `run_once` and the next. Not for several threads.

    With *kinds* only sources of these kinds are polled here, and hands poll the others (`engine/hand.py`): the desk
    then takes their readings by `take_readings`. A hand's *saving* is `Handing`.
    """

    def __init__(
        self,
        store: Store,
        fetcher: Fetcher,
        readers: Readers,
        desk: Desk,
        *,
        clock: Callable[[], datetime],
        random: Callable[[], float],
        saving: type[Saving] = Saving,
        kinds: Sequence[SourceKind] | None = None,
    ) -> None:
        self.desk = desk
        self._kinds = kinds
        self._store = store
        self._fetcher = fetcher
        self._readers = readers
        self._clock = clock
        self._random = random
        self._claims = Claims(store, clock, kinds)
        self._flight = InFlight()
        self._queues = HostQueues(fetcher.submit)
        self._pages = Follows(self._queues.put, self._queues.held_until)
        self._outage = Outage()
        self._cut_off = False
        self._folders = Folders()
        self._looked: list[PollResult] = []  # looks into folders that are done and not yet in any Progress
        self._pushes = Pushes()
        self._put_off_at = time.monotonic()
        self._intake = Intake(store, readers, self._flight)
        self._saving = saving(store, self._queues, random=random, follows=kinds is None)
        self._unsaved = Unsaved(self._saving, self._flight, self._pages, clock=clock)

    @property
    def in_flight(self) -> int:
        """Sources, pages and bodies begun and not yet ended."""
        return len(self._flight) + len(self._pages) + len(self._looked) + len(self._intake.arrived)

    # ------------------------------------------------------------------ what is begun

    def resume(self) -> int:
        """Read what a killed process left in the inbox; returns how many bodies. Call once, before all else."""
        count, after = 0, 0
        while True:
            with self._store.read() as tx:
                items = tx.inbox.waiting(200, after_id=after)
                claims = tx.sources.claims_of([item.source_id for item in items])
            self._pushes.read(*items)
            for item in items:
                claim = claims.get(item.source_id)
                if claim is not None and (item.pushed or self._kinds is None or claim.source.kind in self._kinds):
                    self._resume(item, claim)
                    count += 1
            if not items:
                return count
            after = items[-1].id

    def _resume(self, item: InboxItem, claim: Claim) -> None:
        first = not claim.state.first_poll_done
        self._intake.add(item, self.desk.completed(claim.source), _ended_by(item, claim), first=first, state=claim)

    def take_due(self, limit: int) -> int:
        """Start polling up to *limit* sources that are due; how many. Raises StoreError."""
        claims = self._claims.due(limit)
        self.begin(claims)
        return len(claims)

    def take_shard(self, shard: int, limit: int) -> frozenset[int]:
        """Start polling up to *limit* due sources of a *shard*, which nobody else polls now; which sources it is.

        What whoever polled it before has left unread is read. Raises StoreError.
        """
        with self._store.write() as tx:
            tx.sources.free_shard(shard)
            claims = tx.sources.claim_shard(shard, LEASE_S, limit, lacking=self.desk.lacking)
            items = [item for item in tx.inbox.unread_of(shard, limit) if item.id not in self._flight.items]
            left = tx.sources.claims_of([item.source_id for item in items])
        for item in items:
            self._resume(item, left[item.source_id])
        self.begin(claims)
        return frozenset([*(claim.source.id for claim in claims), *left])

    @property
    def crowded(self) -> tuple[str, ...]:
        """What dedupe could not keep in memory as long as config asks for, in words."""
        return self._saving.crowded

    @property
    def busy_sources(self) -> set[int]:
        """Those that are being polled, or of which pages are asked for."""
        return {*self._flight.claims, *self._pages.sources}

    def take_readings(self) -> None:
        """Take what hands have read, in the order in which it came, as much as there is room for. Raises StoreError."""
        room = MOST_SAVED - len(self._unsaved.read)
        if room <= 0:
            return
        with self._store.read() as tx:
            found = tx.inbox.readings(room, without=self._flight.items)
            claims = tx.sources.claims_of([item.source_id for item, _ in found])
        for item, blob in found:
            claim = claims[item.source_id]
            ends = _ended_by(item, claim)
            self._unsaved.read.append(unpacked(item, blob, self.desk.completed(claim.source), ends))
            self._flight.begun(item.id, item.source_id, ends)

    def take_pushed(self) -> None:
        """Read what sources' hubs have pushed since this was last called. Raises StoreError."""
        for item, claim in self._pushes.take(self._store):
            self._intake.add(item, self.desk.completed(claim.source), None, first=False)

    def take_put_off(self) -> None:
        """Read again what could not be read and whose time has come. Raises StoreError."""
        if time.monotonic() < self._put_off_at:
            return
        self._put_off_at = time.monotonic() + PUT_OFF_LOOK_S
        now = self._clock()
        with self._store.read() as tx:
            if not tx.inbox.is_put_off(now):
                return
        with self._store.write() as tx:
            items = tx.inbox.take_put_off(now, until=now + AGAIN_AFTER[0], limit=MOST_READING)
            claims = tx.sources.claims_of([item.source_id for item in items])
        for item in items:
            if (claim := claims.get(item.source_id)) is not None:
                first = not claim.state.first_poll_done
                self._intake.add(item, self.desk.completed(claim.source), None, first=first)

    def begin(self, claims: Iterable[Claim]) -> None:
        """Start polling what was claimed; `run_once` brings the ends."""
        now = self._clock()
        poll = self.desk.settings.poll
        self._queues.scope, self._queues.per_host = poll.retry_after_scope, poll.per_host
        for claim in claims:
            self._flight.claims[claim.source.id] = claim
            try:
                self._begin(claim, now)
            except Exception as error:
                self._end_by_fault(claim, error, now)

    def _begin(self, claim: Claim, now: datetime) -> None:
        source = self.desk.completed(claim.source)
        if source.is_imap:
            self._folders.mailboxes.begin(claim, source, self.desk.settings.fetch)
            return
        if source.kind in DOCUMENTS:
            self._folders.waiting.append((claim, source))
            return
        url = self.desk.secrets.restored(claim.state.adopted_url) or source.target
        if self.desk.settings.poll.retry_after_scope != "url" and self._queues.held_until(url, now):
            self._unsaved.postponed.append(claim)
            return
        request = Request(
            source_id=source.id,
            url=url,
            validators=verdicts.validators_to_send(claim, now),
            validators_url=self.desk.secrets.restored(claim.state.validators_url),
            headers=source.headers,
            accept=_ACCEPTS.get(source.kind, "feed"),
        )
        self._queues.put(posting(request, source.post) if source.post else request)

    # ------------------------------------------------------------------ the order of the steps

    def run_once(self, wait_s: float) -> Progress:
        """Take what has arrived within *wait_s* one step further, save what is done, and return what that was.

        Raises StoreError alone; nothing is lost with it, and the next call tries again.
        """
        progress = Progress()
        self._flight.hold(self._store, self._clock())
        self._look_into_folders(progress)
        came = self._fetch(wait_s)
        self._intake.keep(self.desk)
        self._intake.hand_over(self.desk.settings)
        self._read(wait_s, waits=not came)
        progress.polls, self._looked = self._looked, []
        if self._unsaved.is_due(fetching=bool(self._fetcher.in_flight)):
            self._unsaved.save(self.desk, progress)
        return progress

    def _look_into_folders(self, progress: Progress) -> None:
        """Folders are looked into at once; their files go through the inbox."""
        found = self._folders.look(self._store, self.desk, clock=self._clock, random=self._random)
        if found is None:
            return
        looked, ids = found
        self._looked += looked.results
        progress.late += refused(looked)
        for result in looked.results:
            self._flight.ended(result)
            if result.outcome != "not-modified":
                log_poll(result)
        for (item, source, first), id_ in zip(looked.found, ids, strict=True):
            self._intake.add(replace(item, id=id_), source, None, first=first)

    def _fetch(self, wait_s: float) -> bool:
        """Take in what was fetched, as much as there is room for; whether anything was."""
        room = MOST_READING - self._readers.pending - len(self._intake) - len(self._unsaved.read)
        if room <= 0:
            return False
        # Whoever has nothing on the wire waits for the readers, and the other way round.
        if self._unsaved.read:
            wait_s = 0.0
        elif self._readers.pending:
            wait_s = min(wait_s, 0.02)
        outcomes = self._fetcher.outcomes(wait_s, room)
        self._take_in(outcomes)
        return bool(outcomes)

    def _read(self, wait_s: float, *, waits: bool) -> None:
        """Take in what was read; *waits* for it a moment where nothing else came."""
        idle = waits and not self._unsaved.read and self._readers.pending
        done = self._readers.done(min(wait_s, 0.05) if idle else 0.0, MOST_SAVED)
        self._unsaved.read += [(tag, reading) for tag, reading in done if isinstance(tag, Waiting)]

    # ------------------------------------------------------------------ what was fetched

    def _take_in(self, outcomes: Sequence[Answer | FetchError]) -> None:
        """Sort polls that end at fetch from bodies to keep."""
        now = self._clock()
        for outcome in outcomes:
            self._outage.saw(outcome, now)
        ours: Ours = "network" if self._outage.now(now) else ""
        if bool(ours) is not self._cut_off:
            self._cut_off = bool(ours)
            log.warning("%s", CUT_OFF if ours else "sources can be reached again")
        for outcome in outcomes:
            claim = None if outcome.request.tag in Follows.TAGS else self._flight.claims.get(outcome.request.source_id)
            try:
                self._take(outcome, claim, now, ours=ours)
            except Exception as error:
                if claim is None:
                    log.exception("a fault of ours taking in url=%s", masked(outcome.request.url))
                else:
                    self._end_by_fault(claim, error, now)

    def _take(self, outcome: Answer | FetchError, claim: Claim | None, now: datetime, *, ours: Ours) -> None:
        if isinstance(outcome, Answer):
            outcome = self.desk.redacted(outcome)
        else:
            self.desk.redact(outcome)
        request = outcome.request
        if isinstance(outcome, FetchError) and outcome.retry_after_s is not None:
            self._hold(request.url, now + timedelta(seconds=min(outcome.retry_after_s, RETRY_AFTER_CAP_S)))
        self._queues.ended(request.url)
        if request.tag in Follows.TAGS:
            page = self._pages.ended(outcome, now)
            if page is not None:
                self._intake.arrived.append((None, page))
            return
        if claim is None:
            return
        poll, jitter = self.desk.settings.poll, self._random()
        result = verdicts.at_fetch(claim, outcome, at=now, settings=poll, jitter=jitter, ours=ours)
        if result is not None:
            self._unsaved.polls.append(result)
        elif isinstance(outcome, Answer):
            self._intake.arrived.append((claim, outcome))

    def _hold(self, url: str, until: datetime) -> None:
        """Whoever shares the limit that *url* ran into waits as well; what waits here goes back to the store."""
        for request in self._queues.hold(url, until):
            if request.tag in Follows.TAGS:
                self._pages.put_off(request)
                continue
            claim = self._flight.claims.get(request.source_id)
            if claim is not None:
                self._unsaved.postponed.append(claim)

    def _end_by_fault(self, claim: Claim, error: Exception, now: datetime) -> None:
        """End a poll that met *error*, a fault of ours: logged with its traceback, charged to nobody."""
        log.error("a fault of ours polling source=%s", claim.source.name, exc_info=error)
        fault = DeskError(fault_of_ours(error), remedy="please report it; the log has more")
        poll, jitter = self.desk.settings.poll, self._random()
        self._unsaved.polls.append(verdicts.failed(claim, fault, at=now, settings=poll, jitter=jitter, ours="fault"))

    # ------------------------------------------------------------------ the clock, the end

    def clock_was_set(self, by: timedelta) -> None:
        """Go on with what is under way by a clock that was set. Raises StoreError; call it then again with the same."""
        self._claims.shift(by)
        self._queues.clock_was_set(by)

    def stop(self) -> None:
        """Save the polls that have ended, and give the claims of the others back. Raises StoreError."""
        self._folders.mailboxes.close()
        self._unsaved.save_polls(self.desk)
        self._claims.give_back(self._flight.claims.values())


def _ended_by(item: InboxItem, claim: Claim) -> Claim | None:
    """The poll that *item* ends; None where its source was claimed anew since, or no poll brought it."""
    return claim if item.claim_id and item.claim_id == claim.claim_id else None
