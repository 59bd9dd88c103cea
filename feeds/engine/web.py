"""The web half: granian over the WSGI application, in a process a core. I/O.

Measured with `bench/serve.py`: one Rust thread and few Python threads a worker are the cheapest, and a worker a core is
enough. Those few receive requests and answer from finished documents. Views, which wait for the database, have threads
of their own (`feeds/serve/admission.py`): were they granian's, all of them would wake for the polls too.
"""

from __future__ import annotations

import gc
import logging
import os
import resource
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from multiprocessing.util import Finalize
from typing import Any

from granian.constants import HTTPModes, Interfaces, RuntimeModes
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server import mp
from granian.server.mp import MPServer
from granian.wsgi import _callback_wrapper as wsgi_callback

from feeds.engine.liveness import Alive
from feeds.engine.startup import log_uncaught
from feeds.serve.admission import BUSY, RECEIVING_THREADS, VIEW_THREADS
from feeds.serve.app import answers_of, create_app, store_url_from

log = logging.getLogger(__name__)

BACKLOG = 2048
MAX_CONNECTIONS = 4096  # a worker; granian holds one for as long as a client keeps it open, asking or not
HEADERS_TIMEOUT_MS = 15_000  # for a request's head, and for the next one on a connection kept alive
MAX_HEAD_BYTES = 65_536
SPARE_FILES = 128  # what a process has open besides connections


class Server(MPServer):
    """granian without a process of its own: what it would start, `run` does here, in a child of the desk's parent.

    To be made before the processes are: where they can't each listen on the port, they share the socket made here.
    """

    def __init__(self, host: str, port: int, logging_config: dict[str, Any]) -> None:
        # Every idle client holds a file; the soft limit of most systems is for another age.
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        super().__init__(
            "",
            log_level=LogLevels.warning,
            log_dictconfig=logging_config,
            **granian_settings(host=host, port=port),
        )
        self._init_shared_socket()  # type: ignore[no-untyped-call]

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT. The application finds its desk in the environment (`WIREDESK_*`)."""
        # granian has no setting for it. Where a release knew no such name, it would answer by WSGI alone.
        mp._wsgi_call_wrap = views_apart  # type: ignore[attr-defined, assignment]
        # Logging was set up when this was made; once more would make 1.3 MB this process's own that all of them share.
        mp.configure_logging = lambda *settings: None  # type: ignore[attr-defined]
        self._spawn_worker(0, self._spawn_wsgi_worker, application).inner.run()


def views_apart(app: Any, scope_options: dict[str, Any], access_log: str | None) -> Callable[[Any, Any], None]:
    """Return what granian calls for each request, in place of its own wrapper around a WSGI application.

    What needs no view is answered at once, without the environment and the calls that WSGI asks for. Else the body is
    received, which granian does not let another thread do, and the views are asked in one of theirs; *scope_options*
    and *access_log* are for them.
    """
    answers = answers_of(app)
    ask_views = wsgi_callback(answers.ask_views, scope_options, access_log)
    threads, room = ThreadPoolExecutor(VIEW_THREADS, "view"), threading.Semaphore(VIEW_THREADS)

    def in_thread(protocol: Any, scope: dict[str, Any]) -> None:
        try:
            ask_views(protocol, scope)
        except Exception:
            log.exception("%s %s", scope["REQUEST_METHOD"], scope["PATH_INFO"])
            protocol.response_bytes(500, [], b"")  # nothing happens where an answer has begun
        finally:
            room.release()

    def answer(protocol: Any, scope: dict[str, Any]) -> None:
        known = answers.receive(scope)
        if known is None:
            if room.acquire(blocking=False):
                threads.submit(in_thread, protocol, scope)
                return
            known = BUSY
        protocol.response_bytes(known.status, known.headers, known.body)

    return answer


@cache
def load() -> Any:
    """The WSGI application of this process and of those that are forked from it.

    It opens nothing before it is asked. What is loaded by now stays one for all of them, for nobody looks for garbage
    in it.
    """
    app = create_app(store_url_from(os.environ))
    gc.collect()
    gc.freeze()
    return app


def read_ahead() -> None:
    """Have that application know what is published, and the database not open. To be called again where another
    database may lie there, for a process takes over no more than what follows on what it knows.

    What each process read for itself would be its own: 11 MB, most of it pages of SQLAlchemy's code that were shared.
    """
    answers_of(load()).read_ahead()
    gc.collect()
    gc.freeze()


def application() -> Any:
    """The WSGI application of one web process."""
    log_uncaught()
    Alive("web").beat_from_a_thread()
    app = load()
    Finalize(None, answers_of(app).close, exitpriority=0)  # what it has counted is saved
    return app


def granian_settings(*, host: str, port: int) -> dict[str, Any]:
    """Return the arguments of granian's server but for its target."""
    return {
        "address": host,
        "port": port,
        "interface": Interfaces.WSGI,
        "runtime_mode": RuntimeModes.st,
        "runtime_threads": 1,
        "blocking_threads": RECEIVING_THREADS,
        "http": HTTPModes.http1,
        "websockets": False,
        "backlog": BACKLOG,
        "backpressure": max_connections(),
        "http1_settings": HTTP1Settings(
            header_read_timeout=HEADERS_TIMEOUT_MS, keep_alive=True, max_buffer_size=MAX_HEAD_BYTES
        ),
    }


def max_connections() -> int:
    """Return how many clients one worker holds at once; those beyond wait to be accepted, within the file limit."""
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return MAX_CONNECTIONS if soft == resource.RLIM_INFINITY else max(64, min(MAX_CONNECTIONS, soft - SPARE_FILES))
