"""One wrong character, or an end that is missing, costs what it touches and nothing else."""

import json

import pytest

from feeds.errors import ParseError
from feeds.parse import parse
from feeds.parsed import ParsedFeed

URL = "https://shore.example/feed.xml"
RSS = """<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><title>Shore</title>
<item><title>First ☀ one</title><guid>urn:x:1</guid><link>https://shore.example/1</link></item>
<item><title>A HERE b</title><guid>urn:x:2</guid><content:encoded><![CDATA[<p>x ]] y</p>]]></content:encoded></item>
<item><title>Third</title><guid>urn:x:3</guid><description>&lt;p&gt;ä &amp;amp; ö&lt;/p&gt;</description></item>
</channel></rss>"""
JSON = json.dumps(
    {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "Shore",
        "items": [
            {"id": "urn:x:1", "title": "First [one] {1}", "content_text": "x"},
            {"id": "urn:x:2", "title": 'A HERE "b"', "tags": ["x", "y"], "content_text": "x"},
            {"id": "urn:x:3", "title": "Third", "content_text": "x"},
        ],
    }
)
IDS = ["urn:x:1", "urn:x:2", "urn:x:3"]


def read(body: bytes) -> ParsedFeed:
    return parse(body, url=URL)


def ids(feed: ParsedFeed) -> list[str | None]:
    return [entry.entry_id for entry in feed.entries]


def title(feed: ParsedFeed) -> str:
    found = feed.entries[1].title
    assert found is not None
    return found.value


@pytest.mark.parametrize(
    ("fault", "shown"),
    [
        (b"&#55357;&#56832;", "A 😀 b"),
        (b"&#xD83D;&#xDE00;", "A 😀 b"),
        (b"&#xd83d;&#56832;", "A 😀 b"),
        (b"&#X1F600;", "A 😀 b"),
        (b"\xed\xa0\xbd\xed\xb8\x80", "A 😀 b"),
        (b"&#55357;", "A  b"),
        (b"&#56832;&#55357;", "A  b"),
        (b"&#0;", "A  b"),
        (b"&#xFFFF;", "A  b"),
        (b"&#1114112;", "A  b"),
        (b"&#" + b"9" * 5000 + b";", "A  b"),
        (b"&#x0B;", "A  b"),
        (b"&#128;", "A € b"),
        (b"&#39", "A ' b"),
        (b"&#xZZ;", "A &#xZZ; b"),
        (b"&#;", "A &#; b"),
        (b"\x00\x1b", "A  b"),
        (b"\xef\xbf\xbf", "A  b"),
        (b"\x92", "A ’ b"),
        (b"&", "A & b"),
        (b"&nosuch;", "A &nosuch; b"),
        (b"&eacute;", "A é b"),
        (b"<", "A < b"),
        (b"<3", "A <3 b"),
        (b"]]>", "A ]]> b"),
    ],
)
def test_one_character_costs_itself_at_most(fault: bytes, shown: str) -> None:
    feed = read(RSS.encode().replace(b"HERE", fault))
    assert ids(feed) == IDS
    assert title(feed) == shown
    assert feed.warnings == ()


@pytest.mark.parametrize(
    "inside", ["<media:title>x</media:title>", "<x:y z:a='1'/>", "<itunes:author>Ann</itunes:author>"]
)
def test_an_undeclared_prefix_costs_nothing(inside: str) -> None:
    feed = read(RSS.replace("<guid>urn:x:2", inside + "<guid>urn:x:2").encode())
    assert (ids(feed), feed.warnings, feed.item_hashes != ()) == (IDS, (), True)


@pytest.mark.parametrize("text", [RSS, JSON], ids=["rss", "json"])
def test_of_what_breaks_off_is_read_what_stands_whole(text: str) -> None:
    body = text.encode()
    whole = 0
    for end in range(len(body) - 1, 40, -1):
        try:
            feed = read(body[:end])
        except ParseError as error:
            assert "breaks off" in error.cause or "no feed" in error.cause or "JSON" in error.cause
            continue
        assert ids(feed) == IDS[: len(feed.entries)]
        assert feed.broken_off or b"</rss" in body[:end]
        whole = max(whole, len(feed.entries))
        if len(feed.entries) == 3:
            assert body.rfind(b"urn:x:3", 0, end) > 0
    assert whole == 3


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("]}", ",]}"),
        ('"x"}', '"x",}'),
        ("HERE", "\x01 \n"),
        ("HERE", "\\'"),
        ("HERE", "\\uZZZZ"),
        ("HERE", "\\ud83d"),
    ],
)
def test_json_with_a_slip_is_read(before: str, after: str) -> None:
    feed = read(JSON.replace(before, after).encode())
    assert (ids(feed), feed.broken_off) == (IDS, False)
