"""The web application put together: Flask with its views, and the finished answers in front of it.
I/O: opens the store, reads only.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from flask import Flask

from feeds.dates import http_date
from feeds.serve import (
    admin_pages,
    article_pages,
    crawlers,
    documents,
    errors,
    negotiation,
    search_pages,
    section_pages,
    sitemaps,
    websub,
    wording,
)
from feeds.serve.admission import MAX_BODY_BYTES, Access
from feeds.serve.answers import Answers
from feeds.serve.counters import Tally, shared_folder
from feeds.serve.site import Assets, Site, admit, keep_private
from feeds.serve.store_reader import StoreReader


def create_app(store_url: str = "", *, reader: StoreReader | None = None) -> Flask:
    """Return the Flask application over the store at *store_url*, or over *reader* where one is given; its `wsgi_app`
    is wrapped in the finished answers.

    Nothing is read until the first request, so that importing it costs and starts nothing.
    """
    reader = reader or StoreReader(store_url)
    app = Flask("feeds.serve", static_folder=None)
    app.config.update(MAX_CONTENT_LENGTH=MAX_BODY_BYTES, PROPAGATE_EXCEPTIONS=False)
    # Flask's own redirects would trust the Host header; `errors` sends wrong spellings to the one address.
    app.url_map.merge_slashes = False
    app.url_map.strict_slashes = False
    app.url_map.redirect_defaults = False
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True, "keep_trailing_newline": True}
    app.jinja_env.filters["httpdate"] = http_date
    wording.install(app)
    answers = Answers(app.wsgi_app, reader, tally=Tally(shared_folder(os.environ), reader.keep_readers))
    access = Access.of(os.environ)
    app.extensions["feeds.site"] = Site(reader=reader, answers=answers, assets=Assets.shipped(), access=access)
    for views in (admin_pages, crawlers, sitemaps, article_pages, websub, section_pages, search_pages, documents):
        app.register_blueprint(views.bp)
    app.before_request(admit)
    app.after_request(keep_private)
    errors.register(app)
    negotiation.register(app)
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
