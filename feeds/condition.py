"""What is remembered of a source between polls, and how it does, in words, for `/status`, `poll` and `doctor`. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal, get_args

from msgspec import Struct

from feeds.configuration import DOCUMENTS, Source
from feeds.parsed import Validators

Word = Literal["fine", "new", "waiting", "silent", "moved", "failing", "gone", "resting"]
WORDS: tuple[Word, ...] = get_args(Word)

SILENT_AFTER = timedelta(days=60)
"""A source that answers and has brought nothing for so long has most likely moved, or ended."""
WORTH_A_LOOK = 3
"""Failures in a row after which an admin should look; before that most mend by themselves."""

UNLIKELY = 1e-4
"""How unlikely an empty span must be by chance (Poisson, against the mean before) to be called starving."""
STARVING_DAYS = 14
_ACTIVE_DAYS = 5  # of those before, with anything at all: one import is no rhythm


class SourceState(Struct, frozen=True, kw_only=True):
    """What the desk remembers of a source between polls. *validators* hold for *validators_url* alone.

    *body_hash*, *item_marks* and *rhythm* are opaque to the store. *interval_s* is the present interval, None before
    the first poll. *distrusted_at*: when its validators were found to lie. *reason* says why *next_poll_at* is what it
    is. *title*, *site_url* and *rights* are what the feed last said.
    """

    validators: Validators = Validators()
    validators_url: str | None = None
    body_hash: str | None = None
    item_hashes: tuple[int, ...] = ()  # unsigned 64 bit
    item_marks: bytes = b""
    interval_s: float | None = None
    failures: int = 0
    first_poll_done: bool = False
    next_poll_at: datetime | None = None
    last_poll_at: datetime | None = None
    last_ok_at: datetime | None = None
    last_new_at: datetime | None = None
    last_full_at: datetime | None = None
    last_status: int | None = None
    last_outcome: str = ""
    last_error: str = ""
    last_remedy: str = ""
    reason: str = ""
    retry_after_until: datetime | None = None
    gone_at: datetime | None = None
    adopted_url: str | None = None
    redirect_target: str | None = None
    redirect_first_seen: datetime | None = None
    redirect_count: int = 0
    distrusted_at: datetime | None = None
    rhythm: str = ""
    title: str = ""
    site_url: str | None = None


class Condition(Struct, frozen=True):
    """*word* to sort and count by; *text* a sentence without a full stop that begins with it; *remedy* may be empty.

    *trouble* says that an admin has something to do.
    """

    word: Word
    text: str
    remedy: str = ""
    trouble: bool = False


def condition(source: Source, state: SourceState, *, now: datetime, quiet: str = "") -> Condition:
    """Give the condition of *source*: the worst that is true of it. *quiet* is what its open alarm of silence says.

    >>> from datetime import UTC
    >>> source = Source(key="a", name="A", kind="feed", target="https://a.example/feed", enabled=False)
    >>> condition(source, None, now=datetime(2026, 1, 1, tzinfo=UTC)).text  # it rests, whatever it was before
    'resting: `enabled: false` in sources.yaml'
    """
    if not source.enabled:
        return Condition("resting", "resting: `enabled: false` in sources.yaml")
    return (
        _gone(state, now)
        or _failing(state, now)
        or _waiting(state, now)
        or _moved(state)
        or _silent(source, state, now, quiet)
        or Condition("fine", f"fine: next poll {_next(state, now)}")
    )


def _gone(state: SourceState, now: datetime) -> Condition | None:
    if state.gone_at is None:
        return None
    on = f"{'at' if state.gone_at.date() == now.date() else 'on'} {day(state.gone_at, now)}"
    return Condition(
        "gone",
        f"gone: answered 410 {on}; looked at again {_next(state, now)}",
        remedy=state.last_remedy or "take it out of sources.yaml, or set `enabled: false`",
        trouble=True,
    )


def _failing(state: SourceState, now: datetime) -> Condition | None:
    if not state.failures:
        return None
    times = "once" if state.failures == 1 else f"{state.failures} times in a row"
    since = f" since {day(state.last_ok_at, now)}" if state.last_ok_at and state.failures > 1 else ""
    return Condition(
        "failing",
        f"failing: {times}{since}, next try {_next(state, now)}: {state.last_error or 'no reason kept'}",
        remedy=state.last_remedy,
        trouble=state.failures >= WORTH_A_LOOK or not state.first_poll_done,
    )


def _waiting(state: SourceState, now: datetime) -> Condition | None:
    """Also of what failed and is not held against it: it was this machine's network. And of what was never asked."""
    if state.retry_after_until is not None and state.retry_after_until > now:
        return Condition("waiting", f"waiting: it asked for patience, next poll {_next(state, now)}")
    if state.last_outcome == "failed":
        text = f"waiting: no source could be reached, next try {_next(state, now)}: {state.last_error}"
        return Condition("waiting", text)
    if state.last_poll_at is None:
        return Condition("new", f"new: first poll {_next(state, now)}")
    return None


def _moved(state: SourceState) -> Condition | None:
    if state.adopted_url is None:
        return None
    text = f"moved: its server says for good that it is now at {state.adopted_url}, which is asked instead"
    return Condition("moved", text, remedy="write that address in sources.yaml")


def _silent(source: Source, state: SourceState, now: datetime, quiet: str) -> Condition | None:
    if quiet:
        return Condition(
            "silent",
            f"silent: {quiet.removeprefix(source.name).lstrip()}",
            remedy="look whether its feed has moved elsewhere",
            trouble=True,
        )
    if source.kind in DOCUMENTS or state.last_new_at is None or now - state.last_new_at <= SILENT_AFTER:
        return None
    text = f"silent: it answers, with nothing new since {day(state.last_new_at, now)}"
    return Condition("silent", text, remedy="look whether its site has another feed by now")


def starved(counts: Mapping[int, int], today: int) -> float | None:
    """Give the mean of articles a day before, where their absence since yesterday is no chance; else None.

    *counts* are articles by day, of the last `STARVING_DAYS` days. That two days bring nothing is no chance where its
    probability is below `UNLIKELY`, were they a Poisson process at the mean of the twelve days before.
    >>> starved({day: 10 for day in range(1, 13)}, 14), starved({day: 10 for day in range(1, 14)}, 14)
    (10.0, None)
    """
    if counts.get(today) or counts.get(today - 1):
        return None
    before = [counts.get(today - back, 0) for back in range(2, STARVING_DAYS)]
    mean = sum(before) / len(before)
    expected = mean * 1.5  # a day and a half on average: today is not over
    if sum(map(bool, before)) < _ACTIVE_DAYS or math.exp(-expected) >= UNLIKELY:
        return None
    return mean


def span(length: timedelta) -> str:
    """Give *length* for people, in one unit.

    >>> [span(timedelta(seconds=seconds)) for seconds in (0, 40, 2400, 7300, 200000, 9000000)]
    ['0 s', '40 s', '40 min', '2 h', '2 days', '15 weeks']
    """
    seconds = max(0, round(length.total_seconds()))
    if seconds < 90:
        return f"{seconds} s"
    if seconds < 90 * 60:
        return f"{round(seconds / 60)} min"
    if seconds < 36 * 3600:
        return f"{round(seconds / 3600)} h"
    days = round(seconds / 86400)
    return f"{days} days" if days <= 60 else f"{round(days / 7)} weeks"


def ago(at: datetime | None, now: datetime) -> str:
    """Give how long ago *at* was: "5 min ago", "never" for None."""
    return "never" if at is None else "just now" if now - at < timedelta(seconds=1) else f"{span(now - at)} ago"


def day(at: datetime, now: datetime) -> str:
    """Give the day of *at*, with the year where it is not this one, or the time where it is today; all UTC."""
    if at.date() == now.date():
        return f"{at:%H:%M} UTC"
    return f"{at.day} {at:%b}" if at.year == now.year else f"{at.day} {at:%b %Y}"


def _next(state: SourceState, now: datetime) -> str:
    if state.next_poll_at is None or state.next_poll_at <= now:
        return "now"
    return f"in {span(state.next_poll_at - now)}"
