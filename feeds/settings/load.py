"""The config folder → a Config, or every error of all its files at once. I/O: reads files.

Three files: `wiredesk.yaml` may be missing (all defaults), `sections.yaml` and `sources.yaml` may not, though either
may hold comments alone. Beside them the OPML lists that `sources.yaml` names, and the environment variables that go
before `wiredesk.yaml`. What judges them (`judging`) is imported when there is something to judge: a start with files
that were judged before needs no YAML parser.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

import xxhash

from feeds import __version__, files
from feeds.settings.stored_config import Config, missing, unsendable

FILES = DESK_FILE, SECTIONS_FILE, SOURCES_FILE = ("wiredesk.yaml", "sections.yaml", "sources.yaml")

MAX_CONFIG_BYTES = 64 * 1024 * 1024
"""Bytes of one config file: a hundred thousand sources take a fifth of it."""

Fingerprint = tuple[tuple[str, int, int, int, str], ...]

OVERRIDES: dict[str, tuple[str, ...]] = {
    "WIREDESK_TITLE": ("title",),
    "WIREDESK_BASE_URL": ("base_url",),
    "WIREDESK_CONTACT": ("contact",),
    "WIREDESK_LANGUAGE": ("language",),
    "WIREDESK_TIMEZONE": ("timezone",),
    "WIREDESK_TRUSTED_PROXIES": ("trusted_proxies",),
    "WIREDESK_ALLOW_PRIVATE": ("fetch", "allow_private"),
    "WIREDESK_PROXY": ("fetch", "proxy"),
    "WIREDESK_FULL_TEXT": ("publish", "full_text"),
}
"""Environment variables that go before `wiredesk.yaml`; lists are separated by commas or spaces."""

OTHER_VARIABLES = frozenset(
    f"WIREDESK_{name}" for name in ("CONFIG", "DATA", "DATABASE", "ADMIN_TOKEN", "LOG", "HOST", "PORT", "SHARED_DATA")
)
"""Variables that commands and processes read; here only so that they are not taken for slips of the pen."""


def load_config(folder: Path, environ: Mapping[str, str]) -> Config:
    """Give the Config that the files in *folder* say; `WIREDESK_*` variables of *environ* go before them.

    Raises ConfigErrors with every error of all files at once.
    """
    from feeds.settings.judging import judge  # PyYAML, lxml and re2: a start with known files needs none of them

    # A large config makes a million nodes that all live until it is judged: the collector would only walk them.
    collecting = gc.isenabled()
    gc.disable()
    try:
        return judge(folder, environ)
    finally:
        if collecting:
            gc.enable()


def judged_before(config: Config, folder: Path, environ: Mapping[str, str]) -> bool:
    """Whether the files in *folder* are, byte for byte, those that *config* was made of, under the same environment.

    Of its sources *config* needs those with secrets alone.
    """
    raw: dict[str, bytes | None] = {}
    for name in (*FILES, *config.opml_files):
        try:
            raw[name] = files.read_regular(folder / name, most_bytes=MAX_CONFIG_BYTES)
        except OSError:
            raw[name] = None
    texts = [text for source in config.sources for text in (source.target, *(value for _, value in source.headers))]
    if any(missing(text, environ) or unsendable(text, environ) for text in texts):
        return False
    return config.files == mark_of(raw, environ)


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
