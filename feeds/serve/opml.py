"""The section tree as OPML 2.0, for one-click subscription. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree

from feeds.dates import rfc822
from feeds.frames import legal
from feeds.serve.addresses import Addresses, document_path
from feeds.serve.faces import Node, tree
from feeds.serve.reader import Desk


def opml(desk: Desk, addresses: Addresses) -> str:
    """Return the list of all sections, nested as in config; the same bytes for the same config.

    A section with others below it becomes a folder that holds its own feed first: readers that know folders keep the
    tree, and none has to know a feed that is a folder too.
    """
    root = ElementTree.Element("opml", version="2.0")
    head = ElementTree.SubElement(root, "head")
    ElementTree.SubElement(head, "title").text = legal(desk.settings.title)
    if desk.version:
        ElementTree.SubElement(head, "dateModified").text = rfc822(desk.accepted_at)
    ElementTree.SubElement(head, "ownerId").text = addresses.public("/")
    ElementTree.SubElement(head, "docs").text = "http://opml.org/spec2.opml"
    body = ElementTree.SubElement(root, "body")
    _feed(body, desk.settings.title, desk.settings.description, "", addresses, desk.settings.language)
    _sections(body, tree(desk, addresses), addresses)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _sections(parent: ElementTree.Element, nodes: Sequence[Node], addresses: Addresses) -> None:
    for node in nodes:
        inside = parent
        if node.children:
            inside = ElementTree.SubElement(parent, "outline", text=legal(node.title), title=legal(node.title))
        _feed(inside, node.title, node.description, node.path, addresses, node.language)
        _sections(inside, node.children, addresses)


def _feed(
    parent: ElementTree.Element, title: str, description: str, path: str, addresses: Addresses, language: str | None
) -> None:
    attributes = {
        "text": legal(title),
        "title": legal(title),
        "type": "rss",
        "xmlUrl": addresses.public(document_path(path, "rss")),
        "htmlUrl": addresses.public("/" + path),
    }
    if description:
        attributes["description"] = legal(description)
    if language:
        attributes["language"] = legal(language)
    ElementTree.SubElement(parent, "outline", attributes)
