"""Texts that are too long end after a sentence, in markup that is whole, and what must not grow does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from selectolax.lexbor import LexborHTMLParser

from feeds.model import FORMATS
from feeds.render import check_fragment, render_fragments, within
from feeds.render.fragments import beginning
from tests.render.articles import DESK, few, make_article


@pytest.mark.parametrize(
    ("html", "most", "left"),
    [
        ("<p>One. Two.</p><p>Three.</p>", 18, "<p>One. Two.</p> …"),
        ("<p>One. Two.</p><p>Three.</p>", 12, "<p>One. Two. …</p>"),
        ("<p>Pi is 3.14 and more</p>", 12, "<p>Pi is …</p>"),  # no sentence ends in a number
        ("<ul><li>First</li><li>Second one</li></ul>", 25, "<ul><li>First</li> …</ul>"),
        ('<a href="https://a.example/?1. y">This. Or that</a>', 43, '<a href="https://a.example/?1. y">This. …</a>'),
        ("潮が満ちた。そして引いた。", 8, "潮が満ちた。 …"),
        ("Wait<br>for it. No", 15, "Wait<br>for it. …"),
        ("<p>unbreakable</p>", 8, ""),
        ("", 5, ""),
        ("short", 5, "short"),
    ],
)  # fmt: skip
def test_a_text_ends_after_a_sentence_or_else_a_word(html, most, left):
    assert beginning(html, most) == left


PIECES = st.lists(
    st.sampled_from(["<p>", "</p>", "<b>", "</b>", "<ul><li>", "</li></ul>", "<br>", "One. ", "two ", "&amp; ", "<i>"])
)


@few
@given(pieces=PIECES, most=st.integers(0, 60))
def test_what_is_left_is_a_beginning_and_closes_what_it_opens(pieces, most):
    html = "".join(pieces)
    left = beginning(html, most)
    if len(html) <= most or not left:
        return
    kept = left[: left.rindex(" …")]
    assert html.startswith(kept) and len(kept) <= most
    text = LexborHTMLParser(html).text()
    assert text.startswith(LexborHTMLParser(left).text().rpartition(" …")[0].rstrip())


@pytest.mark.parametrize("format", FORMATS)
def test_a_long_article_keeps_to_the_bytes_of_the_desk_and_checks(format):
    desk = replace(DESK, max_entry_bytes=20_000)
    texts = {
        "content": "<p>" + "„Ü“ &amp; the <b>tide</b>. " * 3000 + "</p>",
        "summary": "“It waits for no one.” " * 3000,
    }
    summed = make_article(content="", summary=texts["summary"])
    wordless = make_article(content="<p>" + "x" * 90_000, summary="Short.")
    for article in (make_article(**texts | {"summary": "Short."}), summed, wordless):
        whole = render_fragments([article], format, desk=desk)[0]
        body = within(whole, article, format, desk)
        assert len(body) <= 20_000 < len(whole)
        check_fragment(body, format, article.uid)
        assert "</p>" not in article.content or len(body) > 8_000  # as much as has room


def test_an_article_that_fits_stays_as_it_is():
    body = render_fragments([make_article()], "atom", desk=DESK)[0]
    assert within(body, make_article(), "atom", DESK) is body
