"""What judging a config finds: errors and warnings with their places, all of them and not only the first. Pure.

One Report belongs to one file. Types (`types.py`) raise Wrong for a value that does not hold; whoever reads the
mapping around it catches that, reports it at the right place and reads on.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import asdict

from feeds.errors import ConfigError, DeskError

if TYPE_CHECKING:
    from yaml import Node

MOST_LINES = 100
_MOST_SUGGESTIONS = 50  # looking for the nearest of 1,000 paths costs milliseconds; a broken tree asks 10,000 times
_LONGEST_QUOTE = 60


class ConfigWarning(Struct, frozen=True, kw_only=True):
    """Something that holds and yet is hardly meant. Printed like a ConfigError; never keeps a config back."""

    file: str
    line: int
    column: int
    cause: str
    remedy: str = ""

    def __str__(self) -> str:
        return str(ConfigError(**asdict(self)))


class ConfigErrors(DeskError):
    """Every error of all config files at once, sorted by file, line and column; printed one a line.

    *warnings* are those found on the way, *opml_files* what the files refer to, so that both can be watched.
    """

    def __init__(
        self,
        errors: Iterable[ConfigError],
        warnings: Iterable[ConfigWarning] = (),
        opml_files: Iterable[str] = (),
    ) -> None:
        self.errors = tuple(sorted(errors, key=lambda error: (error.file, error.line, error.column)))
        count = len(self.errors)
        super().__init__(f"{count} error{'' if count == 1 else 's'} in the config")
        self.warnings = tuple(warnings)
        self.opml_files = tuple(opml_files)

    def __str__(self) -> str:
        return "\n".join(str(error) for error in self.errors)


def first_lines(found: Sequence[ConfigError] | Sequence[ConfigWarning]) -> list[str]:
    """The first of *found*, a line each, and how many more there are: past MOST_LINES nobody reads on."""
    lines = [str(one) for one in found[:MOST_LINES]]
    if len(found) > MOST_LINES:
        lines.append(f"and {len(found) - MOST_LINES:,} more")
    return lines


class Wrong(Exception):
    """A value that does not hold: *cause* quotes it, *remedy* says what is allowed; *node* where, if deeper."""

    def __init__(self, cause: str, remedy: str = "", node: Node | None = None) -> None:
        super().__init__(cause)
        self.cause = cause
        self.remedy = remedy
        self.node = node


class Report(Struct):
    """The errors and warnings of one *file*."""

    file: str
    errors: list[ConfigError] = field(default_factory=list)
    warnings: list[ConfigWarning] = field(default_factory=list)
    _suggestions: int = 0

    def error(self, place: Node | tuple[int, int] | None, cause: str, remedy: str = "") -> None:
        """Note an error at *place*: a node, a line and column counted from 1, or None for the file as a whole."""
        line, column = _position(place)
        self.errors.append(ConfigError(cause, file=self.file, line=line, column=column, remedy=remedy))

    def wrong(self, node: Node, wrong: Wrong) -> None:
        """Note *wrong*, found while reading *node*."""
        self.error(wrong.node or node, wrong.cause, wrong.remedy)

    def warn(self, place: Node | tuple[int, int] | None, cause: str, remedy: str = "") -> None:
        """Note a warning at *place*."""
        line, column = _position(place)
        self.warnings.append(ConfigWarning(file=self.file, line=line, column=column, cause=cause, remedy=remedy))

    def did_you_mean(self, word: str, allowed: Iterable[str]) -> str:
        """Give "did you mean 'x'?" for the nearest of *allowed*, or "" where none is near or many were looked for."""
        return did_you_mean(word, allowed) if self.may_suggest() else ""

    def may_suggest(self) -> bool:
        """Whether to look for what was meant once more; not where much is wrong."""
        self._suggestions += 1
        return self._suggestions <= _MOST_SUGGESTIONS


def did_you_mean(word: str, allowed: Iterable[str]) -> str:
    """Give "did you mean 'x'?" for the one of *allowed* nearest to *word*, or "".

    >>> did_you_mean("Sction", ["name", "section"])
    "did you mean 'section'?"
    """
    folded: dict[str, str] = {}
    for one in allowed:
        folded.setdefault(one.casefold(), one)
    near = difflib.get_close_matches(word.casefold(), folded, n=1, cutoff=0.6)
    return f"did you mean {folded[near[0]]!r}?" if near else ""


def quote(text: str) -> str:
    """Quote *text* for a message: in one line, cut where it is long.

    >>> quote("news" + chr(10) + "world")
    "'news world'"
    """
    flat = " ".join(text.split())
    return repr(flat if len(flat) <= _LONGEST_QUOTE else flat[: _LONGEST_QUOTE - 1] + "…")


def listing(words: Iterable[str], last: str = "or") -> str:
    """Join *words* for a remedy: "a, b or c".

    >>> listing(["fold", "link", "show"])
    'fold, link or show'
    """
    every = list(words)
    return every[0] if len(every) == 1 else f"{', '.join(every[:-1])} {last} {every[-1]}"


def _position(place: Node | tuple[int, int] | None) -> tuple[int, int]:
    if isinstance(place, tuple):
        return place
    if place is None or place.start_mark is None:  # a value from the environment stands in no file
        return 0, 0
    return place.start_mark.line + 1, place.start_mark.column + 1
