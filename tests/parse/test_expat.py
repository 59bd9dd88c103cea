"""Our way through feedparser's handlers gives what `feedparser.parse` gives, but for what we mean to do otherwise."""

import gc
import io
from typing import Any

import feedparser
import pytest

from feeds.parse.expat import StrictParser, XmlFeed, read_loosely, read_strictly, root_of
from feeds.parse.kinds import recognise
from tests.development import feed_documents

URL = "http://feeds.example.org/a/index.xml"
# Ids stay as written; a second text of an entry is kept by its own name, and so is not taken for content or summary.
# Places are read by ourselves, for feedparser breaks on some; "true" and "false" are understood; of what an element of
# the podcast namespace says feedparser keeps the last.
MEANT = {"id", "media_description", "itunes_summary", "where", "itunes_explicit"}
TEXTS = {"summary", "summary_detail", "content"}


def ours(body: bytes) -> XmlFeed:
    seen = recognise(body)
    assert seen.prolog is not None
    root, entities = root_of(seen.body, seen.prolog), seen.prolog.entities
    return read_strictly(root, entities, base=URL) or read_loosely(root, entities, base=URL)


def theirs(body: bytes) -> Any:
    return feedparser.parse(
        io.BytesIO(recognise(body).body),
        sanitize_html=False,
        resolve_relative_uris=False,
        response_headers={"content-location": URL, "content-type": "application/xml; charset=utf-8"},
    )


def _as_written(entry: dict[str, Any]) -> dict[str, Any]:
    """*entry* without what we add, and without the dates that feedparser reads beside those that stand there."""
    return {
        name: _as_written(value) if name == "source" else value
        for name, value in dict.items(entry)
        if not name.startswith(("desk_", "podcast_")) and not name.endswith("_parsed")
    }


def differences(body: bytes) -> set[str]:
    """The names under which entries differ."""
    mine, stock = ours(body).entries, theirs(body).entries
    if len(mine) != len(stock):
        return {"number of entries"}
    found: set[str] = set()
    for one, other in zip(mine, stock, strict=True):
        mine_alone, theirs_alone = _as_written(one), _as_written(other)
        found |= {name for name in mine_alone | theirs_alone if mine_alone.get(name) != theirs_alone.get(name)}
    if found & {"media_description", "itunes_summary"}:
        found -= TEXTS
    if "id" in found and all(dict.get(one, "link") == dict.get(one, "id") for one in mine):
        found -= {"link", "links"}  # the guid that stands for a link
    return found - MEANT


@pytest.mark.shared_data
def test_entries_are_equal_over_every_feed_of_the_data() -> None:
    count, differing = 0, {}
    for name, body in feed_documents():
        seen = recognise(body)
        if seen.kind == "xml":
            count += 1
            if found := differences(body):
                differing[name] = found
    assert count > 2500
    assert differing == {
        # xmlns twice on one element, in feedparser's text
        "feedparser/tests/wellformed/namespace/atomsvg.xml": {"content", "summary"},
        "feedparser/tests/wellformed/namespace/atomxlink.xml": {"content", "summary"},
        # a control character, an entity of HTML and junk behind the end: mended, and then read strictly
        "gofeed/testdata/parser/rss/rss_channel_item_illegal_char.xml": {"title", "title_detail"},
        "realworld/3d13901a267083a8.xml": {"title", "title_detail"},
        "realworld/b0e71155ca8a590c.xml": {"post-id"},
        # RFC 4685's namespace is known
        "realworld/5ed17a0a9f7ca1ed.xml": {"links"},
        "realworld/e2a6e6f09c14fcdb.xml": {"links"},
        # the id of a source, as written
        "lemon24/tests/data/full.atom": {"source"},
        # the id that stands for a link, as written
        "feedparser/tests/wellformed/node_precedence/atom10_id.xml": {"link"},
        # an address of another network beside the link
        "gofeed/testdata/parser/rss/rss_channel_item_uri_at_protocol.xml": {"link", "links"},
        # broken off: an entry that does not stand whole is left out
        "fastfeedparser/tests/integration/osm-pl.xml": {"number of entries"},
        "feedparser/tests/illformed/rss_incomplete_cdata.xml": {"number of entries"},
        # prefixes that nobody declared
        "fastfeedparser/tests/integration/malformed_rss_namespaced.xml": {"number of entries"},
    }


RSS = b"""<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/" xml:base="http://b.example/x/" xml:lang="de">
<channel><title>T</title><language>en</language><ttl>30</ttl><image><url>/i.png</url><title>I</title></image>
<item><title>A &amp;amp; B</title><link>one</link><guid isPermaLink="false">x</guid><dc:creator>Ann</dc:creator>
<category domain="d">c</category><pubDate>Mon, 02 Nov 2026 10:00:00 GMT</pubDate><author>a@b.org (Bo)</author>
<description>&lt;p>one&lt;/p></description><enclosure url="e.mp3" length="1" type="audio/mpeg"/></item>
<item xml:base="sub/"><title>plain</title><link>two</link><description>3 &lt; 4</description></item>
</channel></rss>"""
ATOM = b"""<a:feed xmlns:a="http://www.w3.org/2005/Atom" xmlns="http://www.w3.org/1999/xhtml">
<a:title type="html">T &amp;amp; T</a:title>
<a:entry><a:id>http://i.example/1</a:id><a:title type="text">1 &lt; 2</a:title><a:link href="rel" rel="alternate"/>
<a:content type="xhtml"><div>see <b>this</b> &amp; that</div></a:content>
<a:updated>2026-11-02T10:00:00Z</a:updated></a:entry>
<a:entry><a:id>http://i.example/2</a:id><a:summary>&lt;i></a:summary><a:source><a:title>S</a:title></a:source></a:entry>
</a:feed>"""
RDF = b"""<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/">
<channel rdf:about="http://c.example/"><title>C</title><items><rdf:Seq><rdf:li resource="http://c.example/1"/></rdf:Seq></items></channel>
<item rdf:about="http://c.example/1"><title>one</title><link>http://c.example/1</link></item></rdf:RDF>"""


@pytest.mark.parametrize("body", [RSS, ATOM, RDF], ids=["rss", "atom with prefixes", "rdf"])
def test_entries_and_feed_are_equal_on_samples(body: bytes) -> None:
    assert differences(body) == set()
    mine = {name: value for name, value in ours(body).feed.items() if not name.startswith(("desk_", "podcast_"))}
    assert mine == dict(theirs(body).feed)


def test_markup_with_the_name_of_an_element_of_feeds_stays_markup() -> None:
    body = b"""<feed xmlns="http://www.w3.org/2005/Atom"><entry><title>one</title><content type="xhtml">
<div xmlns="http://www.w3.org/1999/xhtml"><details><summary>more</summary>text</details></div></content></entry>
<entry><title>two</title><summary>short</summary></entry></feed>"""
    first, second = ours(body).entries
    assert first["content"][0]["value"] == "<details><summary>more</summary>text</details>"
    assert (first["title"], second["title"], second["summary"]) == ("one", "two", "short")


def test_what_was_read_is_no_cyclic_garbage() -> None:
    gc.collect()
    gc.disable()
    try:
        ours(RSS)
        assert [one for one in gc.get_objects() if type(one) is StrictParser] == []  # others are asked nothing
    finally:
        gc.enable()
