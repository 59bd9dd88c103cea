"""Saved config files, taken over by a running desk: seen from outside, by a subscriber and by the sources."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from feeds.store import open_store
from tests.e2e.desk import Desk, until
from tests.e2e.publisher import Publisher
from tests.fetch.origin import Exchange, Origin

LIVE_S = 2.0
SLACK_S = 28.0
"""A machine that runs other tests meanwhile is forgiven this much; `bench/reload.py` measures without."""


def seconds_until(true: Callable[[], object], what: str) -> float:
    began = time.monotonic()
    until(true, LIVE_S + SLACK_S, what)
    return time.monotonic() - began


def titles(desk: Desk, path: str) -> list[object]:
    return [item["title"] for item in desk.items(path)]


def problems(desk: Desk) -> str:
    """What the desk knows to be wrong with its config."""
    with open_store(f"sqlite:///{desk.data / 'desk.sqlite3'}") as store, store.read() as tx:
        return "\n".join(event.text for event in tx.events.open() if event.kind == "config")


def test_a_saved_tree_is_live_and_shows_nothing_old_as_new(desk: Desk, origin: Origin) -> None:
    publisher = Publisher(origin)
    for number in range(4):
        publisher.publish(f"Tide {number}" if number % 2 else f"Harvest {number}")
    delayed = Publisher(origin, "/late.xml", name="Late")
    for number in range(4):
        delayed.publish(f"Late {number}")
    slow: list[float] = []

    def take_long(exchange: Exchange) -> None:
        slow.append(time.monotonic())
        time.sleep(2.5)
        exchange.answer(200, delayed.body())

    origin.add("/slow.xml", take_long)
    source = {"name": "Tidings", "url": publisher.url, "section": "news/world", "interval_s": 3600}
    desk.write(sources=[source])
    desk.start()
    until(lambda: len(desk.items("/news/world.json")) == 4, what="the articles")
    before = desk.get("/news/world.atom")
    asked = len(origin.seen(publisher.path))

    # A poll is out while all of this happens; it is not lost.
    late = {"name": "Late", "url": origin.url("/slow.xml"), "section": "news/world", "interval_s": 3600}
    desk.write(sources=[source, late])
    until(lambda: slow, what="the poll that takes long")
    tree = {
        "news": {"title": "News", "include_children": True, "sections": {"world": {"title": "World"}}},
        "sea": {"title": "Sea", "match": {"any": [{"keywords": ["tide"]}]}},
    }
    desk.write(sections=tree)
    seconds_until(lambda: len(desk.items("/sea.json")) == 2, "the new section")
    # The subscriber's view: by date, the ids that they had, and what did not change answers 304.
    assert titles(desk, "/sea.json") == ["Tide 3", "Tide 1"]
    ids = {item["title"]: item["id"] for item in desk.items("/news/world.json")}
    assert all(ids[item["title"]] == item["id"] for item in desk.items("/sea.json"))
    assert "/sea" in desk.get("/").body.decode()
    assert len(origin.seen(publisher.path)) == asked
    until(lambda: len(desk.items("/news/world.json")) == 8, what="the poll that was out")

    # Another title: the document changes, no article does.
    tree["news"]["sections"]["world"] = {"title": "The World", "description": "All of it"}  # type: ignore[index]
    kept = desk.items("/news/world.json")
    desk.write(sections=tree)
    seconds_until(lambda: b"The World" in desk.get("/news/world.atom").body, "the new title")
    assert [(item["id"], item["date_published"]) for item in desk.items("/news/world.json")] == [
        (item["id"], item["date_published"]) for item in kept
    ]
    changed = desk.get("/news/world.atom", {"If-None-Match": before.headers["etag"], "A-IM": "feed"})
    assert changed.status in (200, 226)

    # A section that moves keeps everything; its old address says where it went.
    tree["news"]["sections"]["abroad"] = {"title": "Abroad", "moved_from": ["news/world"]}  # type: ignore[index]
    del tree["news"]["sections"]["world"]  # type: ignore[attr-defined, index]
    desk.write(sections=tree, sources=[source | {"section": "news/abroad"}, late | {"section": "news/abroad"}])
    seconds_until(lambda: len(desk.items("/news/abroad.json")) == 8, "the moved section")
    moved = desk.get("/news/world.atom")
    assert (moved.status, moved.headers["location"]) == (301, f"{desk.base_url}/news/abroad.atom")
    assert [item["id"] for item in desk.items("/news/abroad.json")] == [item["id"] for item in kept]
    assert len(origin.seen(publisher.path)) == asked

    # A removed one is gone, its articles are not.
    del tree["sea"]
    desk.write(sections=tree)
    seconds_until(lambda: desk.get("/sea.json").status == 410, "the removal")
    assert len(desk.items("/index.json")) == 8


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A desk at work; each test has a section of its own."""
    with Desk(tmp_path_factory.mktemp("running")) as desk:
        desk.write(sections={"town": {"title": "Town"}, "shore": {"title": "Shore"}})
        yield desk.start()


def lives(desk: Desk) -> int:
    """How many configs the log says came into force."""
    return desk.log.read_text().count("is live")


def test_bad_and_half_saved_files_change_nothing(running: Desk, origin: Origin) -> None:
    desk = running
    publisher = Publisher(origin)
    publisher.publish("Before the mistake")
    source = f"- name: Tidings\n  url: {publisher.url}\n  section: town\n  interval_s: 1\n"
    (desk.config / "sources.yaml").write_text(source)
    until(lambda: titles(desk, "/town.json") == ["Before the mistake"], what="the article")

    sources = desk.config / "sources.yaml"
    sources.write_text(source + "- name: Wrong\n  url: nonsense\n  secton: news\n")
    until(lambda: "sources.yaml:6:8:" in desk.log.read_text(), what="the line in the log")
    assert "sources.yaml:7:3:" in desk.log.read_text()
    assert "last good config" in desk.log.read_text()
    assert "sources.yaml:6:8" in problems(desk)
    publisher.publish("After the mistake")
    until(lambda: len(desk.items("/town.json")) == 2, what="polling with the last good config")

    version = lives(desk)
    sources.write_text(source + "- name: Right\n  url: https://example.invalid/feed\n")
    until(lambda: lives(desk) == version + 1, what="the mending")
    assert "sources.yaml" not in problems(desk)

    # Written in two goes, empty in between, with swap and backup files about: never seen halfway.
    (desk.config / ".sources.yaml.swp").write_bytes(b"b0VIM")
    (desk.config / "sources.yaml~").write_text("- nonsense")
    (desk.config / "4913").write_text("")
    half = sources.open("w")
    half.flush()
    time.sleep(1)
    half.write(source[:20])
    half.flush()
    time.sleep(0.1)
    half.write(source[20:] + "# written slowly\n- name: Slow\n  url: https://example.invalid/slow\n")
    half.close()
    until(lambda: lives(desk) == version + 2, what="the slow save")
    assert "ERROR config: sources.yaml" not in desk.log.read_text().rpartition("is live")[0].rpartition("is live")[2]
    assert len(desk.items("/town.json")) == 2


def test_a_folder_swapped_behind_a_symlink_is_one_change(desk: Desk, origin: Origin, tmp_path: Path) -> None:
    """As Kubernetes does with a ConfigMap: files link to ..data, ..data links to a dated folder, which is exchanged."""
    publisher = Publisher(origin)
    publisher.publish("One")
    desk.write(sources=[{"name": "Tidings", "url": publisher.url, "section": "news/world", "interval_s": 3600}])
    first = tmp_path / "mount" / "..2026_1"
    shutil.copytree(desk.config, first)
    mount = tmp_path / "mount"
    (mount / "..data").symlink_to("..2026_1")
    for name in ("wiredesk.yaml", "sections.yaml", "sources.yaml"):
        (mount / name).symlink_to(f"..data/{name}")
    desk.config = mount
    desk.start()
    until(lambda: len(desk.items("/news/world.json")) == 1, what="the article")

    second = mount / "..2026_2"
    shutil.copytree(first, second)
    (second / "sections.yaml").write_text("press:\n  title: Press\n")
    (second / "sources.yaml").write_text((second / "sources.yaml").read_text().replace("news/world", "press"))
    (mount / "..data_tmp").symlink_to("..2026_2")
    os.replace(mount / "..data_tmp", mount / "..data")
    seconds_until(lambda: titles(desk, "/press.json") == ["One"], "the swap")
    assert desk.get("/news/world.json").status == 410
    assert "sections.yaml:" not in desk.log.read_text()
    assert "sources.yaml:" not in desk.log.read_text()
    assert len(origin.seen(publisher.path)) == 1


def test_a_renamed_source_keeps_its_articles_and_its_history(running: Desk, origin: Origin) -> None:
    desk = running
    publisher = Publisher(origin, "/gazette.xml")
    publisher.publish("Before the new name")
    source: dict[str, object] = {"name": "Gazette", "url": publisher.url, "section": "shore", "interval_s": 1}
    desk.write(sources=[source])
    until(lambda: desk.items("/shore.json"), what="the article")
    [before] = desk.items("/shore.json")
    desk.write(sources=[source | {"name": "The Harbour Post"}])
    publisher.publish("After it")
    until(lambda: titles(desk, "/shore.json") == ["After it", "Before the new name"], what="the next article")
    until(lambda: b"Gazette" not in desk.get("/shore.rss").body, what="the new name in what is old")
    assert desk.items("/shore.json")[1]["id"] == before["id"]
    assert desk.get(f"/article/{str(before['id']).removeprefix('urn:uuid:')}").body.count(b"The Harbour Post") >= 1
    assert b"1 other place" not in desk.get("/shore").body
    # What is known of its document is known still: nothing is asked for whole again.
    until(lambda: [seen.header("if-none-match") for seen in origin.requests][-1] == publisher.etag, what="a 304")
