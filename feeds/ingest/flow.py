"""The flow from fetch to filing, for as many sources at once as are handed in. Knows the order of the steps.

A poll ends in one of three ways: at fetch (not modified, a known body, a failure), after its body was read, or, for a
folder, at once. A body is in the inbox before anything else is done with it; the transaction that saves its entries
takes it out and writes its source's row, so a kill at any moment loses nothing and saves nothing twice.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from feeds.errors import FetchError
from feeds.fetch import Fetcher
from feeds.fetch.cadence import RETRY_AFTER_CAP_S, Ours
from feeds.ingest import bodies, verdicts
from feeds.ingest.bodies import Read, Readers, Waiting
from feeds.ingest.desk import Desk
from feeds.ingest.endings import tell, tell_reading
from feeds.ingest.folders import look_into
from feeds.ingest.follows import FOLLOW_AT_ONCE, Follows, link_hash
from feeds.ingest.lines import Lines
from feeds.ingest.outage import Outage
from feeds.ingest.pushes import Pushes
from feeds.ingest.reading import Reading
from feeds.ingest.saving import Batch, Saving
from feeds.model import Answer, Request, Source
from feeds.store import Store
from feeds.store.values import Claim, InboxItem, PollResult

log = logging.getLogger(__name__)

SAVE_AT_ONCE = 256
SAVE_WITHIN_S = 0.2
"""Polls that brought nothing are saved in company: so many at once, or as many as there are after so long."""

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
        self._looked: list[PollResult] = []
        self._lines = Lines(fetcher.submit)
        self._pages = Follows(self._lines.put, self._lines.held_until)
        self._outage = Outage()
        self._unsaved: list[PollResult] = []
        self._save_at = math.inf
        self._postponed: list[Claim] = []
        self._pushes = Pushes()
        self._saving = Saving(store, self._lines, random=random)
        self.desk = desk

    @property
    def in_flight(self) -> int:
        """Sources, pages and bodies begun and not yet ended."""
        return len(self._flight) + self._extra + len(self._pages) + len(self._looked)

    def stop(self) -> None:
        """Save the polls that have ended, and give the claims of the others back. Raises StoreError."""
        if self._unsaved:
            self._save([], Turn())
        with self._store.write() as tx:
            tx.sources.release(list(self._flight.values()))
        self._saving.keep(self.desk.settings.language)

    def forget(self) -> None:
        """Drop all that is in flight, after the store failed: claims run out, bodies wait in the inbox."""
        self._flight.clear()
        self._extra = 0
        self._lines.forget()
        self._pages.forget()
        self._postponed, self._unsaved, self._save_at = [], [], math.inf

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

    def take_pushed(self) -> None:
        """Read what sources' hubs have pushed since this was last called; `turn` brings the ends."""
        for item, claim in self._pushes.take(self._store):
            self._submit(item, claim.source, None, first=False)

    def begin(self, claims: Iterable[Claim]) -> None:
        """Start polling what was claimed; `turn` brings the ends."""
        now = self._clock()
        poll = self.desk.settings.poll
        self._lines.scope, self._lines.per_host = poll.retry_after_scope, poll.per_host
        looks: list[tuple[Claim, Source]] = []
        for claim in claims:
            source = self._configured(claim.source)
            self._flight[source.id] = claim
            if source.kind == "files":
                looks.append((claim, source))
                continue
            url = self.desk.revealed(claim.state.adopted_url) or source.target
            if poll.retry_after_scope != "url" and self._lines.held_until(url, now):
                self._postponed.append(claim)
                continue
            self._lines.put(
                Request(
                    source_id=source.id,
                    url=url,
                    validators=verdicts.validators_to_send(claim, now),
                    validators_url=self.desk.revealed(claim.state.validators_url),
                    headers=source.headers,
                    accept="page" if source.kind == "page" else "feed",
                )
            )
        if looks:
            self._look(looks)

    def turn(self, wait_s: float = 0.2) -> Turn:
        """Take what has arrived within *wait_s*, save it, and return what that was. Raises StoreError alone."""
        # Whoever has nothing on the wire waits for the readers, and the other way round.
        room = MOST_READING - self._readers.pending
        wait_fetch_s = wait_s if not self._readers.pending else min(wait_s, 0.02)
        outcomes = self._fetcher.outcomes(wait_fetch_s, room) if room > 0 else []
        readings = self._readers.done(0.0 if outcomes else min(wait_s, 0.05) if self._readers.pending else 0.0)
        ended, arrived = self._sort(outcomes)
        if arrived:
            self._keep(arrived)
        turn = Turn(polls=self._looked)
        self._looked = []
        self._unsaved += ended
        if readings or self._is_time_to_save():
            self._save([(tag, reading) for tag, reading in readings if isinstance(tag, Waiting)], turn)
        return turn

    def _is_time_to_save(self) -> bool:
        """Polls that ended without a body are saved many at a time, or as soon as nothing else comes; all else at once:
        a listing that is claimed meanwhile must know which of its pages are done with.
        """
        if self._postponed or self._pages.followed or self._pages.again:
            return True
        if not self._unsaved:
            return False
        now = time.monotonic()
        self._save_at = min(self._save_at, now + SAVE_WITHIN_S)
        return len(self._unsaved) >= SAVE_AT_ONCE or now >= self._save_at or not self._fetcher.in_flight

    # ------------------------------------------------------------------ what arrives

    def _sort(self, outcomes: Sequence[Answer | FetchError]) -> tuple[list[PollResult], list[Arrived]]:
        """Polls that end at fetch, and bodies to keep."""
        ended: list[PollResult] = []
        arrived: list[Arrived] = []
        now = self._clock()
        for outcome in outcomes:
            self._outage.saw(outcome, now)
        ours: Ours = "network" if self._outage.now(now) else ""
        for outcome in outcomes:
            if isinstance(outcome, Answer):
                outcome = self.desk.concealed(outcome)
            request = outcome.request
            if isinstance(outcome, FetchError) and outcome.retry_after_s is not None:
                self._hold(request.url, now + timedelta(seconds=min(outcome.retry_after_s, RETRY_AFTER_CAP_S)))
            self._lines.ended(request.url)
            if request.tag in Follows.TAGS:
                page = self._pages.ended(outcome, now)
                if page is not None:
                    arrived.append((None, page))
                continue
            claim = self._flight.get(request.source_id)
            if claim is None:
                continue
            result = self._ended_at_fetch(claim, outcome, now, ours=ours)
            if result is not None:
                ended.append(result)
            elif isinstance(outcome, Answer):
                arrived.append((claim, outcome))
        return ended, arrived

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
        for request in self._lines.hold(url, until):
            if request.tag in Follows.TAGS:
                self._pages.put_off(request)
                continue
            claim = self._flight.get(request.source_id)
            if claim is not None:
                self._postponed.append(claim)

    def _keep(self, arrived: list[Arrived]) -> None:
        """Bodies go into the inbox as soon as they are here, then to the readers."""
        items = [bodies.arrived(answer.request.source_id, claim, answer) for claim, answer in arrived]
        with self._store.write() as tx:
            ids = tx.inbox.put(items)
        for item, id_, (claim, answer) in zip(items, ids, arrived, strict=True):
            source = claim.source if claim else self._source_of(answer.request)
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
        self._readers.submit(bodies.job(tag, item.body, self.desk.settings, state), tag)

    def _look(self, looks: list[tuple[Claim, Source]]) -> None:
        """Folders are looked into at once; their files go through the inbox."""
        looked = look_into(looks, self.desk, at=self._clock(), random=self._random)
        with self._store.write() as tx:
            ids = tx.inbox.put([item for item, _, _ in looked.found])
            tx.sources.finish(looked.results)
        self._looked += looked.results
        for result in looked.results:
            gone = self._flight.pop(result.source_id, None)
            if result.outcome != "not-modified":
                tell(gone.source.name if gone else str(result.source_id), result)
        for (item, source, first), id_ in zip(looked.found, ids, strict=True):
            self._submit(replace(item, id=id_), source, None, first=first)

    # ------------------------------------------------------------------ what is saved

    def _save(self, read: list[Read], turn: Turn) -> None:
        """Save what has come, then let go of it."""
        began = time.monotonic()
        batch = Batch(
            ended=self._unsaved,
            read=read,
            flight=self._flight,
            postponed=self._postponed,
            followed=self._pages.followed,
            refollow=self._pages.again,
        )
        saved = self._saving.save(batch, self.desk, self._clock())
        self._postponed, self._unsaved, self._save_at = [], [], math.inf
        self._pages.saved()
        for waiting, reading in read:
            self._ended(waiting, reading)
        for claim in batch.postponed:
            self._flight.pop(claim.source.id, None)
        for result in saved.results:
            gone = self._flight.pop(result.source_id, None)
            tell(gone.source.name if gone else str(result.source_id), result)
        turn.polls += saved.results
        turn.new += saved.report.new
        turn.copies += saved.report.copies
        turn.updated += saved.report.updated
        turn.sections |= saved.report.sections_changed
        log.debug("saved bodies=%d ms=%.0f", len(read), (time.monotonic() - began) * 1000)

    def _ended(self, waiting: Waiting, reading: Reading) -> None:
        """Say what needs saying of a body that is done, and follow the pages that a listing names."""
        tell_reading(waiting, reading)
        if waiting.claim is None:
            self._extra -= 1
            return
        known = frozenset(waiting.claim.state.item_hashes)
        pages = [url for url in reading.links if link_hash(url) not in known][:FOLLOW_AT_ONCE]
        if pages:
            self._pages.want(waiting.source.id, pages, self._clock())

    # ------------------------------------------------------------------ small things

    def _configured(self, source: Source) -> Source:
        """*source* with headers and secrets, which the store does not have."""
        secret = self.desk.secret.get(source.key)
        return replace(source, target=secret.target, headers=secret.headers) if secret else source

    def _source_of(self, request: Request) -> Source:
        with self._store.read() as tx:
            return tx.sources.claims_of([request.source_id])[request.source_id].source
