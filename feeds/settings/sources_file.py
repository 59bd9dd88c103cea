"""`sources.yaml` and the OPML lists it names → Sources. Pure: files are read by the function it is given."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from yaml.nodes import Node, ScalarNode, SequenceNode

from feeds.errors import ConfigError
from feeds.model import Drop, Section, Settings, Source, SourceKind
from feeds.settings.desk_file import FULL_TEXT, WEEK_S
from feeds.settings.forms import LANGUAGE, ZONE, Address, Headers, comparable, judge_address, split_port
from feeds.settings.match_rules import Lists, judge_drop, match_schema
from feeds.settings.opml_lists import Names, file_outlines, read_opml
from feeds.settings.reports import Report, Wrong, did_you_mean, listing, quote
from feeds.settings.section_tree import DROP_SAYS, Later, PathText, Tree
from feeds.settings.stored_config import missing, references, unsendable, without_references
from feeds.settings.types import Key, ListOf, Number, Or, Read, Schema, Text, YesNo, mapping_schema, plain, read_mapping
from feeds.urls import masked

KINDS: dict[str, SourceKind] = {"url": "feed", "files": "files", "page": "page", "sitemap": "sitemap"}
"""The key that says where a source is → its kind; `opml` stands beside them and gives many sources."""

_ONE_SECTION = (
    "keep one here; in sections.yaml write `- source: NAME`, with this source's name, under `match: any:` of the others"
)


@dataclass(frozen=True, slots=True)
class OneSection:
    """The path of the one section that a source names; rules file it in more."""

    def read(self, node: Node, report: Report) -> str:
        if isinstance(node, SequenceNode) or (isinstance(node, ScalarNode) and "," in node.value):
            raise Wrong("several sections for one source", _ONE_SECTION)
        return PathText().read(node, report)

    def schema(self) -> Schema:
        return PathText().schema()


SOURCE_KEYS: dict[str, Key] = {
    "name": Key(takes=Text(longest=200), says="the source's name, shown to readers; its identity where it has no id"),
    "id": Key(takes=Text(longest=200), says="the source's identity: keeps its history when its name changes"),
    "url": Key(takes=Address(secrets=True), says="the address of a feed of any kind"),
    "files": Key(takes=Text(longest=1000), says="documents: a pattern such as articles/*.txt, relative to this folder"),
    "page": Key(takes=Address(secrets=True), says="a page whose article links are followed"),
    "sitemap": Key(takes=Address(secrets=True), says="a sitemap whose articles are taken"),
    "opml": Key(takes=Text(longest=1000), says="a list of feeds from another reader, relative to this folder"),
    "follow": Key(takes=ListOf(Text(longest=1000)), says="folders that links among its documents may lead to"),
    "section": Key(takes=OneSection(), says="the path of the section that all its articles are filed in"),
    "drop": Key(takes=Later({"$ref": "#/definitions/rules"}), says=f"{DROP_SAYS} from this source"),
    "interval_s": Key(
        takes=Or("auto", None, Number(1, 4 * WEEK_S, "seconds", False)),
        says="how often it is asked: auto follows its rhythm",
    ),
    "headers": Key(takes=Headers(), says="request headers; ${NAME} in a value comes from the environment"),
    "full_text": Key(takes=FULL_TEXT, says="how much of its articles is republished, instead of publish.full_text"),
    "language": Key(takes=LANGUAGE, says="the language of its articles, where they do not say"),
    "timezone": Key(takes=ZONE, says="for its dates without a zone, instead of the desk's"),
    "enabled": Key(takes=YesNo(), says="false rests the source; what it brought stays"),
    "priority": Key(takes=Number(-1000, 1000), says="of several copies, that of the highest source is the original"),
    "ignore_validators": Key(takes=YesNo(), says="ask for the whole document always, for origins whose validators lie"),
}  # fmt: skip

_OPML_KEYS = frozenset(
    {"opml", "section", "drop", "interval_s", "full_text", "language", "timezone", "enabled", "priority"}
)
_CREDENTIALS = frozenset({"authorization", "cookie", "x-api-key", "api-key", "x-auth-token"})


@dataclass(slots=True)
class Gathered:
    """The sources so far, and what is already taken: names, identities, addresses → the line that has them."""

    sources: list[Source] = field(default_factory=list)
    names: dict[str, int] = field(default_factory=dict)
    keys: dict[str, int] = field(default_factory=dict)
    targets: dict[str, int] = field(default_factory=dict)
    opml: list[tuple[Node, Node, dict[str, Any]]] = field(default_factory=list)
    opml_files: list[str] = field(default_factory=list)
    drops: list[Drop] = field(default_factory=list)


def judge_sources(
    root: Node | None,
    tree: Tree,
    settings: Settings,
    environ: Mapping[str, str],
    read_file: Callable[[str], bytes],
    report: Report,
    *,
    reach: bool = True,
) -> Gathered:
    """Give the sources of the document *root*, those of OPML lists last; what is wrong goes to *report*.

    *read_file* gives the bytes of a list, or raises OSError. Without *reach*, addresses are not held against
    fetch.ports and fetch.allow_private, since these do not hold themselves.
    """
    gathered = Gathered()
    if root is None:
        return gathered
    if not isinstance(root, SequenceNode):
        report.error(root, "sources are a list", "begin each source with `- name: …`")
        return gathered
    judge = _Judge(tree, settings, environ, report, reach)
    for item in root.value:
        judge.source(item, gathered)
    sections = {section.path: section for section in tree.sections}
    for item, place, values in gathered.opml:
        _opml(item, place, values, sections, tree.lists, read_file, gathered, report)
    return gathered


@dataclass(slots=True)
class _Judge:
    """What a source is judged against."""

    tree: Tree
    settings: Settings
    environ: Mapping[str, str]
    report: Report
    reach: bool
    paths: frozenset[str] = field(init=False)
    opened: frozenset[tuple[str, int]] = field(init=False)
    ports: frozenset[int] | None = field(init=False)

    def __post_init__(self) -> None:
        fetch = self.settings.fetch
        self.paths = frozenset(self.tree.paths)
        self.opened = frozenset(found for text in fetch.allow_private if (found := split_port(text)))
        # A network that is opened is opened with all its ports, and a name may lead into it.
        network = len(self.opened) < len(set(fetch.allow_private))
        self.ports = None if network else frozenset([*fetch.ports, *(port for _, port in self.opened)])

    def source(self, node: Node, gathered: Gathered) -> None:
        """Read one item of the list into *gathered*."""
        report = self.report
        try:
            read = read_mapping(node, SOURCE_KEYS, report)
        except Wrong as wrong:
            report.error(node, wrong.cause, "write `- name: …` and, below it, `url: …`")
            return
        where = [name for name in (*KINDS, "opml") if name in read.places]
        self._section(read)
        if where != ["opml"]:
            self._identity(node, read, gathered)
            self._secrets(read)
        if len(where) > 1:
            place = read.places[where[1]]
            report.error(place, f"a source with {listing(where, 'and')} at once", "make two sources of it")
            return
        if not where:
            if not any(did_you_mean(name, (*KINDS, "opml")) for name in read.unknown):
                report.error(node, "a source without an address", f"write {listing((*KINDS, 'opml'))}")
            return
        if where[0] == "opml":
            for name in read.places:
                if name not in _OPML_KEYS:
                    report.error(read.places[name], f"{name}: means nothing beside opml", "take it out")
            if "opml" in read.values:
                gathered.opml.append((node, read.places["opml"], read.values))
            return
        if where[0] not in read.values or "name" not in read.values:
            return
        values = dict(read.values)
        target = values.pop(where[0])
        name = values.pop("name")
        key = values.pop("id", name)
        if (rule := values.pop("drop", None)) is not None and (drop := judge_drop(rule, self.tree.lists, report, key)):
            gathered.drops.append(drop)
        source = Source(
            key=key,
            name=name,
            kind=KINDS[where[0]],
            target=target,
            line=node.start_mark.line + 1,
            **values,
        )
        gathered.sources.append(source)
        self._target(source, read.places[where[0]], gathered)
        self._warnings(source, read)

    def _section(self, read: Read) -> None:
        path = read.values.get("section")
        if path is None or path in self.paths or not self.tree.whole or self.tree.is_broken(path):
            return
        if path in self.tree.moved:
            remedy = f"it moved: write {self.tree.moved[path]}"
        else:
            hint = self.report.did_you_mean(path, self.tree.paths)
            some = listing(self.tree.paths[:8]) if self.tree.paths else "none yet"
            remedy = hint or f"sections.yaml has {some}{' and others' if len(self.tree.paths) > 8 else ''}"
        self.report.error(read.places["section"], f"section: no section {quote(path)}", remedy)
        del read.values["section"]

    def _identity(self, node: Node, read: Read, gathered: Gathered) -> None:
        line = node.start_mark.line + 1
        name, key = read.values.get("name"), read.values.get("id")
        if "name" not in read.places and not any(did_you_mean(one, ["name"]) for one in read.unknown):
            remedy = "add it: readers see it, and it is the source's identity"
            self.report.error(node, "no `name:`", remedy)
        if name is not None:
            first = gathered.names.setdefault(name.casefold(), line)
            if first != line:
                remedy = f"line {first} has it already; give one another name"
                self.report.error(read.places["name"], f"name: {quote(name)} for the second time", remedy)
                return
        key = key if key is not None else name
        if key is not None:
            first = gathered.keys.setdefault(key, line)
            if first != line:
                place = read.places.get("id") or read.places["name"]
                remedy = f"the source on line {first} has this identity; change the `id:` of one"
                self.report.error(place, f"the identity {quote(key)} for the second time", remedy)

    def _secrets(self, read: Read) -> None:
        for name in ("url", "page", "sitemap"):
            if name in read.values:
                self._missing(read.values[name], read.places[name], name)
        for header, value in read.values.get("headers", ()):
            place = read.places["headers"]
            self._missing(value, place, header)
            for variable in unsendable(value, self.environ):
                self.report.error(
                    place, f"the environment variable {variable} holds what no header can carry", "set it to one line"
                )

    def _missing(self, text: str, place: Node, what: str) -> None:
        for variable in missing(text, self.environ):
            remedy = "set it where the desk is started, or take this out"
            self.report.error(place, f"{what}: no environment variable {variable}", remedy)

    def _target(self, source: Source, place: Node, gathered: Gathered) -> None:
        same = source.target if source.kind == "files" else comparable(source.target)
        first = gathered.targets.setdefault(same, source.line)
        if first != source.line:
            remedy = (
                f"line {first} has it already; to file it in one more section, write `- source: {source.name}` there"
            )
            self.report.error(place, f"{quote(masked(source.target))} for the second time", remedy)

    def _warnings(self, source: Source, read: Read) -> None:
        report, poll = self.report, self.settings.poll
        if source.interval_s is not None and source.interval_s < poll.floor_s:
            report.warn(
                read.places["interval_s"],
                f"interval_s {plain(source.interval_s)} is below poll.floor_s",
                f"it is asked every {plain(poll.floor_s)} s; lower poll.floor_s in wiredesk.yaml to ask more often",
            )
        if source.kind != "files" and "follow" in read.places:
            report.warn(read.places["follow"], "follow: means nothing beside " + source.kind, "take it out")
        if source.kind == "files":
            for name in ("headers", "ignore_validators"):
                if name in read.places:
                    report.warn(read.places[name], f"{name}: means nothing for files", "take it out")
            return
        place = next(read.places[name] for name in KINDS if name in read.places)
        parts = urlsplit(without_references(source.target))
        if parts.fragment:
            report.warn(place, f"'#{parts.fragment}' is never sent to an origin", "take it out")
        if parts.password is not None and not any(references(source.target)):
            report.warn(place, "a password in the file", "write ${NAME} and set NAME in the environment")
        for name, value in source.headers:
            if name.lower() in _CREDENTIALS and not any(references(value)):
                report.warn(read.places["headers"], f"a secret in the file: {name}", "write ${NAME}, set NAME outside")
            if name.lower() in _CREDENTIALS and parts.scheme == "http":
                report.warn(
                    read.places["headers"], f"{name} goes to an http:// address", "anybody on the way can read it"
                )
        if self.reach:
            self._reach(parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80), place)

    def _reach(self, host: str, port: int, place: Node) -> None:
        """Warn of an address that fetch will refuse, as far as it shows without asking for names."""
        fetch = self.settings.fetch
        if self.ports is not None and port not in self.ports:
            report_ports = listing([str(number) for number in fetch.ports])
            self.report.warn(
                place, f"port {port} is not open to fetches: it will never be asked",
                f"fetch.ports in wiredesk.yaml has {report_ports}; add {port}",
            )  # fmt: skip
        if host != "localhost" and ":" not in host and not host[-1:].isdigit():
            return  # a name
        try:
            address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
        except ValueError:
            return
        if address.is_global or (str(address), port) in self.opened:
            return
        networks = [ipaddress.ip_network(text) for text in fetch.allow_private if not split_port(text)]
        if not any(address in network for network in networks):
            self.report.warn(
                place, f"{host} is a private address: it will never be asked",
                f"add {host}:{port} to fetch.allow_private in wiredesk.yaml",
            )  # fmt: skip


def _opml(
    item: Node,
    place: Node,
    values: dict[str, Any],
    sections: Mapping[str, Section],
    lists: Lists,
    read_file: Callable[[str], bytes],
    gathered: Gathered,
    report: Report,
) -> None:
    """Add the feeds of one OPML list. Feeds that can't be taken are told and left out; a broken list is an error."""
    values = dict(values)
    file = values.pop("opml")
    default = values.pop("section", None)
    rule = values.pop("drop", None)
    drop = judge_drop(rule, lists, report) if rule is not None else None
    gathered.opml_files.append(file)
    try:
        subscriptions = read_opml(read_file(file), file=file)
    except OSError as error:
        remedy = "the path is relative to the config folder"
        report.error(place, f"opml: can't read {quote(file)}: {(error.strerror or str(error)).lower()}", remedy)
        return
    except ConfigError as error:
        report.errors.append(error)
        where = f"line {error.line} of that file" if error.line else "that file"
        report.error(place, f"opml: {quote(file)} is no list of feeds", f"see {where}")
        return
    line = item.start_mark.line + 1
    names = Names(gathered.names)
    unfiled: dict[str, int] = {}
    doubled = 0
    for outline, section in file_outlines(subscriptions.outlines, sections):
        try:
            judge_address(outline.url)
        except Wrong as wrong:
            report.warn(place, f"{file}:{outline.line}: {wrong.cause}", "this feed is left out")
            continue
        same = comparable(outline.url)
        if same in gathered.targets or outline.url in gathered.keys:
            doubled += 1
            continue
        gathered.targets[same] = gathered.keys[outline.url] = line
        path = section or default
        if path is None:
            folder = " > ".join(outline.folders)
            unfiled[folder] = unfiled.get(folder, 0) + 1
        name = names.give(outline.title, outline.url)
        source = Source(key=outline.url, name=name, kind="feed", target=outline.url, section=path, line=line)
        gathered.sources.append(replace(source, **values))
        if drop is not None:
            gathered.drops.append(replace(drop, source=source.key))
        gathered.names[name.casefold()] = line
    if subscriptions.mended:
        report.warn(place, f"opml: {quote(file)}: {subscriptions.mended}", "it is read all the same; export it again")
    if not subscriptions.outlines:
        report.warn(place, f"opml: {quote(file)} lists no feeds", "export it again")
    if doubled:
        are = "feed of {} is a source" if doubled == 1 else "feeds of {} are sources"
        report.warn(place, f"{doubled} {are.format(quote(file))} already", "the first one holds")
    for folder, count in unfiled.items():
        inside = f"in the folder {quote(folder)}" if folder else "outside any folder"
        feeds, belong = ("feed", "belongs") if count == 1 else ("feeds", "belong")
        report.warn(
            place,
            f"{count} {feeds} of {quote(file)} {inside} {belong} to no section",
            "rules file what it brings, or it is unfiled; name the folder as a section, or write `section:` here",
        )


def sources_schema() -> Schema:
    """The JSON Schema of `sources.yaml`."""
    one = mapping_schema(SOURCE_KEYS)
    one["oneOf"] = [{"required": ["name", name]} for name in KINDS] + [{"required": ["opml"]}]
    return {"type": ["array", "null"], "items": one, "definitions": match_schema()}
