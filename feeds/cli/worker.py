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
from feeds.engine.liveness import end_with_parent
from feeds.engine.logs import set_up_logging
from feeds.engine.startup import collect_seldom, now_utc, tell_config
from feeds.engine.supervisor import ANEW_EXIT, DeskLock
from feeds.errors import DatabaseLost, StoreError
from feeds.settings import ConfigErrors
from feeds.store import Store, open_store
from feeds.store.lease import Lease

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


@click.command(hidden=True)
@with_places
@click.option("-v", "--verbose", is_flag=True)
def ingest(config: str | None, data: str | None, verbose: bool) -> None:
    """The ingest process of `wiredesk run`, which holds the lock and has migrated the database."""
    set_up_logging(os.environ, verbose=verbose)
    if "WIREDESK_PARENT" in os.environ:
        end_with_parent(int(os.environ["WIREDESK_PARENT"]))
    _ingest(places(config, data))


def _ingest(found: Places, ours: Callable[[], bool] = lambda: True) -> None:
    """Poll until told to stop, or until the folder is no longer *ours*."""
    files.use_cache(found.tables)
    # Whose the database is comes first: the lease's holder alone makes tables, upgrades them and accepts config.
    store = open_store(found.database) if found.embedded else Store(found.database)
    lease = Lease(store)
    stop = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    try:
        if not _stand_by(lease, stop, Agreement(store, found.config, os.environ)):
            return
        upgrade(store, found, now_utc())  # another database may lie here than that which the parent saw
        accepted = accept(store, found.config, os.environ, now=now_utc())
        tell_config(accepted)
        with store.write() as tx:
            # Nobody else polls this desk: what a killed process had claimed is free at once.
            tx.sources.release_all()
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
                    log.info("the other worker is gone: polling from now on")
                return True
            words = "another worker polls this database: standing by, and taking over when it ends"
        except StoreError as error:
            words = f"standing by, but the database does not answer: {error}"
        if words != told:
            log.info("%s", words)
            told = words
        with suppress(StoreError):
            agreement.look(now=now_utc())
        stop.wait(STAND_BY_S)
    return False
