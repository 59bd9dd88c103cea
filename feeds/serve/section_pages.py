"""The front page, sections' pages, pages of the past and search: the human face of the feeds.
I/O: a few reads of the store, once a publication; one a question for search.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from urllib.parse import quote, urlencode, urlsplit

from flask import Blueprint, Response, request
from msgspec.structs import replace

from feeds import frames
from feeds.configuration import UNFILED, Section
from feeds.errors import SectionNotFound, StoreError
from feeds.model import Article, Format
from feeds.serve.addresses import Addresses
from feeds.serve.answers import Snapshot
from feeds.serve.joined import Refused, join
from feeds.serve.representations import Finished, is_for_people
from feeds.serve.site import (
    draw_once,
    drawn,
    finish_text,
    number_asked,
    page_headers,
    respond_with,
    showing_of,
    slot,
    the_site,
)
from feeds.serve.view_models import (
    FORMAT_NAMES,
    Headline,
    Showing,
    by_weight,
    children,
    days,
    feed_of,
    headline,
    not_shown,
    top_sections,
)
from feeds.serve.wording import Wording, wording
from feeds.store.search import MOST_FOUND, MOST_QUERY_CHARS, Question
from feeds.store.values import Selection, StorySize
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

PER_PAGE = 20
FEED_ENTRIES = 50
MOST_CHOICES = 150
"""Sections and sources that the page of search offers to choose from; the addresses take any."""
DAYS = (1, 7, 30, 365)
"""Times to choose from: so many days back."""


@bp.get("/")
def front() -> Response:
    """Give the front page: what weighs most of all, then the sections that have something, each with its headlines."""
    site = the_site()

    def draw(showing: Showing) -> tuple[str, datetime]:
        snapshot = site.snapshot
        newest = site.known("top", snapshot.state_of(""), partial(site.reader.heaviest, "", TOP_READ, TOP_AMONG))
        below = children(showing.desk)
        sections = top_sections(below)
        latest = _latest(sections, snapshot)
        seen = [*newest, *(article for articles in latest.values() for article in articles)]
        sizes = story_sizes(seen)
        shown: set[str] = set()

        def lines(articles: Sequence[Article], most: int, others: int) -> list[Headline]:
            found = by_weight([headline(one, showing, sizes) for one in articles], others)
            return not_shown(found, shown, most)

        return drawn(
            "front.html",
            showing,
            seen,
            newest=lines(newest, TOP_HEADLINES, 4),
            sections=sections,
            below=below,
            desks=[(one, lines(latest[one.path], SECTION_HEADLINES, 2)) for one in sections if one.path in latest],
            beside=[one for one in sections if one.path not in latest][:MOST_BESIDE],
            sources=len(showing.desk.sources),
            everything=_archive("", site.reader.older("", ()), showing.addresses),
            canonical=showing.addresses.public("/"),
        )

    return draw_once(("front", site.snapshot.counter, slot()), draw)


def _latest(sections: Sequence[Section], snapshot: Snapshot) -> dict[str, Sequence[Article]]:
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

    def draw(showing: Showing) -> tuple[str, datetime]:
        below = children(showing.desk)
        return drawn(
            "sections.html",
            showing,
            (),
            sections=top_sections(below),
            below=below,
            with_feeds=len(showing.desk.sections) <= MOST_WITH_FEEDS,
            canonical=showing.addresses.public("/sections"),
        )

    return draw_once(("sections",), draw)


@bp.get("/<path:section>")
def section_page(section: str) -> Response:
    """Give a section's page: its feeds, what lies above, beside and below it, its articles by days."""
    return _section_page("section.html", _section(section))


def feed_page(section: Section, format: Format, url: str) -> Response:
    """Give what a browser that navigates to the feed at *url* gets: its section's page, with the feed explained."""
    settings = the_site().snapshot.settings
    words = wording(section.language or settings.language)
    shown = section if section.path else replace(section, title=settings.title)
    return _section_page("feed.html", shown, name=FORMAT_NAMES[format], url=url, services=_services(url, words))


def _services(url: str, words: Wording) -> list[tuple[str, str]]:
    """Where the feed at *url* can be subscribed to with a click, by name: an app of one's own first."""
    public = not is_loopback(urlsplit(url).hostname or "")
    return [
        (words.gettext("a reader app"), f"feed:{url}"),
        *((name, at + quote(url, safe="")) for name, at in SERVICES if public),
    ]


def _section_page(template: str, found: Section, url: str = "", **more: object) -> Response:
    site, path = the_site(), found.path

    def draw(showing: Showing) -> tuple[str, datetime]:
        most = min(found.limit or showing.settings.publish.entries, MOST_ON_A_PAGE)
        articles = site.reader.latest(path, most)
        older = site.reader.older(path, [article.uid for article in articles])
        return _drawn(template, showing, found, articles, story_sizes(articles), older, None, url=url, **more)

    return draw_once((template, path, url, site.snapshot.state_of(path), slot()), draw, found.language)


def _drawn(
    template: str,
    showing: Showing,
    found: Section,
    articles: Sequence[Article],
    sizes: Mapping[str, StorySize],
    older: int | None,
    page: int | None,
    /,
    **more: object,
) -> tuple[str, datetime]:
    """Draw a page of a section's articles by days, *page* of its past, with what *template* wants *more*."""
    lines = [headline(article, showing, sizes, dated=False) for article in articles]
    return drawn(
        template,
        showing,
        articles,
        section=found,
        **_around(found, showing),
        days=days(by_weight(lines), showing),
        older=_archive(found.path, older, showing.addresses),
        canonical=showing.addresses.public(_archive_path(found.path, page) if page else "/" + found.path),
        **more,
    )


@bp.get("/archive/<page>", defaults={"section": ""})
@bp.get("/<path:section>/archive/<page>")
def archive_page(section: str, page: str) -> Response:
    """Give a page of a section's past, with the same articles as the archive pages of its feeds; back to the first."""
    site = the_site()
    found = _section(section) if section else Section(path="", title=site.snapshot.settings.title)
    if not ARCHIVE_NUMBER.fullmatch(page):
        raise SectionNotFound(section)
    past = site.reader.past(section, int(page))

    def draw(showing: Showing) -> tuple[str, datetime]:
        newer = _archive(section, past.newer, showing.addresses) or showing.addresses.local("/" + section)
        return _drawn("archive.html", showing, found, past.articles, {}, past.older, int(page), newer=newer)

    return draw_once(("past", section, page, site.snapshot.state_of(section), past.newer, slot()), draw, found.language)


def _archive(path: str, page_number: int | None, addresses: Addresses) -> str:
    return addresses.local(_archive_path(path, page_number)) if page_number else ""


def _archive_path(path: str, number: int) -> str:
    return f"{'/' if path else ''}{path}/archive/{number}"


def _section(path: str) -> Section:
    found = the_site().snapshot.addresses.section_at(path)
    if found is None and path == UNFILED:
        words = wording(the_site().snapshot.settings.language)
        description = words.gettext("Articles that no section takes in yet.")
        found = Section(path=UNFILED, title=words.gettext("Unfiled"), description=description)
    if found is None:
        raise SectionNotFound(path)
    return found


def _around(section: Section, showing: Showing) -> dict[str, object]:
    """The sections above, below and beside one: what lies beside it is the one itself as well."""
    above = map(showing.addresses.section_at, _paths_above(section.path))
    below = children(showing.desk)
    beside = below.get(section.parent or "", ()) if section.path else ()
    return {
        "trail": [one for one in above if one],
        "children": below.get(section.path, ())[:MOST_AROUND],
        "siblings": _near(beside, section) if len(beside) > 1 else (),
    }


def _paths_above(path: str) -> list[str]:
    return [path[:at] for at, sign in enumerate(path) if sign == "/"]


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


# ------------------------------------------------------------------ search


@bp.get("/search")
def search_page() -> Response:
    """Show what is found, by relevance or by date, with what narrows it."""
    snapshot = the_site().snapshot
    showing = showing_of(snapshot)
    question = _question(snapshot)
    by_date = _sort() == "date"
    days = number_asked("days", most=10_000)
    number = number_asked("page", most=MOST_FOUND // PER_PAGE) or 1
    if days is not None:
        question = replace(question, since=showing.now - timedelta(days=days))
    found: tuple[Article, ...] = ()
    count = 0
    if question.words:
        with the_site().store.read() as tx:
            hits = tx.search.find(question, PER_PAGE, (number - 1) * PER_PAGE, by_date=by_date)
        found, count = hits.articles, hits.count
    asked = _asked(question) | ({"days": str(days)} if days else {}) | ({"sort": "date"} if by_date else {})
    sizes = story_sizes(found)
    html, changed = drawn(
        "search.html",
        showing,
        found,
        query=question.words,
        lines=[headline(article, showing, sizes) for article in found],
        count=count,
        more_than_counted=count == MOST_FOUND,
        later=_page_link(snapshot, asked, number + 1) if number * PER_PAGE < count else "",
        earlier=_page_link(snapshot, asked, number - 1) if number > 1 else "",
        chosen=asked,
        **_choices(showing, question),
        feeds=[feed_of("search", "atom", snapshot.addresses, "?" + urlencode(_asked(question)))],
    )
    more = page_headers(snapshot.settings)
    return respond_with(finish_text(html, "text/html", changed, cache_control="public, max-age=60", more=more))


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
            settings=snapshot.settings,
            self_url=_address(snapshot, "/search.atom", asked),
            page_url=_address(snapshot, "/search", asked),
            title=f"“{words}” · {snapshot.settings.title}",
            description=f"Articles that hold {words}",
            feed_id=frames.feed_urn(desk_id, "search", "&".join([words.casefold(), *narrowed])),
            updated=snapshot.desk.accepted_at,
            most_bytes=snapshot.settings.publish.max_bytes,
        )

    return respond_with(site.once(("search", format, question, snapshot.counter), prepare, site.joins))


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
    desk, hides = showing.desk, the_site().hides
    titles = {section.path: section.title for section in desk.sections if section.path}
    sections = [(path, " › ".join(_titles(path, titles))) for path in titles]
    ngettext = showing.words.ngettext
    offered = [one for one in desk.sources if not hides or one.key == question.source]
    sources = sorted(((source.key, source.name) for source in offered), key=lambda pair: pair[1].casefold())
    return {
        "sections": _some(sections, question.section),
        "sources_offered": _some(sources, question.source),
        "times": [(str(day), ngettext("the last day", "the last %(num)s days", day)) for day in DAYS],
    }


def _titles(path: str, titles: Mapping[str, str]) -> list[str]:
    return [titles[one] for one in (*_paths_above(path), path) if one in titles]


def _some(choices: list[tuple[str, str]], chosen: str) -> list[tuple[str, str]]:
    return choices[:MOST_CHOICES] + [each for each in choices[MOST_CHOICES:] if each[0] == chosen]
