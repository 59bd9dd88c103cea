"""Where a source's hub is and what its topic is called (WebSub §4): Link headers before the document. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urljoin

from feeds.errors import UrlError
from feeds.fetch.target import parse_target

MAX_URL_CHARS = 2000
_LINK = re.compile(r'<([^<>]*)>((?:\s*;\s*[\w!#$&+.^`|~*-]+\s*(?:=\s*(?:"(?:[^"\\]|\\.)*"|[^\s",;]*))?)*)')
_REL = re.compile(r';\s*rel\s*=\s*(?:"([^"]*)"|([^\s",;]*))', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Discovered:
    """What a source names: its *topic* (rel=self) and its first *hub*."""

    topic: str
    hub: str


def discover(
    headers: Sequence[tuple[str, str]], *, base: str, hubs: Sequence[str], self_url: str | None
) -> Discovered | None:
    """Return the hub of a document fetched from *base*; None where it names no hub or not one self.

    *headers* have lower-case names. *hubs* and *self_url* are what the document itself says, which counts only where
    the headers name no hub.

    >>> discover([("link", '</a>; rel=self, <https://h.example/>; rel="hub"')], base="https://x.example/", hubs=(),
    ...     self_url=None)
    Discovered(topic='https://x.example/a', hub='https://h.example/')
    """
    found: dict[str, list[str]] = {"hub": [], "self": []}
    for name, value in headers:
        if name != "link":
            continue
        for target, parameters in _LINK.findall(value):
            rel = _REL.search(parameters)
            for word in (rel[1] or rel[2]).lower().split() if rel else ():
                if word in found:
                    found[word].append(target)
    if not found["hub"]:
        found = {"hub": list(hubs), "self": [self_url] if self_url else []}
    elif not found["self"] and self_url:
        found["self"].append(self_url)
    topics = [topic for target in found["self"] if (topic := _absolute(base, target))]
    good = [hub for target in found["hub"] if (hub := _absolute(base, target))]
    if not good or len(set(topics)) != 1:
        return None
    return Discovered(topics[0], good[0])


def _absolute(base: str, target: str) -> str | None:
    try:
        url = urljoin(base, target.strip())
        parse_target(url)
    except (UrlError, ValueError):
        return None
    return url if len(url) <= MAX_URL_CHARS else None
