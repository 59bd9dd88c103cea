"""What a PostgreSQL tells of publications (LISTEN), heard by a thread with a connection of its own. I/O: database.

So a request asks the database nothing while nothing is published. NOTIFY may be lost with its connection, the counter
is not: once in `NET_S` it is asked all the same. While there is no connection a look fails at once, and no request
waits for a server that is gone; the thread is who tries again.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from multiprocessing.connection import wait  # by poll: a server with many clients has numbers that select refuses
from typing import Any

from sqlalchemy import Engine

from feeds.errors import StoreError
from feeds.store.dialect import CHANNEL

log = logging.getLogger(__name__)

NET_S = 1.0
RETRY_S = 1.0


class Listener:
    """Listens from the first `may_have_moved` on, until closed; *mapped* gives what connecting raises as StoreError."""

    def __init__(self, engine: Engine, mapped: Callable[[], AbstractContextManager[None]]) -> None:
        self._engine = engine
        self._mapped = mapped
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._listening = False
        self._lost: StoreError | None = None
        self._told = threading.Event()
        self._ask_at = 0.0  # monotonic
        self._end: socket.socket | None = None  # closed to end the thread

    def may_have_moved(self) -> bool:
        """Whether the counter has to be asked. Raises StoreError where the server is known to be gone."""
        with self._lock:
            if self._thread is None:
                self._end, ended = socket.socketpair()
                self._thread = threading.Thread(target=self._run, args=(ended,), name="listener", daemon=True)
                self._thread.start()
        if (lost := self._lost) is not None:
            raise StoreError(lost.cause, remedy=lost.remedy)
        if self._listening and not self._told.is_set() and time.monotonic() < self._ask_at:
            return False
        # What is told from here on, or a failure, has the counter asked once more.
        self._told.clear()
        self._ask_at = 0.0
        return True

    def asked(self) -> None:
        """The counter was asked, and has answered."""
        self._ask_at = time.monotonic() + NET_S

    def close(self) -> None:
        """End the thread and its connection."""
        if self._thread is not None and self._end is not None:
            self._end.close()
            self._thread.join(10)

    def _run(self, ended: socket.socket) -> None:
        told, wait_s = "", 0.0
        with ended:
            while not wait([ended], wait_s):
                try:
                    self._listen(ended)
                except StoreError as error:
                    self._lost = error
                except self._engine.dialect.loaded_dbapi.Error as error:
                    # The connection was lost, or the server is a standby, which takes no LISTEN: it is asked instead.
                    if str(error) != told:
                        log.info("publications are not told, and asked for instead: %s", told := str(error))
                self._listening, wait_s = False, RETRY_S

    def _listen(self, ended: socket.socket) -> None:
        """Until the connection is gone, which raises, or this is closed."""
        with self._mapped():
            pooled: Any = self._engine.raw_connection()
        connection = pooled.driver_connection
        pooled.detach()  # it is ours for good, and takes no place of the pool's
        with connection:
            connection.autocommit = True
            connection.execute(f"LISTEN {CHANNEL}")
            # What was published before this is found by the look that follows.
            self._lost, self._listening = None, True
            self._told.set()
            while ended not in wait([ended, connection]):
                for _ in connection.notifies(timeout=0):
                    self._told.set()
