"""Lineage: who is credited, who is the original, and why."""

from datetime import timedelta

import pytest

from feeds.dedupe import Directory, Told, choose_shown, credited, said, trace, with_origin
from feeds.dedupe.origins import Credit, find_credits, means, read_credit
from feeds.model import Origin, Person, Source
from tests.dedupe.conftest import BRIDGE, NOW, entry

TIMES = Source(
    key="times", name="Harbour Times World", kind="feed", target="https://www.harbourtimes.example/world/rss.xml", id=7
)
MIRROR = Source(key="mirror", name="Coast Mirror", kind="files", target="articles/*.txt", id=8)
POST = Source(key="post", name="Quay Post", kind="feed", target="https://quaypost.example/feed", id=9)


def told_by(*, entry, source, first_seen):
    return Told(said=said(entry), source=source, first_seen=first_seen)


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
    reprint = told_by(entry=entry("r", text=BRIDGE, credits=("Source: harbourtimes",)), source=MIRROR, first_seen=NOW)
    found = trace([reprint], [MIRROR, TIMES, POST])
    assert (found.original, found.copies, found.credited_source_id) == (None, (0,), 7)
    assert found.credited.name == "harbourtimes"


def test_when_the_original_comes_later_it_is_still_the_original():
    reprint = told_by(entry=entry("r", text=BRIDGE, credits=("Source: harbourtimes",)), source=MIRROR, first_seen=NOW)
    original = told_by(entry=entry("o", text=BRIDGE), source=TIMES, first_seen=NOW + timedelta(hours=5))
    found = trace([reprint, original], [MIRROR, TIMES])
    assert (found.original, found.copies) == (1, (0,))
    assert "credited by Coast Mirror" in found.evidence[0].detail


def test_a_canonical_address_beats_who_was_first():
    copy = told_by(
        entry=entry("c", text=BRIDGE, link="mirror.example/1", canonical_url="https://harbourtimes.example/a"),
        source=MIRROR,
        first_seen=NOW,
    )
    original = told_by(
        entry=entry("o", text=BRIDGE, link="harbourtimes.example/a"), source=TIMES, first_seen=NOW + timedelta(days=1)
    )
    assert trace([copy, original]).original == 1


def test_priority_from_config_decides_where_nothing_else_does():
    low, high = (
        Source(key=k, name=k, kind="feed", target=f"https://{k}.example/", priority=p) for k, p in (("a", 0), ("b", 3))
    )
    both = [told_by(entry=entry("1", text=BRIDGE), source=low, first_seen=NOW),
            told_by(entry=entry("2", text=BRIDGE), source=high, first_seen=NOW + timedelta(hours=1))]  # fmt: skip
    assert trace(both).original == 1


def test_inputs_from_an_agency_do_not_make_a_copy():
    told = told_by(entry=entry("1", text=BRIDGE + "\nWith inputs from PTI"), source=TIMES, first_seen=NOW)
    assert trace([told], [TIMES]).original == 0


def test_published_first_beats_seen_first():
    seen = told_by(entry=entry("1", text=BRIDGE, published=NOW - timedelta(hours=1)), source=POST, first_seen=NOW)
    published = told_by(
        entry=entry("2", text=BRIDGE, published=NOW - timedelta(hours=9)),
        source=TIMES,
        first_seen=NOW + timedelta(hours=1),
    )
    found = trace([seen, published])
    assert (found.original, found.copies) == (1, (0,))


def test_no_entries_have_no_lineage():
    assert trace([]).original is None


def both(*, shown_full=None, original_full=None, priority=0, credit=True, published=None):
    """A reprint that came first, and the original after it, with their lineage."""
    mirror = Source(key="m", name="Coast Mirror", kind="feed", target="https://m.example/", full_text=shown_full,
                    priority=priority)  # fmt: skip
    times = Source(key="t", name="Harbour Times", kind="feed", target="https://t.example/", full_text=original_full)
    said = ("Source: harbourtimes",) if credit else ()
    told = [
        told_by(entry=entry("r", text=BRIDGE, credits=said, published=NOW), source=mirror, first_seen=NOW),
        told_by(entry=entry("o", text=BRIDGE, published=published), source=times, first_seen=NOW + timedelta(hours=1)),
    ]
    return told, trace(told)


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
    told, found = both(**case)
    assert found.original == original
    assert choose_shown(told, found, 0, "summary") == shown


def test_a_directory_finds_whom_a_credit_means_among_many():
    others = [Source(key=f"k{n}", name=f"Paper {n}", kind="feed", target=f"https://p{n}.example/") for n in range(200)]
    directory = Directory([*others, TIMES, MIRROR, POST])
    assert directory.meant(Credit("harbourtimes", "line", 1.0)) == TIMES
    assert directory.meant(Credit("quaypost.example", "canonical address", 0.9, "https://quaypost.example/9")) == POST
    assert directory.meant(Credit("Reuters", "line", 1.0)) is None


def test_an_origin_gets_the_addresses_of_the_source_it_means_and_keeps_its_own():
    said = entry("r", text=BRIDGE, credits=("Source: harbourtimes",))
    credit = credited(said, MIRROR)
    origin = with_origin(said, credit, TIMES, "https://www.harbourtimes.example/").origin
    assert origin == Origin(name="harbourtimes", url="https://www.harbourtimes.example/", feed_url=TIMES.target)
    own = entry("r", text=BRIDGE, origin=Origin(name="Harbour Times", url="https://elsewhere.example/"))
    assert with_origin(own, credited(own, MIRROR), TIMES).origin.url == "https://elsewhere.example/"
    assert credited(said, TIMES) is None  # nobody credits himself


def test_a_source_with_a_secret_in_its_address_is_not_linked():
    secret = Source(key="t", name="Harbour Times", kind="feed", target="https://t.example/feed?api_key=abc")
    said = entry("r", text=BRIDGE, credits=("Source: harbourtimes",))
    told = with_origin(said, credited(said, MIRROR), secret).origin
    assert told == Origin(name="harbourtimes", url="https://t.example/")
