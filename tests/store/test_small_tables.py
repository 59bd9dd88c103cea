"""Configs, the inbox, events: put in and taken out."""

import os
from datetime import timedelta

import pytest
from msgspec.structs import replace

from feeds.parsed import Validators
from feeds.store import small_tables
from feeds.store.values import AccessToken, Event, InboxItem, PollResult, ReaderDay, StoredConfig

from .conftest import NOW, section

LATER = NOW + timedelta(hours=1)


def test_a_config_is_stored_once_and_the_last_one_holds(store):
    with store.write() as tx:
        assert tx.configs.current() is None
        first = tx.configs.accept("{1}", "d1", NOW)
        assert tx.configs.accept("{1}", "d1", LATER) == first
        second = tx.configs.accept("{2}", "d2", LATER)
        assert tx.configs.current() == StoredConfig(version=second, text="{2}", digest="d2", accepted_at=LATER)
        assert tx.configs.accept("{1}", "d1", LATER) > second  # going back is a change too


def item(source_id=1, body=b"<rss/>", **more):
    return InboxItem(source_id=source_id, received_at=NOW, final_url="https://a.example/feed", body=body, **more)


def test_the_inbox_gives_back_what_was_put_in_order_of_arrival(desk):
    body = os.urandom(100_000)
    whole = item(
        2,
        body,
        claim_id="c",
        status=226,
        headers=(("etag", '"ü"'), ("etag", "2")),
        validators=Validators(etag='"ü"', last_modified="x"),
        pushed=True,
    )
    with desk.write() as tx:
        ids = tx.inbox.put([item(), whole, item(body=b"")])
    with desk.read() as tx:
        first, second, third = tx.inbox.waiting(10)
        assert [each.id for each in (first, second, third)] == ids == sorted(ids)
        assert tx.inbox.count() == 3
        assert [each.id for each in tx.inbox.waiting(10, after_id=ids[0])] == ids[1:]
        assert [each.id for each in tx.inbox.waiting(1)] == ids[:1]
    assert third.body == b""
    assert second.body == body
    for name in ("source_id", "claim_id", "received_at", "final_url", "status", "headers", "validators", "pushed"):
        assert getattr(second, name) == getattr(whole, name)


def test_what_is_removed_from_the_inbox_is_gone_and_its_number_is_not_used_again(desk):
    with desk.write() as tx:
        ids = tx.inbox.put([item(), item()])
        tx.inbox.remove(ids)
        assert tx.inbox.waiting(10) == []
        assert min(tx.inbox.put([item()])) > max(ids)


def event(**more):
    return {"kind": "source", "subject": "a", "text": "silent", "remedy": "look", "now": NOW} | more


def test_an_event_is_open_until_it_is_closed(store):
    with store.write() as tx:
        assert tx.events.add(**event()) is True
        assert tx.events.add(**event(text="still silent")) is False
        assert tx.events.add(**event(subject="b")) is True
        assert [(each.subject, each.text) for each in tx.events.open()] == [("b", "silent"), ("a", "still silent")]
        assert tx.events.close("source", "a", LATER) is True
        assert tx.events.close("source", "a", LATER) is False
        assert tx.events.add(**event(text="again")) is True
        assert [each.text for each in tx.events.open()] == ["again", "silent"]
        assert tx.events.recent(2) == tx.events.open()
        ids = {each.id for each in tx.events.recent(10)}
        oldest = tx.events.recent(10)[-1]
        assert oldest == Event(
            id=oldest.id, kind="source", subject="a", text="still silent", remedy="look", at=NOW, closed_at=LATER
        )
    assert len(ids) == 3
    assert all(each.startswith("urn:uuid:") for each in ids)


def test_a_transaction_is_whole_or_nothing(store):
    with pytest.raises(RuntimeError), store.write() as tx:
        tx.configs.accept("{}", "d", NOW)
        raise RuntimeError
    with store.read() as tx:
        assert tx.configs.current() is None


def test_a_reader_cannot_write(store):
    with pytest.raises(Exception, match="cannot be written|read-only"), store.read() as tx:
        tx.configs.accept("{}", "d", NOW)


def test_a_reader_sees_one_moment(store):
    with store.read() as tx:
        assert tx.configs.current() is None
        with store.write() as other:
            other.configs.accept("{}", "d", NOW)
        assert tx.configs.current() is None
    with store.read() as tx:
        assert tx.configs.current() is not None


def test_what_recurs_is_kept_by_scope(store):
    with store.write() as tx:
        tx.furniture.learn({"source:1": b"one", "site:coast.example": b"\x00\xff"}, NOW)
        tx.furniture.learn({"source:1": b"two"}, NOW + timedelta(days=1))
    with store.read() as tx:
        assert tx.furniture.states(["source:1", "site:coast.example", "source:2"]) == {
            "source:1": b"two",
            "site:coast.example": b"\x00\xff",
        }
    with store.write() as tx:
        tx.retention.sweep(NOW + timedelta(days=400, hours=1), keep_days=0, keep_articles=0)
        assert list(tx.furniture.states(["source:1", "site:coast.example"])) == ["source:1"]


def test_a_body_that_was_put_off_waits_and_is_given_out_once(desk):
    with desk.write() as tx:
        first, second = tx.inbox.put([item(), item(pushed=True)])
        tx.inbox.put_off({second: LATER})
        assert [each.id for each in tx.inbox.waiting(10)] == [first]
        assert tx.inbox.waiting(10, pushed=True) == []
        assert not tx.inbox.is_put_off(NOW)
        assert tx.inbox.take_put_off(NOW, LATER, limit=10) == []
        assert tx.inbox.is_put_off(LATER)
        [taken] = tx.inbox.take_put_off(LATER, LATER + timedelta(hours=1), limit=10)
        assert (taken.id, taken.tries, taken.body) == (second, 1, b"<rss/>")
        assert tx.inbox.take_put_off(LATER, LATER + timedelta(hours=1), limit=10) == []
        tx.inbox.put_off({second: LATER})
        assert [each.tries for each in tx.inbox.take_put_off(LATER, LATER, limit=10)] == [2]


def test_pages_are_queued_once_and_the_newest_come_first(desk):
    top = 2**64 - 1
    with desk.write() as tx:
        tx.page_queue.put(1, {3: "c", 2: "b", 1: "a"})
        tx.page_queue.put(1, {top: "d", 3: "c"})
        assert tx.page_queue.next([1, 2], each=3) == {1: ["d", "c", "b"]}
        tx.page_queue.done({1: {top, 2}, 2: {3}})
        assert tx.page_queue.next([1], each=9) == {1: ["c", "a"]}


def test_pages_of_an_address_that_config_took_away_are_not_followed(desk):
    with desk.write() as tx:
        tx.page_queue.put(1, {1: "a"})
        was = tx.sources.by_id(1)[0]
        tx.sources.sync([replace(was, target="https://other.example/")], "full", NOW)
        assert tx.page_queue.next([1], each=9) == {}


def test_all_that_is_due_moves_with_the_clock(desk):
    day = timedelta(days=1)
    with desk.write() as tx:
        [id_] = tx.inbox.put([item()])
        tx.inbox.put_off({id_: LATER})
        before = tx.sources.next_due_at()
        tx.schedule.shift(-day, NOW - day)
        assert tx.sources.next_due_at() == before - day
        assert tx.inbox.is_put_off(LATER - day)
        assert tx.schedule.latest_poll_at() is None


def test_what_came_late_counts_for_the_last_poll(desk):
    with desk.write() as tx:
        claim = tx.sources.claim_named(None, NOW, lease_s=60)[0]
        result = PollResult(
            source_id=claim.source.id,
            claim_id=claim.claim_id,
            at=NOW,
            outcome="new",
            state=claim.state,
            next_poll_at=LATER,
            new=1,
        )
        tx.sources.finish([result])
        tx.sources.came_late(claim.source.id, new=2, copies=1, updated=0)
        assert [(poll.new, poll.copies) for poll in tx.sources.polls(claim.source.id, 5)] == [(3, 1)]


def test_a_model_takes_the_place_of_the_one_before_under_a_new_number(store):
    with store.write() as tx:
        assert (tx.models.version(), tx.models.body()) == (0, None)
        tx.models.put(b"first", NOW)
        assert (tx.models.version(), tx.models.body()) == (1, b"first")
        tx.models.put(b"\x00second", LATER)
        assert (tx.models.version(), tx.models.body()) == (2, b"\x00second")


def test_what_readers_asked_adds_up_by_day_and_is_bounded(store, monkeypatch):
    monkeypatch.setattr(small_tables, "MOST_READERS_A_DAY", 2)
    with store.write() as tx:
        tx.readers.add([ReaderDay(70, "Old", "/a.rss", 1)])
        tx.readers.add([ReaderDay(100, "Feedly", "/a.rss", 2, 1, 0, 500, 100, 0, 12), ReaderDay(100, "curl", "", 1)])
        tx.readers.add([ReaderDay(100, "Feedly", "/a.rss", 3, 1, 0, 500, 0, 1, 0), ReaderDay(100, "wget", "", 7)])
    with store.read() as tx:
        known = tx.readers.since(71)
        assert [row.day for row in tx.readers.since(0)] == [100] * 3
    # The day was full: who is new counts for all others together.
    assert sorted(known, key=lambda row: row.name.lower()) == [
        ReaderDay(100, "curl", "", 1),
        ReaderDay(100, "Feedly", "/a.rss", 5, 2, 0, 1000, 100, 1, 12),
        ReaderDay(100, "others", "", 7),
    ]


def test_a_token_goes_with_its_section_and_a_name_has_one(desk):
    with desk.write() as tx:
        number = tx.sections.get("news").id
        first = tx.tokens.add(number, "Ann", b"\x01" * 32, NOW)
        assert tx.tokens.add(number, "Ann", b"\x02" * 32, NOW) is None
        second = tx.tokens.add(number, "Bob", b"\x02" * 32, NOW, LATER)
        before = tx.documents.publication()
        tx.sections.sync([section("press", access="tokens", moved_from=("news",)), section("sport")], NOW)
    with desk.read() as tx:
        assert tx.tokens.all() == [
            AccessToken(id=first, path="press", name="Ann", digest=b"\x01" * 32, created_at=NOW),
            AccessToken(id=second, path="press", name="Bob", digest=b"\x02" * 32, created_at=NOW, expires_at=LATER),
        ]
    with desk.write() as tx:
        tx.tokens.revoke(first)
        assert [one.name for one in tx.tokens.all()] == ["Bob"]
        assert tx.documents.publication() > before  # who serves hears of it
        tx.sections.sync([section("sport")], NOW)
        assert tx.tokens.all() == []
