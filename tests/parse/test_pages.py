"""Article pages: the text, and every fact from the most explicit statement of it."""

import json
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feeds.dates import parse_date
from feeds.errors import ParseError
from feeds.parse import parse_page
from feeds.parsed import Image, Origin, ParsedEntry, Person
from tests.development import archived, json_rows

URL = "https://www.coast.example/news/world/2024/06/harbour-wall-opens-after-nine-years"
TEXT = "\n".join(
    f"<p>{sentence}</p>"
    for sentence in (
        "The new wall keeps the old town dry at the highest spring tides, and it cost less than was feared at first.",
        "Engineers handed over the last section on Monday, a month ahead of plan, and the gates were closed once.",
        "The region carries half of the cost and the port the rest. A toll for large ships was dropped in the spring.",
    )
)


def page(head: str = "", before: str = "", after: str = "", lang: str = ' lang="en"') -> bytes:
    return (
        f"<!DOCTYPE html><html{lang}><head><meta charset='utf-8'><title>Harbour wall opens | Coast</title>{head}</head>"
        f"<body>{before}<article><h1>Harbour wall opens</h1>{TEXT}{after}</article></body></html>"
    ).encode()


def entry_of(body: bytes, url: str = URL) -> ParsedEntry:
    feed = parse_page(body, url=url, content_type="text/html; charset=utf-8")
    assert feed.kind == "page"
    return feed.entries[0]


def html_of(entry: ParsedEntry) -> str:
    assert entry.content is not None
    assert (entry.content.type, entry.content.base) == ("html", entry.base)
    return entry.content.value


def title_of(entry: ParsedEntry) -> str:
    assert entry.title is not None
    return entry.title.value


def json_ld(value: object) -> str:
    return f'<script type="application/ld+json">{json.dumps(value)}</script>'


ARTICLE = {
    "@context": "https://schema.org",
    "@type": "NewsArticle",
    "headline": "Harbour wall opens after nine years",
    "datePublished": "2024-06-19T09:30:00+02:00",
    "dateModified": "2024-06-20T08:00:00Z",
    "author": [{"@type": "Person", "name": "Jane Doe", "url": "/people/jane"}, {"@type": "Person", "name": "John Roe"}],
    "articleSection": ["World"],
    "keywords": "walls, tides",
    "publisher": {"@type": "Organization", "name": "Coast Mirror"},
    "image": {"@type": "ImageObject", "url": "https://coast.example/i.jpg", "width": 1200, "height": "630"},
    "mainEntityOfPage": URL,
    "inLanguage": "en-GB",
}
CRUMBS = {
    "@type": "BreadcrumbList",
    "itemListElement": [
        {"@type": "ListItem", "position": 2, "item": {"@id": "/news", "name": "News"}},
        {"@type": "ListItem", "position": 1, "name": "Home"},
        {"@type": "ListItem", "position": 3, "name": "World"},
        {"@type": "ListItem", "position": 4, "name": "Harbour wall opens after nine years"},
    ],
}


def test_json_ld_states_the_facts() -> None:
    entry = entry_of(page(json_ld([ARTICLE, CRUMBS]), lang=""))
    assert title_of(entry) == "Harbour wall opens"  # as readers see it
    assert (entry.published, entry.updated) == ("2024-06-19T09:30:00+02:00", "2024-06-20T08:00:00Z")
    assert entry.authors == (Person(name="Jane Doe", url="/people/jane"), Person(name="John Roe"))
    assert entry.breadcrumb == ("News", "World")
    assert [category.term for category in entry.categories] == ["World", "walls", "tides"]
    assert entry.publisher == "Coast Mirror"
    assert entry.image == Image(url="https://coast.example/i.jpg", width=1200, height=630)
    assert (entry.language, entry.original_link, entry.link) == ("en-GB", URL, URL)


def test_json_ld_is_found_in_a_graph_and_survives_line_breaks() -> None:
    block = json_ld({"@graph": [{"@type": "WebPage", "name": "x"}, ARTICLE]}).replace("John Roe", "John\nRoe")
    assert entry_of(page(block)).authors[1] == Person(name="John Roe")


ODD = [
    "{",
    "[]",
    "null",
    "[" * 10_000,
    '{"@type": "NewsArticle", "author": 5, "image": [[]]}',
    '{"@type": ["NewsArticle", 1], "headline": {"a": 1}, "datePublished": []}',
]


@pytest.mark.parametrize("block", ODD)
def test_odd_json_ld_breaks_nothing(block: str) -> None:
    entry = entry_of(page(f'<script type="application/ld+json">{block}</script>'))
    assert title_of(entry) == "Harbour wall opens"


def test_metas_state_the_facts_where_json_ld_does_not() -> None:
    head = """
    <meta property="og:title" content="Harbour wall opens - Coast Mirror">
    <meta property="og:site_name" content="Coast Mirror">
    <meta property="og:description" content="It keeps the town dry.">
    <meta name="author" content="By Jane Doe and John Roe">
    <meta property="article:published_time" content="2024-06-19T09:30:00Z">
    <meta property="article:section" content="World">
    <meta property="article:modified_time" content="2024-06-20T09:30:00Z"><meta property="article:tag" content="walls">
    <meta property="og:image" content="https://coast.example/i.jpg"><meta property="og:image:width" content="800">
    <meta property="og:image:height" content="400px"><meta property="og:image:alt" content="A wall">
    <meta property="og:locale" content="en_GB"><meta name="robots" content="max-image-preview:large, NOINDEX">
    <link rel="canonical" href="/wall"><meta name="copyright" content="(c) Coast">
    """
    entry = entry_of(page(head, lang=""))
    assert title_of(entry) == "Harbour wall opens"
    assert entry.summary is not None
    assert entry.summary.value == "It keeps the town dry."
    assert entry.authors == (Person(name="Jane Doe"), Person(name="John Roe"))
    assert (entry.published, entry.updated) == ("2024-06-19T09:30:00Z", "2024-06-20T09:30:00Z")
    assert entry.image == Image(url="https://coast.example/i.jpg", width=800, height=400, alt="A wall")
    assert (entry.publisher, entry.language, entry.noindex) == ("Coast Mirror", "en_GB", True)
    assert entry.original_link == "https://www.coast.example/wall"
    assert [category.term for category in entry.categories] == ["World", "walls"]


def test_marks_in_the_page_state_the_facts_where_nothing_else_does() -> None:
    before = (
        '<nav class="breadcrumbs"><a href="/">Home</a> › <a href="/n">News</a> › <a href="/w">World</a></nav>'
        '<span class="byline">By Jane Doe</span><time datetime="2024-06-19T09:30:00Z">yesterday</time>'
    )
    entry = entry_of(page(before=before))
    assert entry.breadcrumb == ("News", "World")
    assert entry.authors == (Person(name="Jane Doe"),)
    assert entry.published == "2024-06-19T09:30:00Z"


HEADLINES = [
    ("<h1>Coast Storm wall opens after nine long years</h1>", "Storm wall opens after nine long years"),
    ("<h1>Mayor: storm walls will last a century</h1>", "Mayor: storm walls will last a century"),
    ("<h1>The Coast Mirror's very own morning briefing</h1>", "Storm wall opens after nine long years"),
]


@pytest.mark.parametrize(("shown", "title"), HEADLINES)
def test_the_headline_is_the_page_s_own_without_its_kicker(shown: str, title: str) -> None:
    body = page('<meta property="og:title" content="Storm wall opens after nine long years">')
    body = body.replace(b"<h1>Harbour wall opens</h1>", shown.encode())
    assert title_of(entry_of(body.replace(b"Harbour wall opens | Coast", b"Coast"))) == title


BYLINES = [
    ('<p class="byline">View all posts by Jane Doe</p>', ("Jane Doe",)),
    ('<p class="author">Veröffentlicht von Jane Doe Alle Artikel</p>', ("Jane Doe",)),
    ('<p class="author">Posted on</p><p class="author">John says</p><p class="author">Jane Doe</p>', ("Jane Doe",)),
    ("<p>By Jane Doe and John Roe | 19 June 2024</p>", ("Jane Doe", "John Roe")),
    ("<p>The harbour was built by Jane Doe</p>", ()),
]


@pytest.mark.parametrize(("line", "names"), BYLINES)
def test_bylines_name_people_and_nothing_else(line: str, names: tuple[str, ...]) -> None:
    body = page().replace(b"</h1>", f"</h1>{line}".encode())
    assert tuple(person.name for person in entry_of(body).authors) == names


def test_a_date_in_a_template_s_corner_is_found_and_none_is_guessed() -> None:
    lines = "".join(f"<p>Line {number} of the menu</p>" for number in range(14))
    corner = "<div class='news-info'>16.10.2021</div>"
    url = "https://www.coast.example/wall"
    assert parse_date(entry_of(page(after=lines + corner), url).published or "") == datetime(2021, 10, 16, tzinfo=UTC)
    assert entry_of(page(after=lines + "<p>Copyright 2021, in 14 languages</p>"), url).published is None


def test_a_page_inside_what_was_left_open_is_read() -> None:
    body = page().replace(b"<body>", b"<body><nav><a href='/'>Home</a>").replace(b"</body>", b"</nav></body>")
    assert "highest spring tides" in html_of(entry_of(body))


def test_control_characters_cost_no_text() -> None:
    body = page().replace(b"The new wall", b"The <b>new\x1d</b> wall")
    assert "spring tides" in html_of(entry_of(body))


def test_the_front_page_is_no_canonical_address() -> None:
    assert entry_of(page('<link rel="canonical" href="https://www.coast.example/">')).original_link is None


@pytest.mark.parametrize(
    ("head", "after", "origin"),
    [
        ('<meta name="syndication-source" content="https://www.shore.example/a">', "",
         Origin(name="shore.example", url="https://www.shore.example/a")),
        ('<meta name="original-source" content="https://shore.example/a">', "",
         Origin(name="shore.example", url="https://shore.example/a")),
        (json_ld({**ARTICLE, "isBasedOn": "https://shore.example/a"}), "",
         Origin(name="shore.example", url="https://shore.example/a")),
        ("", "<p>Source: Shore Times</p>", Origin(name="Shore Times")),
        ("", "<p><em>This article first appeared on <a href='#'>Shore Times</a>.</em></p>", Origin(name="Shore Times")),
        ("", "<p>(Reuters)</p>", Origin(name="Reuters")),
        ("", "", None),
    ],
)  # fmt: skip
def test_the_origin_is_whom_the_page_credits(head: str, after: str, origin: Origin | None) -> None:
    assert entry_of(page(head, after=after)).origin == origin


def test_structure_survives_and_furniture_does_not() -> None:
    after = (
        "<h2>What it can do</h2><ul><li>Hold back water at the harbour gates</li><li>Close within minutes</li></ul>"
        "<blockquote><p>Nobody will sleep less soundly because of this wall.</p></blockquote>"
        '<p>See <a href="/plan">the plan</a> for <strong>more</strong> of it and for all that follows.</p>'
        "<p>Advertisement</p><p>Also read: Another wall is planned</p><p>Share this article</p><p>Comments</p>"
        '<section id="comments"><p>Jo: I doubt that this wall holds what it promises to us.</p></section>'
        "<script>alert(1)</script><style>p{}</style><svg><p>x</p></svg><!-- <p>hidden</p> -->"
    )
    html = html_of(entry_of(page(after=after))).replace("\n", "")
    for part in ("<h2>What it can do</h2>", "<ul><li>Hold back", "<blockquote>", "<strong>more</strong>", "/plan"):
        assert part in html
    for gone in ("Advertisement", "Also read", "Share this", "I doubt", "alert", "hidden", "Harbour wall opens"):
        assert gone not in html


def test_text_broken_into_lines_is_text() -> None:
    rows = "\n".join("print('the wall keeps the old town dry at the highest of tides')" for _ in range(20))
    body = f"<html><body><article><h1>Wall</h1><pre>{rows}</pre></article></body></html>"
    assert "\nprint(" in html_of(entry_of(body.encode()))


def test_paragraphs_with_bullets_become_a_list() -> None:
    after = "<p>• Hold back four metres of <b>water</b></p><p>• Close within minutes of an alarm</p><p>It is done.</p>"
    html = html_of(entry_of(page(after=after))).replace("\n", "")
    assert "<ul><li>Hold back four metres of <strong>water</strong></li><li>Close within minutes" in html
    assert "<p>• only one</p>" in html_of(entry_of(page(after="<p>• only one</p><p>It is done by then, they say.</p>")))


def test_the_charset_is_found_in_the_page() -> None:
    body = page().decode().replace("charset='utf-8'", "charset='windows-1251'").replace("Harbour", "Мост")
    entry = parse_page(body.encode("cp1251"), url=URL, content_type="text/html").entries[0]
    assert title_of(entry) == "Мост wall opens"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"   ",
        b"<html></html>",
        b"<html><body><div id=app></div><script>go()</script></body></html>",
        b"\x00\x01\x02",
    ],
)
def test_a_page_without_an_article_is_a_parse_error(body: bytes) -> None:
    with pytest.raises(ParseError) as caught:
        parse_page(body, url=URL)
    assert caught.value.remedy


def test_a_page_that_is_too_large_is_a_parse_error() -> None:
    with pytest.raises(ParseError, match="more than"):
        parse_page(b"<p>" + b"x" * 6_000_000, url=URL)
    with pytest.raises(ParseError, match="too large"):
        parse_page(b"<b>x</b>" * 100_000, url=URL)


@pytest.mark.parametrize("nest", [b"<div>", b"<b>", b"<table><tr><td>", b"<ul><li>", b"<blockquote>", b"<span>"])
def test_deep_nesting_is_an_article_or_a_parse_error(nest: bytes) -> None:
    try:
        parse_page(nest * 3000 + b"words " * 100, url=URL)
    except ParseError as error:
        assert error.remedy


PARTS = ["<p>", "</p>", "<h1>", "words of it ", "<!--", "-->", "<script>", "</script>", "<a href='", "'>", "<ul>"]
PARTS += ["<li>", "<table>", "<td>", "&", "<meta property='og:title' content='x'>", "\x00", "<svg>", "<article>"]


@settings(deadline=None, max_examples=60)
@given(st.lists(st.sampled_from(PARTS), max_size=60))
def test_no_markup_breaks_it(parts: list[str]) -> None:
    try:
        parse_page("".join(parts).encode(), url=URL)
    except ParseError as error:
        assert str(error)


@pytest.mark.shared_data
def test_real_pages_yield_their_titles_and_texts(shared_data: Path) -> None:
    truth = {row["file"]: row for row in json_rows(shared_data / "extraction" / "fundus_truth.jsonl.gz")}
    pages = archived(shared_data / "extraction" / "fundus_html.tar.xz")
    titles = [
        " ".join(truth[name]["title"].split()) == title_of(parse_page(body, url=truth[name]["url"]).entries[0])
        for name, body in islice((page for page in pages if page[0] in truth), 20)
    ]
    assert len(titles) == 20
    assert sum(titles) >= 14
