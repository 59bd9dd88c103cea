"""What the hub says to callbacks: questions, deliveries to subscribers, messages to webhooks. Pure.

A subscriber gets a feed like the one that it would have fetched, without the entries that it has, so that whatever
reads the topic reads this. Of Atom and RSS alone may entries be left out; JSON Feed goes whole. A webhook gets each
article that comes to a section, or changes or leaves it there, as JSON of its own.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from feeds.errors import ParseError
from feeds.frames import cut, delta_body
from feeds.hub.requests import sign
from feeds.model import Document
from feeds.store.hubs import HubRequest
from feeds.store.values import Changes

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


# ------------------------------------------------------------------ webhooks

SIGNATURE = "X-Hub-Signature-256"
"""The header that GitHub's receivers read, too: `sha256=` and the HMAC of the body, in hexadecimal digits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One POST. *sequence* is what has arrived with it; *last* says that nothing follows for now."""

    body: bytes
    sequence: int
    last: bool


def next_message(document: Document, changes: Sequence[tuple[int, str, str]]) -> Message | None:
    """Return the message for the oldest of *changes*, each with its sequence number, what happened (`article` or
    `withdrawn`) and the article's id; None where the JSON *document* knows of none. Raises ParseError.

    What is newer than the document comes with the next one, what is too old for it does not come at all.
    """
    items = dict(zip(document.article_uids, cut(document).entries, strict=True))
    told = [
        (sequence, event, uid)
        for sequence, event, uid in sorted(changes)
        if sequence <= document.sequence and (event == "withdrawn" or uid in items)
    ]
    if not told:
        return None
    sequence, event, uid = told[0]
    # The same for every try, so that a receiver knows what it has.
    head = {"event": event, "section": document.path, "delivery": f"{document.path or 'index'}-{sequence}", "id": uid}
    body = json.dumps(head, separators=(",", ":")).encode()
    if event == "article":
        body = body[:-1] + b',"article":' + items[uid] + b"}"
    return Message(body=body, sequence=sequence, last=len(told) == 1)


def changes_of(changes: Changes) -> list[tuple[int, str, str]]:
    """Return what `next_message` takes of a section's changes."""
    return [
        *((article.sequence, "article", article.uid) for article in changes.articles),
        *((gone.sequence, "withdrawn", gone.uid) for gone in changes.withdrawn),
    ]


def message_headers(body: bytes, secret: str) -> Headers:
    """Return the headers of a message; without a *secret* it is not signed."""
    signed = ((SIGNATURE, sign(secret, body)),) if secret else ()
    return (("Content-Type", "application/json"), *signed)
