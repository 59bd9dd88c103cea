"""What a URL asks for: scheme, host, port and request target, parsed once and without mercy. Pure; ground of fetch.

libcurl gets a URL put together from these parts, so that nobody reads a host into it that the guard did not see.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import quote, unquote_to_bytes, urljoin

import idna
from msgspec import Struct
from msgspec.structs import replace

from feeds.errors import UrlError
from feeds.urls import DEFAULT_PORTS, MAX_URL_CHARS, masked

_PARTS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)([^?#]*)(\?[^#]*)?(?:#.*)?", re.DOTALL)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
_HOST = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,62})(?:\.[a-z0-9_][a-z0-9_-]{0,62})*")
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]*|[0-9]+")
_USERINFO = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*:)?//[^/?#]*@")
Address = IPv4Address | IPv6Address
Origin = tuple[str, str, int]


class SchemeRefused(UrlError):
    """A URL of a scheme that is never fetched."""


class Target(Struct, frozen=True):
    """One URL, ready to be asked. *host* is lower-case ASCII without brackets; *path* is sent byte for byte.

    *literal* is the address where the host is one, in whatever spelling. *userinfo* is as written, never sent on
    as part of a URL.
    """

    scheme: str
    host: str
    port: int
    path: str
    userinfo: str | None = None
    literal: Address | None = None

    @property
    def origin(self) -> Origin:
        """Scheme, host and port: the circle within which credentials may be shown (RFC 6454 §4)."""
        return (self.scheme, self.host, self.port)

    @property
    def site(self) -> str:
        """The origin as a URL without path."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (
            f"{self.scheme}://{host}"
            if self.port == DEFAULT_PORTS[self.scheme]
            else f"{self.scheme}://{host}:{self.port}"
        )

    @property
    def url(self) -> str:
        """The whole URL, without credentials and fragment."""
        return self.site + self.path

    @property
    def credentials(self) -> bytes | None:
        """``user:password`` as Basic authentication wants it, percent-escapes undone; None where there is none."""
        return None if not self.userinfo else unquote_to_bytes(self.userinfo)


def parse_target(url: str) -> Target:
    """Take *url* apart. Path and query stay exactly as written; only what no request may hold is escaped.

    Raises UrlError for what is not an absolute http(s) URL with a usable host.
    >>> parse_target("HTTP://Bücher.example:80/a/../b?q=%7e#top").url
    'http://xn--bcher-kva.example/a/../b?q=%7e'
    >>> parse_target("http://0x7f.1/").host
    '127.0.0.1'
    """
    text = url.strip(" \t\r\n")
    if len(text) > MAX_URL_CHARS:
        raise _bad(url, f"a URL of more than {MAX_URL_CHARS} characters")
    if _CONTROLS.search(text):
        raise _bad(url, "control characters in the URL")
    found = _PARTS.fullmatch(text)
    if not found:
        raise _bad(url, "not an absolute http(s) URL")
    scheme = found[1].lower()
    if scheme not in DEFAULT_PORTS:
        raise SchemeRefused(f"scheme {scheme!r} is neither http nor https", url=masked(url))
    if "\\" in found[2]:
        raise _bad(url, "a backslash in the host, which some read as the end of it")
    userinfo, _, place = found[2].rpartition("@")
    try:
        host, port, literal = _place(place, DEFAULT_PORTS[scheme])
    except ValueError as error:
        raise _bad(url, str(error)) from error
    path = _escaped((found[3] or "/") + (found[4] or ""))
    return Target(scheme, host, port, path, userinfo or None, literal)


def follow(base: Target, location: str) -> Target:
    """The target of a ``Location`` (RFC 9110 §10.2.2), resolved against *base*; its credentials are dropped.

    Raises UrlError for one that names nothing, or nothing that may be asked.
    """
    text = location.strip(" \t")
    if not text or _CONTROLS.search(text):
        raise _bad(location, "an empty or damaged Location")
    if not _SCHEME.match(text):
        try:
            text = urljoin(base.url, text)
        except ValueError as error:
            raise _bad(location, "a malformed Location") from error
    return replace(parse_target(text), userinfo=None)


def without_credentials(url: str) -> str:
    """*url* without its user information, else as it stands."""
    return _USERINFO.sub(lambda found: f"{found[1] or ''}//", url)


def _bad(url: str, cause: str) -> UrlError:
    return UrlError(cause, url=masked(url))


@lru_cache(maxsize=4096)
def _place(place: str, default_port: int) -> tuple[str, int, Address | None]:
    """Host, port and, where the host spells one, the address of *place*; raises ValueError with the reason."""
    host, separator, digits = place.rpartition(":")
    if not separator or place.endswith("]"):
        host, digits = place, ""
    if digits and not _is_port(digits):
        raise ValueError(f"port {digits[:20]!r} is not between 1 and 65535")
    if not host:
        raise ValueError("no host")
    literal = _literal(host)
    return str(literal) if literal else _name(host), int(digits) if digits else default_port, literal


def _is_port(digits: str) -> bool:
    return digits.isascii() and digits.isdigit() and len(digits) <= 5 and 1 <= int(digits) <= 65535


def _literal(host: str) -> Address | None:
    """The address that *host* spells: IPv6 in brackets, or IPv4 in any form that some resolver takes."""
    if host.startswith("["):
        return _ipv6(host)
    # Full-width digits and the like become plain ones here, as they would on their way through IDNA.
    folded = host if host.isascii() else _uts46(host)
    parts = folded.removesuffix(".").split(".")
    if not _NUMBER.fullmatch(parts[-1]):
        return None
    if (address := _ipv4(parts)) is None:
        raise ValueError("a host that ends in a number and is no IPv4 address")
    return address


def _ipv6(host: str) -> IPv6Address:
    try:
        address = IPv6Address(host[1:-1]) if host.endswith("]") else None
    except ValueError:
        address = None
    if address is None or address.scope_id:
        raise ValueError("a malformed IPv6 address")
    return address


def _ipv4(parts: Sequence[str]) -> IPv4Address | None:
    """The address of one to four numbers, of which the last fills what the others leave (RFC 3986 §7.4)."""
    try:
        *first, last = [_number(part) for part in parts]
    except ValueError:
        return None
    if len(parts) > 4 or any(number > 255 for number in first) or last >= 256 ** (5 - len(parts)):
        return None
    return IPv4Address(last + sum(number << 8 * (3 - index) for index, number in enumerate(first)))


def _number(text: str) -> int:
    if not _NUMBER.fullmatch(text) or len(text) > 12:
        raise ValueError(text)
    if text[:2].lower() == "0x":
        return int(text[2:] or "0", 16)
    return int(text, 8 if len(text) > 1 and text[0] == "0" else 10)


def _uts46(host: str) -> str:
    try:
        return idna.uts46_remap(host, std3_rules=False)
    except (idna.IDNAError, UnicodeError):
        raise ValueError("a host name that IDNA does not allow") from None


def _name(host: str) -> str:
    if host.isascii():
        name = host.lower()
    else:
        try:
            name = idna.encode(host, uts46=True).decode("ascii").lower()
        except (idna.IDNAError, UnicodeError):
            raise ValueError("a host name that IDNA does not allow") from None
    name = name.removesuffix(".")
    if len(name) > 253 or not _HOST.fullmatch(name):
        raise ValueError("a malformed host name")
    return name


def _escaped(path: str) -> str:
    return path.replace(" ", "%20") if path.isascii() else quote(path, safe="".join(map(chr, range(0x21, 0x7F))))
