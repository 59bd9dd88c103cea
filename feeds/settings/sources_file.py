"""`sources.yaml` and the OPML lists it names → Sources. Pure: files are read by the function it is given."""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from feeds.configuration import Drop, Section, Select, Settings, Source, SourceKind
from feeds.conventions import convention_of
from feeds.errors import ConfigError
from feeds.settings.config import missing, references, unsendable, without_references
from feeds.settings.forms import MAIL, RULES, Address, comparable, judge_address, keys_of, split_port
from feeds.settings.match_rules import Lists, judge_drop, match_schema
from feeds.settings.opml_lists import Names, Subscriptions, file_outlines, read_opml
from feeds.settings.reports import Report, Wrong, did_you_mean, listing, quote
from feeds.settings.section_tree import DROP_SAYS, Tree
from feeds.settings.select_keys import judge_select, select_schema
from feeds.settings.types import Key, ListOf, Read, Schema, Text, mapping_schema, plain, read_mapping
from feeds.urls import masked

KINDS: dict[str, SourceKind] = {
    "url": "feed",
    "files": "files",
    "page": "page",
    "sitemap": "sitemap",
    "json": "json",
    "mail": "mail",
}
"""The key that says where a source is → its kind; `opml` stands beside them and gives many sources."""

SOURCE_KEYS = {
    "id": Key(takes=Text(longest=200), says="the source's identity: keeps its history when its name changes"),
    "url": Key(takes=Address(secrets=True), says="the address of a feed of any kind"),
    "files": Key(takes=Text(longest=1000), says="documents: a pattern such as articles/*.txt, relative to this folder"),
    "page": Key(takes=Address(secrets=True), says="a page whose article links are followed, or that `select` reads"),
    "sitemap": Key(takes=Address(secrets=True), says="a sitemap whose articles are taken"),
    "json": Key(takes=Address(secrets=True), says="JSON of any form, or a page that holds some, that `select` reads"),
    "mail": Key(takes=MAIL, says="letters: a mailbox (imaps://user:${PASSWORD}@host/INBOX) or a Maildir"),
    "from": Key(takes=ListOf(Text(longest=300), 1, 1000), says="whose letters are taken: *@example.org, or list:ID"),
    "opml": Key(takes=Text(longest=1000), says="a list of feeds from another reader, relative to this folder"),
    **keys_of(Source),
    "drop": Key(takes=RULES, says=f"{DROP_SAYS} from this source"),
}

_ADDRESSES = (*KINDS, "opml")
_OPML_KEYS = frozenset(
    {"opml", "section", "drop", "interval_s", "full_text", "language", "timezone", "enabled", "priority"}
)
_UNUSED = {"mail": ("headers", "post", "ignore_validators", "follow", "removed"), "": ("from", "digest", "mark_read")}
"""Keys that mean nothing for letters, and those that do for letters alone."""
_CREDENTIALS = frozenset({"authorization", "cookie", "x-api-key", "api-key", "x-auth-token"})


@dataclass(frozen=True, slots=True)
class OpmlItem:
    """An item that names a *file* of feeds, at *place*; *values* are what its other keys say of all of them."""

    line: int
    place: Node
    file: str
    values: dict[str, Any]


@dataclass(slots=True)
class Gathered:
    """The sources so far, and what is already taken: names, identities, addresses → the line that has them."""

    sources: list[Source] = field(default_factory=list)
    names: dict[str, int] = field(default_factory=dict)
    keys: dict[str, int] = field(default_factory=dict)
    targets: dict[str, int] = field(default_factory=dict)
    opml: list[OpmlItem] = field(default_factory=list)
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
        first = root.value[0][0] if isinstance(root, MappingNode) and root.value else root
        tight = isinstance(first, ScalarNode) and first.value.startswith("-")
        cause = f"{quote(first.value)}: no space after the dash" if tight else "sources are a list"
        report.error(root, cause, "begin each source with `- name: …`")
        return gathered
    judge = _Judge(tree, settings, environ, report, reach, gathered)
    for item in root.value:
        judge.source(item)
    sections = {section.path: section for section in tree.sections}
    for item in gathered.opml:
        _opml(item, sections, tree.lists, read_file, gathered, report)
    return gathered


@dataclass(slots=True)
class _Judge:
    """What a source is judged against."""

    tree: Tree
    settings: Settings
    environ: Mapping[str, str]
    report: Report
    reach: bool
    gathered: Gathered
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

    def source(self, node: Node) -> None:
        """Read one item of the list."""
        try:
            read = read_mapping(node, SOURCE_KEYS, self.report)
        except Wrong as wrong:
            self.report.error(node, wrong.cause, "write `- name: …` and, below it, `url: …`")
            return
        self._section(read)
        where = [name for name in _ADDRESSES if name in read.places]
        if where != ["opml"]:
            self._identity(node, read)
            self._secrets(read)
        self._entry(node, read, where)

    def _entry(self, node: Node, read: Read, where: list[str]) -> None:
        """Take what stands at the keys *where* of those that say where a source is."""
        if len(where) > 1:
            place = read.places[where[1]]
            self.report.error(place, f"a source with {listing(where, 'and')} at once", "make two sources of it")
        elif not where and not self._is_slip(read, _ADDRESSES):
            self.report.error(node, "a source without an address", f"write {listing(_ADDRESSES)}")
        elif where == ["opml"]:
            self._list(node, read)
        elif where and where[0] in read.values and "name" in read.values:
            self._take(node, read, where[0])

    def _is_slip(self, read: Read, meant: tuple[str, ...]) -> bool:
        """Whether an unknown key, which was reported, is one of *meant* misspelled."""
        return any(did_you_mean(name, meant) for name in read.unknown)

    def _list(self, node: Node, read: Read) -> None:
        for name, place in read.places.items():
            if name not in _OPML_KEYS:
                self.report.error(place, f"{name}: means nothing beside opml", "take it out")
        if "opml" in read.values:
            values = dict(read.values)
            file = self._at_home(values.pop("opml"))
            self.gathered.opml.append(OpmlItem(node.start_mark.line + 1, read.places["opml"], file, values))

    def _take(self, node: Node, read: Read, where: str) -> None:
        values = dict(read.values)
        target, name, rule = values.pop(where), values.pop("name"), values.pop("drop", None)
        values["select"] = self._select(node, read, KINDS[where])
        values["senders"] = tuple(values.pop("from", ()))
        key = values.pop("id", name)
        if where == "files":
            target = self._at_home(target)
            values["follow"] = tuple(map(self._at_home, values.get("follow", ())))
        if rule is not None and (drop := judge_drop(rule, self.tree.lists, self.report, key)):
            self.gathered.drops.append(drop)
        line = node.start_mark.line + 1
        source = Source(key=key, name=name, kind=KINDS[where], target=target, line=line, **values)
        source = self._by_convention(source, read.places[where])
        self.gathered.sources.append(source)
        self._target(source, read.places[where])
        self._interval(source, read)
        for unused in _UNUSED["mail" if source.kind == "mail" else ""]:
            if unused in read.places:
                self.report.warn(read.places[unused], f"{unused}: means nothing beside {where}", "take it out")
        if source.kind == "mail":
            self._mail(node, source, read.places[where])
        elif source.kind == "files":
            for unused in ("headers", "post", "ignore_validators"):
                if unused in read.places:
                    self.report.warn(read.places[unused], f"{unused}: means nothing for files", "take it out")
        else:
            self._address(source, read, read.places[where])

    def _by_convention(self, source: Source, place: Node) -> Source:
        """*source* at the feed of the well-known page that its address is of; that is told."""
        found = convention_of(source.target) if source.kind in ("feed", "page") and not source.select else None
        if found is None or (source.kind == "page" and not found.select):
            return source
        if not found.url:
            remedy = f"`wiredesk discover {source.target}` prints its feed"
            self.report.warn(place, f"the page of {found.what}, which is no feed", remedy)
            return source
        if found.url != source.target:
            how = "it is read by selectors of the desk's own" if found.select else "its feed is asked"
            self.report.warn(place, f"the page of {found.what}: {how}, {found.url}", "write that address")
        return replace(source, target=found.url, kind="page" if found.select else "feed", select=found.select)

    def _select(self, node: Node, read: Read, kind: SourceKind) -> Select | None:
        """What `select:` says, of a source that can have it."""
        place = read.places.get("select")
        if place is None:
            if kind == "json":
                self.report.error(node, "json without `select:`", "write select: {items: …, title: …, link: …}")
            return None
        if kind not in ("page", "json"):
            self.report.error(place, f"select: means nothing beside {kind}", "it goes with `page:` or `json:`")
            return None
        try:
            return judge_select(place, kind, self.report)
        except Wrong as wrong:
            self.report.error(wrong.node or place, f"select: {wrong.cause}", wrong.remedy)
            return None

    def _at_home(self, path: str) -> str:
        """*path* with a `~` at its beginning as shells mean it, where the home of this user is known."""
        home = self.environ.get("HOME", "")
        return home.rstrip("/") + path[1:] if home and path.startswith("~/") else path

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

    def _identity(self, node: Node, read: Read) -> None:
        line = node.start_mark.line + 1
        name, key = read.values.get("name"), read.values.get("id")
        if "name" not in read.places and not self._is_slip(read, ("name",)):
            remedy = "add it: readers see it, and it is the source's identity"
            self.report.error(node, "no `name:`", remedy)
        if name is not None:
            first = self.gathered.names.setdefault(name.casefold(), line)
            if first != line:
                remedy = f"line {first} has it already; give one another name"
                self.report.error(read.places["name"], f"name: {quote(name)} for the second time", remedy)
                return
        key = key if key is not None else name
        if key is not None:
            first = self.gathered.keys.setdefault(key, line)
            if first != line:
                place = read.places.get("id") or read.places["name"]
                remedy = f"the source on line {first} has this identity; change the `id:` of one"
                self.report.error(place, f"the identity {quote(key)} for the second time", remedy)

    def _secrets(self, read: Read) -> None:
        for name in ("url", "page", "sitemap", "json", "post", "mail"):
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

    def _target(self, source: Source, place: Node) -> None:
        same = source.target if source.kind == "files" else comparable(source.target)
        if source.kind == "mail":
            same = f"{source.target} {' '.join(sorted(source.senders))}"
        first = self.gathered.targets.setdefault(same, source.line)
        if first != source.line:
            remedy = (
                f"line {first} has it already; to file it in one more section, write `- source: {source.name}` there"
            )
            self.report.error(place, f"{quote(masked(source.target))} for the second time", remedy)

    def _interval(self, source: Source, read: Read) -> None:
        floor_s = self.settings.poll.floor_s
        if source.interval_s is not None and source.interval_s < floor_s:
            self.report.warn(
                read.places["interval_s"],
                f"interval_s {plain(source.interval_s)} is below poll.floor_s",
                f"it is asked every {plain(floor_s)} s; lower poll.floor_s in wiredesk.yaml to ask more often",
            )

    def _mail(self, node: Node, source: Source, place: Node) -> None:
        """Judge a source of letters: whoever may write to it is published."""
        if not source.senders:
            remedy = 'say whose letters are taken: from: ["*@council.example.org"], or ["*"] for everybody\'s'
            self.report.error(node, "mail without `from:`", remedy)
        if not source.is_imap:
            return
        parts = urlsplit(without_references(source.target))
        if parts.username is None or parts.password is None:
            self.report.error(place, "a mailbox without user and password", "write imaps://user:${PASSWORD}@host/INBOX")
        elif not any(references(source.target.partition("@")[0].rpartition(":")[2])):
            self.report.error(place, "a password in the file", "write ${NAME} and set NAME in the environment")
        if self.reach:
            port = parts.port or (993 if parts.scheme == "imaps" else 143)
            self._network(parts.hostname or "", port, place)

    def _address(self, source: Source, read: Read, place: Node) -> None:
        """Warn of what is odd in a source that is asked over the network."""
        warn = self.report.warn
        for unused in ("follow", "removed"):
            if unused in read.places:
                warn(read.places[unused], f"{unused}: means nothing beside {source.kind}", "take it out")
        parts = urlsplit(without_references(source.target))
        if parts.fragment:
            warn(place, f"'#{parts.fragment}' is never sent to an origin", "take it out")
        if parts.password is not None and not any(references(source.target)):
            warn(place, "a password in the file", "write ${NAME} and set NAME in the environment")
        if "headers" in read.places:
            self._credentials(source, parts.scheme, read.places["headers"])
        if self.reach:
            port = parts.port or (443 if parts.scheme == "https" else 80)
            self._port(port, place)
            self._network(parts.hostname or "", port, place)

    def _credentials(self, source: Source, scheme: str, place: Node) -> None:
        for name, value in source.headers:
            if name.lower() not in _CREDENTIALS:
                continue
            if not any(references(value)):
                self.report.warn(place, f"a secret in the file: {name}", "write ${NAME}, set NAME outside")
            if scheme == "http":
                self.report.warn(place, f"{name} goes to an http:// address", "anybody on the way can read it")

    def _port(self, port: int, place: Node) -> None:
        """Warn of a port to which fetch will not connect."""
        if self.ports is not None and port not in self.ports:
            allowed = listing(map(str, self.settings.fetch.ports))
            self.report.warn(
                place, f"port {port} is not open to fetches: it will never be asked",
                f"fetch.ports in wiredesk.yaml has {allowed}; add {port}",
            )  # fmt: skip

    def _network(self, host: str, port: int, place: Node) -> None:
        """Warn of a host that fetch will refuse, as far as it shows without asking for names."""
        address = _ip_address("127.0.0.1" if host == "localhost" else host)
        if address is None or address.is_global or (str(address), port) in self.opened:
            return
        networks = [ipaddress.ip_network(text) for text in self.settings.fetch.allow_private if not split_port(text)]
        if not any(address in network for network in networks):
            self.report.warn(
                place, f"{host} is a private address: it will never be asked",
                f"add {host}:{port} to fetch.allow_private in wiredesk.yaml",
            )  # fmt: skip


def _ip_address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address that *host* is, None for a name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _opml(
    item: OpmlItem,
    sections: Mapping[str, Section],
    lists: Lists,
    read_file: Callable[[str], bytes],
    gathered: Gathered,
    report: Report,
) -> None:
    """Add the feeds of one OPML list. Feeds that can't be taken are told and left out; a broken list is an error."""
    values = dict(item.values)
    default = values.pop("section", None)
    rule = values.pop("drop", None)
    drop = judge_drop(rule, lists, report) if rule is not None else None
    gathered.opml_files.append(item.file)
    subscriptions = _subscriptions(item, read_file, report)
    if subscriptions is None:
        return
    names = Names(gathered.names)
    unfiled: Counter[tuple[str, ...]] = Counter()
    doubled = 0
    for outline, section in file_outlines(subscriptions.outlines, sections):
        try:
            judge_address(outline.url)
        except Wrong as wrong:
            report.warn(item.place, f"{item.file}:{outline.line}: {wrong.cause}", "this feed is left out")
            continue
        same = comparable(outline.url)
        if same in gathered.targets or outline.url in gathered.keys:
            doubled += 1
            continue
        path = section or default
        if path is None:
            unfiled[outline.folders] += 1
        name = names.give(outline.title, outline.url)
        source = Source(key=outline.url, name=name, kind="feed", target=outline.url, section=path, line=item.line)
        gathered.sources.append(replace(source, **values))
        gathered.targets[same] = gathered.keys[outline.url] = gathered.names[name.casefold()] = item.line
        if drop is not None:
            gathered.drops.append(replace(drop, source=source.key))
    _list_warnings(item, subscriptions, doubled, unfiled, report)


def _subscriptions(item: OpmlItem, read_file: Callable[[str], bytes], report: Report) -> Subscriptions | None:
    """The feeds of the list that *item* names; None where *report* now says what is wrong with it."""
    try:
        return read_opml(read_file(item.file), file=item.file)
    except OSError as error:
        cause = f"opml: can't read {quote(item.file)}: {(error.strerror or str(error)).lower()}"
        report.error(item.place, cause, "the path is relative to the config folder")
    except ConfigError as error:
        report.errors.append(error)
        where = f"line {error.line} of that file" if error.line else "that file"
        report.error(item.place, f"opml: {quote(item.file)} is no list of feeds", f"see {where}")
    return None


def _list_warnings(
    item: OpmlItem, subscriptions: Subscriptions, doubled: int, unfiled: Counter[tuple[str, ...]], report: Report
) -> None:
    file = quote(item.file)
    if subscriptions.mended:
        report.warn(item.place, f"opml: {file}: {subscriptions.mended}", "it is read all the same; export it again")
    if not subscriptions.outlines:
        report.warn(item.place, f"opml: {file} lists no feeds", "export it again")
    if doubled:
        are = f"feed of {file} is a source" if doubled == 1 else f"feeds of {file} are sources"
        report.warn(item.place, f"{doubled} {are} already", "the first one holds")
    for folders, count in unfiled.items():
        inside = f"in the folder {quote(' > '.join(folders))}" if folders else "outside any folder"
        feeds, belong = ("feed", "belongs") if count == 1 else ("feeds", "belong")
        report.warn(
            item.place,
            f"{count} {feeds} of {file} {inside} {belong} to no section",
            "rules file what it brings, or it is unfiled; name the folder as a section, or write `section:` here",
        )


def sources_schema() -> Schema:
    """The JSON Schema of `sources.yaml`."""
    one = mapping_schema(SOURCE_KEYS)
    one["oneOf"] = [{"required": ["name", name]} for name in KINDS] + [{"required": ["opml"]}]
    definitions = {**match_schema(), "select": select_schema()}
    return {"type": ["array", "null"], "items": one, "definitions": definitions}
