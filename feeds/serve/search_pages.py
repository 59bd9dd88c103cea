"""Search: what is found as a page and as a feed, within a section, a source, a time. I/O: reads of the store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlencode

from flask import Blueprint, Response, render_template, request

from feeds import frames
from feeds.model import Article, Format
from feeds.serve.answers import Snapshot
from feeds.serve.joined import Refused, join
from feeds.serve.representations import Finished, cache_control, is_for_people, reply
from feeds.serve.section_pages import frame, latest_change, showing_of, story_sizes
from feeds.serve.site import finish_text, number_asked, page_headers, respond, respond_with, the_site
from feeds.serve.view_models import FORMAT_NAMES, Feed, Showing, headline
from feeds.store.search import MOST_FOUND, MOST_QUERY_CHARS, Question
from feeds.store.values import Selection

bp = Blueprint("search", __name__)

PER_PAGE = 20
FEED_ENTRIES = 50
MOST_CHOICES = 150
"""Sections and sources that a page offers to choose from; the addresses take any."""
DAYS = (1, 7, 30, 365)
"""Times to choose from: so many days back."""


@bp.get("/search")
def search_page() -> Response:
    """Show what is found, by relevance or by date, with what narrows it."""
    site = the_site()
    snapshot = site.snapshot
    showing = showing_of(snapshot)
    question = _question(snapshot)
    by_date = _sort() == "date"
    days = number_asked("days", least=1, most=10_000)
    number = number_asked("page", least=1, most=MOST_FOUND // PER_PAGE) or 1
    if days is not None:
        question = replace(question, since=showing.now - timedelta(days=days))
    found: tuple[Article, ...] = ()
    count = 0
    if question.words:
        with site.store.read() as tx:
            hits = tx.search.find(question, PER_PAGE, (number - 1) * PER_PAGE, by_date=by_date)
        found, count = hits.articles, hits.count
    asked = _asked(question) | ({"days": str(days)} if days else {}) | ({"sort": "date"} if by_date else {})
    sizes = story_sizes(found)
    html = render_template(
        "search.html",
        **frame(showing),
        query=question.words,
        lines=[headline(article, showing, sizes) for article in found],
        count=count,
        more_than_counted=count == MOST_FOUND,
        later=_page_link(snapshot, asked, number + 1) if number * PER_PAGE < count else "",
        earlier=_page_link(snapshot, asked, number - 1) if number > 1 else "",
        chosen=asked,
        narrowed=bool(asked.keys() - {"q"}),
        **_choices(showing, question),
        feeds=_feeds(snapshot, _asked(question)) if question.words else [],
    )
    finished = finish_text(
        html,
        media_type="text/html; charset=utf-8",
        last_modified=latest_change(found, snapshot.desk.accepted_at),
        cache_control="public, max-age=60",
        more=page_headers(snapshot.desk.settings),
    )
    return respond(reply(finished, request.environ))


@bp.get("/search.atom")
def search_feed() -> Response:
    """Give what was found last as a feed; the same question has the same feed id for good."""
    site = the_site()
    snapshot = site.snapshot
    format: Format = "atom"
    if is_for_people(request.environ):
        return search_page()
    question = _question(snapshot)
    words, asked = question.words, _asked(question)
    narrowed = [f"{name}={value}" for name, value in asked.items() if name != "q"]

    def prepare() -> Finished:
        with site.store.read() as tx:
            base, fragments = tx.documents.frame("", format), tx.search.fragments(question, format, FEED_ENTRIES)
            desk_id = tx.configs.desk_id()
        updated = max((fragment.updated for fragment in fragments), default=None)
        return join(
            base,
            Selection(fragments=fragments, missing=0, updated=updated),
            format,
            self_url=_address(snapshot, "/search.atom", asked),
            page_url=_address(snapshot, "/search", asked),
            title=f"“{words}” · {snapshot.desk.settings.title}",
            description=f"Articles that hold {words}",
            feed_id=frames.feed_urn(desk_id, "search", "&".join([words.casefold(), *narrowed])),
            updated=snapshot.desk.accepted_at,
            cache_control=cache_control(snapshot.desk.settings),
            most_bytes=snapshot.desk.settings.publish.max_bytes,
        )

    key = ("search", format, question, snapshot.counter, snapshot.desk.version)
    return respond_with(site.joined(key, prepare))


def _question(snapshot: Snapshot) -> Question:
    """What is asked, in its one spelling: blanks single, cut at the most that is read. Raises Refused."""
    words = " ".join(request.args.get("q", "").split())[:MOST_QUERY_CHARS]
    section, name = request.args.get("section", "").strip("/ "), request.args.get("source", "").strip()
    if section and snapshot.addresses.section_at(section) is None:
        raise Refused("section is the path of a section, as in its address: news/world")
    source = the_site().sources_by_name(snapshot).get(name.casefold())
    if name and source is None:
        raise Refused("source is the name of one of this desk's sources")
    return Question(words=words, within=the_site().readable, section=section, source=source.key if source else "")


def _sort() -> str:
    given = request.args.get("sort", "").strip()
    if given not in ("", "date", "relevance"):
        raise Refused("sort is relevance or date")
    return given


def _asked(question: Question) -> dict[str, str]:
    """The query that asks *question* again, but for its time."""
    asked = {"q": question.words, "section": question.section, "source": question.source}
    return {name: value for name, value in asked.items() if value}


def _address(snapshot: Snapshot, path: str, asked: Mapping[str, str]) -> str:
    return snapshot.addresses.public(path) + "?" + urlencode(asked)


def _page_link(snapshot: Snapshot, asked: Mapping[str, str], number: int) -> str:
    page = {"page": str(number)} if number > 1 else {}
    return snapshot.addresses.local("/search") + "?" + urlencode({**asked, **page})


def _choices(showing: Showing, question: Question) -> dict[str, object]:
    """What the page offers to choose from, as (value, name): sections, sources, times; what is chosen in any case."""
    desk = showing.desk
    titles = {section.path: section.title for section in desk.sections if section.path}
    sections = [(path, " › ".join(_titles(path, titles))) for path in titles]
    ngettext = showing.words.ngettext
    offered = [one for one in desk.sources if not the_site().hides or one.key == question.source]
    sources = sorted(((source.key, source.name) for source in offered), key=lambda pair: pair[1].casefold())
    return {
        "sections": _some(sections, question.section),
        "sources_offered": _some(sources, question.source),
        "times": [(str(day), ngettext("the last day", "the last %(num)s days", day)) for day in DAYS],
    }


def _titles(path: str, titles: Mapping[str, str]) -> list[str]:
    ends = [at for at, sign in enumerate(path) if sign == "/"]
    return [titles[path[:end]] for end in ends if path[:end] in titles] + [titles[path]]


def _some(choices: list[tuple[str, str]], chosen: str) -> list[tuple[str, str]]:
    return choices[:MOST_CHOICES] + [each for each in choices[MOST_CHOICES:] if each[0] == chosen]


def _feeds(snapshot: Snapshot, asked: Mapping[str, str]) -> list[Feed]:
    query = "?" + urlencode(asked)
    return [
        Feed(
            name=FORMAT_NAMES["atom"],
            media_type="application/atom+xml",
            href=snapshot.addresses.local("/search.atom") + query,
            url=snapshot.addresses.public("/search.atom") + query,
        )
    ]
