"""The flow from changed sections to checked documents that replace the last good ones. Knows the order of the steps.

A document is made outside any transaction, from fragments that feedgen made once and that were checked then; it is
written together with the sequence number that it stands for. What does not check is not published: the article at fault
is set aside until it changes and told, and where none can be named the last good document stays, less what was taken
out since.

Some sections at a time share their questions to the store, the fragments that have to be made, and one transaction.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import chain

from msgspec import Struct, field
from msgspec.structs import replace

from feeds import frames, render
from feeds.configuration import UNFILED, Section, Settings
from feeds.errors import RenderError, SectionNotFound
from feeds.model import FORMATS, Document, Fragment, Frame
from feeds.publish.backlog import catch_up, catch_up_stories, note_months
from feeds.publish.choosing import HOLD_S, Choice, choose
from feeds.publish.rendering import (
    FragmentMemory,
    Listing,
    Rendered,
    bounded,
    desk_context,
    etag_of,
    is_same_body,
    render_section,
    section_context,
    unfold,
)
from feeds.render import fragment_version
from feeds.store import ReadTx, Store, WriteTx
from feeds.store.selections import SECTIONS_AT_ONCE
from feeds.store.values import Replacement, SectionState, StaleSection

log = logging.getLogger(__name__)

STORIES_EVERY = timedelta(seconds=5)
"""How often stories get their fragments: `?by=story` alone needs them, and they were a sixth of an article's cost."""
MONTHS_EVERY = timedelta(minutes=10)
"""How often sitemaps are told what was published: it takes a tenth of a publication, and crawlers come seldom."""
MOST_SET_ASIDE = 10
"""Articles set aside from one section in one go; past that the fault is hardly theirs, and the last good stays."""


class Published(Struct):
    """What one sweep did: sections replaced, sections held back, articles set aside, articles made for archives."""

    sections: list[str] = field(default_factory=list)
    held: list[str] = field(default_factory=list)
    set_aside: list[str] = field(default_factory=list)
    archived: int = 0
    outdated: bool = False  # nothing was done: another config is in force


class Publisher:
    """Publishes a store's sections again and again, and remembers meanwhile the fragments that documents list."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._memory = FragmentMemory()
        self._frames: dict[str, list[Frame]] = {}  # as they were written last
        self._cut: set[str] = set()  # sections that have more than their documents have room for
        self._desk_id = ""
        self._untold: set[str] = set()  # sections with stories to look for, and when stories were made last
        self._told_at: datetime | None = None
        self._noted_at: datetime | None = None  # when sitemaps were told last, and whether they are to be
        self._unnoted = False
        self._renewed: int | None = None  # the version of which nothing is left to be noted

    def publish(
        self, settings: Settings, sections: Sequence[Section], *, now: datetime, version: int | None = None
    ) -> Published:
        """Render every section that changed since its documents were made, and replace what checks.

        One section's fault keeps none of the others back. *settings* are those of the config *version*: with another in
        force nothing is done, for what was rendered by them would look as if it was so by the new. Raises StoreError
        alone.
        """
        done = Published()
        by_path = {section.path: section for section in sections}
        with self._store.read() as tx:
            changed = tx.sections.changed()
            # A config that comes after this has what it changes rendered again.
            done.outdated = version is not None and tx.configs.version() != version
        if done.outdated:
            return done
        self._renew(fragment_version(desk_context(settings)))
        for start in range(0, len(changed), SECTIONS_AT_ONCE):
            some = changed[start : start + SECTIONS_AT_ONCE]
            configured = {
                each.state.path: by_path.get(each.state.path) or _built_in(each.state, settings) for each in some
            }
            self._publish(settings, configured, some, now, done)
        return done

    def look_for_stories(self, paths: Iterable[str]) -> None:
        """Have the next `catch_up` look at the stories of these sections too: who published them may have ended before
        it did.
        """
        self._untold.update(paths)

    def catch_up(self, settings: Settings, done: Published, *, most: int | None, now: datetime) -> None:
        """Make the fragments of stories that *done* and others before have touched, where it is time to, and of up to
        *most* articles that no document lists (None: of all). Raises StoreError.
        """
        desk = desk_context(settings)
        self._untold.update(done.sections)
        if self._untold and _is_time(self._told_at, STORIES_EVERY, now):
            catch_up_stories(self._store, sorted(self._untold), desk)
            self._told_at, self._untold = now, set()
        self._unnoted |= "" in done.sections
        if self._unnoted and _is_time(self._noted_at, MONTHS_EVERY, now):
            note_months(self._store)
            self._noted_at, self._unnoted = now, False
        done.archived, aside = catch_up(self._store, desk, most=most, now=now)
        done.set_aside += aside

    def renew_all(self, settings: Settings) -> None:
        """Note at once of all fragments of another version that they are to be made again. Raises StoreError."""
        version = fragment_version(desk_context(settings))
        while self._renewed != version:
            self._renew(version)

    def _renew(self, version: int) -> None:
        """Note it of some thousands of them."""
        if self._renewed == version:
            return
        with self._store.read() as tx:
            due = tx.documents.renewal_due(version)
            self._desk_id = tx.configs.desk_id()
        if due:
            with self._store.write() as tx:
                due = tx.documents.renew_fragments(version)
        if not due:
            self._renewed = version

    # ------------------------------------------------------------------ some sections

    def _publish(
        self,
        settings: Settings,
        configured: Mapping[str, Section],
        stale: Sequence[StaleSection],
        now: datetime,
        done: Published,
    ) -> None:
        desk = desk_context(settings)
        version = fragment_version(desk)
        limits = {path: section.limit or settings.publish.entries for path, section in configured.items()}
        with self._store.read() as tx:
            choices = choose(tx, stale, limits, now)
            common = self._fragments(tx, choices, version)
        made, faults = common.complete(desk, version)
        self._memory.keep(made)
        told: set[str] = set()
        ready: list[tuple[Choice, Rendered]] = []
        for choice in choices:
            section = configured[choice.stale.state.path]
            if choice.objections:
                self._tell_of_gate(choice, now)
            try:
                self._set_aside(choice, faults, told, now, done)
                listing = _listing(choice, common)
                unfold(self._store, listing, section.copies, limits[section.path])
                _, own_faults = listing.complete(desk, version)
                self._set_aside(choice, own_faults, told, now, done)
                ready.append((choice, self._rendered(section, settings, choice, listing, now)))
            except RenderError as error:
                done.held.append(section.path)
                with suppress(SectionNotFound):  # taken out of the config since
                    keep_last_good(self._store, choice.stale.state, error, now)
                continue
            (done.held if choice.waits else done.sections).append(section.path)
        if ready or made:
            with self._store.write() as tx:
                self._replace(tx, ready, made, now)
        self._frames |= {choice.stale.state.path: rendered.frames for choice, rendered in ready}

    def _fragments(self, tx: ReadTx, choices: Sequence[Choice], version: int) -> Listing:
        """All articles that were chosen, with the fragments that there are of them; whole where there are none."""
        chosen = {one.uid: one for choice in choices for one in choice.articles}
        kept = self._memory.known(chosen.values(), version)
        unknown = [one for uid, one in chosen.items() if uid not in kept]
        stored = tx.documents.fragments([one.uid for one in unknown if one.rendered], version)
        self._memory.keep(chain.from_iterable(fragments.values() for fragments in stored.values()))
        lacking = [one.article_id for one in unknown if len(stored.get(one.uid, ())) < len(FORMATS)]
        return Listing(uids=list(chosen), kept=kept | stored, articles=tx.articles.of_rows(lacking))

    def _bounded(self, choice: Choice, listing: Listing, most_bytes: int) -> int | None:
        """Leave out what has no room; the archive page that the documents go on with then begins with it."""
        listed = len(listing.uids)
        if not bounded(listing, most_bytes):
            return choice.archive_page
        state = choice.stale.state
        filed = state.rendered_filed if choice.waits else state.filed
        if state.path not in self._cut:  # said once, for it is so at each publication
            self._cut.add(state.path)
            what = "section=%s documents hold the newest %d of %d articles, all that %d bytes (max_bytes) hold"
            log.warning(what, state.path or "(all)", len(listing.uids), listed, most_bytes)
        with self._store.read() as tx:
            unlisted = tx.sections.unlisted(state.path, listing.uids, filed)
        return frames.newest_archive_page(unlisted, filed)

    def _rendered(
        self, section: Section, settings: Settings, choice: Choice, listing: Listing, now: datetime
    ) -> Rendered:
        state = choice.stale.state
        archive_page = self._bounded(choice, listing, section.max_bytes or settings.publish.max_bytes)
        return render_section(
            listing.uids,
            listing.kept,
            context=section_context(section, settings),
            sequence=choice.sequence,
            feed_id=frames.feed_urn(self._desk_id, f"section/{state.id}"),
            created_at=state.created_at,
            archive_page=archive_page,
            retracted=choice.retracted,
            now=now,
        )

    def _replace(
        self, tx: WriteTx, ready: Sequence[tuple[Choice, Rendered]], made: Sequence[Fragment], now: datetime
    ) -> None:
        """Put documents in the place of the last good ones. Of a held section they do not count as up to date."""
        tx.documents.put_fragments(made)
        tx.documents.replace([self._replacement(*each) for each in ready])
        troubled = any(choice.stale.troubled for choice, _ in ready)
        for choice, _ in ready if troubled else ():
            if not choice.waits:
                tx.events.close("gate", choice.stale.state.path, now)
                tx.events.close("held", choice.stale.state.path, now)
        if made and troubled:
            for uid in tx.events.subjects("set-aside") & {fragment.article_uid for fragment in made}:
                tx.events.close("set-aside", uid, now)

    def _replacement(self, choice: Choice, rendered: Rendered) -> Replacement:
        stale, waits = choice.stale, choice.waits
        state = stale.state
        written = stale.listing is not None and self._frames.get(state.path) == rendered.frames
        return Replacement(
            path=state.path,
            documents=[each for each in rendered.documents if not _is_there(each, stale)],
            frames=() if written else rendered.frames,
            sequence=state.rendered_sequence if waits else state.sequence,
            touched=state.rendered_touched if waits else state.touched,
            filed=state.rendered_filed if waits else state.filed,
        )

    # ------------------------------------------------------------------ what is told

    def _tell_of_gate(self, choice: Choice, now: datetime) -> None:
        path = choice.stale.state.path
        text = f"held for up to {HOLD_S // 60} minutes: {'; '.join(choice.objections[:3])}"
        log.error("section=%s %s", path or "(all)", text)
        with self._store.write() as tx:
            tx.events.add("gate", path, text=text, remedy="look at what its sources sent", now=now)

    def _set_aside(
        self, choice: Choice, faults: Mapping[str, RenderError], told: set[str], now: datetime, done: Published
    ) -> None:
        """Publish articles at fault nowhere until they change, and tell of them. Raises RenderError where a section has
        too many of them.
        """
        path = choice.stale.state.path
        mine = [one.uid for one in choice.articles if one.uid in faults]
        for uid in mine[:MOST_SET_ASIDE]:
            if uid in told:
                continue
            told.add(uid)
            error = faults[uid]
            log.error("section=%s set aside article=%s: %s", path, uid, error.cause)
            with self._store.write() as tx:
                tx.documents.set_aside(uid, error.cause)
                tx.events.add("set-aside", uid, text=error.cause, remedy=error.remedy, now=now)
            done.set_aside.append(uid)
        if len(mine) > MOST_SET_ASIDE:
            raise RenderError(f"more than {MOST_SET_ASIDE} articles of {path!r} do not check")


def publish(
    store: Store, settings: Settings, sections: Sequence[Section], *, now: datetime, most_archived: int | None = 500
) -> Published:
    """Publish once, with fragments of up to *most_archived* articles that no document lists (None: of all that have
    none). Raises StoreError alone.
    """
    publisher = Publisher(store)
    if most_archived is None:
        publisher.renew_all(settings)
    done = publisher.publish(settings, sections, now=now)
    publisher.catch_up(settings, done, most=most_archived, now=now)
    return done


def _is_time(last: datetime | None, every: timedelta, now: datetime) -> bool:
    """Whether what was done *last* is to be done again; a time to come is one before the clock was set back."""
    return last is None or not timedelta(0) <= now - last < every


def _listing(choice: Choice, common: Listing) -> Listing:
    """What one section lists of the *common* articles; what it changes of it is its own."""
    uids = [one.uid for one in choice.articles if one.uid in common.kept]
    return Listing(uids=uids, kept={uid: common.kept[uid] for uid in uids}, articles={})


def _is_there(document: Document, stale: StaleSection) -> bool:
    """Whether a document of the same bytes is there: it stays, with its ETag and Last-Modified."""
    media_type, etag = stale.bodies.get(document.format, ("", ""))
    return media_type == document.media_type and is_same_body(etag, document.etag)


def _built_in(state: SectionState, settings: Settings) -> Section:
    """The two sections that no admin writes: the whole desk and what no rule files."""
    if state.path == UNFILED:
        return Section(path=UNFILED, title="Unfiled", description="Articles that no rule files.")
    return Section(path=state.path, title=settings.title if not state.path else state.title)


def keep_last_good(store: Store, state: SectionState, error: RenderError, now: datetime) -> None:
    """Hold the section until it changes again, and tell of it. A retraction waits for nobody: it is cut out."""
    path = state.path
    log.error("section=%s kept its last good documents: %s", path or "(all)", error)
    made = _without_what_left(store, path, now)
    with store.write() as tx:
        if made:
            sequence, touched, filed = state.rendered_sequence, state.rendered_touched, state.rendered_filed
            tx.documents.replace(
                [Replacement(path=path, documents=made, sequence=sequence, touched=touched, filed=filed)]
            )
        tx.sections.hold(state)
        tx.events.add("held", path, text=error.cause, remedy=error.remedy, now=now)


def _without_what_left(store: Store, path: str, now: datetime) -> list[Document]:
    """A section's documents without the articles that are in it no more; none where all are."""
    with store.read() as tx:
        documents = [found for format in FORMATS if (found := tx.documents.get(path, format)) is not None]
        listed = documents[0].article_uids if documents else ()
        standing = tx.sections.standings(path, listed)
        # What is no article is a copy that `copies: show` lists.
        left = {uid for uid in listed if uid not in standing and tx.articles.state(uid) is not None}
        tombstones = [(one.uid, one.at) for one in tx.sections.retracted(path, -1, len(listed)) if one.uid in left]
    return [_without(each, left, tombstones, now) for each in documents] if left else []


def _without(document: Document, left: set[str], tombstones: list[tuple[str, datetime]], now: datetime) -> Document:
    """The document's own bytes without the entries that have *left*, and with these *tombstones*."""
    stays = [uid for uid in document.article_uids if uid not in left]
    body = frames.delta_body(document, frames.cut(document), stays, tombstones)
    gzip, brotli = render.compress(body)
    return replace(
        document,
        body=body,
        gzip=gzip,
        brotli=brotli,
        etag=etag_of(document.sequence, body),
        last_modified=now.replace(microsecond=0),
        article_uids=tuple(stays),
    )
