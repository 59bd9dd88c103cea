"""WebSub over HTTP: the hub at /websub, and the callbacks at which sources' hubs reach the desk.
I/O: short transactions; no request waits for anybody else.
"""

from __future__ import annotations

from flask import Blueprint, Response, abort, request

from feeds.hub import messages, subscribing
from feeds.hub.messages import Verdict
from feeds.serve.admission import CALLBACKS, MAX_PUSH_BYTES
from feeds.serve.site import the_site
from feeds.serve.store_reader import StoreReader
from feeds.store import Store

bp = Blueprint("websub", __name__)

FORM = "application/x-www-form-urlencoded"


@bp.post("/websub")
def subscribe() -> Response:
    """Take a request to subscribe or unsubscribe (WebSub section 5.1); its callback is asked afterwards."""
    if request.mimetype != FORM:
        return _text(Verdict(415, f"send a form as {FORM}"))
    # One value a name would hide the second of two topics.
    form = list(request.form.items(multi=True))
    settings = the_site().snapshot.desk.settings
    return _text(messages.accept(_store(), settings, form, the_site().now()))


@bp.get(CALLBACKS + "<token>")
def confirm(token: str) -> Response:
    """Answer a source's hub that asks whether we meant it (section 5.3)."""
    return _text(subscribing.confirm(_store(), token, request.args.to_dict(), the_site().now()), line_end=False)


@bp.post(CALLBACKS + "<token>")
def receive(token: str) -> Response:
    """Take what a source's hub pushes (section 7)."""
    request.max_content_length = MAX_PUSH_BYTES
    verdict = subscribing.receive(
        _store(),
        token,
        signature=request.headers.get("X-Hub-Signature"),
        content_type=request.headers.get("Content-Type"),
        body=request.get_data(cache=False),
        now=the_site().now(),
    )
    return _text(verdict)


def _store() -> Store:
    reader = the_site().reader
    if not isinstance(reader, StoreReader):
        abort(404)
    return reader.store


def _text(verdict: Verdict, *, line_end: bool = True) -> Response:
    """Plain text that no browser takes for anything else: a challenge comes from a stranger."""
    response = Response(verdict.text + "\n" * line_end, status=verdict.status, content_type="text/plain; charset=utf-8")
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "no-store"
    if verdict.status == 503:
        response.headers["Retry-After"] = "60"
    return response
