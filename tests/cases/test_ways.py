"""The way of an article from its source to the documents: what it is called, where it stands, what keeps it one."""

from __future__ import annotations

import html
import sqlite3
from contextlib import closing
from datetime import UTC, datetime

import feedparser

from feeds.model import FORMATS
from tests.cases.desk import CaseDesk
from tests.e2e.publisher import WORDS, Publisher
from tests.fetch.origin import Exchange
from tests.validator import errors

TREE = {"news": {"title": "News", "include_children": True, "sections": {"world": {"title": "World"}}}}
NASTY = (
    "Ends ]]> early",
    "Research & development, 1 < 2 > 0",
    "عاصفة في الميناء",
    "לילה טוב לנמל",
    "港の朝、静かな海",
    "Flags 🇳🇴 and families 👩‍👩‍👧 at sea",
    "Combining é and é",
    "Quotes \"double\" and 'single' and “curly”",
    "</item></channel> closes nothing",
    "Back\\slash \\u0041 {brace} %s",
)


class Told:
    """A feed of one entry, at `url`, that tells of its number `now` among *entries* (title, text)."""

    def __init__(self, desk: CaseDesk, *entries: tuple[str, str]) -> None:
        self.now = 0
        self._entries = entries
        desk.origin.add("/f.xml", self._answer)
        self.url = desk.origin.url("/f.xml")

    def _answer(self, exchange: Exchange) -> None:
        title, text = self._entries[self.now]
        item = f"<item><title>{title}</title><guid>f1</guid><description>{text}</description></item>"
        exchange.answer(200, f"<rss version='2.0'><channel><title>F</title>{item}</channel></rss>".encode())


def test_nasty_characters_survive_the_way_through_the_desk_in_every_format(desk: CaseDesk) -> None:
    publisher = Publisher(desk.origin)
    for title in NASTY:
        publisher.publish(html.escape(title))
    desk.write({"name": "Tidings", "url": publisher.url})
    desk.poll()
    assert {item["title"] for item in desk.items()} == set(NASTY)
    for format in FORMATS:
        body = desk.get(f"/all.{format}").body
        assert errors(body, format) == []
        if format != "json":
            read = {html.unescape(entry.title) for entry in feedparser.parse(body).entries}
            assert read == {html.unescape(title) for title in NASTY}


def test_an_unknown_breadcrumb_is_reported_and_nothing_is_invented(desk: CaseDesk) -> None:
    (desk.config / "articles").mkdir()
    pie = desk.config / "articles" / "pie.txt"
    pie.write_text(
        "Cooking > Pies\n\nA pie for the fair\n\nThe fair will have a pie this year, its makers say.\n\n"
        "The pie is six feet wide. It was baked in three ovens and put together by a crane.\n",
        encoding="utf-8",
    )
    desk.now = datetime.now(UTC)  # a file that was just written is left alone for a while
    desk.write({"name": "Letters", "files": "articles/*.txt"}, sections=TREE)
    desk.poll()
    [article] = desk.items("unfiled")
    assert article["title"] == "A pie for the fair"
    assert desk.items("news") == []
    assert "no section for the breadcrumb 'Cooking > Pies'" in desk.command("explain", article["id"]).stdout


def test_the_same_article_from_two_sources_is_shown_once_and_in_both_sections(desk: CaseDesk) -> None:
    title = "Mole lighthouse turns to the sun"
    text = "The lighthouse on the northern mole will be lit by the sun alone from spring on, said the harbour master."
    for path, link in (("/a.xml", "https://a.example/sun"), ("/b.xml", "https://b.example/reprint?utm_source=x")):
        item = f"<item><title>{title}</title><link>{link}</link><description>{text}</description></item>"
        body = f"<rss version='2.0'><channel><title>{path}</title><link>https://x.example</link>{item}</channel></rss>"
        desk.show(path, body.encode())
    desk.write(
        {"name": "A", "url": desk.origin.url("/a.xml"), "section": "sea"},
        {"name": "B", "url": desk.origin.url("/b.xml"), "section": "energy"},
        sections={"sea": {"title": "Sea"}, "energy": {"title": "Energy"}},
    )
    desk.poll()
    [[sea], [energy], [whole]] = (desk.items(section) for section in ("sea", "energy", "index"))
    assert sea["id"] == energy["id"] == whole["id"]


def test_an_updated_entry_keeps_its_id(desk: CaseDesk) -> None:
    feed = Told(
        desk,
        (
            "Ferry late by an hour",
            "The ferry from the outer islands was an hour late on Monday because of fog in the sound, the line said.",
        ),
        (
            "Ferry late by two hours, passengers sleep in the school hall",
            "The ferry from the islands came in two hours late and forty passengers spent the night in a gymnasium.",
        ),
    )
    desk.write({"name": "F", "url": feed.url})
    desk.poll()
    [before] = desk.items()
    feed.now = 1
    desk.poll()
    [after] = desk.items()
    assert after["id"] == before["id"]
    assert after["title"] == "Ferry late by two hours, passengers sleep in the school hall"


def test_a_typo_moves_no_date_and_a_new_fact_does(desk: CaseDesk) -> None:
    rest = " ".join(f"sentence{number} of the report stays word{number} for word" for number in range(12))
    texts = (
        f"{rest} and the line said that it was becuase of fog",
        f"{rest} and the line said that it was because of fog",
        "The ferry sank on Monday and all of the forty passengers were saved by a tug that came by in the fog",
    )
    feed = Told(desk, *(("Ferry late", text) for text in texts))
    desk.write({"name": "F", "url": feed.url})
    updated: list[str] = []
    for number, text in enumerate(texts):
        feed.now = number
        desk.poll()
        [entry] = desk.see().atom
        updated.append(entry.updated)
        assert text[-25:] in str(entry)
    assert updated[0] == updated[1] < updated[2]


def test_an_archive_issued_again_is_told_and_published_once(desk: CaseDesk) -> None:
    def issue(number: int) -> None:
        entries = "".join(
            f"<item><title>The {word} of the old town number {each}</title>"
            f"<guid isPermaLink='false'>issue-{number}-{each}</guid>"
            f"<link>https://tidings.example/{number}/{each}</link>"
            f"<description>{' '.join(f'{said}{each}' for said in WORDS)}</description></item>"
            for each, word in enumerate(WORDS[:12])
        )
        channel = f"<channel><title>T</title><link>https://tidings.example/</link>{entries}</channel>"
        desk.show("/archive", f"<rss version='2.0'>{channel}</rss>".encode())

    issue(0)
    desk.write({"name": "archive", "url": desk.origin.url("/archive")})
    desk.poll()
    before = [item["id"] for item in desk.items()]
    assert len(before) == 12
    issue(1)
    for _ in range(3):
        desk.poll()
    assert [item["id"] for item in desk.items()] == before
    with closing(sqlite3.connect(desk.database)) as opened:
        assert ("flood", "archive") in opened.execute("SELECT kind, subject FROM events").fetchall()
