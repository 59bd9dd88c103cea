"""Who may use a thread of the web process, so that a poll of a document never waits for anybody. Pure but for threads.

Finished answers are given at once. All else shares few threads: what has a body to be read, and what a view must put
together. Of each kind some are let in; who would take the last threads is asked to come again (RFC 9110 §15.6.4), which
costs next to nothing.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Mapping
from typing import IO, Any

BODY_WITHIN_S = 10.0
"""How long the body of a request may take to arrive; hubs and subscribers send theirs in one piece."""
BODIES_AT_ONCE = 2
VIEWS_AT_ONCE = 4
WAITING = 2
"""So many more requests wait for a view to end, each for WAIT_S at most."""
WAIT_S = 1.0


class Slow(Exception):
    """A body that did not arrive in time."""


class Views:
    """Lets `VIEWS_AT_ONCE` in at once, and keeps a few waiting."""

    def __init__(self) -> None:
        self._free = threading.Semaphore(VIEWS_AT_ONCE)
        self._waiting = threading.Semaphore(WAITING)

    def enter(self) -> bool:
        """Whether a view may be asked now; `leave` ends it."""
        if self._free.acquire(blocking=False):
            return True
        if not self._waiting.acquire(blocking=False):
            return False
        try:
            return self._free.acquire(timeout=WAIT_S)
        finally:
            self._waiting.release()

    def leave(self) -> None:
        """Let the next one in."""
        self._free.release()


class Bodies:
    """Reads the bodies of `BODIES_AT_ONCE` requests at once."""

    def __init__(self, within_s: float = BODY_WITHIN_S) -> None:
        self._within_s = within_s
        self._free = threading.Semaphore(BODIES_AT_ONCE)

    def read(self, environ: Mapping[str, Any], most_bytes: int) -> bytes | None:
        """The body of a request, up to a byte more than *most_bytes*; None where too many are being read. Raises Slow.

        A thread of its own reads it, since a read from a server's stream can't be given up: it ends when the server
        closes the connection, which our answer to the slow one asks for.
        """
        if not self._free.acquire(blocking=False):
            return None
        # Not every server ends its stream where the body ends.
        length = environ.get("CONTENT_LENGTH")
        size = min(int(length), most_bytes + 1) if length else most_bytes + 1
        try:
            arrived: list[bytes] = []
            reader = threading.Thread(
                target=_read, args=(environ["wsgi.input"], size, arrived), name="body", daemon=True
            )
            reader.start()
            reader.join(self._within_s)
            if not arrived:
                raise Slow
            return arrived[0]
        finally:
            self._free.release()


def _read(stream: IO[bytes], most_bytes: int, arrived: list[bytes]) -> None:
    try:
        arrived.append(stream.read(most_bytes))
    except (OSError, ValueError):
        arrived.append(b"")


def with_body(environ: dict[str, Any], body: bytes) -> dict[str, Any]:
    """*environ* with *body* read already; without transfer coding, for its length is known now."""
    environ["wsgi.input"] = io.BytesIO(body)
    environ["CONTENT_LENGTH"] = str(len(body))
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    environ.pop("wsgi.input_terminated", None)
    return environ
