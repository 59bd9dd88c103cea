"""The way of an article through a running desk, from real input to a subscriber."""

from __future__ import annotations

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
