"""What `tx.hubs` takes and gives: frozen dataclasses. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from feeds.model import Format

Mode = Literal["subscribe", "unsubscribe", "denied"]
PushState = Literal["wanted", "asked", "active", "denied"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HubRequest:
    """Something to be told to a callback: verify what was asked for it, or that it is denied. *secret*: never log."""

    id: int = 0
    mode: Mode
    path: str
    format: Format
    topic: str
    callback: str
    host: str
    secret: str | None = None
    lease_s: int = 0
    reason: str = ""
    tries: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A verified subscription, or with *ping* an outside hub. What has arrived there is *delivered_etag*'s document.

    *failures* counts failed deliveries in a row, *failing_since* is when they began.
    """

    id: int
    path: str
    format: Format
    topic: str
    callback: str
    ping: bool
    secret: str | None
    expires_at: datetime
    delivered_etag: str
    delivered_sequence: int
    failures: int
    failing_since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HubCounts:
    """How many subscriptions there are: of one topic, of one callback host, of all; and requests that wait."""

    topic: int
    host: int
    total: int
    waiting: int
    waiting_host: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceHub:
    """Our own subscription to a source's hub. *token* is the callback's last part; it and *secret*: never log."""

    source_id: int
    hub: str
    topic: str
    token: str
    secret: str
    state: PushState
    expires_at: datetime | None
    failures: int
    reason: str
    pushed_at: datetime | None
