"""What the store takes and gives besides the values of `feeds.model`: frozen Structs. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

from msgspec import Struct
from msgspec.structs import force_setattr

from feeds.condition import SourceState
from feeds.configuration import Source
from feeds.model import Article, Document, Entry, Evidence, Format, Fragment, Frame, Placement
from feeds.parsed import Validators

# --------------------------------------------------------------------------- readers


class AccessToken(Struct, frozen=True, kw_only=True):
    """What a subscriber opens a private section with, and those below it. *path* is where the section is now.

    *digest* is that of the secret, which nobody but the subscriber has.
    """

    id: int
    path: str
    name: str
    digest: bytes
    created_at: datetime
    expires_at: datetime | None = None

    def __post_init__(self) -> None:
        force_setattr(self, "digest", bytes(self.digest))  # psycopg gives a memoryview


class ReaderDay(Struct, frozen=True):
    """What a reader, a program or a service, asked of one document in a day, counted from 1970 (UTC).

    *same* of the *answers* were 304, *parts* 226; *sent* are bytes, of which *wasted* went to clients that had them;
    *hasty* polls came while what the client had was fresh; *declared* are subscribers, as the reader said last.
    """

    day: int
    name: str
    document: str
    answers: int = 0
    same: int = 0
    parts: int = 0
    sent: int = 0
    wasted: int = 0
    hasty: int = 0
    declared: int = 0


# --------------------------------------------------------------------------- sources


class Claim(Struct, frozen=True, kw_only=True):
    """A source handed out until its lease ends. *source* comes without headers. *due_at*: when it was due before.

    *pushed*: its hub tells of what is new, so that asking is for the case that it fails.
    """

    source: Source
    claim_id: str
    state: SourceState
    due_at: datetime
    pushed: bool = False


class PollResult(Struct, frozen=True, kw_only=True):
    """What one poll came to: the *state* to remember, whole, and a line for the history.

    *before* is the state that the claim gave: what is still the same in it need not be written.
    """

    source_id: int
    claim_id: str
    at: datetime
    outcome: str
    state: SourceState
    next_poll_at: datetime
    before: SourceState | None = None
    new: int = 0
    copies: int = 0
    updated: int = 0
    wire_bytes: int = 0
    seconds: float = 0.0
    error: str = ""
    remedy: str = ""
    reason: str = ""
    name: str = ""  # the source's, for people


class Poll(Struct, frozen=True, kw_only=True):
    """One line of a source's history, newest first where several are given."""

    at: datetime
    outcome: str
    status: int | None
    new: int
    copies: int
    updated: int
    wire_bytes: int
    seconds: float
    error: str
    remedy: str
    next_poll_at: datetime
    reason: str


class SourcesSynced(Struct, frozen=True, kw_only=True):
    """What taking over a config's sources changed: their keys, in config order (removed ones in the store's)."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    returned: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


class InboxItem(Struct, frozen=True, kw_only=True):
    """A body that has arrived and whose entries are not saved yet. *id* is 0 until it is put.

    *tries* counts how often its reading was not finished, for a reason that may pass. *asked_url* is the address of an
    article page before redirects, None for all else.
    """

    id: int = 0
    source_id: int
    claim_id: str | None = None
    received_at: datetime
    final_url: str
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    validators: Validators = Validators()
    body: bytes = b""
    pushed: bool = False
    tries: int = 0
    asked_url: str | None = None


# --------------------------------------------------------------------------- articles


class SaveReport(Struct, frozen=True, kw_only=True):
    """What a batch came to; *sections_changed* are the paths whose documents are out of date now, *newest_entry* is the
    number of the entry that came last, whoever saved it.
    """

    new: int = 0
    updated: int = 0
    copies: int = 0
    newest_entry: int = 0
    sections_changed: frozenset[str] = frozenset()


class ArticleState(Struct, frozen=True, kw_only=True):
    """Whether an article can be shown. ``gone``: retention took it; *reason* and *at* are of a retraction."""

    kind: Literal["live", "retracted", "gone"]
    reason: str = ""
    at: datetime | None = None


class StoredEntry(Struct, frozen=True, kw_only=True):
    """An entry with the source that showed it, *shown* where the article is told in its words."""

    entry: Entry
    source: Source
    first_seen: datetime
    changed_at: datetime
    shown: bool
    copy: bool
    evidence: tuple[Evidence, ...] = ()  # why it was taken for what it is


class Refilable(Struct, frozen=True, kw_only=True):
    """One article to be filed again: pass *id* as ``after`` to go on behind it. *placed* is where it is filed now."""

    id: int
    uid: str
    entries: tuple[tuple[Entry, Source], ...]
    placed: tuple[Placement, ...] = ()


# --------------------------------------------------------------------------- sections


class SectionState(Struct, frozen=True, kw_only=True):
    """A section as stored. Its documents are out of date while `stale`. *id* stays when the section moves.

    *filed* is the number of the last filing ever made in it, *rendered_filed* that of the last that is published.
    """

    id: int
    path: str
    title: str
    sequence: int
    rendered_sequence: int
    touched: int
    rendered_touched: int
    filed: int
    rendered_filed: int
    created_at: datetime
    removed_at: datetime | None = None

    @property
    def stale(self) -> bool:
        """Whether something shown has changed since the documents were rendered."""
        return self.sequence != self.rendered_sequence or self.touched != self.rendered_touched


class Page(Struct, frozen=True, kw_only=True):
    """Some articles of a section, newest first; pass *next* as ``before`` for those behind, None at the end."""

    articles: tuple[Article, ...]
    next: tuple[datetime, int] | None = None


class Listing(Struct, frozen=True, kw_only=True):
    """What a section's documents hold at present: the articles in their order, and the sequence that they stand for."""

    sequence: int
    uids: tuple[str, ...]
    last_modified: datetime


class StaleSection(Struct, frozen=True, kw_only=True):
    """A section to be published: its state, and what its documents hold now (None before the first).

    *bodies* tells by format which bytes those are: media type and ETag. *troubled* says whether the desk has anything
    held or set aside at all.
    """

    state: SectionState
    listing: Listing | None
    bodies: Mapping[Format, tuple[str, str]]
    troubled: bool


class Replacement(Struct, frozen=True, kw_only=True):
    """Documents and frames of a section that take the place of those before; those that stay are left out.

    *sequence*, *touched* and *filed* are what the section's documents stand for from now on; None: all that there is.
    """

    path: str
    documents: Sequence[Document] = ()
    frames: Sequence[Frame] = ()
    sequence: int
    touched: int | None = None
    filed: int | None = None


class Standing(Struct, frozen=True, kw_only=True):
    """An article as it stands in a section: by which place, since when, from which source, under which address.

    *rendered* says whether there are fragments of its present *revision*.
    """

    article_id: int
    uid: str
    rank_at: datetime
    filed_at: datetime
    source_id: int
    link: str | None
    revision: int
    rendered: bool


class Newest(Struct, frozen=True, kw_only=True):
    """What a section's documents are chosen from: its newest articles by their place, its newest retractions, and
    *unlisted*, the highest number of a filing that is not among as many of them as were asked for; 0 where all are.
    """

    standings: tuple[Standing, ...]
    retracted: tuple[Withdrawn, ...]
    unlisted: int


class StorySize(Struct, frozen=True):
    """How many articles a story has that can be shown, and how many sources brought them or copies of them.

    *independent* counts the sources that brought more than copies.
    """

    articles: int
    sources: int
    independent: int = 1

    @property
    def series(self) -> bool:
        """Whether one source alone tells it: parts of a series may be, and nobody else says that it is one event."""
        return self.articles > 1 and self.sources == 1


class Outline(Struct, frozen=True, kw_only=True):
    """As much of an article as tells where it stands; *story_uid* is "" where it is of none."""

    uid: str
    story_uid: str
    published: datetime


class Selection(Struct, frozen=True, kw_only=True):
    """Some of a section's articles as finished fragments, newest first: what a feed is joined from.

    *missing* counts those whose fragments are not made yet. *retracted* are the tombstones among them. *updated* is the
    last change of the content. *older* is the number of the newest filing before all of these, 0 where there is none.
    """

    fragments: tuple[Fragment, ...]
    missing: int
    updated: datetime | None
    retracted: tuple[tuple[str, datetime], ...] = ()
    older: int = 0


class Withdrawn(Struct, frozen=True, kw_only=True):
    """An article that left a section, by withdrawal or retraction (RFC 6721 makes a tombstone of it)."""

    uid: str
    at: datetime
    sequence: int
    retracted: bool


class Changes(Struct, frozen=True, kw_only=True):
    """What happened in a section after a sequence number; *complete* is False where the limit cut it short."""

    articles: tuple[Article, ...]
    withdrawn: tuple[Withdrawn, ...]
    complete: bool


# --------------------------------------------------------------------------- the rest


class StoredConfig(Struct, frozen=True, kw_only=True):
    """A config that was accepted: *text* is what `config_from_json` reads."""

    version: int
    text: str
    digest: str
    accepted_at: datetime


class Event(Struct, frozen=True, kw_only=True):
    """Something an admin should know; open while *closed_at* is None. *id* is a urn, made by the caller."""

    id: str
    kind: str
    subject: str
    text: str
    remedy: str
    at: datetime
    closed_at: datetime | None = None
