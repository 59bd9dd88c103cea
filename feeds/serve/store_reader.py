"""What serving asks of the store, as values. I/O: read transactions, each a moment of its own."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from math import log2
from typing import NamedTuple

from msgspec import Struct, field

from feeds import frames
from feeds.configuration import Section, Settings
from feeds.errors import SectionNotFound, StoreError
from feeds.model import Article, Document, Format, Frame
from feeds.settings import config_from_json
from feeds.store import Store, open_store
from feeds.store.hydrate import Edit
from feeds.store.overview import Line, Numbers, Saved
from feeds.store.store import ReadTx
from feeds.store.values import AccessToken, Event, Outline, ReaderDay, SectionState, Selection, StorySize
from feeds.store.values import Changes as SectionChanges

_PAGE = 200  # articles read at once where only the newest of unknown number are wanted
CHART_DAYS = 14
BEHIND_S = 900.0
"""When the longest waiting source is so late, nobody polls, or not fast enough."""
PER_PAGE = 50
"""Sources and sections of a page."""
ALARMS_LISTED = 100
"""Open alarms of one kind that are listed; the others are counted."""
SECTIONS_EVERY = timedelta(minutes=1)


class SourceName(NamedTuple):
    """What addresses and pages say of a source: there may be very many, and each web process has them in memory."""

    key: str
    name: str


class Desk(Struct, frozen=True, kw_only=True):
    """The accepted config as far as readers meet it. *sections* stand in tree order, parents first."""

    settings: Settings = Settings()
    sections: tuple[Section, ...] = ()
    sources: tuple[SourceName, ...] = ()
    version: int = 0
    accepted_at: datetime = datetime(1970, 1, 1, tzinfo=UTC)

    @property
    def state(self) -> tuple[int, datetime]:
        """What changes with the config, and with the database: another one counts its versions for itself."""
        return self.version, self.accepted_at


class Changes(Struct, frozen=True, kw_only=True):
    """What was published after some counter: *counter* is the newest, *documents* the changed ones whole.

    Each section's documents move the counter by one. *only_documents* says that it moved by just so many, so that
    nothing else can have changed; else *present* names every document that there is. Asked from 0, *documents* are all.
    """

    counter: int
    documents: Sequence[Document] = ()
    only_documents: bool = False
    present: frozenset[tuple[str, Format]] = frozenset()


class Part(Struct, frozen=True, kw_only=True):
    """What a feed of some of a section's articles is joined from."""

    selection: Selection
    frame: Frame
    section: SectionState
    desk_id: str
    last_modified: datetime


class Past(Struct, frozen=True, kw_only=True):
    """An archive page as people see it: its articles, the newest filing first, and the pages before and after it; None
    at the first article, and where the section's own page comes next.
    """

    articles: Sequence[Article]
    older: int | None
    newer: int | None


class StoreReader:
    """Answers each question in one short read transaction, any of which may raise StoreError.

    The store at *url* is opened with the first question, in the process that asks: connections do not cross a fork.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._opening = threading.Lock()
        self._opened: Store | None = None
        self._config: Desk | None = None

    @property
    def store(self) -> Store:
        """The store itself, for views whose question is theirs alone."""
        if self._opened is None:
            with self._opening:
                if self._opened is None:
                    self._opened = open_store(self._url, create=False)
        return self._opened

    def close(self) -> None:
        """Close the store; a later question would open it again."""
        with self._opening:
            if self._opened is not None:
                self._opened.close()
                self._opened = self._config = None

    def let_go_of_another(self) -> bool:
        """Close the store where another database has come to lie at its place, which a later question opens; whether
        it was so.
        """
        if self._opened is None or not self._opened.is_replaced():
            return False
        self.close()
        return True

    def disconnect(self) -> None:
        """Let go of the database; what was read stays, and a later question opens it again, in a forked process too."""
        if self._opened is not None:
            self._opened.disconnect()

    def moved(self) -> bool:
        """Whether anything may have been published since the last call from this process; cheap, never misses."""
        return self.store.moved()

    def changes(self, after: int) -> Changes:
        """What was published after the counter *after*."""
        with self.store.read() as tx:
            documents, counter = tx.documents.all_since(after)
            only = after > 0 and counter - after == len({document.path for document in documents})
            present = frozenset() if only else frozenset(tx.documents.keys())
        return Changes(counter=counter, documents=documents, only_documents=only, present=present)

    def desk(self) -> Desk | None:
        """The accepted config; None before the first."""
        with self.store.read() as tx:
            if self._config is not None and tx.configs.version() == self._config.version:
                return self._config
            stored = tx.configs.brief()
            if stored is None:
                return None
            sources = tuple(SourceName(key, name) for key, name in tx.sources.names().items())
        config = config_from_json(stored.text)
        self._config = Desk(
            settings=config.settings,
            sections=config.sections,
            sources=sources,
            version=stored.version,
            accepted_at=stored.accepted_at,
        )
        return self._config

    def tokens(self) -> Mapping[str, AccessToken]:
        """The tokens of private sections, by their number as text."""
        with self.store.read() as tx:
            return {str(token.id): token for token in tx.tokens.all()}

    def keep_readers(self, rows: Sequence[ReaderDay]) -> None:
        """Add to what is known of those who read; the one thing that serving writes by itself."""
        with self.store.write() as tx:
            tx.readers.add(rows)

    def document(self, path: str, format: Format) -> Document | None:
        """One finished document as it stands."""
        with self.store.read() as tx:
            return tx.documents.get(path, format)

    def latest(self, path: str, limit: int) -> Sequence[Article]:
        """The newest articles of a section, rights applied, in the document's order; none of one not known."""
        with self.store.read() as tx, suppress(SectionNotFound):
            return tx.sections.top(path, limit)
        return ()

    def heaviest(self, path: str, limit: int, among: int) -> Sequence[Article]:
        """The heaviest *limit* of a section's newest *among* articles (see `weight`), rights applied."""
        with self.store.read() as tx, suppress(SectionNotFound):
            outlines = tx.sections.outlines(path, among)
            sizes = tx.stories.sizes(sorted({one.story_uid for one in outlines if one.story_uid}))
            chosen = heaviest(outlines, sizes, limit)
            whole = tx.articles.several(chosen)
            return tuple(whole[uid] for uid in chosen if uid in whole)
        return ()

    def older(self, path: str, shown: Sequence[str]) -> int | None:
        """The archive page of a section that goes on behind *shown*, its newest articles; None where nothing does."""
        with self.store.read() as tx:
            section = tx.sections.get(path)
            if section is None:
                return None
            unlisted = tx.sections.unlisted(path, shown, section.rendered_filed)
        return frames.newest_archive_page(unlisted, section.rendered_filed)

    def past(self, path: str, page: int) -> Past:
        """What stands on the archive page of a section that ends with the filing *page*. Raises SectionNotFound."""
        first = frames.archive_first(page)
        with self.store.read() as tx:
            section = tx.sections.get(path)
            if section is None or page > section.rendered_filed:
                raise SectionNotFound(path)
            before = tx.sections.unlisted(path, (), first - 1)
            following = page + frames.ARCHIVE_PAGE
            is_there = page % frames.ARCHIVE_PAGE == 0 and following <= section.rendered_filed
            return Past(
                articles=tx.sections.archive(path, first, page)[::-1],
                older=frames.archive_page(before) if before else None,
                newer=following if is_there else None,
            )

    def article(self, uid: str) -> Article | None:
        """One article by its ``urn:uuid:``, where it is published: what is in no section is so nowhere."""
        with self.store.read() as tx:
            article = tx.articles.get(uid)
        return article if article is not None and article.sections else None

    def was_taken_out(self, uid: str) -> bool:
        """Whether an article was there and was taken out for good."""
        with self.store.read() as tx:
            state = tx.articles.state(uid)
        return state is not None and state.kind != "live"

    def edit(self, uid: str) -> Edit | None:
        """How an article read before its last significant change."""
        with self.store.read() as tx:
            return tx.articles.edit(uid)

    def published_after(self, moment: datetime, limit: int) -> Sequence[Article]:
        """Articles of the whole desk published after *moment*, newest first."""
        found: list[Article] = []
        before, seen = None, 0
        with self.store.read() as tx:
            while seen < limit:
                try:
                    page = tx.sections.page("", before, min(_PAGE, limit - seen))
                except SectionNotFound:
                    break
                found += [article for article in page.articles if article.published > moment]
                seen += len(page.articles)
                before = page.next
                if before is None or before[0] <= moment:
                    break
        return sorted(found, key=lambda article: (article.published, article.uid), reverse=True)

    def former_sections(self) -> Mapping[str, str | None]:
        """The paths that sections once had: where each is now, None where it has gone."""
        with self.store.read() as tx:
            return {path: None if target == "gone" else target for path, target in tx.sections.former().items()}

    def since(self, path: str, sequence: int, limit: int) -> SectionChanges | None:
        """What changed in a section after *sequence*, newest first. None where the number tells nothing: it is ahead of
        the section, or older than what is kept.
        """
        with self.store.read() as tx:
            section = tx.sections.get(path)
            if section is None or sequence > section.sequence:
                return None
            changes = tx.sections.since(path, sequence, limit)
        return changes if changes.complete else None

    def part(self, path: str, format: Format, select: Callable[[ReadTx], Selection]) -> Part:
        """What a feed of the articles that *select* chooses of a section is joined from. Raises SectionNotFound, also
        where the section has no documents.
        """
        with self.store.read() as tx:
            selection = select(tx)
            section, frame = tx.sections.get(path), tx.documents.frame(path, format)
            listing = tx.documents.listing(path)
            if section is None or frame is None or listing is None:
                raise SectionNotFound(path)
            return Part(
                selection=selection,
                frame=frame,
                section=section,
                desk_id=tx.configs.desk_id(),
                last_modified=listing.last_modified,
            )


class Shown(Struct, frozen=True, kw_only=True):
    """The sources of one page, and more of each by its id: what its open alarm of silence says, entries and copies by
    day, what its polls cost.
    """

    lines: Sequence[Line] = ()
    quiet: Mapping[str, str] = field(default_factory=dict)
    days: Mapping[int, Mapping[int, tuple[int, int]]] = field(default_factory=dict)
    saved: Mapping[int, Saved] = field(default_factory=dict)


class HealthSummary(Struct, frozen=True, kw_only=True):
    """The desk at one moment; *section_days* are articles by path and by day counted from 1970.

    *found* counts the sources that were chosen, *page* is the one of their pages that is shown. *alarms* are open
    events by kind, *events* the newest of each kind.
    """

    numbers: Numbers
    found: int
    page: int
    shown: Shown
    section_days: Mapping[str, Mapping[int, int]]
    alarms: Mapping[str, int]
    events: Sequence[Event]


def pages_of(found: int) -> int:
    """How many pages so many lines fill."""
    return max(1, -(-found // PER_PAGE))


class Health:
    """How the desk does, for admins; what was last known is remembered for when the store does not answer."""

    def __init__(self, reader: StoreReader) -> None:
        self._reader = reader
        self._summary: HealthSummary | None = None
        self._section_days: tuple[datetime, Mapping[str, Mapping[int, int]]] | None = None
        self.trouble: StoreError | None = None
        """Why the store did not answer when it was last asked for a summary; None where it did."""

    def summary(self, now: datetime, *, word: str, sought: str, sort: str, page: int) -> HealthSummary:
        """The desk as a whole, with a *page*, counted from 1, of the sources that `Overview.source_ids` gives.

        Where the store does not answer, the last summary that was given. Raises StoreError where there is none.
        """
        try:
            with self._reader.store.read() as tx:
                numbers, alarms = tx.overview.numbers(now), tx.events.open_counts()
                ids_of = partial(tx.overview.source_ids, now, word=word, sought=sought, sort=sort)
                found = sum(numbers.states.values())
                if sought:  # which looks at all, so that these are asked for once
                    matching = ids_of(limit=found)
                    found = len(matching)
                elif word:
                    found = numbers.trouble if word == "trouble" else numbers.states[word]
                page = min(page, pages_of(found))
                first = (page - 1) * PER_PAGE
                ids = matching[first : first + PER_PAGE] if sought else ids_of(limit=PER_PAGE, offset=first)
                self._summary = HealthSummary(
                    numbers=numbers,
                    found=found,
                    page=page,
                    shown=shown_sources(tx, ids, now),
                    section_days=self._days_of_sections(tx, now),
                    alarms=alarms,
                    events=tx.events.open_of(alarms, ALARMS_LISTED),
                )
            self.trouble = None
        except StoreError as error:
            self.trouble = error
            if self._summary is None:
                raise
        return self._summary

    def numbers(self, now: datetime) -> tuple[Numbers, Mapping[str, int]]:
        """The desk in numbers, and how many alarms of each kind are open. Raises StoreError."""
        with self._reader.store.read() as tx:
            return tx.overview.numbers(now), tx.events.open_counts()

    def _days_of_sections(self, tx: ReadTx, now: datetime) -> Mapping[str, Mapping[int, int]]:
        """Articles of sections by day, counted at most once in `SECTIONS_EVERY`: two weeks of articles are many."""
        kept = self._section_days
        if kept is None or not timedelta(0) <= now - kept[0] < SECTIONS_EVERY:
            kept = self._section_days = now, tx.overview.section_days(now - timedelta(days=CHART_DAYS))
        return kept[1]


def shown_sources(tx: ReadTx, ids: Sequence[int], now: datetime) -> Shown:
    """The sources with these *ids* as pages show them."""
    lines = tx.overview.lines(ids)
    return Shown(
        lines=lines,
        quiet=tx.events.texts("silent", [line.source.key for line in lines]),
        days=tx.overview.days(ids, now - timedelta(days=CHART_DAYS)),
        saved=tx.overview.saved(ids),
    )


# ------------------------------------------------------------------ what weighs most

HOURS_A_DOUBLING = 6.0
"""What twice as many independent sources of a story are worth."""
HOURS_A_PICTURE = 2.0
MOST_OF_A_STORY = 3
"""Articles of one story among those that a front page is chosen from: the others are behind the link to it."""


def weight(published: datetime, sources: int, pictured: bool = False) -> datetime:
    """Return when an article would have come that weighs as much with one source and no picture; later is heavier.

    So the order of two articles is the same whenever somebody looks, and what is new gets to the top by itself. Feeds
    keep an order of their own: by `rank_at`, whatever an article weighs.
    >>> from datetime import UTC
    >>> noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    >>> [f"{weight(noon, sources, pictured):%H:%M}" for sources, pictured in ((0, False), (1, True), (3, False))]
    ['12:00', '14:00', '21:30']
    """
    hours = HOURS_A_DOUBLING * log2(max(sources, 1)) + HOURS_A_PICTURE * pictured
    return published + timedelta(hours=hours)


def heaviest(outlines: Sequence[Outline], sizes: Mapping[str, StorySize], most: int) -> list[str]:
    """Return the uids of the heaviest *most* articles, the heaviest first, `MOST_OF_A_STORY` of one story at most.

    Pictures are not looked at: an outline does not tell of them.
    """

    def weighs(one: Outline) -> datetime:
        size = sizes.get(one.story_uid)
        return weight(one.published, size.independent if size else 1)

    chosen: list[str] = []
    of_story: Counter[str] = Counter()
    for one in sorted(outlines, key=weighs, reverse=True):
        of_story[one.story_uid] += 1
        if not one.story_uid or of_story[one.story_uid] <= MOST_OF_A_STORY:
            chosen.append(one.uid)
    return chosen[:most]
