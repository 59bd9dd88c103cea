"""WebSub in the store: who subscribes, what has arrived where, our own subscriptions."""

import pytest

from feeds.model import Document
from feeds.store.hubs import PING, HubRequest
from feeds.store.source_rows import pushing
from feeds.store.values import Replacement

from .conftest import NOW, later

CALLBACK = "https://reader.example/cb?a=b"


def request(**more):
    made = {
        "mode": "subscribe",
        "path": "news",
        "format": "atom",
        "topic": "https://w.example/news.atom",
        "callback": CALLBACK,
        "host": "reader.example",
        "secret": "s",
        "lease_s": 3600,
    }
    return HubRequest(**made | more)


def put(tx, etag, sequence=1, path="news"):
    document = Document(
        path=path, format="atom", media_type="application/atom+xml", sequence=sequence, etag=etag, last_modified=NOW,
        body=etag.encode(),
    )  # fmt: skip
    tx.documents.replace([Replacement(path=path, documents=[document], sequence=sequence)])


@pytest.fixture
def subscribed(desk):
    with desk.write() as tx:
        put(tx, "1-a")
        tx.hubs.ask(request(), NOW)
        (asked,) = tx.hubs.requests_due(NOW, 10)
        assert tx.hubs.verified(asked, NOW, later(hours=1))
    return desk


def test_a_newer_request_takes_the_place_of_an_older_one(desk):
    with desk.write() as tx:
        tx.hubs.ask(request(secret="old"), NOW)
        (old,) = tx.hubs.requests_due(NOW, 10)
        tx.hubs.ask(request(secret="new"), NOW)
        assert not tx.hubs.verified(old, NOW, later(hours=1)), "the answer to the old request counts no more"
        (new,) = tx.hubs.requests_due(NOW, 10)
        assert (new.secret, tx.hubs.requests_due(NOW, 10, but=[new.id])) == ("new", [])
        tx.hubs.ask_again(new, later(seconds=9))
        assert tx.hubs.requests_due(later(seconds=8), 10) == []
        assert tx.hubs.requests_due(later(seconds=9), 10)[0].tries == 1
        assert tx.hubs.settled(new)
        assert not tx.hubs.settled(new)
        assert tx.hubs.subscriptions() == []


def test_what_differs_from_what_arrived_is_due(subscribed):
    with subscribed.write() as tx:
        assert tx.hubs.subscribed("news", "atom", CALLBACK)
        assert not tx.hubs.subscribed("news", "rss", CALLBACK)
        assert tx.hubs.due(NOW, 10) == [], "what was there before is no news"
        put(tx, "2-b", 2)
        (one,) = tx.hubs.due(NOW, 10)
        assert (one.delivered_etag, one.delivered_sequence, one.secret) == ("1-a", 1, "s")
        assert tx.hubs.due(NOW, 10, but=[one.id]) == tx.hubs.due(NOW, 10, failing=True) == []
        assert tx.hubs.due(later(hours=1), 10) == [], "the lease has ended"
        tx.hubs.delivered([(one.id, "2-b", 2)], NOW)
        assert tx.hubs.due(NOW, 10) == []


def test_failures_are_kept_until_a_delivery_arrives(subscribed):
    with subscribed.write() as tx:
        put(tx, "2-b", 2)
        (one,) = tx.hubs.due(NOW, 10)
        tx.hubs.failed(one.id, "answered 500", NOW, later(seconds=5))
        tx.hubs.failed(one.id, "answered 500", later(seconds=5), later(seconds=15))
        assert tx.hubs.due(later(seconds=14), 10) == []
        (again,) = tx.hubs.due(later(seconds=15), 10, failing=True)
        assert (again.failures, again.failing_since) == (2, NOW)
        tx.hubs.failed(one.id, "answered 500", later(seconds=15), later(seconds=20), give_up="2-b")
        assert tx.hubs.due(later(seconds=30), 10) == []
        put(tx, "3-c", 3)
        (new,) = tx.hubs.due(later(seconds=30), 10)
        assert (new.delivered_sequence, new.failing_since) == (1, None)
        tx.hubs.delivered([(one.id, "3-c", 3)], later(seconds=30))
        assert tx.hubs.subscriptions()[0].failures == 0


def test_a_renewal_keeps_what_has_arrived(subscribed):
    with subscribed.write() as tx:
        put(tx, "2-b", 2)
        tx.hubs.ask(request(secret="next"), NOW)
        (asked,) = tx.hubs.requests_due(NOW, 10)
        tx.hubs.verified(asked, NOW, later(hours=2))
        (one,) = tx.hubs.due(NOW, 10)
        assert (one.secret, one.expires_at, one.delivered_sequence) == ("next", later(hours=2), 1)


def test_subscriptions_end(subscribed):
    with subscribed.write() as tx:
        assert tx.hubs.sweep(NOW) == 0
        assert tx.hubs.withdraw(NOW, 10, reason="gone") == 0
        tx.sections.sync([], NOW)
        assert tx.hubs.withdraw(NOW, 10, reason="gone") == 1
        (told,) = tx.hubs.requests_due(NOW, 10)
        assert (told.mode, told.reason, told.callback) == ("denied", "gone", CALLBACK)
        assert tx.hubs.subscriptions() == []


def test_limits_are_counted(subscribed):
    with subscribed.write() as tx:
        tx.hubs.ask(request(callback="https://reader.example/other"), NOW)
        counts = tx.hubs.counts("news", "atom", "reader.example")
        assert (counts.topic, counts.host, counts.total, counts.waiting, counts.waiting_host) == (1, 1, 1, 1, 1)
        counts = tx.hubs.counts("news", "rss", "else.example")
        assert (counts.topic, counts.host, counts.total, counts.waiting, counts.waiting_host) == (0, 0, 1, 1, 0)
        assert tx.hubs.sweep(later(hours=1)) == 1


def test_outside_hubs_are_told_of_every_topic(subscribed):
    with subscribed.write() as tx:
        for _ in range(2):
            tx.hubs.sync_told(PING, {("news", format, "https://h.example/") for format in ("atom", "rss")}, NOW)
        pings = [one for one in tx.hubs.subscriptions() if one.ping]
        assert [(one.path, one.format, one.callback) for one in pings] == [
            ("news", "atom", "https://h.example/"),
            ("news", "rss", "https://h.example/"),
        ]
        assert [one.id for one in tx.hubs.due(NOW, 10)] == [pings[0].id]
        tx.hubs.sync_told(PING, set(), NOW)
        assert [one.ping for one in tx.hubs.subscriptions()] == [False]


def test_our_own_subscriptions(desk):
    with desk.write() as tx:
        assert tx.hubs.found(1, "https://h.example/", "https://a.example/feed", NOW, token="t", secret="s")
        assert not tx.hubs.found(1, "https://h.example/", "https://a.example/feed", NOW, token="u", secret="v")
        (one,) = tx.hubs.to_ask(NOW, 10)
        assert (one.token, one.state, tx.hubs.by_token("t"), tx.hubs.by_token("u")) == ("t", "wanted", one, None)
        tx.hubs.asked(1, later(minutes=10))
        assert tx.hubs.to_ask(later(minutes=9), 10) == []
        tx.hubs.not_asked(1, "answered 500", later(minutes=1))
        assert [(each.state, each.failures, each.reason) for each in tx.hubs.source_hubs()] == [
            ("wanted", 1, "answered 500")
        ]
        tx.hubs.confirmed(1, later(hours=1), later(minutes=48))
        assert pushing(tx._connection, NOW) == {1}
        assert pushing(tx._connection, later(hours=1)) == frozenset()
        taken = {claim.source.id: claim.pushed for claim in tx.sources.claim_named(None, NOW, 600)}
        assert taken.pop(1) is True and not any(taken.values())
        tx.hubs.asked(1, later(hours=2))
        assert pushing(tx._connection, NOW) == {1}, "a renewal under way ends nothing"
        tx.hubs.pushed(1, NOW)
        tx.hubs.denied(1, "no", later(days=7))
        assert pushing(tx._connection, NOW) == frozenset()
        assert tx.hubs.source_hubs()[0].pushed_at == NOW
        assert tx.hubs.found(1, "https://other.example/", "https://a.example/feed", NOW, token="w", secret="v")
        assert tx.hubs.by_token("t") is None
        tx.sources.sync([], "full", NOW)
        assert tx.hubs.by_token("w") is None
        assert tx.hubs.to_ask(later(days=9), 10) == []
        assert tx.hubs.forget_sources() == 1
