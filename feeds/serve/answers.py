"""What is published at one moment, ready to be answered from: documents, config, addresses. Pure but for the reader.

A snapshot follows another by what was published between them. Only its bodies, which are bounded, come and go.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field
from msgspec.structs import replace

from feeds.configuration import Settings
from feeds.errors import StoreError
from feeds.frames import document_path
from feeds.model import Format
from feeds.serve.addresses import Addresses
from feeds.serve.admission import (
    BODIES_AT_ONCE,
    BUSY,
    LONG_BODY,
    SLOW_BODY,
    VIEWS_AT_ONCE,
    VIEWS_WAITING,
    Limiter,
    Tokens,
    has_body,
    most_body_bytes,
    oversized,
    put_body,
    read_body,
    refusal,
    take_token,
    visitor_of,
)
from feeds.serve.counters import Tally
from feeds.serve.joined import NARROWING
from feeds.serve.representations import Finished, Reply, codings_in_order, finish_document, plain_tag, reply
from feeds.serve.store_reader import Changes, Desk, StoreReader

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
LOOK_EVERY_S = 0.05
OLD_S, PATIENCE_S = 0.5, 2.0
"""From when on a look counts as long ago, and how long at most a request then waits for the one under way."""
ASKED_AHEAD = "/readyz", "/"
"""Views that every desk is asked for: their first answers load and compile nearly all that the others need."""
MAX_BODIES_BYTES = 256_000_000
"""How much memory a process gives to bodies; three formats of a thousand busy sections take about as much."""


class Snapshot(Struct, frozen=True, kw_only=True):
    """What is published at one moment. *finished* is keyed by path as WSGI gives it, without the prefix.

    *accepted* is None until a first config is: then *desk* holds the defaults. *bodies* gives the bytes that each
    document's bodies take, by its path, for those that are in memory. *epoch* moves with everything but documents:
    config, retractions, sections. What was drawn from a section holds while `state_of` gives the same.
    """

    counter: int
    epoch: int = 0
    accepted: Desk | None
    desk: Desk
    addresses: Addresses
    finished: dict[str, Finished] = field(default_factory=dict)
    bodies: dict[str, int] = field(default_factory=dict)
    tokens: Tokens = field(default_factory=dict)

    @property
    def settings(self) -> Settings:
        """The desk's settings."""
        return self.desk.settings

    def document(self, path: str, format: Format = "json") -> Finished | None:
        """Return the answers of a section's document."""
        return self.finished.get(_as_wsgi(document_path(path, format)))

    def state_of(self, path: str) -> tuple[int, str]:
        """Return what changes whenever the articles of a section do: the epoch, and an ETag of its documents."""
        finished = self.document(path)
        return self.epoch, next(iter(finished.not_modified), "") if finished is not None else ""

    def filed(self, path: str) -> bool:
        """Return whether the documents of a section have ever held anything."""
        etag = self.state_of(path)[1]
        return bool(etag) and not etag.strip('"').startswith("0-")

    def keep(self, path: str, format: Format, finished: Finished, max_bodies_bytes: int) -> None:
        """Take the bodies of a document whose validators are here; another's may have to go for them."""
        known, key = self.document(path, format), _as_wsgi(document_path(path, format))
        # What was published meanwhile comes with the next look, and takes nothing back.
        if known is None or known.whole or known.exact.keys() != finished.exact.keys():
            return
        if finished.size_bytes > max_bodies_bytes // 4:
            return
        room = max_bodies_bytes - sum(self.bodies.values()) - finished.size_bytes
        while room < 0 and self.bodies:
            oldest = next(iter(self.bodies))
            room += self.bodies.pop(oldest)
            self.finished[oldest] = replace(self.finished[oldest], whole={})
        self.finished[key], self.bodies[key] = finished, finished.size_bytes

    def _take(self, changes: Changes, max_bodies_bytes: int) -> None:
        if not changes.only_documents:
            present = {_as_wsgi(document_path(path, format)) for path, format in changes.present}
            for key in self.finished.keys() - present:
                self.bodies.pop(key, None)
                del self.finished[key]
        changed = {_as_wsgi(document_path(each.path, each.format)): each for each in changes.documents}
        for key in changed:
            self.bodies.pop(key, None)
        room = max_bodies_bytes - sum(self.bodies.values())
        for key, document in changed.items():
            finished = finish_document(document, self.desk.settings, self.addresses)
            room -= finished.size_bytes
            if room >= 0:
                self.bodies[key] = finished.size_bytes
            self.finished[key] = finished if room >= 0 else replace(finished, whole={})


def _as_wsgi(path: str) -> str:
    """The value of PATH_INFO that means *path*: WSGI carries UTF-8 as Latin-1 (PEP 3333)."""
    return path.encode().decode("latin-1")


def take_over(reader: StoreReader, old: Snapshot | None, max_bodies_bytes: int, *, all_anew: bool = False) -> Snapshot:
    """Return the snapshot that follows *old*: what was published since, or everything where there is none, and with
    *all_anew*.

    Where nothing but documents was published, the config is not even read, and the epoch stays.
    """
    if old is not None and not all_anew:
        changes = reader.changes(old.counter)
        accepted = old.accepted if changes.only_documents else reader.desk()
        if accepted == old.accepted:
            new = replace(
                old,
                counter=changes.counter,
                epoch=old.epoch + (not changes.only_documents),
                tokens=old.tokens if changes.only_documents else reader.tokens(),
                finished=dict(old.finished),
                bodies=dict(old.bodies),
            )
            new._take(changes, max_bodies_bytes)
            return new
    else:
        accepted = reader.desk()
    # Other settings mean other headers: everything is prepared anew.
    changes = reader.changes(0)
    desk = accepted or Desk()
    new = Snapshot(
        counter=changes.counter,
        epoch=0 if old is None else old.epoch + 1,
        accepted=accepted,
        desk=desk,
        addresses=Addresses.of(desk.settings.base_url, desk.sections),
        tokens=reader.tokens(),
    )
    new._take(changes, max_bodies_bytes)
    return new


log = logging.getLogger(__name__)


class Answers:
    """The WSGI application: finished answers first, *app* for the rest."""

    def __init__(
        self,
        app: WSGIApplication,
        reader: StoreReader,
        *,
        tally: Tally | None = None,
        look_every_s: float = LOOK_EVERY_S,
        max_bodies_bytes: int = MAX_BODIES_BYTES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.app = app
        self._reader = reader
        self._look_every_s = look_every_s
        self._max_bodies_bytes = max_bodies_bytes
        self._clock = clock
        self._look_at = 0.0
        self._looking = threading.Lock()
        self._keeping = threading.Lock()
        self._current: Snapshot | None = None
        self._behind = self._all_anew = True
        self._failing = False
        self.tally = tally or Tally()
        self._views, self._bodies = Limiter(VIEWS_AT_ONCE, VIEWS_WAITING), Limiter(BODIES_AT_ONCE)

    @property
    def snapshot(self) -> Snapshot:
        """What is published, as of the last look. Raises StoreError where the store has never answered."""
        if self._clock() >= self._look_at:
            self._look()
        if self._current is None:
            raise StoreError("nothing could be read from the store yet", remedy="`wiredesk doctor` tells why")
        return self._current

    def at_once(self, environ: Mapping[str, Any]) -> Reply | None:
        """Return the answer to a request that needs no view: from a finished document, or why its form is refused.

        *environ* is that of WSGI, or as much of it as says what is asked.
        """
        if (refused := refusal(environ)) is not None:
            return refused
        if self._clock() >= self._look_at:
            self._look()
        if (snapshot := self._current) is None:
            return None
        path = snapshot.addresses.strip_prefix(environ["PATH_INFO"])
        finished = snapshot.finished.get(path)
        if finished is None or _is_for_the_view(environ):
            return None
        if finished.private is not None and not visitor_of(environ, snapshot.tokens).may_read(finished.private):
            return None
        answer = _of_document(finished, environ)
        if answer is not None:
            self.tally.answered(path, answer.status, environ, len(answer.body), finished.tag)
        return answer

    def receive(self, environ: dict[str, Any]) -> Reply | None:
        """Return the answer to a request that no view is asked for, else None: then its body is in memory."""
        return self.at_once(environ) or oversized(environ) or self._take_body(environ)

    def ask_views(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Have a request answered that was received (PEP 3333)."""
        if (snapshot := self._current) is not None:
            environ["SCRIPT_NAME"] = ""
            environ["PATH_INFO"] = snapshot.addresses.strip_prefix(environ["PATH_INFO"])
            take_token(environ, snapshot.tokens)
        if not self._views.enter():
            return _send(BUSY, start_response)
        try:
            return self._ask_app(environ, start_response)
        finally:
            self._views.leave()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        answer = self.receive(environ)
        return self.ask_views(environ, start_response) if answer is None else _send(answer, start_response)

    def _take_body(self, environ: WSGIEnvironment) -> Reply | None:
        """Have the body of a request, where it has one, before a view is asked; why it is refused, or None."""
        if not has_body(environ):
            return None
        if not self._bodies.enter():
            return BUSY
        most = most_body_bytes(environ)
        try:
            body = read_body(environ, most)
        finally:
            self._bodies.leave()
        if body is None:
            return SLOW_BODY
        if len(body) > most:
            return LONG_BODY
        put_body(environ, body)
        return None

    def _ask_app(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Let the views answer, counted and timed."""
        path, began, answered = environ["PATH_INFO"], self._clock(), 500
        sent, tag = 0, ""

        def counted(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            nonlocal answered, sent, tag
            answered, named = int(status[:3]), dict(headers)
            sent, tag = int(named.get("Content-Length", 0)), plain_tag(named.get("ETag", ""))
            return start_response(status, headers, *more)

        try:
            return self.app(environ, counted)
        finally:
            if environ["REQUEST_METHOD"] == "HEAD":
                sent = 0
            self.tally.answered(path, answered, environ, sent, tag)
            self.tally.took(path, self._clock() - began)

    def read_ahead(self) -> None:
        """Have what is published in memory and the views asked once, and the database not open: for processes that are
        forked from this one.
        """
        self._reader.close()  # another one may lie at its place by now
        self._current, self._all_anew, self._look_at = None, True, 0.0
        self._look()
        for path in ASKED_AHEAD:
            request = {"REQUEST_METHOD": "GET", "PATH_INFO": path, "SERVER_NAME": "localhost", "SERVER_PORT": "80"}
            b"".join(self.app(request | {"wsgi.url_scheme": "http"}, lambda *answer: lambda body: None))
        self._reader.disconnect()

    def close(self) -> None:
        """Let go of the store; a later request would open it again."""
        self.tally.flush()
        self.tally.readership.save()
        self._reader.close()

    def _look(self) -> None:
        """Take over what was published since the last look; while one thread does, the others go on with the old.

        After a quiet time the old may be hours old, and hold what was retracted since: then the others wait.
        """
        if not self._looking.acquire(timeout=self._patience_s()):
            return
        try:
            if self._clock() < self._look_at:
                return
            self._all_anew |= self._reader.let_go_of_another()
            self._behind |= self._reader.moved()
            if self._behind or self._all_anew:
                with self._keeping:
                    self._current = take_over(
                        self._reader, self._current, self._max_bodies_bytes, all_anew=self._all_anew
                    )
                self.tally.readership.polite_s = self._current.desk.settings.publish.max_age_s
                self._behind = self._all_anew = False
            if self._failing:
                log.info("the store answers again")
            self._failing = False
        except StoreError as error:
            # The last good answers stay; caches and readers notice nothing.
            if not self._failing:
                log.warning("store does not answer, serving what is in memory: %s", error)
            self._failing = True
        finally:
            self._look_at = self._clock() + self._look_every_s
            self._looking.release()

    def _patience_s(self) -> float:
        """How long to wait for another thread that looks: 0 where the present answers are good enough meanwhile."""
        if self._current is None:
            return -1.0  # for as long as it takes
        return PATIENCE_S if self._clock() - self._look_at >= OLD_S and not self._failing else 0.0

    def keep(self, path: str, format: Format, finished: Finished) -> None:
        """Take the bodies of a document that the view has just read; another's may have to go for them."""
        with self._keeping:
            if self._current is not None:
                self._current.keep(path, format, finished, self._max_bodies_bytes)


def _send(answer: Reply, start_response: StartResponse) -> list[bytes]:
    start_response(f"{answer.status} {HTTPStatus(answer.status).phrase}", [*answer.headers])
    return [answer.body]


def _of_document(finished: Finished, environ: Mapping[str, Any]) -> Reply | None:
    """Return the answer from a finished document, None where a view has to cut a delta, or to read the document."""
    named = environ.get("HTTP_IF_NONE_MATCH")
    answer = finished.exact.get(named) if named is not None else None
    if answer is None:
        if "HTTP_A_IM" in environ or not finished.whole:
            return None
        if named is None and "HTTP_IF_MODIFIED_SINCE" not in environ:
            answer = finished.whole[finished.coding(codings_in_order(environ.get("HTTP_ACCEPT_ENCODING")))]
        else:
            answer = reply(finished, environ)
    return answer if environ["REQUEST_METHOD"] == "GET" else replace(answer, body=b"")


def _is_for_the_view(environ: Mapping[str, Any]) -> bool:
    query = environ.get("QUERY_STRING", "")  # may be absent (PEP 3333)
    return (
        environ["REQUEST_METHOD"] not in ("GET", "HEAD")
        or (query and may_narrow(query))
        or "HTTP_IF_MATCH" in environ
        or "HTTP_IF_UNMODIFIED_SINCE" in environ
        or environ.get("HTTP_SEC_FETCH_DEST") == "document"  # a browser that navigates gets a page
    )


def may_narrow(query: str) -> bool:
    """Tell whether a query could hold a parameter of `NARROWING`; the view decodes it and decides.

    >>> may_narrow("utm_source=x"), may_narrow("v=2&%6cimit=5"), may_narrow("limit=5")
    (False, True, True)
    """
    return "%" in query or "+" in query or any(part.partition("=")[0] in NARROWING for part in query.split("&"))
