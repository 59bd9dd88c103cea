"""The ingest process: one loop that moves what is in flight, APScheduler for the few jobs beside it. I/O.

The scheduler never has a job for a source: the `sources` table is the schedule. The loop knows when the next source is
due and sleeps until then. Once a second it looks whether anybody wrote into the store at all, which costs next to
nothing, and only then asks what.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger

from feeds.configuration import DOCUMENTS
from feeds.engine.alarms import IngestCounts, look
from feeds.engine.classifier import Classifier, learn, tell_model
from feeds.engine.config_in_force import (
    Accepted,
    put_in_force,
    refiled,
    stored_desk,
    stored_version,
    tell_errors,
    to_refile,
)
from feeds.engine.digest import send_due
from feeds.engine.liveness import Alive
from feeds.engine.publishing import Publishing
from feeds.engine.startup import now_utc, tell_config, user_agent
from feeds.engine.timekeeping import Clocks, Every, in_words
from feeds.engine.watching import FolderWatch, Judge, MailWatch, Watch
from feeds.engine.workers import Workers
from feeds.errors import DatabaseLost, DeskError, LeaseLost, StoreError, StoreTooNew
from feeds.fetch.client import Fetcher
from feeds.fetch.folder import QUIET_S
from feeds.hub.deliveries import Deliveries
from feeds.ingest.desk import Desk
from feeds.ingest.flow import Ingest
from feeds.ingest.placing import refile
from feeds.settings import ConfigErrors
from feeds.settings.config import resolve_notify
from feeds.store import Store
from feeds.store.database import Loss
from feeds.store.lease import Lease
from feeds.store.sources import OF_DESK

log = logging.getLogger(__name__)

MOST_IN_FLIGHT = 1000
REST_S = 1.0
"""How long the loop sleeps at most; BUSY_S how often it looks into the store while polls are under way."""
BUSY_S = 0.25
LOOK_EVERY_S = 1.0
SETTLING_EVERY_S = 0.15
"""How often files of config are looked at, at rest and while one of them changes."""
OURS_EVERY_S = 5.0
REFILE_EVERY_S = 0.5
HOUSEKEEPING_EVERY_S = 600
DIGEST_EVERY_S, DIGEST_AGAIN_S = 20.0, 300.0
ALARMS_EVERY_S = 10.0
ALARMS_REST = 1000
"""How many times as long as a look for alarms took the next one waits: 0.1 % of a core at most."""
THREADS = 5
"""Of the scheduler: housekeeping, learning and filing again may take their time, and the rest must not wait."""
SWEEP_AT_ONCE = 50
"""Articles that retention takes out in one transaction, which other writers wait for: some 0.1 s of work."""
STORE_RETRY_S = 2.0
PART_SILENT_S = 120.0
"""How long the scheduler or deliveries may do nothing at all before this process ends, to be started anew."""
AHEAD_AT_MOST = timedelta(minutes=1)
"""How far ahead of the present the last poll may be: clocks of several machines differ."""


class IngestProcess:
    """All that the ingest process holds. `run` returns when *stop* is set; a second use is not meant.

    *lease* is the right to decide for a desk of several machines; *ours* says whether the data folder is this desk's.
    """

    def __init__(
        self,
        store: Store,
        folder: Path,
        data: Path,
        environ: Mapping[str, str],
        accepted: Accepted,
        *,
        stop: threading.Event,
        lease: Lease | None = None,
        ours: Callable[[], bool] = lambda: True,
    ) -> None:
        self._store = store
        self._folder = folder
        self._data = data
        self._environ = environ
        self._classifier = Classifier(store, data)
        self._desk: Desk = accepted.desk.with_model(self._classifier.look(accepted.desk.filing_rules))
        self._judge = Judge(folder, environ)
        self._watch = Watch(folder, self._judge, judged=accepted.seen, opml_files=accepted.opml_files)
        self._config_seen: int | None = -1  # what `Store.data_version` said when the accepted config was last looked at
        self._lost = False
        self._loss: Loss = ""  # what has become of the database's files
        self._alive = Alive("ingest")
        self._ticked_at = time.monotonic()
        self._told_of_model: str | None = None  # what is wrong with the model, as it was last told
        self._refiled = 0  # the version of the config by which all that is stored is known to be filed
        self._counts = IngestCounts()
        self._clocks = Clocks()
        self._sets: deque[timedelta] = deque()  # by how much the clock was set, of which the store does not know yet
        self._alarms_at = 0.0
        self._scheduler = BackgroundScheduler(timezone=UTC, executors={"default": ThreadPoolExecutor(THREADS)})
        self._due = threading.Event()  # something may be due, or have come: not to be slept through
        self._look_at = 0.0
        self._seen: int | None = -1  # what `Store.data_version` said last
        self._next_due: datetime | None = None
        self._stop = stop
        self._lease = lease or Lease(store)
        self._ours = ours
        settings = accepted.desk.settings
        self._fetcher = Fetcher(settings.fetch, settings.poll, user_agent(settings))
        self._deliveries = Deliveries(
            store,
            settings,
            user_agent(settings),
            clock=now_utc,
            count=self._counts.count_message,
            hooks=resolve_notify(settings, environ),
        )
        self._publishing = Publishing(
            store, lambda: self._desk, clock=lambda: now_utc(), published=self._deliveries.wake
        )
        self._folders = FolderWatch(self._folder_changed)
        self._mailboxes = MailWatch(self._folder_changed)
        self._changed_folders: frozenset[int] = frozenset()
        self._workers = Workers()
        # On PostgreSQL hands poll what is not on this machine's own disk.
        self._kinds = None if store.file is not None else OF_DESK
        self._ingest = Ingest(
            store, self._fetcher, self._workers, self._desk, clock=now_utc, random=random.random, kinds=self._kinds
        )

    def run(self) -> None:
        """Poll, save and publish until stopped; then give back what was claimed.

        Raises StoreError where another worker may poll by now.
        """
        scheduler = self._scheduler
        jobs = {"max_instances": 1, "coalesce": True, "misfire_grace_time": None}
        scheduler.add_job(self._look_at_files, Every(LOOK_EVERY_S), id="files", **jobs)
        scheduler.add_job(self._refile, Every(REFILE_EVERY_S), id="refile", **jobs)
        scheduler.add_job(self._check_folder, Every(OURS_EVERY_S), id="folder", **jobs)
        scheduler.add_job(self._watch_over, Every(ALARMS_EVERY_S), id="alarms", **jobs)
        scheduler.add_job(self._housekeep, Every(HOUSEKEEPING_EVERY_S), id="housekeeping", **jobs)
        self._schedule_learning()
        self._schedule_digest()
        try:
            self._mind_a_clock_set_while_away()
            waiting = self._ingest.resume()
            if waiting:
                log.info("reading %d bodies that were left in the inbox", waiting)
            scheduler.start()
            self._deliveries.start()
            self._publishing.start()
            self._watch_folders()
            self._due.set()
            while not self._stop.is_set():
                self._turn()
        finally:
            if scheduler.running:
                scheduler.shutdown(wait=True)
            self._folders.close()
            self._mailboxes.close()
            self._judge.close()
            self._publishing.close()
            self._deliveries.close()
            self._fetcher.close()
            self._workers.close()
            try:
                self._ingest.stop()
            finally:
                if self._loss:
                    self._save_what_can_be()
        if self._lost:
            raise StoreError("this worker can not go on polling", remedy="start it again: whoever comes first polls")

    def _look_at_files(self) -> None:
        """Mind the database's files, those of config, and the model's."""
        self._ticked_at = time.monotonic()
        self._check_place()
        self._follow_accepted()
        self._look()
        self._look_at_model()
        if self._watch.settling and (job := self._scheduler.get_job("files")) is not None:
            job.modify(next_run_time=now_utc() + timedelta(seconds=SETTLING_EVERY_S))

    def _check_place(self) -> None:
        """End where the database's files are no longer those that are open: nothing that is written would be found."""
        loss = self._store.loss()
        if loss and not self._stop.is_set():
            log.error("the database at %s: %s while the desk runs; ending, to start anew", self._store.file, loss)
            self._loss = loss
            self._stop.set()

    def _save_what_can_be(self) -> None:
        """Raises DatabaseLost, which says what was saved."""
        try:
            said = self._store.rescue(self._loss)
        except StoreError as error:
            said = str(error)
        raise DatabaseLost(f"the database at {self._store.file}: {said}", remedy="the desk starts anew by itself")

    def _check_parts(self) -> None:
        """Give a sign of life, and end where a part of this process does nothing any more."""
        self._alive.beat()
        silent_s = time.monotonic() - self._ticked_at
        part = "the scheduler" if silent_s > PART_SILENT_S else self._deliveries.stuck(PART_SILENT_S)
        if part and not self._stop.is_set():
            log.error("%s has done nothing for %.0f s: ending, to start anew", part, PART_SILENT_S)
            self._lost = True
            self._stop.set()

    def _check_folder(self) -> None:
        if not self._stop.is_set() and not self._ours():
            log.error("another desk was started on this data folder: ending, to start anew")
            self._lost = True
            self._stop.set()

    def _renew_lease(self) -> bool:
        """Prolong the right to decide; end, and False, where another process has it, or has upgraded the database."""
        try:
            if self._lease.renew():
                self._store.pending()  # raises StoreError where the database is newer than this release
        except (LeaseLost, StoreTooNew) as error:
            log.error("%s: ending, to stand by", error)
            self._lost = True
            self._stop.set()
            return False
        return True

    def _turn(self) -> None:
        # Between two turns nothing is half filed: what follows is filed by the rules in force.
        self._ingest.desk = self._desk
        self._check_parts()
        try:
            if not self._renew_lease():
                return
            self._mind_clock()
            self._look_into_store()
            self._mind_folders()
            self._take_due()
            self._ingest.take_put_off()
            if self._ingest.in_flight:
                self._work()
            else:
                self._due.wait(self._rest_s())
        except StoreError as error:
            # What could not be written is still in hand, claims too, and is written when the store answers again.
            log.error("the store failed, trying again in %.0f s: %s", STORE_RETRY_S, error)
            self._stop.wait(STORE_RETRY_S)

    def _work(self) -> None:
        progress = self._ingest.run_once(0.2)
        self._counts.count(progress)
        if progress:
            self._look_at = 0.0  # what ended has a new time
        if progress.new or progress.copies or progress.updated:
            self._publishing.wake()

    def _look_into_store(self) -> None:
        """Learn when the next source is due, and take what others left there, where anybody wrote at all."""
        now_s = time.monotonic()
        if now_s < self._look_at and not self._due.is_set():
            return
        self._look_at = now_s + (BUSY_S if self._ingest.in_flight else REST_S)
        data = self._store.data_version()
        if data is not None and data == self._seen and not self._due.is_set():
            return
        self._ingest.take_pushed()
        if self._kinds is not None:
            self._ingest.take_readings()
        with self._store.read() as tx:
            self._next_due = tx.sources.next_due_at(self._kinds)
        self._seen = data
        self._due.clear()
        if data is not None:
            self._deliveries.wake()

    def _take_due(self) -> None:
        room = MOST_IN_FLIGHT - self._ingest.in_flight
        if self._next_due is None or self._next_due > now_utc() or room <= MOST_IN_FLIGHT // 2:
            return
        if self._ingest.take_due(room) < room:
            self._next_due = None
            self._due.set()  # to learn anew when the next one is

    def _watch_folders(self) -> None:
        with self._store.read() as tx:
            those = [one for one in tx.sources.all() if one.kind in DOCUMENTS and one.enabled]
        folders = [one for one in those if not one.is_imap]
        patterns = {one.id: one.target if one.kind == "files" else f"{one.target}/*/*" for one in folders}
        self._folders.watch(self._folder, patterns)
        boxes = {one.id: self._desk.completed(one).target for one in those if one.is_imap}
        self._mailboxes.watch(boxes, self._desk.settings.fetch)

    def _folder_changed(self, source_ids: frozenset[int]) -> None:
        """Called from the thread that watches."""
        self._changed_folders |= source_ids
        self._due.set()

    def _mind_folders(self) -> None:
        """Have folders looked into where something changed, once it is quiet."""
        if self._changed_folders:
            changed, self._changed_folders = self._changed_folders, frozenset()
            with self._store.write() as tx:
                tx.sources.hurry(changed, now_utc() + timedelta(seconds=QUIET_S))
            self._look_at = 0.0

    def _rest_s(self) -> float:
        """How long nothing will be due that is known of."""
        left_s = REST_S if self._next_due is None else (self._next_due - now_utc()).total_seconds()
        return min(max(left_s, 0.0), REST_S)

    def _mind_clock(self) -> None:
        """Have all that goes by the wall clock go on where that was set. Raises StoreError."""
        change = self._clocks.look()
        if change.slept_s:
            log.warning("this machine slept for %s: what came due meanwhile is done now", in_words(change.slept_s))
        if change.set_s:
            direction = "forward" if change.set_s > 0 else "back"
            log.warning("the clock was set %s by %s: what is due moves with it", direction, in_words(change.set_s))
            self._sets.append(timedelta(seconds=change.set_s))
        if change:
            for job in self._scheduler.get_jobs():
                job.modify(next_run_time=job.trigger.get_next_fire_time(None, now_utc()))
            self._due.set()
            self._deliveries.wake()
        while self._sets:
            self._ingest.clock_was_set(self._sets[0])
            self._sets.popleft()

    def _mind_a_clock_set_while_away(self) -> None:
        """A source that was polled in what is the future now shows that the clock was set back: to be minded with the
        first turn. Raises StoreError.
        """
        with self._store.read() as tx:
            latest = tx.schedule.latest_poll_at()
        if latest is not None and latest - now_utc() > AHEAD_AT_MOST:
            ahead = now_utc() - latest
            least = in_words(ahead.total_seconds())
            log.warning("the clock was set back by %s or more: what is due moves with it", least)
            self._sets.append(ahead)

    def _follow_accepted(self) -> None:
        """Go on by the config that `wiredesk apply` put in force meanwhile."""
        try:
            data = self._store.data_version()
            if data is not None and data == self._config_seen:
                return
            if stored_version(self._store) > self._desk.version:
                with self._publishing.lock:
                    accepted = stored_desk(self._store, self._folder, self._environ)
                    assert accepted is not None
                    self._use(accepted)
                    with self._store.write() as tx:
                        tx.sections.mark_dirty()  # what was rendered since was so by the settings before
                self._made_live()
            self._config_seen = data
        except StoreError as error:
            log.error("the accepted config could not be read, trying again: %s", error)

    def _use(self, desk: Desk) -> Desk:
        """Let *desk* be in force here; the one before. `self._publishing.lock` is held."""
        before, self._desk = self._desk, desk.with_model(self._classifier.look(desk.filing_rules))
        self._refiled = 0
        return before

    def _made_live(self) -> None:
        """Have all parts go by the desk that is in force now."""
        settings = self._desk.settings
        self._fetcher.configure(settings.fetch, settings.poll, user_agent(settings))
        self._deliveries.configure(settings, user_agent(settings), resolve_notify(settings, self._environ))
        self._due.set()
        log.info("config version=%d is live", self._desk.version)
        self._schedule_learning()
        self._schedule_digest()
        self._watch_folders()
        self._file_again()
        self._publishing.wake()

    def _look(self) -> None:
        """Take over changed config files. The judging is done in another process, the loop goes on meanwhile."""
        verdict = self._watch.look(time.monotonic())
        if verdict is None:
            return
        try:
            if isinstance(verdict, ConfigErrors):
                tell_errors(self._store, verdict, now=now_utc())
                tell_config(Accepted(desk=self._desk, errors=tuple(verdict.errors)))
                return
            # A sweep that renders by the settings before would leave new documents that look old.
            with self._publishing.lock:
                accepted = put_in_force(self._store, verdict, self._folder, self._environ, now=now_utc())
                before = self._use(accepted.desk)
        except StoreError as error:
            log.error("the config was not taken over, trying again: %s", error)
            self._watch.again()
            return
        tell_config(accepted)
        if accepted.desk.version == before.version:
            log.info("config: the files were saved and mean the same")
            return
        self._made_live()

    def _look_at_model(self) -> None:
        """Take over a model that is new, or gone. What is stored stays as it is filed, unless that is asked for."""
        with self._publishing.lock:
            before = self._desk
            desk = self._desk = before.with_model(self._classifier.look(before.filing_rules))
        if desk is not before:
            self._refiled = 0  # `wiredesk learn --refile` may have asked for it
            self._file_again()
        fault = str(self._classifier.fault(desk) or "")
        if fault == self._told_of_model:
            return
        try:
            tell_model(self._store, self._classifier.fault(desk), now=now_utc())
            self._told_of_model = fault
        except StoreError as error:
            log.error("could not tell of the model, trying again: %s", error)

    def _schedule_learning(self) -> None:
        at, name = self._desk.settings.learn_at, "learn"
        if self._scheduler.get_job(name) is not None:
            self._scheduler.remove_job(name)
        if self._desk.filing_rules.learning and at != "never":
            hour, minute = at.split(":")
            quiet = CronTrigger(hour=hour, minute=minute, timezone=self._desk.settings.timezone)
            self._scheduler.add_job(self._learn, quiet, id=name, max_instances=1, coalesce=True)

    def _schedule_digest(self) -> None:
        if (job := self._scheduler.get_job("digest")) is not None:
            job.remove()
        if self._desk.settings.digest.to:
            every = Every(DIGEST_EVERY_S)
            self._scheduler.add_job(self._send_digest, every, id="digest", max_instances=1, coalesce=True)

    def _send_digest(self) -> None:
        desk, now = self._desk, now_utc()
        done = send_due(self._store, desk.settings, desk.sections, self._environ, now)
        if not done and (job := self._scheduler.get_job("digest")) is not None:
            job.modify(next_run_time=now + timedelta(seconds=DIGEST_AGAIN_S))

    def _learn(self) -> None:
        try:
            learn(self._store, self._environ, self._stop, now=now_utc())
        except (OSError, StoreError) as error:
            log.error("the classifier did not learn: %s", error)

    def _file_again(self) -> None:
        """Have `_refile` run now, and again until all is filed by the config in force."""
        if (job := self._scheduler.get_job("refile")) is not None:
            job.modify(next_run_time=now_utc())

    def _refile(self) -> None:
        """File again what is stored where a changed config asks for it; a newer config starts it anew."""
        try:
            desk = self._desk
            if self._refiled == desk.version:
                if (job := self._scheduler.get_job("refile")) is not None:
                    job.pause()  # until there is another config or model
                return
            if not to_refile(self._store):
                self._refiled = desk.version
                return
            if self._classifier.waits():
                return  # it was asked for with a new model, most likely
            # Until the loop has taken the new rules up, it files by the old ones.
            while self._ingest.desk is not desk:
                if self._desk is not desk or self._stop.wait(0.02):
                    return
            began = time.monotonic()
            count = refile(
                self._store,
                desk.filing_rules,
                clock=now_utc,
                go_on=lambda: self._desk is desk and not self._stop.is_set(),
                first=self._publishing.wake,
            )
            stands = self._desk is desk and not self._classifier.waits()
            if count is not None and stands and refiled(self._store, desk.version, now=now_utc()):
                self._refiled = desk.version
                self._publishing.wake()
                log.info("filed again articles=%d ms=%.0f", count, (time.monotonic() - began) * 1000)
        except StoreError as error:
            log.error("could not file again, trying again: %s", error)

    def _watch_over(self) -> None:
        """Open and close alarms; on a desk of many sources less often."""
        began = time.monotonic()
        if began < self._alarms_at:
            return
        try:
            look(self._store, self._data, now=now_utc(), crowded=self._ingest.crowded)
        except StoreError as error:
            log.error("could not look for alarms, trying again: %s", error)
        self._alarms_at = time.monotonic() + ALARMS_REST * (time.monotonic() - began)

    def _housekeep(self) -> None:
        publish_settings, keep_raw = self._desk.settings.publish, self._desk.settings.keep_raw
        try:
            with self._store.write() as tx:
                tx.raw_answers.trim(now_utc(), keep_raw.days, keep_raw.bytes)
            while not self._stop.is_set():
                with self._store.write() as tx:
                    gone = tx.retention.sweep(
                        now_utc(),
                        keep_days=publish_settings.keep_days,
                        keep_articles=publish_settings.keep_articles,
                        limit=SWEEP_AT_ONCE,
                    )
                if not gone:
                    break
                # Small steps with a pause between them: readers and the loop come first.
                self._stop.wait(0.1)
        except DeskError as error:
            log.error("housekeeping: %s", error)
