"""Front pages: the articles that they link, and nothing else."""

import pytest

from feeds.errors import ParseError
from feeds.parse import parse_listing

URL = "https://www.coast.example/world"
HEADLINE = "Harbour wall opens after nine years of work"


def links_of(html: str) -> tuple[str, ...]:
    return parse_listing(html.encode(), url=URL, content_type="text/html").links


def article(path: str, text: str = HEADLINE) -> str:
    return f'<article><h2><a href="{path}">{text}</a></h2></article>'


def test_articles_are_found_in_page_order_each_once() -> None:
    html = (
        '<a href="/world/harbour-wall-opens-after-nine-years"><img src="x.jpg"></a>'
        + article("/world/harbour-wall-opens-after-nine-years?utm_source=front#top")
        + article("/2024/06/19/tide-and-time-wait", "Tide and time wait for no one")
    )
    assert links_of(html) == (
        "https://www.coast.example/world/harbour-wall-opens-after-nine-years",
        "https://www.coast.example/2024/06/19/tide-and-time-wait",
    )


@pytest.mark.parametrize(
    "link",
    ["/", "/world", "#top", "/tag/harbour-walls-and-gates", "/author/jane-doe-of-the-port", "/login?next=a-long-slug",
     "/about-us", "mailto:desk@coast.example", "javascript:void(0)", "/files/harbour-wall-opens-after-nine.pdf",
     "https://elsewhere.example/harbour-wall-opens-after-nine-years", "https://coast.example.evil.example/a-b-c-d-e",
     "/privacy", "/newsletters/the-daily-harbour-wall-letter", ""],
)  # fmt: skip
def test_what_is_no_article_of_this_site_is_left_out(link: str) -> None:
    good = article("/world/harbour-wall-opens-after-nine-years")
    assert links_of(article(link) + good) == ("https://www.coast.example/world/harbour-wall-opens-after-nine-years",)


def test_menus_and_footers_hold_no_articles() -> None:
    menu = '<nav><a href="/news-from-the-world">News from the world</a></nav>'
    menu += '<footer><a href="/our-long-history-of-work">Our long history</a></footer>'
    assert len(links_of(menu + article("/world/harbour-wall-opens-after-nine-years"))) == 1


def test_sub_hosts_are_the_same_site_and_a_base_counts() -> None:
    html = '<base href="https://live.coast.example/x/">' + article("harbour-wall-opens-after-nine-years")
    assert links_of(html) == ("https://live.coast.example/x/harbour-wall-opens-after-nine-years",)


@pytest.mark.parametrize("suffix", ["blogspot.com", "asso.fr", "co.uk"])
def test_neighbours_under_a_public_suffix_are_other_sites(suffix: str) -> None:
    own = f"https://coast.{suffix}/harbour-wall-opens-after-nine-years"
    html = article(own) + article(f"https://other.{suffix}/harbour-wall-opens-after-nine-years")
    found = parse_listing(html.encode(), url=f"https://coast.{suffix}/", content_type="text/html")
    assert found.links == (own,)


@pytest.mark.parametrize("html", ["", "<p>no links here</p>", '<nav><a href="/about">About</a></nav>'])
def test_a_page_without_articles_is_a_parse_error(html: str) -> None:
    with pytest.raises(ParseError) as caught:
        links_of(html)
    assert caught.value.remedy
