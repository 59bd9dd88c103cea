"""Our side as a subscriber, driven by a hub of the tests' own: it asks, is verified, takes what is signed, renews."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import threading
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from feeds.hub.subscribing import Discovered, discover
from feeds.serve.admission import refusal
from feeds.store.source_rows import pushing
from tests.fetch.origin import Exchange, Origin
from tests.hub.conftest import HubDesk, until
from tests.hub.subscriber import Answered, post

TOPIC = "https://tidings.example/feed.atom"
FEED = b"<rss version='2.0'><channel><title>T</title><item><title>Pushed</title></item></channel></rss>"


class Hub:
    """Takes subscription requests at /hub of *origin*; `ask` verifies like a hub, *status* is what it answers."""

    def __init__(self, origin: Origin, path: str = "/hub") -> None:
        self.asked: list[dict[str, str]] = []
        self.url = origin.url(path)
        self.answer: Callable[[Exchange], None] = lambda exchange: exchange.answer(202)
        origin.add(path, self._take)

    def _take(self, exchange: Exchange) -> None:
        length = int(exchange.seen.header("content-length") or 0)
        body = exchange.seen.raw.partition(b"\r\n\r\n")[2]
        while len(body) < length:
            body += exchange.connection.recv(65536)
        assert exchange.seen.header("content-type") == "application/x-www-form-urlencoded"
        self.asked.append({name: values[0] for name, values in parse_qs(body.decode()).items()})
        self.answer(exchange)

    def ask(self, **fields: str) -> Answered:
        """GET the callback of the last request with *fields*."""
        return get(self.asked[-1]["hub.callback"], **fields)

    def verify(self, lease: str = "3600") -> Answered:
        return self.ask(mode="subscribe", topic=TOPIC, challenge="tide <b>&", lease_seconds=lease)

    def push(self, body: bytes = FEED, method: str = "sha256", signature: str | None = None) -> Answered:
        """POST content, signed with the secret that was asked for unless *signature* is given."""
        secret = self.asked[-1]["hub.secret"].encode()
        digest = hmac.new(secret, body, getattr(hashlib, method)).hexdigest()
        headers = {"x_hub_signature": f"{method}={digest}" if signature is None else signature}
        if signature == "":
            headers = {}
        return post(self.asked[-1]["hub.callback"], body, content_type="application/rss+xml", **headers)


def get(url: str, **fields: str) -> Answered:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    try:
        query = urlencode({f"hub.{name}": value for name, value in fields.items()})
        connection.request("GET", f"{parts.path}?{query}")
        response = connection.getresponse()
        return Answered(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
    finally:
        connection.close()


@pytest.fixture
def outside(hub: HubDesk):
    """A hub of which source 1 has told, asked by the desk."""
    with Origin() as origin:
        made = Hub(origin)
        found(hub, made.url)
        until(lambda: made.asked)
        yield made


def found(hub: HubDesk, url: str) -> None:
    with hub.store.write() as tx:
        assert tx.hubs.found(1, url, TOPIC, hub.clock(), token=f"token-{url[-3:]}", secret="a secret of its own")


def waiting(hub: HubDesk) -> list[bytes]:
    with hub.store.read() as tx:
        return [item.body for item in tx.inbox.waiting(10, pushed=True)]


def alive(hub: HubDesk) -> bool:
    with hub.store.read() as tx:
        return 1 in pushing(tx._connection, hub.clock())


def test_the_hub_is_asked_for_the_topic_with_a_callback_and_a_secret(hub: HubDesk, outside: Hub) -> None:
    (asked,) = outside.asked
    assert (asked["hub.mode"], asked["hub.topic"]) == ("subscribe", TOPIC)
    assert asked["hub.callback"].startswith(f"{hub.settings.base_url}/websub/callback/")
    assert 0 < len(asked["hub.secret"].encode()) < 200
    assert int(asked["hub.lease_seconds"]) > 0
    assert not alive(hub)


def test_the_challenge_is_echoed_in_plain_text_for_what_was_asked_alone(hub: HubDesk, outside: Hub) -> None:
    other = {"mode": "subscribe", "topic": TOPIC, "challenge": "x", "lease_seconds": "60"}
    assert outside.ask(**other | {"topic": "https://tidings.example/other"}).status == 404
    assert outside.ask(**other | {"mode": "unsubscribe"}).status == 404
    assert outside.ask(**other | {"challenge": ""}).status == 404
    assert get(outside.asked[0]["hub.callback"] + "x", **other).status == 404
    assert not alive(hub)
    answered = outside.verify()
    assert (answered.status, answered.body) == (200, b"tide <b>&")
    assert answered.headers["content-type"].startswith("text/plain")
    assert answered.headers["x-content-type-options"] == "nosniff"
    assert alive(hub)


@pytest.mark.parametrize("method", ["sha1", "sha256", "sha384", "sha512"])
def test_signed_content_goes_into_the_inbox(hub: HubDesk, outside: Hub, method: str) -> None:
    outside.verify()
    assert 200 <= outside.push(method=method).status < 300
    assert waiting(hub) == [FEED]


def test_content_without_the_right_signature_is_acknowledged_and_ignored(hub: HubDesk, outside: Hub) -> None:
    outside.verify()
    right = hmac.new(outside.asked[0]["hub.secret"].encode(), FEED, "sha256").hexdigest()
    for wrong in ("", "sha256=", f"sha256={right[:-1]}", f"sha1={right}", "md5=00", right, "sha256=" + "0" * 64):
        assert 200 <= outside.push(signature=wrong).status < 300, wrong
    assert waiting(hub) == []
    outside.push(signature=f"sha256={right.upper()}")
    assert waiting(hub) == [FEED]


def test_a_large_feed_may_be_pushed(hub: HubDesk, outside: Hub) -> None:
    outside.verify()
    body = FEED + b"<!--" + b"x" * 1_000_000 + b"-->"
    assert outside.push(body).status == 202
    assert waiting(hub) == [body]
    # Everywhere else, and beyond what may be fetched, bodies are refused before they are read.
    for path, length, refused in (
        ("/websub", 70_000, True),
        ("/websub/callback/t", 10_485_760, False),
        ("/websub/callback/t", 10_485_761, True),
    ):
        environ = {"PATH_INFO": path, "CONTENT_LENGTH": str(length), "HTTP_HOST": "x", "REQUEST_METHOD": "POST"}
        assert (refusal(environ) is not None) is refused


def test_a_callback_that_is_none_of_ours_has_ended(hub: HubDesk) -> None:
    assert post(f"{hub.settings.base_url}/websub/callback/guess", FEED).status == 410


def test_a_lease_is_renewed_before_it_ends(hub: HubDesk, outside: Hub) -> None:
    outside.verify("3600")
    with hub.store.read() as tx:
        assert tx.hubs.to_ask(hub.clock() + timedelta(seconds=2700), 10) == []
    hub.clock.ahead += timedelta(seconds=2900)
    until(lambda: len(outside.asked) == 2)
    assert outside.asked[0]["hub.callback"] == outside.asked[1]["hub.callback"]
    assert alive(hub)
    outside.verify("3600")
    hub.clock.ahead += timedelta(seconds=3500)
    assert alive(hub)
    hub.clock.ahead += timedelta(seconds=200)
    assert not alive(hub)


def test_a_denial_is_noted_and_asking_stops_for_long(hub: HubDesk, outside: Hub) -> None:
    assert outside.ask(mode="denied", topic=TOPIC, reason="not for you").status == 200
    with hub.store.read() as tx:
        (row,) = tx.hubs.source_hubs()
        assert tx.hubs.to_ask(hub.clock() + timedelta(days=6), 10) == []
        assert tx.hubs.to_ask(hub.clock() + timedelta(days=8), 10) != []
    assert (row.state, row.reason) == ("denied", "denied by its hub: not for you")
    assert outside.push().status == 410
    assert outside.verify().status == 404


@pytest.mark.parametrize("status", [307, 308])
def test_a_hub_that_sends_on_is_followed(hub: HubDesk, status: int) -> None:
    with Origin() as origin:
        first, second = Hub(origin, "/one"), Hub(origin, "/two")
        first.answer = lambda exchange: exchange.answer(status, Location="/two")
        found(hub, first.url)
        until(lambda: second.asked)
        assert second.asked == first.asked


def test_a_hub_that_refuses_is_asked_again_later(hub: HubDesk) -> None:
    with Origin() as origin:
        made = Hub(origin)
        made.answer = lambda exchange: exchange.answer(500)
        found(hub, made.url)
        until(lambda: made.asked)

        def noted() -> bool:
            with hub.store.read() as tx:
                return "500" in tx.hubs.source_hubs()[0].reason

        until(noted)
        made.answer = lambda exchange: exchange.answer(202)
        hub.clock.ahead += timedelta(minutes=11)
        until(lambda: len(made.asked) == 2)


def test_a_desk_that_hubs_cannot_reach_does_not_ask_and_says_why(hub: HubDesk) -> None:
    from msgspec.structs import replace

    hub.accept(replace(hub.settings, fetch=replace(hub.settings.fetch, allow_private=())))
    found(hub, "https://hub.example/")

    def noted() -> bool:
        with hub.store.read() as tx:
            return "is not public" in tx.hubs.source_hubs()[0].reason

    until(noted)


def test_two_requests_at_once_do_not_harm_each_other(hub: HubDesk, outside: Hub) -> None:
    outside.verify()
    pushes = [threading.Thread(target=outside.push, args=(FEED + b"<!--%d-->" % n,)) for n in range(8)]
    for each in pushes:
        each.start()
    for each in pushes:
        each.join()
    assert len(waiting(hub)) == 8


def _discovered(headers: list[tuple[str, str]], hubs: tuple[str, ...] = (), self_url: str | None = None) -> object:
    return discover(headers, base="https://x.example/feed?a", hubs=hubs, self_url=self_url)


@pytest.mark.parametrize(
    ("headers", "hubs", "self_url", "expected"),
    [
        ([("link", '<https://h.example/>; rel="hub", </s>; rel="self"')], ("https://no.example/",), "https://no.example/",
         Discovered("https://x.example/s", "https://h.example/")),
        ([("link", "<https://h.example/>; rel=hub"), ("link", "</s>; type=x; rel='x'; rel=self")],
         ("https://h2.example/",), "https://s.example/", Discovered("https://s.example/", "https://h.example/")),
        ([("link", '</s>; rel="alternate self"; title="a, b; rel=hub", <//h.example/>; rel="HUB"')], (), None,
         Discovered("https://x.example/s", "https://h.example/")),
        ([("link", '</s>; rel="self"')], ("https://h.example/",), "https://s.example/",
         Discovered("https://s.example/", "https://h.example/")),
        ([], ("https://h.example/", "https://h2.example/"), "https://s.example/",
         Discovered("https://s.example/", "https://h.example/")),
        ([], ("https://h.example/",), None, None),
        ([], (), "https://s.example/", None),
        ([("link", '</a>; rel="self", </b>; rel="self", <https://h.example/>; rel="hub"')], (), None, None),
        ([], ("javascript:alert(1)", "https://h.example/"), "https://s.example/",
         Discovered("https://s.example/", "https://h.example/")),
    ],
)  # fmt: skip
def test_link_headers_go_before_the_document(
    headers: list[tuple[str, str]], hubs: tuple[str, ...], self_url: str | None, expected: object
) -> None:
    assert _discovered(headers, hubs, self_url) == expected
