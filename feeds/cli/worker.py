"""`wiredesk worker`: poll, file and render without serving; and `ingest`, the same as a child of `wiredesk run`."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType

import click

from feeds import files
from feeds.cli.common import Places, need_config, places, upgrade, with_places
from feeds.cli.run import prepare
from feeds.engine.clock import IngestProcess
from feeds.engine.config_watch import accept
from feeds.engine.liveness import end_with_parent
from feeds.engine.logs import set_up_logging
from feeds.engine.startup import collect_seldom, now_utc, tell_config
from feeds.engine.supervisor import ANEW_EXIT, DeskLock
from feeds.errors import DatabaseLost
from feeds.store import open_store
from feeds.store.store import LeaderLock

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
    with DeskLock(found.data) as lock:
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
    store = open_store(found.database)
    leader = LeaderLock(store)
    stop = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    try:
        if not _wait_for_leader_lock(leader, stop):
            return
        upgrade(store, found, now_utc())  # another database may lie here than that which the parent saw
        accepted = accept(store, found.config, os.environ, now=now_utc())
        tell_config(accepted)
        with store.write() as tx:
            # Nobody else polls this desk: what a killed process had claimed is free at once.
            tx.sources.release_all()
        collect_seldom()

        def leads() -> bool:
            return ours() and leader.held()

        IngestProcess(store, found.config, found.data, found.environ(), accepted, stop=stop, leads=leads).run()
    except DatabaseLost as error:
        log.error("%s", error)
        sys.exit(ANEW_EXIT)
    finally:
        leader.close()
        store.close()


def _wait_for_leader_lock(leader: LeaderLock, stop: threading.Event) -> bool:
    """Stand by while another worker polls this database (PostgreSQL; on SQLite the folder's lock has refused us)."""
    waited = False
    while not stop.is_set():
        if leader.take():
            if waited:
                log.info("the other worker is gone: polling from now on")
            return True
        if not waited:
            log.info("another worker polls this database: standing by, and taking over when it ends")
            waited = True
        stop.wait(STAND_BY_S)
    return False
