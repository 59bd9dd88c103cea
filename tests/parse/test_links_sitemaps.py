"""Sitemaps: addresses and news, safely."""

import pytest

from feeds.errors import ParseError
from feeds.parse import parse_sitemap
from feeds.parsed import Image

URL = "https://coast.example/sitemap.xml"
SPACES = (
    'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"'
    ' xmlns:image="http://www.google.com/schemas/sitemap-image/1.1"'
)
NEWS = f"""<?xml version="1.0" encoding="UTF-8"?>
<urlset {SPACES}>
<url><loc> https://coast.example/old </loc><lastmod>2024-06-01</lastmod></url>
<url><loc>https://coast.example/wall?a=1&amp;b=2</loc><lastmod>2024-06-20T08:00:00Z</lastmod>
 <news:news><news:publication><news:name>Coast Mirror</news:name><news:language>en</news:language></news:publication>
 <news:publication_date>2024-06-19T09:30:00+02:00</news:publication_date>
 <news:title><![CDATA[Wall & tide]]></news:title><news:keywords>walls, tides</news:keywords></news:news>
 <image:image><image:loc>https://coast.example/i.jpg</image:loc><image:caption>A wall</image:caption></image:image>
</url>
<url><priority>1</priority></url>
</urlset>"""


def test_a_news_sitemap_brings_entries_and_addresses_newest_first() -> None:
    feed = parse_sitemap(NEWS.encode(), url=URL)
    assert (feed.kind, feed.title) == ("sitemap", "Coast Mirror")
    assert feed.links == ("https://coast.example/wall?a=1&b=2", "https://coast.example/old")
    (entry,) = feed.entries
    assert entry.title is not None
    assert (entry.title.value, entry.title.type) == ("Wall & tide", "text")
    assert (entry.link, entry.published) == ("https://coast.example/wall?a=1&b=2", "2024-06-19T09:30:00+02:00")
    assert (entry.language, entry.publisher) == ("en", "Coast Mirror")
    assert [category.term for category in entry.categories] == ["walls", "tides"]
    assert entry.image == Image(url="https://coast.example/i.jpg", alt="A wall")


def test_an_index_lists_sitemaps_newest_first() -> None:
    index = (
        f"<sitemapindex {SPACES}><sitemap><loc>https://coast.example/1.xml</loc><lastmod>2023-01-01</lastmod></sitemap>"
        "<sitemap><loc>https://coast.example/2.xml</loc><lastmod>2024-01-01</lastmod></sitemap></sitemapindex>"
    )
    feed = parse_sitemap(index.encode(), url=URL)
    assert (feed.kind, feed.entries) == ("sitemapindex", ())
    assert [link.partition("T")[0] for link in feed.links] == [
        "https://coast.example/2.xml#2024-01-01",
        "https://coast.example/1.xml#2023-01-01",
    ]


def test_namespaces_prefixes_and_encodings_do_not_matter() -> None:
    odd = NEWS.replace("news:", "n:").replace("xmlns:n:", "xmlns:n").replace("xmlns:news", "xmlns:n")
    assert len(parse_sitemap(odd.replace("UTF-8", "UTF-16").encode("utf-16"), url=URL).entries) == 1
    assert parse_sitemap(b"<urlset><url><loc>https://a.example/1</loc></url></urlset>", url=URL).links


def test_a_text_of_addresses_is_a_sitemap() -> None:
    assert parse_sitemap(b"https://a.example/1\r\nhttps://a.example/2\n", url=URL).links == (
        "https://a.example/1",
        "https://a.example/2",
    )


@pytest.mark.parametrize(
    "body", [b"", b"plain words", b"<html><body>404</body></html>", b"{}", b"<rss version='2.0'><channel/></rss>"]
)
def test_what_is_no_sitemap_is_a_parse_error(body: bytes) -> None:
    with pytest.raises(ParseError) as caught:
        parse_sitemap(body, url=URL)
    assert caught.value.remedy


def test_a_sitemap_cut_short_brings_what_arrived() -> None:
    assert parse_sitemap(NEWS.encode()[:260], url=URL).links == ("https://coast.example/old",)


def test_no_entity_is_expanded_and_no_file_is_read() -> None:
    hostile = (
        '<!DOCTYPE urlset [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY f SYSTEM "file:///etc/passwd">]>'
        "<urlset><url><loc>https://a.example/&b;&f;</loc></url></urlset>"
    )
    (link,) = parse_sitemap(hostile.encode(), url=URL).links
    assert "root:" not in link
    assert "aaaaaaaaaaaaaaa" not in link


def test_the_number_of_addresses_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("feeds.parse.links.MAX_ADDRESSES", 500)
    addresses = b"".join(b"<url><loc>https://a.example/%d</loc></url>" % n for n in range(510))
    feed = parse_sitemap(b"<urlset>" + addresses + b"</urlset>", url=URL)
    assert (len(feed.links), len(feed.warnings)) == (500, 1)
