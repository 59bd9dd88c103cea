"""Subscribing to sources' hubs: where a hub is (WebSub §4), asking it (§5), and what it pushes (§7). I/O: the store."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from urllib.parse import urlencode, urljoin, urlsplit

from msgspec import Struct
from msgspec.structs import replace

from feeds.configuration import Settings
from feeds.errors import UrlError
from feeds.fetch.guard import Guard, closed_because
from feeds.fetch.target import follow, parse_target
from feeds.hub.messages import LEASE_S, Verdict, is_signed, message_to
from feeds.parsed import Request
from feeds.store import Store
from feeds.store.hubs import SourceHub
from feeds.store.values import InboxItem

MAX_URL_CHARS = 2000
_LINK = re.compile(r'<([^<>]*)>((?:\s*;\s*[\w!#$&+.^`|~*-]+\s*(?:=\s*(?:"(?:[^"\\]|\\.)*"|[^\s",;]*))?)*)')
_REL = re.compile(r';\s*rel\s*=\s*(?:"([^"]*)"|([^\s",;]*))', re.IGNORECASE)
MOST_REDIRECTS = 3
FORM = ("Content-Type", "application/x-www-form-urlencoded")
NOT_ASKED = Verdict(404, "nothing of the kind was asked for")
MAX_CHALLENGE_CHARS = 2000
MAX_LEASE_S = 365 * 86_400
MAX_WAITING = 2000
"""Bodies in the inbox at which a hub is told to come again; they are read faster than any honest hub sends them."""
RENEW_AT = 0.8  # of the lease
RENEW_LATEST_S = 7 * 86_400
DENIED_AGAIN = timedelta(days=7)


class Discovered(Struct, frozen=True):
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
    links: dict[str, list[str]] = {}
    for value in (value for name, value in headers if name == "link"):
        for rel, target in _links(value):
            links.setdefault(rel, []).append(target)
    selves = links.get("self", []) if "hub" in links else []
    if not selves and self_url:
        selves = [self_url]
    topics = set(_absolute(base, selves))
    good = _absolute(base, links.get("hub", hubs))
    return Discovered(topics.pop(), good[0]) if good and len(topics) == 1 else None


def _links(value: str) -> Iterator[tuple[str, str]]:
    """The relations of a Link header and what each leads to (RFC 8288)."""
    for target, parameters in _LINK.findall(value):
        if (rel := _REL.search(parameters)) is not None:
            for word in (rel[1] or rel[2]).lower().split():
                yield word, target


def _absolute(base: str, targets: Sequence[str]) -> list[str]:
    """Those of *targets*, absolute, that can be asked."""
    found = []
    for target in targets:
        with suppress(UrlError, ValueError):
            url = urljoin(base, target.strip())
            parse_target(url)
            if len(url) <= MAX_URL_CHARS:
                found.append(url)
    return found


class Asking(Struct, frozen=True, kw_only=True):
    """A subscription request under way to *hub*, the one that the source names or one that it was sent on to."""

    ours: SourceHub
    hub: str
    callback: str
    redirects: int = 0

    def request(self, kind: str) -> Request:
        """The POST, tagged with *kind* and itself."""
        fields = {
            "hub.mode": "subscribe",
            "hub.topic": self.ours.topic,
            "hub.callback": self.callback,
            "hub.secret": self.ours.secret,
            "hub.lease_seconds": str(LEASE_S),
        }
        return request_to(self.hub, fields, (kind, self))

    def redirected(self, location: str | None) -> Asking | None:
        """The same at the place that a 307 or 308 names; None where that is no place, or the last of too many."""
        if location is None or self.redirects >= MOST_REDIRECTS:
            return None
        try:
            return replace(self, hub=follow(parse_target(self.hub), location).url, redirects=self.redirects + 1)
        except UrlError:
            return None


def request_to(url: str, fields: dict[str, str], tag: object) -> Request:
    """Return the POST of a form."""
    return message_to(url, urlencode(fields).encode(), (FORM,), tag)


def judge_hub(ours: SourceHub, settings: Settings) -> Asking | str:
    """Return how to ask the hub for *ours*, or why that would be in vain."""
    hidden = unreachable(settings)
    if hidden:
        return hidden
    callback = f"{settings.base_url}/websub/callback/{ours.token}"
    return Asking(ours=ours, hub=preferred(ours.hub, ours.failures), callback=callback)


def unreachable(settings: Settings) -> str:
    """Return why no hub could reach our callbacks, empty where nothing speaks against it."""
    host = urlsplit(settings.base_url).hostname or ""
    try:
        target = parse_target("http://127.0.0.1/" if host == "localhost" else settings.base_url)
    except UrlError as error:
        return error.cause
    if target.literal is None or closed_because(target.literal) is None:
        return ""
    # On a network that config opens, hubs may well be neighbours.
    port = parse_target(settings.base_url).port
    if Guard(settings.fetch.ports, settings.fetch.allow_private).refusal(target.host, port) is None:
        return ""
    return f"base_url {settings.base_url} is not public, so hubs can't reach the desk"


def preferred(hub: str, failures: int) -> str:
    """Return the address to ask *hub* at: https first, plain http as it was named every other time (§8.2).

    >>> preferred("http://h.example/x", 0), preferred("http://h.example/x", 1), preferred("http://h.example:81/", 0)
    ('https://h.example/x', 'http://h.example/x', 'http://h.example:81/')
    """
    target = parse_target(hub)
    if target.scheme == "http" and target.port == 80 and target.literal is None and failures % 2 == 0:
        return "https" + hub.strip()[len("http") :]
    return hub


def after(failures: int, *, asked: bool = False) -> float:
    """Return how many seconds to wait before a hub is asked again; *asked*: it took the request and must verify."""
    wait_s = min(5.0 * 4.0 ** min(failures, 10), 86_400.0)
    return max(wait_s, 600.0) if asked else wait_s


log = logging.getLogger(__name__)


def confirm(store: Store, token: str, query: Mapping[str, str], now: datetime) -> Verdict:
    """Answer a hub's question: the challenge for what we asked, 404 for everything else; take note of a denial."""
    with store.read() as tx:
        ours = tx.hubs.by_token(token)
    if ours is None or query.get("hub.topic") != ours.topic:
        return NOT_ASKED
    mode, challenge = query.get("hub.mode"), query.get("hub.challenge", "")
    if mode == "denied":
        return _note_denial(store, ours, query.get("hub.reason", ""), now)
    if mode != "subscribe" or ours.state not in ("asked", "active") or not 0 < len(challenge) <= MAX_CHALLENGE_CHARS:
        return NOT_ASKED
    lease = query.get("hub.lease_seconds", "")
    lease_s = min(int(lease), MAX_LEASE_S) if lease.isascii() and lease.isdigit() and len(lease) < 19 else LEASE_S
    renew = now + timedelta(seconds=min(lease_s * RENEW_AT, RENEW_LATEST_S))
    with store.write() as tx:
        tx.hubs.confirmed(ours.source_id, now + timedelta(seconds=lease_s), renew)
    log.info("hub pushes source_id=%d hub=%s lease_s=%d", ours.source_id, ours.hub, lease_s)
    return Verdict(200, challenge)


def _note_denial(store: Store, ours: SourceHub, reason: str, now: datetime) -> Verdict:
    log.warning("hub denied source_id=%d hub=%s reason=%r", ours.source_id, ours.hub, reason[:200])
    words = f"denied by its hub: {reason}" if reason else "denied by its hub"
    with store.write() as tx:
        tx.hubs.denied(ours.source_id, words, now + DENIED_AGAIN)
    return Verdict(200, "noted")


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
