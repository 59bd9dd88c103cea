"""What holds for RSS and Atom alike: well-formed UTF-8 without a document type. Pure."""

from __future__ import annotations

import re

from lxml import etree

from tests.validator.rules import Findings, must

XML_RULES = (
    must("xml-well-formed", "escape text and remove what XML forbids", "XML 1.0 §2.1; RFC 4287 §2"),
    must("xml-utf8", "write UTF-8 and declare it", "RFC 7303 §3"),
    must("xml-doctype", "leave it out", "XML 1.0 §2.8; W3C feed validator, ObsoleteDoctype"),
)

_DECLARED = re.compile(rb"""<\?xml[^>]*?encoding\s*=\s*["']([^"']*)""")


def parse_xml(found: Findings, body: bytes) -> etree._Element | None:
    """Return the root of *body*, None where it is no XML."""
    try:
        body.decode("utf-8")
    except UnicodeDecodeError as error:
        found.add("xml-utf8", f"byte {error.start}", "is not UTF-8")
        return None
    declared = _DECLARED.match(body)
    if declared is None or declared[1].lower() != b"utf-8":
        found.add("xml-utf8", "line 1", "does not declare UTF-8")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)
    try:
        root = etree.fromstring(body, parser)
    except etree.XMLSyntaxError as error:
        line, column = error.position
        found.add("xml-well-formed", f"line {line}, column {column}", str(error.msg).partition(", line")[0])
        return None
    if root.getroottree().docinfo.internalDTD is not None:
        found.add("xml-doctype", "line 1", "has a document type")
    return root


class Children(dict[str, list[etree._Element]]):
    """The children of a node by name, in order: an item is walked once and asked twenty times."""

    def __init__(self, node: etree._Element) -> None:
        for child in node:
            if isinstance(child.tag, str):
                self.setdefault(child.tag, []).append(child)

    def first(self, name: str) -> etree._Element | None:
        """The first child *name*."""
        return self[name][0] if name in self else None

    def text(self, name: str) -> str | None:
        """The text of the first child *name*, None without one."""
        return (self[name][0].text or "") if name in self else None
