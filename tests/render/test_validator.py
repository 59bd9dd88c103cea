"""The validator finds what each rule is about, says how to mend it, and finds nothing in what we render."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.frames import archive_links, deleted_entries
from feeds.model import FORMATS, Article, Format
from tests.render.articles import NOW, SECTION, full_article, make_article, many, wild_articles
from tests.render.documents import render_document
from tests.render.samples import SAMPLES, good, media_samples
from tests.validator import RULES, check

EVERY_RULE = [(format, rule.id) for format in FORMATS for rule in RULES[format]]


@pytest.mark.parametrize("format", FORMATS)
def test_a_good_document_has_no_problems(format: Format) -> None:
    assert check(good(format), format) == ()


@pytest.mark.parametrize(("format", "rule_id"), EVERY_RULE)
def test_each_rule_has_a_sample_that_breaks_it(format: Format, rule_id: str) -> None:
    problems = [problem for problem in check(SAMPLES[format][rule_id], format) if problem.rule == rule_id]
    assert problems
    rule = next(rule for rule in RULES[format] if rule.id == rule_id)
    assert rule.source
    for problem in problems:
        assert problem.severity == rule.severity
        where, colon, what = problem.message.partition(": ")
        assert where and colon and what.endswith(f"; {rule.remedy}")


@pytest.mark.parametrize("format", ["rss", "atom"])
def test_every_kind_of_value_in_an_element_for_media_is_judged(format: Format) -> None:
    for rule_id, samples in media_samples(format).items():
        for body in samples:
            assert [problem.rule for problem in check(body, format)] == [rule_id], body


def test_no_sample_is_left_from_a_rule_that_is_gone() -> None:
    assert {(format, rule_id) for format, samples in SAMPLES.items() for rule_id in samples} == set(EVERY_RULE)


def test_rules_are_named_once() -> None:
    for rules in RULES.values():
        assert len({rule.id for rule in rules}) == len(rules)


@pytest.mark.parametrize(
    ("format", "rule_id"),
    [
        ("atom", "atom-date"),
        ("atom", "title-html"),
        ("rss", "rss-date"),
        ("rss", "rss-enclosure"),
        ("json", "json-url"),
    ],
)
def test_a_problem_names_the_article_that_has_it(format: Format, rule_id: str) -> None:
    (problem,) = [problem for problem in check(SAMPLES[format][rule_id], format) if problem.rule == rule_id]
    assert problem.article_uid == ("urn:uuid:2" if rule_id == "atom-date" else "urn:uuid:1")


def test_what_the_grammar_refuses_names_the_article_too() -> None:
    body = good("atom").replace(b"<title>Pier open</title>", b"<title>Pier open</title><title>again</title>")
    assert "urn:uuid:2" in {problem.article_uid for problem in check(body, "atom") if problem.rule == "atom-schema"}


def test_errors_come_before_warnings() -> None:
    body = SAMPLES["rss"]["rss-guid-missing"].replace(b"<ttl>5", b"<ttl>x")
    severities = [problem.severity for problem in check(body, "rss")]
    assert severities == sorted(severities) and set(severities) == {"error", "warning"}


def test_a_document_full_of_one_problem_does_not_fill_the_memory() -> None:
    item = "<item><title>x</title><link>/x</link></item>"
    body = good("rss").replace(b"</channel>", (item * 500).encode() + b"</channel>")
    assert len([problem for problem in check(body, "rss") if problem.rule == "rss-url"]) == 50


@pytest.mark.parametrize("format", FORMATS)
def test_a_full_article_has_neither_errors_nor_warnings(format: Format) -> None:
    articles = [full_article(1), make_article(2), make_article(3, link=None, summary="", content="")]
    extra = [
        archive_links(
            format, prev_url="https://wire.example.org/1", current_url="https://wire.example.org/2", archive=True
        ),
        deleted_entries(format, [("urn:uuid:9", NOW)]),
    ]
    body = render_document(SECTION, articles, format, extra=extra)
    assert check(body, format) == ()


@pytest.mark.parametrize("format", FORMATS)
@given(articles=st.lists(wild_articles, max_size=3, unique_by=lambda article: article.uid))
@many
def test_no_article_however_wild_makes_a_document_invalid(format: Format, articles: list[Article]) -> None:
    body = render_document(SECTION, articles, format)
    # Words about HTML in a title are only warned of: they are escaped, and a reader shows them as written.
    assert {problem.rule for problem in check(body, format)} <= {"title-html"}


@pytest.mark.parametrize(
    "html",
    [
        "<SCRIPT>x</SCRIPT>",
        "<p onmouseover = 'x'>a</p>",
        '<a title="x" href=" javascript:x">a</a>',
        "<iframe src='https://a.example/'></iframe>",
        "<form action='https://a.example/'>",
        "<svg/onload=x>",
        "<img src='data:text/html,x'>",
        "<base href='https://a.example/'>",
    ],
)
def test_script_is_found_wherever_it_hides(html: str) -> None:
    article = make_article(content=html)
    for format in FORMATS:
        body = render_document(SECTION, [article], format)
        assert [(p.rule, p.article_uid) for p in check(body, format) if p.severity == "error"] == [
            ("html-unsafe", article.uid)
        ]


@pytest.mark.parametrize("html", ["<p>a onclick=1</p>", "<b>javascript: a tale</b>", "&lt;script&gt;", "<section>"])
def test_words_about_script_are_no_script(html: str) -> None:
    body = render_document(SECTION, [make_article(content=html)], "json")
    assert check(body, "json") == ()


@pytest.mark.parametrize("body", [b"", b"\x00", b"<", b"[]", b"null", b"{", b"\xff\xfe", b"<feed/>", b"<rss/>", b"{}"])
def test_anything_else_is_refused(body: bytes) -> None:
    for format in FORMATS:
        assert any(problem.severity == "error" for problem in check(body, format))


def test_an_extension_is_an_object() -> None:
    body = good("json").replace(b'"items"', b'"_gone":["urn:uuid:9"],"items"', 1)
    assert [problem.rule for problem in check(body, "json")] == ["json-extension"]


def test_a_key_that_stands_twice_is_found() -> None:
    assert [p.rule for p in check(b'{"title": 1, "title": 2}', "json")] == ["json-parse"]
