"""Alarms of the desk as a whole: opened once, over when it is over, never a storm."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from feeds.condition import SourceState
from feeds.configuration import Source
from feeds.engine.alarms import full, look, look_here, outage, starving
from feeds.store import open_store
from feeds.store.overview import day_of
from feeds.store.values import PollResult
from tests.databases import database

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def test_an_outage_is_one_alarm_and_a_few_failures_are_none():
    assert outage(10, 10)[0].text == "10 of 10 sources fail at once"
    assert outage(10, 5) == []
    assert outage(2, 2) == []


def test_a_section_starves_against_its_own_mean():
    today = day_of(NOW)
    busy = {today - back: 10 for back in range(2, 14)}
    assert [alarm.subject for alarm in starving({"news": busy, "rare": {today - 5: 1}, "none": {}}, now=NOW)] == [
        "news"
    ]
    assert starving({"news": busy | {today: 1}}, now=NOW) == []
    assert starving({"unfiled": busy}, now=NOW) == []
    assert starving({"once": {today - 4: 500}}, now=NOW) == []  # an import is no rhythm


def test_a_disk_is_full_when_little_is_free_of_it_and_in_itself():
    gigabyte = 1_000_000_000
    assert [alarm.kind for alarm in full(gigabyte // 3, 500 * gigabyte)] == ["disk"]
    assert full(gigabyte, 500 * gigabyte) == []
    assert full(gigabyte // 3, 2 * gigabyte) == []  # a small disk may be well with less
    assert full(0, 0) == []  # unknown


def test_a_look_opens_an_alarm_once_and_closes_it(tmp_path):
    with open_store(database(tmp_path / "desk.db")) as store:

        def poll(failures: int) -> None:
            with store.write() as tx:
                claims = tx.sources.claim_named(None, NOW, 60)
                tx.sources.finish(
                    [
                        PollResult(
                            source_id=claim.source.id,
                            claim_id=claim.claim_id,
                            at=NOW,
                            outcome="failed" if failures else "same",
                            state=SourceState(failures=failures, last_poll_at=NOW),
                            next_poll_at=NOW + timedelta(hours=1),
                        )
                        for claim in claims
                    ]
                )

        with store.write() as tx:
            told = [Source(key=key, name=key, kind="feed", target=f"https://{key}.example/") for key in "abcd"]
            tx.sources.sync(told, "full", NOW)
        poll(1)
        for _ in range(2):
            look(store, now=NOW)
            look_here(store, tmp_path, (), now=NOW)
        with store.read() as tx:
            assert [event.kind for event in tx.events.recent(10)] == ["outage"]
        look_here(store, tmp_path, ["only 3 days", "only 5 stories"], now=NOW)
        with store.read() as tx:
            [event] = (event for event in tx.events.recent(10) if event.kind == "window")
            assert event.text == "only 3 days; only 5 stories" and "wiredesk.yaml" in event.remedy
        poll(0)
        look(store, now=NOW + timedelta(hours=1))
        look_here(store, tmp_path, (), now=NOW + timedelta(hours=1))
        with store.read() as tx:
            over = tx.events.recent(10)
            assert [(event.kind, event.closed_at) for event in over] == [
                ("window", NOW + timedelta(hours=1)),
                ("outage", NOW + timedelta(hours=1)),
            ]
