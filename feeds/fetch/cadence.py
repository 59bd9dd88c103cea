"""When to ask a source next. Pure: what the poll brought and what is remembered go in, the next time comes out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from feeds.errors import FailureKind
from feeds.model import Hints, PollSettings

PollOutcome = Literal["new", "same", "not-modified", "failed", "gone"]

BACKOFF_S: dict[FailureKind, float] = {"temporary": 300, "soft": 3600, "hard": 6 * 3600}
BACKOFF_CAP_S: dict[FailureKind, float] = {"temporary": 86400, "soft": 7 * 86400, "hard": 30 * 86400}
RETRY_AFTER_CAP_S = 86400.0
JITTER = 0.1
"""Share of an interval by which a wake-up may come later, so that sources never run in lockstep (criteria B6)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """What one poll brought. *window* counts the entries the document held, *new* those never seen before.

    *published* are the dates of the new entries; *fresh_s* is what Cache-Control or Expires still allow (RFC 9111
    §4.2); *hints* what the document declares.
    """

    at: datetime
    outcome: PollOutcome
    new: int = 0
    window: int = 0
    first: bool = False
    published: tuple[datetime, ...] = ()
    fresh_s: float | None = None
    hints: Hints | None = None
    failure: FailureKind | None = None
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """When to ask next and why. *memory* is this module's own JSON, handed back at the next poll."""

    next_poll_at: datetime
    interval_s: float
    failures: int
    memory: str
    reason: str


def plan(
    poll: Poll,
    *,
    failures: int = 0,
    interval_s: float | None = None,
    memory: str = "",
    settings: PollSettings,
    configured_s: float | None = None,
    jitter: float = 0.0,
) -> Plan:
    """Return the next time for a source, given the interval and failures before this *poll*.

    *configured_s* is the admin's own interval, which rules out guessing but neither `Retry-After` nor back-off.
    *jitter* is a random number in [0, 1).
    """
    usual = configured_s or interval_s or settings.first_s
    if poll.outcome == "gone":
        return _at(
            poll, BACKOFF_CAP_S["hard"], usual, failures + 1, memory, "gone (410): asked again once a month", 0.0
        )
    if poll.outcome == "failed":
        kind = poll.failure or "temporary"
        wait = min(BACKOFF_S[kind] * 2 ** min(failures, 20), BACKOFF_CAP_S[kind])
        reason = f"{kind} failure number {failures + 1}"
        if poll.retry_after_s is not None:
            asked = min(poll.retry_after_s, RETRY_AFTER_CAP_S)
            wait, reason = max(asked, wait if kind == "hard" else 0.0), f"Retry-After {asked:.0f} s"
        return _at(poll, wait, usual, failures + 1, memory, reason, jitter)
    if configured_s is not None:
        return _at(poll, configured_s, configured_s, 0, memory, "interval_s in config", jitter)
    usual = usual * 0.7 if poll.new and not poll.first else usual * (1.0 if poll.first else 1.25)
    reason = "new entries: sooner" if poll.new else "nothing new: later"
    for floor_s, why in _declared(poll):
        if floor_s > usual:
            usual, reason = floor_s, why
    interval = min(max(usual, settings.floor_s), settings.ceiling_s)
    return _at(poll, interval, interval, 0, memory, reason, jitter)


def _declared(poll: Poll) -> list[tuple[float, str]]:
    """What origin and document ask for, in seconds, with its name."""
    asked: list[tuple[float, str]] = []
    if poll.fresh_s is not None:
        asked.append((poll.fresh_s, "Cache-Control"))
    if poll.hints and poll.hints.ttl_s:
        asked.append((poll.hints.ttl_s, "ttl"))
    return asked


def _at(poll: Poll, wait_s: float, interval_s: float, failures: int, memory: str, reason: str, jitter: float) -> Plan:
    at = poll.at + timedelta(seconds=wait_s * (1 + JITTER * jitter))
    return Plan(next_poll_at=at, interval_s=interval_s, failures=failures, memory=memory, reason=reason)
