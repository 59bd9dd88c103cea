"""The front page, sections' pages and search: the human face of the feeds.
I/O: a few reads of the store, once a publication; one a question for search.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from urllib.parse import quote, urlsplit

from flask import Blueprint, Response, render_template

from feeds.configuration import UNFILED, Section
from feeds.errors import SectionNotFound, StoreError
from feeds.model import Article, Format
from feeds.serve.addresses import Addresses
from feeds.serve.answers import Snapshot
from feeds.serve.site import page as draw_once
from feeds.serve.site import the_site
from feeds.serve.view_models import (
    FORMAT_NAMES,
    Day,
    Headline,
    Node,
    Showing,
    by_day,
    by_weight,
    children,
    feeds_of,
    headline,
    node,
    not_shown,
    tree,
)
from feeds.serve.wording import REDRAWN_MIN, Wording, direction, speak, wording
from feeds.store.values import StorySize
from feeds.urls import is_loopback

bp = Blueprint("pages", __name__)

TOP_HEADLINES, SECTION_HEADLINES = 9, 5
TOP_READ, SECTION_READ = 24, 16
"""How many articles are read for so many headlines: some are grouped, some are higher up already."""
TOP_AMONG = 300
"""Among how many of the desk's newest articles a front page looks for what weighs most."""
DESKS = 12
"""Sections with headlines on the front page, which stays below 60 kB so; the others are there by name."""
MOST_BESIDE, MOST_AROUND = 60, 16
"""Sections by name, on the front page and around a section: all of them are on a page of their own."""
ARCHIVE_NUMBER = re.compile("[1-9][0-9]{0,11}")
MOST_ON_A_PAGE = 50
"""Articles on a section's page, however many its feeds have: the others are on the pages of its past."""
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
        showing = showing_of(snapshot)
        newest = site.known("top", snapshot.state_of(""), partial(site.reader.heaviest, "", TOP_READ, TOP_AMONG))
        sections = tree(desk, addresses)
        latest = _latest(sections, snapshot)
        seen = [*newest, *(article for articles in latest.values() for article in articles)]
        sizes = story_sizes(seen)
        shown: set[str] = set()

        def lines(articles: Sequence[Article], most: int, others: int) -> tuple[Headline, ...]:
            found = by_weight([headline(one, showing, sizes) for one in articles], others)
            return tuple(not_shown(found, shown, most))

        top = lines(newest, TOP_HEADLINES, 4)
        desks = [
            replace(one, headlines=lines(latest[one.path], SECTION_HEADLINES, 2))
            for one in sections
            if one.path in latest
        ]
        html = render_template(
            "front.html",
            **frame(showing),
            sections=sections,
            desks=desks,
            beside=[one for one in sections if one.path not in latest][:MOST_BESIDE],
            newest=top,
            sources=len(desk.sources),
            feeds=feeds_of("", addresses),
            everything=_archive("", site.reader.older("", ()), addresses),
            canonical=addresses.public("/"),
        )
        return html, latest_change(seen, desk.accepted_at)

    return draw_once(("front", the_site().snapshot.counter, slot()), draw)


def _latest(sections: Sequence[Node], snapshot: Snapshot) -> dict[str, Sequence[Article]]:
    """The newest articles of the sections that a front page shows: the first that have any."""
    site, found = the_site(), {}
    for path in [one.path for one in sections if snapshot.filed(one.path)][:DESKS]:
        read = partial(site.reader.latest, path, SECTION_READ)
        if articles := site.known(("latest", path), snapshot.state_of(path), read):
            found[path] = articles
    return found


@bp.get("/sections")
def all_sections() -> Response:
    """Give the whole tree of sections, with the feeds of each where they are not too many to be read."""

    def draw(snapshot: Snapshot) -> tuple[str, datetime]:
        addresses = snapshot.addresses
        html = render_template(
            "sections.html",
            **frame(showing_of(snapshot)),
            sections=tree(snapshot.desk, addresses),
            with_feeds=len(snapshot.desk.sections) <= MOST_WITH_FEEDS,
            feeds=feeds_of("", addresses),
            canonical=addresses.public("/sections"),
        )
        return html, snapshot.desk.accepted_at

    return draw_once(("sections",), draw)


@bp.get("/<path:section>")
def section_page(section: str) -> Response:
    """Give a section's page: its feeds, what lies above, beside and below it, its articles by days."""
    site = the_site()
    found = _section(section)
    return draw_once(("section", found.path, site.snapshot.state_of(found.path), slot()), partial(_draw, found))


def feed_page(section: Section, format: Format, url: str) -> Response:
    """Give what a browser that navigates to the feed at *url* gets: its section's page, with the feed explained."""
    snapshot = the_site().snapshot
    path = section.path
    words = wording(section.language or snapshot.desk.settings.language)
    shown = section if path else replace(section, title=snapshot.desk.settings.title)
    feed = {"name": FORMAT_NAMES[format], "url": url, "services": _services(url, words)}
    return draw_once(
        ("feed", path, url, snapshot.state_of(path), slot()), partial(_draw, shown, template="feed.html", asked=feed)
    )


def _services(url: str, words: Wording) -> list[tuple[str, str]]:
    """Where the feed at *url* can be subscribed to with a click, by name: an app of one's own first."""
    public = not is_loopback(urlsplit(url).hostname or "")
    return [
        (words.gettext("a reader app"), f"feed:{url}"),
        *((name, at + quote(url, safe="")) for name, at in SERVICES if public),
    ]


def _draw(found: Section, snapshot: Snapshot, template: str = "section.html", **more: object) -> tuple[str, datetime]:
    """Draw the page of a section, with what *template* wants *more*; and the time of its last change."""
    site, path = the_site(), found.path
    desk, addresses = snapshot.desk, snapshot.addresses
    articles = site.reader.latest(path, min(found.limit or desk.settings.publish.entries, MOST_ON_A_PAGE))
    sizes = story_sizes(articles)
    showing = showing_of(snapshot, found.language)
    lines = [headline(article, showing, sizes, dated=False) for article in articles]
    html = render_template(
        template,
        **frame(showing),
        **more,
        section=node(found, addresses),
        **_around(found, snapshot),
        days=[Day.of(day, several, showing.words) for day, several in by_day(lines, showing.zone)],
        feeds=feeds_of(path, addresses),
        older=_archive(path, site.reader.older(path, [article.uid for article in articles]), addresses),
        canonical=addresses.public("/" + path),
        unfiled=path == UNFILED,
        looks=found,
    )
    return html, latest_change(articles, desk.accepted_at)


@bp.get("/archive/<page>", defaults={"section": ""})
@bp.get("/<path:section>/archive/<page>")
def archive_page(section: str, page: str) -> Response:
    """Give a page of a section's past, with the same articles as the archive pages of its feeds; back to the first."""
    site = the_site()
    found = _section(section) if section else Section(path="", title=site.snapshot.desk.settings.title)
    number = int(page) if ARCHIVE_NUMBER.fullmatch(page) else 0
    past = site.reader.past(section, number) if number else None
    if past is None:
        raise SectionNotFound(section)

    def draw(snapshot: Snapshot) -> tuple[str, datetime]:
        addresses = snapshot.addresses
        showing = showing_of(snapshot, found.language)
        lines = [headline(one, showing, dated=False) for one in past.articles]
        newer = _archive(section, past.newer, addresses)
        html = render_template(
            "archive.html",
            **frame(showing),
            section=node(found, addresses),
            **_around(found, snapshot),
            days=[Day.of(day, several, showing.words) for day, several in by_day(lines, showing.zone)],
            feeds=feeds_of(section, addresses),
            past=True,
            looks=found,
            older=_archive(section, past.older, addresses),
            newer=newer or addresses.local("/" + section),
            canonical=addresses.public(f"{'/' if section else ''}{section}/archive/{number}"),
            unfiled=section == UNFILED,
        )
        return html, latest_change(past.articles, snapshot.desk.accepted_at)

    return draw_once(("archive", section, number, site.snapshot.state_of(section), past.newer, slot()), draw)


def _archive(path: str, page_number: int | None, addresses: Addresses) -> str:
    return addresses.local(f"{'/' if path else ''}{path}/archive/{page_number}") if page_number else ""


def _section(path: str) -> Section:
    found = the_site().snapshot.addresses.section_at(path)
    if found is None and path == UNFILED:
        words = wording(the_site().snapshot.desk.settings.language)
        description = words.gettext("Articles that no section takes in yet.")
        found = Section(path=UNFILED, title=words.gettext("Unfiled"), description=description)
    if found is None:
        raise SectionNotFound(path)
    return found


def _around(section: Section, snapshot: Snapshot) -> dict[str, object]:
    """The sections above, below and beside one, as links: what lies beside it is the one itself as well."""
    addresses = snapshot.addresses
    ends = [at for at, sign in enumerate(section.path) if sign == "/"]
    by_parent = children(snapshot.desk)
    beside = by_parent.get(section.parent or "", ()) if section.path else ()
    return {
        "trail": [node(one, addresses) for end in ends if (one := addresses.section_at(section.path[:end]))],
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


def showing_of(snapshot: Snapshot, language: str | None = None) -> Showing:
    """Return what a page in *language* is drawn with, None for the desk's; templates speak it from now on."""
    words = speak(wording(language or snapshot.desk.settings.language))
    return Showing(desk=snapshot.desk, addresses=snapshot.addresses, words=words, now=the_site().now())


def frame(showing: Showing) -> dict[str, object]:
    """Return what every page needs: the desk, the page's language, links to the front page and the style sheet."""
    settings, addresses = showing.desk.settings, showing.addresses
    names = the_site().assets.served_name
    spoken = showing.words.language
    return {
        "desk": settings,
        "page_language": spoken,
        # Of a desk whose language the pages do not speak the articles set the side.
        "direction": direction(spoken if spoken != "en" else settings.language),
        "home": addresses.local("/"),
        "sections_url": addresses.local("/sections"),
        "opml": addresses.local("/sections.opml"),
        "style": addresses.local(f"/static/{names['desk.css']}"),
        "icon": addresses.local(f"/static/{names['favicon.svg']}"),
        "mark": addresses.local("/favicon.ico"),
        "search_url": addresses.local("/search"),
        "status_url": addresses.local("/status") if the_site().access.is_open(settings.base_url) else "",
        "licence": addresses.local("/licence.xml") if settings.licence else "",
    }


def latest_change(articles: Sequence[Article], accepted_at: datetime) -> datetime:
    """Return when what a page shows last changed."""
    return max([accepted_at, *(article.updated for article in articles)])
