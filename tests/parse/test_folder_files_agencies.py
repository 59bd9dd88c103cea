"""Agencies' documents in a folder: NITF and NewsML-G2 are articles, other XML is refused and never shown as text."""

import pytest

from feeds.errors import ParseError
from feeds.parse import parse_document

NITF = """<?xml version="1.0"?><!DOCTYPE nitf SYSTEM "nitf-3-6.dtd"><nitf xml:lang="en">
<head><title>Flood</title><docdata><doc-id id-string="n1"/><date.issue norm="20261120T100000Z"/>
<key-list><keyword key="Rivers"/></key-list></docdata></head>
<body><body.head><hedline><hl1>Flood &amp; fire</hl1></hedline>
<byline>By <person>Marit Lund</person></byline></body.head>
<body.content><block><p>The river <em>rose</em> &mdash; twice.</p></block><hl2>Later</hl2>
<media media-type="image"><media-caption>A river</media-caption></media></body.content></body></nitf>"""

ITEM = """<newsItem xmlns="http://iptc.org/std/nar/2006-10-01/" guid="urn:newsml:%s" xml:lang="no"><itemMeta>
<pubStatus qcode="stat:%s"/><firstCreated>2026-11-20T10:00:00Z</firstCreated>%s</itemMeta><contentMeta>
<headline>Harbour %s</headline><by>Ann Doe</by><subject><name>Ports</name></subject></contentMeta>
<contentSet>%s</contentSet></newsItem>"""
PLAIN = "<inlineData>Two boats more.</inlineData>"


def test_nitf_is_an_article() -> None:
    feed = parse_document(NITF.encode(), name="a.xml")
    [entry] = feed.entries
    assert (feed.kind, entry.entry_id, entry.language, entry.published) == ("document", "n1", "en", "20261120T100000Z")
    assert entry.title is not None and entry.title.value == "Flood & fire"
    assert [person.name for person in entry.authors] == ["Marit Lund"]
    assert [category.term for category in entry.categories] == ["Rivers"]
    assert entry.content is not None and entry.content.type == "html"
    assert "<p>The river <em>rose</em> — twice.</p>" in entry.content.value
    assert "<h2>Later</h2>" in entry.content.value and "A river" not in entry.content.value


def test_newsml_may_hold_several_items() -> None:
    message = (
        "<newsMessage><itemSet>" + ITEM % ("1", "usable", "", "one", PLAIN) + ITEM % ("2", "usable", "", "two", PLAIN)
    )
    feed = parse_document((message + "</itemSet></newsMessage>").encode(), name="a.xml")
    assert [entry.entry_id for entry in feed.entries] == ["urn:newsml:1", "urn:newsml:2"]
    first = feed.entries[0]
    assert first.content is not None and (first.content.value, first.content.type) == ("Two boats more.", "text")
    assert ([person.name for person in first.authors], first.language) == (["Ann Doe"], "no")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<nitf><body/></nitf>", "no article"),
        ("<report><wind>22</wind></report>", "root element 'report'"),
        ('<?xml version="1.0"?><report><wind>', "root element 'report'"),
        ("<urlset><url><loc>https://example.org/</loc></url></urlset>", "root element 'urlset'"),
        ("<opml><body/></opml>", "root element 'opml'"),
    ],
)
def test_what_is_no_article_is_refused(text: str, said: str) -> None:
    with pytest.raises(ParseError, match=said):
        parse_document(text.encode(), name="a.txt")


@pytest.mark.parametrize(
    "text", ["<Laughter> said the host, and left it there.", "<-- this way to the pier", "<3 to all"]
)
def test_a_text_may_begin_with_an_angle(text: str) -> None:
    [entry] = parse_document(f"{text}\n\nMore words follow in a second paragraph.".encode(), name="a.txt").entries
    assert entry.content is not None or entry.title is not None


@pytest.mark.parametrize("name", ["p:", "b:1", "n:-x", ":"])
def test_elements_with_names_that_nobody_may_have_do_not_end_the_reading(name: str) -> None:
    odd = NITF.replace("<p>", f"<p><{name}>x</{name}>", 1)
    assert parse_document(odd.encode(), name="a.xml").entries
