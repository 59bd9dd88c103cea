"""The way of an article through a running desk, from real input to a subscriber."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import feedparser
import pytest

from tests.e2e.desk import Desk, until
from tests.e2e.publisher import Publisher
from tests.fetch.origin import Origin

FURNITURE = ("Article comments", "Leave a Reply")


@pytest.mark.shared_data
def test_the_seed_is_filed_credited_and_published_without_furniture(desk: Desk, shared_data: Path) -> None:
    (desk.config / "articles").mkdir()
    shutil.copy(shared_data / "seed" / "putin-kim-north-korea.txt", desk.config / "articles")
    desk.write(sources=[{"name": "Letters", "files": "articles/*.txt", "full_text": "full"}])
    polled = desk.command("poll")
    assert polled.returncode == 0, polled.stderr
    desk.start()

    atom = feedparser.parse(desk.get("/news/world.atom").body)
    rss = feedparser.parse(desk.get("/news/world.rss").body)
    item = desk.items("/news/world.json")[0]
    for entry in (atom.entries[0], rss.entries[0]):
        assert entry.title.startswith("Kim Jong Un greets Vladimir Putin")
        assert entry.id == item["id"]
        assert entry.summary.startswith("Russian President Vladimir Putin arrived")
        content = entry.content[0].value
        assert content.count("<h2>") == 3
        assert content.count("<li>") == 5
        assert content.count("<blockquote>") == 2
    assert atom.entries[0].source.title == "hindustantimes"
    assert b"<dc:source>hindustantimes</dc:source>" in desk.get("/news/world.rss").body
    extension = item["_wiredesk"]
    assert isinstance(extension, dict)
    assert extension["origin"]["name"] == "hindustantimes"
    assert extension["publisher"] == "indian mirror"
    page = desk.get(f"/article/{str(item['id']).removeprefix('urn:uuid:')}").body.decode()
    assert "hindustantimes" in page and "indian mirror" in page
    for furniture in FURNITURE:
        for path in ("/news/world.rss", "/news/world.atom", "/news/world.json"):
            assert furniture.encode() not in desk.get(path).body
        assert furniture not in page
    for path in ("/index.json", "/news.json"):
        assert [each["id"] for each in desk.items(path)] == [item["id"]]


def test_an_unknown_breadcrumb_is_reported_and_nothing_is_invented(desk: Desk) -> None:
    (desk.config / "articles").mkdir()
    (desk.config / "articles" / "pie.txt").write_text(
        "Cooking > Pies\n\nA pie for the fair\n\nThe fair will have a pie this year, its makers say.\n\n"
        "The pie is six feet wide. It was baked in three ovens and put together by a crane.\n",
        encoding="utf-8",
    )
    desk.write(sources=[{"name": "Letters", "files": "articles/*.txt"}])
    desk.command("poll")
    desk.start()
    assert [item["title"] for item in desk.items("/unfiled.json")] == ["A pie for the fair"]
    assert desk.items("/news.json") == []
    told = desk.command("explain", str(desk.items("/unfiled.json")[0]["id"])).stdout
    assert "no section for the breadcrumb 'Cooking > Pies'" in told


def test_a_second_start_asks_for_nothing_that_is_not_due(desk: Desk, origin: Origin) -> None:
    publisher = Publisher(origin)
    publisher.publish("Only one")
    desk.write(sources=[{"name": "Tidings", "url": publisher.url, "section": "news/world", "interval_s": 3600}])
    desk.start()
    until(lambda: desk.items("/news/world.json"), what="the article")
    first = desk.get("/news/world.atom")
    assert desk.stop() == 0
    asked = len(origin.seen(publisher.path))
    desk.start()
    again = desk.get("/news/world.atom", {"If-None-Match": first.headers["etag"]})
    assert again.status == 304
    assert desk.get("/news/world.atom").headers["last-modified"] == first.headers["last-modified"]
    assert len(origin.seen(publisher.path)) == asked == 1


def test_the_same_article_from_two_sources_is_shown_once_and_in_both_sections(desk: Desk, origin: Origin) -> None:
    title = "Mole lighthouse turns to the sun"
    text = "The lighthouse on the northern mole will be lit by the sun alone from spring on, said the harbour master."
    for path, link in (("/a.xml", "https://a.example/sun"), ("/b.xml", "https://b.example/reprint?utm_source=x")):
        item = f"<item><title>{title}</title><link>{link}</link><description>{text}</description></item>"
        body = f"<rss version='2.0'><channel><title>{path}</title><link>https://x.example</link>{item}</channel></rss>"
        origin.add(path, lambda exchange, body=body: exchange.answer(200, body.encode()))
    desk.write(
        sections={"sea": {"title": "Sea"}, "energy": {"title": "Energy"}},
        sources=[
            {"name": "A", "url": origin.url("/a.xml"), "section": "sea"},
            {"name": "B", "url": origin.url("/b.xml"), "section": "energy"},
        ],
    )
    polled = desk.command("poll")
    assert polled.returncode == 0, polled.stderr
    desk.start()
    sea, energy, whole = desk.items("/sea.json"), desk.items("/energy.json"), desk.items("/index.json")
    assert len(sea) == len(energy) == len(whole) == 1
    assert sea[0]["id"] == energy[0]["id"] == whole[0]["id"]


def test_an_updated_entry_keeps_its_id(desk: Desk, origin: Origin) -> None:
    titles = ["Ferry late by an hour", "Ferry late by two hours, passengers sleep in the school hall"]
    texts = [
        "The ferry from the outer islands was an hour late on Monday because of fog in the sound, the line said.",
        "The ferry from the islands came in two hours late and forty passengers spent the night in a gymnasium nearby.",
    ]
    told = [0]

    def answer(exchange: object) -> None:
        item = (
            f"<item><title>{titles[told[0]]}</title><guid>f1</guid><description>{texts[told[0]]}</description></item>"
        )
        exchange.answer(200, f"<rss version='2.0'><channel><title>F</title>{item}</channel></rss>".encode())  # type: ignore[attr-defined]

    origin.add("/f.xml", answer)
    desk.write(sources=[{"name": "F", "url": origin.url("/f.xml"), "section": "news/world"}])
    desk.command("poll")
    desk.start()
    before = desk.items("/news/world.json")[0]
    told[0] = 1
    assert desk.command("poll", "F").returncode == 0
    until(lambda: desk.items("/news/world.json")[0]["title"] == titles[1], what="the update")
    after = desk.items("/news/world.json")[0]
    assert after["id"] == before["id"]
    assert json.dumps(after) != json.dumps(before)
