"""The types of value that a key can take: each reads a node, says what is allowed, and gives its JSON Schema. Pure.

`read` raises Wrong for a value that does not hold; types made of several values report those that are wrong and
give the rest. Scalars are read as they were written: `no` is text where text is wanted, and false where yes or
no is. I/O: none but reading the zone database, through zoneinfo.
"""

from __future__ import annotations

import difflib
import ipaddress
import math
import re
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Protocol
from urllib.parse import urlsplit

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from feeds.settings.reports import Report, Wrong, did_you_mean, listing, quote
from feeds.settings.stored_config import reference_errors, without_references
from feeds.urls import masked

Schema = dict[str, Any]

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(s|sec|seconds?|m|min|minutes?|h|hours?|d|days?|w|weeks?)", re.IGNORECASE)
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmg])i?b?(?:ytes)?", re.IGNORECASE)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_YES = {"true", "yes", "on"}
_NO = {"false", "no", "off"}


class Kind(Protocol):
    """What a key can take."""

    def read(self, node: Node, report: Report) -> Any:
        """Give the value of *node*; raises Wrong, or reports and gives what holds of several values."""
        ...

    def schema(self) -> Schema:
        """The same in JSON Schema (draft 7)."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A key of a mapping: what it takes, and one line that says what it does."""

    takes: Kind
    says: str
    required: bool = False


@dataclass(frozen=True, slots=True)
class Text:
    """A line of text, not empty, of at most *longest* characters; with *empty* it may be empty, in quotes."""

    longest: int = 500
    empty: bool = False
    lines: bool = False

    def read(self, node: Node, report: Report) -> str:
        text = text_of(node, empty=self.empty).strip()
        if not text and not self.empty:
            raise Wrong("an empty text", "write something, or take the line out")
        if not self.lines and "\n" in text:
            raise Wrong(f"{quote(text)} goes over several lines", "write it in one line")
        if len(text) > self.longest:
            raise Wrong(f"{quote(text)} has {len(text)} characters", f"write at most {self.longest}")
        return text

    def schema(self) -> Schema:
        return {"type": ["string", "number", "boolean"], **({} if self.empty else {"minLength": 1})}


@dataclass(frozen=True, slots=True)
class Number:
    """A number from *least* to *most* in *unit*; *whole* where no fraction makes sense."""

    least: float
    most: float
    unit: str = ""
    whole: bool = True

    def read(self, node: Node, report: Report) -> int | float:
        text = text_of(node).strip()
        if not _NUMBER.fullmatch(text):
            raise Wrong(f"{quote(text)} is not a number", self._remedy(text))
        value = float(text)
        if self.whole and not value.is_integer():
            raise Wrong(f"{quote(text)} is not a whole number", f"write {self._range()}")
        if not self.least <= value <= self.most:  # infinity too
            raise Wrong(f"{quote(text)} is out of range", f"write {self._range()}")
        return int(value) if value.is_integer() else value

    def _range(self) -> str:
        what = "a whole number" if self.whole else "a number"
        unit = f" of {self.unit}" if self.unit else ""
        return f"{what}{unit} from {plain(self.least)} to {plain(self.most)}"

    def _remedy(self, text: str) -> str:
        if self.unit == "seconds" and (match := _DURATION.fullmatch(text)):
            return f"write it in seconds: {plain(float(match[1]) * _SECONDS[match[2][0].lower()])}"
        if self.unit == "days" and (match := _DURATION.fullmatch(text)):
            return f"write it in days: {plain(float(match[1]) * _SECONDS[match[2][0].lower()] / 86400)}"
        if self.unit == "bytes" and (match := _SIZE.fullmatch(text)):
            return f"write it in bytes: {int(float(match[1]) * 1024 ** ('kmg'.index(match[2].lower()) + 1))}"
        return f"write {self._range()}"

    def schema(self) -> Schema:
        return {"type": "integer" if self.whole else "number", "minimum": self.least, "maximum": self.most}


@dataclass(frozen=True, slots=True)
class YesNo:
    """`true` or `false`; `yes`, `no`, `on` and `off` are understood."""

    def read(self, node: Node, report: Report) -> bool:
        text = text_of(node).strip().lower()
        if text in _YES:
            return True
        if text in _NO:
            return False
        raise Wrong(f"{quote(text)} is neither yes nor no", "write true or false")

    def schema(self) -> Schema:
        return {"type": "boolean"}


@dataclass(frozen=True, slots=True)
class Choice:
    """One of *words*."""

    words: tuple[str, ...]

    def read(self, node: Node, report: Report) -> str:
        text = text_of(node).strip()
        if text in self.words:
            return text
        hint = did_you_mean(text, self.words)
        raise Wrong(f"{quote(text)} is not one of the choices", f"write {listing(self.words)}{hint and '; ' + hint}")

    def schema(self) -> Schema:
        return {"enum": list(self.words)}


@dataclass(frozen=True, slots=True)
class Or:
    """The word *word*, which means *value*, or what *other* takes."""

    word: str
    value: Any
    other: Kind

    def read(self, node: Node, report: Report) -> Any:
        if isinstance(node, ScalarNode) and node.value.strip() == self.word:
            return self.value
        try:
            return self.other.read(node, report)
        except Wrong as wrong:
            raise Wrong(wrong.cause, f"{wrong.remedy}; or write {self.word}") from wrong

    def schema(self) -> Schema:
        return {"anyOf": [{"const": self.word}, self.other.schema()]}


@dataclass(frozen=True, slots=True)
class ListOf:
    """Several values of one kind, as a list, or one alone; nothing twice. At least *least*, at most *most*."""

    item: Kind
    least: int = 0
    most: int = 10_000

    def read(self, node: Node, report: Report) -> tuple[Any, ...]:
        if is_empty(node):
            items: list[Node] = []
        else:
            items = node.value if isinstance(node, SequenceNode) else [node]
        if not self.least <= len(items) <= self.most:
            raise Wrong(f"a list of {len(items)}", f"write at least {self.least} and at most {self.most}")
        values: dict[Any, None] = {}
        for item in items:
            try:
                value = self.item.read(item, report)
            except Wrong as wrong:
                if item is node and isinstance(item, ScalarNode) and "," in item.value:
                    wrong = Wrong(wrong.cause, f"write a list: [{', '.join(item.value.replace(',', ' ').split())}]")
                report.wrong(item, wrong)
                continue
            if value in values:
                report.warn(item, f"{quote(str(value))} twice in one list", "take one out")
            values[value] = None
        return tuple(values)

    def schema(self) -> Schema:
        item = self.item.schema()
        return {"anyOf": [{"type": "array", "items": item, "minItems": self.least}, item]}


@dataclass(frozen=True, slots=True)
class Group:
    """A mapping with *keys*; gives what was written as a dict, keys that were wrong left out."""

    keys: Mapping[str, Key]

    def read(self, node: Node, report: Report) -> dict[str, Any]:
        return read_mapping(node, self.keys, report).values

    def schema(self) -> Schema:
        return mapping_schema(self.keys)


@dataclass(slots=True)
class Read:
    """What a mapping said: *values* that hold; *places*, where each known key's value stands; *unknown* keys."""

    values: dict[str, Any]
    places: dict[str, Node]
    unknown: list[str]


def read_mapping(node: Node, keys: Mapping[str, Key], report: Report) -> Read:
    """Read *node* by *keys*, reporting each unknown key, doubled key and wrong value. An empty node has no keys.

    Raises Wrong where *node* is no mapping. A required key that is missing is an error at *node*.
    """
    read = Read({}, {}, [])
    for name, key_node, value in pairs(node, report):
        key = keys.get(name)
        if key is None:
            read.unknown.append(name)
            hint = report.did_you_mean(name, keys) if len(name) > 1 else ""
            report.error(key_node, f"unknown key {quote(name)}", hint or f"allowed are {listing(sorted(keys))}")
            continue
        read.places[name] = value
        try:
            read.values[name] = key.takes.read(value, report)
        except Wrong as wrong:
            report.error(wrong.node or value, f"{name}: {wrong.cause}", wrong.remedy)
    for name, key in keys.items():
        if key.required and name not in read.places:
            report.error(node, f"no `{name}:`", f"add it: {key.says}")
    return read


def pairs(node: Node, report: Report) -> list[tuple[str, Node, Node]]:
    """Give (key as written, its node, its value) of the mapping *node*, doubled keys reported and left out.

    `<<: *anchor` brings in the pairs of another mapping, which its own keys override (YAML merge key).
    Raises Wrong where *node* is no mapping.
    """
    if is_empty(node):
        return []
    if not isinstance(node, MappingNode):
        what = "a list" if isinstance(node, SequenceNode) else quote(node.value)
        raise Wrong(f"{what} where `key: value` lines belong", "write one key a line, indented")
    found: dict[str, tuple[str, Node, Node]] = {}
    merged: list[tuple[str, Node, Node]] = []
    for key, value in node.value:
        if not isinstance(key, ScalarNode):
            report.error(key, "a key that is no word", "write `key: value`")
            continue
        name = key.value
        if name == "<<" and not key.style:
            for one in value.value if isinstance(value, SequenceNode) else [value]:
                try:
                    merged.extend(pairs(one, report))
                except Wrong as wrong:
                    report.wrong(one, wrong)
        elif name in found:
            first = found[name][1].start_mark.line + 1
            report.error(key, f"{quote(name)} for the second time", f"it is already on line {first}; take one out")
        else:
            found[name] = (name, key, value)
    for pair in merged:
        found.setdefault(pair[0], pair)
    return list(found.values())


def mapping_schema(keys: Mapping[str, Key]) -> Schema:
    """The JSON Schema of a mapping with *keys* and no others."""
    schema: Schema = {
        "type": "object",
        "properties": {name: {"description": key.says, **key.takes.schema()} for name, key in keys.items()},
        "additionalProperties": False,
    }
    if required := [name for name, key in keys.items() if key.required]:
        schema["required"] = required
    return schema


def text_of(node: Node, *, empty: bool = False) -> str:
    """Give the text of the scalar *node* as it was written; with *empty*, also one that says nothing in quotes.

    Raises Wrong for a list, a mapping, a tag, or a key without any value.
    """
    if not isinstance(node, ScalarNode):
        what = "a list" if isinstance(node, SequenceNode) else "a mapping"
        raise Wrong(f"{what} where one value belongs", "write one value; put text that holds ': ' in quotes")
    if not node.tag.startswith("tag:yaml.org,2002:"):
        raise Wrong(f"the tag {quote(node.tag)}", "tags have no meaning here; put text that begins with ! in quotes")
    text: str = node.value
    if is_empty(node) and not empty:
        raise Wrong("no value", "write one, or take the line out")
    return text


def is_empty(node: Node) -> bool:
    """Whether *node* is a key without any value: nothing, where even quotes would be something."""
    return isinstance(node, ScalarNode) and not node.value and not node.style


def plain(number: float) -> str:
    """Write *number* without a needless fraction.

    >>> plain(900.0), plain(0.5)
    ('900', '0.5')
    """
    return str(int(number)) if math.isfinite(number) and float(number).is_integer() else str(number)


# BCP 47 (RFC 5646 §2.1) without extensions and grandfathered tags, which no feed needs.
_LANGUAGE = re.compile(
    r"[A-Za-z]{2,3}(-[A-Za-z]{3}){0,3}(-[A-Za-z]{4})?(-([A-Za-z]{2}|\d{3}))?(-([A-Za-z\d]{5,8}|\d[A-Za-z\d]{3}))*"
)
_LANGUAGES = {
    "english": "en", "german": "de", "deutsch": "de", "french": "fr", "français": "fr", "spanish": "es",
    "español": "es", "italian": "it", "italiano": "it", "portuguese": "pt", "dutch": "nl", "russian": "ru",
    "chinese": "zh", "japanese": "ja", "korean": "ko", "arabic": "ar", "hindi": "hi", "turkish": "tr",
    "polish": "pl", "ukrainian": "uk", "swedish": "sv", "greek": "el", "persian": "fa", "hebrew": "he",
}  # fmt: skip
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 §5.6.2
_HEADER_VALUE = re.compile(r"[\x20-\x7e\t]*")  # RFC 9110 §5.5, without obs-text
OWN_HEADERS = frozenset(
    "host connection content-length content-type transfer-encoding te trailer upgrade keep-alive expect range if-range "
    "if-none-match if-modified-since if-match if-unmodified-since accept-encoding a-im proxy-authorization "
    "proxy-connection".split()
)
"""Request headers that fetch sets by itself: setting them by hand would break conditional requests or framing."""

_HOST = re.compile(r"[^\s/?#@:\[\]\\<>\"^`{|}%]+")
_NOT_IN_URI = re.compile(r"[^A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]")
_SPACE = re.compile(r"\s")
_CONTROL = re.compile("[\x00-\x1f\x7f]")
_TIME = re.compile(r"([01]?[0-9]|2[0-3]):[0-5][0-9]")
_EMAIL = re.compile(r"[^@\s,;<>()]+@[^@\s,;<>()]+")


@dataclass(frozen=True, slots=True)
class Address:
    """An absolute http(s) address, exactly as written; with *secrets* it may hold `${NAME}`.

    One that is *published* stands in documents and headers as it is, so that it has to be a URI (RFC 3986 §2).
    """

    secrets: bool = False
    published: bool = False
    schemes: tuple[str, ...] = ("http", "https")

    def read(self, node: Node, report: Report) -> str:
        text = text_of(node).strip()
        if self.secrets:
            reference_errors(text)
        judge_address(without_references(text) if self.secrets else text, self.schemes)
        if self.published and (odd := _NOT_IN_URI.search(text)):
            remedy = "write it as browsers send it: %XX in the path, xn--… in the host"
            raise Wrong(f"{quote(masked(text))} holds {odd[0]!r}, which an address in a feed can't", remedy)
        return text

    def schema(self) -> Schema:
        return {"type": "string", "pattern": f"^({'|'.join(self.schemes)})://[^ ]+$"}


def judge_address(url: str, schemes: tuple[str, ...] = ("http", "https")) -> None:
    """Raise Wrong, with the remedy, where *url* is no absolute address with one of *schemes* (RFC 3986 §4.3)."""
    if (found := _fault(url, schemes)) is not None:
        cause, remedy = found
        beginning = listing([scheme + "://" for scheme in schemes])
        joined = _SPACE.sub("%20", url)  # a password may hold white space
        shown = url if masked(joined) == joined else masked(joined)
        raise Wrong(f"{quote(shown)} {cause}", remedy or f"write an address that begins with {beginning}")


def _fault(url: str, schemes: tuple[str, ...]) -> tuple[str, str] | None:
    """What is wrong with *url*, and the remedy where it is a special one; None where nothing is."""
    if _SPACE.search(url):
        return "holds white space", "write one address, with spaces as %20"
    if _CONTROL.search(url):
        return "holds a control character", ""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        # Python's words would quote a password that holds a slash as a port.
        return ("has an impossible port" if "port" in str(error).lower() else "is no address"), ""
    scheme = parts.scheme.lower()
    if scheme in ("feed", "rss", "podcast") and "https" in schemes:
        rest = url.partition(":")[2].lstrip("/")
        rest = rest if rest.startswith(("http://", "https://")) else "https://" + rest
        return "is a link for readers", f"write {masked(rest)}"
    if not scheme or (not url.partition(":")[2].startswith("//") and "." in scheme):
        return "has no https:// in front", f"did you mean {('https://' + masked(url.lstrip('/')))!r}?"
    if scheme not in schemes:
        return f"has the scheme {quote(parts.scheme)}", ""
    if not host:
        return "names no host", ""
    if ":" not in host and not (_HOST.fullmatch(host) and ".." not in host and not host.startswith(".")):
        return "has an impossible host", ""
    return ("has the port 0", "write a port from 1 to 65535, or none") if port == 0 else None


@dataclass(frozen=True, slots=True)
class BaseUrl:
    """The desk's own address, perhaps with a path; given without the slash at its end."""

    def read(self, node: Node, report: Report) -> str:
        url = Address(published=True).read(node, report).rstrip("/")
        parts = urlsplit(url)
        if parts.query or parts.fragment or "?" in url or "#" in url:
            raise Wrong(f"{quote(url)} has a query or fragment", "write scheme, host and, where there is one, path")
        if parts.username is not None:
            raise Wrong(f"{quote(masked(url))} has credentials", "take them out: this address is published")
        return url

    def schema(self) -> Schema:
        return Address().schema()


@dataclass(frozen=True, slots=True)
class Contact:
    """An e-mail address or a web page; may be empty, in quotes."""

    def read(self, node: Node, report: Report) -> str:
        text = text_of(node, empty=True).strip()
        if not text.isascii():
            raise Wrong(f"{quote(text)} holds letters that a User-Agent can't", "write ASCII letters")
        if text and not _EMAIL.fullmatch(text.removeprefix("mailto:")):
            try:
                judge_address(text)
            except Wrong as wrong:
                cause = f"{quote(text)} is neither an e-mail address nor a web address"
                raise Wrong(cause, "write such as desk@example.org") from wrong
        return text

    def schema(self) -> Schema:
        return {"type": "string"}


@dataclass(frozen=True, slots=True)
class Zone:
    """A time zone of the IANA database, such as `Europe/London`."""

    def read(self, node: Node, report: Report) -> str:
        text = text_of(node).strip()
        if not _is_zone(text):
            hint = _near_zone(text) if report.may_suggest() else ""
            raise Wrong(
                f"{quote(text)} is no time zone", hint or "write one such as Europe/London, Asia/Kolkata or UTC"
            )
        return text

    def schema(self) -> Schema:
        return {"type": "string"}


def _near_zone(text: str) -> str:
    zones = _zones()
    cities = {zone.rpartition("/")[2]: zone for zone in zones}
    city = difflib.get_close_matches(text.rpartition("/")[2].replace(" ", "_").title(), cities, n=1, cutoff=0.75)
    return f"did you mean {cities[city[0]]!r}?" if city else did_you_mean(text, zones)


@lru_cache(maxsize=1000)
@cache
def _zones() -> list[str]:
    return sorted(zoneinfo.available_timezones())  # which looks through the disk


def _is_zone(text: str) -> bool:
    try:
        zoneinfo.ZoneInfo(text)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


@dataclass(frozen=True, slots=True)
class TimeOfDay:
    """An hour and minute of every day, such as `03:30`."""

    def read(self, node: Node, report: Report) -> str:
        text = text_of(node).strip()
        if not _TIME.fullmatch(text):
            raise Wrong(f"{quote(text)} is no time of day", "write hour and minute, from 00:00 to 23:59")
        return text.zfill(5)

    def schema(self) -> Schema:
        return {"type": "string", "pattern": f"^{_TIME.pattern}$"}


@dataclass(frozen=True, slots=True)
class Language:
    """A language tag such as `en` or `pt-BR` (BCP 47)."""

    def read(self, node: Node, report: Report) -> str:
        text = text_of(node).strip()
        if _LANGUAGE.fullmatch(text):
            return text
        better = _LANGUAGES.get(text.casefold()) or text.replace("_", "-")
        if better != text and _LANGUAGE.fullmatch(better):
            raise Wrong(f"{quote(text)} is no language tag", f"write {better}")
        raise Wrong(f"{quote(text)} is no language tag", "write one such as en, de or pt-BR")

    def schema(self) -> Schema:
        return {"type": "string", "pattern": "^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$"}


@dataclass(frozen=True, slots=True)
class Network:
    """A network (`10.1.0.0/16`) or one address; where *port* is allowed also an address and port."""

    port: bool = False

    def read(self, node: Node, report: Report) -> str:
        text = text_of(node).strip()
        form = "10.1.0.0/16 or 127.0.0.1:8081" if self.port else "10.1.0.0/16 or 127.0.0.1"
        if self.port and (found := split_port(text)):
            _address(found[0], text, form)
            if not 1 <= found[1] <= 65535:
                raise Wrong(f"{quote(text)} has an impossible port", "write a port from 1 to 65535")
            return text
        try:
            ipaddress.ip_network(text)
        except ValueError as error:
            try:
                meant = str(ipaddress.ip_network(text, strict=False))
            except ValueError:
                raise Wrong(f"{quote(text)} is no network or address", f"write one such as {form}") from error
            raise Wrong(f"{quote(text)} has bits set behind its mask", f"did you mean {meant!r}?") from error
        return text

    def schema(self) -> Schema:
        return {"type": "string"}


def split_port(text: str) -> tuple[str, int] | None:
    """Split `127.0.0.1:8081` or `[::1]:8081`; None for anything without a port.

    >>> split_port("[::1]:8081"), split_port("::1")
    (('::1', 8081), None)
    """
    match = re.fullmatch(r"\[([^\]]+)\]:(\d{1,6})|([^:/]+):(\d{1,6})", text)
    return None if match is None else (match[1] or match[3], int(match[2] or match[4]))


def _address(host: str, text: str, form: str) -> None:
    try:
        ipaddress.ip_address(host)
    except ValueError as error:
        raise Wrong(f"{quote(text)} names no IP address", f"write one such as {form}") from error


@dataclass(frozen=True, slots=True)
class Headers:
    """Request headers, name to value; values may hold `${NAME}`, taken from the environment."""

    def read(self, node: Node, report: Report) -> tuple[tuple[str, str], ...]:
        found: dict[str, tuple[str, str]] = {}
        if isinstance(node, ScalarNode) and node.value:
            raise Wrong("no `name: value` lines", "write such as {Authorization: 'Bearer ${TOKEN}'}")
        for name, key_node, value_node in pairs(node, report):
            try:
                if not _HEADER_NAME.fullmatch(name):
                    raise Wrong(f"{quote(name)} is no header name", "write one such as Authorization", key_node)
                if name.lower() in OWN_HEADERS:
                    raise Wrong(f"the header {name} is the desk's own", "take it out: fetch sets it", key_node)
                if name.lower() in found:
                    raise Wrong(f"the header {name} for the second time", "take one out", key_node)
                # The value may be a secret, so that no message quotes it.
                value = text_of(value_node, empty=True).strip()
                reference_errors(value)
                if not _HEADER_VALUE.fullmatch(value):
                    raise Wrong(f"the value of {name} holds letters that a header can't", "write ASCII, in one line")
                found[name.lower()] = (name, value)
            except Wrong as wrong:
                report.wrong(value_node, wrong)
        return tuple(found.values())

    def schema(self) -> Schema:
        return {"type": "object", "additionalProperties": {"type": ["string", "number"]}}


def comparable(url: str) -> str:
    """Give the form in which two configured addresses are the same: scheme and host folded, no default port."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return url
    default = {"http": 80, "https": 443}.get(parts.scheme)
    host = (parts.hostname or "") + (f":{port}" if port not in (None, default) else "")
    user = f"{parts.username}:{parts.password}@" if parts.username is not None else ""
    return f"{parts.scheme}://{user}{host}{parts.path or '/'}" + (f"?{parts.query}" if parts.query else "")
