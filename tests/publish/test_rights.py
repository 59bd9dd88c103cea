"""What a source may no longer give away leaves everything that is served at once, whatever was rendered before."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from feeds.model import FORMATS
from tests.publish.desk import NOW, SOURCES, WORLD, Desk, numbers_in


def allow(desk: Desk, desk_wide: str = "full", **rights: Any) -> None:
    """Have a config say how much of each source is published, as the engine does when it takes one over."""
    wanted = [replace(source, full_text=rights.get(source.key)) for source in SOURCES]
    with desk.store.write() as tx:
        tx.sources.sync(wanted, desk_wide, desk.now)
    desk.accept(desk.tree)


def served(desk: Desk, path: str, query: str = "") -> bytes:
    """The answer, which may be that articles wait for being rendered."""
    got = desk.get(path, query=query)
    assert got.status in (200, 503), got
    return got.body


@pytest.fixture
def past(desk: Desk) -> Desk:
    """A page and a document, one in three articles the sea's: numbers 3 on the page and 108 in the document, too."""
    desk.bring([number for number in range(110) if number % 3], story=1, text="water and wind")
    desk.bring(range(0, 110, 3), source=2, story=2, text="water and wind")
    desk.render(most_archived=None)
    return desk


@pytest.mark.parametrize("format", FORMATS)
def test_no_page_and_no_narrowed_feed_shows_what_was_rendered_before_rights_were_tightened(
    past: Desk, format: str
) -> None:
    page, narrowed = f"/{WORLD}/archive/100.{format}", (f"/{WORLD}.{format}", "source=sea")
    assert b"wind 3." in served(past, page) and b"wind 108." in served(past, *narrowed)
    assert b"wind 108." in served(past, "/search.atom", "q=wind")
    allow(past, sea="link")
    for number in (3, 108):
        told = f"wind {number}.".encode()
        for asked in ((page,), narrowed, (f"/{WORLD}.{format}", "by=story"), ("/search.atom", "q=wind")):
            assert told not in served(past, *asked)
    past.render(most_archived=None)
    after = past.get(page)
    assert after.status == 200 and b"wind 3." not in after.body and b"wind 4." in after.body
    assert b"wind 108." not in past.get(f"/{WORLD}.{format}").body
    assert past.get(f"/{WORLD}.{format}", query="by=story").status == 200


def test_a_desk_that_gives_away_less_by_default_does_so_at_once(past: Desk) -> None:
    allow(past, "summary")
    assert past.get(f"/{WORLD}/archive/100.atom").status == 503
    past.render(most_archived=None)
    page = past.get(f"/{WORLD}/archive/100.atom")
    assert page.status == 200 and b"&lt;p&gt;" not in page.body  # the text's markup; a summary has none


def test_other_changes_of_a_source_keep_old_pages_until_new_ones_are_made(past: Desk) -> None:
    allow(past, sea="link")
    past.render(most_archived=None)
    before = past.get(f"/{WORLD}/archive/100.json").body
    allow(past, sea="full")  # more than before
    assert past.get(f"/{WORLD}/archive/100.json").body == before
    past.render(most_archived=None)
    assert b"wind 3." in past.get(f"/{WORLD}/archive/100.json").body


def test_a_held_section_shows_less_at_once_too(desk: Desk) -> None:
    desk.bring(range(50), at=NOW - timedelta(days=1))
    desk.render()
    desk.pass_time(hours=1)
    desk.bring(range(100, 148), published=None)
    assert WORLD in desk.render().held
    allow(desk, "link")
    desk.pass_time(seconds=1)
    assert WORLD in desk.render().held
    got = desk.get(f"/{WORLD}.json")
    assert numbers_in(got.body) == list(range(49, -1, -1)) and b"wind" not in got.body
    assert desk.render().held == ["", WORLD] and desk.get(f"/{WORLD}.json").headers["etag"] == got.headers["etag"]
