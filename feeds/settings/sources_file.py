"""`sources.yaml` and the OPML lists it names → Sources. Pure: files are read by the function it is given."""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from urllib.parse import SplitResult, urlsplit

import jmespath
from jmespath.exceptions import JMESPathError
from lxml import etree
from msgspec.structs import replace
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from feeds.configuration import Drop, Select, Settings, Source, SourceKind
from feeds.conventions import convention_of, xpath_of
from feeds.settings.config import missing, references, unsendable, without_references
from feeds.settings.forms import MAILBOX, RULES, WITH_SECRETS, comparable, judge_address, keys_of, split_port
from feeds.settings.match_rules import Rules, match_schema
from feeds.settings.opml_lists import Names, Outline, read_listed, report_list
from feeds.settings.reports import Report, Wrong, did_you_mean, listing, quote
from feeds.settings.sections_file import DROP_HELP, Tree, section_by_name
from feeds.settings.types import Key, Read, Schema, form, list_of, mapping_schema, plain, read_mapping, text
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
    "id": Key(text(200), "the source's identity: keeps its history when its name changes"),
    "url": Key(WITH_SECRETS, "the address of a feed of any kind"),
    "files": Key(text(1000), "documents: a pattern such as articles/*.txt, relative to this folder"),
    "page": Key(WITH_SECRETS, "a page whose article links are followed, or that `select` reads"),
    "sitemap": Key(WITH_SECRETS, "a sitemap whose articles are taken"),
    "json": Key(WITH_SECRETS, "JSON of any form, or a page that holds some, that `select` reads"),
    "mail": Key(MAILBOX, "letters: a mailbox (imaps://user:${PASSWORD}@host/INBOX) or a Maildir"),
    "from": Key(list_of(text(300), 1, 1000), "whose letters are taken: *@example.org, or list:ID"),
    "opml": Key(text(1000), "a list of feeds from another reader, relative to this folder"),
    **keys_of(Source),
    "drop": Key(RULES, f"{DROP_HELP} from this source"),
}

_ADDRESSES = (*KINDS, "opml")
_OPML_KEYS = frozenset(
    {"opml", "section", "drop", "interval_s", "full_text", "language", "timezone", "enabled", "priority"}
)
_OF_REQUESTS = ("headers", "post", "ignore_validators")
_OF_FOLDERS = ("follow", "removed")
_OF_LETTERS = ("from", "digest", "mark_read")
_PORTS = {"http": 80, "https": 443, "imap": 143, "imaps": 993}
_CREDENTIALS = frozenset({"authorization", "cookie", "x-api-key", "api-key", "x-auth-token"})
_SELECTOR_SCHEMA: Schema = {"type": "string", "minLength": 1}
SET_OUTSIDE = "write ${NAME} and set NAME in the environment"


class Sources:
    """What `sources.yaml` says, and what it is judged against. *names*, identities (*keys*) and *targets* are those
    that are taken, with the line that has them; *lists* are the items that name an OPML list.
    """

    def __init__(self, tree: Tree, settings: Settings, environ: Mapping[str, str], report: Report, reach: bool) -> None:
        self.tree, self.settings, self.environ, self.report, self.reach = tree, settings, environ, report, reach
        self.sources: list[Source] = []
        self.names: dict[str, int] = {}
        self.keys: dict[str, int] = {}
        self.targets: dict[str, int] = {}
        self.lists: list[tuple[Node, Read]] = []
        self.opml_files: list[str] = []
        self.drops: list[Drop] = []
        self.rules = Rules(report, tree.rules.lists)
        self.paths = frozenset(tree.paths)
        opened = settings.fetch.allow_private
        self.opened = frozenset(found for one in opened if (found := split_port(one)))
        self.networks = [ipaddress.ip_network(one) for one in opened if not split_port(one)]
        # A network that is opened is opened with all its ports, and a name may lead into it.
        self.ports = None if self.networks else frozenset([*settings.fetch.ports, *(port for _, port in self.opened)])

    def add(self, node: Node) -> None:
        """Read one item of the list."""
        try:
            read = read_mapping(node, SOURCE_KEYS, self.report)
        except Wrong as wrong:
            self.report.error(node, wrong.cause, "write `- name: …` and, below it, `url: …`")
            return
        self._section(read)
        where = [name for name in _ADDRESSES if name in read.places]
        if where == ["opml"]:
            self._list(node, read)
            return
        self._identity(node, read)
        self._secrets(read)
        if not where and not _is_slip(read, _ADDRESSES):
            self.report.error(node, "a source without an address", f"write {listing(_ADDRESSES)}")
        for other in where[1:2]:
            cause = f"a source with {listing(where, 'and')} at once"
            self.report.error(read.places[other], cause, "make two sources of it")
        if len(where) == 1 and read.values.keys() >= {where[0], "name"}:
            self._take(node, read, where[0])

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

    def _list(self, node: Node, read: Read) -> None:
        for name, place in read.places.items():
            if name not in _OPML_KEYS:
                self.report.error(place, f"{name}: means nothing beside opml", "take it out")
                read.values.pop(name, None)
        if "opml" in read.values:
            self.lists.append((node, read))

    def _identity(self, node: Node, read: Read) -> None:
        line = node.start_mark.line + 1
        name, key = read.values.get("name"), read.values.get("id")
        if "name" not in read.places and not _is_slip(read, ("name",)):
            self.report.error(node, "no `name:`", "add it: readers see it, and it is the source's identity")
        if name is not None and (first := self.names.setdefault(name.casefold(), line)) != line:
            remedy = f"line {first} has it already; give one another name"
            self.report.error(read.places["name"], f"name: {quote(name)} for the second time", remedy)
            return
        key = key if key is not None else name
        if key is not None and (first := self.keys.setdefault(key, line)) != line:
            place = read.places.get("id") or read.places["name"]
            remedy = f"the source on line {first} has this identity; change the `id:` of one"
            self.report.error(place, f"the identity {quote(key)} for the second time", remedy)

    def _secrets(self, read: Read) -> None:
        for name in ("url", "page", "sitemap", "json", "post", "mail"):
            if name in read.values:
                self._missing(name, read.values[name], read.places[name])
        for name, value in read.values.get("headers", ()):
            place = read.places["headers"]
            self._missing(name, value, place)
            for variable in unsendable(value, self.environ):
                cause = f"the environment variable {variable} holds what no header can carry"
                self.report.error(place, cause, "set it to one line")

    def _missing(self, name: str, value: str, place: Node) -> None:
        for variable in missing(value, self.environ):
            remedy = "set it where the desk is started, or take this out"
            self.report.error(place, f"{name}: no environment variable {variable}", remedy)

    def _take(self, node: Node, read: Read, where: str) -> None:
        """Make a source of an item whose address stands at the key *where*."""
        values, kind, place = dict(read.values), KINDS[where], read.places[where]
        target, name, rule = values.pop(where), values.pop("name"), values.pop("drop", None)
        values["select"] = self._select(node, read, kind)
        values["senders"] = tuple(values.pop("from", ()))
        key = values.pop("id", name)
        if kind == "files":
            target = self._at_home(target)
            values["follow"] = tuple(map(self._at_home, values.get("follow", ())))
        if rule is not None and (drop := self.rules.drop(rule, key)):
            self.drops.append(drop)
        source = Source(key=key, name=name, kind=kind, target=target, line=node.start_mark.line + 1, **values)
        source = self._by_convention(source, place)
        self.sources.append(source)
        self._target(source, place)
        self._interval(source, read)
        self._unused(_OF_LETTERS if source.kind != "mail" else (*_OF_REQUESTS, *_OF_FOLDERS), f"beside {where}", read)
        if source.kind == "mail":
            self._mail(node, source, place)
        elif source.kind == "files":
            self._unused(_OF_REQUESTS, "for files", read)
        else:
            self._unused(_OF_FOLDERS, f"beside {source.kind}", read)
            self._address(source, read, place)

    def _unused(self, names: tuple[str, ...], beside: str, read: Read) -> None:
        for name in names:
            if name in read.places:
                self.report.warn(read.places[name], f"{name}: means nothing {beside}", "take it out")

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

    def _by_convention(self, source: Source, place: Node) -> Source:
        """*source* at the feed of the well-known page that its address is of, with a warning."""
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

    def _target(self, source: Source, place: Node) -> None:
        same = source.target if source.kind == "files" else comparable(source.target)
        if source.kind == "mail":
            same = f"{source.target} {' '.join(sorted(source.senders))}"
        first = self.targets.setdefault(same, source.line)
        if first != source.line:
            more = f"to file it in one more section, write `- source: {source.name}` there"
            cause = f"{quote(masked(source.target))} for the second time"
            self.report.error(place, cause, f"line {first} has it already; {more}")

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
            self.report.error(place, "a password in the file", SET_OUTSIDE)
        self._network(parts, place)

    def _address(self, source: Source, read: Read, place: Node) -> None:
        """Warn of what is odd in a source that is asked over the network."""
        parts = urlsplit(without_references(source.target))
        if parts.fragment:
            self.report.warn(place, f"'#{parts.fragment}' is never sent to an origin", "take it out")
        if parts.password is not None and not any(references(source.target)):
            self.report.warn(place, "a password in the file", SET_OUTSIDE)
        for name, value in source.headers:
            if name.lower() in _CREDENTIALS:
                self._credential(name, value, parts.scheme, read.places["headers"])
        port = parts.port or _PORTS[parts.scheme]
        if self.reach and self.ports is not None and port not in self.ports:
            cause = f"port {port} is not open to fetches: it will never be asked"
            remedy = f"fetch.ports in wiredesk.yaml has {listing(map(str, self.settings.fetch.ports))}; add {port}"
            self.report.warn(place, cause, remedy)
        self._network(parts, place)

    def _credential(self, name: str, value: str, scheme: str, place: Node) -> None:
        if not any(references(value)):
            self.report.warn(place, f"a secret in the file: {name}", "write ${NAME}, set NAME outside")
        if scheme == "http":
            self.report.warn(place, f"{name} goes to an http:// address", "anybody on the way can read it")

    def _network(self, parts: SplitResult, place: Node) -> None:
        """Warn of a host that fetch will refuse, as far as it shows without asking for names."""
        host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
        try:
            address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
        except ValueError:
            return
        open_to_fetch = address.is_global or (str(address), port) in self.opened
        if self.reach and not open_to_fetch and not any(address in network for network in self.networks):
            remedy = f"add {host}:{port} to fetch.allow_private in wiredesk.yaml"
            self.report.warn(place, f"{host} is a private address: it will never be asked", remedy)

    def add_list(self, node: Node, read: Read, read_file: Callable[[str], bytes]) -> None:
        """Add the feeds of one OPML list. Those that can't be taken are left out with a warning; a broken list is an
        error.
        """
        values, place, line = dict(read.values), read.places["opml"], node.start_mark.line + 1
        file = self._at_home(values.pop("opml"))
        default, rule = values.pop("section", None), values.pop("drop", None)
        drop = self.rules.drop(rule) if rule is not None else None
        self.opml_files.append(file)
        subscriptions = read_listed(file, read_file, place, self.report)
        if subscriptions is None:
            return
        names = Names(self.names)
        sections = {section.path: section for section in self.tree.sections}
        paths = {folders: section_by_name(sections, folders) or default for folders in subscriptions.by_folders}
        unfiled: Counter[tuple[str, ...]] = Counter()
        doubled = 0
        for outline, same in self._addressed(subscriptions.outlines, file, place):
            if same in self.targets or outline.url in self.keys:
                doubled += 1
                continue
            path, url, name = paths[outline.folders], outline.url, names.give(outline.title, outline.url)
            unfiled[outline.folders] += path is None
            source = Source(key=url, name=name, kind="feed", target=url, section=path, line=line, **values)
            self.sources.append(source)
            self.targets[same] = self.keys[url] = self.names[name.casefold()] = line
            if drop is not None:
                self.drops.append(replace(drop, source=url))
        report_list(file, subscriptions, doubled, +unfiled, place, self.report)

    def _addressed(self, outlines: Iterable[Outline], file: str, place: Node) -> Iterator[tuple[Outline, str]]:
        """Those of *outlines* that a source can be, each with its address as it is compared."""
        for outline in outlines:
            try:
                judge_address(outline.url)
            except Wrong as wrong:
                self.report.warn(place, f"{file}:{outline.line}: {wrong.cause}", "this feed is left out")
            else:
                yield outline, comparable(outline.url)


def _is_slip(read: Read, meant: tuple[str, ...]) -> bool:
    """Whether an unknown key, which was reported, is one of *meant* misspelled."""
    return any(did_you_mean(name, meant) for name in read.unknown)


def judge_sources(
    root: Node | None,
    tree: Tree,
    settings: Settings,
    environ: Mapping[str, str],
    read_file: Callable[[str], bytes],
    report: Report,
    *,
    reach: bool,
) -> Sources:
    """Give the sources of the document *root*, those of OPML lists last; what is wrong goes to *report*.

    *read_file* gives the bytes of a list, or raises OSError. Without *reach*, addresses are not held against
    fetch.ports and fetch.allow_private, since these do not hold themselves.
    """
    found = Sources(tree, settings, environ, report, reach)
    if isinstance(root, SequenceNode):
        for item in root.value:
            found.add(item)
        for node, read in found.lists:
            found.add_list(node, read, read_file)
    elif root is not None:
        first = root.value[0][0] if isinstance(root, MappingNode) and root.value else root
        tight = isinstance(first, ScalarNode) and first.value.startswith("-")
        cause = f"{quote(first.value)}: no space after the dash" if tight else "sources are a list"
        report.error(root, cause, "begin each source with `- name: …`")
    return found


# --------------------------------------------------------------------------- select


def _some(found: str) -> str:
    if not found:
        raise Wrong("an empty selector", "write one, or take the line out")
    if len(found) > 1000:
        raise Wrong(f"a selector of {len(found)} characters", "write at most 1000")
    return found


def _selector(found: str) -> str:
    try:
        # An unknown prefix or function shows only where it is asked for.
        etree.XPath(xpath_of(_some(found)))(etree.Element("x"))
    except (ValueError, etree.XPathError) as error:
        remedy = "write CSS such as h2 > a, with @href for an attribute, or xpath: and an XPath"
        raise Wrong(f"{quote(found)} is no selector: {error}", remedy) from error
    return found


def _json_path(found: str) -> str:
    try:
        jmespath.compile(_some(found))
    except JMESPathError as error:
        # The library draws a picture below its first line.
        reason = str(error).splitlines()[0].removeprefix("Invalid jmespath expression: ").rstrip(":").lower()
        remedy = "write a JMESPath such as data.articles or author.name (jmespath.org)"
        raise Wrong(f"{quote(found)} is no path: {reason}", remedy) from error
    return found


def _date_format(found: str) -> str:
    remedy = "write such as %d.%m.%Y or %b %d, %Y"
    try:
        moment = datetime(2001, 2, 3).strftime(found)  # noqa: DTZ001
        datetime.strptime(moment, found)  # noqa: DTZ007
    except ValueError as error:
        raise Wrong(f"{quote(found)} is no format of dates", remedy) from error
    if "%" not in found:
        raise Wrong(f"{quote(found)} has no part of a date", remedy)
    return found


def _select_keys(judge: Callable[[str], str]) -> dict[str, Key]:
    """The keys that `Select` declares, each selector judged by *judge*."""
    keys = keys_of(Select)
    others = {"pages": keys["pages"].takes, "date_format": form(_date_format, _SELECTOR_SCHEMA)}
    selector = form(judge, _SELECTOR_SCHEMA)
    return {name: replace(key, takes=others.get(name, selector), required=name == "item") for name, key in keys.items()}


PAGE_KEYS = {name: key for name, key in _select_keys(_selector).items() if name != "script"}
"""What `select:` of a page takes."""
_OF_JSON = _select_keys(_json_path)
JSON_KEYS = {"items": _OF_JSON.pop("item"), **_OF_JSON, "script": _select_keys(_selector)["script"]}
"""What `select:` of JSON takes: JMESPath, but for where in a page the JSON stands."""


def judge_select(node: Node, kind: SourceKind, report: Report) -> Select | None:
    """Give what *node*, the `select:` of a source of *kind*, says; None where *report* now says what is wrong with it.

    Raises Wrong where it is no mapping.
    """
    errors = len(report.errors)
    values = read_mapping(node, JSON_KEYS if kind == "json" else PAGE_KEYS, report).values
    if kind == "json" and "items" in values:
        values["item"] = values.pop("items")
    if len(report.errors) == errors and not {"title", "text"} & values.keys():
        report.error(node, "select: neither `title:` nor `text:`", "say where the headline of an article stands")
    return Select(**values) if len(report.errors) == errors else None


def select_schema() -> Schema:
    """The JSON Schema of `select:`, of a page or of JSON."""
    one = mapping_schema({**PAGE_KEYS, **JSON_KEYS})
    one["anyOf"] = [{"required": ["item"]}, {"required": ["items"]}]
    del one["required"]
    return one


def sources_schema() -> Schema:
    """The JSON Schema of `sources.yaml`."""
    one = mapping_schema(SOURCE_KEYS)
    one["oneOf"] = [{"required": ["name", name]} for name in KINDS] + [{"required": ["opml"]}]
    definitions = {**match_schema(), "select": select_schema()}
    return {"type": ["array", "null"], "items": one, "definitions": definitions}
