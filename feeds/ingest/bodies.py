"""A body on its way from the inbox through its reading to the save: what it is, and what its reader is told. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import xxhash

from feeds.ingest.reading import Job, Reader, Reading
from feeds.model import Answer, Request, Settings, Source
from feeds.store.values import Claim, InboxItem, SourceState
from feeds.urls import host_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A body in the inbox and the poll that it ends; *claim* is None where the poll has ended already."""

    item: InboxItem
    source: Source
    claim: Claim | None
    first: bool
    answer: Answer
    body_hash: str


Read = tuple[Waiting, Reading]
"""A body, and what it said."""


class Readers(Protocol):
    """Where bodies are read: parse workers in processes, or in this one (tests)."""

    @property
    def pending(self) -> int: ...
    def submit(self, job: Job, tag: object) -> None: ...
    def done(self, wait_s: float = 0.0, most: int = 256) -> list[tuple[object, Reading]]: ...


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
    """The task to read *one*; *state* tells which of a feed's items were seen at the last poll, *learnt* what recurs
    in `recurs_in`.
    """
    seen = state.state if state and one.source.kind == "feed" else SourceState()
    return Job(
        reader=_reader(one.source, one.item),
        body=body,
        url=one.item.final_url,
        source=replace(one.source, headers=()),
        received_at=one.item.received_at,
        desk_language=settings.language,
        desk_timezone=settings.timezone,
        content_type=one.answer.header("content-type"),
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
    )


def body_hash(body: bytes) -> str:
    """By which a body that came before is known."""
    return xxhash.xxh3_128_hexdigest(body)


def _reader(source: Source, item: InboxItem) -> Reader:
    if source.kind == "files":
        return "document"
    if source.kind == "feed" or item.pushed:
        return "feed"
    # Of a page or sitemap source the address itself lists; everything else that it brings is an article page.
    listed = item.claim_id != ""
    return ("listing" if source.kind == "page" else "sitemap") if listed else "page"
