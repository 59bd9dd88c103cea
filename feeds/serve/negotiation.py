"""Which form of a section a request at its own address means: the page, or one of its feeds; and what browsers ask
before a script of another site may read any of it.

A program that names a type of feed in ``Accept``, and HTML less or not at all, gets that feed at the section's address
as it would at the feed's own (RFC 9110 section 12.1); ``?format=`` leads to the feed's own for good. Every page names
its feeds in ``Link`` too, for those who read no HTML.
"""

from __future__ import annotations

from flask import Flask, Response, request

from feeds.configuration import UNFILED
from feeds.model import FORMATS, MEDIA_TYPES, Format
from feeds.serve.addresses import document_path
from feeds.serve.documents import section_document
from feeds.serve.representations import SCRIPTS_MAY_READ, is_for_people, kept_private, weights
from feeds.serve.site import Refused, redirect_to, the_site

PAGES = frozenset(("pages.front", "pages.section_page"))
SECTION_FEED = "documents.section_document"
FEEDS = frozenset((SECTION_FEED, "documents.archive_page", "articles.story_feed", "search.search_feed"))
PUBLIC = frozenset(("documents", "pages", "articles", "search", "crawlers", "sitemaps"))
"""The blueprints whose answers are the same for everybody."""

_TYPES: dict[str, Format] = {
    "application/atom+xml": "atom",
    "application/rss+xml": "rss",
    "application/feed+json": "json",
    "application/json": "json",
}
"""By what names a feed is asked for; of several that weigh the same, the first."""
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
    "Access-Control-Allow-Headers": "A-IM, Cache-Control, If-Match, If-Modified-Since, If-None-Match, Pragma, Range",
    "Access-Control-Max-Age": "86400",
}


def register(app: Flask) -> None:
    """Have sections' addresses of *app* negotiated."""
    app.before_request(_as_feed)
    app.after_request(_with_forms_named)


def feed_wanted(accept: str | None) -> Format | None:
    """Return the format that ``Accept`` prefers to a page, None where the page will do.

    >>> feed_wanted("application/rss+xml, text/html;q=0.9, */*;q=0.1"), feed_wanted("text/html,application/json")
    ('rss', None)
    """
    given = weights(accept or "")
    name = max(_TYPES, key=lambda name: given.get(name, 0.0))
    weight = given.get(name, 0.0)
    html = max(given.get("text/html", 0.0), given.get("application/xhtml+xml", 0.0))
    return _TYPES[name] if weight > html else None


def _section_asked() -> str:
    """The path of the section whose page or feed is asked for."""
    path = str((request.view_args or {}).get("section", ""))
    return "" if path == "index" and request.endpoint == SECTION_FEED else path


def _as_feed() -> Response | None:
    """Answer at a section's own address with one of its feeds, where one is asked for."""
    if request.endpoint not in PAGES or request.method not in ("GET", "HEAD"):
        return None
    path, snapshot = _section_asked(), the_site().snapshot
    if path not in ("", UNFILED) and snapshot.addresses.section_at(path) is None:
        return None
    named = request.args.get("format", "").lower()
    if named not in ("", "html", *FORMATS):
        raise Refused(f"format is one of html, {', '.join(FORMATS)}")
    address = document_path(path, "atom").removesuffix("atom")
    if named in FORMATS:
        parts = request.query_string.decode("latin-1").split("&")
        rest = "&".join(part for part in parts if part.partition("=")[0] != "format")
        return redirect_to(snapshot.addresses.public(address + named, rest))
    format = feed_wanted(request.headers.get("Accept"))
    if named or format is None or not snapshot.state_of(path)[1]:
        return None
    response = section_document(path or "index", format)
    response.headers["Content-Location"] = snapshot.addresses.public(address + format)
    return response


def _with_forms_named(response: Response) -> Response:
    """Say what the answer depended on and, on a section's page, where its feeds are; answer preflights."""
    if _depends(response) and response.cache_control.public:
        # Some shared caches know no Vary: what most do not get at this address is not for them.
        response.headers["Cache-Control"] = kept_private(response.headers["Cache-Control"])
    if response.status_code == 200 and response.mimetype == "text/html" and request.endpoint in {*PAGES, SECTION_FEED}:
        response.headers["Link"] = _alternates(_section_asked())
    if request.method == "OPTIONS" and request.blueprint in PUBLIC:
        response.headers.update([*SCRIPTS_MAY_READ, *_PREFLIGHT.items()])
    return response


def _depends(response: Response) -> bool:
    """Say in ``Vary`` what *response* depended on; whether it is another than most get at this address."""
    if request.endpoint in PAGES:
        response.vary.add("Accept")
    elif request.endpoint in FEEDS:
        response.vary.add("Sec-Fetch-Dest")
        if request.headers.get("Sec-Fetch-Dest") == "document":
            response.vary.add("Accept")
            return is_for_people(request.environ)
    return "Content-Location" in response.headers


def _alternates(path: str) -> str:
    """The feeds of a section as a Link header (RFC 8288)."""
    addresses = the_site().snapshot.addresses
    return ", ".join(
        f'<{addresses.public(document_path(path, format))}>; rel="alternate"; type="{kind.partition(";")[0]}"'
        for format, kind in MEDIA_TYPES.items()
    )
