"""What a site's robots.txt lets a crawler fetch (RFC 9309). Pure.

Asked before pages that the desk scrapes, never before feeds: a feed is published for programs, and its address was
given by an admin, as a reader gives it to a feed reader.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, unquote_to_bytes, urlsplit

PRODUCT = "wiredesk"
MOST_BYTES = 512 * 1024
"""RFC 9309 §2.5: at least 500 KiB are read; what comes behind is left out."""
MOST_RULES = 10_000


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules for this crawler: (path pattern, allowed), as they stood."""

    rules: tuple[tuple[str, bool], ...] = ()

    def allows(self, url: str) -> bool:
        """Whether *url* may be fetched: the longest pattern decides, and allowing wins a tie (§2.2.2)."""
        parts = urlsplit(url)
        path = _plain(parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        if path == "/robots.txt":
            return True
        longest, allowed = -1, True
        for pattern, allow in self.rules:
            if (len(pattern), allow) > (longest, allowed) and _matches(pattern, path):
                longest, allowed = len(pattern), allow
        return allowed


ALLOW_ALL = Rules()
ALLOW_NONE = Rules((("/", False),))


def rules_of(status: int, body: bytes = b"", product: str = PRODUCT) -> Rules:
    """The rules that an answer with *status* gives: 4xx allows all, 5xx nothing (§2.3.1); 0 is no answer at all."""
    if 200 <= status < 300:
        return parse_robots(body[:MOST_BYTES].decode("utf-8", "replace"), product)
    return ALLOW_ALL if 400 <= status < 500 and status != 429 else ALLOW_NONE


def parse_robots(text: str, product: str = PRODUCT) -> Rules:
    """The rules for *product*: of the groups that name it, together, else of those for ``*`` (§2.2.1)."""
    own: list[tuple[str, bool]] = []
    common: list[tuple[str, bool]] = []
    agents: list[str] = []
    named = in_rules = False
    for line in text.lstrip("\ufeff").splitlines():
        key, colon, value = line.partition("#")[0].partition(":")
        key, value = key.strip().lower(), value.strip()
        if not colon:
            continue
        if key == "user-agent":
            if in_rules:
                agents, in_rules = [], False
            agents.append(value.lower().partition("/")[0])
            named = named or product in agents
        elif key in ("allow", "disallow"):
            in_rules = True
            if not value or len(own) + len(common) >= MOST_RULES:
                continue  # an empty rule matches nothing
            rule = (_plain(value), key == "allow")
            if product in agents:
                own.append(rule)
            elif "*" in agents:
                common.append(rule)
    return Rules(tuple(own if named else common))


def _matches(pattern: str, path: str) -> bool:
    """Whether *pattern*, in which ``*`` is anything and a last ``$`` the end, fits the beginning of *path*."""
    end = pattern.endswith("$")
    pieces: Sequence[str] = pattern.removesuffix("$").split("*")
    if not path.startswith(pieces[0]):
        return False
    at = len(pieces[0])
    if len(pieces) == 1:
        return not end or at == len(path)
    for piece in pieces[1:-1]:
        found = path.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    last = pieces[-1]
    return path.endswith(last) and len(path) - len(last) >= at if end else path.find(last, at) >= 0


def _plain(path: str) -> str:
    """*path* with its escapes in one spelling: capitals, and none where a letter, digit or ``-._~`` stands (§2.2.2)."""
    if "%" not in path and path.isascii():
        return path
    kept = "/?:@!$&'()*+,;=-._~"
    pieces = path.replace("%2f", "%2F").split("%2F")
    return "%2F".join(quote(unquote_to_bytes(piece), safe=kept) for piece in pieces)
