"""The web half: granian with a process a core over the WSGI application. I/O.

Settings were chosen by `bench/serve.py`: one blocking thread a process, since a poll is answered in microseconds and a
second thread only contends for the interpreter.
"""

from __future__ import annotations

import os
from typing import Any

from granian import Granian
from granian.constants import HTTPModes, Interfaces, RuntimeModes
from granian.http import HTTP1Settings

from feeds.engine.lifeline import end_with_parent

KILL_AFTER_S = 10


def serve(host: str, port: int, workers: int) -> None:
    """Serve until SIGTERM or SIGINT. The application finds its desk in the environment (`WIREDESK_*`)."""
    Granian(
        "feeds.engine.web:application",
        factory=True,
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=1,
        runtime_mode=RuntimeModes.st,
        http=HTTPModes.http1,
        websockets=False,
        http1_settings=HTTP1Settings(header_read_timeout=10_000, max_buffer_size=65_536),
        log_enabled=True,
        log_level="warning",  # type: ignore[arg-type]
        log_access=False,
        respawn_failed_workers=True,
        respawn_interval=0.5,
        workers_kill_timeout=KILL_AFTER_S,
        process_name=None,
    ).serve()


def application() -> Any:
    """The WSGI application of one web process, which ends with the process that started it."""
    from feeds.serve import create_app, store_url_from

    end_with_parent()
    return create_app(store_url_from(os.environ))
