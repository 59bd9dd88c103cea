"""What a site's robots.txt lets a crawler fetch (RFC 9309), as Protego reads it. Pure.

Asked before pages that the desk scrapes, never before feeds: a feed is published for programs, and its address was
given by an admin, as a reader gives it to a feed reader.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from protego import Protego

PRODUCT = "wiredesk"
MOST_BYTES = 512 * 1024
"""RFC 9309 §2.5: at least 500 KiB are read; what comes behind is left out."""
_VERSION = re.compile(r"^(\s*user-agent\s*:[^/\n#]*)/[^\n#]*", re.IGNORECASE | re.MULTILINE)
"""What some write behind a product's name, where none belongs (§2.2.1)."""


class Rules:
    """The rules for this crawler. *robots* is the text of the file, or whether all may be fetched."""

    def __init__(self, robots: str | bool, product: str = PRODUCT) -> None:
        self._rules = Protego.parse(_VERSION.sub(r"\1", robots)) if isinstance(robots, str) else robots
        self._product = product

    def allows(self, url: str) -> bool:
        """Whether *url* may be fetched: the longest pattern decides, and allowing wins a tie (§2.2.2)."""
        if isinstance(self._rules, bool):
            return self._rules
        return urlsplit(url).path == "/robots.txt" or bool(self._rules.can_fetch(url, self._product))


def rules_of(status: int, body: bytes = b"") -> Rules:
    """The rules that an answer with *status* gives: 4xx allows all, 5xx nothing (§2.3.1); 0 is no answer at all."""
    if 200 <= status < 300:
        return Rules(body[:MOST_BYTES].decode("utf-8", "replace").lstrip("\ufeff"))
    return Rules(400 <= status < 500 and status != 429)
