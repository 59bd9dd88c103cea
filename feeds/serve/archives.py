"""Archive pages over HTTP (RFC 5005 section 4): /news/world/archive/N.atom, .rss and .json. Never renders.
I/O: one read of the store, once a publication.

A page holds a hundred filings in filing order, newest first, and for good. Its number is that of its last filing, so
that the page which ends at the newest article not in the document has an address that stays true when others follow.
"""

from __future__ import annotations

import re

from flask import Blueprint, Response

from feeds import frames
from feeds.errors import SectionNotFound
from feeds.model import UNFILED, Format, Section
from feeds.serve.addresses import document_path
from feeds.serve.joined import feed_title, finish_joined, join
from feeds.serve.representations import STALE_IF_ERROR_S, Finished
from feeds.serve.site import respond_with, the_site

bp = Blueprint("archives", __name__)

_DAY = f"public, max-age=86400, stale-if-error={STALE_IF_ERROR_S}"
_NUMBER = re.compile("[1-9][0-9]{0,11}")


class _NotYet(Exception):
    """The page after the newest: its number is known, its articles have not come."""


@bp.get("/archive/<page>.<any(rss, atom, json):format>", defaults={"section": ""})
@bp.get("/<path:section>/archive/<page>.<any(rss, atom, json):format>")
def archive_page(section: str, page: str, format: Format) -> Response:
    """Give one page. The one after the newest full page is not there yet: who asks is sent to the document."""
    site = the_site()
    snapshot = site.snapshot
    found = _section(section)
    if found is None or not _NUMBER.fullmatch(page):
        raise SectionNotFound(section)
    number = int(page)
    try:
        key = ("archive", section, number, format, snapshot.counter, snapshot.desk.version)
        return respond_with(site.joined(key, lambda: _prepare(found, number, format)))
    except _NotYet:
        response = Response("The page after the newest.\n", status=307, content_type="text/plain; charset=utf-8")
        response.headers["Location"] = snapshot.addresses.public(document_path(section, format))
        response.headers["Cache-Control"] = "no-store"
        return response


def _section(path: str) -> Section | None:
    if path in ("", UNFILED):
        return Section(path=path, title="Unfiled" if path else "")
    return the_site().snapshot.addresses.section_at(path)


def _prepare(section: Section, page: int, format: Format) -> Finished:
    site = the_site()
    snapshot = site.snapshot
    addresses, settings = snapshot.addresses, snapshot.desk.settings
    path = section.path
    part = site.reader.archive_page(path, page, format)
    full = page % frames.ARCHIVE_PAGE == 0
    if part is None or page > part.filed:
        if part is not None and full and frames.archive_first(page) <= part.filed + 1:
            raise _NotYet
        raise SectionNotFound(path)

    def address(number: int) -> str:
        return addresses.public(frames.archive_path(path, number, format))

    current = addresses.public(document_path(path, format))
    older = part.selection.older
    body = join(
        part,
        format,
        addresses,
        path=path,
        self_url=address(page),
        title=feed_title(path, section.title, settings),
        description=section.description or ("" if path else settings.description),
        extra=[
            frames.archive_links(
                format,
                archive=True,
                current_url=current,
                prev_url=address(frames.archive_page(older)) if older else None,
                # Said before it is there, for the page must not change when it comes.
                next_url=address(page + frames.ARCHIVE_PAGE) if full else None,
            ),
            frames.deleted_entries(format, part.selection.retracted),
        ],
    )
    links = f'<{address(page)}>; rel="self", <{current}>; rel="current"'
    return finish_joined(
        body,
        format,
        sequence=None,
        last_modified=part.selection.updated or part.created_at,
        cache_control=_DAY,
        links=[("Link", links)],
    )
