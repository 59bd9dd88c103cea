"""What an admin should be told, judged now and then: which alarms are open. I/O: `look` reads and writes the store.

An alarm is an event of the store's: opened once, its words renewed while it lasts, closed when it is over. When most
of the desk's sources fail at once, that is one alarm and not one for each.
"""

from __future__ import annotations

import logging
import math
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from feeds.condition import condition, day
from feeds.model import UNFILED
from feeds.store import Store
from feeds.store.columns import micros
from feeds.store.overview import HOUR_US, Line, day_of
from feeds.urls import masked

log = logging.getLogger(__name__)

OURS = frozenset(("source", "silent", "outage", "starving", "disk"))
"""The kinds of events that `look` opens and closes."""

OUTAGE_FROM = 3
OUTAGE_SHARE = 0.5
BASELINE = timedelta(days=28)
LEAST_HISTORY = timedelta(days=7)
LEAST_ENTRIES = 20
LEAST_SILENCE = timedelta(hours=3)
UNLIKELY = 1e-4
"""How unlikely silence must be against a source's own hours of the week: about once in ten thousand looks."""
CANDIDATES = 300
STARVING_DAYS = 14
LEAST_ROOM_BYTES = 500_000_000
LEAST_ROOM_SHARE = 0.03


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One thing to tell; *kind* and *subject* are what it is known by."""

    kind: str
    subject: str
    text: str
    remedy: str = ""


def look(store: Store, data: Path | None, *, now: datetime) -> None:
    """Judge the desk at *now*, and open, renew and close its alarms accordingly."""
    with store.read() as tx:
        lines = tx.overview.lines()
        candidates = _may_be_silent(lines, now)
        hours = tx.overview.hours([line.id for line in candidates], now - BASELINE)
        days = tx.overview.section_days(now - timedelta(days=STARVING_DAYS))
        paths = {section.path for section in tx.sections.all()}
        present = {(event.kind, event.subject): event for event in tx.events.open() if event.kind in OURS}
    quiet = [silent(line, hours.get(line.id, ()), now=now) for line in candidates]
    wanted = {
        (alarm.kind, alarm.subject): alarm
        for alarm in (
            *failing(lines, {subject for kind, subject in present if kind == "source"}, now=now),
            *(alarm for alarm in quiet if alarm is not None),
            *starving({path: days.get(path, {}) for path in paths}, now=now),
            *full(data),
        )
    }
    gone = [key for key in present if key not in wanted]
    new = [
        alarm
        for key, alarm in wanted.items()
        if key not in present or (present[key].text, present[key].remedy) != (alarm.text, alarm.remedy)
    ]
    if not gone and not new:
        return
    with store.write() as tx:
        for kind, subject in gone:
            tx.events.close(kind, subject, now)
        for alarm in new:
            if tx.events.add(alarm.kind, alarm.subject, text=alarm.text, remedy=alarm.remedy, now=now):
                log.warning("alarm kind=%s subject=%r %s", alarm.kind, alarm.subject, alarm.text)


def failing(lines: Sequence[Line], known: Iterable[str], *, now: datetime) -> list[Alarm]:
    """Give an alarm for each source that is dead or keeps failing, or a single one where most do.

    In an outage those that were *known* to fail before it stay, for their alarms are not over.
    """
    asked = [line for line in lines if line.source.enabled and line.state.last_poll_at is not None]
    down = [line for line in asked if line.state.failures and line.state.gone_at is None]
    known = set(known)
    outage = len(down) >= OUTAGE_FROM and len(down) > len(asked) * OUTAGE_SHARE
    alarms = []
    if outage:
        text = f"{len(down)} of {len(asked)} sources fail at once"
        alarms.append(
            Alarm(kind="outage", subject="sources", text=text, remedy="`wiredesk doctor` looks at the network")
        )
    for line in asked:
        state = condition(line.source, line.state, now=now)
        if not state.trouble or (outage and line.state.gone_at is None and line.source.key not in known):
            continue
        # Without what changes at every poll: an alarm says once what is wrong.
        if line.state.gone_at is not None:
            told = f"gone, it answered 410 on {day(line.state.gone_at, now)}"
        else:
            told = f"failing: {line.state.last_error}"
        alarms.append(
            Alarm(
                kind="source",
                subject=line.source.key,
                text=masked(f"{line.source.name}: {told}"),
                remedy=masked(state.remedy),
            )
        )
    return alarms


def silent(line: Line, hours: Sequence[int], *, now: datetime) -> Alarm | None:
    """Give an alarm where a source that answers has brought nothing for longer than its own rhythm allows.

    The mean of each hour of the week over four weeks says how many entries the silence should have brought. Were they
    to come by chance (Poisson), none at all would have the probability exp(-mean): below `UNLIKELY` it is silence.
    """
    last = line.state.last_new_at
    if last is None:
        return None
    # The first import is no rhythm.
    begin = (micros(line.added_at) // HOUR_US) + 2
    end = micros(last) // HOUR_US
    counted = [hour for hour in hours if hour >= begin]
    weeks = min(BASELINE, now - line.added_at) / timedelta(weeks=1)
    if now - line.added_at < LEAST_HISTORY or len(counted) < LEAST_ENTRIES:
        return None
    week: dict[int, int] = {}
    for hour in counted:
        week[hour % 168] = week.get(hour % 168, 0) + 1
    present = micros(now) // HOUR_US
    expected = sum(week.get(hour % 168, 0) for hour in range(end + 1, present)) / weeks
    if math.exp(-expected) >= UNLIKELY:
        return None
    return Alarm(
        kind="silent",
        subject=line.source.key,
        text=f"{line.source.name}: silent since {day(last, now)}, though it answers",
        remedy=f"about {expected:.0f} articles should have come in the meantime; look whether its feed has moved",
    )


def starving(days: Mapping[str, Mapping[int, int]], *, now: datetime) -> list[Alarm]:
    """Give an alarm for each section that two days brought nothing, though twelve days before say it is unlikely."""
    today = day_of(now)
    alarms = []
    for path, counts in sorted(days.items()):
        before = [counts.get(today - back, 0) for back in range(2, STARVING_DAYS)]
        recent = counts.get(today, 0) + counts.get(today - 1, 0)
        expected = sum(before) / len(before) * 1.5  # a day and a half on average: today is not over
        if recent or path == UNFILED or math.exp(-expected) >= UNLIKELY or sum(map(bool, before)) < 5:
            continue
        name = path or "the whole desk"
        alarms.append(
            Alarm(
                kind="starving",
                subject=path,
                text=f"{name}: no article since yesterday, {sum(before) / len(before):.0f} a day before",
                remedy="`/status` shows which of its sources fail; a changed rule may file its articles elsewhere",
            )
        )
    return alarms


def full(data: Path | None) -> list[Alarm]:
    """Give an alarm where the disk of the *data* folder is nearly full."""
    try:
        usage = shutil.disk_usage(data) if data is not None else None
    except OSError:
        return []
    if usage is None or usage.free >= min(LEAST_ROOM_BYTES, usage.total * LEAST_ROOM_SHARE):
        return []
    return [
        Alarm(
            kind="disk",
            subject="data",
            text="the disk of the data folder is nearly full",
            remedy="make room: when it is full, nothing can be saved; `keep_days` in wiredesk.yaml bounds what is kept",
        )
    ]


def _may_be_silent(lines: Sequence[Line], now: datetime) -> list[Line]:
    """Sources that answer and have brought nothing for a while, the longest-silent of the busy first."""
    quiet = [
        line
        for line in lines
        if line.source.enabled
        and line.source.kind != "files"
        and not line.state.failures
        and line.state.last_new_at is not None
        and now - line.state.last_new_at >= LEAST_SILENCE
        and now - line.added_at >= LEAST_HISTORY
    ]

    def silence(line: Line) -> float:
        assert line.state.last_new_at is not None
        return (now - line.state.last_new_at) / timedelta(seconds=max(60.0, line.state.interval_s or 3600.0))

    return sorted(quiet, key=silence, reverse=True)[:CANDIDATES]
