"""OPML: the subscription lists of other readers → feeds with their folders, and → config lines. Pure.

OPML 2.0 (http://opml.org/spec2.opml); 1.x and what readers really write too: `title` or `text`, with or without
`type="rss"`. Read without DTDs, entities or network.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from lxml import etree

from feeds.errors import ConfigError
from feeds.model import Section
from feeds.settings.kinds import judge_address
from feeds.settings.reports import Wrong, quote
from feeds.settings.tree import section_by_name

MAX_OPML_BYTES = 32 * 1024 * 1024
# A value ends at the quote that another attribute of OPML, or the end of the tag, follows; a title may hold HTML.
_NAMES = rb"(?:text|title|description|xmlUrl|htmlUrl|type|language|category|created|isComment|isBreakpoint)"
_ATTRIBUTE = re.compile(
    rb"""(\s%b)\s*=\s*(["'])(.{0,20000}?)\2(?=\s+%b\s*=\s*["']|\s*/>|\s*>\s*<(?:/?outline|/body))""" % (_NAMES, _NAMES),
    re.DOTALL | re.IGNORECASE,
)
_BARE_AMPERSAND = re.compile(rb"&(?!(amp|lt|gt|quot|apos|#\d+|#x[0-9A-Fa-f]+);)")
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9]*( [A-Za-z0-9]+)*")
_WORDS = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """One feed of a list: its *folders*, outermost first, and the *line* it stands on."""

    title: str
    url: str
    folders: tuple[str, ...] = ()
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriptions:
    """The feeds of a list, in order. *mended* says what had to be mended before it could be read, "" for nothing."""

    outlines: tuple[Outline, ...]
    mended: str = ""


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
    mended = ""
    try:
        root = _tree(body)
    except etree.XMLSyntaxError as error:
        line, column = error.position if error.position else (0, 0)
        said = quote((error.msg or "").partition(", line ")[0])
        try:
            root = _tree(_mend(body))
        except etree.XMLSyntaxError:
            remedy = "export the list again, or mend this line"
            raise ConfigError(f"no XML: {said}", file=file, line=line, column=column, remedy=remedy) from error
        mended = f"line {line} is no XML: {said}"
    dtd: Any = root.getroottree().docinfo.internalDTD
    if dtd is not None and dtd.entities():
        raise ConfigError(
            "a list that declares entities", file=file, line=1, column=1, remedy="export it again without a DTD"
        )
    if etree.QName(root).localname.lower() != "opml":
        name = etree.QName(root).localname
        cause = f"an XML document <{name}>, no <opml>"
        remedy = (
            "this looks like a feed: write it as `url:`" if name.lower() in ("rss", "feed", "rdf") else "export as OPML"
        )
        raise ConfigError(cause, file=file, line=_line(root), column=1, remedy=remedy)
    return Subscriptions(outlines=tuple(_outlines(root)), mended=mended)


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


def _outlines(root: etree._Element) -> Iterable[Outline]:
    # An explicit stack: a foreign file may nest deeper than Python recurses.
    stack: list[tuple[etree._Element, tuple[str, ...]]] = [(root, ())]
    while stack:
        element, folders = stack.pop()
        name = element.tag.rpartition("}")[2].lower() if isinstance(element.tag, str) else ""
        if name == "outline":
            attributes = {str(key).lower(): _flat(str(value)) for key, value in element.attrib.items()}
            title = attributes.get("title") or attributes.get("text") or ""
            if url := attributes.get("xmlurl"):
                yield Outline(title=title or _host(url), url=url, folders=folders, line=_line(element))
            elif title:
                folders = (*folders, title)
        elif name not in ("opml", "body"):
            continue
        stack.extend((child, folders) for child in reversed(element))


def _line(element: etree._Element) -> int:
    line: object = element.sourceline
    return line if isinstance(line, int) else 0


def _flat(text: str) -> str:
    return " ".join("".join(char for char in text if char.isprintable() or char.isspace()).split())


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or url
    except ValueError:
        return url


def opml_to_lines(body: bytes, *, file: str = "OPML", sections: Iterable[Section] = ()) -> str:
    """Give the feeds of the OPML document *body* as lines for `sources.yaml`, grouped by folder.

    A folder that means one of *sections* gives a `section:` line; the others stand as comments. Feeds listed twice
    come once; addresses that no source can have become comments with the reason. Raises ConfigError for no OPML.
    """
    known = {section.path: section for section in sections}
    groups: dict[tuple[str, ...], list[Outline]] = {}
    subscriptions = read_opml(body, file=file)
    for outline in subscriptions.outlines:
        groups.setdefault(outline.folders, []).append(outline)
    names: set[str] = set()
    urls: set[str] = set()
    lines = [f"# mended: {subscriptions.mended}", ""] if subscriptions.mended else []
    for folders, outlines in groups.items():
        section = section_by_name(known, folders)
        wanted = [outline for outline in outlines if outline.url not in urls]
        if not wanted:
            continue
        if folders or lines:
            lines += [""] * bool(lines and lines[-1]) + [f"# {' > '.join(folders) or 'outside any folder'}"]
        for outline in wanted:
            if outline.url in urls:
                continue
            urls.add(outline.url)
            try:
                judge_address(outline.url)
            except Wrong as wrong:
                lines.append(f"# left out, {_flat(outline.title)}: {wrong.cause}")
                continue
            lines.append(f"- name: {scalar(unique_name(outline.title, outline.url, names))}")
            lines.append(f"  url: {scalar(outline.url)}")
            if section:
                lines.append(f"  section: {section}")
    return "\n".join(lines) + "\n" if lines else ""


def unique_name(title: str, url: str, taken: set[str]) -> str:
    """Give *title*, with host and number where it is *taken* already, and note it there; at most 200 characters."""
    base = title[:150].strip() or _host(url)[:150]
    host = _host(url)[:40]
    name, count = base, 1
    while name.casefold() in taken:
        name = f"{base} ({host})" if count == 1 else f"{base} ({host} {count})"
        count += 1
    taken.add(name.casefold())
    return name


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


def file_outlines(outlines: Iterable[Outline], sections: Mapping[str, Section]) -> list[tuple[Outline, str | None]]:
    """Give each outline with the path of the section that its folders mean, None where they mean none."""
    paths: dict[tuple[str, ...], str | None] = {}
    filed = []
    for outline in outlines:
        if outline.folders not in paths:
            paths[outline.folders] = section_by_name(sections, outline.folders)
        filed.append((outline, paths[outline.folders]))
    return filed
