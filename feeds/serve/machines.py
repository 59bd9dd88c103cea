"""What programs ask beside feeds: robots.txt, terms, sitemaps, files of pages, whether the desk is well, and WebSub.
I/O: reads of the store, for sitemaps at most once a minute of each; WebSub writes in short transactions.

Sitemaps (sitemaps.org 0.9) name the desk's own pages alone, since one may name none of another host. What is in a month
is read by the numbers of its filings, so that no request looks at more than one file holds: 20,000 of a million
articles take 150 ms of CPU.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from flask import Blueprint, Response, request
from werkzeug.exceptions import NotFound

from feeds.configuration import Settings
from feeds.dates import rfc3339
from feeds.errors import StoreError
from feeds.hub import messages, subscribing
from feeds.hub.messages import Verdict, key_of
from feeds.model import Article
from feeds.serve.addresses import Addresses
from feeds.serve.admission import CALLBACKS, MAX_PUSH_BYTES
from feeds.serve.answers import Snapshot
from feeds.serve.representations import SCRIPTS_MAY_READ, Finished, put, xml_text
from feeds.serve.site import DAY, finish_text, plain_answer, respond_with, the_site
from feeds.serve.store_reader import BEHIND_S, Desk
from feeds.store.documents import Month

bp = Blueprint("crawlers", __name__)


@bp.get("/robots.txt")
def robots() -> Response:
    """Welcome everybody to what is published; search results and the admins' pages are not for crawlers."""
    snapshot = the_site().snapshot
    closed = [f"Disallow: {snapshot.addresses.local(path)}" for path in ("/search", "/status", "/metrics", "/unfiled")]
    terms = snapshot.settings.licence_url
    maps = [f"Sitemap: {snapshot.addresses.public(path)}" for path in ("/sitemap.xml", "/sitemap-news.xml")]
    lines = [*([f"License: {terms}", ""] if terms else []), "User-agent: *", *closed, "", *maps]
    return respond_with(finish_text("\n".join(lines) + "\n", "text/plain", cache_control=DAY))


@bp.get("/licence.xml")
def licence() -> Response:
    """Say what machines may do with what is here (Really Simple Licensing 1.0), where config says it."""
    snapshot = the_site().snapshot
    if snapshot.settings.licence_url is None:
        raise NotFound
    text = licence_document(snapshot.settings, snapshot.addresses)
    return respond_with(finish_text(text, "application/rsl+xml", cache_control=DAY, always_more=SCRIPTS_MAY_READ))


def licence_document(settings: Settings, addresses: Addresses) -> str:
    """Return the terms for everything below the desk's address."""
    terms = settings.licence
    root = ElementTree.Element("rsl", xmlns="https://rslstandard.org/rsl")
    content = put(root, "content", url=addresses.public("/"))
    license = put(content, "license")
    for name, usages in (("permits", terms.permits), ("prohibits", terms.prohibits)):
        if usages:
            put(license, name, " ".join(usages), type="usage")
    if terms.permits:
        put(license, "payment", type=terms.payment)
    for name, text in (("copyright", settings.copyright), ("terms", terms.terms)):
        if text:
            put(content, name, text)
    return xml_text(root)


@bp.get("/<key>.txt")
def indexnow_key(key: str) -> Response:
    """Give the key that shows search engines that the desk itself told them of its pages (IndexNow)."""
    site = the_site()
    if not site.snapshot.settings.publish.indexnow:
        raise NotFound
    with site.store.read() as tx:
        if key != key_of(tx.configs.desk_id()):
            raise NotFound
    return plain_answer(key)


@bp.get("/favicon.ico")
def favicon() -> Response:
    """Give the icon for those who ask without having read the page."""
    return respond_with(the_site().assets.icon)


@bp.get("/static/<name>")
def static_file(name: str) -> Response:
    """Give a file of the pages; its name holds a hash of it, so it may be kept for ever."""
    asset = the_site().assets.by_served_name.get(name)
    if asset is None:
        raise NotFound
    return respond_with(asset)


@bp.get("/healthz")
def alive() -> Response:
    """Say that this process answers; it asks nothing and nobody."""
    return plain_answer("alive")


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
        return plain_answer("not ready: the store does not answer", 503)
    if desk is None and not published:
        return plain_answer("not ready: no config accepted yet", 503)
    waits_s = 0.0
    with suppress(StoreError):
        with site.store.read() as tx:
            waits_s = tx.overview.waiting(site.now())[1]
    if waits_s > BEHIND_S:
        return plain_answer(
            f"ready\nnobody polls, or not fast enough: a source has been due for {int(waits_s / 60)} min"
        )
    return plain_answer("ready")


MAX_NEWS = 1000
MAX_AGEDAYS = 2
PART = 20_000
"""Filings in one file; sitemaps.org allows fifty thousand."""
_NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"
_NEWS = "http://www.google.com/schemas/sitemap-news/0.9"
_MONTH = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])(?:-([1-9][0-9]{0,3}))?")

Place = tuple[str, datetime | None]
"""An address, and when what is there changed last."""


@bp.get("/sitemap.xml")
def index() -> Response:
    """Name all the others."""
    snapshot = the_site().snapshot

    def places() -> list[Place]:
        changed = _last_changed(snapshot, "")
        months = [
            (month_path(month, part), month.changed_at)
            for month in reversed(_months())
            for part in range(1, _parts(month) + 1)
        ]
        return [("/sitemap-sections.xml", changed), ("/sitemap-news.xml", changed), *months]

    return _answer(("sitemap", "index", _minute()), snapshot, "sitemapindex", "sitemap", places)


@bp.get("/sitemap-sections.xml")
def sections() -> Response:
    """Give the pages of the desk and of its sections."""
    snapshot = the_site().snapshot

    def places() -> list[Place]:
        paths = ["", *(section.path for section in snapshot.desk.sections if section.path)]
        return [("/" + path, _last_changed(snapshot, path)) for path in paths]

    return _answer(("sitemap", "sections", _minute()), snapshot, "urlset", "url", places)


@bp.get("/sitemap-<name>.xml")
def month(name: str) -> Response:
    """Give the articles that were filed in a month, or a part of them."""
    asked = _MONTH.fullmatch(name)
    number, part = (int(asked[1] + asked[2]), int(asked[3] or 1)) if asked else (0, 1)
    found = next((one for one in _months() if one.month == number), None)
    if found is None or part > _parts(found) or asked is None or asked[3] == "1":
        raise NotFound
    snapshot = the_site().snapshot

    def places() -> list[Place]:
        first = found.first + (part - 1) * PART
        with the_site().store.read() as tx:
            articles = tx.sitemaps.listed(first, min(first + PART - 1, found.last))
        # A file has at least one address; the whole month may have been taken out since.
        return [(f"/article/{one.uid.removeprefix('urn:uuid:')}", one.updated) for one in articles] or [("/", None)]

    # What changes in a month changes *found*, but for what retention takes.
    return _answer(("sitemap", found, part, _minute().date()), snapshot, "urlset", "url", places)


def month_path(month: Month, part: int) -> str:
    """Return the path of a part of a month; the first is the month's own.

    >>> at = datetime(2026, 11, 1)
    >>> [month_path(Month(month=202611, first=1, last=9, changed_at=at), part) for part in (1, 2)]
    ['/sitemap-2026-11.xml', '/sitemap-2026-11-2.xml']
    """
    return f"/sitemap-{month.month // 100}-{month.month % 100:02}{f'-{part}' if part > 1 else ''}.xml"


def _minute() -> datetime:
    """The present by the minute, so that crawlers can't make the store work; a new epoch brings retractions at once."""
    return the_site().now().replace(second=0, microsecond=0)


def _months() -> list[Month]:
    with the_site().store.read() as tx:
        return list(tx.sitemaps.months())


def _parts(month: Month) -> int:
    return (month.last - month.first) // PART + 1


def _last_changed(snapshot: Snapshot, path: str) -> datetime | None:
    known = snapshot.document(path)
    return known.last_modified if known is not None else None


def _answer(
    key: tuple[object, ...], snapshot: Snapshot, root: str, element: str, places: Callable[[], list[Place]]
) -> Response:
    def prepare() -> Finished:
        listed = places()
        lines = [f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} xmlns="{_NAMESPACE}">']
        for path, changed in listed:
            at = f"<lastmod>{rfc3339(changed)}</lastmod>" if changed else ""
            lines.append(f"<{element}><loc>{escape(snapshot.addresses.public(path))}</loc>{at}</{element}>")
        changed = max((at for _, at in listed if at), default=None)
        return finish_text("\n".join([*lines, f"</{root}>\n"]), "application/xml", changed)

    return respond_with(the_site().once((*key, snapshot.epoch), prepare))


@bp.get("/sitemap-news.xml")
def news() -> Response:
    """Give the articles of the last two days (Google's news extension)."""
    site = the_site()
    snapshot = site.snapshot
    minute = _minute()

    def prepare() -> Finished:
        articles = site.reader.published_after(minute - timedelta(days=MAX_AGEDAYS), MAX_NEWS)
        changed = max((article.updated for article in articles), default=None)
        return finish_text(news_sitemap(articles, snapshot.desk, snapshot.addresses), "application/xml", changed)

    return respond_with(site.once(("sitemap", "news", snapshot.epoch, minute), prepare))


def news_sitemap(articles: Iterable[Article], desk: Desk, addresses: Addresses) -> str:
    """Return the sitemap of *articles*, in their order; those whose source wants no indexing are left out.

    Where none is left it names the front page, for the schema of sitemaps knows no empty one.
    """
    ElementTree.register_namespace("news", _NEWS)
    root = ElementTree.Element("urlset", xmlns=_NAMESPACE)
    for article in articles:
        if article.noindex:
            continue
        language = (article.language or desk.settings.language).lower()
        # The extension wants two or three letters, but for Chinese, where the script matters.
        if language not in ("zh-cn", "zh-tw"):
            language = language.partition("-")[0]
        url = put(root, "url")
        put(url, "loc", addresses.public(f"/article/{article.id}"))
        news = put(url, f"{{{_NEWS}}}news")
        publication = put(news, f"{{{_NEWS}}}publication")
        put(publication, f"{{{_NEWS}}}name", desk.settings.title)
        put(publication, f"{{{_NEWS}}}language", language)
        put(news, f"{{{_NEWS}}}publication_date", rfc3339(article.published))
        put(news, f"{{{_NEWS}}}title", article.title)
    if not len(root):
        put(put(root, "url"), "loc", addresses.public("/"))
    return xml_text(root)


websub = Blueprint("websub", __name__)

FORM = "application/x-www-form-urlencoded"


@websub.post("/websub")
def subscribe() -> Response:
    """Take a request to subscribe or unsubscribe (WebSub section 5.1); its callback is asked afterwards."""
    if request.mimetype != FORM:
        return _text(Verdict(415, f"send a form as {FORM}"))
    # One value a name would hide the second of two topics.
    form = list(request.form.items(multi=True))
    settings = the_site().snapshot.desk.settings
    return _text(messages.accept(the_site().store, settings, form, the_site().now()))


@websub.get(CALLBACKS + "<token>")
def confirm(token: str) -> Response:
    """Answer a source's hub that asks whether we meant it (section 5.3)."""
    response = _text(subscribing.confirm(the_site().store, token, request.args.to_dict(), the_site().now()))
    response.data = response.data.removesuffix(b"\n")  # it is the challenge, byte for byte
    return response


@websub.post(CALLBACKS + "<token>")
def receive(token: str) -> Response:
    """Take what a source's hub pushes (section 7)."""
    request.max_content_length = MAX_PUSH_BYTES
    verdict = subscribing.receive(
        the_site().store,
        token,
        signature=request.headers.get("X-Hub-Signature"),
        content_type=request.headers.get("Content-Type"),
        body=request.get_data(cache=False),
        now=the_site().now(),
    )
    return _text(verdict)


def _text(verdict: Verdict) -> Response:
    return plain_answer(verdict.text, verdict.status, {"Retry-After": "60"} if verdict.status == 503 else {})
