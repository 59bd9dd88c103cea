"""IndexNow: what search engines are told of the desk's pages, and the key that shows who told them. Pure.

A search engine is told as an outside hub is, of the whole desk and at most once a minute: its pages that were filed,
changed or taken out since it last took the news.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from urllib.parse import urlsplit

from feeds.model import Format
from feeds.parsed import Request

TOPIC: tuple[str, Format] = ("", "json")
"""The document whose changes are the news."""
MOST_PAGES = 500
AT_MOST_EVERY_S = 60.0


def key_of(desk_id: str) -> str:
    """Return the desk's key, which it serves at its own address with ``.txt``: no secret, and the same for good.

    >>> len(key_of("1")), key_of("1") == key_of("1")
    (32, True)
    """
    return hashlib.sha256(f"indexnow {desk_id}".encode()).hexdigest()[:32]


def announcement(endpoint: str, base_url: str, desk_id: str, uids: Sequence[str], tag: object) -> Request:
    """Return the request that tells *endpoint* of the pages of the articles *uids* (indexnow.org, documentation)."""
    key = key_of(desk_id)
    pages = [f"{base_url}/article/{uid.removeprefix('urn:uuid:')}" for uid in uids]
    told = {"host": urlsplit(base_url).netloc, "key": key, "keyLocation": f"{base_url}/{key}.txt", "urlList": pages}
    return Request(
        source_id=0,
        url=endpoint,
        accept="any",
        timeout_s=10.0,
        headers=(("Content-Type", "application/json; charset=utf-8"),),
        post=json.dumps(told).encode(),
        as_is=True,
        tag=tag,
    )
