"""What an admin should know of a poll that ended: events to open and to close. Pure but for `write`.

| kind         | opened                                           | closed                        |
| ------------ | ------------------------------------------------ | ----------------------------- |
| `gone`       | the origin answers 410                           | it brings a document again    |
| `failing`    | nothing but failures for `FAILING_AFTER`         | it answers again              |
| `revived`    | one of the two above ended                       | at once: it is news, no state |
| `unread`     | a page or JSON arrives and nothing can be read   | it can be read again          |
| `moved`      | a permanent redirect is followed for good        | config has another URL        |
| `validators` | its validators lie, and are left out for a while | they are trusted again        |
| `silent`     | it answers, and is quiet against its own rhythm  | it brings something new       |
| `flood`      | an archive came again under new ids              | its ids stay the next time    |
| `robots`     | robots.txt does not allow its article pages      | one of them has come          |
| `clock`      | this machine's clock was set                     | at once                       |
"""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import Struct

from feeds.configuration import Source
from feeds.fetch.rhythm import silence
from feeds.store import WriteTx
from feeds.store.values import Claim, PollResult
from feeds.urls import masked

FAILING_AFTER = timedelta(days=3)
FAILURES_AT_LEAST = 3
QUIET_AT_LEAST = timedelta(days=2)
"""A silence shorter than a weekend is not worth a look at the rhythm."""
LISTS = ("page", "json")
"""Kinds of sources that are read by what they look like."""
NEWS = ("revived", "clock")
"""Kinds that are over as soon as they are told."""


class Notice(Struct, frozen=True, kw_only=True):
    """An event of *kind* about the source with the key *subject*; to be closed where *over*."""

    kind: str
    subject: str
    text: str = ""
    remedy: str = ""
    over: bool = False


def clock_was_set(by: timedelta) -> Notice:
    """This machine's clock was set *by* so much."""
    direction = "forward" if by > timedelta(0) else "back"
    size = timedelta(seconds=round(abs(by).total_seconds()))
    text = f"the clock of this machine was set {direction} by {size}; what is due was moved with it"
    return Notice(kind="clock", subject="machine", text=text, remedy="have it kept by NTP")


def notices(claim: Claim, result: PollResult) -> list[Notice]:
    """What the end of a poll has to say, from the source's state before and after it; most say nothing."""
    source, before, after = claim.source, claim.state, result.state
    if result.outcome == "gone":
        text = f"{source.name}: {result.error.removeprefix('the source is gone: ')}"
        return [Notice(kind="gone", subject=source.key, text=text, remedy=result.remedy)]
    if result.outcome == "failed":
        came = after.last_status == 200 and after.failures > before.failures
        return [_unread(source, result)] if came and source.kind in LISTS else _failing(source, result)
    again = f"{source.name} answers again"
    over = {
        "gone": before.gone_at is not None,
        "unread": bool(before.failures) and source.kind in LISTS,
        "failing": before.failures >= FAILURES_AT_LEAST,
    }
    found = [Notice(kind=kind, subject=source.key, text=again, over=True) for kind, ended in over.items() if ended]
    if after.adopted_url and after.adopted_url != before.adopted_url:
        found.append(_moved(source, after.adopted_url))
    if (after.distrusted_at is None) != (before.distrusted_at is None):
        found.append(_validators(source, over=after.distrusted_at is None))
    return found + _silent(source, before.last_new_at, result)


def flood(source: Source, count: int, *, over: bool = False) -> Notice:
    """An archive issued again: *count* entries that are known came under other ids."""
    text = f"{source.name}: {count} articles came again under new ids; none is published a second time"
    remedy = "nothing to do; if it goes on at every poll, tell its publisher that entries need lasting ids"
    return Notice(kind="flood", subject=source.key, text=text, remedy=remedy, over=over)


def robots(source: Source, url: str) -> Notice:
    """An article page of *source* that is not asked for."""
    text = f"{source.name}: the site's robots.txt does not allow its article pages, such as {masked(url)}"
    remedy = "ask its publisher to allow them, or take `full_text: fetch` out" if source.kind == "feed" else ""
    return Notice(kind="robots", subject=source.key, text=text, remedy=remedy or "ask its publisher to allow them")


def write(tx: WriteTx, those: list[Notice], now: datetime) -> None:
    """Write *those* into the events."""
    for one in those:
        if one.kind == "failing" and not one.over and tx.events.since("outage", "sources") is not None:
            continue  # most sources fail, which one alarm tells; this one is told if it goes on when that is over
        if not one.over:
            tx.events.add(one.kind, one.subject, text=one.text, remedy=one.remedy, now=now)
            if one.kind in NEWS:
                tx.events.close(one.kind, one.subject, now)
        elif tx.events.close(one.kind, one.subject, now) and one.kind in ("gone", "failing"):
            write(tx, [Notice(kind="revived", subject=one.subject, text=one.text)], now)


def _failing(source: Source, result: PollResult) -> list[Notice]:
    state = result.state
    if state.failures < FAILURES_AT_LEAST:
        return []
    if state.last_ok_at is not None and result.at - state.last_ok_at < FAILING_AFTER:
        return []
    since = f"since {state.last_ok_at:%Y-%m-%d}" if state.last_ok_at else "and never has answered"
    text = f"{source.name} fails {since}: {result.error}"
    return [Notice(kind="failing", subject=source.key, text=text, remedy=result.remedy or "look at its address")]


def _unread(source: Source, result: PollResult) -> Notice:
    """What is learnt or selected of a page breaks with its next design: that does not mend itself."""
    text = f"{source.name}: its page has come, and nothing is taken of it: {result.error}; what was known stays"
    return Notice(kind="unread", subject=source.key, text=text, remedy=result.remedy)


def _moved(source: Source, url: str) -> Notice:
    line = f"sources.yaml line {source.line}" if source.line else "sources.yaml"
    return Notice(
        kind="moved",
        subject=source.key,
        text=f"{source.name} has moved for good; it is asked at its new address from now on",
        remedy=f"write this in {line}: `{'url' if source.kind == 'feed' else source.kind}: {masked(url)}`",
    )


def _validators(source: Source, *, over: bool) -> Notice:
    return Notice(
        kind="validators",
        subject=source.key,
        text=f"{source.name}: its server says that nothing changed when something did; it is asked without validators",
        remedy="set `ignore_validators: true` for it, or tell its publisher that ETag and Last-Modified are wrong",
        over=over,
    )


def _silent(source: Source, last_new_at: datetime | None, result: PollResult) -> list[Notice]:
    if last_new_at is None or result.at - last_new_at < QUIET_AT_LEAST:
        return []
    if result.new:
        return [Notice(kind="silent", subject=source.key, over=True)]
    quiet = silence(result.state.rhythm, result.at)
    if quiet is None:
        return []
    text = f"{source.name} answers, yet has brought nothing new since {quiet.since:%Y-%m-%d}"
    text += f"; by its own rhythm it would have about {quiet.expected:.0f} times"
    return [Notice(kind="silent", subject=source.key, text=text, remedy="look whether its feed has moved elsewhere")]
