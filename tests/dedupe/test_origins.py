"""Whom entries credit, and which source that is."""

import pytest

from feeds.configuration import Source
from feeds.dedupe import Directory, credited, with_origin
from feeds.dedupe.lineage import Credit, find_credits, means, read_credit
from feeds.parsed import Origin, Person
from tests.dedupe.conftest import BRIDGE, entry

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
