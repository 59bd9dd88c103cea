"""The gate: what does not check is not published. A fragment is checked once, when it is made, a frame when it changes.

Both are compared with tables of all that `rss`, `atom` and `jsonfeed` write: each element and key, how often it stands
in the one around it, and in which form. Anything else is a fault, the article's or ours. Pure.

A document joined of fragments that check, in a frame that does, is a valid feed: tests hold it against a validator of
the specifications (`tests/validator`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from xml.etree import ElementTree

import msgspec

from feeds.errors import RenderError
from feeds.model import Format
from feeds.render.mediarss import ATOM, PREFIXES
from feeds.render.printable import URI, is_web_address
from feeds.render.unsafe import unsafe_markup

Form = Callable[[Any], object]


Node = tuple[str, Any, Mapping[str, str], Any]
"""An element, or a key with its value: name, value, attributes, and what its `_Parts` are found in."""
_Parts = Callable[[Any], Iterable[Node]]


class _Place(msgspec.Struct):
    """How often an element stands where it may stand, in which form, with which attributes, and what may stand in it:
    all by the names that a parser gives.
    """

    path: str
    least: int = 0
    most: float = float("inf")
    form: str = "-"
    has_form: Form = bool
    attributes: dict[str, tuple[str, Form]] = {}
    required: frozenset[str] = frozenset()
    within: dict[str, _Place] = {}
    needed: set[str] = set()


_DEGREES = re.compile(r"-?\d+(?:\.\d+)?\Z", re.ASCII)
_MOST_SUBTITLE, _MOST_SUMMARY = 255, 4000  # characters that Apple takes


def _is_shape(text: str, count: Callable[[int], bool]) -> bool:
    """Whether *text* is pairs of latitude and longitude in degrees (GeoRSS Simple), as many as *count* allows."""
    parts = text.split()
    if not all(map(_DEGREES.match, parts)) or len(parts) % 2 or not count(len(parts) // 2):
        return False
    numbers = [float(part) for part in parts]
    return max(map(abs, numbers[::2])) <= 90 and max(map(abs, numbers[1::2])) <= 180


def _is_polygon(text: str) -> bool:
    parts = text.split()
    return _is_shape(text, lambda count: count > 3) and parts[:2] == parts[-2:]


def _matches(pattern: str) -> Form:
    return re.compile(rf"(?:{pattern})\Z", re.ASCII).match


_TEXTS: dict[str, Form] = {
    "text": lambda text: True,
    "words": str.strip,
    "html": lambda text: not unsafe_markup(text),
    "address": is_web_address,
    "uri": URI.match,
    "email": _matches(r"[^\s@<>]+@[^\s@<>]+"),
    "rfc822": _matches(
        r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-3]\d (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4}"
        r" [0-2]\d:[0-5]\d:[0-5]\d \+0000"
    ),
    "rfc3339": _matches(r"\d{4}-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-5]\d(?:\.\d+)?Z"),
    "language": _matches(r"[a-zA-Z]{2,8}(?:-[a-zA-Z0-9]{1,8})*"),
    "type": _matches(r"[\w.+-]+/[\w.+-]+"),
    "colour": _matches(r"[0-9a-f]{6}"),
    "number": _matches(r"\d+"),
    "count": _matches(r"[1-9]\d*"),
    "decimal": _matches(r"\d+(?:\.\d+)?"),
    "clock": _matches(r"\d+:[0-5]\d:[0-5]\d"),
    "subtitle": lambda text: 0 < len(text) <= _MOST_SUBTITLE,
    "summary": lambda text: 0 < len(text) <= _MOST_SUMMARY,
    "point": lambda text: _is_shape(text, lambda count: count == 1),
    "line": lambda text: _is_shape(text, lambda count: count > 1),
    "box": lambda text: _is_shape(text, lambda count: count == 2),
    "polygon": _is_polygon,
}
_VALUES: dict[str, Form] = {
    "-": lambda value: value in (None, ""),
    "any": lambda value: True,
    "whole": lambda value: isinstance(value, int) and value >= 0,
}


def _form(name: str, format: Format) -> Form:
    """What tells whether a value has the form *name*: one of the above, or ``=word|word`` for one of these words."""
    if name in _VALUES:
        return _VALUES[name]
    if name[0] == "=":
        words = name[1:].split("|")
        return lambda value: value in words
    is_text = _TEXTS[name]
    return is_text if format != "json" else lambda value: isinstance(value, str) and is_text(value)


_FILE = (
    "- url=address type=type? fileSize=count? width=count? height=count? duration=count? bitrate=decimal?"
    " medium==image? isDefault==true? lang=language?"
)
_IN_FILE = """
media:title ? words type==plain
media:description ? words type==plain
media:credit ? words
"""
_MEDIA = f"""
media:content * {_FILE}
media:content/media:thumbnail ? - url=address width=count? height=count?
media:group * -
media:group/media:content * {_FILE}
media:thumbnail ? - url=address width=count? height=count?
itunes:title ? words
itunes:episode ? count
itunes:season ? count
itunes:episodeType ? =full|trailer|bonus
itunes:explicit ? =true|false
itunes:image ? - href=address
itunes:subtitle ? subtitle
itunes:summary ? summary
itunes:duration ? clock
podcast:episode ? decimal display=words?
podcast:season ? count name=words
podcast:transcript * - url=address type=type language=language? rel==captions?
podcast:chapters ? - url=address type=type
podcast:person * words role=words? group=words? href=address? img=address?
georss:point ? point
georss:line ? line
georss:polygon ? polygon
georss:box ? box
georss:featurename ? words
xhtml:meta ? - name==robots content==noindex
"""
_RSS = """
item 1 -
item/title 1 words
item/link 1 address
item/description ? html
item/content:encoded ? html
item/guid 1 words isPermaLink==false
item/category * words domain=words?
item/comments ? address
item/enclosure ? - url=address length=number type=type
item/source ? words url=address
item/pubDate 1 rfc822
item/dcterms:modified ? rfc3339
item/dc:creator * words
item/dc:contributor * words
item/dc:source ? words
item/dc:publisher ? words
item/dc:rights ? words
item/dc:language ? language
item/slash:comments ? number
item/wfw:commentRss ? address
"""
_ATOM = """
entry 1 - xml:lang=language?
entry/id 1 uri
entry/title 1 words
entry/updated 1 rfc3339
entry/published 1 rfc3339
entry/author + -
entry/author/name 1 words
entry/author/email ? email
entry/author/uri ? address
entry/contributor * -
entry/contributor/name 1 words
entry/contributor/email ? email
entry/contributor/uri ? address
entry/summary ? html type==html
entry/content ? html type==html
entry/category * - term=words scheme=uri? label=words?
entry/rights ? words
entry/link:alternate 1 - href=address
entry/link:via * - href=address
entry/link:related * - href=address
entry/link:license ? - href=address
entry/link:enclosure * - href=address type=type length=count? title=words?
entry/link:replies * - href=address type=type thr:count=number?
entry/thr:total ? number
entry/source ? -
entry/source/id 1 uri
entry/source/title 1 words
entry/source/updated 1 rfc3339
entry/source/link:alternate ? - href=address
entry/source/link:self ? - href=address
entry/dc:publisher ? words
"""
_JSON = """
item 1 -
item/id 1 words
item/url 1 address
item/title 1 words
item/content_html ? html
item/content_text ? words
item/summary ? words
item/image ? address
item/date_published 1 rfc3339
item/date_modified 1 rfc3339
item/authors * -
item/authors/name 1 words
item/authors/url ? address
item/tags * words
item/language ? language
item/attachments * -
item/attachments/url 1 address
item/attachments/mime_type 1 type
item/attachments/title ? words
item/attachments/size_in_bytes ? whole
item/attachments/duration_in_seconds ? whole
"""
_CHANNEL = """
rss 1 - version==2.0
rss/channel 1 -
rss/channel/title 1 words
rss/channel/link 1 address
rss/channel/description 1 words
rss/channel/atom:link:self 1 - href=address type==application/rss+xml
rss/channel/atom:link:hub * - href=uri
rss/channel/atom:link:prev-archive ? - href=address
rss/channel/atom:link:license ? - href=address type==application/rsl+xml
rss/channel/docs 1 address
rss/channel/generator 1 words
rss/channel/language ? language
rss/channel/copyright ? words
rss/channel/ttl 1 count
rss/channel/image ? -
rss/channel/image/url 1 address
rss/channel/image/title 1 words
rss/channel/image/link 1 address
rss/channel/webfeeds:icon ? address
rss/channel/webfeeds:accentColor ? colour
rss/channel/lastBuildDate 1 rfc822
rss/channel/sy:updatePeriod 1 =hourly|daily|weekly|monthly
rss/channel/sy:updateFrequency 1 count
rss/channel/itunes:author 1 words
rss/channel/itunes:type 1 =episodic
rss/channel/itunes:category 1 - text=words
rss/channel/itunes:explicit 1 =true|false
rss/channel/itunes:image ? - href=address
rss/channel/item * any
"""
_FEED = """
feed 1 - xml:lang=language?
feed/id 1 uri
feed/title 1 words
feed/updated 1 rfc3339
feed/author 1 -
feed/author/name 1 words
feed/link:alternate 1 - href=address type==text/html
feed/link:self 1 - href=address type==application/atom+xml
feed/link:hub * - href=uri
feed/link:prev-archive ? - href=address
feed/link:license ? - href=address type==application/rsl+xml
feed/generator 1 words
feed/subtitle 1 words
feed/rights ? words
feed/logo ? address
feed/icon ? address
feed/webfeeds:icon ? address
feed/webfeeds:accentColor ? colour
feed/at:deleted-entry * - ref=uri when=rfc3339
"""
_JSON_FEED = """
feed 1 -
feed/version 1 =https://jsonfeed.org/version/1.1
feed/title 1 words
feed/home_page_url 1 address
feed/feed_url 1 address
feed/next_url ? address
feed/description 1 words
feed/language ? language
feed/icon ? address
feed/authors 1 -
feed/authors/name 1 words
feed/hubs * -
feed/hubs/type 1 =WebSub
feed/hubs/url 1 uri
feed/items * any
"""
_TIMES = {"1": (1, 1), "?": (0, 1), "*": (0, float("inf")), "+": (1, float("inf"))}


def _table(text: str, format: Format) -> _Place:
    """Read lines of ``path times form`` and ``attribute=form`` each, with ``?`` where it may be missing.

    Returns the place around all others.
    """
    places = {"": _Place(path="")}
    for line in text.strip().splitlines():
        path, times, form, *rest = line.split()
        around, _, name = path.rpartition("/")
        pairs = [each.split("=", 1) for each in rest]
        least, most = _TIMES[times]
        places[path] = _Place(
            path=path,
            least=least,
            most=most,
            form=form,
            has_form=_form(form, format),
            attributes={_expanded(key): (found := of.removesuffix("?"), _form(found, format)) for key, of in pairs},
            required=frozenset(_expanded(key) for key, of in pairs if not of.endswith("?")),
        )
        name = _expanded(name, format)
        places[around].within[name] = places[path]
        if least:
            places[around].needed.add(name)
    return places[""]


def _expanded(name: str, format: Format = "json") -> str:
    """The *name* of a table as the XML parser gives it; an element of Atom's own needs no prefix."""
    prefix, colon, local = name.partition(":")
    if colon and prefix in PREFIXES:
        return f"{{{PREFIXES[prefix]}}}{local}"
    return f"{{{ATOM}}}{name}" if format == "atom" else name


def _within(parent: str, lines: str) -> str:
    return "".join(f"{parent}/{line}\n" for line in lines.strip().splitlines())


_MEDIA += _within("media:content", _IN_FILE) + _within("media:group/media:content", _IN_FILE)
_FRAGMENTS: dict[Format, _Place] = {
    "rss": _table(_RSS + _within("item", _MEDIA), "rss"),
    "atom": _table(_ATOM + _within("entry", _MEDIA), "atom"),
    "json": _table(_JSON, "json"),
}
_FRAMES: dict[Format, _Place] = {
    "rss": _table(_CHANNEL, "rss"),
    "atom": _table(_FEED, "atom"),
    "json": _table(_JSON_FEED, "json"),
}


def _check(nodes: Iterable[Node], around: _Place, parts: _Parts) -> None:
    """Compare *nodes*, which stand side by side, with what may stand in *around*; *parts* finds what stands in them.
    Raises ValueError, which says where and what.
    """
    counts: dict[str, int] = {}
    for name, value, attributes, inner in nodes:
        place = around.within.get(name)
        if place is None:
            raise ValueError(f"{around.path or 'it'} has {_readable(name)}, which may not stand there")
        counts[name] = counts.get(name, 0) + 1
        if not place.has_form(value):
            raise ValueError(f"{place.path} says {_shown(value)}{_wanted(place.form)}")
        if attributes or place.required:
            _check_attributes(attributes, place)
        if place.form != "any" and (place.within or len(inner)):
            _check(parts(inner), place, parts)
    for name, count in counts.items():
        if count > around.within[name].most:
            raise ValueError(f"{around.path or 'it'} has {count} of {_readable(name)}")
    if missing := around.needed - counts.keys():
        raise ValueError(f"{around.within[min(missing)].path} is missing")


def _check_attributes(attributes: Mapping[str, str], place: _Place) -> None:
    if missing := place.required - attributes.keys():
        raise ValueError(f"{place.path} has no {_readable(min(missing))}")
    for name, value in attributes.items():
        form, has_form = place.attributes.get(name, ("", None))
        if has_form is None:
            raise ValueError(f"{place.path} has the attribute {_readable(name)}")
        if not has_form(value):
            raise ValueError(f"{place.path} has the {_readable(name)} {_shown(value)}{_wanted(form)}")


def _shown(value: Any) -> str:
    return repr(unsafe_markup(value) or value if isinstance(value, str) else value)[:80]


def _wanted(form: str) -> str:
    return f" and must be {'empty' if form == '-' else form.removeprefix('=')}"


def _readable(name: str) -> str:
    """The *name* that a parser gives as it stands in a document."""
    uri, _, local = name.removeprefix("{").rpartition("}")
    prefix = next((prefix for prefix, of in PREFIXES.items() if of == uri), uri)
    return f"{prefix}:{local}" if uri else name


_DECLARED = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in PREFIXES.items() if prefix != "xml")
_WRAPPERS: dict[Format, tuple[bytes, bytes]] = {
    "rss": (f"<channel {_DECLARED}>".encode(), b"</channel>"),
    "atom": (f'<feed xmlns="{ATOM}" {_DECLARED}>'.encode(), b"</feed>"),
}
_LINK = f"{{{ATOM}}}link"


def _xml(body: bytes) -> ElementTree.Element:
    # Its elements are Python objects: looking at all of them takes a third of what it takes with lxml's.
    builder = ElementTree.TreeBuilder(insert_comments=True, insert_pis=True)
    try:
        return ElementTree.XML(body, ElementTree.XMLParser(target=builder))  # noqa: S314  (our own bytes)
    except ElementTree.ParseError as error:
        raise ValueError(f"it is not well-formed: {str(error.msg).partition(': line')[0]}") from error


def _elements(inside: Iterable[ElementTree.Element]) -> Iterator[Node]:
    """Elements as nodes. Links are told apart by what they lead to, as ``link:self``."""
    for element in inside:
        name, tail = element.tag, element.tail
        if not isinstance(name, str):
            raise ValueError("it has something that is neither element nor text")
        if tail and tail.strip():
            raise ValueError(f"it has text beside {_readable(name)}")
        if name == _LINK:
            name += ":" + element.attrib.pop("rel", "")
        yield name, element.text or "", element.attrib, element


def _keys(inside: Iterable[tuple[str, Any]]) -> Iterator[Node]:
    """Keys of JSON as nodes: one for each item of an array. What is under a key of our own is not looked into."""
    for name, value in inside:
        if isinstance(value, dict):
            yield name, None, {}, [pair for pair in value.items() if not _is_ours(*pair)]
        elif isinstance(value, list) and value:
            yield from _keys((name, each) for each in value)
        else:
            yield name, value, {}, ()


def _is_ours(key: str, value: Any) -> bool:
    return key.startswith("_") and isinstance(value, dict)


def _single(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    known = dict(pairs)
    if len(known) < len(pairs):
        raise ValueError("a key stands twice")
    return known


def _json(body: bytes) -> Any:
    return json.loads(body.decode(), object_pairs_hook=_single)


def check_fragment(body: bytes, format: Format, uid: str) -> None:
    """Check the fragment *body* of the article *uid*. Raises RenderError, which names the article and what is wrong.

    What is asked is what the specifications ask of an entry, that it is this article's, and that its markup is safe.
    """
    try:
        if format == "json":
            item = _json(body)
            _check(_keys([("item", item)]), _FRAGMENTS[format], _keys)
            found = item["id"]
            if not any(name.startswith("content_") for name in item):
                raise ValueError("it has no content")
        else:
            opening, closing = _WRAPPERS[format]
            around = _xml(opening + body + closing)
            if (around.text or "").strip():
                raise ValueError("it has text around it")
            _check(_elements(around), _FRAGMENTS[format], _elements)
            found = around[0].findtext("guid" if format == "rss" else f"{{{ATOM}}}id")
        if found != uid:
            raise ValueError(f"it has the id {found!r}")
    except ValueError as error:
        raise RenderError(f"the {format} entry of {uid} does not check: {error}", article_uid=uid) from error


def check_frame(document: bytes, format: Format, path: str) -> None:
    """Check *document*, a section's without its entries, or with any. Raises RenderError, which says what is wrong."""
    try:
        if format == "json":
            _check(_keys([("feed", _json(document))]), _FRAMES[format], _keys)
        else:
            _check(_elements([_xml(document)]), _FRAMES[format], _elements)
    except ValueError as error:
        raise RenderError(f"{path or 'index'}.{format} does not check: {error}") from error
