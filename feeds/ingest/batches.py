"""The flow's last steps for a batch of bodies: dedupe, file, save. One transaction, and what can be computed before it
begins is. I/O: the store.

`Saving.save` is the order; the functions below it are what it asks for, in the order in which it does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from feeds import files
from feeds.configuration import PollSettings, Source
from feeds.errors import Embargoed, ParseUnfinished
from feeds.fetch.cadence import JITTER
from feeds.ingest import full_text, notices
from feeds.ingest.arrivals import hub_of, name_hash, note_hubs
from feeds.ingest.bodies import Read, Waiting, packed, recurs_in
from feeds.ingest.desk import Desk
from feeds.ingest.host_queues import FOLLOW_AT_ONCE, HostQueues, link_hash, scope_of
from feeds.ingest.placing import Places, places, rank
from feeds.ingest.reading import Reading
from feeds.ingest.verdicts import Late, late, verdict
from feeds.model import DROPPED_AT_SOURCE, NEVER_SHOWN, Decision, Evidence, Placement, dropped
from feeds.store import CHANGED, READ, ReadTx, Store, WriteTx
from feeds.store.values import Claim, PollResult, SaveReport
from feeds.text import Shown, of_blob

if TYPE_CHECKING:
    from feeds.hub.subscribing import Discovered
    from feeds.ingest.memory import Credits, Decided, Groups, Memory


AGAIN_AFTER = (timedelta(minutes=30), timedelta(hours=2), timedelta(hours=8), timedelta(hours=24))
"""When a body is tried again that was not read and that nobody shows a second time; after the last it is given up."""

MOST_UNREAD = 5
"""Bodies of one feed that stay to be tried again: one that is never read comes with every poll."""

LISTINGS = ("page", "sitemap")
"""The kinds of sources whose pages are followed."""

FLOOD_AT_LEAST = 5
"""Known entries under new ids in one document from which on the admin is to know."""


class Batch(Struct):
    """What one transaction takes in: polls that ended at fetch, bodies that were read, claims to be given back.

    *flight* are the claims of all polls that are out, by source; *followed* the article pages that are done with,
    *refused* one of each source that robots.txt does not allow.
    """

    ended: list[PollResult]
    read: list[Read]
    flight: Mapping[int, Claim]
    postponed: list[Claim] = field(default_factory=list)
    followed: dict[int, set[int]] = field(default_factory=dict)
    refused: dict[int, str] = field(default_factory=dict)


class Saved(Struct, frozen=True):
    """How the polls of a batch ended, and what became of its entries; *pages* are to be followed now, by source."""

    results: list[PollResult]
    report: SaveReport
    late: list[Late] = field(default_factory=list)
    pages: dict[int, list[str]] = field(default_factory=dict)
    handed: list[Claim] = field(default_factory=list)  # polls that another process ends


class Saving:
    """Holds what dedupe remembers between batches. For the one thread that saves.

    *follows* says whether this process also asks for the pages that listings name.
    """

    def __init__(self, store: Store, queues: HostQueues, *, random: Callable[[], float], follows: bool = True) -> None:
        self._store = store
        self._queues = queues
        self._follows = follows
        self._random = random
        self._memory: Memory | None = None
        self._credits: Credits | None = None
        self._floods: set[str] | None = None  # sources of which an event says so, as far as this process knows

    def save(self, batch: Batch, desk: Desk, now: datetime) -> Saved:
        """Decide what every entry is, file it, write the sources' rows, empty the inbox. Raises StoreError."""
        if not batch.read:
            return self._save_without_bodies(batch, desk, now)
        batch = replace(batch, read=self._prepared(batch.read, now))
        memory, credits = self._loaded()
        brought_by = [waiting.source for waiting, _ in batch.read]
        decided: Decided | None = None
        try:
            with self._store.read() as tx:
                decided = _decide(memory, tx, batch.read, desk, now)
                groups = credits.credit(tx, brought_by, decided.decisions, desk)
            placed = [places(one, desk) for one in batch.read]
            with self._store.write() as tx:
                tx.lock_dedupe()
                if decided.deduper is not None and not memory.is_current(tx):
                    # Somebody else saved meanwhile, perhaps the very same articles.
                    decided.undo()
                    decided = _decide(memory, tx, batch.read, desk, now)
                    groups = credits.credit(tx, brought_by, decided.decisions, desk)
                groups = _with_drops(groups, placed)
                report = _save_decisions(tx, batch.read, placed, groups, decided.missing, desk, now)
                credits.settle(tx, groups, desk.settings.publish.full_text)
                tx.stories.move(decided.moved)
                tx.stories.merge(decided.merged, now)
                full_text.queue(tx, batch.read, placed, decided.decisions)
                saved = self._save_ends(tx, batch, decided.decisions, report, desk, now)
                if saved.report.new or saved.report.copies or saved.report.updated:
                    tx.tell(CHANGED)
        except BaseException:
            if decided is not None:
                decided.undo()
            credits.undo()
            self._floods = None
            raise
        if decided.deduper is not None:
            memory.saved(report.newest_entry)
        return saved

    def _prepared(self, read: list[Read], now: datetime) -> list[Read]:
        """*read* without what is older than what is stored or under an embargo, and with the texts of pages."""
        if any(waiting.item.tries for waiting, _ in read):
            with self._store.read() as tx:
                read = _without_older(tx, read)
        read = [_held(one, now) for one in read]
        if any(full_text.concerns(waiting) for waiting, _ in read):
            with self._store.read() as tx:
                read = full_text.with_full_texts(tx, read)
        return read

    @property
    def crowded(self) -> tuple[str, ...]:
        """What dedupe could not keep in memory as long as it should, in words."""
        return self._memory.crowded if self._memory is not None else ()

    def _loaded(self) -> tuple[Memory, Credits]:
        """What decides, loaded with the first body: numpy takes a tenth of a second, and most polls bring nothing."""
        from feeds.ingest.memory import Credits, Memory

        self._memory, self._credits = self._memory or Memory(), self._credits or Credits()
        return self._memory, self._credits

    def _save_without_bodies(self, batch: Batch, desk: Desk, now: datetime) -> Saved:
        """What most batches are: nothing is decided, and nobody who decides has to wait."""
        with self._store.write() as tx:
            results = self._finish(tx, batch, [], desk.settings.poll, now)
            pages = self._pages(tx, batch, results)
        return Saved(results, SaveReport(), pages=pages)

    def _save_ends(
        self, tx: WriteTx, batch: Batch, decided: Groups, report: SaveReport, desk: Desk, now: datetime
    ) -> Saved:
        """Write how the polls of a batch ended and what its bodies say besides entries; take them out of the inbox."""
        _note_documents(tx, batch.read, decided, now)
        results = self._finish(tx, batch, decided, desk.settings.poll, now)
        self._note_floods(tx, batch.read, decided, now)
        note_hubs(tx, _hubs(batch.read, desk), now)
        queue_links(tx, batch.read)
        pages = self._pages(tx, batch, results)
        _learn(tx, batch.read, now)
        report = _kill(tx, batch.read, report, now)
        late = _late(tx, batch.read, decided)
        put_off = _put_off(tx, batch.read, now)
        tx.inbox.put_off(put_off)
        done = [waiting.item.id for waiting, _ in batch.read if waiting.item.id not in put_off]
        tx.raw_answers.keep(done, now, desk.settings.keep_raw.days)
        tx.inbox.remove(done)
        return Saved(results, report, late, pages)

    def _finish(
        self, tx: WriteTx, batch: Batch, decided: Groups, settings: PollSettings, now: datetime
    ) -> list[PollResult]:
        """Write the rows of the sources whose polls ended, with what an admin should know of it."""
        results = list(batch.ended)
        for (waiting, reading), decisions in zip(batch.read, decided, strict=True):
            result = verdict(waiting, reading, decisions, settings, self._random())
            if result is not None:
                results.append(result)
        stood = tx.sources.finish(results)
        for result in results:
            claim = batch.flight.get(result.source_id)
            if claim is not None and result.source_id in stood:
                notices.write(tx, notices.notices(claim, result), now)
        for source_id, source in tx.sources.by_ids(batch.refused).items():
            notices.write(tx, [notices.robots(source, batch.refused[source_id])], now)
        asked_to_wait = [
            _address(batch.flight.get(result.source_id))
            for result in results
            if result.error and result.state.retry_after_until
        ]
        self._postpone(tx, batch.postponed, asked_to_wait, settings, now)
        return results

    def _note_floods(self, tx: WriteTx, read: list[Read], decided: Groups, now: datetime) -> None:
        """Have the admin know of archives that came again under new ids."""
        if self._floods is None:
            self._floods = tx.events.subjects("flood")
        for (waiting, _), decisions in zip(read, decided, strict=True):
            again = sum("~" not in (decision.known_key or "~") for decision in decisions)
            if decisions and (again >= FLOOD_AT_LEAST or waiting.source.key in self._floods):
                notices.write(tx, [notices.flood(waiting.source, again, over=again < FLOOD_AT_LEAST)], now)
                change = self._floods.discard if again < FLOOD_AT_LEAST else self._floods.add
                change(waiting.source.key)

    def _pages(
        self, tx: WriteTx, batch: Batch, results: list[PollResult], handed: Iterable[int] = ()
    ) -> dict[int, list[str]]:
        """Take the pages that are done with out of the queue; gives what to follow of sources that answered."""
        tx.sources.followed(batch.followed)
        tx.page_queue.done(batch.followed)
        if not self._follows:
            return {}
        answered = {*(result.source_id for result in results if not result.error), *handed}
        listings = {id_ for id_ in answered if (claim := batch.flight.get(id_)) and _is_followed(claim.source)}
        listings |= {waiting.source.id for waiting, reading in batch.read if _is_part(waiting, reading)}
        return tx.page_queue.next(listings, FOLLOW_AT_ONCE)

    def _postpone(
        self, tx: WriteTx, postponed: list[Claim], asked: Iterable[str], settings: PollSettings, now: datetime
    ) -> None:
        """Give claims back that may not be asked now, and have all sources under a `Retry-After` wait, each its own
        while longer, so that they never come back in lockstep (criteria M9). *asked* are addresses that asked for it.
        """
        tx.sources.release(postponed)
        if settings.retry_after_scope == "url":
            return
        addresses = {*asked, *(_address(claim) for claim in postponed)}
        for scope, url in {scope_of(url, settings.retry_after_scope): url for url in addresses if url}.items():
            until = self._queues.held_until(url, now)
            if until is None:
                continue
            near = tx.sources.addresses(scope)
            held = [id_ for id_, url in near.items() if scope_of(url, settings.retry_after_scope) == scope]
            spread_s = max((until - now).total_seconds() * JITTER, len(held) * settings.gap_s)
            tx.sources.hold({id_: until + timedelta(seconds=spread_s * self._random()) for id_ in held})


class Handing(Saving):
    """In the place of `Saving` for a hand, which decides nothing: it ends polls that brought no body, and leaves every
    reading in the inbox for the process that decides.
    """

    def save(self, batch: Batch, desk: Desk, now: datetime) -> Saved:
        """End the polls that brought nothing, and give the readings of the others to the desk. Raises StoreError."""
        readings = {waiting.item.id: packed(waiting, reading) for waiting, reading in batch.read}
        without_bodies = replace(batch, read=[])
        with self._store.write() as tx:
            if readings:
                tx.inbox.hand_over(readings)
                tx.tell(READ)
            queue_links(tx, batch.read)
            results = self._finish(tx, without_bodies, [], desk.settings.poll, now)
            handed = [waiting.claim for waiting, _ in batch.read if waiting.claim is not None]
            pages = self._pages(tx, batch, results, [claim.source.id for claim in handed])
        return Saved(results, SaveReport(), pages=pages, handed=handed)


def _decide(memory: Memory, tx: ReadTx, read: list[Read], desk: Desk, now: datetime) -> Decided:
    """What each entry is, by what the store has now."""
    entries = [(waiting.source.id, reading.entries) for waiting, reading in read]
    # Of several bodies of one source, the one with the largest window counts.
    largest_last = sorted(read, key=lambda one: one[1].beside.window)
    beside = {waiting.source.id: reading.beside for waiting, reading in largest_last}
    settings = desk.settings
    decided = memory.decide(tx, entries, now=now, language=settings.language, beside=beside, limits=settings.dedupe)
    return replace(decided, decisions=full_text.quiet(read, decided.decisions))


def _is_followed(source: Source) -> bool:
    return source.kind in LISTINGS or source.full_text == "fetch"


def _is_part(waiting: Waiting, reading: Reading) -> bool:
    """Whether a sitemap that an index named was read; its pages are asked for at once, those of another index later."""
    return waiting.claim is None and reading.kind == "sitemap" and bool(reading.links)


def queue_links(tx: WriteTx, read: list[Read]) -> None:
    """Queue the pages that listings name and that are not known; those of parts of an index, too."""
    for waiting, reading in read:
        if reading.links:
            claim = waiting.claim
            known = frozenset(claim.state.item_hashes) if claim else tx.sources.links_of(waiting.source.id)
            named = {link_hash(url): url for url in reading.links}
            tx.page_queue.put(waiting.source.id, {number: url for number, url in named.items() if number not in known})


def _late(tx: WriteTx, read: list[Read], decided: Groups) -> list[Late]:
    """What came of bodies whose polls had ended before; it is added to what these polls brought."""
    pairs = zip(read, decided, strict=True)
    ends = [late(waiting, reading, decisions) for (waiting, reading), decisions in pairs]
    found = [end for end in ends if end is not None]
    for one in found:
        if one.new or one.copies or one.updated:
            tx.sources.came_late(one.source_id, new=one.new, copies=one.copies, updated=one.updated)
    return found


def _put_off(tx: WriteTx, read: list[Read], now: datetime) -> dict[int, datetime]:
    """Which bodies stay in the inbox, and until when: those of which nothing is known, and that may not come again.

    What leaves a feed while it rests does not, so some of its bodies stay; listings name their pages again.
    """
    unread = [waiting for waiting, reading in read if reading.bug or isinstance(reading.error, ParseUnfinished)]
    staying = tx.inbox.put_off_of([waiting.source.id for waiting in unread if waiting.claim is not None])
    again = {
        waiting.item.id: now + AGAIN_AFTER[waiting.item.tries]
        for waiting in unread
        if _is_tried_again(waiting, staying.get(waiting.source.id, 0))
    }
    held = {waiting.item.id: reading.error.until for waiting, reading in read if isinstance(reading.error, Embargoed)}
    return again | held


def _is_tried_again(waiting: Waiting, staying: int) -> bool:
    """Whether a body that could not be read stays, where *staying* bodies of polls of its source do already."""
    if waiting.item.tries >= len(AGAIN_AFTER):
        return False
    return waiting.claim is None or (waiting.source.kind == "feed" and staying < MOST_UNREAD)


def _without_older(tx: ReadTx, read: list[Read]) -> list[Read]:
    """*read*, but of feeds' bodies that were put off no entry that has come or changed since."""
    polled = {(waiting.source.id, entry.key) for waiting, its in read if waiting.claim for entry in its.entries}
    return [
        (waiting, _newer(tx, waiting, reading, polled) if _was_put_off(waiting) else reading)
        for waiting, reading in read
    ]


def _was_put_off(waiting: Waiting) -> bool:
    """Whether it is the document of a feed that could not be read when it came."""
    late = waiting.claim is None and waiting.item.tries > 0
    return late and waiting.source.kind == "feed" and waiting.item.asked_url is None


def _newer(tx: ReadTx, waiting: Waiting, reading: Reading, polled: set[tuple[int, str]]) -> Reading:
    id_ = waiting.source.id
    newer = tx.articles.changed_since(waiting.item.received_at, id_, [entry.key for entry in reading.entries])
    left = (entry for entry in reading.entries if entry.key not in newer and (id_, entry.key) not in polled)
    return replace(reading, entries=tuple(left))


def _with_drops(decided: Groups, placed: list[Places]) -> Groups:
    """*decided*, with the reason noted at each entry that its own source's rule drops."""

    def noted(decision: Decision, places_of: Places) -> Decision:
        never = _dropped_at_source(places_of.get(decision.entry.position) or ())
        if never is None:
            return decision
        return replace(decision, evidence=(*decision.evidence, Evidence(kind=NEVER_SHOWN, detail=never.reason)))

    return [tuple(noted(one, places_of) for one in some) for some, places_of in zip(decided, placed, strict=True)]


def _dropped_at_source(placements: Sequence[Placement]) -> Placement | None:
    never = dropped(placements)
    return never if never is not None and never.by == DROPPED_AT_SOURCE else None


def _save_decisions(
    tx: WriteTx,
    read: list[Read],
    placed: list[Places],
    decided: Groups,
    missing: frozenset[tuple[int, str]],
    desk: Desk,
    now: datetime,
) -> SaveReport:
    """Save what was decided, with the placements of all entries of an article together."""
    placements: dict[str, list[Placement] | None] = {}
    ranks: dict[str, datetime] = {}
    for (waiting, reading), decisions, places_of in zip(read, decided, placed, strict=True):
        for decision in decisions:
            uid = decision.article_uid
            found = places_of.get(decision.entry.position, ())
            if found is not None:
                placements[uid] = [*(placements.get(uid) or ()), *found]
            else:
                placements.setdefault(uid, None)
            place = rank(decision.entry, waiting, reading.entries, now)
            ranks[uid] = min(place, ranks.get(uid, place))
    everything = [decision for decisions in decided for decision in decisions]
    for uid in {one.article_uid for one in everything if one.kind in ("copy", "updated")}:
        if _dropped_at_source(together := placements[uid] or []):
            together += _of_others(tx, uid, everything, desk)
    return tx.articles.save(everything, now, placements=placements, ranks=ranks, missing=missing)


def _of_others(tx: WriteTx, uid: str, decisions: Sequence[Decision], desk: Desk) -> list[Placement]:
    """Where the stored copies of a filed article that *decisions* say nothing of belong: what one source's rule drops
    may come from another, whichever came first.
    """
    if not tx.articles.filings_of(uid):
        return []
    new = {(one.source_id, one.known_key or one.entry.key) for one in decisions}
    stored = [one for one in tx.articles.entries_of(uid) if (one.source.id, one.entry.key) not in new]
    return [place for one in stored for place in desk.filing_rules.place(one.entry, one.source)]


def _note_documents(tx: WriteTx, read: list[Read], decided: Groups, now: datetime) -> None:
    """Open an event for each document that came by itself and could not be read, and close those of the others."""
    for (waiting, reading), decisions in zip(read, decided, strict=True):
        if waiting.claim is not None:
            continue
        url, source = waiting.item.final_url, waiting.source
        if waiting.item.asked_url is not None:
            _allowed_again(tx, source, now)
        if full_text.is_article(waiting):
            continue
        if source.removed == "retract" and not reading.error:
            name = files.printable(url.removeprefix("file:"))
            keys = {one.entry.key: one.known_key or one.entry.key for one in decisions}
            tx.folder_files.brought(source.id, name_hash(name), keys)
        if reading.error is None:
            tx.events.close("document", f"{source.key}:{url}", now)
        else:
            text = f"{source.name}: {url}: {reading.error.cause}"
            tx.events.add("document", f"{source.key}:{url}", text=text, remedy=reading.error.remedy, now=now)


def _allowed_again(tx: WriteTx, source: Source, now: datetime) -> None:
    """An article page of *source* has come; where others are refused, that is told once a day."""
    since = tx.events.since("robots", source.key)
    if since is not None and now - since > timedelta(days=1):
        tx.events.close("robots", source.key, now)


def _learn(tx: WriteTx, read: list[Read], now: datetime) -> None:
    """Keep what was seen of the lines that recur in what sources and sites show."""
    shown: dict[str, list[Shown]] = {}
    for waiting, reading in read:
        if reading.shown:
            shown.setdefault(recurs_in(waiting.source, waiting.item), []).extend(reading.shown)
    before = tx.furniture.states(shown) if shown else {}
    learnt = {name: of_blob(before.get(name, b"")).with_(seen).blob() for name, seen in shown.items()}
    tx.furniture.learn({name: state for name, state in learnt.items() if state != before.get(name)}, now)


def _held(one: Read, now: datetime) -> Read:
    """A body, without what it says where it is under an embargo."""
    waiting, reading = one
    held = reading.embargo is not None and reading.embargo > now
    return (waiting, Reading(error=Embargoed(reading.embargo))) if held and reading.embargo else one


def _kill(tx: WriteTx, read: list[Read], report: SaveReport, now: datetime) -> SaveReport:
    """Take back what agencies kill; *report* with what that changed."""
    reason = "taken back by its agency"
    killed = sum(
        tx.articles.kill(waiting.source.id, key, reason, now) for waiting, reading in read for key in reading.killed
    )
    return replace(report, updated=report.updated + killed)


def _hubs(read: list[Read], desk: Desk) -> list[tuple[int, Discovered]]:
    """The hubs that polled feeds name. What needs a secret to be read comes from no public hub."""
    return [
        (waiting.source.id, named)
        for waiting, reading in read
        if waiting.claim and waiting.source.kind == "feed" and not desk.keeps_secret(waiting.source)
        if (named := hub_of(waiting.answer, reading)) is not None
    ]


def _address(claim: Claim | None) -> str:
    return "" if claim is None else claim.state.adopted_url or claim.source.target
