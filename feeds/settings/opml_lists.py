"""OPML: the subscription lists of other readers → feeds with their folders, or lines for `sources.yaml`. Pure.

OPML 2.0 (http://opml.org/spec2.opml); 1.x and what readers really write too: `title` or `text`, with or without
`type="rss"`. Read without DTDs, entities or network.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from lxml import etree
from msgspec import Struct, field
from yaml.nodes import Node

from feeds.configuration import DOCUMENTS, Section, Source
from feeds.errors import ConfigError
from feeds.files import tables
from feeds.settings.forms import comparable, judge_address
from feeds.settings.reports import Report, Wrong, quote
from feeds.settings.sections_file import section_by_name

MAX_OPML_BYTES = 32 * 1024 * 1024
# A value ends at the quote that another attribute of OPML, or the end of the tag, follows; a title may hold HTML.
_NAMES = rb"(?:text|title|description|xmlUrl|htmlUrl|type|language|category|created|isComment|isBreakpoint)"
_ATTRIBUTE = re.compile(
    rb"""(\s%b)\s*=\s*(["'])(.{0,20000}?)\2(?=\s+%b\s*=\s*["']|\s*/>|\s*>\s*<(?:/?outline|/body))""" % (_NAMES, _NAMES),
    re.DOTALL | re.IGNORECASE,
)
_BARE_AMPERSAND = re.compile(rb"&(?!(amp|lt|gt|quot|apos|#\d+|#x[0-9A-Fa-f]+);)")


_PLAIN_WORDS = [row.split("  ") for row in tables("settings/words.txt")["opml"]]


class Outline(Struct, frozen=True, kw_only=True):
    """One feed of a list: its *folders*, outermost first, and the *line* it stands on."""

    title: str
    url: str
    folders: tuple[str, ...] = ()
    line: int = 0


class Subscriptions(Struct, frozen=True, kw_only=True):
    """The feeds of a list, in order. *mended* says what had to be mended before it could be read, "" for nothing."""

    outlines: tuple[Outline, ...]
    mended: str = ""

    @property
    def by_folders(self) -> dict[tuple[str, ...], list[Outline]]:
        """Folders, outermost first → the feeds in them."""
        groups: dict[tuple[str, ...], list[Outline]] = {}
        for outline in self.outlines:
            groups.setdefault(outline.folders, []).append(outline)
        return groups


def read_opml(body: bytes, *, file: str) -> Subscriptions:
    """Give the feeds of the OPML document *body*. Raises ConfigError (*file*, line) for anything else.

    Two of three lists found in the wild hold titles that were never escaped: `&`, `<` and quotes within attributes
    are mended, everything else that is no XML is an error.
    """
    if len(body) > MAX_OPML_BYTES:
        limit = f"{MAX_OPML_BYTES // 1024 // 1024} MiB"
        raise ConfigError(f"larger than {limit}", file=file, remedy="cut it into several lists")
    if not body.strip():
        raise ConfigError("an empty file", file=file, remedy="export the list again")
    root, mended = _parsed(body, file)
    dtd: Any = root.getroottree().docinfo.internalDTD
    if dtd is not None and dtd.entities():
        raise ConfigError(
            "a list that declares entities", file=file, line=1, column=1, remedy="export it again without a DTD"
        )
    name = etree.QName(root).localname
    if name.lower() != "opml":
        is_feed = name.lower() in ("rss", "feed", "rdf")
        remedy = "this looks like a feed: write it as `url:`" if is_feed else "export as OPML"
        cause = f"an XML document <{name}>, no <opml>"
        raise ConfigError(cause, file=file, line=_line(root), column=1, remedy=remedy)
    return Subscriptions(outlines=tuple(_outlines(root)), mended=mended)


def _parsed(body: bytes, file: str) -> tuple[etree._Element, str]:
    """The root of *body*, and what had to be mended before it could be read."""
    try:
        return _tree(body), ""
    except etree.XMLSyntaxError as error:
        line, column = error.position if error.position else (0, 0)
        message = error.msg or ""
        plain = next((words for part, words in _PLAIN_WORDS if part in message), "")
        words = plain or quote(message.partition(", line ")[0])
        try:
            return _tree(_mend(body)), f"line {line} is no XML: {words}"
        except etree.XMLSyntaxError:
            remedy = "export the list again, or mend this line"
            raise ConfigError(f"no XML: {words}", file=file, line=line, column=column, remedy=remedy) from error


def _tree(body: bytes) -> etree._Element:
    # Neither entities nor network; libxml2 itself refuses entities that blow a document up.
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    return etree.fromstring(body.lstrip(), parser)


def _mend(body: bytes) -> bytes:
    """Escape what stands unescaped in the attributes of outlines; lines stay where they are."""

    def attribute(match: re.Match[bytes]) -> bytes:
        value = _BARE_AMPERSAND.sub(b"&amp;", match[3]).replace(b"<", b"&lt;").replace(b">", b"&gt;")
        return match[1] + b'="' + value.replace(b'"', b"&quot;") + b'"'

    return _ATTRIBUTE.sub(attribute, body)


def _outlines(root: etree._Element) -> Iterator[Outline]:
    # An explicit stack: a foreign file may nest deeper than Python recurses.
    stack: list[tuple[etree._Element, tuple[str, ...]]] = [(root, ())]
    while stack:
        element, folders = stack.pop()
        name = element.tag.rpartition("}")[2].lower() if isinstance(element.tag, str) else ""
        if name == "outline":
            title, url = _title_and_url(element)
            if url:
                yield Outline(title=title or _host(url), url=url, folders=folders, line=_line(element))
            elif title:
                folders = (*folders, title)
        if name in ("outline", "opml", "body"):
            stack.extend((child, folders) for child in reversed(element))


def _title_and_url(outline: etree._Element) -> tuple[str, str]:
    attributes = {str(key).lower(): flat(str(value)) for key, value in outline.attrib.items()}
    return attributes.get("title") or attributes.get("text", ""), attributes.get("xmlurl", "")


def _line(element: etree._Element) -> int:
    line: object = element.sourceline
    return line if isinstance(line, int) else 0


def flat(text: str) -> str:
    """*text* in one line, without what can't be seen."""
    return " ".join("".join(char for char in text if char.isprintable() or char.isspace()).split())


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or url
    except ValueError:
        return url


class Names:
    """Names that are *taken*, whatever their case; `give` makes one more."""

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = {name.casefold() for name in taken}
        self._counts: dict[tuple[str, str], int] = {}  # a list may name thousands alike

    def give(self, title: str, url: str) -> str:
        """Give *title*, with host and number where it is taken already; at most 200 characters."""
        base = title[:150].strip() or _host(url)[:150]
        host = _host(url)[:40]
        name, count = base, self._counts.get((base, host), 1)
        while name.casefold() in self._taken:
            name = f"{base} ({host})" if count == 1 else f"{base} ({host} {count})"
            count += 1
        self._counts[base, host] = count
        self._taken.add(name.casefold())
        return name


def read_listed(file: str, read_file: Callable[[str], bytes], place: Node, report: Report) -> Subscriptions | None:
    """The feeds of the list *file* that is named at *place*; None where *report* now says what is wrong with it."""
    try:
        return read_opml(read_file(file), file=file)
    except OSError as error:
        cause = f"opml: can't read {quote(file)}: {(error.strerror or str(error)).lower()}"
        report.error(place, cause, "the path is relative to the config folder")
    except ConfigError as error:
        report.errors.append(error)
        where = f"line {error.line} of that file" if error.line else "that file"
        report.error(place, f"opml: {quote(file)} is no list of feeds", f"see {where}")
    return None


def report_list(
    file: str, listed: Subscriptions, doubled: int, unfiled: Mapping[tuple[str, ...], int], place: Node, report: Report
) -> None:
    """Warn of what is odd in the list *file*: *doubled* feeds are sources already, *unfiled* ones in no section."""
    file = quote(file)
    if listed.mended:
        report.warn(place, f"opml: {file}: {listed.mended}", "it is read all the same; export it again")
    if not listed.outlines:
        report.warn(place, f"opml: {file} lists no feeds", "export it again")
    if doubled:
        are = f"feed of {file} is a source" if doubled == 1 else f"feeds of {file} are sources"
        report.warn(place, f"{doubled} {are} already", "the first one holds")
    for folders, count in unfiled.items():
        inside = f"in the folder {quote(' > '.join(folders))}" if folders else "outside any folder"
        feeds, belong = ("feed", "belongs") if count == 1 else ("feeds", "belong")
        cause = f"{count} {feeds} of {file} {inside} {belong} to no section"
        remedy = "rules file what it brings, or it is unfiled; name the folder as a section, or write `section:` here"
        report.warn(place, cause, remedy)


_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9]*( [A-Za-z0-9]+)*")
_WORDS = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"}


class ConfigLines(Struct):
    """*lines* for `sources.yaml` with so many *sources*; *known* ones are left out, *refused* ones told as comments."""

    lines: list[str] = field(default_factory=list)
    sources: int = 0
    known: int = 0
    refused: int = 0

    @property
    def text(self) -> str:
        """The lines as they are pasted."""
        return "".join(f"{line}\n" for line in self.lines)

    def remark(self, text: str) -> None:
        """Add a comment, apart from what stands above it."""
        self.lines += ["", f"# {text}"] if self.lines else [f"# {text}"]


def opml_to_lines(
    lists: Iterable[tuple[str, bytes]], *, sections: Iterable[Section] = (), present: Iterable[Source] = ()
) -> ConfigLines:
    """Give the feeds of OPML documents, (file name, body) each, as lines for a `sources.yaml` that has *present*.

    A folder that means one of *sections* gives a `section:` line; folders stand as comments. Feeds listed twice come
    once; addresses that no source can have become comments with the reason. Raises ConfigError for no OPML.
    """
    tree = {section.path: section for section in sections}
    present = tuple(present)
    names = Names(word for source in present for word in (source.name, source.key))
    had = {comparable(source.target) for source in present if source.kind not in DOCUMENTS}
    seen = set(had)
    made = ConfigLines()
    for file, body in lists:
        subscriptions = read_opml(body, file=file)
        if subscriptions.mended:
            made.remark(f"{file}, mended: {subscriptions.mended}")
        made.known += sum(comparable(outline.url) in had for outline in subscriptions.outlines)
        for folders, outlines in subscriptions.by_folders.items():
            _add_folder(made, folders, [*_unseen(outlines, seen)], names, section_by_name(tree, folders))
    return made


def _add_folder(
    made: ConfigLines, folders: tuple[str, ...], outlines: Sequence[Outline], names: Names, section: str | None
) -> None:
    """Add *outlines* below a remark that names their *folders*."""
    if outlines and (folders or made.lines):
        made.remark(" > ".join(folders) or "outside any folder")
    for outline in outlines:
        _add_source(made, outline, names, section)


def _unseen(outlines: Iterable[Outline], seen: set[str]) -> Iterator[Outline]:
    """Those of *outlines* whose addresses are not *seen* yet; they are from now on."""
    for outline in outlines:
        same = comparable(outline.url)
        if same not in seen:
            seen.add(same)
            yield outline


def _add_source(made: ConfigLines, outline: Outline, names: Names, section: str | None) -> None:
    try:
        judge_address(outline.url)
    except Wrong as wrong:
        made.lines.append(f"# left out, {flat(outline.title)}: {wrong.cause}")
        made.refused += 1
        return
    made.lines.append(f"- name: {scalar(names.give(outline.title, outline.url))}")
    made.lines.append(f"  url: {scalar(outline.url)}")
    if section:
        made.lines.append(f"  section: {section}")
    made.sources += 1


def scalar(text: str) -> str:
    """Write *text* as a YAML scalar: plain where nothing can be mistaken, else in double quotes.

    >>> scalar("Ars Technica"), scalar("no"), scalar("Q: what?")
    ('Ars Technica', '"no"', '"Q: what?"')
    """
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    if re.fullmatch(r"https?://[A-Za-z0-9._~/?=&%+:@-]*[A-Za-z0-9_~/=%-]", text):
        return text
    return json.dumps(text, ensure_ascii=False)
