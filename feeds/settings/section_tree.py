"""`sections.yaml` → the tree of sections, parents first, and the named lists. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

from yaml.nodes import MappingNode, Node

from feeds.configuration import UNFILED, Drop, Section
from feeds.settings.forms import SECTION_KEY, keys_of
from feeds.settings.match_rules import Lists, judge_drop, judge_lists, judge_match, match_schema
from feeds.settings.reports import Report, Wrong, quote
from feeds.settings.types import Key, Read, Schema, group, later, mapping_schema, number, pairs, read_mapping

RESERVED = frozenset(
    f"article articles archive index search status metrics websub static {UNFILED} sections section lists stories drop "
    "dropped story source sources sitemap sitemap-news robots favicon healthz readyz feed feeds login admin api".split()
)
"""Keys that addresses of the desk itself use, or may come to use: not for a section at the top of the tree."""
RESERVED_BELOW = frozenset({"archive", "index"})
"""Keys that would collide below any section: its archive pages, its own document."""

DROP_SAYS = "a rule: what it holds of is never published"
_LONGEST_KEY = 64
_DEEPEST = 8


_LEARNED_KEYS = {
    "precision": Key(
        takes=number(0.5, 0.999, whole=False),
        says="the share that must be right of what the learned classifier files here",
        required=True,
    ),
}
SECTION_KEYS = {
    **keys_of(Section),
    "learned": Key(takes=group(_LEARNED_KEYS), says="let the learned classifier file here"),
    "sections": Key(takes=later({"$ref": "#/definitions/tree"}), says="the sections below this one"),
}


@dataclass(slots=True)
class Tree:
    """What `sections.yaml` says: the sections that hold, parents first, and where each is written; lists; drops."""

    sections: list[Section] = field(default_factory=list)
    lists: Lists = field(default_factory=dict)
    drops: list[Drop] = field(default_factory=list)
    places: dict[str, Node] = field(default_factory=dict)
    moved: dict[str, str] = field(default_factory=dict)  # earlier path → path
    private: set[str] = field(default_factory=set)  # paths with `access: tokens`, their own or from above
    broken: set[str] = field(default_factory=set)  # paths whose keys do not hold, complained of once
    whole: bool = True  # False where the file could not be read, so that nothing can be said of its paths

    def is_broken(self, path: str) -> bool:
        """Whether *path* is, or is below, a section that was written but does not hold."""
        return any((path + "/").startswith(f"{one.lower()}/") for one in self.broken)

    @property
    def paths(self) -> list[str]:
        """The paths, in tree order."""
        return [section.path for section in self.sections]


def judge_sections(root: Node | None, report: Report) -> Tree:
    """Give the tree of the document *root*; what is wrong goes to *report*."""
    tree = Tree()
    if root is None:
        return tree
    try:
        found = pairs(root, report)
    except Wrong as wrong:
        report.error(root, wrong.cause, "write sections as `key:` lines, each with `title:` below it")
        tree.whole = False
        return tree
    tree.lists = next((judge_lists(value, report) for name, _, value in found if name == "lists"), {})
    for name, key, value in found:
        if name == "drop":
            _drop(key, value, tree, report)
    _level([entry for entry in found if entry[0] not in ("lists", "drop")], "", tree, report, 1)
    _moved(tree, report)
    return tree


def _drop(key: Node, value: Node, tree: Tree, report: Report) -> None:
    if isinstance(value, MappingNode) and any(key.value in ("sections", "match") for key, _ in value.value):
        report.error(key, "the key 'drop' is reserved", "`drop:` says what is never published; choose another key")
    elif (drop := judge_drop(value, tree.lists, report)) is not None:
        tree.drops.append(drop)


def _level(found: list[tuple[str, Node, Node]], above: str, tree: Tree, report: Report, depth: int) -> None:
    """Read the sections *found* right below the path *above*."""
    for name, key, value in found:
        path = f"{above}/{name}" if above else name
        if problem := _key_problem(name, above):
            report.error(key, *problem)
            tree.broken.add(path)
        elif depth > _DEEPEST:
            report.error(key, f"a section nested more than {_DEEPEST} deep", "move it up")
        else:
            _section(path, key, value, tree, report, depth)


def _section(path: str, key: Node, node: Node, tree: Tree, report: Report, depth: int) -> None:
    try:
        read = read_mapping(node, SECTION_KEYS, report)
    except Wrong as wrong:
        report.error(node, f"section {quote(path)}: {wrong.cause}", "write `title:` and such below it, indented")
        tree.broken.add(path)
        return
    values = read.values
    children: Node | None = values.pop("sections", None)
    learned: dict[str, Any] = values.pop("learned", {})
    match: Node | None = values.pop("match", None)
    _inherit_access(path, values, read, tree, report)
    title = values.pop("title", path.rpartition("/")[2].replace("-", " ").replace("_", " ").capitalize())
    rule = judge_match(match, tree.lists, report) if match is not None else None
    section = Section(path=path, title=title, match=rule, learned_precision=learned.get("precision"), **values)
    tree.sections.append(section)
    tree.places[path] = key
    if match is not None and rule is not None and not (rule.any or rule.all):
        report.warn(match, f"the rule of {path!r} only says what to leave out", "everything else is filed here")
    below = _below(children, report)
    if section.include_children and not below:
        place = read.places["include_children"]
        report.warn(place, f"{path!r} has no sections below it", "include_children does nothing here")
    _level(below, path, tree, report, depth + 1)


def _inherit_access(path: str, values: dict[str, Any], read: Read, tree: Tree, report: Report) -> None:
    """Make what lies below a private section private, too."""
    above = path.rpartition("/")[0]
    if above in tree.private and values.setdefault("access", "tokens") != "tokens":
        cause = f"{path!r} is public, and {above!r} above it takes tokens"
        report.error(read.places["access"], cause, "move the section out of there, or take its `access:` away")
    if values.get("access") == "tokens":
        tree.private.add(path)


def _below(children: Node | None, report: Report) -> list[tuple[str, Node, Node]]:
    if children is None:
        return []
    try:
        return pairs(children, report)
    except Wrong as wrong:
        report.error(children, f"sections: {wrong.cause}", "write sections as `key:` lines, each with `title:`")
        return []


def _key_problem(name: str, above: str) -> tuple[str, str] | None:
    if not SECTION_KEY.fullmatch(name) or len(name) > _LONGEST_KEY:
        better = re.sub(r"[^a-z0-9_]+", "-", name.lower()).strip("-_")[:_LONGEST_KEY]
        hint = f"; did you mean {better!r}?" if SECTION_KEY.fullmatch(better) else ""
        remedy = "write lower-case letters, digits, - and _; `title:` holds the name for people" + hint
        return f"{quote(name)} can't be a section's key, since it is part of its address", remedy
    if name in RESERVED_BELOW or (not above and name in RESERVED):
        address = f"/{above}/{name}" if above else f"/{name}"
        return f"the key {quote(name)} is reserved", f"{address} is the desk's own address; choose another key"
    return None


def _moved(tree: Tree, report: Report) -> None:
    paths = set(tree.paths)
    for section in tree.sections:
        place = tree.places[section.path]
        for earlier in section.moved_from:
            if earlier == section.path:
                report.error(place, f"{section.path!r} moved from itself", "take the path out of moved_from")
            elif earlier in paths:
                line = tree.places[earlier].start_mark.line + 1
                cause = f"{section.path!r} moved from {earlier!r}, which is a section still"
                report.error(place, cause, f"rename the section on line {line}, or take the path out of moved_from")
            elif earlier in tree.moved:
                cause = f"{section.path!r} and {tree.moved[earlier]!r} both moved from {earlier!r}"
                report.error(place, cause, "an address can lead to one section only")
            else:
                tree.moved[earlier] = section.path


def sections_schema() -> Schema:
    """The JSON Schema of `sections.yaml`."""
    tree: Schema = {
        "type": "object",
        "propertyNames": {"pattern": f"^{SECTION_KEY.pattern}$", "maxLength": _LONGEST_KEY},
        "additionalProperties": {"$ref": "#/definitions/section"},
    }
    text: Schema = {"type": ["string", "number", "boolean"]}
    lists: Schema = {
        "description": "named lists of values, for terms: `$name` stands for the values of `name`",
        "type": "object",
        "additionalProperties": {"type": "array", "items": text},
    }
    return {
        **tree,
        "properties": {"lists": lists, "drop": {"description": DROP_SAYS, "$ref": "#/definitions/rules"}},
        "definitions": {"section": mapping_schema(SECTION_KEYS), "tree": tree, **match_schema()},
    }


def section_by_name(sections: Mapping[str, Section], names: tuple[str, ...]) -> str | None:
    """Give the path of the section that a reader's folders *names* (outermost first) mean; None for none or several.

    A folder means a section by its path (`news/world`), by the titles down to it, or by a title that one section
    alone has; case aside.
    """
    words = tuple(name.strip("/").casefold() for name in map(str.strip, names) if name)
    if not words:
        return None
    path = next((path for path in ("/".join(words), words[-1]) if path in sections), None)
    return path or _by_titles(words, sections)


def _by_titles(words: tuple[str, ...], sections: Mapping[str, Section]) -> str | None:
    return _only(path for path in sections if _titles(path, sections) == words) or _only(
        path for path, section in sections.items() if section.title.casefold() == words[-1]
    )


def _only(paths: Iterable[str]) -> str | None:
    found = list(paths)
    return found[0] if len(found) == 1 else None


def _titles(path: str, sections: Mapping[str, Section]) -> tuple[str, ...]:
    above = accumulate(path.split("/"), "{}/{}".format)
    return tuple(sections[one].title.casefold() if one in sections else one for one in above)
