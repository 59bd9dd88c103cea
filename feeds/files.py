"""Files read with care, tables that come with the package, and a cache of files that are expensive to make. I/O.

**Regular files.** A name can lead anywhere: into `/proc`, where a process's secrets stand, to a device that never ends,
to a pipe that waits for a writer. So `read_regular` opens a file without waiting, asks the open file what it is, and
takes plain files of a bounded size alone.

**The cache.** Tables that are expensive to make and the same at every start, kept as files and mapped into memory. They
are made of what libraries ship, so nothing is lost with them: a process that can't read or write the folder makes them
anew, and so does one that finds a file cut short or made of another version. Mapped, one table serves all processes
that read it. Nothing is kept before `use_cache` was called.
"""

from __future__ import annotations

import errno
import json
import mmap
import os
import stat
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import BinaryIO

import xxhash

Parts = Mapping[str, "memoryview | bytes"]
"""The parts of a table, by name, as plain bytes."""

_FORM = 1
_ALIGNED = 64
_HEAD_BYTES = 4096
_UNFINISHED = ".new-"
_LEFT_S = 3600
_folder: Path | None = None


def use_cache(folder: Path | None) -> None:
    """Keep tables in *folder* from now on (made when the first is kept); None: nowhere."""
    global _folder
    _folder = folder


def cache_folder() -> Path | None:
    """Where tables are kept, for a process that this one starts."""
    return _folder


def cached(name: str, made_of: Iterable[str], make: Callable[[], Parts]) -> Parts:
    """The table *name*: as it is kept, else as *make* gives it, which is kept from then on.

    *made_of* are the files of code and data that it depends on: where one of them changed, it is made anew.
    """
    if _folder is None:
        return make()
    path: Path | None = None
    with suppress(OSError, ValueError, KeyError, TypeError):
        path = _folder / f"{name}.{xxhash.xxh3_64_hexdigest(repr([_FORM, *map(_state, made_of)]).encode())}"
        return _read(path)
    parts = make()
    with suppress(OSError):
        if path is not None:
            _keep(name, path, parts)
    return parts


def _state(file: str) -> tuple[str, int, int]:
    found = os.stat(file)
    return os.path.basename(file), found.st_size, found.st_mtime_ns


def _keep(name: str, path: Path, parts: Parts) -> None:
    """Keep *parts* at *path*, in the place of what was kept under *name*."""
    _write(path, parts)
    for other in path.parent.glob(f"{name}.*"):
        # What another process is writing stays, but for what one left that was killed over it.
        if other != path and (_UNFINISHED not in other.name or time.time() - other.stat().st_mtime > _LEFT_S):
            other.unlink()


def _read(path: Path) -> dict[str, memoryview]:
    with open(path, "rb") as file:
        mapped = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    head = json.loads(bytes(mapped[:_HEAD_BYTES]))
    body = mapped[_HEAD_BYTES:]
    if len(body) != head["bytes"]:
        raise ValueError(f"{path} is cut short")
    return {name: body[start:end] for name, (start, end) in head["parts"].items()}


def _write(path: Path, parts: Parts) -> None:
    places: dict[str, tuple[int, int]] = {}
    end = 0
    for name, part in parts.items():
        start = end + -end % _ALIGNED
        end = start + len(part)
        places[name] = start, end
    path.parent.mkdir(exist_ok=True)
    with _in_place_of(path) as file:
        file.write(json.dumps({"bytes": end, "parts": places}).encode().ljust(_HEAD_BYTES))
        for name, part in parts.items():
            file.seek(_HEAD_BYTES + places[name][0])
            file.write(part)
        file.truncate(_HEAD_BYTES + end)


@contextmanager
def _in_place_of(path: Path) -> Iterator[BinaryIO]:
    """A file that is written, and then takes the place of the one at *path*, whole or not at all."""
    unfinished = path.with_name(f"{path.name}{_UNFINISHED}{os.getpid()}")
    try:
        with open(unfinished, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())  # a power cut must not leave the name without its bytes
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


OF_THE_SYSTEM = ("/proc", "/sys", "/dev")
"""Where files are no files: nothing below is ever read."""


class Refused(OSError):
    """A file that is not read, whatever its permissions; `strerror` says why."""

    def __init__(self, why: str) -> None:
        super().__init__(errno.EPERM, why)


def read_regular(path: Path, *, most_bytes: int, within: Iterable[Path] | None = None) -> bytes:
    """The bytes of the plain file *path*, links followed.

    Raises Refused where it is none, has more than *most_bytes*, lies in a place of the system's, or, with *within*,
    is not below one of these folders, which are resolved; OSError where it can't be read.
    """
    real = os.path.realpath(path, strict=True)
    if within is not None and not any(map(Path(real).is_relative_to, within)):
        raise Refused(f"it leads out of its folder, to {printable(real)}")
    if any(map(Path(real).is_relative_to, OF_THE_SYSTEM)):
        raise Refused("what the system shows as files is never read")
    opened = os.open(real, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    with open(opened, "rb") as file:
        size = _judge_opened(opened, real).st_size
        body = file.read(most_bytes + 1) if size <= most_bytes else b""
    if max(size, len(body)) > most_bytes:
        words = f"{size:,} bytes are" if size > most_bytes else "it has"
        raise Refused(f"{words} more than the {most_bytes:,} allowed")
    return body


def _judge_opened(opened: int, real: str) -> os.stat_result:
    """The status of the open file that was found at *real*. Raises Refused where it is no plain file."""
    status = os.fstat(opened)
    if not stat.S_ISREG(status.st_mode):
        raise Refused("it is no plain file")
    if status.st_dev in _devices_of_the_system():
        raise Refused("what the system shows as files is never read")
    if _moved(real, opened):
        raise Refused("it was exchanged while it was looked at")
    return status


def replace_text(path: Path, text: str) -> None:
    """Put *text* into a file that is there, whole or not at all; links stay, and so do its rights and its owner.

    Raises OSError.
    """
    real = Path(os.path.realpath(path, strict=True))
    status = real.stat()
    with _in_place_of(real) as file:
        file.write(text.encode())
        os.fchmod(file.fileno(), stat.S_IMODE(status.st_mode))
        if os.geteuid() == 0:
            os.fchown(file.fileno(), status.st_uid, status.st_gid)


def tables(name: str) -> dict[str, list[str]]:
    """The tables of the text file *name* of this package: `[title]` begins one, each line is a row, `#` a comment.

    >>> tables("comparable.txt")["redirect names"][0].split()[:3]
    ['url', 'u', 'target']
    """
    found: dict[str, list[str]] = {}
    for line in (Path(__file__).parent / name).read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            rows = found[line.strip("[]")] = []
        elif line and not line.startswith("#"):
            rows.append(line)
    return found


def make_private(folder: Path) -> None:
    """Make *folder* where it is not there yet, closed to all but its user and group: it holds what config holds."""
    folder.mkdir(mode=0o750, parents=True, exist_ok=True)


def printable(name: str) -> str:
    """A file's *name* fit for a line of the log: what is no letter of it is escaped.

    >>> printable(os.fsdecode(b"caf\\xe9.txt"))
    'caf\\\\udce9.txt'
    """
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in name)


def _moved(real: str, opened: int) -> bool:
    """Whether the open file is another than the one at this place, as after a link was put in the way.

    Linux tells where an open file lies. Elsewhere the name is looked up again, which a second exchange can deceive.
    """
    try:
        return os.readlink(f"/proc/self/fd/{opened}") != real
    except OSError:
        return os.path.realpath(real) != real or not os.path.samestat(os.stat(real), os.fstat(opened))


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
