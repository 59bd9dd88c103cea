"""One desk as its views know it: what is published as the asker may see it, what is kept, how pages are drawn.
I/O: reads the files that ship with the pages once, at start.
"""

from __future__ import annotations

import gzip
import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from importlib import resources
from types import MappingProxyType
from typing import Any, TypeVar

from flask import Response, current_app, g, render_template, request
from msgspec import Struct, field
from msgspec.structs import replace
from werkzeug.exceptions import Unauthorized

from feeds.configuration import Settings
from feeds.errors import StoreError
from feeds.model import Article
from feeds.serve.addresses import Addresses
from feeds.serve.admission import Access, Visitor, visitor_of
from feeds.serve.answers import Answers, Snapshot
from feeds.serve.joined import Refused, by_name
from feeds.serve.representations import (
    Finished,
    Headers,
    Reply,
    coded,
    finish,
    kept_private,
    pack_page,
    reply,
)
from feeds.serve.representations import cache_control as kept_by_caches
from feeds.serve.store_reader import Desk, Health, SourceName, StoreReader
from feeds.serve.view_models import Showing
from feeds.serve.wording import REDRAWN_MIN, direction, wording
from feeds.store import Store
from feeds.store.selections import PUBLIC
from feeds.urls import OWN

DAY = "public, max-age=86400"
FOREVER = "public, max-age=31536000, immutable"
_STARTED = datetime.now(UTC).replace(microsecond=0)  # shipped files have no better time: they came with this process
_TYPES = {
    "css": "text/css; charset=utf-8",
    "svg": "image/svg+xml",
    "ico": "image/x-icon",
    "xsl": "text/xsl; charset=utf-8",
    "jpg": "image/jpeg",
}
_NAMED = frozenset({"jpg"})
"""Pictures of the articles that are shipped keep their names: another look gets another name."""
MAX_CACHED_PAGES = 512
MAX_CACHED_BYTES = 32_000_000
PAGE_MAX_AGE_S = 60
T = TypeVar("T")


class Assets(Struct, frozen=True):
    """The files that ship with the pages, by the name under which `/static/` serves them, and those names by the plain
    ones; the icon for those who ask without having read a page.
    """

    by_served_name: Mapping[str, Finished]
    served_name: Mapping[str, str]
    icon: Finished

    @classmethod
    def shipped(cls) -> Assets:
        """Read what is in `static/`."""
        served: dict[str, Finished] = {}
        names: dict[str, str] = {}
        for file in sorted(resources.files("feeds.serve").joinpath("static").iterdir(), key=lambda file: file.name):
            stem, _, suffix = file.name.rpartition(".")
            if suffix not in _TYPES:
                continue
            body = file.read_bytes()
            digest = hashlib.sha256(body).hexdigest()[:12]
            bodies = coded(body, partial(gzip.compress, mtime=0)) if suffix not in _NAMED else {"identity": body}
            prepare = partial(finish, bodies=bodies, etag=digest, last_modified=_STARTED, media_type=_TYPES[suffix])
            name = names[file.name] = file.name if suffix in _NAMED else f"{stem}.{digest}.{suffix}"
            served[name] = prepare(cache_control=FOREVER)
            if file.name == "favicon.ico":
                icon = prepare(cache_control=DAY)
        return cls(served, names, icon)


class Site(Struct):
    """One desk as the views know it. *now* can be replaced in tests."""

    reader: StoreReader
    answers: Answers
    assets: Assets
    access: Access
    health: Health
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    cached: Cache = field(default_factory=lambda: Cache())
    joins: Cache = field(default_factory=lambda: Cache())
    """Feeds joined from fragments: whoever asks for many of them costs pages nothing."""
    shown: Cache = field(default_factory=lambda: Cache())
    _known: dict[object, tuple[object, Any]] = field(default_factory=dict)

    def known(self, key: object, state: object, read: Callable[[], T]) -> T:
        """Return what *read* gives for *key*, read again only when *state* is another. Keys are bounded by config."""
        known = self._known.get(key)
        if known is None or known[0] != state:
            known = self._known[key] = state, read()
        return known[1]

    @property
    def store(self) -> Store:
        """The store, for views whose question is theirs alone. Raises StoreError."""
        return self.reader.store

    @property
    def snapshot(self) -> Snapshot:
        """What is published, with the sections that whoever asks may read. Raises StoreError before the store has
        answered once.
        """
        whole, visitor = self.answers.snapshot, self.visitor

        def view() -> tuple[Desk, Addresses]:
            may_read = Visitor(visitor.opened).may_read
            sections = tuple(one for one in whole.desk.sections if not one.private or may_read(one.path))
            if visitor.opened is None and len(sections) == len(whole.desk.sections):
                return whole.desk, whole.addresses
            return replace(whole.desk, sections=sections), Addresses.of(whole.desk.settings.base_url, sections)

        desk, addresses = self.known(("view", visitor.opened), whole.desk.state, view)
        if desk is whole.desk:
            return whole
        return replace(whole, desk=desk, addresses=replace(addresses, token=visitor.token))

    @property
    def hides(self) -> bool:
        """Whether there are private sections: sources may file there alone, so that nobody is offered their names."""
        return any(section.private for section in self.answers.snapshot.desk.sections)

    @property
    def visitor(self) -> Visitor:
        """Whoever sends the present request."""
        return visitor_of(request.environ, self.answers.snapshot.tokens)

    @property
    def readable(self) -> tuple[str, ...]:
        """The private sections that whoever asks may read."""
        if self.visitor.opened is None:
            return PUBLIC
        return tuple(section.path for section in self.snapshot.desk.sections if section.private)

    def once(self, key: tuple[object, ...], prepare: Callable[[], Finished], cache: Cache | None = None) -> Finished:
        """Return what *prepare* gives for *key* under the present config, from *cache*, or that of pages, where it was
        asked for before.

        What is for a visitor with a token is kept for nobody: it may hold what she alone may read, and her token.
        """
        if self.visitor.opened is not None:
            return prepare()
        return (cache or self.cached).once((*key, self.answers.snapshot.desk.state), prepare)

    def sources_by_name(self, snapshot: Snapshot) -> Mapping[str, SourceName]:
        """Return the sources of the present config by what addresses may call them."""
        return self.known("sources", snapshot.desk.state, lambda: by_name(snapshot.desk.sources))


class Cache:
    """Finished answers that were put together for a request, the least used dropped first; bounded in bytes."""

    def __init__(self, max_entries: int = MAX_CACHED_PAGES, max_bytes: int = MAX_CACHED_BYTES) -> None:
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._kept: OrderedDict[tuple[object, ...], tuple[Finished, int]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()
        self._preparing = threading.Lock()

    def once(self, key: tuple[object, ...], prepare: Callable[[], Finished]) -> Finished:
        """Return what is kept under *key*, else what *prepare* gives.

        One is prepared at a time: threads that want the same wait for it, and the interpreter runs one of them anyway.
        """
        if (finished := self.get(key)) is None:
            with self._preparing:
                if (finished := self.get(key)) is None:
                    finished = prepare()
                    self.put(key, finished)
        return finished

    def get(self, key: tuple[object, ...]) -> Finished | None:
        """Return what was kept under *key*, as used just now."""
        with self._lock:
            if (found := self._kept.get(key)) is None:
                return None
            self._kept.move_to_end(key)
            return found[0]

    def put(self, key: tuple[object, ...], finished: Finished) -> None:
        """Keep *finished*; something else may go for it."""
        size = finished.size_bytes
        with self._lock:
            if (old := self._kept.pop(key, None)) is not None:
                self._bytes -= old[1]
            self._kept[key] = (finished, size)
            self._bytes += size
            while len(self._kept) > self._max_entries or (self._bytes > self._max_bytes and len(self._kept) > 1):
                _, (_, freed) = self._kept.popitem(last=False)
                self._bytes -= freed


def the_site() -> Site:
    """Return the site of the application that answers the present request."""
    site: Site = current_app.extensions["feeds.site"]
    return site


def admit() -> None:
    """Raise Unauthorized where the present request is for a private section that is not open to its visitor.

    An address that leads to another is no such: whoever follows it is asked there.
    """
    site = the_site()
    with suppress(StoreError):
        addresses = site.answers.snapshot.addresses
        private = addresses.private_at(request.path)
        shut = private is not None and not site.visitor.may_read(private)
        if shut and addresses.one_address(request.path) is None:
            raise Unauthorized


VIEWED = frozenset(("articles", "pages", "documents.sections_opml"))
"""What shows a visitor the desk as she may see it: blueprints, and a view."""


def keep_private(response: Response) -> Response:
    """Have no cache and no other site get what was answered to somebody with a token, nor who has one the others'."""
    with suppress(StoreError):
        site = the_site()
        if site.hides and (request.blueprint in VIEWED or request.endpoint in VIEWED):
            response.vary.add("Authorization")
        if site.visitor.opened is not None:
            response.headers["Cache-Control"] = kept_private(response.headers.get("Cache-Control", "private"))
            response.headers["Referrer-Policy"] = "no-referrer"
            for name in [name for name, _ in response.headers if name.lower().startswith("access-control-")]:
                del response.headers[name]
    return response


def number_asked(name: str, *, most: int) -> int | None:
    """Return the whole number from 1 that the query gives as *name*, None where it gives none. Raises Refused."""
    given = request.args.get(name, "").strip()
    if not given:
        return None
    if not (given.isascii() and given.isdecimal() and len(given) <= len(str(most)) and 1 <= int(given) <= most):
        raise Refused(f"{name} is a whole number from 1 to {most}")
    return int(given)


def respond(answered: Reply) -> Response:
    """Return *answered* as Flask's response; Flask leaves the body out for HEAD."""
    response = Response(answered.body, status=answered.status)
    response.headers.clear()
    response.headers.extend(answered.headers)
    return response


def respond_with(finished: Finished) -> Response:
    """Answer the present request from *finished*."""
    return respond(reply(finished, request.environ))


# ------------------------------------------------------------------ pages


def showing_of(snapshot: Snapshot, language: str | None = None) -> Showing:
    """Return what a page in *language* is drawn with, None for the desk's; templates speak it from now on."""
    words = wording(language or snapshot.settings.language)
    g.showing = Showing(desk=snapshot.desk, addresses=snapshot.addresses, words=words, now=the_site().now())
    return g.showing  # type: ignore[no-any-return]


def slot() -> int:
    """Return what changes whenever the relative times on a page have to."""
    return int(the_site().now().timestamp() // (60 * REDRAWN_MIN))


def drawn(template: str, showing: Showing, articles: Iterable[Article], /, **values: object) -> tuple[str, datetime]:
    """Return a page of HTML, and when what it shows last changed: *articles*, and the config."""
    settings, addresses = showing.settings, showing.addresses
    names = the_site().assets.served_name
    spoken = showing.words.language
    html = render_template(
        template,
        desk=settings,
        page_language=spoken,
        # Of a desk whose language the pages do not speak the articles set the side.
        direction=direction(spoken if spoken != "en" else settings.language),
        style=addresses.local(f"/static/{names['desk.css']}"),
        icon=addresses.local(f"/static/{names['favicon.svg']}"),
        status_shown=the_site().access.is_open(settings.base_url),
        **values,
    )
    return html, max([showing.desk.accepted_at, *(article.updated for article in articles)])


def draw_once(
    key: tuple[object, ...], draw: Callable[[Showing], tuple[str, datetime]], language: str | None = None
) -> Response:
    """Answer with a page of HTML in *language*. *draw* gives it as `drawn` does, and runs once for each *key*.

    The key has to change with whatever the page shows, but for the config.
    """
    site = the_site()
    snapshot = site.snapshot
    settings = snapshot.settings

    def prepare() -> Finished:
        html, changed = draw(showing_of(snapshot, language))
        cached = f"public, max-age={min(PAGE_MAX_AGE_S, settings.publish.max_age_s)}"
        return finish_text(html, "text/html", changed, cache_control=cached, more=page_headers(settings))

    if site.visitor.opened is not None:
        return respond_with(prepare())
    try:
        finished = site.once(key, prepare)
    except StoreError:
        # What was last shown at this address is better than nothing.
        last = site.shown.get((request.path,))
        if last is None:
            raise
        return respond_with(last)
    site.shown.put((request.path,), finished)
    return respond_with(finished)


def finish_text(
    text: str,
    media_type: str,
    changed: datetime | None = None,
    *,
    cache_control: str = "",
    more: Headers | None = None,
    always_more: Headers | None = None,
) -> Finished:
    """Prepare an answer of *text* that was just put together, gzip too; its ETag is a hash of it.

    *changed* is when what it says last did, None: with the config. Caches keep it as documents unless told otherwise.
    """
    desk = the_site().snapshot.desk
    body = text.replace(OWN, desk.settings.base_url).encode()
    return finish(
        bodies=coded(body, pack_page),
        etag=hashlib.sha256(body).hexdigest()[:20],
        last_modified=changed or desk.accepted_at,
        media_type=f"{media_type}; charset=utf-8",
        cache_control=cache_control or kept_by_caches(desk.settings),
        more=more,
        always_more=always_more,
    )


def page_headers(settings: Settings) -> Headers:
    """Return what keeps a page to itself: no script, no frame, no style but its own, pictures only where wanted."""
    pictures = "img-src 'self' https: http:; media-src https: http:" if settings.publish.images else "img-src 'self'"
    policy = (
        f"default-src 'none'; style-src 'self'; {pictures}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    return [("Content-Security-Policy", policy), ("Referrer-Policy", "strict-origin-when-cross-origin")]


def redirect_to(address: str) -> Response:
    """Return a 301 to *address*, which is built from `base_url` and holds nothing of the request but its query."""
    headers = {"Location": address, "Cache-Control": "public, max-age=3600"}
    return plain_answer("Moved Permanently", 301, headers)


def plain_answer(text: str, status: int = 200, headers: Mapping[str, str] = MappingProxyType({})) -> Response:
    """Return *text* as a line that no browser takes for anything else, and no cache keeps unless *headers* say so."""
    response = Response(text + "\n", status=status, content_type="text/plain; charset=utf-8")
    response.headers.update({"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", **headers})
    return response
