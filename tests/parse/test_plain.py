"""Plain documents: every line is taken for what it is, whoever wrote the file."""

import codecs
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feeds.errors import ParseError
from feeds.parse import parse_document
from feeds.parsed import Origin, ParsedEntry, Person

BODY = """\
Harbour wall opens after nine years of work

The new wall keeps the old town dry at the highest spring tides. It cost less than was feared.

Engineers handed over the last section on Monday, a month ahead of plan, and the gates were closed for the first time.

What the wall can do

• Hold back four metres of water

• Close within eleven minutes

• Open by itself when the tide falls

Who pays for it

The region carries half of the cost and the port the rest. A toll for large ships was dropped in the spring.

"Nobody who lives by the water will sleep less soundly because of what this wall has cost all of us," the mayor said.

Work on the eastern quay begins in May.
"""
DOCUMENT = f"""News > World

{BODY}
Source: shoretimes

coast mirror



Article comments

Leave a Reply
"""


def entry_of(text: str | bytes, name: str = "articles/wall.txt") -> ParsedEntry:
    feed = parse_document(text.encode() if isinstance(text, str) else text, name=name)
    assert feed.kind == "document"
    assert len(feed.entries) == 1
    return feed.entries[0]


def html_of(entry: ParsedEntry) -> str:
    assert entry.content is not None
    assert entry.content.type == "html"
    return entry.content.value


def title_of(entry: ParsedEntry) -> str | None:
    return entry.title.value if entry.title else None


def test_a_document_is_read_whole() -> None:
    entry = entry_of(DOCUMENT)
    html = html_of(entry)

    assert entry.breadcrumb == ("News", "World")
    assert title_of(entry) == "Harbour wall opens after nine years of work"
    assert entry.summary is not None
    assert entry.summary.value.startswith("The new wall keeps")
    assert entry.origin == Origin(name="shoretimes")
    assert entry.credits == ("Source: shoretimes",)
    assert entry.publisher == "coast mirror"
    assert entry.published is None
    assert entry.entry_id == "file:articles/wall.txt"
    assert "<h2>What the wall can do</h2>" in html
    assert "<h2>Who pays for it</h2>" in html
    assert html.count("<li>") == 3
    assert "<ul><li>Hold back four metres of water</li><li>Close within eleven minutes</li>" in html
    assert '<blockquote><p>"Nobody who lives' in html
    assert html.startswith("<p>The new wall keeps")
    assert html.endswith("<p>Work on the eastern quay begins in May.</p>")
    for gone in ("News >", "Harbour wall opens", "shoretimes", "coast mirror", "Article comments", "Leave a Reply"):
        assert gone not in html


@pytest.mark.parametrize(
    ("line", "crumbs"),
    [
        ("News > World", ("News", "World")),
        ("News › World › Asia", ("News", "World", "Asia")),
        ("News » World", ("News", "World")),
        ("News / World", ("News", "World")),
        ("News/World", ("News", "World")),
        ("News | World", ("News", "World")),
        ("News → World", ("News", "World")),
        ("News >> World", ("News", "World")),
        ("News :: World", ("News", "World")),
        ("Home > News > World", ("News", "World")),
        ("Startseite › Politik", ("Politik",)),
        ("You are here: Home » Sport » Women's Football", ("Sport", "Women's Football")),
        ("Category: Local News", ("Local News",)),
        ("समाचार > दुनिया", ("समाचार", "दुनिया")),
        ("新闻 > 国际", ("新闻", "国际")),
        ("news > world", ("news", "world")),
        ("  News  >  World  > ", ("News", "World")),
    ],
)
def test_breadcrumbs_are_known_with_any_separator(line: str, crumbs: tuple[str, ...]) -> None:
    entry = entry_of(f"{line}\n\n{BODY}")
    assert entry.breadcrumb == crumbs
    assert title_of(entry) == "Harbour wall opens after nine years of work"


@pytest.mark.parametrize(
    "headline",
    ["Rates up again | Live updates from the bank", "Harbour wall - nine years on", "Harbour wall opens: what to know",
     "Wall, port and quay", "Why the <script> tag is slow", "A List<Tide> for all", "From C -> Rust in a year",
     "Ask <desk@wall.example> about it", "std::vector and its friends",
     "5 > 3: what pupils got wrong this year in the national test of arithmetic"],
)  # fmt: skip
def test_a_headline_is_no_breadcrumb(headline: str) -> None:
    entry = entry_of(f"{headline}\n\n{BODY.split(chr(10), 2)[2]}")
    assert (title_of(entry), entry.breadcrumb) == (headline, ())


@pytest.mark.parametrize(
    ("line", "name", "url"),
    [
        ("Source: shoretimes", "shoretimes", None),
        ("source : Shore Times", "Shore Times", None),
        ("Source - Shore Times", "Shore Times", None),
        ("Sources: Shore Times, Reuters", "Shore Times, Reuters", None),
        ("(Source: Shore Times)", "Shore Times", None),
        ("Source\u00a0: Shore Times.", "Shore Times", None),
        ("Source: https://www.shoretimes.example/a/1", "shoretimes.example", "https://www.shoretimes.example/a/1"),
        ("Source: Shore Times (https://shoretimes.example/a)", "Shore Times", "https://shoretimes.example/a"),
        ("(Reuters)", "Reuters", None),
        ("— AFP", "AFP", None),
        ("With inputs from PTI", "PTI", None),
        ("(With PTI inputs)", "PTI", None),
        ("Courtesy: Shore Times", "Shore Times", None),
        ("Courtesy of Shore Times", "Shore Times", None),
        ("Via Shore Times", "Shore Times", None),
        ("Credit: Shore Times", "Shore Times", None),
        ("Originally published by Shore Times", "Shore Times", None),
        ("This article first appeared on Shore Times.", "Shore Times", None),
        ("Originally published on https://shoretimes.example/a", "shoretimes.example", "https://shoretimes.example/a"),
        ("Republished with permission from Shore Times", "Shore Times", None),
        ("Quelle: Küstenbote", "Küstenbote", None),
        ("Fuente: La Costa", "La Costa", None),
        ("Fonte: La Costa", "La Costa", None),
        ("Kaynak: Sahil", "Sahil", None),
        ("Источник: Берег", "Берег", None),
        ("स्रोत: तट समाचार", "तट समाचार", None),
        ("来源：海岸时报", "海岸时报", None),
    ],
)
def test_credit_lines_name_the_origin_in_any_form(line: str, name: str, url: str | None) -> None:
    entry = entry_of(f"News > World\n\n{BODY}\n{line}\n")
    assert entry.origin == Origin(name=name, url=url)
    assert len(entry.credits) == 1
    assert html_of(entry).endswith("<p>Work on the eastern quay begins in May.</p>")


def test_without_a_credit_line_there_is_no_origin_and_the_publisher_stays() -> None:
    entry = entry_of(DOCUMENT.replace("Source: shoretimes\n\n", ""))
    assert (entry.origin, entry.credits, entry.publisher) == (None, (), "coast mirror")
    assert html_of(entry).endswith("<p>Work on the eastern quay begins in May.</p>")


def test_a_dateline_is_evidence_and_stays_in_the_text() -> None:
    entry = entry_of("Wall opens\n\nPORT TOWN, June 3 (Reuters) - The wall was opened.\n\nMore of it follows here.\n")
    assert (entry.credits, entry.origin) == (("Reuters",), None)
    assert "(Reuters) - The wall" in html_of(entry)


def test_a_sentence_that_begins_like_a_credit_stays_text() -> None:
    last = "Sources close to the port said that the wall would not be the last one that the region has to build."
    entry = entry_of(f"{BODY}\n{last}\n")
    assert entry.origin is None
    assert html_of(entry).endswith(f"<p>{last}</p>")


@pytest.mark.parametrize("mark", ["•", "-", "*", "–", "‣", "◦", "▪", "●", "·", "+"])
def test_bullets_are_known_by_any_mark(mark: str) -> None:
    html = html_of(entry_of(DOCUMENT.replace("•", mark)))
    assert html.count("<li>") == 3
    assert "<ul><li>Hold back" in html


@pytest.mark.parametrize("marks", [("1.", "2.", "3."), ("1)", "2)", "3)"), ("(1)", "(2)", "(3)"), ("a)", "b)", "c)")])
def test_numbered_lines_are_an_ordered_list(marks: tuple[str, ...]) -> None:
    text = DOCUMENT
    for mark in marks:
        text = text.replace("•", mark, 1)
    assert "<ol><li>Hold back four metres of water</li>" in html_of(entry_of(text))


def test_bullets_without_blank_lines_between_are_one_list() -> None:
    tight = DOCUMENT.replace("\n\n• ", "\n• ")
    assert html_of(entry_of(tight)) == html_of(entry_of(DOCUMENT))


def test_one_line_with_a_dash_is_no_list() -> None:
    html = html_of(entry_of("Headline here\n\nFirst paragraph of it.\n\n- I have nothing to say.\n\nThe last one.\n"))
    assert "<li>" not in html


@pytest.mark.parametrize(
    "line",
    ["Article comments", "Leave a Reply", "Comments (12)", "3 comments", "Share this", "Share this article on Facebook",
     "Read also", "Also read: Another wall is planned", "Advertisement", "Subscribe to our newsletter", "ADVERTISEMENT",
     "This site uses cookies. By continuing you agree.", "5 min read", "Follow us on Telegram", "Kommentare",
     "Lesen Sie auch: Noch eine Mauer", "Laisser un commentaire", "Publicidad", "Подпишитесь на нас", "यह भी पढ़ें",
     "Back to top", "* Related stories *", "• Share", "-----", "* * *"],
)  # fmt: skip
def test_page_furniture_is_dropped_wherever_it_stands_between_paragraphs(line: str) -> None:
    clean = html_of(entry_of(f"News > World\n\n{BODY}"))
    middle = BODY.replace("Who pays for it\n", f"{line}\n\nWho pays for it\n")
    assert html_of(entry_of(f"News > World\n\n{middle}")) == clean
    assert html_of(entry_of(f"News > World\n\n{BODY}\n{line}\n")) == clean
    first = entry_of(f"{line}\n\nNews > World\n\n{BODY}")
    assert (html_of(first), first.breadcrumb) == (clean, ("News", "World"))


def test_comments_under_an_article_are_not_of_it() -> None:
    entry = entry_of(f"{BODY}\n3 Comments\n\nJo: I doubt that this wall holds what it promises to us.\n\nReply\n")
    assert "I doubt" not in html_of(entry)


@pytest.mark.parametrize(
    ("lines", "published", "updated", "authors"),
    [
        ("Published: 19 June 2024, 10:00 IST", "19 June 2024, 10:00 IST", None, ()),
        ("Updated on June 20, 2024", None, "June 20, 2024", ()),
        ("19 June 2024", "19 June 2024", None, ()),
        ("By Jane Doe", None, None, ("Jane Doe",)),
        ("By Jane Doe | 19 June 2024", "19 June 2024", None, ("Jane Doe",)),
        ("By Jane Doe and John Roe\n\nPublished 19 June 2024 | Updated 20 June 2024", "19 June 2024", "20 June 2024",
         ("Jane Doe", "John Roe")),
        ("Von Max Muster, 19. Juni 2024", "19. Juni 2024", None, ("Max Muster",)),
        ("Author: Jane Doe\nDate: 2024-06-19", "2024-06-19", None, ("Jane Doe",)),
    ],
)  # fmt: skip
def test_bylines_and_dates_under_the_headline_are_taken(
    lines: str, published: str | None, updated: str | None, authors: tuple[str, ...]
) -> None:
    headline, _, rest = BODY.partition("\n")
    entry = entry_of(f"News > World\n\n{headline}\n\n{lines}\n{rest}")
    assert (entry.published, entry.updated) == (published, updated)
    assert entry.authors == tuple(Person(name=name) for name in authors)
    assert html_of(entry) == html_of(entry_of(BODY))


def test_labelled_lines_over_the_text_are_taken() -> None:
    head = "Title: Harbour wall opens\nSection: News > World\nURL: https://shore.example/wall\nTags: walls, tides\n\n"
    entry = entry_of(head + BODY.partition("\n\n")[2])
    assert (title_of(entry), entry.breadcrumb) == ("Harbour wall opens", ("News", "World"))
    assert entry.link == "https://shore.example/wall"
    assert [category.term for category in entry.categories] == ["walls", "tides"]


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: text.replace("\n", "\r").encode(),
        lambda text: codecs.BOM_UTF8 + text.encode(),
        lambda text: text.encode("utf-16"),
        lambda text: text.encode("utf-16-le"),
        lambda text: text.encode("utf-16-be"),
        lambda text: text.encode("utf-32"),
        lambda text: text.replace("\n\n", "\n \t\n").encode(),
        lambda text: ("\n\n\n" + text + "\n\n\n").encode(),
        lambda text: text.replace(" ", "\u00a0").encode(),
    ],
    ids="windows old-mac bom utf-16 utf-16-le utf-16-be utf-32 blank-lines blank-ends nbsp".split(),
)
def test_the_same_article_comes_of_the_same_text_however_it_was_saved(encode) -> None:  # type: ignore[no-untyped-def]
    assert entry_of(encode(DOCUMENT)) == entry_of(DOCUMENT)


def test_windows_1252_is_read_where_utf_8_does_not_fit() -> None:
    entry = entry_of("Caf\xe9 opens on the quay\n\nIt is a “quiet” place – says Zo\xeb.\n".encode("cp1252"))
    assert title_of(entry) == "Café opens on the quay"
    assert "“quiet” place – says Zoë" in html_of(entry)


@pytest.mark.parametrize(
    "body",
    [b"", b"   \n\t\r\n", codecs.BOM_UTF8, codecs.BOM_UTF16_LE + b"\n\x00", b"\x00\x00", "\u200b\n".encode()],
)
def test_an_empty_file_is_an_error_with_a_remedy(body: bytes) -> None:
    with pytest.raises(ParseError, match=r"a\.txt is empty; .+"):
        parse_document(body, name="a.txt")


@pytest.mark.parametrize(
    "body",
    [
        b"PK\x03\x04zip", b"\x89PNG\r\n", b"{\\rtf1 text}", b"ID3\x03\x00\x00\x00\x00\x0fTIT2" + bytes(range(256)),
        b"MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00" + bytes(range(256)), bytes(range(256)) * 4, bytes(range(1, 200)),
        b"\x00\x00\x00\x01Bud1\x00\x00\x10\x00\x00\x00\x08\x00" * 9,
        b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(range(256)),
    ],
)  # fmt: skip
def test_what_is_no_text_is_an_error_with_a_remedy(body: bytes) -> None:
    with pytest.raises(ParseError, match="is no text; save"):
        parse_document(body, name="a.txt")


@pytest.mark.parametrize(
    "text",
    ["Tide tables\x00 for May\n\nHigh water is at noon.", "Tide tables\n\n\x1b[1mHigh\x1b[0m water is at noon.\x1a",
     "\x0cTide tables for May\x07"],
)  # fmt: skip
def test_a_text_with_a_control_character_in_it_is_a_text_still(text: str) -> None:
    assert title_of(entry_of(text)).startswith("Tide tables")


def test_a_huge_file_is_an_error_with_a_remedy() -> None:
    with pytest.raises(ParseError, match="larger than"):
        parse_document(b"word " * 3_000_000, name="a.txt")


def test_one_line_is_a_headline() -> None:
    entry = entry_of("Mayor resigns")
    assert (title_of(entry), entry.content, entry.summary) == ("Mayor resigns", None, None)


def test_one_long_paragraph_is_a_text_without_a_headline() -> None:
    text = "The mayor resigned on Monday after a long debate. Nobody was surprised by it. " * 4
    entry = entry_of(text)
    assert title_of(entry) is None
    assert html_of(entry) == f"<p>{text.strip()}</p>"


def test_a_half_written_file_and_its_completion_are_one_entry() -> None:
    half, whole = entry_of(DOCUMENT[:420]), entry_of(DOCUMENT)
    assert half.entry_id == whole.entry_id
    assert half.title == whole.title
    assert half.content != whole.content


def test_a_renamed_file_says_the_same() -> None:
    one, other = entry_of(DOCUMENT, name="a/wall.txt"), entry_of(DOCUMENT, name="b/mur.txt")
    assert one.entry_id != other.entry_id
    assert (one.title, one.content) == (other.title, other.content)


def test_hard_wrapped_lines_are_joined_to_paragraphs() -> None:
    text = """The wall opens

The new wall keeps the old town dry at the highest of the spring tides, and
it cost less than was feared when the work on it was begun nine years ago by
the region and the port.

Engineers handed over the last section on Monday, which was a month ahead of
the plan, and the gates were closed for the first time.
"""
    html = html_of(entry_of(text))
    assert html.count("<p>") == 2
    assert "feared when the work on it was begun nine years ago by the region and the port.</p>" in html


def test_underlined_and_marked_headings_are_headings() -> None:
    text = "The wall opens\n===\n\nA first part.\n\nThe cost\n--------\n\nIt was low.\n\n## The end\n\nIt came\n"
    entry = entry_of(text)
    assert title_of(entry) == "The wall opens"
    assert "<h2>The cost</h2>" in html_of(entry)
    assert "<h2>The end</h2>" in html_of(entry)


@pytest.mark.parametrize(("opening", "closing"), ['""', "“”", "«»", "„“", "「」"])
def test_a_paragraph_in_quotation_marks_is_a_quote(opening: str, closing: str) -> None:
    quote = f"{opening}We have waited for this day for nine long years{closing}"
    html = html_of(entry_of(f"Headline here\n\nA first paragraph.\n\n{quote}\n\nA last paragraph.\n"))
    assert f"<blockquote><p>{quote}</p></blockquote>" in html


def test_markup_in_a_plain_document_is_text() -> None:
    html = html_of(
        entry_of("Headline\n\nUse <b>bold</b> & <script>alert(1)</script> here.\n\nAnd https://x.example/?a=1&b=2.\n")
    )
    assert "&lt;script&gt;" in html
    assert "&amp; &lt;" in html
    assert '<a href="https://x.example/?a=1&amp;b=2">https://x.example/?a=1&amp;b=2</a>.' in html


LINES = [*DOCUMENT.split("\n"), "By Jo", "1. x", "> q", "—", "\u202e", "====", "“a”"]


@settings(deadline=None)
@given(st.lists(st.sampled_from(LINES), max_size=30))
def test_lines_in_any_order_are_an_article_or_a_parse_error(lines: list[str]) -> None:
    try:
        feed = parse_document("\n".join(lines).encode(), name="a.txt")
    except ParseError as error:
        assert error.remedy
    else:
        assert len(feed.entries) == 1


@settings(deadline=None)
@given(st.binary(max_size=300), st.sampled_from(["a.txt", "a.md", "a.html", "a.eml", "a.xml", "a"]))
def test_no_bytes_break_it(body: bytes, name: str) -> None:
    try:
        parse_document(body, name=name)
    except ParseError as error:
        assert str(error)


@pytest.mark.shared_data
def test_the_seed_becomes_one_article(shared_data: Path) -> None:
    path = shared_data / "seed" / "putin-kim-north-korea.txt"
    entry = entry_of(path.read_bytes(), name=path.name)
    html = html_of(entry)

    assert entry.breadcrumb == ("News", "World")
    assert entry.origin == Origin(name="hindustantimes")
    assert entry.publisher == "indian mirror"
    assert entry.summary is not None
    assert len(entry.summary.value.split()) > 20
    assert [html.count(tag) for tag in ("<h2>", "<ul>", "<li>", "<blockquote>", "<p>")] == [3, 1, 5, 2, 7]
    for gone in ("Source", "indian mirror", "comments", "Reply", "News &gt;", "•"):
        assert gone not in html


def test_what_goes_on_in_small_letters_has_no_heading_above() -> None:
    entry = entry_of(
        "Harbour wall opens\n\nThe region and the port\ncarry the cost together, and nobody else.\n\nMore soon."
    )
    assert entry.content is not None and "<h2>" not in entry.content.value
