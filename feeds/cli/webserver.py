"""`wiredesk web`: serve what is published, alone. In a module of its own, for its processes load nothing that polls."""

from __future__ import annotations

import logging
import os
import sys
import threading
from contextlib import suppress

import click

from feeds.cli import to_the_end
from feeds.cli.common import Places, need_port, tell_database, with_address, with_places
from feeds.cli.stored import running_config
from feeds.engine.startup import logging_config, set_up_logging, tell_address
from feeds.engine.supervisor import Child, supervise
from feeds.engine.web import Server, load
from feeds.errors import DeskError
from feeds.store import open_store
from feeds.urls import LISTENING

log = logging.getLogger(__name__)


@click.command()
@with_places
@with_address
@click.option("--workers", type=click.IntRange(1, 64), help="Processes [default: one a core].")
def web(found: Places, host: str, port: int, workers: int | None) -> None:
    """Serve what is published; for a Procfile or a machine of its own (PORT sets the port)."""
    set_up_logging(os.environ)
    need_port(host, port)
    tell_database(found)
    if found.missing:
        log.warning("no database at %s yet: answering 503 until `wiredesk worker` has made it", found.file)
    os.environ.update(found.environ() | {"WIREDESK_BIND": host, LISTENING: str(port)})
    # Why the `base_url` in force can't be right, where the database can be asked already.
    with suppress(DeskError), open_store(found.database, create=False) as store:
        if (config := running_config(store)) is not None:
            tell_address(config.settings, os.environ)
    server = Server(host, port, logging_config(os.environ))
    load()
    count = workers or os.cpu_count() or 1
    sys.exit(supervise([Child("web", lambda: to_the_end(server.run)) for _ in range(count)], threading.Event()))
