"""Fragments joined in a frame are what feedgen writes whole; and what feedgen does wrong by itself is put right."""

from __future__ import annotations

import json
import locale
from datetime import datetime, timedelta, timezone

import feedparser
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from msgspec.structs import replace

from feeds.frames import feed_urn
from feeds.model import FORMATS, Article, Format
from feeds.parse import parse
from feeds.parsed import Image, Origin
from feeds.render import DeskContext, SectionContext, fragment_version, render_fragments, render_frame
from feeds.urls import OWN
from tests.render.articles import (
    DESK,
    FEED_ID,
    NOW,
    SECTION,
    full_article,
    make_article,
    many,
    moments,
    wild_articles,
    wild_sections,
)
from tests.render.documents import render_document, render_fragment, whole_document
from tests.validator import check

NS = {
    "a": "http://www.w3.org/2005/Atom",
    "dc": "http://purl.org/dc/elements/1.1/",
    "thr": "http://purl.org/syndication/thread/1.0",
}


@pytest.mark.parametrize("format", FORMATS)
@given(section=wild_sections, articles=st.lists(wild_articles, max_size=3), updated=moments)
@many
def test_joined_fragments_are_byte_identical_to_a_whole_render(
    format: Format, section: SectionContext, articles: list[Article], updated: datetime
) -> None:
    joined = render_document(section, articles, format, updated=updated)
    whole = whole_document(section, articles, format, updated=updated)
    assert joined == whole


@pytest.mark.parametrize("format", FORMATS)
@given(article=wild_articles)
@many
def test_every_document_parses_with_a_strict_parser_and_holds_its_article(format: Format, article: Article) -> None:
    body = render_document(SECTION, [article], format)
    if format == "json":
        (item,) = json.loads(body)["items"]
        assert item["id"] == article.uid
    else:
        root = etree.fromstring(body)
        ids = root.xpath("//item/guid/text() | //a:entry/a:id/text()", namespaces=NS)
        assert ids == [article.uid]


@pytest.mark.parametrize("format", FORMATS)
def test_the_same_article_gives_the_same_bytes_at_any_time_and_in_any_section(format: Format) -> None:
    article = full_article()
    fragment = render_fragment(article, format)
    other = SectionContext(path="sport", title="Sport", base_url=DESK.base_url, language="fr")
    for section in (SECTION, other):
        body = render_document(section, [article], format)
        assert fragment in body
    assert fragment == render_fragment(article, format)


def test_no_document_touches_the_locale(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object) -> None:
        raise AssertionError("setlocale is process-wide")

    monkeypatch.setattr(locale, "setlocale", refuse)
    for format in FORMATS:
        render_document(SECTION, [full_article()], format)


def test_dates_are_told_in_utc_whatever_zone_they_come_in() -> None:
    east = NOW.astimezone(timezone(timedelta(hours=9)))
    for format in FORMATS:
        here = render_fragment(make_article(), format)
        assert render_fragment(make_article(published=east, updated=east), format) == here
    assert b"<pubDate>Wed, 04 Mar 2026 05:06:07 +0000</pubDate>" in render_fragment(make_article(), "rss")
    assert b"<updated>2026-03-04T05:06:07Z</updated>" in render_fragment(make_article(), "atom")


def test_rss_says_everything_that_the_article_says() -> None:
    root = etree.fromstring(render_document(SECTION, [full_article()], "rss"))
    (item,) = root.iter("item")
    said = [(etree.QName(child).localname, child.text, dict(child.attrib)) for child in item if child.tag != "category"]
    assert said == [
        ("title", "Tide & time", {}),
        ("link", "https://example.org/1", {}),
        ("description", "<p>They wait for no one.</p>", {}),
        ("encoded", "<p>They wait for no one, <b>ever</b>.</p>", {}),
        ("guid", full_article().uid, {"isPermaLink": "false"}),
        ("comments", "https://example.org/c", {}),
        ("enclosure", None, {"url": "https://example.org/a.mp3", "length": "77", "type": "audio/mpeg"}),
        ("source", "Agency", {"url": "https://agency.example/f"}),
        ("pubDate", "Wed, 04 Mar 2026 05:06:07 +0000", {}),
        ("creator", "Ann Ä", {}),
        ("creator", "Bob", {}),
        ("contributor", "Cy", {}),
        ("publisher", "Example Ltd", {}),
        ("rights", "© Example", {}),
        ("language", "de-AT", {}),
        ("comments", "3", {}),
        ("commentRss", "https://example.org/cf", {}),
        ("content", None, {"url": "https://example.org/b.mp4", "type": "video/mp4", "fileSize": "78"}),
        ("content", None, {"url": "https://example.org/i.jpg", "medium": "image", "width": "640", "height": "480"}),
        ("duration", "00:01:01", {}),
        ("meta", None, {"name": "robots", "content": "noindex"}),
    ]
    assert [(c.text, c.get("domain")) for c in item.iter("category")] == [
        ("World", "https://example.org/terms"),
        ("x", None),
    ]
    channel = root[0]
    assert channel.findtext("link") == "https://wire.example.org/news/world"
    assert channel.findtext("lastBuildDate") == "Wed, 04 Mar 2026 05:06:07 +0000"
    assert [child.tag for child in channel].count("ttl") == 1
    sy = "{http://purl.org/rss/1.0/modules/syndication/}"
    assert (channel.findtext(f"{sy}updatePeriod"), channel.findtext(f"{sy}updateFrequency")) == ("hourly", "12")


def test_atom_says_everything_that_the_article_says() -> None:
    root = etree.fromstring(render_document(SECTION, [full_article()], "atom"))
    entry = root.find("a:entry", NS)
    assert entry is not None
    links = [dict(link.attrib) for link in entry.findall("a:link", NS)]
    assert links == [
        {"href": "https://example.org/1", "rel": "alternate"},
        {"href": "https://via.example/1", "rel": "via"},
        {"href": "https://orig.example/1", "rel": "via"},
        {"href": "https://related.example/1", "rel": "related"},
        {
            "href": "https://example.org/a.mp3",
            "rel": "enclosure",
            "type": "audio/mpeg",
            "length": "77",
            "title": "Talk",
        },
        {"href": "https://example.org/b.mp4", "rel": "enclosure", "type": "video/mp4", "length": "78"},
        {"href": "https://example.org/c", "rel": "replies", "type": "text/html", f"{{{NS['thr']}}}count": "3"},
        {"href": "https://example.org/cf", "rel": "replies", "type": "application/xml"},
    ]
    source = entry.find("a:source", NS)
    assert source is not None
    assert [(etree.QName(child).localname, child.text, child.get("href")) for child in source] == [
        ("id", "tag:agency,2020:f", None),
        ("title", "Agency", None),
        ("updated", "2026-03-04T05:06:07Z", None),
        ("link", None, "https://agency.example"),
        ("link", None, "https://agency.example/f"),
    ]
    assert [person.findtext("a:name", namespaces=NS) for person in entry.findall("a:author", NS)] == ["Ann Ä", "Bob"]
    assert entry.findtext("a:author/a:email", namespaces=NS) == "ann@example.org"
    category = entry.find("a:category", NS)
    assert category is not None
    assert dict(category.attrib) == {"term": "World", "scheme": "https://example.org/terms", "label": "The World"}
    assert [(c.get("type"), c.text) for c in entry.findall("a:content", NS)] == [("html", full_article().content)]
    assert entry.get("{http://www.w3.org/XML/1998/namespace}lang") == "de-AT"
    assert entry.findtext("thr:total", namespaces=NS) == "3"
    assert entry.findtext("a:rights", namespaces=NS) == "© Example"


def test_json_says_everything_that_the_article_says() -> None:
    body = render_document(SECTION, [full_article()], "json")
    feed = json.loads(body)
    (item,) = feed.pop("items")
    assert feed == {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "World",
        "home_page_url": "https://wire.example.org/news/world",
        "feed_url": "https://wire.example.org/news/world.json",
        "description": "All of it",
        "language": "en",
        "authors": [{"name": "The Wire"}],
        "_wiredesk": {"id": FEED_ID, "updated": "2026-03-04T05:06:07Z"},
    }
    beyond = item.pop("_wiredesk")
    assert item == {
        "id": full_article().uid,
        "url": "https://example.org/1",
        "title": "Tide & time",
        "content_html": full_article().content,
        "summary": "They wait for no one.",
        "image": "https://example.org/i.jpg",
        "date_published": "2026-03-04T05:06:07Z",
        "date_modified": "2026-03-04T05:06:07Z",
        "authors": [{"name": "Ann Ä", "url": "https://example.org/ann"}, {"name": "Bob"}],
        "tags": ["World", "x"],
        "language": "de-AT",
        "attachments": [
            {
                "url": "https://example.org/a.mp3",
                "mime_type": "audio/mpeg",
                "title": "Talk",
                "size_in_bytes": 77,
                "duration_in_seconds": 61,
            },
            {"url": "https://example.org/b.mp4", "mime_type": "video/mp4", "size_in_bytes": 78},
        ],
    }
    assert beyond["origin"] == {
        "name": "Agency",
        "url": "https://agency.example",
        "feed_url": "https://agency.example/f",
    }
    assert beyond["source"] == {"name": "Example World", "url": "https://example.org/feed"}
    assert [copy["url"] for copy in beyond["copies"]] == ["https://orig.example/1", "https://copy.example/1"]
    assert beyond["story"] == full_article().story_uid
    assert beyond["noindex"] is True


def test_an_origin_without_an_address_is_credited_in_every_format() -> None:
    article = make_article(origin=Origin(name="hindustantimes"))
    rss = render_fragment(article, "rss")
    assert b"<dc:source>hindustantimes</dc:source>" in rss and b"<source" not in rss
    atom = render_fragment(article, "atom")
    assert b"<source><id>urn:uuid:" in atom and b"<title>hindustantimes</title>" in atom
    assert json.loads(render_fragment(article, "json"))["_wiredesk"]["origin"] == {"name": "hindustantimes"}


def test_without_an_origin_the_source_is_credited() -> None:
    rss = render_fragment(make_article(), "rss")
    assert b'<source url="https://example.org/feed">Example World</source>' in rss
    atom = render_fragment(make_article(), "atom")
    assert b"<source><id>https://example.org/feed</id><title>Example World</title>" in atom
    assert b"<author><name>Example World</name></author>" in atom


def test_an_article_without_an_address_links_to_its_page_on_the_desk() -> None:
    article = make_article(link=None)
    page = f"https://wire.example.org/article/{article.id}"
    assert f"<link>{page}</link>".encode() in render_fragment(article, "rss")
    assert f'<link href="{page}" rel="alternate"/>'.encode() in render_fragment(article, "atom")
    assert json.loads(render_fragment(article, "json"))["url"] == page


def test_a_link_only_article_has_its_title_as_text() -> None:
    article = make_article(summary="", content="")
    item = json.loads(render_fragment(article, "json"))
    assert item["content_text"] == item["title"] and "content_html" not in item
    assert b"<description>" not in render_fragment(article, "rss")
    assert b"<content" not in render_fragment(article, "atom")


def test_an_article_without_a_title_is_headed_by_its_first_words() -> None:
    article = make_article(title=" ", summary="", content="<p>One &amp; two</p>" + "<p>word</p>" * 40)
    for format in FORMATS:
        assert b"One & two" in render_fragment(article, format).replace(b"&amp;", b"&")
    title = json.loads(render_fragment(article, "json"))["title"]
    assert len(title) <= 81 and title.endswith("…")


def test_content_without_a_summary_is_announced_by_its_first_words() -> None:
    fragment = render_fragment(make_article(summary="", content="<p>Fish &amp; <b>chips</b></p>"), "rss")
    assert b"<description>Fish &amp;amp; chips</description><content:encoded>&lt;p&gt;Fish " in fragment
    long = render_fragment(make_article(summary="", content="<p>tide</p>" * 200), "rss")
    assert b"tide tide\xe2\x80\xa6</description>" in long and len(long.partition(b"</description>")[0]) < 600


def test_content_without_words_is_its_own_description() -> None:
    fragment = render_fragment(
        make_article(summary="", content='<img src="https://e.example/i.png">'), "rss", desk=DESK
    )
    assert b"<description>&lt;img " in fragment
    assert b"<content:encoded>&lt;img " in fragment


def test_relative_and_foreign_addresses_are_dropped() -> None:
    article = full_article(
        link="javascript:alert(1)",
        via=("/a",),
        related=("data:text/html,x",),
        image=None,
        enclosures=(),
        origin=Origin(name="A", url="mailto:a@example.org"),
    )
    for format in FORMATS:
        fragment = render_fragment(article, format)
        for word in (b"javascript", b"mailto", b"data:", b'"/a"'):
            assert word not in fragment


def test_a_title_with_markup_in_its_words_shows_as_written_where_readers_sniff() -> None:
    article = make_article(title="How <script>alert(1)</script> & &amp; work")
    rss = etree.fromstring(render_document(SECTION, [article], "rss"))
    # Once out of XML it is HTML that says these words; no reader finds a tag in it.
    said = rss.findtext("channel/item/title")
    assert said == "How &lt;script&gt;alert(1)&lt;/script&gt; &amp; &amp;amp; work"
    atom = etree.fromstring(render_document(SECTION, [article], "atom"))
    assert atom.findtext("a:entry/a:title", namespaces=NS) == article.title


def test_what_a_source_wants_not_indexed_is_told_on() -> None:
    for format in ("rss", "atom"):
        assert b'<xhtml:meta name="robots" content="noindex"/>' in render_fragment(full_article(), format)
        assert b"robots" not in render_fragment(make_article(), format)
        body = render_document(SECTION, [full_article()], format)
        assert parse(body, url=SECTION.url(format)).entries[0].noindex


def test_an_image_is_left_out_where_the_desk_shows_none() -> None:
    desk = DeskContext(base_url=DESK.base_url, images=False)
    for format in FORMATS:
        assert b"i.jpg" not in render_fragment(full_article(), format, desk=desk)


def test_a_fragment_is_stale_when_what_it_holds_of_the_desk_changed() -> None:
    assert fragment_version(DESK) == fragment_version(DeskContext(base_url=DESK.base_url, title=DESK.title))
    assert fragment_version(DESK) != fragment_version(DeskContext(base_url="https://other.example", title=DESK.title))
    assert 0 <= fragment_version(DESK) < 2**31


def test_a_frame_depends_on_neither_time_nor_address_of_the_document() -> None:
    for format in FORMATS:
        assert render_frame(SECTION, format) == render_frame(SECTION, format)


def test_a_feed_has_one_id_whatever_its_format_and_base_url() -> None:
    assert feed_urn("desk", "news/world") == feed_urn("desk", "news/world")
    assert (
        len(
            {
                feed_urn("desk", "news"),
                feed_urn("desk", "news/world"),
                feed_urn("other", "news"),
                feed_urn("desk", "news", "source=x"),
            }
        )
        == 4
    )


@pytest.mark.parametrize("format", FORMATS)
def test_a_section_s_icon_and_colour_are_told_by_its_frame_and_nothing_where_there_are_none(format: Format) -> None:
    section = replace(SECTION, icon_url="https://wire.example.org/i.png", colour="#0a5c36")
    plain, looks = (render_document(each, [make_article()], format) for each in (SECTION, section))
    assert check(looks, format) == () and b"webfeeds" not in plain and b"colour" not in plain
    if format == "json":
        told = json.loads(looks)
        assert (told["icon"], told["_wiredesk"]["colour"]) == (section.icon_url, "#0a5c36")
    else:
        assert b"<webfeeds:accentColor>0a5c36</webfeeds:accentColor>" in looks
        assert looks.count(f"{section.icon_url}<".encode()) == 2  # RSS: image; Atom: icon
    assert feedparser.parse(looks).feed.get("image" if format == "rss" else "icon") or format == "json"


def test_rss_dates_an_article_by_its_last_change_where_consumers_judge_edits_by_that() -> None:
    edited = make_article(updated=NOW + timedelta(hours=2))
    kept, moved = (render_fragment(edited, "rss", desk=replace(DESK, dated_by_edits=on)) for on in (False, True))
    assert b"05:06:07 +0000</pubDate>" in kept and b"07:06:07 +0000</pubDate>" in moved
    assert b"modified>2026-03-04T07:06:07Z<" in kept and b"modified>2026-03-04T07:06:07Z<" in moved
    assert render_fragment(edited, "atom", desk=replace(DESK, dated_by_edits=True)) == render_fragment(
        edited, "atom", desk=DESK
    )


def test_an_atom_entry_with_a_summary_alone_has_it_as_content_too() -> None:
    body = render_fragment(make_article(content=""), "atom").decode()
    assert body.count("&lt;p&gt;They wait for no one.&lt;/p&gt;</") == 2 and "<content" in body and "<summary" in body


def test_what_is_at_the_desk_s_own_address_follows_base_url() -> None:
    image = Image(url=f"{OWN}/static/bridge.jpg")
    article = make_article(image=image, content=f'<p><a href="{OWN}/news">x</a></p>')
    for format in FORMATS:
        for base in ("https://wire.example.org", "http://127.0.0.1:8090"):
            [fragment] = render_fragments([article], format, desk=DeskContext(base_url=base))
            assert OWN.encode() not in fragment
            assert f"{base}/static/bridge.jpg".encode() in fragment and f"{base}/news".encode() in fragment
