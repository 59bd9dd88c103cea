"""Roles: publishing, deliveries, upkeep, each done by one process of a desk at a time. I/O: the store.

On SQLite the ingest process has them all. On PostgreSQL a role is a job of Procrastinate under a lock (`tasks.py`) that
any hand runs, and the process that decides stands in while no hand does. Who has a role holds a lease of it
(`store/lease.py`), and writes through a store of its own, under that lease. So a process that stood still and goes on
writes nothing, and one that stands still in the middle of a transaction holds nobody up.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from typing import Protocol

from feeds.engine.alarms import IngestCounts
from feeds.engine.publishing import Publishing
from feeds.engine.startup import now_utc, user_agent
from feeds.engine.timekeeping import Clocks
from feeds.engine.upkeep import Upkeep
from feeds.errors import LeaseLost, StoreError
from feeds.hub.deliveries import Deliveries
from feeds.ingest.desk import Desk
from feeds.settings.config import missing, outgoing_texts, resolve_notify
from feeds.store import Store
from feeds.store.lease import Lease

log = logging.getLogger(__name__)

PUBLISHING, DELIVERIES, UPKEEP = ROLES = ("publishing", "deliveries", "upkeep")
LOOK_EVERY_S = 2.0
"""How often `Role.look` is to be called at least: more often than a lease has to be renewed."""
SILENT_S = 120.0
"""How long a part may do nothing at all before its process ends, to be started anew."""


class Part(Protocol):
    """What does the work of a role, in threads of its own, from `start` to `close`."""

    def start(self) -> None: ...

    def wake(self) -> None:
        """Look anew at what is due: the clock was set."""

    def stuck(self, for_s: float) -> str:
        """The part's name where it has not come round for so long, else ""."""

    def close(self) -> None: ...


Made = tuple[Part, Callable[[Desk], None]]
"""A part, and how it goes on by another config."""


class Role:
    """One role, held from the first `look` that may have it and gets it until `let_go`. For one thread."""

    def __init__(
        self,
        name: str,
        store: Store,
        make: Callable[[Store, Desk], Made],
        desk: Callable[[], Desk],
        may: Callable[[], bool],
    ) -> None:
        self.name = name
        self.part: Part | None = None
        self._store = store
        self._make = make
        self._desk = desk
        self.may = may
        self._held = ExitStack()
        self._lease = Lease(store, name)
        self._version = 0
        self._clocks = Clocks()

    def look(self) -> None:
        """Take the role, keep it, or let it go. Raises StoreError where the database does not answer."""
        if self.part is None:
            if self.may():
                self._take()
            return
        if not self.may():
            log.info("%s: left to a hand", self.name)
            self.let_go()
            return
        try:
            self._lease.renew()
        except LeaseLost as error:
            log.error("%s", error)
            self.let_go()
            return
        if (desk := self._desk()).version != self._version:
            self._version = desk.version
            self._follow(desk)
        if self._clocks.look():
            self.part.wake()

    def stuck(self) -> str:
        """What of it does nothing any more, else ""."""
        return self.part.stuck(SILENT_S) if self.part is not None else ""

    def let_go(self) -> None:
        """End it, for whoever comes next."""
        self._held.close()

    def _take(self) -> None:
        with ExitStack() as held:
            shared = self._store.file is None
            store = held.enter_context(Store(self._store.conninfo)) if shared else self._store
            self._lease = Lease(store, self.name)
            if not self._lease.take():
                return
            held.callback(self._give_back)
            desk = self._desk()
            self.part, self._follow = self._make(store, desk)
            held.callback(self.part.close)
            self.part.start()
            self._version, self._clocks = desk.version, Clocks()
            self._held = held.pop_all()
        if shared:
            log.info("%s is done here from now on", self.name)

    def _give_back(self) -> None:
        self.part = None
        with suppress(StoreError):
            self._lease.give_back()


class Parts:
    """Makes the roles of a process whose config *desk* gives, with the secrets of *environ*."""

    def __init__(self, desk: Callable[[], Desk], environ: Mapping[str, str], counts: IngestCounts) -> None:
        self._desk = desk
        self._environ = environ
        self._counts = counts

    def roles(self, store: Store, may: Callable[[str], bool]) -> list[Role]:
        """All roles of the desk in *store*, each held while *may* says so of its name."""
        made = ((PUBLISHING, self.publishing), (DELIVERIES, self.deliveries), (UPKEEP, self.upkeep))
        return [Role(name, store, make, self._desk, lambda name=name: may(name)) for name, make in made]  # type: ignore[misc]

    def able(self, name: str) -> bool:
        """Whether this process has the secrets that a role needs: those of webhooks and of the mail server."""
        texts = outgoing_texts(self._desk().settings) if name != PUBLISHING else []
        return not any(missing(text, self._environ) for text in texts)

    def publishing(self, store: Store, desk: Desk) -> Made:
        part = Publishing(store, self._desk, clock=now_utc)
        return part, lambda desk: part.wake()

    def deliveries(self, store: Store, desk: Desk) -> Made:
        part = Deliveries(
            store,
            desk.settings,
            user_agent(desk.settings),
            clock=now_utc,
            count=self._counts.count_message,
            hooks=resolve_notify(desk.settings, self._environ),
        )
        return part, lambda desk: part.configure(
            desk.settings, user_agent(desk.settings), resolve_notify(desk.settings, self._environ)
        )

    def upkeep(self, store: Store, desk: Desk) -> Made:
        part = Upkeep(store, self._desk, self._environ, clock=now_utc)
        return part, lambda desk: part.follow()
