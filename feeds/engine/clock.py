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
from datetime import datetime, timedelta
from pathlib import Path

from feeds.configuration import DOCUMENTS
from feeds.engine.alarms import IngestCounts, look_here
from feeds.engine.classifier import Classifier
from feeds.engine.config_in_force import (
    Accepted,
    put_in_force,
    stored_desk,
    stored_version,
    tell_errors,
)
from feeds.engine.liveness import Alive
from feeds.engine.roles import LOOK_EVERY_S as ROLES_EVERY_S
from feeds.engine.roles import SILENT_S, Parts
from feeds.engine.startup import give_back_memory, keep_event, now_utc, tell_config, user_agent
from feeds.engine.timekeeping import Clocks, Every, Scheduler, in_words
from feeds.engine.upkeep import FILED_BY, FILED_BY_MODEL
from feeds.engine.watching import FolderWatch, Judge, MailWatch, Watch
from feeds.engine.workers import Workers
from feeds.errors import DatabaseLost, LeaseLost, StoreError, StoreTooNew
from feeds.fetch.client import Fetcher
from feeds.fetch.folder import QUIET_S
from feeds.ingest.desk import Desk
from feeds.ingest.flow import Ingest
from feeds.settings import ConfigErrors
from feeds.store import CHANGED, READ, WRITTEN, Store
from feeds.store.database import Loss
from feeds.store.lease import Lease, roles_at_hands
from feeds.store.sources import OF_DESK

log = logging.getLogger(__name__)

MOST_IN_FLIGHT = 1000
REST_S = 1.0
"""How long the loop sleeps at most; BUSY_S how often it looks into the store while polls are under way."""
BUSY_S = 0.25
ALONE_EVERY_S = 10.0
"""How often the roles of a desk on SQLite are looked at, which no other process can have."""
GATHER_S = 0.3
"""Between two times that readings of hands are taken: what comes meanwhile is decided and saved together."""
LOOK_EVERY_S = 1.0
SETTLING_EVERY_S = 0.15
"""How often files of config are looked at, at rest and while one of them changes."""
OURS_EVERY_S = 5.0
ALARMS_EVERY_S = 10.0
SETTLED_S = 10.0
"""After this the start is over, and the memory that it needed is given back."""
STORE_RETRY_S = 2.0
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
        self._model_version = self._classifier.version
        self._filed_by: tuple[int, int] | None = None  # the versions of config and model that the store knows of
        self._at_hands: set[str] = set()  # roles that a hand has
        self._counts = IngestCounts()
        self._clocks = Clocks()
        self._sets: deque[timedelta] = deque()  # by how much the clock was set, of which the store does not know yet
        self._scheduler = Scheduler()
        self._due = threading.Event()  # something may be due, or have come: not to be slept through
        self._read = threading.Event()  # a hand has read something
        self._gather_until = 0.0
        self._woken = threading.Event()  # one of these was set
        self._look_at = 0.0
        self._seen: int | None = -1  # what `Store.data_version` said last
        self._next_due: datetime | None = None
        self._stop = stop
        self._lease = lease or Lease(store)
        self._ours = ours
        settings = accepted.desk.settings
        self._fetcher = Fetcher(settings.fetch, settings.poll, user_agent(settings))
        parts = Parts(lambda: self._desk, environ, self._counts)
        self._roles = parts.roles(store, lambda name: name not in self._at_hands)
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
        scheduler.add_job(self._check_folder, Every(OURS_EVERY_S), id="folder", **jobs)
        scheduler.add_job(self._watch_over, Every(ALARMS_EVERY_S), id="alarms", **jobs)
        settled_at = now_utc() + timedelta(seconds=SETTLED_S)
        scheduler.add_job(give_back_memory, "date", run_date=settled_at, id="settled", **jobs)
        roles_s = ROLES_EVERY_S if self._store.file is None else ALONE_EVERY_S
        scheduler.add_job(self._look_at_roles, Every(roles_s), id="roles", next_run_time=now_utc(), **jobs)
        try:
            self._mind_a_clock_set_while_away()
            waiting = self._ingest.resume()
            if waiting:
                log.info("reading %d bodies that were left in the inbox", waiting)
            self._store.hear(READ, self._on_reading)
            scheduler.start()
            self._watch_folders()
            self._hurry()
            while not self._stop.is_set():
                self._turn()
        finally:
            scheduler.end()
            self._folders.close()
            self._mailboxes.close()
            self._judge.close()
            for role in self._roles:
                role.let_go()
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
        stuck = [part for role in self._roles if (part := role.stuck())]
        part = "the scheduler" if silent_s > SILENT_S else next(iter(stuck), "")
        if part and not self._stop.is_set():
            log.error("%s has done nothing for %.0f s: ending, to start anew", part, SILENT_S)
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
        model = self._model_version
        self._ingest.desk = self._desk
        self._check_parts()
        try:
            if not self._renew_lease():
                return
            self._note_rules(self._ingest.desk.version, model)
            self._mind_clock()
            self._look_into_store()
            self._mind_folders()
            self._take_due()
            self._ingest.take_put_off()
            if self._ingest.in_flight:
                self._work()
            elif not self._read.is_set():
                self._workers.rest()
                self._woken.wait(self._rest_s())
                self._woken.clear()
        except StoreError as error:
            # What could not be written is still in hand, claims too, and is written when the store answers again.
            log.error("the store failed, trying again in %.0f s: %s", STORE_RETRY_S, error)
            self._stop.wait(STORE_RETRY_S)

    def _note_rules(self, version: int, model: int) -> None:
        """Have whoever files again know that what comes is filed by these."""
        if self._filed_by == (version, model):
            return
        with self._store.write() as tx:
            tx.counters.put(FILED_BY, version)
            tx.counters.put(FILED_BY_MODEL, model)
        self._filed_by = version, model

    def _look_at_roles(self) -> None:
        """Have the roles of the desk that no hand has; on SQLite all of them."""
        try:
            if self._store.file is None:
                self._at_hands = roles_at_hands(self._store)
            for role in self._roles:
                if not self._stop.is_set():
                    role.look()
        except StoreError as error:
            log.error("the roles of this desk could not be looked at, trying again: %s", error)

    def _work(self) -> None:
        progress = self._ingest.run_once(0.2)
        self._counts.count(progress)
        if progress and self._kinds is None:
            self._look_at = 0.0  # what ended has a new time

    def _look_into_store(self) -> None:
        """Learn when the next source is due, and take what others left there, where anybody wrote at all."""
        now_s = time.monotonic()
        if self._kinds is not None and self._read.is_set():
            self._take_readings()
        if now_s < self._look_at and not self._due.is_set():
            return
        self._look_at = now_s + (BUSY_S if self._ingest.in_flight else REST_S)
        data = self._store.data_version()
        if data is not None and data == self._seen and not self._due.is_set():
            return
        self._ingest.take_pushed()
        if self._kinds is not None and now_s >= self._gather_until:
            self._ingest.take_readings()  # of which nobody told
        with self._store.read() as tx:
            self._next_due = tx.sources.next_due_at(self._kinds)
        self._seen = data
        self._due.clear()
        if data is not None:
            self._store.tell(WRITTEN)

    def _on_reading(self) -> None:
        """Called from the thread that listens."""
        self._read.set()
        self._woken.set()

    def _take_readings(self) -> None:
        """Take what hands have read, a while after the last time."""
        if not self._ingest.in_flight:
            self._stop.wait(self._gather_until - time.monotonic())
        if time.monotonic() >= self._gather_until:
            self._read.clear()
            self._gather_until = time.monotonic() + GATHER_S
            self._ingest.take_readings()

    def _hurry(self) -> None:
        """Have the loop look at what is due and what has come; for any thread."""
        self._due.set()
        self._woken.set()

    def _take_due(self) -> None:
        room = MOST_IN_FLIGHT - self._ingest.in_flight
        if self._next_due is None or self._next_due > now_utc() or room <= MOST_IN_FLIGHT // 2:
            return
        if self._ingest.take_due(room) < room:
            self._next_due = None
            self._hurry()  # to learn anew when the next one is

    def _watch_folders(self) -> None:
        with self._store.read() as tx:
            those = [one for one in tx.sources.all(DOCUMENTS) if one.enabled]
        folders = [one for one in those if not one.is_imap]
        patterns = {one.id: one.target if one.kind == "files" else f"{one.target}/*/*" for one in folders}
        self._folders.watch(self._folder, patterns)
        boxes = {one.id: self._desk.completed(one).target for one in those if one.is_imap}
        self._mailboxes.watch(boxes, self._desk.settings.fetch)

    def _folder_changed(self, source_ids: frozenset[int]) -> None:
        """Called from the thread that watches."""
        self._changed_folders |= source_ids
        self._hurry()

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
            self._hurry()
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
                accepted = stored_desk(self._store, self._folder, self._environ)
                assert accepted is not None
                self._use(accepted)
                self._made_live()
            self._config_seen = data
        except StoreError as error:
            log.error("the accepted config could not be read, trying again: %s", error)

    def _use(self, desk: Desk) -> None:
        """Let *desk* be in force here."""
        self._desk = desk.with_model(self._classifier.look(desk.filing_rules))
        self._model_version = self._classifier.version

    def _made_live(self) -> None:
        """Have all parts go by the desk that is in force now."""
        settings = self._desk.settings
        self._fetcher.configure(settings.fetch, settings.poll, user_agent(settings))
        self._hurry()
        log.info("config version=%d is live", self._desk.version)
        self._watch_folders()
        if (job := self._scheduler.get_job("roles")) is not None:
            job.modify(next_run_time=now_utc())
        self._store.tell(CHANGED)

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
            before = self._desk
            accepted = put_in_force(self._store, verdict, self._folder, self._environ, now=now_utc())
            self._use(accepted.desk)
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
        desk = self._desk
        self._use(desk)
        fault = str(self._classifier.fault(desk) or "")
        if fault == self._told_of_model:
            return
        try:
            keep_event(self._store, "model", "filing", self._classifier.fault(desk), now=now_utc())
            self._told_of_model = fault
        except StoreError as error:
            log.error("could not tell of the model, trying again: %s", error)

    def _watch_over(self) -> None:
        try:
            look_here(self._store, self._data, self._ingest.crowded, now=now_utc())
        except StoreError as error:
            log.error("could not look for alarms, trying again: %s", error)
