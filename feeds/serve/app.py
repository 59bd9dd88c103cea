"""The web application put together: Flask with its views, and the finished answers in front of it.
I/O: opens the store, reads only.
"""

from __future__ import annotations

from typing import cast

from flask import Flask

from feeds.dates import http_date
from feeds.serve import archives, articles, crawlers, documents, errors, fronts, health
from feeds.serve.answers import Answers
from feeds.serve.assets import Assets
from feeds.serve.framing import MAX_BODY_BYTES
from feeds.serve.reader import Reader
from feeds.serve.site import Site


def create_app(store_url: str = "", *, reader: Reader | None = None) -> Answers:
    """Return the WSGI application over the store at *store_url*, or over *reader* where one is given.

    Nothing is read until the first request, so that importing it costs and starts nothing.
    """
    if reader is None:
        from feeds.serve.stored import StoreReader

        reader = StoreReader(store_url)
    app = Flask("feeds.serve", static_folder=None)
    app.config.update(MAX_CONTENT_LENGTH=MAX_BODY_BYTES, PROPAGATE_EXCEPTIONS=False)
    # Flask's own redirects would trust the Host header; `errors` sends wrong spellings to the one address.
    app.url_map.merge_slashes = False
    app.url_map.strict_slashes = False
    app.url_map.redirect_defaults = False
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True, "keep_trailing_newline": True}
    answers = Answers(app, reader)
    site = Site(reader=reader, answers=answers, assets=Assets.shipped())
    app.extensions["feeds.site"] = site
    app.jinja_env.filters["httpdate"] = http_date
    for blueprint in (health.bp, crawlers.bp, articles.bp, fronts.bp, archives.bp, documents.bp):
        app.register_blueprint(blueprint)
    errors.register(app)
    return answers


def flask_app(application: Answers) -> Flask:
    """Return the Flask application behind the finished answers, as tests and extensions want it."""
    return cast(Flask, application.app)
