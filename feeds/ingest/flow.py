"""The flow from fetch to filing, for as many sources at once as are handed in. Knows the order of the steps.

A poll ends in one of three ways: at fetch (not modified, a known body, a failure), after its body was read, or, for a
folder, at once. A body is in the inbox before anything else is done with it; the transaction that saves its entries
takes it out and writes its source's row, so a kill at any moment loses nothing and saves nothing twice.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

import xxhash

from feeds.errors import DeskError, FetchError
from feeds.fetch import Fetcher
from feeds.fetch.cadence import JITTER, RETRY_AFTER_CAP_S
from feeds.fetch.folder import look
from feeds.ingest import notices, verdicts
from feeds.ingest.desk import Desk
from feeds.ingest.follows import Follows
from feeds.ingest.lineage import Lineages
from feeds.ingest.lines import Lines, scope_of
from feeds.ingest.memory import Memory
from feeds.ingest.outage import Outage
from feeds.ingest.pushes import Pushes, hub_of, note_hubs
from feeds.ingest.reading import Job, Reader, Reading
from feeds.model import Answer, Decision, Entry, Placement, Request, Source, Validators
from feeds.store import Store, WriteTx
from feeds.store.values import Claim, InboxItem, PollResult, SaveReport

log = logging.getLogger(__name__)

FOLDER_INTERVAL_S = 10.0
FOLDER_RETRY_S = 2.0
FOLLOW_AT_ONCE = 20
"""Article pages followed from one listing or sitemap in one poll; the rest comes with the next."""
UNDATED_AGE = timedelta(days=1)
FLOOD_AT_LEAST = 5
"""Known entries under new ids in one document of which the admin is told."""


class Readers(Protocol):
    """Where bodies are read: parse workers in processes, or in this one (tests)."""

    @property
    def pending(self) -> int: ...
    def submit(self, job: Job, tag: object) -> None: ...
    def done(self, wait_s: float = 0.0, most: int = 256) -> list[tuple[object, Reading]]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A body in the inbox and the poll that it ends; *claim* is None where the poll has ended already."""

    item: InboxItem
    source: Source
    claim: Claim | None
    first: bool
    answer: Answer
    body_hash: str


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
        self._follows = 0
        self._looked: list[PollResult] = []
        self._memory = Memory()
        self._lines = Lines(fetcher.submit)
        self._pages = Follows(fetcher.submit)
        self._followed: dict[int, set[int]] = {}
        self._refollow: set[int] = set()
        self._outage = Outage()
        self._postponed: list[Claim] = []
        self._lineages = Lineages()
        self._pushes = Pushes()
        self.desk = desk

    @property
    def in_flight(self) -> int:
        """Sources, pages and bodies begun and not yet ended."""
        return len(self._flight) + self._follows + len(self._pages) + len(self._looked)

    def claims(self) -> list[Claim]:
        """The claims of the polls that have not ended."""
        return list(self._flight.values())

    def forget(self) -> None:
        """Drop all that is in flight, after the store failed: claims run out, bodies wait in the inbox."""
        self._flight.clear()
        self._follows = 0
        self._lines.forget()
        self._pages.forget()
        self._postponed.clear()

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
                    self._submit(item, claim.source, ends, first=not claim.state.first_poll_done, state_claim=claim)
                    count += 1
            if not items:
                return count
            after = items[-1].id

    def take_pushed(self) -> None:
        """Read what sources' hubs have pushed since this was last called; `turn` brings the ends."""
        for item, claim in self._pushes.take(self._store):
            self._submit(item, claim.source, None, first=False, state_claim=None)

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
        outcomes = self._fetcher.outcomes(wait_s if not self._readers.pending else min(wait_s, 0.02))
        readings = self._readers.done(0.0 if outcomes else min(wait_s, 0.05) if self._readers.pending else 0.0)
        ended, arrived = self._sort(outcomes)
        if arrived:
            self._keep(arrived)
        turn = Turn(polls=self._looked)
        self._looked = []
        if ended or readings or self._postponed or self._followed or self._refollow:
            self._save(ended, [(tag, reading) for tag, reading in readings if isinstance(tag, Waiting)], turn)
        return turn

    # ------------------------------------------------------------------ what arrives

    def _sort(
        self, outcomes: Sequence[Answer | FetchError]
    ) -> tuple[list[PollResult], list[tuple[Claim | None, Answer]]]:
        """Polls that end at fetch, and bodies to keep (with the claim that they end, None for a followed page)."""
        ended: list[PollResult] = []
        arrived: list[tuple[Claim | None, Answer]] = []
        poll = self.desk.settings.poll
        now = self._clock()
        for outcome in outcomes:
            self._outage.saw(outcome, now)
        ours = self._outage.now(now)
        for outcome in outcomes:
            if isinstance(outcome, Answer):
                outcome = self.desk.concealed(outcome)
            request = outcome.request
            if isinstance(outcome, FetchError) and outcome.retry_after_s is not None:
                self._hold(request.url, now + timedelta(seconds=min(outcome.retry_after_s, RETRY_AFTER_CAP_S)))
            if request.tag == "robots":
                for source_id, url in self._pages.robots(outcome, now):
                    self._followed.setdefault(source_id, set()).add(_link_hash(url))
                continue
            if request.tag == "follow":
                if self._pages.page(outcome):
                    self._followed.setdefault(request.source_id, set()).add(_link_hash(request.url))
                else:
                    self._refollow.add(request.source_id)
                if isinstance(outcome, Answer) and outcome.status == 200:
                    arrived.append((None, outcome))
                continue
            self._lines.ended(request.url)
            claim = self._flight.get(request.source_id)
            if claim is None:
                continue
            dice = self._random()
            if isinstance(outcome, FetchError):
                ended.append(verdicts.failed(claim, outcome, at=now, settings=poll, jitter=dice, ours=ours))
            elif outcome.status == 410:
                ended.append(verdicts.gone(claim, outcome, settings=poll, jitter=dice))
            elif outcome.status == 304:
                ended.append(verdicts.unchanged(claim, outcome, outcome="not-modified", settings=poll, jitter=dice))
            elif _hash(outcome.body) == claim.state.body_hash:
                ended.append(verdicts.unchanged(claim, outcome, outcome="same", settings=poll, jitter=dice))
            else:
                arrived.append((claim, outcome))
        return ended, arrived

    def _hold(self, url: str, until: datetime) -> None:
        """Whoever shares the limit that *url* ran into waits as well; what waits here goes back to the store."""
        for request in self._lines.hold(url, until):
            claim = self._flight.get(request.source_id)
            if claim is not None:
                self._postponed.append(claim)

    def _postpone(self, tx: WriteTx, postponed: list[Claim], ended: list[PollResult]) -> None:
        """Give claims back that may not be asked now, and have all sources under a `Retry-After` wait, each its own
        while longer, so that they never come back in lockstep (criteria M9).
        """
        tx.sources.release(postponed)
        poll, now = self.desk.settings.poll, self._clock()
        if poll.retry_after_scope == "url":
            return
        told = {self._address(result) for result in ended if result.state.retry_after_until and result.error}
        told |= {claim.state.adopted_url or claim.source.target for claim in postponed}
        for scope in {scope_of(url, poll.retry_after_scope): url for url in told if url}.items():
            until = self._lines.held_until(scope[1], now)
            if until is None:
                continue
            near = tx.sources.addresses(scope[0])
            held = [id_ for id_, url in near.items() if scope_of(url, poll.retry_after_scope) == scope[0]]
            spread_s = max((until - now).total_seconds() * JITTER, len(held) * poll.gap_s)
            tx.sources.hold({id_: until + timedelta(seconds=spread_s * self._random()) for id_ in held})

    def _address(self, result: PollResult) -> str:
        claim = self._flight.get(result.source_id)
        return "" if claim is None else claim.state.adopted_url or claim.source.target

    def _keep(self, arrived: list[tuple[Claim | None, Answer]]) -> None:
        """Bodies go into the inbox as soon as they are here, then to the readers."""
        items = [
            InboxItem(
                id=0,
                source_id=answer.request.source_id,
                claim_id=claim.claim_id if claim else "",
                received_at=answer.received_at,
                final_url=answer.final_url,
                status=answer.status,
                headers=answer.headers,
                validators=answer.validators,
                body=answer.body,
                pushed=False,
            )
            for claim, answer in arrived
        ]
        with self._store.write() as tx:
            ids = tx.inbox.put(items)
        for item, id_, (claim, answer) in zip(items, ids, arrived, strict=True):
            source = claim.source if claim else self._source_of(answer.request)
            first = claim is not None and not claim.state.first_poll_done
            self._submit(replace(item, id=id_), source, claim, first=first, state_claim=claim, answer=answer)

    def _submit(
        self,
        item: InboxItem,
        source: Source,
        claim: Claim | None,
        *,
        first: bool,
        state_claim: Claim | None,
        answer: Answer | None = None,
    ) -> None:
        source = self._configured(source)
        if answer is None:
            answer = Answer(
                request=Request(source_id=source.id, url=item.final_url),
                status=item.status,
                final_url=item.final_url,
                headers=item.headers,
                body=b"",
                validators=item.validators,
                received_at=item.received_at,
            )
        if claim is not None:
            self._flight[source.id] = claim
        else:
            self._follows += 1
        known = state_claim.state.item_hashes if state_claim and source.kind == "feed" else ()
        settings = self.desk.settings
        job = Job(
            reader=_reader(source, item),
            body=item.body,
            url=item.final_url,
            source=replace(source, headers=()),
            received_at=item.received_at,
            desk_language=settings.language,
            desk_timezone=settings.timezone,
            content_type=answer.header("content-type"),
            name=item.final_url.removeprefix("file:"),
            known_items=frozenset(known),
        )
        tag = Waiting(
            # The body is on its way to a worker and safe in the inbox: it need not stay here as well.
            item=replace(item, body=b""),
            source=source,
            claim=claim,
            first=first,
            answer=replace(answer, body=b""),
            body_hash=_hash(item.body),
        )
        self._readers.submit(job, tag)

    def _look(self, looks: list[tuple[Claim, Source]]) -> None:
        """Folders are looked into at once; their files take the way of every body, through the inbox."""
        at = self._clock()
        poll = self.desk.settings.poll
        results: list[PollResult] = []
        found: list[tuple[InboxItem, Source, bool]] = []
        for claim, source in looks:
            try:
                seen = look(self.desk.folder, source.target, claim.state.item_hashes, now=at)
            except DeskError as error:
                results.append(verdicts.failed(claim, error, at=at, settings=poll, jitter=self._random()))
                continue
            for fault in seen.faults:
                log.warning("source=%s file=%s", source.name, fault)
            wait_s = FOLDER_RETRY_S if seen.waiting else source.interval_s or FOLDER_INTERVAL_S
            results.append(
                verdicts.looked(claim, seen.states, found=len(seen.found), waiting=seen.waiting, at=at, wait_s=wait_s)
            )
            for file in seen.found:
                item = InboxItem(
                    id=0,
                    source_id=source.id,
                    claim_id="",
                    received_at=at,
                    final_url=f"file:{file.name}",
                    status=200,
                    headers=(),
                    validators=claim.state.validators,
                    body=file.body,
                    pushed=False,
                )
                found.append((item, source, not claim.state.first_poll_done))
        with self._store.write() as tx:
            ids = tx.inbox.put([item for item, _, _ in found])
            tx.sources.finish(results)
        self._looked += results
        for result in results:
            gone = self._flight.pop(result.source_id, None)
            if result.outcome != "not-modified":
                _tell(gone.source.name if gone else str(result.source_id), result)
        for (item, source, first), id_ in zip(found, ids, strict=True):
            self._submit(replace(item, id=id_), source, None, first=first, state_claim=None)

    # ------------------------------------------------------------------ what is saved

    def _save(self, ended: list[PollResult], readings: list[tuple[Waiting, Reading]], turn: Turn) -> None:
        """One transaction: decide what every entry is, file it, write the sources' rows, empty the inbox."""
        began = time.monotonic()
        placed = [self._placements(waiting, reading) for waiting, reading in readings]
        now = self._clock()
        batch = [(waiting.source.id, reading.entries) for waiting, reading in readings]
        brought_by = [waiting.source for waiting, _ in readings]
        language = self.desk.settings.language
        hubs = [
            (waiting.source.id, named)
            for waiting, reading in readings
            # What needs a secret to be read comes from no public hub.
            if waiting.claim and waiting.source.kind == "feed" and waiting.source.key not in self.desk.secret
            if (named := hub_of(waiting.answer, reading)) is not None
        ]
        with self._store.read() as tx:
            decided = self._memory.decide(tx, batch, now=now, language=language)
            groups = self._lineages.credit(tx, brought_by, decided.decisions, self.desk)
        try:
            with self._store.write() as tx:
                tx.lock_dedupe()
                if decided.deduper is not None and not self._memory.is_current(tx):
                    # Somebody else saved meanwhile, perhaps the very same articles.
                    decided.undo()
                    decided = self._memory.decide(tx, batch, now=now, language=language)
                    groups = self._lineages.credit(tx, brought_by, decided.decisions, self.desk)
                report = self._save_decisions(tx, readings, placed, groups, now)
                self._lineages.settle(tx, groups, self.desk.settings.publish.full_text)
                tx.stories.merge(decided.merged, now)
                results = ended + [
                    self._verdict(waiting, reading, decisions)
                    for (waiting, reading), decisions in zip(readings, decided.decisions, strict=True)
                    if waiting.claim is not None
                ]
                stood = tx.sources.finish(results)
                self._tell_events(tx, [result for result in results if result.source_id in stood], now)
                self._flooded(tx, readings, decided.decisions, now)
                self._postpone(tx, self._postponed, results)
                note_hubs(tx, hubs, now)
                tx.sources.followed(self._followed, self._refollow)
                tx.inbox.remove([waiting.item.id for waiting, _ in readings])
                if decided.deduper is not None:
                    self._memory.saved(tx)
        except BaseException:
            decided.undo()
            raise
        for waiting, reading in readings:
            self._ended(waiting, reading)
        for claim in self._postponed:
            self._flight.pop(claim.source.id, None)
        self._postponed = []
        self._followed, self._refollow = {}, set()
        for result in results:
            gone = self._flight.pop(result.source_id, None)
            _tell(gone.source.name if gone else str(result.source_id), result)
        turn.polls += results
        turn.new += report.new
        turn.copies += report.copies
        turn.updated += report.updated
        turn.sections |= report.sections_changed
        log.debug("saved bodies=%d ms=%.0f", len(readings), (time.monotonic() - began) * 1000)

    def _tell_events(self, tx: WriteTx, results: list[PollResult], now: datetime) -> None:
        for result in results:
            claim = self._flight.get(result.source_id)
            if claim is not None:
                notices.tell(tx, notices.notices(claim, result), now)

    def _flooded(
        self,
        tx: WriteTx,
        readings: list[tuple[Waiting, Reading]],
        decided: list[tuple[Decision, ...]],
        now: datetime,
    ) -> None:
        for (waiting, _), decisions in zip(readings, decided, strict=True):
            again = sum("~" not in (decision.known_key or "~") for decision in decisions)
            if decisions:
                notices.tell(tx, [notices.flood(waiting.source, again, over=again < FLOOD_AT_LEAST)], now)

    def _save_decisions(
        self,
        tx: WriteTx,
        readings: list[tuple[Waiting, Reading]],
        placed: list[dict[int, tuple[Placement, ...] | None]],
        decided: list[tuple[Decision, ...]],
        now: datetime,
    ) -> SaveReport:
        """Save what was decided, with the placements of all entries of an article together."""
        placements: dict[str, list[Placement] | None] = {}
        ranks: dict[str, datetime] = {}
        for (waiting, reading), decisions, places in zip(readings, decided, placed, strict=True):
            for decision in decisions:
                found = places.get(decision.entry.position, ())
                before = placements.get(decision.article_uid)
                if found is not None:
                    placements[decision.article_uid] = [*(before or ()), *found]
                else:
                    placements.setdefault(decision.article_uid, None)
                rank = _rank(decision.entry, waiting, reading.entries, now)
                ranks[decision.article_uid] = min(rank, ranks.get(decision.article_uid, rank))
            if reading.error is not None and waiting.claim is None:
                tx.events.add(
                    "document",
                    f"{waiting.source.key}:{waiting.item.final_url}",
                    text=f"{waiting.source.name}: {waiting.item.final_url}: {reading.error.cause}",
                    remedy=reading.error.remedy,
                    now=now,
                )
        return tx.articles.save(
            [decision for decisions in decided for decision in decisions], now, placements=placements, ranks=ranks
        )

    def _placements(self, waiting: Waiting, reading: Reading) -> dict[int, tuple[Placement, ...] | None]:
        """Where each entry belongs, by its position, for dedupe may change keys.

        None for what a first import leaves out: stored, so that it is known, and in no section.
        """
        places: dict[int, tuple[Placement, ...] | None] = {
            entry.position: self.desk.cabinet.place(entry, waiting.source) for entry in reading.entries
        }
        most = self.desk.settings.publish.first_import
        if waiting.first and most and waiting.source.kind != "files" and len(places) > most:
            newest = sorted(reading.entries, key=_newest_first)
            for entry in newest[most:]:
                places[entry.position] = None
        return places

    def _verdict(self, waiting: Waiting, reading: Reading, decisions: tuple[Decision, ...]) -> PollResult:
        assert waiting.claim is not None
        poll = self.desk.settings.poll
        if reading.error is not None:
            return verdicts.failed(
                waiting.claim, reading.error, at=waiting.answer.received_at, settings=poll, jitter=self._random()
            )
        if reading.links:
            listed = {_link_hash(url) for url in reading.links}
            # What is followed now counts once it has arrived: see `Sources.followed`.
            known = listed.intersection(waiting.claim.state.item_hashes)
            reading = replace(reading, item_hashes=tuple(sorted(known)))
        fresh = [decision for decision in decisions if decision.kind in ("new", "copy")]
        got = verdicts.Brought(
            new=sum(decision.kind == "new" for decision in decisions),
            copies=sum(decision.kind == "copy" for decision in decisions),
            updated=sum(decision.kind == "updated" for decision in decisions),
            published=tuple(decision.entry.published for decision in fresh if decision.entry.published),
        )
        result = verdicts.brought(
            waiting.claim, waiting.answer, reading, got, waiting.body_hash, settings=poll, jitter=self._random()
        )
        if len(reading.links) - len(reading.item_hashes) > FOLLOW_AT_ONCE:
            # The rest comes with the next listing, which must be read then though it be the same.
            result = replace(result, state=replace(result.state, validators=Validators(), body_hash=None))
        return result

    def _ended(self, waiting: Waiting, reading: Reading) -> None:
        """Say what needs saying of a body that is done, and follow the pages that a listing names."""
        if waiting.claim is None:
            self._follows -= 1
        if reading.bug:
            log.error(
                "a fault of ours reading source=%s url=%s\n%s", waiting.source.name, waiting.item.final_url, reading.bug
            )
        elif reading.error is not None and waiting.claim is None:
            log.warning("source=%s document=%s: %s", waiting.source.name, waiting.item.final_url, reading.error)
        for note in reading.notes:
            log.debug("source=%s %s", waiting.source.name, note)
        pages = _to_follow(waiting, reading)
        if pages:
            for url in self._pages.want(waiting.source.id, pages, self._clock()):
                self._followed.setdefault(waiting.source.id, set()).add(_link_hash(url))

    # ------------------------------------------------------------------ small things

    def _configured(self, source: Source) -> Source:
        """*source* with headers and secrets, which the store does not have."""
        secret = self.desk.secret.get(source.key)
        return replace(source, target=secret.target, headers=secret.headers) if secret else source

    def _source_of(self, request: Request) -> Source:
        with self._store.read() as tx:
            return tx.sources.claims_of([request.source_id])[request.source_id].source


def _reader(source: Source, item: InboxItem) -> Reader:
    if source.kind == "files":
        return "document"
    if source.kind == "feed" or item.pushed:
        return "feed"
    # Of a page or sitemap source the address itself lists; everything else that it brings is an article page.
    listed = item.claim_id != ""
    return ("listing" if source.kind == "page" else "sitemap") if listed else "page"


def _to_follow(waiting: Waiting, reading: Reading) -> list[str]:
    """The article pages that a listing names for the first time, not too many at once."""
    if waiting.claim is None:
        return []
    known = frozenset(waiting.claim.state.item_hashes)
    return [url for url in reading.links if _link_hash(url) not in known][:FOLLOW_AT_ONCE]


def _link_hash(url: str) -> int:
    return xxhash.xxh3_64_intdigest(url.encode())


def _rank(entry: Entry, waiting: Waiting, siblings: Sequence[Entry], now: datetime) -> datetime:
    """The place in the order: the earlier of published and first seen; never the top for what is not new.

    In a first import an entry without a date stands right after the dated one before it in the document, else, with
    nothing to go by, as if it were a day old.
    """
    if entry.published is not None:
        return min(entry.published, now)
    if not waiting.first or waiting.source.kind == "files":
        return now
    before = [other for other in siblings if other.position < entry.position and other.published is not None]
    if before:
        nearest = max(before, key=lambda other: other.position)
        assert nearest.published is not None
        return min(nearest.published, now) - timedelta(microseconds=entry.position - nearest.position)
    dated = [other.published for other in siblings if other.published is not None]
    anchor = min(dated) if dated else now - UNDATED_AGE
    return min(anchor, now) - timedelta(microseconds=entry.position)


def _newest_first(entry: Entry) -> tuple[bool, float, int]:
    return (entry.published is None, -entry.published.timestamp() if entry.published else 0.0, entry.position)


def _hash(body: bytes) -> str:
    return xxhash.xxh3_128_hexdigest(body)


def _tell(name: str, result: PollResult) -> None:
    """The one line a poll."""
    if result.error:
        log.warning(
            "source=%s outcome=%s error=%r remedy=%r next=%s",
            name,
            result.outcome,
            result.error,
            result.remedy,
            result.next_poll_at.isoformat(timespec="seconds"),
        )
    else:
        log.info(
            "polled source=%s outcome=%s new=%d copies=%d updated=%d ms=%.0f",
            name,
            result.outcome,
            result.new,
            result.copies,
            result.updated,
            result.seconds * 1000,
        )
