"""One fetch from its request to its outcome, hop by hop: what to send, and what an ended hop means. Pure.

Redirects are followed here and not by libcurl, so that every hop is judged anew, and nothing that belongs to one URL
or origin (validators, credentials) is shown to another. What a failed hop means for its source:

| what happened                                             | error          | kind      |
| --------------------------------------------------------- | -------------- | --------- |
| 408 425 429, every 5xx                                    | FetchStatus    | temporary |
| every other status that brings no document                | FetchStatus    | soft      |
| deadline, silence, name look-up without an answer         | FetchTimeout   | temporary |
| a cap on headers, raw or decoded bytes                    | FetchTooLarge  | soft      |
| address, port or scheme that config does not allow        | FetchBlocked   | hard      |
| name that does not exist                                  | FetchBroken    | hard      |
| URL that is none, header that can't be sent               | FetchBroken    | hard      |
| refused, reset, truncated, no route, look-up failed       | FetchBroken    | temporary |
| TLS without trust, redirects astray, bad coding, empty    | FetchBroken    | soft      |
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple, cast

from msgspec import Struct, field
from msgspec.structs import replace

from feeds.errors import (
    FailureKind,
    FetchBlocked,
    FetchBroken,
    FetchError,
    FetchStatus,
    FetchTimeout,
    FetchTooLarge,
    UrlError,
)
from feeds.fetch.headers import ACCEPT_ENCODING, Cookies, every, list_members, retry_after_s, validators
from feeds.fetch.target import SchemeRefused, Target, follow, parse_target, without_credentials
from feeds.files import tables
from feeds.parsed import Answer, Redirect, Request, Validators
from feeds.urls import masked

TEMPORARY_STATUSES = frozenset({408, 425, 429})
REDIRECTS = frozenset({301, 302, 303, 307, 308})
DOCUMENTS = frozenset({200, 201, 202, 203, 206, 226})
"""What may bring a whole document. Browsers show any of them; what 206 and 226 bring is looked at."""
ACCEPT = {
    "feed": (
        b"Accept: application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml;q=0.9,"
        b" application/xml;q=0.8, text/xml;q=0.8, application/json;q=0.7, */*;q=0.1"
    ),
    "page": b"Accept: text/html, application/xhtml+xml, */*;q=0.1",
    "json": b"Accept: application/json, */*;q=0.1",
    "any": b"Accept: */*",
}
_ACCEPT_ENCODING = f"Accept-Encoding: {ACCEPT_ENCODING}".encode()
_OURS = frozenset({"accept", "accept-encoding", "user-agent"})


class Failure(NamedTuple):
    """An error without its subject yet."""

    type: type[FetchError]
    kind: FailureKind
    cause: str
    remedy: str = ""


def _curl_codes(rows: Iterable[str]) -> dict[int, Failure]:
    errors = {"broken": FetchBroken, "timeout": FetchTimeout, "large": FetchTooLarge}
    found = {}
    for row in rows:
        code, error, kind, *words = row.split(" | ")
        found[int(code)] = Failure(errors[error], cast(FailureKind, kind), *words)
    return found


_TABLES = tables("fetch/failures.txt")
_CODES = _curl_codes(_TABLES["curl"])
_STATUSES = {int(row[:3]): row[6:].split(" | ") for row in _TABLES["status"]}
"""A phrase, and a remedy where there is one."""
_NEVER = frozenset(_TABLES["never sent"])


def status_kind(status: int) -> FailureKind:
    """How a source backs off after *status*; see the table above."""
    return "temporary" if status in TEMPORARY_STATUSES or 500 <= status <= 599 else "soft"


def status_cause(status: int) -> str:
    """*status* in words an admin understands."""
    words = _STATUSES.get(status)
    return f"answered {status} {words[0]}" if words else f"answered with status {status}"


def status_remedy(status: int) -> str:
    """What an admin can do about *status*; "" where nothing but to wait helps, which the desk does by itself."""
    return "".join(_STATUSES.get(status, [])[1:])


def curl_failure(code: int, message: str) -> Failure:
    """What libcurl's error *code* with its *message* means."""
    kind_of = _CODES.get(code)
    text = message.strip()[:200]
    if kind_of is None:
        return Failure(FetchBroken, "temporary", f"transfer failed: {text or f'libcurl error {code}'}")
    error, kind, cause, remedy = kind_of
    return Failure(error, kind, f"{cause} ({text})" if text else cause, remedy)


class Hop(Struct, frozen=True):
    """How one hop ended: *status* 0 where no head arrived whole; *failure* where the transfer did not end well."""

    status: int
    fields: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    wire_bytes: int = 0
    address: str = ""
    failure: Failure | None = None


class Unsendable(Exception):
    """A header or URL that can't be put on the wire; the text says which."""


class Transfer(Struct, eq=False):
    """The state of one fetch. Times are the loop's clock; *spent_s* leaves out what was waited in a host's line."""

    request: Request
    target: Target
    timeout_s: float
    max_redirects: int
    url: str = ""  # of the present hop: as requested, or the redirect's target
    private: object = None
    spent_s: float = 0.0
    started: float = 0.0
    deadline: float = 0.0
    seen_at: float = 0.0  # when the origin last showed life
    brisk: bool = False
    resolving: bool = False
    home: bool = True  # has not left the origin it began at
    conditional: bool = False
    redirects: list[Redirect] = field(default_factory=list)
    visited: set[tuple[str, str]] = field(default_factory=set)  # addresses with the cookies that they were asked with
    cookies: Cookies = field(default_factory=Cookies)
    wire_bytes: int = 0

    @classmethod
    def begin(cls, request: Request, timeout_s: float, max_redirects: int, private: object = None) -> Transfer:
        """The transfer for *request*; raises UrlError for a URL that can't be asked."""
        target = parse_target(request.url)
        if request.timeout_s is not None:
            timeout_s = request.timeout_s
        return cls(request, target, timeout_s, max_redirects, url=request.url, private=private)

    def headers(self, user_agent: bytes) -> list[bytes]:
        """The header lines of this hop but `Host`; raises Unsendable."""
        request = self.request
        lines = [user_agent, ACCEPT.get(request.accept, ACCEPT["any"]), _ACCEPT_ENCODING]
        self.conditional = bool(request.validators) and self.url == (request.validators_url or request.url)
        if self.conditional:
            lines += self._conditions()
        if self.home and (request.headers or self.target.userinfo):
            self._add_private(lines)
        return self._with_cookies(lines)

    def _with_cookies(self, lines: list[bytes]) -> list[bytes]:
        """*lines* with the cookies of this fetch behind those that config gives."""
        cookies = self.cookies.header(self.target)
        if not cookies:
            return lines
        own = [line for line in lines if line.lower().startswith(b"cookie:")]
        joined = b"; ".join([*own, cookies.encode("latin-1")]) if own else _line("Cookie", cookies)
        return [line for line in lines if line not in own] + [joined]

    def _conditions(self) -> Iterator[bytes]:
        etag, last_modified = self.request.validators.etag, self.request.validators.last_modified
        if etag is not None:
            yield _line("If-None-Match", etag)
            if self.request.deltas:
                yield b"A-IM: feed"
        if last_modified is not None:
            yield _line("If-Modified-Since", last_modified)

    def keeps(self, status: int) -> bool:
        """Whether the body of an answer with *status* is of interest."""
        return 200 <= status < 300 and self.request.post is None if self.request.as_is else status in DOCUMENTS

    def conclude(self, hop: Hop, now: datetime) -> Answer | FetchError | Target:
        """What an ended *hop* comes to: an answer, an error, or where to go on."""
        self.wire_bytes += hop.wire_bytes
        status = hop.status
        if hop.failure is not None:
            return self.error(hop.failure, status or None)
        if self.request.as_is:
            return self._answer(hop, now, Validators())
        if status in DOCUMENTS or status in (304, 410):
            return self._document(hop, now)
        if status in REDIRECTS:
            return self._redirect(hop)
        failure = Failure(FetchStatus, status_kind(status), status_cause(status), status_remedy(status))
        return self.error(failure, status, retry_after_s(hop.fields, now))

    def error(self, failure: Failure, status: int | None = None, wait_s: float | None = None) -> FetchError:
        """*failure* with this transfer as its subject."""
        return subject(failure, self.request, self.url, status, wait_s)

    def move(self, target: Target) -> None:
        """Go on at *target*, which `conclude` has given."""
        if target.origin != self.target.origin:
            self.home = False
        # Credentials stay with the target that they came with, and only while it is home.
        self.target = replace(target, userinfo=self.target.userinfo if self.home else None)
        self.url = target.url

    def _add_private(self, lines: list[bytes]) -> None:
        named = set()
        for name, value in self.request.headers:
            folded = name.lower()
            if folded in _NEVER:
                continue
            named.add(folded)
            if folded in _OURS:
                lines[:] = [line for line in lines if not line.lower().startswith(folded.encode() + b":")]
            lines.append(_line(name, value))
        credentials = self.target.credentials
        if credentials is not None and "authorization" not in named:
            lines.append(b"Authorization: Basic " + b64encode(credentials))

    def _document(self, hop: Hop, now: datetime) -> Answer | FetchError:
        status = hop.status
        found = validators(hop.fields)
        if status in DOCUMENTS:
            return self._fault(hop, now) or self._answer(hop, now, found)
        if status == 304 and not self.conditional:
            cause = "answered 304 Not Modified to a request without conditions"
            return self.error(Failure(FetchBroken, "soft", cause), status)
        if status == 304:
            sent = self.request.validators
            found = Validators(etag=found.etag or sent.etag, last_modified=found.last_modified or sent.last_modified)
        return self._answer(hop, now, found)

    def _fault(self, hop: Hop, now: datetime) -> FetchError | None:
        """What keeps an answer that should bring a document from being one."""
        status = hop.status
        if status == 226 and not self._delta_is_ours(hop):
            return self.error(Failure(FetchStatus, "soft", "answered 226 IM Used, but not as asked"), status)
        if status == 206 and not _is_whole(hop):
            return self.error(Failure(FetchStatus, "soft", status_cause(status)), status)
        if hop.body:
            return None
        if status in (201, 202):
            failure = Failure(FetchStatus, "soft", status_cause(status))
        else:
            failure = Failure(FetchBroken, "soft", "the answer is empty")
        return self.error(failure, status, retry_after_s(hop.fields, now))

    def _answer(self, hop: Hop, now: datetime, found: Validators) -> Answer:
        return Answer(
            request=self.request,
            status=hop.status,
            final_url=self.url,
            headers=hop.fields,
            body=hop.body if self.keeps(hop.status) else b"",
            validators=found,
            redirects=tuple(self.redirects),
            received_at=now,
            wire_bytes=self.wire_bytes,
            seconds=self.spent_s,
            address=hop.address,
        )

    def _delta_is_ours(self, hop: Hop) -> bool:
        return self.conditional and self.request.deltas and list_members(hop.fields, "im") == ["feed"]

    def _redirect(self, hop: Hop) -> FetchError | Target:
        if self.request.post is not None:
            return self._astray("redirected what was asked by POST; write the address where it leads", hop)
        locations = set(every(hop.fields, "location"))
        if len(locations) != 1:
            cause = "without a Location" if not locations else "with more than one Location"
            return self._astray(f"redirected {cause}", hop)
        if len(self.redirects) >= self.max_redirects:
            return self._astray(f"redirected more than {self.max_redirects} times", hop)
        try:
            target = follow(self.target, _location(locations.pop()))
        except UrlError as error:
            failure = bad_url(error)
            cause = f"redirected to {error.url[:200]!r} ({failure.cause})"
            return self.error(failure._replace(cause=cause, kind="soft"), hop.status)
        self.visited.add((self.target.url, self.cookies.header(self.target)))
        self.cookies.take(every(hop.fields, "set-cookie"), self.target)
        if (target.url, self.cookies.header(target)) in self.visited:
            return self._astray("redirects lead round in a circle", hop)
        self.redirects.append(Redirect(status=hop.status, url=without_credentials(self.url), target=target.url))
        return target

    def _astray(self, cause: str, hop: Hop) -> FetchError:
        return self.error(Failure(FetchBroken, "soft", cause), hop.status)


def subject(
    failure: Failure, request: Request, url: str, status: int | None = None, wait_s: float | None = None
) -> FetchError:
    """The error for *failure* of *request* at *url*, which is masked."""
    shown = masked(url)
    return failure.type(
        f"{failure.cause}: {shown[:200]}",
        url=shown,
        kind=failure.kind,
        status=status,
        retry_after_s=wait_s,
        remedy=failure.remedy,
        request=request,
    )


def bad_url(error: UrlError) -> Failure:
    """A URL that can't be asked at all."""
    if isinstance(error, SchemeRefused):
        return Failure(FetchBlocked, "hard", error.cause, error.remedy)
    return Failure(FetchBroken, "hard", error.cause, error.remedy)


def blocked(reason: str) -> Failure:
    """A connection that the guard refuses."""
    return Failure(FetchBlocked, "hard", reason, "allow it with fetch.allow_private or fetch.ports if it is meant")


def too_slow(cause: str) -> Failure:
    """A limit of time was reached."""
    return Failure(FetchTimeout, "temporary", cause)


def too_large(cause: str, setting: str) -> Failure:
    """A limit of bytes was reached."""
    return Failure(FetchTooLarge, "soft", cause, f"raise {setting} if this is meant to be so large")


def _location(value: str) -> str:
    """*value* as text: field values are Latin-1 to us, but those who send raw characters mean UTF-8."""
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return value


def _is_whole(hop: Hop) -> bool:
    """Whether the part that a 206 brings, though none was asked for, is all there is (RFC 9110 §14.4)."""
    last = len(hop.body) - 1
    return any(f"bytes 0-{last}/{last + 1}" == said.strip().lower() for said in every(hop.fields, "content-range"))


def _line(name: str, value: str) -> bytes:
    """One header line; validators and secrets come back out as the very bytes they came in as."""
    try:
        content = value.encode("latin-1")
    except UnicodeEncodeError:
        content = value.encode("utf-8")
    if not name.isascii() or not name.replace("-", "").replace("_", "").isalnum() or b"\n" in content:
        raise Unsendable(f"header {name[:40]!r} can't be sent")
    if b"\r" in content or b"\0" in content:
        raise Unsendable(f"header {name[:40]!r} can't be sent")
    # A semicolon is libcurl's way to send a header without content.
    return name.encode() + (b": " + content if content.strip() else b";")
