"""The kinds of value that a key can take: how each is read from a node, and its JSON Schema. Pure.

Scalars are read as they were written: `no` is text where text is wanted, and false where yes or no is. `forms` has the
texts of one form, such as addresses and languages.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from msgspec import Struct
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from feeds.settings.reports import Report, Wrong, did_you_mean, listing, quote

Schema = dict[str, Any]

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(s|sec|seconds?|m|min|minutes?|h|hours?|d|days?|w|weeks?)", re.IGNORECASE)
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmg])i?b?(?:ytes)?", re.IGNORECASE)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_CURLY = re.compile("[“”„‘’‚«].*[“”‘’»]", re.DOTALL)
_YES_OR_NO = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


class Kind(Struct, frozen=True):
    """What a key can take. *read* gives the value of a node: it raises Wrong for one that does not hold; of several
    values it reports those that are wrong and gives the rest. *schema* is the same in JSON Schema (draft 7).
    """

    read: Callable[[Node, Report], Any]
    schema: Schema


class Key(Struct, frozen=True):
    """A key of a mapping: what it takes, and one line that says what it does."""

    takes: Kind
    help: str
    required: bool = False


def text(longest: int = 500, *, empty: bool = False, lines: bool = False) -> Kind:
    """A text of at most *longest* characters in one line, but with *lines*; not empty, but with *empty*, in quotes."""

    def read(node: Node, report: Report) -> str:
        found = text_of(node, empty=empty, curly=True).strip()
        if is_curly(node):
            remedy = 'write straight ones (") where none are meant'
            report.warn(node, f"{quote(found)} has its curly quotes in it", remedy)
        if not found and not empty:
            raise Wrong("an empty text", "write something, or take the line out")
        if not lines and "\n" in found:
            raise Wrong(f"{quote(found)} goes over several lines", "write it in one line")
        if len(found) > longest:
            raise Wrong(f"{quote(found)} has {len(found)} characters", f"write at most {longest}")
        return found

    return Kind(read, {"type": ["string", "number", "boolean"], **({} if empty else {"minLength": 1})})


def form(judge: Callable[[str], str], schema: Schema, *, empty: bool = False) -> Kind:
    """A text of one form: *judge* gives its value, or raises Wrong; *empty* as for `text`."""
    return Kind(lambda node, report: judge(text_of(node, empty=empty).strip()), schema)


def number(least: float, most: float, unit: str = "", *, whole: bool = True) -> Kind:
    """A number from *least* to *most* in *unit*; *whole* where no fraction makes sense."""
    of_unit = f" of {unit}" if unit else ""
    allowed = f"a {'whole ' if whole else ''}number{of_unit} from {plain(least)} to {plain(most)}"

    def read(node: Node, report: Report) -> int | float:
        found = text_of(node).strip()
        if not _NUMBER.fullmatch(found):
            meant = _in_unit(found, unit)
            remedy = f"write {allowed}" if meant is None else f"write it in {unit}: {plain(meant)}"
            raise Wrong(f"{quote(found)} is not a number", remedy)
        value = float(found)
        if whole and not value.is_integer():
            raise Wrong(f"{quote(found)} is not a whole number", f"write {allowed}")
        if not least <= value <= most:  # infinity too
            raise Wrong(f"{quote(found)} is out of range", f"write {allowed}")
        return int(value) if value.is_integer() else value

    return Kind(read, {"type": "integer" if whole else "number", "minimum": least, "maximum": most})


def _in_unit(found: str, unit: str) -> float | None:
    """What a duration such as 5m, or a size such as 2 MB, is in *unit*."""
    if unit in ("seconds", "days") and (match := _DURATION.fullmatch(found)):
        return float(match[1]) * _SECONDS[match[2][0].lower()] / (86400 if unit == "days" else 1)
    if unit == "bytes" and (match := _SIZE.fullmatch(found)):
        return int(float(match[1]) * 1024 ** ("kmg".index(match[2].lower()) + 1))
    return None


def _yes_or_no(node: Node, report: Report) -> bool:
    found = text_of(node).strip().lower()
    if found not in _YES_OR_NO:
        raise Wrong(f"{quote(found)} is neither yes nor no", "write true or false")
    return _YES_OR_NO[found]


YES_OR_NO = Kind(_yes_or_no, {"type": "boolean"})
"""`true` or `false`; `yes`, `no`, `on` and `off` are understood."""


def choice(words: tuple[str, ...]) -> Kind:
    """One of *words*."""

    def judge(found: str) -> str:
        if found in words:
            return found
        hint = did_you_mean(found, words)
        raise Wrong(f"{quote(found)} is not one of the choices", f"write {listing(words)}{hint and '; ' + hint}")

    return form(judge, {"enum": list(words)})


def or_word(word: str, value: Any, other: Kind) -> Kind:
    """The word *word*, which means *value*, or what *other* takes."""

    def read(node: Node, report: Report) -> Any:
        if isinstance(node, ScalarNode) and node.value.strip() == word:
            return value
        try:
            return other.read(node, report)
        except Wrong as wrong:
            raise Wrong(wrong.cause, f"{wrong.remedy}; or write {word}") from wrong

    return Kind(read, {"anyOf": [{"const": word}, other.schema]})


def list_of(item: Kind, least: int = 0, most: int = 10_000, *, once: bool = True) -> Kind:
    """Several values of one kind, as a list, or one alone. *once*: what stands twice is reported, and no secret."""

    def read(node: Node, report: Report) -> tuple[Any, ...]:
        nodes: list[Node] = [] if is_empty(node) else items_of(node)
        if not least <= len(nodes) <= most:
            raise Wrong(f"a list of {len(nodes)}", f"write at least {least} and at most {most}")
        values: dict[Any, None] = {}
        for one in nodes:
            try:
                value = item.read(one, report)
            except Wrong as wrong:
                if one is node and isinstance(one, ScalarNode) and "," in one.value:
                    wrong = Wrong(wrong.cause, f"write a list: [{', '.join(one.value.replace(',', ' ').split())}]")
                report.wrong(one, wrong)
                continue
            if value in values and once:
                report.warn(one, f"{quote(str(value))} twice in one list", "take one out")
            values[value] = None
        return tuple(values)

    return Kind(read, {"anyOf": [{"type": "array", "items": item.schema, "minItems": least}, item.schema]})


def group(keys: Mapping[str, Key]) -> Kind:
    """A mapping with *keys*; gives what was written as a dict, keys that were wrong left out."""
    return Kind(lambda node, report: read_mapping(node, keys, report).values, mapping_schema(keys))


def later(schema: Schema) -> Kind:
    """A part that is read by its own function, once all around it is known; here only for the schema."""
    return Kind(lambda node, report: node, schema)


class Read(Struct):
    """What a mapping said: *values* that hold; *places*, where each known key's value stands; *unknown* keys."""

    values: dict[str, Any]
    places: dict[str, Node]
    unknown: list[str]


def read_mapping(node: Node, keys: Mapping[str, Key], report: Report) -> Read:
    """Read *node* by *keys*, reporting each unknown key, doubled key and wrong value. An empty node has no keys.

    Raises Wrong where *node* is no mapping. A required key that is missing is an error at *node*.
    """
    read = Read({}, {}, [])
    for name, key_node, value in pairs(node, report):
        key = keys.get(name)
        if key is None:
            read.unknown.append(name)
            _report_unknown(name, key_node, keys, report)
            continue
        read.places[name] = value
        try:
            read.values[name] = key.takes.read(value, report)
        except Wrong as wrong:
            report.error(wrong.node or value, f"{name}: {wrong.cause}", wrong.remedy)
    for name, key in keys.items():
        if key.required and name not in read.places:
            report.error(node, f"no `{name}:`", f"add it: {key.help}")
    return read


def _report_unknown(name: str, place: Node, keys: Mapping[str, Key], report: Report) -> None:
    if name.startswith("-") and name[1:] in keys:
        report.error(place, f"{quote(name)}: no space after the dash", f"write `- {name[1:]}: …`")
    else:
        hint = report.did_you_mean(name, keys) if len(name) > 1 else ""
        report.error(place, f"unknown key {quote(name)}", hint or f"allowed are {listing(sorted(keys))}")


def pairs(node: Node, report: Report) -> list[tuple[str, Node, Node]]:
    """Give (key as written, its node, its value) of the mapping *node*, doubled keys reported and left out.

    `<<: *anchor` brings in the pairs of another mapping, which its own keys override (YAML merge key).
    Raises Wrong where *node* is no mapping.
    """
    if is_empty(node):
        return []
    if not isinstance(node, MappingNode):
        what = "a list" if isinstance(node, SequenceNode) else quote(node.value)
        raise Wrong(f"{what} where `key: value` lines belong", "write one key a line, indented")
    found: dict[str, tuple[str, Node, Node]] = {}
    merged: list[tuple[str, Node, Node]] = []
    for key, value in node.value:
        if not isinstance(key, ScalarNode):
            report.error(key, "a key that is no word", "write `key: value`")
        elif key.value == "<<" and not key.style:
            merged += _merged(value, report)
        elif key.value in found:
            first = found[key.value][1].start_mark.line + 1
            report.error(key, f"{quote(key.value)} for the second time", f"it is already on line {first}; take one out")
        else:
            found[key.value] = (key.value, key, value)
    for pair in merged:
        found.setdefault(pair[0], pair)
    return list(found.values())


def _merged(node: Node, report: Report) -> Iterator[tuple[str, Node, Node]]:
    """The pairs of the mappings that a merge key names: one, or a list of them."""
    for one in items_of(node):
        try:
            yield from pairs(one, report)
        except Wrong as wrong:
            report.wrong(one, wrong)


def mapping_schema(keys: Mapping[str, Key]) -> Schema:
    """The JSON Schema of a mapping with *keys* and no others."""
    schema: Schema = {
        "type": "object",
        "properties": {name: {"description": key.help, **key.takes.schema} for name, key in keys.items()},
        "additionalProperties": False,
    }
    if required := [name for name, key in keys.items() if key.required]:
        schema["required"] = required
    return schema


def text_of(node: Node, *, empty: bool = False, curly: bool = False) -> str:
    """Give the text of the scalar *node* as it was written; with *empty*, also one that says nothing in quotes.

    Raises Wrong for a list, a mapping, a tag, a key without any value, or quotes that are none but with *curly*.
    """
    if not isinstance(node, ScalarNode):
        what = "a list" if isinstance(node, SequenceNode) else "a mapping"
        raise Wrong(f"{what} where one value belongs", "write one value; put text that holds ': ' in quotes")
    if not node.tag.startswith("tag:yaml.org,2002:"):
        raise Wrong(f"the tag {quote(node.tag)}", "tags have no meaning here; put text that begins with ! in quotes")
    found: str = node.value
    if is_empty(node) and not empty:
        raise Wrong("no value", "write one, or take the line out")
    if is_curly(node) and not curly:
        raise Wrong(f"curly quotes around {quote(found[1:-1])}, which YAML takes for text", 'write straight ones: "')
    return found


def items_of(node: Node) -> list[Node]:
    """The items of a list; a *node* that is none is its only one."""
    return node.value if isinstance(node, SequenceNode) else [node]


def is_curly(node: Node) -> bool:
    """Whether *node* is a text in such quotes as word processors make, which are a part of it."""
    return isinstance(node, ScalarNode) and not node.style and _CURLY.fullmatch(node.value) is not None


def is_empty(node: Node) -> bool:
    """Whether *node* is a key without any value: nothing, where even quotes would be something."""
    return isinstance(node, ScalarNode) and not node.value and not node.style


def plain(value: float) -> str:
    """Write *value* without a needless fraction.

    >>> plain(900.0), plain(0.5)
    ('900', '0.5')
    """
    return str(int(value)) if math.isfinite(value) and float(value).is_integer() else str(value)
