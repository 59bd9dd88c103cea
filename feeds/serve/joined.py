"""Feeds put together for a request from stored fragments, and what narrowed ones are asked with. Pure.

A section document can be narrowed by ``?source=``, ``?lang=``, ``?limit=``, ``?with=picture`` and ``?by=story``. Every
choice has one address, which `canonical` gives: known parameters in the order of their names, in lower case, without
what goes without saying. All other parameters are ignored.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from urllib.parse import parse_qs, quote

from isal import igzip
from msgspec import Struct
from werkzeug.exceptions import BadRequest

from feeds import frames
from feeds.configuration import Settings
from feeds.errors import StoreError
from feeds.model import MEDIA_TYPES, Format, Frame
from feeds.serve.representations import FEED_VARY, SCRIPTS_MAY_READ, Finished, cache_control, coded, finish
from feeds.serve.store_reader import Part, SourceName
from feeds.store.values import Selection

MOST_ENTRIES = 200
SCANNED = 2000
"""Among how many of a section's newest articles is chosen, so that no question costs more than that."""

SCANNED_FOR_STORIES = 200  # publishing makes the fragments of no more
SCANNED_UNPACKED = 500  # for a language or pictures each has to be unpacked

_LANGUAGE = re.compile(r"[a-z]{2,8}(?:-[a-z0-9]{1,8})*")
_NAMED = 20


NARROWING = ("source", "lang", "limit", "by", "with")
"""The query parameters that make another feed of a document; all others are ignored."""

_MOST_PARAMETERS = 100
GZIP_LEVEL = 2


def parameters(query: str) -> dict[str, list[str]]:
    """Return what *query*, as WSGI gives it, says of the parameters that narrow; empty ones say nothing.

    >>> parameters("utm_source=x&limit=5&lang=&limit=%37")
    {'limit': ['5', '7']}
    """
    text = query.encode("latin-1", "replace").decode("utf-8", "replace")
    try:
        given = parse_qs(text, errors="replace", max_num_fields=_MOST_PARAMETERS)
    except ValueError:
        return {}  # nobody who wants a feed says a hundred things
    return {name: kept for name in NARROWING if (kept := [each for each in given.get(name, ()) if each.strip()])}


class Refused(BadRequest):
    """A request that asks for what does not exist in that form; its description says what would have been right.

    It is shown to whoever asked, so nothing of the request stands in it.
    """


class Choice(Struct, frozen=True, kw_only=True):
    """What a feed is narrowed to; "" and None: any. *limit* is how many entries there are at most, *usual* how many
    there would be anyway.
    """

    source: SourceName | None = None
    language: str = ""
    by_story: bool = False
    pictured: bool = False
    limit: int
    usual: int

    @property
    def canonical(self) -> str:
        """The query string of the one address; empty where nothing is narrowed.

        >>> Choice(source=SourceName("Harbour Post", "The Post"), language="en", limit=5, usual=50).canonical
        'lang=en&limit=5&source=harbour%20post'
        """
        parts = [
            ("by", "story" if self.by_story else ""),
            ("lang", self.language),
            ("limit", str(self.limit) if self.limit != self.usual else ""),
            ("source", self.source.key.casefold() if self.source else ""),
            ("with", "picture" if self.pictured else ""),
        ]
        return "&".join(f"{name}={quote(value, safe='')}" for name, value in parts if value)

    @property
    def in_words(self) -> str:
        """What sets the feed apart, for its title; empty where only the limit does."""
        name = self.source.name if self.source else ""
        parts = "stories" if self.by_story else "", name, self.language, "with pictures" if self.pictured else ""
        return ", ".join(filter(None, parts))


def choose(
    parameters: Mapping[str, Sequence[str]], sources: Mapping[str, SourceName], *, usual: int, listed: bool = True
) -> Choice:
    """Return what *parameters* (each name with its values) ask for. Raises Refused.

    *sources* are known by what `by_name` gives, *listed* says whether everybody may hear their names; *usual* is how
    many entries the document holds.
    """
    source = _source(_one(parameters, "source").casefold(), sources, listed=listed)
    language = _one(parameters, "lang").lower().replace("_", "-")
    by = _one(parameters, "by").lower()
    if by not in ("", "article", "story"):
        raise Refused("by is article or story")
    having = _one(parameters, "with").lower()
    if having not in ("", "picture"):
        raise Refused("with is picture")
    if by == "story" and (source or language or having):
        raise Refused("by=story goes with limit alone: a story is told by several sources")
    if language and not _LANGUAGE.fullmatch(language):
        raise Refused("lang is a language tag such as en or pt-br")
    return Choice(
        source=source,
        language=language,
        by_story=by == "story",
        pictured=bool(having),
        limit=_limit(_one(parameters, "limit"), usual),
        usual=usual,
    )


def _source(name: str, sources: Mapping[str, SourceName], *, listed: bool) -> SourceName | None:
    if name and name not in sources:
        others = f"there are: {_named(sources.values())}" if listed else "articles name theirs"
        raise Refused(f"source is none of this desk's; {others}")
    return sources.get(name) if name else None


def _limit(text: str, usual: int) -> int:
    most = max(MOST_ENTRIES, usual)
    if text and not (text.isascii() and text.isdecimal() and len(text) <= 6 and 1 <= int(text) <= most):
        raise Refused(f"limit is a whole number from 1 to {most}")
    return int(text) if text else usual


def by_name(sources: Iterable[SourceName]) -> dict[str, SourceName]:
    """Return sources by what they may be called in an address: key or name, folded; keys go before names."""
    sources = list(sources)
    named = {source.name.casefold(): source for source in reversed(sources)}
    return named | {source.key.casefold(): source for source in reversed(sources)}


def _one(parameters: Mapping[str, Sequence[str]], name: str) -> str:
    values = set(parameters.get(name, ()))
    if len(values) > 1:
        raise Refused(f"{name} can be given once")
    return values.pop().strip() if values else ""


def _named(sources: Iterable[SourceName]) -> str:
    names = sorted({source.name for source in sources}, key=str.casefold)
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more if names else "none"


def join(
    base: Frame | None,
    selection: Selection,
    format: Format,
    *,
    settings: Settings,
    self_url: str,
    page_url: str,
    title: str,
    description: str,
    feed_id: str,
    updated: datetime,
    cached: str = "",
    last_modified: datetime | None = None,
    sequence: int | None = None,
    extra: Sequence[bytes] = (),
    link: str = "",
    most_bytes: int | None = None,
) -> Finished:
    """Return the answers of a feed of stored fragments, joined around the frame *base* as publishing joins documents.

    *updated* dates it where it has no articles. The oldest go that have no room in *most_bytes*. Its ETag carries
    *sequence* where it has one, as documents' do, and caches keep it as these unless *cached* says how. Raises
    StoreError while something waits for being rendered.
    """
    if base is None or selection.missing:
        raise StoreError(
            f"{selection.missing or 'all'} articles of {self_url} wait for being rendered",
            remedy="nothing to do: publishing is on its way through them",
        )
    updated = selection.updated or updated
    fragments = selection.fragments
    if most_bytes is not None:
        fragments = fragments[: frames.fitting(fragments, most_bytes)]
    body = frames.assemble(
        base,
        fragments,
        self_url=self_url,
        alternate_url=page_url,
        title=title,
        description=description,
        updated=updated,
        feed_id=feed_id,
        extra=extra,
    )
    digest = hashlib.sha256(body).hexdigest()[:16]
    return finish(
        # A tenth of zlib's time and some more bytes: this is done for one asker, not once for all.
        bodies=coded(body, partial(igzip.compress, compresslevel=GZIP_LEVEL, mtime=0)),
        etag=digest if sequence is None else f"{sequence}-{digest}",
        last_modified=max(updated, last_modified or updated),
        media_type=MEDIA_TYPES[format],
        cache_control=cached or cache_control(settings),
        vary=FEED_VARY,
        more=[("Link", link or f'<{self_url}>; rel="self"')],
        always_more=SCRIPTS_MAY_READ,
    )


def section_feed_id(part: Part, variant: str = "") -> str:
    """Return the id of a section's feed; a *variant* is a feed of its own, anything else a page of the section's."""
    return frames.feed_urn(part.desk_id, f"section/{part.section.id}", variant)
