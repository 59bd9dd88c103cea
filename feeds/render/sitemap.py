"""The news sitemap: the desk's own pages of articles, for search engines. Pure.

sitemaps.org protocol 0.9 with the news extension: what is older than two days is left out, and what is over 1,000.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from lxml import etree

from feeds.dates import rfc3339
from feeds.model import Article
from feeds.render.tidy import headline, language, line

MOST = 1000
OLDEST = timedelta(days=2)
_SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
_NEWS = "http://www.google.com/schemas/sitemap-news/0.9"


def render_news_sitemap(
    articles: Iterable[Article], *, base_url: str, publication: str, desk_language: str, now: datetime
) -> bytes:
    """Return the sitemap of *articles*, newest first; those whose source wants no indexing are left out.

    It changes with *now* only when an article passes two days.
    """
    namespaces: Any = {None: _SITEMAP, "news": _NEWS}  # lxml's stubs do not know the default namespace
    root = etree.Element(f"{{{_SITEMAP}}}urlset", nsmap=namespaces)
    listed = {
        article.uid: article for article in articles if not article.noindex and now - OLDEST <= article.published <= now
    }
    for article in sorted(listed.values(), key=lambda article: (article.published, article.uid), reverse=True)[:MOST]:
        url = etree.SubElement(root, f"{{{_SITEMAP}}}url")
        etree.SubElement(url, f"{{{_SITEMAP}}}loc").text = f"{base_url}/article/{article.id}"
        news = etree.SubElement(url, f"{{{_NEWS}}}news")
        house = etree.SubElement(news, f"{{{_NEWS}}}publication")
        etree.SubElement(house, f"{{{_NEWS}}}name").text = line(publication)
        etree.SubElement(house, f"{{{_NEWS}}}language").text = news_language(article.language or desk_language)
        etree.SubElement(news, f"{{{_NEWS}}}publication_date").text = rfc3339(article.published)
        etree.SubElement(news, f"{{{_NEWS}}}title").text = headline(article)
    text: bytes = etree.tostring(root, encoding="UTF-8", xml_declaration=True)
    return text


def news_language(tag: str) -> str:
    """Return the code that the news extension takes: ISO 639 alone, but for two kinds of Chinese.

    >>> news_language("de-AT"), news_language("zh-Hant"), news_language("zh-CN"), news_language("?")
    ('de', 'zh-tw', 'zh-cn', 'en')
    """
    parts = (language(tag) or "en").lower().split("-")
    if parts[0] != "zh":
        return parts[0]
    return "zh-tw" if {"tw", "hk", "mo", "hant"} & set(parts) else "zh-cn"
