"""Desk to desk over WebSub: what one publishes the other has at once, though it polls once in an hour."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.e2e.desk import Desk, until
from tests.e2e.publisher import Publisher
from tests.fetch.origin import Exchange, Origin
from tests.hub.subscriber import Subscriber


def _titles(desk: Desk) -> list[str]:
    return [str(item["title"]) for item in desk.items("/news/world.json")]


@pytest.fixture
def wire(desk: Desk, origin: Origin) -> Publisher:
    """A running desk that polls this publisher each second, with one article published."""
    publisher = Publisher(origin)
    publisher.publish("First light")
    desk.write(sources=[{"name": "Tidings", "url": publisher.url, "section": "news/world", "interval_s": 1}])
    desk.start()
    until(lambda: _titles(desk) == ["First light"], what="the first article")
    return publisher


@pytest.mark.parametrize("suffix", ["rss", "atom", "json"])
def test_an_article_is_pushed_from_desk_to_desk(desk: Desk, wire: Publisher, tmp_path: Path, suffix: str) -> None:
    (tmp_path / "second").mkdir()
    with Desk(tmp_path / "second") as second:
        topic = f"{desk.base_url}/news/world.{suffix}"
        second.write(sources=[{"name": "Wire", "url": topic, "section": "news/world", "interval_s": 3600}])
        second.start()
        until(lambda: _titles(second) == ["First light"], what="the first article, polled")
        until(lambda: "verified mode=subscribe" in desk.log.read_text(), what="the subscription")
        wire.publish("Pushed tide")
        until(lambda: "Pushed tide" in _titles(desk), what="the article at the first desk")
        began = time.monotonic()
        until(lambda: "Pushed tide" in _titles(second), 10, what="the article at the second desk")
        print(f"\n{suffix}: published at one desk, served by the other {time.monotonic() - began:.2f} s later")
        assert sorted(_titles(second)) == ["First light", "Pushed tide"]


def test_a_kill_in_the_middle_of_deliveries_loses_none(desk: Desk, wire: Publisher) -> None:
    many = 60
    with Subscriber() as subscriber:
        for number in range(many):
            answered = subscriber.subscribe(f"{desk.base_url}/websub", f"{desk.base_url}/news/world.atom", str(number))
            assert answered.status == 202, answered.body
        until(lambda: subscriber.verified == many, what="all subscriptions")
        # The first few are delivered; the others wait for the killed process, and come again from the next.
        subscriber.hold_after = 5
        wire.publish("Through the storm")
        until(lambda: len(subscriber.deliveries) >= 5, what="the first deliveries")
        desk.children()["ingest"].kill()
        subscriber.hold_after = None
        until(lambda: len({each.name for each in subscriber.deliveries}) == many, 60, what="all deliveries")
        assert all(b"Through the storm" in each.body for each in subscriber.deliveries)
        assert all(subscriber.is_signed(each) for each in subscriber.deliveries)


def test_documents_name_the_hub_and_themselves_alike_in_headers_and_body(desk: Desk, wire: Publisher) -> None:
    import json

    import feedparser

    for suffix in ("rss", "atom", "json"):
        answered = desk.get(f"/news/world.{suffix}")
        own, hub = f"{desk.base_url}/news/world.{suffix}", f"{desk.base_url}/websub"
        assert answered.headers["link"] == f'<{own}>; rel="self", <{hub}>; rel="hub"'
        if suffix == "json":
            feed = json.loads(answered.body)
            assert (feed["feed_url"], feed["hubs"]) == (own, [{"type": "WebSub", "url": hub}])
        else:
            links = feedparser.parse(answered.body).feed.links
            assert [link.href for link in links if link.rel == "self"] == [own]
            assert [link.href for link in links if link.rel == "hub"] == [hub]


def test_an_outside_hub_is_named_instead_and_told(desk: Desk, wire: Publisher, origin: Origin) -> None:
    def taken(exchange: Exchange) -> None:
        exchange.answer(204)

    origin.add("/hub", taken)
    desk.write(desk={"publish": {"full_text": "full", "hubs": [origin.url("/hub")]}})
    until(lambda: origin.url("/hub") in desk.get("/news/world.atom").headers["link"], what="the hub's name")
    until(lambda: any(b"world.atom" in each.raw for each in origin.seen("/hub")), what="the first ping")
    before = len(origin.seen("/hub"))
    wire.publish("Told outside")
    until(lambda: "Told outside" in _titles(desk), what="the article")
    until(lambda: len(origin.seen("/hub")) > before, what="the ping")
    assert {each.method for each in origin.seen("/hub")} == {"POST"}
    assert desk.get("/websub", method="POST").status in (404, 415)
