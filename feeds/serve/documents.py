"""Section documents over HTTP: /news/world.rss, .atom and .json, and the list of all, /sections.opml. Never renders.
I/O: one read of the store.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from flask import Blueprint, Response, request

from feeds.errors import ParseError, SectionNotFound
from feeds.frames import cut, delta_body
from feeds.model import Document, Format, Section
from feeds.serve.addresses import document_path
from feeds.serve.delta import seen_sequence, wants_delta
from feeds.serve.joined import feed_title, finish_joined, join
from feeds.serve.narrowed import SCANNED, SCANNED_FOR_LANGUAGE, SCANNED_FOR_STORIES, BadChoice, choose, parameters
from feeds.serve.opml import opml
from feeds.serve.representations import Asked, Finished, cache_control, finish_delta, finish_document, reply, reply_226
from feeds.serve.site import Refused, finish_text, redirect_to, respond, respond_with, the_site

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
    if request.query_string and (asked := parameters(request.environ["QUERY_STRING"])):
        return _narrowed(path, format, asked)
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


def _narrowed(path: str, format: Format, asked: Mapping[str, Sequence[str]]) -> Response:
    """Give a feed of some of a section's articles, joined from their fragments; any other spelling goes to its address.

    What is chosen among is bounded, and so is how many such feeds are kept; one is joined at a time.
    """
    site = the_site()
    snapshot = site.snapshot
    addresses, desk = snapshot.addresses, snapshot.desk
    if not snapshot.state_of(path)[1]:
        raise SectionNotFound(path)
    section = addresses.section_at(path) or Section(path=path, title="Unfiled" if path else "")
    try:
        choice = choose(
            asked,
            site.sources_by_name(snapshot),
            usual=section.limit or desk.settings.publish.entries,
        )
    except BadChoice as error:
        raise Refused(str(error)) from error
    address = addresses.public(document_path(path, format))
    self_url = f"{address}?{choice.canonical}"
    if not choice.canonical or request.query_string.decode("latin-1") != choice.canonical:
        return redirect_to(self_url if choice.canonical else address)

    def prepare() -> Finished:
        if choice.by_story:
            part = site.reader.by_story(path, format, limit=choice.limit, among=SCANNED_FOR_STORIES)
        else:
            part = site.reader.narrowed(
                path,
                format,
                source_keys=choice.keys,
                language=choice.language,
                fallback=section.language or desk.settings.language,
                limit=choice.limit,
                scan=SCANNED_FOR_LANGUAGE if choice.language else SCANNED,
            )
        if part is None:
            raise SectionNotFound(path)
        title = feed_title(path, section.title, desk.settings)
        body = join(
            part,
            format,
            addresses,
            path=path,
            self_url=self_url,
            title=f"{title} ({choice.in_words})" if choice.in_words else title,
            description=section.description or ("" if path else desk.settings.description),
            variant=choice.canonical,
        )
        return finish_joined(
            body,
            format,
            sequence=part.sequence,
            last_modified=max(part.last_modified, part.selection.updated or part.last_modified),
            cache_control=cache_control(desk.settings),
            links=[("Link", f'<{self_url}>; rel="self"')],
        )

    key = ("narrowed", path, format, choice.canonical, snapshot.counter, desk.version)
    return respond_with(site.joined(key, prepare))


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
