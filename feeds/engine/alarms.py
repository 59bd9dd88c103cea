"""Alarms of the desk as a whole, judged now and then, and what ingest counts for `/metrics`.
I/O: the store; files shared with the web processes.

What a poll says of its own source is told as it ends (`ingest/notices.py`); this is what only shows from afar: most
sources fail at once, which is one alarm and not one for each; a section starves; the disk is full. An alarm is an
event of the store's: opened once, its words renewed while it lasts, closed when it is over.
"""

from __future__ import annotations

import logging
import os
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from msgspec import Struct
from prometheus_client import Counter, Histogram

from feeds.condition import STARVING_DAYS, starved
from feeds.configuration import UNFILED
from feeds.ingest.polls import Progress
from feeds.serve.counters import Shared, shared_folder
from feeds.store import Store
from feeds.store.overview import day_of

log = logging.getLogger(__name__)

OF_DESK, OF_PROCESS = ("outage", "starving"), ("disk", "window")
"""The kinds of events that `look` opens and closes, and `look_here`."""

MOST_OPEN = 100_000
"""Open events of each of these kinds that are looked at: one a section at most."""
OUTAGE_FROM = 3
OUTAGE_SHARE = 0.5
LEAST_ROOM_BYTES = 500_000_000
LEAST_ROOM_SHARE = 0.03
SAVE_EVERY_S = 1.0
_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Alarm(Struct, frozen=True, kw_only=True):
    """One thing to tell; *kind* and *subject* are what it is known by."""

    kind: str
    subject: str
    text: str
    remedy: str = ""


def look(store: Store, *, now: datetime) -> None:
    """Judge the desk as a whole at *now*, and open, renew and close its alarms accordingly."""
    with store.read() as tx:
        asked, down = tx.overview.failing()
        # What came within a day came today or yesterday: such a section does not starve.
        quiet_since = now - timedelta(days=1)
        days = tx.overview.section_days(now - timedelta(days=STARVING_DAYS), quiet_since=quiet_since)
    _renew(store, OF_DESK, [*outage(asked, down), *starving(days, now=now)], now)


def look_here(store: Store, data: Path | None, crowded: Sequence[str], *, now: datetime) -> None:
    """The same of the process that decides: its disk, and *crowded*, what dedupe could not keep in its memory."""
    _renew(store, OF_PROCESS, [*full(*_room(data)), *short(crowded)], now)


def _renew(store: Store, kinds: Iterable[str], alarms: Sequence[Alarm], now: datetime) -> None:
    """Have *alarms* be all that are open of these *kinds*."""
    with store.read() as tx:
        present = {(event.kind, event.subject): event for event in tx.events.open_of(sorted(kinds), MOST_OPEN)}
    wanted = {(alarm.kind, alarm.subject): alarm for alarm in alarms}
    gone = [key for key in present if key not in wanted]
    known = {key: (event.text, event.remedy) for key, event in present.items()}
    new = [alarm for key, alarm in wanted.items() if known.get(key) != (alarm.text, alarm.remedy)]
    if gone or new:
        _write(store, gone, new, now)


def _write(store: Store, gone: Sequence[tuple[str, str]], new: Sequence[Alarm], now: datetime) -> None:
    with store.write() as tx:
        for kind, subject in gone:
            tx.events.close(kind, subject, now)
        for alarm in new:
            if tx.events.add(alarm.kind, alarm.subject, text=alarm.text, remedy=alarm.remedy, now=now):
                log.warning("alarm kind=%s subject=%r %s", alarm.kind, alarm.subject, alarm.text)


def outage(asked: int, down: int) -> list[Alarm]:
    """Give one alarm where *down*, most of the sources that were *asked*, fail."""
    if down < OUTAGE_FROM or down <= asked * OUTAGE_SHARE:
        return []
    text = f"{down} of {asked} sources fail at once"
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


def short(crowded: Sequence[str]) -> list[Alarm]:
    """Give an alarm where dedupe compares with less than config asks for: copies of older articles look new."""
    remedy = "raise it in wiredesk.yaml where there is memory for more, or lower `dedupe.days`"
    return [Alarm(kind="window", subject="dedupe", text="; ".join(crowded), remedy=remedy)] if crowded else []


def _room(data: Path | None) -> tuple[int, int]:
    """The bytes free and in all on the disk of *data*; nothing of nothing where that is unknown."""
    try:
        usage = shutil.disk_usage(data) if data is not None else None
    except OSError:
        usage = None
    return (usage.free, usage.total) if usage is not None else (0, 0)


class IngestCounts:
    """Counters of one ingest process, left for the web processes once in `SAVE_EVERY_S` while it counts."""

    def __init__(self) -> None:
        self._shared = Shared(shared_folder(os.environ))
        self._save_at = 0.0
        self._unsaved = False
        registry = self._shared.registry
        self._polls = Counter("wiredesk_polls", "Polls by outcome", ["outcome"], registry=registry)
        self._entries = Counter("wiredesk_came", "Entries that came, by what they were", ["kind"], registry=registry)
        self._bytes = Counter("wiredesk_fetched_bytes", "Bytes fetched, as they came over the wire", registry=registry)
        self._seconds: Any = Histogram(
            "wiredesk_poll_seconds", "Time from asking to the whole answer", buckets=_SECONDS, registry=registry
        )
        self._hub = Counter(
            "wiredesk_hub_messages",
            "Deliveries to subscribers and pings to hubs",
            ["kind", "outcome"],
            registry=registry,
        )

    def count_message(self, kind: str, outcome: str) -> None:
        """Count what deliveries sent."""
        self._hub.labels(kind, outcome).inc()
        self._unsaved = True

    def count(self, progress: Progress) -> None:
        """Count what the flow got done, and leave what was counted since for the web processes."""
        self._unsaved |= bool(progress)
        for poll in progress.polls:
            self._polls.labels(poll.outcome).inc()
            self._bytes.inc(poll.wire_bytes)
            if poll.seconds:
                self._seconds.observe(poll.seconds)
        for kind, count in (("new", progress.new), ("copy", progress.copies), ("updated", progress.updated)):
            if count:
                self._entries.labels(kind).inc(count)
        self._save()

    def _save(self) -> None:
        now = time.monotonic()
        if self._unsaved and now >= self._save_at:
            self._unsaved, self._save_at = False, now + SAVE_EVERY_S
            self._shared.save()
