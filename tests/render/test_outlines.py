"""OPML: nested as readers understand it, each outline with its text, feeds with their address."""

from __future__ import annotations

from hypothesis import given
from lxml import etree

from feeds.configuration import Section, Source
from feeds.render.outlines import render_opml
from tests.render.articles import NOW, many, wild_text, wild_url

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


def test_sources_stand_in_a_folder_for_their_section() -> None:
    sources = [
        Source(key="c", name="c", kind="feed", target="https://c.example/feed", section="news/world", language="en"),
        Source(key="b", name="b", kind="feed", target="https://b.example/feed", section="news"),
        Source(key="a", name="a", kind="feed", target="https://a.example/feed", section="gone"),
        Source(key="d", name="d", kind="feed", target="https://d.example/feed", section="sport"),
    ]
    sections = [*SECTIONS, Section(path="more", title="Sport")]
    root = read(render_opml("The Wire", sources, sections, updated=NOW))
    assert tree(root[1]) == [
        ("a", "https://a.example/feed", []),
        ("News & views", None, [("b", "https://b.example/feed", [])]),
        ("World", None, [("c", "https://c.example/feed", [])]),
        ("sport", None, [("d", "https://d.example/feed", [])]),
    ]
    (outline,) = root.xpath("//outline[@text='c']")  # type: ignore[str-unpack]
    assert dict(outline.attrib) == {
        "text": "c",
        "title": "c",
        "type": "rss",
        "xmlUrl": "https://c.example/feed",
        "language": "en",
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
    body = render_opml("Sources", sources, updated=NOW)
    assert b"secret" not in body
    assert tree(read(body)[1]) == [("Alpha", "https://a.example/feed", []), ("beta", "https://b.example/feed", [])]


def test_the_same_sources_give_the_same_bytes_in_any_order() -> None:
    sources = [Source(key=name, name=name, kind="feed", target=f"https://{name}.example/") for name in "abc"]
    first = render_opml("t", sources, updated=NOW)
    assert first == render_opml("t", reversed(sources), updated=NOW)


@given(title=wild_text, text=wild_text, url=wild_url)
@many
def test_any_text_makes_a_document_in_which_every_outline_has_text(title: str, text: str, url: str) -> None:
    sources = [Source(key=name, name=name, kind="feed", target=url, section="a") for name in (text, "x")]
    for outline in read(render_opml(title, sources, [Section(path="a", title="A")], updated=NOW)).iter("outline"):
        assert outline.get("text")
        assert (outline.get("type") == "rss") == (outline.get("xmlUrl") is not None)
