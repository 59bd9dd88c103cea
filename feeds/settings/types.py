"""The types of value that a key can take: each reads a node, says what is allowed, and gives its JSON Schema. Pure.

`read` raises Wrong for a value that does not hold; types made of several values report those that are wrong and
give the rest. Scalars are read as they were written: `no` is text where text is wanted, and false where yes or
no is. `forms` has the texts of one form, such as addresses and languages.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from feeds.settings.reports import Report, Wrong, did_you_mean, listing, quote

Schema = dict[str, Any]

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(s|sec|seconds?|m|min|minutes?|h|hours?|d|days?|w|weeks?)", re.IGNORECASE)
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmg])i?b?(?:ytes)?", re.IGNORECASE)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_CURLY = re.compile("[“”„‘’‚«].*[“”‘’»]", re.DOTALL)
_YES = {"true", "yes", "on"}
_NO = {"false", "no", "off"}


class Kind(Protocol):
    """What a key can take."""

    def read(self, node: Node, report: Report) -> Any:
        """Give the value of *node*; raises Wrong, or reports and gives what holds of several values."""
        ...

    def schema(self) -> Schema:
        """The same in JSON Schema (draft 7)."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A key of a mapping: what it takes, and one line that says what it does."""

    takes: Kind
    says: str
    required: bool = False


@dataclass(frozen=True, slots=True)
class Text:
    """A line of text, not empty, of at most *longest* characters; with *empty* it may be empty, in quotes."""

    longest: int = 500
    empty: bool = False
    lines: bool = False

    def read(self, node: Node, report: Report) -> str:
        text = text_of(node, empty=self.empty, curly=True).strip()
        if is_curly(node):
            report.warn(
                node, f"{quote(text)} has its curly quotes in it", 'write straight ones (") where none are meant'
            )
        if not text and not self.empty:
            raise Wrong("an empty text", "write something, or take the line out")
        if not self.lines and "\n" in text:
            raise Wrong(f"{quote(text)} goes over several lines", "write it in one line")
        if len(text) > self.longest:
            raise Wrong(f"{quote(text)} has {len(text)} characters", f"write at most {self.longest}")
        return text

    def schema(self) -> Schema:
        return {"type": ["string", "number", "boolean"], **({} if self.empty else {"minLength": 1})}


@dataclass(frozen=True, slots=True)
class Form:
    """A text of one form: *judge* gives its value, or raises Wrong; *shape* is its JSON Schema; *empty* as of Text."""

    judge: Callable[[str, Report], str]
    shape: Schema
    empty: bool = False

    def read(self, node: Node, report: Report) -> str:
        return self.judge(text_of(node, empty=self.empty).strip(), report)

    def schema(self) -> Schema:
        return self.shape


@dataclass(frozen=True, slots=True)
class Number:
    """A number from *least* to *most* in *unit*; *whole* where no fraction makes sense."""

    least: float
    most: float
    unit: str = ""
    whole: bool = True

    def read(self, node: Node, report: Report) -> int | float:
        text = text_of(node).strip()
        if not _NUMBER.fullmatch(text):
            raise Wrong(f"{quote(text)} is not a number", self._remedy(text))
        value = float(text)
        if self.whole and not value.is_integer():
            raise Wrong(f"{quote(text)} is not a whole number", f"write {self._range()}")
        if not self.least <= value <= self.most:  # infinity too
            raise Wrong(f"{quote(text)} is out of range", f"write {self._range()}")
        return int(value) if value.is_integer() else value

    def _range(self) -> str:
        what = "a whole number" if self.whole else "a number"
        unit = f" of {self.unit}" if self.unit else ""
        return f"{what}{unit} from {plain(self.least)} to {plain(self.most)}"

    def _remedy(self, text: str) -> str:
        meant = None
        if self.unit in ("seconds", "days") and (match := _DURATION.fullmatch(text)):
            meant = float(match[1]) * _SECONDS[match[2][0].lower()] / (86400 if self.unit == "days" else 1)
        elif self.unit == "bytes" and (match := _SIZE.fullmatch(text)):
            meant = int(float(match[1]) * 1024 ** ("kmg".index(match[2].lower()) + 1))
        return f"write {self._range()}" if meant is None else f"write it in {self.unit}: {plain(meant)}"

    def schema(self) -> Schema:
        return {"type": "integer" if self.whole else "number", "minimum": self.least, "maximum": self.most}


@dataclass(frozen=True, slots=True)
class YesNo:
    """`true` or `false`; `yes`, `no`, `on` and `off` are understood."""

    def read(self, node: Node, report: Report) -> bool:
        text = text_of(node).strip().lower()
        if text in _YES:
            return True
        if text in _NO:
            return False
        raise Wrong(f"{quote(text)} is neither yes nor no", "write true or false")

    def schema(self) -> Schema:
        return {"type": "boolean"}


@dataclass(frozen=True, slots=True)
class Choice:
    """One of *words*."""

    words: tuple[str, ...]

    def read(self, node: Node, report: Report) -> str:
        text = text_of(node).strip()
        if text in self.words:
            return text
        hint = did_you_mean(text, self.words)
        raise Wrong(f"{quote(text)} is not one of the choices", f"write {listing(self.words)}{hint and '; ' + hint}")

    def schema(self) -> Schema:
        return {"enum": list(self.words)}


@dataclass(frozen=True, slots=True)
class Or:
    """The word *word*, which means *value*, or what *other* takes."""

    word: str
    value: Any
    other: Kind

    def read(self, node: Node, report: Report) -> Any:
        if isinstance(node, ScalarNode) and node.value.strip() == self.word:
            return self.value
        try:
            return self.other.read(node, report)
        except Wrong as wrong:
            raise Wrong(wrong.cause, f"{wrong.remedy}; or write {self.word}") from wrong

    def schema(self) -> Schema:
        return {"anyOf": [{"const": self.word}, self.other.schema()]}


@dataclass(frozen=True, slots=True)
class ListOf:
    """Several values of one kind, as a list, or one alone; nothing twice. At least *least*, at most *most*."""

    item: Kind
    least: int = 0
    most: int = 10_000
    once: bool = True  # what stands twice is told; it must not hold a secret

    def read(self, node: Node, report: Report) -> tuple[Any, ...]:
        if is_empty(node):
            items: list[Node] = []
        else:
            items = node.value if isinstance(node, SequenceNode) else [node]
        if not self.least <= len(items) <= self.most:
            raise Wrong(f"a list of {len(items)}", f"write at least {self.least} and at most {self.most}")
        values: dict[Any, None] = {}
        for item in items:
            try:
                value = self.item.read(item, report)
            except Wrong as wrong:
                if item is node and isinstance(item, ScalarNode) and "," in item.value:
                    wrong = Wrong(wrong.cause, f"write a list: [{', '.join(item.value.replace(',', ' ').split())}]")
                report.wrong(item, wrong)
                continue
            if value in values and self.once:
                report.warn(item, f"{quote(str(value))} twice in one list", "take one out")
            values[value] = None
        return tuple(values)

    def schema(self) -> Schema:
        item = self.item.schema()
        return {"anyOf": [{"type": "array", "items": item, "minItems": self.least}, item]}


@dataclass(frozen=True, slots=True)
class Group:
    """A mapping with *keys*; gives what was written as a dict, keys that were wrong left out."""

    keys: Mapping[str, Key]

    def read(self, node: Node, report: Report) -> dict[str, Any]:
        return read_mapping(node, self.keys, report).values

    def schema(self) -> Schema:
        return mapping_schema(self.keys)


@dataclass(frozen=True, slots=True)
class Later:
    """A part that is read by its own function, once all around it is known; here only for the schema."""

    means: Schema

    def read(self, node: Node, report: Report) -> Node:
        return node

    def schema(self) -> Schema:
        return self.means


@dataclass(slots=True)
class Read:
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
            if name.startswith("-") and name[1:] in keys:
                report.error(key_node, f"{quote(name)}: no space after the dash", f"write `- {name[1:]}: …`")
                continue
            hint = report.did_you_mean(name, keys) if len(name) > 1 else ""
            report.error(key_node, f"unknown key {quote(name)}", hint or f"allowed are {listing(sorted(keys))}")
            continue
        read.places[name] = value
        try:
            read.values[name] = key.takes.read(value, report)
        except Wrong as wrong:
            report.error(wrong.node or value, f"{name}: {wrong.cause}", wrong.remedy)
    for name, key in keys.items():
        if key.required and name not in read.places:
            report.error(node, f"no `{name}:`", f"add it: {key.says}")
    return read


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
    for one in node.value if isinstance(node, SequenceNode) else [node]:
        try:
            yield from pairs(one, report)
        except Wrong as wrong:
            report.wrong(one, wrong)


def mapping_schema(keys: Mapping[str, Key]) -> Schema:
    """The JSON Schema of a mapping with *keys* and no others."""
    schema: Schema = {
        "type": "object",
        "properties": {name: {"description": key.says, **key.takes.schema()} for name, key in keys.items()},
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
    text: str = node.value
    if is_empty(node) and not empty:
        raise Wrong("no value", "write one, or take the line out")
    if is_curly(node) and not curly:
        raise Wrong(f"curly quotes around {quote(text[1:-1])}, which YAML takes for text", 'write straight ones: "')
    return text


def is_curly(node: Node) -> bool:
    """Whether *node* is a text in such quotes as word processors make, which are a part of it."""
    return isinstance(node, ScalarNode) and not node.style and _CURLY.fullmatch(node.value) is not None


def is_empty(node: Node) -> bool:
    """Whether *node* is a key without any value: nothing, where even quotes would be something."""
    return isinstance(node, ScalarNode) and not node.value and not node.style


def plain(number: float) -> str:
    """Write *number* without a needless fraction.

    >>> plain(900.0), plain(0.5)
    ('900', '0.5')
    """
    return str(int(number)) if math.isfinite(number) and float(number).is_integer() else str(number)
