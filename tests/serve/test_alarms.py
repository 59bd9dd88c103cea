"""The alarms as a feed: one entry an event, whose id stays while its words change."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from xml.etree import ElementTree

from feeds.serve.alarms import alarms_feed
from feeds.store.values import Event
from tests.serve.conftest import NOW

ATOM = {"a": "http://www.w3.org/2005/Atom"}
GONE = Event(id="urn:uuid:1", kind="gone", subject="a", text="A & co: <410>\x00", remedy="take it out", at=NOW)


def feed(*events: Event) -> ElementTree.Element:
    return ElementTree.fromstring(
        alarms_feed(
            events, title="T", feed_id="urn:uuid:f", self_url="http://x/s.atom", page_url="http://x/s", began=NOW
        )
    )


def test_an_event_keeps_its_entry_when_it_is_over():
    before, after = feed(GONE), feed(replace(GONE, closed_at=NOW + timedelta(hours=1)))
    for told, title, updated in (
        (before, "Gone: A & co: <410>", "2026-11-23T12:00:00Z"),
        (after, "Over: Gone: A & co: <410>", "2026-11-23T13:00:00Z"),
    ):
        [entry] = told.findall("a:entry", ATOM)
        assert entry.findtext("a:id", "", ATOM) == "urn:uuid:1"
        assert entry.findtext("a:title", "", ATOM) == title
        assert entry.findtext("a:updated", "", ATOM) == told.findtext("a:updated", "", ATOM) == updated


def test_work_under_way_is_no_alarm_and_nothing_wrong_is_a_feed_too():
    told = feed(replace(GONE, kind="refile"))
    assert told.findall("a:entry", ATOM) == []
    assert told.findtext("a:updated", "", ATOM) == "2026-11-23T12:00:00Z"
