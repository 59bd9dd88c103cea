"""OPML 2.0: the section tree and lists of sources, for one-click subscription. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from lxml import etree

from feeds.dates import rfc822
from feeds.model import Format, Section, Source
from feeds.render.tidy import absolute, line


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


def section_outlines(sections: Sequence[Section], *, base_url: str, format: Format = "atom") -> tuple[Outline, ...]:
    """Return the tree of *sections*, which come in tree order, parents first; ``""`` is the whole desk.

    A section with sections below it becomes a folder with its own feed first, for readers take an outline either as a
    feed or as a folder.
    """
    below: dict[str, list[Section]] = {}
    for section in sections:
        if section.parent is not None:
            below.setdefault(section.parent, []).append(section)

    def outline(section: Section) -> Outline:
        feed = Outline(
            text=section.title or section.path,
            xml_url=f"{base_url}/{section.path or 'index'}.{format}",
            html_url=f"{base_url}/{section.path}",
            description=section.description,
            language=section.language,
        )
        children = tuple(outline(child) for child in below.get(section.path, ()))
        if not section.path or not children:
            return feed
        return Outline(text=feed.text, children=(feed, *children))

    top = [section for section in sections if not section.path]
    return tuple(outline(section) for section in [*top, *below.get("", ())])


def source_outlines(sources: Iterable[Source]) -> tuple[Outline, ...]:
    """Return *sources* that are feeds, by name. Their headers and credentials are never told."""
    feeds = (source for source in sources if source.kind == "feed")
    return tuple(
        Outline(text=source.name, xml_url=source.target, language=source.language)
        for source in sorted(feeds, key=lambda source: (source.name.casefold(), source.name))
    )
