"""JSON Feed 1.0 and 1.1: what it says, read as forgivingly as it is written."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.errors import ParseError
from feeds.parse import parse
from feeds.parsed import Category, Enclosure, Image, ParsedFeed, Person, RawText

URL = "https://feeds.example.org/feed.json"


def read(feed: Any, known: frozenset[int] = frozenset()) -> ParsedFeed:
    return parse(json.dumps(feed).encode(), url=URL, content_type="application/feed+json", known_items=known)


def feed_of(*items: Any, **more: Any) -> dict[str, Any]:
    return {"version": "https://jsonfeed.org/version/1.1", "title": "T", "items": list(items), **more}


def test_a_feed_is_read_whole() -> None:
    feed = read(
        feed_of(
            {
                "id": "https://e.example/1",
                "url": "https://e.example/1",
                "external_url": "https://other.example/",
                "title": "One <b>",
                "content_html": "<p>one</p>",
                "content_text": "one",
                "summary": "short",
                "image": "https://e.example/i.png",
                "banner_image": "https://e.example/b.png",
                "date_published": "2026-11-02T10:00:00+01:00",
                "date_modified": "2026-11-03T10:00:00Z",
                "authors": [{"name": "Ann", "url": "https://ann.example/"}, {"name": "Bo"}],
                "tags": ["x", "y", "x"],
                "language": "de",
                "attachments": [
                    {
                        "url": "https://e.example/a.mp3",
                        "mime_type": "audio/mpeg",
                        "title": "A",
                        "size_in_bytes": 12,
                        "duration_in_seconds": 3.5,
                    }
                ],
            },
            home_page_url="https://e.example/",
            feed_url="https://e.example/feed.json",
            next_url="https://e.example/feed.json?p=2",
            icon="https://e.example/icon.png",
            authors=[{"name": "Desk"}],
            language="en",
            hubs=[{"type": "WebSub", "url": "https://hub.example/"}, {"type": "rssCloud", "url": "https://r.example/"}],
        )
    )
    assert (feed.kind, feed.title, feed.link, feed.language) == ("json11", "T", "https://e.example/", "en")
    assert (feed.self_url, feed.next_archive) == ("https://e.example/feed.json", "https://e.example/feed.json?p=2")
    assert (feed.hubs, feed.image_url) == (("https://hub.example/",), "https://e.example/icon.png")
    assert feed.authors == (Person(name="Desk"),)
    [entry] = feed.entries
    assert (entry.entry_id, entry.link, entry.related) == (
        "https://e.example/1",
        "https://e.example/1",
        ("https://other.example/",),
    )
    assert entry.title == RawText(value="One <b>", type="text", base=URL, language="de")
    assert entry.content == RawText(value="<p>one</p>", type="html", base=URL, language="de")
    assert entry.summary == RawText(value="short", type="text", base=URL, language="de")
    assert entry.authors == (Person(name="Ann", url="https://ann.example/"), Person(name="Bo"))
    assert (entry.published, entry.updated) == ("2026-11-02T10:00:00+01:00", "2026-11-03T10:00:00Z")
    assert entry.categories == (Category(term="x"), Category(term="y"))
    assert entry.image == Image(url="https://e.example/i.png")
    assert entry.enclosures == (
        Enclosure(url="https://e.example/a.mp3", type="audio/mpeg", length_bytes=12, title="A", duration_s=3.5),
    )


FORGIVEN = {
    "a number as id": ({"id": 17}, "entry_id", "17"),
    "a fraction as id": ({"id": 1.5}, "entry_id", "1.5"),
    "no id": ({}, "entry_id", None),
    "the author of 1.0": ({"author": {"name": "Ann"}}, "authors", (Person(name="Ann"),)),
    "authors that are names": ({"authors": ["Ann", "Bob"]}, "authors", (Person(name="Ann"), Person(name="Bob"))),
    "authors that are one": ({"authors": {"name": "Ann"}}, "authors", (Person(name="Ann"),)),
    "an author that is a name": ({"author": "Ann"}, "authors", (Person(name="Ann"),)),
    "an author in an author": ({"authors": [{"author": {"name": "Ann"}}]}, "authors", (Person(name="Ann"),)),
    "authors that are none": (
        {"authors": [None, 7, {}, ""], "author": {"name": "Ann"}},
        "authors",
        (Person(name="Ann"),),
    ),
    "a tag alone": ({"tags": "x"}, "categories", (Category(term="x"),)),
    "tags that are no text": ({"tags": [1, None, {}]}, "categories", (Category(term="1"),)),
    "null everywhere": ({"title": None, "tags": None, "authors": None, "attachments": None}, "title", None),
    "text alone": ({"content_text": "a < b"}, "content", RawText(value="a < b", type="text", base=URL)),
    "an attachment without address": ({"attachments": [{"mime_type": "a/b"}]}, "enclosures", ()),
    "a date that is none": ({"date_published": "yesterday"}, "published", "yesterday"),
}


@pytest.mark.parametrize(("item", "field", "expected"), FORGIVEN.values(), ids=FORGIVEN)
def test_items_are_forgiven(item: dict[str, Any], field: str, expected: object) -> None:
    [entry] = read(feed_of(item)).entries
    assert getattr(entry, field) == expected


def test_a_missing_version_is_forgiven_where_the_rest_is_a_feed() -> None:
    assert read({"title": "T", "items": [{"id": "1"}]}).kind == "json10"


def test_what_is_no_item_is_left_out_and_said() -> None:
    feed = read(feed_of({"id": "1"}, "text", None))
    assert [entry.entry_id for entry in feed.entries] == ["1"]
    assert feed.warnings == ("2 items are no objects and were left out",)


def test_a_byte_order_mark_and_utf_16_are_read() -> None:
    text = json.dumps(feed_of({"id": "é"}), ensure_ascii=False)
    for body in (text.encode("utf-8-sig"), text.encode("utf-16"), text.encode("utf-16-le"), b" \n" + text.encode()):
        [entry] = parse(body, url=URL).entries
        assert entry.entry_id == "é"


def test_known_items_are_left_out_whatever_the_order_of_their_names() -> None:
    first = read(feed_of({"id": "1", "title": "a"}, {"id": "2"}))
    again = read(feed_of({"id": "3"}, {"title": "a", "id": "1"}, {"id": "2"}), frozenset(first.item_hashes))
    assert [(entry.entry_id, entry.position) for entry in again.entries] == [("3", 0)]
    assert (again.skipped, again.item_hashes[1:]) == (2, first.item_hashes)


NO_FEEDS = [
    b"{",
    b"{}",
    b"[]",
    b'{"items": 3}',
    b'{"version": "https://jsonfeed.org/version/1.1", "items": {}}',
    b'{"a": 1} x',
]
NO_FEEDS += [b'{"items": [], "version": 2}', b'{"title": "\xff', b"{" * 100, b'{"a":' * 100 + b"1" + b"}" * 100]


@pytest.mark.parametrize("body", NO_FEEDS)
def test_other_json_is_refused_with_a_remedy(body: bytes) -> None:
    with pytest.raises(ParseError) as caught:
        parse(body, url=URL)
    assert caught.value.remedy


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["url", "name", "id", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)
NAMES = "id url title content_html summary image date_published authors author tags language attachments".split()


@given(st.lists(st.dictionaries(st.sampled_from(NAMES), JSON), max_size=3) | JSON, JSON)
def test_any_item_is_read_or_refused(items: Any, value: Any) -> None:
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": value,
        "hubs": value,
        "authors": value,
        "items": items,
    }
    try:
        read(feed)
    except ParseError:
        assert not isinstance(items, list) and items is not None
