"""A story as a page and as feeds: `/story/ID`, `.rss`, `.atom`, `.json`. Its articles as a timeline, the newest first.
I/O: one read of the store a question; feeds are joined once a publication.

A story keeps its address for as long as it lives. Of two that merge the older goes on, and the other's address leads
there, whatever the suffix.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from itertools import groupby

from flask import Blueprint, Response, current_app, render_template
from werkzeug.exceptions import Gone, NotFound

from feeds import frames
from feeds.dates import rfc3339, zone_of
from feeds.errors import StoreError
from feeds.model import Article, Format
from feeds.serve.addresses import story_path
from feeds.serve.faces import Headline, day_in_words, feeds_of, headline, in_words, shortened
from feeds.serve.fronts import frame, latest_change, slot
from feeds.serve.joined import finish_joined
from feeds.serve.ledger import Ledger
from feeds.serve.representations import Finished, cache_control
from feeds.serve.site import page, redirect_to, respond_with, the_site
from feeds.serve.snapshot import Snapshot
from feeds.store.values import StorySize
from feeds.text import plain

bp = Blueprint("stories", __name__)

MOST_ARTICLES = 100
FEED_ENTRIES = 50
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


class _NoArticles(Exception):
    """The story has nothing to show: it was merged, retracted, or never there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """The articles of one day of the desk's zone, newest first."""

    name: str
    stamp: str
    lines: tuple[Headline, ...]


@bp.get("/story/<story_id>")
def story_page(story_id: str) -> Response:
    """Give the page of a story."""
    uid = _uid(story_id)

    def draw(snapshot: Snapshot) -> tuple[str, datetime]:
        articles = _ledger().story(uid, MOST_ARTICLES)
        if not articles:
            raise _NoArticles
        desk, addresses, now = snapshot.desk, snapshot.addresses, the_site().now()
        zone = zone_of(desk.settings.timezone)
        told = sorted(articles, key=lambda article: article.published, reverse=True)
        sources = list(dict.fromkeys(article.source_name for article in told if article.source_name))
        size = _size(uid)
        html = render_template(
            "story.html",
            **frame(snapshot),
            series=size.series,
            title=told[0].title or "Untitled",
            count=max(len(told), size.articles),
            shown=len(told),
            sources=sources,
            began=in_words(told[-1].published, zone),
            began_stamp=rfc3339(told[-1].published),
            days=[
                Day(
                    name=name,
                    stamp=several[0].published.astimezone(zone).date().isoformat(),
                    lines=tuple(headline(article, desk, addresses, now=now) for article in several),
                )
                for name, several in _by_day(told, zone)
            ],
            description=shortened(plain(told[0].summary or told[0].content), 200),
            noindex=any(article.noindex for article in told),
            feeds=feeds_of(story_path(uid)[1:], addresses),
            canonical=addresses.public(story_path(uid)),
        )
        return html, latest_change(told, desk.accepted_at)

    try:
        return page(("story", uid, the_site().snapshot.counter, slot()), draw)
    except _NoArticles:
        return _elsewhere(uid)


@bp.get("/story/<story_id>.<any(rss, atom, json):format>")
def story_feed(story_id: str, format: Format) -> Response:
    """Give a story as a feed of its articles, joined from their fragments; its id is the story's for good."""
    uid = _uid(story_id)
    site = the_site()
    snapshot = site.snapshot

    def prepare() -> Finished:
        base, selection, desk_id = _ledger().story_feed(uid, format, FEED_ENTRIES)
        if not selection.fragments and not selection.missing:
            raise _NoArticles
        if base is None or selection.missing:
            raise StoreError("the story waits for being rendered", remedy="nothing to do: publishing is on its way")
        articles = _ledger().story(uid, 1)
        title = articles[0].title if articles else ""
        self_url = snapshot.addresses.public(f"{story_path(uid)}.{format}")
        updated = selection.updated or snapshot.desk.accepted_at
        body = frames.assemble(
            base,
            selection.fragments,
            self_url=self_url,
            alternate_url=snapshot.addresses.public(story_path(uid)),
            title=f"{title} · {snapshot.desk.settings.title}",
            description=f"All articles of one {'series' if _size(uid).series else 'story'}",
            updated=updated,
            feed_id=frames.feed_urn(desk_id, "story", uid),
        )
        return finish_joined(
            body,
            format,
            sequence=None,
            last_modified=updated,
            cache_control=cache_control(snapshot.desk.settings),
            links=[("Link", f'<{self_url}>; rel="self"')],
        )

    key = ("story", format, uid, snapshot.counter, snapshot.desk.version)
    try:
        return respond_with(site.joined(key, prepare))
    except _NoArticles:
        return _elsewhere(uid, f".{format}")


def _by_day(told: Sequence[Article], zone: tzinfo) -> list[tuple[str, list[Article]]]:
    return [
        (name, list(several))
        for name, several in groupby(told, key=lambda article: day_in_words(article.published, zone))
    ]


def _size(uid: str) -> StorySize:
    return _ledger().story_sizes([uid]).get(uid, StorySize(0, 0))


def _uid(story_id: str) -> str:
    if not _UUID.fullmatch(story_id):
        raise NotFound
    return f"urn:uuid:{story_id}"


def _elsewhere(uid: str, suffix: str = "") -> Response:
    """Lead from a story that was merged to where it went on; 410 where all its articles were taken out."""
    place = _ledger().story_place(uid)
    if isinstance(place, str):
        return redirect_to(the_site().snapshot.addresses.public(story_path(place) + suffix))
    raise Gone if place else NotFound


def _ledger() -> Ledger:
    ledger: Ledger = current_app.extensions["feeds.ledger"]
    return ledger
