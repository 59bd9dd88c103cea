"""Errors shown against their lines, with nothing secret in what is shown; alarms as a feed, whose ids stay."""

from __future__ import annotations

from datetime import timedelta
from xml.etree import ElementTree

import pytest
from msgspec.structs import replace

from feeds.serve.admin_views import MOST, alarms_feed, config_faults
from feeds.store.values import Event
from tests.serve.conftest import NOW
from tests.validator import check

FILE = """- name: One
  url: https://me:hunter2@example.org/feed?api_key=abc123
  headers: {Authorization: "Bearer hunter2", Accept: x}
- name: Two
  headers:
    X-Any: hunter2
    Authorization: >
      hunter2
  section: nwes
"""


def event(*lines: str) -> Event:
    return Event(id="urn:uuid:1", kind="config", subject="files", text="\n".join(lines), remedy="", at=NOW)


@pytest.mark.parametrize("line", range(1, 10))
def test_no_line_shows_a_secret(tmp_path, line):
    (tmp_path / "sources.yaml").write_text(FILE)
    [found] = config_faults(event(f"sources.yaml:{line}:3: wrong"), tmp_path)
    shown = "\n".join(one.text for one in found.lines)
    assert "hunter2" not in shown and "abc123" not in shown
    assert [one.number for one in found.lines if one.wrong] == [line]


def test_what_is_no_secret_is_shown(tmp_path):
    (tmp_path / "sources.yaml").write_text(FILE)
    [found] = config_faults(event("sources.yaml:9:12: no section 'nwes'; did you mean 'news'?"), tmp_path)
    assert found.lines[-1].text == "  section: nwes" and found.text.startswith("no section")


@pytest.mark.parametrize("name", ["../secret.yaml", "/etc/passwd", "desk.sqlite3", "absent.yaml"])
def test_only_config_files_are_read(tmp_path, name):
    (tmp_path / "config").mkdir()
    (tmp_path / "secret.yaml").write_text("hunter2\n")
    [found] = config_faults(event(f"{name}:1:1: wrong"), tmp_path / "config")
    assert found.lines == ()
    assert config_faults(event("config/sources.yaml is not there"), None)[0].text == "config/sources.yaml is not there"


# ------------------------------------------------------------------ alarms


ATOM = {"a": "http://www.w3.org/2005/Atom"}
GONE = Event(id="urn:uuid:1", kind="gone", subject="a", text="A & co: <410>\x00", remedy="take it out", at=NOW)


FEED = "urn:uuid:00000000-0000-4000-8000-00000000000f"


def written(*events: Event) -> bytes:
    return alarms_feed(
        events,
        title="T",
        feed_id=FEED,
        self_url="https://x.example/status.atom",
        page_url="https://x.example/status",
        began=NOW,
    ).encode()


def feed(*events: Event) -> ElementTree.Element:
    return ElementTree.fromstring(written(*events))


def gone(number: int, **more: object) -> Event:
    told = {"kind": "gone", "subject": str(number), "text": f"Source {number}: answers 410", "remedy": "take it out"}
    at = NOW + timedelta(seconds=number)
    return Event(**{"id": f"urn:uuid:00000000-0000-4000-8000-{number:012d}", "at": at, **told, **more})  # type: ignore[arg-type]


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


def test_what_befalls_many_sources_at_once_is_one_entry_whose_id_stays():
    ids = set()
    for count in (11, 50, 400):
        [entry] = feed(*(gone(number) for number in reversed(range(count)))).findall("a:entry", ATOM)
        assert entry.findtext("a:title", "", ATOM) == f"Gone: {count} at once"
        assert "Source 0: answers 410" in entry.findtext("a:content", "", ATOM)
        ids.add(entry.findtext("a:id", "", ATOM))
    assert len(ids) == 1
    closed = NOW + timedelta(days=1)
    [over] = feed(*(gone(number, closed_at=closed) for number in range(50))).findall("a:entry", ATOM)
    assert over.findtext("a:title", "", ATOM) == "Over: Gone: 50 at once"
    assert over.findtext("a:updated", "", ATOM) == "2026-11-24T12:00:00Z"


def test_an_entry_about_one_source_leads_to_its_page_and_others_to_all():
    told = feed(gone(1, subject="a b/ü"), gone(2, kind="disk")).findall("a:entry", ATOM)
    assert {entry.find("a:link", ATOM).get("href") for entry in told} == {
        "https://x.example/status/source/a%20b/%C3%BC",
        "https://x.example/status",
    }


def test_a_few_at_once_and_many_over_days_are_told_one_by_one():
    assert len(feed(*(gone(number) for number in range(10))).findall("a:entry", ATOM)) == 10
    spread = [gone(number, at=NOW + timedelta(hours=2 * number)) for number in range(150)]
    told = feed(*spread).findall("a:entry", ATOM)
    assert len(told) == MOST and told[0].findtext("a:title", "", ATOM) == "Gone: Source 149: answers 410"


def test_the_feed_is_valid_whatever_is_told_and_shows_no_secret():
    events = [
        gone(number, kind=kind, text=f"{kind} 1 < 2 &\x00 https://me:hushhush@a.example/?token=hushhush")
        for number, kind in enumerate(
            (
                "config",
                "gone",
                "failing",
                "revived",
                "silent",
                "outage",
                "starving",
                "held",
                "gate",
                "set-aside",
                "flood",
                "disk",
                "moved",
                "validators",
                "document",
                "refile",
            )  # fmt: skip
        )
    ]
    events += [gone(100 + number) for number in range(20)]
    events += [gone(200, closed_at=NOW + timedelta(days=2))]
    body = written(*events)
    assert check(body, "atom") == ()
    assert check(written(), "atom") == ()
    assert b"hushhush" not in body and b"refile" not in body
