"""The front page, sections' pages and search: the human face of the feeds.
I/O: a few reads of the store, once a publication; one a question for search.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from urllib.parse import quote, urlencode, urlsplit

from flask import Blueprint, Response, render_template, request

from feeds import frames
from feeds.dates import zone_of
from feeds.errors import SectionNotFound, StoreError
from feeds.listening import is_loopback
from feeds.model import UNFILED, Article, Format, Section
from feeds.serve.answers import Snapshot
from feeds.serve.joined import join
from feeds.serve.representations import Finished, cache_control, is_for_people, reply
from feeds.serve.site import finish_text, number_asked, page, page_headers, respond, respond_with, the_site
from feeds.serve.view_models import (
    FORMAT_NAMES,
    REDRAWN_MIN,
    Day,
    Feed,
    Headline,
    Node,
    children,
    direction,
    feeds_of,
    headline,
    node,
    tree,
)
from feeds.serve.weight import by_day, by_weight, not_shown
from feeds.store.search import MOST_QUERY_CHARS
from feeds.store.values import Selection, StorySize

bp = Blueprint("pages", __name__)

TOP_HEADLINES, SECTION_HEADLINES = 9, 5
TOP_READ, SECTION_READ = 24, 20
"""How many articles are read for so many headlines: some are grouped, some are higher up already."""
TOP_AMONG = 300
"""Among how many of the desk's newest articles a front page looks for what weighs most."""
PER_PAGE = 20
FEED_ENTRIES = 50
LAST_ROW = 2**63 - 1
"""No article's row has a higher number."""
DESKS = 12
"""Sections with headlines on the front page, which stays below 60 kB so; the others are there by name."""
MOST_BESIDE, MOST_AROUND = 60, 16
"""Sections by name, on the front page and around a section: all of them are on a page of their own."""
MOST_WITH_FEEDS = 150
"""Sections up to which the page of all sections links the feeds of each."""


SERVICES = (
    ("Feedly", "https://feedly.com/i/discover/sources/search/feed/"),
    ("Inoreader", "https://www.inoreader.com/?add_feed="),
    ("Feedbin", "https://feedbin.com/?subscribe="),
    ("NewsBlur", "https://www.newsblur.com/?url="),
    ("The Old Reader", "https://theoldreader.com/feeds/subscribe?url="),
)
"""Services that subscribe to an address which is put behind theirs."""


@bp.get("/")
def front() -> Response:
    """Give the front page: what weighs most of all, then the sections that have something, each with its headlines."""

    def draw(snapshot: Snapshot) -> tuple[str, datetime]:
        site, desk, addresses = the_site(), snapshot.desk, snapshot.addresses
        now = site.now()
        newest = site.heaviest(TOP_READ, TOP_AMONG, snapshot)
        sections = tree(desk, addresses)
        latest = _latest(sections, snapshot)
        seen = [*newest, *(article for articles in latest.values() for article in articles)]
        sizes = story_sizes(seen)
        shown: set[str] = set()

        def lines(articles: Sequence[Article], most: int, others: int) -> tuple[Headline, ...]:
            found = by_weight([headline(one, desk, addresses, now=now, sizes=sizes) for one in articles], others)
            return tuple(not_shown(found, shown, most))

        top = lines(newest, TOP_HEADLINES, 4)
        desks = [
            replace(one, headlines=lines(latest[one.path], SECTION_HEADLINES, 2))
            for one in sections
            if one.path in latest
        ]
        html = render_template(
            "front.html",
            **frame(snapshot),
            sections=sections,
            desks=desks,
            beside=[one for one in sections if one.path not in latest][:MOST_BESIDE],
            newest=top,
            sources=len(desk.sources),
            feeds=feeds_of("", addresses),
            canonical=addresses.public("/"),
        )
        return html, latest_change(seen, desk.accepted_at)

    return page(("front", the_site().snapshot.counter, slot()), draw)


def _latest(sections: Sequence[Node], snapshot: Snapshot) -> dict[str, tuple[Article, ...]]:
    """The newest articles of the sections that a front page shows: the first that have any."""
    filed = [one.path for one in sections if snapshot.filed(one.path)][:DESKS]
    return {path: articles for path in filed if (articles := the_site().newest(path, SECTION_READ, snapshot))}


@bp.get("/sections")
def all_sections() -> Response:
    """Give the whole tree of sections, with the feeds of each where they are not too many to be read."""

    def draw(snapshot: Snapshot) -> tuple[str, datetime]:
        addresses = snapshot.addresses
        html = render_template(
            "sections.html",
            **frame(snapshot),
            sections=tree(snapshot.desk, addresses),
            with_feeds=len(snapshot.desk.sections) <= MOST_WITH_FEEDS,
            feeds=feeds_of("", addresses),
            canonical=addresses.public("/sections"),
        )
        return html, snapshot.desk.accepted_at

    return page(("sections",), draw)


@bp.get("/<path:section>")
def section_page(section: str) -> Response:
    """Give a section's page: its feeds, what lies above, beside and below it, its articles by days."""
    site = the_site()
    found = _section(section)
    return page(("section", found.path, site.snapshot.state_of(found.path), slot()), partial(_draw, found))


def feed_page(section: Section, format: Format, url: str) -> Response:
    """Give what a browser that navigates to the feed at *url* gets: its section's page, with the feed explained."""
    snapshot = the_site().snapshot
    path = section.path
    shown = section if path else replace(section, title=snapshot.desk.settings.title)
    feed = {"name": FORMAT_NAMES[format], "url": url, "services": _services(url)}
    return page(
        ("feed", path, url, snapshot.state_of(path), slot()), partial(_draw, shown, template="feed.html", asked=feed)
    )


def _services(url: str) -> list[tuple[str, str]]:
    """Where the feed at *url* can be subscribed to with a click, by name: an app of one's own first."""
    public = not is_loopback(urlsplit(url).hostname or "")
    return [("a reader app", f"feed:{url}"), *((name, at + quote(url, safe="")) for name, at in SERVICES if public)]


def _draw(found: Section, snapshot: Snapshot, template: str = "section.html", **more: object) -> tuple[str, datetime]:
    """Draw the page of a section, with what *template* wants *more*; and the time of its last change."""
    site, path = the_site(), found.path
    desk, addresses = snapshot.desk, snapshot.addresses
    articles = site.reader.latest(path, found.limit or desk.settings.publish.entries)
    sizes = story_sizes(articles)
    lines = [headline(article, desk, addresses, now=site.now(), sizes=sizes) for article in articles]
    html = render_template(
        template,
        **frame(snapshot),
        **more,
        section=node(found, addresses),
        **_around(found, snapshot),
        days=[Day.of(day, several) for day, several in by_day(lines, zone_of(desk.settings.timezone))],
        feeds=feeds_of(path, addresses),
        canonical=addresses.public("/" + path),
        unfiled=path == UNFILED,
        looks=found,
    )
    return html, latest_change(articles, desk.accepted_at)


def _section(path: str) -> Section:
    found = the_site().snapshot.addresses.section_at(path)
    if found is None and path == UNFILED:
        found = Section(path=UNFILED, title="Unfiled", description="Articles that no section takes in yet.")
    if found is None:
        raise SectionNotFound(path)
    return found


def _around(section: Section, snapshot: Snapshot) -> dict[str, object]:
    """The sections above, below and beside one, as links: what lies beside it is the one itself as well."""
    addresses = snapshot.addresses
    ends = [at for at, sign in enumerate(section.path) if sign == "/"]
    above = [found for end in ends if (found := addresses.section_at(section.path[:end])) is not None]
    by_parent = children(snapshot.desk)
    beside = by_parent.get(section.parent or "", ()) if section.path else ()
    return {
        "trail": [node(one, addresses) for one in above],
        "children": [node(one, addresses) for one in by_parent.get(section.path, ())[:MOST_AROUND]],
        "siblings": [node(one, addresses) for one in _near(beside, section)] if len(beside) > 1 else [],
    }


def _near(beside: Sequence[Section], section: Section) -> Sequence[Section]:
    """At most `MOST_AROUND` of the sections *beside* one, around it where there are more."""
    at = next((place for place, one in enumerate(beside) if one.path == section.path), 0)
    first = max(0, min(at - MOST_AROUND // 2, len(beside) - MOST_AROUND))
    return beside[first : first + MOST_AROUND]


def story_sizes(articles: Iterable[Article]) -> dict[str, StorySize]:
    """Return how large the stories of these are, by the story's urn."""
    uids = {article.story_uid for article in articles if article.story_uid}
    if not uids:
        return {}
    try:
        with the_site().store.read() as tx:
            return tx.stories.sizes(sorted(uids), the_site().readable)
    except StoreError:
        return {}  # a page without links to stories is better than none


def slot() -> int:
    """Return what changes whenever the relative times on a page have to."""
    return int(the_site().now().timestamp() // (60 * REDRAWN_MIN))


def frame(snapshot: Snapshot) -> dict[str, object]:
    """Return what every page needs: the desk, its language, links to the front page and the style sheet."""
    site, settings, addresses = the_site(), snapshot.desk.settings, snapshot.addresses
    names = site.assets.served_name
    return {
        "desk": settings,
        "direction": direction(settings.language),
        "home": addresses.local("/"),
        "sections_url": addresses.local("/sections"),
        "opml": addresses.local("/sections.opml"),
        "style": addresses.local(f"/static/{names['desk.css']}"),
        "icon": addresses.local(f"/static/{names['favicon.svg']}"),
        "mark": addresses.local("/favicon.ico"),
        "search_url": addresses.local("/search"),
        "licence": addresses.local("/licence.xml") if settings.licence else "",
    }


def latest_change(articles: Sequence[Article], accepted_at: datetime) -> datetime:
    """Return when what a page shows last changed."""
    return max([accepted_at, *(article.updated for article in articles)])


def search_query() -> str:
    """Return what is searched for, in its one spelling: blanks single, cut at the most that is read."""
    return " ".join(request.args.get("q", "").split())[:MOST_QUERY_CHARS]


@bp.get("/search")
def search_page() -> Response:
    """Show what is found, newest first; `before` goes on behind a page."""
    site = the_site()
    snapshot = site.snapshot
    desk, addresses = snapshot.desk, snapshot.addresses
    query = search_query()
    before = number_asked("before", least=1, most=LAST_ROW)
    hits = None
    if query:
        with site.store.read() as tx:
            hits = tx.search.find(query, PER_PAGE, before, site.readable)
    found = hits.articles if hits else ()
    sizes = story_sizes(found)
    asked = urlencode({"q": query})
    html = render_template(
        "search.html",
        **frame(snapshot),
        query=query,
        articles=[headline(article, desk, addresses, now=site.now(), sizes=sizes) for article in found],
        asked=hits is not None,
        more=addresses.local("/search") + f"?{asked}&before={hits.next}" if hits and hits.next else "",
        later=before is not None,
        feeds=[
            Feed(
                name=FORMAT_NAMES["atom"],
                media_type="application/atom+xml",
                href=addresses.local("/search.atom") + f"?{asked}",
                url=addresses.public("/search.atom") + f"?{asked}",
            )
        ]
        if query
        else [],
    )
    finished = finish_text(
        html,
        media_type="text/html; charset=utf-8",
        last_modified=latest_change(found, desk.accepted_at),
        cache_control="public, max-age=60",
        more=page_headers(desk.settings),
    )
    return respond(reply(finished, request.environ))


@bp.get("/search.atom")
def search_feed() -> Response:
    """Give the newest of what is found as a feed; the same question has the same feed id for good."""
    site = the_site()
    snapshot = site.snapshot
    format: Format = "atom"
    query = search_query()
    if is_for_people(request.environ):
        return search_page()

    def prepare() -> Finished:
        with site.store.read() as tx:
            base = tx.documents.frame("", format)
            fragments = tx.search.fragments(query, format, FEED_ENTRIES, site.readable)
            desk_id = tx.configs.desk_id()
        asked = urlencode({"q": query})
        updated = max((fragment.updated for fragment in fragments), default=None)
        return join(
            base,
            Selection(fragments=fragments, missing=0, updated=updated),
            format,
            self_url=snapshot.addresses.public("/search.atom") + f"?{asked}",
            page_url=snapshot.addresses.public("/search") + f"?{asked}",
            title=f"“{query}” · {snapshot.desk.settings.title}",
            description=f"Articles that hold {query}",
            feed_id=frames.feed_urn(desk_id, "search", query.casefold()),
            updated=snapshot.desk.accepted_at,
            cache_control=cache_control(snapshot.desk.settings),
            most_bytes=snapshot.desk.settings.publish.max_bytes,
        )

    key = ("search", format, query, snapshot.counter, snapshot.desk.version)
    return respond_with(site.joined(key, prepare))
