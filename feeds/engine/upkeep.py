"""Upkeep of what is stored: filing again, retention, alarms, learning, the digest by mail; each on its own time. I/O.

APScheduler calls what is here, in threads of its own: retention, learning and filing again may take long, and the rest
does not wait for them.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from apscheduler.triggers.cron import CronTrigger

from feeds.engine.alarms import look
from feeds.engine.classifier import Classifier, learn
from feeds.engine.config_in_force import refiled, to_refile
from feeds.engine.digest import send_due
from feeds.engine.timekeeping import Every, Scheduler
from feeds.errors import DeskError, StoreError
from feeds.ingest.desk import Desk
from feeds.ingest.placing import refile
from feeds.store import CHANGED, WRITTEN, Store

log = logging.getLogger(__name__)

FILED_BY, FILED_BY_MODEL = "filed_by", "filed_by_model"
"""Counters: by which version of config and model the process that decides files what comes."""
REFILE_EVERY_S = 1.0
RETENTION_EVERY_S = 600
DIGEST_EVERY_S, DIGEST_AGAIN_S = 20.0, 300.0
ALARMS_EVERY_S = 10.0
ALARMS_REST = 1000
"""How many times as long as a look for alarms took the next one waits: 0.1 % of a core at most."""
SWEEP_AT_ONCE = 50
"""Articles that retention takes out in one transaction, which other writers wait for: some 0.1 s of work."""


class Upkeep:
    """Runs from `start` to `close`. *desk* gives the desk in force, *clock* the present."""

    def __init__(
        self, store: Store, desk: Callable[[], Desk], environ: Mapping[str, str], *, clock: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._desk = desk
        self._environ = environ
        self._clock = clock
        self._scheduler = Scheduler()
        self._filed_at: int | None = -1  # what `Store.data_version` said when nothing waited to be filed again
        self._alarms_at = 0.0
        self._stop = threading.Event()

    def start(self) -> None:
        """Begin, with what was left undone."""
        options = {"max_instances": 1, "coalesce": True, "misfire_grace_time": None}
        for job, every_s in (
            (self.refile, REFILE_EVERY_S),
            (self.watch_over, ALARMS_EVERY_S),
            (self.retain, RETENTION_EVERY_S),
        ):
            self._scheduler.add_job(job, Every(every_s), id=job.__name__, **options)
        self.follow()
        self._scheduler.start()
        for what in (CHANGED, WRITTEN) if self._store.file is not None else ():
            self._store.hear(what, self._look_again)

    def wake(self) -> None:
        """The clock was set."""
        for job in self._scheduler.get_jobs():
            job.modify(next_run_time=job.trigger.get_next_fire_time(None, self._clock()))

    def stuck(self, for_s: float) -> str:
        """Its threads may take as long as they need."""
        return ""

    def close(self) -> None:
        """Stop after the steps that are under way."""
        self._stop.set()
        self._scheduler.end()

    def follow(self) -> None:
        """Go by another config: learn at its hour, send its digest, and file again what it asks for."""
        desk = self._desk()
        digest = Every(DIGEST_EVERY_S) if desk.settings.digest.to else None
        for work, trigger in ((self.learn, learning_at(desk)), (self.send_digest, digest)):
            if (job := self._scheduler.get_job(work.__name__)) is not None:
                job.remove()
            if trigger is not None:
                self._scheduler.add_job(work, trigger, id=work.__name__, max_instances=1, coalesce=True)
        if (job := self._scheduler.get_job("refile")) is not None:
            job.modify(next_run_time=self._clock())

    def _look_again(self) -> None:
        """Somebody wrote: what is stored may wait to be filed again."""
        if (job := self._scheduler.get_job("refile")) is not None and job.next_run_time is None:
            job.modify(next_run_time=self._clock() + timedelta(seconds=REFILE_EVERY_S))

    def learn(self) -> None:
        try:
            learn(self._store, self._environ, self._stop, now=self._clock())
        except (OSError, StoreError) as error:
            log.error("the classifier did not learn: %s", error)

    def send_digest(self) -> None:
        desk, now = self._desk(), self._clock()
        done = send_due(self._store, desk.settings, desk.sections, self._environ, now)
        if not done and (job := self._scheduler.get_job("send_digest")) is not None:
            job.modify(next_run_time=now + timedelta(seconds=DIGEST_AGAIN_S))

    def refile(self) -> None:
        """File again what is stored where a changed config asks for it; a newer config starts it anew."""
        try:
            data = self._store.data_version()
            if (data is not None and data == self._filed_at) or not to_refile(self._store):
                self._filed_at = data
                self._rest(data)
                return
            desk, classifier = self._desk(), Classifier(self._store)
            if not self._soon_filed_by(desk.version):
                return  # the process that decides files what comes by the rules before
            rules = desk.filing_rules.with_model(classifier.look(desk.filing_rules))

            def stands() -> bool:
                return (
                    self._desk().version == desk.version
                    and self._is_filed_by(FILED_BY, desk.version)
                    and self._is_filed_by(FILED_BY_MODEL, classifier.version)
                )

            began = time.monotonic()
            count = refile(self._store, rules, clock=self._clock, go_on=lambda: stands() and not self._stop.is_set())
            if count is not None and stands() and refiled(self._store, desk.version, now=self._clock()):
                self._store.tell(CHANGED)
                log.info("filed again articles=%d ms=%.0f", count, (time.monotonic() - began) * 1000)
        except StoreError as error:
            log.error("could not file again, trying again: %s", error)

    def _soon_filed_by(self, version: int) -> bool:
        for _ in range(20):
            if self._is_filed_by(FILED_BY, version) or self._stop.wait(REFILE_EVERY_S / 20):
                break
        return self._is_filed_by(FILED_BY, version)

    def _rest(self, data: int | None) -> None:
        """On SQLite look no more until somebody writes, of which this is told; *data* is what was looked at."""
        if data is not None and (job := self._scheduler.get_job("refile")) is not None:
            job.pause()
            if self._store.data_version() != data:
                job.resume()

    def _is_filed_by(self, what: str, version: int) -> bool:
        with self._store.read() as tx:
            return tx.counters.value(what) == version

    def watch_over(self) -> None:
        """Open and close alarms; on a desk of many sources less often."""
        began = time.monotonic()
        if began < self._alarms_at:
            return
        try:
            look(self._store, now=self._clock())
        except StoreError as error:
            log.error("could not look for alarms, trying again: %s", error)
        self._alarms_at = time.monotonic() + ALARMS_REST * (time.monotonic() - began)

    def retain(self) -> None:
        """Take out what is older than is to be kept."""
        settings = self._desk().settings
        try:
            with self._store.write() as tx:
                tx.raw_answers.trim(self._clock(), settings.keep_raw.days, settings.keep_raw.bytes)
            while not self._stop.is_set():
                with self._store.write() as tx:
                    gone = tx.retention.sweep(
                        self._clock(),
                        keep_days=settings.publish.keep_days,
                        keep_articles=settings.publish.keep_articles,
                        limit=SWEEP_AT_ONCE,
                    )
                if not gone:
                    break
                # Small steps with a pause between them: readers and who decides come first.
                self._stop.wait(0.1)
        except DeskError as error:
            log.error("housekeeping: %s", error)


def learning_at(desk: Desk) -> CronTrigger | None:
    """When *desk* learns by itself, None for never."""
    if not desk.filing_rules.learning or desk.settings.learn_at == "never":
        return None
    hour, minute = desk.settings.learn_at.split(":")
    return CronTrigger(hour=hour, minute=minute, timezone=desk.settings.timezone)
