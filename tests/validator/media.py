"""Elements of Media RSS, itunes, podcast and GeoRSS in RSS and Atom: values as their specifications have them. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from lxml import etree

from feeds.frames import OPTIONAL_NAMESPACES
from tests.validator.rules import Findings, is_language, is_web_address, must
from tests.validator.xml import Children

_APPLE = "Apple, A podcaster's guide to RSS; W3C feed validator, itunes"
MEDIA_RULES = (
    must("itunes-value", "write it as Apple has it: true or false, 30:12 or 1812, a whole number above 0", _APPLE),
    must("itunes-once", "keep one", _APPLE),
    must("podcast-value", "give the attributes that it must have, and absolute addresses", "podcast namespace 1.0"),
    must("media-value", "give an absolute url, a media type, and whole numbers for sizes", "Media RSS 1.5.1"),
    must("georss-value", "give pairs of latitude and longitude in degrees, as many as the shape has", "GeoRSS Simple"),
)

_ITUNES, _PODCAST, _GEORSS = (f"{{{OPTIONAL_NAMESPACES[prefix]}}}" for prefix in ("itunes", "podcast", "georss"))
_MEDIA = "{http://search.yahoo.com/mrss/}"
_MEDIA_TYPE = re.compile(r"[\w!#$&^.+\-]+/[\w!#$&^.+\-]+\Z", re.ASCII)
_DURATION = re.compile(r"(?:\d+|(?:\d+:)?[0-5]?\d:[0-5]\d)\Z", re.ASCII)
_COUNT = re.compile(r"[1-9]\d*\Z", re.ASCII)
_DECIMAL = re.compile(r"\d+(?:\.\d+)?\Z", re.ASCII)
_DEGREES = re.compile(r"-?\d+(?:\.\d+)?\Z", re.ASCII)
_MAX_SUBTITLE, _MAX_SUMMARY = 255, 4000

_ITUNES_TEXTS: dict[str, Callable[[str], object]] = {
    "explicit": ("true", "false").__contains__,
    "duration": _DURATION.match,
    "episode": _COUNT.match,
    "season": _COUNT.match,
    "episodeType": ("full", "trailer", "bonus").__contains__,
    "type": ("episodic", "serial").__contains__,
    "subtitle": lambda text: 0 < len(text) <= _MAX_SUBTITLE,
    "summary": lambda text: 0 < len(text) <= _MAX_SUMMARY,
    "title": str.strip,
    "author": str.strip,
}
_SIZES = {
    f"{_MEDIA}content": dict.fromkeys(("fileSize", "width", "height", "duration"), _COUNT) | {"bitrate": _DECIMAL},
    f"{_MEDIA}thumbnail": {"width": _COUNT, "height": _COUNT},
}
# What each has beside its address: the attribute of the address, and of a media type that must be there.
_PODCAST_LINKS = {"transcript": ("url", "type"), "chapters": ("url", "type"), "person": ("href", None)}


def check_media(found: Findings, node: Children, where: str, uid: str | None) -> None:
    """Find what is wrong in the children of an item, an entry or a channel."""
    for name, children in node.items():
        if name.startswith(_ITUNES):
            _check_itunes(found, name.removeprefix(_ITUNES), children, where, uid)
        elif name.startswith(_PODCAST):
            for child in children:
                _check_podcast(found, name.removeprefix(_PODCAST), child, where, uid)
        elif name.startswith(_GEORSS):
            for child in children:
                _check_place(found, name.removeprefix(_GEORSS), child.text or "", where, uid)
        elif name.startswith(_MEDIA):
            for child in children:
                _check_file(found, child, where, uid)


def _check_itunes(found: Findings, name: str, children: Iterable[etree._Element], where: str, uid: str | None) -> None:
    children = list(children)
    if len(children) > 1 and name != "category":
        found.add("itunes-once", where, f"has {len(children)} elements itunes:{name}", uid)
    for child in children:
        judge = _ITUNES_TEXTS.get(name)
        told = child.text or ""
        if judge is not None and not judge(told):
            found.add("itunes-value", f"{where}, itunes:{name}", f"says {told[:60]!r}", uid)
        elif name == "image" and not is_web_address(child.get("href", "")):
            found.add("itunes-value", f"{where}, itunes:image", f"has the href {child.get('href')!r}", uid)
        elif name == "category" and not child.get("text"):
            found.add("itunes-value", f"{where}, itunes:category", "has no text", uid)


def _check_podcast(found: Findings, name: str, child: etree._Element, where: str, uid: str | None) -> None:
    place = f"{where}, podcast:{name}"
    text = (child.text or "").strip()
    if name in _PODCAST_LINKS:
        address, kind = _PODCAST_LINKS[name]
        url = child.get(address)
        if not is_web_address(url or "") and (kind or url is not None):
            found.add("podcast-value", place, f"has the {address} {url!r}", uid)
        if kind and not _MEDIA_TYPE.match(child.get(kind, "")):
            found.add("podcast-value", place, f"has the type {child.get(kind)!r}", uid)
    if name == "person" and not text:
        found.add("podcast-value", place, "names nobody", uid)
    if name in ("episode", "season") and not (_DECIMAL if name == "episode" else _COUNT).match(text):
        found.add("podcast-value", place, f"says {text!r}", uid)
    if (tag := child.get("language")) is not None and not is_language(tag):
        found.add("podcast-value", place, f"has the language {tag!r}", uid)


def _check_file(found: Findings, child: etree._Element, where: str, uid: str | None) -> None:
    name = str(child.tag).removeprefix(_MEDIA)
    if child.tag in _SIZES:
        if not is_web_address(child.get("url", "")):
            found.add("media-value", f"{where}, media:{name}", f"has the url {child.get('url')!r}", uid)
        for attribute, form in _SIZES[str(child.tag)].items():
            if (size := child.get(attribute)) is not None and not form.match(size):
                found.add("media-value", f"{where}, media:{name}", f"has the {attribute} {size!r}", uid)
        if (kind := child.get("type")) is not None and not _MEDIA_TYPE.match(kind):
            found.add("media-value", f"{where}, media:{name}", f"has the type {kind!r}", uid)
    if child.tag in (f"{_MEDIA}group", f"{_MEDIA}content"):
        for inner in child:
            _check_file(found, inner, where, uid)


_POINTS: dict[str, Callable[[int], bool]] = {
    "point": lambda count: count == 1,
    "line": lambda count: count > 1,
    "polygon": lambda count: count > 3,
    "box": lambda count: count == 2,
}


def _check_place(found: Findings, name: str, text: str, where: str, uid: str | None) -> None:
    if name not in _POINTS:
        return
    parts = text.split()
    good = all(map(_DEGREES.match, parts)) and len(parts) % 2 == 0 and _POINTS[name](len(parts) // 2)
    if good:
        numbers = [float(part) for part in parts]
        good = all(abs(latitude) <= 90 for latitude in numbers[::2]) and all(abs(east) <= 180 for east in numbers[1::2])
        good = good and (name != "polygon" or parts[:2] == parts[-2:])
    if not good:
        found.add("georss-value", f"{where}, georss:{name}", f"says {text[:60]!r}", uid)
