"""The config files themselves: their names, what stands for their bytes, whether they changed. I/O: looks at files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

import xxhash

from feeds import __version__
from feeds.settings.variables import OVERRIDES

FILES = DESK_FILE, SECTIONS_FILE, SOURCES_FILE = ("wiredesk.yaml", "sections.yaml", "sources.yaml")

MAX_CONFIG_BYTES = 64 * 1024 * 1024
"""Bytes of one config file: a hundred thousand sources take a fifth of it."""

Fingerprint = tuple[tuple[str, int, int, int, str], ...]


def fingerprint(folder: Path, opml_files: Iterable[str] = ()) -> Fingerprint:
    """Give what changes whenever a config file does: name, mtime_ns, size, inode and resolved path of each.

    *opml_files* are those of the Config, or of the ConfigErrors, last loaded. A missing file counts as one of size
    -1, so that its coming is a change too. Symlinks are followed: a folder swapped at once is a change.
    """
    found = []
    for name in (*FILES, *opml_files):
        path = folder / name
        try:
            at = path.stat()
            found.append((name, at.st_mtime_ns, at.st_size, at.st_ino, os.path.realpath(path)))
        except OSError:
            found.append((name, 0, -1, 0, ""))
    return tuple(found)


def mark_of(raw: Mapping[str, bytes | None], environ: Mapping[str, str]) -> str:
    """What stands for the bytes of config files (None: there is none), for the variables that go before them, and for
    the code that judges them: another release may judge otherwise.
    """
    mark = xxhash.xxh3_128()
    for name, body in raw.items():
        mark.update(repr((name, None if body is None else len(body))).encode())
        mark.update(body or b"")
    ours = [environ.get(name) for name in OVERRIDES]
    mark.update(repr((ours, __version__, _code())).encode())
    return mark.hexdigest()


@cache
def _code() -> int:
    """When the code of this room was last changed, for whoever works on it."""
    return max(path.stat().st_mtime_ns for path in Path(__file__).parent.glob("*.py"))
