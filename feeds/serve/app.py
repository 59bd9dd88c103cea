"""The web application put together: Flask with its views and errors, and the finished answers in front of them.
I/O: opens the store, reads only; logs our own errors.

What is not there, not allowed or broken is answered in short, typed answers that tell nothing about the inside: a page
for browsers, plain text for everybody else. Nothing of the request is repeated in either.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import cast

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException, InternalServerError, MethodNotAllowed, NotFound
from werkzeug.wrappers import Response as BaseResponse

from feeds.configuration import UNFILED
from feeds.dates import rfc3339
from feeds.errors import SectionNotFound, StoreError
from feeds.frames import split_format
from feeds.serve import admin_pages, article_pages, documents, machines, section_pages, wording
from feeds.serve.addresses import Addresses, split_archive, story_path
from feeds.serve.admission import MAX_BODY_BYTES, Access, client_address
from feeds.serve.answers import Answers, Snapshot
from feeds.serve.counters import Tally, shared_folder
from feeds.serve.joined import Refused
from feeds.serve.representations import SCRIPTS_MAY_READ, wants_html
from feeds.serve.site import Assets, Site, admit, drawn, keep_private, page_headers, redirect_to, showing_of, the_site
from feeds.serve.store_reader import Desk, Health, StoreReader
from feeds.serve.view_models import feeds_of
from feeds.serve.wording import noted

log = logging.getLogger(__name__)

EXPLANATIONS = {
    400: noted("The request could not be understood."),
    401: noted("This is for subscribers: give your token as the password, or in the address as ?token=."),
    404: noted("There is nothing at this address."),
    405: noted("This address does not take requests of that kind."),
    406: noted("There is no such form of it."),
    410: noted("What was at this address has been taken away for good."),
    413: noted("The request is too large."),
    500: noted("Something went wrong here. It has been noted."),
    503: noted("The desk is busy or just starting. Please try again in a moment."),
}


def create_app(store_url: str = "", *, reader: StoreReader | None = None) -> Flask:
    """Return the Flask application over the store at *store_url*, or over *reader* where one is given; its `wsgi_app`
    is wrapped in the finished answers.

    Nothing is read until the first request, so that importing it costs and starts nothing.
    """
    reader = reader or StoreReader(store_url)
    app = Flask("feeds.serve", static_folder=None)
    app.config.update(MAX_CONTENT_LENGTH=MAX_BODY_BYTES, PROPAGATE_EXCEPTIONS=False)
    # Flask's own redirects would trust the Host header; `_missing` sends wrong spellings to the one address.
    app.url_map.merge_slashes = False
    app.url_map.strict_slashes = False
    app.url_map.redirect_defaults = False
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True, "keep_trailing_newline": True}
    app.jinja_env.filters["stamp"] = rfc3339
    wording.install(app)
    app.jinja_env.globals.update(
        local=lambda path: g.showing.addresses.local(path),
        feeds_of=lambda path: feeds_of(path, g.showing.addresses),
        story_path=story_path,
    )
    answers = Answers(app.wsgi_app, reader, tally=Tally(shared_folder(os.environ), reader.keep_readers))
    access = Access.of(os.environ)
    app.extensions["feeds.site"] = Site(
        reader=reader, answers=answers, assets=Assets.shipped(), access=access, health=Health(reader)
    )
    for views in (admin_pages, machines, article_pages, section_pages, documents):
        app.register_blueprint(views.bp)
    app.register_blueprint(machines.websub)
    app.before_request(admit)
    app.after_request(keep_private)
    _answer_errors(app)
    documents.negotiate(app)
    app.wsgi_app = answers  # type: ignore[method-assign]
    return app


def answers_of(app: Flask) -> Answers:
    """Return the finished answers before the views of *app*."""
    return cast(Site, app.extensions["feeds.site"]).answers


def store_url_from(environ: Mapping[str, str]) -> str:
    """Return the store's URL: WIREDESK_DATABASE, else SQLite in the folder WIREDESK_DATA (`var/` by default).

    >>> store_url_from({"WIREDESK_DATA": "/srv/desk"})
    'sqlite:////srv/desk/desk.sqlite3'
    """
    if url := environ.get("WIREDESK_DATABASE", "").strip():
        return url
    folder = Path(environ.get("WIREDESK_DATA", "").strip() or "var")
    return f"sqlite:///{folder.absolute() / 'desk.sqlite3'}"


# ------------------------------------------------------------------ errors


def _answer_errors(app: Flask) -> None:
    app.before_request(_no_doubled_slashes)
    app.register_error_handler(SectionNotFound, _missing)
    app.register_error_handler(404, _missing)
    app.register_error_handler(StoreError, _unavailable)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _our_error)


def _missing(error: Exception) -> Response:
    """Send a wrong spelling to the one address, else say 410 of what once was and 404 of what never was."""
    site = the_site()
    asked = _asked_path()
    try:
        snapshot = site.snapshot
        right, gone = snapshot.addresses.one_address(asked), False
        if right is None:
            right, gone = _former_address(asked, site, snapshot)
    except StoreError as store_error:
        return _unavailable(store_error)
    if right is not None and request.method in ("GET", "HEAD"):
        return redirect_to(snapshot.addresses.public(right, request.query_string.decode("latin-1")))
    return _answer(410 if gone else 404)


def _former_address(asked: str, site: Site, snapshot: Snapshot) -> tuple[str | None, bool]:
    """Where a section that config no longer names is now, None where nowhere; and whether there was one."""
    path, format = split_format(asked.strip("/"))
    path, page = split_archive(path)
    if not path or path == UNFILED or snapshot.addresses.section_at(path) is not None:
        return None, False
    # Read once a config: whoever asks for many addresses that are not there asks nothing of the store.
    former = site.known("former", snapshot.epoch, site.reader.former_sections)
    target = former.get(path)
    if target is None:
        return None, path in former
    return f"/{target}" + (f"/{page}" if page else "") + (f".{format}" if format else ""), True


def _asked_path() -> str:
    """The path as it was asked; Flask's own has lost doubled slashes at its beginning."""
    raw: str = request.environ["PATH_INFO"]
    return raw.encode("latin-1", "replace").decode("utf-8", "replace")


def _no_doubled_slashes() -> None:
    if request.environ["PATH_INFO"].startswith("//"):
        raise NotFound


def _unavailable(error: StoreError) -> Response:
    log.warning("could not answer: %s", error)
    response = _answer(503)
    response.headers["Retry-After"] = "5"
    return response


def _http_error(error: HTTPException) -> Response | BaseResponse:
    if error.code is None or error.code < 400:
        return error.get_response()
    response = _answer(error.code, (error.description or "") if isinstance(error, Refused) else "")
    if error.code == 401:
        response.headers["WWW-Authenticate"] = 'Basic realm="Subscribers", charset="UTF-8"'
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        response.headers["Allow"] = ", ".join(sorted(error.valid_methods))
    return response


def _our_error(error: Exception) -> Response:
    original = error.original_exception if isinstance(error, InternalServerError) else error
    log.error("request failed method=%s path=%r client=%s", request.method, request.path, _client(), exc_info=original)
    return _answer(500)


def _client() -> str:
    try:
        trusted = the_site().snapshot.settings.trusted_proxies
    except StoreError:
        trusted = ()
    return client_address(request.environ, trusted)


def _snapshot() -> Snapshot:
    """What is published; of a desk whose store has never answered, one with nothing in it."""
    try:
        return the_site().snapshot
    except StoreError:
        desk = Desk()
        return Snapshot(counter=0, accepted=None, desk=desk, addresses=Addresses.of(desk.settings.base_url, ()))


def _answer(status: int, reason: str = "") -> Response:
    phrase = HTTPStatus(status).phrase
    explanation = reason or EXPLANATIONS.get(status, "")
    text = f"{status} {phrase}\n{explanation}\n"
    response = Response(text, status=status, content_type="text/plain; charset=utf-8")
    if wants_html(request.headers.get("Accept")):
        try:
            snapshot = _snapshot()
            html, _ = drawn("error.html", showing_of(snapshot), (), status=status, phrase=phrase, text=explanation)
            response = Response(html, status=status, content_type="text/html; charset=utf-8")
            response.headers.extend(page_headers(snapshot.settings))
        except Exception:
            # An error page must never fail: plain text serves browsers too.
            log.debug("no error page", exc_info=True)
    response.headers["Vary"] = "Accept"
    response.headers["Cache-Control"] = "public, max-age=60" if status in (404, 410) else "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers.update(SCRIPTS_MAY_READ)
    return response
