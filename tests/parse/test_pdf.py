"""A PDF's title, and its text in the order in which people read."""

from __future__ import annotations

import pytest

from feeds.errors import ParseError
from feeds.parse import parse_document
from feeds.parse.pdf import read_pdf
from feeds.text import plain
from tests.parse.pdfs import Piece, pdf

LEFT = ["The council of the har-", "bour wants a second", "ferry before winter, its", "chair said on Monday."]
RIGHT = ["The yard made an offer", "in spring, and the crew", "of the first ferry is", "to be trained by autumn."]


def column(left: float, top: float, lines: list[str]) -> list[Piece]:
    return [(left, top - 14 * number, 11, line) for number, line in enumerate(lines)]


def text_of(body: bytes) -> str:
    content = read_pdf(body, name="a.pdf").content
    return plain(content.value) if content is not None else ""


def test_the_largest_line_is_the_title_and_hyphens_go() -> None:
    page = [(60.0, 780.0, 22.0, "Council wants a ferry"), *column(60, 740, LEFT)]
    entry = read_pdf(pdf(page, title="Microsoft Word - draft7.docx", author="Ann Doe"), name="a.pdf")
    assert entry.title is not None and entry.title.value == "Council wants a ferry"
    assert [person.name for person in entry.authors] == ["Ann Doe"]
    assert entry.published == "2026-11-20T09:30:00+0100"
    assert (
        text_of(pdf(page)) == "The council of the harbour wants a second ferry before winter, its chair said on Monday."
    )


def test_two_columns_are_read_one_after_the_other_whatever_order_they_were_set_in() -> None:
    rows = [piece for pair in zip(column(60, 700, LEFT), column(320, 700, RIGHT), strict=True) for piece in pair]
    page = [(60.0, 780.0, 24.0, "Council wants a second ferry before winter"), *rows]
    text = text_of(pdf(page))
    assert "its chair said on Monday." in text
    assert text.index("chair said on Monday.") < text.index("The yard made an offer in spring, and the crew")


def test_what_stands_on_every_page_is_not_the_articles() -> None:
    days = ["Monday", "Tuesday", "Wednesday", "Thursday"]
    bodies = [[f"On {day} the council of", *LEFT[1:3], f"chair said on {day}."] for day in days]
    pages = [
        [(60.0, 815.0, 9.0, "The Harbour Post"), *column(60, 760, body), (280.0, 30.0, 9.0, f"Page {number}")]
        for number, body in enumerate(bodies, 1)
    ]
    text = text_of(pdf(*pages, title="Ferries"))
    assert "Harbour Post" not in text and "Page" not in text and text.count("second ferry") == 4


def test_a_stated_title_is_taken_where_no_line_is_larger() -> None:
    entry = read_pdf(pdf(column(60, 760, [*LEFT, *RIGHT]), title="Ferries for the harbour"), name="a.pdf")
    assert entry.title is not None and entry.title.value == "Ferries for the harbour"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"%PDF-1.4\n" + b"\xff" * 200, "damaged PDF"),
        (pdf([]), "without text"),
        (pdf([(60, 700, 11, "words")])[:200], "damaged PDF|without text"),
    ],
)
def test_what_can_not_be_read_is_refused_with_the_reason(body: bytes, said: str) -> None:
    with pytest.raises(ParseError, match=said):
        parse_document(body, name="a.pdf")
