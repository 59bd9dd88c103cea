"""One poll of a desk: poll what is due, render what changed, tell as a table what came, what failed and what to do.

I/O: network, the store, output.
"""

from __future__ import annotations

import difflib
import random
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from operator import attrgetter
from pathlib import Path

import click
from msgspec.structs import replace

from feeds.cli.common import NARROW, Places, counted, show_table, terminal_width
from feeds.cli.stored import upgrade
from feeds.configuration import DOCUMENTS, Source
from feeds.engine.classifier import Classifier
from feeds.engine.config_in_force import Accepted, accept, refiled, to_refile
from feeds.engine.startup import collect_seldom, keep_heap_small, now_utc, tell_config, user_agent, without_threads
from feeds.engine.supervisor import holder
from feeds.engine.workers import Workers
from feeds.errors import DeskError
from feeds.fetch.client import Fetcher
from feeds.ingest.arrivals import FOLDER_RETRY_S
from feeds.ingest.desk import Desk
from feeds.ingest.flow import Ingest
from feeds.ingest.placing import refile
from feeds.ingest.polls import Claims, Progress
from feeds.ingest.verdicts import Late
from feeds.store import Store, open_store
from feeds.store.values import Claim, PollResult

SOON = timedelta(seconds=FOLDER_RETRY_S)
LOOKS = 4
"""How often a folder is looked into where files in it are still being written."""
FEW = 30
"""Up to so many sources all are listed, past that those with news or trouble."""
UNREACHED_FROM = 3
"""So many sources without any answer at all speak of this machine's network, not of them."""
OUTCOMES = {"not-modified": "nothing new", "same": "nothing new", "new": "looked at"}
COUNTS = ("new", "copies", "updated")
"""What a poll may bring, as the columns are called."""


def poll_once(found: Places, sources: Sequence[str], *, everything: bool, force: bool) -> bool:
    """Poll what is due, the *sources* named, or *everything*, and publish what changed; whether no source failed."""
    without_threads()
    keep_heap_small()
    collect_seldom()
    store = open_store(found.database)
    try:
        upgrade(store, found, now_utc())
        accepted = accept(store, found.config, found.environ(), now=now_utc())
        tell_config(accepted)
        desk = accepted.desk.with_model(Classifier(store, found.data).look(accepted.desk.filing_rules))
        if to_refile(store) and holder(found.data) is None:
            # A running desk does this by itself; without one nobody else would.
            refile(store, desk.filing_rules, clock=now_utc)
            refiled(store, desk.version, now=now_utc())
        taking = Claims(store, now_utc)
        try:
            claims = _claims(store, taking, sources, everything=everything, force=force)
        except DeskError:
            taking.give_back()
            raise
        return not claims or _polled_well(store, taking, claims, accepted, desk, found.data)
    finally:
        store.close()


def _polled_well(store: Store, taking: Claims, claims: list[Claim], accepted: Accepted, desk: Desk, data: Path) -> bool:
    """Poll what was claimed, publish, and say what came; whether no source failed."""
    brought = _poll(store, taking, claims, desk)
    # What no document lists is left to a desk that runs: it is on its way through it.
    published, kept_back = _publish(store, accepted, most_archived=None if holder(data) is None else 0)
    tell(brought.polls, {claim.source.id: claim.source for claim in claims}, brought.late)
    click.echo(
        f"{counted(len(brought.polls), 'source')} polled, {counted(brought.new, 'new article')},"
        f" {counted(published, 'section')} published."
        + (f" {counted(kept_back, 'section')} held back: see `wiredesk doctor`." if kept_back else "")
    )
    return not any(result.error for result in brought.polls) and not any(one.error for one in brought.late)


def _claims(store: Store, taking: Claims, names: Sequence[str], *, everything: bool, force: bool) -> list[Claim]:
    """Take what is to be polled; who is not, and why, is told."""
    held: list[Claim] = []
    if names or everything:
        claims, held = taking.named(_keys(store, names) if names else None, force=force)
    else:
        claims = taking.due(1_000_000)
    for claim in held:
        until = claim.state.retry_after_until
        click.echo(
            f"{claim.source.name}: asked not to be asked before {until:%d %b %H:%M} UTC (--force asks all the same)"
        )
    if not claims:
        click.echo("Nothing is due." if not held else "Nothing else is due.")
    return claims


def _poll(store: Store, taking: Claims, claims: list[Claim], desk: Desk) -> Progress:
    """Poll what was claimed to its end; all of it as if it were one progress."""
    settings = desk.settings
    fetcher = Fetcher(settings.fetch, settings.poll, user_agent(settings))
    workers = Workers(min(2, len(claims)))
    ingest = Ingest(store, fetcher, workers, desk, clock=now_utc, random=random.random)
    done = Progress()
    try:
        ingest.begin(claims)  # first of all: what is begun is given back, whatever fails
        ingest.take_put_off()
        with _progress(len(claims)) as advance:
            for _ in range(LOOKS):
                while ingest.in_flight:
                    progress = ingest.run_once(0.2)
                    done.polls += progress.polls
                    done.late += progress.late
                    done.new += progress.new
                    advance(len(progress.polls))
                claims = _still_written(store, taking, done.polls)
                if not claims:
                    break
                again = {claim.source.id for claim in claims}
                done.polls = [result for result in done.polls if result.source_id not in again]
                ingest.begin(claims)
    finally:
        fetcher.close()
        workers.close()
        ingest.stop()
    return done


def _publish(store: Store, accepted: Accepted, *, most_archived: int | None) -> tuple[int, int]:
    """Publish what waits for it, if anything does: how many sections, and how many were held back."""
    if not accepted.judged:
        with store.read() as tx:
            if not tx.unpublished():
                return 0, 0
    from feeds.publish import publish  # a fifth of the start, and a poll that brings nothing renders nothing

    settings, tree = accepted.desk.settings, accepted.desk.sections
    done = publish(store, settings, tree, now=now_utc(), most_archived=most_archived)
    return len(done.sections), len(done.held)


@contextmanager
def _progress(total: int) -> Iterator[Callable[[int], None]]:
    """A bar of *total* polls, where somebody looks at it; gives what takes how many more have ended."""
    if not sys.stderr.isatty():
        yield lambda ended: None
        return
    with click.progressbar(length=total, label="Polling", file=sys.stderr, show_pos=True, show_percent=False) as bar:
        yield bar.update


def _keys(store: Store, wanted: Sequence[str]) -> list[str]:
    """The keys of the sources *wanted*, by key or by name in any case. Raises DeskError for one that is not there."""
    with store.read() as tx:
        names = tx.sources.names()
    by_name = {name.casefold(): key for key, name in names.items()} | {key.casefold(): key for key in names}
    keys = []
    for name in wanted:
        key = by_name.get(name.casefold())
        if key is None:
            near = difflib.get_close_matches(name.casefold(), by_name, n=1)
            hint = f"did you mean {names[by_name[near[0]]]!r}?" if near else "sources.yaml lists them"
            raise DeskError(f"no source {name!r}", remedy=hint)
        keys.append(key)
    return keys


def _still_written(store: Store, taking: Claims, ended: Sequence[PollResult]) -> list[Claim]:
    """Claims on the folders in which files were not complete yet, once these should be."""
    soon = [result for result in ended if result.state.next_poll_at and result.next_poll_at - result.at <= SOON]
    if not soon:
        return []
    time.sleep(FOLDER_RETRY_S)
    with store.read() as tx:
        found = tx.sources.claims_of([result.source_id for result in soon])
    folders = [claim.source.key for claim in found.values() if claim.source.kind in DOCUMENTS]
    return taking.named(folders)[0]


def tell(ended: Sequence[PollResult], sources: Mapping[int, Source], late: Sequence[Late] = ()) -> None:
    """Print a line a source; of many only those that say something. *late* are documents that were read afterwards:
    what they brought counts for their source, and each that failed has a line.
    """
    ended = _with_late(ended, late)
    unreached, rest = _unreached(ended, sources)
    shown = rest if len(rest) <= FEW else [each for each in rest if each.error or any(_came(each))]
    if shown:
        _table(sorted(shown, key=lambda each: (bool(each.error), -each.new)), sources)
    if len(shown) < len(rest):
        click.echo(f"{counted(len(rest) - len(shown), 'other')}: nothing new.")
    for one in filter(attrgetter("error"), late):
        click.echo(f"{one.name}: {one.document}: {_with_remedy(one.error, one.remedy)}")
    if unreached:
        click.echo(
            f"None of {counted(len(unreached), 'source')} outside could be reached. Is this machine on the network?"
            " `wiredesk doctor` looks."
        )


def _with_late(ended: Sequence[PollResult], late: Sequence[Late]) -> list[PollResult]:
    """*ended* with what became of the documents that these polls found."""
    of_source: dict[int, list[Late]] = {}
    for one in late:
        of_source.setdefault(one.source_id, []).append(one)
    return [_joined(result, of_source.get(result.source_id, [])) for result in ended]


def _joined(result: PollResult, late: Sequence[Late]) -> PollResult:
    if not late:
        return result
    failed = sum(bool(one.error) for one in late)
    return replace(
        result,
        new=result.new + sum(one.new for one in late),
        copies=result.copies + sum(one.copies for one in late),
        updated=result.updated + sum(one.updated for one in late),
        error=result.error or (f"{failed} of {counted(len(late), 'document')} could not be read" if failed else ""),
    )


def _unreached(
    ended: Sequence[PollResult], sources: Mapping[int, Source]
) -> tuple[Sequence[PollResult], Sequence[PollResult]]:
    """All that were asked over the network, where none of them answered anything, else none; and the rest."""
    documents = [result for result in ended if sources[result.source_id].kind in DOCUMENTS]
    asked = [result for result in ended if sources[result.source_id].kind not in DOCUMENTS]
    silent = all(result.error and result.state.last_status is None for result in asked)
    return (asked, documents) if silent and len(asked) >= UNREACHED_FROM else ((), ended)


def _table(shown: Sequence[PollResult], sources: Mapping[int, Source]) -> None:
    """Print a row for each of *shown*; a column of blanks is left out, and a narrow terminal has counts in words."""
    width = terminal_width()
    colours = ["red" if result.error else "" for result in shown]
    names = [sources[result.source_id].name for result in shown]
    if width is not None and width < NARROW:
        rows = [(name, _words(result) or _counts(result)) for name, result in zip(names, shown, strict=True)]
        show_table(rows, width=width, head=False, colours=colours)
        return
    columns = [["source", *names], *_count_columns(shown), ["what to know", *map(_words, shown)]]
    rows = list(zip(*columns, strict=True))
    show_table(rows, width=width, numbers=range(1, len(columns) - 1), colours=["", *colours])


def _count_columns(shown: Sequence[PollResult]) -> Iterator[list[str]]:
    """A column for each of COUNTS that is not all blank, its heading first."""
    for name, counts in zip(COUNTS, zip(*map(_came, shown), strict=True), strict=True):
        if any(counts):
            yield [name, *(str(count or "") for count in counts)]


def _words(result: PollResult) -> str:
    """What is to know of a poll; nothing where it brought articles."""
    if result.error:
        return _with_remedy(result.error, result.remedy)
    return "" if any(_came(result)) else OUTCOMES.get(result.outcome, result.outcome)


def _counts(result: PollResult) -> str:
    return ", ".join(f"{count} {name}" for count, name in zip(_came(result), COUNTS, strict=True) if count)


def _came(result: PollResult) -> tuple[int, int, int]:
    """How many articles a poll brought, by COUNTS."""
    return result.new, result.copies, result.updated


def _with_remedy(error: str, remedy: str) -> str:
    return f"{error}; {remedy}" if remedy else error
