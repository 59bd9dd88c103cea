"""Lineage: which entry of an article is the original, by which it is told, and why."""

from datetime import timedelta

import pytest

from feeds.configuration import Source
from feeds.dedupe import Candidate, Directory, choose_shown, origin_signs, trace
from tests.dedupe.conftest import BRIDGE, NOW, entry

TIMES = Source(
    key="times", name="Harbour Times World", kind="feed", target="https://www.harbourtimes.example/world/rss.xml", id=7
)
MIRROR = Source(key="mirror", name="Coast Mirror", kind="files", target="articles/*.txt", id=8)
POST = Source(key="post", name="Quay Post", kind="feed", target="https://quaypost.example/feed", id=9)


LATER = NOW + timedelta(hours=1)


def candidate(*, entry, source, first_seen):
    return Candidate(signs=origin_signs(entry), source=source, first_seen=first_seen)


def test_a_credit_to_a_configured_source_links_to_it_before_the_original_has_come():
    reprint = candidate(entry=entry("r", text=BRIDGE, credits=("Source: harbourtimes",)), source=MIRROR, first_seen=NOW)
    assert trace([reprint]).original is None
    (credit,) = reprint.signs.credits
    assert credit.name == "harbourtimes"
    assert Directory([MIRROR, TIMES, POST]).meant(credit) is TIMES


def test_when_the_original_comes_later_it_is_still_the_original():
    reprint = candidate(entry=entry("r", text=BRIDGE, credits=("Source: harbourtimes",)), source=MIRROR, first_seen=NOW)
    original = candidate(entry=entry("o", text=BRIDGE), source=TIMES, first_seen=NOW + timedelta(hours=5))
    found = trace([reprint, original])
    assert found.original == 1
    assert "credited by Coast Mirror" in found.evidence[1].detail


def test_a_canonical_address_beats_who_was_first():
    copy = candidate(
        entry=entry("c", text=BRIDGE, link="mirror.example/1", canonical_url="https://harbourtimes.example/a"),
        source=MIRROR,
        first_seen=NOW,
    )
    original = candidate(
        entry=entry("o", text=BRIDGE, link="harbourtimes.example/a"), source=TIMES, first_seen=NOW + timedelta(days=1)
    )
    assert trace([copy, original]).original == 1


def test_priority_from_config_decides_where_nothing_else_does():
    low, high = (
        Source(key=k, name=k, kind="feed", target=f"https://{k}.example/", priority=p) for k, p in (("a", 0), ("b", 3))
    )
    both = [candidate(entry=entry("1", text=BRIDGE), source=low, first_seen=NOW),
            candidate(entry=entry("2", text=BRIDGE), source=high, first_seen=NOW + timedelta(hours=1))]  # fmt: skip
    assert trace(both).original == 1


def test_inputs_from_an_agency_do_not_make_a_copy():
    only = candidate(entry=entry("1", text=BRIDGE + "\nWith inputs from PTI"), source=TIMES, first_seen=NOW)
    assert trace([only]).original == 0


def test_published_first_beats_seen_first():
    seen = candidate(entry=entry("1", text=BRIDGE, published=NOW - timedelta(hours=1)), source=POST, first_seen=NOW)
    published = candidate(
        entry=entry("2", text=BRIDGE, published=NOW - timedelta(hours=9)),
        source=TIMES,
        first_seen=NOW + timedelta(hours=1),
    )
    found = trace([seen, published])
    assert found.original == 1


def test_no_entries_have_no_lineage():
    assert trace([]).original is None


def both(*, shown_full=None, original_full=None, priority=0, credit=True, published=None):
    """A reprint that came first, and the original after it, with their lineage."""
    mirror = Source(key="m", name="Coast Mirror", kind="feed", target="https://m.example/", full_text=shown_full,
                    priority=priority)  # fmt: skip
    times = Source(key="t", name="Harbour Times", kind="feed", target="https://t.example/", full_text=original_full)
    said = ("Source: harbourtimes",) if credit else ()
    candidates = [
        candidate(entry=entry("r", text=BRIDGE, credits=said, published=NOW), source=mirror, first_seen=NOW),
        candidate(
            entry=entry("o", text=BRIDGE, published=published), source=times, first_seen=NOW + timedelta(hours=1)
        ),
    ]
    return candidates, trace(candidates)


@pytest.mark.parametrize(
    ("case", "original", "shown"),
    [
        ({}, 1, 1),
        ({"shown_full": "full"}, 1, 0),
        ({"shown_full": "full", "original_full": "full"}, 1, 1),
        ({"original_full": "link"}, 1, 1),
        ({"priority": 1}, 1, 0),
        ({"credit": False, "published": NOW - timedelta(hours=3)}, 1, 0),
        ({"credit": False}, 0, 0),
    ],
    ids=["named", "own full text", "both full", "a link original", "priority", "dates alone", "nothing said"],
)
def test_which_entry_is_the_original_and_which_is_shown(case, original, shown):
    candidates, found = both(**case)
    assert found.original == original
    assert choose_shown(candidates, found, 0, "summary") == shown
