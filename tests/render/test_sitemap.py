"""The news sitemap: two days, a thousand pages of the desk, nothing that must not be indexed."""

from __future__ import annotations

from datetime import timedelta

from lxml import etree

from feeds.model import Article
from feeds.render.sitemap import render_news_sitemap
from tests.render.articles import NOW, make_article

NS = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9", "n": "http://www.google.com/schemas/sitemap-news/0.9"}


def sitemap(*articles: Article) -> etree._Element:
    return etree.fromstring(
        render_news_sitemap(
            articles, base_url="https://wire.example.org", publication="The Wire", desk_language="en-GB", now=NOW
        )
    )


def test_each_page_is_told_with_publication_language_date_and_title() -> None:
    article = make_article(title="Tide & <time>", language="de-AT")
    (url,) = sitemap(article)
    assert url.findtext("s:loc", namespaces=NS) == f"https://wire.example.org/article/{article.id}"
    news = url.find("n:news", NS)
    assert news is not None
    assert news.findtext("n:publication/n:name", namespaces=NS) == "The Wire"
    assert news.findtext("n:publication/n:language", namespaces=NS) == "de"
    assert news.findtext("n:publication_date", namespaces=NS) == "2026-03-04T05:06:07Z"
    assert news.findtext("n:title", namespaces=NS) == "Tide & <time>"


def test_what_is_older_than_two_days_or_not_to_be_indexed_is_left_out() -> None:
    kept = make_article(1, published=NOW - timedelta(days=2))
    old = make_article(2, published=NOW - timedelta(days=2, seconds=1))
    early = make_article(3, published=NOW + timedelta(seconds=1))
    hidden = make_article(4, noindex=True)
    assert [url.findtext("s:loc", namespaces=NS)[-4:] for url in sitemap(kept, old, early, hidden)] == ["0001"]


def test_a_thousand_pages_newest_first_and_each_once() -> None:
    articles = [make_article(n, published=NOW - timedelta(seconds=n)) for n in range(1100)]
    locs = [url.findtext("s:loc", namespaces=NS) for url in sitemap(*articles, *articles)]
    assert len(locs) == len(set(locs)) == 1000
    assert locs[0] == f"https://wire.example.org/article/{articles[0].id}"


def test_an_empty_sitemap_is_a_document_too() -> None:
    assert len(sitemap()) == 0
