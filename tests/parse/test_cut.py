"""The cut: items found by their bytes, or not at all; and the same entries whatever is left out."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from feeds.errors import ParseError
from feeds.parse import parse
from feeds.parse.cut import Cut, cut
from feeds.parse.fields import MAX_ENTRIES
from feeds.parse.kinds import read_prolog

URL = "http://feeds.example.org/index.xml"


def cut_of(body: bytes) -> Cut | None:
    prolog = read_prolog(body)
    assert prolog is not None
    return cut(body, prolog)


def items(body: bytes) -> list[bytes] | None:
    found = cut_of(body)
    return None if found is None else [body[first:last] for first, last in found.ranges]


ONE, TWO = b"<item><title>1</title></item>", b"<item a='>'><title>2</title></item >"

CUT = {
    "rss": (b"<rss><channel><title/>" + ONE + b"\n" + TWO + b"</channel></rss>", [ONE, TWO]),
    "rdf, items outside of the channel": (
        b"<rdf:RDF><channel><items/></channel>" + ONE + TWO + b"</rdf:RDF>",
        [ONE, TWO],
    ),
    "a longer name": (b"<rss><items><itemx/></items>" + ONE + b"</rss>", [ONE]),
    "atom": (b"<feed><entry>1</entry><entry/></feed>", [b"<entry>1</entry>", b"<entry/>"]),
    "atom with a prefix": (b"<a:feed><a:entry>1</a:entry></a:feed>", [b"<a:entry>1</a:entry>"]),
    "a prefix for items": (b"<rdf:RDF><rss:item>1</rss:item></rdf:RDF>", [b"<rss:item>1</rss:item>"]),
    "capitals": (b"<CHANNEL><ITEM HREF='x'>1</ITEM></CHANNEL>", [b"<ITEM HREF='x'>1</ITEM>"]),
    "CDATA with an end and a beginning": (
        b"<rss><item><![CDATA[</item><item>]]></item></rss>",
        [b"<item><![CDATA[</item><item>]]></item>"],
    ),
    "a comment with an end": (b"<rss><item><!-- </item> -->1</item></rss>", [b"<item><!-- </item> -->1</item>"]),
    "a comment with an item": (b"<rss><!--" + ONE + b"-->" + TWO + b"<!-- <item> --></rss>", [TWO]),
    "an instruction with an end": (b"<rss><item><?x </item>?>1</item></rss>", [b"<item><?x </item>?>1</item>"]),
    "an attribute with an end of tag": (
        b"<rss><item a=\"/>\" b='>'>1</item></rss>",
        [b"<item a=\"/>\" b='>'>1</item>"],
    ),
    "none": (b"<rss><channel><title>x</title></channel></rss>", []),
    "something between": (b"<rss>" + ONE + b"<x/>" + TWO + b"<title>T</title></rss>", [ONE, TWO]),
}


@pytest.mark.parametrize(("body", "expected"), CUT.values(), ids=CUT)
def test_items_are_found(body: bytes, expected: list[bytes]) -> None:
    assert items(body) == expected


UNSURE = {
    "an item in an item": b"<rss><item><item>1</item></item></rss>",
    "an end too many": b"<rss><item>1</item></item></rss>",
    "no end": b"<rss><item>1</item><item>2",
    "a start tag that breaks off": b"<rss><item>1</item><item a='",
    "CDATA that never closes": b"<rss><item><![CDATA[ </item></rss>",
    "a comment that never closes": b"<rss><item>1</item><!-- </rss>",
    "two spellings": b"<rss><item>1</item><ITEM>2</ITEM></rss>",
    "two prefixes": b"<rss><item>1</item><a:item>2</a:item></rss>",
    "an entry in RSS": b"<rss><item>1</item><entry>2</entry></rss>",
    "an entry alone in RSS": b"<rss><entry>2</entry></rss>",
    "a declaration": b"<rss><item><!ELEMENT a ANY></item></rss>",
}


@pytest.mark.parametrize("body", UNSURE.values(), ids=UNSURE)
def test_what_is_not_certain_is_not_cut(body: bytes) -> None:
    assert items(body) is None


def test_hashes_are_of_the_bytes_under_the_same_root() -> None:
    found = cut_of(b"<rss a='1'>" + ONE + TWO + ONE + b"</rss>")
    moved = cut_of(b"<rss a='1'> <title>new</title>" + TWO + ONE + b"</rss>")
    other = cut_of(b"<rss a='2'>" + ONE + b"</rss>")
    assert found is not None and moved is not None and other is not None
    assert found.hashes[0] == found.hashes[2] == moved.hashes[1]
    assert found.hashes[1] == moved.hashes[0]
    assert set(found.hashes).isdisjoint(other.hashes)


def test_equal_items_are_left_out_together() -> None:
    body = b'<rss version="2.0"><channel>' + ONE + TWO + ONE + b"</channel></rss>"
    whole = parse(body, url=URL)
    part = parse(body, url=URL, known_items=frozenset(whole.item_hashes[1:2]))
    assert [entry.position for entry in part.entries] == [0, 2]
    assert part.entries == (whole.entries[0], whole.entries[2])
    assert part.skipped == 1


def test_with_nothing_new_the_head_is_not_read() -> None:
    body = b'<rss version="2.0"><channel><title>T</title>' + ONE + b"</channel></rss>"
    known = frozenset(parse(body, url=URL).item_hashes)
    again = parse(body.replace(b">T<", b">U<"), url=URL, known_items=known)
    assert (again.kind, again.entries, again.skipped, again.head_parsed) == ("rss20", (), 1, False)
    assert again.item_hashes == tuple(known)


def test_a_feed_that_lost_its_items_is_read() -> None:
    known = frozenset(parse(b"<rss><channel>" + ONE + b"</channel></rss>", url=URL).item_hashes)
    empty = parse(b"<rss><channel><title>T</title></channel></rss>", url=URL, known_items=known)
    assert (empty.title, empty.entries, empty.skipped, empty.head_parsed) == ("T", (), 0, True)


def test_a_malformed_feed_is_never_read_in_parts_but_known_again() -> None:
    body = b"<rss><channel>" + ONE + b"<item><title>2</b></title></item></channel></rss>"
    whole = parse(body, url=URL)
    assert whole.warnings and len(whole.item_hashes) == len(whole.entries) == 2
    known = frozenset(whole.item_hashes)
    assert not parse(body, url=URL, known_items=known).head_parsed
    more = body.replace(b"<channel>", b"<channel><item><title>0</title></item>")
    again = parse(more, url=URL, known_items=known)
    assert not again.skipped and len(again.entries) == 3


def test_a_known_feed_that_gains_a_malformed_item_is_read_whole() -> None:
    body = b"<rss><channel>" + ONE + TWO + b"</channel></rss>"
    known = frozenset(parse(body, url=URL).item_hashes)
    again = parse(body.replace(b"<item>", b"<item><title>0</b></title></item><item>", 1), url=URL)
    part = parse(body.replace(b"<item>", b"<item><title>0</b></title></item><item>", 1), url=URL, known_items=known)
    assert part == again


def test_what_an_item_declares_holds_for_itself_alone() -> None:
    declaring = b'<item xmlns:p="urn:x"><title>1</title></item>'
    using = b'<item><title xmlns="urn:x">2</title></item>'
    body = b'<rss version="2.0"><channel>' + declaring + using + b"</channel></rss>"
    whole = parse(body, url=URL)
    part = parse(body, url=URL, known_items=frozenset(whole.item_hashes[:1]))
    assert part.skipped
    assert [entry.title.value for entry in whole.entries if entry.title] == ["1", "2"]
    assert part.entries == whole.entries[1:]


def test_of_too_many_items_the_first_are_read_and_known() -> None:
    many = [b"<item><title>%d</title></item>" % number for number in range(MAX_ENTRIES + 50)]
    body = b"<rss><channel>" + b"".join(many) + b"<title>T</title></channel></rss>"
    whole = parse(body, url=URL)
    assert len(whole.entries) == len(whole.item_hashes) == MAX_ENTRIES
    assert any("more than" in warning for warning in whole.warnings)
    part = parse(body, url=URL, known_items=frozenset(whole.item_hashes[1:]))
    assert [entry.title.value for entry in part.entries if entry.title] == ["0"]
    assert part.skipped and (part.title, part.warnings) == ("T", whole.warnings)


# --------------------------------------------------------------------------- properties

TEXT = st.text(st.sampled_from("ab <>&\"'é漢\n]-?!/"), max_size=12)


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


CHUNKS = st.one_of(
    TEXT.map(escaped),
    TEXT.map(lambda text: f"<![CDATA[{text.replace(']]>', '')}]]>"),
    st.sampled_from(["<![CDATA[</item>]]>", "<![CDATA[<item>]]>", "<![CDATA[</entry><entry>]]>", "<!-- </item> -->"]),
    st.sampled_from(
        ["<!-- <entry> -->", "<?p </item><item> ?>", "&amp;lt;b&amp;gt;", "&nbsp;", "&", "&colon;", "&#8217;"]
    ),
)
NAMES = [
    "title",
    "description",
    "summary",
    "content",
    "link",
    "guid",
    "id",
    "author",
    "dc:creator",
    "category",
    "updated",
]
NAMES += ["pubDate", "content:encoded", "source", "x:y", "image", "language", "media:description", "itunes:summary"]
ATTRIBUTES = st.sampled_from(
    ["", "", "", ' type="html"', ' type="xhtml"', " type='text'", ' href="a>b"', ' xml:base="sub/"', ' xml:lang="fr"']
    + [' xmlns:x="urn:x"', ' xmlns:y="urn:x"', ' xmlns="urn:x"', ' xmlns:dc="urn:other"', ' isPermaLink="false"']
)
MARKUP = st.sampled_from(
    ["<b>x</b>", "<div><p>x</p></div>", "<summary>s</summary>", "<title>t</title>", "<br/>", "<x:y/>"]
)
ELEMENTS = st.builds(
    lambda name, attributes, chunks: f"<{name}{attributes}>{''.join(chunks)}</{name}>",
    st.sampled_from(NAMES),
    ATTRIBUTES,
    st.lists(st.one_of(CHUNKS, MARKUP), max_size=3),
)
BROKEN = st.sampled_from(
    ["<b>", "</b>", "<title>", "<", "<![CDATA[", "<!--", "&bogus;", "\x0b", "<ITEM/>", "<a:entry/>", "<item>"]
)
BODIES = st.lists(st.one_of(ELEMENTS, CHUNKS), min_size=1, max_size=4).map("".join)
ODD_BODIES = st.lists(st.one_of(ELEMENTS, CHUNKS, BROKEN), min_size=1, max_size=4).map("".join)
ROOTS = {
    "rss": ('<rss version="2.0"{}><channel>', "</channel></rss>", "item"),
    "atom": ('<feed xmlns="http://www.w3.org/2005/Atom"{}>', "</feed>", "entry"),
    "prefixed": ('<a:feed xmlns:a="http://www.w3.org/2005/Atom"{}>', "</a:feed>", "a:entry"),
    "rdf": (
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"{}>'
        "<channel><title>C</title><items/></channel>",
        "</rdf:RDF>",
        "item",
    ),
}
DECLARED = (
    ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:content="http://purl.org/rss/1.0/modules/content/"'
    ' xmlns:x="urn:x"'
    ' xmlns:media="http://search.yahoo.com/mrss/" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"'
)


@st.composite
def documents(draw: st.DrawFn, bodies: st.SearchStrategy[str]) -> bytes:
    opening, closing, name = ROOTS[draw(st.sampled_from(sorted(ROOTS)))]
    declared = DECLARED + draw(
        st.sampled_from(["", ' xml:base="http://base.example/a/"', " xml:lang='de'", ' xml:base="/r/"'])
    )
    prolog = draw(st.sampled_from(["", "<!DOCTYPE rss [<!ENTITY own 'mine'>]>", "<!-- <item> -->", "<?x <entry>?>"]))
    parts = [
        opening.format(declared),
        draw(st.sampled_from(["", "<title>T</title>", "<!-- <item> -->", "<ttl>5</ttl>"])),
    ]
    for body in draw(st.lists(bodies, min_size=2, max_size=5)):
        attributes = draw(st.sampled_from(["", ' a="1>0"', ' xml:base="e/"', ' xml:lang="it"', ' xmlns:y="urn:y"']))
        between = draw(st.sampled_from(["", "\n", "<!-- between -->", "<category>feed</category>"]))
        parts.append(f"<{name}{attributes}>{body}</{name}>{between}")
    parts.append(closing)
    encoding = draw(st.sampled_from(["utf-8", "utf-8", "utf-16", "iso-8859-1", "gb18030", "utf-32-be", "utf-8-sig"]))
    declaration = f'<?xml version="1.0" encoding="{encoding.removesuffix("-sig").removesuffix("-be")}"?>'
    text = declaration + prolog + "".join(parts)
    return text.encode(encoding, "xmlcharrefreplace")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(documents(BODIES), st.data())
def test_leaving_items_out_changes_nothing_in_the_others(body: bytes, data: st.DataObject) -> None:
    left_out_changes_nothing(body, data)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(documents(ODD_BODIES), st.data())
def test_nor_does_it_in_documents_that_are_broken_in_any_way(body: bytes, data: st.DataObject) -> None:
    if data.draw(st.integers(0, 4)) == 0:
        body = body[: data.draw(st.integers(0, len(body)))]
    left_out_changes_nothing(body, data)


def left_out_changes_nothing(body: bytes, data: st.DataObject) -> None:
    try:
        whole = parse(body, url=URL)
    except ParseError:
        return
    if not whole.item_hashes:
        return
    known = frozenset(data.draw(st.sets(st.sampled_from(whole.item_hashes), max_size=len(whole.item_hashes))))
    part = parse(body, url=URL, known_items=known)
    expected = [entry for entry, one in zip(whole.entries, whole.item_hashes, strict=True) if one not in known]
    assert part.item_hashes == whole.item_hashes
    if part.head_parsed:
        assert replace(part, entries=(), skipped=0) == replace(whole, entries=(), skipped=0)
        assert list(part.entries) == (list(whole.entries) if not part.skipped else expected)
    else:
        assert expected == [] and part.skipped == len(whole.entries)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(documents(BODIES), documents(BODIES))
def test_an_item_is_known_again_in_another_version_of_its_feed(before: bytes, after: bytes) -> None:
    known = frozenset(parse(before, url=URL).item_hashes)
    part = parse(after, url=URL, known_items=known)
    whole = parse(after, url=URL)
    if part.skipped:
        expected = [entry for entry, one in zip(whole.entries, whole.item_hashes, strict=True) if one not in known]
        assert list(part.entries) == expected
