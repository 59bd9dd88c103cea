"""RFC 3229 deltas: only what is newer than the client's ETag, and the whole document wherever that is not certain."""

from __future__ import annotations

import gzip
import json
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.errors import ParseError
from feeds.frames import cut, legal
from feeds.model import FORMATS
from tests.serve.conftest import NOW, make_article, make_body, make_document, uid_of
from tests.serve.wsgi import ask


def ids_in(body: bytes, format: str) -> list[str]:
    if format == "json":
        return [item["id"] for item in json.loads(body)["items"]]
    return [one.text or "" for one in ElementTree.fromstring(body).iter() if one.tag.endswith("id")]


@pytest.fixture
def newer(reader):
    """The section went from sequence 7 to 9: one article came, another was corrected."""
    old = {format: reader.document("news/world", format) for format in FORMATS}
    reader.publish("news/world", [make_article(20), *(make_article(number) for number in range(1, 7))], sequence=9)
    reader.changed["news/world"] = {uid_of(20): 8, uid_of(3): 9, uid_of(99): 9}
    return old


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("suffix", ["", ".gz", ".br"])
def test_only_what_is_newer_than_any_coding_s_etag_comes(desk, newer, format, suffix):
    path = f"/news/world.{format}"
    got = ask(desk, path, a_im="feed", if_none_match=f'"{newer[format].etag}{suffix}"')

    assert (got.status, got.headers["im"]) == (226, "feed")
    assert ids_in(got.body, format) == [uid_of(20), uid_of(3)]
    assert got.headers["cache-control"] == "no-store, im"
    assert set(got.headers["vary"].split(", ")) == {"Accept-Encoding", "A-IM", "If-None-Match", "Sec-Fetch-Dest"}
    # With the delta the client has the document: its ETag is the document's.
    assert got.headers["etag"] == ask(desk, path).headers["etag"]
    assert ask(desk, path, a_im="feed", if_none_match=got.headers["etag"]).status == 304


def test_a_delta_is_coded_like_anything_else(reader, desk, newer):
    many = [make_article(number) for number in range(30, 38)]
    reader.publish("news/world", [*many, *(make_article(number) for number in range(1, 7))], sequence=17)
    reader.changed["news/world"] = {article.uid: 10 for article in many}
    asked = {"a_im": "feed", "if_none_match": f'"{newer["atom"].etag}"'}
    plain, coded = (
        ask(desk, "/news/world.atom", **asked),
        ask(desk, "/news/world.atom", accept_encoding="gzip", **asked),
    )
    assert (coded.status, coded.headers["content-encoding"]) == (226, "gzip")
    assert gzip.decompress(coded.body) == plain.body and coded.headers["etag"] != plain.headers["etag"]


@pytest.mark.parametrize(
    "asked",
    [
        {"a_im": "feed"},
        {"a_im": "feed", "if_none_match": '"unknown"'},
        {"a_im": "feed", "if_none_match": '"9-0123456789abcdef"'},  # this sequence, but other bytes
        {"a_im": "feed", "if_none_match": '"400-0123456789abcdef"'},  # ahead of the section
        {"a_im": "feed", "if_none_match": '"25-432a5e4a73a80"'},  # another server's form
        {"a_im": "vcdiff"},
        {"a_im": "feed;q=0"},
        {"a_im": "feeds"},
        {},
    ],
    ids=str,
)
def test_everything_else_gets_the_whole_document(desk, newer, asked):
    if "if_none_match" not in asked:
        asked = {**asked, **({"if_none_match": f'"{newer["atom"].etag}"'} if asked.get("a_im") != "feed" else {})}
    got = ask(desk, "/news/world.atom", **asked)
    assert (got.status, len(ids_in(got.body, "atom"))) == (200, 7)
    assert "im" not in got.headers and "A-IM" in got.headers["vary"]


def test_who_missed_more_than_is_looked_up_gets_the_whole_document(reader, desk, newer):
    reader.complete = False
    got = ask(desk, "/news/world.atom", a_im="feed", if_none_match=f'"{newer["atom"].etag}"')
    assert got.status == 200


def test_retracted_articles_come_as_tombstones_in_atom(reader, desk, newer):
    reader.withdrawn["news/world"] = [(9, uid_of(7), NOW), (3, uid_of(8), NOW)]
    got = ask(desk, "/news/world.atom", a_im="feed", if_none_match=f'"{newer["atom"].etag}"')
    assert got.body.count(b"deleted-entry") == 1 and uid_of(7).encode() in got.body


def test_a_delta_is_put_together_once_for_all_who_saw_the_same(reader, desk, newer):
    asked = {"a_im": "feed", "if_none_match": f'"{newer["rss"].etag}"'}
    first = ask(desk, "/news/world.rss", **asked)
    reader.asked.clear()
    assert ask(desk, "/news/world.rss", **asked) == first
    assert "since" not in reader.asked


@pytest.mark.parametrize("format", FORMATS)
@given(titles=st.lists(st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=20), max_size=6))
def test_the_pieces_of_a_document_are_the_document(format, titles):
    hostile = [*titles, "</item><item>", "</entry>", '"items":[', "]}"]
    articles = [make_article(number, title=legal(title)) for number, title in enumerate(hostile)]
    document = make_document("x", format, make_body("x", format, articles), 1, tuple(one.uid for one in articles))
    pieces = cut(document)
    assert pieces.head + pieces.separator.join(pieces.entries) + pieces.tail == document.body
    assert all(uid.encode() in entry for uid, entry in zip(document.article_uids, pieces.entries, strict=True))


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"items":{}}', b'{"a":1}', b'{"items":[1 2]}', b'{"items":[1'])
def test_json_that_is_no_feed_is_refused(body):
    with pytest.raises(ParseError):
        cut(make_document("x", "json", body, 1, ("a", "b")))


@pytest.mark.parametrize("body", [b"", b"<rss>", b"<rss><channel><item/>text<item/><item/></channel></rss>", b"<rss/>"])
def test_xml_that_is_no_feed_is_refused(body):
    with pytest.raises(ParseError):
        cut(make_document("x", "rss", body, 1, ("a", "b", "c")))
