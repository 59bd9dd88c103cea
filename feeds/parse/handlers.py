"""What the desk adds to feedparser's parsers: caps, entries that do not touch each other, and handlers of the elements
that feedparser flattens or does not know. Part of `parse`. Pure.

What the handlers keep stands under keys of an entry that begin with ``desk_``; `attachments` says what it means.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import feedparser.api
from feedparser.util import FeedParserDict

from feeds.errors import ParseError
from feeds.parse.attachments import Media
from feeds.parse.fields import (
    MAX_AUTHOR_CHARACTERS,
    MAX_DEPTH_ELEMENTS,
    MAX_ENTRIES,
    MAX_LIST_ITEMS,
    truth,
)
from feeds.parsed import Shape
from feeds.urls import with_scheme

PODCAST_NAMESPACES = (
    "https://podcastindex.org/namespace/1.0",
    "http://podcastindex.org/namespace/1.0",
    "https://github.com/podcastindex-org/podcast-namespace/blob/main/docs/1.0.md",
)
MAX_CREDITS = 5
_ADDRESS = re.compile(r"[A-Za-z0-9_.+-]+@(?:\[[0-9.]{7,15}\]|(?:[A-Za-z0-9-]+\.)+[A-Za-z0-9-]{2,63})(?:\?subject=\S+)?")
_IN_END_TAG = re.compile(rb"</[^<>]*\Z")
_REGISTERED = re.compile(r"(?i)https?://www\.iana\.org/assignments/(?:relation|link-relations)(?:\.html)?[/#]")
# Addresses that `urljoin` gives back as they are, whatever the base: most of all.
_WHOLE = re.compile(
    r"https?://[A-Za-z0-9][A-Za-z0-9.-]*/[A-Za-z0-9\-._~/!$'()*+,=:@%]*(?:\?[A-Za-z0-9\-._~/!$'()*+,=:@%&;?]+)?\Z"
)
_DEGREES = re.compile(r"\b4326\Z|WGS84\Z", re.IGNORECASE)


class Enough(Exception):
    """MAX_ENTRIES were read."""


def _kept(name: str) -> tuple[Callable[..., None], Callable[..., None]]:
    """Handlers that keep every element *name* of the podcast namespace, its attributes and its text."""

    def start(self: Any, attrs_d: dict[str, str]) -> None:
        found = self._get_context().setdefault("desk_podcast", {}).setdefault(name, [])
        self.push(f"podcast_{name}", 0)
        self.podcast_element = dict(attrs_d)
        if len(found) < MAX_LIST_ITEMS:
            found.append(self.podcast_element)

    def end(self: Any) -> None:
        self.podcast_element["text"] = self.pop(f"podcast_{name}") or ""

    return start, end


def _geometry(shape: Shape) -> Callable[..., None]:
    """A handler that opens an element of GeoRSS with the numbers of a *shape*."""

    def start(self: Any, attrs_d: dict[str, str]) -> None:
        self.shape, self.dimensions = shape, 2
        self.push("desk_geometry", 0)

    return start


def _gml(shape: Shape) -> Callable[..., None]:
    """A handler that opens an element of GML around the numbers of a *shape*."""

    def start(self: Any, attrs_d: dict[str, str]) -> None:
        # GeoRSS GML is WGS84; the numbers of another system are no degrees, or stand the other way round.
        system = attrs_d.get("srsname", "").strip()
        self.shape = shape if not system or _DEGREES.search(system) else None
        self.dimensions = 3 if attrs_d.get("srsdimension", "").strip() == "3" else 2

    return start


class Bounded:
    """To be mixed into a parser of feedparser, before it. Its own keys in an entry begin with ``desk_``."""

    can_be_relative_uri = feedparser.api.StrictFeedParser.can_be_relative_uri - {"id"}  # an id is no address
    resolve_relative_uris = False  # inside HTML; `normalise` does both
    sanitize_html = False

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._before: tuple[int, int, int] = (0, 0, 0)
        self.spaces: tuple[dict[Any, str], dict[str, str], str] | None = None  # before the entry declared its own
        self.media_open: list[Media] = []
        self.podcast_element: dict[str, str] = {}
        self.shape: Shape | None = None
        self.dimensions = 2
        # One table serves all of feedparser; RFC 4685 and podcasts are added for this parser alone.
        self._matchnamespaces: dict[str, str] = {
            **self._matchnamespaces,
            "http://purl.org/syndication/thread/1.0": "thr",
            **dict.fromkeys(PODCAST_NAMESPACES, "podcast"),
        }

    def check_depth(self: Any) -> None:
        """Count one more open element. Raises ParseError at MAX_DEPTH_ELEMENTS."""
        if self.depth >= MAX_DEPTH_ELEMENTS:
            raise ParseError(
                f"elements nested more than {MAX_DEPTH_ELEMENTS} deep",
                remedy="no reader takes this; tell the publisher, or remove the source",
            )
        self.depth += 1

    def resolve_uri(self: Any, uri: str) -> str:
        if _WHOLE.match(uri):
            return uri
        resolved: str = super().resolve_uri(with_scheme(uri))  # type: ignore[misc]
        return resolved

    def _start_item(self: Any, attrs_d: dict[str, str]) -> None:
        if len(self.entries) >= MAX_ENTRIES:
            raise Enough
        self._before = (len(self.elementstack), len(self.basestack), self.depth)
        self.incontent = self.svgOK = self.inauthor = self.incontributor = self.inpublisher = self.insource = 0
        self.inimage = self.intextinput = self.hasContent = 0
        self._summaryKey = None
        self.contentparams.clear()
        self.sourcedata.clear()
        self.media_open.clear()
        self.shape = None
        super()._start_item(attrs_d)  # type: ignore[misc]
        self.entries[-1]["desk_base"] = self.baseuri
        if self.lang:
            self.entries[-1]["desk_language"] = self.lang

    _start_entry = _start_item

    def _end_item(self: Any) -> None:
        super()._end_item()  # type: ignore[misc]
        if self.entries:
            elements, bases, depth = self._before
            del self.elementstack[elements:], self.basestack[bases:], self.langstack[bases:]
            self.incontent = self.svgOK = self.insource = 0
            self.depth = depth
            if self.spaces is not None:
                self.namespacemap, self.namespaces_in_use, self.version = self.spaces
                self.spaces = None

    _end_entry = _end_item

    def broke_off(self: Any, document: bytes) -> None:
        """Forget the entry that *document* left open, for what is missing may be its id; not where only its end is."""
        if self.inentry and self.entries and not (self.depth == self._before[2] and _IN_END_TAG.search(document)):
            self.entries.pop()

    def _add_tag(self: Any, term: str | None, scheme: str | None, label: str | None) -> None:
        # Each is compared with all before it; those of the feed itself are of no use here.
        tags = self._get_context().setdefault("tags", [])
        if (term or scheme or label) and len(tags) < (MAX_LIST_ITEMS if self.inentry else 1):
            tag = FeedParserDict(term=term, scheme=scheme, label=label)
            if tag not in tags:
                tags.append(tag)

    def _sync_author_detail(self: Any, key: str = "author") -> None:
        # feedparser's expression for an address takes for ever on some, and knows no top domain over four letters.
        context = self._get_context()
        detail = context.get(f"{key}s", [{}])[-1]
        written = context.get(key)
        if detail or not isinstance(written, str) or not written:
            super()._sync_author_detail(key)  # type: ignore[misc]
            return
        name = written[:MAX_AUTHOR_CHARACTERS]
        if address := _ADDRESS.search(name):
            detail["email"] = address.group()
            name = name.replace(address.group(), "").replace("()", "").replace("<>", "").replace("&lt;&gt;", "")
            name = name.strip().removeprefix("(").removesuffix(")").strip()
        if name:
            detail["name"] = name
        if detail:
            context.setdefault(f"{key}_detail", detail)

    @staticmethod
    def map_content_type(content_type: str) -> str:
        """The bare media type: parameters such as a charset do not make another of it."""
        mapped: str = feedparser.api.StrictFeedParser.map_content_type(content_type.partition(";")[0].strip())
        return mapped

    def _start_link(self: Any, attrs_d: dict[str, str]) -> None:
        if "rel" in attrs_d:  # a registered relation may be written as an address (RFC 4287 §4.2.7.2)
            attrs_d["rel"] = _REGISTERED.sub("", attrs_d["rel"].strip())
        if not attrs_d.get("uri", "http").lower().startswith("http"):
            del attrs_d["uri"]  # a name in another network beside the address in the text
        super()._start_link(attrs_d)  # type: ignore[misc]

    def _start_guid(self: Any, attrs_d: dict[str, str]) -> None:
        super()._start_guid(attrs_d)  # type: ignore[misc]
        if self.inentry and not self.insource:
            self.entries[-1]["desk_permalink"] = bool(self.guidislink)

    _start_id = _start_guid

    # feedparser makes a second text of an entry its content, whatever it is; this is kept under a name of its own.
    def _start_itunes_summary(self: Any, attrs_d: dict[str, str]) -> None:
        self.push("itunes_summary", 1)

    def _end_itunes_summary(self: Any) -> None:
        self.pop("itunes_summary")

    # feedparser reads each date as well, for fields that nobody here asks for.
    def _end_published(self: Any) -> None:
        self.pop("published")

    def _end_updated(self: Any) -> None:
        self.pop("updated")

    def _end_created(self: Any) -> None:
        self.pop("created")

    _end_issued = _end_pubdate = _end_published
    _end_modified = _end_lastbuilddate = _end_updated

    # skipHours and skipDays (RSS 2.0) are lists, of which feedparser keeps the last.
    def _end_hour(self: Any) -> None:
        self.feeddata.setdefault("desk_hours", []).append(self.pop("hour"))

    def _end_day(self: Any) -> None:
        self.feeddata.setdefault("desk_days", []).append(self.pop("day"))

    # ---------------------------------------------------------------- Media RSS

    def _media_here(self: Any) -> Media:
        if self.media_open:
            return self.media_open[-1]  # type: ignore[no-any-return]
        whole: Media = self._get_context().setdefault("desk_media_around", Media({}))
        return whole

    def _start_media_group(self: Any, attrs_d: dict[str, str]) -> None:
        self.media_open.append(Media(attrs_d, self._media_here(), group=True))

    def _end_media_group(self: Any) -> None:
        while self.media_open and not self.media_open.pop().group:
            pass

    def _start_media_content(self: Any, attrs_d: dict[str, str]) -> None:
        super()._start_media_content(attrs_d)  # type: ignore[misc]
        media = Media(attrs_d, self._media_here())
        self.media_open.append(media)
        found = self._get_context().setdefault("desk_media", [])
        if len(found) < MAX_LIST_ITEMS:
            found.append(media)

    def _end_media_content(self: Any) -> None:
        if self.media_open and not self.media_open[-1].group:
            self.media_open.pop()

    def _end_media_title(self: Any) -> None:
        if self.elementstack and self.elementstack[-1][0] == "title":
            self._media_here().title = "".join(self.elementstack[-1][2]).strip()
        super()._end_media_title()  # type: ignore[misc]

    # feedparser makes a second text of an entry its content, whatever it is; this is kept under a name of its own.
    def _start_media_description(self: Any, attrs_d: dict[str, str]) -> None:
        self.push("media_description", 1)

    def _end_media_description(self: Any) -> None:
        self._media_here().description = self.pop("media_description") or ""

    def _end_media_credit(self: Any) -> None:
        super()._end_media_credit()  # type: ignore[misc]
        credits: list[Any] = self._get_context().get("media_credit") or [{}]
        here = self._media_here()
        if (name := credits[-1].get("content")) and len(here.credits) < MAX_CREDITS:
            here.credits.append(name)

    # ---------------------------------------------------------------- itunes and podcast

    def _start_itunes_image(self: Any, attrs_d: dict[str, str]) -> None:
        super()._start_itunes_image(attrs_d)  # type: ignore[misc]
        if url := attrs_d.get("href") or attrs_d.get("url"):
            self._get_context()["desk_cover"] = url

    _start_itunes_link = _start_itunes_image

    def _end_itunes_explicit(self: Any) -> None:
        self._get_context()["itunes_explicit"] = truth(self.pop("itunes_explicit", 0))

    _start_podcast_transcript, _end_podcast_transcript = _kept("transcript")
    _start_podcast_chapters, _end_podcast_chapters = _kept("chapters")
    _start_podcast_person, _end_podcast_person = _kept("person")
    _start_podcast_season, _end_podcast_season = _kept("season")
    _start_podcast_episode, _end_podcast_episode = _kept("episode")
    _start_podcast_location, _end_podcast_location = _kept("location")
    _start_podcast_alternateenclosure, _end_podcast_alternateenclosure = _kept("alternate")

    def _start_podcast_source(self: Any, attrs_d: dict[str, str]) -> None:
        if (uri := attrs_d.get("uri", "")).lower().startswith(("http://", "https://")):
            self.podcast_element.setdefault("url", uri)

    def _end_podcast_source(self) -> None:
        pass

    # ---------------------------------------------------------------- places: feedparser's own handlers break on some

    _start_georss_point, _start_georss_line = _geometry("point"), _geometry("line")
    _start_georss_polygon, _start_georss_box = _geometry("polygon"), _geometry("box")
    _start_gml_point, _start_gml_linestring, _start_gml_polygon = _gml("point"), _gml("line"), _gml("polygon")

    def _start_gml_pos(self: Any, attrs_d: dict[str, str]) -> None:
        self.push("desk_geometry", 0)

    _start_gml_poslist = _start_gml_pos

    def _end_geometry(self: Any) -> None:
        text = self.pop("desk_geometry")
        if text and self.shape:
            self._get_context().setdefault("desk_place", (self.shape, text, self.dimensions))

    _end_georss_point = _end_georss_line = _end_georss_polygon = _end_georss_box = _end_geometry
    _end_gml_pos = _end_gml_poslist = _end_geometry

    def _nothing(self, attrs_d: dict[str, str] | None = None) -> None:
        pass

    _end_gml_point = _end_gml_linestring = _end_gml_polygon = _nothing
    _start_gml_exterior = _end_gml_exterior = _start_gml_linearring = _end_gml_linearring = _nothing
