"""One desk a data folder: a lock that the kernel gives back when its holder dies. I/O."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType

from feeds.errors import DeskError


class DeskLock:
    """Holds `desk.lock` in a data folder for as long as it is open; a context manager.

    Raises DeskError on entering when another desk has it (naming its process), or the folder can't be written.
    """

    def __init__(self, data: Path, name: str = "desk.lock") -> None:
        self._path = data / name
        self._fd = -1

    def __enter__(self) -> DeskLock:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            # Not inheritable: a child that outlives the parent must not keep the lock.
            self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise DeskError(
                f"can't write in the data folder {self._path.parent}: {error.strerror}",
                remedy="make it writable for this user, or name another one with --data",
            ) from error
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(self._fd, 64).decode("ascii", "replace").strip()
            os.close(self._fd)
            who = f" (process {holder})" if holder else ""
            raise DeskError(
                f"another desk{who} already runs on the data folder {self._path.parent}",
                remedy="stop that one first, or name another folder with --data and another --port",
            ) from error
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, str(os.getpid()).encode("ascii"), 0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._fd)


def holder(data: Path) -> str | None:
    """The process that holds the lock on *data*, "?" where it can't be told; None where no desk runs there."""
    try:
        fd = os.open(data / "desk.lock", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return os.read(fd, 64).decode("ascii", "replace").strip() or "?"
    finally:
        os.close(fd)
    return None
