"""What the head of an answer says: fields, validators, `Retry-After`, freshness. Pure; part of fetch."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache

from feeds.model import Validators

Fields = Sequence[tuple[str, str]]

_FIELD = re.compile(rb"([^\s:]+)[ \t]*:[ \t\r]*(?:(.*[^ \t\r\n])[ \t\r]*)?")
_FOLD = re.compile(rb"[ \t]*\r?\n[ \t]+")
_END = re.compile(rb"\r?\n\r?\n")
_STATUS = re.compile(rb"HTTP/\S+[ \t]+(\d{1,4})(?!\d)")
_DELTA = re.compile(r"\d+(?:\.\d+)?")
_DIRECTIVE = re.compile(r'([\w-]+)\s*(?:=\s*(?:"([^"]*)"|([^\s,;]*)))?')
_KEPT_BYTES = 256
"""Lines up to this are remembered with what they say: most stand in every answer of an origin."""
MAX_DELTA_S = 10 * 365 * 86400.0  # nothing on the web means more; keeps foreign numbers out of date arithmetic


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
