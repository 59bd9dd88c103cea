"""What the hub and its subscribers say to each other: requests judged, questions, deliveries; messages to webhooks, and
what search engines are told. I/O: `accept` reads and writes the store.

`X-Hub-Signature` (WebSub §7.1) is made with SHA-256, and accepted with every algorithm that is registered. A subscriber
gets a feed like the one that it would have fetched, without the entries that it has, so that whatever reads the topic
reads this. Of Atom and RSS alone may entries be left out; JSON Feed goes whole. A webhook gets each article that comes
to a section, or changes or leaves it there, as JSON of its own. A search engine is told by IndexNow, as an outside hub
is, of the whole desk and at most once a minute: its pages that were filed, changed or taken out since it last took the
news.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from urllib.parse import unquote, urlencode, urlsplit

from msgspec import Struct

from feeds.configuration import Settings
from feeds.errors import ParseError, UrlError
from feeds.fetch.target import parse_target
from feeds.frames import cut, delta_body, split_format
from feeds.model import Document, Format
from feeds.parsed import Request
from feeds.store import Store
from feeds.store.hubs import HubRequest
from feeds.store.values import Changes

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


class Verdict(Struct, frozen=True):
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
    path, format = split_format(unquote(topic[len(base_url) + 1 :]))
    return None if format is None else ("" if path == "index" else path, format)


# ------------------------------------------------------------------ to callbacks

Headers = tuple[tuple[str, str], ...]
TIMEOUT_S = 10.0


def message_to(url: str, body: bytes | None, headers: Headers, tag: object, *, as_is: bool = True) -> Request:
    """Return the POST of *body*, a GET where there is none; *as_is* has every status for an answer."""
    return Request(
        source_id=0, url=url, accept="any", timeout_s=TIMEOUT_S, headers=headers, post=body, as_is=as_is, tag=tag
    )


def news(document: Document, changes: Changes) -> bytes | None:
    """Return what to send to whoever has the state before *changes*; None where nothing of *document* is news.

    Where more has changed than *changes* have, the whole document is right.
    """
    fresh = set(document.article_uids) & {article.uid for article in changes.articles}
    withdrawn = [(gone.uid, gone.at) for gone in changes.withdrawn] if document.format != "rss" else []
    if changes.complete and not (fresh or withdrawn):
        return None
    if not changes.complete or document.format == "json":
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


class Message(Struct, frozen=True, kw_only=True):
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
    known = [
        (sequence, event, uid)
        for sequence, event, uid in sorted(changes)
        if sequence <= document.sequence and (event == "withdrawn" or uid in items)
    ]
    if not known:
        return None
    sequence, event, uid = known[0]
    # The same for every try, so that a receiver knows what it has.
    head = {"event": event, "section": document.path, "delivery": f"{document.path or 'index'}-{sequence}", "id": uid}
    body = json.dumps(head, separators=(",", ":")).encode()
    if event == "article":
        body = body[:-1] + b',"article":' + items[uid] + b"}"
    return Message(body=body, sequence=sequence, last=len(known) == 1)


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


# ------------------------------------------------------------------ to search engines

INDEXNOW_TOPIC: tuple[str, Format] = ("", "json")
"""The document whose changes are the news."""
MOST_PAGES = 500
INDEXNOW_EVERY_S = 60.0


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
    fields = {"host": urlsplit(base_url).netloc, "key": key, "keyLocation": f"{base_url}/{key}.txt", "urlList": pages}
    content = ("Content-Type", "application/json; charset=utf-8")
    return message_to(endpoint, json.dumps(fields).encode(), (content,), tag)
