"""What machines ask by habit: robots.txt, news sitemap, favicon, files of pages; is the desk alive and ready.
I/O: one read of the store for the sitemap and for readiness.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

from flask import Blueprint, Response
from werkzeug.exceptions import NotFound

from feeds.dates import rfc3339
from feeds.errors import StoreError
from feeds.frames import legal
from feeds.model import Article
from feeds.serve.addresses import Addresses
from feeds.serve.representations import Finished, cache_control, finish
from feeds.serve.site import FOREVER, Asset, finish_text, respond_with, the_site
from feeds.serve.store_reader import BEHIND_S, Desk

bp = Blueprint("crawlers", __name__)

MAX_URLS = 1000
MAX_AGE_DAYS = 2
_SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
_NEWS = "http://www.google.com/schemas/sitemap-news/0.9"
_DAY = "public, max-age=86400"
_STARTED = datetime.now(UTC).replace(microsecond=0)  # shipped files have no better time: they came with this process


@bp.get("/robots.txt")
def robots() -> Response:
    """Welcome everybody to what is published; search results and the admins' pages are not for crawlers."""
    snapshot = the_site().snapshot
    closed = [f"Disallow: {snapshot.addresses.local(path)}" for path in ("/search", "/status", "/metrics", "/unfiled")]
    lines = ["User-agent: *", *closed, "", f"Sitemap: {snapshot.addresses.public('/sitemap-news.xml')}"]
    return respond_with(
        finish_text(
            "\n".join(lines) + "\n",
            media_type="text/plain; charset=utf-8",
            last_modified=snapshot.desk.accepted_at,
            cache_control=_DAY,
        )
    )


@bp.get("/sitemap-news.xml")
def sitemap() -> Response:
    """Give the articles of the last two days (sitemaps.org 0.9 with Google's news extension)."""
    site = the_site()
    snapshot = site.snapshot
    # By the minute, so that crawlers cannot make the store work; a new epoch brings retractions at once.
    minute = site.now().replace(second=0, microsecond=0)

    def prepare() -> Finished:
        articles = site.reader.published_after(minute - timedelta(days=MAX_AGE_DAYS), MAX_URLS)
        return finish_text(
            news_sitemap(articles, snapshot.desk, snapshot.addresses),
            media_type="application/xml; charset=utf-8",
            last_modified=max((article.updated for article in articles), default=snapshot.desk.accepted_at),
            cache_control=cache_control(snapshot.desk.settings),
        )

    return respond_with(site.once(("sitemap", snapshot.epoch, minute, snapshot.desk.version), prepare))


@bp.get("/favicon.ico")
def favicon() -> Response:
    """Give the icon for those who ask without having read the page."""
    return _asset(the_site().assets.plain("favicon.ico"), _DAY)


@bp.get("/static/<name>")
def static_file(name: str) -> Response:
    """Give a file of the pages; its name holds a hash of it, so it may be kept for ever."""
    asset = the_site().assets.by_served_name.get(name)
    if asset is None:
        raise NotFound
    return _asset(asset, FOREVER)


def _asset(asset: Asset, keep: str) -> Response:
    return respond_with(
        finish(
            bodies=asset.bodies,
            etag=asset.etag,
            last_modified=_STARTED,
            media_type=asset.media_type,
            cache_control=keep,
        )
    )


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


@bp.get("/healthz")
def alive() -> Response:
    """Say that this process answers; it asks nothing and nobody."""
    return _line("alive", 200)


@bp.get("/readyz")
def ready() -> Response:
    """Say that the store can be read now and that a config was accepted or something published; else 503.

    Whether sources are polled is said in a second line: documents are served all the same.
    """
    site = the_site()
    try:
        desk = site.reader.desk()
        published = bool(site.snapshot.finished)
    except StoreError:
        return _line("not ready: the store does not answer", 503)
    if desk is None and not published:
        return _line("not ready: no config accepted yet", 503)
    waits_s = 0.0
    with suppress(StoreError):
        with site.store.read() as tx:
            waits_s = tx.overview.waiting(site.now())[1]
    if waits_s > BEHIND_S:
        return _line(f"ready\nnobody polls, or not fast enough: a source has been due for {int(waits_s / 60)} min", 200)
    return _line("ready", 200)


def _line(text: str, status: int) -> Response:
    response = Response(text + "\n", status=status, content_type="text/plain; charset=utf-8")
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
