"""robots.txt as RFC 9309 has it."""

from __future__ import annotations

import pytest

from feeds.fetch.robots import Rules, rules_of

TEXT = """
# before all groups
User-agent: *
Disallow: /private/
Allow: /private/open
Disallow: /*.pdf$
Disallow: /a*b*c

User-agent: Wiredesk/2
User-agent: other
Disallow: /only-us
"""


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/", True),
        ("/private/x", False),
        ("/private/open/y", True),
        ("/paper.pdf", False),
        ("/paper.pdf?page=2", True),
        ("/axxbyyc", False),
        ("/axxcyyb", True),
        ("/only-us", True),
        ("/robots.txt", True),
        ("/%70rivate/x", False),
    ],
)
def test_the_longest_rule_decides(path, allowed):
    assert Rules(TEXT, "somebody").allows(f"https://a.example{path}") is allowed


def test_a_group_that_names_us_stands_alone():
    rules = Rules(TEXT)
    assert not rules.allows("https://a.example/only-us/x")
    assert rules.allows("https://a.example/private/x")


def test_a_site_without_robots_allows_and_one_that_is_broken_does_not():
    page = "https://a.example/x"
    assert rules_of(404).allows(page)
    assert rules_of(403).allows(page)
    assert not rules_of(503).allows(page)
    assert not rules_of(429).allows(page)
    assert not rules_of(0).allows(page)
    assert rules_of(200, b"<html>no rules at all</html>").allows(page)


def test_a_hostile_file_costs_little():
    rules = rules_of(200, b"User-agent: *\n" + b"Disallow: /*a*b*c*d*e*f*g*h\n" * 100_000)
    assert rules.allows("https://a.example/" + "abcdefg" * 200)
