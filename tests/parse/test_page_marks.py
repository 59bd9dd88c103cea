"""Headlines of pages: as readers see them, without the site's name and without kickers, and no word is cut."""

import json

import pytest

from feeds.parse import parse_page

TEXT = "<p>The new wall keeps the old town dry at the highest spring tides, and it cost less than was feared.</p>" * 4


def title_of(h1: str = "", title: str = "", head: str = "", url: str = "https://www.coast.example/a/b") -> str:
    page = f"<html><head><title>{title}</title>{head}</head><body><article>{h1}{TEXT}</article></body></html>"
    found = parse_page(page.encode(), url=url, content_type="text/html; charset=utf-8").entries[0].title
    return found.value if found else ""


def og(title: str) -> str:
    return f'<meta property="og:title" content="{title}">'


@pytest.mark.parametrize(
    "h1",
    [
        "<h1><span>Olympic games</span><span>Drinks go by boat to the centre</span></h1>",
        "<h1>Olympic games<br>Drinks go by boat to the centre</h1>",
        "<h1><div>Olympic games</div><div>Drinks go by boat to the centre</div></h1>",
        "<h1><small>Olympic games:</small> Drinks go by boat to the centre</h1>",
        "<h1>Drinks go by boat to the centre<span>What the council decided</span></h1>",
        '<h1><span class="kicker">Olympic games</span>Drinks go by boat to the centre</h1>',
        '<h2><span class="x">Olympic games</span><span class="y">Drinks go by boat to the centre</span></h2>',
    ],
)
def test_a_kicker_is_no_part_of_the_headline(h1: str) -> None:
    assert title_of(h1, "Drinks go by boat to the centre | Town Post") == "Drinks go by boat to the centre"


def test_a_kicker_that_nothing_tells_apart_has_a_blank_behind_it() -> None:
    h1 = "<h1><span>Olympic games</span><span>Drinks go by boat</span></h1>"
    assert title_of(h1) == "Olympic games Drinks go by boat"


def test_a_kicker_before_a_colon_goes_where_the_page_states_the_headline_without_it() -> None:
    h1 = "<h1>Olympic games: Drinks go by boat to the centre</h1>"
    assert title_of(h1, head=og("Drinks go by boat to the centre")) == "Drinks go by boat to the centre"
    assert title_of(h1, head=og("Olympic games: Drinks go by boat to the centre")).startswith("Olympic games: ")


@pytest.mark.parametrize(
    ("h1", "said"),
    [
        ('<h1><span class="cap">W</span>inter storm closes the pass</h1>', "Winter storm closes the pass"),
        ("<h1><span>W</span><span>inter storm closes the pass</span></h1>", "Winter storm closes the pass"),
        ("<h1><b>i</b>Phone and <i>Mac</i>: what is new</h1>", "iPhone and Mac: what is new"),
        ("<h1>The mayor<span>’s</span> long road to the west</h1>", "The mayor’s long road to the west"),
        ("<h1>Har&shy;bour wall opens at last</h1>", "Harbour wall opens at last"),
        ("<h1>H<sub>2</sub>O is what they fear</h1>", "H2O is what they fear"),
    ],
)
def test_a_word_is_never_cut(h1: str, said: str) -> None:
    assert title_of(h1) == said


@pytest.mark.parametrize(
    ("title", "head", "url"),
    [
        ("Harbour wall opens | Coast Mirror", "", "https://www.coast.example/a/b"),
        ("Harbour wall opens - brand eins online", "", "https://www.brandeins.example/a/b"),
        ("Harbour wall opens - Forum - brandeins.example", "", "https://www.brandeins.example/a/b"),
        ("Coast: Harbour wall opens", '<meta property="og:site_name" content="Coast">', "https://c.example/a"),
        ("Coast Mirror \u3163 Harbour wall opens", '<meta property="og:site_name" content="Coast Mirror">', "https://c.example/a"),
    ],
)  # fmt: skip
def test_the_name_of_the_site_is_no_part_of_it(title: str, head: str, url: str) -> None:
    assert title_of("", title, head, url) in ("Harbour wall opens", "Harbour wall opens - Forum")


@pytest.mark.parametrize(
    "logo",
    [
        '<h1><a href="/">Tides and times</a></h1>',
        "<h1>Coast Mirror</h1>",
        '<h1 class=logo><a href="https://www.coast.example/">X</a></h1>',
    ],
)
def test_a_heading_that_is_the_site_s_name_is_no_headline(logo: str) -> None:
    head = '<meta property="og:site_name" content="Coast Mirror">'
    assert (
        title_of(f"{logo}<h2>Harbour wall opens at last</h2>", "Harbour wall opens at last", head)
        == "Harbour wall opens at last"
    )


def test_entities_in_json_ld_are_read() -> None:
    said = json.dumps({"@type": "NewsArticle", "headline": "Walls &#8211; and what they cost us"})
    assert title_of(head=f'<script type="application/ld+json">{said}</script>') == "Walls – and what they cost us"


def test_a_heading_of_any_rank_that_is_a_part_of_the_title_is_the_headline() -> None:
    logo = '<h1><a href="https://www.coast.example/">Coast</a></h1>'
    title = "Coast » Archive of the blog » Harbour wall opens at last"
    assert (
        title_of(f"{logo}<h2>Categories</h2><h2>Harbour wall opens at last</h2>", title) == "Harbour wall opens at last"
    )


def test_a_heading_of_a_thousand_parts_is_bounded() -> None:
    assert len(title_of("<h1>" + "<span>ab cd</span>" * 1000 + "</h1>", "Harbour wall opens")) <= 400


def test_a_title_of_a_thousand_sections_is_bounded() -> None:
    assert title_of(title="The new wall keeps the old town dry" + " | Sea" * 1000).startswith("The new wall keeps")
