"""URLs: relative references made absolute, hosts and their registrable domains, what may be a secret masked, and
whether the desk's own `base_url` leads to where it listens. Pure.

The form in which two copies of one article compare equal is in `feeds.comparable`.
"""

from __future__ import annotations

import re
from contextlib import suppress
from functools import cache, lru_cache
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, quote, unquote, urljoin, urlsplit
from zlib import crc32

import idna

from feeds.errors import UrlError

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList

MAX_URL_CHARS = 8192
LISTENING = "WIREDESK_LISTENING"
"""The variable with the port that the desk listens on: its own processes tell each other, nobody else sets it."""
OWN = "http://desk.invalid"
"""Stands for the desk's own address in what is stored of articles, for that address may change; in place of it goes
`base_url`, wherever an article leaves the desk. No machine can have this name (RFC 6761, 6.4).
"""
_KNOWN_INSIDE = (".local", ".lan", ".internal", ".home.arpa", ".localdomain")
DEFAULT_PORTS = {"http": 80, "https": 443}

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
_SCHEME = re.compile(r"https?:", re.IGNORECASE)
_WORD = re.compile(r"\S+")
_USER = re.compile(
    r"(?P<front>[\\/]{2}|https?:[\\/]?)(?P<user>"
    r"[^\s/\\?#]*(?:@|%40)"  # as it should be
    r"|[^\s/?#@:\[]*:(?!\d*(?:[/\\?#]|$))\S*(?:@|%40)"  # a password that holds what ends a host
    r"|(?!localhost:)[^\s/?#@:.\[\]]+:\d+[/\\?#]\S*(?:@|%40)(?=[\w-]+\.\w)"  # one that also begins like a port
    r")",
    re.IGNORECASE,
)
_BARE_USER = re.compile(
    r"^(?P<front>\W*//(?=\W)|\W*)(?!(?:https?|mailto|xmpp|acct|sips?|tag):)"
    r"(?P<user>[^\w\s/@:]{0,9}?\w[^\s/@:]*:[^\s/]+@)(?=[\w-]+\.\w)"
)
_PARAMETER = re.compile(
    r"""(?P<front>&amp;|[?&;#/])(?P<name>[\w.%\[\]-]{1,80})=(?P<value>(?:[^&#;?\s"'<>]|\?(?![\w.%-]{1,40}=)|["'](?![\s,;:.)\]}]|$))+)"""
)
_SEGMENT = re.compile(
    r"(?P<front>/(?:(?P<name>private|[a-z]{0,12}[_-]?(?:token|key|auth|secret|session|sid|signature|password))/|(?:private|secret|token|key|auth|apikey|session)[-_:]))"
    r"(?P<value>[\w.~%+=-]{8,512})(?=[/?#\s]|$)",
    re.IGNORECASE,
)
_WEB_TOKEN = re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*")  # a JWT, RFC 7519: three times base64, begun with {"
_HEADER = re.compile(
    r"""(?P<front>\b(?:authorization|cookie|x-[\w-]*(?:key|token|auth|secret))\b["']?\s*[:=]\s*)(?P<value>[^\r\n]+)""",
    re.IGNORECASE,
)
_MAIL = re.compile(r"[^@\s/]+@[^@\s/]+\.[A-Za-z]{2,}")
_REFERENCE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")
_NAME_PARTS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_SECRET_WORDS = frozenset(
    """
    apikey auth authkey authorization bearer cftoken credential credentials hmac jsessionid jwt key keyid oauth otp pass
    passcode passphrase passwd password phpsessid pin pwd secret sess sessid session sessionid sid sig signature token
    """.split()
)
_SECRET_ENDS = re.compile(
    r"(?:token|secret|passw(?:or)?d|passwd|signature|session(?:id)?|sessid|auth|credentials?|passphrase"
    r"|(?:access|account|api|app|auth|client|consumer|feed|license|member|private|rss|secret|site|subscriber|user)key"
    r"|accesskeyid)\d*$|aspsessionid"
)
_NAMING_ENDS = re.compile(r"(?:id|ids|uuid|guid|channel|list|playlist|v|q|p|url|uri|link|slug|hash|feed|file|path)")
"""Last words of parameters whose value, however random it looks, says what is asked for and not who asks."""
_UUID = re.compile(r"\{?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\}?", re.IGNORECASE)
_HEX = re.compile(r"[0-9a-f]{16,}", re.IGNORECASE)
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{16,}={0,2}(?:\.[A-Za-z0-9+/_-]{8,}={0,2}){0,2}")
_FRACTION = re.compile(r"0\.[0-9]{6,}")
LEAST_CHANGES = 0.4
LEAST_CHANGES_HEX = 0.3
"""How often letters, capitals and digits take turns in what chance wrote; words in a row do less."""
MOST_NESTED = 3  # addresses in parameters of addresses
LEAST_DRAWN = 16  # characters of a random value that can be a secret


def split_url(url: str) -> tuple[SplitResult, str, int | None]:
    """The parts of an absolute http(s) URL, its host in lower case and ASCII, its port. Raises UrlError for others."""
    text = _cleaned(url)
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise UrlError(f"malformed URL {masked(url)!r}", url=masked(url)) from error
    if parts.scheme not in ("http", "https") or not host:
        raise UrlError(f"not an absolute http(s) URL: {masked(url)!r}", url=masked(url))
    try:
        return parts, _ascii_host(host), port
    except ValueError as error:
        raise UrlError(f"no usable host in {masked(url)!r}", url=masked(url)) from error


def _cleaned(url: str) -> str:
    """Browsers' reading of sloppy text: blanks around, control characters inside, backslashes for slashes."""
    text = _CONTROL.sub("", url).strip()
    if _SCHEME.match(text) and "\\" in text:
        head, mark, tail = text.partition("?")
        text = head.replace("\\", "/") + mark + tail
    return text


def _ascii_host(host: str) -> str:
    """The host in lower case and in the form that goes on the wire (IDNA); ValueError where there is none."""
    host = unquote(host).rstrip(".").lower()
    if not host or any(char in host for char in " /?#@<>\"'\\^`{|}%"):
        raise ValueError("not a host")
    if host.isascii():
        return host
    try:
        return idna.encode(host, uts46=True).decode("ascii")
    except idna.IDNAError as error:
        raise ValueError(str(error)) from error


_HOST_ALONE = re.compile(r"\s*www\.[\w-]+\.\w", re.IGNORECASE)


def with_scheme(ref: str) -> str:
    """*ref*, with the scheme that who wrote it forgot: by RFC 3986 it is a path, and means a host.

    >>> with_scheme("www.example.org/a"), with_scheme("a/www.html")
    ('http://www.example.org/a', 'a/www.html')
    """
    return f"http://{ref.strip()}" if _HOST_ALONE.match(ref) else ref


def absolute(base: str, ref: str) -> str | None:
    """Resolve *ref* against *base* (RFC 3986 §5); give a clean http(s) URL, or None where none comes of it.

    White space around, control characters and credentials are taken out, characters that no URI may hold are
    escaped, the host is lower case and ASCII. An empty *ref* gives None, not the base: nothing was said.
    >>> absolute("https://example.org/news/", "../a b?x=é")
    'https://example.org/a%20b?x=%C3%A9'
    >>> absolute("https://example.org/", "javascript:alert(1)") is None
    True
    """
    text = _cleaned(ref)
    if not text or len(text) > MAX_URL_CHARS:
        return None
    try:
        joined = urlsplit(urljoin(_cleaned(base), with_scheme(text)))
        host, port = joined.hostname, joined.port
        if joined.scheme not in ("http", "https") or not host:
            return None
        host = _ascii_host(host)
    except ValueError:
        return None
    whole = _composed(joined, host, port)
    return whole if len(whole) <= MAX_URL_CHARS else None


def _composed(parts: SplitResult, host: str, port: int | None) -> str:
    """The address of *parts* at *host* and *port*, with what no URI may hold escaped."""
    place = f"[{host}]" if ":" in host else host
    if port not in (None, DEFAULT_PORTS[parts.scheme]):
        place += f":{port}"
    path = _legal(parts.path, "/:@!$&'()*+,;=~-._") or "/"
    query = _legal(parts.query, "/?:@!$&'()*+,;=~-._[]")
    fragment = _legal(parts.fragment, "/?:@!$&'()*+,;=~-._")
    return f"{parts.scheme}://{place}{path}" + (f"?{query}" if query else "") + (f"#{fragment}" if fragment else "")


def _legal(text: str, safe: str) -> str:
    """Escape what may not stand there, leave escapes as they are, repair a lone ``%`` (RFC 3986 §2.1)."""
    text = re.sub(r"%(?![0-9A-Fa-f]{2})", "%25", text)
    return quote(text, safe=safe + "%", errors="replace")


def masked(text: str) -> str:
    """*text*, an address or words around addresses, fit for logs, pages and messages: what may be a secret is starred.

    Starred are user and password, however oddly written; values of parameters that a secret's name says, or that look
    drawn; parts of paths that a secret's name stands before; addresses in parameters that hold such; JSON web tokens;
    values of headers that carry credentials. References (``${NAME}``) stay: they say where a secret is, and not what.
    >>> masked("https://me:p/w@example.org/feed?api_key=abc&x=1")
    'https://***@example.org/feed?api_key=***&x=1'
    >>> masked("https://example.org/feed;sid=4?user_key=${KEY}&page=2")
    'https://example.org/feed;sid=***?user_key=${KEY}&page=2'
    """
    return _masked(text, MOST_NESTED)


def hidden_in(text: str) -> tuple[str, ...]:
    """What `masked` stars in *text*, as it stands there.

    >>> hidden_in("https://me:p/w@example.org/feed?api_key=abc&x=1")
    ('me:p/w', 'abc')
    """
    shown = masked(text)
    if shown == text:
        return ()
    found = re.fullmatch("(.+?)".join(map(re.escape, shown.split("***"))), text, re.DOTALL)
    return found.groups() if found else ()


def _masked(text: str, depth: int) -> str:
    if "@" in text or "%40" in text:
        text = _WORD.sub(_without_user, text)
    if "=" in text:
        text = _PARAMETER.sub(lambda found: _parameter(found, depth), text)
    if "/" in text:
        text = _SEGMENT.sub(_segment, text)
    if "eyJ" in text:
        text = _WEB_TOKEN.sub("***", text)
    return _HEADER.sub(lambda found: found["front"] + _starred(found["value"]), text)


def _without_user(word: re.Match[str]) -> str:
    """No user and password in *word*; looked for before its last ``@`` alone, so that the time stays linear."""
    text = word[0]
    end = max(text.rfind("@") + 1, text.rfind("%40") + 3 if "%40" in text else 0)
    head, tail = text[:end], text[end:]
    if not head:
        return text

    def star(found: re.Match[str]) -> str:
        name, colon, password = found["user"].removesuffix("@").removesuffix("%40").partition(":")
        if _kept(password) and (not name or _kept(name)):
            return found[0]
        return found["front"] + ("***:" + password if colon and _kept(password) else "***") + "@"

    # The host is looked at, too: it tells a path with an @ of its own from a password.
    edge = re.match(r"[\w.-]*", tail)
    host = edge[0] if edge else ""
    return _BARE_USER.sub(star, _USER.sub(star, head + host)) + tail[len(host) :]


def _kept(value: str) -> bool:
    """Whether *value* is made of references alone."""
    return bool(value) and not _REFERENCE.sub("", value)


def _starred(value: str) -> str:
    return value if _kept(value) else "***"


def _parameter(found: re.Match[str], depth: int) -> str:
    name, value = unquote(found["name"]), unquote(found["value"]) if "%" in found["value"] else found["value"]
    secret = _names_secret(name) or _drawn(name, value)
    if not secret and depth and "%" in found["value"]:
        secret = _masked(value, depth - 1) != value
    shown = _starred(found["value"]) if secret else found["value"]
    return f"{found['front']}{found['name']}={shown}"


def _names_secret(name: str) -> bool:
    """Whether a parameter called *name* holds a secret.

    >>> [_names_secret(name) for name in ("user_key", "X-Amz-Signature", "accessToken", "monkey", "author", "keyword")]
    [True, True, True, False, False, False]
    """
    parts = [part.lower() for part in _NAME_PARTS.findall(name)]
    return not _SECRET_WORDS.isdisjoint(parts) or _SECRET_ENDS.search("".join(parts)) is not None


def _drawn(name: str, value: str) -> bool:
    """Whether *value* is so long and random that it can only be known by being told; one that names a thing is not."""
    if _MAIL.fullmatch(value):
        return True
    if not LEAST_DRAWN <= len(value) <= MAX_URL_CHARS or value.startswith("0."):
        return False
    parts = [part.lower() for part in _NAME_PARTS.findall(name)]
    return not (parts and _NAMING_ENDS.fullmatch(parts[-1])) and by_chance(value)


def by_chance(value: str) -> bool:
    """Whether *value* looks drawn: a UUID, long hex, base64 or a random fraction.

    >>> [by_chance(value) for value in ("d41d8cd98f00b204e9800998ecf8427e", "mBx7Kq2LrT9vWz4N", "0.7263548891")]
    [True, True, True]
    >>> [by_chance(value) for value in ("harbour-council-votes", "20260301123456789", "deadbeefdeadbeef")]
    [False, False, False]
    """
    if _UUID.fullmatch(value) or _FRACTION.fullmatch(value):
        return True
    if _HEX.fullmatch(value):
        return _changes(value) >= LEAST_CHANGES_HEX and len(set(value.lower())) > 6
    kinds = {_kind(char) for char in value} - {"-"}
    return _BASE64.fullmatch(value) is not None and len(kinds) == 3 and _changes(value) >= LEAST_CHANGES


def _changes(value: str) -> float:
    """How often the kind of character changes from one to the next, of how often it might."""
    kinds = [_kind(char) for char in value]
    return sum(one != other for one, other in zip(kinds, kinds[1:], strict=False)) / max(1, len(kinds) - 1)


def _kind(char: str) -> str:
    return "0" if char.isdigit() else "A" if char.isupper() else "a" if char.isalpha() else "-"


def _segment(found: re.Match[str]) -> str:
    name, value = found["name"], found["value"]
    if name is not None:
        secret = by_chance(value) if name.lower() == "private" else _names_secret(name) and any(map(str.isdigit, value))
        if not secret:
            return found[0]
    return found["front"] + _starred(value)


def public_address(url: str) -> str | None:
    """*url* if it may stand in public as the address of a source, None where it holds, or may hold, a secret."""
    return url if url.startswith(("http://", "https://")) and "${" not in url and masked(url) == url else None


def site_of(url: str) -> str | None:
    """The site of *url*, which may be told where its address may not: scheme, host and port alone.

    >>> site_of("https://me:pw@example.org:8443/feed?token=x")
    'https://example.org:8443/'
    >>> site_of("https://${HOST}/feed") is None
    True
    """
    scheme, slashes, rest = masked(url).partition("//")
    place = re.split(r"[/?#]", rest, maxsplit=1)[0].rpartition("@")[2]
    found = absolute(f"{scheme}{slashes}{place}/", "/") if "${" not in place and "***" not in place else None
    return found and public_address(found)


@lru_cache(maxsize=8192)
def host_of(url: str) -> str:
    """The host of an http(s) URL, lower case and ASCII, without port; ``""`` where there is none.

    >>> host_of("https://user@Bücher.Example:8080/x")
    'xn--bcher-kva.example'
    """
    try:
        return split_url(url)[1]
    except UrlError:
        return ""


@cache
def _suffixes() -> PublicSuffixList:
    from publicsuffixlist import PublicSuffixList  # 45 ms with its list, for which few processes ask

    # The list that came with the library: nothing is fetched.
    return PublicSuffixList()


@lru_cache(maxsize=8192)
def registrable(host: str) -> str:
    """The registrable domain of *host* (Public Suffix List); the host itself where it has none, such as an address.

    >>> registrable("feeds.news.example.co.uk"), registrable("news.orf.at")
    ('example.co.uk', 'orf.at')
    """
    try:
        ip_address(host)
    except ValueError:
        return str(_suffixes().privatesuffix(host) or host)
    return host


SHARDS = 256


def shard_of(url: str) -> int:
    """Which of the `SHARDS` parts of all sources one belongs to: all that share a registrable domain are in one.

    >>> shard_of("https://feeds.example.org/a") == shard_of("http://example.org:81/b") < SHARDS
    True
    """
    return crc32(registrable(host_of(url)).encode()) % SHARDS


def is_loopback(host: str) -> bool:
    """Tell whether *host* can only be reached from this machine.

    >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("localhost"), is_loopback("0.0.0.0"), is_loopback("")
    (True, True, True, False, False)
    """
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def followed(base_url: str, port: str) -> str:
    """Give a *base_url* of this machine alone with the *port* that is listened on; any other as it is.

    One with a path has a web server before it, and that one's port.
    >>> followed("http://localhost:8080", "8090"), followed("https://wire.example.org", "8090")
    ('http://localhost:8090', 'https://wire.example.org')
    """
    parts = urlsplit(base_url)
    host = parts.hostname or ""
    if not port or parts.scheme != "http" or parts.path or not is_loopback(host):
        return base_url
    named = f"[{host}]" if ":" in host else host
    return f"http://{named}" + (f":{port}" if port != "80" else "")


def misleading(base_url: str, bind: str, port: str, *, behind_tls: bool = False) -> tuple[str, str] | None:
    """Say why *base_url* can't be right for a desk that listens on *port* of *bind*, and what to do; None where it may.

    Nothing is known of the address where *bind* is empty. *behind_tls*: a proxy says that readers come by https.
    >>> misleading("http://127.0.0.1:8080", "0.0.0.0", "8080")[0]
    'base_url is http://127.0.0.1:8080, which leads nowhere from other machines, and the desk listens on 0.0.0.0'
    """
    parts = urlsplit(base_url)
    host = parts.hostname or ""
    if behind_tls and parts.scheme == "http":
        why = ", and readers come by https"
    elif is_loopback(host):
        why = _not_here(parts, bind, port)
    elif _is_public(bind) and _is_known_inside(host):
        why = f", a name that is known only inside, and the desk listens on the public address {bind}"
    else:
        why = ""
    remedy = "set `base_url:` in wiredesk.yaml to the address that readers use"
    return (f"base_url is {base_url}{why}", remedy) if why else None


def _not_here(parts: SplitResult, bind: str, port: str) -> str:
    """Why an address of this machine alone does not lead to *port* of *bind*; "" where it may, as by a web server."""
    if bind and not is_loopback(bind):
        return f", which leads nowhere from other machines, and the desk listens on {bind}"
    if bind and parts.scheme == "http" and not parts.path and str(parts.port or 80) != port:
        return f", and the desk listens on port {port}"
    return ""


def _is_public(host: str) -> bool:
    with suppress(ValueError):
        return ip_address(host).is_global
    return False


def _is_known_inside(host: str) -> bool:
    with suppress(ValueError):
        return not ip_address(host).is_global
    return host.endswith(_KNOWN_INSIDE) or "." not in host
