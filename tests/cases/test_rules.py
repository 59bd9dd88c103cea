"""Rules as people write them: words with apostrophes, titles alone, and what must never be published."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
import yaml

from tests.cases.desk import CaseDesk, Seen, content

NORDIC = "21-keywords-and-apostrophes"
ITEM = "<item><title>{title}</title><guid>{guid}</guid><description>{text}</description></item>"


def feed(*items: tuple[str, str, str]) -> bytes:
    """A feed of items: id, title, text."""
    told = "".join(ITEM.format(guid=guid, title=title, text=text) for guid, title, text in items)
    return (
        f"<rss version='2.0'><channel><title>Post</title><link>https://p.example/</link>{told}</channel></rss>".encode()
    )


def test_21_a_keyword_meets_itself_with_a_possessive_and_behind_an_article(desk: CaseDesk) -> None:
    tree = yaml.safe_load(content(NORDIC, "sections.yaml"))
    desk.write({"name": "N", "url": desk.show("/f", content(NORDIC, "feed.xml"))}, sections=tree)
    desk.poll()
    assert len(desk.see("nordic").items) == 5


def test_72_keywords_of_other_scripts_and_with_signs(desk: CaseDesk) -> None:
    case = "72-keywords-other-scripts"
    tree = yaml.safe_load(content(case, "sections.yaml"))
    desk.write({"name": "N", "url": desk.show("/f", content(case, "feed.xml"))}, sections=tree)
    desk.poll()
    assert len(desk.see("k").items) == 8
    assert not {"The net today", "C guide"} & {item["title"] for item in desk.see("k").items}


WRITTEN = [
    ("Ankara", "Bakan Ankara'da konuştu, İzmir'den geldi", True),
    ("İzmir", "Bakan Ankara'da konuştu, İzmir'den geldi", True),
    ("Unione", "Il voto dell’Unione slitta", True),
    ("Aquila", "Terremoto all'Aquila", True),
    ("king's cross", "Fire at King’s Cross", True),
    ("kings cross", "Fire at King’s Cross", True),
    ("women", "The women's final is on Sunday", True),
    ("don", "They don't want to wait", False),
    ("won", "It won't be cheap", False),
    ("Xi", "Terracotta found in Xi'an", False),
    ("foreign minister", "The foreign minister’s plane", True),
    ("workers", "The workers' union", True),
]


@pytest.mark.parametrize(("keyword", "title", "meets"), WRITTEN, ids=[f"{row[0]}|{row[1]}" for row in WRITTEN])
def test_what_an_apostrophe_hangs_on_a_word(desk: CaseDesk, keyword: str, title: str, meets: bool) -> None:
    tree = {"a": {"title": "A", "match": {"keywords": [keyword]}}}
    desk.write({"name": "N", "url": desk.show("/f", feed(("1", title, "")))}, sections=tree)
    desk.poll()
    assert len(desk.see("a" if meets else "unfiled").items) == 1


def test_a_title_term_asks_the_title_alone(desk: CaseDesk) -> None:
    tree = {"sport": {"title": "Sport", "match": {"title": ["match report"]}}}
    told = feed(
        ("1", "Match report: a draw", "It rained."), ("2", "Files released", "The match report was among them.")
    )
    desk.write({"name": "N", "url": desk.show("/f", told)}, sections=tree)
    desk.poll()
    assert [item["title"] for item in desk.see("sport").items] == ["Match report: a draw"]
    assert len(json.loads(desk.get("/index.json").body)["items"]) == 2, (
        "what nothing files stands in the whole desk's documents"
    )


DROPPED = "Horoscope: a week of water"
KEPT = "Harbour to be dredged"
TOLD = feed(
    ("1", DROPPED, "The stars say that the tide will come in, and go out, and come in again."),
    ("2", KEPT, "The outer harbour is to be dredged for the first time in eleven years, the board said."),
)


def published(desk: CaseDesk, words: str) -> list[str]:
    """The addresses on which *words* can be read."""
    addresses = [
        "/index.rss",
        "/index.atom",
        "/index.json",
        "/all.rss",
        "/all",
        "/",
        "/unfiled.json",
        "/sitemap-news.xml",
    ]
    return [address for address in addresses if words in desk.get(address).text]


@pytest.mark.parametrize("where", ["desk", "source"])
def test_what_is_dropped_is_read_nowhere_and_does_not_come_back(desk: CaseDesk, where: str) -> None:
    drop = {"drop": [{"title": "horoscope"}]}
    source = {"name": "N", "url": desk.show("/f", TOLD), "section": "all"}
    tree = {"all": {"title": "All"}}
    desk.write(source | (drop if where == "source" else {}), sections=tree | (drop if where == "desk" else {}))
    desk.poll()
    assert published(desk, DROPPED) == []
    assert len(published(desk, KEPT)) >= 6
    desk.show("/f", TOLD.replace(b"go out", b"go right out"))
    desk.poll()
    assert published(desk, DROPPED) == []


def test_a_drop_rule_takes_out_and_lets_in_again_what_is_stored(desk: CaseDesk) -> None:
    url = desk.show("/f", TOLD)
    source = {"name": "N", "url": url, "section": "all"}
    tree = {"all": {"title": "All"}}
    desk.write(source, sections=tree)
    desk.poll()
    before = {item["title"]: item["id"] for item in desk.see().items}
    assert set(before) == {DROPPED, KEPT}

    desk.write(source, sections=tree | {"drop": {"title": "horoscope"}})
    assert "dropped" in desk.command("plan").output
    desk.poll()
    assert published(desk, DROPPED) == []
    assert "title 'horoscope'" in desk.command("explain", before[DROPPED]).output
    assert "change nothing" in desk.command("plan").output

    desk.write(source, sections=tree)
    planned = json.loads(desk.command("plan", "--json").output)
    assert {one["path"]: (one["enters"], one["leaves"]) for one in planned["sections"]} == {
        "": (1, 0),
        "all": (1, 0),
        "dropped": (0, 1),
    }
    desk.poll()
    assert {item["title"]: item["id"] for item in desk.see().items} == before


def test_what_the_desk_drops_stays_out_though_another_source_has_it_under_another_title(desk: CaseDesk) -> None:
    text = "The stars say that the tide will come in, and go out, and come in again, for nine days and as many nights."
    first, second = desk.show("/a", feed(("1", DROPPED, text))), desk.show("/b", feed(("9", "A week of water", text)))
    desk.write(
        {"name": "A", "url": first, "section": "all"},
        {"name": "B", "url": second, "section": "all"},
        sections={"all": {"title": "All"}, "drop": {"title": "horoscope"}},
    )
    desk.poll()
    desk.poll()
    assert published(desk, "week of water") == []


@pytest.mark.parametrize("order", ["ab", "ba", "together", "aba", "bab"])
def test_what_one_source_drops_may_come_from_another(desk: CaseDesk, order: str) -> None:
    drop = {"drop": {"title": "horoscope"}}
    urls = {name: desk.show(f"/{name}", feed()) for name in "ab"}
    desk.write(
        {"name": "A", "url": urls["a"], "section": "all"} | drop, {"name": "B", "url": urls["b"], "section": "all"}
    )
    for turn, names in enumerate(["ab"] if order == "together" else order):
        for name in names:
            desk.show(f"/{name}", TOLD.replace(b"tide", b"ebb tide" if turn > 1 else b"tide"))
        desk.poll()
    first = {item["title"]: item["id"] for item in desk.see().items}
    assert set(first) == {DROPPED, KEPT}
    desk.write(*({"name": name, "url": urls[name.lower()], "section": "all"} | drop for name in "AB"))
    desk.poll()
    assert {item["title"] for item in desk.see().items} == {KEPT}, "nobody's but theirs who drop it"


def test_what_its_only_source_comes_to_drop_is_taken_out(desk: CaseDesk) -> None:
    url = desk.show("/f", TOLD.replace(b"Horoscope", b"Almanac"))
    desk.write({"name": "N", "url": url, "section": "all", "drop": {"title": "horoscope"}})
    desk.poll()
    assert len(desk.see().items) == 2
    desk.show("/f", TOLD)
    desk.poll()
    assert {item["title"] for item in desk.see().items} == {KEPT}


def test_what_is_dropped_has_no_page_and_is_not_found(desk: CaseDesk, seen: Callable[..., Seen]) -> None:
    source = {"name": "N", "url": desk.show("/f", TOLD), "section": "all"}
    desk.write(source, sections={"all": {"title": "All"}})
    desk.poll()
    (item,) = [item for item in desk.see().items if item["title"] == DROPPED]
    desk.write(source, sections={"all": {"title": "All"}, "drop": {"title": "horoscope"}})
    desk.poll()
    assert desk.ask("/article/" + item["id"].removeprefix("urn:uuid:")).status in (404, 410)
    assert DROPPED not in desk.ask("/search", query="q=horoscope").text
