"""The admins' pages: `/status`, a page a source, `/status.atom`, `/metrics`. Never cached, never with a secret in them.

I/O: a few reads of the store; the lines of config files that have errors; the clock.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlencode

from flask import Blueprint, Response, request
from isal import igzip
from werkzeug.exceptions import NotFound

from feeds import frames
from feeds.condition import WORDS
from feeds.errors import StoreError
from feeds.serve import admin_views as views
from feeds.serve.addresses import Addresses
from feeds.serve.admission import CLOSED, taken_token
from feeds.serve.counters import exposition, stored
from feeds.serve.readership import report, share
from feeds.serve.representations import codings_in_order
from feeds.serve.site import (
    drawn,
    finish_text,
    number_asked,
    page_headers,
    plain_answer,
    respond_with,
    showing_of,
    the_site,
)
from feeds.serve.store_reader import (
    BEHIND_S,
    CHART_DAYS,
    PER_PAGE,
    pages_of,
    shown_sources,
)
from feeds.store.overview import SORTS, Numbers, day_of
from feeds.urls import masked, misleading

log = logging.getLogger(__name__)
bp = Blueprint("status", __name__)
for _name, _filter in views.FILTERS.items():
    bp.add_app_template_filter(_filter, _name)

MOST_PAGES = 1_000_000
POLLS_SHOWN = 100
GZIP_LEVEL = 2
READERS_DAYS, MOST_READERS = 7, 200


@bp.before_request
def guard() -> Response | None:
    """Let in who may see these pages; 401 asks for the token, 403 says how to have one."""
    verdict = the_site().access.judge(
        the_site().snapshot.settings.base_url,
        host=request.headers.get("Host", ""),
        authorization=request.headers.get("Authorization"),
        # Feed readers and scrapers that know no passwords; an address with a token in it is for them alone.
        query_token=taken_token(request.environ) if request.path in ("/status.atom", "/metrics") else None,
    )
    if verdict == "open":
        return None
    if verdict == "closed":
        return _private(plain_answer("This page is for admins. " + CLOSED, 403))
    response = plain_answer("This page is for admins. Give the token as the password.", 401)
    response.headers["WWW-Authenticate"] = 'Basic realm="Wiredesk status", charset="UTF-8"'
    return _private(response)


@bp.errorhandler(StoreError)
def store_is_silent(error: StoreError) -> Response:
    """Say why there is nothing to be seen; admins alone come here."""
    log.warning("could not answer: %s", error)
    text = f"503 Service Unavailable\nThe store does not answer: {masked(str(error))}"
    return _private(plain_answer(text, 503, {"Retry-After": "5"}))


@bp.get("/status")
def status() -> Response:
    """Show the desk: config, alarms, sources, sections, numbers.

    `state`, `q`, `sort` and `page` choose among the sources and order them, `sections` turns the pages of sections.
    """
    site, now = the_site(), the_site().now()
    snapshot, asked = site.answers.snapshot, _asked()
    summary = site.health.summary(
        now, word=asked["state"], sought=asked["q"], sort=asked["sort"] or SORTS[0], page=_page_asked("page")
    )
    numbers = summary.numbers
    config = [event for event in summary.events if event.kind == "config"]
    sections = views.section_rows(snapshot.desk.sections, summary.section_days, now)
    section_page = min(_page_asked("sections"), pages_of(len(sections)))
    return _page(
        "status.html",
        config=config,
        config_errors=[fault for event in config for fault in views.config_faults(event, _config_folder())],
        accepted=snapshot.desk,
        trouble=site.health.trouble,
        address=misleading(
            snapshot.settings.base_url,
            site.access.bind,
            site.access.port,
            behind_tls=request.headers.get("X-Forwarded-Proto") == "https",
        ),
        rows=views.rows(summary.shown, now),
        total=sum(numbers.states.values()),
        found=summary.found,
        counts=_state_counts(numbers, asked["state"]),
        asked=asked,
        link=_links_to(asked, snapshot.addresses),
        page=summary.page,
        pages=pages_of(summary.found),
        sorts=SORTS,
        sections=sections[(section_page - 1) * PER_PAGE : section_page * PER_PAGE],
        section_page=section_page,
        section_pages=pages_of(len(sections)),
        alarms=views.alarm_groups(summary.events, summary.alarms),
        of_sources=views.OF_SOURCES,
        behind=views.interval_words(numbers.lag_s) if numbers.lag_s > BEHIND_S else "",
        facts=views.facts(numbers),
    )


def _state_counts(numbers: Numbers, asked: str) -> dict[str, int]:
    """How many sources are in each state that there is, or that is *asked* for."""
    counts = {**numbers.states, "trouble": numbers.trouble}
    return {word: count for word, count in counts.items() if count or word == asked}


def _links_to(asked: dict[str, str], addresses: Addresses) -> Callable[..., str]:
    def link(to: str = "sources", **changes: str | int) -> str:
        """Return the address of this page with *changes* to what it is asked for."""
        chosen_by = asked | {name: str(value) for name, value in changes.items()}
        query = urlencode({name: value for name, value in chosen_by.items() if value})
        return addresses.local("/status") + (f"?{query}" if query else "") + f"#{to}"

    return link


@bp.get("/status/source/<path:key>")
def source_page(key: str) -> Response:
    """Show one source: its state and remedy, what it brought, its polls."""
    site, now = the_site(), the_site().now()
    snapshot = site.answers.snapshot
    with site.store.read() as tx:
        number = tx.overview.id_of(key)
        if number is None:
            raise NotFound
        shown, polls = shown_sources(tx, [number], now), tx.sources.polls(number, POLLS_SHOWN)
    source = shown.lines[0].source
    return _page(
        "status_source.html",
        row=views.rows(shown, now)[0],
        polls=polls,
        section=snapshot.addresses.section_at(source.section or ""),
        feed_href=snapshot.addresses.local("/index.atom") + "?" + urlencode({"source": source.key}),
    )


@bp.get("/status/readers")
def readers() -> Response:
    """Show who reads the feeds, and how well."""
    site, now = the_site(), the_site().now()
    site.answers.tally.flush()
    site.answers.tally.readership.save()
    with site.store.read() as tx:
        known = report(tx.readers.since(day_of(now) - READERS_DAYS + 1))
    return _page(
        "status_readers.html",
        days=READERS_DAYS,
        readers=known.readers[:MOST_READERS],
        total=known.total,
        subscribers=sorted(known.subscribers.items(), key=lambda one: -sum(one[1].values()))[:MOST_READERS],
        slowed=[one.slowed for one in known.readers if one.impolite and one.slowed],
        share=share,
    )


@bp.get("/status.atom")
def alarms() -> Response:
    """Give the alarms as a feed, with validators."""
    site = the_site()
    snapshot = site.snapshot
    with site.store.read() as tx:
        events, feed_id = tx.events.recent(views.LOOKS_AT), frames.feed_urn(tx.configs.desk_id(), "status")
    body = views.alarms_feed(
        events,
        title=snapshot.settings.title,
        feed_id=feed_id,
        self_url=snapshot.addresses.public("/status.atom"),
        page_url=snapshot.addresses.public("/status"),
        began=snapshot.desk.accepted_at,
    )
    changed = max((event.closed_at or event.at for event in events), default=None)
    return respond_with(finish_text(body, "application/atom+xml", changed, cache_control="private, no-cache"))


@bp.get("/metrics")
def metrics() -> Response:
    """Give the desk's numbers in Prometheus' text format."""
    site, known = the_site(), None
    with suppress(StoreError):
        known = stored(*site.health.numbers(site.now()))
    body, media_type = exposition(known, site.answers.tally)
    return _private(Response(body, content_type=media_type))


def _asked() -> dict[str, str]:
    """Return what the request chooses sources by, without what means nothing."""
    asked = {name: request.args.get(name, "") for name in ("state", "sort", "q")}
    asked["state"] = asked["state"] if asked["state"] in (*WORDS, "trouble") else ""
    asked["sort"] = asked["sort"] if asked["sort"] in SORTS[1:] else ""
    return asked


def _page_asked(parameter: str) -> int:
    return number_asked(parameter, most=MOST_PAGES) or 1


def _config_folder() -> Path | None:
    folder = os.environ.get("WIREDESK_CONFIG", "").strip()
    return Path(folder) if folder else None


def _page(template: str, **values: object) -> Response:
    showing = showing_of(the_site().snapshot, "en")
    html, _ = drawn(template, showing, (), now=showing.now, chart_days=CHART_DAYS, **values)
    body = html.encode()
    response = Response(body, content_type="text/html; charset=utf-8")
    if "gzip" in codings_in_order(request.headers.get("Accept-Encoding")):
        response = Response(igzip.compress(body, GZIP_LEVEL), content_type="text/html; charset=utf-8")
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Vary"] = "Accept-Encoding"
    response.headers.extend(page_headers(showing.settings))
    return _private(response)


def _private(response: Response) -> Response:
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
