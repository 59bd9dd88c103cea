"""The web application put together: Flask with its views, and the finished answers in front of it.
I/O: opens the store, reads only.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import cast

from flask import Flask

from feeds.dates import http_date
from feeds.errors import StoreError
from feeds.serve import archives, articles, crawlers, documents, errors, fronts, health, search, status, stories, websub
from feeds.serve.access import Access
from feeds.serve.answers import Answers
from feeds.serve.assets import Assets
from feeds.serve.framing import MAX_BODY_BYTES
from feeds.serve.ledger import Ledger
from feeds.serve.metrics import Tally, shared_folder
from feeds.serve.reader import Reader
from feeds.serve.site import Site
from feeds.store import Store


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
    app.extensions["feeds.access"] = Access.of(os.environ)
    app.extensions["feeds.ledger"] = Ledger(_store_of(reader))
    answers.tally = Tally(shared_folder(os.environ))
    app.jinja_env.filters["httpdate"] = http_date
    for blueprint in (
        status.bp,
        search.bp,
        health.bp,
        crawlers.bp,
        articles.bp,
        stories.bp,
        websub.bp,
        fronts.bp,
        archives.bp,
        documents.bp,
    ):
        app.register_blueprint(blueprint)
    errors.register(app)
    return answers


def flask_app(application: Answers) -> Flask:
    """Return the Flask application behind the finished answers, as tests and extensions want it."""
    return cast(Flask, application.app)


def _store_of(reader: Reader) -> Callable[[], Store]:
    """Give what opens the store for the pages that look deeper than a `Reader` does."""

    def opened() -> Store:
        store: Store | None = getattr(reader, "store", None)
        if store is None:
            raise StoreError("this desk has no store to look into")
        return store

    return opened
