"""What crawlers and browsers ask for by habit: robots.txt, the news sitemap, favicon, the files of the pages.
I/O: one read of the store for the sitemap.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from flask import Blueprint, Response
from werkzeug.exceptions import NotFound

from feeds.serve.assets import FOREVER, Asset
from feeds.serve.representations import Finished, cache_control, finish
from feeds.serve.site import finish_text, respond_with, the_site
from feeds.serve.sitemap import MAX_AGE_DAYS, MAX_URLS, news_sitemap

bp = Blueprint("crawlers", __name__)

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
