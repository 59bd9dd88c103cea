"""The cookies of one fetch: what a hop sets goes with later hops to the same site, and is forgotten with it. Pure.

RFC 6265, as far as it matters between redirects. libcurl's own engine is of no use here: it compares paths with the URL
that it is told, which is without the request's path, and its handles serve one fetch after another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from feeds.fetch.headers import http_date
from feeds.fetch.target import Target
from feeds.urls import registrable

MAX_COOKIES = 50
MAX_COOKIE_BYTES = 4096


@dataclass(frozen=True, slots=True)
class _Place:
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
    """The cookies of one fetch."""

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
