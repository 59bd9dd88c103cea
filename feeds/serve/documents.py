"""Section documents over HTTP: /news/world.rss, .atom and .json, and the list of all, /sections.opml. Never renders.
I/O: one read of the store.
"""

from __future__ import annotations

from flask import Blueprint, Response

from feeds.errors import SectionNotFound
from feeds.model import UNFILED, Format
from feeds.serve.opml import opml
from feeds.serve.representations import cache_control, finish_document
from feeds.serve.site import finish_text, respond_with, the_site

bp = Blueprint("documents", __name__)


@bp.get("/<path:section>.<any(rss, atom, json):format>")
def section_document(section: str, format: Format) -> Response:
    """Give a finished document, or 304; what has no document is for `errors` to explain."""
    site = the_site()
    snapshot = site.snapshot
    path = "" if section == "index" else section
    if path and path != UNFILED and snapshot.addresses.section_at(path) is None:
        raise SectionNotFound(path)
    document = site.reader.document(path, format)
    if document is None:
        raise SectionNotFound(path)
    finished = finish_document(document, snapshot.desk.settings, snapshot.addresses)
    site.answers.keep(path, format, finished)
    return respond_with(finished)


@bp.get("/sections.opml")
def sections_opml() -> Response:
    """Give every section for one-click subscription (OPML 2.0)."""
    site = the_site()
    snapshot = site.snapshot
    key = ("opml", snapshot.desk.version)
    finished = site.cached.get(key)
    if finished is None:
        text, changed = opml(snapshot.desk, snapshot.addresses), snapshot.desk.accepted_at
        finished = finish_text(
            text,
            media_type="text/x-opml; charset=utf-8",
            last_modified=changed,
            cache_control=cache_control(snapshot.desk.settings),
            more=[("Access-Control-Allow-Origin", "*")],
        )
        site.cached.put(key, finished)
    return respond_with(finished)
