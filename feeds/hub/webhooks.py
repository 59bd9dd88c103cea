"""Webhooks: each article that comes to a section, or changes or leaves it, as a POST of JSON of its own. Pure.

They take the road of the hub's deliveries: a webhook is a row of its subscriptions for each of its sections, and what
it was sent is known by the section's sequence number.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from feeds.frames import cut
from feeds.hub.requests import sign
from feeds.model import Document
from feeds.store.values import Changes

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


def headers_of(body: bytes, secret: str) -> tuple[tuple[str, str], ...]:
    """Return the headers of a message; without a *secret* it is not signed."""
    signed = ((SIGNATURE, sign(secret, body)),) if secret else ()
    return (("Content-Type", "application/json"), *signed)
