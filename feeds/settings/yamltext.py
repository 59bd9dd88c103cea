"""YAML bytes → nodes that know their line and column, or one error in plain words; and files mended (`mended`). Pure.

Only composed, never constructed: tags mean nothing and scalars stay as written, so a section may be called `no`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode

from feeds.errors import ConfigError
from feeds.files import tables
from feeds.settings.reports import Report, Wrong, quote

try:
    from yaml import CSafeLoader as _Parser
except ImportError:  # PyYAML built without libyaml: ten times slower, the same nodes
    from yaml import SafeLoader as _Parser  # type: ignore[assignment]


class Loader(_Parser):
    """Takes every scalar as text: finding out what a `no` or a `1e3` could mean would cost a third of the time."""

    def resolve(self, kind: type[Node], value: Any, implicit: Any) -> str:
        """Give a tag that only says that none was written."""
        return "tag:yaml.org,2002:str"


_MAX_DEPTH = 200
_SLACK_NODES = 10_000

_PLAIN_WORDS = [row.split("  ") for row in tables("settings/words.txt")["yaml"]]
_TAB = re.compile(r"^ *\t")
_DASH = re.compile(r"^ *-(?=[a-z_]+:( |$))")
_ANCHOR = re.compile(r"(?:^|[\s,\[{])&", re.MULTILINE)  # and not the & of an address
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_DASHES = re.compile("(?:- ){200}")
_SECRET = re.compile(r"(?i)authori[sz]ation|cookie|token|secret|passw|api-?key|bearer|basic |//\S*@")
_BRACKETS = re.compile(r"[\[\]{}]")


def compose(raw: bytes, report: Report) -> Node | None:
    """Give the root node of the YAML document *raw*; None where it has none, or where *report* now says why not.

    Comments alone are a document without root. Aliases may repeat a node, but not blow a small file up.
    """
    text = _text(raw, report)
    if text is None:
        return None
    try:
        root = yaml.compose(text, Loader=Loader)
        if root is not None and _ANCHOR.search(text):
            _judge_aliases(root)
    except yaml.YAMLError as error:
        _explain(error, text, report)
    except RecursionError:
        report.error(None, "nested too deep", "no config needs this")
    except Wrong as wrong:
        report.error(wrong.node, wrong.cause, wrong.remedy)
    else:
        return root
    return None


def _text(raw: bytes, report: Report) -> str | None:
    """The text of a file that can be handed to the parser."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        report.error((1, 1), "a file in UTF-16", "save it as UTF-8")
        return None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8", "replace")
        report.error(_end_of(before), f"byte 0x{raw[error.start]:02x} is not UTF-8", "save the file as UTF-8")
        return None
    if wild := _CONTROL.search(text):
        report.error(_end_of(text[: wild.start()]), f"the control character U+{ord(wild[0]):04X}", "take it out")
    elif not text.strip():
        report.error(None, "an empty file", "restore it, or write a comment into it if it is meant to be empty")
    elif _too_deep(text):
        report.error(None, f"nested more than {_MAX_DEPTH} deep", "no config needs this")
    else:
        return text
    return None


def _end_of(text: str) -> tuple[int, int]:
    """Line and column, from 1, of what follows *text*."""
    return text.count("\n") + 1, len(text) - text.rfind("\n")


def _too_deep(text: str) -> bool:
    # The C composer recurses on the C stack, where Python's limit does not hold. Brackets in quotes count too:
    # no honest text has 200 that stay open.
    depth = 0
    for bracket in _BRACKETS.finditer(text):
        depth = depth + 1 if bracket[0] in "[{" else max(0, depth - 1)
        if depth > _MAX_DEPTH:
            return True
    return _DASHES.search(text) is not None


def _explain(error: yaml.YAMLError, text: str, report: Report) -> None:
    words = f"{getattr(error, 'context', None)} {getattr(error, 'problem', None) or error}"
    lines = text.splitlines() or [""]
    mark: Any = getattr(error, "problem_mark", None)
    if tab := _near(_TAB, mark, lines):
        report.error(tab, "a tab at the beginning of the line", "indent with spaces")
    elif dash := _near(_DASH, mark, lines):
        cause = "no space after the dash" + _shown(lines[dash[0] - 1])
        report.error(dash, cause, "write `- ` before each item of a list")
    else:
        _explain_place(error, mark, words, lines, report)


def _explain_place(error: yaml.YAMLError, mark: Any, words: str, lines: list[str], report: Report) -> None:
    """Say in plain words what the parser says in *words* of the place *mark*."""
    if "quoted scalar" in words or "flow" in words:
        # Where the quote or bracket was opened helps more than where the file ended.
        mark = getattr(error, "context_mark", None) or mark
    problem = getattr(error, "problem", None) or error
    unknown = ["", f"no YAML: {' '.join(str(problem).split())}", "look at this line and the one above"]
    _, cause, remedy = next((one for one in _PLAIN_WORDS if one[0] in words), unknown)
    line = _line_of(mark, lines)
    column = mark.column if mark and mark.line == line else 0
    report.error((line + 1, column + 1), cause + _shown(lines[line]), remedy)


def _shown(line: str) -> str:
    """A line as a message quotes it; nothing of one that may hold a secret."""
    return "" if _SECRET.search(line) else f": {quote(line.strip())}"


def _near(what: re.Pattern[str], mark: Any, lines: list[str]) -> tuple[int, int] | None:
    """Line and column, from 1, where *what* ends that begins the line of *mark* or the one above."""
    line = _line_of(mark, lines)
    found = ((number, what.match(lines[number])) for number in (line, line - 1) if number >= 0)
    return next(((number + 1, match.end()) for number, match in found if match), None)


def _line_of(mark: Any, lines: list[str]) -> int:
    return min(mark.line, len(lines) - 1) if mark else 0


def _judge_aliases(root: Node) -> None:
    """Raise Wrong where walking *root* does not end, or not soon: aliases make one node many (YAML 1.1 §3.2.2.2)."""
    sizes: dict[int, int] = {}
    written = 0

    def size(node: Node) -> int:
        """How many nodes *node* is, aliases followed."""
        nonlocal written
        written += 1
        if isinstance(node, ScalarNode):
            return 1
        if id(node) not in sizes:
            inner = chain.from_iterable(node.value) if isinstance(node, MappingNode) else node.value
            sizes[id(node)] = 0  # while it is counted
            sizes[id(node)] = 1 + sum(map(size, inner))
        elif not sizes[id(node)]:
            raise Wrong("an anchor that holds itself", "an alias (*name) can't stand inside its own anchor", node)
        return sizes[id(node)]

    if size(root) > 10 * written + _SLACK_NODES:
        raise Wrong("aliases that blow the file up", "write out what they repeat", root)


# --------------------------------------------------------------------------- mending

TAB_SPACES = 2
ROUNDS = 4
"""A mended file can show mistakes that the first hid: so often it is judged anew."""
SURE = 0.8
"""How like a key a misspelt one is (`difflib`), to be mended without asking."""

_INDENT = re.compile(r"^[ ]*\t[ \t]*", re.MULTILINE)
_TIGHT_DASH = re.compile(r"^([ ]*)-(?=[a-z_]+:(?: |$))", re.MULTILINE)
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
    """Give *texts*, config files by name, with the mistakes mended that have one sure remedy: tabs that indent, curly
    quotes around a value, a dash without its space, keys misspelt so that one alone can be meant. All else stays.
    """
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
    text = _TIGHT_DASH.sub(r"\1- ", text)
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
