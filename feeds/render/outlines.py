"""OPML 2.0: the sources of a desk, for every other reader. Pure. (The section tree is served by `serve.opml`.)"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from lxml import etree

from feeds.configuration import Section, Source
from feeds.dates import rfc822
from feeds.render.printable import absolute, line


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """A feed where *xml_url* is set, else a folder; *children* in order."""

    text: str
    xml_url: str | None = None
    html_url: str | None = None
    description: str = ""
    language: str | None = None
    children: tuple[Outline, ...] = ()


def render_opml(title: str, outlines: Iterable[Outline], *, updated: datetime, owner_url: str | None = None) -> bytes:
    """Return the document; *updated* is its content's last change. Outlines without text or address are left out."""
    root = etree.Element("opml", version="2.0")
    head = etree.SubElement(root, "head")
    etree.SubElement(head, "title").text = line(title)
    etree.SubElement(head, "dateModified").text = rfc822(updated)
    if owner := absolute(owner_url):
        etree.SubElement(head, "ownerId").text = owner
    etree.SubElement(head, "docs").text = "http://opml.org/spec2.opml"
    body = etree.SubElement(root, "body")
    for outline in outlines:
        _add(body, outline)
    text: bytes = etree.tostring(root, encoding="UTF-8", xml_declaration=True)
    return text


def _add(parent: etree._Element, outline: Outline) -> None:
    text, xml_url = line(outline.text), absolute(outline.xml_url)
    if not text or (xml_url is None and not outline.children):
        return
    attributes = {"text": text}
    if xml_url:
        told = {
            "title": text,
            "type": "rss",
            "xmlUrl": xml_url,
            "htmlUrl": absolute(outline.html_url),
            "description": line(outline.description),
            "language": outline.language,
        }
        attributes |= {name: value for name, value in told.items() if value}
    element = etree.SubElement(parent, "outline", attributes)
    for child in outline.children:
        _add(element, child)


def source_outlines(sources: Iterable[Source], sections: Iterable[Section] = ()) -> tuple[Outline, ...]:
    """Return *sources* that are feeds, by name, in a folder for each section they file in; those in none come first.

    A folder is called by its section's title, or by its path where another section has that title too: our own import
    finds the section by either. Headers and credentials stay out.
    """
    titles = {section.path: section.title for section in sections if section.path}
    used = Counter(titles.values())
    loose: list[Outline] = []
    folders: dict[str, list[Outline]] = {path: [] for path in titles}
    for source in sorted(sources, key=lambda source: (source.name.casefold(), source.name)):
        if source.kind == "feed":
            feed = Outline(text=source.name, xml_url=source.target, language=source.language)
            folders.get(source.section or "", loose).append(feed)
    for path, feeds in folders.items():
        if feeds:
            name = titles[path] if used[titles[path]] == 1 else path
            loose.append(Outline(text=name, children=tuple(feeds)))
    return tuple(loose)
