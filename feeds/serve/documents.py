"""Documents over HTTP: /news/world.rss, .atom and .json, their archive pages (RFC 5005 section 4) and the list of all,
/sections.opml. Never renders. I/O: one read of the store.

An archive page holds a hundred filings in filing order, newest first, and for good. Its number is that of its last
filing, so that the page which ends at the newest article not in the document has an address that stays true when others
follow.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from xml.etree import ElementTree

from flask import Blueprint, Flask, Response, request

from feeds import frames
from feeds.configuration import UNFILED, Section
from feeds.dates import rfc822
from feeds.errors import ParseError, SectionNotFound
from feeds.frames import cut, delta_body, document_path, legal
from feeds.model import FORMATS, Document, Format
from feeds.serve.addresses import Addresses
from feeds.serve.answers import Snapshot
from feeds.serve.joined import (
    SCANNED,
    SCANNED_FOR_STORIES,
    SCANNED_UNPACKED,
    Refused,
    choose,
    join,
    parameters,
    section_feed_id,
)
from feeds.serve.representations import (
    SCRIPTS_MAY_READ,
    STALE_IF_ERROR_S,
    Finished,
    finish_delta,
    finish_document,
    html_weight,
    is_for_people,
    kept_private,
    put,
    reply,
    reply_226,
    seen_sequence,
    wants_delta,
    weights,
    xml_text,
)
from feeds.serve.section_pages import ARCHIVE_NUMBER, feed_page
from feeds.serve.site import finish_text, redirect_to, respond, respond_with, the_site
from feeds.serve.store_reader import Desk
from feeds.serve.view_models import children, feeds_of, top_sections
from feeds.store.store import ReadTx
from feeds.store.values import Selection

bp = Blueprint("documents", __name__)
log = logging.getLogger(__name__)

MAX_CHANGES = 100
"""A client that missed more than this, and twice what the document holds, gets the whole document."""
_DAY = f"public, max-age=86400, stale-if-error={STALE_IF_ERROR_S}"


@bp.get("/<path:section>.<any(rss, atom, json):format>")
def section_document(section: str, format: Format) -> Response:
    """Give a finished document, or 304; what has no document is for `errors` to explain."""
    site = the_site()
    snapshot = site.snapshot
    path = "" if section == "index" else section
    if request.query_string and (asked := parameters(request.environ["QUERY_STRING"])):
        return _narrowed(path, format, asked)
    if is_for_people(request.environ) and snapshot.state_of(path)[1]:
        return feed_page(_known(path), format, snapshot.addresses.public(document_path(path, format)))
    document = site.reader.document(path, format)
    if document is None:
        raise SectionNotFound(path)
    whole = site.answers.snapshot  # with nobody's token in its addresses: what is finished serves all
    finished = finish_document(document, whole.desk.settings, whole.addresses)
    site.answers.keep(path, format, finished)
    answered = reply(finished, request.environ)
    if answered.status == 200 and (delta := _delta(document)) is not None:
        return respond(reply_226(delta, request.headers.get("Accept-Encoding")))
    return respond(answered)


def _delta(document: Document) -> Finished | None:
    """The feed of what came after what the client has, where it asks for that; None where the whole document is the
    right answer.

    Every client that saw the same gets the same bytes, so they are cached with the document that they were cut from.
    """
    if not wants_delta(request.headers.get("A-IM")):
        return None
    seen = seen_sequence(request.headers.get("If-None-Match"), document.etag)
    if seen is None or seen >= document.sequence:
        return None
    site = the_site()
    key = ("delta", document.path, document.format, document.etag, seen)
    if (finished := site.cached.get(key)) is not None:
        return finished
    changes = site.reader.since(document.path, seen, max(MAX_CHANGES, 2 * len(document.article_uids)))
    if changes is None:
        return None
    changed, gone = {article.uid for article in changes.articles}, [(one.uid, one.at) for one in changes.withdrawn]
    try:
        body = delta_body(document, cut(document), changed, gone)
    except ParseError as error:
        log.error("no delta: %s", error)
        return None
    if len(body) >= len(document.body):
        return None
    finished = finish_delta(document, body)
    site.cached.put(key, finished)
    return finished


def _narrowed(path: str, format: Format, asked: Mapping[str, Sequence[str]]) -> Response:
    """Give a feed of some of a section's articles, joined from their fragments; any other spelling goes to its address.

    What is chosen among is bounded, and so is how many such feeds are kept; one is joined at a time.
    """
    site = the_site()
    snapshot = site.snapshot
    addresses, settings = snapshot.addresses, snapshot.settings
    if not snapshot.state_of(path)[1]:
        raise SectionNotFound(path)
    section = _known(path)
    usual = section.limit or settings.publish.entries
    choice = choose(asked, site.sources_by_name(snapshot), usual=usual, listed=not site.hides)
    if choice.by_story and section.private:
        raise Refused("by=story is for public sections: a story is told once for all")
    self_url = addresses.public(document_path(path, format), choice.canonical)
    if not choice.canonical or request.query_string.decode("latin-1") != choice.canonical:
        return redirect_to(self_url)
    if is_for_people(request.environ):
        return feed_page(section, format, self_url)

    def select(tx: ReadTx) -> Selection:
        if choice.by_story:
            return tx.sections.by_story(path, format, limit=choice.limit, among=SCANNED_FOR_STORIES)
        known = tx.sources.by_key(choice.source.key) if choice.source else None
        return tx.sections.narrowed(
            path,
            format,
            sources=[known[0].id if known else 0] if choice.source else [],
            language=choice.language,
            fallback=section.language or settings.language,
            limit=choice.limit,
            pictured=choice.pictured,
            scan=SCANNED_UNPACKED if choice.language or choice.pictured else SCANNED,
        )

    def prepare() -> Finished:
        part = site.reader.part(path, format, select)
        title = frames.feed_title(path, section.title, settings.title)
        return join(
            part.frame,
            part.selection,
            format,
            settings=settings,
            self_url=self_url,
            page_url=addresses.public("/" + path),
            title=f"{title} ({choice.in_words})" if choice.in_words else title,
            description=section.description or ("" if path else settings.description),
            feed_id=section_feed_id(part, choice.canonical),
            updated=part.section.created_at,
            last_modified=part.last_modified,
            sequence=part.section.rendered_sequence,
            most_bytes=section.max_bytes or settings.publish.max_bytes,
        )

    return respond_with(site.once(("narrowed", self_url, snapshot.counter), prepare, site.joins))


@bp.get("/sections.opml")
def sections_opml() -> Response:
    """Give every section for one-click subscription (OPML 2.0)."""
    site = the_site()
    snapshot = site.snapshot

    def prepare() -> Finished:
        text = opml(snapshot.desk, snapshot.addresses)
        return finish_text(text, "text/x-opml", always_more=SCRIPTS_MAY_READ)

    return respond_with(site.once(("opml",), prepare))


class _NotYet(Exception):
    """The page after the newest: its number is known, its articles have not come."""


@bp.get("/archive/<page>.<any(rss, atom, json):format>", defaults={"section": ""})
@bp.get("/<path:section>/archive/<page>.<any(rss, atom, json):format>")
def archive_page(section: str, page: str, format: Format) -> Response:
    """Give one page. The one after the newest full page is not there yet: who asks is sent to the document."""
    site = the_site()
    snapshot = site.snapshot
    if not _is_section(section, snapshot) or not ARCHIVE_NUMBER.fullmatch(page):
        raise SectionNotFound(section)
    found, number = _known(section), int(page)
    try:
        key = ("archive", section, number, format, snapshot.counter)
        finished = site.once(key, lambda: _prepare(found, number, format), site.joins)
    except _NotYet:
        response = Response("The page after the newest.\n", status=307, content_type="text/plain; charset=utf-8")
        response.headers["Location"] = snapshot.addresses.public(document_path(section, format))
        response.headers["Cache-Control"] = "no-store"
        return response
    if is_for_people(request.environ):
        return feed_page(found, format, snapshot.addresses.public(frames.archive_path(section, number, format)))
    return respond_with(finished)


def _known(path: str) -> Section:
    """The section at *path* that config names, or a built-in one."""
    return the_site().snapshot.addresses.section_at(path) or Section(path=path, title="Unfiled" if path else "")


def _prepare(section: Section, page: int, format: Format) -> Finished:
    site = the_site()
    snapshot = site.snapshot
    addresses, settings = snapshot.addresses, snapshot.settings
    path = section.path
    first = frames.archive_first(page)
    part = site.reader.part(path, format, lambda tx: tx.sections.archive_page(path, first, page, format))
    full = page % frames.ARCHIVE_PAGE == 0
    filed = part.section.rendered_filed
    if page > filed:
        raise _NotYet if full and first <= filed + 1 else SectionNotFound(path)

    def address(number: int) -> str:
        return addresses.public(frames.archive_path(path, number, format))

    current = addresses.public(document_path(path, format))
    older = part.selection.older
    return join(
        part.frame,
        part.selection,
        format,
        settings=settings,
        self_url=address(page),
        page_url=addresses.public("/" + path),
        title=frames.feed_title(path, section.title, settings.title),
        description=section.description or ("" if path else settings.description),
        feed_id=section_feed_id(part),
        updated=part.section.created_at,
        cached=_DAY,
        link=f'<{address(page)}>; rel="self", <{current}>; rel="current"',
        extra=[
            frames.archive_links(
                format,
                archive=True,
                current_url=current,
                prev_url=address(frames.archive_page(older)) if older else None,
                # Said before it is there, for the page must not change when it comes.
                next_url=address(page + frames.ARCHIVE_PAGE) if full else None,
            ),
            frames.deleted_entries(format, part.selection.retracted),
        ],
    )


def opml(desk: Desk, addresses: Addresses) -> str:
    """Return the list of all sections, nested as in config; the same bytes for the same config.

    A section with others below it becomes a folder that holds its own feed first: readers that know folders keep the
    tree, and none has to know a feed that is a folder too.
    """
    root = ElementTree.Element("opml", version="2.0")
    head = put(root, "head")
    put(head, "title", desk.settings.title)
    if desk.version:
        put(head, "dateModified", rfc822(desk.accepted_at))
    put(head, "ownerId", addresses.public("/"))
    body = put(root, "body")
    whole = Section(path="", title=desk.settings.title, description=desk.settings.description)
    ElementTree.register_namespace("webfeeds", frames.OPTIONAL_NAMESPACES["webfeeds"])
    _feed(body, whole, desk.settings.language, addresses)
    below = children(desk)

    def sections(parent: ElementTree.Element, several: Iterable[Section]) -> None:
        for section in several:
            inside = below.get(section.path, ())
            # A folder has no type, and the W3C's validator wants one beside a title.
            folder = put(parent, "outline", text=legal(section.title)) if inside else parent
            _feed(folder, section, section.language, addresses)
            sections(folder, inside)

    sections(body, top_sections(below))
    return xml_text(root)


def _feed(parent: ElementTree.Element, section: Section, language: str | None, addresses: Addresses) -> None:
    looks = f"{{{frames.OPTIONAL_NAMESPACES['webfeeds']}}}"
    attributes = {
        "text": section.title,
        "title": section.title,
        "type": "rss",
        "xmlUrl": addresses.public(document_path(section.path, "rss")),
        "htmlUrl": addresses.public("/" + section.path),
        "description": section.description,
        "language": language or "",
        f"{looks}icon": section.icon,
        f"{looks}accentColor": section.colour.removeprefix("#"),
    }
    put(parent, "outline", **{name: legal(text) for name, text in attributes.items() if text})


PAGES = frozenset(("pages.front", "pages.section_page"))
SECTION_FEED = "documents.section_document"
FEEDS = frozenset((SECTION_FEED, "documents.archive_page", "articles.story_feed", "pages.search_feed"))
PUBLIC = frozenset(("documents", "pages", "articles", "crawlers"))
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


def negotiate(app: Flask) -> None:
    """Have sections' addresses of *app* answered in the form that is asked for."""
    app.before_request(_as_feed)
    app.after_request(_with_forms_named)


def feed_wanted(accept: str | None) -> Format | None:
    """Return the format that ``Accept`` prefers to a page, None where the page will do.

    >>> feed_wanted("application/rss+xml, text/html;q=0.9, */*;q=0.1"), feed_wanted("text/html,application/json")
    ('rss', None)
    """
    given = weights(accept or "")
    name = max(_TYPES, key=lambda name: given.get(name, 0.0))
    return _TYPES[name] if given.get(name, 0.0) > html_weight(given) else None


def _section_asked() -> str:
    """The path of the section whose page or feed is asked for."""
    path = str((request.view_args or {}).get("section", ""))
    return "" if path == "index" and request.endpoint == SECTION_FEED else path


def _query_without(name: str) -> str:
    parts = request.query_string.decode("latin-1").split("&")
    return "&".join(part for part in parts if part.partition("=")[0] != name)


def _is_section(path: str, snapshot: Snapshot) -> bool:
    return path in ("", UNFILED) or snapshot.addresses.section_at(path) is not None


def _as_feed() -> Response | None:
    """Answer at a section's own address with one of its feeds, where one is asked for."""
    if request.endpoint not in PAGES or request.method not in ("GET", "HEAD"):
        return None
    path, snapshot = _section_asked(), the_site().snapshot
    if not _is_section(path, snapshot):
        return None
    named = request.args.get("format", "").lower()
    if named not in ("", "html", *FORMATS):
        raise Refused(f"format is one of html, {', '.join(FORMATS)}")
    address = document_path(path, "atom").removesuffix("atom")
    if named in FORMATS:
        return redirect_to(snapshot.addresses.public(address + named, _query_without("format")))
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
    feeds = feeds_of(path, the_site().snapshot.addresses)
    return ", ".join(f'<{feed.url}>; rel="alternate"; type="{feed.media_type}"' for feed in feeds)
