"""Links made absolute, with a short way for the many that are already as they should be. Part of `normalise`. Pure."""

from __future__ import annotations

import re
from functools import lru_cache

from feeds.urls import MAX_URL_CHARS, absolute

_CLEAN = re.compile(
    r"https?://[a-z0-9\-]+(?:\.[a-z0-9\-]+)+/(?:[A-Za-z0-9\-._~/!$'()*+,;=:@]|%[0-9A-Fa-f]{2})*"
    r"(?:\?(?:[A-Za-z0-9\-._~/!$'()*+,;=:@?&\[\]]|%[0-9A-Fa-f]{2})*)?\Z"
)


# The base of a document comes with each of its texts.
_absolute = lru_cache(maxsize=64)(absolute)


def is_clean(url: str) -> bool:
    """Tell whether *url* is an absolute http(s) URL that `feeds.urls.absolute` would return as it is."""
    return len(url) <= MAX_URL_CHARS and _CLEAN.match(url) is not None


def resolved(base: str, ref: str | None) -> str | None:
    """Return *ref* as a clean absolute http(s) URL, resolved against *base*; None where none comes of it.

    What names a host and no scheme is https where there is no base.
    """
    if not ref:
        return None
    if not base and ref.startswith("//"):
        ref = f"https:{ref}"
    return ref if is_clean(ref) else _absolute(base or ref, ref)
