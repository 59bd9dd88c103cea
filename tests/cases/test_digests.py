"""Digests in a running desk: all of their parts, and they themselves, are told under their own titles."""

from __future__ import annotations

from xml.sax.saxutils import escape

import pytest

from tests.cases.desk import CaseDesk
from tests.dedupe.test_containment import ARTICLES, digest


def feed(title: str, *items: tuple[str, str, str]) -> bytes:
    told = "".join(
        f"<item><title>{escape(name)}</title><link>https://{host}/</link><guid>https://{host}/</guid>"
        f"<description>{escape(''.join(f'<p>{part}</p>' for part in text.split(chr(10) * 2)))}</description></item>"
        for host, name, text in items
    )
    channel = f"<channel><title>{title}</title><link>https://{title}.example/</link><description>x</description>"
    return f'<rss version="2.0">{channel}{told}</channel></rss>'.encode()


def shown(desk: CaseDesk, count: int, text: str, place: str) -> None:
    """Let sources of their own bring *count* articles, the last of them half an hour after the others, and a digest."""
    items = [(f"a{at}.example/story", name, ARTICLES[name]) for at, name in enumerate(list(ARTICLES)[:count])]
    early = items[: {"before": 0, "between": count // 2, "after": count}[place]]
    paths = [f"/{at}.xml" for at in range(count)]
    empty = feed("empty")
    sources = [{"name": f"Paper {at}", "url": desk.show(path, empty)} for at, path in enumerate(paths)]
    desk.write(*sources, {"name": "Digest", "url": desk.show("/digest.xml", empty)})
    for path, item in zip(paths, items, strict=True):
        if item in early:
            desk.show(path, feed("paper", item))
    if early:
        desk.poll()
    desk.show("/digest.xml", feed("digest", ("digest.example/today", "Morning briefing", text)))
    desk.poll()
    if len(early) < count:
        for path, item in zip(paths, items, strict=True):
            desk.show(path, feed("paper", item))
        desk.poll()


@pytest.mark.parametrize("place", ["before", "between", "after"])
@pytest.mark.parametrize(("count", "whole"), [(3, True), (3, False), (6, True), (6, False)])
def test_a_digest_and_its_parts_are_told_each_for_itself(desk: CaseDesk, count: int, whole: bool, place: str) -> None:
    shown(desk, count, digest(count, whole=whole, headed=True, intro=True), place)
    items = {item["title"]: item for item in desk.see().items}
    assert sorted(items) == sorted([*list(ARTICLES)[:count], "Morning briefing"])
    briefing = items.pop("Morning briefing")
    around = briefing["_wiredesk"]["contains"]
    assert len(around) >= (count if whole else count - 2)
    assert {part["title"]: part["id"] for part in around}.items() <= {
        title: item["id"] for title, item in items.items()
    }.items()
    for part in around:
        (digest_,) = items[part["title"]]["_wiredesk"]["contained_in"]
        assert digest_ == {"id": briefing["id"], "url": briefing["url"], "title": "Morning briefing"}
        assert part["url"] == items[part["title"]]["url"]


def test_page_and_explain_tell_what_contains_what_and_nothing_of_what_was_retracted(desk: CaseDesk) -> None:
    shown(desk, 3, digest(3, whole=True, intro=True), "after")
    items = {item["title"]: item for item in desk.see().items}
    names = list(ARTICLES)[:3]
    page = desk.article(items["Morning briefing"])
    assert "<h2>Contains</h2>" in page and all(f">{name}</a>" in page for name in names)
    assert f'href="/article/{items[names[0]]["id"].removeprefix("urn:uuid:")}"' in page
    part = desk.article(items[names[1]])
    assert "<h2>Contained in</h2>" in part and ">Morning briefing</a>" in part
    told = desk.command("explain", items["Morning briefing"]["url"])
    assert told.exit_code == 0 and "Contains" in told.output and names[2] in told.output
    told = desk.command("explain", items[names[0]]["url"])
    assert "Contained in\n  Morning briefing: this text stands in it" in told.output

    assert desk.command("retract", items[names[0]]["url"], "--reason", "a mistake").exit_code == 0
    desk.poll()
    items = {item["title"]: item for item in desk.see().items}
    assert {part["title"] for part in items["Morning briefing"]["_wiredesk"]["contains"]} == set(names[1:])
    assert names[0] not in desk.article(items["Morning briefing"]).split("<h2>Contains</h2>")[1]


def test_a_part_that_gets_another_title_is_named_by_it(desk: CaseDesk) -> None:
    shown(desk, 3, digest(3, whole=True, intro=True), "before")
    name = next(iter(ARTICLES))
    renamed = ("a0.example/story", f"{name}, council says", f"{ARTICLES[name]} The vote was unanimous.")
    desk.show("/0.xml", feed("paper", renamed))
    desk.poll()
    (briefing,) = (item for item in desk.see().items if item["title"] == "Morning briefing")
    assert renamed[1] in [part["title"] for part in briefing["_wiredesk"]["contains"]]


def contained(desk: CaseDesk) -> tuple[set[str], dict[str, list[str]]]:
    """What the digest says it contains, and by title in what each other article says it is contained."""
    items = {item["title"]: item["_wiredesk"] for item in desk.see().items}
    parts = {part["title"] for part in items.pop("Morning briefing").get("contains", ())}
    return parts, {name: [one["title"] for one in told.get("contained_in", ())] for name, told in items.items()}


@pytest.mark.parametrize("place", ["before", "after"])
def test_a_digest_that_is_edited_contains_no_more_what_it_no_longer_holds(desk: CaseDesk, place: str) -> None:
    shown(desk, 3, digest(3, whole=True, intro=True), place)
    first, second, third = list(ARTICLES)[:3]
    assert contained(desk)[0] == {first, second, third}
    desk.show("/digest.xml", feed("digest", ("digest.example/today", "Morning briefing", digest(2, whole=True))))
    desk.poll()
    kept = ["Morning briefing"]
    assert contained(desk) == ({first, second}, {first: kept, second: kept, third: []})
    desk.show("/digest.xml", feed("digest", ("digest.example/today", "Morning briefing", digest(3, whole=True))))
    desk.poll()
    assert contained(desk)[0] == {first, second, third}


def test_a_part_that_is_written_anew_is_contained_no_more(desk: CaseDesk) -> None:
    shown(desk, 3, digest(3, whole=True, intro=True), "after")
    first, second, third = list(ARTICLES)[:3]
    desk.show("/2.xml", feed("paper", ("a2.example/story", third, ARTICLES["Beekeepers win singing prize"])))
    desk.poll()
    assert contained(desk) == ({first, second}, {first: ["Morning briefing"], second: ["Morning briefing"], third: []})
