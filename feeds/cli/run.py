"""`wiredesk run` and `worker`: the desk's processes, and what each of them begins with."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import FrameType

import click

from feeds import files
from feeds.cli import to_the_end
from feeds.cli.common import (
    Places,
    counted,
    need_config,
    need_port,
    tell_database,
    with_address,
    with_places,
    with_verbose,
)
from feeds.cli.stored import upgrade
from feeds.engine.clock import IngestProcess
from feeds.engine.config_in_force import Agreement, accept, stored_version
from feeds.engine.liveness import VARIABLE, Signs, Systemd
from feeds.engine.startup import (
    collect_seldom,
    keep_heap_small,
    logging_config,
    now_utc,
    set_up_logging,
    tell_config,
)
from feeds.engine.supervisor import ANEW_EXIT, CONFIG_EXIT, Child, DeskLock, supervise
from feeds.errors import DatabaseLost, DeskError, StoreError, StoreTooNew
from feeds.settings import ConfigErrors, first_lines
from feeds.store import Store, open_store
from feeds.store.lease import Lease
from feeds.store.sources import OF_DESK
from feeds.urls import LISTENING

log = logging.getLogger(__name__)

STAND_BY_S = 1.0
ANSWER_S = 0.5


@click.command()
@with_places
@with_address
@click.option("--workers", type=click.IntRange(1, 64), help="Web processes [default: one a core].")
@with_verbose
def run(found: Places, host: str, port: int, workers: int | None, verbose: bool) -> None:
    """Run the whole desk: polling, filing and serving. Stop with Ctrl-C."""
    from feeds.engine import web  # a worker alone serves nothing

    set_up_logging(os.environ, verbose=verbose)
    need_config(found)
    tell_database(found)
    with DeskLock(found.data) as lock:
        need_port(host, port)
        found = found.listening_on(port)
        prepare_apart(found)
        # What the application is made with; the other processes are given `found.environ()` again.
        ours = {"WIREDESK_BIND": host, LISTENING: str(port), "WIREDESK_PARENT": str(os.getpid())}
        os.environ.update(found.environ() | ours)
        server = web.Server(host, port, logging_config(os.environ))
        web.load()

        def serve() -> None:
            os.environ[LISTENING] = str(port)
            server.run()

        hands = [] if found.embedded else [("hand", lambda: _hand(found))]
        webs = [("web", serve)] * (workers or os.cpu_count() or 1)
        mains = [("ingest", lambda: _ingest(found)), *webs, *hands]
        # Who is connected to a PostgreSQL listens to it, in a thread of its own.
        ahead = web.read_ahead if found.embedded else lambda: None
        sys.exit(_supervise(found, lock, mains, host, port, ahead))


def _supervise(
    found: Places,
    lock: DeskLock,
    mains: Sequence[tuple[str, Callable[[], None]]],
    host: str = "",
    port: int = 0,
    read_ahead: Callable[[], None] = lambda: None,
) -> int:
    """Keep a child running for each of *mains*, with their names; gives the exit code. With a *port*, say when the desk
    answers there.
    """
    signs = Signs()
    systemd = Systemd(os.environ)
    os.environ.update(found.environ() | {"WIREDESK_PARENT": str(os.getpid()), VARIABLE: signs.address})
    up = not port

    def settled() -> bool:
        nonlocal up
        if not lock.kept():
            raise DeskError(
                f"another desk was started on {found.data} after its files were deleted",
                remedy="stop that one, then start this one again",
            )
        if not up and _answers(host, port):
            up = True
            systemd.tell("READY=1")
            _tell_up(found, host, port)
        if signs.look():
            systemd.feed()
        return up

    def child(name: str, main: Callable[[], None]) -> Child:
        def begin() -> None:
            lock.let_go()
            to_the_end(main)

        return Child(name, begin)

    try:
        return supervise([child(name, main) for name, main in mains], threading.Event(), settled, read_ahead)
    finally:
        systemd.tell("STOPPING=1")
        signs.close()


def prepare_apart(found: Places) -> None:
    """Have a child `prepare` the desk: who forks has opened no database. Exits with its code where that is not 0."""
    child = multiprocessing.get_context("fork").Process(target=to_the_end, args=(lambda: prepare(found),))
    child.start()
    child.join()
    if code := child.exitcode:
        sys.exit(code if code > 0 else 1)


def _tell_up(found: Places, host: str, port: int) -> None:
    """Tell people where to look."""
    shown = _written(_reachable(host))
    if os.environ.get("WIREDESK_LOG") == "json":
        log.info("up at http://%s:%d/ config=%s data=%s", shown, port, found.config, found.data)
        return
    click.echo(
        f"\n  Wiredesk is up: http://{shown}:{port}/\n"
        f"  config {found.config}   (edit and save: taken over by itself)\n"
        f"  data   {found.data}\n"
        "  Stop with Ctrl-C.\n",
        err=True,
    )


def _reachable(host: str) -> str:
    """Where what listens on *host* is asked from this machine."""
    return "127.0.0.1" if host in ("0.0.0.0", "::", "") else host  # noqa: S104


def _written(host: str) -> str:
    """*host* as it stands in an address (RFC 3986, 3.2.2)."""
    return f"[{host}]" if ":" in host else host


def _answers(host: str, port: int) -> bool:
    """Whether the desk answers; the parent's signals wait for this, half a second at most."""
    request = f"GET /healthz HTTP/1.1\r\nHost: {_written(_reachable(host))}\r\nConnection: close\r\n\r\n"
    try:
        with socket.create_connection((_reachable(host), port), timeout=ANSWER_S) as connection:
            connection.sendall(request.encode("ascii", "replace"))
            return connection.recv(12) == b"HTTP/1.1 200"
    except OSError:
        return False


@click.command()
@with_places
@with_verbose
def worker(found: Places, verbose: bool) -> None:
    """Poll, file and render without serving; the other half of `wiredesk web`."""
    set_up_logging(os.environ, verbose=verbose)
    need_config(found)
    tell_database(found)
    with DeskLock(found.data) as lock:
        if found.embedded:
            prepare(found)
            _ingest(found, lock.kept)
        else:
            sys.exit(_supervise(found, lock, [("ingest", lambda: _ingest(found)), ("hand", lambda: _hand(found))]))


@click.command(hidden=True)
@with_places
@with_verbose
def ingest(found: Places, verbose: bool) -> None:
    """The process that decides, alone: of a desk that is prepared, on a data folder that nobody else has."""
    set_up_logging(os.environ, verbose=verbose)
    _ingest(found)


@click.command(hidden=True)
@with_places
@with_verbose
def hand(found: Places, verbose: bool) -> None:
    """A hand of a desk on PostgreSQL, alone: polls and reads, for the process that decides."""
    set_up_logging(os.environ, verbose=verbose)
    if found.embedded:
        raise DeskError("a desk on SQLite has no hands", remedy="name a PostgreSQL in WIREDESK_DATABASE")
    _hand(found)


def _hand(found: Places) -> None:
    """Poll and read until told to stop."""
    keep_heap_small()
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
    reported = ""
    while not stop.is_set():
        try:
            return open_store(database, create=False)
        except StoreTooNew:
            raise
        except StoreError as error:
            if str(error) != reported:
                reported = str(error)
                log.info("waiting for the database: %s", reported)
            stop.wait(STAND_BY_S)
    return None


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
    keep_heap_small()
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
        del accepted  # of very many sources there are very many warnings, too
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
    reported = ""
    while not stop.is_set():
        try:
            if lease.take():
                if reported:
                    log.info("the other worker is gone: deciding from now on")
                return True
            words = "another worker decides for this desk: standing by, and taking over when it ends"
        except StoreTooNew as error:
            words = f"standing by until this machine has a newer release, too: {error}"
        except StoreError as error:
            words = f"standing by, but the database does not answer: {error}"
        if words != reported:
            log.info("%s", words)
            reported = words
        with suppress(StoreError):
            agreement.look(now=now_utc())
        stop.wait(STAND_BY_S)
    return False


def prepare(found: Places) -> None:
    """Migrate the database and see that there is a config to run on; exits with 78 where there is none."""
    try:
        with open_store(found.database) as store:
            upgrade(store, found, now_utc())
            if found.embedded or stored_version(store) == 0:
                # Else the ingest process takes the files over, when it is its turn to poll.
                accept(store, found.config, found.environ(), now=now_utc())
    except ConfigErrors as errors:
        sys.exit(refuse(found, errors))


def refuse(found: Places, errors: ConfigErrors) -> int:
    """Tell of files that no desk can start on; gives the exit code."""
    for line in first_lines(errors.errors):
        click.echo(line, err=True)
    count = counted(len(errors.errors), "error")
    click.echo(f"wiredesk: {count} in {found.config}; mend and start again", err=True)
    return CONFIG_EXIT
