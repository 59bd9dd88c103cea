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
from feeds.errors import SectionNotFound, StoreError
from feeds.model import UNFILED, Article, Format, Section
from feeds.serve.admission import is_loopback
from feeds.serve.answers import Snapshot
from feeds.serve.joined import join
from feeds.serve.representations import Finished, cache_control, is_for_people, reply
from feeds.serve.site import finish_text, number_asked, page, page_headers, respond, respond_with, the_site
from feeds.serve.view_models import (
    FORMAT_NAMES,
    REDRAWN_MIN,
    Feed,
    Headline,
    direction,
    feeds_of,
    grouped,
    headline,
    node,
    tree,
)
from feeds.store.search import MOST_QUERY_CHARS
from feeds.store.values import Selection, StorySize

bp = Blueprint("pages", __name__)

TOP_HEADLINES, SECTION_HEADLINES = 9, 5
TOP_READ, SECTION_READ = 24, 12
"""How many articles are read for so many headlines: some are grouped, some are higher up already."""
PER_PAGE = 20
FEED_ENTRIES = 50
LAST_ROW = 2**63 - 1
"""No article's row has a higher number."""
SECTIONS_WITH_HEADLINES = 40  # a wider tree shows the others by name: each costs a read


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
    """Give the front page: the newest of all, then the section tree, each with its feeds and latest headlines."""

    def draw(snapshot: Snapshot) -> tuple[str, datetime]:
        site, desk, addresses = the_site(), snapshot.desk, snapshot.addresses
        now = site.now()
        newest = site.newest("", TOP_READ, snapshot)
        sections = list(tree(desk, addresses))
        latest = [site.newest(one.path, SECTION_READ, snapshot) for one in sections[:SECTIONS_WITH_HEADLINES]]
        seen = [*newest, *(article for articles in latest for article in articles)]
        sizes = story_sizes(seen)

        def lines(articles: Sequence[Article], most: int) -> list[Headline]:
            return grouped([headline(one, desk, addresses, now=now, sizes=sizes) for one in articles], most)

        top = _lead_first(lines(newest, 4)[:TOP_HEADLINES])
        above = {one.page for line in top for one in (line, *line.others)}
        for index, articles in enumerate(latest):
            # What is at the top of the page is not repeated.
            below = [line for line in lines(articles, 2) if line.page not in above][:SECTION_HEADLINES]
            sections[index] = replace(sections[index], headlines=tuple(below), all_above=bool(articles) and not below)
        html = render_template(
            "front.html",
            **frame(snapshot),
            sections=sections,
            newest=top,
            sources=len(desk.sources),
            feeds=feeds_of("", addresses),
            canonical=addresses.public("/"),
        )
        return html, latest_change(seen, desk.accepted_at)

    return page(("front", the_site().snapshot.counter, slot()), draw)


@bp.get("/<path:section>")
def section_page(section: str) -> Response:
    """Give a section's page: its feeds, what lies above and below it, its articles."""
    site = the_site()
    found = site.snapshot.addresses.section_at(section)
    if found is None and section == UNFILED:
        found = Section(path=UNFILED, title="Unfiled", description="Articles that no section takes in yet.")
    if found is None:
        raise SectionNotFound(section)
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
    limit = found.limit or desk.settings.publish.entries
    articles = site.reader.latest(path, limit)
    trail = [
        node(above, addresses)
        for above in (addresses.section_at(path[:end]) for end in range(len(path)) if path[end] == "/")
        if above is not None
    ]
    sizes = story_sizes(articles)
    children = [node(child, addresses) for child in desk.sections if child.path and child.parent == path]
    html = render_template(
        template,
        **frame(snapshot),
        **more,
        section=node(found, addresses),
        trail=trail,
        children=children,
        articles=grouped([headline(article, desk, addresses, now=site.now(), sizes=sizes) for article in articles]),
        feeds=feeds_of(path, addresses),
        canonical=addresses.public("/" + path),
        unfiled=path == UNFILED,
    )
    return html, latest_change(articles, desk.accepted_at)


def story_sizes(articles: Iterable[Article]) -> dict[str, StorySize]:
    """Return how large the stories of these are, by the story's urn."""
    uids = {article.story_uid for article in articles if article.story_uid}
    if not uids:
        return {}
    try:
        with the_site().store.read() as tx:
            return tx.stories.sizes(sorted(uids))
    except StoreError:
        return {}  # a page without links to stories is better than none


def slot() -> int:
    """Return what changes whenever the relative times on a page have to."""
    return int(the_site().now().timestamp() // (60 * REDRAWN_MIN))


def _lead_first(headlines: list[Headline]) -> list[Headline]:
    """Put the one with most to show of the newest three at the top: a short note makes a poor lead."""
    if not headlines:
        return headlines
    lead = max(headlines[:3], key=lambda one: (one.image is not None, len(one.teaser)))
    return [lead, *(one for one in headlines if one is not lead)]


def frame(snapshot: Snapshot) -> dict[str, object]:
    """Return what every page needs: the desk, its language, links to the front page and the style sheet."""
    site, settings, addresses = the_site(), snapshot.desk.settings, snapshot.addresses
    names = site.assets.served_name
    return {
        "desk": settings,
        "direction": direction(settings.language),
        "home": addresses.local("/"),
        "opml": addresses.local("/sections.opml"),
        "style": addresses.local(f"/static/{names['desk.css']}"),
        "icon": addresses.local(f"/static/{names['favicon.svg']}"),
        "mark": addresses.local("/favicon.ico"),
        "search_url": addresses.local("/search"),
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
            hits = tx.search.find(query, PER_PAGE, before)
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
            base, fragments = tx.documents.frame("", format), tx.search.fragments(query, format, FEED_ENTRIES)
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
        )

    key = ("search", format, query, snapshot.counter, snapshot.desk.version)
    return respond_with(site.joined(key, prepare))
