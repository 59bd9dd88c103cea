"""`wiredesk worker`: poll, file and render without serving; and `ingest`, the same as a child of `wiredesk run`."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

import click

from feeds import files
from feeds.cli.common import upgrade
from feeds.cli.places import Places, need_config, places, tell_database, with_places
from feeds.cli.prepare import prepare, refuse
from feeds.engine.agreement import Agreement
from feeds.engine.clock import IngestProcess
from feeds.engine.config_watch import accept
from feeds.engine.liveness import VARIABLE, Signs, end_with_parent
from feeds.engine.logs import set_up_logging
from feeds.engine.startup import collect_seldom, now_utc, tell_config
from feeds.engine.supervisor import ANEW_EXIT, Child, DeskLock, supervise
from feeds.errors import DatabaseLost, DeskError, StoreError, StoreTooNew
from feeds.settings import ConfigErrors
from feeds.store import Store, open_store
from feeds.store.lease import Lease
from feeds.store.sources import OF_DESK

log = logging.getLogger(__name__)

STAND_BY_S = 1.0


@click.command()
@with_places
@click.option("-v", "--verbose", is_flag=True, help="Log the reasons, too.")
def worker(config: str | None, data: str | None, verbose: bool) -> None:
    """Poll, file and render without serving; the other half of `wiredesk web`."""
    set_up_logging(os.environ, verbose=verbose)
    found = places(config, data)
    need_config(found)
    tell_database(found)
    with DeskLock(found.data) as lock:
        if found.embedded:
            prepare(found)
            _ingest(found, lock.kept)
        else:
            sys.exit(_supervise(found, lock, verbose))


@click.command(hidden=True)
@with_places
@click.option("-v", "--verbose", is_flag=True)
def ingest(config: str | None, data: str | None, verbose: bool) -> None:
    """The ingest process of `wiredesk run`, which holds the lock and has migrated the database."""
    set_up_logging(os.environ, verbose=verbose)
    if "WIREDESK_PARENT" in os.environ:
        end_with_parent(int(os.environ["WIREDESK_PARENT"]))
    _ingest(places(config, data))


@click.command(hidden=True)
@with_places
@click.option("-v", "--verbose", is_flag=True)
def hand(config: str | None, data: str | None, verbose: bool) -> None:
    """A hand of a desk on PostgreSQL: polls and reads, for the process that decides."""
    set_up_logging(os.environ, verbose=verbose)
    if "WIREDESK_PARENT" in os.environ:
        end_with_parent(int(os.environ["WIREDESK_PARENT"]))
    found = places(config, data)
    if found.embedded:
        raise DeskError("a desk on SQLite has no hands", remedy="name a PostgreSQL in WIREDESK_DATABASE")
    files.use_cache(found.tables)
    stop = _stopped_by_signals()
    store = _open_when_ready(found.database, stop)
    if store is None:
        return
    from feeds.engine.tasks import run_hand  # Procrastinate comes with the extra `postgres` alone

    with store:
        collect_seldom()
        run_hand(store, os.environ, stop)


def _open_when_ready(database: str, stop: threading.Event) -> Store | None:
    """The store, once the lease's holder has brought it to this release; None where this process is stopped before."""
    told = ""
    while not stop.is_set():
        try:
            return open_store(database, create=False)
        except StoreTooNew:
            raise
        except StoreError as error:
            if str(error) != told:
                told = str(error)
                log.info("waiting for the database: %s", told)
            stop.wait(STAND_BY_S)
    return None


def _supervise(found: Places, lock: DeskLock, verbose: bool) -> int:
    """Run a hand, and a process that decides where no other does; gives the exit code."""
    me = [sys.executable, "-m", "feeds.cli"]
    loud = ["--verbose"] if verbose else []
    signs = Signs()
    environ = found.environ() | {"WIREDESK_PARENT": str(os.getpid()), VARIABLE: signs.address}

    def alive() -> None:
        if not lock.kept():
            raise DeskError(f"another desk was started on {found.data}", remedy="stop that one, or name another --data")
        signs.look()

    children = [Child(name, [*me, name, *loud], environ) for name in ("ingest", "hand")]
    try:
        return supervise(children, threading.Event(), alive)
    finally:
        signs.close()


def _stopped_by_signals() -> threading.Event:
    """An event that SIGTERM and SIGINT set."""
    stop = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    return stop


def _ingest(found: Places, ours: Callable[[], bool] = lambda: True) -> None:
    """Poll until told to stop, or until the folder is no longer *ours*."""
    files.use_cache(found.tables)
    # Whose the database is comes first: the lease's holder alone makes tables, upgrades them and accepts config.
    store = open_store(found.database) if found.embedded else Store(found.database)
    lease = Lease(store)
    stop = _stopped_by_signals()
    try:
        if not _stand_by(lease, stop, Agreement(store, found.config, found.environ())):
            return
        upgrade(store, found, now_utc())  # another database may lie here than that which the parent saw
        accepted = accept(store, found.config, found.environ(), now=now_utc())
        tell_config(accepted)
        with store.write() as tx:
            # Nobody else polls this desk: what a killed process had claimed is free at once.
            tx.sources.release_all(None if found.embedded else OF_DESK)
        collect_seldom()
        process = IngestProcess(
            store, found.config, found.data, found.environ(), accepted, stop=stop, lease=lease, ours=ours
        )
        process.run()
    except ConfigErrors as errors:
        sys.exit(refuse(found, errors))
    except DatabaseLost as error:
        log.error("%s", error)
        sys.exit(ANEW_EXIT)
    finally:
        with suppress(StoreError):
            lease.give_back()
        store.close()


def _stand_by(lease: Lease, stop: threading.Event, agreement: Agreement) -> bool:
    """Wait until this process may decide for the desk; False where it is stopped before. Meanwhile say where this
    machine's files are not what is accepted.

    On SQLite that is at once: the folder's lock has refused us where another desk runs.
    """
    told = ""
    while not stop.is_set():
        try:
            if lease.take():
                if told:
                    log.info("the other worker is gone: deciding from now on")
                return True
            words = "another worker decides for this desk: standing by, and taking over when it ends"
        except StoreTooNew as error:
            words = f"standing by until this machine has a newer release, too: {error}"
        except StoreError as error:
            words = f"standing by, but the database does not answer: {error}"
        if words != told:
            log.info("%s", words)
            told = words
        with suppress(StoreError):
            agreement.look(now=now_utc())
        stop.wait(STAND_BY_S)
    return False
