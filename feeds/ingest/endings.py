"""How polls end once their bodies were read and decided, and the one line that says so. Pure but for the log."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from feeds.fetch.cadence import Ours
from feeds.ingest import verdicts
from feeds.ingest.bodies import Waiting
from feeds.ingest.follows import link_hash
from feeds.ingest.reading import Reading
from feeds.model import Decision, PollSettings, Validators
from feeds.store.values import PollResult
from feeds.urls import masked

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """What became of a body whose poll had ended before: a document of a folder, a push, a page that was followed."""

    source_id: int
    name: str
    document: str
    new: int = 0
    copies: int = 0
    updated: int = 0
    error: str = ""
    remedy: str = ""


def verdict(
    waiting: Waiting, reading: Reading, decisions: tuple[Decision, ...], settings: PollSettings, jitter: float
) -> PollResult | None:
    """What a body that was read means for its source; None where the poll has ended already."""
    if waiting.claim is None:
        return None
    if reading.error is not None:
        at = waiting.answer.received_at
        ours: Ours = "fault" if reading.bug else ""
        return verdicts.failed(waiting.claim, reading.error, at=at, settings=settings, jitter=jitter, ours=ours)
    if reading.links:
        listed = {link_hash(url) for url in reading.links}
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
        waiting.claim, waiting.answer, reading, got, waiting.body_hash, settings=settings, jitter=jitter
    )
    if reading.broken_off:
        # The rest comes with the next answer, which must be read then though it be the same.
        result = replace(result, state=replace(result.state, validators=Validators(), body_hash=None))
    return result


def tell_reading(waiting: Waiting, reading: Reading) -> None:
    """Say what needs saying of a body that is done."""
    if reading.bug:
        log.error(
            "a fault of ours reading source=%s url=%s\n%s", waiting.source.name, waiting.item.final_url, reading.bug
        )
    elif reading.error is not None and waiting.claim is None:
        log.warning("source=%s document=%s: %s", waiting.source.name, waiting.item.final_url, reading.error)
    for note in reading.notes:
        log.debug("source=%s %s", waiting.source.name, note)


def late(waiting: Waiting, reading: Reading, decisions: Sequence[Decision]) -> Late | None:
    """What a body brought whose poll had ended before it was read; None where it ends the poll itself."""
    if waiting.claim is not None:
        return None
    kinds = Counter(decision.kind for decision in decisions)
    return Late(
        source_id=waiting.source.id,
        name=waiting.source.name,
        document=masked(waiting.item.final_url),
        new=kinds["new"],
        copies=kinds["copy"],
        updated=kinds["updated"],
        error=reading.error.cause if reading.error else "",
        remedy=reading.error.remedy if reading.error else "",
    )


def tell_late(one: Late) -> None:
    """The line of a body whose poll had ended before; one that failed has a line already."""
    if not one.error:
        log.info(
            "read source=%s document=%s new=%d copies=%d updated=%d",
            one.name,
            one.document,
            one.new,
            one.copies,
            one.updated,
        )


def tell(result: PollResult) -> None:
    """The one line a poll."""
    if result.error:
        log.warning(
            "source=%s outcome=%s error=%r remedy=%r next=%s",
            result.name,
            result.outcome,
            result.error,
            result.remedy,
            result.next_poll_at.isoformat(timespec="seconds"),
        )
    else:
        log.info(
            "polled source=%s outcome=%s new=%d copies=%d updated=%d ms=%.0f",
            result.name,
            result.outcome,
            result.new,
            result.copies,
            result.updated,
            result.seconds * 1000,
        )
