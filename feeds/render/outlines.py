"""OPML 2.0: the sources of a desk, for every other reader. Pure. (The section tree is served by `serve.opml`.)"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from lxml import etree

from feeds.configuration import Section, Source
from feeds.dates import rfc822
from feeds.render.mediarss import add, add_texts
from feeds.render.printable import absolute, line, present


def render_opml(
    title: str,
    sources: Iterable[Source],
    sections: Iterable[Section] = (),
    *,
    updated: datetime,
    owner_url: str | None = None,
) -> bytes:
    """Return *sources* that are feeds, by name, in a folder for each section they file in; those in none come first.

    A folder is called by its section's title, or by its path where another section has that title too: our own import
    finds the section by either. Headers and credentials stay out, and so does what has no name or no address.
    *updated* is when all that changed last.
    """
    root = etree.Element("opml", version="2.0")
    head, body = add(root, "head"), add(root, "body")
    add(head, "title", line(title))
    add_texts(
        head,
        ("dateModified", rfc822(updated)),
        ("ownerId", absolute(owner_url)),
        ("docs", "http://opml.org/spec2.opml"),
    )
    folders = _folders(sections)
    for source in sorted(sources, key=lambda source: (source.name.casefold(), source.name)):
        name, url = line(source.name), absolute(source.target)
        if source.kind == "feed" and name and url:
            parent = folders.get(source.section or "", body)
            known = present(text=name, title=name, type="rss", xmlUrl=url, language=source.language)
            add(parent, "outline", None, **known)
    body.extend(folder for folder in folders.values() if len(folder))
    text: bytes = etree.tostring(root, encoding="UTF-8", xml_declaration=True)
    return text


def _folders(sections: Iterable[Section]) -> dict[str, etree._Element]:
    titles = {section.path: section.title for section in sections if section.path}
    used = Counter(titles.values())
    names = {path: title if used[title] == 1 else path for path, title in titles.items()}
    return {path: etree.Element("outline", text=line(name)) for path, name in names.items()}
