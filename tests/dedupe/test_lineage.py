"""Lineage: who is credited, who is the original, and why."""

from datetime import timedelta

import pytest

from feeds.dedupe import Told, trace
from feeds.dedupe.credits import Credit, find_credits, means, read_credit
from feeds.model import Origin, Person, Source
from tests.dedupe.conftest import BRIDGE, NOW, entry

TIMES = Source(
    key="times", name="Harbour Times World", kind="feed", target="https://www.harbourtimes.example/world/rss.xml", id=7
)
MIRROR = Source(key="mirror", name="Coast Mirror", kind="files", target="articles/*.txt", id=8)
POST = Source(key="post", name="Quay Post", kind="feed", target="https://quaypost.example/feed", id=9)


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("Source: harbourtimes", [("harbourtimes", False)]),
        ("Source – Harbour Times | World", [("Harbour Times", False)]),
        ("(Reuters)", [("Reuters", False)]),
        ("PTI", [("PTI", False)]),
        ("— Associated Press", [("Associated Press", False)]),
        ("Quelle: dpa", [("dpa", False)]),
        ("来源：Xinhua", [("Xinhua", False)]),
        ("This article was originally published on Harbour Times.", [("Harbour Times", False)]),
        ("Republished with permission from Quay Post", [("Quay Post", False)]),
        ("With inputs from PTI and ANI", [("PTI", True), ("ANI", True)]),
        ("Reuters contributed to this report", [("Reuters", True)]),
        ("Sources said that the talks had failed", []),
        (
            "Source of the river: a spring in the hills, as all who have walked there know",
            [],
        ),
        ("The court is in session", []),
        ("", []),
    ],
)
def test_credit_lines_are_read(line, names):
    assert [(credit.name, credit.partial) for credit in read_credit(line)] == names


@pytest.mark.parametrize(
    ("said", "name"),
    [
        (entry(text="PORT ELLAN (Reuters) - " + BRIDGE), "Reuters"),
        (entry(text=BRIDGE + "\n(AFP)"), "AFP"),
        (entry(text=BRIDGE, authors=(Person(name="Associated Press"),)), "Associated Press"),
        (entry(text=BRIDGE, credits=("Source: harbourtimes",)), "harbourtimes"),
        (entry(text=BRIDGE, origin=Origin(name="Harbour Times")), "Harbour Times"),
        (
            entry(text=BRIDGE, link="mirror.example/1", canonical_url="https://www.harbourtimes.example/1"),
            "www.harbourtimes.example",
        ),
    ],
    ids=["dateline", "last line", "byline", "credit", "origin", "canonical"],
)
def test_credits_are_found_wherever_they_stand(said, name):
    assert find_credits(said)[0].name == name


def test_ordinary_text_credits_nobody():
    assert (
        find_credits(entry(title="Bridge", text=BRIDGE, link="x.example/1", authors=(Person(name="Maren Holt"),))) == ()
    )


@pytest.mark.parametrize(
    "name", ["Harbour Times", "harbourtimes", "HarbourTimes.example", "The Harbour Times", "times"]
)
def test_a_credit_means_the_configured_source_by_name_or_site(name):
    credit = Credit(name, "line", 1.0)
    assert means(credit, TIMES)
    assert not means(credit, POST)


def test_a_credit_to_a_configured_source_links_to_it_before_the_original_has_come():
    reprint = Told(entry=entry("r", text=BRIDGE, credits=("Source: harbourtimes",)), source=MIRROR, first_seen=NOW)
    found = trace([reprint], [MIRROR, TIMES, POST])
    assert (found.original, found.copies, found.credited_source_id) == (None, (0,), 7)
    assert found.credited.name == "harbourtimes"


def test_when_the_original_comes_later_it_is_still_the_original():
    reprint = Told(entry=entry("r", text=BRIDGE, credits=("Source: harbourtimes",)), source=MIRROR, first_seen=NOW)
    original = Told(entry=entry("o", text=BRIDGE), source=TIMES, first_seen=NOW + timedelta(hours=5))
    found = trace([reprint, original], [MIRROR, TIMES])
    assert (found.original, found.copies) == (1, (0,))
    assert "credited by Coast Mirror" in found.evidence[0].detail


def test_a_canonical_address_beats_who_was_first():
    copy = Told(
        entry=entry("c", text=BRIDGE, link="mirror.example/1", canonical_url="https://harbourtimes.example/a"),
        source=MIRROR,
        first_seen=NOW,
    )
    original = Told(
        entry=entry("o", text=BRIDGE, link="harbourtimes.example/a"), source=TIMES, first_seen=NOW + timedelta(days=1)
    )
    assert trace([copy, original]).original == 1


def test_priority_from_config_decides_where_nothing_else_does():
    low, high = (
        Source(key=k, name=k, kind="feed", target=f"https://{k}.example/", priority=p) for k, p in (("a", 0), ("b", 3))
    )
    both = [Told(entry=entry("1", text=BRIDGE), source=low, first_seen=NOW),
            Told(entry=entry("2", text=BRIDGE), source=high, first_seen=NOW + timedelta(hours=1))]  # fmt: skip
    assert trace(both).original == 1


def test_inputs_from_an_agency_do_not_make_a_copy():
    told = Told(entry=entry("1", text=BRIDGE + "\nWith inputs from PTI"), source=TIMES, first_seen=NOW)
    assert trace([told], [TIMES]).original == 0


def test_published_first_beats_seen_first():
    seen = Told(entry=entry("1", text=BRIDGE, published=NOW - timedelta(hours=1)), source=POST, first_seen=NOW)
    published = Told(
        entry=entry("2", text=BRIDGE, published=NOW - timedelta(hours=9)),
        source=TIMES,
        first_seen=NOW + timedelta(hours=1),
    )
    found = trace([seen, published])
    assert (found.original, found.copies) == (1, (0,))


def test_no_entries_have_no_lineage():
    assert trace([]).original is None
