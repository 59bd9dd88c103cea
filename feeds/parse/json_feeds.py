"""JSON Feed 1.0 and 1.1 to ParsedFeed (jsonfeed.org/version/1.1). Part of `parse`. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from xxhash import xxh3_64_intdigest

from feeds.dates import order_of
from feeds.errors import ParseError
from feeds.parse.attachments import episode_of_json, grouped, place_of_geojson
from feeds.parse.fields import (
    BROKEN_OFF,
    FULL,
    MAX_ENTRIES,
    MAX_JSON_DEPTH,
    MAX_LIST_ITEMS,
    Table,
    decimal,
    raw_text,
    read_fields,
    seconds,
    short,
    text,
    whole_number,
)
from feeds.parsed import Category, Enclosure, Image, ParsedEntry, ParsedFeed, Person

# A string, up to the end of the document where it never closes; a comma before an end; a bracket outside of strings.
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|,(?=\s*[\]}])|[\[\]{}]', re.DOTALL)
_ESCAPE = re.compile(rb"""\\(["\\/bfnrt]|u[0-9a-fA-F]{4})?""")
_REMEDY = "a JSON Feed is an object with `version`, `title` and `items`; look for the feed's own address"

_FEED: Table = {
    "title": ("title", text),
    "link": ("home_page_url", short),
    "self_url": ("feed_url", short),
    "feed_id": ("feed_url", short),
    "language": ("language", short),
    "next_archive": ("next_url", short),
}
_ENTRY: Table = {
    "entry_id": ("id", short),
    "link": ("url", short),
    "language": ("language", short),
    "published": ("date_published", short),
    "updated": ("date_modified", short),
}
_PERSON: Table = {"name": ("name", text), "url": ("url", short), "email": ("email", short)}
_FILE: Table = {
    "type": ("mime_type", text),
    "length_bytes": ("size_in_bytes", whole_number),
    "title": ("title", text),
    "duration_s": ("duration_in_seconds", seconds),
}
_FILE_BEYOND: Table = {
    "width": ("width", whole_number),
    "height": ("height", whole_number),
    "bitrate_kbps": ("bitrate_kbps", decimal),
    "language": ("language", short),
    "description": ("description", text),
    "credit": ("credit", text),
}
_PICTURE: Table = {name: (name, text) for name in ("alt", "caption", "credit")}


def parse_json(body: bytes, *, url: str, known_items: frozenset[int] = frozenset()) -> ParsedFeed:
    """Return what the JSON Feed *body* (UTF-8) says, without the items whose hash is in *known_items*.

    Forgiving where the spec is strict: a missing version, numbers as ids, the `author` of 1.0 beside `authors`, null
    for anything. An item that is no object is left out, with a warning. Raises ParseError for any other JSON.
    """
    feed, broken_off = read_json(body)
    if not isinstance(feed, dict):
        raise ParseError(f"JSON, but no JSON Feed: {_shape(feed)}", remedy=_REMEDY)
    version = text(feed.get("version"))
    listed = _listed(feed, version)
    items = [item for item in listed[:MAX_ENTRIES] if isinstance(item, dict)]
    left_out = min(len(listed), MAX_ENTRIES) - len(items)
    warnings = {
        BROKEN_OFF: broken_off,
        FULL: len(listed) > MAX_ENTRIES,
        f"{left_out} items are no objects and were left out": left_out > 0,
    }
    hashes = tuple([_item_hash(item) for item in items])
    fresh = [position for position, one in enumerate(hashes) if one not in known_items]
    return ParsedFeed(
        kind="json11" if version.rstrip("/").endswith("1.1") else "json10",
        image_url=short(feed.get("icon")) or short(feed.get("favicon")),
        authors=_authors(feed),
        hubs=_hubs(feed),
        entries=tuple([_entry(items[position], position, url) for position in fresh]),
        item_hashes=hashes,
        skipped=len(hashes) - len(fresh),
        date_order=order_of(_dates(items)),
        broken_off=broken_off,
        warnings=tuple(warning for warning, holds in warnings.items() if holds),
        **read_fields(feed, _FEED),
    )


def _listed(feed: dict[str, Any], version: str) -> list[Any]:
    """The items of *feed*. Raises ParseError where it is no JSON Feed."""
    listed = feed.get("items")
    looks_like_one = isinstance(listed, list) and not feed.keys().isdisjoint(("title", "home_page_url", "feed_url"))
    if "jsonfeed.org/version" not in version and not looks_like_one:
        raise ParseError(f"JSON, but no JSON Feed: {_shape(feed)}", remedy=_REMEDY)
    if not isinstance(listed, list | None):
        raise ParseError(f"a JSON Feed whose `items` are {_shape(listed)}", remedy=_REMEDY)
    return listed or []


def read_json(body: bytes) -> tuple[Any, bool]:
    """The value that *body* (UTF-8) is, mended where it must be, and whether it ends too early. Raises ParseError."""
    _check_depth(body)
    document, broken_off = body.strip(b" \t\r\n\x00").removeprefix(b"\xef\xbb\xbf"), False
    try:
        try:
            value = json.loads(document, parse_int=_number, strict=False)  # control characters in texts are let in
        except ValueError:
            document, broken_off = _mended(document)
            value = json.loads(document, parse_int=_number, strict=False)
    except (ValueError, RecursionError) as error:
        raise ParseError(f"JSON that breaks off or is malformed: {error}", remedy=_REMEDY) from error
    return value, broken_off


def _mended(document: bytes) -> tuple[bytes, bool]:
    """*document* without commas before an end and escapes that are none; of what breaks off the items that stand whole.

    Also whether it did break off.
    """
    pieces: list[bytes] = []
    open_, done, whole = bytearray(), 0, 0
    for token in _TOKEN.finditer(document):
        mark = token.group()[:1]
        pieces += [document[done : token.start()], b"" if mark == b"," else _ESCAPE.sub(_as_escape, token.group())]
        done = token.end()
        if mark in b"[{":
            open_ += mark
        elif mark in b"]}":
            del open_[-1:]
            if open_ == b"{[":
                whole = len(pieces)
    if not open_:
        return b"".join(pieces) + document[done:], False
    return b"".join(pieces[:whole]) + b"]}", True


def _as_escape(found: re.Match[bytes]) -> bytes:
    return found.group() if found[1] else b""


def _number(digits: str) -> int | float:
    # int() takes quadratic time and refuses more than 4,300 digits; no id, size or duration is that long.
    return int(digits) if len(digits) <= 40 else float("inf")


def _check_depth(body: bytes) -> None:
    """Refuse what nests deeper than MAX_JSON_DEPTH before a parser recurses into it."""
    if body.count(b"[") + body.count(b"{") <= MAX_JSON_DEPTH:
        return
    depth = 0
    for token in _TOKEN.finditer(body):
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


def _hubs(feed: dict[str, Any]) -> tuple[str, ...]:
    listed = _dicts(feed.get("hubs"))
    hubs = [hub for hub in listed if str(hub.get("type") or "websub").lower() in ("websub", "pubsubhubbub")]
    return tuple(dict.fromkeys(url for hub in hubs if (url := short(hub.get("url")))))


def _dates(items: list[dict[str, Any]]) -> Iterator[str]:
    for item in items:
        yield str(item.get("date_published") or "")
        yield str(item.get("date_modified") or "")


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
    if isinstance(value, dict) and not value.get("name") and isinstance(value.get("author"), dict | str):
        value = value["author"]
    if isinstance(value, str):
        value = {"name": value}
    if not isinstance(value, dict):
        return None
    person = Person(**read_fields(value, _PERSON))
    return person if person != Person(name="") else None


def _entry(item: dict[str, Any], position: int, url: str) -> ParsedEntry:
    language = short(item.get("language"))
    tags = item.get("tags")
    terms = map(short, tags[:MAX_LIST_ITEMS] if isinstance(tags, list) else [tags])
    related = short(item.get("external_url"))
    place = _object_of(_extension(item), "place")
    return ParsedEntry(
        position=position,
        title=raw_text(item.get("title"), "text", url, language),
        summary=raw_text(item.get("summary"), "text", url, language),
        content=raw_text(item.get("content_html"), "html", url, language)
        or raw_text(item.get("content_text"), "text", url, language),
        base=url,
        authors=_authors(item),
        categories=tuple(Category(term=term) for term in dict.fromkeys(filter(None, terms))),
        enclosures=_attachments(item),
        image=_image(item),
        episode=episode_of_json(item),
        place=place_of_geojson(_object_of(place, "geometry"), text(place.get("name"))),
        related=(related,) if related else (),
        **read_fields(item, _ENTRY),
    )


def _attachments(item: dict[str, Any]) -> tuple[Enclosure, ...]:
    """The files. Those that share a title are renditions of one thing (JSON Feed 1.1, attachments)."""
    found: dict[str, Enclosure] = {}
    by_title: dict[str, list[str]] = {}
    for one in _dicts(item.get("attachments")):
        url, beyond = short(one.get("url")), _extension(one)
        if url is None or url in found:
            continue
        found[url] = Enclosure(url=url, **read_fields(one, _FILE), **read_fields(beyond, _FILE_BEYOND))
        group = whole_number(beyond.get("group"))
        by_title.setdefault(f"group {group}" if group else found[url].title, []).append(url)
    return grouped(found, [urls for title, urls in by_title.items() if title], {})


def _image(item: dict[str, Any]) -> Image | None:
    url = short(item.get("image")) or short(item.get("banner_image"))
    if url is None:
        return None
    return Image(url=url, **read_fields(_object_of(_extension(item), "picture"), _PICTURE))


def _extension(holder: dict[str, Any]) -> dict[str, Any]:
    """What a desk says beyond JSON Feed."""
    return _object_of(holder, "_wiredesk")


def _object_of(holder: dict[str, Any], name: str) -> dict[str, Any]:
    value = holder.get(name)
    return value if isinstance(value, dict) else {}
