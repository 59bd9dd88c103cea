"""Atom 1.0 documents against RFC 4287: its grammar, and what it asks beyond grammar. Pure."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

from lxml import etree

from tests.validator.media import MEDIA_RULES, check_media
from tests.validator.rules import (
    COMMON_RULES,
    Findings,
    check_characters,
    check_html,
    check_title,
    is_absolute,
    is_rfc3339,
    must,
    should,
)
from tests.validator.xml import XML_RULES, Children, parse_xml

A = "{http://www.w3.org/2005/Atom}"
_ID, _LINK, _ENTRY, _AUTHOR, _SOURCE = (A + name for name in ("id", "link", "entry", "author", "source"))
_TEXTS = ("title", "summary", "content", "subtitle", "rights")
_MEDIA_TYPE = re.compile(r"[\w!#$&^.+\-]+/[\w!#$&^.+\-]+(?:\s*;.*)?\Z", re.ASCII)

ATOM_RULES = (
    *XML_RULES,
    *COMMON_RULES,
    *MEDIA_RULES,
    must("atom-root", "begin with feed in the namespace of Atom", "RFC 4287 §2"),
    must("atom-schema", "see the grammar in RFC 4287 appendix B", "RFC 4287 appendix B"),
    must("atom-id", "give an absolute IRI that never changes", "RFC 4287 §4.2.6"),
    must("atom-id-twice", "list each entry once", "RFC 4287 §4.1.1"),
    must("atom-author", "name an author in the entry, its source or the feed", "RFC 4287 §4.1.2"),
    must("atom-alternate", "link to the page, or give content", "RFC 4287 §4.1.2"),
    must("atom-alternate-twice", "keep one link of a type and language", "RFC 4287 §4.1.1, §4.1.2"),
    must("atom-link", "make it an absolute IRI", "RFC 4287 §4.2.7.1"),
    must("atom-date", "write it as 2026-01-31T12:00:00Z", "RFC 4287 §3.3; RFC 3339"),
    must("atom-type", "say text, html, xhtml or, for content, a media type", "RFC 4287 §3.1.1, §4.1.3.1"),
    must("atom-summary", "give a summary to content that is elsewhere or encoded", "RFC 4287 §4.1.2"),
    should("atom-title-empty", "give a title", "W3C feed validator, NotBlank"),
    should("atom-self", "link to the document's own address", "RFC 4287 §4.1.1"),
    should("atom-page", "link to the page that the feed belongs to", "RFC 4287 §4.1.1"),
)


def check_atom(body: bytes) -> Findings:
    """Return what is wrong with *body* as an Atom feed."""
    found = Findings(ATOM_RULES)
    root = parse_xml(found, body)
    if root is None:
        return found
    if root.tag != f"{A}feed":
        found.add("atom-root", "the document", f"begins with {root.tag!r}")
        return found
    feed = Children(root)
    entries = [Children(entry) for entry in feed.get(_ENTRY, ())]
    _check_schema(found, root)
    _check_ids(found, feed, entries)
    _check_node(found, feed, "the feed", None)
    for number, entry in enumerate(entries, 1):
        uid = entry.text(_ID)
        where = f"entry {number}"
        _check_node(found, entry, where, uid)
        check_media(found, entry, where, uid)
        _check_entry(found, entry, where, uid, feed_author=_AUTHOR in feed)
    rels = {link.get("rel", "alternate") for link in feed.get(_LINK, ())}
    if "self" not in rels:
        found.add("atom-self", "the feed", "has no link with rel self")
    if "alternate" not in rels:
        found.add("atom-page", "the feed", "has no link with rel alternate")
    return found


@cache
def _schema() -> etree.RelaxNG:
    return etree.RelaxNG(etree.fromstring(files(__package__).joinpath("atom.rng").read_bytes()))


def _check_schema(found: Findings, root: etree._Element) -> None:
    schema = _schema()
    if schema.validate(root):
        return
    seen = set()
    for error in schema.error_log:
        steps = re.findall(r"\*\[(\d+)\]", error.path or "")
        child = root[int(steps[0]) - 1] if steps else None
        uid = child.findtext(_ID) if child is not None and child.tag == _ENTRY else None
        if (error.message, uid) not in seen:
            seen.add((error.message, uid))
            found.add("atom-schema", error.path or "the feed", error.message, uid)


def _check_ids(found: Findings, feed: Children, entries: list[Children]) -> None:
    if not is_absolute(feed.text(_ID) or ""):
        found.add("atom-id", "the feed", f"has the id {feed.text(_ID)!r}")
    seen: set[str] = set()
    for number, entry in enumerate(entries, 1):
        uid = entry.text(_ID) or ""
        if not is_absolute(uid):
            found.add("atom-id", f"entry {number}", f"has the id {uid!r}", uid or None)
        if uid in seen:
            found.add("atom-id-twice", f"entry {number}", f"has the id {uid!r} of an entry above", uid)
        seen.add(uid)


def _check_node(found: Findings, node: Children, where: str, uid: str | None) -> None:
    """Links, dates and texts of a feed, an entry or a source."""
    alternates = set()
    for link in node.get(_LINK, ()):
        if not is_absolute(link.get("href", "")):
            found.add("atom-link", f"{where}, link", f"has the href {link.get('href')!r}", uid)
        if link.get("rel", "alternate") == "alternate":
            kind = (link.get("type"), link.get("hreflang"))
            if kind in alternates:
                found.add("atom-alternate-twice", f"{where}, link", "is one more of its type and language", uid)
            alternates.add(kind)
    for name in ("updated", "published"):
        text = node.text(A + name)
        if text is not None and not is_rfc3339(text.strip()):
            found.add("atom-date", f"{where}, {name}", f"says {text!r}", uid)
    for name in _TEXTS:
        for child in node.get(A + name, ()):
            _check_text(found, child, name, f"{where}, {name}", uid)
    for source in node.get(_SOURCE, ()):
        _check_node(found, Children(source), f"{where}, source", uid)


def _check_text(found: Findings, child: etree._Element, name: str, place: str, uid: str | None) -> None:
    type_, text = child.get("type", "text"), child.text or ""
    if type_ not in ("text", "html", "xhtml") and not (name == "content" and _MEDIA_TYPE.match(type_)):
        found.add("atom-type", place, f"has the type {type_!r}", uid)
    check_characters(found, place, text, uid)
    if type_ == "html":
        check_html(found, place, text, uid)
    elif type_ == "xhtml":
        check_html(found, place, etree.tostring(child, encoding="unicode"), uid)
    if name == "title":
        if type_ != "xhtml":
            check_title(found, place, text, uid)
        if not any(str(words).strip() for words in child.itertext()):
            found.add("atom-title-empty", place, "is empty", uid)


def _check_entry(found: Findings, entry: Children, where: str, uid: str | None, *, feed_author: bool) -> None:
    source = entry.first(_SOURCE)
    sourced = source is not None and source.find(_AUTHOR) is not None
    if not (feed_author or sourced or _AUTHOR in entry):
        found.add("atom-author", where, "has no author", uid)
    content = entry.first(f"{A}content")
    if content is None and all(link.get("rel", "alternate") != "alternate" for link in entry.get(_LINK, ())):
        found.add("atom-alternate", where, "has neither content nor a link with rel alternate", uid)
    if content is not None and f"{A}summary" not in entry:
        type_ = content.get("type", "text")
        encoded = "/" in type_ and not type_.startswith("text/") and not type_.endswith(("/xml", "+xml"))
        if content.get("src") is not None or encoded:
            found.add("atom-summary", where, "has no summary beside its content", uid)
