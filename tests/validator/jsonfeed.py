"""JSON Feed documents against version 1.1 of its specification. Pure."""

from __future__ import annotations

import json
from typing import Any

from tests.validator.rules import (
    COMMON_RULES,
    Findings,
    check_characters,
    check_html,
    check_title,
    is_absolute,
    is_language,
    is_rfc3339,
    must,
    should,
)

_SPEC = "JSON Feed 1.1"
JSON_RULES = (
    *COMMON_RULES,
    must("json-parse", "write one JSON object in UTF-8", f"{_SPEC}; RFC 8259"),
    must("json-version", "say https://jsonfeed.org/version/1.1", f"{_SPEC}, version"),
    must("json-title", "give a title", f"{_SPEC}, title"),
    must("json-items", "give an array of objects", f"{_SPEC}, items"),
    must("json-item-id", "give an id that is a string and never changes", f"{_SPEC}, id"),
    must("json-id-twice", "list each item once", f"{_SPEC}, id"),
    must("json-content", "give content_html or content_text", f"{_SPEC}, items"),
    must("json-date", "write it as 2026-01-31T12:00:00Z", f"{_SPEC}, date_published"),
    must("json-url", "make it an absolute address", f"{_SPEC}, url"),
    must("json-authors", "give an array of objects with a name, url or avatar", f"{_SPEC}, authors"),
    must("json-attachment", "give url and mime_type, and numbers for sizes", f"{_SPEC}, attachments"),
    must("json-hub", "give type and url", f"{_SPEC}, hubs"),
    must("json-type", "give a value of the type that the specification names", _SPEC),
    must("json-extension", "give an object of your own under a key that begins with _", f"{_SPEC}, extensions"),
    should("json-author", "use authors; author is of version 1", f"{_SPEC}, deprecated"),
    should("json-address", "give home_page_url and feed_url", f"{_SPEC}, home_page_url"),
    should("json-language", "give a language tag such as en-GB", f"{_SPEC}, language"),
)

VERSIONS = ("https://jsonfeed.org/version/1.1", "https://jsonfeed.org/version/1")
_TOP: dict[str, type | tuple[type, ...]] = {
    "version": str, "title": str, "home_page_url": str, "feed_url": str, "description": str, "user_comment": str,
    "next_url": str, "icon": str, "favicon": str, "authors": list, "author": dict, "language": str, "expired": bool,
    "hubs": list, "items": list,
}  # fmt: skip
_ITEM: dict[str, type | tuple[type, ...]] = {
    "id": str, "url": str, "external_url": str, "title": str, "content_html": str, "content_text": str,
    "summary": str, "image": str, "banner_image": str, "date_published": str, "date_modified": str, "authors": list,
    "author": dict, "tags": list, "language": str, "attachments": list,
}  # fmt: skip
_TOP_URLS = ("home_page_url", "feed_url", "next_url", "icon", "favicon")
_ITEM_URLS = ("url", "external_url", "image", "banner_image")


def check_json(body: bytes) -> Findings:
    """Return what is wrong with *body* as a JSON Feed."""
    found = Findings(JSON_RULES)
    try:
        feed = json.loads(body.decode("utf-8"), object_pairs_hook=_single)
    except ValueError as error:
        found.add("json-parse", "the document", str(error))
        return found
    if not isinstance(feed, dict):
        found.add("json-parse", "the document", f"is a {type(feed).__name__}")
        return found
    _check_feed(found, feed)
    items = feed.get("items")
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        found.add("json-items", "the feed", "has no array of items")
        return found
    seen: set[str] = set()
    for number, item in enumerate(items, 1):
        _check_item(found, item, f"item {number}", seen)
    return found


def _single(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    known = dict(pairs)
    if len(known) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key {next(name for name in names if names.count(name) > 1)!r} stands twice")
    return known


def _check_feed(found: Findings, feed: dict[str, Any]) -> None:
    where = "the feed"
    if feed.get("version") not in VERSIONS:
        found.add("json-version", where, f"has the version {feed.get('version')!r}")
    if not isinstance(feed.get("title"), str) or not feed["title"].strip():
        found.add("json-title", where, "has no title")
    if not feed.get("home_page_url") or not feed.get("feed_url"):
        found.add("json-address", where, "does not say where it and its page are")
    _check_shape(found, feed, _TOP, _TOP_URLS, where, None)
    if isinstance(feed.get("title"), str):
        check_title(found, f"{where}, title", feed["title"], None)
    for hub in _list(feed, "hubs"):
        if not (isinstance(hub, dict) and isinstance(hub.get("type"), str) and is_absolute(str(hub.get("url", "")))):
            found.add("json-hub", where, f"has the hub {hub!r}")


def _check_item(found: Findings, item: dict[str, Any], where: str, seen: set[str]) -> None:
    uid = item.get("id")
    if not isinstance(uid, str) or not uid:
        found.add("json-item-id", where, f"has the id {uid!r}")
        uid = None
    elif uid in seen:
        found.add("json-id-twice", where, f"has the id {uid!r} of an item above", uid)
    else:
        seen.add(uid)
    if not any(isinstance(item.get(name), str) for name in ("content_html", "content_text")):
        found.add("json-content", where, "has no content", uid)
    _check_shape(found, item, _ITEM, _ITEM_URLS, where, uid)
    for name in ("date_published", "date_modified"):
        if isinstance(item.get(name), str) and not is_rfc3339(item[name]):
            found.add("json-date", f"{where}, {name}", f"says {item[name]!r}", uid)
    if not all(isinstance(tag, str) for tag in _list(item, "tags")):
        found.add("json-type", f"{where}, tags", "are not all strings", uid)
    for attachment in _list(item, "attachments"):
        _check_attachment(found, attachment, where, uid)
    if isinstance(html := item.get("content_html"), str):
        check_html(found, f"{where}, content_html", html, uid)
        check_characters(found, f"{where}, content_html", html, uid)
    if isinstance(title := item.get("title"), str):
        check_title(found, f"{where}, title", title, uid)


def _check_shape(
    found: Findings,
    told: dict[str, Any],
    known: dict[str, type | tuple[type, ...]],
    urls: tuple[str, ...],
    where: str,
    uid: str | None,
) -> None:
    """Keys, the types of their values, addresses, authors and language: alike for feed and item."""
    for name, value in told.items():
        if name.startswith("_"):
            if not isinstance(value, dict):
                found.add("json-extension", where, f"has a {type(value).__name__} under {name!r}", uid)
        elif name not in known:
            found.add("json-extension", where, f"has the key {name!r}", uid)
        elif not isinstance(value, known[name]) and name not in ("items", "id", "title", "version"):
            found.add("json-type", f"{where}, {name}", f"is a {type(value).__name__}", uid)
    for name in urls:
        if isinstance(told.get(name), str) and not is_absolute(told[name]):
            found.add("json-url", f"{where}, {name}", f"says {told[name]!r}", uid)
    if "author" in told:
        found.add("json-author", where, "has an author", uid)
    for author in _list(told, "authors"):
        if not (isinstance(author, dict) and any(isinstance(author.get(n), str) for n in ("name", "url", "avatar"))):
            found.add("json-authors", where, f"has the author {author!r}", uid)
    if isinstance(told.get("language"), str) and not is_language(told["language"]):
        found.add("json-language", where, f"says {told['language']!r}", uid)


def _check_attachment(found: Findings, attachment: Any, where: str, uid: str | None) -> None:
    if not isinstance(attachment, dict):
        found.add("json-attachment", where, f"has the attachment {attachment!r}", uid)
        return
    type_ = attachment.get("mime_type")
    numbers = [attachment.get(name, 0) for name in ("size_in_bytes", "duration_in_seconds")]
    good = is_absolute(str(attachment.get("url", ""))) and isinstance(type_, str) and "/" in type_
    if not good or not all(isinstance(number, int | float) for number in numbers):
        found.add("json-attachment", where, f"has the attachment {attachment.get('url')!r} of type {type_!r}", uid)


def _list(told: dict[str, Any], name: str) -> list[Any]:
    value = told.get(name)
    return value if isinstance(value, list) else []
