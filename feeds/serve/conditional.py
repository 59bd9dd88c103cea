"""Whether a client already has what it asks for: preconditions of RFC 9110 section 13. Pure.

Every coding of a document is a representation with an ETag of its own, yet all of them say the same thing: who holds
any of them has the document. So a condition is judged against all ETags of the document at once.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Literal

Verdict = Literal["send", "not modified", "failed"]

_MEMBER = re.compile(r'\s*(?:(W/)?"([\x21\x23-\x7e\x80-\xff]*)"\s*(?=,|$)|[^,]*)(?:,|$)')
_IMF = re.compile(r"[A-Z][a-z]{2}, (\d{2}) ([A-Z][a-z]{2}) (\d{4}) (\d{2}):(\d{2}):(\d{2}) GMT")
_RFC850 = re.compile(r"[A-Z][a-z]{5,8}, (\d{2})-([A-Z][a-z]{2})-(\d{2}) (\d{2}):(\d{2}):(\d{2}) GMT")
_ASCTIME = re.compile(r"[A-Z][a-z]{2} ([A-Z][a-z]{2}) ([ \d]\d) (\d{2}):(\d{2}):(\d{2}) (\d{4})")
_MONTHS = {
    name: number
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), start=1
    )
}


def etags_in(value: str) -> tuple[tuple[str, bool], ...]:
    """Return the entity tags of a list header as (opaque part, is weak), in order; what is no tag is left out.

    Several header lines come joined with commas. ``*`` is not a tag: ask `is_any`.
    >>> etags_in('W/"a", "b,c",junk, "d')
    (('a', True), ('b,c', False))
    """
    return tuple((match[2], match[1] is not None) for match in _MEMBER.finditer(value) if match[2] is not None)


def is_any(value: str) -> bool:
    """Tell whether a list header is ``*``: any representation at all."""
    return value.strip() == "*"


def parse_http_date(value: str, *, now: datetime) -> datetime | None:
    """Return the instant of an HTTP-date in any of its three forms (RFC 9110 section 5.6.7), None for anything else.

    *now* places the two-digit year of the RFC 850 form: more than 50 years ahead means the century before.
    >>> parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT", now=datetime(2026, 1, 1, tzinfo=UTC)).isoformat()
    '1994-11-06T08:49:37+00:00'
    """
    value = value.strip()
    if match := _IMF.fullmatch(value):
        day, month, year, hour, minute, second = match.groups()
        full_year = int(year)
    elif match := _RFC850.fullmatch(value):
        day, month, year, hour, minute, second = match.groups()
        full_year = now.year - now.year % 100 + int(year)
        if full_year > now.year + 50:
            full_year -= 100
    elif match := _ASCTIME.fullmatch(value):
        month, day, hour, minute, second, year = match.groups()
        full_year = int(year)
    else:
        return None
    try:
        # A leap second is a valid HTTP-date that datetime does not know.
        leap = second == "60"
        moment = datetime(
            full_year, _MONTHS[month], int(day), int(hour), int(minute), 59 if leap else int(second), tzinfo=UTC
        )
        return moment + timedelta(seconds=leap)
    except (KeyError, ValueError, OverflowError):
        return None


def matched_etag(if_none_match: str, etags: Collection[str], preferred: str) -> str | None:
    """Return which of *etags* (opaque parts) If-None-Match names, by weak comparison; None where it names none.

    *preferred* is the one that a 200 would carry: it is returned where it is named or ``*`` is given, so that a cache
    refreshes the very response that it would have got.
    """
    if is_any(if_none_match):
        return preferred
    named = [opaque for opaque, _ in etags_in(if_none_match) if opaque in etags]
    if not named:
        return None
    return preferred if preferred in named else named[0]


def judge(
    *,
    etags: Collection[str],
    last_modified: datetime,
    now: datetime,
    if_match: str | None = None,
    if_unmodified_since: str | None = None,
    if_none_match: str | None = None,
    if_modified_since: str | None = None,
) -> Verdict:
    """Judge the preconditions of a GET or HEAD in the order of RFC 9110 section 13.2.2.

    *etags* are the opaque parts of all codings. "failed" means 412. A date that cannot be read counts as not given.
    """
    changed = last_modified.replace(microsecond=0)
    if if_match is not None:
        strong = {opaque for opaque, weak in etags_in(if_match) if not weak}
        if not is_any(if_match) and strong.isdisjoint(etags):
            return "failed"
    elif if_unmodified_since is not None:
        limit = parse_http_date(if_unmodified_since, now=now)
        if limit is not None and changed > limit:
            return "failed"
    if if_none_match is not None:
        if is_any(if_none_match) or any(opaque in etags for opaque, _ in etags_in(if_none_match)):
            return "not modified"
    elif if_modified_since is not None:
        since = parse_http_date(if_modified_since, now=now)
        if since is not None and changed <= since:
            return "not modified"
    return "send"
