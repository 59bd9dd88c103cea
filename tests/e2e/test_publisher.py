"""What subscribers, aggregators and browsers get from a running desk: everything, safe, and in one place."""

from __future__ import annotations

import json
from urllib.parse import urlsplit
from xml.etree import ElementTree

import feedparser

from feeds.model import FORMATS
from tests.e2e.desk import Desk, until
from tests.e2e.publisher import Publisher
from tests.fetch.origin import Origin

ATOM = "{http://www.w3.org/2005/Atom}"


def archive_of(desk: Desk, path: str) -> dict[str, bytes]:
    """The Atom document at *path* and all before it, by path."""
    seen: dict[str, bytes] = {}
    while path and path not in seen:
        answered = desk.get(path)
        assert answered.status == 200, (path, answered.status)
        seen[path] = answered.body
        links = ElementTree.fromstring(answered.body).findall(f"{ATOM}link")
        path = next((urlsplit(one.get("href", "")).path for one in links if one.get("rel") == "prev-archive"), "")
    return seen


def test_the_past_of_a_section_is_whole_stays_put_and_moves_with_it(desk: Desk, origin: Origin) -> None:
    publisher = Publisher(origin)
    for number in range(1, 171):
        publisher.publish(f"Tide {number}")
    source = {"name": "Tidings", "url": publisher.url, "section": "news/world", "interval_s": 1}
    desk.write(sources=[source], desk={"publish": {"full_text": "full", "first_import": 500}})
    desk.start()
    until(lambda: len(desk.items("/news/world.json")) == 50, what="a full document")
    until(lambda: desk.get("/news/world/archive/100.atom").status == 200, what="the first page")
    seen = archive_of(desk, "/news/world.atom")
    roots = [ElementTree.fromstring(body) for body in seen.values()]
    ids = {str(one.text) for root in roots for one in root.findall(f"{ATOM}entry/{ATOM}id")}
    assert len(ids) == 170

    # Newer articles change no page, a retraction its own.
    page = desk.get("/news/world/archive/100.atom")
    publisher.publish("Something new")
    until(lambda: "Something new" in {item["title"] for item in desk.items("/news/world.json")}, what="the next one")
    assert desk.get("/news/world/archive/100.atom", {"If-None-Match": page.headers["etag"]}).status == 304
    gone = ElementTree.fromstring(page.body).findtext(f"{ATOM}entry/{ATOM}id")
    assert gone is not None
    assert desk.command("retract", gone).returncode == 0
    after = ElementTree.fromstring(desk.get("/news/world/archive/100.atom").body)
    assert gone not in [one.text for one in after.findall(f"{ATOM}entry/{ATOM}id")]
    assert desk.get(f"/article/{gone.removeprefix('urn:uuid:')}").status == 410

    # A delta of any coding, a narrowed feed, and its one address.
    before = desk.get("/news/world.atom", {"Accept-Encoding": "gzip"})
    publisher.publish("Newest of all")
    until(lambda: desk.items("/news/world.json")[0]["title"] == "Newest of all", what="one more")
    asked = {"A-IM": "feed", "If-None-Match": before.headers["etag"]}
    delta = desk.get("/news/world.atom", asked)
    assert delta.status == 226 and delta.headers["im"] == "feed"
    assert [entry.title for entry in feedparser.parse(delta.body).entries] == ["Newest of all"]
    narrowed = desk.get("/news/world.json?limit=3&source=Tidings")
    assert narrowed.status == 301 and narrowed.headers["location"].endswith("/news/world.json?limit=3&source=tidings")
    few = desk.get("/news/world.json?limit=3&source=tidings")
    assert len(json.loads(few.body)["items"]) == 3
    assert desk.get("/news/world.json?limit=3&source=tidings", {"If-None-Match": few.headers["etag"]}).status == 304
    assert desk.get("/news/world.json?limit=many").status == 400

    # The section moves with its past; then it goes.
    world = {"title": "World", "moved_from": ["news/world"]}
    desk.write(sections={"news": {"title": "News"}, "abroad": world}, sources=[source | {"section": "abroad"}])
    until(lambda: desk.get("/abroad/archive/100.atom").status == 200, what="the move")
    for format in FORMATS:
        for path in ("news/world", "news/world/archive/100"):
            moved = desk.get(f"/{path}.{format}")
            assert moved.status == 301
            assert moved.headers["location"] == f"{desk.base_url}/{path.replace('news/world', 'abroad')}.{format}"
    assert desk.get("/news/world").headers["location"] == f"{desk.base_url}/abroad"
    desk.write(sections={"news": {"title": "News"}}, sources=[source | {"section": "news"}])
    until(lambda: desk.get("/abroad.atom").status == 410, what="its end")
    for path in ("/abroad", "/abroad.rss", "/abroad.json", "/abroad/archive/100.atom", "/news/world.rss"):
        assert desk.get(path).status == 410, path
