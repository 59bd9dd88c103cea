"""Publishing: as soon as something was saved, in a thread of its own. I/O: the store."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime

from feeds.errors import StoreError
from feeds.ingest.desk import Desk
from feeds.publish import Publisher
from feeds.store import CHANGED, PUBLISHED, Store

log = logging.getLogger(__name__)

LEAST_GAP_S = 0.2
"""Between two publications: what is saved meanwhile comes together. One that takes longer leaves as long a gap."""
HELD_EVERY_S = 10.0
"""How often it is looked whether a section was held for long enough, and whether another process saved something."""
RETRY_S = 1.0
ARCHIVED_AT_ONCE = 200
"""Articles that no document lists, rendered between two publications."""


class Publishing:
    """*desk* gives the desk in force, *clock* the present. Woken by who tells the store of CHANGED."""

    def __init__(self, store: Store, desk: Callable[[], Desk], *, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._desk = desk
        self._clock = clock
        self._publisher = Publisher(store)
        self._saved = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="wiredesk-publishing", daemon=True)

    def start(self) -> None:
        """Begin, with what was left undone."""
        self._publisher.look_for_stories(["", *(section.path for section in self._desk().sections)])
        self._saved.set()
        self._store.hear(CHANGED, self.wake)
        self._thread.start()

    def wake(self) -> None:
        """Something was saved."""
        self._saved.set()

    def stuck(self, for_s: float) -> str:
        """The name of this part where its thread has ended; a publication may take as long as it needs."""
        return "publishing" if self._thread.ident and not self._thread.is_alive() else ""

    def close(self) -> None:
        """Stop after what is under way."""
        self._stop.set()
        self._saved.set()
        if self._thread.is_alive():
            self._thread.join()

    def sweep(self) -> bool:
        """Publish what changed, and make some fragments that no document needs; whether the store took it."""
        desk, now = self._desk(), self._clock()
        try:
            done = self._publisher.publish(desk.settings, desk.sections, now=now, version=desk.version)
            if done.outdated:
                self._saved.set()  # another config is in force than is known here yet
                return True
            if done.sections or done.held:
                self._store.tell(PUBLISHED)
            self._publisher.catch_up(desk.settings, done, most=ARCHIVED_AT_ONCE, now=now)
        except StoreError as error:
            log.error("could not publish, trying again in a second: %s", error)
            return False
        if done.archived:
            self._saved.set()  # there may be more
        if done.sections:
            log.info(
                "published sections=%d held=%d set_aside=%d", len(done.sections), len(done.held), len(done.set_aside)
            )
        return True

    def _run(self) -> None:
        while not self._stop.is_set():
            self._saved.wait(HELD_EVERY_S)
            self._saved.clear()
            if self._stop.is_set():
                return
            began = time.monotonic()
            if self._swept():
                self._stop.wait(max(LEAST_GAP_S, time.monotonic() - began))
            else:
                self._saved.set()
                self._stop.wait(RETRY_S)

    def _swept(self) -> bool:
        try:
            return self.sweep()
        except Exception:
            # A fault of ours in one publication must not be the end of all that follow.
            log.exception("publishing stumbled, trying again in a second")
            return False
