"""What the head of an answer says: fields, validators, `Retry-After`, freshness. Pure; part of fetch."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from feeds.model import Validators

Fields = Sequence[tuple[str, str]]

_FIELD = re.compile(r"^([^\s:]+)[ \t]*:[ \t]*(?:(.*[^ \t\r\n])[ \t\r]*)?$", re.MULTILINE)
_FOLD = re.compile(r"[ \t]*\r?\n[ \t]+")
_DELTA = re.compile(r"\d+(?:\.\d+)?")
_DIRECTIVE = re.compile(r'([\w-]+)\s*(?:=\s*(?:"([^"]*)"|([^\s,;]*)))?')
MAX_DELTA_S = 10 * 365 * 86400.0  # nothing on the web means more; keeps foreign numbers out of date arithmetic


def parse_fields(lines: Iterable[bytes]) -> tuple[tuple[str, str], ...]:
    """Header lines to (lower-case name, value) pairs in order, read as Latin-1 so that any bytes come back.

    A folded line continues the one before (RFC 9112 §5.2); a line that is no field is left out.
    """
    text = b"".join(lines).decode("latin-1")
    if "\n " in text or "\n\t" in text:
        text = _FOLD.sub(" ", text)
    return tuple([(name.lower(), value) for name, value in _FIELD.findall(text)])


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
