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


WALLS = {
    "consent": "<h1>Your choice</h1><p>We and our 823 partners store and/or access information on a device.</p>",
    "gone": "<h1>Sorry, page not found</h1><p>It may have been moved. Try the search.</p>",
    "robots": "<h1>Just a moment...</h1><p>We are checking whether you are human. It takes a few seconds at most.</p>",
}
NEWS = {
    "down": "<h1>Service unavailable: trains stand still</h1><time datetime='2026-11-20T10:00Z'>Friday</time>"
    "<p>The trains of the whole region stood still on Friday, since nobody could reach the signal boxes.</p>",
    "bridge": "<h1>Old footbridge to be replaced</h1><p>The harbour council voted on Tuesday to replace the iron "
    "footbridge at Tollgate Wharf before next winter, for there are cracks in two of its four piers.</p>",
}


def test_what_stands_in_the_place_of_an_article_is_none(desk: CaseDesk) -> None:
    """Of a page that lists articles; what has a date is an article, though its headline be of an error."""
    for name, body in (WALLS | NEWS).items():
        desk.show(f"/2026/story-of-{name}-today.html", f"<html><body><article>{body}</article></body></html>".encode())
    desk.show("/robots.txt", b"", Content_Type="text/plain")
    listed = "".join(
        f"<h2><a href='/2026/story-of-{name}-today.html'>The story of {name} as of today</a></h2>"
        for name in WALLS | NEWS
    )
    url = desk.show("/front.html", f"<html><body><main>{listed}</main></body></html>".encode())
    desk.write({"name": "Front", "page": url})
    for _ in range(3):
        desk.poll()
    assert {item["url"].rpartition("-of-")[2] for item in desk.items()} == {f"{name}-today.html" for name in NEWS}


def test_terms_and_their_meanings_stay_a_list_of_them(desk: CaseDesk) -> None:
    words = "".join(f"<p>The harbour council voted on day {day} to replace bridge {day}.</p>" for day in range(9))
    terms = "<dl><dt>Quay</dt><dd>Where ships lie.</dd></dl>"
    page = f"<html><body><article><h1>Words of the port</h1>{words}{terms}</article></body></html>"
    (desk.config / "page.html").write_text(page, encoding="utf-8")
    desk.write({"name": "Pages", "files": "*.html"})
    desk.now = datetime.now(UTC)
    desk.poll()
    assert terms in desk.items()[0]["content_html"]
