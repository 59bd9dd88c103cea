"""The gate lets all through that is rendered, however wild, and nothing that is no valid entry or not safe."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from feeds.errors import RenderError
from feeds.frames import assemble
from feeds.model import FORMATS, Article, Format
from feeds.parsed import Enclosure, Place
from feeds.render import SectionContext, check_fragment, render_fragments, render_frame
from feeds.render.gate import check_frame
from feeds.render.unsafe import unsafe_markup
from tests.render.articles import (
    DESK,
    FEED_ID,
    NOW,
    SECTION,
    full_article,
    make_article,
    many,
    wild_articles,
    wild_sections,
)
from tests.render.documents import render_fragment
from tests.render.test_mediarss import episode
from tests.validator import errors

PLACE = Place(shape="point", points=((53.5, 9.9),), name="Hamburg")
FILES = (
    Enclosure(url="https://example.org/a.mp3", type="audio/mpeg", length_bytes=7, group=1, title="A", credit="Ann"),
    Enclosure(url="https://example.org/b.ogg", type="audio/ogg", bitrate_kbps=64.5, group=1, description="B"),
)
ARTICLES = (full_article(1), episode(2, enclosures=FILES, place=PLACE))


def refused(body: bytes, format: Format, uid: str) -> str | None:
    """Why the gate refuses a fragment; None where it lets it through."""
    try:
        check_fragment(body, format, uid)
    except RenderError as error:
        assert error.article_uid == uid
        return error.cause
    return None


def joined(body: bytes, format: Format) -> bytes:
    return assemble(
        render_frame(SECTION, format),
        [body],
        self_url=SECTION.url(format),
        alternate_url=SECTION.url(),
        title="World",
        updated=NOW,
        feed_id=FEED_ID,
    )


@pytest.mark.parametrize("format", FORMATS)
@given(articles=st.lists(wild_articles, min_size=1, max_size=3))
@many
def test_whatever_an_article_holds_its_entry_checks(format: Format, articles: list[Article]) -> None:
    for article, body in zip(articles, render_fragments(articles, format, desk=DESK), strict=True):
        assert refused(body, format, article.uid) is None


@pytest.mark.parametrize("format", FORMATS)
@given(section=wild_sections)
@many
def test_whatever_a_section_is_called_its_frame_checks(format: Format, section: SectionContext) -> None:
    render_frame(section, format)


STRAY = [b"x", b"-1", b"/a", b"javascript:x", b"&lt;script&gt;", b"<b/>", b""]


def changes(body: bytes, dice: random.Random) -> bytes:
    """*body* with one thing wrong: a piece lost, doubled, moved or exchanged for something of another place."""
    tokens = [at for at, byte in enumerate(body) if byte in b'<>"={}[],:/' or body[at : at + 1].isspace()]
    first, last = sorted(dice.sample(tokens, 2))
    piece = body[first:last]
    other = sorted(dice.sample(tokens, 2))
    return dice.choice(
        [
            body[:first] + body[last:],
            body[:last] + piece + body[last:],
            body[:first] + body[other[0] : other[1]] + body[last:],
            body[:first] + dice.choice(STRAY) + body[last:],
        ]
    )  # fmt: skip


@pytest.mark.parametrize("format", FORMATS)
@given(seed=st.integers(0, 2**32))
@many
def test_what_passes_the_gate_is_valid_by_the_specifications_however_it_was_damaged(format: Format, seed: int) -> None:
    dice = random.Random(seed)
    article = dice.choice(ARTICLES)
    body = render_fragment(article, format)
    for _ in range(20):
        damaged = changes(body, dice)
        if refused(damaged, format, article.uid) is None:
            assert errors(joined(damaged, format), format) == [], damaged


RSS: list[tuple[str, str]] = [
    ("<title>Tide &amp; time</title>", ""),
    ("<title>Tide &amp; time</title>", "<title>a</title><title>b</title>"),
    ("<title>Tide &amp; time</title>", "<title> </title>"),
    ("<link>https://example.org/1</link>", "<link>/1</link>"),
    ("<link>https://example.org/1</link>", ""),
    ('isPermaLink="false"', ""),
    ('isPermaLink="false"', 'isPermaLink="true"'),
    ("Wed, 04 Mar 2026", "4 March 2026"),
    ('length="77"', 'length="many"'),
    ('type="audio/mpeg"', 'type="mp3"'),
    ('<source url="https://agency.example/f">', '<source url="agency">'),
    ("<dc:language>de-AT<", "<dc:language>German, Austrian<"),
    ("<slash:comments>3<", "<slash:comments>three<"),
    ("<dc:publisher>", "<dc:house/><dc:publisher>"),
    ("<dc:publisher>", "stray words<dc:publisher>"),
    ("<dc:publisher>", "<!-- a remark --><dc:publisher>"),
    ("<dc:publisher>", '<script>alert(1)</script><dc:publisher>'),
    ("&lt;p&gt;They wait", "&lt;script&gt;alert(1)&lt;/script&gt;&lt;p&gt;They wait"),
    ("&lt;b&gt;ever", "&lt;b onclick=x&gt;ever"),
    ('fileSize="78"', 'fileSize="0"'),
    ("00:01:01", "a minute"),
    ("</item>", "</item><item/>"),
    ("<item>", "x<item>"),
]  # fmt: skip
ATOM: list[tuple[str, str]] = [
    ("<updated>2026-03-04T05:06:07Z</updated>", ""),
    ("<updated>2026-03-04T05:06:07Z</updated>", "<updated>2026-03-04</updated>"),
    ("<author><name>Ann Ä</name>", "<author>"),
    ("<id>urn:uuid:00000000-0000-4000-8000-000000000001</id>", ""),
    ("<id>urn:uuid:00000000-0000-4000-8000-000000000001</id>", "<id>urn:uuid:2</id>"),
    ('<link href="https://example.org/1" rel="alternate"/>', ""),
    (
        '<link href="https://example.org/1" rel="alternate"/>',
        '<link href="https://example.org/1" rel="alternate"/>' * 2,
    ),
    ('<content type="html">', '<content type="CDATA">'),
    ('href="https://via.example/1"', 'href="via"'),
    ('rel="related"', 'rel="friend"'),
    ("<id>tag:agency,2020:f</id>", "<id>agency</id>"),
    ("&lt;p&gt;They wait", "&lt;a href=javascript:x&gt;They wait"),
]
JSON: list[tuple[str, str]] = [
    ('"id":"urn:uuid:00000000-0000-4000-8000-000000000001"', '"id":7'),
    ('"url":"https://example.org/1"', '"url":"/1"'),
    ('"url":"https://example.org/1"', '"url":"https://example.org/1","url":"https://example.org/1"'),
    ('"date_published":"2026-03-04T05:06:07Z"', '"date_published":"yesterday"'),
    ('"date_published":"2026-03-04T05:06:07Z"', '"date_published":null'),
    ('"content_html"', '"content"'),
    ('"tags":["World","x"]', '"tags":[1]'),
    ('"size_in_bytes":77', '"size_in_bytes":"77"'),
    ('"mime_type":"audio/mpeg"', '"mime_type":"mp3"'),
    ('"name":"Bob"', '"nick":"Bob"'),
    ('"_wiredesk":{"source"', '"_wiredesk":[],"_x":{"source"'),
    ("<b>ever", "<iframe src='https://a.example'></iframe><b>ever"),
]
DAMAGED: list[tuple[Format, str, str]] = [
    *(("rss", old, new) for old, new in RSS),
    *(("atom", old, new) for old, new in ATOM),
    *(("json", old, new) for old, new in JSON),
]


@pytest.mark.parametrize(("format", "old", "new"), DAMAGED)
def test_an_entry_with_one_fault_is_refused(format: Format, old: str, new: str) -> None:
    article = full_article(1)
    body = render_fragment(article, format).decode()
    assert old in body
    cause = refused(body.replace(old, new, 1).encode(), format, article.uid)
    assert cause and cause.startswith(f"the {format} entry of {article.uid} does not check: ")


def test_an_entry_of_another_article_is_refused() -> None:
    for format in FORMATS:
        body = render_fragment(full_article(1), format)
        assert refused(body, format, full_article(2).uid)


@pytest.mark.parametrize("body", [b"", b"\x00", b"<", b"[]", b"null", b"{", b"\xff\xfe", b"<feed/>", b"<rss/>", b"{}"])
def test_anything_else_is_refused(body: bytes) -> None:
    for format in FORMATS:
        assert refused(body, format, "urn:uuid:1")
        with pytest.raises(RenderError):
            check_frame(body, format, "news")


def test_a_frame_with_a_fault_is_refused_and_named() -> None:
    with pytest.raises(
        RenderError,
        match="news/world.rss does not check: '/relative/news/world.rss' must be an address",
    ):
        render_frame(SectionContext(path="news/world", title="World", base_url="/relative"), "rss")
    with pytest.raises(RenderError, match="news/world.rss: .* rss/channel/webfeeds:accentColor says 'red'"):
        render_frame(replace(SECTION, path="news/world", colour="red"), "rss")


def test_sections_that_are_alike_share_a_frame_and_each_document_has_its_own_words() -> None:
    first, second = (replace(SECTION, path=path, title=path.title(), description="") for path in ("one", "sport"))
    for format in FORMATS:
        found = [render_frame(each, format) for each in (first, replace(first, path="two", title="Two"), second)]
        assert found[0] is found[1]
        assert (found[0] == found[2]) == (format != "rss")  # a podcast names its category


@pytest.mark.parametrize(
    "html",
    [
        "<SCRIPT>x</SCRIPT>",
        "<p onmouseover = 'x'>a</p>",
        '<a title="x" href=" javascript:x">a</a>',
        "<iframe src='https://a.example/'></iframe>",
        "<form action='https://a.example/'>",
        "<svg/onload=x>",
        "<img src='data:text/html,x'>",
        "<base href='https://a.example/'>",
    ],
)
def test_script_is_found_wherever_it_hides(html: str) -> None:
    for article in (make_article(content=html), make_article(summary=html, content="")):
        for format in FORMATS:
            (body,) = render_fragments([article], format, desk=DESK)
            assert refused(body, format, article.uid)


@pytest.mark.parametrize("html", ["<p>a onclick=1</p>", "<b>javascript: a tale</b>", "&lt;script&gt;", "<section>"])
def test_words_about_script_are_no_script(html: str) -> None:
    for format in FORMATS:
        render_fragment(make_article(content=html), format)


@pytest.mark.parametrize(
    ("markup", "unsafe"),
    [
        ('<img alt="How &lt;img src=x onerror=alert(1)&gt; works" src="https://x.example/i.jpg">', False),
        ('<img alt="How <img src=x onerror=alert(1)> works" src="https://x.example/i.jpg">', False),
        ('<p title="javascript:alert(1) and on load = x">The &lt;script&gt; tag</p>', False),
        ("<math><mi>x</mi></math>", False),
        ('<a href="https://x.example/?next=javascript:alert(1)">x</a>', False),
        ("<img/src='x'/onerror=alert(1)>", True),
        ("<p title='\"'onclick=alert(1)>x</p>", True),
        ('<a href="java&#10;script:alert(1)">x</a>', True),
        ('<a href="java\nscript:alert(1)">x</a>', True),
        ('<a href="javascri\t\r\npt:alert(1)">x</a>', True),
        ('<a href="&#106;avascript:alert(1)">x</a>', True),
        ("<SVG></SVG>", True),
        ("<svg/onload=alert(1)>", True),
        ("<form><input></form>", True),
    ],
)
def test_markup_is_judged_as_a_browser_reads_it(markup: str, unsafe: bool) -> None:
    assert bool(unsafe_markup(markup)) is unsafe
