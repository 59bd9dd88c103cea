"""The settings under which granian serves the desk. Pure but for a look at the limit of open files.

Measured with `bench/serve.py`: one Rust thread and few Python threads a worker are the cheapest, and a worker a core
is enough. Python threads wait for the database and for slow clients now and then: see `admission`.
"""

from __future__ import annotations

import resource
from typing import Any

from granian.constants import HTTPModes, Interfaces, RuntimeModes
from granian.http import HTTP1Settings

from feeds.serve.admission import THREADS

BACKLOG = 2048
MAX_CONNECTIONS = 4096  # a worker; granian holds one for as long as a client keeps it open, asking or not
HEADERS_TIMEOUT_MS = 15_000  # for a request's head, and for the next one on a connection kept alive
MAX_HEAD_BYTES = 65_536
BLOCKING_THREADS = THREADS  # most of them wait, or are not needed
SPARE_FILES = 128  # what a process has open besides connections


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
