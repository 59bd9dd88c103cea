"""Frames: slots are filled exactly, once, and escaped for where they stand."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from feeds.frames import OPTIONAL_NAMESPACES, archive_links, assemble, deleted_entries, hub_links, legal, slot
from feeds.model import FORMATS, Format, Fragment, Frame
from feeds.render import SectionContext, render_frame

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
SECTION = SectionContext(
    path="news", title="ignored: the document's title is an argument", base_url="https://w.example"
)
NS = {
    "a": "http://www.w3.org/2005/Atom",
    "at": "http://purl.org/atompub/tombstones/1.0",
    "fh": "http://purl.org/syndication/history/1.0",
}


def filled(format: Format, **changes: Any) -> bytes:
    values: dict[str, Any] = {
        "self_url": f"https://w.example/news.{format}",
        "alternate_url": "https://w.example/news",
        "title": "News",
        "updated": NOW,
        "feed_id": "urn:uuid:6f1d5f39-6c1b-5b5c-8f5e-0f1c9b1f3a10",
    }
    return assemble(render_frame(SECTION, format), [], **(values | changes))


def test_a_frame_without_slots_is_left_as_it_is() -> None:
    frame = Frame(format="json", head=b"[", tail=b"]", separator=b",")
    body = assemble(frame, [b"1", b"2"], self_url="", alternate_url="", title="", updated=NOW, feed_id="")
    assert body == b"[1,2]"


def test_fragments_come_as_bytes_or_as_stored() -> None:
    frame = Frame(format="rss", head=b"<", tail=b">")
    stored = Fragment(article_uid="urn:uuid:x", format="rss", version=1, body=b"b", updated=NOW)
    assert assemble(frame, [b"a", stored], self_url="", alternate_url="", title="", updated=NOW, feed_id="") == b"<ab>"


@pytest.mark.parametrize("format", FORMATS)
@given(title=st.text(), description=st.text(), url=st.text())
@settings(deadline=None, max_examples=100)
def test_any_words_come_back_from_a_frame_as_they_went_in(
    format: Format, title: str, description: str, url: str
) -> None:
    address = "https://w.example/?q=" + url
    body = filled(format, title=title, description=description, self_url=address)
    expected_title = legal(title).strip() or legal(address)
    expected = [expected_title, legal(description).strip() or expected_title, legal(address)]
    if format == "json":
        feed = json.loads(body)
        found = [feed["title"], feed["description"], feed["feed_url"]]
    elif format == "rss":
        channel = etree.fromstring(body)[0]
        link = channel.find("a:link", NS)
        assert link is not None
        found = [channel.findtext("title"), channel.findtext("description"), link.get("href")]
    else:
        feed = etree.fromstring(body)
        found = [feed.findtext("a:title", namespaces=NS), feed.findtext("a:subtitle", namespaces=NS)]
        found += feed.xpath("a:link[@rel='self']/@href", namespaces=NS)
    assert found == expected


def test_a_title_that_looks_like_a_slot_is_not_filled_again() -> None:
    for format in FORMATS:
        assert b"w.example/news." + format.encode() in filled(format, title=slot("self"))
        assert filled(format, title=slot("title")).count(b"\xef\xb7\x90") == 0


def test_hubs_are_told_in_each_format() -> None:
    hubs = ("https://w.example/websub?a&b",)
    assert b'<atom:link href="https://w.example/websub?a&amp;b" rel="hub"/>' in filled(
        "rss", extra=[hub_links("rss", hubs)]
    )
    root = etree.fromstring(filled("atom", extra=[hub_links("atom", hubs)]))
    assert root.xpath("a:link[@rel='hub']/@href", namespaces=NS) == [*hubs]
    assert json.loads(filled("json", extra=[hub_links("json", hubs)]))["hubs"] == [{"type": "WebSub", "url": hubs[0]}]
    assert [hub_links(format, ()) for format in FORMATS] == [b"", b"", b""]


def test_archive_pages_are_linked_as_rfc_5005_wants() -> None:
    pages = {"prev_url": "https://w.example/1", "next_url": "https://w.example/3", "current_url": "https://w.example/"}
    root = etree.fromstring(filled("atom", extra=[archive_links("atom", archive=True, **pages)]))
    links = {link.get("rel"): link.get("href") for link in root.findall("a:link", NS)}
    assert links["prev-archive"] == pages["prev_url"]
    assert links["next-archive"] == pages["next_url"]
    assert links["current"] == pages["current_url"]
    assert root.find("fh:archive", NS) is not None
    channel = etree.fromstring(filled("rss", extra=[archive_links("rss", archive=True, **pages)]))[0]
    assert channel.xpath("a:link[@rel='prev-archive']/@href", namespaces=NS) == [pages["prev_url"]]
    assert channel.find("fh:archive", NS) is not None
    assert json.loads(filled("json", extra=[archive_links("json", **pages)]))["next_url"] == pages["prev_url"]
    assert [archive_links(format) for format in FORMATS] == [b"", b"", b""]


def test_what_was_retracted_is_told_as_rfc_6721_wants() -> None:
    gone = [("urn:uuid:1", NOW), ('urn:"&', NOW)]
    root = etree.fromstring(filled("atom", extra=[deleted_entries("atom", gone)]))
    told = [(element.get("ref"), element.get("when")) for element in root.findall("at:deleted-entry", NS)]
    assert told == [("urn:uuid:1", "2026-03-04T05:06:07Z"), ('urn:"&', "2026-03-04T05:06:07Z")]
    assert (
        json.loads(filled("json", extra=[deleted_entries("json", gone)]))["_deleted"]["entries"][0]["id"]
        == "urn:uuid:1"
    )
    assert deleted_entries("rss", gone) == b""


def test_several_extras_stand_side_by_side() -> None:
    extra = [hub_links("json", ("https://h.example/",)), archive_links("json", prev_url="https://w.example/1")]
    feed = json.loads(filled("json", extra=extra))
    assert (feed["next_url"], feed["items"], len(feed["hubs"])) == ("https://w.example/1", [], 1)


def test_a_document_needs_no_entries() -> None:
    assert json.loads(filled("json"))["items"] == []
    assert etree.fromstring(filled("rss"))[0].find("item") is None
    assert etree.fromstring(filled("atom")).find("a:entry", NS) is None


def test_a_frame_of_an_older_release_takes_up_what_it_has_no_names_for() -> None:
    old = Frame(
        format="rss",
        head=b'<?xml version="1.0"?>\n<rss xmlns:dc="http://purl.org/dc/elements/1.1/" version="2.0"><channel>',
        tail=b"</channel></rss>",
    )
    file = b'<enclosure url="x" length="0" type="audio/mpeg"/>'
    episode = b"<item>" + file + b"<itunes:duration>00:01:00</itunes:duration></item>"
    place = b"<item><georss:point>1 2</georss:point></item>"
    told: dict[str, Any] = {"self_url": "s", "alternate_url": "a", "title": "t", "updated": NOW, "feed_id": "i"}
    root = etree.fromstring(assemble(old, [episode, place], **told))
    assert root.nsmap == {
        "itunes": OPTIONAL_NAMESPACES["itunes"],
        "georss": OPTIONAL_NAMESPACES["georss"],
        "dc": "http://purl.org/dc/elements/1.1/",
    }
    assert assemble(old, [b"<item/>"], **told) == old.head + b"<item/>" + old.tail
