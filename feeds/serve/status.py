"""The admins' pages: `/status`, a page a source, `/status.atom`, `/metrics`. Never cached, never with a secret in them.

I/O: a few reads of the store; the lines of config files that have errors; the clock.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlencode

from flask import Blueprint, Response, current_app, render_template, request
from markupsafe import Markup
from werkzeug.exceptions import NotFound

from feeds.condition import Condition, ago, condition, span
from feeds.dates import rfc3339, zone_of
from feeds.model import UNFILED
from feeds.serve.access import CLOSED, Access
from feeds.serve.alarms import MOST, WORK, alarms_feed, title_of
from feeds.serve.charts import bars
from feeds.serve.faces import in_words
from feeds.serve.fronts import frame
from feeds.serve.ledger import CHART_DAYS, Ledger
from feeds.serve.mistakes import mistakes
from feeds.serve.representations import Asked, reply
from feeds.serve.site import finish_text, page_headers, respond, the_site
from feeds.store.overview import Line, Saved, day_of
from feeds.urls import masked

bp = Blueprint("status", __name__)

PER_PAGE = 100
WORDS = ("fine", "new", "waiting", "silent", "moved", "failing", "gone", "resting")
SORTS = ("config", "name", "state", "poll", "news", "interval")
STARVING_SHARE = 0.2
"""A section that got less than this share of its own mean in the last two days is marked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One source as the page shows it."""

    line: Line
    state: Condition
    href: str
    target: str
    polled: str
    news: str
    interval: str
    reason: str
    chart: Markup = Markup()
    articles: int = 0
    copies: str = ""
    saved: str = ""
    same: str = ""


@bp.before_request
def guard() -> Response | None:
    """Let in who may see these pages; 401 asks for the token, 403 says how to have one."""
    access: Access = current_app.extensions["feeds.access"]
    verdict = access.judge(
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


@bp.get("/status")
def status() -> Response:
    """Show the desk: config, alarms, sources, sections, numbers. `state`, `sort`, `page` and `q` choose and order."""
    site, ledger, now = the_site(), _ledger(), the_site().now()
    snapshot = site.snapshot
    glance = ledger.glance(now)
    asked = {name: request.args.get(name, "") for name in ("state", "sort", "q")}
    asked["state"] = asked["state"] if asked["state"] in (*WORDS, "trouble") else ""
    asked["sort"] = asked["sort"] if asked["sort"] in SORTS[1:] else ""
    judged = [(line, condition(line.source, line.state, now=now)) for line in glance.lines]
    counts = {word: sum(state.word == word for _, state in judged) for word in WORDS}
    counts["trouble"] = sum(state.trouble for _, state in judged)
    chosen = _ordered(_chosen(judged, asked["state"], asked["q"]), asked["sort"], now)
    pages = max(1, -(-len(chosen) // PER_PAGE))
    number = min(max(1, request.args.get("page", 1, type=int)), pages)
    here = chosen[(number - 1) * PER_PAGE : number * PER_PAGE]
    closer = ledger.closer([line.id for line, _ in here], now)
    today = day_of(now)
    rows = [
        _row(line, state, closer.days.get(line.id, {}), closer.saved.get(line.id), today, now) for line, state in here
    ]

    def link(**changes: str | int) -> str:
        told = asked | {name: str(value) for name, value in changes.items()}
        query = urlencode({name: value for name, value in told.items() if value})
        return snapshot.addresses.local("/status") + (f"?{query}" if query else "") + "#sources"

    config = [event for event in glance.open_events if event.kind == "config"]
    alarms = [event for event in glance.open_events if event.kind != "config" and event.kind not in WORK]
    html = render_template(
        "status.html",
        **frame(snapshot),
        **_common(now),
        rows=rows,
        total=len(judged),
        found=len(chosen),
        counts={word: count for word, count in counts.items() if count or word == asked["state"]},
        asked=asked,
        link=link,
        page=number,
        pages=pages,
        sorts=SORTS,
        config_errors=[mistake for event in config for mistake in mistakes(event, _config_folder())],
        config_since=ago(config[0].at, now) if config else "",
        config_version=snapshot.desk.version,
        accepted=in_words(snapshot.desk.accepted_at, zone_of(snapshot.desk.settings.timezone)),
        alarms=[(title_of(event), event, ago(event.at, now)) for event in alarms[:MOST]],
        sections=_sections(glance.section_days, today),
        facts=_facts(glance.numbers, len(judged), counts),
    )
    return _page(html)


@bp.get("/status/source/<path:key>")
def source_page(key: str) -> Response:
    """Show one source: its state and remedy, what it brought, its polls."""
    site, ledger, now = the_site(), _ledger(), the_site().now()
    found = ledger.source(key)
    if found is None:
        raise NotFound
    line, polls = found
    closer = ledger.closer([line.id], now)
    state = condition(line.source, line.state, now=now)
    zone = zone_of(site.snapshot.desk.settings.timezone)
    html = render_template(
        "status_source.html",
        **frame(site.snapshot),
        **_common(now),
        row=_row(line, state, closer.days.get(line.id, {}), closer.saved.get(line.id), day_of(now), now),
        last_error=masked(line.state.last_error),
        last_status=line.state.last_status,
        polls=[
            (poll, in_words(poll.at, zone), rfc3339(poll.at), masked(poll.error), _bytes(poll.wire_bytes), poll.remedy)
            for poll in polls
        ],
        section=line.source.section,
    )
    return _page(html)


@bp.get("/status.atom")
def alarms() -> Response:
    """Give the alarms as a feed, with validators."""
    site = the_site()
    snapshot = site.snapshot
    events, feed_id = _ledger().events(MOST)
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
    return respond(reply(finished, Asked.of(request.environ), now=site.now()))


@bp.get("/metrics")
def metrics() -> Response:
    """Give the desk's numbers in Prometheus' text format."""
    from feeds.serve.metrics import exposition

    now = the_site().now()
    glance = _ledger().glance(now)
    words: list[str] = [condition(line.source, line.state, now=now).word for line in glance.lines]
    body, media_type = exposition(glance.numbers, {word: words.count(word) for word in WORDS}, glance.open_events)
    return _private(Response(body, content_type=media_type))


# --------------------------------------------------------------------------- what the pages show


def _row(
    line: Line,
    state: Condition,
    days: Mapping[int, tuple[int, int]],
    saved: Saved | None,
    today: int,
    now: datetime,
) -> Row:
    counts = [days.get(day, (0, 0)) for day in range(today - CHART_DAYS + 1, today + 1)]
    came, copies = sum(count for count, _ in counts), sum(copied for _, copied in counts)
    known = line.state
    saved = saved or Saved()
    return Row(
        line=line,
        state=Condition(word=state.word, text=masked(state.text), remedy=masked(state.remedy), trouble=state.trouble),
        href=the_site().snapshot.addresses.local(f"/status/source/{line.source.key}"),
        target=masked(line.source.target),
        polled=ago(known.last_poll_at, now),
        news=ago(known.last_new_at, now),
        interval=span_words(line.source.interval_s or known.interval_s),
        reason=masked(known.reason),
        chart=bars([count for count, _ in counts], f"articles a day, last {CHART_DAYS} days"),
        articles=came,
        copies=f"{copies / came:.0%}" if came else "–",
        saved=_bytes(saved.saved_bytes),
        same=f"{saved.not_modified} of {saved.polls}" if saved.polls else "–",
    )


def span_words(seconds: float | None) -> str:
    """Return an interval for people; a dash for one that is not known yet."""
    from datetime import timedelta

    return "–" if seconds is None else span(timedelta(seconds=seconds))


def _chosen(judged: Sequence[tuple[Line, Condition]], word: str, sought: str) -> list[tuple[Line, Condition]]:
    folded = sought.strip().casefold()
    return [
        (line, state)
        for line, state in judged
        if (not word or (state.trouble if word == "trouble" else state.word == word))
        and (not folded or folded in line.source.name.casefold() or folded in masked(line.source.target).casefold())
    ]


def _ordered(chosen: list[tuple[Line, Condition]], by: str, now: datetime) -> list[tuple[Line, Condition]]:
    if not by:
        # What needs somebody comes first, the rest as in the file.
        return sorted(chosen, key=lambda one: not one[1].trouble)
    keys: dict[str, Callable[[tuple[Line, Condition]], object]] = {
        "name": lambda one: one[0].source.name.casefold(),
        "state": lambda one: (not one[1].trouble, -WORDS.index(one[1].word)),
        "poll": lambda one: -(one[0].state.last_poll_at or one[0].added_at).timestamp(),
        "news": lambda one: -(one[0].state.last_new_at or one[0].added_at).timestamp(),
        "interval": lambda one: one[0].source.interval_s or one[0].state.interval_s or 0.0,
    }
    return sorted(chosen, key=keys[by])  # type: ignore[arg-type]


def _sections(days: Mapping[str, Mapping[int, int]], today: int) -> list[dict[str, object]]:
    snapshot = the_site().snapshot
    titles = {section.path: section.title for section in snapshot.desk.sections} | {UNFILED: "Unfiled"}
    shown = []
    for path, title in titles.items():
        counts = [days.get(path, {}).get(day, 0) for day in range(today - CHART_DAYS + 1, today + 1)]
        before = counts[:-2]
        mean = sum(before) / len(before)
        starving = path != UNFILED and mean >= 1 and sum(counts[-2:]) < 2 * mean * STARVING_SHARE
        shown.append(
            {
                "title": title if path else "The whole desk",
                "path": path,
                "href": snapshot.addresses.local("/" + path),
                "chart": bars(counts, f"articles a day, last {CHART_DAYS} days"),
                "today": counts[-1],
                "mean": f"{sum(counts) / len(counts):.1f}",
                "starving": starving,
                "empty": not sum(counts),
            }
        )
    return shown


def _facts(numbers: object, total: int, counts: Mapping[str, int]) -> list[tuple[str, str, str]]:
    from feeds.store.overview import Numbers

    assert isinstance(numbers, Numbers)
    size = numbers.database_bytes
    late = span_words(numbers.lag_s) if numbers.due else "none"
    return [
        ("Sources", f"{total}", f"{counts['fine']} fine, {counts['trouble']} need a look"),
        ("Articles", f"{numbers.articles:,}", f"from {numbers.entries:,} entries"),
        ("Polls", f"{numbers.polls:,}", "since the desk began"),
        ("Due now", f"{numbers.due}", f"longest wait: {late}"),
        ("Inbox", f"{numbers.inbox}", "bodies that wait to be read"),
        ("Database", _bytes(size) if size is not None else "–", "on disk"),
    ]


def _bytes(count: int) -> str:
    """Return *count* bytes for people.

    >>> _bytes(900), _bytes(12_345), _bytes(7_400_000)
    ('900 B', '12 kB', '7.4 MB')
    """
    if count < 1000:
        return f"{count} B"
    if count < 1_000_000:
        return f"{count / 1000:.0f} kB"
    return f"{count / 1_000_000:.1f} MB" if count < 1_000_000_000 else f"{count / 1_000_000_000:.2f} GB"


def _common(now: datetime) -> dict[str, object]:
    snapshot = the_site().snapshot
    return {
        "status_home": snapshot.addresses.local("/status"),
        "alarms_url": snapshot.addresses.local("/status.atom"),
        "metrics_url": snapshot.addresses.local("/metrics"),
        "now_words": in_words(now, zone_of(snapshot.desk.settings.timezone)),
        "chart_days": CHART_DAYS,
    }


def _ledger() -> Ledger:
    ledger: Ledger = current_app.extensions["feeds.ledger"]
    return ledger


def _config_folder() -> Path | None:
    folder = os.environ.get("WIREDESK_CONFIG", "").strip()
    return Path(folder) if folder else None


def _page(html: str) -> Response:
    response = Response(html, content_type="text/html; charset=utf-8")
    response.headers.extend(
        [(name, value) for name, value in page_headers(the_site().snapshot.desk.settings) if name != "Referrer-Policy"]
    )
    return _private(response)


def _private(response: Response) -> Response:
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
