"""`wiredesk run`: the parent of the two processes that poll and that serve. It loads neither half."""

from __future__ import annotations

import logging
import os
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NoReturn

import click

from feeds.cli.places import Places, need_config, places, tell_database, with_places
from feeds.cli.root import carry_out
from feeds.engine.liveness import VARIABLE, Signs, Systemd
from feeds.engine.logs import set_up_logging
from feeds.engine.supervisor import Child, DeskLock, supervise
from feeds.errors import DeskError

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
    tell_database(found)
    with DeskLock(found.data) as lock:
        need_port(host, port)
        found = found.listening_on(port)
        prepare_apart(found)
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
        children = [
            Child("ingest", [*me, "ingest", *common, *loud], environ),
            Child("web", [*me, "web", "--host", host, "--port", str(port), *count], environ),
        ]
        if not found.embedded:
            children.append(Child("hand", [*me, "hand", *loud], environ))
        try:
            code = supervise(
                children,
                stop,
                alive,
            )
        finally:
            systemd.tell("STOPPING=1")
            signs.close()
        sys.exit(code)


def prepare_apart(found: Places) -> None:
    """Have a child `prepare` the desk, for the parent to stay small; exits with its code where that is not 0.

    No thread has been started yet, so a fork is safe.
    """
    child = os.fork()
    if child == 0:
        _end_here(found)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code:
        sys.exit(code if code > 0 else 1)


def _end_here(found: Places) -> NoReturn:
    """Prepare the desk, and end this process whatever happens: what called us lives on in the parent alone."""
    code: object = 1
    try:
        from feeds.cli.prepare import prepare  # the store and all that judges config: here alone

        carry_out(lambda: prepare(found))
        code = 0
    except SystemExit as ended:
        code = ended.code or 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        with suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code if isinstance(code, int) else 1)


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
    named = f"[{host}]" if ":" in host else host
    request = f"GET /healthz HTTP/1.1\r\nHost: {named}\r\nConnection: close\r\n\r\n"
    try:
        with socket.create_connection((host, port), timeout=2) as connection:
            connection.sendall(request.encode("ascii", "replace"))
            return connection.recv(12) == b"HTTP/1.1 200"
    except OSError:
        return False
