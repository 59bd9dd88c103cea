"""Which article an entry is, from poll to poll: pages that several share, ids that repeat, change, are used again."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cases.desk import CaseDesk, Seen

RSS = """<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0"><channel><title>Origin</title><link>https://example.org/</link><description>d</description>
{items}</channel></rss>"""


def item(title: str, text: str, day: int, *, link: str = "https://example.org/page", guid: str | None = None) -> str:
    id_ = f'<guid isPermaLink="false">{guid}</guid>' if guid else ""
    when = f"<pubDate>{day:02} Nov 2026 01:00:00 GMT</pubDate>" if day else ""
    return f"<item><title>{title}</title><link>{link}</link>{id_}{when}<description>{text}</description></item>\n"


def polled(desk: CaseDesk, *documents: str) -> list[Seen]:
    """What is published after each of the *documents*."""
    desk.write({"name": "Origin", "url": desk.origin.url("/feed.xml")})
    published = []
    for document in documents:
        desk.show("/feed.xml", RSS.format(items=document).encode())
        desk.poll()
        published.append(desk.see())
    return published


def told(seen: Seen) -> dict[str, str]:
    """Title → id; every title once."""
    found = {item["title"]: item["id"] for item in seen.items}
    assert len(found) == len(seen.items) == len(seen.rss) == len(seen.atom)
    return found


@pytest.mark.parametrize("first", ["poll1.xml", "poll1-noguid.xml", "a-unlike-poll1.xml"])
def test_01_a_series_on_one_page(seen: Callable[..., Seen], first: str) -> None:
    after = seen("01-series-on-one-page", first, first.replace("poll1", "poll2"))
    new, old = after.items
    assert new["id"] != old["id"]
    assert new["date_published"] > "2026-11-02" and old["date_published"] < "2026-11-03"


SERIES = [
    ("Week 47 in review", "Week 48 in review"),
    ("Lunch Monday", "Lunch Tuesday"),
    ("Bulletin of 3 November", "Bulletin of 4 November"),
    ("Outage A", "Outage B"),
    ("Part III: the river", "Part IV: the river"),
    ("Mittagstisch Montag", "Mittagstisch Dienstag"),
]
OLD = "Soup of leeks and then a plate of fish with rice and one pear for everybody."
NEW = "Bread with cheese at noon, afterwards stew of lamb, and cake from the oven."


@pytest.mark.parametrize(("one", "other"), SERIES)
@pytest.mark.parametrize("guids", [("k1", "k2"), (None, None)])
@pytest.mark.parametrize("stays", [True, False])
def test_each_part_of_a_series_is_an_article(
    desk: CaseDesk, one: str, other: str, guids: tuple[str | None, str | None], stays: bool
) -> None:
    old = item(one, OLD, 2, guid=guids[0])
    new = item(other, NEW, 3, guid=guids[1])
    first, second = polled(desk, old, new + old if stays else new)
    assert told(second) == {one: told(first)[one], other: told(second)[other]}


def test_one_title_for_all_on_one_page(desk: CaseDesk) -> None:
    documents = [
        "".join(item("Menu", (OLD, NEW, BRIDGE)[day - 1], day) for day in range(last, 0, -1)) for last in (1, 2, 3)
    ]
    *_, last = polled(desk, *documents)
    assert len({one["id"] for one in last.items}) == 3


def test_an_entry_whose_id_still_stands_is_nobody_elses(desk: CaseDesk) -> None:
    old = item("Open thread", OLD, 2, guid="k1", link="https://example.org/thread")
    new = item("Open thread", NEW, 9, guid="k2", link="https://example.org/thread")
    first, second = polled(desk, old, new + old)
    assert len({one["id"] for one in second.items}) == 2
    assert first.items[0]["id"] == next(one["id"] for one in second.items if "leeks" in one["content_html"])


def test_a_number_of_the_dead_in_a_headline_is_an_edit(desk: CaseDesk) -> None:
    first, second = polled(
        desk, item("9 hurt in ferry accident", OLD, 2), item("12 hurt in ferry accident", f"{OLD} More soon.", 4)
    )
    assert told(second) == {"12 hurt in ferry accident": told(first)["9 hurt in ferry accident"]}


def test_24_an_atom_id_twice_is_the_later_one(seen: Callable[..., Seen]) -> None:
    (only,) = seen("24-atom-id-twice").items
    assert only["title"] == "Corrected headline"


def test_24_a_guid_twice_with_all_else_different_is_two(seen: Callable[..., Seen]) -> None:
    assert set(told(seen("24-atom-id-twice", "rss-one-page.xml"))) == {"Decision on parking", "Decision on lighting"}


def test_a_guid_that_comes_to_stand_twice_and_once_again(desk: CaseDesk) -> None:
    parking = item("Decision on parking", OLD, 1, guid="decision")
    lighting = item("Decision on lighting", NEW, 2, guid="decision")
    one, both, last, edited = polled(
        desk,
        parking,
        lighting + parking,
        lighting,
        item("Decision on lighting", f"{NEW} So it is.", 2, guid="decision"),
    )
    ids = told(both)
    assert told(one) == {"Decision on parking": ids["Decision on parking"]}
    assert told(last) == told(edited) == ids


def test_65_a_site_that_moved(desk: CaseDesk, seen: Callable[..., Seen]) -> None:
    before = seen("65-site-moved", "poll1.xml")
    after = seen("65-site-moved", "poll1.xml", "poll2.xml")
    assert told(before) == told(after)
    assert all(one["url"].startswith("https://new.example.net/") for one in after.items)


def test_66_one_link_for_all(seen: Callable[..., Seen]) -> None:
    assert len(told(seen("66-one-link-first-poll"))) == 3


def test_68_redated_stays_where_it_was(seen: Callable[..., Seen]) -> None:
    (only,) = seen("68-redated", "poll1.xml", "poll2.xml").items
    assert only["date_published"].startswith("2026-11-01T01:00:00")


def test_69_a_counter_in_the_text(seen: Callable[..., Seen]) -> None:
    (only,) = seen("69-counter-in-text", "poll1.xml", "poll2.xml").items
    assert "Views: 11" in only["content_html"]
    assert only["date_published"].startswith("2026-11-21T10:00:00")


OTHERS = "".join(
    item(f"{what} of the week", f"{what} stood in the news again, and {what} it will be.", 5, guid=what, link=link)
    for what, link in (("Harbour", "https://example.org/h"), ("Orchard", "https://example.org/o"))
)
BRIDGE = "Long text of the article about the bridge and the mayor."
CHANGES = {
    "guid changed": ("https://example.org/b", "?p=77", 2, 1),
    "site moved": ("https://new.example.net/b", "https://new.example.net/b", 2, 1),
    "redated": ("https://example.org/b", "?p=1", 20, 1),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_changes_beside_entries_that_do_not(desk: CaseDesk, change: str) -> None:
    link, guid, day, count = CHANGES[change]
    old = item("Mayor opens bridge", BRIDGE, 2, guid="?p=1", link="https://example.org/b")
    first, second = polled(desk, old + OTHERS, OTHERS + item("Mayor opens bridge", BRIDGE, day, guid=guid, link=link))
    assert told(first) == told(second)
    published = {one["title"]: one["date_published"] for one in second.items}
    assert published["Mayor opens bridge"].startswith("2026-11-02")


REVISED = "https://example.org/news/c0mzl5v72ppo"


@pytest.mark.parametrize(
    ("title", "text"), [("15 hurt in ferry accident", OLD), ("Captain of the ferry is questioned", NEW)]
)
def test_an_address_with_another_number_behind_it_is_the_same_article_revised(
    desk: CaseDesk, title: str, text: str
) -> None:
    first, second = polled(
        desk,
        item("12 hurt in ferry accident", OLD, 2, link=f"{REVISED}?at_medium=RSS", guid=f"{REVISED}#0"),
        item(title, text, 3, link=f"{REVISED}?at_medium=RSS", guid=f"{REVISED}#1"),
    )
    assert told(second) == {title: told(first)["12 hurt in ferry accident"]}


def test_a_page_of_notes_with_numbers_shows_another_note_each_time(desk: CaseDesk) -> None:
    page = "https://example.org/notes"
    notes = [item(f"Note on {kind}", text, day, link=f"{page}#{day}", guid=f"{page}#{day}") for kind, text, day in
             (("soup", OLD, 1), ("bread", NEW, 2))]  # fmt: skip
    _, second = polled(desk, *notes)
    assert len(second.items) == 2


WEEK = (OLD, NEW, BRIDGE, "Pancakes with jam and cream, as on every Thursday since the house on the quay was built.")


@pytest.mark.parametrize("guids", ["none", "each its own", "the address"])
@pytest.mark.parametrize("shown", [1, 2])
@pytest.mark.parametrize("title", ["Lunch", "Morning briefing", "Weather today"])
def test_a_running_title_on_one_page_is_another_article_each_day(
    desk: CaseDesk, guids: str, shown: int, title: str
) -> None:
    """The page is the same, and so is the headline; date and text are new."""
    page = "https://example.org/today"
    ids: dict[str, str | None] = {"none": None, "the address": page}
    days = [item(title, text, day, link=page, guid=ids.get(guids, f"k{day}")) for day, text in enumerate(WEEK, start=2)]
    polls = [*("".join(days[max(0, last - shown) : last][::-1]) for last in range(1, len(days) + 1)), days[-1]]
    first, *_, last = polled(desk, *polls)
    assert len({one["id"] for one in last.items}) == len(WEEK)
    assert last.items[-1]["id"] == first.items[0]["id"] and "leeks" in last.items[-1]["content_html"]


@pytest.mark.parametrize(
    ("link", "guid", "day", "text"),
    [
        ("https://example.org/2026/lunch-17", None, 3, NEW),  # an address of one article
        ("https://example.org/2026/lunch-17", "https://example.org/2026/lunch-17", 3, NEW),
        ("https://example.org/today", "k1", 3, NEW),  # an id
        ("https://example.org/today", None, 2, NEW),  # the same day
        ("https://example.org/today", None, 3, f"{OLD} Sold out."),
    ],
)
def test_what_is_rewritten_under_its_title_is_the_same_article(
    desk: CaseDesk, link: str, guid: str | None, day: int, text: str
) -> None:
    first, second = polled(
        desk, item("Lunch", OLD, 2, link=link, guid=guid), item("Lunch", text, day, link=link, guid=guid)
    )
    assert told(second) == told(first)
