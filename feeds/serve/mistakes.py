"""Errors of the config files against the lines that they are in, with nothing secret in them. I/O: reads these files.

Only what an open event names is read, only in the config folder, and never more than a few lines of it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from feeds.store.values import Event
from feeds.urls import masked

AROUND = 1
MOST_CHARS = 240
MOST_FILE_BYTES = 2_000_000
_PLACE = re.compile(r"(?P<file>[^:\n]{1,200}):(?P<line>\d{1,7}):(?P<column>\d{1,7}): (?P<text>.*)", re.DOTALL)
_SECRET = re.compile(
    r"(authorization|token|secret|passw|api[-_]?key|cookie|credential|signature|x-[\w-]*key)", re.IGNORECASE
)
_VALUE = re.compile(r"((?:^|[{,])\s*(?:-\s*)?[\"']?[\w.-]+[\"']?\s*:\s*)([^{},\n][^,}\n]*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One line of a file; *wrong* is the one with the error."""

    number: int
    text: str
    wrong: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """One error: where it is, what it says, and the lines around it where they could be read."""

    file: str
    line: int
    column: int
    text: str
    lines: tuple[Shown, ...] = ()


def mistakes(event: Event, folder: Path | None) -> list[Mistake]:
    """Return the errors that a ``config`` event tells, in its order."""
    kept: dict[str, Sequence[str]] = {}
    found = []
    for told in event.text.split("\n"):
        match = _PLACE.fullmatch(told)
        if match is None:
            if told.strip():
                found.append(Mistake(file="", line=0, column=0, text=told))
            continue
        name, line = match["file"], int(match["line"])
        if name not in kept:
            kept[name] = _read(folder, name)
        found.append(
            Mistake(
                file=name,
                line=line,
                column=int(match["column"]),
                text=match["text"],
                lines=tuple(
                    Shown(number=number, text=_harmless(kept[name], number), wrong=number == line)
                    for number in range(max(1, line - AROUND), min(len(kept[name]), line + AROUND) + 1)
                ),
            )
        )
    return found


def _read(folder: Path | None, name: str) -> Sequence[str]:
    if folder is None or not name.endswith((".yaml", ".yml")):
        return ()
    try:
        file = (folder / name).resolve()
        if not file.is_relative_to(folder.resolve()) or file.stat().st_size > MOST_FILE_BYTES:
            return ()
        return file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ()


def _harmless(lines: Sequence[str], number: int) -> str:
    """One line with every value starred that is, or may be, a secret: named like one, or anywhere below `headers:`."""
    text = masked(lines[number - 1])[:MOST_CHARS]
    if _SECRET.search(text) or "headers" in text or _below_headers(lines, number):
        text = _VALUE.sub(r"\1***", text)
        if not _VALUE.search(text):  # a value that goes on from the line before
            text = re.match(r"\s*", text)[0] + "***"  # type: ignore[index]
    return text


def _below_headers(lines: Sequence[str], number: int) -> bool:
    indent = _indent(lines[number - 1])
    for above in reversed(lines[: number - 1]):
        if above.strip() and _indent(above) < indent:
            indent = _indent(above)
            if "headers" in above.partition(":")[0]:
                return True
        if indent == 0:
            return False
    return False


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" -"))
