"""The news sitemap: what was published in the last two days (sitemaps.org 0.9, Google's news extension). Pure."""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree import ElementTree

from feeds.dates import rfc3339
from feeds.frames import legal
from feeds.model import Article
from feeds.serve.addresses import Addresses
from feeds.serve.reader import Desk

MAX_URLS = 1000
MAX_AGE_DAYS = 2
_SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
_NEWS = "http://www.google.com/schemas/sitemap-news/0.9"


def news_sitemap(articles: Iterable[Article], desk: Desk, addresses: Addresses) -> str:
    """Return the sitemap of *articles*, in their order; those whose source wants no indexing are left out.

    Addresses are those of the desk's own pages, since a sitemap may name none of another host.
    """
    ElementTree.register_namespace("news", _NEWS)
    root = ElementTree.Element("urlset", xmlns=_SITEMAP)
    for article in articles:
        if article.noindex:
            continue
        url = ElementTree.SubElement(root, "url")
        ElementTree.SubElement(url, "loc").text = addresses.public(f"/article/{article.id}")
        news = ElementTree.SubElement(url, f"{{{_NEWS}}}news")
        publication = ElementTree.SubElement(news, f"{{{_NEWS}}}publication")
        ElementTree.SubElement(publication, f"{{{_NEWS}}}name").text = legal(desk.settings.title)
        language = (article.language or desk.settings.language).lower()
        # The extension wants two or three letters, but for Chinese, where the script matters.
        if language not in ("zh-cn", "zh-tw"):
            language = language.partition("-")[0]
        ElementTree.SubElement(publication, f"{{{_NEWS}}}language").text = legal(language)
        ElementTree.SubElement(news, f"{{{_NEWS}}}publication_date").text = rfc3339(article.published)
        ElementTree.SubElement(news, f"{{{_NEWS}}}title").text = legal(article.title)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"
