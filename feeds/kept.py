"""Tables that are dear to make and the same at every start, kept as files and mapped into memory. I/O: one folder.

They are made of what libraries ship, so that nothing is lost with them: whoever can't read or write the folder makes
them anew, and so does whoever finds one that is cut short or made of another version. Mapped, one table serves all
processes that read it. Nothing is kept before `use` was called.
"""

from __future__ import annotations

import json
import mmap
import os
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path

import xxhash

Parts = Mapping[str, "memoryview | bytes"]
"""The parts of a table, by name, as plain bytes."""

_FORM = 1
_ALIGNED = 64
_HEAD_BYTES = 4096
_UNFINISHED = ".new-"
_LEFT_S = 3600
_folder: Path | None = None


def use(folder: Path | None) -> None:
    """Keep tables in *folder* from now on (made when the first is kept); None: nowhere."""
    global _folder
    _folder = folder


def folder() -> Path | None:
    """Where tables are kept, for a process that this one starts."""
    return _folder


def table(name: str, made_of: Iterable[str], make: Callable[[], Parts]) -> Parts:
    """The table *name*: as it is kept, else as *make* gives it, which is kept from then on.

    *made_of* are the files of code and data that it depends on: where one of them changed, it is made anew.
    """
    if _folder is None:
        return make()
    try:
        path = _folder / f"{name}.{_key(made_of)}"
    except OSError:
        return make()
    with suppress(OSError, ValueError, KeyError, TypeError):
        return _read(path)
    parts = make()
    with suppress(OSError):
        _replace(name, path, parts)
    return parts


def found(name: str, made_of: Iterable[str]) -> Mapping[str, memoryview] | None:
    """What `keep` was given last under *name*; None where there is none, or one of other files in *made_of*."""
    if _folder is None:
        return None
    try:
        return _read(_folder / f"{name}.{_key(made_of)}")
    except (OSError, ValueError, KeyError, TypeError):
        return None


def keep(name: str, made_of: Iterable[str], parts: Parts) -> None:
    """Keep *parts* in the place of what was kept under *name*, where that can be done."""
    if _folder is None:
        return
    with suppress(OSError):
        _replace(name, _folder / f"{name}.{_key(made_of)}", parts)


def _key(made_of: Iterable[str]) -> str:
    return xxhash.xxh3_64_hexdigest(repr([_FORM, *map(_state, made_of)]).encode())


def _replace(name: str, path: Path, parts: Parts) -> None:
    _write(path, parts)
    for other in path.parent.glob(f"{name}.*"):
        # What another process is writing stays, but for what one left that was killed over it.
        if other != path and (_UNFINISHED not in other.name or time.time() - other.stat().st_mtime > _LEFT_S):
            other.unlink()


def _state(file: str) -> tuple[str, int, int]:
    found = os.stat(file)
    return os.path.basename(file), found.st_size, found.st_mtime_ns


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
    head = json.dumps({"bytes": end, "parts": places}).encode().ljust(_HEAD_BYTES)
    path.parent.mkdir(exist_ok=True)
    unfinished = path.with_name(f"{path.name}{_UNFINISHED}{os.getpid()}")
    try:
        with open(unfinished, "wb") as file:
            file.write(head)
            for name, part in parts.items():
                file.seek(_HEAD_BYTES + places[name][0])
                file.write(part)
            file.truncate(_HEAD_BYTES + end)
            file.flush()
            os.fsync(file.fileno())  # a power cut must not leave the name without its bytes
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
