"""Our hub, driven by a subscriber written from the Recommendation alone, through every rule of it for hubs."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import timedelta
from statistics import median
from urllib.parse import urlencode
from urllib.request import urlopen

import feedparser
import pytest

from tests.hub.conftest import HubDesk, settled, until
from tests.hub.subscriber import Delivery, Subscriber, Verification, post


def subscribe(hub: HubDesk, subscriber: Subscriber, name: str = "one", suffix: str = "atom", **more: str) -> None:
    """Subscribe and wait for the end of it."""
    assert subscriber.subscribe(hub.hub, hub.topic(suffix), name, **more).status == 202
    settled(hub)


def names(hub: HubDesk) -> list[str]:
    """Whose subscriptions there are."""
    with hub.store.read() as tx:
        return [one.callback.rpartition("=")[2] for one in tx.hubs.subscriptions() if not one.ping]


def failed(hub: HubDesk, times: int) -> None:
    """Wait until so many failures are noted: what is due later is reckoned from there."""

    def noted() -> bool:
        with hub.store.read() as tx:
            return tx.hubs.subscriptions()[0].failures >= times

    until(noted)


def titles(delivery: Delivery) -> list[str]:
    return [entry.title for entry in feedparser.parse(delivery.body).entries]


# --------------------------------------------------------------------------- requests (§5.1)


@pytest.mark.parametrize(
    ("changed", "status", "said"),
    [
        ({"hub.mode": "publish"}, 400, "hub.mode"),
        ({"hub.mode": ""}, 400, "hub.mode"),
        ({"hub.topic": "https://elsewhere.example/feed"}, 404, "hub.topic"),
        ({"hub.topic": "TOPIC.bak"}, 404, "hub.topic"),
        ({"hub.topic": ""}, 404, "hub.topic"),
        ({"hub.callback": ""}, 400, "hub.callback"),
        ({"hub.callback": "ftp://127.0.0.1/x"}, 400, "hub.callback"),
        ({"hub.callback": "/relative"}, 400, "hub.callback"),
        ({"hub.callback": "https://reader.example/cb#part"}, 400, "hub.callback"),
        ({"hub.callback": "https://reader.example/" + "x" * 1100}, 400, "hub.callback"),
        ({"hub.secret": "s" * 200}, 400, "hub.secret"),
        ({"hub.secret": "é" * 100}, 400, "hub.secret"),
        ({"hub.lease_seconds": "0"}, 400, "hub.lease_seconds"),
        ({"hub.lease_seconds": "-5"}, 400, "hub.lease_seconds"),
        ({"hub.lease_seconds": "ten"}, 400, "hub.lease_seconds"),
    ],
)
def test_a_bad_request_is_told_what_is_wrong(hub: HubDesk, changed: dict[str, str], status: int, said: str) -> None:
    fields = {"hub.mode": "subscribe", "hub.topic": hub.topic(), "hub.callback": "https://reader.example/cb"}
    fields |= {name: value.replace("TOPIC", hub.topic()) for name, value in changed.items()}
    answered = post(hub.hub, urlencode(fields).encode())
    assert (answered.status, answered.headers["content-type"]) == (status, "text/plain; charset=utf-8")
    assert said in answered.body.decode()


def test_only_forms_are_taken(hub: HubDesk) -> None:
    assert post(hub.hub, b"{}", content_type="application/json").status == 415
    assert post(hub.hub, b"").status == 400


def test_a_request_is_accepted_at_once_and_the_callback_asked_afterwards(hub: HubDesk, subscriber: Subscriber) -> None:
    hub.stop()
    asked = subscriber.subscribe(hub.hub, hub.topic(), lease_seconds="864000", unheard_of="x", **{"topic.x": "y"})
    assert (asked.status, subscriber.verifications) == (202, [])
    hub.start()
    until(lambda: names(hub) == ["one"])
    (seen,) = subscriber.verifications
    assert seen.target.startswith("/cb/one?red=fish&name=one&hub.mode=subscribe&")
    assert (seen.field("hub.topic"), seen.field("hub.lease_seconds")) == (hub.topic(), "864000")
    assert len(seen.field("hub.challenge")) >= 32


def test_every_challenge_is_another(hub: HubDesk, subscriber: Subscriber) -> None:
    for name in ("one", "two", "one"):
        subscribe(hub, subscriber, name)
    assert len({seen.field("hub.challenge") for seen in subscriber.verifications}) == 3


@pytest.mark.parametrize(("asked", "given"), [("", 864_000), ("5", 60), ("99999999999", 2_592_000), ("7200", 7200)])
def test_leases_are_bounded_and_never_for_ever(hub: HubDesk, subscriber: Subscriber, asked: str, given: int) -> None:
    subscribe(hub, subscriber, **({"lease_seconds": asked} if asked else {}))
    assert subscriber.verifications[0].field("hub.lease_seconds") == str(given)


# --------------------------------------------------------------------------- verification (§5.3)


@pytest.mark.parametrize(
    "answer",
    [
        lambda seen: (404, seen.field("hub.challenge").encode()),
        lambda seen: (500, seen.field("hub.challenge").encode()),
        lambda seen: (302, seen.field("hub.challenge").encode()),
        lambda seen: (200, b""),
        lambda seen: (200, b"yes"),
        lambda seen: (200, seen.field("hub.challenge").encode() + b"!"),
        lambda seen: (200, f"<p>{seen.field('hub.challenge')}</p>".encode()),
    ],
    ids=["404", "500", "302", "empty", "another", "more", "within"],
)
def test_only_2xx_with_exactly_the_challenge_counts(hub: HubDesk, subscriber: Subscriber, answer: object) -> None:
    subscriber.challenge = answer
    subscribe(hub, subscriber)
    assert len(subscriber.verifications) == 1
    assert names(hub) == []
    hub.publish("Not for them")
    time.sleep(0.3)
    assert subscriber.deliveries == []


def test_any_2xx_with_the_challenge_counts(hub: HubDesk, subscriber: Subscriber) -> None:
    subscriber.challenge = lambda seen: (202, seen.field("hub.challenge").encode())
    subscribe(hub, subscriber)
    assert names(hub) == ["one"]


def test_a_renewal_replaces_once_verified_and_a_failed_one_changes_nothing(
    hub: HubDesk, subscriber: Subscriber
) -> None:
    subscribe(hub, subscriber, secret="first")
    subscriber.challenge = lambda seen: (404, b"")
    subscribe(hub, subscriber, secret="forged")
    hub.publish("Under the first secret")
    until(lambda: len(subscriber.deliveries) == 1)
    subscriber.secrets["one"] = "first"
    assert subscriber.is_signed(subscriber.deliveries[0])
    subscriber.challenge = None
    subscribe(hub, subscriber, secret="second")
    hub.publish("Under the second secret")
    until(lambda: len(subscriber.deliveries) == 2)
    assert subscriber.is_signed(subscriber.deliveries[1])
    assert names(hub) == ["one"]


def test_unsubscribing_is_verified_too(hub: HubDesk, subscriber: Subscriber) -> None:
    subscribe(hub, subscriber)
    subscriber.challenge = lambda seen: (404, b"")
    subscribe(hub, subscriber, mode="unsubscribe")
    assert names(hub) == ["one"]
    subscriber.challenge = None
    subscribe(hub, subscriber, mode="unsubscribe", lease_seconds="ignored here")
    assert [seen.field("hub.mode") for seen in subscriber.verifications] == ["subscribe", "unsubscribe", "unsubscribe"]
    assert names(hub) == []
    hub.publish("Too late")
    time.sleep(0.3)
    assert subscriber.deliveries == []


def test_private_callbacks_are_not_asked(hub: HubDesk, subscriber: Subscriber) -> None:
    from msgspec.structs import replace

    hub.accept(replace(hub.settings, fetch=replace(hub.settings.fetch, allow_private=())))
    subscribe(hub, subscriber)
    assert (subscriber.verifications, names(hub)) == ([], [])


# --------------------------------------------------------------------------- distribution (§7)


@pytest.mark.parametrize("suffix", ["rss", "atom", "json"])
def test_what_is_published_is_delivered_signed_with_links_and_the_topics_type(
    hub: HubDesk, subscriber: Subscriber, suffix: str
) -> None:
    subscribe(hub, subscriber, suffix=suffix)
    hub.publish("High water")
    until(lambda: subscriber.deliveries)
    (seen,) = subscriber.deliveries
    assert seen.target == "/cb/one?red=fish&name=one"
    kind = {"rss": "application/rss+xml", "atom": "application/atom+xml", "json": "application/feed+json"}[suffix]
    assert seen.headers["content-type"] == f"{kind}; charset=utf-8"
    assert (seen.links("self"), seen.links("hub")) == ([hub.topic(suffix)], [hub.hub])
    assert subscriber.is_signed(seen)
    if suffix == "json":  # of JSON no entries may be left out
        assert [item["title"] for item in json.loads(seen.body)["items"]] == ["High water", "Before"]
    else:
        assert titles(seen) == ["High water"]


def test_without_a_secret_there_is_no_signature(hub: HubDesk, subscriber: Subscriber) -> None:
    subscribe(hub, subscriber, secret="")
    hub.publish("Unsigned")
    until(lambda: subscriber.deliveries)
    assert "x-hub-signature" not in subscriber.deliveries[0].headers


def test_each_change_is_delivered_once(hub: HubDesk, subscriber: Subscriber) -> None:
    subscribe(hub, subscriber)
    for number in range(5):
        hub.publish(f"Change {number}")
        until(lambda number=number: len(subscriber.deliveries) == number + 1)
    assert [titles(seen) for seen in subscriber.deliveries] == [[f"Change {number}"] for number in range(5)]


def test_a_failed_delivery_is_tried_again_and_brings_all_that_was_missed(hub: HubDesk, subscriber: Subscriber) -> None:
    subscribe(hub, subscriber)
    subscriber.status = lambda seen: 500
    hub.publish("Missed one")
    failed(hub, 1)
    hub.publish("Missed two")
    subscriber.status = None
    hub.clock.ahead += timedelta(seconds=30)
    until(lambda: len(subscriber.deliveries) >= 2)
    assert sorted(titles(subscriber.deliveries[-1])) == ["Missed one", "Missed two"]
    assert names(hub) == ["one"]
    until(lambda: hub.counted["delivery", "delivered"] == 1)
    assert hub.counted["delivery", "refused"] == len(subscriber.deliveries) - 1


@pytest.mark.parametrize("status", [302, 404, 500])
def test_a_subscription_stays_through_failures(hub: HubDesk, subscriber: Subscriber, status: int) -> None:
    subscribe(hub, subscriber)
    subscriber.status = lambda seen: status
    hub.publish("Never taken")
    for tried in range(1, 6):
        failed(hub, tried)
        hub.clock.ahead += timedelta(hours=1.5)
    assert len(subscriber.deliveries) >= 5
    assert names(hub) == ["one"]
    assert all(seen.target.startswith("/cb/one") for seen in subscriber.deliveries), "a redirect was followed"


def test_pauses_between_tries_grow(hub: HubDesk, subscriber: Subscriber) -> None:
    subscribe(hub, subscriber)
    subscriber.status = lambda seen: 503
    hub.publish("Again and again")
    pauses = []
    for tried in range(1, 5):
        until(lambda tried=tried: len(subscriber.deliveries) == tried)
        failed(hub, tried)
        low, high = 0.0, 10_000.0
        with hub.store.read() as tx:
            while high - low > 0.5:
                middle = (low + high) / 2
                now = hub.clock() + timedelta(seconds=middle)
                low, high = (low, middle) if tx.hubs.due(now, 10) else (middle, high)
        pauses.append(high)
        hub.clock.ahead += timedelta(seconds=high + 1)
    assert pauses == sorted(pauses)
    assert pauses[-1] > 4 * pauses[0] > 0


def test_a_day_of_failures_ends_the_delivery_and_the_next_change_brings_it_along(
    hub: HubDesk, subscriber: Subscriber
) -> None:
    subscribe(hub, subscriber)
    subscriber.status = lambda seen: 500
    hub.publish("Given up")
    failed(hub, 1)
    hub.clock.ahead += timedelta(hours=25)
    until(lambda: len(subscriber.deliveries) == 2)

    def given_up() -> bool:
        with hub.store.read() as tx:
            return not tx.hubs.due(hub.clock() + timedelta(days=2), 10)

    until(given_up)
    subscriber.status = None
    hub.clock.ahead += timedelta(hours=2)
    hub.publish("New again")
    until(lambda: len(subscriber.deliveries) == 3)
    assert sorted(titles(subscriber.deliveries[2])) == ["Given up", "New again"]


def test_410_ends_a_subscription(hub: HubDesk, subscriber: Subscriber) -> None:
    subscribe(hub, subscriber)
    subscriber.status = lambda seen: 410
    hub.publish("Not wanted")
    until(lambda: names(hub) == [])
    hub.publish("Not sent")
    time.sleep(0.3)
    assert len(subscriber.deliveries) == 1
    assert hub.counted == {("delivery", "gone"): 1}


def test_a_lease_ends(hub: HubDesk, subscriber: Subscriber) -> None:
    subscribe(hub, subscriber, lease_seconds="3600")
    hub.clock.ahead += timedelta(seconds=3599)
    hub.publish("In time")
    until(lambda: len(subscriber.deliveries) == 1)
    hub.clock.ahead += timedelta(seconds=2)
    hub.publish("Out of time")
    time.sleep(0.3)
    assert len(subscriber.deliveries) == 1
    hub.clock.ahead += timedelta(seconds=60)
    until(lambda: names(hub) == [])


def test_a_renewed_lease_goes_on(hub: HubDesk, subscriber: Subscriber) -> None:
    subscribe(hub, subscriber, lease_seconds="3600")
    hub.clock.ahead += timedelta(seconds=3000)
    subscribe(hub, subscriber, lease_seconds="3600")
    hub.clock.ahead += timedelta(seconds=3000)
    hub.publish("Still here")
    until(lambda: len(subscriber.deliveries) == 1)


def test_deliveries_wait_through_a_restart(hub: HubDesk, subscriber: Subscriber) -> None:
    subscribe(hub, subscriber)
    hub.stop()
    hub.publish("While nobody worked")
    hub.start()
    until(lambda: subscriber.deliveries)
    assert titles(subscriber.deliveries[0]) == ["While nobody worked"]


# --------------------------------------------------------------------------- denial, limits


def test_a_hub_that_is_switched_off_denies_and_takes_no_more(hub: HubDesk, subscriber: Subscriber) -> None:
    subscribe(hub, subscriber)
    hub.publish_settings(websub=False)
    until(lambda: len(subscriber.verifications) == 2)
    denied: Verification = subscriber.verifications[1]
    assert (denied.field("hub.mode"), denied.field("hub.topic")) == ("denied", hub.topic())
    assert "no hub" in denied.field("hub.reason")
    assert names(hub) == []
    until(lambda: subscriber.subscribe(hub.hub, hub.topic()).status == 404)


def test_limits_a_topic_a_host_and_what_waits(
    hub: HubDesk, subscriber: Subscriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    from feeds.hub import messages

    subscribe(hub, subscriber, "one")
    monkeypatch.setattr(messages, "MAX_PER_HOST", 1)
    assert subscriber.subscribe(hub.hub, hub.topic(), "two").status == 403
    assert subscriber.subscribe(hub.hub, hub.topic(), "one").status == 202, "a renewal is no new subscription"
    monkeypatch.setattr(messages, "MAX_PER_TOPIC", 1)
    full = subscriber.subscribe(hub.hub, hub.topic(), "two")
    assert (full.status, full.headers["retry-after"]) == (503, "60")
    settled(hub)
    monkeypatch.setattr(messages, "MAX_WAITING_PER_HOST", 0)
    assert subscriber.subscribe(hub.hub, hub.topic(), "one").status == 503


def test_a_delivery_comes_within_a_second_of_publication(
    hub: HubDesk, subscriber: Subscriber, record_property: Callable[[str, object], None]
) -> None:
    many, rounds = 50, 5
    for number in range(many):
        subscriber.subscribe(hub.hub, hub.topic(), str(number))
    settled(hub)
    until(lambda: len(names(hub)) == many)
    first, last = [], []
    for number in range(rounds):
        published = hub.publish(f"Timed {number}")
        until(lambda number=number: len(subscriber.deliveries) == many * (number + 1))
        taken = [seen.at - published for seen in subscriber.deliveries[-many:]]
        first.append(min(taken))
        last.append(max(taken))
    told = f"first {median(first):.3f} s, last {median(last):.3f} s (medians of {rounds})"
    record_property("measured", f"publication to delivery, {many} subscribers: {told}")
    assert min(first) < 1.0


def test_search_engines_are_told_of_what_is_new_and_no_more_than_once_a_minute(
    hub: HubDesk, subscriber: Subscriber
) -> None:
    engine = subscriber.callback("engine")
    for title in ("First", "Second"):
        hub.publish(title, "news/world", "")
    hub.publish_settings(indexnow=(engine,))
    until(lambda: len(subscriber.deliveries) == 1)
    told = json.loads(subscriber.deliveries[0].body)
    assert subscriber.deliveries[0].headers["content-type"] == "application/json; charset=utf-8"
    assert told["host"] == hub.settings.base_url.removeprefix("http://") and len(told["urlList"]) == 2
    with urlopen(told["keyLocation"]) as served:  # noqa: S310 - of the desk itself
        assert served.read().decode().strip() == told["key"]

    hub.publish("Third", "news/world", "")
    settled(hub)
    assert len(subscriber.deliveries) == 1
    hub.clock.ahead += timedelta(minutes=2)
    until(lambda: len(subscriber.deliveries) == 2)
    (page,) = json.loads(subscriber.deliveries[1].body)["urlList"]
    assert page not in told["urlList"]
