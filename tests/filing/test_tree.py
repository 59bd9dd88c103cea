"""The filing rules: what holds together, what stands alone, who holds what is below, and why."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as some

from feeds.configuration import UNFILED, Match, Section, TermField
from feeds.filing import FilingRules
from feeds.filing.tree import Comparison
from feeds.model import FILING_FIELDS, Entry
from feeds.settings.match_rules import shadowed
from tests.filing.samples import entry, section, source, term


def test_each_section_that_matches_is_given_once_with_its_first_reason() -> None:
    filing_rules = FilingRules(
        [section("sea", term("keywords", "tide")), section("port", term("keywords", "ferry", "tide"))]
    )
    placed = filing_rules.place(entry("High tide"), source(section="sea"))
    assert [(one.section, one.by) for one in placed] == [("sea", "source"), ("port", "rule"), ("", "child")]
    assert placed[0].reason == "the source 'Tidings' is set to it"


def test_sections_above_hold_it_only_where_they_are_set_to() -> None:
    tree = [
        section("news", include_children=True),
        section("news/world"),
        section("news/world/asia", term("keywords", "tide")),
    ]
    placed = FilingRules(tree).place(entry("High tide"), source())
    assert [one.section for one in placed] == ["news/world/asia", "news", ""]
    assert placed[1].reason == "it holds what news/world/asia holds"


def test_what_private_sections_alone_hold_comes_no_higher() -> None:
    tree = [
        section("news", include_children=True),
        section("news/paid", term("keywords", "tide"), access="tokens", include_children=True),
        section("news/paid/deep", term("keywords", "gale"), access="tokens"),
        section("news/world", term("keywords", "storm")),
    ]
    rules = FilingRules(tree)

    def paths(title: str) -> list[str]:
        return sorted(one.section for one in rules.place(entry(title), source()))

    assert paths("A gale") == ["news/paid", "news/paid/deep"]
    assert paths("The tide in a storm") == ["", "news", "news/paid", "news/world"]
    assert paths("A storm") == ["", "news", "news/world"]
    assert paths("Calm") == [UNFILED]


def test_an_exclusive_section_keeps_what_it_has_to_itself() -> None:
    one, other = section("one", term("keywords", "tide"), exclusive=True), section("other", term("keywords", "tide"))
    assert [each.section for each in FilingRules([one, other]).place(entry("tide"), source())] == ["one", ""]


def test_of_exclusive_sections_the_first_of_the_highest_priority_has_it() -> None:
    tree = [
        section("low", term("keywords", "tide"), exclusive=True),
        section("high", term("keywords", "tide"), exclusive=True, priority=5),
        section("as-high", term("keywords", "tide"), priority=5),
    ]
    assert [each.section for each in FilingRules(tree).place(entry("tide"), source())] == ["high", ""]


def test_a_section_that_a_source_names_and_config_lacks_is_overlooked() -> None:
    assert FilingRules([]).place(entry(), source(section="gone"))[0].section == UNFILED


def test_the_explanation_says_what_a_rule_lacks() -> None:
    tree = [
        section("a", Match(any=(term("keywords", "tide"),), none=(term("category", "Sport"),))),
        section("b", Match(all=(term("keywords", "tide"), term("language", "de")))),
        section("c", Match(all=(term("keywords", "tide"),), any=(term("author", "Ann"), term("author", "Bo")))),
        section("d", term("keywords", "storm")),
        section("e", term("keywords", "tide")),
    ]
    told = FilingRules(tree).explain(entry("High tide", categories=("Sport", "Mud")), source())
    assert told == (
        "rule of e holds: keyword 'tide'",
        "rule of a nearly holds: keyword 'tide', but left out by category 'Sport'",
        "rule of b nearly holds: keyword 'tide', but no language 'de'",
        "rule of c nearly holds: keyword 'tide', but no author 'Ann' or author 'Bo'",
        "no section is surely meant by the category 'Sport'",
        "no section is surely meant by the category 'Mud'",
    )


class Watched:
    """An entry that notes what is asked of it."""

    def __init__(self, entry: Entry, asked: set[str]) -> None:
        self._entry = entry
        self._asked = asked

    def __getattr__(self, name: str) -> object:
        self._asked.add(name)
        return getattr(self._entry, name)


def test_filing_asks_no_more_of_an_entry_than_the_store_reads_for_it() -> None:
    asked: set[str] = set()
    told = entry("High tide", "A gale", categories=("Mud",), breadcrumb=("Coast",), link="https://a.example/b/c")
    fields = TermField.__args__  # type: ignore[attr-defined]
    tree = [section(f"s{number}", term(field, "nothing")) for number, field in enumerate(fields)]
    filing_rules = FilingRules(tree)
    watched = Watched(told, asked)
    comparison = Comparison(filing_rules, moved={}, sources={})
    comparison.look("uid", [(watched, source())], ())  # type: ignore[list-item]
    filing_rules.explain(watched, source())  # type: ignore[arg-type]
    filing_rules.unmapped(watched)  # type: ignore[arg-type]
    assert {"title", "text", "link", "breadcrumb", "authors"} <= asked <= FILING_FIELDS


SECTIONS = some.lists(
    some.builds(
        lambda path, words, exclusive, priority, include: section(
            path, term("keywords", *words), exclusive=exclusive, priority=priority, include_children=include
        ),
        some.sampled_from(["a", "a/b", "a/b/c", "d", "d/e"]),
        some.lists(some.sampled_from(["tide", "storm", "gale"]), min_size=1, max_size=2),
        some.booleans(),
        some.integers(-1, 1),
        some.booleans(),
    ),
    max_size=5,
    unique_by=lambda one: one.path,
)


@given(SECTIONS, some.lists(some.sampled_from(["tide", "storm", "gale", "calm"]), max_size=4))
def test_a_placement_is_in_the_tree_once_and_has_a_reason(tree: list[Section], title: list[str]) -> None:
    placed = FilingRules(tree).place(entry(" ".join(title) or "calm"), source())
    paths = [one.section for one in placed]
    assert len(paths) == len(set(paths)) > 0
    assert set(paths) <= {"", UNFILED, *(one.path for one in tree)}
    assert all(one.reason for one in placed)
    assert (UNFILED in paths) == (set(paths) == {UNFILED})
    exclusive = [one for one in tree if one.exclusive and one.path in paths]
    if any(one.section in {each.path for each in exclusive} and one.by == "rule" for one in placed):
        assert sum(one.by == "rule" for one in placed) == 1


@given(SECTIONS, some.lists(some.sampled_from(["tide", "storm", "gale", "calm"]), max_size=4))
def test_a_section_that_check_calls_shadowed_never_has_an_article_by_its_rule(
    tree: list[Section], title: list[str]
) -> None:
    hidden = {section.path for section, _ in shadowed(tree)}
    placed = FilingRules(tree).place(entry(" ".join(title) or "calm"), source())
    assert not hidden & {one.section for one in placed if one.by == "rule"}
