"""Sitemaps (sitemaps.org 0.9): an index with the sections, the news of the last two days, and every article by months.
I/O: reads of the store, at most once a minute of each.

All name the desk's own pages, since a sitemap may name none of another host. What is in a month is read by the numbers
of its filings, so that no request looks at more than one file holds: 20,000 of a million articles take 150 ms of CPU.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from flask import Blueprint, Response
from werkzeug.exceptions import NotFound

from feeds.dates import rfc3339
from feeds.frames import legal
from feeds.model import Article
from feeds.serve.addresses import Addresses, document_path
from feeds.serve.answers import Snapshot
from feeds.serve.representations import Finished, cache_control
from feeds.serve.site import finish_text, respond_with, the_site
from feeds.serve.store_reader import Desk
from feeds.store.documents import Month

bp = Blueprint("sitemaps", __name__)

MAX_NEWS = 1000
MAX_AGE_DAYS = 2
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
    documents = snapshot.finished
    known = documents.get(document_path(path, "json").encode().decode("latin-1"))
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
        return finish_text(
            "\n".join([*lines, f"</{root}>\n"]),
            media_type="application/xml; charset=utf-8",
            last_modified=max((at for _, at in listed if at), default=snapshot.desk.accepted_at),
            cache_control=cache_control(snapshot.desk.settings),
        )

    return respond_with(the_site().once((*key, snapshot.epoch, snapshot.desk.version), prepare))


@bp.get("/sitemap-news.xml")
def news() -> Response:
    """Give the articles of the last two days (Google's news extension)."""
    site = the_site()
    snapshot = site.snapshot
    minute = _minute()

    def prepare() -> Finished:
        articles = site.reader.published_after(minute - timedelta(days=MAX_AGE_DAYS), MAX_NEWS)
        return finish_text(
            news_sitemap(articles, snapshot.desk, snapshot.addresses),
            media_type="application/xml; charset=utf-8",
            last_modified=max((article.updated for article in articles), default=snapshot.desk.accepted_at),
            cache_control=cache_control(snapshot.desk.settings),
        )

    return respond_with(site.once(("sitemap", "news", snapshot.epoch, minute, snapshot.desk.version), prepare))


def news_sitemap(articles: Iterable[Article], desk: Desk, addresses: Addresses) -> str:
    """Return the sitemap of *articles*, in their order; those whose source wants no indexing are left out.

    Where none is left it names the front page, for the schema of sitemaps knows no empty one.
    """
    ElementTree.register_namespace("news", _NEWS)
    root = ElementTree.Element("urlset", xmlns=_NAMESPACE)
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
    if not len(root):
        ElementTree.SubElement(ElementTree.SubElement(root, "url"), "loc").text = addresses.public("/")
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"
