"""The values from an entry that can be trusted to a published document, one for each boundary. Pure.

From top to bottom this is the way of an article: Entry, what dedupe decides (Decision), where it is filed (Placement),
what is published (Article, Document). Config is in `feeds/configuration.py`, what sources say in `feeds/parsed.py`.

Every datetime is aware and UTC; every duration and size carries its unit in its name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Literal, NamedTuple

from msgspec import Struct, field

from feeds.configuration import FullText
from feeds.parsed import Details

# --------------------------------------------------------------------------- normalise: what can be trusted


class Entry(Details, frozen=True, kw_only=True):
    """One entry made trustworthy: plain or sanitised text, absolute http(s) links, aware UTC dates.

    *key* identifies it within its source (criteria G1): entry id, else comparable link, else a hash of its text.
    *title* and *text* are plain. *summary* and *content* are sanitised HTML, safe to show as they are.
    *published* and *updated* are None where the source gave none that can be believed. *text_hash* is of the
    folded text and 0 where there is too little of it to compare; *content_hash* changes with anything shown.
    *feed_hash* is the *content_hash* as its feed had it where the text is that of its page, else 0.
    """

    key: str
    entry_id: str | None = None
    link: str | None = None
    comparable: str | None = None  # comparable_url of the canonical address, else of the link
    canonical_url: str | None = None
    title: str
    summary: str = ""
    content: str = ""
    text: str = ""
    published: datetime | None = None
    updated: datetime | None = None
    breadcrumb: tuple[str, ...] = ()
    credits: tuple[str, ...] = ()
    position: int = 0
    text_hash: int = 0
    content_hash: int = 0
    feed_hash: int = 0
    warnings: tuple[str, ...] = ()


FILING_FIELDS = frozenset(
    "key title text link canonical_url language authors categories breadcrumb origin published".split()
)
"""What filing may ask of an entry; of one that is filed again the rest is not read from the store."""

LINEAGE_FIELDS = frozenset("key title text link canonical_url authors origin credits published noindex".split())
"""What may tell which entry of an article is the original; of the others of a copy the rest is not read either."""


# --------------------------------------------------------------------------- dedupe: seen, updated, copy, new


class Evidence(Struct, frozen=True, kw_only=True):
    """Why something was decided: *kind* such as ``entry-id``, ``url``, ``text``, ``near``; *detail* for people."""

    kind: str
    detail: str = ""
    score: float | None = None
    threshold: float | None = None


NEVER_SHOWN = "dropped"
"""`Evidence.kind` of an entry that its own source's `drop:` rule keeps out: its article is told in no words of it."""


class Beside(Struct, frozen=True, kw_only=True):
    """What of a document stands beside the entries that were read. *window* counts all of its items, known ones that
    were left out included; *addresses* are those of the entries that items left out give too, under other titles.
    *left_out* are the items themselves: `feeds.text.short_hash` of key and of title.
    """

    window: int = 0
    addresses: frozenset[str] = frozenset()
    left_out: frozenset[tuple[int, int]] = frozenset()


NOTHING_BESIDE = Beside()
"""Where nothing was left out."""


class KnownEntry(Struct, frozen=True, kw_only=True):
    """An entry that the store already has. *signature* is what its `Decision` carried, empty where none was kept."""

    key: str
    source_id: int
    article_uid: str
    entry_id: str | None
    comparable: str | None
    title: str
    text_hash: int
    content_hash: int
    published: datetime | None = None
    first_seen: datetime
    signature: bytes = b""


class StoredSignature(NamedTuple):
    """What the text of a stored entry is compared by. *copy* is False for the entry that made its article.

    Pass *id*, the number of its row, to go on behind it.
    """

    id: int
    article_uid: str
    source_id: int
    signature: bytes
    first_seen: datetime
    published: datetime | None = None
    copy: bool = False
    story_uid: str | None = None


class Known(Struct, frozen=True, kw_only=True):
    """What the store already has of a batch of entries: all that `dedupe` may ask, fetched in a few queries.

    *entries* by (source id, key). *by_comparable* and *by_text* give article uids. *recent* are each source's newest
    entries, for sources whose ids move. *refused* holds the tombstones met: (source id, key) pairs, comparable
    URLs and text hashes that must never come back as new. *missing* are (source id, key) pairs, as the store has keys,
    under which nothing is stored.
    """

    entries: Mapping[tuple[int, str], KnownEntry] = field(default_factory=dict)
    by_comparable: Mapping[str, str] = field(default_factory=dict)
    by_text: Mapping[int, str] = field(default_factory=dict)
    recent: Mapping[int, tuple[KnownEntry, ...]] = field(default_factory=dict)
    refused: frozenset[tuple[int, str] | str | int] = frozenset()
    missing: frozenset[tuple[int, str]] = frozenset()


DecisionKind = Literal["seen", "updated", "copy", "new", "refused"]


class Decision(Struct, frozen=True, kw_only=True):
    """What becomes of one entry. *article_uid* is the article's, made here for a new one.

    ``seen``: nothing changed. ``updated``: the entry's text changed (*significant* moves `updated`).
    ``copy``: another entry already brought this article. ``refused``: a tombstone forbids it.
    *known_key* is the stored entry's key where it differs from the entry's own (ids that change at every fetch).
    *signature* is a sketch of title and text, to be kept with the entry: near copies are found by it after a restart.
    *parts* are articles whose text stands in the entry's, *wholes* those that the entry's stands in; copies of none.
    *apart* are articles of which the entry's was a part or the whole, and is no more.
    """

    kind: DecisionKind
    entry: Entry
    article_uid: str
    source_id: int
    known_key: str | None = None
    significant: bool = False
    story_uid: str | None = None
    signature: bytes = b""
    evidence: tuple[Evidence, ...] = ()
    parts: tuple[str, ...] = ()
    wholes: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()


class Containment(Struct, frozen=True):
    """What is kept of two articles, of which one contains the other: the signatures of their entries, by source id and
    key; empty where none was kept."""

    whole_uid: str
    part_uid: str
    wholes: Mapping[tuple[int, str], bytes]
    parts: Mapping[tuple[int, str], bytes]


# --------------------------------------------------------------------------- file: where, and why


class Placement(Struct, frozen=True, kw_only=True):
    """A section that an entry belongs in, and why. *by*: rule, breadcrumb, source, category, path, learned, child.

    *by* `DROPPED` or `DROPPED_AT_SOURCE` it belongs in none; its *section* is `UNFILED` then.
    """

    section: str
    by: str
    reason: str
    probability: float | None = None


WHOLE_DESK = Placement(section="", by="child", reason="the whole desk")
"""Where everything that is published belongs."""
DROPPED, DROPPED_AT_SOURCE = "drop", "source-drop"
"""`Placement.by` of what a `drop:` rule keeps from being published, everywhere or of one source."""


def dropped(placements: Iterable[Placement]) -> Placement | None:
    """The placement that keeps an article with all these from being published; None where none does.

    What the whole desk drops is published nowhere, whoever has a copy; what one source's rule drops may come from
    another source.
    """
    of_a_source = None
    elsewhere = False
    for placement in placements:
        if placement.by == DROPPED:
            return placement
        if placement.by == DROPPED_AT_SOURCE:
            of_a_source = of_a_source or placement
        else:
            elsewhere = True
    return None if elsewhere else of_a_source


class Filing(Struct, frozen=True, kw_only=True):
    """An article put in a section, as stored. *sequence* is the section's counter when it last changed there.

    *number* is its place in the order of filing, by which archive pages are cut.
    """

    section: str
    article_uid: str
    by: str
    reason: str
    probability: float | None = None
    rank_at: datetime
    sequence: int
    number: int = 0
    filed_at: datetime


# --------------------------------------------------------------------------- what is published


class CopyNote(Struct, frozen=True, kw_only=True):
    """One copy of an article, as readers may see it."""

    source_name: str
    link: str | None
    title: str
    first_seen: datetime
    original: bool = False
    why: str = ""  # how it was recognised, or why it is the original


class Related(Struct, frozen=True, kw_only=True):
    """Another article that one contains, or is contained in, as readers may see it."""

    uid: str
    link: str | None
    title: str

    @property
    def id(self) -> str:
        """The bare UUID, as it stands in `/article/ID`."""
        return self.uid.removeprefix("urn:uuid:")


class Article(Details, frozen=True, kw_only=True):
    """The thing published: what one or more entries say. Everything that render needs, rights already applied.

    *uid* is ``urn:uuid:…`` and never changes. *link* is the permalink, None for a document without address (then
    `/article/ID` is linked). *published* is the date shown; *updated* the last significant change.
    *summary* and *content* are sanitised HTML, already cut down to what the rights of its source allow, *full_text*;
    so are picture and episode. *source_site* is given where the source's address may hold a secret, and *source_url* is
    none. *series*, of a story as one entry: one source alone tells it.
    """

    uid: str
    link: str | None
    title: str
    summary: str = ""
    content: str = ""
    published: datetime
    updated: datetime
    rank_at: datetime
    source_name: str = ""
    source_url: str | None = None
    source_site: str | None = None
    source_key: str = ""
    source_updated: datetime | None = None
    full_text: FullText = "full"
    copies: tuple[CopyNote, ...] = ()
    contains: tuple[Related, ...] = ()
    contained_in: tuple[Related, ...] = ()
    story_uid: str | None = None
    series: bool = False
    sections: tuple[str, ...] = ()
    sequence: int = 0
    revision: int = 0  # counts what changed of all this; a fragment of another revision is out of date

    @property
    def id(self) -> str:
        """The bare UUID, as it stands in `/article/ID`."""
        return self.uid.removeprefix("urn:uuid:")


Format = Literal["rss", "atom", "json"]
FORMATS: tuple[Format, ...] = ("rss", "atom", "json")
MEDIA_TYPES: dict[Format, str] = {
    "rss": "application/rss+xml; charset=utf-8",
    "atom": "application/atom+xml; charset=utf-8",
    "json": "application/feed+json; charset=utf-8",
}


class Frame(Struct, frozen=True, kw_only=True):
    """The bytes of a feed around its entries: head + separator.join(fragments) + tail. See `feeds.frames`.

    The placeholders that `frames.assemble` fills stand in *head* and *tail*.
    """

    format: Format
    head: bytes
    tail: bytes
    separator: bytes = b""


class Fragment(Struct, frozen=True, kw_only=True):
    """One article in one format: the bytes that feedgen made of it once.

    *version* is render's own, *revision* the article's that it was made of; None: the one that is stored now.
    """

    article_uid: str
    format: Format
    version: int
    body: bytes
    updated: datetime
    revision: int | None = None


class Document(Struct, frozen=True, kw_only=True):
    """The finished bytes of one section in one format, with its validators.

    *etag* is the opaque part without quotes, ``<sequence>-<hash>``; coded variants append ``.gz`` or ``.br``.
    *last_modified* is when these bytes last changed. *gzip* and *brotli* are None where coding does not pay.
    """

    path: str
    format: Format
    media_type: str
    sequence: int
    etag: str
    last_modified: datetime
    body: bytes
    gzip: bytes | None = None
    brotli: bytes | None = None
    article_uids: tuple[str, ...] = field(default=())
