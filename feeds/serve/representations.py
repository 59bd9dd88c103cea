"""A finished answer in every coding, and what of it a request gets: 200, 226, 304 or 412. Pure.

`answers.py` and the views behind it both end here, the one with everything prepared, the others afresh.

Every coding of a document is a representation with an ETag of its own, yet all of them say the same thing: who holds
any of them has the document. So a condition is judged against all ETags of the document at once.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from functools import lru_cache, partial
from typing import Any, Literal
from urllib.parse import quote
from xml.etree import ElementTree

from msgspec import Struct
from msgspec.structs import replace
from werkzeug.http import parse_accept_header, parse_date, parse_etags

from feeds.configuration import Settings
from feeds.dates import http_date
from feeds.frames import document_path, legal
from feeds.model import Document
from feeds.serve.addresses import Addresses

Headers = list[tuple[str, str]]
Verdict = Literal["send", "not modified", "failed"]

CODINGS = ("br", "gzip", "identity")
"""What the desk can send, the smallest first: that order decides among equal weights."""
ETAG_SUFFIXES = {"identity": "", "gzip": ".gz", "br": ".br"}
MIN_CODED_BYTES = 1024
"""Below, coding costs more than it saves."""

pack_page = partial(gzip.compress, compresslevel=5, mtime=0)

STALE_IF_ERROR_S = 86_400
"""How long a cache may go on with what it has while the desk is down (RFC 5861 section 4)."""

SCRIPTS_MAY_READ: Headers = [
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Expose-Headers", "ETag, IM, Link, Retry-After"),
]
"""Public documents may be read by any page's script (Fetch, CORS protocol); nothing here depends on who asks."""
FEED_VARY = "Accept-Encoding, Sec-Fetch-Dest"
"""What the answers at a feed's address depend on. To a browser that navigates they depend on Accept, too."""

_ALIASES = {"x-gzip": "gzip"}  # RFC 9110 section 8.4.1.3
_URL_SAFE = ":/?#[]@!$&'()*+,;=%~"
_ETAG = re.compile(r"(\d{1,18})-([0-9a-f]+)(?:\.gz|\.br)?")


# ------------------------------------------------------------------ what a request asks


def weights(value: str) -> dict[str, float]:
    """Return each member of an Accept-like header, in lower case, with its weight from 0 to 1.

    A member whose weight cannot be read is left out; of a member given twice the heavier counts.
    >>> weights("GZIP;q=0.5, br ;Q=0, x;q=oops, *") == {"gzip": 0.5, "br": 0.0, "*": 1.0}
    True
    """
    found: dict[str, float] = {}
    for name, weight in parse_accept_header(value):
        found.setdefault(name.partition(";")[0].lower(), weight)
    return found


@lru_cache(256)
def codings_in_order(accept_encoding: str | None) -> tuple[str, ...]:
    """Return the codings that the client accepts, best first; never empty.

    No header, or an empty one, means identity. Identity comes last unless it is given a weight. Who refuses
    everything (``identity;q=0`` alone) gets identity all the same: a document serves better than 406, as RFC 9110
    section 12.5.3 allows.
    >>> codings_in_order("gzip, deflate, br;q=0.9"), codings_in_order("gzip;q=0, *")
    (('gzip', 'br', 'identity'), ('br', 'identity'))
    """
    if not accept_encoding:
        return ("identity",)
    given = weights(accept_encoding)
    for alias, name in _ALIASES.items():
        if alias in given:
            given.setdefault(name, given[alias])
    # Identity is acceptable without being named, but behind whatever was asked for; ``*;q=0`` refuses it.
    given.setdefault("identity", 0.0 if given.get("*") == 0 else 0.0001)
    weighed = [(given.get(coding, given.get("*", 0.0)), coding) for coding in CODINGS]
    ranked = sorted((pair for pair in weighed if pair[0] > 0), key=lambda pair: -pair[0])
    return tuple(coding for _, coding in ranked) or ("identity",)


def wants_html(accept: str | None) -> bool:
    """Tell whether an error should be a page: only who names HTML gets one, all others get plain text.

    >>> wants_html("text/html,application/xhtml+xml,*/*;q=0.8"), wants_html("*/*"), wants_html(None)
    (True, False, False)
    """
    if not accept:
        return False
    given = weights(accept)
    html = html_weight(given)
    return html > 0 and html >= given.get("text/plain", 0.0)


def html_weight(given: Mapping[str, float]) -> float:
    """Return how much a page is wanted, of the `weights` of an Accept header."""
    return max(given.get("text/html", 0.0), given.get("application/xhtml+xml", 0.0))


def is_for_people(environ: Mapping[str, Any]) -> bool:
    """Tell whether a browser navigates: what it gets at a feed's address is the page behind it (Fetch Metadata, W3C).

    Only browsers send ``Sec-Fetch-Dest``, and their readers' extensions another one; ``?raw`` shows the feed all the
    same.
    """
    if environ.get("HTTP_SEC_FETCH_DEST") != "document":
        return False
    accept = str(environ.get("HTTP_ACCEPT") or "").lstrip().lower()
    return accept.startswith("text/html") and "raw" not in str(environ.get("QUERY_STRING")).split("&")


def wants_delta(a_im: str | None) -> bool:
    """Tell whether ``A-IM`` names the feed instance-manipulation with a weight above 0 (RFC 3229 section 10.5.3).

    >>> wants_delta("vcdiff, FEED"), wants_delta("feed;q=0"), wants_delta(None)
    (True, False, False)
    """
    return bool(a_im) and weights(a_im or "").get("feed", 0.0) > 0


def seen_sequence(if_none_match: str | None, etag: str) -> int | None:
    """Return the highest sequence number in the client's ETags, None where none has the form of the document's *etag*.

    >>> seen_sequence('"other", W/"41-00ff00ff.gz"', "50-12345678"), seen_sequence('"41-00ff"', "50-12345678")
    (41, None)
    """
    digits = len(etag.partition("-")[2])
    tags = parse_etags(if_none_match).as_set(include_weak=True)
    found = [int(match[1]) for tag in tags if (match := _ETAG.fullmatch(tag)) and len(match[2]) == digits]
    return max(found, default=None)


def matched_etag(if_none_match: str, etags: Collection[str], preferred: str) -> str | None:
    """Return which of *etags* (opaque parts) If-None-Match names, by weak comparison; None where it names none.

    *preferred* is the one that a 200 would carry: it is returned where it is named or ``*`` is given, so that a cache
    refreshes the very response that it would have got.
    """
    named = parse_etags(if_none_match)
    if named.contains_weak(preferred):
        return preferred
    return next((tag for tag in etags if named.contains_weak(tag)), None)


def judge(environ: Mapping[str, Any], etags: Collection[str], last_modified: datetime) -> Verdict:
    """Judge the preconditions of a GET or HEAD in the order of RFC 9110 section 13.2.2.

    *etags* are the opaque parts of all codings. "failed" means 412. A date that cannot be read counts as not given.
    """
    changed = last_modified.replace(microsecond=0)
    if (wanted := environ.get("HTTP_IF_MATCH")) is not None:
        if not any(map(parse_etags(wanted).contains, etags)):
            return "failed"
    elif (limit := parse_date(environ.get("HTTP_IF_UNMODIFIED_SINCE"))) is not None and changed > limit:
        return "failed"
    if (known := environ.get("HTTP_IF_NONE_MATCH")) is not None:
        return "not modified" if any(map(parse_etags(known).contains_weak, etags)) else "send"
    since = parse_date(environ.get("HTTP_IF_MODIFIED_SINCE"))
    return "not modified" if since is not None and changed <= since else "send"


# ------------------------------------------------------------------ what it gets


class Reply(Struct, frozen=True):
    """A status, its headers and the body of a GET; a HEAD leaves the body out and keeps every header."""

    status: int
    headers: Headers
    body: bytes = b""


class Finished(Struct, frozen=True, kw_only=True):
    """Everything that any GET or HEAD of one address can be answered with, but for what depends on the asker.

    *whole* gives the 200 of each coding; without any it is good for a 304 alone. *not_modified* gives the 304 that
    repeats an ETag (its opaque part), *exact* the same by the whole value of an If-None-Match that holds one tag, as
    nearly every client sends it. *tag* names the content, whatever its coding. *private* is the section that has to be
    open to whoever gets it; None where everybody may.
    """

    whole: Mapping[str, Reply]
    not_modified: Mapping[str, Reply]
    exact: Mapping[str, Reply]
    last_modified: datetime
    tag: str
    private: str | None = None

    @property
    def size_bytes(self) -> int:
        """What its bodies take in memory."""
        return sum(len(reply.body) for reply in self.whole.values())

    def coding(self, accepted: Iterable[str]) -> str:
        """Return the first coding of *accepted* that there is; identity is always there."""
        for coding in accepted:
            if coding in self.whole:
                return coding
        return "identity"


def finish(
    *,
    bodies: Mapping[str, bytes],
    etag: str,
    last_modified: datetime,
    media_type: str,
    cache_control: str,
    vary: str = "Accept-Encoding",
    more: Headers | None = None,
    always_more: Headers | None = None,
) -> Finished:
    """Prepare the answers from the *bodies* by coding; *etag* is the opaque part of identity's, *more* are headers of
    a 200, *always_more* those of a 304 as well.
    """
    stamp = http_date(last_modified)
    whole: dict[str, Reply] = {}
    not_modified: dict[str, Reply] = {}
    for coding, body in bodies.items():
        tag = etag + ETAG_SUFFIXES[coding]
        always = [("ETag", f'"{tag}"'), ("Cache-Control", cache_control), ("Vary", vary), *(always_more or ())]
        headers = [("Content-Type", media_type), ("Content-Length", str(len(body))), *always, ("Last-Modified", stamp)]
        if coding != "identity":
            headers.append(("Content-Encoding", coding))
        headers += [("X-Content-Type-Options", "nosniff"), *(more or ())]
        whole[coding] = Reply(200, headers, body)
        not_modified[tag] = Reply(304, always)
    exact = {f'{weak}"{tag}"': reply for tag, reply in not_modified.items() for weak in ("", "W/")}
    return Finished(whole=whole, not_modified=not_modified, exact=exact, last_modified=last_modified, tag=etag)


def coded(body: bytes, pack: Callable[[bytes], bytes]) -> dict[str, bytes]:
    """Return *body* by coding: as it is, and in gzip as *pack* makes it where it is long enough for that to pay."""
    return {"identity": body} | ({"gzip": pack(body)} if len(body) > MIN_CODED_BYTES else {})


def finish_document(document: Document, settings: Settings, addresses: Addresses) -> Finished:
    """Prepare the answers of a section document. It varies by ``A-IM`` too, since who sends that may get a 226."""
    bodies = {"identity": document.body}
    if document.gzip is not None:
        bodies["gzip"] = document.gzip
    if document.brotli is not None:
        bodies["br"] = document.brotli
    path = document_path(document.path, document.format)
    private = addresses.private_at(path)
    links = [f'<{addresses.public(path)}>; rel="self"']
    links += [f'<{quote(hub, safe=_URL_SAFE)}>; rel="hub"' for hub in settings.hubs if private is None]
    finished = finish(
        bodies=bodies,
        etag=document.etag,
        last_modified=document.last_modified,
        media_type=document.media_type,
        cache_control=cache_control(settings) if private is None else kept_private(cache_control(settings)),
        vary=f"{FEED_VARY}, A-IM",
        more=[("Link", ", ".join(links))],
        always_more=SCRIPTS_MAY_READ if private is None else [],
    )
    return replace(finished, private=private)


def finish_delta(document: Document, body: bytes) -> Finished:
    """Prepare a 226 of *body* (RFC 3229 section 10.4.1): its ETag is that of the document which the client then has."""
    return finish(
        bodies=coded(body, pack_page) if document.gzip is not None else {"identity": body},
        etag=document.etag,
        last_modified=document.last_modified,
        media_type=document.media_type,
        # A cache that does not know deltas must not give this to anybody else (RFC 3229 section 10.8.3).
        cache_control="no-store, im",
        vary=f"{FEED_VARY}, A-IM, If-None-Match",
        more=[("IM", "feed")],
        always_more=SCRIPTS_MAY_READ,
    )


def reply_226(delta: Finished, accept_encoding: str | None) -> Reply:
    """Answer with a delta."""
    return replace(delta.whole[delta.coding(codings_in_order(accept_encoding))], status=226)


def put(parent: ElementTree.Element, name: str, text: str = "", /, **attributes: str) -> ElementTree.Element:
    """Add an element to *parent* and return it; what XML forbids is taken out of *text*."""
    made = ElementTree.SubElement(parent, name, attributes)
    made.text = legal(text) or None
    return made


def xml_text(root: ElementTree.Element) -> str:
    """Return *root* as a document in lines."""
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def cache_control(settings: Settings) -> str:
    """Return how long caches may answer by themselves, and go on while the desk is away."""
    return f"public, max-age={settings.publish.max_age_s}, stale-if-error={STALE_IF_ERROR_S}"


def plain_tag(etag: str) -> str:
    """Return what a value of ETag names, whatever the coding.

    >>> plain_tag('"41-00ff.gz"'), plain_tag('W/"x"')
    ('41-00ff', 'x')
    """
    return etag.removeprefix("W/").strip('"').removesuffix(".gz").removesuffix(".br")


def kept_private(cache_control: str) -> str:
    """Return what *cache_control* is for one reader's own cache (RFC 9111 section 5.2.2.7).

    >>> kept_private("public, max-age=300")
    'private, max-age=300'
    """
    return cache_control.replace("public", "private")


def reply(finished: Finished, environ: Mapping[str, Any]) -> Reply:
    """Answer a GET from its WSGI *environ* (RFC 9110 sections 13.2.2, 15.4.5). ``Range`` is ignored (14.2)."""
    coding = finished.coding(codings_in_order(environ.get("HTTP_ACCEPT_ENCODING")))
    verdict = judge(environ, finished.not_modified, finished.last_modified)
    if verdict == "send":
        return finished.whole[coding]
    if verdict == "failed":
        body = b"412 Precondition Failed\n"
        headers = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))]
        return Reply(412, headers, body)
    own, named = finished.tag + ETAG_SUFFIXES[coding], environ.get("HTTP_IF_NONE_MATCH")
    matched = matched_etag(named, finished.not_modified, own) if named is not None else None
    return finished.not_modified[matched or own]
