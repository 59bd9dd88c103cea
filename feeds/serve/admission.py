"""Who may use a thread of the web process, so that a poll of a document never waits for anybody.

Finished answers are given at once. All else shares few threads: bodies that are read, and what views put together. Some
of each kind are let in, some wait for a moment; who would take the last threads is asked to come again (RFC 9110
§15.6.4), which costs next to nothing.
"""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable
from typing import IO, Any

BODY_WITHIN_S = 10.0
"""How long the body of a request may take to arrive; hubs and subscribers send theirs in one piece."""
BODIES_AT_ONCE, BODIES_WAITING = 2, 2
VIEWS_AT_ONCE, VIEWS_WAITING = 4, 4
WAIT_S = 1.0
LEFT_FOR_DOCUMENTS = 2
THREADS = BODIES_AT_ONCE + BODIES_WAITING + VIEWS_AT_ONCE + VIEWS_WAITING + LEFT_FOR_DOCUMENTS
"""How many threads that takes in all."""

_FAST_S = 0.05
_MOST_AT_ONCE = 65_536


class Lanes:
    """Lets *at_once* in, and keeps *waiting* more for `WAIT_S` at most."""

    def __init__(self, at_once: int, waiting: int) -> None:
        self._free = threading.Semaphore(at_once)
        self._waiting = threading.Semaphore(waiting)

    def enter(self) -> bool:
        """Whether there is a lane; `leave` gives it back."""
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


def read_body(
    environ: dict[str, Any],
    most_bytes: int,
    *,
    within_s: float = BODY_WITHIN_S,
    clock: Callable[[], float] = time.monotonic,
) -> bytes | None:
    """The body of a request, up to a byte more than *most_bytes*; None where it did not arrive in time.

    It is read in small pieces, growing while they come fast, for a server's stream waits until it has what it was asked
    for. Who sends nothing at all after the head holds the thread until the connection ends: a proxy in front, which
    takes bodies in whole, keeps such clients away.
    """
    stream: IO[bytes] = environ["wsgi.input"]
    length = environ.get("CONTENT_LENGTH")  # not every server ends its stream where the body ends
    left = min(int(length), most_bytes + 1) if length else most_bytes + 1
    began = last = clock()
    piece, body = 1, bytearray()
    while left:
        got = stream.read(min(piece, left))
        if not got:
            break
        body += got
        left -= len(got)
        now = clock()
        if now - began > within_s:
            return None
        piece = min(piece * 2, _MOST_AT_ONCE) if now - last < _FAST_S else max(piece // 4, 1)
        last = now
    return bytes(body)


def put_body(environ: dict[str, Any], body: bytes) -> None:
    """Have *body* read from memory; without transfer coding, for its length is known now."""
    environ["wsgi.input"] = io.BytesIO(body)
    environ["CONTENT_LENGTH"] = str(len(body))
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    environ.pop("wsgi.input_terminated", None)
