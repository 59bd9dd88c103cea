# ruff: noqa: E501 - pages as they are sent
"""Selectors as config writes them find what `querySelector` would, and say in words what they are not."""

from __future__ import annotations

import pytest
from lxml import html

from feeds.selectors import xpath_of

PAGE = html.document_fromstring(
    '<div id=top class="card a"><a href=/0></a><div class=in><a HREF=/1 data-x=y>one</a></div><p>two</p><p lang=de>drei</p></div>'
)
CARD = next(PAGE.iter("div"))


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        ("div", ["one"]),  # below it, and not the element itself
        ("p", ["two", "drei"]),
        (".in > a, p:nth-child(4)", ["one", "drei"]),
        (":scope > p", ["two", "drei"]),
        ("p:not([lang])", ["two"]),
        ("div:has(a)", ["one"]),
        ("a@href", ["/0", "/1"]),
        (".in a@data-x", ["y"]),
        ("a[href='/1']@HREF", ["/1"]),
        ("@id", ["top"]),
        (" xpath:./p[2] ", ["drei"]),
        ("xpath:string(p)", ["two"]),
    ],
)
def test_what_a_selector_finds(selector: str, found: list[str]) -> None:
    result = CARD.xpath(xpath_of(selector))
    nodes = result if isinstance(result, list) else [result]
    assert [node if isinstance(node, str) else node.text_content() for node in nodes] == found


@pytest.mark.parametrize(
    ("selector", "said"),
    [("a::text", "for an attribute write a@href"), ("//a", "an XPath begins with xpath:"), ("./a", "begins with xpath:"),
     ("a >", "Expected selector"), ("", "Expected selector"), ("a[", "Expected"), ("a:nope(", "Expected")],
)  # fmt: skip
def test_what_is_no_selector_is_told_in_words(selector: str, said: str) -> None:
    with pytest.raises(ValueError, match=said.replace("(", r"\(")):
        xpath_of(selector)
