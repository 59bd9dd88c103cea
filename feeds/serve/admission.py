"""Who and what is let in. Pure.

Form: requests that two parties could read differently are refused before anything reads them (RFC 9112 sections 3.2, 6
and 11); the server in front settles most of it.

Admins' pages: everybody may see those of a desk that nobody else can reach, else who has the token. A proxy on the same
machine makes every visitor look local, so the address of the client never counts: the desk must listen on loopback and
call itself loopback. A foreign name in Host is refused all the same, since a page of somebody else's can make a browser
ask any name that it resolves to 127.0.0.1.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import io
import ipaddress
import re
import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import IO, Any, Literal
from urllib.parse import urlsplit

from msgspec import Struct

from feeds.serve.representations import Reply
from feeds.store.values import AccessToken
from feeds.urls import LISTENING, is_loopback

MAX_TARGET_CHARS = 8_192  # RFC 9112 section 3 asks for 8000 at least
MAX_HEADERS_CHARS = 32_768
MAX_BODY_BYTES = 65_536
MAX_PUSH_BYTES = 10_485_760
"""What a source's hub may push to a callback (WebSub): as much as may be fetched."""
CALLBACKS = "/websub/callback/"
_BODYLESS = frozenset(("GET", "HEAD", "OPTIONS"))
_HOST = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+;=%-]*|\[[0-9A-Fa-fvV:.]+\])(?::\d{0,5})?")
_GOOD_HOSTS: set[str] = set()  # seen and found good; asked for on every request
_REMEMBERED = 256
# Content-Length; Python reads no number that is longer (sys.set_int_max_str_digits).
_LENGTH = re.compile(r"[0-9]{0,4000}")
_MAX_HOST_CHARS = 261  # a DNS name and a port
BODY_WITHIN_S = 10.0
"""How long the body of a request may take to arrive; hubs and subscribers send theirs in one piece."""
BODIES_AT_ONCE = 2
VIEWS_AT_ONCE, VIEWS_WAITING = 4, 4
WAIT_S = 1.0
RECEIVING_THREADS, VIEW_THREADS = BODIES_AT_ONCE + 2, VIEWS_AT_ONCE + VIEWS_WAITING
"""How many threads that takes. Two of the first are left for finished documents: one may look at what is new. Each more
of them costs every answer (docs/decisions/0015-granian-for-serving.md), so that no body waits in one.
"""
_FAST_S = 0.05
_MOST_AT_ONCE = 65_536


def _refusal(status: str, why: str, *more: tuple[str, str]) -> Reply:
    """A short answer in plain text that ends the connection, since its framing may not be clear."""
    body = f"{status}: {why}\n".encode()
    headers = [
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Length", str(len(body))),
        ("X-Content-Type-Options", "nosniff"),
        ("Connection", "close"),
    ]
    return Reply(int(status[:3]), [*headers, *more], body)


_TWO_LENGTHS = _refusal("400 Bad Request", "Transfer-Encoding and Content-Length in one request")
_BAD_CODING = _refusal("501 Not Implemented", "only chunked transfer coding is understood")
_BAD_LENGTH = _refusal("400 Bad Request", "Content-Length is no number")
_NO_HOST = _refusal("400 Bad Request", "HTTP/1.1 needs a Host")
_BAD_HOST = _refusal("400 Bad Request", "one valid Host is needed")
_BODY = _refusal("400 Bad Request", "this method takes no body")
_LONG_TARGET = _refusal("414 URI Too Long", f"at most {MAX_TARGET_CHARS} characters")
_BAD_QUERY = _refusal("400 Bad Request", "the query is neither ASCII nor UTF-8")
_LONG_HEADERS = _refusal("431 Request Header Fields Too Large", f"at most {MAX_HEADERS_CHARS} characters")
SLOW_BODY = _refusal("408 Request Timeout", "the body did not arrive in time")
BUSY = _refusal("503 Service Unavailable", "too many at once; ask again in a moment", ("Retry-After", "5"))
LONG_BODY = _refusal("413 Content Too Large", "the body is too long for this address")


def refusal(environ: Mapping[str, Any]) -> Reply | None:
    """Return why the request is refused, None where its form is sound. Cheap: it is asked of every request."""
    host = environ.get("HTTP_HOST")
    if host not in _GOOD_HOSTS and (refused := _judge_host(str(host or ""), environ)) is not None:
        return refused
    if ("HTTP_TRANSFER_ENCODING" in environ or environ.get("CONTENT_LENGTH")) and (
        refused := _judge_body(environ)
    ) is not None:
        return refused
    query = environ.get("QUERY_STRING", "")
    if len(environ["PATH_INFO"]) + len(query) > MAX_TARGET_CHARS:
        return _LONG_TARGET
    return None if query.isascii() or _is_utf8(query) else _BAD_QUERY


def _is_utf8(query: str) -> bool:
    """Whether the bytes of *query*, each a character (PEP 3333), are text; who does not escape may send anything."""
    try:
        query.encode("latin-1").decode()
    except UnicodeError:
        return False
    return True


def oversized(environ: Mapping[str, object]) -> Reply | None:
    """Return a refusal where the headers together are too long; asked only where a request costs more than memory."""
    total = sum(len(key) + len(str(value)) for key, value in environ.items() if key.startswith("HTTP_"))
    return _LONG_HEADERS if total > MAX_HEADERS_CHARS else None


def _judge_host(host: str, environ: Mapping[str, object]) -> Reply | None:
    if not host:
        # HTTP/2 has :authority instead; HTTP/1.0 knows no Host.
        return _NO_HOST if environ.get("SERVER_PROTOCOL") == "HTTP/1.1" else None
    if not _HOST.fullmatch(host):  # two Host lines arrive as one value with a comma
        return _BAD_HOST
    if len(host) > _MAX_HOST_CHARS:
        return _BAD_HOST
    if len(_GOOD_HOSTS) < _REMEMBERED:
        _GOOD_HOSTS.add(host)
    return None


def _judge_body(environ: Mapping[str, object]) -> Reply | None:
    coding, length = environ.get("HTTP_TRANSFER_ENCODING"), str(environ.get("CONTENT_LENGTH") or "")
    if coding is not None:
        if length:
            return _TWO_LENGTHS
        if str(coding).strip().lower() != "chunked":
            return _BAD_CODING
    elif not _LENGTH.fullmatch(length):
        return _BAD_LENGTH
    if environ.get("REQUEST_METHOD") in _BODYLESS and has_body(environ):
        return _BODY
    return LONG_BODY if length and int(length) > most_body_bytes(environ) else None


def has_body(environ: Mapping[str, object]) -> bool:
    """Whether a request that is well framed says that a body follows (RFC 9112 section 6.3)."""
    return "HTTP_TRANSFER_ENCODING" in environ or str(environ.get("CONTENT_LENGTH") or "0").strip("0") != ""


def most_body_bytes(environ: Mapping[str, object]) -> int:
    """How long the body may be at this address."""
    return MAX_PUSH_BYTES if CALLBACKS in str(environ["PATH_INFO"]) else MAX_BODY_BYTES


class Limiter:
    """Lets *at_once* in, and keeps *waiting* more for `WAIT_S` at most."""

    def __init__(self, at_once: int, waiting: int = 0) -> None:
        self._free = threading.Semaphore(at_once)
        self._waiting = threading.Semaphore(waiting)

    def enter(self) -> bool:
        """Whether there is room; `leave` gives it back."""
        if self._free.acquire(blocking=False):
            return True
        if not self._waiting.acquire(blocking=False):
            return False
        try:
            return self._free.acquire(timeout=WAIT_S)
        finally:
            self._waiting.release()

    def leave(self) -> None:
        """Let the next one in."""
        self._free.release()


def read_body(
    environ: dict[str, Any],
    most_bytes: int,
    *,
    within_s: float = BODY_WITHIN_S,
    clock: Callable[[], float] = time.monotonic,
) -> bytes | None:
    """The body of a request, up to a byte more than *most_bytes*; None where it did not arrive in time.

    It is read in small pieces, growing while they come fast, for a server's stream waits until it has what it was asked
    for. Who sends nothing at all after the head holds the thread until the connection ends: a proxy in front, which
    takes bodies in whole, keeps such clients away.
    """
    stream: IO[bytes] = environ["wsgi.input"]
    length = environ.get("CONTENT_LENGTH")  # not every server ends its stream where the body ends
    left = min(int(length), most_bytes + 1) if length else most_bytes + 1
    began = last = clock()
    piece, body = 1, bytearray()
    while left:
        got = stream.read(min(piece, left))
        if not got:
            break
        body += got
        left -= len(got)
        now = clock()
        if now - began > within_s:
            return None
        piece = min(piece * 2, _MOST_AT_ONCE) if now - last < _FAST_S else max(piece // 4, 1)
        last = now
    return bytes(body)


def put_body(environ: dict[str, Any], body: bytes) -> None:
    """Have *body* read from memory; without transfer coding, for its length is known now."""
    environ["wsgi.input"] = io.BytesIO(body)
    environ["CONTENT_LENGTH"] = str(len(body))
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    environ.pop("wsgi.input_terminated", None)


# ------------------------------------------------------------------ admins' pages

Verdict = Literal["open", "ask", "closed"]

CLOSED = "Set WIREDESK_ADMIN_TOKEN in the environment of the desk, start it again, and give the token as the password."
_MAX_HOPS = 32


class Access(Struct, frozen=True, kw_only=True):
    """*bind* and *port* are what the desk listens on, empty where a server of another make was started."""

    bind: str = ""
    port: str = ""
    token: str = ""

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Access:
        """Take it from the environment: WIREDESK_BIND, which `run` and `web` set, and WIREDESK_ADMIN_TOKEN."""
        return cls(
            bind=environ.get("WIREDESK_BIND", "").strip(),
            port=environ.get(LISTENING, ""),
            token=environ.get("WIREDESK_ADMIN_TOKEN", "").strip(),
        )

    def judge(self, base_url: str, *, host: str, authorization: str | None, query_token: str | None = None) -> Verdict:
        """Say whether a request is let in: ``ask`` wants the token, ``closed`` means that there is none to give.

        Who shows the right token is let in, on an open desk too.
        """
        if self._knows(secret_in(authorization)) or self._knows(query_token):
            return "open"
        if self.is_open(base_url):
            name = urlsplit(f"//{host}").hostname or ""
            if not host or is_loopback(name):
                return "open"
        return "ask" if self.token else "closed"

    def is_open(self, base_url: str) -> bool:
        """Whether whoever reaches the desk by *base_url* sits at this machine, and so may see all."""
        return is_loopback(self.bind) and is_loopback(urlsplit(base_url).hostname or "")

    def _knows(self, given: str | None) -> bool:
        return bool(self.token) and given is not None and hmac.compare_digest(given.encode(), self.token.encode())


def secret_in(authorization: str | None) -> str | None:
    """The token of a Bearer header (RFC 6750), or the password of a Basic one (RFC 7617)."""
    scheme, _, rest = (authorization or "").strip().partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(rest.strip(), validate=True).decode("utf-8").partition(":")[2]
        except (binascii.Error, UnicodeDecodeError, ValueError):
            return None
    return None


def client_address(environ: Mapping[str, object], trusted: Sequence[str]) -> str:
    """Return the address of the client: the peer's own, or the last untrusted hop that trusted proxies report.

    *trusted* are the addresses and networks of `trusted_proxies`. X-Forwarded-For is read from its end, since anybody
    can write anything at its beginning. What is no address stops the reading.
    >>> client_address({"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": "6.6.6.6, 192.0.2.7"}, ["10.0.0.0/8"])
    '192.0.2.7'
    >>> client_address({"REMOTE_ADDR": "192.0.2.9", "HTTP_X_FORWARDED_FOR": "6.6.6.6"}, ["10.0.0.0/8"])
    '192.0.2.9'
    """
    address = str(environ.get("REMOTE_ADDR") or "")
    hops = str(environ.get("HTTP_X_FORWARDED_FOR") or "").split(",")[-_MAX_HOPS:]
    while hops and _is_trusted(address, trusted):
        hop = hops.pop().strip()
        try:
            address = str(ipaddress.ip_address(hop))
        except ValueError:
            break
    return address


def _is_trusted(address: str, trusted: Sequence[str]) -> bool:
    try:
        ip = ipaddress.ip_address(address)
        if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
            ip = ip.ipv4_mapped
        return any(ip in ipaddress.ip_network(network, strict=False) for network in trusted)
    except ValueError:
        return False


_SECRET_BYTES = 24
_PARAMETER = "token="
_TAKEN = "wiredesk.token"
_VISITOR = "wiredesk.visitor"

Tokens = Mapping[str, AccessToken]
"""The tokens that there are, by their number as text."""


class Visitor(Struct, frozen=True):
    """Whoever asks. *opened* is the path of the section that a token opens, with those below; None without one that
    holds. *token* is what the addresses that are shown go on with: "" where it came in a header.
    """

    opened: str | None = None
    token: str = ""

    def may_read(self, private: str) -> bool:
        """Whether the *private* section is open to this visitor."""
        return self.opened is not None and f"{private}/".startswith(f"{self.opened}/")


ANYBODY = Visitor()


def new_secret() -> str:
    """Return a secret that nobody can guess, of letters that stand in addresses as they are."""
    return secrets.token_urlsafe(_SECRET_BYTES)


def digest_of(secret: str) -> bytes:
    """Return what is kept of a secret. It is as good as random, so that a slow hash would protect nothing more."""
    return hashlib.sha256(secret.encode()).digest()


_OF_NOBODY = digest_of("")


def visitor_of(environ: Mapping[str, Any], tokens: Tokens) -> Visitor:
    """Return who sends the request *environ*. Takes the same time whether a token is unknown or its secret is wrong."""
    if (known := environ.get(_VISITOR)) is not None:
        return known  # type: ignore[no-any-return]
    in_address = environ.get(_TAKEN) or _token_in(environ.get("QUERY_STRING", ""))
    given = in_address or secret_in(environ.get("HTTP_AUTHORIZATION"))
    if not given:
        return ANYBODY
    number, _, secret = given.partition("-")
    token = tokens.get(number)
    is_right = hmac.compare_digest(digest_of(secret), token.digest if token is not None else _OF_NOBODY)
    if token is None or not is_right or (token.expires_at is not None and token.expires_at <= datetime.now(UTC)):
        return ANYBODY
    return Visitor(token.path, in_address)


def take_token(environ: dict[str, Any], tokens: Tokens) -> None:
    """Note who asks, and move the token out of the query."""
    query = environ.get("QUERY_STRING", "")
    if _PARAMETER in query:
        environ[_TAKEN] = _token_in(query)
        environ["QUERY_STRING"] = "&".join(part for part in query.split("&") if not part.startswith(_PARAMETER))
    environ[_VISITOR] = visitor_of(environ, tokens)


def taken_token(environ: Mapping[str, Any]) -> str | None:
    """Return the token that stood in the address of a request, None where none did."""
    return environ.get(_TAKEN)


def _token_in(query: str) -> str:
    parts = query.split("&") if _PARAMETER in query else ()
    return next((part[len(_PARAMETER) :] for part in parts if part.startswith(_PARAMETER)), "")
