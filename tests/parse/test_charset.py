"""Bytes to UTF-8: which of three labels is believed, and what happens when none is true."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st
from webencodings import lookup
from webencodings.labels import LABELS

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


SAMPLES = ("Паром ждёт", "서울 날씨", "東京", "שלום", "سلام", "ราคา", "Ωρα", "žluť", "ġurnata", "Café")


@pytest.mark.parametrize("label", LABELS)
def test_every_label_of_the_web_is_known(label: str) -> None:
    codec = lookup(label).codec_info.name
    if codec in ("replacement", "x-user-defined") or codec.startswith("utf-16"):
        return  # not for text, or shown by the bytes themselves
    text = next(
        t
        for t in ("Паром ждёт", "서울 날씨", "東京", "שלום", "سلام", "ราคา", "Ωρα", "žluť", "ġurnata", "Café")
        if _fits(t, codec)
    )
    body = f'<?xml version="1.0" encoding="{label}"?><a>{text}</a>'.encode(codec)
    assert f"<a>{text}</a>" in to_utf8(body).decode()


def _fits(text: str, codec: str) -> bool:
    try:
        return text.encode(codec).decode(codec) == text
    except UnicodeError:
        return False


@pytest.mark.parametrize(
    ("label", "codec", "text"),
    [
        ("cp-1251", "cp1251", "Паром"),
        ("win-1251", "cp1251", "Паром"),
        ("windows1251", "cp1251", "Паром"),
        ("x-windows-1251", "cp1251", "Паром"),
        ("1251", "cp1251", "Паром"),
        ("windows-1251;", "cp1251", "Паром"),
        ("koi8r", "koi8-r", "Паром"),
        ("cp-866", "cp866", "Паром"),
        ("windows-949", "cp949", "서울 날씨"),
        ("ms949", "cp949", "서울 날씨"),
        ("cp936", "gbk", "今天渡轮晚点"),
        ("gb2312-80", "gbk", "今天渡轮晚点"),
        ("big5-hkscs", "big5hkscs", "香港渡輪"),
        ("cp950", "big5", "台北渡輪"),
        ("shift-jis", "cp932", "東京の天気"),
        ("windows-932", "cp932", "東京の天気"),
        ("eucjp", "euc_jp", "東京の天気"),
        ("euckr", "euc_kr", "서울 날씨"),
        ("iso8859-1", "latin-1", "Café"),
        ("iso_8859_15", "iso8859-15", "Café €"),
        ("iso8859-2", "iso8859-2", "žluť"),
        ("ansi", "cp1252", "Café"),
        ("utf8mb4", "utf-8", "Café"),
        ("utf-8;", "utf-8", "Café"),
    ],
)
def test_misspelt_labels_are_known(label: str, codec: str, text: str) -> None:
    body = f'<?xml version="1.0" encoding="{label}"?><a>{text}</a>'.encode(codec)
    assert to_utf8(body).endswith(f"<a>{text}</a>".encode())
    assert to_utf8(f"<a>{text}</a>".encode(codec), f"text/xml; charset={label}") == f"<a>{text}</a>".encode()


RUSSIAN = "Паром опаздывает на час сегодня"


@pytest.mark.parametrize("label", ["gbk", "gb2312", "gb18030", "big5", "shift_jis", "euc-kr", "iso-8859-1", "koi8-r"])
def test_utf_8_that_says_so_is_utf_8_whatever_the_header_claims(label: str) -> None:
    body = f'<?xml version="1.0" encoding="utf-8"?><a>{RUSSIAN}</a>'.encode()
    assert to_utf8(body, f"text/xml; charset={label}") == body


@pytest.mark.parametrize("label", ["gbk", "iso-8859-1"])
def test_a_slip_in_utf_8_does_not_make_it_another_charset(label: str) -> None:
    body = f'<?xml version="1.0" encoding="utf-8"?><a>{RUSSIAN}'.encode() + b"\x92</a>"
    assert to_utf8(body, f"text/xml; charset={label}").endswith(f"<a>{RUSSIAN}’</a>".encode())


def test_a_slip_in_another_charset_spoils_one_character() -> None:
    body = b'<?xml version="1.0" encoding="gbk"?><a>' + "今天渡轮晚点一个小时".encode("gbk") * 2 + b"\xff</a>"
    assert to_utf8(body).decode().endswith("<a>" + "今天渡轮晚点一个小时" * 2 + "\ufffd</a>")


UNDECLARED = [
    ("Паром опаздывает на час", "windows-1251"),
    ("Рада гавані проголосувала у вівторок", "windows-1251"),
    ("Паром опаздывает на час", "koi8-r"),
    ("港の委員会は火曜日、来年の冬までに鉄の橋を架け替えることを決めた", "shift_jis"),
    ("お知らせ：サーバーメンテナンスのため、フェリーの予約は火曜日の夜に休みます", "euc-jp"),
    ("港口委员会星期二投票决定在明年冬天之前更换铁桥", "gb2312"),
    ("港口委員會星期二投票決定在明年冬天之前更換鐵橋", "big5"),
    ("항구 위원회는 화요일에 내년 겨울 전에 철교를 교체하기로 투표했다", "euc-kr"),
    ("Το συμβούλιο του λιμανιού ψήφισε την Τρίτη", "windows-1253"),
    ("מועצת הנמל הצביעה ביום שלישי על החלפת הגשר", "windows-1255"),
    ("صوت مجلس الميناء يوم الثلاثاء على استبدال الجسر", "windows-1256"),
    ("สภาท่าเรือลงมติในวันอังคารให้เปลี่ยนสะพานเหล็ก", "cp874"),
]


@pytest.mark.parametrize(("text", "encoding"), UNDECLARED)
@pytest.mark.parametrize("named", [None, "utf-8", "iso-8859-1"])
def test_a_charset_of_another_script_is_known_though_nobody_names_it(
    text: str, encoding: str, named: str | None
) -> None:
    assert title(document(text, named).encode(encoding)) == text
    assert to_utf8(f"{text}\n\n{text}".encode(encoding)).decode() == f"{text}\n\n{text}"


@pytest.mark.parametrize(
    "text",
    ["Café déjà vu à l’été, naïve façade", "Überraschung in Köln: Äpfel kosten 5 €", "São Paulo não é Lisboa: «ação»",
     "£££ €€€", "“Ångström”", "äöüß", "Ÿ"],
)  # fmt: skip
def test_a_latin_text_that_names_no_charset_is_windows_1252(text: str) -> None:
    assert title(document(text, None).encode("cp1252")) == text
    assert title(document(text, "iso-8859-1").encode("cp1252")) == text
