"""What sources' hubs tell us at our callbacks: verification, denial, content (WebSub §5.3, §5.2, §7).
I/O: one short transaction each.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta

from feeds.hub.requests import LEASE_S, Verdict
from feeds.hub.signature import is_signed
from feeds.store import Store
from feeds.store.values import InboxItem

log = logging.getLogger(__name__)

NOT_ASKED = Verdict(404, "nothing of the kind was asked for")
MAX_CHALLENGE_CHARS = 2000
MAX_LEASE_S = 365 * 86_400
MAX_WAITING = 2000
"""Bodies in the inbox at which a hub is told to come again; they are read faster than any honest hub sends them."""
RENEW_AT = 0.8  # of the lease
RENEW_LATEST_S = 7 * 86_400
DENIED_AGAIN = timedelta(days=7)


def confirm(store: Store, token: str, query: Mapping[str, str], now: datetime) -> Verdict:
    """Answer a hub's question: the challenge for what we asked, 404 for everything else; take note of a denial."""
    with store.read() as tx:
        ours = tx.hubs.by_token(token)
    if ours is None or query.get("hub.topic") != ours.topic:
        return NOT_ASKED
    mode, challenge = query.get("hub.mode"), query.get("hub.challenge", "")
    if mode == "denied":
        reason = query.get("hub.reason", "")
        log.warning("hub denied source_id=%d hub=%s reason=%r", ours.source_id, ours.hub, reason[:200])
        with store.write() as tx:
            tx.hubs.denied(
                ours.source_id, f"denied by its hub: {reason}" if reason else "denied by its hub", now + DENIED_AGAIN
            )
        return Verdict(200, "noted")
    if mode != "subscribe" or ours.state not in ("asked", "active") or not 0 < len(challenge) <= MAX_CHALLENGE_CHARS:
        return NOT_ASKED
    lease = query.get("hub.lease_seconds", "")
    lease_s = min(int(lease), MAX_LEASE_S) if lease.isascii() and lease.isdigit() and len(lease) < 19 else LEASE_S
    renew = now + timedelta(seconds=min(lease_s * RENEW_AT, RENEW_LATEST_S))
    with store.write() as tx:
        tx.hubs.confirmed(ours.source_id, now + timedelta(seconds=lease_s), renew)
    log.info("hub pushes source_id=%d hub=%s lease_s=%d", ours.source_id, ours.hub, lease_s)
    return Verdict(200, challenge)


def receive(
    store: Store, token: str, *, signature: str | None, content_type: str | None, body: bytes, now: datetime
) -> Verdict:
    """Put pushed content into the inbox, and acknowledge it at once; 410 where it is not wanted any more.

    What is not signed with our secret is acknowledged too, and ignored (§7.1.2): a guesser learns nothing.
    """
    with store.read() as tx:
        ours = tx.hubs.by_token(token)
        waiting = tx.inbox.count()
    if ours is None or ours.state == "denied":
        return Verdict(410, "this subscription has ended")
    if not is_signed(signature, ours.secret, body):
        log.warning("ignored what was pushed without our signature source_id=%d hub=%s", ours.source_id, ours.hub)
        return Verdict(202, "received")
    if waiting >= MAX_WAITING:
        return Verdict(503, "too much waits to be read; try again in a minute")
    if body:
        item = InboxItem(
            source_id=ours.source_id,
            claim_id="",
            received_at=now,
            final_url=ours.topic,
            headers=(("content-type", content_type),) if content_type else (),
            body=body,
            pushed=True,
        )
        with store.write() as tx:
            tx.inbox.put([item])
            tx.hubs.pushed(ours.source_id, now)
    return Verdict(202, "received")
