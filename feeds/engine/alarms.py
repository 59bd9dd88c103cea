"""Alarms of the desk as a whole, judged now and then. I/O: `look` reads and writes the store.

What a poll says of its own source is told as it ends (`ingest/notices.py`); this is what only shows from afar: most
sources fail at once, which is one alarm and not one for each; a section starves; the disk is full. An alarm is an
event of the store's: opened once, its words renewed while it lasts, closed when it is over.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from feeds.condition import STARVING_DAYS, starved
from feeds.model import UNFILED
from feeds.store import Store
from feeds.store.overview import Line, day_of

log = logging.getLogger(__name__)

OURS = frozenset(("outage", "starving", "disk"))
"""The kinds of events that `look` opens and closes."""

OUTAGE_FROM = 3
OUTAGE_SHARE = 0.5
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
        days = tx.overview.section_days(now - timedelta(days=STARVING_DAYS))
        paths = {section.path for section in tx.sections.all()}
        present = {(event.kind, event.subject): event for event in tx.events.open() if event.kind in OURS}
    wanted = {
        (alarm.kind, alarm.subject): alarm
        for alarm in (
            *outage(lines),
            *starving({path: days.get(path, {}) for path in paths}, now=now),
            *full(*_room(data)),
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


def outage(lines: Sequence[Line]) -> list[Alarm]:
    """Give one alarm where most of the sources that were asked fail."""
    asked = [line for line in lines if line.source.enabled and line.state.last_poll_at is not None]
    # Where it is this machine's own network, no failure is held against a source.
    failed = [line for line in asked if line.state.failures or line.state.last_outcome == "failed"]
    down = [line for line in failed if line.state.gone_at is None]
    if len(down) < OUTAGE_FROM or len(down) <= len(asked) * OUTAGE_SHARE:
        return []
    text = f"{len(down)} of {len(asked)} sources fail at once"
    return [Alarm(kind="outage", subject="sources", text=text, remedy="`wiredesk doctor` looks at the network")]


def starving(days: Mapping[str, Mapping[int, int]], *, now: datetime) -> list[Alarm]:
    """Give an alarm for each section that starves; what no section takes in may come or not."""
    today = day_of(now)
    alarms = []
    for path, counts in sorted(days.items()):
        mean = starved(counts, today) if path != UNFILED else None
        if mean is not None:
            alarms.append(
                Alarm(
                    kind="starving",
                    subject=path,
                    text=f"{path or 'the whole desk'}: no article since yesterday, {mean:.0f} a day before",
                    remedy="`/status` shows which of its sources fail; a changed rule may file its articles elsewhere",
                )
            )
    return alarms


def full(free: int, total: int) -> list[Alarm]:
    """Give an alarm where of *total* bytes on the disk of the data folder hardly any are *free*."""
    if free >= min(LEAST_ROOM_BYTES, total * LEAST_ROOM_SHARE):
        return []
    return [
        Alarm(
            kind="disk",
            subject="data",
            text="the disk of the data folder is nearly full",
            remedy="make room: when it is full, nothing can be saved; `keep_days` in wiredesk.yaml bounds what is kept",
        )
    ]


def _room(data: Path | None) -> tuple[int, int]:
    """The bytes free and in all on the disk of *data*; nothing of nothing where that is unknown."""
    try:
        usage = shutil.disk_usage(data) if data is not None else None
    except OSError:
        usage = None
    return (usage.free, usage.total) if usage is not None else (0, 0)
