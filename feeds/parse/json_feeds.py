"""JSON Feed 1.0 and 1.1 to ParsedFeed (jsonfeed.org/version/1.1). Part of `parse`. Pure."""

from __future__ import annotations

import json
import re
from typing import Any

from xxhash import xxh3_64_intdigest

from feeds.dates import order_of
from feeds.errors import ParseError
from feeds.model import Category, Enclosure, Image, ParsedEntry, ParsedFeed, Person, Place, RawText, TextType
from feeds.parse.attachments import episode_of_json, grouped, place_of_geojson
from feeds.parse.fields import (
    BROKEN_OFF,
    MAX_ENTRIES,
    MAX_FIELD_CHARACTERS,
    MAX_JSON_DEPTH,
    MAX_LIST_ITEMS,
    decimal,
    seconds,
    short,
    whole_number,
)
from feeds.text import mend_references

# A string, up to the end of the document where it never closes, or a bracket outside of strings.
_STRUCTURE = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|[\[\]{}]', re.DOTALL)
_REMEDY = "a JSON Feed is an object with `version`, `title` and `items`; look for the feed's own address"


def parse_json(body: bytes, *, url: str, known_items: frozenset[int] = frozenset()) -> ParsedFeed:
    """Return what the JSON Feed *body* (UTF-8) says, without the items whose hash is in *known_items*.

    Forgiving where the spec is strict: a missing version, numbers as ids, the `author` of 1.0 beside `authors`, null
    for anything. An item that is no object is left out, with a warning. Raises ParseError for any other JSON.
    """
    feed, broken_off = _object(body)
    version = short(feed.get("version")) or ""
    listed = feed.get("items")
    if "jsonfeed.org/version" not in version and not (
        isinstance(listed, list) and any(name in feed for name in ("title", "home_page_url", "feed_url"))
    ):
        raise ParseError(f"JSON, but no JSON Feed: {_shape(feed)}", remedy=_REMEDY)
    if listed is None:
        listed = []
    if not isinstance(listed, list):
        raise ParseError(f"a JSON Feed whose `items` are {_shape(listed)}", remedy=_REMEDY)
    warnings = [BROKEN_OFF] if broken_off else []
    if len(listed) > MAX_ENTRIES:
        warnings.append(f"more than {MAX_ENTRIES} entries; only the first are read")
    items = [item for item in listed[:MAX_ENTRIES] if isinstance(item, dict)]
    if len(items) < min(len(listed), MAX_ENTRIES):
        warnings.append(f"{min(len(listed), MAX_ENTRIES) - len(items)} items are no objects and were left out")
    hashes = tuple([_item_hash(item) for item in items])
    fresh = [position for position, one in enumerate(hashes) if one not in known_items]
    language = short(feed.get("language"))
    hubs = [short(hub.get("url")) for hub in _dicts(feed.get("hubs")) if _is_websub(hub)]
    return ParsedFeed(
        kind="json11" if version.rstrip("/").endswith("1.1") else "json10",
        title=short(feed.get("title")) or "",
        link=short(feed.get("home_page_url")),
        self_url=short(feed.get("feed_url")),
        feed_id=short(feed.get("feed_url")),
        language=language,
        image_url=short(feed.get("icon")) or short(feed.get("favicon")),
        authors=_authors(feed),
        hubs=tuple(dict.fromkeys(hub for hub in hubs if hub)),
        next_archive=short(feed.get("next_url")),
        entries=tuple([_entry(items[position], position, url) for position in fresh]),
        item_hashes=hashes,
        skipped=len(hashes) - len(fresh),
        whole_parse=len(fresh) == len(hashes),
        date_order=order_of(
            str(item.get(name) or "") for item in items for name in ("date_published", "date_modified")
        ),
        broken_off=broken_off,
        warnings=tuple(warnings),
    )


def _object(body: bytes) -> tuple[dict[str, Any], bool]:
    """The object that *body* is, mended where it must be, and whether it ends too early."""
    _check_depth(body)
    text, broken_off = body.strip(b" \t\r\n\x00").removeprefix(b"\xef\xbb\xbf"), False
    try:
        try:
            value = json.loads(text, parse_int=_number, strict=False)  # control characters in texts are let in
        except ValueError:
            text, broken_off = _mended(text)
            value = json.loads(text, parse_int=_number, strict=False)
    except (ValueError, RecursionError) as error:
        raise ParseError(f"JSON that breaks off or is malformed: {error}", remedy=_REMEDY) from error
    if not isinstance(value, dict):
        raise ParseError(f"JSON, but no JSON Feed: {_shape(value)}", remedy=_REMEDY)
    return value, broken_off


def _mended(text: bytes) -> tuple[bytes, bool]:
    """*text* without commas before an end and escapes that are none; and of what breaks off the items that stand whole.

    Also whether it did break off.
    """
    pieces: list[bytes] = []
    open_, done, whole = bytearray(), 0, 0
    for token in _TOKEN.finditer(text):
        mark = token.group()[:1]
        pieces += [text[done : token.start()], b"" if mark == b"," else _ESCAPE.sub(_as_escape, token.group())]
        done = token.end()
        if mark in b"[{":
            open_ += mark
        elif mark in b"]}":
            del open_[-1:]
            if open_ == b"{[":
                whole = len(pieces)
    if not open_:
        return b"".join(pieces) + text[done:], False
    return b"".join(pieces[:whole]) + b"]}", True


def _as_escape(found: re.Match[bytes]) -> bytes:
    return found.group() if found[1] else b""


_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|,(?=\s*[\]}])|[\[\]{}]', re.DOTALL)
_ESCAPE = re.compile(rb"""\\(["\\/bfnrt]|u[0-9a-fA-F]{4})?""")


def _number(digits: str) -> int | float:
    # int() takes quadratic time and refuses more than 4,300 digits; no id, size or duration is that long.
    return int(digits) if len(digits) <= 40 else float("inf")


def _check_depth(body: bytes) -> None:
    """Refuse what nests deeper than MAX_JSON_DEPTH before a parser recurses into it."""
    if body.count(b"[") + body.count(b"{") <= MAX_JSON_DEPTH:
        return
    depth = 0
    for token in _STRUCTURE.finditer(body):
        mark = token.group()[:1]
        if mark in b"[{":
            depth += 1
            if depth > MAX_JSON_DEPTH:
                raise ParseError(f"JSON nested more than {MAX_JSON_DEPTH} deep", remedy=_REMEDY)
        elif mark in b"]}":
            depth -= 1


def _shape(value: Any) -> str:
    if isinstance(value, dict):
        names = ", ".join(repr(name[:30]) for name in list(value)[:5])
        return f"an object with {names}" if names else "an empty object"
    return {list: "a list", str: "a string", type(None): "null"}.get(type(value), "a number or truth value")


def _item_hash(item: dict[str, Any]) -> int:
    return xxh3_64_intdigest(json.dumps(item, sort_keys=True, ensure_ascii=True).encode("ascii"))


def _is_websub(hub: dict[str, Any]) -> bool:
    return str(hub.get("type") or "websub").lower() in ("websub", "pubsubhubbub")


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [one for one in value[:MAX_LIST_ITEMS] if isinstance(one, dict)] if isinstance(value, list) else []


def _authors(holder: dict[str, Any]) -> tuple[Person, ...]:
    """The people of `authors`, else of the `author` of 1.0: objects, names alone, lists of either or one by itself."""
    for name in ("authors", "author"):
        value = holder.get(name)
        listed = value[:MAX_LIST_ITEMS] if isinstance(value, list) else [value]
        people = [person for one in listed if (person := _person(one))]
        if people:
            return tuple(dict.fromkeys(people))
    return ()


def _person(value: Any) -> Person | None:
    if isinstance(value, str):
        value = {"name": value}
    if not isinstance(value, dict):
        return None
    if not value.get("name") and isinstance(value.get("author"), (dict, str)):
        inner = value["author"]
        value = inner if isinstance(inner, dict) else {"name": inner}
    person = Person(name=short(value.get("name")) or "", url=short(value.get("url")), email=short(value.get("email")))
    return person if person.name or person.url or person.email else None


def _text(value: Any, kind: TextType, url: str, language: str | None) -> RawText | None:
    if not isinstance(value, str) or not value.strip():
        return None
    value = value[:MAX_FIELD_CHARACTERS]
    return RawText(value=mend_references(value) if kind == "html" else value, type=kind, base=url, language=language)


def _entry(item: dict[str, Any], position: int, url: str) -> ParsedEntry:
    language = short(item.get("language"))
    tags = item.get("tags")
    terms = [short(tag) for tag in tags[:MAX_LIST_ITEMS]] if isinstance(tags, list) else [short(tags)]
    related = short(item.get("external_url"))
    return ParsedEntry(
        position=position,
        entry_id=short(item.get("id")),
        link=short(item.get("url")),
        title=_text(item.get("title"), "text", url, language),
        summary=_text(item.get("summary"), "text", url, language),
        content=_text(item.get("content_html"), "html", url, language)
        or _text(item.get("content_text"), "text", url, language),
        base=url,
        language=language,
        authors=_authors(item),
        published=short(item.get("date_published")),
        updated=short(item.get("date_modified")),
        categories=tuple(Category(term=term) for term in dict.fromkeys(term for term in terms if term)),
        enclosures=_attachments(item),
        image=_image(item),
        episode=episode_of_json(item),
        place=_place(item),
        related=(related,) if related else (),
    )


def _attachments(item: dict[str, Any]) -> tuple[Enclosure, ...]:
    """The files. Those that share a title are renditions of one thing (JSON Feed 1.1, attachments)."""
    found: dict[str, Enclosure] = {}
    by_title: dict[str, list[str]] = {}
    for one in _dicts(item.get("attachments")):
        url, beyond = short(one.get("url")), _extension(one)
        if url is None or url in found:
            continue
        found[url] = Enclosure(
            url=url,
            type=short(one.get("mime_type")) or "",
            length_bytes=whole_number(one.get("size_in_bytes")),
            title=short(one.get("title")) or "",
            duration_s=seconds(one.get("duration_in_seconds")),
            width=whole_number(beyond.get("width")),
            height=whole_number(beyond.get("height")),
            bitrate_kbps=decimal(beyond.get("bitrate_kbps")),
            language=short(beyond.get("language")),
            description=short(beyond.get("description")) or "",
            credit=short(beyond.get("credit")) or "",
        )
        together = f"group {group}" if (group := whole_number(beyond.get("group"))) else found[url].title
        by_title.setdefault(together, []).append(url)
    return grouped(found, [urls for title, urls in by_title.items() if title], {})


def _image(item: dict[str, Any]) -> Image | None:
    url = short(item.get("image")) or short(item.get("banner_image"))
    told = _object_of(_extension(item), "picture")
    if url is None:
        return None
    alt, caption, credit = (short(told.get(name)) or "" for name in ("alt", "caption", "credit"))
    return Image(url=url, alt=alt, caption=caption, credit=credit)


def _extension(holder: dict[str, Any]) -> dict[str, Any]:
    """What a desk says beyond JSON Feed."""
    return _object_of(holder, "_wiredesk")


def _object_of(holder: dict[str, Any], name: str) -> dict[str, Any]:
    value = holder.get(name)
    return value if isinstance(value, dict) else {}


def _place(item: dict[str, Any]) -> Place | None:
    told = _object_of(_extension(item), "place")
    return place_of_geojson(_object_of(told, "geometry"), short(told.get("name")) or "")
