"""The front page and the sections' pages: the human face of the feeds.
I/O: a few reads of the store, once a publication.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from flask import Blueprint, Response, render_template

from feeds.errors import SectionNotFound
from feeds.model import UNFILED, Article, Section
from feeds.serve.faces import REDRAWN_MIN, Headline, direction, feeds_of, grouped, headline, node, tree
from feeds.serve.site import page, the_site
from feeds.serve.snapshot import Snapshot

bp = Blueprint("fronts", __name__)

TOP_HEADLINES = 9
SECTION_HEADLINES = 5
SECTIONS_WITH_HEADLINES = 40  # a wider tree shows the others by name: each costs a read


@bp.get("/")
def front() -> Response:
    """Give the front page: the newest of all, then the section tree, each with its feeds and latest headlines."""

    def draw(snapshot: Snapshot) -> tuple[str, datetime]:
        site, desk, addresses = the_site(), snapshot.desk, snapshot.addresses
        now = site.now()
        newest = site.newest("", TOP_HEADLINES, snapshot)
        seen = list(newest)
        sections = list(tree(desk, addresses))
        for index, section in enumerate(sections[:SECTIONS_WITH_HEADLINES]):
            articles = site.newest(section.path, SECTION_HEADLINES, snapshot)
            seen += articles
            lines = grouped([headline(one, desk, addresses, now=now) for one in articles], most=2)
            sections[index] = replace(section, headlines=tuple(lines))
        html = render_template(
            "front.html",
            **frame(snapshot),
            sections=sections,
            newest=_lead_first(grouped([headline(article, desk, addresses, now=now) for article in newest])),
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
    path = found.path

    def draw(snapshot: Snapshot) -> tuple[str, datetime]:
        desk, addresses = snapshot.desk, snapshot.addresses
        limit = found.limit or desk.settings.publish.entries
        articles = site.reader.latest(path, limit)
        trail = [
            node(above, addresses)
            for above in (addresses.section_at(path[:end]) for end in range(len(path)) if path[end] == "/")
            if above is not None
        ]
        children = [node(child, addresses) for child in desk.sections if child.path and child.parent == path]
        html = render_template(
            "section.html",
            **frame(snapshot),
            section=node(found, addresses),
            trail=trail,
            children=children,
            articles=grouped([headline(article, desk, addresses, now=site.now()) for article in articles]),
            feeds=feeds_of(path, addresses),
            canonical=addresses.public("/" + path),
            unfiled=path == UNFILED,
        )
        return html, latest_change(articles, desk.accepted_at)

    return page(("section", path, site.snapshot.state_of(path), slot()), draw)


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
