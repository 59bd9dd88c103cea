"""Titles and other lines: plain, visible, bounded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.normalise.scalars import cut, excerpt, legal, line, name_line
from feeds.parsed import RawText

SCOTLAND = "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"


def html(value: str) -> RawText:
    return RawText(value=value, type="html")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (html("Tide &amp; time"), "Tide & time"),
        (html("Tide & time"), "Tide & time"),
        (html("AT&amp;amp;T"), "AT&amp;T"),
        (html("It&#8217;s &quot;so&quot;"), "It’s \"so\""),
        (html("a &lt; b"), "a < b"),
        (html("5 < 6 and 7 > 3"), "5 < 6 and 7 > 3"),
        (html("<b>Bold</b> move"), "Bold move"),
        (html("How to use &lt;b&gt;"), "How to use <b>"),
        (html("One<br>two"), "One two"),
        (RawText(value="Tide &amp; time"), "Tide &amp; time"),
        (RawText(value="<b>literal</b>"), "<b>literal</b>"),
        (RawText(value="<title>"), "<title>"),
        (RawText(value="<p>x</p>", type="xhtml"), "x"),
        (html("Why the &lt;script&gt; tag is slow"), "Why the ‹script› tag is slow"),
        (html("Why the <script> tag is slow"), "Why the ‹script› tag is slow"),
        (html("Close the </script> tag, and </div>"), "Close the ‹/script› tag, and"),
        (html("The <main></main> pair"), "The <main></main> pair"),
        (html("<blink>Tide</blink> and time"), "Tide and time"),
        (html("<applet code=x>Tide</applet> and time"), "Tide and time"),
        (html("<style> guide"), "‹style› guide"),
        (html("The <head> and the <body>"), "The <head> and the <body>"),
        (html("<script>x</script> in pages"), "‹script›x‹/script› in pages"),
        (html("A <script src=x> that has no end"), "A ‹script src=x› that has no end"),
        (html("<script src=x>y</script>Tide"), "Tide"),
        (html("Map<String, List<T>> in Java"), "Map<String, List<T>> in Java"),
        (html('<span class="x">Tide</span> <img src=x alt=y>and time'), "Tide and time"),
        (RawText(value="How <img src=x onerror=alert(1)> works"), "How ‹img src=x onerror=alert(1)› works"),
        (RawText(value="If a <b or c = 3"), "If a ‹b or c = 3"),
        (html("Caf&eacute; &nbsp; au\n lait"), "Café au lait"),
        (html("x&#128;y"), "x€y"),
        ("  a \t b\r\n", "a b"),
        (None, ""),
        ("\x00a\x0bb\ud800c\ufffe", "abc"),
        ("a\x92b", "a’b"),
        ("evil\u202etxt.exe", "eviltxt.exe"),
        ("a\u200bb\u2060c\ufeffd\u00ade", "abcde"),
        ("\u2066x\u2069\u200e\u061c", "x"),
        ("pay\u200dpal", "paypal"),
        ("👩\u200d🚀 flies", "👩\u200d🚀 flies"),
        ("❤️ works", "❤️ works"),
        ("क्\u200dष", "क्\u200dष"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        (SCOTLAND, SCOTLAND),
        ("hidden\U000e0068\U000e0069", "hidden"),
        ("שלום world", "שלום world"),
    ],
)  # fmt: skip
def test_a_line_shows_what_was_meant(text: RawText | str | None, shown: str) -> None:
    assert line(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Arts &amp; Crafts", "Arts & Crafts"),
        ("Arts &#038; Crafts", "Arts & Crafts"),
        ("Arts & Crafts", "Arts & Crafts"),
        ("R&D", "R&D"),
        ('<a href="/staff/x">Staff Writer</a>', "Staff Writer"),
        ("&#039;Ibn Writer", "'Ibn Writer"),
        ("C<T>", "C<T>"),
        ("a < b", "a < b"),
        (None, ""),
    ],
)
def test_a_name_is_read_as_what_it_was_meant_to_be(text: str | None, shown: str) -> None:
    assert name_line(text) == shown


def test_a_long_line_is_cut_at_a_word() -> None:
    assert line("word " * 100, limit=20) == "word word word word…"
    assert line("x" * 100, limit=20) == "x" * 19 + "…"
    assert cut("exactly", 7) == "exactly"


def test_an_excerpt_ends_with_a_sentence_where_one_fits() -> None:
    text = "The first sentence is here. The second one is longer than that. And a third."
    assert excerpt(text, 70) == "The first sentence is here. The second one is longer than that."
    assert excerpt(text, 200) == text
    assert excerpt("No sentence ends in this text at all", 20) == "No sentence ends in…"
    assert excerpt("これは文です。次の文です。", 8) == "これは文です。"


@given(st.text(max_size=200), st.integers(10, 100), st.sampled_from(["text", "html", "xhtml"]))
def test_a_line_is_one_line_within_its_limit_and_stays_as_it_is(text: str, limit: int, kind: str) -> None:
    shown = line(RawText(value=text, type=kind), limit=limit)  # type: ignore[arg-type]
    assert len(shown) <= limit
    assert shown == " ".join(shown.split())
    assert legal(shown) == shown
    assert line(shown, limit=limit) == shown
