"""A hand: polls shards of sources and reads what they bring, for the process that decides; and does its roles.
I/O: the store, the network.

One thread moves all that is under way, as in the ingest process, with the same flow; `poll` may be called from others.
While a shard is polled nobody else polls it (`tasks.py` sees to that), so what this process knows of a host's pace and
wishes is all that there is to know.
"""

from __future__ import annotations

import logging
import queue
import random
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future
from pathlib import Path

from msgspec import Struct

from feeds.engine.alarms import IngestCounts
from feeds.engine.config_in_force import stored_desk, stored_version
from feeds.engine.liveness import Alive
from feeds.engine.roles import SILENT_S, Parts, Role
from feeds.engine.startup import now_utc, user_agent
from feeds.engine.upkeep import FILED_BY
from feeds.engine.workers import Workers
from feeds.errors import DeskError, StoreError
from feeds.fetch.client import Fetcher
from feeds.ingest.batches import Handing
from feeds.ingest.desk import Desk
from feeds.ingest.flow import Ingest
from feeds.ingest.polls import Progress
from feeds.store import Store

log = logging.getLogger(__name__)

AT_ONCE = 64
"""Sources of a shard that are polled in one go."""
STOOD_STILL_S = 6.0
"""After so long between two turns others may poll what this process was polling (less than `lease.HEARTBEAT_S`)."""
CONFIG_EVERY_S = 1.0
STORE_RETRY_S = 2.0


class _Shard(Struct):
    """A shard under way: *future* is told how many sources were polled, once a host's gap has passed."""

    number: int
    future: Future[int]
    sources: frozenset[int] = frozenset()
    until: float | None = None  # monotonic

    def has_ended(self, busy: set[int], now_s: float, gap_s: float) -> bool:
        """Whether none of its sources is *busy* any more, for *gap_s* where it had any."""
        if not self.sources.isdisjoint(busy):
            self.until = None
        elif self.until is None:
            self.until = now_s + (gap_s if self.sources else 0.0)
        return self.until is not None and self.until <= now_s


class StoodStill(DeskError):
    """This process did nothing for so long that others may have taken over what it was doing."""


class Hand:
    """Polls what it is given. `run` returns when *stop* is set, and raises StoodStill."""

    def __init__(self, store: Store, environ: Mapping[str, str], *, stop: threading.Event) -> None:
        self._store = store
        self._environ = environ
        self._stop = stop
        self._asked: queue.SimpleQueue[_Shard] = queue.SimpleQueue()
        self._shards: list[_Shard] = []
        self._alive = Alive("hand")
        self._config_at = 0.0
        self._turned_at = time.monotonic()
        self._desk = self._first_desk()
        settings = self._desk.settings
        self._fetcher = Fetcher(
            settings.fetch, settings.poll, user_agent(settings), may_begin=lambda: not self._stood_still()
        )
        self._workers = Workers()
        self._ingest = Ingest(
            store, self._fetcher, self._workers, self._desk, clock=now_utc, random=random.random, saving=Handing
        )
        self._counts = IngestCounts()
        self._parts = Parts(lambda: self._desk, environ, self._counts)
        self.roles: dict[str, Role] = {role.name: role for role in self._parts.roles(store, self._may)}
        self._left_to_hands = False

    def poll(self, shard: int) -> Future[int]:
        """Poll what is due of a *shard*, at most `AT_ONCE` sources; how many it was."""
        asked = _Shard(shard, Future())
        self._asked.put(asked)
        return asked.future

    def give_up(self, part: str) -> None:
        """End this process, of which a *part* does nothing any more, to be started anew."""
        log.error("%s has done nothing for %.0f s: ending, to start anew", part, SILENT_S)
        self._stop.set()

    def run(self) -> None:
        """Poll until stopped; then give back what was claimed. Raises StoodStill."""
        self._turned_at = time.monotonic()
        try:
            while not self._stop.is_set():
                self._alive.beat()
                self._mind_pauses()
                try:
                    self._turn()
                except StoreError as error:
                    log.error("the store failed, trying again in %.0f s: %s", STORE_RETRY_S, error)
                    self._stop.wait(STORE_RETRY_S)
        finally:
            self._stop.set()
            self._fetcher.close()
            self._workers.close()
            self._ingest.stop()
            self._let_go()

    def _let_go(self) -> None:
        """Have nobody wait for shards that are not polled any more."""
        while not self._asked.empty():
            self._shards.append(self._asked.get())
        for shard in self._shards:
            shard.future.set_exception(StoreError("this hand is stopping"))

    def _first_desk(self) -> Desk:
        """The config in force, waited for where there is none yet. Raises StoreError where the database is too new."""
        told = False
        while True:
            desk = stored_desk(self._store, Path("/nonexistent"), self._environ)
            if desk is not None:
                return desk
            if not told:
                log.info("no config is in force yet: waiting for a worker that has one")
                told = True
            if self._stop.wait(CONFIG_EVERY_S):
                raise StoreError("stopped before there was a config")

    def _may(self, role: str) -> bool:
        """Whether this hand may have a *role*. While a release decides that knew none, as in an upgrade of one machine
        after the other, that process does all of it.
        """
        if not self._left_to_hands:
            with self._store.read() as tx:
                self._left_to_hands = tx.counters.value(FILED_BY) > 0
        return self._left_to_hands and self._parts.able(role)

    def _stood_still(self) -> bool:
        """Whether others may poll by now what this process was polling."""
        return time.monotonic() - self._turned_at > STOOD_STILL_S

    def _mind_pauses(self) -> None:
        if self._stood_still() and (self._shards or any(role.part for role in self.roles.values())):
            raise StoodStill(
                f"this process stood still for more than {STOOD_STILL_S:.0f} s: others do its work by now",
                remedy="it is started anew by `wiredesk worker`",
            )
        self._turned_at = time.monotonic()

    def _turn(self) -> None:
        self._take_config()
        self._begin_asked(wait_s=0.0 if self._ingest.in_flight or self._shards else 0.5)
        progress = Progress()
        if self._ingest.in_flight:
            progress = self._ingest.run_once(0.2)
        elif self._shards:
            self._stop.wait(0.02)
        else:
            self._workers.rest()
        self._counts.count(progress)
        self._end_shards()

    def _begin_asked(self, wait_s: float) -> None:
        while True:
            try:
                shard = self._asked.get(timeout=wait_s) if wait_s else self._asked.get_nowait()
            except queue.Empty:
                return
            wait_s = 0.0
            try:
                shard.sources = self._ingest.take_shard(shard.number, AT_ONCE)
            except StoreError as error:
                shard.future.set_exception(error)
            else:
                self._shards.append(shard)

    def _end_shards(self) -> None:
        """Let go of shards whose requests have ended, a host's gap later: whoever polls them next keeps it, too."""
        busy, now_s, gap_s = self._ingest.busy_sources, time.monotonic(), self._desk.settings.poll.gap_s
        ended = [shard for shard in self._shards if shard.has_ended(busy, now_s, gap_s)]
        self._shards = [shard for shard in self._shards if shard not in ended]
        for shard in ended:
            shard.future.set_result(len(shard.sources))

    def _take_config(self) -> None:
        """Take over a config that was accepted meanwhile."""
        now_s = time.monotonic()
        if now_s < self._config_at:
            return
        self._config_at = now_s + CONFIG_EVERY_S
        if stored_version(self._store) == self._desk.version:
            return
        desk = stored_desk(self._store, Path("/nonexistent"), self._environ)
        if desk is not None:
            self._desk = self._ingest.desk = desk
            self._fetcher.configure(desk.settings.fetch, desk.settings.poll, user_agent(desk.settings))
            log.info("config version=%d is live", desk.version)
