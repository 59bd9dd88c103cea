"""News agencies' documents (IPTC NITF 3, NewsML-G2) to entries. Part of `parse`, behind `documents`. Pure.

NITF is one article, its text in elements that HTML has too; NewsML-G2 wraps one or more items around text in XHTML,
NITF or plain. The guards of feeds stand before the parser: no DOCTYPE reaches it.
"""

from __future__ import annotations

import re
from typing import Any

from lxml import etree

from feeds.errors import ParseError
from feeds.model import Category, ParsedEntry, Person, RawText
from feeds.parse.limits import MAX_ENTRIES, MAX_FIELD_CHARACTERS, MAX_LIST_ITEMS

ROOTS = frozenset({"nitf", "newsitem", "newsmessage"})

_TEXT_TAGS = {"hl1": "h2", "hl2": "h2", "block": "div", "lang": "span", "person": "span", "location": "span"}
_LEFT_OUT = ("media", "body.head", "body.end", "head", "script", "style")
_SUBJECT_PARTS = ("type", "matter", "detail")
_BY = re.compile(r"^(?:by|von|par|por|di|av|door)\s+", re.IGNORECASE)


def read_news_xml(document: bytes, *, name: str) -> tuple[ParsedEntry, ...]:
    """Return the articles that *document*, XML with a root of `ROOTS` and without DOCTYPE, holds.

    Raises ParseError where there is none, and for what is cancelled or under an embargo: the desk does not decide
    when that may be shown.
    """
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=True, encoding="utf-8",
        remove_comments=True, remove_pis=True,
    )  # fmt: skip
    root = etree.fromstring(document, parser)
    if root is None:
        raise ParseError(f"{name} is no XML", remedy="save the article as plain text, Markdown or HTML")
    for node in root.iter(tag=etree.Element):
        try:
            node.tag = _local(node)
        except ValueError:  # a mended document may have names that end in a colon, or go on with a digit
            node.tag = "unnamed"
    items = [root] if root.tag in ("nitf", "newsitem") else list(root.iter("newsitem"))[:MAX_ENTRIES]
    read = [_nitf(item) if item.tag == "nitf" else _news_item(item, name) for item in items]
    entries = tuple(entry for entry in read if entry.title is not None or entry.content is not None)
    if not entries:
        raise ParseError(f"{name} holds no article", remedy="it may be a list or a picture; save its text as a file")
    return entries


def _nitf(root: Any) -> ParsedEntry:
    keywords = [node.get("key") for node in root.iter("keyword")]
    subjects = [
        node.get("tobject.subject.type") or node.get("tobject.subject.matter") for node in root.iter("tobject.subject")
    ]
    return ParsedEntry(
        entry_id=next((node.get("id-string") for node in root.iter("doc-id") if node.get("id-string")), None),
        title=_plain(_first(root, "hl1") or _first(root, "hedline") or _first(root, "title")),
        summary=_plain(_first(root, "abstract")),
        content=_body(next(root.iter("body.content"), None)),
        language=root.get("{http://www.w3.org/XML/1998/namespace}lang"),
        authors=_people([_first_of(node, "person") or _words(node) for node in root.iter("byline")]),
        published=_stated(root, "date.issue", "story.date", "date.release"),
        categories=_categories([*keywords, *subjects]),
        publisher=_first(root, "distributor") or None,
        rights=next((node.get("holder") for node in root.iter("doc.copyright") if node.get("holder")), None),
    )


def _news_item(root: Any, name: str) -> ParsedEntry:
    status = "".join(node.get("qcode") or "" for node in root.iter("pubstatus")).rpartition(":")[2]
    if status in ("canceled", "cancelled", "withheld"):
        raise ParseError(f"{name} is {status} by its agency", remedy="nothing to do; delete the file")
    if embargo := _first(root, "embargoed"):
        raise ParseError(f"{name} is under an embargo until {embargo}", remedy="put it here when it may be published")
    meta = next(root.iter("contentmeta"), root)
    text = next((node for tag in ("body.content", "body") for node in root.iter(tag)), None)
    plain = None if text is not None else _first(root, "inlinedata")
    subjects = [_first(node, "name") for node in meta.iter("subject")]
    keywords = [_words(node) for node in meta.iter("keyword")]
    created = _first(meta, "contentcreated") or _first(root, "firstcreated") or _first(root, "versioncreated")
    creators = [_words(node) for node in meta.iter("by")] or [_first(node, "name") for node in meta.iter("creator")]
    return ParsedEntry(
        entry_id=root.get("guid"),
        title=_plain(_first(meta, "headline") or _first(root, "hl1") or _first(root, "title")),
        summary=_plain(next((_words(node) for node in meta.iter("description")), "")),
        content=RawText(value=plain) if plain else _body(text),
        language=next((node.get("tag") for node in meta.iter("language")), None)
        or root.get("{http://www.w3.org/XML/1998/namespace}lang"),
        authors=_people(creators),
        published=created or None,
        updated=_first(meta, "contentmodified") or _first(root, "versioncreated") or None,
        categories=_categories([*keywords, *subjects]),
        rights=_first(root, "copyrightnotice") or None,
    )


def _local(node: Any) -> str:
    return re.split("[}:]", str(node.tag))[-1].lower()


def _words(node: Any) -> str:
    return " ".join("".join(node.itertext()).split())


def _first(root: Any, tag: str) -> str:
    return next((said for node in root.iter(tag) if (said := _words(node))), "")


def _first_of(node: Any, tag: str) -> str:
    return next((_words(inner) for inner in node.iter(tag)), "")


def _plain(text: str) -> RawText | None:
    return RawText(value=text) if text else None


def _stated(root: Any, *tags: str) -> str | None:
    return next((said for tag in tags for node in root.iter(tag) if (said := node.get("norm") or _words(node))), None)


def _people(names: list[str]) -> tuple[Person, ...]:
    bare = [_BY.sub("", name) for name in names[:MAX_LIST_ITEMS] if name]
    return tuple(Person(name=name) for name in dict.fromkeys(bare) if name)


def _categories(terms: list[str | None]) -> tuple[Category, ...]:
    return tuple(Category(term=term) for term in dict.fromkeys(terms) if term)[:MAX_LIST_ITEMS]


def _body(node: Any) -> RawText | None:
    """The text of *node* as HTML; what is no text of the article is left out of the tree."""
    if node is None:
        return None
    etree.strip_elements(node, *_LEFT_OUT, with_tail=False)
    for inner in node.iter(tag=etree.Element):
        inner.tag = _TEXT_TAGS.get(inner.tag, inner.tag)
    node.tag = "div"
    etree.cleanup_namespaces(node)
    if not _words(node):
        return None
    html = etree.tostring(node, encoding="unicode", method="html", with_tail=False)
    return RawText(value=html[:MAX_FIELD_CHARACTERS], type="html")
