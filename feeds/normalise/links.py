"""Links made absolute, with a short way for the many that are already as they should be. Part of `normalise`. Pure."""

from __future__ import annotations

import re
from functools import lru_cache

from feeds.urls import MAX_URL_CHARS, absolute

_CLEAN = re.compile(
    r"https?://[a-z0-9\-]+(?:\.[a-z0-9\-]+)+/(?:[A-Za-z0-9\-._~/!$'()*+,;=:@]|%[0-9A-Fa-f]{2})*"
    r"(?:\?(?:[A-Za-z0-9\-._~/!$'()*+,;=:@?&\[\]]|%[0-9A-Fa-f]{2})*)?"
    r"(?:#(?:[A-Za-z0-9\-._~/!$'()*+,;=:@?&]|%[0-9A-Fa-f]{2})+)?\Z"
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
    if is_clean(ref):
        return ref
    if not base:
        return _absolute(ref, f"https:{ref}" if ref.startswith("//") else ref)
    if (joined := _joined(base, ref)) is not None and is_clean(joined):
        return joined
    return _absolute(base, ref)


def _joined(base: str, ref: str) -> str | None:
    """What most relative references come to where they are as they should be: paths from the root, places in a page."""
    if ref[0] == "#" and is_clean(base):
        return base.partition("#")[0] + ref
    if ref[0] == "/" and ref[1:2] != "/" and "/." not in ref and is_clean(base):
        return base[: base.index("/", 8)] + ref
    return None
