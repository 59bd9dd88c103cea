"""Texts of one form that a key can take: addresses, zones, languages, networks, headers; and `keys_of`, the keys that
the dataclasses of config declare.

I/O: none but reading the zone database, through zoneinfo.
"""

from __future__ import annotations

import difflib
import ipaddress
import re
import zoneinfo
from dataclasses import MISSING, dataclass, fields, is_dataclass, replace
from functools import cache, lru_cache
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints
from urllib.parse import SplitResult, urlsplit

from yaml.nodes import Node, ScalarNode, SequenceNode

from feeds.configuration import Limits, OrWord, Several, Words
from feeds.settings.config import reference_errors, without_references
from feeds.settings.reports import Report, Wrong, did_you_mean, listing, quote
from feeds.settings.types import (
    Choice,
    Form,
    Group,
    Key,
    Kind,
    Later,
    ListOf,
    Number,
    Or,
    Schema,
    Text,
    YesNo,
    mapping_schema,
    pairs,
    read_mapping,
    text_of,
)
from feeds.urls import masked

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
_SHORT_ZONES = {
    "EST": "America/New_York", "EDT": "America/New_York", "ET": "America/New_York", "CST": "America/Chicago",
    "CDT": "America/Chicago", "CT": "America/Chicago", "MST": "America/Denver", "MDT": "America/Denver",
    "MT": "America/Denver", "PST": "America/Los_Angeles", "PDT": "America/Los_Angeles", "PT": "America/Los_Angeles",
    "BST": "Europe/London", "CEST": "Europe/Berlin", "MEZ": "Europe/Berlin", "MESZ": "Europe/Berlin",
    "EEST": "Europe/Athens", "MSK": "Europe/Moscow", "IST": "Asia/Kolkata", "JST": "Asia/Tokyo", "KST": "Asia/Seoul",
    "AEST": "Australia/Sydney", "AEDT": "Australia/Sydney", "NZST": "Pacific/Auckland", "SAST": "Africa/Johannesburg",
}  # fmt: skip
"""What people mean by names that are no zones of the database, or are those of several places."""
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
_COLOUR = re.compile("#[0-9A-Fa-f]{6}")
_TIME = re.compile(r"([01]?[0-9]|2[0-3]):[0-5][0-9]")
SECTION_KEY = re.compile(r"[a-z0-9]+([-_][a-z0-9]+)*")
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
        if self.published:
            _judge_uri(text)
        return text

    def schema(self) -> Schema:
        return {"type": "string", "pattern": f"^({'|'.join(self.schemes)})://[^ ]+$"}


def _judge_uri(url: str) -> None:
    if odd := _NOT_IN_URI.search(url):
        remedy = "write it as browsers send it: %XX in the path, xn--… in the host"
        raise Wrong(f"{quote(masked(url))} holds {odd[0]!r}, which an address in a feed can't", remedy)


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
    return _scheme_fault(url, parts, schemes) or _host_fault(host, port)


def _host_fault(host: str | None, port: int | None) -> tuple[str, str] | None:
    if not host:
        return "names no host", ""
    if ":" not in host and not (_HOST.fullmatch(host) and ".." not in host and not host.startswith(".")):
        return "has an impossible host", ""
    return ("has the port 0", "write a port from 1 to 65535, or none") if port == 0 else None


def _scheme_fault(url: str, parts: SplitResult, schemes: tuple[str, ...]) -> tuple[str, str] | None:
    scheme, rest = parts.scheme.lower(), url.partition(":")[2]
    if scheme in ("feed", "rss", "podcast") and "https" in schemes:
        rest = rest.lstrip("/")
        rest = rest if rest.startswith(("http://", "https://")) else "https://" + rest
        return "is a link for readers", f"write {masked(rest)}"
    if not scheme or (not rest.startswith("//") and "." in scheme):
        return "has no https:// in front", f"did you mean {('https://' + masked(url.lstrip('/')))!r}?"
    return None if scheme in schemes else (f"has the scheme {quote(parts.scheme)}", "")


def _colour(text: str, report: Report) -> str:
    if not _COLOUR.fullmatch(text):
        raise Wrong(f"{quote(text)} is no colour", "write # and six hexadecimal digits in quotes, such as '#0a5c36'")
    return text.lower()


def _base_url(text: str, report: Report) -> str:
    judge_address(text)
    _judge_uri(text)
    url = text.rstrip("/")
    parts = urlsplit(url)
    if "?" in url or "#" in url:
        raise Wrong(f"{quote(url)} has a query or fragment", "write scheme, host and, where there is one, path")
    if parts.username is not None:
        raise Wrong(f"{quote(masked(url))} has credentials", "take them out: this address is published")
    return url


def _contact(text: str, report: Report) -> str:
    if not text.isascii():
        raise Wrong(f"{quote(text)} holds letters that a User-Agent can't", "write ASCII letters")
    if text and not _EMAIL.fullmatch(text.removeprefix("mailto:")):
        try:
            judge_address(text)
        except Wrong as wrong:
            cause = f"{quote(text)} is neither an e-mail address nor a web address"
            raise Wrong(cause, "write such as desk@example.org") from wrong
    return text


def _zone(text: str, report: Report) -> str:
    if not _is_zone(text):
        hint = _near_zone(text) if report.may_suggest() else ""
        raise Wrong(f"{quote(text)} is no time zone", hint or "write one such as Europe/London, Asia/Kolkata or UTC")
    return text


def _near_zone(text: str) -> str:
    short = re.fullmatch(r"([A-Z]{2,4})?([+-]?\d{1,2}(:?\d\d)?)?([A-Z]{3})?", text.upper().replace(" ", ""))
    if short is not None and (short[2] or short[1] in _SHORT_ZONES):
        if zone := _SHORT_ZONES.get(short[1] or ""):
            return f"write the zone of a place, such as {zone}"
        return "write the zone of a place, such as Europe/London or America/New_York: it knows summer time"
    zones = _zones()
    cities = {zone.rpartition("/")[2]: zone for zone in zones}
    city = difflib.get_close_matches(text.rpartition("/")[2].replace(" ", "_").title(), cities, n=1, cutoff=0.75)
    return f"did you mean {cities[city[0]]!r}?" if city else did_you_mean(text, zones)


@cache
def _zones() -> list[str]:
    return sorted(zoneinfo.available_timezones())  # which looks through the disk


@lru_cache(maxsize=1000)
def _is_zone(text: str) -> bool:
    try:
        zoneinfo.ZoneInfo(text)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _time_of_day(text: str, report: Report) -> str:
    if not _TIME.fullmatch(text):
        raise Wrong(f"{quote(text)} is no time of day", "write hour and minute, from 00:00 to 23:59")
    return text.zfill(5)


def judge_language(text: str) -> str:
    """Give *text* where it is a language tag (BCP 47); else raise Wrong."""
    if _LANGUAGE.fullmatch(text):
        return text
    better = _LANGUAGES.get(text.casefold()) or text.replace("_", "-")
    if better != text and _LANGUAGE.fullmatch(better):
        raise Wrong(f"{quote(text)} is no language tag", f"write {better}")
    raise Wrong(f"{quote(text)} is no language tag", "write one such as en, de or pt-BR")


def _network(text: str, report: Report, form: str = "10.1.0.0/16 or 127.0.0.1") -> str:
    try:
        ipaddress.ip_network(text)
    except ValueError as error:
        try:
            meant = str(ipaddress.ip_network(text, strict=False))
        except ValueError:
            raise Wrong(f"{quote(text)} is no network or address", f"write one such as {form}") from error
        raise Wrong(f"{quote(text)} has bits set behind its mask", f"did you mean {meant!r}?") from error
    return text


def _network_or_port(text: str, report: Report) -> str:
    form = "10.1.0.0/16 or 127.0.0.1:8081"
    found = split_port(text)
    if found is None:
        return _network(text, report, form)
    try:
        ipaddress.ip_address(found[0])
    except ValueError as error:
        raise Wrong(f"{quote(text)} names no IP address", f"write one such as {form}") from error
    if not 1 <= found[1] <= 65535:
        raise Wrong(f"{quote(text)} has an impossible port", "write a port from 1 to 65535")
    return text


def split_port(text: str) -> tuple[str, int] | None:
    """Split `127.0.0.1:8081` or `[::1]:8081`; None for anything without a port.

    >>> split_port("[::1]:8081"), split_port("::1")
    (('::1', 8081), None)
    """
    match = re.fullmatch(r"\[([^\]]+)\]:(\d{1,6})|([^:/]+):(\d{1,6})", text)
    return None if match is None else (match[1] or match[3], int(match[2] or match[4]))


@dataclass(frozen=True, slots=True)
class Headers:
    """Request headers, name to value; values may hold `${NAME}`, taken from the environment."""

    def read(self, node: Node, report: Report) -> tuple[tuple[str, str], ...]:
        found: dict[str, tuple[str, str]] = {}
        if isinstance(node, ScalarNode) and node.value:
            raise Wrong("no `name: value` lines", "write such as {Authorization: 'Bearer ${TOKEN}'}")
        for name, key_node, value_node in pairs(node, report):
            try:
                if name.lower() in found:
                    raise Wrong(f"the header {name} for the second time", "take one out", key_node)
                found[name.lower()] = (name, _header(name, key_node, value_node))
            except Wrong as wrong:
                report.wrong(value_node, wrong)
        return tuple(found.values())

    def schema(self) -> Schema:
        return {"type": "object", "additionalProperties": {"type": ["string", "number"]}}


def _header(name: str, key_node: Node, value_node: Node) -> str:
    """The value of the header *name*. It may be a secret, so that no message quotes it."""
    if not _HEADER_NAME.fullmatch(name):
        raise Wrong(f"{quote(name)} is no header name", "write one such as Authorization", key_node)
    if name.lower() in OWN_HEADERS:
        raise Wrong(f"the header {name} is the desk's own", "take it out: fetch sets it", key_node)
    value = text_of(value_node, empty=True).strip()
    reference_errors(value)
    if not _HEADER_VALUE.fullmatch(value):
        raise Wrong(f"the value of {name} holds letters that a header can't", "write ASCII, in one line")
    return value


def _path(text: str, report: Report) -> str:
    path = text.strip("/")
    if not path or not all(map(SECTION_KEY.fullmatch, path.split("/"))):
        raise Wrong(f"{quote(path)} is no path", "write keys joined with /, such as news/world")
    return path


PATH = Form(_path, {"type": "string", "pattern": "^[a-z0-9_/-]+$"})
"""The path of a section: its keys joined with `/`; a slash at either end is overlooked."""


@dataclass(frozen=True, slots=True)
class OneSection:
    """The path of the one section that a source names; rules file it in more."""

    def read(self, node: Node, report: Report) -> str:
        if isinstance(node, SequenceNode) or (isinstance(node, ScalarNode) and "," in node.value):
            raise _several_sections(node)
        return PATH.read(node, report)

    def schema(self) -> Schema:
        return PATH.schema()


def _several_sections(node: Node) -> Wrong:
    written = [one.value for one in node.value] if isinstance(node, SequenceNode) else node.value.split(",")
    first, *others = [str(one).strip() for one in written] or ["…"]
    if not others:
        return Wrong("a list where one section belongs", f"write it without brackets: section: {first}")
    remedy = (
        f"in sections.yaml, under `match: any:` of {listing(others, 'and')}, write `- source: ` and this source's name"
    )
    return Wrong(f"{len(others) + 1} sections for one source", f"keep `section: {first}` here; {remedy}")


def comparable(url: str) -> str:
    """Give the form in which two configured addresses are the same: scheme and host folded, no default port."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return url
    default = {"http": 80, "https": 443}.get(parts.scheme)
    host = (parts.hostname or "") + (f":{port}" if port not in (None, default) else "")
    user = f"{parts.username}:{parts.password}@" if parts.username is not None else ""
    return f"{parts.scheme}://{user}{host}{parts.path or '/'}" + (f"?{parts.query}" if parts.query else "")


def _mail(text: str, report: Report) -> str:
    if "://" in text:
        reference_errors(text)
        judge_address(without_references(text), ("imaps", "imap"))
    return text


MAIL = Form(_mail, {"type": "string"})
"""A mailbox on a server, or the path of a Maildir."""


def _secret(text: str, report: Report) -> str:
    reference_errors(text)
    return text


def _e_mail(text: str, report: Report) -> str:
    if not (text.isascii() and _EMAIL.fullmatch(text)):
        raise Wrong(f"{quote(text)} is no e-mail address", "write one such as desk@example.org, without a name")
    return text


RULES = Later({"$ref": "#/definitions/rules"})
"""A match rule, which `match_rules` reads."""
FORMS: dict[str, Kind] = {
    "published address": Address(published=True),
    "secret address": Address(secrets=True),
    "e-mail": Form(_e_mail, {"type": "string"}),
    "mail server": Address(secrets=True, schemes=("smtps", "smtp")),
    "secret": Form(_secret, {"type": "string"}),
    "proxy": Address(schemes=("http", "https", "socks5", "socks5h")),
    "base url": Form(_base_url, Address().schema()),
    "contact": Form(_contact, {"type": "string"}, empty=True),
    "zone": Form(_zone, {"type": "string"}),
    "time of day": Form(_time_of_day, {"type": "string", "pattern": f"^{_TIME.pattern}$"}),
    "language": Form(
        lambda text, report: judge_language(text), {"type": "string", "pattern": "^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$"}
    ),
    "colour": Form(_colour, {"type": "string", "pattern": f"^{_COLOUR.pattern}$"}),
    "network": Form(_network, {"type": "string"}),
    "network or port": Form(_network_or_port, {"type": "string"}),
    "headers": Headers(),
    "path": PATH,
    "one path": OneSection(),
    "rules": RULES,
    "selectors": Later({"$ref": "#/definitions/select"}),  # which `select_keys` reads
}
"""What the names mean that fields of `feeds.model` give for their form."""


@dataclass(frozen=True, slots=True)
class Record:
    """A mapping with the keys of *kind*, a dataclass: one that is complete, where no key is wrong."""

    kind: Any

    def _keys(self) -> dict[str, Key]:
        needed = {one.name for one in fields(self.kind) if one.default is MISSING}
        return {name: replace(key, required=name in needed) for name, key in keys_of(self.kind).items()}

    def read(self, node: Node, report: Report) -> Any:
        before = len(report.errors)
        values = read_mapping(node, self._keys(), report).values
        # What is wrong was told already; the config holds as little as its other errors let it.
        return self.kind(**values) if len(report.errors) == before else None

    def schema(self) -> Schema:
        return mapping_schema(self._keys())


def keys_of(kind: Any) -> dict[str, Key]:
    """The keys that *kind*, a dataclass of config, declares: its fields that say what they take and what they do."""
    hints = get_type_hints(kind, include_extras=True)
    return {name: _key(hint) for name, hint in hints.items() if get_origin(hint) is Annotated}


def _key(hint: Any) -> Key:
    *limits, says = hint.__metadata__
    return Key(takes=_kind(hint.__origin__, {type(one): one for one in limits}), says=says)


def _kind(hint: Any, limits: dict[type, Any]) -> Kind:
    """What a field of the type *hint* takes within *limits*, by their class."""
    if word := limits.pop(OrWord, None):
        return Or(word.word, word.means, _kind(hint, limits))
    arguments = get_args(hint)
    if get_origin(hint) is tuple and is_dataclass(arguments[0]):
        several = limits.pop(Several, Several())
        return ListOf(Record(arguments[0]), several.least, several.most, once=False)
    if type(None) in arguments:  # which config can't say
        return _kind(arguments[0], limits)
    if get_origin(hint) is tuple and get_origin(arguments[0]) is not tuple:
        several = limits.pop(Several, Several())
        return ListOf(_kind(arguments[0], limits), several.least, several.most)
    if str in limits:
        return FORMS[limits[str]]
    if is_dataclass(hint):
        return Group(keys_of(hint))
    if get_origin(hint) is Literal:
        return Choice(arguments)
    return _plain_kind(hint, limits)


def _plain_kind(hint: type, limits: dict[type, Any]) -> Kind:
    if hint is bool:
        return YesNo()
    if hint is str:
        words: Words = limits[Words]
        return Text(words.longest, words.empty, words.lines)
    number: Limits = limits[Limits]
    return Number(number.least, number.most, number.unit, whole=hint is int)
