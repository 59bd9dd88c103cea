"""Files that others put in place, read only where they are plain files of a bounded size. I/O: reads files.

A name can lead anywhere: into `/proc`, where a process's secrets stand, to a device that never ends, to a pipe that
waits for a writer. So a file is opened without waiting, and what it is is asked of the open file.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path

OF_THE_SYSTEM = ("/proc", "/sys", "/dev")
"""Where files are no files: nothing below is ever read."""


class Refused(OSError):
    """A file that is not read, whatever its permissions; `strerror` says why."""

    def __init__(self, why: str) -> None:
        super().__init__(errno.EPERM, why)


def read(path: Path, *, most_bytes: int, within: Iterable[Path] | None = None) -> bytes:
    """The bytes of the plain file *path*, links followed.

    Raises Refused where it is none, has more than *most_bytes*, lies in a place of the system's, or, with *within*,
    is not below one of these folders, which are resolved; OSError where it can't be read.
    """
    real = os.path.realpath(path, strict=True)
    if within is not None and not any(is_below(real, folder) for folder in within):
        raise Refused(f"it leads out of its folder, to {printable(real)}")
    if any(is_below(real, Path(place)) for place in OF_THE_SYSTEM):
        raise Refused("what the system shows as files is never read")
    opened = os.open(real, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    with open(opened, "rb") as file:
        status = os.fstat(opened)
        if not stat.S_ISREG(status.st_mode):
            raise Refused("it is no plain file")
        if status.st_dev in _devices_of_the_system():
            raise Refused("what the system shows as files is never read")
        if _moved(real, status):
            raise Refused("it was exchanged while it was looked at")
        body = file.read(most_bytes + 1) if status.st_size <= most_bytes else b""
    if status.st_size > most_bytes or len(body) > most_bytes:
        size = f"{status.st_size:,} bytes are" if status.st_size > most_bytes else "it has"
        raise Refused(f"{size} more than the {most_bytes:,} allowed")
    return body


def is_below(path: str, folder: Path) -> bool:
    """Whether the resolved *path* is *folder* or in it.

    >>> is_below("/srv/letters/a.txt", Path("/srv/letters")), is_below("/srv/letters-2/a.txt", Path("/srv/letters"))
    (True, False)
    """
    return Path(path).is_relative_to(folder)


def printable(name: str) -> str:
    """A file's *name* fit for a line of the log: what is no letter of it is escaped.

    >>> printable(os.fsdecode(b"caf\\xe9.txt"))
    'caf\\\\udce9.txt'
    """
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in name)


def _moved(real: str, opened: os.stat_result) -> bool:
    """Whether the open file is no longer the one at this place, as after a link was put in the way."""
    return os.path.realpath(real) != real or not os.path.samestat(os.stat(real), opened)


@cache
def _devices_of_the_system() -> frozenset[int]:
    """The file systems of the kernel's own, wherever else they are mounted."""
    if sys.platform != "linux":
        return frozenset()
    found = set()
    for place in ("/proc", "/sys"):
        try:
            found.add(os.stat(place).st_dev)
        except OSError:
            continue
    return frozenset(found - {os.stat("/").st_dev})
