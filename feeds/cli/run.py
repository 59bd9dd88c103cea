"""`wiredesk run`, `web`, `worker`, and `ingest`, which `run` starts as its child."""

from __future__ import annotations

import http.client
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from feeds import files
from feeds.cli.common import Places, need_config, places, upgrade, with_places
from feeds.engine.logs import logging_config, set_up_logging
from feeds.errors import DatabaseLost, DeskError

if TYPE_CHECKING:
    from feeds.engine.liveness import Systemd
    from feeds.store.leader_lock import Lead

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
PORT = 8080
STAND_BY_S = 1.0


def _with_address(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option(
            "--port", type=click.IntRange(1, 65535), default=PORT, envvar="PORT", show_default=True, help="TCP port."
        ),
        click.option("--host", default=HOST, show_default=True, help="Address to listen on; 0.0.0.0 for all."),
    ):
        command = option(command)
    return command


@click.command()
@with_places
@_with_address
@click.option("--workers", type=click.IntRange(1, 64), help="Web processes [default: one a core].")
@click.option("-v", "--verbose", is_flag=True, help="Log the reasons, too.")
def run(config: str | None, data: str | None, host: str, port: int, workers: int | None, verbose: bool) -> None:
    """Run the whole desk: polling, filing and serving. Stop with Ctrl-C."""
    from feeds.engine.liveness import VARIABLE, Signs, Systemd
    from feeds.engine.lock import DeskLock
    from feeds.engine.supervisor import Child, supervise

    set_up_logging(os.environ, verbose=verbose)
    found = places(config, data)
    need_config(found)
    with DeskLock(found.data) as lock:
        _need_port(host, port)
        _prepare(found)
        me = [sys.executable, "-m", "feeds.cli"]
        common = ["--config", str(found.config)]
        loud = ["--verbose"] if verbose else []
        count = ["--workers", str(workers)] if workers else []
        environ = found.environ() | {"WIREDESK_PARENT": str(os.getpid()), "WIREDESK_BIND": host}
        systemd = Systemd(environ)
        stop = threading.Event()
        signs = Signs()
        environ[VARIABLE] = signs.address

        def alive() -> None:
            if not lock.kept():
                raise DeskError(
                    f"another desk was started on {found.data} after its files were deleted",
                    remedy="stop that one, then start this one again",
                )
            if signs.look():
                systemd.feed()

        threading.Thread(target=_say_when_up, args=(found, host, port, stop, systemd), daemon=True).start()
        try:
            code = supervise(
                [
                    Child("ingest", [*me, "ingest", *common, *loud], environ),
                    Child("web", [*me, "web", "--host", host, "--port", str(port), *count], environ),
                ],
                stop,
                alive,
            )
        finally:
            systemd.tell("STOPPING=1")
            signs.close()
        sys.exit(code)


@click.command()
@with_places
@_with_address
@click.option("--workers", type=click.IntRange(1, 64), help="Processes [default: one a core].")
def web(config: str | None, data: str | None, host: str, port: int, workers: int | None) -> None:
    """Serve what is published; for a Procfile or a machine of its own (PORT sets the port)."""
    from feeds.engine.lifeline import end_with_parent
    from feeds.engine.web import serve

    set_up_logging(os.environ)
    found = places(config, data)
    if "WIREDESK_PARENT" in os.environ:
        end_with_parent(int(os.environ["WIREDESK_PARENT"]))
    else:
        _need_port(host, port)
        if found.file is not None and not found.file.exists():
            log.warning("no database at %s yet: answering 503 until `wiredesk worker` has made it", found.file)
    os.environ.update(found.environ() | {"WIREDESK_BIND": host})
    serve(host, port, workers or os.cpu_count() or 1, logging_config(os.environ))


@click.command()
@with_places
@click.option("-v", "--verbose", is_flag=True, help="Log the reasons, too.")
def worker(config: str | None, data: str | None, verbose: bool) -> None:
    """Poll, file and render without serving; the other half of `wiredesk web`."""
    from feeds.engine.lock import DeskLock

    set_up_logging(os.environ, verbose=verbose)
    found = places(config, data)
    need_config(found)
    with DeskLock(found.data) as lock:
        _prepare(found)
        _ingest(found, lock.kept)


@click.command(hidden=True)
@with_places
@click.option("-v", "--verbose", is_flag=True)
def ingest(config: str | None, data: str | None, verbose: bool) -> None:
    """The ingest process of `wiredesk run`, which holds the lock and has migrated the database."""
    from feeds.engine.lifeline import end_with_parent

    set_up_logging(os.environ, verbose=verbose)
    if "WIREDESK_PARENT" in os.environ:
        end_with_parent(int(os.environ["WIREDESK_PARENT"]))
    _ingest(places(config, data))


def _ingest(found: Places, ours: Callable[[], bool] = lambda: True) -> None:
    """Poll until told to stop, or until the folder is no longer *ours*."""
    from feeds.engine.accept import accept
    from feeds.engine.clock import IngestProcess
    from feeds.engine.entrance import collect_seldom, now_utc, tell_config
    from feeds.engine.supervisor import ANEW_EXIT
    from feeds.store import open_store
    from feeds.store.leader_lock import Lead

    files.use_cache(found.tables)
    store = open_store(found.database)
    lead = Lead(store)
    stop = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    try:
        if not _wait_for_lead(lead, stop):
            return
        upgrade(store, found, now_utc())  # another database may lie here than that which the parent saw
        accepted = accept(store, found.config, os.environ, now=now_utc())
        tell_config(accepted)
        with store.write() as tx:
            # Nobody else polls this desk: what a killed process had claimed is free at once.
            tx.sources.release_all()
        collect_seldom()

        def leads() -> bool:
            return ours() and lead.held()

        IngestProcess(store, found.config, found.data, found.environ(), accepted, stop=stop, leads=leads).run()
    except DatabaseLost as error:
        log.error("%s", error)
        sys.exit(ANEW_EXIT)
    finally:
        lead.close()
        store.close()


def _wait_for_lead(lead: Lead, stop: threading.Event) -> bool:
    """Stand by while another worker polls this database (PostgreSQL; on SQLite the folder's lock has refused us)."""
    told = False
    while not stop.is_set():
        if lead.take():
            if told:
                log.info("the other worker is gone: polling from now on")
            return True
        if not told:
            log.info("another worker polls this database: standing by, and taking over when it ends")
            told = True
        stop.wait(STAND_BY_S)
    return False


def _prepare(found: Places) -> None:
    """Migrate the database and see that there is a config to run on; exits with 78 where there is none."""
    from feeds.engine.accept import accept, stored_version
    from feeds.engine.entrance import now_utc
    from feeds.settings import ConfigErrors, first_lines
    from feeds.store import open_store

    store = open_store(found.database)
    try:
        upgrade(store, found, now_utc())
        if stored_version(store) == 0:
            # Else the ingest process takes the files over, when it is its turn to poll.
            accept(store, found.config, os.environ, now=now_utc())
    except ConfigErrors as errors:
        for line in first_lines(errors.errors):
            click.echo(line, err=True)
        count = len(errors.errors)
        click.echo(f"wiredesk: {count} error{'s' * (count != 1)} in {found.config}; mend and start again", err=True)
        sys.exit(78)
    finally:
        store.close()


def _need_port(host: str, port: int) -> None:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except socket.gaierror as error:
        raise DeskError(f"{host!r} is no address of this machine", remedy="use --host 127.0.0.1 or 0.0.0.0") from error
    except PermissionError as error:
        raise DeskError(
            f"this user may not listen on port {port}",
            remedy="use a port from 1024 with --port, and a web server before it",
        ) from error
    except OSError as error:
        raise DeskError(
            f"can't listen on {host}:{port}: {(error.strerror or str(error)).lower()}",
            remedy=f"stop what uses it (`ss -ltnp 'sport = :{port}'` names it), or choose another with --port",
        ) from error


def _say_when_up(found: Places, host: str, port: int, stop: threading.Event, systemd: Systemd) -> None:
    """Tell people where to look, once the desk really answers."""
    reach = "127.0.0.1" if host in ("0.0.0.0", "::", "") else host  # noqa: S104
    while not stop.is_set():
        connection = http.client.HTTPConnection(reach, port, timeout=2)
        try:
            connection.request("GET", "/healthz")
            if connection.getresponse().status == 200:
                systemd.tell("READY=1")
                shown = f"[{reach}]" if ":" in reach else reach
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
                return
        except OSError:
            pass
        finally:
            connection.close()
        stop.wait(0.1)
