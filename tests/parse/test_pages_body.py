"""The body of an article page: pictures and frames in it, what stands around it out of it, and all of it."""

import json

import pytest

from feeds.parse import parse_page

URL = "https://www.coast.example/news/wall-opens"
SAID = (
    "The new wall keeps the old town dry at the highest spring tides, and it cost less than was feared at first.",
    "Engineers handed over the last section on Monday, a month ahead of plan, and the gates were closed once.",
    "The region carries half of the cost and the port the rest. A toll for large ships was dropped in the spring.",
    "Fishermen had asked for a second lock; it will be built in the next year, if the council finds the money.",
)
TEXT = [f"<p>{sentence}</p>" for sentence in SAID]


def body_of(inside: str, head: str = "", title: str = "Harbour wall opens after nine years") -> str:
    page = f"<!DOCTYPE html><html lang=en><head><title>{title} | Coast</title>{head}</head><body>{inside}</body></html>"
    content = parse_page(page.encode(), url=URL, content_type="text/html; charset=utf-8").entries[0].content
    return content.value if content else ""


def article(*parts: str) -> str:
    return body_of(f"<main><article><h1>Harbour wall opens after nine years</h1>{''.join(parts)}</article></main>")


PICTURES = [
    '<figure><img src="/i.jpg" alt="Boat"><figcaption>A boat <b>leaves</b></figcaption></figure>',
    '<figure><a href="/i-large.jpg"><img src="/i.jpg" alt="Boat"></a><figcaption>A boat leaves</figcaption></figure>',
    '<figure class=x><picture><img src="/i.jpg"></picture><figcaption>A boat leaves</figcaption></figure>',
    '<div class="wp-caption"><img src="/i.jpg"><p class="wp-caption-text">A boat leaves</p></div>',
    '<div class="article-image"><img data-src="/i.jpg"><span class="image__caption">A boat leaves</span></div>',
    '<div class="picBox full"><a href="#"><img src="/i.jpg"></a><p>A boat leaves</p></div>',
]


@pytest.mark.parametrize("picture", PICTURES)
def test_a_picture_keeps_its_place_and_its_caption_apart_from_the_text(picture: str) -> None:
    html = article(TEXT[0], picture, *TEXT[1:])
    before, _, behind = html.partition("<figure")
    figure = behind.partition("</figure>")[0]
    assert SAID[0] in before and SAID[1] in behind
    assert "/i.jpg" in figure
    assert "<figcaption>A boat leaves</figcaption>" in figure
    assert html.count("A boat leaves") == 1


def test_pictures_within_and_between_paragraphs_stay_and_icons_do_not() -> None:
    html = article(
        TEXT[0],
        '<p>Here <img src="/inline.png" alt="a sketch"> stands a sketch of the wall as it was first drawn in 1987.</p>',
        '<div><a href="/large.jpg"><img src="/alone.jpg"></a></div>',
        '<img class="avatar" src="/face.jpg"><img src="/emoji/wave.png"><img src="/x.gif" width=1 height=1>',
        *TEXT[1:],
    )
    assert '<img src="/inline.png" alt="a sketch"> stands a sketch' in html
    assert "/alone.jpg" in html
    for small in ("/face.jpg", "/emoji/", "/x.gif"):
        assert small not in html


def test_frames_and_players_stay_and_advertising_does_not() -> None:
    html = article(
        TEXT[0],
        '<div class="video-embed"><iframe src="https://www.youtube.com/embed/abcdefghijk"></iframe></div>',
        TEXT[1],
        '<iframe src="https://ad.doubleclick.net/x"></iframe><iframe src="about:blank"></iframe>',
        '<video src="/film.mp4" controls></video>',
        *TEXT[2:],
    )
    assert 'src="https://www.youtube.com/embed/abcdefghijk"' in html
    assert "/film.mp4" in html
    assert "doubleclick" not in html and "about:blank" not in html


def test_a_page_in_linear_a_keeps_its_text() -> None:
    assert "\U00010600\U00010601" in article("<p>\U00010600\U00010601 is how the tablet begins.</p>", *TEXT)


def test_code_is_one_pre() -> None:
    html = article(*TEXT, "<pre><code>def f():\n    return 1</code></pre>")
    assert html.count("<pre") == 1
    assert "def f():\n    return 1" in html


def test_a_listing_in_a_figure_is_text() -> None:
    html = article(TEXT[0], "<figure class=highlight><pre>one = 1\ntwo = 2</pre></figure>", *TEXT[1:])
    assert "one = 1\ntwo = 2" in html


STANDFIRST = "It took nine years, three ministers and a storm; now the town sleeps behind eight metres of concrete"


@pytest.mark.parametrize(
    ("head", "above"),
    [
        (f'<meta name="description" content="{STANDFIRST}.">', f"<p>{STANDFIRST}.</p>"),
        (f'<meta property="og:description" content="{STANDFIRST[:80]}…">', f"<div><span>{STANDFIRST}.</span></div>"),
        ("", f'<div class="article__standfirst">{STANDFIRST}.</div>'),
        ("", f'<h2 class="subtitle">{STANDFIRST}</h2>'),
    ],
)
def test_a_standfirst_above_the_text_is_its_beginning(head: str, above: str) -> None:
    inside = f"<header><h1>Harbour wall opens after nine years</h1>{above}</header>"
    html = body_of(f"{inside}<div class='article-body'>{''.join(TEXT)}</div>", head)
    assert html.index(STANDFIRST) < html.index(SAID[0])
    assert html.count(STANDFIRST) == 1


def test_a_teaser_below_is_no_standfirst() -> None:
    below = '<aside><div class="excerpt">Another wall is planned in the west, the council said on Friday.</div></aside>'
    html = body_of(f"<article><h1>Harbour wall opens after nine years</h1>{''.join(TEXT)}</article>{below}")
    assert "Another wall" not in html


TEASERS = [
    '<p><a href="/news/other">Another wall is planned in the west of the town</a></p>',
    '<p><strong>Storms:</strong> <a href="https://www.coast.example/b">Another wall is planned in the west</a></p>',
    '<ul><li><a href="/b">Another wall is planned in the west</a></li><li><a href="/c">Why tides rise</a></li></ul>',
    '<div class="related-box"><h3>More on this</h3><p>Another wall is planned in the west.</p></div>',
    '<div class="newsletter-signup"><p>Another wall is planned: have our letter in your inbox.</p></div>',
    '<h3><a href="/news/other">Another wall is planned in the west of the town</a></h3>',
]  # fmt: skip


@pytest.mark.parametrize("teaser", TEASERS)
def test_teasers_of_other_articles_go(teaser: str) -> None:
    html = article(*TEXT[:2], teaser, *TEXT[2:])
    assert "Another wall" not in html
    assert all(sentence in html for sentence in SAID)


@pytest.mark.parametrize(
    "kept",
    [
        '<p><a href="https://elsewhere.example/report">The report of the auditors, in full, as a document</a></p>',
        '<p><a href="https://www.coast.example/petition">https://www.coast.example/petition-for-a-second-lock</a></p>',
        '<p>All of it stands in <a href="/plan">the plan that the council passed last spring</a>, and more.</p>',
    ],
)
def test_links_that_are_part_of_the_article_stay(kept: str) -> None:
    assert "</a>" in article(*TEXT[:2], kept, *TEXT[2:])


def test_headline_kicker_byline_and_date_above_the_text_go() -> None:
    head = json.dumps({"@type": "NewsArticle", "headline": "Harbour wall opens after nine years", "author": "Jane Doe"})
    html = body_of(
        "<article><p>Coast and sea</p><h2>Harbour wall opens after nine years</h2><p>Jane Doe, 19 June 2024</p>"
        f"{''.join(TEXT)}</article>",
        f'<script type="application/ld+json">{head}</script>',
    )
    assert html.startswith(f"<p>{SAID[0]}")


def test_an_article_in_sibling_containers_is_read_whole() -> None:
    parts = "".join(
        f'<div class="row"><div class="articleBody">{part}</div><div class=ad></div></div>' for part in TEXT * 3
    )
    html = body_of(f"<h1>Harbour wall opens after nine years</h1><div class=page>{parts}</div>")
    assert all(sentence in html for sentence in SAID)


def test_what_a_page_gives_in_json_ld_alone_is_its_text() -> None:
    said = "\n\n".join(SAID * 3)
    head = json.dumps({"@type": "NewsArticle", "headline": "Harbour wall opens after nine years", "articleBody": said})
    inside = "<h1>Harbour wall opens after nine years</h1><div id=app><p>Loading, please wait.</p></div>"
    html = body_of(inside, f'<script type="application/ld+json">{head}</script>')
    assert html.count(f"<p>{SAID[1]}</p>") == 3


def test_comments_are_not_taken_for_a_short_article() -> None:
    short = "<p>Rain on the harbour wall tonight, and it holds: nine years of work were not for nothing.</p>"
    said = "".join(
        f'<li class="comment"><p>{sentence} That is what I think of the harbour wall.</p></li>' for sentence in SAID * 4
    )
    html = body_of(f"<article><h1>Harbour wall holds</h1>{short}</article><ol class='comment-list'>{said}</ol>")
    assert "it holds" in html
    assert "That is what I think" not in html


def test_names_of_boxes_that_hold_the_text_mean_something_else() -> None:
    html = article(*(f'<div class="ad"><p>{sentence}</p></div>' for sentence in SAID * 3))
    assert html.count(SAID[0]) == 3
