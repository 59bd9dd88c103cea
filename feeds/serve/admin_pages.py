"""The admins' pages: `/status`, a page a source, `/status.atom`, `/metrics`. Never cached, never with a secret in them.

I/O: a few reads of the store; the lines of config files that have errors; the clock.
"""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from urllib.parse import urlencode

from flask import Blueprint, Response, render_template, request
from isal import igzip
from werkzeug.exceptions import NotFound

from feeds import frames
from feeds.condition import ago, condition
from feeds.dates import rfc3339, zone_of
from feeds.errors import StoreError
from feeds.serve import admin_views as views
from feeds.serve.admin_views import SORTS, WORDS
from feeds.serve.admission import CLOSED
from feeds.serve.alarm_feed import LOOKS_AT, alarms_feed
from feeds.serve.counters import Stored, exposition
from feeds.serve.representations import choose, reply
from feeds.serve.section_pages import frame
from feeds.serve.site import finish_text, number_asked, page_headers, respond, the_site
from feeds.serve.store_reader import BEHIND_S, CHART_DAYS
from feeds.serve.view_models import in_words
from feeds.store.overview import Saved, day_of
from feeds.urls import masked

log = logging.getLogger(__name__)
bp = Blueprint("status", __name__)
bp.add_app_template_filter(views.code, "code")

PER_PAGE = 50
MOST_PAGES = 1_000_000
POLLS_SHOWN = 100
GZIP_LEVEL = 2


@bp.before_request
def guard() -> Response | None:
    """Let in who may see these pages; 401 asks for the token, 403 says how to have one."""
    verdict = the_site().access.judge(
        the_site().snapshot.desk.settings.base_url,
        host=request.headers.get("Host", ""),
        authorization=request.headers.get("Authorization"),
        # Feed readers and scrapers that know no passwords; an address with a token in it is for them alone.
        query_token=request.args.get("token") if request.path in ("/status.atom", "/metrics") else None,
    )
    if verdict == "open":
        return None
    text = "This page is for admins. " + ("Give the token as the password.\n" if verdict == "ask" else CLOSED + "\n")
    response = Response(text, status=401 if verdict == "ask" else 403, content_type="text/plain; charset=utf-8")
    if verdict == "ask":
        response.headers["WWW-Authenticate"] = 'Basic realm="Wiredesk status", charset="UTF-8"'
    return _private(response)


@bp.errorhandler(StoreError)
def store_is_silent(error: StoreError) -> Response:
    """Say why there is nothing to be seen; admins alone come here."""
    log.warning("could not answer: %s", error)
    text = f"503 Service Unavailable\nThe store does not answer: {masked(str(error))}\n"
    response = _private(Response(text, status=503, content_type="text/plain; charset=utf-8"))
    response.headers["Retry-After"] = "5"
    return response


@bp.get("/status")
def status() -> Response:
    """Show the desk: config, alarms, sources, sections, numbers.

    `state`, `q`, `sort` and `page` choose among the sources and order them, `sections` turns the pages of sections.
    """
    site, now = the_site(), the_site().now()
    snapshot, summary = site.snapshot, site.health.summary(now)
    asked = _asked()
    judged = views.judge(summary, now)
    counts = views.count(judged)
    chosen = views.order(views.choose(judged, asked["state"], asked["q"]), asked["sort"])
    page, pages = _page_of(len(chosen), "page")
    here = chosen[(page - 1) * PER_PAGE : page * PER_PAGE]
    details = site.health.details([line.id for line, _ in here], now)
    today = day_of(now)
    sections = views.section_rows(
        snapshot.desk.sections, summary.section_days, addresses=snapshot.addresses, today=today
    )
    section_page, section_pages = _page_of(len(sections), "sections")

    def link(to: str = "sources", **changes: str | int) -> str:
        chosen_by = asked | {name: str(value) for name, value in changes.items()}
        query = urlencode({name: value for name, value in chosen_by.items() if value})
        return snapshot.addresses.local("/status") + (f"?{query}" if query else "") + f"#{to}"

    config = [event for event in summary.open_events if event.kind == "config"]
    html = render_template(
        "status.html",
        **frame(snapshot),
        **_common(now),
        trouble=site.health.trouble,
        rows=[
            views.row(
                one,
                details.days.get(one[0].id, {}),
                details.saved.get(one[0].id, Saved()),
                addresses=snapshot.addresses,
                today=today,
                now=now,
            )
            for one in here
        ],
        total=len(judged),
        found=len(chosen),
        counts={word: count for word, count in counts.items() if count or word == asked["state"]},
        asked=asked,
        link=link,
        page=page,
        pages=pages,
        sorts=SORTS,
        config_errors=[fault for event in config for fault in views.config_faults(event, _config_folder())],
        config_since=ago(config[0].at, now) if config else "",
        config_version=snapshot.desk.version,
        accepted=in_words(snapshot.desk.accepted_at, zone_of(snapshot.desk.settings.timezone)),
        alarms=views.alarm_groups(summary.open_events, addresses=snapshot.addresses, now=now),
        behind=views.interval_words(summary.numbers.lag_s) if summary.numbers.lag_s > BEHIND_S else "",
        sections=sections[(section_page - 1) * PER_PAGE : section_page * PER_PAGE],
        section_page=section_page,
        section_pages=section_pages,
        facts=views.facts(summary.numbers, len(judged), counts),
    )
    return _page(html)


@bp.get("/status/source/<path:key>")
def source_page(key: str) -> Response:
    """Show one source: its state and remedy, what it brought, its polls."""
    site, now = the_site(), the_site().now()
    snapshot = site.snapshot
    with site.store.read() as tx:
        lines = tx.overview.lines(key)
        if not lines:
            raise NotFound
        line, polls = lines[0], tx.sources.polls(lines[0].id, POLLS_SHOWN)
        quiet = next((one.text for one in tx.events.open() if (one.kind, one.subject) == ("silent", key)), "")
    details = site.health.details([line.id], now)
    zone = zone_of(snapshot.desk.settings.timezone)
    section = snapshot.addresses.section_at(line.source.section or "")
    html = render_template(
        "status_source.html",
        **frame(snapshot),
        **_common(now),
        row=views.row(
            (line, condition(line.source, line.state, now=now, quiet=quiet)),
            details.days.get(line.id, {}),
            details.saved.get(line.id, Saved()),
            addresses=snapshot.addresses,
            today=day_of(now),
            now=now,
        ),
        last_error=masked(line.state.last_error),
        last_status=line.state.last_status,
        polls=[
            {
                "poll": poll,
                "when": in_words(poll.at, zone),
                "stamp": rfc3339(poll.at),
                "error": masked(poll.error),
                # What helps now stands above the table already.
                "remedy": masked(poll.remedy) if poll.remedy != line.state.last_remedy else "",
                "bytes": views.bytes_words(poll.wire_bytes),
                "next": in_words(poll.next_poll_at, zone),
            }
            for poll in polls
        ],
        section=section,
        section_href=snapshot.addresses.local("/" + section.path) if section else "",
        feed_href=snapshot.addresses.local("/index.atom") + "?" + urlencode({"source": line.source.key}),
    )
    return _page(html)


@bp.get("/status.atom")
def alarms() -> Response:
    """Give the alarms as a feed, with validators."""
    site = the_site()
    snapshot = site.snapshot
    with site.store.read() as tx:
        events, feed_id = tx.events.recent(LOOKS_AT), frames.feed_urn(tx.configs.desk_id(), "status")
    body = alarms_feed(
        events,
        title=snapshot.desk.settings.title,
        feed_id=feed_id,
        self_url=snapshot.addresses.public("/status.atom"),
        page_url=snapshot.addresses.public("/status"),
        began=snapshot.desk.accepted_at,
    )
    finished = finish_text(
        body.decode(),
        media_type="application/atom+xml; charset=utf-8",
        last_modified=max((event.closed_at or event.at for event in events), default=snapshot.desk.accepted_at),
        cache_control="private, no-cache",
    )
    return respond(reply(finished, request.environ))


@bp.get("/metrics")
def metrics() -> Response:
    """Give the desk's numbers in Prometheus' text format."""
    site, now, known = the_site(), the_site().now(), None
    with suppress(StoreError):
        summary = site.health.summary(now, sections=False)
        if site.health.trouble is None:
            counts = views.count(views.judge(summary, now))
            known = Stored(summary.numbers, {word: counts[word] for word in WORDS}, summary.open_events)
    body, media_type = exposition(known, site.answers.tally)
    return _private(Response(body, content_type=media_type))


def _asked() -> dict[str, str]:
    """Return what the request chooses sources by, without what means nothing."""
    asked = {name: request.args.get(name, "") for name in ("state", "sort", "q")}
    asked["state"] = asked["state"] if asked["state"] in (*WORDS, "trouble") else ""
    asked["sort"] = asked["sort"] if asked["sort"] in SORTS[1:] else ""
    return asked


def _page_of(total: int, parameter: str) -> tuple[int, int]:
    """Return which page of *total* lines is asked for, and how many there are."""
    pages = max(1, -(-total // PER_PAGE))
    return min(number_asked(parameter, least=1, most=MOST_PAGES) or 1, pages), pages


def _common(now: datetime) -> dict[str, object]:
    snapshot = the_site().snapshot
    return {
        "status_home": snapshot.addresses.local("/status"),
        "alarms_url": snapshot.addresses.local("/status.atom"),
        "metrics_url": snapshot.addresses.local("/metrics"),
        "now_words": in_words(now, zone_of(snapshot.desk.settings.timezone)),
        "chart_days": CHART_DAYS,
    }


def _config_folder() -> Path | None:
    folder = os.environ.get("WIREDESK_CONFIG", "").strip()
    return Path(folder) if folder else None


def _page(html: str) -> Response:
    body = html.encode()
    response = Response(body, content_type="text/html; charset=utf-8")
    if choose(request.headers.get("Accept-Encoding"), ("gzip",)) == "gzip":
        response = Response(igzip.compress(body, GZIP_LEVEL), content_type="text/html; charset=utf-8")
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Vary"] = "Accept-Encoding"
    response.headers.extend(
        [(name, value) for name, value in page_headers(the_site().snapshot.desk.settings) if name != "Referrer-Policy"]
    )
    return _private(response)


def _private(response: Response) -> Response:
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
