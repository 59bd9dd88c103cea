"""The gate: what does not check is not published. A fragment is checked once, when it is made, a frame when it changes.

Both are compared with tables of all that `rss`, `atom` and `jsonfeed` write: each element and key, how often it stands
in the one around it, and in which form. Anything else is a fault, the article's or ours. Pure.

A document joined of fragments that check, in a frame that does, is a valid feed: tests hold it against a validator of
the specifications (`tests/validator`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from hashlib import blake2b
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from lxml import etree
from selectolax.lexbor import LexborHTMLParser

from feeds.errors import RenderError
from feeds.model import Format
from feeds.render.mediarss import ATOM, PREFIXES

Form = Callable[[Any], object]


class Node(NamedTuple):
    """An element, or a key with its value: what the tables speak of."""

    name: str
    value: Any
    attributes: Mapping[str, str]
    children: list[Node]


class _Place(NamedTuple):
    """How often an element stands where it may stand, in which form, and with which attributes."""

    least: int
    most: float
    form: str
    attributes: dict[str, str]
    required: frozenset[str]


_Table = dict[str, dict[str, _Place]]  # path → what may stand in it

_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%\u00a0-\U0010ffff]+\Z")
_DEGREES = re.compile(r"-?\d+(?:\.\d+)?\Z", re.ASCII)
_MOST_SUBTITLE, _MOST_SUMMARY = 255, 4000  # characters that Apple takes


@lru_cache(maxsize=4096)  # three formats name the same addresses, and each must be one
def is_web_address(text: str) -> bool:
    """Whether *text* is an absolute http(s) address.

    >>> is_web_address("https://example.org/a?b"), is_web_address("/a"), is_web_address("javascript:alert(1)")
    (True, False, False)
    """
    if not _URI.match(text):
        return False
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


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
    "uri": _URI.match,
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
    "whole": lambda value: isinstance(value, int) and value >= 0,
}


def _has_form(value: Any, form: str) -> bool:
    """Whether *value* has the *form*: one of the above, or ``=word|word`` for one of these words."""
    if form in _VALUES:
        return bool(_VALUES[form](value))
    if not isinstance(value, str):
        return False
    return value in form[1:].split("|") if form[0] == "=" else bool(_TEXTS[form](value))


_UNSAFE_TAGS = frozenset(
    "script style iframe frame frameset object embed applet form input button meta base link svg portal".split()
)
# What may be one of them, in small letters: most texts hold nothing that looks like it, and need not be parsed. Each
# search begins with letters that it can look for fast; one for all takes four times as long.
_SUSPECT_TAG = re.compile(rf"<(?:{'|'.join(sorted(_UNSAFE_TAGS))})")
_SUSPECT_HANDLER = re.compile(r"on[a-z]+\s*=")
_SUSPECT_DATA = re.compile(r"data\s*:")
_SUSPECT_WORDS = ("javascript", "vbscript", "&#", "&colon", "&tab", "&newline")
_RUNS = re.compile(r"(?:javascript|vbscript|data:text|data:application|data:image/svg)", re.IGNORECASE)
_ADDRESSES = frozenset("href src action formaction xlink:href poster cite data background".split())
_BLANKS = re.compile(r"[\x00-\x20]+")
MOST_REMEMBERED = 4096
"""Texts, of which two are in an article: more than are rendered at once."""


def unsafe_markup(html: str) -> str | None:
    """Return the first element or attribute of *html* that would run, frame or submit something, as a browser reads it.

    >>> unsafe_markup("<p onclick=x>a</p>"), unsafe_markup('<p title="a onclick=x">a</p>')
    ('onclick=', None)
    """
    mark = blake2b(html.encode("utf-8", "surrogatepass"), digest_size=16).digest()
    if mark not in _unsafe:
        if len(_unsafe) >= MOST_REMEMBERED:
            _unsafe.clear()
        _unsafe[mark] = _found_unsafe(html)
    return _unsafe[mark]


_unsafe: dict[bytes, str | None] = {}
"""What was found in texts, by their digests: three formats have the same texts, and looking at each once saves a tenth
of what fragments cost.
"""


def _found_unsafe(html: str) -> str | None:
    if "<" not in html or not _is_suspect(html.lower()):
        return None
    root = LexborHTMLParser(html, is_fragment=True).root
    for node in root.traverse() if root is not None else ():
        if node.tag in _UNSAFE_TAGS:
            return f"<{node.tag}>"
        if unsafe := _unsafe_attribute(node.attributes):
            return unsafe
    return None


def _unsafe_attribute(attributes: Mapping[str, str | None]) -> str | None:
    for name, value in attributes.items():
        if name.startswith("on"):
            return f"{name}="
        if name in _ADDRESSES and _RUNS.match(_BLANKS.sub("", value or "")):
            return f"{name}={value}"
    return None


def _is_suspect(lower: str) -> bool:
    searches = (_SUSPECT_TAG, _SUSPECT_HANDLER, _SUSPECT_DATA)
    return any(word in lower for word in _SUSPECT_WORDS) or any(search.search(lower) for search in searches)


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


def _table(text: str) -> _Table:
    """Read lines of ``path times form`` and ``attribute=form`` each, with ``?`` where it may be missing."""
    table: _Table = {}
    for line in text.strip().splitlines():
        path, times, form, *rest = line.split()
        parent, _, name = path.rpartition("/")
        pairs = dict(each.split("=", 1) for each in rest)
        required = frozenset(key for key, form_of in pairs.items() if not form_of.endswith("?"))
        attributes = {key: form_of.removesuffix("?") for key, form_of in pairs.items()}
        table.setdefault(parent, {})[name] = _Place(*_TIMES[times], form, attributes, required)
    return table


def _within(parent: str, lines: str) -> str:
    return "".join(f"{parent}/{line}\n" for line in lines.strip().splitlines())


_MEDIA += _within("media:content", _IN_FILE) + _within("media:group/media:content", _IN_FILE)
_FRAGMENTS: dict[Format, _Table] = {
    "rss": _table(_RSS + _within("item", _MEDIA)),
    "atom": _table(_ATOM + _within("entry", _MEDIA)),
    "json": _table(_JSON),
}
_FRAMES: dict[Format, _Table] = {"rss": _table(_CHANNEL), "atom": _table(_FEED), "json": _table(_JSON_FEED)}


def _check(nodes: list[Node], table: _Table, within: str = "") -> None:
    """Compare *nodes*, which stand side by side, with *table*. Raises ValueError, which says where and what."""
    places = table.get(within, {})
    counts: dict[str, int] = {}
    for node in nodes:
        path = f"{within}/{node.name}" if within else node.name
        place = places.get(node.name)
        if place is None:
            raise ValueError(f"{path} is nothing that may stand there")
        counts[node.name] = counts.get(node.name, 0) + 1
        if place.form == "any":
            continue
        if not _has_form(node.value, place.form):
            raise ValueError(f"{path} says {_shown(node.value)}{_wanted(place.form)}")
        _check_attributes(node, place, path)
        if node.children or path in table:
            _check(node.children, table, path)
    for name, place in places.items():
        if not place.least <= counts.get(name, 0) <= place.most:
            raise ValueError(f"{within or 'it'} has {counts.get(name, 0)} of {name}")


def _check_attributes(node: Node, place: _Place, path: str) -> None:
    if missing := place.required - node.attributes.keys():
        raise ValueError(f"{path} has no {min(missing)}")
    for name, value in node.attributes.items():
        if name not in place.attributes:
            raise ValueError(f"{path} has the attribute {name}")
        if not _has_form(value, place.attributes[name]):
            raise ValueError(f"{path} has the {name} {_shown(value)}{_wanted(place.attributes[name])}")


def _shown(value: Any) -> str:
    return repr(unsafe_markup(value) or value if isinstance(value, str) else value)[:80]


def _wanted(form: str) -> str:
    return f" and must be {'empty' if form == '-' else form.removeprefix('=')}"


_DECLARED = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in PREFIXES.items() if prefix != "xml")
_WRAPPERS: dict[Format, tuple[str, str]] = {
    "rss": (f"<channel {_DECLARED}>", "</channel>"),
    "atom": (f'<feed xmlns="{ATOM}" {_DECLARED}>', "</feed>"),
}
_NAMES = {uri: prefix for prefix, uri in PREFIXES.items()}


_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)


def _xml(body: bytes) -> etree._Element:
    try:
        return etree.fromstring(body, _PARSER)
    except etree.XMLSyntaxError as error:
        raise ValueError(f"it is not well-formed: {str(error.msg).partition(', line')[0]}") from error


@lru_cache(maxsize=1024)
def _name(tag: str, format: Format) -> str:
    uri, _, local = tag.removeprefix("{").rpartition("}")
    if not uri or (uri == ATOM and format == "atom"):
        return local
    return f"{_NAMES.get(uri, uri)}:{local}"


def _node(element: etree._Element, format: Format) -> Node:
    """An element as a node. Links are told apart by what they lead to, as ``link:self``."""
    if not isinstance(element.tag, str):
        raise ValueError("it has something that is neither element nor text")
    name = _name(element.tag, format)
    attributes = {_name(str(key), format): str(value) for key, value in element.attrib.items()}
    if element.tag == f"{{{ATOM}}}link":
        name += f":{attributes.pop('rel', '')}"
    if any((child.tail or "").strip() for child in element):
        raise ValueError(f"{name} has text beside its elements")
    return Node(name, element.text or "", attributes, [_node(child, format) for child in element])


def _json_nodes(name: str, value: Any) -> Iterator[Node]:
    """A key of JSON as nodes: one for each item of an array. What is under a key of our own is not looked into."""
    if isinstance(value, list) and value:
        for each in value:
            yield from _json_nodes(name, each)
    elif isinstance(value, dict):
        children: list[Node] = []
        for key, own in value.items():
            if not (key.startswith("_") and isinstance(own, dict)):
                children += _json_nodes(key, own)
        yield Node(name, None, {}, children)
    else:
        yield Node(name, value, {}, [])


def _single(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    known = dict(pairs)
    if len(known) < len(pairs):
        raise ValueError("a key stands twice")
    return known


def check_fragment(body: bytes, format: Format, uid: str) -> None:
    """Check the fragment *body* of the article *uid*. Raises RenderError, which names the article and what is wrong.

    What is asked is what the specifications ask of an entry, that it is this article's, and that its markup is safe.
    """
    try:
        if format == "json":
            nodes = list(_json_nodes("item", json.loads(body.decode(), object_pairs_hook=_single)))
        else:
            opening, closing = _WRAPPERS[format]
            around = _node(_xml(f"{opening}{body.decode()}{closing}".encode()), format)
            if around.value.strip():
                raise ValueError("it has text around it")
            nodes = around.children
        _check(nodes, _FRAGMENTS[format])
        (found,) = [node.value for node in nodes[0].children if node.name in ("id", "guid")]
        if found != uid:
            raise ValueError(f"it has the id {found!r}")
        if format == "json" and not any(node.name.startswith("content_") for node in nodes[0].children):
            raise ValueError("it has no content")
    except ValueError as error:
        raise RenderError(f"the {format} entry of {uid} does not check: {error}", article_uid=uid) from error


def check_frame(document: bytes, format: Format, path: str) -> None:
    """Check *document*, a section's without its entries, or with any. Raises RenderError, which says what is wrong."""
    try:
        if format == "json":
            nodes = list(_json_nodes("feed", json.loads(document.decode(), object_pairs_hook=_single)))
        else:
            nodes = [_node(_xml(document), format)]
        _check(nodes, _FRAMES[format])
    except ValueError as error:
        raise RenderError(f"{path or 'index'}.{format} does not check: {error}") from error
