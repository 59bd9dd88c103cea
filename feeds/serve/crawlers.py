"""What machines ask by habit: robots.txt, terms, favicon, files of pages; is the desk alive and ready.
I/O: one read of the store for the key of IndexNow and for readiness.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from xml.etree import ElementTree

from flask import Blueprint, Response
from werkzeug.exceptions import NotFound

from feeds.configuration import Settings
from feeds.errors import StoreError
from feeds.frames import legal
from feeds.hub.messages import key_of
from feeds.serve.addresses import Addresses
from feeds.serve.representations import SCRIPTS_MAY_READ, finish
from feeds.serve.site import FOREVER, Asset, finish_text, respond_with, the_site
from feeds.serve.store_reader import BEHIND_S

bp = Blueprint("crawlers", __name__)

_DAY = "public, max-age=86400"
_STARTED = datetime.now(UTC).replace(microsecond=0)  # shipped files have no better time: they came with this process


@bp.get("/robots.txt")
def robots() -> Response:
    """Welcome everybody to what is published; search results and the admins' pages are not for crawlers."""
    snapshot = the_site().snapshot
    closed = [f"Disallow: {snapshot.addresses.local(path)}" for path in ("/search", "/status", "/metrics", "/unfiled")]
    terms = snapshot.desk.settings.licence_url
    maps = [f"Sitemap: {snapshot.addresses.public(path)}" for path in ("/sitemap.xml", "/sitemap-news.xml")]
    lines = [*([f"License: {terms}", ""] if terms else []), "User-agent: *", *closed, "", *maps]
    return respond_with(
        finish_text(
            "\n".join(lines) + "\n",
            media_type="text/plain; charset=utf-8",
            last_modified=snapshot.desk.accepted_at,
            cache_control=_DAY,
        )
    )


@bp.get("/licence.xml")
def licence() -> Response:
    """Say what machines may do with what is here (Really Simple Licensing 1.0), where config says it."""
    snapshot = the_site().snapshot
    if snapshot.desk.settings.licence_url is None:
        raise NotFound
    return respond_with(
        finish_text(
            licence_document(snapshot.desk.settings, snapshot.addresses),
            media_type="application/rsl+xml; charset=utf-8",
            last_modified=snapshot.desk.accepted_at,
            cache_control=_DAY,
            always_more=SCRIPTS_MAY_READ,
        )
    )


def licence_document(settings: Settings, addresses: Addresses) -> str:
    """Return the terms for everything below the desk's address."""
    terms = settings.licence
    root = ElementTree.Element("rsl", xmlns="https://rslstandard.org/rsl")
    content = ElementTree.SubElement(root, "content", url=addresses.public("/"))
    license = ElementTree.SubElement(content, "license")
    for name, usages in (("permits", terms.permits), ("prohibits", terms.prohibits)):
        if usages:
            ElementTree.SubElement(license, name, type="usage").text = " ".join(usages)
    if terms.permits:
        ElementTree.SubElement(license, "payment", type=terms.payment)
    for name, text in (("copyright", settings.copyright), ("terms", terms.terms)):
        if text:
            ElementTree.SubElement(content, name).text = legal(text)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


@bp.get("/<key>.txt")
def indexnow_key(key: str) -> Response:
    """Give the key that shows search engines that the desk itself told them of its pages (IndexNow)."""
    site = the_site()
    if not site.snapshot.desk.settings.publish.indexnow:
        raise NotFound
    with site.store.read() as tx:
        if key != key_of(tx.configs.desk_id()):
            raise NotFound
    return _line(key, 200)


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
