"""Addresses, types and titles in the form in which they may be published."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.players import media_type
from feeds.render.printable import absolute, email, excerpt, is_web_address, language, line, plain, rss_title
from tests.render.articles import many, wild_text, wild_url


@pytest.mark.parametrize(
    ("given_url", "published"),
    [
        ("https://example.org/a?b=1&c=2#d", "https://example.org/a?b=1&c=2#d"),
        ("HTTPS://Example.org/", "https://Example.org/"),
        ("http://example.org:8080/x", "http://example.org:8080/x"),
        ("http://[2001:db8::1]/x", "http://[2001:db8::1]/x"),
        ("https://user:secret@example.org/x", "https://example.org/x"),
        ("https://user@[2001:db8::1]:81/x", "https://[2001:db8::1]:81/x"),
        ("https://bücher.example/ü", "https://xn--bcher-kva.example/%C3%BC"),
        ("https://example.org/100%", "https://example.org/100%25"),
        ("https://example.org/%e4%zz", "https://example.org/%e4%25zz"),
        ("https://example.org/a b\n\x00", "https://example.org/a%20b"),
        ('https://example.org/"<>{}|\\^`', "https://example.org/%22%3C%3E%7B%7D%7C%5C%5E%60"),
        ("//example.org/x", None),
        ("example.org/x", None),
        ("mailto:a@example.org", None),
        ("data:text/html,x", None),
        ("https://", None),
        ("https://example.org:port/", None),
        ("http://[::1", None),
        ("", None),
        (None, None),
    ],
)
def test_an_address_is_published_absolute_in_ascii_and_without_secrets(
    given_url: str | None, published: str | None
) -> None:
    assert absolute(given_url) == published


@given(wild_url | wild_text | st.text())
@many
def test_whatever_comes_out_is_a_web_address_and_stays_as_it_is(url: str) -> None:
    address = absolute(url)
    if address is not None:
        assert is_web_address(address) and address.isascii()
        assert absolute(address) == address


@pytest.mark.parametrize(
    ("stated", "url", "type_"),
    [
        ("audio/mpeg", "https://a.example/x", "audio/mpeg"),
        ("", "https://a.example/x.MP3?y=1", "audio/mpeg"),
        ("mp3", "https://a.example/x.m4a", "audio/mp4"),
        ("", "https://a.example/x", "application/octet-stream"),
        ("audio/mpeg\n", "https://a.example/x", "application/octet-stream"),
    ],
)
def test_a_media_type_is_the_stated_one_or_what_the_ending_says(stated: str, url: str, type_: str) -> None:
    assert media_type(stated, url) == type_


def test_what_is_no_address_of_mail_or_tag_of_a_language_is_dropped() -> None:
    assert [email(text) for text in ("a@b.example", "a b@c", "a@b\n", "@", "", None)] == [
        "a@b.example", None, "a@b", None, None, None,
    ]  # fmt: skip
    assert [language(tag) for tag in ("en", "zh-Hant-TW", "english please", "e", "", None)] == [
        "en", "zh-Hant-TW", None, None, None, None,
    ]  # fmt: skip


def test_html_becomes_words_on_one_line() -> None:
    assert plain("<p>One<br>two</p><ul><li>three</li></ul> &lt;b&gt; <!-- no -->four") == "One two three <b> four"
    assert excerpt("<p>one two three</p>", 9) == "one two…"
    assert line(" a \x00\n\tb  c ") == "a b c"


@pytest.mark.parametrize("title", ["AT&T", "5 < 6", "a & b; c", "<3", "x <"])
def test_a_title_that_no_reader_mistakes_for_html_is_left_alone(title: str) -> None:
    assert rss_title(title) == title


@pytest.mark.parametrize(
    ("title", "published"),
    [
        ("<b>", "&lt;b&gt;"),
        ("a </p>", "a &lt;/p&gt;"),
        ("&amp;", "&amp;amp;"),
        ("&#60;", "&amp;#60;"),
        ("Q&A;", "Q&amp;A;"),
    ],
)
def test_a_title_that_a_reader_would_mistake_for_html_is_escaped_once_more(title: str, published: str) -> None:
    assert rss_title(title) == published
