"""A story as a page and as feeds: its articles as they came, its address for good."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from feeds.engine.publishing import Publishing
from feeds.filing import FilingRules
from feeds.ingest.desk import Desk as InForce
from feeds.model import FORMATS
from feeds.publish import Publisher
from tests.e2e.desk import until
from tests.publish.desk import WORLD, Desk, uid_of
from tests.validator import check

BROWSER = {"accept": "text/html"}


def address(number: int) -> str:
    return f"/story/00000000-0000-4000-9000-{number:012d}"


def story_uid(number: int) -> str:
    return "urn:uuid:" + address(number).removeprefix("/story/")


@pytest.fixture
def told(desk: Desk) -> Desk:
    """One story of three articles in two sources over two days, and an article beside it."""
    desk.bring([1], story=7, title="The gate holds")
    desk.bring([2], story=7, source=2, title="The gate, a day later")
    desk.bring([1500], story=7, title="What the gate cost")
    desk.bring([3], title="A theatre opens")
    desk.render()
    return desk


def test_the_page_tells_a_story_by_days_the_newest_first(told):
    page = told.get(address(7), **BROWSER)
    assert page.status == 200 and page.headers["content-type"] == "text/html; charset=utf-8"
    assert "<h1>What the gate cost 1500</h1>" in page.text
    assert "3 articles: Harbour Post, Sea &amp; Shore · since" in page.text
    places = [page.text.index(words) for words in ("24 November 2026", "cost 1500</a>", "23 November 2026",
                                                   "later 2</a>", "holds 1</a>")]  # fmt: skip
    assert places == sorted(places) and "theatre" not in page.text
    assert f'<link rel="canonical" href="https://wire.example.org{address(7)}">' in page.text
    assert f'type="application/atom+xml" title="Story: What the gate cost 1500 (Atom)" href="https://wire.example.org{address(7)}.atom"' in page.text  # noqa: E501  # fmt: skip


def test_a_browser_gets_the_page_behind_every_feed_and_caches_keep_them_apart(told):
    for path, query in ((f"{address(7)}.atom", ""), ("/search.atom", "q=gate"), ("/archive/4.json", ""),
                        ("/news/world.rss", "limit=2")):  # fmt: skip
        page = told.get(path, query=query, accept="text/html,*/*", sec_fetch_dest="document")
        feed = told.get(path, query=query, accept="*/*")
        assert (page.status, feed.status) == (200, 200), path
        assert page.headers["content-type"].startswith("text/html") and "html" not in feed.headers["content-type"]
        assert page.headers["cache-control"].startswith("private") and "Accept" in page.headers["vary"].split(", ")
        assert feed.headers["cache-control"].startswith("public") and "Sec-Fetch-Dest" in feed.headers["vary"]


def test_what_one_source_alone_tells_is_a_series_until_another_joins(told):
    told.bring([21], story=8, title="Lighthouses of the coast, part one")
    told.bring([22], story=8, title="Lighthouses of the coast, part two")
    told.render()
    page = told.get(address(8), **BROWSER).text
    assert '<p class="kicker">Series</p>' in page and 'title="Series: ' in page
    assert b"All articles of one series" in told.get(address(8) + ".rss").body
    for path in ("/news/world", f"/article/{uid_of(21)[9:]}"):
        shown = told.get(path, **BROWSER).text
        assert "in this series" in shown, path
    assert "whole story" not in shown
    by_story = json.loads(told.get("/news/world.json", query="by=story").body)["items"]
    assert [item["_wiredesk"].get("series") for item in by_story if "Lighthouses" in item["title"]] == [True]
    told.bring([23], story=8, source=2, title="The coast's lighthouses go dark")
    told.render()
    page = told.get(address(8), **BROWSER).text
    assert '<p class="kicker">Story</p>' in page
    assert "The whole story, as a timeline" in told.get(f"/article/{uid_of(21)[9:]}", **BROWSER).text
    by_story = json.loads(told.get("/news/world.json", query="by=story").body)["items"]
    assert [item["_wiredesk"].get("series") for item in by_story if "lighthouses" in item["title"]] == [None]


def test_its_feeds_are_valid_and_keep_id_and_validators_until_the_story_goes_on(told):
    first = {format: told.get(f"{address(7)}.{format}") for format in FORMATS}
    for format, got in first.items():
        assert got.status == 200 and not check(got.body, format), (format, check(got.body, format))
        assert told.get(f"{address(7)}.{format}", if_none_match=got.headers["etag"]).status == 304
    assert [item["id"] for item in json.loads(first["json"].body)["items"]] == [uid_of(n) for n in (1500, 2, 1)]
    told.bring([1600], story=7, title="And on")
    told.render()
    again = told.get(f"{address(7)}.atom", if_none_match=first["atom"].headers["etag"])
    assert again.status == 200 and b"And on 1600" in again.body
    feed_id = first["atom"].text.split("<id>")[1].split("</id>")[0]
    assert f"<id>{feed_id}</id>" in again.text


def test_sections_articles_and_search_lead_to_a_story_of_several_and_to_no_other(told):
    told.bring([4], story=8, title="Alone in its story")
    told.render()
    for path, query in (("/", ""), ("/news/world", ""), ("/search", "q=gate")):
        page = told.get(path, query=query, **BROWSER)
        assert f'href="{address(7)}"' in page.text and address(8) not in page.text, path
    assert f'href="{address(7)}"' in told.get(f"/article/{uid_of(1)[9:]}", **BROWSER).text
    assert "/story/" not in told.get(f"/article/{uid_of(4)[9:]}", **BROWSER).text


def test_a_story_that_was_merged_leads_to_where_it_went_on_in_every_form(told):
    told.bring([2000], story=9, title="The gate elsewhere")
    told.render()
    with told.store.write() as tx:
        tx.stories.merge({story_uid(9): story_uid(7)}, told.now)
    told.render()
    for suffix in ("", ".rss", ".atom", ".json"):
        got = told.get(address(9) + suffix)
        assert (got.status, got.headers["location"]) == (301, f"https://wire.example.org{address(7)}{suffix}")
    assert "The gate elsewhere" in told.get(address(7), **BROWSER).text


def test_articles_that_move_to_another_story_are_told_there_and_the_old_one_stays(told):
    with told.store.write() as tx:
        tx.stories.move({uid_of(2): story_uid(9), uid_of(1500): story_uid(9)})
    told.render()
    old, new = (told.get(address(number), **BROWSER).text for number in (7, 9))
    assert (
        "holds 1" in old and "cost 1500" not in old and "later 2" in new and "cost 1500" in new and "holds 1" not in new
    )
    assert [item["id"] for item in json.loads(told.get(address(9) + ".json").body)["items"]] == [
        uid_of(1500),
        uid_of(2),
    ]
    items = json.loads(told.get("/news/world.json").body)["items"]
    assert {item["id"]: item["_wiredesk"]["story"] for item in items if "gate" in item["title"].lower()} == {
        uid_of(1): story_uid(7),
        uid_of(2): story_uid(9),
        uid_of(1500): story_uid(9),
    }


def test_what_never_was_is_not_found_and_what_was_taken_out_is_gone(told):
    for path in (address(99), address(99) + ".atom", "/story/x", "/story/", "/story"):
        assert told.get(path, **BROWSER).status == 404, path
    assert told.get(address(7).upper().replace("STORY", "Story")).status in (301, 200)
    for number in (1, 2, 1500):
        told.retract(number)
    told.render()
    assert [told.get(address(7) + suffix, **BROWSER).status for suffix in ("", ".atom")] == [410, 410]


def test_what_no_section_takes_in_is_in_no_story(told):
    told.bring([1700], story=7, title="Left out by the first import", paths=None)
    told.render()
    assert "3 articles" in told.get(address(7), **BROWSER).text
    assert len(json.loads(told.get(address(7) + ".json").body)["items"]) == 3


def test_stories_that_a_desk_has_published_and_not_told_are_told_when_it_runs_again(told):
    """It makes them every few seconds: one that ends meanwhile leaves them to its next start."""
    publisher = Publisher(told.store)
    for number in (31, 32):
        told.bring([number], story=number, title="A bridge falls")
        publisher.catch_up(
            told.settings, publisher.publish(told.settings, told.tree, now=told.now), most=0, now=told.now
        )
    assert [32 in told.listed(WORLD), 32 in told.listed(WORLD, "by=story")] == [True, False]

    rules = FilingRules(told.tree)
    desk = InForce(
        version=told.accepted, folder=Path(), settings=told.settings, sections=told.tree, secret={}, filing_rules=rules
    )
    again = Publishing(told.store, lambda: desk, clock=lambda: told.now)
    again.start()
    try:
        until(lambda: 32 in told.listed(WORLD, "by=story"), what="the story")
    finally:
        again.close()
