"""`X-Hub-Signature` (WebSub §7.1): made with SHA-256, accepted with every algorithm that is registered. Pure."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import unquote, urlsplit

from feeds.configuration import Settings
from feeds.errors import UrlError
from feeds.fetch.target import parse_target
from feeds.model import FORMATS, Format
from feeds.store import Store
from feeds.store.hubs import HubRequest

METHODS = {"sha1": hashlib.sha1, "sha256": hashlib.sha256, "sha384": hashlib.sha384, "sha512": hashlib.sha512}
LEASE_S, MIN_LEASE_S, MAX_LEASE_S = 10 * 86_400, 60, 30 * 86_400
MAX_SECRET_BYTES = 199
MAX_CALLBACK_BYTES = 1024
MAX_PER_TOPIC, MAX_PER_HOST, MAX_TOTAL = 10_000, 5_000, 50_000
MAX_WAITING, MAX_WAITING_PER_HOST = 5_000, 200


def sign(secret: str, body: bytes) -> str:
    """Return the value of the header for *body*.

    >>> sign("key", b"text")[:20]
    'sha256=6afa9046a9579'
    """
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def is_signed(header: str | None, secret: str, body: bytes) -> bool:
    """Tell whether *header* signs *body* with *secret*. Takes the same time whatever is wrong with the digest.

    >>> is_signed(sign("key", b"x"), "key", b"x"), is_signed("md5=00", "key", b"x"), is_signed(None, "key", b"x")
    (True, False, False)
    """
    method, _, digest = (header or "").strip().partition("=")
    made = METHODS.get(method.lower())
    if made is None:
        return False
    right = hmac.new(secret.encode(), body, made).hexdigest()
    return hmac.compare_digest(right.encode(), digest.strip().lower().encode())


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a request is answered: *status* and a line of text for the subscriber's developer."""

    status: int
    text: str


def accept(store: Store, settings: Settings, form: Sequence[tuple[str, str]], now: datetime) -> Verdict:
    """Keep the request in *form* (its fields in order) to be verified, and answer 202; else say what is wrong.

    Unknown fields are ignored.
    """
    if settings.own_hub is None:
        return Verdict(404, "this desk is no hub")
    with store.read() as tx:
        topics = tx.documents.topics()
    judged = judge(settings, topics, form)
    if isinstance(judged, Verdict):
        return judged
    with store.write() as tx:
        counts = tx.hubs.counts(judged.path, judged.format, judged.host)
        if counts.waiting >= MAX_WAITING or counts.waiting_host >= MAX_WAITING_PER_HOST:
            return Verdict(503, "too many requests wait for their callbacks; try again in a minute")
        if judged.mode == "subscribe" and not tx.hubs.subscribed(judged.path, judged.format, judged.callback):
            if counts.topic >= MAX_PER_TOPIC or counts.total >= MAX_TOTAL:
                return Verdict(503, "the hub has as many subscriptions as it takes")
            if counts.host >= MAX_PER_HOST:
                return Verdict(403, "the callback's host has as many subscriptions as the hub takes from one")
        tx.hubs.ask(judged, now)
    return Verdict(202, "accepted: the callback is asked now")


def judge(
    settings: Settings, topics: Collection[tuple[str, Format]], form: Sequence[tuple[str, str]]
) -> HubRequest | Verdict:
    """Return the request that *form* makes, or the answer to one that is wrong."""
    try:
        fields = _fields(form)
        mode = fields.get("hub.mode", "")
        if mode not in ("subscribe", "unsubscribe"):
            raise _Refused("hub.mode must be subscribe or unsubscribe")
        subscribes = mode == "subscribe"
        topic = fields.get("hub.topic", "")
        path, format = _topic(settings, topics, topic, subscribes=subscribes)
        callback, host = _callback(fields)
        secret = fields.get("hub.secret") or None
        if secret is not None and len(secret.encode()) > MAX_SECRET_BYTES:
            raise _Refused("hub.secret must have less than 200 bytes")
        return HubRequest(
            mode="subscribe" if subscribes else "unsubscribe",
            path=path,
            format=format,
            topic=topic,
            callback=callback,
            host=host,
            secret=secret if subscribes else None,
            lease_s=_lease_s(fields) if subscribes else LEASE_S,
        )
    except _Refused as refused:
        return Verdict(refused.status, str(refused))


class _Refused(Exception):
    """A request that is wrong, with the words of the answer."""

    def __init__(self, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.status = status


def _fields(form: Sequence[tuple[str, str]]) -> dict[str, str]:
    fields: dict[str, str] = {}
    for name, value in form:
        if name.startswith("hub.") and fields.setdefault(name, value) != value:
            raise _Refused(f"{name} is given twice")
    return fields


def _topic(
    settings: Settings, topics: Collection[tuple[str, Format]], topic: str, *, subscribes: bool
) -> tuple[str, Format]:
    """Who unsubscribes may name a document that is no more."""
    named = topic_of(settings.base_url, topic)
    if named is None or (subscribes and named not in topics):
        wrong = "hub.topic is no document of this desk: give its rel=self address"
        raise _Refused(wrong, 404 if subscribes else 400)
    return named


def _callback(fields: Mapping[str, str]) -> tuple[str, str]:
    """The callback and its host."""
    callback = fields.get("hub.callback", "")
    try:
        host = parse_target(callback).host
        fragment = urlsplit(callback).fragment
    except (UrlError, ValueError) as error:
        raise _Refused("hub.callback must be an absolute http or https URL") from error
    if fragment or len(callback.encode()) > MAX_CALLBACK_BYTES:
        raise _Refused(f"hub.callback must have no fragment and at most {MAX_CALLBACK_BYTES} bytes")
    return callback, host


def _lease_s(fields: Mapping[str, str]) -> int:
    lease = fields.get("hub.lease_seconds", "").strip()
    if not lease:
        return LEASE_S
    if not (lease.isascii() and lease.isdigit() and len(lease) <= 18 and int(lease)):
        raise _Refused("hub.lease_seconds must be a positive number")
    return min(max(int(lease), MIN_LEASE_S), MAX_LEASE_S)


def topic_of(base_url: str, topic: str) -> tuple[str, Format] | None:
    """Return path and format of the document whose address is *topic*; None where it can't be one.

    >>> topic_of("https://w.example/wire", "https://w.example/wire/news/world.atom")
    ('news/world', 'atom')
    >>> topic_of("https://w.example", "https://w.example/index.rss"), topic_of("https://w.example", "https://w.example/x")
    (('', 'rss'), None)
    """
    if not topic.startswith(base_url + "/"):
        return None
    path = unquote(topic[len(base_url) + 1 :])
    for format in FORMATS:
        if path.endswith(f".{format}"):
            section = path[: -len(format) - 1]
            return ("" if section == "index" else section), format
    return None


def topic_url(base_url: str, path: str, format: Format) -> str:
    """Return the address of a document, as its rel=self says."""
    return f"{base_url}/{path or 'index'}.{format}"
