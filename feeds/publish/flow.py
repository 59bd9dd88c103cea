"""The flow from changed sections to checked documents that replace the last good ones. Knows the order of the steps.

A document is made outside any transaction, from fragments that feedgen made once; it is checked, and only then written
together with the sequence number that it stands for. What does not check is not published: the article at fault is set
aside until it changes and told, and where none can be named the last good document stays.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from feeds import frames
from feeds.errors import RenderError, SectionNotFound
from feeds.model import FORMATS, UNFILED, Fragment, Section, Settings
from feeds.publish.backlog import catch_up, catch_up_stories
from feeds.publish.held import HOLD_S, Objection, keep_last_good, objections, still_held
from feeds.publish.rendering import Kept, Listing, Rendered, desk_context, render_section, section_context, unfold
from feeds.render import fragment_version
from feeds.store import Store
from feeds.store.store import ReadTx
from feeds.store.values import SectionState

log = logging.getLogger(__name__)

MOST_SET_ASIDE = 10
"""Articles set aside from one section in one go; past that the fault is hardly theirs, and the last good stays."""

MOST_TOMBSTONES, TOMBSTONE_CHANGES = 50, 1000
"""How many retractions a document tells (RFC 6721), and for how many changes of its section it does. No time is in
this, so that a document changes only when its section does."""


@dataclass(slots=True)
class Published:
    """What one sweep did: sections replaced, sections held back, articles set aside, articles made for archives."""

    sections: list[str] = field(default_factory=list)
    held: list[str] = field(default_factory=list)
    set_aside: list[str] = field(default_factory=list)
    archived: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chosen:
    """What the store has for one section."""

    listing: Listing
    retracted: tuple[tuple[str, datetime], ...]
    archive_page: int | None
    sequence: int
    waits: bool = False  # held: these are the articles of the last good document


def publish(
    store: Store, settings: Settings, sections: Sequence[Section], *, now: datetime, most_archived: int | None = 500
) -> Published:
    """Render every section that changed since its documents were made, and replace what checks.

    Then fragments of up to *most_archived* other articles are made (None: of all that have none). One section's fault
    keeps none of the others back. Raises StoreError alone.
    """
    done = Published()
    by_path = {section.path: section for section in sections}
    desk = desk_context(settings)
    version = fragment_version(desk)
    with store.read() as tx:
        renewing = tx.documents.renewal_due(version)
    while renewing:
        with store.write() as tx:
            renewing = tx.documents.renew_fragments(version) and most_archived is None
    with store.read() as tx:
        changed = tx.sections.changed()
        desk_id = tx.configs.desk_id()
    for state in changed:
        section = by_path.get(state.path) or _built_in(state, settings)
        try:
            _publish_section(store, settings, section, state, desk_id, now, done)
        except SectionNotFound:
            continue  # taken out of the config since
        except RenderError as error:
            done.held.append(state.path)
            with suppress(SectionNotFound):  # as above
                keep_last_good(store, state, error, now)
    catch_up_stories(store, done.sections, desk)
    done.archived, aside = catch_up(store, desk, most=most_archived, now=now)
    done.set_aside += aside
    return done


def _publish_section(
    store: Store,
    settings: Settings,
    section: Section,
    state: SectionState,
    desk_id: str,
    now: datetime,
    done: Published,
) -> None:
    desk = desk_context(settings)
    version = fragment_version(desk)
    limit = section.limit or settings.publish.entries
    chosen = _choose(store, section, state, limit, version, now)
    listing = chosen.listing
    unfold(store, listing, section.copies, limit)
    made, faults = listing.complete(desk, version)
    for uid in list(faults)[:MOST_SET_ASIDE]:
        _set_aside(store, section.path, uid, faults[uid], now)
        done.set_aside.append(uid)
    if len(faults) > MOST_SET_ASIDE:
        raise RenderError(f"more than {MOST_SET_ASIDE} articles of {section.path!r} do not check", path=section.path)
    rendered = render_section(
        listing.uids,
        listing.kept,
        context=section_context(section, settings),
        sequence=chosen.sequence,
        feed_id=frames.feed_urn(desk_id, f"section/{state.id}"),
        created_at=state.created_at,
        archive_page=chosen.archive_page,
        retracted=chosen.retracted,
        now=now,
    )
    made = [fragment for fragment in made if fragment.article_uid not in listing.own]
    _replace(store, section.path, state, chosen, rendered, made, now)
    (done.held if chosen.waits else done.sections).append(section.path)


def _choose(store: Store, section: Section, state: SectionState, limit: int, version: int, now: datetime) -> _Chosen:
    """Choose what a section's documents are to hold: while it is held what they held, less what had to leave it.

    A held section is rendered all the same: a correction, or rights that were tightened, wait for no gate.
    """
    path = state.path
    with store.read() as tx:
        old = tx.documents.listing(path)
        new = tx.sections.top_uids(path, limit)
        standings = tx.sections.standings(path, [*new, *(old.uids if old else ())])
        problems = objections(old.uids, new, standings, limit=limit) if old and old.uids else ()
        since = tx.events.since("gate", path) if problems else None
        waits = bool(problems) and still_held(since, now)
        if waits and old is not None:
            new, sequence, filed = list(old.uids), old.sequence, state.rendered_filed
        else:
            sequence, filed = state.sequence, state.filed
        listing = _listing(tx, [uid for uid in new if uid in standings], version)
        retracted = tx.sections.retracted(path, sequence - TOMBSTONE_CHANGES, MOST_TOMBSTONES)
        page = frames.newest_archive_page(tx.sections.unlisted(path, listing.uids, filed), filed)
    if waits and since is None:
        _tell_of_gate(store, path, problems, now)
    return _Chosen(
        listing=listing,
        retracted=tuple((gone.uid, gone.at) for gone in retracted),
        archive_page=page,
        sequence=sequence,
        waits=waits,
    )


def _listing(tx: ReadTx, uids: list[str], version: int) -> Listing:
    """The articles *uids* with their fragments of *version*; whole where one is missing."""
    kept: Kept = {format: tx.documents.fragments(uids, format, version) for format in FORMATS}
    incomplete = [uid for uid in uids if any(uid not in fragments for fragments in kept.values())]
    return Listing(uids=uids, kept=kept, articles=tx.articles.several(incomplete))


def _tell_of_gate(store: Store, path: str, problems: Sequence[Objection], now: datetime) -> None:
    text = f"held for up to {HOLD_S // 60} minutes: " + "; ".join(problem.message for problem in problems[:3])
    log.error("section=%s %s", path or "(all)", text)
    with store.write() as tx:
        tx.events.add("gate", path, text=text, remedy="look at what its sources sent", now=now)


def _set_aside(store: Store, path: str, uid: str, error: RenderError, now: datetime) -> None:
    """Publish the article at fault nowhere until it changes, and tell of it."""
    log.error("section=%s set aside article=%s: %s", path, uid, error.cause)
    with store.write() as tx:
        tx.documents.set_aside(uid, error.cause)
        tx.events.add("set-aside", uid, text=error.cause, remedy=error.remedy, now=now)


def _replace(
    store: Store,
    path: str,
    state: SectionState,
    chosen: _Chosen,
    rendered: Rendered,
    made: Sequence[Fragment],
    now: datetime,
) -> None:
    """Put the documents in the place of the last good ones. Of a held section they do not count as up to date."""
    with store.write() as tx:
        tx.documents.put_fragments(made)
        tx.documents.replace(
            rendered.documents,
            rendered.frames,
            section_path=path,
            rendered_sequence=state.rendered_sequence if chosen.waits else state.sequence,
            rendered_touched=state.rendered_touched if chosen.waits else state.touched,
            rendered_filed=state.rendered_filed if chosen.waits else state.filed,
        )
        if not chosen.waits:
            tx.events.close("gate", path, now)
            tx.events.close("held", path, now)
        if made and (aside := tx.events.subjects("set-aside")):
            for uid in aside & {fragment.article_uid for fragment in made}:
                tx.events.close("set-aside", uid, now)


def _built_in(state: SectionState, settings: Settings) -> Section:
    """The two sections that no admin writes: the whole desk and what no rule files."""
    if state.path == UNFILED:
        return Section(path=UNFILED, title="Unfiled", description="Articles that no rule files.")
    return Section(path=state.path, title=settings.title if not state.path else state.title)
