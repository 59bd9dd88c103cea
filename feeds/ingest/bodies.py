"""A body on its way from its arrival through the inbox to its reader: what it is, what its reader needs to know, and
what a hand gives to the desk of it. `InFlight` and `Intake` hold state and write the store; all else is pure.
"""

from __future__ import annotations

import json
import time
from datetime import datetime, timedelta
from typing import Any, Protocol

import xxhash
from msgspec import Struct
from msgspec.structs import replace

from feeds.codec import compact_json, deflate, inflate, plain, restore
from feeds.condition import SourceState
from feeds.configuration import DOCUMENTS, Settings, Source
from feeds.ingest.desk import Desk
from feeds.ingest.reading import Job, Reader, Reading, error_as_words, error_from_words
from feeds.parsed import Answer, Request
from feeds.store import Store
from feeds.store.values import Claim, InboxItem, PollResult
from feeds.urls import host_of


class Waiting(Struct, frozen=True, kw_only=True):
    """A body in the inbox and the poll that it ends; *claim* is None where the poll has ended already."""

    item: InboxItem
    source: Source
    claim: Claim | None
    first: bool
    answer: Answer
    body_hash: str


Arrived = tuple[Claim | None, Answer]
"""A body to keep, with the claim whose poll it ends; None for an article page that was followed."""

Read = tuple[Waiting, Reading]
"""A body, and what it said."""

LEASE_S = 600.0
"""How long a claim holds; one whose poll takes longer is held on to."""


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


class Readers(Protocol):
    """Where bodies are read: parse workers in processes, or in this one (tests)."""

    @property
    def pending(self) -> int: ...
    def submit(self, job: Job, tag: object) -> None: ...
    def done(self, wait_s: float = 0.0, most: int = 256) -> list[tuple[object, Reading]]: ...


class Intake:
    """Puts bodies into the inbox, then hands them to the readers. What a StoreError stops is tried again."""

    def __init__(self, store: Store, readers: Readers, flight: InFlight) -> None:
        self._store = store
        self._readers = readers
        self._flight = flight
        self.arrived: list[Arrived] = []
        self._unconfirmed = False  # bodies were put into the inbox, and are there or not
        self._unread: list[tuple[Waiting, bytes, Claim | None]] = []

    def __len__(self) -> int:
        """Bodies that have not reached a reader."""
        return len(self.arrived) + len(self._unread)

    def keep(self, desk: Desk) -> None:
        """Put what has arrived into the inbox. Raises StoreError."""
        if not self.arrived:
            return
        items = [arrived(answer.request.source_id, claim, answer) for claim, answer in self.arrived]
        again, self._unconfirmed = self._unconfirmed, True
        with self._store.write() as tx:
            ids = tx.inbox.put(items, again=again)
            followed = [answer.request.source_id for claim, answer in self.arrived if claim is None]
            sources = {id_: claim.source for id_, claim in tx.sources.claims_of(followed).items()}
        kept, self.arrived, self._unconfirmed = self.arrived, [], False
        for item, id_, (claim, answer) in zip(items, ids, kept, strict=True):
            source = claim.source if claim else sources[item.source_id]
            # What stands on a later page of a list is old, like what a first answer brings.
            first = not claim.state.first_poll_done if claim is not None else answer.request.tag == "next"
            self.add(replace(item, id=id_), desk.completed(source), claim, first=first, state=claim, answer=answer)

    def add(
        self,
        item: InboxItem,
        source: Source,
        claim: Claim | None,
        *,
        first: bool,
        state: Claim | None = None,
        answer: Answer | None = None,
    ) -> None:
        """Have *item* of the inbox read; *claim* is that of the poll that it ends, *state* has what was seen before."""
        self._flight.begun(item.id, source.id, claim)
        tag = waiting(item, source, claim, first=first, answer=answer)
        self._unread.append((tag, item.body, state))

    def hand_over(self, settings: Settings) -> None:
        """Give the readers what has come, each body with what was learnt of the lines that recur where it is from.

        Raises StoreError.
        """
        scopes = [recurs_in(tag.source, tag.item) for tag, _, _ in self._unread]
        learnt: dict[str, bytes] = {}
        if any(scopes):
            with self._store.read() as tx:
                learnt = tx.furniture.states(sorted({scope for scope in scopes if scope}))
        unread, self._unread = self._unread, []
        for (tag, body, state), scope in zip(unread, scopes, strict=True):
            self._readers.submit(job(tag, body, settings, state, learnt.get(scope, b"")), tag)


def waiting(item: InboxItem, source: Source, claim: Claim | None, *, first: bool, answer: Answer | None) -> Waiting:
    """What stays here of a body while it is read; without its *answer* the inbox says how it came."""
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
    return Waiting(
        # The body is on its way to a worker and safe in the inbox: it need not stay here as well.
        item=replace(item, body=b""),
        source=source,
        claim=claim,
        first=first,
        answer=replace(answer, body=b""),
        body_hash=body_hash(item.body),
    )


def job(one: Waiting, body: bytes, settings: Settings, state: Claim | None, learnt: bytes = b"") -> Job:
    """The task to read *one*; *state* has the items of a feed that the last poll saw, *learnt* what recurs in
    `recurs_in`.
    """
    seen = state.state if state and one.source.has_entries else SourceState()
    return Job(
        reader=_reader(one.source, one.item),
        body=body,
        url=one.item.final_url,
        source=replace(one.source, headers=(), post=""),
        received_at=one.item.received_at,
        desk_language=settings.language,
        desk_timezone=settings.timezone,
        content_type=one.answer.content_type,
        name=one.item.final_url.removeprefix("file:"),
        item_hashes=seen.item_hashes,
        item_marks=seen.item_marks,
        learnt=learnt,
    )


def recurs_in(source: Source, item: InboxItem) -> str:
    """Within what lines of a body may recur: its source, or the site of a page; ``""`` for what is neither."""
    reader = _reader(source, item)
    if reader == "page":
        return f"site:{host_of(item.final_url)}"
    return f"source:{source.id}" if reader == "feed" else ""


def arrived(source_id: int, claim: Claim | None, answer: Answer) -> InboxItem:
    """An answer as the inbox keeps it, not yet with its number there; *claim* is that of the poll that it ends."""
    return InboxItem(
        id=0,
        source_id=source_id,
        claim_id=claim.claim_id if claim else "",
        received_at=answer.received_at,
        final_url=answer.final_url,
        status=answer.status,
        headers=answer.headers,
        validators=answer.validators,
        body=answer.body,
        pushed=False,
        asked_url=answer.request.url if answer.request.tag == "follow" else None,
    )


def body_hash(body: bytes) -> str:
    """By which a body that came before is known."""
    return xxhash.xxh3_128_hexdigest(body)


def _reader(source: Source, item: InboxItem) -> Reader:
    if source.kind in DOCUMENTS:
        return "document" if source.kind == "files" else "letter"
    if item.asked_url is not None:
        return "page"
    if source.select is not None:
        return "selected"
    if source.kind == "feed" or item.pushed:
        return "feed"
    # Of a page or sitemap source the address itself lists; everything else that it brings is an article page.
    listed = item.claim_id != ""
    return ("listing" if source.kind == "page" else "sitemap") if listed else "page"


# ---------------------------------------------------------------- from a hand to the desk


def packed(waiting: Waiting, reading: Reading) -> bytes:
    """A reading with all that the desk needs to know of its body. Addresses in it are redacted."""
    # The request may hold secrets, and nothing after this asks for it.
    answer = replace(waiting.answer, request=Request(source_id=waiting.source.id, url=""))
    told: dict[str, Any] = {
        "answer": plain(answer),
        "body_hash": waiting.body_hash,
        "first": waiting.first,
        # Who has the links of a list follows them: the hand.
        "reading": plain(replace(reading, error=None, next_page=None)),
    }
    if reading.error is not None:
        told["error"] = error_as_words(reading.error)
    return deflate(compact_json(told).encode("utf-8", "surrogatepass"))


def unpacked(item: InboxItem, blob: bytes, source: Source, claim: Claim | None) -> Read:
    """What `packed` was given, with the *claim* of the poll that it ends where that stands still."""
    told = json.loads(inflate(blob))
    waiting = Waiting(
        item=item,
        source=source,
        claim=claim,
        first=told["first"],
        answer=restore(Answer, told["answer"]),
        body_hash=told["body_hash"],
    )
    error = error_from_words(told["error"]) if "error" in told else None
    return waiting, replace(restore(Reading, told["reading"]), error=error)
