"""What the desk adds to feedparser's parsers: caps, and entries that do not touch each other. Part of `parse`. Pure."""

from __future__ import annotations

import re
from typing import Any

import feedparser.api

from feeds.errors import ParseError
from feeds.parse.limits import MAX_AUTHOR_CHARACTERS, MAX_DEPTH_ELEMENTS, MAX_ENTRIES, MAX_LIST_ITEMS
from feeds.parse.media import PODCAST_NAMESPACES, MediaHandlers

_ADDRESS = re.compile(r"[A-Za-z0-9_.+-]+@(?:\[[0-9.]{7,15}\]|(?:[A-Za-z0-9-]+\.)+[A-Za-z0-9-]{2,63})(?:\?subject=\S+)?")
_IN_END_TAG = re.compile(rb"</[^<>]*\Z")
_REGISTERED = re.compile(r"(?i)https?://www\.iana\.org/assignments/(?:relation|link-relations)(?:\.html)?[/#]")
# Addresses that `urljoin` gives back as they are, whatever the base: most of all.
_WHOLE = re.compile(
    r"https?://[A-Za-z0-9][A-Za-z0-9.-]*/[A-Za-z0-9\-._~/!$'()*+,=:@%]*(?:\?[A-Za-z0-9\-._~/!$'()*+,=:@%&;?]+)?\Z"
)


class Enough(Exception):
    """MAX_ENTRIES were read."""


class Bounded(MediaHandlers):
    """To be mixed into a parser of feedparser, before it. Its own keys in an entry begin with ``desk_``."""

    can_be_relative_uri = feedparser.api.StrictFeedParser.can_be_relative_uri - {"id"}  # an id is no address
    resolve_relative_uris = False  # inside HTML; `normalise` does both
    sanitize_html = False

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._before: tuple[int, int, int] = (0, 0, 0)
        self.spaces: tuple[dict[Any, str], dict[str, str], str] | None = None  # before the entry declared its own
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
        resolved: str = super().resolve_uri(uri)  # type: ignore[misc]
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
        self.forget_media()
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
        # feedparser compares each with all before it; those of the feed itself are of no use here.
        tags = self._get_context().setdefault("tags", [])
        if len(tags) < (MAX_LIST_ITEMS if self.inentry else 1):
            super()._add_tag(term, scheme, label)  # type: ignore[misc]

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

    # skipHours and skipDays (RSS 2.0) are lists, of which feedparser keeps the last.
    def _start_hour(self: Any, attrs_d: dict[str, str]) -> None:
        self.push("hour", 1)

    def _end_hour(self: Any) -> None:
        self.feeddata.setdefault("desk_hours", []).append(self.pop("hour"))

    def _start_day(self: Any, attrs_d: dict[str, str]) -> None:
        self.push("day", 1)

    def _end_day(self: Any) -> None:
        self.feeddata.setdefault("desk_days", []).append(self.pop("day"))
