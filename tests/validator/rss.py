"""RSS 2.0 documents against the specification and the RSS Board's best-practices profile. Pure."""

from __future__ import annotations

import re
from datetime import datetime
from email.utils import parsedate_to_datetime

from lxml import etree

from tests.validator.media import MEDIA_RULES, check_media
from tests.validator.rules import (
    COMMON_RULES,
    Findings,
    check_characters,
    check_html,
    check_title,
    is_absolute,
    is_language,
    is_web_address,
    must,
    should,
)
from tests.validator.xml import XML_RULES, Children, parse_xml

_SPEC = "RSS 2.0.11"
_PROFILE = "RSS best-practices profile"
RSS_RULES = (
    *XML_RULES,
    *COMMON_RULES,
    *MEDIA_RULES,
    must("rss-root", 'begin with <rss version="2.0"> and one channel', _SPEC),
    must("rss-channel-required", "give title, link and description", f"{_SPEC}, required channel elements"),
    must("rss-once", "keep one", f"{_SPEC}; {_PROFILE}"),
    must("rss-unknown", "use the specification's elements, or a namespace", f"{_SPEC}, extending RSS"),
    must("rss-item-required", "give a title or a description", f"{_SPEC}, elements of item"),
    must("rss-date", "write it as Sat, 31 Jan 2026 12:00:00 +0000", f"{_SPEC}; RFC 822 §5; {_PROFILE}"),
    must("rss-guid-twice", "list each item once", f"{_PROFILE}, guid"),
    must("rss-guid-permalink", 'say isPermaLink="false", or give an address', f"{_SPEC}, guid"),
    must("rss-url", "make it an absolute address", f"{_SPEC}, link; {_PROFILE}"),
    must("rss-enclosure", "give url, length in bytes and media type", f"{_SPEC}, enclosure"),
    must("rss-source", "give the url of the source's feed, or use dc:source", f"{_SPEC}, source"),
    must("rss-language", "give a language tag such as en-GB", f"{_SPEC}, language"),
    must("rss-number", "give a whole number", f"{_SPEC}, ttl; slash module"),
    must("rss-image", "give url, title and link, at most 144 by 400 pixels", f"{_SPEC}, image"),
    must("rss-author", "give an e-mail address, or use dc:creator for a name", f"{_SPEC}, author"),
    should("rss-guid-missing", "give a guid", f"{_PROFILE}, guid"),
    should("rss-image-match", "repeat the channel's title and link", f"{_PROFILE}, image"),
    should("rss-enclosure-one", "keep one, the others can be media:content", f"{_PROFILE}, enclosure"),
    should("rss-content-order", "put a description before content:encoded", f"{_PROFILE}, content:encoded"),
    should("rss-self", "add atom:link with rel self", f"{_PROFILE}, atom:link"),
    should("rss-double-meaning", "keep one of the two", "W3C feed validator, DuplicateItemSemantics"),
    should("rss-item-title", "give a title and a link", "W3C feed validator, MissingItemTitle"),
)

_ATOM_LINK = "{http://www.w3.org/2005/Atom}link"
_DC = "{http://purl.org/dc/elements/1.1/}"
_CONTENT = "{http://purl.org/rss/1.0/modules/content/}encoded"
_SLASH = "{http://purl.org/rss/1.0/modules/slash/}comments"
_CHANNEL = frozenset(
    "title link description language copyright managingEditor webMaster pubDate lastBuildDate category generator docs"
    " cloud ttl image rating textInput skipHours skipDays item".split()
)
_ITEM = frozenset("title link description author category comments enclosure guid pubDate source".split())
_REPEATABLE = frozenset({"category", "item", "enclosure"})
_TWINS = (
    ("author", f"{_DC}creator"),
    ("pubDate", f"{_DC}date"),
    ("source", f"{_DC}source"),
    ("category", f"{_DC}subject"),
)
_DATE = re.compile(
    r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), )?\d{1,2} (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4}"
    r" \d\d:\d\d(?::\d\d)? (?:[+-]\d{4}|UT|GMT|[ECMP][SD]T|Z)\Z"
)
_MEDIA_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+\Z", re.ASCII)
_EMAIL = re.compile(r"[^\s@<>]+@[^\s@<>]+\.[^\s@<>]+(?: \(.+\))?\Z")


def check_rss(body: bytes) -> Findings:
    """Return what is wrong with *body* as an RSS 2.0 document."""
    found = Findings(RSS_RULES)
    root = parse_xml(found, body)
    if root is None:
        return found
    channels = root.findall("channel")
    if root.tag != "rss" or root.get("version") != "2.0" or len(channels) != 1:
        found.add("rss-root", "the document", f"begins with {root.tag!r} and has {len(channels)} channels")
        return found
    channel = Children(channels[0])
    _check_channel(found, channel)
    guids: set[str] = set()
    for number, item in enumerate(channel.get("item", ()), 1):
        _check_item(found, Children(item), f"item {number}", guids)
    return found


def _check_channel(found: Findings, channel: Children) -> None:
    where = "the channel"
    for name in ("title", "link", "description"):
        if not (channel.text(name) or "").strip():
            found.add("rss-channel-required", where, f"has no {name}")
    _check_names(found, channel, _CHANNEL, where, None)
    check_title(found, f"{where}, title", channel.text("title") or "", None)
    for name in ("link", "docs"):
        _check_url(found, channel.text(name), f"{where}, {name}", None)
    for name in ("pubDate", "lastBuildDate"):
        _check_date(found, channel.text(name), f"{where}, {name}", None)
    for name in ("managingEditor", "webMaster"):
        _check_email(found, channel.text(name), f"{where}, {name}", None)
    if (tag := channel.text("language")) is not None and not is_language(tag):
        found.add("rss-language", where, f"says {tag!r}")
    if (ttl := channel.text("ttl")) is not None and not ttl.isdecimal():
        found.add("rss-number", f"{where}, ttl", f"says {ttl!r}")
    if not any(link.get("rel") == "self" for link in channel.get(_ATOM_LINK, ())):
        found.add("rss-self", where, "does not name its own address")
    check_media(found, channel, where, None)
    if (image := channel.first("image")) is not None:
        _check_image(found, Children(image), channel)


def _check_image(found: Findings, image: Children, channel: Children) -> None:
    where = "the channel, image"
    for name in ("url", "title", "link"):
        if not image.text(name):
            found.add("rss-image", where, f"has no {name}")
    for name, most in (("width", 144), ("height", 400)):
        size = image.text(name)
        if size is not None and not (size.isdecimal() and int(size) <= most):
            found.add("rss-image", where, f"has the {name} {size!r}")
    _check_url(found, image.text("url"), f"{where}, url", None)
    for name in ("title", "link"):
        if image.text(name) and image.text(name) != channel.text(name):
            found.add("rss-image-match", where, f"has another {name} than the channel")


def _check_item(found: Findings, item: Children, where: str, guids: set[str]) -> None:
    guid = item.first("guid")
    uid = (guid.text or "").strip() or None if guid is not None else None
    title, description = item.text("title"), item.text("description")
    if not (title or "").strip() and not (description or "").strip():
        found.add("rss-item-required", where, "has neither title nor description", uid)
    elif not (title or "").strip() or not (item.text("link") or "").strip():
        found.add("rss-item-title", where, "has no title or no link", uid)
    _check_names(found, item, _ITEM, where, uid)
    _check_guid(found, guid, where, uid, guids)
    for name in ("link", "comments"):
        _check_url(found, item.text(name), f"{where}, {name}", uid)
    _check_date(found, item.text("pubDate"), f"{where}, pubDate", uid)
    _check_email(found, item.text("author"), f"{where}, author", uid)
    _check_enclosures(found, item, where, uid)
    if (source := item.first("source")) is not None and not is_web_address(source.get("url", "")):
        found.add("rss-source", f"{where}, source", f"has the url {source.get('url')!r}", uid)
    if (tag := item.text(f"{_DC}language")) is not None and not is_language(tag):
        found.add("rss-language", where, f"says {tag!r}", uid)
    if (count := item.text(_SLASH)) is not None and not count.isdecimal():
        found.add("rss-number", f"{where}, slash:comments", f"says {count!r}", uid)
    for core, twin in _TWINS:
        if core in item and twin in item:
            found.add("rss-double-meaning", where, f"has both {core} and dc:{twin.rpartition('}')[2]}", uid)
    check_media(found, item, where, uid)
    _check_words(found, item, where, uid)


def _check_words(found: Findings, item: Children, where: str, uid: str | None) -> None:
    """Titles and HTML of an item."""
    check_title(found, f"{where}, title", item.text("title") or "", uid)
    for name, place in (("description", f"{where}, description"), (_CONTENT, f"{where}, content:encoded")):
        html = item.text(name) or ""
        check_html(found, place, html, uid)
        check_characters(found, place, html, uid)
    encoded, described = item.first(_CONTENT), item.first("description")
    if encoded is not None and (described is None or _place(described) > _place(encoded)):
        found.add("rss-content-order", where, "has content:encoded without a description before it", uid)


def _place(child: etree._Element) -> int:
    parent = child.getparent()
    return parent.index(child) if parent is not None else 0


def _check_names(found: Findings, node: Children, known: frozenset[str], where: str, uid: str | None) -> None:
    for name, children in node.items():
        if name not in known and not name.startswith("{"):
            found.add("rss-unknown", where, f"has the element {name!r}", uid)
        elif len(children) > 1 and name in known and name not in _REPEATABLE:
            found.add("rss-once", where, f"has {len(children)} elements {name!r}", uid)


def _check_guid(found: Findings, guid: etree._Element | None, where: str, uid: str | None, guids: set[str]) -> None:
    if guid is None or uid is None:
        found.add("rss-guid-missing", where, "has no guid")
        return
    if uid in guids:
        found.add("rss-guid-twice", where, f"has the guid {uid!r} of an item above", uid)
    guids.add(uid)
    permalink = guid.get("isPermaLink", "true")
    if permalink not in ("true", "false") or (permalink == "true" and not is_web_address(uid)):
        found.add("rss-guid-permalink", where, f"has the guid {uid!r} with isPermaLink {permalink!r}", uid)


def _check_enclosures(found: Findings, item: Children, where: str, uid: str | None) -> None:
    enclosures = item.get("enclosure", [])
    for enclosure in enclosures:
        url, length, type_ = (enclosure.get(name, "") for name in ("url", "length", "type"))
        if not (is_web_address(url) and length.isdecimal() and _MEDIA_TYPE.match(type_)):
            found.add("rss-enclosure", where, f"has an enclosure {url!r} of {length!r} bytes, type {type_!r}", uid)
    if len(enclosures) > 1:
        found.add("rss-enclosure-one", where, f"has {len(enclosures)} enclosures", uid)


def _check_url(found: Findings, text: str | None, where: str, uid: str | None) -> None:
    if text is not None and not is_absolute(text.strip()):
        found.add("rss-url", where, f"says {text!r}", uid)


def _check_email(found: Findings, text: str | None, where: str, uid: str | None) -> None:
    if text is not None and not _EMAIL.match(text):
        found.add("rss-author", where, f"says {text!r}", uid)


def _check_date(found: Findings, text: str | None, where: str, uid: str | None) -> None:
    if text is None:
        return
    moment = _date(text.strip())
    if moment is None:
        found.add("rss-date", where, f"says {text!r}", uid)
    elif text.strip()[3:4] == "," and _day(moment) != text.strip()[:3]:
        found.add("rss-date", where, f"says {text!r}, which was another day of the week", uid)


def _date(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text) if _DATE.match(text) else None
    except (ValueError, TypeError):
        return None


def _day(moment: datetime) -> str:
    return ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")[moment.weekday()]
