"""What may be shown of an entry."""

import pytest

from feeds.store.rights import SUMMARY_CHARS, allowed, cut, public_address, strictest
from feeds.text import plain

from .conftest import entry

LONG = "word " * 200


def test_full_shows_everything():
    assert allowed(entry("k", summary="<p>s</p>", content="<p>c</p>"), "full") == ("<p>s</p>", "<p>c</p>")


def test_link_shows_no_text():
    assert allowed(entry("k", summary="<p>s</p>", content="<p>c</p>"), "link") == ("", "")


def test_summary_shows_the_summary_and_no_content():
    assert allowed(entry("k", summary="<p>s</p>", content="<p>c</p>"), "summary") == ("<p>s</p>", "")


@pytest.mark.parametrize(
    "made",
    [
        entry("k", summary="", content=f"<p>{LONG}</p>", text=LONG),
        entry("k", summary="", content=f"<p>{LONG}</p>", text=""),
        entry("k", summary=f"<p>{LONG}</p>", content="", text=LONG),
    ],
    ids=["only content", "only content, no text", "a whole article called summary"],
)
def test_without_a_real_summary_one_is_cut_from_the_text(made):
    summary, content = allowed(made, "summary")
    assert content == ""
    assert summary.endswith("word…")
    assert SUMMARY_CHARS // 2 < len(plain(summary)) <= SUMMARY_CHARS + 1


def test_a_cut_summary_is_safe_html():
    assert cut("a <b> & c") == "a &lt;b&gt; &amp; c"


def test_text_without_blanks_is_cut_too():
    assert len(cut("字" * 1000)) == SUMMARY_CHARS + 1


def test_nothing_to_say_is_nothing():
    assert allowed(entry("k", summary="", content="", text=""), "summary") == ("", "")


def test_the_stricter_right_wins():
    assert strictest("full", "link") == "link"
    assert strictest("summary", "full") == "summary"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://a.example/feed?page=1", True),
        ("https://me:secret@a.example/feed", False),
        ("https://a.example/feed?api_key=secret", False),
        ("articles/*.txt", False),
    ],
)
def test_addresses_with_secrets_are_not_published(url, shown):
    assert public_address(url) == (url if shown else None)
