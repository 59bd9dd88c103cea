"""What a hand gives to the desk: a body's reading as the inbox keeps it, and the saving that a hand does by itself.

A hand decides nothing. It ends polls that brought no body, and leaves every reading in the inbox for the process that
decides. The form is JSON and no pickle: what comes out of a database must not be able to run.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from typing import Any

from feeds import errors
from feeds.codec import deflate, inflate, plain, restore
from feeds.configuration import Source
from feeds.errors import DeskError, ParseError
from feeds.ingest.batches import Batch, Saved, Saving, queue_links
from feeds.ingest.bodies import Read, Waiting
from feeds.ingest.desk import Desk
from feeds.ingest.reading import Reading
from feeds.parsed import Answer, Request
from feeds.store.values import Claim, InboxItem, SaveReport

_KINDS = {kind.__name__: kind for kind in (errors.DeskError, errors.ParseError, errors.ParseUnfinished)}


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
        told["error"] = [type(reading.error).__name__, reading.error.cause, reading.error.remedy]
    return deflate(json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass"))


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
    return waiting, replace(restore(Reading, told["reading"]), error=_error(told.get("error")))


def _error(told: list[str] | None) -> DeskError | None:
    if told is None:
        return None
    name, cause, remedy = told
    return _KINDS.get(name, ParseError)(cause, remedy=remedy)


class Handing(Saving):
    """In the place of `Saving` for a hand."""

    def save(self, batch: Batch, desk: Desk, now: datetime) -> Saved:
        """End the polls that brought nothing, and give the readings of the others to the desk. Raises StoreError."""
        readings = {waiting.item.id: packed(waiting, reading) for waiting, reading in batch.read}
        without_bodies = replace(batch, read=[])
        with self._store.write() as tx:
            tx.inbox.hand_over(readings)
            queue_links(tx, batch.read)
            results = self._finish(tx, without_bodies, [], desk.settings.poll, now)
            handed = [waiting.claim for waiting, _ in batch.read if waiting.claim is not None]
            pages = self._pages(tx, batch, results, [claim.source.id for claim in handed])
        return Saved(results, SaveReport(), pages=pages, handed=handed)
