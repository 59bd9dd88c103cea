"""One desk a data folder: a lock that the kernel gives back when its holder dies. I/O."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from feeds.errors import DeskError
from feeds.files import make_private


class DeskLock:
    """Holds `desk.lock` in a data folder for as long as it is open; a context manager.

    Raises DeskError on entering when another desk has it (naming its process), or the folder can't be written.
    """

    def __init__(self, data: Path, name: str = "desk.lock") -> None:
        self._path = data / name
        self._fd = -1

    def __enter__(self) -> DeskLock:
        try:
            self._fd = self._take()
        except OSError as error:
            raise DeskError(
                f"can't write in the data folder {self._path.parent}: {error.strerror}",
                remedy="make it writable for this user, or name another one with --data",
            ) from error
        return self

    def kept(self) -> bool:
        """Whether the folder is still this desk's. A lock whose file was deleted is made anew, unless another desk has
        done so before.
        """
        try:
            if not os.path.exists(self._path) or not os.path.samestat(os.stat(self._path), os.fstat(self._fd)):
                before, self._fd = self._fd, self._take()
                os.close(before)
        except DeskError:
            return False
        except OSError:
            pass  # the folder can't be looked into or written: whoever comes now can't take it either
        return True

    def _take(self) -> int:
        """The open file with the lock on it. Raises DeskError where another desk has it, else OSError."""
        make_private(self._path.parent)
        # Not inheritable: a child that outlives the parent must not keep the lock.
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(fd, 64).decode("ascii", "replace").strip()
            os.close(fd)
            who = f" (process {holder})" if holder else ""
            raise DeskError(
                f"another desk{who} already runs on the data folder {self._path.parent}",
                remedy="stop that one first, or name another folder with --data and another --port",
            ) from error
        with suppress(OSError):  # on a full disk the lock holds, and does not tell whose it is
            os.ftruncate(fd, 0)
            os.pwrite(fd, str(os.getpid()).encode("ascii"), 0)
        return fd

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
