"""The next time for a source: its rhythm, what it declares, `Retry-After`, back-off. Pure.

In use there is no total of requests to share out: `poll.first_s` is the knob. A source that posts `UNKNOWN_RATE` times
a day, or of which nothing is known, is asked every *first_s*; one that posts a quarter as often, half as often. Halving
*first_s* doubles all requests and halves all delays, within floor and ceiling.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from feeds.configuration import PollSettings
from feeds.errors import FailureKind
from feeds.fetch.rhythm import DAY_S, HOUR_S, UNKNOWN_RATE, Poll, Rhythm, recall, remember

BACKOFF_S: dict[FailureKind, float] = {"temporary": 300, "soft": 1800, "hard": 900}
"""The first pause after a failure; each further one doubles it. Short enough that a machine which was without its
network for an hour is back within the next."""
BACKOFF_CAP_S: dict[FailureKind, float] = {"temporary": 86400, "soft": 7 * 86400, "hard": 30 * 86400}
RETRY_AFTER_CAP_S = 86400.0
JITTER = 0.1
"""Share of an interval by which a wake-up may come later, so that sources never run in lockstep (criteria B6)."""
TURNOVER = 0.25
"""Share of a window that is let be expected to be new at the next poll: real sources post in bursts."""


class Plan(Struct, frozen=True, kw_only=True):
    """When to ask next and why. *memory* is the cadence's own JSON, handed back at the next poll.

    *interval_s* is the usual interval at present, which a failure leaves as it was.
    """

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
    pushed: bool = False,
    jitter: float = 0.0,
) -> Plan:
    """Return the next time for a source, given the interval and failures before this *poll*.

    *configured_s* is the admin's own interval, which rules out guessing but neither `Retry-After` nor back-off; it is
    raised to the floor. *pushed*: a hub tells of what is new, and asking is there for the case that it fails (criteria
    K3). *jitter* is a random number in [0, 1).
    """
    usual = max(configured_s or interval_s or settings.first_s, settings.floor_s)
    if poll.outcome == "gone":
        return _at(
            poll, BACKOFF_CAP_S["hard"], usual, failures + 1, memory, "gone (410): looked at once a month", jitter
        )
    if poll.outcome == "failed":
        if poll.ours == "fault":
            return _at(poll, usual, usual, failures, memory, FAULT, jitter)
        if poll.ours:
            return _at(poll, max(BACKOFF_S["temporary"], settings.floor_s), usual, failures, memory, OURS, jitter)
        wait, reason = _after_failure(poll, failures, usual, settings)
        return _at(poll, wait, usual, failures + 1, memory, reason, jitter)
    rhythm = recall(memory)
    rhythm.learn(poll)
    memory = remember(rhythm)
    if configured_s is not None:
        wait, reason = usual, "interval_s in config"
    else:
        wait, reason = _by_rhythm(rhythm, poll, settings, pushed=pushed)
        usual = wait
    if poll.retry_after_s is not None and (asked := min(poll.retry_after_s, RETRY_AFTER_CAP_S)) > wait:
        wait, reason = asked, f"Retry-After {asked:.0f} s"
    return _at(poll, wait, usual, 0, memory, reason, jitter)


def _after_failure(poll: Poll, failures: int, usual_s: float, settings: PollSettings) -> tuple[float, str]:
    kind = poll.failure or "temporary"
    wait = min(BACKOFF_S[kind] * 2.0 ** min(failures, 30), BACKOFF_CAP_S[kind])
    if kind == "soft":
        # An answer that refuses, such as 403 or 404: asked less often than a source that answers.
        wait = max(wait, min(2 * usual_s, BACKOFF_CAP_S[kind]))
    if poll.retry_after_s is None:
        return max(wait, settings.floor_s), f"{kind} failure number {failures + 1}"
    # What the origin asks for is enough the first time; who then refuses again gets the longer of the two.
    asked = min(poll.retry_after_s, RETRY_AFTER_CAP_S)
    wait = max(asked, settings.floor_s, wait / 2 if failures else 0.0)
    return wait, f"Retry-After {asked:.0f} s" + (f", failure number {failures + 1}" if failures else "")


def _by_rhythm(rhythm: Rhythm, poll: Poll, settings: PollSettings, *, pushed: bool) -> tuple[float, str]:
    now = poll.at.timestamp()
    pressure = settings.first_s / DAY_S * math.sqrt(UNKNOWN_RATE)
    # So much of the window may be new at the next poll; more, and a burst on top could push something out unseen.
    most = max(rhythm.window * TURNOVER, 1.0) if rhythm.window else math.inf
    rate, profile = rhythm.rate(), rhythm.profile
    wait = profile.reach(rate, now, pressure, most, settings.ceiling_s) - now
    reason = f"its rhythm: about {_number(rate)} a day" if rate >= RARE else f"its rhythm: one in {1 / rate:.0f} days"
    if pushed:
        # What a hub that has died keeps back must still be in the window when it is asked for.
        window = max(rhythm.window * PUSHED_TURNOVER, 1.0) if rhythm.window else math.inf
        slower = profile.reach(rate, now, pressure * PUSHED_SLOWER, window, settings.ceiling_s) - now
        if slower > wait:
            wait, reason, most = slower, PUSHED, window
    hinted, why = max(_hinted(rhythm))
    if hinted > wait:
        turned = profile.reach(rate, now, math.inf, most, min(hinted, settings.ceiling_s)) - now
        wait, reason = (hinted, why) if turned >= min(hinted, settings.ceiling_s) else (turned, TURNING)
    if 0 < rhythm.tight_s < wait:
        wait, reason = rhythm.tight_s, TURNING
    # No hint but a rule of HTTP: whoever asks earlier gets the same bytes (RFC 9111 §4.2).
    if poll.fresh_s is not None and poll.fresh_s > wait:
        wait, reason = poll.fresh_s, "Cache-Control or Expires"
    wait = min(max(wait, settings.floor_s), settings.ceiling_s)
    rested = _past_skips(poll.at, wait, rhythm, settings.ceiling_s)
    return (rested, "skipHours or skipDays") if rested > wait else (wait, reason)


PUSHED_SLOWER = 4.0
PUSHED_TURNOVER = 0.5
"""How many times more seldom a source is asked whose hub pushes, and the share of its window that may be new then."""
PUSHED = "its hub pushes; asked in case that it fails"
TURNING = "its window turns over"
FAULT = "a fault of the desk's own, held against no source"
OURS = "no source answers: this machine's own network seems to be down"


def _hinted(rhythm: Rhythm) -> list[tuple[float, str]]:
    """What the document declares, in seconds, with its name."""
    hints = rhythm.hints
    return [(hints.ttl_s or 0.0, "ttl"), (hints.update_period_s or 0.0, "sy:updatePeriod")]


def _past_skips(at: datetime, wait_s: float, rhythm: Rhythm, ceiling_s: float) -> float:
    """*wait_s*, or longer until a time that the feed does not rule out (skipHours, skipDays: GMT)."""
    hours, days = set(rhythm.hints.skip_hours), set(rhythm.hints.skip_days)
    if not hours and not days or len(hours) >= 24 or len(days) >= 7:
        return wait_s
    moment = (at + timedelta(seconds=wait_s)).astimezone(UTC)
    latest = max(at + timedelta(seconds=ceiling_s), moment)
    while moment < latest and (moment.hour in hours or moment.weekday() in days):
        moment = moment.replace(minute=0, second=0, microsecond=0) + timedelta(seconds=HOUR_S)
    return (min(moment, latest) - at).total_seconds()


RARE = 0.1
"""Articles a day below which a rhythm is told in days."""


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 10 else f"{value:.2g}"


def _at(poll: Poll, wait_s: float, interval_s: float, failures: int, memory: str, reason: str, jitter: float) -> Plan:
    at = poll.at + timedelta(seconds=wait_s * (1 + JITTER * jitter))
    return Plan(next_poll_at=at, interval_s=interval_s, failures=failures, memory=memory, reason=reason)
