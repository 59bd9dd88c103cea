"""`wiredesk run`: the parent of the two processes that poll and that serve. It loads neither half."""

from __future__ import annotations

import http.client
import logging
import os
import socket
import sys
import threading
from collections.abc import Callable
from typing import Any

import click

from feeds.cli.common import Places, need_config, places, upgrade, with_places
from feeds.engine.config_watch import accept, stored_version
from feeds.engine.liveness import VARIABLE, Signs, Systemd
from feeds.engine.logs import set_up_logging
from feeds.engine.startup import now_utc
from feeds.engine.supervisor import CONFIG_EXIT, Child, DeskLock, supervise
from feeds.errors import DeskError
from feeds.settings import ConfigErrors, first_lines
from feeds.store import open_store

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
PORT = 8080


def with_address(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--host` and `--port` to a command."""
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
@with_address
@click.option("--workers", type=click.IntRange(1, 64), help="Web processes [default: one a core].")
@click.option("-v", "--verbose", is_flag=True, help="Log the reasons, too.")
def run(config: str | None, data: str | None, host: str, port: int, workers: int | None, verbose: bool) -> None:
    """Run the whole desk: polling, filing and serving. Stop with Ctrl-C."""
    set_up_logging(os.environ, verbose=verbose)
    found = places(config, data)
    need_config(found)
    with DeskLock(found.data) as lock:
        need_port(host, port)
        prepare(found)
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


def prepare(found: Places) -> None:
    """Migrate the database and see that there is a config to run on; exits with 78 where there is none."""
    try:
        with open_store(found.database) as store:
            upgrade(store, found, now_utc())
            if stored_version(store) == 0:
                # Else the ingest process takes the files over, when it is its turn to poll.
                accept(store, found.config, os.environ, now=now_utc())
    except ConfigErrors as errors:
        sys.exit(refuse(found, errors))


def refuse(found: Places, errors: ConfigErrors) -> int:
    """Tell of files that no desk can start on; gives the exit code."""
    for line in first_lines(errors.errors):
        click.echo(line, err=True)
    count = len(errors.errors)
    click.echo(f"wiredesk: {count} error{'s' * (count != 1)} in {found.config}; mend and start again", err=True)
    return CONFIG_EXIT


def need_port(host: str, port: int) -> None:
    """Raise DeskError, with the remedy, where nobody can listen on *port* of *host*."""
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
    while not _answers(reach, port):
        if stop.wait(0.1):
            return
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


def _answers(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=2)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
