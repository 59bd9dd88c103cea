"""The web half: granian with a process a core over the WSGI application. I/O."""

from __future__ import annotations

import os
import resource
from typing import Any

from granian import Granian
from granian.log import LogLevels

from feeds.engine.lifeline import end_with_parent
from feeds.engine.liveness import Alive
from feeds.serve.server import granian_settings

KILL_AFTER_S = 10


def serve(host: str, port: int, workers: int, logging_config: dict[str, Any]) -> None:
    """Serve until SIGTERM or SIGINT. The application finds its desk in the environment (`WIREDESK_*`).

    *logging_config* goes to each process of the server's, whose own lines look like all others then.
    """
    # Every idle client holds a file; the soft limit of most systems is for another age.
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
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
    from feeds.serve import create_app, store_url_from

    end_with_parent()
    Alive("web").beat_from_a_thread()
    return create_app(store_url_from(os.environ))
