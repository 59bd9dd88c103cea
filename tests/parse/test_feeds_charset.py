"""Bytes to UTF-8: which of three labels is believed, and what happens when none is true."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.parse import parse
from feeds.parse.charset import to_utf8

TEXT = "Ångström, “quoted” — €5"


def document(text: str, encoding: str | None) -> str:
    declared = f' encoding="{encoding}"' if encoding else ""
    return (
        f'<?xml version="1.0"{declared}?><rss version="2.0"><channel><item><title>{text}</title></item></channel></rss>'
    )


def title(body: bytes, content_type: str | None = None) -> str:
    [entry] = parse(body, url="", content_type=content_type).entries
    assert entry.title is not None
    return entry.title.value


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (TEXT, "utf-8"),
        (TEXT, "windows-1252"),
        ("Füße", "iso-8859-1"),
        ("žluťoučký kůň", "iso-8859-2"),
        ("Съешь ещё", "windows-1251"),
        ("Съешь ещё", "koi8-r"),
        ("いろは歌ソ能", "shift_jis"),
        ("いろは歌", "euc-jp"),
        ("いろは歌", "iso-2022-jp"),
        ("中文字符", "gb2312"),
        ("中文字符\U00020000", "gb18030"),
        ("中文字許功蓋", "big5"),
        ("한국어", "euc-kr"),
        ("ไทย", "tis-620"),
        ("şğı", "iso-8859-9"),
        ("עברית", "iso-8859-8"),
    ],
)
def test_a_declared_encoding_is_used_wherever_it_is_declared(text: str, encoding: str) -> None:
    assert title(document(text, encoding).encode(encoding)) == text
    assert title(document(text, None).encode(encoding), f'text/xml; charset="{encoding.upper()}"') == text


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_wide_encodings_are_seen_with_and_without_a_mark(encoding: str) -> None:
    text = document(TEXT, encoding[:6])
    assert title(text.encode(encoding)) == TEXT
    assert title(("\ufeff" + text).encode(encoding)) == TEXT
    assert title(("\ufeff" + document(TEXT, "utf-8")).encode(encoding), "text/xml; charset=utf-8") == TEXT


def test_a_byte_order_mark_is_believed_before_any_label() -> None:
    body = codecs.BOM_UTF8 + document(TEXT, "iso-8859-1").encode()
    assert title(body, "application/rss+xml; charset=windows-1251") == TEXT


def test_the_content_type_is_believed_before_the_declaration() -> None:
    assert title(document("Съешь", "koi8-r").encode("cp1251"), "text/xml; charset=windows-1251") == "Съешь"


def test_latin_1_is_read_as_browsers_read_it() -> None:
    assert title(document(TEXT, "iso-8859-1").encode("cp1252")) == TEXT
    assert title(document(TEXT, "us-ascii").encode("cp1252")) == TEXT


def test_utf_8_that_is_called_something_else_stays_utf_8() -> None:
    assert title(document(TEXT, "iso-8859-1").encode()) == TEXT
    assert title(document("Съешь", None).encode(), "text/xml; charset=windows-1251") == "Съешь"


def test_windows_1252_that_is_called_utf_8_is_read() -> None:
    assert title(document(TEXT, "utf-8").encode("cp1252")) == TEXT
    assert title(document(TEXT, None).encode("cp1252")) == TEXT


def test_one_bad_byte_spoils_one_character() -> None:
    assert title(document("漢字 X 漢字", "utf-8").encode().replace(b"X", b"\x93")) == "漢字 “ 漢字"


@pytest.mark.parametrize("label", ["utf-7", "unicode_escape", "rot13", "zlib", "idna", "x-none", "utf-16", "base64"])
def test_labels_that_name_no_charset_or_an_impossible_one_are_ignored(label: str) -> None:
    body = document("+ADw-b+AD4- \\x3c é", label).encode()
    assert title(body, f"text/xml; charset={label}") == "+ADw-b+AD4- \\x3c é"


def test_ebcdic_is_read() -> None:
    assert title(document("plain", "cp037").encode("cp037")) == "plain"


@given(st.binary(max_size=60), st.none() | st.text(max_size=12))
def test_whatever_the_bytes_the_result_is_utf_8(body: bytes, label: str | None) -> None:
    to_utf8(body, f"text/xml; charset={label}").decode()
    to_utf8(b'<?xml version="1.0" encoding="big5"?>' + body).decode()
