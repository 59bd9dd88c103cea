"""Is the desk alive, and has it something to say: for supervisors and load balancers. I/O: asks the store."""

from __future__ import annotations

from flask import Blueprint, Response

from feeds.errors import StoreError
from feeds.serve.site import the_site

bp = Blueprint("health", __name__)


@bp.get("/healthz")
def alive() -> Response:
    """Say that this process answers; it asks nothing and nobody."""
    return _line("alive", 200)


@bp.get("/readyz")
def ready() -> Response:
    """Say that the store can be read now and that a config was accepted or something published; else 503."""
    site = the_site()
    try:
        desk = site.reader.desk()
        published = bool(site.snapshot.finished)
    except StoreError:
        return _line("not ready: the store does not answer", 503)
    if desk is None and not published:
        return _line("not ready: no config accepted yet", 503)
    return _line("ready", 200)


def _line(text: str, status: int) -> Response:
    response = Response(text + "\n", status=status, content_type="text/plain; charset=utf-8")
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
