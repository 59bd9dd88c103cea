"""Search over what is stored, as a page and as a feed that goes on finding. I/O: one read of the store a question.

The feed is joined from stored fragments as every document is, is bounded, and carries validators.
"""

from __future__ import annotations

from urllib.parse import urlencode

from flask import Blueprint, Response, render_template, request

from feeds import frames
from feeds.model import Format
from feeds.serve.faces import FORMAT_NAMES, Feed, headline
from feeds.serve.fronts import frame, story_sizes
from feeds.serve.joined import finish_joined
from feeds.serve.representations import Asked, Finished, cache_control, reply
from feeds.serve.site import finish_text, number_asked, page_headers, respond, respond_with, the_site
from feeds.store.search import MOST_QUERY_CHARS

bp = Blueprint("search", __name__)

PER_PAGE = 20
FEED_ENTRIES = 50
LAST_ROW = 2**63 - 1
"""No article's row has a higher number."""


def asked() -> str:
    """Return what is searched for, in its one spelling: blanks single, cut at the most that is read."""
    return " ".join(request.args.get("q", "").split())[:MOST_QUERY_CHARS]


@bp.get("/search")
def page() -> Response:
    """Show what is found, newest first; `before` goes on behind a page."""
    from flask import current_app

    site = the_site()
    snapshot = site.snapshot
    desk, addresses = snapshot.desk, snapshot.addresses
    query = asked()
    before = number_asked("before", least=1, most=LAST_ROW)
    hits = current_app.extensions["feeds.ledger"].find(query, PER_PAGE, before) if query else None
    sizes = story_sizes(hits.articles) if hits else {}
    told = urlencode({"q": query})
    html = render_template(
        "search.html",
        **frame(snapshot),
        query=query,
        articles=[headline(article, desk, addresses, now=site.now(), sizes=sizes) for article in hits.articles]
        if hits
        else [],
        asked=hits is not None,
        more=addresses.local("/search") + f"?{told}&before={hits.next}" if hits and hits.next else "",
        later=before is not None,
        feeds=[
            Feed(
                name=FORMAT_NAMES["atom"],
                media_type="application/atom+xml",
                href=addresses.local("/search.atom") + f"?{told}",
                url=addresses.public("/search.atom") + f"?{told}",
            )
        ]
        if query
        else [],
    )
    finished = finish_text(
        html,
        media_type="text/html; charset=utf-8",
        last_modified=max([desk.accepted_at, *(one.updated for one in hits.articles)]) if hits else desk.accepted_at,
        cache_control="public, max-age=60",
        more=page_headers(desk.settings),
    )
    return respond(reply(finished, Asked.of(request.environ), now=site.now()))


@bp.get("/search.atom")
def feed() -> Response:
    """Give the newest of what is found as a feed; the same question has the same feed id for good."""
    from flask import current_app

    site = the_site()
    snapshot = site.snapshot
    format: Format = "atom"
    query = asked()

    def prepare() -> Finished:
        base, fragments, desk_id = current_app.extensions["feeds.ledger"].found_feed(query, format, FEED_ENTRIES)
        from feeds.errors import StoreError

        if base is None:
            raise StoreError("nothing is published yet", remedy="ask again in a moment")
        told = urlencode({"q": query})
        title = f"“{query}” · {snapshot.desk.settings.title}"
        updated = max((fragment.updated for fragment in fragments), default=snapshot.desk.accepted_at)
        self_url = snapshot.addresses.public("/search.atom") + f"?{told}"
        body = frames.assemble(
            base,
            fragments,
            self_url=self_url,
            alternate_url=snapshot.addresses.public("/search") + f"?{told}",
            title=title,
            description=f"Articles that hold {query}",
            updated=updated,
            feed_id=frames.feed_urn(desk_id, "search", query.casefold()),
        )
        return finish_joined(
            body,
            format,
            sequence=None,
            last_modified=updated,
            cache_control=cache_control(snapshot.desk.settings),
            links=[("Link", f'<{self_url}>; rel="self"')],
        )

    key = ("search", format, query, snapshot.counter, snapshot.desk.version)
    return respond_with(site.joined(key, prepare))
