"""Section documents over HTTP: /news/world.rss, .atom and .json, and the list of all, /sections.opml. Never renders.
I/O: one read of the store.
"""

from __future__ import annotations

import logging

from flask import Blueprint, Response, request

from feeds.errors import ParseError, SectionNotFound
from feeds.model import Document, Format
from feeds.serve.delta import cut, delta_body, seen_sequence, wants_delta
from feeds.serve.opml import opml
from feeds.serve.representations import Asked, Finished, cache_control, finish_delta, finish_document, reply, reply_226
from feeds.serve.site import finish_text, respond, respond_with, the_site

bp = Blueprint("documents", __name__)
log = logging.getLogger(__name__)

MAX_CHANGES = 100
"""A client that missed more than this, and twice what the document holds, gets the whole document."""


@bp.get("/<path:section>.<any(rss, atom, json):format>")
def section_document(section: str, format: Format) -> Response:
    """Give a finished document, or 304; what has no document is for `errors` to explain."""
    site = the_site()
    snapshot = site.snapshot
    path = "" if section == "index" else section
    document = site.reader.document(path, format)
    if document is None:
        raise SectionNotFound(path)
    finished = finish_document(document, snapshot.desk.settings, snapshot.addresses)
    site.answers.keep(path, format, finished)
    answered = reply(finished, Asked.of(request.environ), now=site.now())
    if answered.status == 200 and wants_delta(request.headers.get("A-IM")):
        seen = seen_sequence(request.headers.get("If-None-Match"), document.etag)
        if seen is not None and (delta := _delta(document, seen)) is not None:
            return respond(reply_226(delta, request.headers.get("Accept-Encoding")))
    return respond(answered)


def _delta(document: Document, seen: int) -> Finished | None:
    """The feed of what came after *seen*; None where the whole document is the right answer.

    Every client that saw the same gets the same bytes, so they are cached with the document that they were cut from.
    """
    if seen >= document.sequence:
        return None
    site = the_site()
    key = ("delta", document.path, document.format, document.etag, seen)
    if (finished := site.cached.get(key)) is not None:
        return finished
    changes = site.reader.since(document.path, seen, max(MAX_CHANGES, 2 * len(document.article_uids)))
    if not changes.known:
        return None
    try:
        body = delta_body(document, cut(document), set(changes.article_uids), changes.retracted)
    except ParseError as error:
        log.error("no delta: %s", error)
        return None
    if len(body) >= len(document.body):
        return None
    finished = finish_delta(document, body)
    site.cached.put(key, finished)
    return finished


@bp.get("/sections.opml")
def sections_opml() -> Response:
    """Give every section for one-click subscription (OPML 2.0)."""
    site = the_site()
    snapshot = site.snapshot

    def prepare() -> Finished:
        return finish_text(
            opml(snapshot.desk, snapshot.addresses),
            media_type="text/x-opml; charset=utf-8",
            last_modified=snapshot.desk.accepted_at,
            cache_control=cache_control(snapshot.desk.settings),
            more=[("Access-Control-Allow-Origin", "*")],
        )

    return respond_with(site.once(("opml", snapshot.desk.version), prepare))
