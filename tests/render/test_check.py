"""The checks find what each rule is about, say it so that it can be mended, and find nothing in what we render."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.frames import archive_links, deleted_entries
from feeds.model import FORMATS, Article, Format
from feeds.render import Listed, check, compare, render_document
from feeds.render.check import GATE_RULES, RULES
from feeds.render.rules import COMMON_RULES, Findings, check_html
from tests.render.articles import DESK, FEED_ID, NOW, SECTION, full_article, make_article, many, wild_articles
from tests.render.samples import SAMPLES, good, media_samples

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
    body = render_document(SECTION, articles, format, desk=DESK, updated=NOW, feed_id=FEED_ID, extra=extra)
    assert check(body, format) == ()


@pytest.mark.parametrize("format", FORMATS)
@given(articles=st.lists(wild_articles, max_size=3, unique_by=lambda article: article.uid))
@many
def test_no_article_however_wild_makes_a_document_invalid(format: Format, articles: list[Article]) -> None:
    body = render_document(SECTION, articles, format, desk=DESK, updated=NOW, feed_id=FEED_ID)
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
        body = render_document(SECTION, [article], format, desk=DESK, updated=NOW, feed_id=FEED_ID)
        assert [(p.rule, p.article_uid) for p in check(body, format) if p.severity == "error"] == [
            ("html-unsafe", article.uid)
        ]


@pytest.mark.parametrize("html", ["<p>a onclick=1</p>", "<b>javascript: a tale</b>", "&lt;script&gt;", "<section>"])
def test_words_about_script_are_no_script(html: str) -> None:
    body = render_document(SECTION, [make_article(content=html)], "json", desk=DESK, updated=NOW, feed_id=FEED_ID)
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


# --------------------------------------------------------------------------- what may replace what


def listed(*numbers: int, **changes: Any) -> list[Listed]:
    """Entries by number, newest first: entry 9 ranks above entry 1."""
    return [
        Listed(uid=f"urn:{n}", link=f"example.org/{n}", rank_at=NOW + timedelta(minutes=n))
        for n in sorted(numbers, reverse=True)
    ]


def rules(*args: Any, **kwargs: Any) -> list[tuple[str, str | None]]:
    return [(problem.rule, problem.article_uid) for problem in compare(*args, **kwargs)]


def test_newer_entries_may_push_older_ones_out() -> None:
    assert rules(listed(1, 2, 3), listed(2, 3, 4), limit=3) == []


def test_an_entry_may_not_vanish_from_a_document_that_had_room() -> None:
    assert rules(listed(1, 2, 3), listed(1, 3), limit=3) == [("gate-entry-lost", "urn:2")]
    assert rules(listed(1, 2, 3), listed(1, 3, 4), limit=3) == [("gate-entry-lost", "urn:2")]


def test_an_entry_may_go_for_a_reason() -> None:
    assert rules(listed(1, 2, 3), listed(1, 3), limit=3, gone={"urn:2"}) == []


def test_the_same_link_under_another_id_is_a_changed_id() -> None:
    new = [*listed(2, 3), Listed(uid="urn:x", link="example.org/1", rank_at=NOW)]
    assert ("gate-id-changed", "urn:x") in rules(listed(1, 2, 3), new, limit=3)
    assert ("gate-id-changed", "urn:x") not in rules(listed(1, 2, 3), new, limit=3, gone={"urn:1"})


def test_a_document_that_is_suddenly_all_new_is_a_flood() -> None:
    old, new = listed(*range(30)), listed(*range(100, 130))
    assert rules(old, new, limit=30) == [("gate-flood", None)]
    assert rules(old, new, limit=30, expected={f"urn:{n}" for n in range(100, 130)}) == []
    assert rules(old, new, limit=30, flood_share=1.0) == []
    assert rules([], new, limit=30) == []
    assert rules(listed(1, 2), listed(101, 102), limit=2) == []


def test_the_gate_says_what_to_do() -> None:
    (problem,) = compare(listed(1, 2, 3), listed(1, 3), limit=3)
    assert problem.message == f"urn:2: is no longer listed and was not pushed out; {GATE_RULES[1].remedy}"
    assert json.dumps(problem.message)


@pytest.mark.parametrize(
    ("markup", "unsafe"),
    [
        ('<img alt="How &lt;img src=x onerror=alert(1)&gt; works" src="https://x.example/i.jpg">', False),
        ('<img alt="How <img src=x onerror=alert(1)> works" src="https://x.example/i.jpg">', False),
        ('<p title="javascript:alert(1) and on load = x">The &lt;script&gt; tag</p>', False),
        ("<math><mi>x</mi></math>", False),
        ('<a href="https://x.example/?next=javascript:alert(1)">x</a>', False),
        ("<img/src='x'/onerror=alert(1)>", True),
        ("<p title='\"'onclick=alert(1)>x</p>", True),
        ('<a href="java&#10;script:alert(1)">x</a>', True),
        ('<a href="&#106;avascript:alert(1)">x</a>', True),
        ("<SVG></SVG>", True),
        ("<svg/onload=alert(1)>", True),
        ("<form><input></form>", True),
    ],
)
def test_markup_is_judged_as_a_browser_reads_it(markup: str, unsafe: bool) -> None:
    found = Findings(COMMON_RULES)
    check_html(found, "item 1", markup, None)
    assert any(problem.rule == "html-unsafe" for problem in found.problems) is unsafe
