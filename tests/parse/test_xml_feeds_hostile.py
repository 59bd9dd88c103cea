"""What a document can do to a parser: entities, depth, floods. Each ends soon, in entries or in a clear ParseError.

Sizes are such that what is quadratic would take minutes; the alarm is far from what any of these needs.
"""

import signal
import socket
from collections.abc import Iterator

import pytest

from feeds.errors import ParseError
from feeds.parse import parse
from feeds.parse.fields import (
    MAX_DEPTH_ELEMENTS,
    MAX_ENTRIES,
    MAX_FIELD_CHARACTERS,
    MAX_LIST_ITEMS,
    MAX_LOOSE_BYTES,
    MAX_SHORT_FIELD_CHARACTERS,
)
from feeds.parsed import ParsedFeed

URL = "http://feeds.example.org/index.xml"
LONGEST_S = 60
SIZE_BYTES = 250_000
HEAD, TAIL = b'<rss version="2.0"><channel><title>T</title>', b"</channel></rss>"
ITEM = b"<item><title>one</title><link>http://e.example/1</link></item>"


@pytest.fixture(autouse=True)
def alarm() -> Iterator[None]:
    def ring(*_: object) -> None:
        raise TimeoutError(f"longer than {LONGEST_S} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(LONGEST_S)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def read(body: bytes) -> ParsedFeed:
    return parse(body, url=URL)


def title(body: bytes) -> str:
    [entry] = read(body).entries
    assert entry.title is not None
    return entry.title.value


def flood(unit: bytes) -> bytes:
    return unit * (SIZE_BYTES // len(unit))


def with_entities(declared: bytes, reference: bytes, before: bytes = b"") -> bytes:
    return (
        b'<?xml version="1.0"?>' + before + b"<!DOCTYPE rss [" + declared + b"]>"
        b"<rss><channel><item><title>" + reference + b"</title></item></channel></rss>"
    )


LAUGHS = b'<!ENTITY a "ha">' + b"".join(
    b'<!ENTITY %c "%s">' % (name, b"&%c;" % (name - 1) * 10) for name in range(98, 107)
)


@pytest.mark.parametrize("before", [b"", b"<!-- <a> -->"], ids=["plain", "behind what looks like an element"])
def test_entities_of_entities_stay_references(before: bytes) -> None:
    assert title(with_entities(LAUGHS, b"&j;", before)) == "&j;"


def test_a_reference_in_disguise_is_no_entity() -> None:
    declared = b'<!ENTITY a "ha"><!ENTITY b "&#38;a;&#x0026;a;">'
    assert title(with_entities(declared, b"&b;")) == "&b;"


def test_entities_that_are_text_are_kept() -> None:
    declared = b"""<!ENTITY who "Ann &#233;"><!ENTITY quoted '"so"'>"""
    assert title(with_entities(declared, b"&who; &quoted;")) == 'Ann é "so"'


def test_a_long_entity_said_often_is_refused() -> None:
    declared = b'<!ENTITY a "' + b"x" * 10_000 + b'">'
    with pytest.raises(ParseError, match="entities that come to"):
        read(with_entities(declared, b"&a;" * 200))


def test_nothing_outside_of_the_document_is_opened(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hidden words")
    opened: list[object] = []
    monkeypatch.setattr(socket.socket, "connect", lambda *arguments: opened.append(arguments))
    uri = secret.as_uri().encode()
    declared = b'<!ENTITY a SYSTEM "' + uri + b'"><!ENTITY % p SYSTEM "http://127.0.0.1:9/x.dtd">%p;'
    for body in (
        with_entities(declared, b"&a;"),
        b'<!DOCTYPE rss SYSTEM "http://127.0.0.1:9/rss.dtd"><rss><channel><item><title>&a;</title></item></channel></rss>',
        b'<rss xmlns:xi="http://www.w3.org/2001/XInclude"><channel><item><title>&a;<xi:include href="' + uri + b'"/>'
        b"</title></item></channel></rss>",
    ):
        assert "hidden" not in str(read(body).entries)
    assert opened == []


def test_a_document_is_never_taken_for_a_name_of_a_file(tmp_path) -> None:
    feed = tmp_path / "feed.xml"
    feed.write_bytes(HEAD + ITEM + TAIL)
    for body in (str(feed).encode(), feed.as_uri().encode()):
        with pytest.raises(ParseError, match="neither XML nor JSON"):
            read(body)


def test_a_doctype_without_end_is_refused() -> None:
    with pytest.raises(ParseError, match="DOCTYPE"):
        read(b"<!DOCTYPE rss [" + flood(b'<!ENTITY a "b">') + HEAD + ITEM + TAIL)


DEEP = 150_000
NESTED = {
    "elements": HEAD + b"<item>" + b"<a>" * DEEP + b"</a>" * DEEP + b"</item>" + TAIL,
    "never closed": HEAD + b"<item>" + b"<a>" * DEEP,
    "items": HEAD + b"<item>" * DEEP,
    "markup in a text": b'<feed xmlns="http://www.w3.org/2005/Atom"><entry><content type="xhtml">'
    + b"<div>" * DEEP
    + b"</div>" * DEEP
    + b"</content></entry></feed>",
}


@pytest.mark.parametrize("body", NESTED.values(), ids=NESTED)
def test_depth_is_bounded(body: bytes) -> None:
    with pytest.raises(ParseError, match="deep"):
        read(body)


def test_depth_that_documents_need_is_allowed() -> None:
    deep = MAX_DEPTH_ELEMENTS - 10
    body = b'<feed xmlns="http://www.w3.org/2005/Atom"><entry><content type="xhtml">' + b"<div>" * deep + b"x"
    body += b"</div>" * deep + b"</content></entry></feed>"
    [entry] = read(body).entries
    assert entry.content is not None and entry.content.value.count("<div>") == deep - 1


def test_of_too_many_entries_the_first_are_read() -> None:
    for body in (HEAD + flood(b"<item/>") + TAIL, HEAD + b"<b>" + flood(b"<item/>") + TAIL):
        feed = read(body)
        assert len(feed.entries) == MAX_ENTRIES
        assert any("entries" in warning for warning in feed.warnings)


def test_fields_and_lists_are_cut_at_their_caps() -> None:
    long = b"x" * (MAX_FIELD_CHARACTERS + 10)
    body = HEAD + b"<item><title>t</title><guid>" + long + b"</guid><description>" + long + b"</description>"
    body += b"".join(b"<category>%d</category>" % number for number in range(MAX_LIST_ITEMS + 10))
    [entry] = read(body + b"</item>" + TAIL).entries
    assert entry.summary is not None and len(entry.summary.value) == MAX_FIELD_CHARACTERS
    assert entry.entry_id is not None and len(entry.entry_id) == MAX_SHORT_FIELD_CHARACTERS
    assert len(entry.categories) == MAX_LIST_ITEMS


def test_of_a_long_malformed_document_the_beginning_is_read() -> None:
    body = HEAD + ITEM + b"<b>" + b" " * MAX_LOOSE_BYTES + ITEM + TAIL
    feed = read(body)
    assert len(feed.entries) == 1
    assert any("bytes" in warning for warning in feed.warnings)


def test_too_many_namespaces_are_refused() -> None:
    body = HEAD + b"".join(b'<p%d:x xmlns:p%d="urn:%d"/>' % (n, n, n) for n in range(10_000)) + ITEM + TAIL
    with pytest.raises(ParseError, match="namespaces"):
        read(body)


FLOODS = {
    "authors of one letter and dots": HEAD + b"<item><author>" + flood(b"a.") + b"</author></item>" + TAIL,
    "comments that never close": HEAD + flood(b"<!--") + ITEM + TAIL,
    "CDATA that never closes": HEAD + b"<item>" + flood(b"<![CDATA[") + b"</item>" + TAIL,
    "instructions that never close": HEAD + flood(b"<?") + ITEM + TAIL,
    "comments before the root": flood(b"<!-- -->") + HEAD + ITEM + TAIL,
    "comments before an item": HEAD + flood(b"<!-- -->") + ITEM + TAIL,
    "CDATA in an item": HEAD + b"<item>" + flood(b"<![CDATA[x]]>") + b"</item>" + TAIL,
    "categories": HEAD + b"<item>" + flood(b"<category>x</category>") + b"</item>" + TAIL,
    "categories of the feed": HEAD + b"".join(b"<category>%d</category>" % n for n in range(20_000)) + ITEM + TAIL,
    "authors": HEAD + b"<item>" + flood(b"<author>a@b.example (c)</author>") + b"</item>" + TAIL,
    "less-than signs": HEAD + ITEM + flood(b"<") + TAIL,
    "ampersands": HEAD + b"<item><title>" + flood(b"&") + b"</title></item>" + TAIL,
    "unknown entities": HEAD + b"<item>" + b"".join(b"&e%d;" % n for n in range(50_000)) + b"</item>" + TAIL,
    "one attribute": HEAD + ITEM + b"<a " + flood(b'b="c" ') + b">" + TAIL,
    "quotes": HEAD + ITEM + b"<a b=" + flood(b'"'),
    "a root of attributes": b"<rss " + flood(b'a="b" '),
    "short tags": HEAD + ITEM + flood(b"<br/ ") + TAIL,
    "bases": HEAD + b"<item>" + flood(b'<x xml:base="a/../b/"/>') + b"</item>" + TAIL,
    "bytes of no charset": HEAD + b"<item><title>" + flood(b"\xff") + b"</title></item>" + TAIL,
    "a number of a character": HEAD + b"<item><title>&#" + flood(b"9") + b";</title></item>" + TAIL,
    "digits of a date": HEAD + b"<item><pubDate>" + flood(b"1:") + b"</pubDate></item>" + TAIL,
    "spaces in a date": HEAD + b"<item><pubDate>" + flood(b" ") + b"x</pubDate></item>" + TAIL,
    "markup in a title": HEAD + b"<item><title>" + flood(b"&lt;/b") + b"</title></item>" + TAIL,
    "letters": flood(b"x"),
    "zeros": flood(b"\0"),
    "HTML": b"<!doctype html>" + flood(b"<p>"),
    "brackets": flood(b"["),
    "a string that never closes": b'{"a":"' + flood(b'\\"'),
    "digits": b'{"version":"https://jsonfeed.org/version/1.1","items":[{"id":' + flood(b"9") + b"}]}",
    "objects": b'{"version":"https://jsonfeed.org/version/1.1","items":[' + flood(b'{"id":1},') + b"{}]}",
}


@pytest.mark.parametrize("body", FLOODS.values(), ids=FLOODS)
def test_floods_end_soon(body: bytes) -> None:
    try:
        feed = read(body)
    except ParseError as error:
        assert len(str(error)) < 500
    else:
        assert len(feed.entries) <= MAX_ENTRIES


DATES = ["0000-00-00T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:60Z", "Thu, 32 Jan 2026 25:61:61 GMT"]
DATES += ["-1", "99999-01-01", "Mon, 01 Jan 0001 00:00:00 GMT", "\u0662\u0660\u0662\u0666-01-01", "2026-02-30"]
DATES += [
    "Tue, 01 Jan 2026 00:00:00 +9999",
    "20260101T000000Z",
    "1e400",
    "Sat, 01 Jan 99999999999999999999 00:00:00 GMT",
]


@pytest.mark.parametrize("date", DATES)
def test_absurd_dates_are_kept_as_written(date: str) -> None:
    body = HEAD + f"<item><title>t</title><pubDate>{date}</pubDate></item>".encode() + TAIL
    [entry] = read(body).entries
    assert entry.published == date
