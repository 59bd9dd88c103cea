"""Webhooks: every article once and in order, signed, tried again, and never in the way of publishing."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from feeds.configuration import FetchSettings, Notify, Section
from feeds.hub.messages import next_message
from feeds.model import MEDIA_TYPES, Document
from tests.hub.conftest import HubDesk, until
from tests.hub.subscriber import Delivery, Subscriber
from tests.serve.conftest import NOW

SECRET = "geheim-4711"


def hook(hub: HubDesk, subscriber: Subscriber, **more: Any) -> None:
    """Have the subscriber told of news/world, as config would."""
    url = subscriber.callback("hook")
    given = {"url": "https://hooks.example/${NAME}", "sections": ("news/world",), **more}
    written = Notify(**given)
    assert hub.deliveries is not None
    hub.deliveries.configure(hub.settings, "Wiredesk/test", {written.url: replace(written, url=url, secret=SECRET)})

    def noted() -> bool:
        with hub.store.read() as tx:
            return any(one.hook for one in tx.hubs.subscriptions())

    until(noted)


def told(subscriber: Subscriber) -> list[dict[str, Any]]:
    return [json.loads(each.body) for each in subscriber.deliveries]


def failures(hub: HubDesk) -> int:
    return hub.counted["webhook", "failed"] + hub.counted["webhook", "refused"]


def alarms(hub: HubDesk) -> list[str]:
    with hub.store.read() as tx:
        return [event.text for event in tx.events.open_of(["webhook"], 5)]


def is_signed(delivery: Delivery) -> bool:
    right = hmac.new(SECRET.encode(), delivery.body, hashlib.sha256).hexdigest()
    return delivery.headers["x-hub-signature-256"] == f"sha256={right}"


def test_each_new_article_is_sent_once_in_order_signed_and_what_was_there_before_is_not(hub, subscriber):
    hook(hub, subscriber)
    for title in ("One", "Two", "Three"):
        hub.publish(title)
    until(lambda: len(subscriber.deliveries) >= 3)
    messages = told(subscriber)
    assert [one["article"]["title"] for one in messages] == ["One", "Two", "Three"]
    assert all(one["section"] == "news/world" and one["event"] == "article" for one in messages)
    assert all(one["article"]["id"] == one["id"] for one in messages) and all(map(is_signed, subscriber.deliveries))
    assert subscriber.deliveries[0].headers["content-type"] == "application/json"
    with hub.store.write() as tx:
        tx.articles.retract(messages[1]["id"], "asked for", hub.clock())
    hub.publish("Four")
    until(lambda: len(subscriber.deliveries) >= 5)
    last = told(subscriber)[3:]
    assert [(one["event"], one["id"]) for one in last] == [("withdrawn", messages[1]["id"]), ("article", last[1]["id"])]
    # Neither its address nor its secret stands in the database.
    with hub.store.read() as tx:
        [row] = [one for one in tx.hubs.subscriptions() if one.hook]
    assert (row.callback, row.secret) == ("https://hooks.example/${NAME}", None)
    until(lambda: hub.counted["webhook", "delivered"] == 5)


def test_what_does_not_arrive_is_tried_again_the_same_and_documents_do_not_wait_for_it(hub, subscriber):
    subscriber.status = lambda delivery: 503 if len(subscriber.deliveries) < 7 else 200
    hook(hub, subscriber)
    hub.publish("One")
    until(lambda: failures(hub) == 1)
    hub.publish("Two")
    with hub.store.read() as tx:
        document = tx.documents.get("news/world", "json")
    assert document is not None and b"Two" in document.body
    for number in (2, 3, 4, 5, 6):
        hub.clock.ahead += timedelta(hours=1)
        until(lambda number=number: failures(hub) == number)
    until(lambda: [text.partition(": ")[0] for text in alarms(hub)] == ["https://hooks.example/…"])
    hub.clock.ahead += timedelta(hours=1)
    until(lambda: hub.counted["webhook", "delivered"] == 2)
    messages = told(subscriber)
    assert [one["article"]["title"] for one in messages] == ["One"] * 7 + ["Two"]
    assert len({each.body for each in subscriber.deliveries[:7]}) == 1  # the same delivery
    until(lambda: alarms(hub) == [])


def test_an_address_inside_the_network_is_not_asked(hub, subscriber):
    hub.settings = replace(hub.settings, fetch=FetchSettings())
    hook(hub, subscriber)
    hub.publish("One")
    until(lambda: hub.counted["webhook", "failed"] >= 1)
    assert not subscriber.deliveries


def test_a_webhook_hears_of_a_private_section_and_a_subscriber_does_not(hub, subscriber):
    subscriber.subscribe(hub.hub, hub.topic(), "one")
    until(lambda: subscriber.verifications)
    hub.sections = (hub.sections[0], Section(path="news/world", title="World", access="tokens"))
    hub.accept(hub.settings)
    hook(hub, subscriber)
    hub.publish("Secret")
    until(lambda: subscriber.deliveries)
    assert [each.name for each in subscriber.deliveries] == ["hook"]


@pytest.mark.parametrize(
    ("changes", "sequence", "last"),
    [
        ([], None, None),
        ([(5, "article", "a")], 5, True),
        ([(6, "article", "b"), (5, "article", "a"), (7, "withdrawn", "c")], 5, False),
        ([(9, "article", "a")], None, None),  # newer than the document: the next one brings it
        ([(5, "article", "gone")], None, None),  # too old for the document
    ],
)
def test_the_oldest_that_the_document_knows_of_comes_first(changes, sequence, last):
    items = b'{"items": [{"id": "a"}, {"id": "b"}]}'
    document = Document(
        path="news", format="json", media_type=MEDIA_TYPES["json"], sequence=8, etag="8-x", last_modified=NOW,
        body=items, article_uids=("a", "b"),
    )  # fmt: skip
    message = next_message(document, changes)
    assert (message.sequence, message.last) == (sequence, last) if message else sequence is None
