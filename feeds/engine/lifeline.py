"""A child that outlives its parent would hold ports, locks and claims: here it notices and goes. I/O."""

from __future__ import annotations

import os
import signal
import threading

LOOK_EVERY_S = 0.5
GRACE_S = 5.0


def end_with_parent(parent: int | None = None) -> None:
    """Watch the parent from a daemon thread; when it is gone, end this process as SIGTERM would, then for sure.

    *parent* is its process id where the caller knows it: a parent may be gone before this is called.
    Works on every POSIX system and survives `kill -9` of the parent, which can tell nobody.
    """
    parent = parent or os.getppid()
    threading.Thread(target=_watch, args=(parent,), name="lifeline", daemon=True).start()


def _watch(parent: int) -> None:
    # An event's wait goes by a clock that nobody sets.
    never = threading.Event()
    while os.getppid() == parent:
        never.wait(LOOK_EVERY_S)
    os.kill(os.getpid(), signal.SIGTERM)
    never.wait(GRACE_S)
    os._exit(1)
