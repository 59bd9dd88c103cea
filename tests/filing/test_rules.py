"""The rule language: each term, the joints, and wild rules beside a plain reading of them."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as some

from feeds.configuration import Match, Source, Term, TermField
from feeds.filing import FilingRules
from feeds.model import Entry
from feeds.text import fold, words
from tests.filing.samples import entry, section, source, term


def holds(rule: Match | Term, told: Entry, by: Source | None = None) -> bool:
    """Whether a filing_rules with *rule* files *told* by it."""
    return reason(rule, told, by) is not None


def reason(rule: Match | Term, told: Entry, by: Source | None = None) -> str | None:
    placements = FilingRules([section("zz9", rule)]).place(told, by or source())
    return next((placement.reason for placement in placements if placement.by == "rule"), None)


HOLD: list[tuple[Term, Entry]] = [
    (term("source", "tidings"), entry()),
    (term("category", "world"), entry(categories=("Sea", "WORLD"))),
    (term("category", "Économie"), entry(categories=("economie",))),
    (term("breadcrumb", "News > World"), entry(breadcrumb=("Home", "News", "World", "Asia"))),
    (term("breadcrumb", "news»world"), entry(breadcrumb=("News", "World"))),
    (term("path", "/world/asia"), entry(link="https://t.example/en/World/Asia/a-1.html")),
    (term("path", "müll"), entry(link="https://t.example/M%C3%BCll/a")),
    (term("author", "zoë adams"), entry(authors=("Zoe Adams",))),
    (term("language", "en"), entry(language="en-GB")),
    (term("language", "pt-br"), entry(language="pt-BR")),
    (term("origin", "harbour post"), entry(origin="Harbour Post")),
    (term("regex", r"(?i)tide \d+"), entry("High TIDE 7 due")),
    (term("regex", r"^Ferry"), entry("Ferry late", "by an hour")),
    (term("regex", "late$"), entry("Ferry late")),
    (term("regex", "hour$"), entry("Ferry late", "by an hour")),
    (term("keywords", "united nations"), entry("Row at the United  Nations")),
    (term("keywords", "united nations"), entry("x", "the UNITED\nNations")),
    (term("keywords", "cafe"), entry("At the Café")),
    (term("keywords", "straße"), entry("in der STRASSE")),
    (term("keywords", "u.s."), entry("U.S. ships")),
    (term("keywords", "don't"), entry("They don’t go")),
    (term("keywords", "東京"), entry("今日の東京は晴れ")),
    (term("keywords", "正義"), entry("正義を")),
    (term("keywords", "กรุงเทพ"), entry("ข่าวกรุงเทพวันนี้")),
    (term("keywords", "москва"), entry("Погода: Москва, утро")),
    (term("keywords", "हिन्दी"), entry("आज हिन्दी दिवस")),
    (term("keywords", "C++"), entry("Learn C++ now")),
    (term("keywords", ".NET"), entry("the .NET runtime")),
    (term("keywords", "#strike"), entry("On #Strike today")),
]

FAIL: list[tuple[Term, Entry]] = [
    (term("source", "tiding"), entry()),
    (term("category", "world"), entry(categories=("World Cup",))),
    (term("breadcrumb", "World"), entry(breadcrumb=("News", "World"))),
    (term("path", "/world/asia"), entry(link="https://t.example/world/a/asia/x")),
    (term("path", "world"), entry(link="https://t.example/worldly/x")),
    (term("path", "world"), entry(link=None)),
    (term("author", "zoe"), entry(authors=("Zoe Adams",))),
    (term("language", "pt-BR"), entry(language="pt")),
    (term("language", "e"), entry(language="en")),
    (term("language", "en"), entry(language=None)),
    (term("keywords", "tea"), entry("The teams steamed")),
    (term("keywords", "world cup"), entry("All the world", "cup final tonight")),
    (term("keywords", "world cup"), entry("world of the cup")),
    (term("keywords", "京都"), entry("東京の都")),
    (term("keywords", "ก"), entry("กิน")),
    (term("keywords", "C++"), entry("Vitamin C is good")),
    (term("keywords", ".NET"), entry("a net of rope")),
    (term("regex", "tide"), entry("High TIDE")),
]


@pytest.mark.parametrize(("rule", "told"), HOLD, ids=lambda value: getattr(value, "field", getattr(value, "title", "")))
def test_a_term_holds(rule: Term, told: Entry) -> None:
    assert holds(rule, told)


@pytest.mark.parametrize(("rule", "told"), FAIL, ids=lambda value: getattr(value, "field", getattr(value, "title", "")))
def test_a_term_does_not_hold(rule: Term, told: Entry) -> None:
    assert not holds(rule, told)


def test_the_reason_names_the_terms_that_decided() -> None:
    rule = Match(
        all=(term("category", "World"), term("language", "en")),
        any=(term("keywords", "tide"), term("keywords", "storm", "gale")),
    )
    told = entry("A gale", categories=("world",))
    assert reason(rule, told) == "category 'World' and language 'en' and keyword 'gale'"


def test_a_rule_of_nothing_but_none_holds_where_none_of_them_does() -> None:
    rule = Match(none=(term("keywords", "tide"),))
    assert reason(rule, entry("Storm")) == "nothing of `none` holds"
    assert not holds(rule, entry("High tide"))


# ---------------------------------------------------------------- wild rules

WORDS = ["tide", "storm", "gale", "ferry", "mole"]
FIELDS: dict[TermField, some.SearchStrategy[str]] = {
    "keywords": some.sampled_from([*WORDS, "high tide", "ferry mole", "storm gale tide"]),
    "category": some.sampled_from(["Sea", "Land", "Air"]),
    "author": some.sampled_from(["Ann", "Bo"]),
    "language": some.sampled_from(["en", "en-GB", "de"]),
    "breadcrumb": some.sampled_from(["News", "News > Sea", "Sea"]),
    "path": some.sampled_from(["news", "news/sea", "sea"]),
    "source": some.sampled_from(["Tidings", "Gazette"]),
    "regex": some.sampled_from(["ti.e", "^storm", "(?i)GALE$"]),
}
TERMS = some.one_of(
    *(
        some.builds(
            lambda field, values: Term(field=field, values=tuple(values)),
            some.just(field),
            some.lists(value, min_size=1, max_size=3),
        )
        for field, value in FIELDS.items()
    )
)
RULES = some.recursive(
    TERMS,
    lambda parts: some.builds(
        lambda any_, all_, none: Match(any=tuple(any_), all=tuple(all_), none=tuple(none)),
        some.lists(parts, max_size=3),
        some.lists(parts, max_size=2),
        some.lists(parts, max_size=2),
    ),
    max_leaves=8,
)
ENTRIES = some.builds(
    lambda title, text, categories, authors, language, breadcrumb, segments: entry(
        " ".join(title),
        " ".join(text),
        categories=tuple(categories),
        authors=tuple(authors),
        language=language,
        breadcrumb=tuple(breadcrumb),
        link="https://t.example/" + "/".join([*segments, "a"]),
    ),
    some.lists(some.sampled_from([*WORDS, "high"]), min_size=1, max_size=4),
    some.lists(some.sampled_from([*WORDS, "high"]), max_size=6),
    some.lists(some.sampled_from(["Sea", "Land", "Air", "Fire"]), max_size=2),
    some.lists(some.sampled_from(["Ann", "Bo", "Cy"]), max_size=1),
    some.sampled_from(["en", "en-GB", "de", "fr", None]),
    some.lists(some.sampled_from(["News", "Sea"]), max_size=3),
    some.lists(some.sampled_from(["news", "sea"]), max_size=3),
)


def plainly(rule: Match | Term, told: Entry) -> bool:
    """What a rule means, read as it is written."""
    if isinstance(rule, Match):
        return (
            all(plainly(part, told) for part in rule.all)
            and (not rule.any or any(plainly(part, told) for part in rule.any))
            and not any(plainly(part, told) for part in rule.none)
        )
    segments = [part for part in (told.link or "").split("/")[3:] if part]
    language = told.language or ""
    tests: dict[TermField, Callable[[str], bool]] = {
        "keywords": lambda value: any(
            f" {' '.join(words(value))} " in f" {' '.join(words(part))} " for part in (told.title, told.text)
        ),
        "category": lambda value: fold(value) in [fold(category.term) for category in told.categories],
        "author": lambda value: value in [author.name for author in told.authors],
        "language": lambda value: language == value or language.startswith(f"{value}-"),
        "breadcrumb": lambda value: told.breadcrumb[: len(value.split(" > "))] == tuple(value.split(" > ")),
        "path": lambda value: f"/{value}/" in f"/{'/'.join(segments)}/",
        "source": lambda value: value == "Tidings",
        "regex": lambda value: re.search(value, f"{told.title}\n{told.text}".rstrip("\n")) is not None,
    }
    return any(tests[rule.field](value) for value in rule.values)


@given(some.lists(RULES, min_size=1, max_size=5), ENTRIES)
def test_many_rules_at_once_mean_what_each_says(rules: list[Match | Term], told: Entry) -> None:
    sections = [section(f"zz{number}", rule) for number, rule in enumerate(rules)]
    placed = {one.section for one in FilingRules(sections).place(told, source()) if one.by == "rule"}
    assert placed == {f"zz{number}" for number, rule in enumerate(rules) if plainly(rule, told)}


@given(RULES, ENTRIES)
def test_what_is_explained_is_what_is_done(rule: Match | Term, told: Entry) -> None:
    held = plainly(rule, told)
    for line in FilingRules([section("zz9", rule)]).explain(told, source()):
        if line.startswith("rule of zz9"):
            assert line.startswith("rule of zz9 holds: ") == held
            assert held or not line.endswith("but ")


@given(RULES, ENTRIES)
def test_order_and_repetition_do_not_matter(rule: Match | Term, told: Entry) -> None:
    assert holds(Match(any=(rule, rule)), told) == holds(Match(all=(rule, rule)), told) == plainly(rule, told)
    assert holds(Match(none=(rule,)), told) != plainly(rule, told)


@given(some.text(max_size=80), some.text(max_size=12))
def test_no_text_and_no_keyword_is_too_wild(text: str, keyword: str) -> None:
    found = holds(term("keywords", keyword), entry(text, text))
    if found and words(keyword):
        assert set(words(keyword)) <= set(words(text))


def test_a_regular_expression_takes_linear_time() -> None:
    # Where it backtracks, this takes longer than the world has been.
    assert not holds(term("regex", "(a+)+b"), entry("a" * 5000))
