"""The web half: granian with a process a core over the WSGI application. I/O.

Measured with `bench/serve.py`: one Rust thread and few Python threads a worker are the cheapest, and a worker a core is
enough. Python threads wait for the database and for slow clients now and then: see `feeds/serve/admission.py`.
"""

from __future__ import annotations

import gc
import os
import resource
from multiprocessing.util import Finalize
from typing import Any

from granian import Granian
from granian.constants import HTTPModes, Interfaces, RuntimeModes
from granian.http import HTTP1Settings
from granian.log import LogLevels

from feeds.engine.liveness import Alive, end_with_parent
from feeds.engine.startup import log_uncaught
from feeds.serve.admission import THREADS
from feeds.serve.app import answers_of, create_app, store_url_from

BACKLOG = 2048
MAX_CONNECTIONS = 4096  # a worker; granian holds one for as long as a client keeps it open, asking or not
HEADERS_TIMEOUT_MS = 15_000  # for a request's head, and for the next one on a connection kept alive
MAX_HEAD_BYTES = 65_536
BLOCKING_THREADS = THREADS  # most of them wait, or are not needed
SPARE_FILES = 128  # what a process has open besides connections
KILL_AFTER_S = 10


def serve(host: str, port: int, workers: int, logging_config: dict[str, Any]) -> None:
    """Serve until SIGTERM or SIGINT. The application finds its desk in the environment (`WIREDESK_*`).

    *logging_config* goes to each process of the server's, whose own lines look like all others then.
    """
    # Every idle client holds a file; the soft limit of most systems is for another age.
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    # Before the fork: what all processes have loaded stays one, where nobody looks for garbage in it.
    gc.collect()
    gc.freeze()
    Granian(
        "feeds.engine.web:application",
        factory=True,
        log_enabled=True,
        log_level=LogLevels.warning,
        log_dictconfig=logging_config,
        log_access=False,
        respawn_interval=0.5,
        workers_kill_timeout=KILL_AFTER_S,
        **granian_settings(host=host, port=port, workers=workers),
    ).serve()


def application() -> Any:
    """The WSGI application of one web process, which ends with the process that started it."""
    end_with_parent()
    log_uncaught()
    Alive("web").beat_from_a_thread()
    app = create_app(store_url_from(os.environ))
    Finalize(None, answers_of(app).close, exitpriority=0)  # what it has counted is saved
    return app


def granian_settings(*, host: str, port: int, workers: int) -> dict[str, Any]:
    """Return the arguments of `granian.Granian` but for its target."""
    return {
        "address": host,
        "port": port,
        "interface": Interfaces.WSGI,
        "workers": workers,
        "runtime_mode": RuntimeModes.st,
        "runtime_threads": 1,
        "blocking_threads": BLOCKING_THREADS,
        "http": HTTPModes.http1,
        "websockets": False,
        "backlog": BACKLOG,
        "backpressure": max_connections(),
        "http1_settings": HTTP1Settings(
            header_read_timeout=HEADERS_TIMEOUT_MS, keep_alive=True, max_buffer_size=MAX_HEAD_BYTES
        ),
        "respawn_failed_workers": True,
    }


def max_connections() -> int:
    """Return how many clients one worker holds at once; those beyond wait to be accepted, within the file limit."""
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return MAX_CONNECTIONS if soft == resource.RLIM_INFINITY else max(64, min(MAX_CONNECTIONS, soft - SPARE_FILES))
