"""Article pages out of a folder: pictures in their text, kickers apart from headlines."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.cases.desk import INPUTS, CaseDesk, Seen


def taken_in(desk: CaseDesk, page: Path) -> Seen:
    """What is published of one saved page in a folder."""
    shutil.copy(page, desk.config)
    desk.write({"name": "Pages", "files": "*.html"})
    desk.now = datetime.now(UTC)  # a file that was just written is left alone for a while
    desk.poll()
    return desk.see()


def test_27_page_pictures(desk: CaseDesk) -> None:
    seen = taken_in(desk, INPUTS / "27-page-pictures" / "page.html")
    (item,) = seen.items
    shown = [item["content_html"], seen.rss[0].content[0].value, seen.atom[0].content[0].value, desk.article(item)]
    for html in shown:
        assert html.rindex("number 1 says") < html.rindex("A boat leaves") < html.rindex("number 2 says")
        assert "<figcaption>A boat leaves</figcaption>" in html
        assert "youtube" in html
        assert "<iframe" not in html
        assert html.count("<pre") == 1
        assert "def f():\n    return 1" in html


@pytest.mark.parametrize(
    ("name", "titles"),
    [
        ("spans.html", {"Drinks go by boat to the centre", "Olympic games: Drinks go by boat to the centre"}),
        ("break.html", {"Night buses are to run again"}),
        ("divs.html", {"Shops close on Sunday evening"}),
        ("drop-cap.html", {"Winter storm closes the pass"}),
    ],
)
def test_37_kicker_in_headline(desk: CaseDesk, name: str, titles: set[str]) -> None:
    seen = taken_in(desk, INPUTS / "37-kicker-in-headline" / name)
    assert {seen.items[0]["title"], seen.rss[0].title, seen.atom[0].title} <= titles


def test_a_change_within_the_minute_of_publication_is_not_told_as_one(desk: CaseDesk) -> None:
    entry = "<entry><id>urn:{0}</id><title>Tide {0}</title><published>2026-11-28T10:00:05Z</published>{1}</entry>"
    both = (entry.format(at, f"<updated>2026-11-28T10:{at}:40Z</updated>") for at in ("00", "07"))
    atom = f"<feed xmlns='http://www.w3.org/2005/Atom'><title>A</title><id>urn:a</id>{''.join(both)}</feed>"
    desk.write({"name": "A", "url": desk.show("/a", atom.encode())})
    desk.poll()
    told = {item["title"]: 'class="updated"' in desk.article(item) for item in desk.see().items}
    assert told == {"Tide 00": False, "Tide 07": True}
