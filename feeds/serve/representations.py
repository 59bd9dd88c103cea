"""A finished answer in every coding, and what of it a request gets: 200, 304 or 412. Pure.

`answers.py` and the views behind it both end here, the one with everything prepared, the others afresh.
"""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from feeds.dates import http_date
from feeds.model import Document, Settings
from feeds.serve.addresses import Addresses, document_path
from feeds.serve.conditional import judge, matched_etag
from feeds.serve.negotiate import choose

Headers = list[tuple[str, str]]

ETAG_SUFFIXES = {"identity": "", "gzip": ".gz", "br": ".br"}
MIN_CODED_BYTES = 1024
"""Below, coding costs more than it saves."""

STALE_IF_ERROR_S = 86_400
"""How long a cache may go on with what it has while the desk is down (RFC 5861 section 4)."""


_URL_SAFE = ":/?#[]@!$&'()*+,;=%~"


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One coding: *etag* is the opaque part, *headers* those of its 200."""

    coding: str
    etag: str
    headers: Headers
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """Everything that any GET or HEAD of one address can be answered with, but for what depends on the asker.

    *by_etag* gives the headers of the 304 that repeats this ETag; *exact* the same by the whole value of an
    If-None-Match that holds one tag, as nearly every client sends it. Without *variants* it is good for a 304 alone.
    """

    variants: Mapping[str, Variant]
    by_etag: Mapping[str, Headers]
    exact: Mapping[str, Headers]
    last_modified: datetime

    @property
    def size_bytes(self) -> int:
        """What its bodies take in memory."""
        return sum(len(variant.body) for variant in self.variants.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What of a request decides about the answer; None where a header was not sent."""

    accept_encoding: str | None = None
    if_match: str | None = None
    if_unmodified_since: str | None = None
    if_none_match: str | None = None
    if_modified_since: str | None = None

    @classmethod
    def of(cls, environ: Mapping[str, object]) -> Asked:
        """Take it from a WSGI environ."""

        def header(name: str) -> str | None:
            value = environ.get("HTTP_" + name)
            return value if isinstance(value, str) else None

        return cls(
            accept_encoding=header("ACCEPT_ENCODING"),
            if_match=header("IF_MATCH"),
            if_unmodified_since=header("IF_UNMODIFIED_SINCE"),
            if_none_match=header("IF_NONE_MATCH"),
            if_modified_since=header("IF_MODIFIED_SINCE"),
        )


@dataclass(frozen=True, slots=True)
class Reply:
    """A status, its headers and the body of a GET; a HEAD leaves the body out and keeps every header."""

    status: int
    headers: Headers
    body: bytes = b""


def finish(
    *,
    bodies: Mapping[str, bytes],
    etag: str,
    last_modified: datetime,
    media_type: str,
    cache_control: str,
    vary: str = "Accept-Encoding",
    more: Headers | None = None,
) -> Finished:
    """Prepare the answers from the *bodies* by coding; *etag* is the opaque part of identity's."""
    stamp = http_date(last_modified)
    variants: dict[str, Variant] = {}
    by_etag: dict[str, Headers] = {}
    for coding, body in bodies.items():
        tag = etag + ETAG_SUFFIXES[coding]
        always = [("ETag", f'"{tag}"'), ("Cache-Control", cache_control), ("Vary", vary)]
        headers = [("Content-Type", media_type), ("Content-Length", str(len(body))), *always, ("Last-Modified", stamp)]
        if coding != "identity":
            headers.append(("Content-Encoding", coding))
        headers += [("X-Content-Type-Options", "nosniff"), *(more or ())]
        variants[coding] = Variant(coding=coding, etag=tag, headers=headers, body=body)
        by_etag[tag] = always
    exact = {f'{weak}"{tag}"': headers for tag, headers in by_etag.items() for weak in ("", "W/")}
    return Finished(variants=variants, by_etag=by_etag, exact=exact, last_modified=last_modified)


def finish_document(document: Document, settings: Settings, addresses: Addresses) -> Finished:
    """Prepare the answers of a section document. It varies by ``A-IM`` too, since who sends that may get a 226."""
    bodies = {"identity": document.body}
    if document.gzip is not None:
        bodies["gzip"] = document.gzip
    if document.brotli is not None:
        bodies["br"] = document.brotli
    links = [f'<{addresses.public(document_path(document.path, document.format))}>; rel="self"']
    links += [f'<{quote(hub, safe=_URL_SAFE)}>; rel="hub"' for hub in settings.hubs]
    return finish(
        bodies=bodies,
        etag=document.etag,
        last_modified=document.last_modified,
        media_type=document.media_type,
        cache_control=cache_control(settings),
        vary="Accept-Encoding, A-IM",
        # Public documents may be read by any page's script; nothing here depends on who asks.
        more=[("Link", ", ".join(links)), ("Access-Control-Allow-Origin", "*")],
    )


def finish_delta(document: Document, body: bytes) -> Finished:
    """Prepare a 226 of *body* (RFC 3229 section 10.4.1): its ETag is that of the document which the client then has."""
    bodies = {"identity": body}
    if document.gzip is not None and len(body) > MIN_CODED_BYTES:
        bodies["gzip"] = gzip.compress(body, 5, mtime=0)
    return finish(
        bodies=bodies,
        etag=document.etag,
        last_modified=document.last_modified,
        media_type=document.media_type,
        # A cache that does not know deltas must not give this to anybody else (RFC 3229 section 10.8.3).
        cache_control="no-store, im",
        vary="Accept-Encoding, A-IM, If-None-Match",
        more=[("IM", "feed"), ("Access-Control-Allow-Origin", "*")],
    )


def reply_226(delta: Finished, accept_encoding: str | None) -> Reply:
    """Answer with a delta."""
    variant = delta.variants[choose(accept_encoding, tuple(delta.variants))]
    return Reply(226, variant.headers, variant.body)


def cache_control(settings: Settings) -> str:
    """Return how long caches may answer by themselves, and go on while the desk is away."""
    return f"public, max-age={settings.publish.max_age_s}, stale-if-error={STALE_IF_ERROR_S}"


def reply(finished: Finished, asked: Asked, *, now: datetime) -> Reply:
    """Answer a GET (RFC 9110 sections 13.2.2 and 15.4.5). ``Range`` is ignored, as section 14.2 allows."""
    variant = finished.variants[choose(asked.accept_encoding, tuple(finished.variants))]
    verdict = judge(
        etags=finished.by_etag,
        last_modified=finished.last_modified,
        now=now,
        if_match=asked.if_match,
        if_unmodified_since=asked.if_unmodified_since,
        if_none_match=asked.if_none_match,
        if_modified_since=asked.if_modified_since,
    )
    if verdict == "send":
        return Reply(200, variant.headers, variant.body)
    if verdict == "failed":
        body = b"412 Precondition Failed\n"
        headers = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))]
        return Reply(412, headers, body)
    matched = None
    if asked.if_none_match is not None:
        matched = matched_etag(asked.if_none_match, finished.by_etag, variant.etag)
    return Reply(304, finished.by_etag[matched or variant.etag])
