"""OPML: nested as readers understand it, each outline with its text, feeds with their address."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given, settings
from lxml import etree

from feeds.model import Section, Source
from feeds.render.opml import Outline, render_opml, section_outlines, source_outlines
from tests.render.articles import NOW, wild_text, wild_url

BASE = "https://wire.example.org"
SECTIONS = (
    Section(path="", title="The Wire"),
    Section(path="news", title="News & views", description="All of it"),
    Section(path="news/world", title="World", language="en"),
    Section(path="news/world/asia", title="Asia"),
    Section(path="sport", title="Sport"),
)


def read(body: bytes) -> etree._Element:
    root = etree.fromstring(body)
    assert (root.tag, root.get("version")) == ("opml", "2.0")
    assert [child.tag for child in root] == ["head", "body"]
    return root


def tree(node: etree._Element) -> list[object]:
    return [(child.get("text"), child.get("xmlUrl"), tree(child)) for child in node]


def test_the_section_tree_is_nested_with_each_section_s_feed_first() -> None:
    body = render_opml("The Wire", section_outlines(SECTIONS, base_url=BASE), updated=NOW)
    assert tree(read(body)[1]) == [
        ("The Wire", f"{BASE}/index.atom", []),
        (
            "News & views",
            None,
            [
                ("News & views", f"{BASE}/news.atom", []),
                (
                    "World",
                    None,
                    [("World", f"{BASE}/news/world.atom", []), ("Asia", f"{BASE}/news/world/asia.atom", [])],
                ),
            ],
        ),
        ("Sport", f"{BASE}/sport.atom", []),
    ]


def test_an_outline_that_is_a_feed_says_all_that_readers_ask_for() -> None:
    root = read(render_opml("t", section_outlines(SECTIONS, base_url=BASE, format="rss"), updated=NOW))
    news = root.xpath("//outline[@xmlUrl='https://wire.example.org/news.rss']")[0]
    assert dict(news.attrib) == {
        "text": "News & views",
        "title": "News & views",
        "type": "rss",
        "xmlUrl": f"{BASE}/news.rss",
        "htmlUrl": f"{BASE}/news",
        "description": "All of it",
    }
    assert root.findtext("head/dateModified") == "Wed, 04 Mar 2026 05:06:07 +0000"


def test_sources_are_listed_without_their_secrets() -> None:
    sources = [
        Source(key="b", name="beta", kind="feed", target="https://user:secret@b.example/feed"),
        Source(
            key="a", name="Alpha", kind="feed", target="https://a.example/feed", headers=(("Authorization", "secret"),)
        ),
        Source(key="p", name="Page", kind="page", target="https://p.example/"),
    ]
    body = render_opml("Sources", source_outlines(sources), updated=NOW)
    assert b"secret" not in body
    assert tree(read(body)[1]) == [("Alpha", "https://a.example/feed", []), ("beta", "https://b.example/feed", [])]


def test_the_same_sections_give_the_same_bytes() -> None:
    first = render_opml("t", section_outlines(SECTIONS, base_url=BASE), updated=NOW)
    assert first == render_opml("t", section_outlines(SECTIONS, base_url=BASE), updated=NOW)
    assert first != render_opml(
        "t", section_outlines(SECTIONS, base_url=BASE), updated=datetime(2026, 1, 1, tzinfo=UTC)
    )


@given(title=wild_text, text=wild_text, url=wild_url)
@settings(deadline=None, max_examples=100)
def test_any_text_makes_a_document_in_which_every_outline_has_text(title: str, text: str, url: str) -> None:
    outlines = [Outline(text=text, xml_url=url, html_url=url, children=(Outline(text="x", xml_url=url),))]
    for outline in read(render_opml(title, outlines, updated=NOW)).iter("outline"):
        assert outline.get("text")
        assert (outline.get("type") == "rss") == (outline.get("xmlUrl") is not None)
