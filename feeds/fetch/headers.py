"""Headers as they are read, content codings undone while the bytes arrive, never past a cap, and cookies. Pure.

libcurl could decode too, but lets a gzip stream without its end pass as whole, and knows no body that is packed without
saying so.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache

import brotli
from msgspec import Struct
from msgspec.structs import replace

from feeds.fetch.target import Target
from feeds.parsed import Validators
from feeds.urls import registrable

ACCEPT_ENCODING = "gzip, deflate, br"
MAX_CODINGS = 3
MAX_MEMBERS = 10_000  # each costs a call and may decode to nothing
_GZIP = b"\x1f\x8b\x08"  # magic number and the one method there is (RFC 1952 §2.3.1)
# Codings that exist, and that no answer to this desk may have: it did not ask for them.
_UNASKED = frozenset(
    {"zstd", "compress", "x-compress", "dcb", "dcz", "exi", "pack200-gzip", "aes128gcm", "bzip2", "xz"}
)
_FIELD = re.compile(rb"([^\s:]+)[ \t]*:[ \t\r]*(?:(.*[^ \t\r\n])[ \t\r]*)?")
_FOLD = re.compile(rb"[ \t]*\r?\n[ \t]+")
_END = re.compile(rb"\r?\n\r?\n")
_STATUS = re.compile(rb"HTTP/\S+[ \t]+(\d{1,4})(?!\d)")
_DELTA = re.compile(r"\d+(?:\.\d+)?")
_DIRECTIVE = re.compile(r'([\w-]+)\s*(?:=\s*(?:"([^"]*)"|([^\s,;]*)))?')
_KEPT_BYTES = 256
"""Lines up to this are remembered with what they say: most stand in every answer of an origin."""
MAX_DELTA_S = 10 * 365 * 86400.0  # nothing on the web means more; keeps foreign numbers out of date arithmetic


class BadCoding(Exception):
    """The bytes are not what `Content-Encoding` says, or end too early."""


class TooMuch(Exception):
    """The decoded bytes pass the cap."""


class Decoder:
    """Undoes *codings* (in the order of `Content-Encoding`); no layer of them may give more than *cap_bytes* in all.

    What is still a gzip file then, is unpacked as well: sitemaps may be one (sitemaps.org), and some servers pack
    without saying so, or twice. Words that name no coding, such as a charset, are passed over, as browsers do.
    Raises BadCoding at once for a coding that was not asked for.
    """

    def __init__(self, codings: Sequence[str], cap_bytes: int) -> None:
        self._stages = [stage for coding in reversed(codings) if (stage := _stage(coding)) is not None]
        if len(self._stages) > MAX_CODINGS:
            raise BadCoding(f"{len(self._stages)} content codings on top of each other")
        self._cap_bytes = cap_bytes
        self._left = [cap_bytes] * len(self._stages)
        self._start: bytes | None = b""  # of what came out so far, while it is open what that is

    def feed(self, chunk: bytes) -> bytes:
        """The decoded form of the next *chunk*; raises BadCoding or TooMuch."""
        for number in range(len(self._stages)):
            chunk = self._through(number, chunk)
        while self._start is not None:
            chunk = self._start + chunk
            if len(chunk) < len(_GZIP) and _GZIP.startswith(chunk):
                self._start = chunk
                return b""
            if not chunk.startswith(_GZIP):
                self._start = None
                break
            if len(self._stages) == MAX_CODINGS:
                raise BadCoding(f"a body packed more than {MAX_CODINGS} times")
            self._start = b""
            self._stages.append(_Zlib(zlib.MAX_WBITS | 16))
            self._left.append(self._cap_bytes)
            chunk = self._through(len(self._stages) - 1, chunk)
        return chunk

    def finish(self) -> bytes:
        """What was held back of the decoded body; raises BadCoding where the end of a stream is missing."""
        for stage in self._stages:
            stage.finish()
        return self._start or b""

    def _through(self, number: int, chunk: bytes) -> bytes:
        # One byte more than is left tells too much from just enough.
        chunk = self._stages[number].feed(chunk, self._left[number] + 1)
        self._left[number] -= len(chunk)
        if self._left[number] < 0:
            raise TooMuch
        return chunk


def _stage(coding: str) -> _Zlib | _Brotli | None:
    """What undoes *coding*; None for what names no coding."""
    if coding in ("gzip", "x-gzip"):
        return _Zlib(zlib.MAX_WBITS | 16)
    if coding == "deflate":
        return _Zlib(zlib.MAX_WBITS)
    if coding == "br":
        return _Brotli()
    if coding in _UNASKED:
        raise BadCoding(f"content coding {coding!r} was not asked for")
    return None


class _Zlib:
    """gzip with any number of members (RFC 1952 §2.2), or deflate with and without its zlib wrapper."""

    def __init__(self, wbits: int) -> None:
        self._wbits = wbits
        self._inflate = zlib.decompressobj(wbits)
        # The first two bytes tell what follows; they may come one by one.
        self._held = b""
        self._undecided = wbits == zlib.MAX_WBITS
        self._members = 0

    def feed(self, chunk: bytes, most: int) -> bytes:
        pieces: list[bytes] = []
        chunk = self._held + chunk
        self._held = b""
        while chunk and most > 0:
            if (self._undecided or self._inflate.eof) and not self._begins(chunk):
                break
            try:
                piece = self._inflate.decompress(chunk, most)
            except zlib.error as error:
                raise BadCoding("the compressed body is damaged") from error
            pieces.append(piece)
            most -= len(piece)
            chunk = self._inflate.unused_data if self._inflate.eof else self._inflate.unconsumed_tail
        return b"".join(pieces)

    def finish(self) -> None:
        if not self._inflate.eof:
            raise BadCoding("the compressed body ends too early")

    def _begins(self, chunk: bytes) -> bool:
        """Whether *chunk* begins a stream to decode; what follows the checked end of the last one is ignored."""
        if len(chunk) < 2:
            self._held = chunk
            return False
        if self._undecided:
            self._undecided = False
            # Many servers say deflate and send it bare (RFC 9110 §8.4.1.2); RFC 1950 §2.2 tells them apart.
            if chunk[0] & 15 != 8 or (chunk[0] << 8 | chunk[1]) % 31:
                self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)
            return True
        if self._wbits == zlib.MAX_WBITS or chunk[:2] != b"\x1f\x8b":
            return False
        self._members += 1
        if self._members > MAX_MEMBERS:
            raise BadCoding("a gzip body of too many members")
        self._inflate = zlib.decompressobj(self._wbits)
        return True


class _Brotli:
    def __init__(self) -> None:
        self._decompressor = brotli.Decompressor()

    def feed(self, chunk: bytes, most: int) -> bytes:
        decompressor = self._decompressor
        if decompressor.is_finished():
            return b""
        try:
            pieces = [decompressor.process(chunk, output_buffer_limit=most)]
            size = len(pieces[0])
            while size < most and not decompressor.can_accept_more_data() and not decompressor.is_finished():
                piece = decompressor.process(b"", output_buffer_limit=most - size)
                pieces.append(piece)
                size += len(piece)
        except brotli.error as error:
            raise BadCoding("the compressed body is damaged") from error
        return b"".join(pieces)

    def finish(self) -> None:
        if not self._decompressor.is_finished():
            raise BadCoding("the compressed body ends too early")


Fields = Sequence[tuple[str, str]]


def final_head(received: bytes) -> tuple[int, bytes] | None:
    """Status and field lines of the last head, which is the one that counts: a proxy's own and 1xx come before it.

    None while it is not whole, or where its status is none that ends anything. What follows it (trailers) is left out.
    """
    at = 0
    while (end := _END.search(received, at)) is not None:
        begin, at = at, end.end()
        if received.startswith(b"HTTP/", at):
            continue
        line, _, fields = received[begin : end.start()].partition(b"\n")
        found = _STATUS.match(line)
        status = int(found[1]) if found else 0
        return (status, fields) if status >= 200 else None
    return None


def parse_fields(lines: bytes) -> tuple[tuple[str, str], ...]:
    """Header lines to (lower-case name, value) pairs in order, read as Latin-1 so that any bytes come back.

    A folded line continues the one before (RFC 9112 §5.2); a line that is no field is left out.
    """
    if b"\n " in lines or b"\n\t" in lines:
        lines = _FOLD.sub(b" ", lines)
    found = [_field(line) if len(line) <= _KEPT_BYTES else _field.__wrapped__(line) for line in lines.split(b"\n")]
    return tuple([field for field in found if field is not None])


@lru_cache(maxsize=4096)
def _field(line: bytes) -> tuple[str, str] | None:
    found = _FIELD.fullmatch(line)
    return None if found is None else (found[1].decode("latin-1").lower(), (found[2] or b"").decode("latin-1"))


def first(fields: Fields, name: str) -> str | None:
    """The first value of the field *name* (lower case); None where absent."""
    for key, value in fields:
        if key == name:
            return value
    return None


def every(fields: Fields, name: str) -> list[str]:
    """All values of the field *name* (lower case), in order."""
    return [value for key, value in fields if key == name]


def list_members(fields: Fields, name: str) -> list[str]:
    """The members of a comma-separated field, over all its lines, lower-case, parameters cut off."""
    joined = ",".join(every(fields, name))
    return [member for part in joined.split(",") if (member := part.partition(";")[0].strip().lower())]


def validators(fields: Fields) -> Validators:
    """ETag and Last-Modified byte for byte; an empty one counts as none (RFC 9110 §8.8)."""
    return Validators(etag=first(fields, "etag") or None, last_modified=first(fields, "last-modified") or None)


def http_date(text: str | None) -> datetime | None:
    """A date in any of HTTP's three forms (RFC 9110 §5.6.7), aware UTC; None for anything else."""
    if not text or len(text) > 64:
        return None
    try:
        found = parsedate_to_datetime(text)
        # The two obsolete forms may come without a zone; all HTTP dates are UTC.
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def retry_after_s(fields: Fields, received_at: datetime) -> float | None:
    """Seconds to wait from `Retry-After` (RFC 9110 §10.2.3): a number, or a date by the origin's own clock.

    Never negative; None where absent or unreadable. Wild values are handed on up to ten years: the cadence caps them.
    """
    text = (first(fields, "retry-after") or "").strip()
    if _DELTA.fullmatch(text):
        return _bounded(text)
    until = http_date(text)
    if until is None:
        return None
    origin_now = http_date(first(fields, "date")) or received_at
    return min(max((until - origin_now).total_seconds(), 0.0), MAX_DELTA_S)


def freshness_s(fields: Fields, received_at: datetime) -> float | None:
    """How many seconds the answer stays fresh from its arrival on (RFC 9111 §4.2); None where nothing is said.

    `no-cache`, `no-store` and a past or unreadable `Expires` say 0. `Age` is taken off. Never negative.
    """
    directives = cache_control(fields)
    age = _bounded((first(fields, "age") or "").strip())
    if "no-cache" in directives or "no-store" in directives:
        return 0.0
    if "max-age" in directives:
        return max(_bounded(directives["max-age"]) - age, 0.0)
    expires = first(fields, "expires")
    if expires is None:
        return None
    until = http_date(expires)
    if until is None:
        return 0.0
    origin_now = http_date(first(fields, "date")) or received_at
    return min(max((until - origin_now).total_seconds() - age, 0.0), MAX_DELTA_S)


def cache_control(fields: Fields) -> dict[str, str]:
    """The directives of `Cache-Control`, names in lower case; the first of several wins (RFC 9111 §4.2.1)."""
    directives: dict[str, str] = {}
    for found in _DIRECTIVE.finditer(",".join(every(fields, "cache-control"))):
        directives.setdefault(found[1].lower(), found[2] or found[3] or "")
    return directives


def _bounded(text: str) -> float:
    """A number of seconds; 0 where *text* is none (an unreadable lifetime is stale: RFC 9111 §4.2.1)."""
    if not _DELTA.fullmatch(text):
        return 0.0
    return min(float(text[:40]), MAX_DELTA_S)


MAX_COOKIES = 50
MAX_COOKIE_BYTES = 4096


class _Place(Struct, frozen=True):
    """Where a cookie is sent to: *domain* itself, with *wide* also its subdomains; below *path*; *secure*: by https."""

    domain: str
    wide: bool
    path: str
    secure: bool

    def holds(self, target: Target) -> bool:
        path = _path(target)
        return (
            (target.host == self.domain or (self.wide and target.host.endswith("." + self.domain)))
            and (path == self.path or path.startswith(self.path.rstrip("/") + "/"))
            and (not self.secure or target.scheme == "https")
        )


class Cookies:
    """The cookies of one fetch: what a hop sets goes with later hops to the same site, and is forgotten with it.

    RFC 6265, as far as it matters between redirects. libcurl's own engine is of no use here: it compares paths with the
    URL that it is given, which is without the request's path, and its handles serve one fetch after another.
    """

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str, str], tuple[_Place, str]] = {}

    def take(self, set_cookie: list[str], target: Target) -> None:
        """Keep what an answer of *target* sets; what it may not set, or takes back, is left out."""
        for field in set_cookie:
            pair, *rest = field.split(";")
            name, equals, value = (part.strip() for part in pair.partition("="))
            if not equals or not name or len(pair) > MAX_COOKIE_BYTES or not pair.isprintable():
                continue
            attributes = _attributes(rest)
            place = _place(attributes, target)
            if place is None:
                continue
            key = (name, place.domain, place.path)
            self._kept.pop(key, None)
            if not _is_over(attributes) and len(self._kept) < MAX_COOKIES:
                self._kept[key] = (place, f"{name}={value}")

    def header(self, target: Target) -> str:
        """The value of `Cookie` for *target*, longer paths first (§5.4); empty for none."""
        fitting = [(place, pair) for place, pair in self._kept.values() if place.holds(target)]
        fitting.sort(key=lambda one: -len(one[0].path))
        return "; ".join(pair for _, pair in fitting)


def _attributes(written: Sequence[str]) -> dict[str, str]:
    pairs = (one.partition("=") for one in written)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _place(attributes: dict[str, str], target: Target) -> _Place | None:
    """Where a cookie of *target* belongs (§5.3); None where it is another site's, or that of all sites of a suffix."""
    domain = attributes.get("domain", "").removeprefix(".").lower() or target.host
    wide = "domain" in attributes and target.literal is None and not _is_suffix(domain)
    path = attributes.get("path", "")
    if not path.startswith("/"):
        path = _path(target).rpartition("/")[0] or "/"
    place = _Place(domain, wide, path, "secure" in attributes)
    # A path may be that of other pages of the same site.
    return place if replace(place, path="/").holds(target) else None


def _path(target: Target) -> str:
    return target.path.partition("?")[0] or "/"


def _is_over(attributes: dict[str, str]) -> bool:
    """Whether a cookie ends at once, which is how one is taken back; a fetch is over before any other age."""
    age = attributes.get("max-age", "")
    if age.removeprefix("-").isdigit():
        return age.startswith("-") or not age.strip("0")
    until = http_date(attributes.get("expires", "").replace("-", " "))
    return until is not None and until.year <= 2000


def _is_suffix(domain: str) -> bool:
    """Whether sites of several owners lie below *domain*, as below `co.uk`: what lies there is a site of its own."""
    below = f"x.{domain}"
    return "." not in domain or registrable(below) == below
