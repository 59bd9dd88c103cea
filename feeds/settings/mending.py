"""Config files with the mistakes mended that have one sure remedy. Pure, but that judging reads the folder.

Tabs that indent, curly quotes around a value, a dash without its space, keys misspelt so that one alone can be meant.
Everything else of a file stays as it is, to the byte.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Sequence

from feeds.errors import ConfigError

TAB_SPACES = 2
ROUNDS = 4
"""A mended file can show mistakes that the first hid: so often it is judged anew."""
SURE = 0.8
"""How like a key a misspelt one is (`difflib`), to be mended without asking."""

_INDENT = re.compile(r"^[ ]*\t[ \t]*", re.MULTILINE)
_DASH = re.compile(r"^([ ]*)-(?=[a-z_]+:(?: |$))", re.MULTILINE)
_ALONE = re.compile(
    r"^(?P<front>\s*(?:- +(?:[\w-]+: +)?|[\w-]+: +))(?:[“”„](?P<double>[^“”„\"\\]*)[“”]|[‘’‚](?P<single>[^‘’‚']*)[‘’])"
    r"(?=\s*(?:#.*)?$)"
)
"""A value alone on its line in curly quotes."""
_FLOW = re.compile(r"^\s*(?:- +)?(?:[\w-]+: *)?[\[{]")
_INSIDE = re.compile(
    r"(?P<front>[:\[,{]\s*)(?:[“”„](?P<double>[^“”„\"\\]*)[“”]|[‘’‚](?P<single>[^‘’‚']*)[‘’])(?=\s*[,\]}])"
)
"""The same between brackets."""
_UNKNOWN = re.compile(r"unknown (?:key|term) '(?P<wrong>[^']+)'")
_MEANT = re.compile(r"did you mean '(?P<meant>[a-z_]+)'\?")

Judge = Callable[[dict[str, str]], Sequence[ConfigError]]
"""Gives the errors of files that hold these texts, by name."""


def mended(texts: dict[str, str], judge: Judge) -> dict[str, str]:
    """Give *texts*, config files by name, with all mended that can be."""
    texts = {name: _layout(text) for name, text in texts.items()}
    for _ in range(ROUNDS):
        slips = [slip for error in judge(texts) if error.file in texts and (slip := _slip(error)) is not None]
        if not slips:
            break
        for file, line, column, wrong, meant in sorted(slips, reverse=True):
            texts[file] = _replaced(texts[file], line, column, wrong, meant)
    return texts


def difference(name: str, before: str, after: str) -> Iterator[str]:
    """The lines of a unified diff of one file."""
    return difflib.unified_diff(before.splitlines(), after.splitlines(), name, f"{name}, mended", lineterm="")


def _layout(text: str) -> str:
    """*text* with what a YAML parser would stumble over in the way that lines are written."""
    text = _INDENT.sub(lambda found: found[0].replace("\t", " " * TAB_SPACES), text)
    text = _DASH.sub(r"\1- ", text)
    return "".join(_straight(line) for line in text.splitlines(keepends=True))


def _straight(line: str) -> str:
    """*line* with straight quotes around its values; prose that quotes somebody stays."""

    def quoted(found: re.Match[str]) -> str:
        single = found["double"] is None
        return found["front"] + (f"'{found['single']}'" if single else f'"{found["double"]}"')

    return (_INSIDE if _FLOW.match(line) else _ALONE).sub(quoted, line)


def _slip(error: ConfigError) -> tuple[str, int, int, str, str] | None:
    """File, line, column, what is written there and what is meant, of a misspelt key; None for another error."""
    wrong, meant = _UNKNOWN.match(error.cause), _MEANT.match(error.remedy)
    if wrong is None or meant is None:
        return None
    alike = difflib.SequenceMatcher(None, wrong["wrong"].lower(), meant["meant"]).ratio()
    return (error.file, error.line, error.column, wrong["wrong"], meant["meant"]) if alike >= SURE else None


def _replaced(text: str, line: int, column: int, wrong: str, meant: str) -> str:
    lines = text.splitlines(keepends=True)
    before, rest = lines[line - 1][: column - 1], lines[line - 1][column - 1 :]
    for written in (wrong, f"'{wrong}'", f'"{wrong}"'):
        if rest.startswith(written):
            lines[line - 1] = before + meant + rest.removeprefix(written)
            break
    return "".join(lines)
