"""`sections.yaml` → the tree of sections, parents first. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import accumulate

from msgspec import Struct, field
from yaml.nodes import MappingNode, Node

from feeds.configuration import UNFILED, Drop, Section
from feeds.settings.forms import SECTION_KEY, keys_of
from feeds.settings.match_rules import SCALAR, Rules, match_schema
from feeds.settings.reports import Report, Wrong, quote
from feeds.settings.types import Key, Read, Schema, group, later, mapping_schema, number, pairs, read_mapping

RESERVED = frozenset(
    f"article articles archive index search status metrics websub static {UNFILED} sections section lists stories drop "
    "dropped story source sources sitemap sitemap-news robots favicon healthz readyz feed feeds login admin api".split()
)
"""Keys that addresses of the desk itself use, or may come to use: not for a section at the top of the tree."""
RESERVED_BELOW = frozenset({"archive", "index"})
"""Keys that would collide below any section: its archive pages, its own document."""

DROP_HELP = "a rule: what it holds of is never published"
_LONGEST_KEY = 64
_DEEPEST_SECTION = 8
_LEARNED_KEYS = {
    "precision": Key(
        number(0.5, 0.999, whole=False),
        "the share that must be right of what the learned classifier files here",
        required=True,
    ),
}
SECTION_KEYS = {
    **keys_of(Section),
    "learned": Key(group(_LEARNED_KEYS), "let the learned classifier file here"),
    "sections": Key(later({"$ref": "#/definitions/tree"}), "the sections below this one"),
}
_Pairs = list[tuple[str, Node, Node]]


class Tree(Struct):
    """What `sections.yaml` says: the sections that hold, parents first, and where each is written; lists; drops."""

    report: Report
    rules: Rules
    sections: list[Section] = field(default_factory=list)
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

    def read(self, root: Node) -> None:
        """Take over what the document *root* says."""
        try:
            found = pairs(root, self.report)
        except Wrong as wrong:
            self.report.error(root, wrong.cause, "write sections as `key:` lines, each with `title:` below it")
            self.whole = False
            return
        apart = {name: (key, value) for name, key, value in found if name in ("lists", "drop")}
        if "lists" in apart:
            self.rules.read_lists(apart["lists"][1])
        if "drop" in apart:
            self._drop(*apart["drop"])
        self._level([one for one in found if one[0] not in apart], "", 1)
        for section in self.sections:
            for earlier in section.moved_from:
                self._move(earlier, section.path)

    def _drop(self, key: Node, value: Node) -> None:
        if isinstance(value, MappingNode) and any(key.value in ("sections", "match") for key, _ in value.value):
            remedy = "`drop:` says what is never published; choose another key"
            self.report.error(key, "the key 'drop' is reserved", remedy)
        elif (drop := self.rules.drop(value)) is not None:
            self.drops.append(drop)

    def _level(self, found: _Pairs, above: str, depth: int) -> None:
        """Read the sections *found* right below the path *above*."""
        for name, key, value in found:
            path = f"{above}/{name}" if above else name
            if problem := _key_problem(name, above):
                self.report.error(key, *problem)
                self.broken.add(path)
            elif depth > _DEEPEST_SECTION:
                self.report.error(key, f"a section nested more than {_DEEPEST_SECTION} deep", "move it up")
            else:
                self._section(path, key, value, depth)

    def _section(self, path: str, key: Node, node: Node, depth: int) -> None:
        try:
            read = read_mapping(node, SECTION_KEYS, self.report)
        except Wrong as wrong:
            remedy = "write `title:` and such below it, indented"
            self.report.error(node, f"section {quote(path)}: {wrong.cause}", remedy)
            self.broken.add(path)
            return
        values = read.values
        children: Node | None = values.pop("sections", None)
        match: Node | None = values.pop("match", None)
        precision = values.pop("learned", {}).get("precision")
        self._inherit_access(path, read)
        values.setdefault("title", path.rpartition("/")[2].replace("-", " ").replace("_", " ").capitalize())
        rule = self.rules.match(match) if match is not None else None
        section = Section(path=path, match=rule, learned_precision=precision, **values)
        self.sections.append(section)
        self.places[path] = key
        if match is not None and rule is not None and not (rule.any or rule.all):
            cause = f"the rule of {path!r} only says what to leave out"
            self.report.warn(match, cause, "everything else is filed here")
        below = self._below(children) if children is not None else []
        if section.include_children and not below:
            place = read.places["include_children"]
            self.report.warn(place, f"{path!r} has no sections below it", "include_children does nothing here")
        self._level(below, path, depth + 1)

    def _inherit_access(self, path: str, read: Read) -> None:
        """Make what lies below a private section private, too."""
        above = path.rpartition("/")[0]
        if above in self.private and read.values.setdefault("access", "tokens") != "tokens":
            cause = f"{path!r} is public, and {above!r} above it takes tokens"
            remedy = "move the section out of there, or take its `access:` away"
            self.report.error(read.places["access"], cause, remedy)
        if read.values.get("access") == "tokens":
            self.private.add(path)

    def _below(self, children: Node) -> _Pairs:
        try:
            return pairs(children, self.report)
        except Wrong as wrong:
            remedy = "write sections as `key:` lines, each with `title:`"
            self.report.error(children, f"sections: {wrong.cause}", remedy)
            return []

    def _move(self, earlier: str, path: str) -> None:
        """Note that the section at *path* was at *earlier*, where that can be."""
        place = self.places[path]
        if earlier == path:
            self.report.error(place, f"{path!r} moved from itself", "take the path out of moved_from")
        elif earlier in self.places:
            line = self.places[earlier].start_mark.line + 1
            remedy = f"rename the section on line {line}, or take the path out of moved_from"
            self.report.error(place, f"{path!r} moved from {earlier!r}, which is a section still", remedy)
        elif earlier in self.moved:
            cause = f"{path!r} and {self.moved[earlier]!r} both moved from {earlier!r}"
            self.report.error(place, cause, "an address can lead to one section only")
        else:
            self.moved[earlier] = path


def judge_sections(root: Node | None, report: Report) -> Tree:
    """Give the tree of the document *root*; what is wrong goes to *report*."""
    tree = Tree(report, Rules(report))
    if root is not None:
        tree.read(root)
    return tree


def _key_problem(name: str, above: str) -> tuple[str, str] | None:
    if not SECTION_KEY.fullmatch(name) or len(name) > _LONGEST_KEY:
        if "/" in name:
            remedy = "write each part as a key of its own, below `sections:` of the one above"
            return f"{quote(name)} is a path where a section's key belongs", remedy
        better = re.sub(r"[^a-z0-9_]+", "-", name.lower()).strip("-_")[:_LONGEST_KEY]
        hint = f"; did you mean {better!r}?" if SECTION_KEY.fullmatch(better) else ""
        remedy = "write lower-case letters, digits, - and _; `title:` holds the name for people" + hint
        return f"{quote(name)} can't be a section's key, since it is part of its address", remedy
    if name == "sections" and not above:
        return (
            "`sections:` at the top, where the sections themselves stand",
            "take that line out, and the indentation below",
        )
    if name in RESERVED_BELOW or (not above and name in RESERVED):
        address = f"/{above}/{name}" if above else f"/{name}"
        return f"the key {quote(name)} is reserved", f"{address} is the desk's own address; choose another key"
    return None


def sections_schema() -> Schema:
    """The JSON Schema of `sections.yaml`."""
    tree: Schema = {
        "type": "object",
        "propertyNames": {"pattern": f"^{SECTION_KEY.pattern}$", "maxLength": _LONGEST_KEY},
        "additionalProperties": {"$ref": "#/definitions/section"},
    }
    lists: Schema = {
        "description": "named lists of values, for terms: `$name` stands for the values of `name`",
        "type": "object",
        "additionalProperties": {"type": "array", "items": SCALAR},
    }
    return {
        **tree,
        "properties": {"lists": lists, "drop": {"description": DROP_HELP, "$ref": "#/definitions/rules"}},
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
    titles = {path: _titles(path, sections) for path in sections}
    down = [path for path, titles_to in titles.items() if titles_to == words]
    alone = [path for path, titles_to in titles.items() if titles_to[-1] == words[-1]]
    return next((found[0] for found in (down, alone) if len(found) == 1), None)


def _titles(path: str, sections: Mapping[str, Section]) -> tuple[str, ...]:
    above = accumulate(path.split("/"), "{}/{}".format)
    return tuple(sections[one].title.casefold() if one in sections else one for one in above)
