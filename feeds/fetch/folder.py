"""A folder as a source: which files are new or changed since the last look. I/O: reads files, writes nothing.

A file that is still being written is left for the next look: it counts only when it has been quiet for a while.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path

import xxhash
from msgspec import Struct, field

from feeds import files
from feeds.errors import FetchError

_WILDCARD = re.compile(r"[*?\[]")

QUIET_S = 2.0
"""How long a file must be unchanged before it is taken as complete."""

MAX_FILES = 100_000
MAX_FILE_BYTES = 10_485_760
MAX_REFUSED = 100
"""Files of which one look says that they are not read: each is a line of the log and an event."""
MAX_LOOK_BYTES = 64 << 20
"""Bytes of files that one look brings, or one file: all of them are held in memory at once."""


class FoundFile(Struct, frozen=True, kw_only=True):
    """A complete file whose state was not known: *name* is relative to the folder, with ``/``."""

    name: str
    body: bytes
    state: int


class RefusedFile(Struct, frozen=True, kw_only=True):
    """A file that is not read: its *name*, fit to be shown, why, and what to do."""

    name: str
    cause: str
    remedy: str


class Look(Struct, kw_only=True):
    """What a folder holds now. *states* are those of all complete files, to hand in at the next look.

    *waiting* counts files left for the next look; *refused* are those that are not read and were not refused for the
    same reason before, and *untold* counts those that the next look tells; *names* are all that are there, fit to be
    shown.
    """

    found: list[FoundFile] = field(default_factory=list)
    states: list[int] = field(default_factory=list)
    waiting: int = 0
    refused: list[RefusedFile] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    found_bytes: int = 0
    untold: int = 0


def look(
    folder: Path,
    pattern: str,
    known: Iterable[int],
    *,
    now: datetime,
    follow: Iterable[str] = (),
    most: int = 500,
) -> Look:
    """Find the files of *pattern* (a glob below *folder*) whose state is not in *known*; at most *most* bodies at once.

    A file's state is a hash of its name, size, inode and time of change: a touched file is read again, which costs
    little and brings nothing new. The folder looked into is what stands before the first wildcard; a link in it that
    leads elsewhere is followed only to the folders in *follow* (relative to *folder*, or absolute).
    Raises FetchError when the folder itself is not there, or not to be read.
    """
    base = base_of(folder, pattern)
    _need_folder(base, pattern)
    roots = [Path(os.path.realpath(root)) for root in (base, *(folder / root for root in follow))]
    seen = frozenset(known)
    looked = Look()
    for path in _paths(folder, pattern):
        name = os.path.relpath(path, folder).replace(os.sep, "/")
        looked.names.add(files.printable(name))
        try:
            _look_at(path, name, roots, seen, looked, now, most)
        except OSError as error:
            _refuse(name, error.strerror or str(error), seen, looked)
    return looked


def base_of(folder: Path, pattern: str) -> Path:
    """The folder that a look at *pattern* begins in: what stands before its first wildcard."""
    return folder / _WILDCARD.split(pattern, maxsplit=1)[0].rpartition("/")[0]


def _look_at(
    path: Path, name: str, roots: list[Path], seen: frozenset[int], looked: Look, now: datetime, most: int
) -> None:
    """Take in one file. Raises OSError where it is not read."""
    status = path.stat()
    if stat.S_ISDIR(status.st_mode):
        return
    state = _state(name, status)
    if state in seen:
        looked.states.append(state)
        return
    is_full = len(looked.found) >= most or looked.found_bytes >= MAX_LOOK_BYTES
    if is_full or now.timestamp() - max(status.st_mtime, status.st_ctime) < QUIET_S:
        looked.waiting += 1
        return
    if not _is_text(name):
        raise files.Refused("its name is not UTF-8")
    body = files.read_regular(path, most_bytes=MAX_FILE_BYTES, within=roots)
    if _state(name, path.stat()) != state:
        looked.waiting += 1
        return
    looked.states.append(state)
    looked.found.append(FoundFile(name=name, body=body, state=state))
    looked.found_bytes += len(body)


def _refuse(name: str, cause: str, seen: frozenset[int], looked: Look) -> None:
    """Note a file that is not read: told once, and again when the reason is another. It is looked at every time."""
    state = xxhash.xxh3_64_intdigest(f"refused\0{name}\0{cause}".encode("utf-8", "surrogateescape"))
    if state not in seen and len(looked.refused) >= MAX_REFUSED:
        looked.untold += 1
        return
    looked.states.append(state)
    if state not in seen:
        remedy = "rename it" if "UTF-8" in cause else "put a plain file there, or name its folder under `follow:`"
        looked.refused.append(RefusedFile(name=files.printable(name), cause=cause, remedy=remedy))


def _need_folder(base: Path, pattern: str) -> None:
    cause = remedy = ""
    if not os.path.isdir(base):
        cause, remedy = f"the folder {base} is not there", "make it, or correct `files:` of this source"
    if cause and not os.access(base.parent, os.X_OK) or not cause and not os.access(base, os.R_OK | os.X_OK):
        cause, remedy = f"the folder {base} can't be read", "let the user that runs the desk read it"
    if cause:
        raise FetchError(cause, url=f"file:{pattern}", kind="soft", remedy=remedy)


def _paths(folder: Path, pattern: str) -> list[Path]:
    root, relative = (Path("/"), pattern[1:]) if pattern.startswith("/") else (folder, pattern)
    found = {path for path in _matching(str(root), Path(relative).parts) if not _is_passed_over(os.path.basename(path))}
    return [Path(path) for path in sorted(found)[:MAX_FILES]]


def _is_passed_over(name: str) -> bool:
    """Whether a file of this name is hidden, or one that an editor or a copying program is at work on."""
    return name.startswith((".", "~", "#")) or name.endswith(("~", ".swp", ".tmp", ".part"))


def _matching(root: str, parts: Sequence[str]) -> Iterator[str]:
    """Give what matches the glob *parts* below *root*, some of it twice; ``**`` enters no links.

    With a stack of its own and not by recursion, as `Path.glob` has it: folders can lie in one another by the thousand.
    """
    places = [(root, 0)]
    while places:
        place, index = places.pop()
        if index == len(parts):
            yield place
        elif parts[index] == "**":
            places.append((place, index + 1))
            places += [(entry.path, index) for entry in _entries(place) if entry.is_dir(follow_symlinks=False)]
        elif not _WILDCARD.search(parts[index]):
            path = os.path.join(place, parts[index])
            places += [(path, index + 1)] if os.path.lexists(path) else []
        else:
            entries = [entry for entry in _entries(place) if fnmatchcase(entry.name, parts[index])]
            places += [(entry.path, index + 1) for entry in entries]


def _entries(folder: str) -> list[os.DirEntry[str]]:
    """What is in *folder*; nothing where that is no folder, may not be read, or has too long a path."""
    try:
        with os.scandir(folder) as found:
            return list(found)
    except OSError:
        return []


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _state(name: str, status: os.stat_result) -> int:
    identity = f"{name}\0{status.st_size}\0{status.st_mtime_ns}\0{status.st_ino}"
    return xxhash.xxh3_64_intdigest(identity.encode("utf-8", "surrogateescape"))
