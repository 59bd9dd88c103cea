"""Texts of one form that a key can take: addresses, zones, languages, networks, headers; and `keys_of`, the
keys that the Structs of config declare.

I/O: none but reading the zone database, through zoneinfo.
"""

from __future__ import annotations

import difflib
import ipaddress
import re
import zoneinfo
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints
from urllib.parse import SplitResult, urlsplit

from msgspec import Struct
from msgspec.structs import fields, replace
from yaml.nodes import Node, ScalarNode, SequenceNode

from feeds.configuration import Limits, OrWord, Several, Words
from feeds.files import tables
from feeds.settings.config import with_references, without_references
from feeds.settings.reports import Report, Wrong, did_you_mean, listing, quote
from feeds.settings.types import (
    YES_OR_NO,
    Key,
    Kind,
    Schema,
    choice,
    form,
    group,
    later,
    list_of,
    mapping_schema,
    number,
    or_word,
    pairs,
    read_mapping,
    text,
    text_of,
)
from feeds.urls import masked

_TABLES = tables("settings/words.txt")
_LANGUAGES = {word: tag for tag, *words in map(str.split, _TABLES["languages"]) for word in words}
_ZONES_MEANT = {word: zone for zone, *words in map(str.split, _TABLES["zones"]) for word in words}
OWN_HEADERS = frozenset(" ".join(_TABLES["own headers"]).split())

# BCP 47 (RFC 5646 §2.1) without extensions and grandfathered tags, which no feed needs.
_LANGUAGE = re.compile(
    r"[A-Za-z]{2,3}(-[A-Za-z]{3}){0,3}(-[A-Za-z]{4})?(-([A-Za-z]{2}|\d{3}))?(-([A-Za-z\d]{5,8}|\d[A-Za-z\d]{3}))*"
)
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 §5.6.2
_HEADER_VALUE = re.compile(r"[\x20-\x7e\t]*")  # RFC 9110 §5.5, without obs-text
_HOST = re.compile(r"[^\s/?#@:\[\]\\<>\"^`{|}%]+")
_NOT_IN_URI = re.compile(r"[^A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]")
_SPACE = re.compile(r"\s")
_CONTROL = re.compile("[\x00-\x1f\x7f]")
_COLOUR = re.compile("#[0-9A-Fa-f]{6}")
_TIME = re.compile(r"([01]?[0-9]|2[0-3]):[0-5][0-9]")
SECTION_KEY = re.compile(r"[a-z0-9]+([-_][a-z0-9]+)*")
_PATH = re.compile(r"/(?!/)|~|\.{1,2}/|[A-Za-z]:[\\/](?!/)|file:", re.IGNORECASE)
_EMAIL = re.compile(r"[^@\s,;<>()]+@[^@\s,;<>()]+")
_TEXT: Schema = {"type": "string"}
_WEB = ("http", "https")


# --------------------------------------------------------------------------- addresses


def address(schemes: tuple[str, ...] = _WEB, *, secrets: bool = False, published: bool = False) -> Kind:
    """An absolute address, exactly as written; with *secrets* it may hold `${NAME}`.

    One that is *published* stands in documents and headers as it is, so that it has to be a URI (RFC 3986 §2).
    """

    def judge(url: str) -> str:
        judge_address(without_references(with_references(url)) if secrets else url, schemes)
        if published:
            _judge_uri(url)
        return url

    return form(judge, {**_TEXT, "pattern": f"^({'|'.join(schemes)})://[^ ]+$"})


def _judge_uri(url: str) -> None:
    if odd := _NOT_IN_URI.search(url):
        remedy = "write it as browsers send it: %XX in the path, xn--… in the host"
        raise Wrong(f"{quote(masked(url))} holds {odd[0]!r}, which an address in a feed can't", remedy)


def judge_address(url: str, schemes: tuple[str, ...] = _WEB) -> None:
    """Raise Wrong, with the remedy, where *url* is no absolute address with one of *schemes* (RFC 3986 §4.3)."""
    if found := _fault(url, schemes):
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


def _scheme_fault(url: str, parts: SplitResult, schemes: tuple[str, ...]) -> tuple[str, str] | None:
    scheme, rest = parts.scheme.lower(), url.partition(":")[2]
    if scheme in ("feed", "rss", "podcast") and "https" in schemes:
        rest = rest.lstrip("/")
        rest = rest if rest.startswith(("http://", "https://")) else "https://" + rest
        return "is a link for readers", f"write {masked(rest)}"
    if _PATH.match(url):
        remedy = "write an address that begins with https://; documents in a folder are a source with `files:`"
        return "is a path", remedy
    if not scheme or (not rest.startswith("//") and "." in scheme):
        return "has no https:// in front", f"did you mean {('https://' + masked(url.lstrip('/')))!r}?"
    return None if scheme in schemes else (f"has the scheme {quote(parts.scheme)}", "")


def _host_fault(host: str | None, port: int | None) -> tuple[str, str] | None:
    if not host:
        return "names no host", ""
    if ":" not in host and not (_HOST.fullmatch(host) and ".." not in host and not host.startswith(".")):
        return "has an impossible host", ""
    return ("has the port 0", "write a port from 1 to 65535, or none") if port == 0 else None


def comparable(url: str) -> str:
    """Give the form in which two configured addresses are the same: scheme and host folded, no default port."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return url
    default = {"http": 80, "https": 443}.get(parts.scheme)
    host = (host or "") + (f":{port}" if port not in (None, default) else "")
    user = f"{parts.username}:{parts.password}@" if parts.username is not None else ""
    return f"{parts.scheme}://{user}{host}{parts.path or '/'}" + (f"?{parts.query}" if parts.query else "")


def _base_url(url: str) -> str:
    judge_address(url)
    _judge_uri(url)
    url = url.rstrip("/")
    if "?" in url or "#" in url:
        raise Wrong(f"{quote(url)} has a query or fragment", "write scheme, host and, where there is one, path")
    if urlsplit(url).username is not None:
        raise Wrong(f"{quote(masked(url))} has credentials", "take them out: this address is published")
    return url


def _contact(found: str) -> str:
    if not found.isascii():
        raise Wrong(f"{quote(found)} holds letters that a User-Agent can't", "write ASCII letters")
    if found and not _EMAIL.fullmatch(found.removeprefix("mailto:")):
        try:
            judge_address(found)
        except Wrong as wrong:
            cause = f"{quote(found)} is neither an e-mail address nor a web address"
            raise Wrong(cause, "write such as desk@example.org") from wrong
    return found


def _e_mail(found: str) -> str:
    if not (found.isascii() and _EMAIL.fullmatch(found)):
        raise Wrong(f"{quote(found)} is no e-mail address", "write one such as desk@example.org, without a name")
    return found


def _mailbox(found: str) -> str:
    if "://" in found:
        judge_address(without_references(with_references(found)), ("imaps", "imap"))
    return found


def _network(found: str, such: str = "10.1.0.0/16 or 127.0.0.1") -> str:
    try:
        ipaddress.ip_network(found)
    except ValueError as error:
        try:
            meant = str(ipaddress.ip_network(found, strict=False))
        except ValueError:
            raise Wrong(f"{quote(found)} is no network or address", f"write one such as {such}") from error
        raise Wrong(f"{quote(found)} has bits set behind its mask", f"did you mean {meant!r}?") from error
    return found


def _network_or_port(found: str) -> str:
    such = "10.1.0.0/16 or 127.0.0.1:8081"
    if (parts := split_port(found)) is None:
        return _network(found, such)
    try:
        ipaddress.ip_address(parts[0])
    except ValueError as error:
        raise Wrong(f"{quote(found)} names no IP address", f"write one such as {such}") from error
    if not 1 <= parts[1] <= 65535:
        raise Wrong(f"{quote(found)} has an impossible port", "write a port from 1 to 65535")
    return found


def split_port(found: str) -> tuple[str, int] | None:
    """Split `127.0.0.1:8081` or `[::1]:8081`; None for anything without a port.

    >>> split_port("[::1]:8081"), split_port("::1")
    (('::1', 8081), None)
    """
    match = re.fullmatch(r"\[([^\]]+)\]:(\d{1,6})|([^:/]+):(\d{1,6})", found)
    return None if match is None else (match[1] or match[3], int(match[2] or match[4]))


# --------------------------------------------------------------------------- words


def _written(pattern: re.Pattern[str], what: str, remedy: str, change: Callable[[str], str]) -> Kind:
    """A text that *pattern* matches whole, as *change* gives it; *what* says what another is not."""

    def judge(found: str) -> str:
        if not pattern.fullmatch(found):
            raise Wrong(f"{quote(found)} is no {what}", remedy)
        return change(found)

    return form(judge, {**_TEXT, "pattern": f"^{pattern.pattern}$"})


def judge_language(found: str) -> str:
    """Give *found* where it is a language tag (BCP 47); else raise Wrong."""
    if _LANGUAGE.fullmatch(found):
        return found
    better = _LANGUAGES.get(found.casefold()) or found.replace("_", "-")
    hint = f"write {better}" if _LANGUAGE.fullmatch(better) else "write one such as en, de or pt-BR"
    raise Wrong(f"{quote(found)} is no language tag", hint)


def _zone(node: Node, report: Report) -> str:
    found = text_of(node).strip()
    if not _is_zone(found):
        hint = _near_zone(found) if report.may_suggest() else ""
        raise Wrong(f"{quote(found)} is no time zone", hint or "write one such as Europe/London, Asia/Kolkata or UTC")
    return found


@lru_cache(maxsize=1000)
def _is_zone(found: str) -> bool:
    try:
        zoneinfo.ZoneInfo(found)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _near_zone(found: str) -> str:
    short = re.fullmatch(r"([A-Z]{2,4})?([+-]?\d{1,2}(:?\d\d)?)?([A-Z]{3})?", found.upper().replace(" ", ""))
    if short is not None and (short[2] or short[1] in _ZONES_MEANT):
        if zone := _ZONES_MEANT.get(short[1] or ""):
            return f"write the zone of a place, such as {zone}"
        return "write the zone of a place, such as Europe/London or America/New_York: it knows summer time"
    zones = _zones()
    cities = {zone.rpartition("/")[2]: zone for zone in zones}
    city = difflib.get_close_matches(found.rpartition("/")[2].replace(" ", "_").title(), cities, n=1, cutoff=0.75)
    return f"did you mean {cities[city[0]]!r}?" if city else did_you_mean(found, zones)


@cache
def _zones() -> list[str]:
    return sorted(zoneinfo.available_timezones())  # which looks through the disk


def _path(found: str) -> str:
    path = found.strip("/")
    if not path or not all(map(SECTION_KEY.fullmatch, path.split("/"))):
        raise Wrong(f"{quote(path)} is no path", "write keys joined with /, such as news/world")
    return path


PATH = form(_path, {**_TEXT, "pattern": "^[a-z0-9_/-]+$"})
"""The path of a section: its keys joined with `/`; a slash at either end is overlooked."""


def _one_path(node: Node, report: Report) -> Any:
    if isinstance(node, SequenceNode) or (isinstance(node, ScalarNode) and "," in node.value):
        raise _several_sections(node)
    return PATH.read(node, report)


def _several_sections(node: Node) -> Wrong:
    written = [one.value for one in node.value] if isinstance(node, SequenceNode) else node.value.split(",")
    first, *others = [str(one).strip() for one in written] or ["…"]
    if not others:
        return Wrong("a list where one section belongs", f"write it without brackets: section: {first}")
    remedy = (
        f"in sections.yaml, under `match: any:` of {listing(others, 'and')}, write `- source: ` and this source's name"
    )
    return Wrong(f"{len(others) + 1} sections for one source", f"keep `section: {first}` here; {remedy}")


# --------------------------------------------------------------------------- headers


def _headers(node: Node, report: Report) -> tuple[tuple[str, str], ...]:
    """Request headers, name to value; values may hold `${NAME}`, taken from the environment."""
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


def _header(name: str, key_node: Node, value_node: Node) -> str:
    """The value of the header *name*. It may be a secret, so that no message quotes it."""
    if not _HEADER_NAME.fullmatch(name):
        raise Wrong(f"{quote(name)} is no header name", "write one such as Authorization", key_node)
    if name.lower() in OWN_HEADERS:
        raise Wrong(f"the header {name} is the desk's own", "take it out: fetch sets it", key_node)
    value = with_references(text_of(value_node, empty=True).strip())
    if not _HEADER_VALUE.fullmatch(value):
        raise Wrong(f"the value of {name} holds letters that a header can't", "write ASCII, in one line")
    return value


# --------------------------------------------------------------------------- keys

RULES = later({"$ref": "#/definitions/rules"})
"""A match rule, which `match_rules` reads."""
MAILBOX = form(_mailbox, _TEXT)
"""A mailbox on a server, or the path of a Maildir."""
WITH_SECRETS = address(secrets=True)
FORMS: dict[str, Kind] = {
    "published address": address(published=True),
    "secret address": WITH_SECRETS,
    "e-mail": form(_e_mail, _TEXT),
    "mail server": address(("smtps", "smtp"), secrets=True),
    "secret": form(with_references, _TEXT),
    "proxy": address(("http", "https", "socks5", "socks5h")),
    "base url": form(_base_url, address().schema),
    "contact": form(_contact, _TEXT, empty=True),
    "zone": Kind(_zone, _TEXT),
    "time of day": _written(
        _TIME, "time of day", "write hour and minute, from 00:00 to 23:59", lambda found: found.zfill(5)
    ),
    "language": form(judge_language, {**_TEXT, "pattern": "^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$"}),
    "colour": _written(_COLOUR, "colour", "write # and six hexadecimal digits in quotes, such as '#0a5c36'", str.lower),
    "network": form(_network, _TEXT),
    "network or port": form(_network_or_port, _TEXT),
    "headers": Kind(_headers, {"type": "object", "additionalProperties": {"type": ["string", "number"]}}),
    "path": PATH,
    "one path": Kind(_one_path, PATH.schema),
    "rules": RULES,
    "selectors": later({"$ref": "#/definitions/select"}),  # which `judge_select` reads
}
"""What the names mean that fields of `feeds.configuration` give for their form."""


def keys_of(kind: Any) -> dict[str, Key]:
    """The keys that *kind*, a Struct of config, declares: its fields that say what they take and what they do."""
    hints = get_type_hints(kind, include_extras=True)
    return {name: _key(hint) for name, hint in hints.items() if get_origin(hint) is Annotated}


def _key(hint: Any) -> Key:
    *limits, help = hint.__metadata__
    return Key(_kind(hint.__origin__, {type(one): one for one in limits}), help)


def _kind(hint: Any, limits: dict[type, Any]) -> Kind:
    """What a field of the type *hint* takes within *limits*, by their class."""
    if word := limits.pop(OrWord, None):
        return or_word(word.word, word.means, _kind(hint, limits))
    arguments = get_args(hint)
    if get_origin(hint) is tuple and get_origin(arguments[0]) is not tuple:
        several = limits.pop(Several, Several())
        item = _record(arguments[0]) if _is_record(arguments[0]) else _kind(arguments[0], limits)
        return list_of(item, several.least, several.most, once=not _is_record(arguments[0]))
    if type(None) in arguments:  # which config can't say
        return _kind(arguments[0], limits)
    if str in limits:
        return FORMS[limits[str]]
    if _is_record(hint):
        return group(keys_of(hint))
    if get_origin(hint) is Literal:
        return choice(arguments)
    return _plain_kind(hint, limits)


def _is_record(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, Struct)


def _plain_kind(hint: type, limits: dict[type, Any]) -> Kind:
    if hint is bool:
        return YES_OR_NO
    if hint is str:
        words: Words = limits[Words]
        return text(words.longest, empty=words.empty, lines=words.lines)
    span: Limits = limits[Limits]
    return number(span.least, span.most, span.unit, whole=hint is int)


def _record(kind: Any) -> Kind:
    """A mapping with the keys of *kind*, a Struct: one that is complete, where no key is wrong."""
    needed = {one.name for one in fields(kind) if one.required}
    keys = {name: replace(key, required=name in needed) for name, key in keys_of(kind).items()}

    def read(node: Node, report: Report) -> Any:
        before = len(report.errors)
        values = read_mapping(node, keys, report).values
        # What is wrong was reported already; the config holds as little as its other errors let it.
        return kind(**values) if len(report.errors) == before else None

    return Kind(read, mapping_schema(keys))
