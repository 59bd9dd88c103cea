"""Is the desk alive, and has it something to say: for supervisors and load balancers. I/O: asks the store."""

from __future__ import annotations

from contextlib import suppress

from flask import Blueprint, Response, current_app

from feeds.errors import StoreError
from feeds.serve.ledger import BEHIND_S, Ledger
from feeds.serve.site import the_site

bp = Blueprint("health", __name__)


@bp.get("/healthz")
def alive() -> Response:
    """Say that this process answers; it asks nothing and nobody."""
    return _line("alive", 200)


@bp.get("/readyz")
def ready() -> Response:
    """Say that the store can be read now and that a config was accepted or something published; else 503.

    Whether sources are polled is said in a second line: documents are served all the same.
    """
    site = the_site()
    ledger: Ledger = current_app.extensions["feeds.ledger"]
    try:
        desk = site.reader.desk()
        published = bool(site.snapshot.finished)
    except StoreError:
        return _line("not ready: the store does not answer", 503)
    if desk is None and not published:
        return _line("not ready: no config accepted yet", 503)
    waits_s = 0.0
    with suppress(StoreError):
        waits_s = ledger.lag_s(site.now())
    if waits_s > BEHIND_S:
        return _line(f"ready\nnobody polls, or not fast enough: a source has been due for {int(waits_s / 60)} min", 200)
    return _line("ready", 200)


def _line(text: str, status: int) -> Response:
    response = Response(text + "\n", status=status, content_type="text/plain; charset=utf-8")
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
