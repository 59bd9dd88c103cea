"""A folder as a source: which files are new or changed since the last look. I/O: reads files, writes nothing.

A file that is still being written is left for the next look: it counts only when it has been quiet for a while.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import xxhash

from feeds.errors import FetchError

QUIET_S = 2.0
"""How long a file must be unchanged before it is taken as complete."""

MAX_FILES = 100_000
MAX_FILE_BYTES = 10_485_760


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFile:
    """A complete file whose state was not known: *name* is relative to the folder, with ``/``."""

    name: str
    body: bytes
    state: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a folder holds now. *states* are those of all complete files, to hand in at the next look.

    *waiting* counts files left for the next look; *faults* are files that can't be read, with the reason.
    """

    found: tuple[FoundFile, ...]
    states: tuple[int, ...]
    waiting: int
    faults: tuple[str, ...]


def look(folder: Path, pattern: str, known: Iterable[int], *, now: datetime, most: int = 500) -> Look:
    """Find the files of *pattern* (a glob below *folder*) whose state is not in *known*; at most *most* bodies at once.

    A file's state is a hash of its name, size, inode and time of change: a touched file is read again, which costs
    little and brings nothing new. Files outside *folder* are allowed only where *pattern* itself is absolute or says
    ``..``; a link that leads elsewhere from inside is followed, for admins link folders together.
    Raises FetchError when the folder itself is not there, or not to be read.
    """
    base = folder / pattern.split("*", 1)[0].rpartition("/")[0]
    cause = remedy = ""
    if not os.path.isdir(base):
        cause, remedy = f"the folder {base} is not there", "make it, or correct `files:` of this source"
    if cause and not os.access(base.parent, os.X_OK) or not cause and not os.access(base, os.R_OK | os.X_OK):
        cause, remedy = f"the folder {base} can't be read", "let the user that runs the desk read it"
    if cause:
        raise FetchError(cause, url=f"file:{pattern}", kind="soft", remedy=remedy)
    seen = frozenset(known)
    found: list[FoundFile] = []
    states: list[int] = []
    faults: list[str] = []
    waiting = 0
    for path in _paths(folder, pattern):
        try:
            status = path.stat()
            if not stat.S_ISREG(status.st_mode):
                continue
            name = os.path.relpath(path, folder).replace(os.sep, "/")
            state = _state(name, status)
            if state in seen:
                states.append(state)
            elif now.timestamp() - max(status.st_mtime, status.st_ctime) < QUIET_S or len(found) >= most:
                waiting += 1
            elif status.st_size > MAX_FILE_BYTES:
                states.append(state)
                faults.append(f"{name}: {status.st_size:,} bytes are more than the {MAX_FILE_BYTES:,} allowed")
            else:
                body = path.read_bytes()
                if _state(name, path.stat()) != state:
                    waiting += 1
                    continue
                states.append(state)
                found.append(FoundFile(name=name, body=body, state=state))
        except OSError as error:
            faults.append(f"{path.name}: {error.strerror}")
    return Look(found=tuple(found), states=tuple(states), waiting=waiting, faults=tuple(faults))


def _paths(folder: Path, pattern: str) -> list[Path]:
    root, relative = (Path("/"), pattern[1:]) if pattern.startswith("/") else (folder, pattern)
    paths = sorted(path for path in root.glob(relative) if not path.name.startswith((".", "~", "#")))
    return [path for path in paths if not path.name.endswith(("~", ".swp", ".tmp", ".part"))][:MAX_FILES]


def _state(name: str, status: os.stat_result) -> int:
    return xxhash.xxh3_64_intdigest(f"{name}\0{status.st_size}\0{status.st_mtime_ns}\0{status.st_ino}".encode())
