"""The store: opened, read and written in transactions; watched for what others publish. I/O: database."""

from __future__ import annotations

import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from multiprocessing.connection import wait  # by poll: a server with many clients has numbers that select refuses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, inspect, select

from feeds.errors import StoreError
from feeds.files import make_private
from feeds.store import database, dialect, small_tables
from feeds.store.database import Loss, mapped
from feeds.store.dialect import PUBLISHED, Verbs
from feeds.store.schema import STALE, UNRENDERED, articles, sections

if TYPE_CHECKING:
    from feeds.store.articles import Articles
    from feeds.store.documents import Documents, Sitemaps
    from feeds.store.hubs import Hubs
    from feeds.store.inbox import FolderFiles, Inbox, PageQueue, RawAnswers
    from feeds.store.overview import Overview
    from feeds.store.relations import Relations
    from feeds.store.retention import Retention
    from feeds.store.search import Search
    from feeds.store.sections import Sections
    from feeds.store.small_tables import Configs, Counters, Events, Furniture, Models, Readers, Tokens
    from feeds.store.sources import Schedule, Sources
    from feeds.store.stories import StoryShelf


NET_S = 1.0
"""Seconds after which the publication counter is asked in any case: a NOTIFY may be lost with its connection."""
RETRY_S = 1.0

log = logging.getLogger(__name__)

_SUBJECTS = {
    "configs": ("small_tables", "Configs"),
    "counters": ("small_tables", "Counters"),
    "events": ("small_tables", "Events"),
    "furniture": ("small_tables", "Furniture"),
    "models": ("small_tables", "Models"),
    "tokens": ("small_tables", "Tokens"),
    "readers": ("small_tables", "Readers"),
    "sources": ("sources", "Sources"),
    "schedule": ("sources", "Schedule"),
    "inbox": ("inbox", "Inbox"),
    "page_queue": ("inbox", "PageQueue"),
    "folder_files": ("inbox", "FolderFiles"),
    "raw_answers": ("inbox", "RawAnswers"),
    "articles": ("articles", "Articles"),
    "relations": ("relations", "Relations"),
    "sections": ("sections", "Sections"),
    "stories": ("stories", "StoryShelf"),
    "documents": ("documents", "Documents"),
    "hubs": ("hubs", "Hubs"),
    "sitemaps": ("documents", "Sitemaps"),
    "retention": ("retention", "Retention"),
    "search": ("search", "Search"),
    "overview": ("overview", "Overview"),
}
"""The subjects of a transaction: module and class of the verbs of each."""


class ReadTx:
    """One transaction: what it reads is of one moment. The verbs are by subject, and a subject is imported when it is
    first asked for: most polls need two of them.
    """

    configs: Configs
    counters: Counters
    events: Events
    furniture: Furniture
    models: Models
    tokens: Tokens
    readers: Readers
    sources: Sources
    schedule: Schedule
    inbox: Inbox
    page_queue: PageQueue
    folder_files: FolderFiles
    raw_answers: RawAnswers
    articles: Articles
    relations: Relations
    sections: Sections
    stories: StoryShelf
    documents: Documents
    hubs: Hubs
    sitemaps: Sitemaps
    retention: Retention
    search: Search
    overview: Overview

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __getattr__(self, name: str) -> Verbs:
        if name not in _SUBJECTS:
            raise AttributeError(name)
        module, kind = _SUBJECTS[name]
        verbs: Verbs = getattr(import_module(f"feeds.store.{module}"), kind)(self._connection)
        setattr(self, name, verbs)
        return verbs

    def unpublished(self) -> bool:
        """Whether the documents of a section, or the fragments of an article, are missing or out of date; cheap."""
        for table, waits in ((sections, STALE), (articles, UNRENDERED)):
            if self._connection.execute(select(table.c.id).where(waits).limit(1)).first() is not None:
                return True
        return False


class WriteTx(ReadTx):
    """One transaction that writes, whole or not at all; on SQLite there is one at a time. Compute before, not in it."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self.told: set[str] = set()

    def tell(self, what: str) -> None:
        """Tell who hears *what* (`Store.hear`), once this is committed."""
        if what not in self.told:
            self.told.add(what)
            dialect.notify(self._connection, what)

    def lock_dedupe(self) -> None:
        """Wait until no other worker decides what is new; ask `articles.known` after this, save before the end."""
        dialect.lock(self._connection, dialect.DEDUPE_LOCK)


class Listener:
    """Hears what a PostgreSQL tells on one *channel* (NOTIFY), by a thread with a connection of its own.

    *heard* is called by that thread, and whenever it has connected, for something may have been told before. While
    there is no connection, `lost` says why; the thread is who tries again.
    """

    def __init__(self, engine: Engine, channel: str, heard: Callable[[], None]) -> None:
        self._engine = engine
        self._channel = channel
        self._heard = heard
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._end: socket.socket | None = None  # closed to end the thread
        self.listening = False
        self.lost: StoreError | None = None

    def start(self) -> None:
        """Begin; no matter how often this is called."""
        with self._lock:
            if self._thread is None:
                self._end, ended = socket.socketpair()
                self._thread = threading.Thread(target=self._run, args=(ended,), name="listener", daemon=True)
                self._thread.start()

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
                    self.lost = error
                except self._engine.dialect.loaded_dbapi.Error as error:
                    # The connection was lost, or the server is a standby, which takes no LISTEN: it is asked instead.
                    if str(error) != told:
                        log.info("the database tells nothing, and is asked instead: %s", told := str(error))
                self.listening, wait_s = False, RETRY_S

    def _listen(self, ended: socket.socket) -> None:
        """Until the connection is gone, which raises, or this is closed."""
        with mapped():
            pooled: Any = self._engine.raw_connection()
        connection = pooled.driver_connection
        pooled.detach()  # it is ours for good, and takes no place of the pool's
        with connection:
            connection.autocommit = True
            connection.execute(f"LISTEN {self._channel}")
            self.lost, self.listening = None, True
            self._heard()
            while ended not in wait([ended, connection]):
                for _ in connection.notifies(timeout=0):
                    self._heard()


class Publications:
    """Whether something was published, as a PostgreSQL tells: so a request asks the database nothing while nothing is.

    While there is no connection a look fails at once, and no request waits for a server that is gone.
    """

    def __init__(self, engine: Engine) -> None:
        self._told = threading.Event()
        self._listener = Listener(engine, PUBLISHED, self._told.set)
        self._ask_at = 0.0  # monotonic

    def may_have_moved(self) -> bool:
        """Whether the counter has to be asked. Raises StoreError where the server is known to be gone."""
        self._listener.start()
        if (lost := self._listener.lost) is not None:
            raise StoreError(lost.cause, remedy=lost.remedy)
        if self._listener.listening and not self._told.is_set() and time.monotonic() < self._ask_at:
            return False
        # What is told from here on, or a failure, has the counter asked once more.
        self._told.clear()
        self._ask_at = 0.0
        return True

    def asked(self) -> None:
        """The counter was asked, and has answered."""
        self._ask_at = time.monotonic() + NET_S

    def close(self) -> None:
        """Listen no more."""
        self._listener.close()


class Store:
    """A database, open. Threads may share it; processes open their own."""

    def __init__(self, url: str) -> None:
        self.url = dialect.database_url(url)
        self.file = dialect.sqlite_file(self.url)
        self.name = _name()
        self.fence: Callable[[Connection], None] | None = None
        self._reader, self._writer = dialect.engines(self.url, self.name)
        self._place: database.Place | None = None
        self._look = threading.Lock()
        self._publications = None if self.file is not None else Publications(self._writer)
        self._listeners: list[Listener] = []
        self._heard: dict[str, list[Callable[[], None]]] = {}  # on SQLite
        self._watcher: Any = None  # a connection of its own: SQLite's data_version counts the commits of others
        self._data_version = -1
        self._seen = -1
        self._reported = -1

    @property
    def conninfo(self) -> str:
        """The address of a PostgreSQL as its own programs and libraries take it; it may hold a password."""
        return self.url.set(drivername="postgresql").render_as_string(hide_password=False)

    @contextmanager
    def read(self) -> Iterator[ReadTx]:
        """A transaction that sees one moment and cannot write."""
        with mapped(), self._reader.connect() as connection, connection.begin():
            yield ReadTx(connection)

    @contextmanager
    def write(self) -> Iterator[WriteTx]:
        """A transaction that is committed at the end, or undone by an exception.

        Raises LeaseLost where another process decides for the desk by now (`feeds.store.lease`).
        """
        with mapped(), self._writer.begin() as connection:
            if self.fence is not None:
                self.fence(connection)
            tx = WriteTx(connection)
            yield tx
        for what in tx.told:
            self._ring(what)

    @contextmanager
    def unfenced(self) -> Iterator[Connection]:
        """The connection of a transaction below `write`: of the lease itself, and of what goes through whole tables."""
        with self._writer.begin() as connection:
            yield connection

    def try_to_write(self) -> None:
        """Write something and take it back. Raises StoreError, which says what is in the way."""
        with mapped(), self._writer.connect() as connection, connection.begin() as transaction:
            small_tables.count(connection, small_tables.PUBLICATION)
            transaction.rollback()

    # ------------------------------------------------------------------ upgrades, copies

    def pending(self) -> bool:
        """Whether the database is older than this release; StoreError if it is newer."""
        with mapped(), self._reader.connect() as connection:  # who only reads must not wait for a writer to open
            return database.pending(connection)

    def empty(self) -> bool:
        """Whether the database has no tables of the desk at all."""
        with mapped(), self._reader.connect() as connection:
            return database.revision(connection) is None

    def revision(self) -> str | None:
        """The revision of the database's tables, None before there are any."""
        with mapped(), self._reader.connect() as connection:
            return database.revision(connection)

    def migrate(self, backup_to: Path | None = None) -> bool:
        """Bring the database to this release; whether there was anything to do.

        All steps are one transaction, so an interrupted upgrade has not happened. A SQLite file with something in it
        is copied to *backup_to* first. StoreError if the database is newer than this release.
        """
        if not self.pending():
            return False
        if backup_to is not None and self.file is not None and not self.empty():
            self.backup(backup_to)
        with mapped(), self._writer.connect() as connection:
            database.to_head(connection)
        return True

    def install(self, script: str, table: str) -> None:
        """Run the *script* of a library that keeps tables of its own in this PostgreSQL, unless *table* is there."""
        with mapped(), self.unfenced() as connection:
            dialect.lock(connection, dialect.MIGRATE_LOCK)
            if not inspect(connection).has_table(table):
                driver: Any = connection.connection.driver_connection
                driver.execute(script)

    def backup(self, path: Path) -> None:
        """Copy a SQLite database to *path* while it is in use; the copy is of one moment, and whole or not there."""
        if self.file is None:
            raise StoreError("a PostgreSQL database is not copied by the desk", remedy="use pg_dump")
        database.copy(self.file, path)

    # ------------------------------------------------------------------ losses

    def watch_place(self) -> None:
        """Remember which file this is."""
        assert self.file is not None
        self._place = database.Place(self.file)

    def loss(self) -> Loss:
        """Whether the file that is open is still the one at its place, and what else; "" where all is well."""
        return self._place.loss() if self._place is not None else ""

    def is_replaced(self) -> bool:
        """Whether another database lies at the place of this one."""
        return self._place is not None and self._place.is_replaced()

    def rescue(self, loss: Loss) -> str:
        """Save what can be saved from the open files after a *loss*; says what became of it. Close the store then."""
        assert self.file is not None
        if loss == "replaced":
            return "another database was put in its place; what the one before held since is not in it"
        if loss == "overwritten":
            # What is in the log belongs to the file as it was, and may have gone into the one that is there already.
            return "it was overwritten in its place, and may be a mixture: stop the desk and `wiredesk restore` a copy"
        with mapped():
            # The one connection that has surely met the log; one that is opened now would find nothing.
            connection: Any = self._writer.raw_connection()
            try:
                if loss == "log deleted":
                    database.save_log(connection.driver_connection)
                    return "its log was deleted; what it held was saved, nothing is lost"
                database.save_all(connection.driver_connection, self.file)
            finally:
                connection.close()
        return "it was deleted; it was written anew from the open file, nothing is lost"

    # ------------------------------------------------------------------ watching

    def publication(self) -> int:
        """The publication counter, so cheap that it can be asked with every request on SQLite."""
        with self._look:
            if self.file is None:
                with self.read() as tx:
                    self._seen = tx.documents.publication()
                return self._seen
            version = self._version_of_data()
            if version != self._data_version:
                with self.read() as tx:
                    self._seen = tx.documents.publication()
                self._data_version = version
            return self._seen

    def data_version(self) -> int | None:
        """A number that moves whenever anybody commits anything, at next to no cost; None where there is none."""
        if self.file is None:
            return None
        with self._look:
            return self._version_of_data()

    def moved(self) -> bool:
        """Whether the publication counter moved since this was last asked; True the first time."""
        if self._publications is not None and not self._publications.may_have_moved():
            return False
        now = self.publication()
        if self._publications is not None:
            self._publications.asked()
        moved, self._reported = now != self._reported, now
        return moved

    def hear(self, what: str, heard: Callable[[], None]) -> None:
        """Have *heard* called, by whatever thread, whenever somebody told *what* (`WriteTx.tell`): on PostgreSQL any
        process, on SQLite this one.
        """
        if self.file is not None:
            self._heard.setdefault(what, []).append(heard)
            return
        listener = Listener(self._writer, what, heard)
        self._listeners.append(listener)
        listener.start()

    def tell(self, what: str) -> None:
        """Tell who hears *what*."""
        if self.file is not None:
            self._ring(what)
            return
        with self.write() as tx:
            tx.tell(what)

    def _ring(self, what: str) -> None:
        for heard in self._heard.get(what, ()):
            heard()

    def _version_of_data(self) -> int:
        with mapped():
            if self._watcher is None:
                self._watcher = self._reader.raw_connection()
            return int(self._watcher.driver_connection.execute("PRAGMA data_version").fetchone()[0])

    def close(self) -> None:
        """Close every connection. A closed store is not used again."""
        if self._publications is not None:
            self._publications.close()
        for listener in self._listeners:
            listener.close()
        self.disconnect()

    def disconnect(self) -> None:
        """Close what is open of a SQLite file: the next question opens it again, in this process or in one that is
        forked from it. Statements that were compiled stay so.
        """
        with self._look:
            if self._watcher is not None:
                self._watcher.invalidate()
                self._watcher = None
            self._data_version = -1  # another connection counts for itself
        for engine in (self._reader, self._writer):
            _dispose(engine)

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()


def _name() -> str:
    """By which the server shows this process's sessions (`pg_stat_activity`); at most 63 characters, and unique."""
    return f"wiredesk {socket.gethostname()[:24]}:{os.getpid()} {secrets.token_hex(8)}"


def _dispose(engine: Engine) -> None:
    with mapped():
        engine.dispose()


def _is_there(file: Path) -> bool:
    try:
        return file.exists()
    except OSError as error:  # of folders that may not be searched Python raises
        remedy = "give this user the right to read and write the data folder"
        raise StoreError(f"the database {file} cannot be looked at: {error.strerror}", remedy=remedy) from error


def _make_folder(folder: Path) -> None:
    try:
        make_private(folder)
    except OSError as error:
        raise StoreError(
            f"the folder {folder} cannot be made: {error.strerror}", remedy="choose another with --data"
        ) from error


def open_store(url: str, *, create: bool = True) -> Store:
    """The store at *url*: ``sqlite:///file``, a bare path, or ``postgresql://…``.

    An empty database gets its tables; an older one is left for `Store.migrate`. With *create* False both are refused,
    as by processes that only read. StoreError, with the remedy, also for one that is newer than this release.
    """
    location = dialect.database_url(url)
    file = dialect.sqlite_file(location)
    if file is not None and not _is_there(file):
        if not create:
            raise StoreError(f"there is no database at {file}", remedy="`wiredesk run` makes it")
        _make_folder(file.parent)
    store = Store(url)
    try:
        if store.pending():
            if store.empty() and create:
                store.migrate()
            elif not create:
                raise StoreError("the database is of an older release", remedy="upgrade it: start `wiredesk run` once")
        if file is not None:
            store.watch_place()
    except BaseException:
        store.close()
        raise
    return store
