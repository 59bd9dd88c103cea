"""What the hub sends (WebSub §7): the topic's document with the entries that the subscriber has already left out. Pure.

Of Atom and RSS alone may entries be left out; JSON Feed goes whole. A subscriber gets a feed like the one it would
have fetched, so that whatever reads the topic reads this.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import urlencode

from feeds.errors import ParseError
from feeds.frames import cut, delta_body
from feeds.hub.signature import sign
from feeds.model import Document
from feeds.store.hub_values import HubRequest

Headers = tuple[tuple[str, str], ...]


def news(
    document: Document, changed: Sequence[str], withdrawn: Sequence[tuple[str, datetime]], *, complete: bool
) -> bytes | None:
    """Return what to send to whoever has the state before *changed* and *withdrawn*; None where nothing is news.

    With *complete* False more has changed than is told: the whole document is right then.
    """
    here = set(document.article_uids)
    fresh = [uid for uid in changed if uid in here]
    if complete and not fresh and not (withdrawn and document.format != "rss"):
        return None
    if not complete or document.format == "json":
        return document.body
    try:
        return delta_body(document, cut(document), fresh, withdrawn)
    except ParseError:
        return document.body


def delivery_headers(document: Document, body: bytes, *, topic: str, hub: str, secret: str | None) -> Headers:
    """Return the headers of a delivery: the topic's type, its links, and a signature where there is a *secret*."""
    headers = [("Content-Type", document.media_type), ("Link", f'<{hub}>; rel="hub", <{topic}>; rel="self"')]
    if secret is not None:
        headers.append(("X-Hub-Signature", sign(secret, body)))
    return tuple(headers)


def question(request: HubRequest, challenge: str) -> str:
    """Return the address that asks a callback whether it means *request* (§5.3), or tells it of a denial (§5.2)."""
    fields = {"hub.mode": request.mode, "hub.topic": request.topic}
    if request.mode == "denied":
        fields["hub.reason"] = request.reason
    else:
        fields["hub.challenge"] = challenge
    if request.mode == "subscribe":
        fields["hub.lease_seconds"] = str(request.lease_s)
    return with_query(request.callback, fields)


def with_query(url: str, fields: dict[str, str]) -> str:
    """Return *url* with *fields* behind whatever query it has, which stays as it is.

    >>> with_query("https://a.example/cb?hub.mode=x&b", {"hub.mode": "y"})
    'https://a.example/cb?hub.mode=x&b&hub.mode=y'
    """
    mark = "" if url.endswith(("?", "&")) else "&" if "?" in url else "?"
    return url + mark + urlencode(fields)
