"""What the end of a poll means for its source: the row that is written, and the one line that says so.
Pure but for the log; the time and the jitter are arguments.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any
from zlib import crc32

from msgspec import Struct
from msgspec.structs import replace

from feeds.condition import SourceState
from feeds.configuration import PollSettings
from feeds.errors import DeskError, FetchError
from feeds.fetch.cadence import Plan, plan
from feeds.fetch.headers import freshness_s, retry_after_s
from feeds.fetch.rhythm import Ours, Poll, PollOutcome
from feeds.ingest.bodies import Waiting, body_hash
from feeds.ingest.host_queues import link_hash
from feeds.ingest.reading import Reading
from feeds.model import Decision
from feeds.parsed import Answer, Redirect, Validators
from feeds.store.values import Claim, PollResult
from feeds.urls import masked

log = logging.getLogger(__name__)

FULL_CHECK_EVERY = timedelta(days=7)
"""How often a source with validators is asked without them, for some answer 304 for ever; up to a quarter later, each
source at its own time."""

DISTRUST_FOR = timedelta(days=30)
"""How long validators that lied are left out before they are tried again."""

ADOPTED_FAILURES = 3
"""Failures after which the address of config is asked again in place of the one that it redirected to."""

EARLIER = timedelta(hours=1)

ADOPT_AFTER = timedelta(days=3)
ADOPT_SIGHTINGS = 4


class Brought(Struct, frozen=True, kw_only=True):
    """What a read body brought after dedupe, in numbers, with the dates of what is new."""

    new: int = 0
    copies: int = 0
    updated: int = 0
    published: tuple[datetime, ...] = ()

    @classmethod
    def of(cls, decisions: Sequence[Decision]) -> Brought:
        """Count what was decided."""
        kinds = Counter(decision.kind for decision in decisions)
        fresh = [decision.entry.published for decision in decisions if decision.kind in ("new", "copy")]
        dates = tuple(published for published in fresh if published)
        return cls(new=kinds["new"], copies=kinds["copy"], updated=kinds["updated"], published=dates)


NOTHING = Brought()


def validators_to_send(claim: Claim, now: datetime) -> Validators:
    """The stored validators, unless the source is set to ignore them, or a full check is due."""
    if claim.source.ignore_validators or _distrusted_at(claim.state, now) or _full_check(claim, now):
        return Validators()
    return claim.state.validators


def _full_check(claim: Claim, now: datetime) -> bool:
    late = 1 + crc32(claim.source.key.encode()) / 2**32 / 4
    return claim.state.last_full_at is not None and now - claim.state.last_full_at > FULL_CHECK_EVERY * late


def _distrusted_at(state: SourceState, now: datetime) -> datetime | None:
    """Since when the validators are left out, None where they are trusted (again)."""
    since = state.distrusted_at
    return since if since is not None and now - since < DISTRUST_FOR else None


def at_fetch(
    claim: Claim, outcome: Answer | FetchError, *, at: datetime, settings: PollSettings, jitter: float, ours: Ours
) -> PollResult | None:
    """The verdict on a poll that ends without a body to read; None where there is one."""
    if isinstance(outcome, FetchError):
        return failed(claim, outcome, at=at, settings=settings, jitter=jitter, ours=ours)
    if outcome.status == 410:
        return gone(claim, outcome, settings=settings, jitter=jitter)
    if outcome.status == 304:
        return unchanged(claim, outcome, outcome="not-modified", settings=settings, jitter=jitter)
    if body_hash(outcome.body) == claim.state.body_hash:
        return unchanged(claim, outcome, outcome="same", settings=settings, jitter=jitter)
    return None


def unchanged(
    claim: Claim, answer: Answer, *, outcome: PollOutcome, settings: PollSettings, jitter: float
) -> PollResult:
    """The verdict on an answer that ends at fetch: 304, or a body whose hash is known (outcome ``same``)."""
    changes: dict[str, Any] = {}
    if answer.status == 304:
        # RFC 9111 §4.3.4: a 304 updates what it carries and leaves the rest.
        kept, given = claim.state.validators, answer.validators
        validators = Validators(etag=given.etag or kept.etag, last_modified=given.last_modified or kept.last_modified)
        if validators != kept:
            changes["validators"] = validators
    else:
        changes |= _validators_of(answer)
    return _answered(claim, answer, _poll(answer, outcome), settings, jitter, changes)


def brought(
    claim: Claim,
    answer: Answer,
    reading: Reading,
    got: Brought,
    body_hash: str,
    *,
    settings: PollSettings,
    jitter: float,
) -> PollResult:
    """The verdict on a body that was read: its validators are stored only now (criteria A4)."""
    before = claim.state
    poll = _poll(
        answer,
        "new" if got.new or got.copies else "same",
        new=got.new + got.copies,
        window=reading.beside.window,
        first=not before.first_poll_done,
        published=got.published,
        hints=reading.hints,
    )
    changes = _validators_of(answer) | {
        "body_hash": body_hash,
        "item_hashes": reading.item_hashes,
        "item_marks": reading.item_marks,
        "first_poll_done": True,
        "last_new_at": poll.at if got.new else before.last_new_at,
    }
    if _lied(claim, answer, got):
        changes["distrusted_at"] = poll.at
    return _answered(claim, answer, poll, settings, jitter, changes, got)


def _validators_of(answer: Answer) -> dict[str, Any]:
    """What a whole answer changes in a source's state."""
    return {
        "validators": answer.validators,
        "validators_url": answer.final_url,
        "last_full_at": answer.received_at,
    }


def _lied(claim: Claim, answer: Answer, got: Brought) -> bool:
    """Whether the stored validators are shown to be wrong: the same ones with other articles, or 304 when there were.

    Bytes alone may differ under a weak ETag (RFC 9110 §8.8.1), and pages are stamped with the time; articles tell.
    """
    before, at = claim.state, answer.received_at
    if not before.validators or not (got.new or got.copies or got.updated):
        return False
    if (answer.validators, answer.final_url) == (before.validators, before.validators_url):
        return True
    # A full check finds what must have been there when the origin last said that nothing had changed.
    asked_at = before.last_poll_at if before.last_outcome == "not-modified" and _full_check(claim, at) else None
    return asked_at is not None and any(date < asked_at - EARLIER for date in got.published)


def looked(
    claim: Claim, states: tuple[int, ...], *, found: int, waiting: int, at: datetime, wait_s: float
) -> PollResult:
    """The verdict on a look into a folder; the files found wait in the inbox."""
    state = replace(
        claim.state,
        item_hashes=states,
        first_poll_done=True,
        interval_s=wait_s,
        failures=0,
        next_poll_at=at + timedelta(seconds=wait_s),
        last_poll_at=at,
        last_ok_at=at,
        last_new_at=at if found else claim.state.last_new_at,
        last_outcome="new" if found else "not-modified",
        last_error="",
        last_remedy="",
    )
    reason = f"{waiting} files are still being written" if waiting else "a look into a folder costs nothing"
    return _result(claim, state, at, reason)


def failed(
    claim: Claim, error: DeskError, *, at: datetime, settings: PollSettings, jitter: float, ours: Ours = ""
) -> PollResult:
    """The verdict on a fetch or a body that failed; validators and everything known stay as they were.

    *ours*: it is this machine's network that fails, or the desk itself, which is held against no source.
    """
    # A body that can't be read will hardly be better in a minute, yet often is within hours.
    poll = Poll(at=at, outcome="failed", failure="soft", ours=ours)
    if not isinstance(error, FetchError):
        return _failure(claim, poll, error, 200, settings, jitter)
    # Asked too often: without a Retry-After the remedy is to ask less often, not again in a minute.
    kind = "soft" if error.status == 429 else error.kind
    ours = "" if error.status is not None else ours
    poll = replace(poll, failure=kind, retry_after_s=error.retry_after_s, ours=ours)
    return _failure(claim, poll, error, error.status, settings, jitter)


def gone(claim: Claim, answer: Answer, *, settings: PollSettings, jitter: float) -> PollResult:
    """The verdict on 410: asking stops but for a rare look, and the admin reads of it (criteria B3)."""
    error = DeskError(
        "the source is gone: its server answers 410",
        remedy="take it out of sources.yaml, or set `enabled: false`; it is looked at once a month",
    )
    result = _failure(claim, Poll(at=answer.received_at, outcome="gone"), error, 410, settings, jitter)
    return replace(result, state=replace(result.state, gone_at=claim.state.gone_at or answer.received_at))


def _failure(
    claim: Claim, poll: Poll, error: DeskError, status: int | None, settings: PollSettings, jitter: float
) -> PollResult:
    chosen = _plan(claim, poll, settings, jitter)
    held = poll.at + timedelta(seconds=poll.retry_after_s) if poll.retry_after_s is not None else None
    state = replace(
        claim.state,
        adopted_url=claim.state.adopted_url if chosen.failures < ADOPTED_FAILURES else None,
        last_error=error.cause,
        last_remedy=error.remedy,
        retry_after_until=min(held, chosen.next_poll_at) if held else None,
        **_polled(poll, chosen, status),
    )
    return _result(claim, state, poll.at, chosen.reason)


def _answered(
    claim: Claim,
    answer: Answer,
    poll: Poll,
    settings: PollSettings,
    jitter: float,
    changes: Mapping[str, Any],
    got: Brought = NOTHING,
) -> PollResult:
    """The verdict on any answer; *changes* are what only this one changes in the source's state."""
    chosen, before = _plan(claim, poll, settings, jitter), claim.state
    state = replace(
        before,
        last_ok_at=poll.at,
        last_error="",
        last_remedy="",
        retry_after_until=chosen.next_poll_at if chosen.reason.startswith("Retry-After") else None,
        gone_at=None,
        **{"distrusted_at": _distrusted_at(before, poll.at), **changes},
        **_redirected(before, answer.redirects, poll.at),
        **_polled(poll, chosen, answer.status),
    )
    result = _result(claim, state, poll.at, chosen.reason)
    return replace(
        result,
        new=got.new,
        copies=got.copies,
        updated=got.updated,
        wire_bytes=answer.wire_bytes,
        seconds=answer.seconds,
    )


def _poll(answer: Answer, outcome: PollOutcome, **more: Any) -> Poll:
    """What the cadence is to know of a poll that was answered."""
    at, headers = answer.received_at, answer.headers
    fresh_s, wait_s = freshness_s(headers, at), retry_after_s(headers, at)
    return Poll(at=at, outcome=outcome, fresh_s=fresh_s, retry_after_s=wait_s, **more)


def _plan(claim: Claim, poll: Poll, settings: PollSettings, jitter: float) -> Plan:
    return plan(
        poll,
        failures=claim.state.failures,
        interval_s=claim.state.interval_s,
        memory=claim.state.rhythm,
        settings=settings,
        configured_s=claim.source.interval_s,
        pushed=claim.pushed,
        jitter=jitter,
    )


def _polled(poll: Poll, chosen: Plan, status: int | None) -> dict[str, Any]:
    """What any poll changes in a source's state."""
    return {
        "interval_s": chosen.interval_s,
        "failures": chosen.failures,
        "rhythm": chosen.memory,
        "next_poll_at": chosen.next_poll_at,
        "last_poll_at": poll.at,
        "last_status": status,
        "last_outcome": poll.outcome,
    }


def _redirected(state: SourceState, redirects: tuple[Redirect, ...], at: datetime) -> dict[str, Any]:
    """Count sightings of a wholly permanent chain; adopt its target when seen often enough over days (criteria D3).

    Gives what changes in *state*.
    """
    forgotten = {"redirect_target": None, "redirect_first_seen": None, "redirect_count": 0}
    permanent = list(takewhile(lambda hop: hop.status in (301, 308), redirects))
    if not permanent:
        return forgotten if state.redirect_target is not None else {}
    target = permanent[-1].target
    if permanent[0].url.startswith("http://") and target == "https://" + permanent[0].url.removeprefix("http://"):
        return {"adopted_url": target, **forgotten}
    if target != state.redirect_target or state.redirect_first_seen is None:
        return {"redirect_target": target, "redirect_first_seen": at, "redirect_count": 1}
    count = state.redirect_count + 1
    if count >= ADOPT_SIGHTINGS and at - state.redirect_first_seen >= ADOPT_AFTER:
        return {"adopted_url": target, **forgotten}
    return {"redirect_count": count}


def _result(claim: Claim, state: SourceState, at: datetime, reason: str) -> PollResult:
    return PollResult(
        source_id=claim.source.id,
        name=claim.source.name,
        claim_id=claim.claim_id,
        at=at,
        outcome=state.last_outcome,
        state=state,
        before=claim.state,
        next_poll_at=state.next_poll_at or at,
        error=state.last_error,
        remedy=state.last_remedy,
        reason=reason,
    )


class Late(Struct, frozen=True, kw_only=True):
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
        return failed(waiting.claim, reading.error, at=at, settings=settings, jitter=jitter, ours=ours)
    if reading.links:
        listed = {link_hash(url) for url in reading.links}
        # What is followed now counts once it has arrived: see `Sources.followed`. Of an index it stands in its parts.
        followed = waiting.claim.state.item_hashes
        known = frozenset(followed) if reading.kind == "sitemapindex" else listed.intersection(followed)
        reading = replace(reading, item_hashes=tuple(sorted(known)))
    got = Brought.of(decisions)
    result = brought(waiting.claim, waiting.answer, reading, got, waiting.body_hash, settings=settings, jitter=jitter)
    if reading.broken_off:
        # The rest comes with the next answer, which must be read then though it be the same.
        result = replace(result, state=replace(result.state, validators=Validators(), body_hash=None))
    return result


def log_reading(waiting: Waiting, reading: Reading) -> None:
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


def log_late(one: Late) -> None:
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


def log_poll(result: PollResult) -> None:
    """The one line a poll; none that people see where it is this machine's network that fails, which is told once."""
    held = result.before is None or result.state.failures > result.before.failures or result.outcome != "failed"
    if result.error and not held:
        log.debug("source=%s not reached: %s", result.name, result.error)
    elif result.error:
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
