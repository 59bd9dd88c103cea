"""Desk to desk over WebSub: what one publishes the other has at once, though it polls once in an hour."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import feedparser
import pytest

from feeds.model import FORMATS
from tests.e2e.desk import Desk, until
from tests.e2e.publisher import Publisher
from tests.fetch.origin import Exchange, Origin
from tests.hub.subscriber import Subscriber

SECTIONS = {format: {"title": format.title()} for format in FORMATS}
"""A section for each format, so that each is delivered something of its own."""


@dataclass(frozen=True)
class Wire:
    """A running desk that polls a publisher for each section each second, with one article published in each."""

    desk: Desk
    origin: Origin
    publishers: dict[str, Publisher]


def _verified(desk: Desk, callbacks: str) -> int:
    """How many subscriptions of who listens at *callbacks* the *desk* has verified; other tests have theirs."""
    lines = desk.log.read_text().splitlines()
    return sum("verified mode=subscribe" in line and f"callback={callbacks}" in line for line in lines)


def _titles(desk: Desk, section: str) -> list[str]:
    return [str(item["title"]) for item in desk.items(f"/{section}.json")]


@pytest.fixture(scope="module")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    with Origin() as origin, Desk(tmp_path_factory.mktemp("wire")) as desk:
        publishers = {section: Publisher(origin, f"/{section}.xml") for section in SECTIONS}
        for section, publisher in publishers.items():
            publisher.publish(f"First light of {section}")
        desk.write(
            sections=SECTIONS,
            sources=[
                {"name": section, "url": publisher.url, "section": section, "interval_s": 1}
                for section, publisher in publishers.items()
            ],
        )
        desk.start()
        for section in SECTIONS:
            until(lambda section=section: _titles(desk, section), what=f"the first article of {section}")
        yield Wire(desk, origin, publishers)


def test_an_article_is_pushed_from_desk_to_desk_in_every_format(wire: Wire, tmp_path: Path) -> None:
    first = wire.desk
    with Desk(tmp_path) as second:
        second.write(
            sections=SECTIONS,
            sources=[
                {"name": each, "url": f"{first.base_url}/{each}.{each}", "section": each, "interval_s": 3600}
                for each in SECTIONS
            ],
        )
        second.start()
        for section in SECTIONS:
            until(lambda section=section: _titles(second, section), what=f"the first article of {section}, polled")
        until(lambda: _verified(first, second.base_url) == len(SECTIONS), what="the subscriptions")
        for section, publisher in wire.publishers.items():
            publisher.publish(f"Pushed tide of {section}")
        for section in SECTIONS:
            pushed = f"Pushed tide of {section}"
            until(lambda section=section, pushed=pushed: pushed in _titles(first, section), what="it at the first desk")
            until(lambda section=section, pushed=pushed: pushed in _titles(second, section), 10, f"{pushed}, pushed")
            titles = _titles(second, section)
            assert len(titles) == len(set(titles))
            assert {f"First light of {section}", pushed} <= set(titles)


def test_a_kill_in_the_middle_of_deliveries_loses_none(wire: Wire) -> None:
    many = 60
    desk = wire.desk
    with Subscriber() as subscriber:
        for number in range(many):
            answered = subscriber.subscribe(f"{desk.base_url}/websub", f"{desk.base_url}/atom.atom", str(number))
            assert answered.status == 202, answered.body
        until(lambda: subscriber.verified == many, what="all subscriptions")
        # The first few are delivered; the others wait for the killed process, and come again from the next.
        subscriber.hold_after = 5
        wire.publishers["atom"].publish("Through the storm")
        until(lambda: len(subscriber.deliveries) >= 5, what="the first deliveries")
        desk.child("ingest").kill()
        subscriber.hold_after = None
        until(lambda: len({each.name for each in subscriber.deliveries}) == many, 60, what="all deliveries")
        assert all(b"Through the storm" in each.body for each in subscriber.deliveries)
        assert all(subscriber.is_signed(each) for each in subscriber.deliveries)


def test_documents_name_the_hub_and_themselves_alike_in_headers_and_body(wire: Wire) -> None:
    desk = wire.desk
    for suffix in FORMATS:
        answered = desk.get(f"/atom.{suffix}")
        own, hub = f"{desk.base_url}/atom.{suffix}", f"{desk.base_url}/websub"
        assert answered.headers["link"] == f'<{own}>; rel="self", <{hub}>; rel="hub"'
        if suffix == "json":
            feed = json.loads(answered.body)
            assert (feed["feed_url"], feed["hubs"]) == (own, [{"type": "WebSub", "url": hub}])
        else:
            links = feedparser.parse(answered.body).feed.links
            assert [link.href for link in links if link.rel == "self"] == [own]
            assert [link.href for link in links if link.rel == "hub"] == [hub]


def test_an_outside_hub_is_named_instead_and_told(wire: Wire) -> None:
    def taken(exchange: Exchange) -> None:
        exchange.answer(204)

    desk, origin = wire.desk, wire.origin
    origin.add("/hub", taken)
    desk.write(desk={"publish": {"full_text": "full", "hubs": [origin.url("/hub")]}})
    try:
        until(lambda: origin.url("/hub") in desk.get("/atom.atom").headers["link"], what="the hub's name")
        until(lambda: any(b"atom.atom" in each.raw for each in origin.seen("/hub")), what="the first ping")
        before = len(origin.seen("/hub"))
        wire.publishers["atom"].publish("Told outside")
        until(lambda: "Told outside" in _titles(desk, "atom"), what="the article")
        until(lambda: len(origin.seen("/hub")) > before, what="the ping")
        assert {each.method for each in origin.seen("/hub")} == {"POST"}
        assert desk.get("/websub", method="POST").status in (404, 415)
    finally:
        desk.write(desk={})
    until(lambda: f"{desk.base_url}/websub" in desk.get("/atom.atom").headers["link"], what="its own hub's return")
