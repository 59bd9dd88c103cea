"""The flow from fetch to filing, for as many sources at once as are handed in. Knows the order of the steps.

A poll ends in one of three ways: at fetch (not modified, a known body, a failure), after its body was read, or, for a
folder, at once. A body is in the inbox before anything else is done with it; the transaction that saves its entries
takes it out and writes its source's row, so a kill at any moment loses nothing and saves nothing twice.

While the store refuses, what could not be written stays here and is written when it answers again: claims, bodies and
readings alike. A commit that failed may stand all the same, for its answer can be lost too; so what is written again
takes the place of what was written before. Whatever else goes wrong with one source ends that source's poll alone, as a
fault of ours.
"""

from __future__ import annotations

import logging
import math
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from feeds.errors import DeskError, FetchError, ParseError, StoreError
from feeds.fetch import Fetcher
from feeds.fetch.cadence import RETRY_AFTER_CAP_S, Ours
from feeds.ingest import bodies, notices, verdicts
from feeds.ingest.arrivals import Looked, Pushes, look_into, refused, tell_files
from feeds.ingest.batches import AGAIN_AFTER, Batch, Saving
from feeds.ingest.bodies import Read, Readers, Waiting
from feeds.ingest.desk import Desk
from feeds.ingest.follows import LEASE_S, Claims, Follows
from feeds.ingest.host_queues import HostQueues, Outage
from feeds.ingest.reading import Reading
from feeds.ingest.verdicts import Late, log_late, log_poll, log_reading
from feeds.model import Answer, Request, Source
from feeds.redaction import fault_of_ours
from feeds.store import Store
from feeds.store.values import Claim, InboxItem, PollResult
from feeds.urls import masked

log = logging.getLogger(__name__)

SAVE_AT_ONCE = 256
SAVE_WITHIN_S = 0.2
"""Polls that brought nothing are saved in company: so many at once, or as many as there are after so long."""

MOST_SAVED = 64
MOST_ENTRIES_SAVED = 250
"""Bodies and entries saved in one transaction, some tenths of a second of work: what arrives meanwhile is in the inbox,
and so safe from a kill, only after it."""

PUT_OFF_LOOK_S = 30.0
"""How often bodies are looked for whose time has come to be tried again."""

MOST_READING = 128
"""Bodies that are being read, or were and wait to be saved. The others stay with the fetcher, which then begins no more
transfers: what is in flight is bounded, however many sources are due."""

Arrived = tuple[Claim | None, Answer]
"""A body to keep, with the claim whose poll it ends; None for an article page that was followed."""


@dataclass(slots=True)
class Turn:
    """What one turn did, in numbers and in the polls that ended."""

    polls: list[PollResult] = field(default_factory=list)
    new: int = 0
    copies: int = 0
    updated: int = 0
    sections: set[str] = field(default_factory=set)
    late: list[Late] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.polls or self.new or self.copies or self.updated)


class Ingest:
    """Holds what is in flight between one call of `turn` and the next. Not for several threads."""

    def __init__(
        self,
        store: Store,
        fetcher: Fetcher,
        readers: Readers,
        desk: Desk,
        *,
        clock: Callable[[], datetime],
        random: Callable[[], float],
    ) -> None:
        self._store = store
        self._fetcher = fetcher
        self._readers = readers
        self._clock = clock
        self._random = random
        self._flight: dict[int, Claim] = {}
        self._extra = 0  # bodies whose poll has ended already
        self._claims = Claims(store, clock)
        self._shifts: int | None = None  # how often due times were moved before the one that was not heard of
        self._keeping = False  # bodies were put into the inbox, and it was not heard whether they are there
        self._to_look: list[tuple[Claim, Source]] = []
        self._looking: Looked | None = None  # what looks found, and is not known to be in the store
        self._looked: list[PollResult] = []
        self._arrived: list[Arrived] = []
        self._unread: list[tuple[Waiting, bytes, Claim | None]] = []
        self._read: list[Read] = []
        self._held_at = self._put_off_at = time.monotonic()
        self._queues = HostQueues(fetcher.submit)
        self._pages = Follows(self._queues.put, self._queues.held_until)
        self._outage = Outage()
        self._unsaved: list[PollResult] = []
        self._save_at = math.inf
        self._postponed: list[Claim] = []
        self._pushes = Pushes()
        self._saving = Saving(store, self._queues, random=random)
        self.desk = desk

    @property
    def in_flight(self) -> int:
        """Sources, pages and bodies begun and not yet ended."""
        return len(self._flight) + self._extra + len(self._pages) + len(self._looked) + len(self._arrived)

    def stop(self) -> None:
        """Save the polls that have ended, and give the claims of the others back. Raises StoreError."""
        if self._unsaved:
            self._save_batch([], Turn())
        self._claims.give_back(self._flight.values())
        self._saving.keep(self.desk.settings.language)

    def resume(self) -> int:
        """Read what a killed process left in the inbox; returns how many bodies. Call once, before the first turn."""
        count, after = 0, 0
        while True:
            with self._store.read() as tx:
                items = tx.inbox.waiting(200, after_id=after)
                claims = tx.sources.claims_of([item.source_id for item in items])
            self._pushes.read(*items)
            for item in items:
                claim = claims.get(item.source_id)
                if claim is not None:
                    ends = claim if claim.claim_id == item.claim_id and item.claim_id else None
                    self._submit(item, claim.source, ends, first=not claim.state.first_poll_done, state=claim)
                    count += 1
            if not items:
                return count
            after = items[-1].id

    def clock_was_set(self, by: timedelta) -> None:
        """Go on with what is under way by a clock that was set. Raises StoreError; call it then again with the same."""
        if self._shifts is None:
            with self._store.read() as tx:
                self._shifts = tx.schedule.shifts()
        with self._store.write() as tx:
            if tx.schedule.shifts() == self._shifts:
                tx.schedule.shift(by, self._clock())
                notices.write(tx, [notices.clock_was_set(by)], self._clock())
        self._shifts = None
        self._queues.clock_was_set(by)

    def take_pushed(self) -> None:
        """Read what sources' hubs have pushed since this was last called; `turn` brings the ends. Raises StoreError."""
        for item, claim in self._pushes.take(self._store):
            self._submit(item, claim.source, None, first=False)

    def take_put_off(self) -> None:
        """Read again what could not be read and whose time has come; `turn` brings the ends. Raises StoreError."""
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
                self._submit(item, claim.source, None, first=not claim.state.first_poll_done)

    def take_due(self, limit: int) -> int:
        """Start polling up to *limit* sources that are due; how many. Raises StoreError."""
        claims = self._claims.due(limit)
        self.begin(claims)
        return len(claims)

    def begin(self, claims: Iterable[Claim]) -> None:
        """Start polling what was claimed; `turn` brings the ends."""
        now = self._clock()
        poll = self.desk.settings.poll
        self._queues.scope, self._queues.per_host = poll.retry_after_scope, poll.per_host
        for claim in claims:
            self._flight[claim.source.id] = claim
            try:
                self._begin(claim, now)
            except Exception as error:
                self._unsaved.append(self._ended_by_us(claim, error, now))

    def _begin(self, claim: Claim, now: datetime) -> None:
        source = self._configured(claim.source)
        if source.kind == "files":
            self._to_look.append((claim, source))
            return
        url = self.desk.secrets.restored(claim.state.adopted_url) or source.target
        if self.desk.settings.poll.retry_after_scope != "url" and self._queues.held_until(url, now):
            self._postponed.append(claim)
            return
        self._queues.put(
            Request(
                source_id=source.id,
                url=url,
                validators=verdicts.validators_to_send(claim, now),
                validators_url=self.desk.secrets.restored(claim.state.validators_url),
                headers=source.headers,
                accept="page" if source.kind == "page" else "feed",
            )
        )

    def turn(self, wait_s: float = 0.2) -> Turn:
        """Take what has arrived within *wait_s*, save it, and return what that was.

        Raises StoreError alone; nothing is lost with it, and the next turn tries again.
        """
        turn = Turn()
        self._hold_claims()
        if self._to_look or self._looking:
            self._look(turn)
        # Whoever has nothing on the wire waits for the readers, and the other way round.
        room = MOST_READING - self._readers.pending - len(self._arrived) - len(self._unread) - len(self._read)
        wait_fetch_s = 0.0 if self._read else wait_s if not self._readers.pending else min(wait_s, 0.02)
        outcomes = self._fetcher.outcomes(wait_fetch_s, room) if room > 0 else []
        self._sort(outcomes)
        if self._arrived:
            self._keep()
        if self._unread:
            self._hand_over()
        idle = not outcomes and not self._read and self._readers.pending
        self._read += [
            (tag, reading)
            for tag, reading in self._readers.done(min(wait_s, 0.05) if idle else 0.0, MOST_SAVED)
            if isinstance(tag, Waiting)
        ]
        turn.polls, self._looked = self._looked, []
        if self._read or self._is_time_to_save():
            self._save(turn)
        return turn

    def _hold_claims(self) -> None:
        """Hold on to the claims of polls that take long: else they would be given out again, to this very process."""
        now = time.monotonic()
        if now - self._held_at < LEASE_S / 4:
            return
        with self._store.write() as tx:
            tx.sources.extend(list(self._flight.values()), self._clock() + timedelta(seconds=LEASE_S))
        self._held_at = now

    def _is_time_to_save(self) -> bool:
        """Polls that ended without a body are saved many at a time, or as soon as nothing else comes; all else at once:
        a listing that is claimed meanwhile must know which of its pages are done with.
        """
        if self._postponed or self._pages.followed:
            return True
        if not self._unsaved:
            return False
        now = time.monotonic()
        self._save_at = min(self._save_at, now + SAVE_WITHIN_S)
        return len(self._unsaved) >= SAVE_AT_ONCE or now >= self._save_at or not self._fetcher.in_flight

    # ------------------------------------------------------------------ what arrives

    def _sort(self, outcomes: Sequence[Answer | FetchError]) -> None:
        """Tell polls that end at fetch from bodies to keep."""
        now = self._clock()
        for outcome in outcomes:
            self._outage.saw(outcome, now)
        ours: Ours = "network" if self._outage.now(now) else ""
        for outcome in outcomes:
            claim = None if outcome.request.tag in Follows.TAGS else self._flight.get(outcome.request.source_id)
            try:
                self._take(outcome, claim, now, ours=ours)
            except Exception as error:
                if claim is None:
                    log.exception("a fault of ours taking in url=%s", masked(outcome.request.url))
                else:
                    self._unsaved.append(self._ended_by_us(claim, error, now))

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
                self._arrived.append((None, page))
            return
        if claim is None:
            return
        result = self._ended_at_fetch(claim, outcome, now, ours=ours)
        if result is not None:
            self._unsaved.append(result)
        elif isinstance(outcome, Answer):
            self._arrived.append((claim, outcome))

    def _ended_by_us(self, claim: Claim, error: Exception, now: datetime) -> PollResult:
        """How a poll ends that met *error*, a fault of ours: told with its traceback, charged to nobody."""
        log.error("a fault of ours polling source=%s", claim.source.name, exc_info=error)
        fault = DeskError(fault_of_ours(error), remedy="please report it; the log has more")
        settings, dice = self.desk.settings.poll, self._random()
        return verdicts.failed(claim, fault, at=now, settings=settings, jitter=dice, ours="fault")

    def _ended_at_fetch(
        self, claim: Claim, outcome: Answer | FetchError, now: datetime, *, ours: Ours
    ) -> PollResult | None:
        """How a poll ended without a body to read; None where there is one."""
        poll, dice = self.desk.settings.poll, self._random()
        if isinstance(outcome, FetchError):
            return verdicts.failed(claim, outcome, at=now, settings=poll, jitter=dice, ours=ours)
        if outcome.status == 410:
            return verdicts.gone(claim, outcome, settings=poll, jitter=dice)
        if outcome.status == 304:
            return verdicts.unchanged(claim, outcome, outcome="not-modified", settings=poll, jitter=dice)
        if bodies.body_hash(outcome.body) == claim.state.body_hash:
            return verdicts.unchanged(claim, outcome, outcome="same", settings=poll, jitter=dice)
        return None

    def _hold(self, url: str, until: datetime) -> None:
        """Whoever shares the limit that *url* ran into waits as well; what waits here goes back to the store."""
        for request in self._queues.hold(url, until):
            if request.tag in Follows.TAGS:
                self._pages.put_off(request)
                continue
            claim = self._flight.get(request.source_id)
            if claim is not None:
                self._postponed.append(claim)

    def _keep(self) -> None:
        """Bodies go into the inbox as soon as they are here, then to the readers."""
        items = [bodies.arrived(answer.request.source_id, claim, answer) for claim, answer in self._arrived]
        again, self._keeping = self._keeping, True
        with self._store.write() as tx:
            ids = tx.inbox.put(items, again=again)
            followed = [answer.request.source_id for claim, answer in self._arrived if claim is None]
            sources = {id_: claim.source for id_, claim in tx.sources.claims_of(followed).items()}
        arrived, self._arrived, self._keeping = self._arrived, [], False
        for item, id_, (claim, answer) in zip(items, ids, arrived, strict=True):
            source = claim.source if claim else sources[item.source_id]
            first = claim is not None and not claim.state.first_poll_done
            self._submit(replace(item, id=id_), source, claim, first=first, state=claim, answer=answer)

    def _submit(
        self,
        item: InboxItem,
        source: Source,
        claim: Claim | None,
        *,
        first: bool,
        state: Claim | None = None,
        answer: Answer | None = None,
    ) -> None:
        """Have *item* read; *claim* is that of the poll that it ends, *state* tells what was seen before."""
        if claim is not None:
            self._flight[source.id] = claim
        else:
            self._extra += 1
        tag = bodies.waiting(item, self._configured(source), claim, first=first, answer=answer)
        self._unread.append((tag, item.body, state))

    def _hand_over(self) -> None:
        """Give the readers what has come, each body with what was learnt of the lines that recur where it is from."""
        scopes = [bodies.recurs_in(tag.source, tag.item) for tag, _, _ in self._unread]
        learnt: dict[str, bytes] = {}
        if any(scopes):
            with self._store.read() as tx:
                learnt = tx.furniture.states(sorted({scope for scope in scopes if scope}))
        unread, self._unread = self._unread, []
        for (tag, body, state), scope in zip(unread, scopes, strict=True):
            job = bodies.job(tag, body, self.desk.settings, state, learnt.get(scope, b""))
            self._readers.submit(job, tag)

    def _look(self, turn: Turn) -> None:
        """Folders are looked into at once; their files go through the inbox."""
        again = self._looking is not None
        if self._looking is None:
            looks, self._to_look = self._to_look, []
            self._looking = look_into(looks, self.desk, at=self._clock(), random=self._random)
        looked = self._looking
        with self._store.write() as tx:
            ids = tx.inbox.put([item for item, _, _ in looked.found], again=again)
            tx.sources.finish(looked.results)
            tell_files(tx, looked, self._clock())
        self._looking = None
        self._looked += looked.results
        turn.late += refused(looked)
        for result in looked.results:
            self._let_go(result)
            if result.outcome != "not-modified":
                log_poll(result)
        for (item, source, first), id_ in zip(looked.found, ids, strict=True):
            self._submit(replace(item, id=id_), source, None, first=first)

    # ------------------------------------------------------------------ what is saved

    def _save(self, turn: Turn) -> None:
        """Save what has come, then let go of it. What can't be saved together is saved one by one."""
        count = self._how_many()
        try:
            self._save_batch(self._read[:count], turn)
            del self._read[:count]
        except StoreError:
            raise
        except Exception:
            log.exception("a fault of ours saving %d bodies: each is saved by itself", count)
            self._save_apart(turn)

    def _how_many(self) -> int:
        """How many of the bodies that were read go into one transaction: one, however much it holds, or a few."""
        entries = 0
        for count, (_, reading) in enumerate(self._read[:MOST_SAVED]):
            entries += len(reading.entries)
            if count and entries > MOST_ENTRIES_SAVED:
                return count
        return min(len(self._read), MOST_SAVED)

    def _save_apart(self, turn: Turn) -> None:
        ended, read = self._unsaved, self._read
        self._unsaved, self._read = [], []
        try:
            while ended:
                self._save_ended(ended[0], turn)
                del ended[0]
            while read:
                self._save_read(read[0], turn)
                del read[0]
        finally:
            self._unsaved, self._read = ended, read

    def _save_ended(self, result: PollResult, turn: Turn) -> None:
        self._unsaved = [result]
        try:
            self._save_batch([], turn)
        except StoreError:
            raise
        except Exception:
            log.exception("a fault of ours saving how a poll ended: source=%s", result.name)
            self._unsaved = []
            if (claim := self._flight.get(result.source_id)) is not None:
                self._postponed.append(claim)

    def _save_read(self, one: Read, turn: Turn) -> None:
        waiting, _ = one
        try:
            self._save_batch([one], turn)
        except StoreError:
            raise
        except Exception as error:
            url = masked(waiting.item.final_url)
            log.exception("a fault of ours saving source=%s url=%s", waiting.source.name, url)
            fault = ParseError(fault_of_ours(error), remedy="please report it with the address")
            self._save_batch([(waiting, Reading(error=fault, bug=traceback.format_exc()))], turn)

    def _save_batch(self, read: list[Read], turn: Turn) -> None:
        began = time.monotonic()
        batch = Batch(
            ended=self._unsaved,
            read=read,
            flight=self._flight,
            postponed=self._postponed,
            followed=self._pages.followed,
        )
        saved = self._saving.save(batch, self.desk, self._clock())
        self._postponed, self._unsaved, self._save_at = [], [], math.inf
        self._pages.saved()
        for waiting, reading in read:
            self._ended(waiting, reading)
        for source_id, urls in saved.pages.items():
            self._pages.want(source_id, urls, self._clock())
        for claim in batch.postponed:
            self._flight.pop(claim.source.id, None)
        for result in saved.results:
            self._let_go(result)
            log_poll(result)
        for late in saved.late:
            log_late(late)
        turn.polls += saved.results
        turn.late += saved.late
        turn.new += saved.report.new
        turn.copies += saved.report.copies
        turn.updated += saved.report.updated
        turn.sections |= saved.report.sections_changed
        log.debug("saved bodies=%d ms=%.0f", len(read), (time.monotonic() - began) * 1000)

    def _let_go(self, result: PollResult) -> None:
        """The poll has ended, unless its source was claimed anew meanwhile."""
        claim = self._flight.get(result.source_id)
        if claim is not None and claim.claim_id == result.claim_id:
            del self._flight[result.source_id]

    def _ended(self, waiting: Waiting, reading: Reading) -> None:
        """Say what needs saying of a body that is done."""
        log_reading(waiting, reading)
        if waiting.claim is None:
            self._extra -= 1

    # ------------------------------------------------------------------ small things

    def _configured(self, source: Source) -> Source:
        """*source* with what the store does not have of it."""
        secret = self.desk.secret.get(source.key)
        if secret is None:
            return source
        return replace(source, target=secret.target, headers=secret.headers, follow=secret.follow)
