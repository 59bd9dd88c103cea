"""Tables that are dear to make and the same at every start, kept as files and mapped into memory. I/O: one folder.

They are made of what libraries ship, so that nothing is lost with them: whoever can't read or write the folder makes
them anew, and so does whoever finds one that is cut short or made of another version. Mapped, one table serves all
processes that read it. Nothing is kept before `use` was called.
"""

from __future__ import annotations

import json
import mmap
import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path

import xxhash

Parts = Mapping[str, "memoryview | bytes"]
"""The parts of a table, by name, as plain bytes."""

_FORM = 1
_ALIGNED = 64
_HEAD_BYTES = 4096
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
        key = xxhash.xxh3_64_hexdigest(repr([_FORM, *map(_state, made_of)]).encode())
    except OSError:
        return make()
    path = _folder / f"{name}.{key}"
    with suppress(OSError, ValueError, KeyError, TypeError):
        return _read(path)
    parts = make()
    with suppress(OSError):
        _write(path, parts)
        for other in _folder.glob(f"{name}.*"):
            if other != path and ".new-" not in other.name:
                other.unlink()
    return parts


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
    body = bytearray()
    for name, part in parts.items():
        body += bytes(-len(body) % _ALIGNED)
        places[name] = len(body), len(body) + len(part)
        body += part
    head = json.dumps({"bytes": len(body), "parts": places}).encode()
    path.parent.mkdir(exist_ok=True)
    unfinished = path.with_name(f"{path.name}.new-{os.getpid()}")
    try:
        with open(unfinished, "xb") as file:
            file.write(head.ljust(_HEAD_BYTES) + body)
            file.flush()
            os.fsync(file.fileno())  # a power cut must not leave the name without its bytes
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
