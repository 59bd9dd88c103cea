"""What admins are told of sources: each trouble opened once and closed once, and nothing beside an outage."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from msgspec.structs import replace

from feeds.condition import SourceState
from feeds.configuration import PollSettings
from feeds.errors import FetchStatus
from feeds.fetch.cadence import plan
from feeds.fetch.rhythm import Poll
from feeds.ingest import notices, verdicts
from feeds.parsed import Request
from feeds.store import Store, open_store
from feeds.store.values import Event, PollResult
from tests.databases import database
from tests.ingest.test_verdicts import NOW, STATE, URL, answer, brought, claim, ended

DOWN = FetchStatus("answered 503", request=Request(source_id=1, url=URL), url=URL, status=503, kind="temporary")


@pytest.fixture
def store(tmp_path) -> Iterator[Store]:
    with open_store(database(tmp_path / "desk.sqlite3")) as opened:
        yield opened


def tell(store: Store, before: SourceState, result: PollResult) -> list[tuple[str, bool]]:
    """Tell what *result* has to say; the kinds of all events that there are then, oldest first, and whether open."""
    with store.write() as tx:
        notices.write(tx, notices.notices(claim(before), result), result.at)
    return [(event.kind, event.closed_at is None) for event in reversed(events(store))]


def events(store: Store) -> list[Event]:
    with store.read() as tx:
        return tx.events.recent(50)


def fail(before: SourceState, at) -> PollResult:
    return verdicts.failed(claim(before), DOWN, at=at, settings=PollSettings(), jitter=0.0)


def test_a_source_that_dies_is_told_once_and_its_return_is_news(store):
    dying = replace(STATE, failures=7, last_ok_at=NOW - timedelta(days=4))
    for hour in range(3):
        assert tell(store, dying, fail(dying, NOW + timedelta(hours=hour))) == [("failing", True)]
    back = ended(claim(dying), answer(at=NOW + timedelta(hours=5)))
    assert tell(store, dying, back) == [("failing", False), ("revived", False)]
    assert "A answers again" in events(store)[0].text
    assert tell(store, back.state, ended(claim(back.state), answer(at=NOW + timedelta(hours=6)))) == [
        ("failing", False),
        ("revived", False),
    ]


def test_a_few_failures_or_young_ones_are_not_told(store):
    assert tell(store, STATE, fail(replace(STATE, failures=9), NOW + timedelta(days=1))) == []
    assert tell(store, STATE, fail(replace(STATE, failures=0, last_ok_at=NOW - timedelta(days=9)), NOW)) == []


def test_while_an_outage_is_told_no_source_is_told_beside_it_and_afterwards_it_is(store):
    dying = replace(STATE, failures=7, last_ok_at=NOW - timedelta(days=4))
    with store.write() as tx:
        tx.events.add("outage", "sources", text="900 of 1000 sources fail at once", now=NOW)
    assert tell(store, dying, fail(dying, NOW)) == [("outage", True)]
    with store.write() as tx:
        tx.events.close("outage", "sources", NOW)
    assert tell(store, dying, fail(dying, NOW)) == [("outage", False), ("failing", True)]


def test_a_source_that_answers_and_brings_none_of_its_usual_articles_is_silent_until_it_does(store):
    memory, at = "", NOW - timedelta(days=60)
    for day in range(60):
        at = NOW - timedelta(days=60 - day)
        poll = Poll(at=at, outcome="new", new=1, window=10, first=not day, published=(at,))
        memory = plan(poll, settings=PollSettings(), memory=memory, interval_s=86400.0).memory
    lively = replace(STATE, rhythm=memory, last_new_at=at)
    soon, late = at + timedelta(days=3), at + timedelta(days=40)
    assert tell(store, lively, ended(claim(lively), answer(at=soon))) == []
    for hour in range(2):
        assert tell(store, lively, ended(claim(lively), answer(at=late + timedelta(hours=hour)))) == [("silent", True)]
    told = events(store)[0].text
    assert told.startswith("A answers, yet has brought nothing new since") and "by its own rhythm" in told
    assert tell(store, lively, brought(claim(lively), answer(at=late + timedelta(hours=3), etag='"2"'))) == [
        ("silent", False)
    ]
