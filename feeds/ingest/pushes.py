"""WebSub as the flow meets it: the hubs that polled feeds name, and what was pushed into the inbox. I/O: database."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from feeds.ingest.reading import Reading
from feeds.model import Answer
from feeds.store import Store, WriteTx
from feeds.store.values import Claim, InboxItem

if TYPE_CHECKING:
    from feeds.hub.subscribing import Discovered

OVERLAP = 100
AT_ONCE = 200


class Pushes:
    """Gives each pushed body once. Not for several threads."""

    def __init__(self) -> None:
        self._newest = 0
        self._taken: set[int] = set()

    def read(self, *items: InboxItem) -> None:
        """Note *items* that are being read already, as after a restart."""
        for item in items:
            self._taken.add(item.id)
            self._newest = max(self._newest, item.id)
        if len(self._taken) > 2 * OVERLAP:
            self._taken = {id for id in self._taken if id > self._newest - OVERLAP}

    def take(self, store: Store) -> list[tuple[InboxItem, Claim]]:
        """What has been pushed since, each with its source. Raises StoreError."""
        with store.read() as tx:
            # Numbers given to several web processes may be seen out of order.
            items = tx.inbox.waiting(AT_ONCE, max(self._newest - OVERLAP, 0), pushed=True)
            items = [item for item in items if item.id not in self._taken]
            claims = tx.sources.claims_of([item.source_id for item in items]) if items else {}
        self.read(*items)
        return [(item, claims[item.source_id]) for item in items if item.source_id in claims]


def hub_of(answer: Answer, reading: Reading) -> Discovered | None:
    """Return the hub that a polled feed names; None where it names none, or could not be read."""
    if reading.error is not None:
        return None
    from feeds.hub.subscribing import discover

    return discover(answer.headers, base=answer.final_url, hubs=reading.hubs, self_url=reading.self_url)


def note_hubs(tx: WriteTx, found: Iterable[tuple[int, Discovered]], now: datetime) -> None:
    """Keep the hubs of sources, to be subscribed to; token and secret are drawn for those that are new."""
    for source_id, named in found:
        token, secret = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        tx.hubs.found(source_id, named.hub, named.topic, now, token=token, secret=secret)
