"""Publishers' own words and the sections that they mean."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from feeds.configuration import UNFILED
from feeds.files import tables
from feeds.filing import FilingRules
from feeds.filing.names import concept_of, concepts, name_key
from feeds.model import Entry
from feeds.normalise import normalise
from feeds.parse.folder_files import parse_document
from tests.filing.samples import entry, section, source, term

TREE = [
    section("news", include_children=True),
    section("news/world"),
    section("business"),
    section("sport"),
    section("sport/football"),
    section("tech", title="Technology"),
    section("science"),
    section("culture", title="Arts & Culture"),
    section("angling"),
    section("uk", title="UK"),
    section("uk/sport", title="UK Sport"),
    section("hs", title="Health & Science"),
]

MEANT: list[tuple[str, Entry, str, str]] = [
    ("the same titles", entry(breadcrumb=("News", "World")), "news/world", "breadcrumb"),
    ("keys serve as titles", entry(breadcrumb=("Home", "Tech")), "tech", "breadcrumb"),
    ("a tree that goes deeper than ours", entry(breadcrumb=("News", "World", "Health")), "news/world", "breadcrumb"),
    ("another tree, its outermost topic", entry(breadcrumb=("World", "Asia", "Food")), "news/world", "breadcrumb"),
    ("deeper, where ours is deeper too", entry(breadcrumb=("Sports", "Soccer", "Cup")), "sport/football", "breadcrumb"),
    ("another language", entry(breadcrumb=("Startseite", "Wirtschaft")), "business", "breadcrumb"),
    ("a beginning that is a section", entry(breadcrumb=("News", "Pies")), "news", "breadcrumb"),
    ("a section of that very tree", entry(breadcrumb=("UK", "Sport")), "uk/sport", "breadcrumb"),
    ("a category by another word", entry(categories=("Fußball",)), "sport/football", "category"),
    ("an own name that no vocabulary has", entry(categories=("ANGLING",)), "angling", "category"),
    ("a category as a path", entry(categories=("News/Sports",)), "sport", "category"),
    ("a section of that topic alone goes first", entry(categories=("Wissenschaft",)), "science", "category"),
    ("a part of a joint title", entry(categories=("Gesundheit",)), "hs", "category"),
    ("Japanese", entry(categories=("経済",)), "business", "category"),
    ("Korean", entry(categories=("국제",)), "news/world", "category"),
    ("Arabic", entry(categories=("رياضة",)), "sport", "category"),
    ("world-news", entry(link="https://a.example/world-news/a-story"), "news/world", "path"),
    ("behind a date", entry(link="https://a.example/2024/05/sport/a-story"), "sport", "path"),
    ("behind a language", entry(link="https://a.example/en/business/x"), "business", "path"),
    ("the address last of all", entry(link="https://a.example/sport/x", categories=("Tech",)), "tech", "category"),
]

UNSURE: list[tuple[str, Entry, str]] = [
    ("nothing said", entry(), "no rule holds"),
    ("unknown words", entry(breadcrumb=("Cooking", "Pies")), "no section for the breadcrumb 'Cooking > Pies'"),
    (
        "a joint topic",
        entry(categories=("Science & Technology",)),
        "no section for the category 'Science & Technology'",
    ),
    ("a slug", entry(link="https://a.example/sport-is-good-for-you"), "no rule holds"),
    ("a slug in the middle", entry(link="https://a.example/the-24-best/sport/x"), "no rule holds"),
    ("a generic word", entry(categories=("Latest news", "Video")), "no rule holds"),
    (
        "three topics at once",
        entry(categories=("Sport", "Business", "Angling")),
        "no section for the categories 'Sport', 'Business', 'Angling'",
    ),
    ("keywords", entry(categories=("Sport", *(f"k{number}" for number in range(12)))), "no section for the categories"),
]


@pytest.mark.parametrize(("told", "path", "by"), [row[1:] for row in MEANT], ids=[row[0] for row in MEANT])
def test_a_publishers_words_mean_a_section(told: Entry, path: str, by: str) -> None:
    placed = {one.section: one for one in FilingRules(TREE).place(told, source())}
    assert placed[path].by == by
    assert [one.section for one in placed.values() if one.by not in ("child", by)] == []


@pytest.mark.parametrize(("told", "reason"), [row[1:] for row in UNSURE], ids=[row[0] for row in UNSURE])
def test_what_is_not_sure_is_unfiled_and_named(told: Entry, reason: str) -> None:
    placed = FilingRules(TREE).place(told, source())
    assert [one.section for one in placed] == [UNFILED]
    assert placed[0].reason.startswith(reason)


def test_two_sections_of_one_topic_leave_it_open() -> None:
    filing_rules = FilingRules([section("a", title="Sport"), section("b", title="Sports")])
    assert [one.section for one in filing_rules.place(entry(categories=("Deportes",)), source())] == [UNFILED]
    assert filing_rules.place(entry(categories=("Sports",)), source())[0].section == "b"


def test_a_topic_goes_to_a_wider_section_and_never_to_a_narrower_one() -> None:
    wide = FilingRules([section("sport")])
    narrow = FilingRules([section("football")])
    assert wide.place(entry(categories=("Fußball",)), source())[0].section == "sport"
    assert narrow.place(entry(categories=("Sport",)), source())[0].section == UNFILED


def test_rules_and_the_sources_section_go_before_categories() -> None:
    tree = [*TREE, section("tides", term("keywords", "tide"))]
    told = entry("High tide", categories=("Sport",), link="https://a.example/business/x")
    assert {one.section for one in FilingRules(tree).place(told, source()) if one.by != "child"} == {"tides"}
    at_source = FilingRules(TREE).place(entry(categories=("Sport",)), source(section="angling"))
    assert {one.section for one in at_source if one.by != "child"} == {"angling"}


def test_the_reason_says_how_another_word_means_the_section() -> None:
    placed = FilingRules(TREE).place(entry(categories=("Wirtschaft",)), source())
    assert placed[0].reason == "category 'Wirtschaft', where 'Wirtschaft' means 'Business'"


def test_what_means_no_section_is_told_for_the_admin() -> None:
    told = entry(breadcrumb=("Cooking", "Pies"), categories=("Sport", "Pastry"), link="https://a.example/oven/pies/x")
    found = [(signal.kind, signal.value) for signal in FilingRules(TREE).unmapped(told)]
    assert found == [("breadcrumb", "Cooking > Pies"), ("category", "Pastry"), ("path", "/oven/pies")]


@pytest.mark.parametrize("title", ["Politics", "Politik", "Politique", "Política", "政治", "정치", "سياسة", "Политика"])
def test_common_names_of_many_languages_mean_one_concept(title: str) -> None:
    assert concept_of(title) == "politics"


def test_the_topics_of_iptc_are_all_there() -> None:
    tops = {concept.partition("/")[0] for concept in concepts().values()}
    assert tops >= set(
        "arts conflict crime disaster economy education environment health human-interest labour lifestyle politics "
        "religion science-technology society sport weather".split()
    )


def test_a_name_means_one_concept() -> None:
    rows = [row.split("\t") for row in tables("filing/vocabulary.txt")["names"]]
    meant = [(name_key(name), concept) for concept, _, names in rows for name in names.split(",")]
    assert all(name for name, _ in meant)
    assert len(set(meant)) == len(concepts())


@pytest.mark.shared_data
def test_the_seed_is_filed_by_its_breadcrumb_alone(shared_data: Path) -> None:
    body = (shared_data / "seed" / "putin-kim-north-korea.txt").read_bytes()
    [told] = normalise(
        parse_document(body, name="seed.txt"),
        source=source(),
        url="",
        received_at=datetime(2026, 11, 20, tzinfo=UTC),
        desk_language="en",
        desk_timezone="UTC",
    ).entries
    tree = [
        section("news"),
        section("news/world"),
        section("world-cup"),
        section("sport", term("keywords", "football")),
    ]
    placed = FilingRules(tree).place(told, source())
    assert [(one.section, one.by, one.reason) for one in placed] == [
        ("news/world", "breadcrumb", "breadcrumb 'News > World'"),
        ("", "child", "the whole desk"),
    ]
    silent = replace(told, breadcrumb=())
    assert [one.section for one in FilingRules(tree).place(silent, source())] == [UNFILED]
