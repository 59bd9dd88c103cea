"""`wiredesk plan` and `apply`: what the edited config files would do to what is stored, and putting them in force."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from operator import itemgetter
from typing import Any

import click
from msgspec import Struct

from feeds.cli import check
from feeds.cli.common import Places, counted, judged_files, need_config, print_json, with_json, with_places
from feeds.cli.stored import filed_articles, need_running_config, opened, running_config, usable_model
from feeds.configuration import Section, Source, renames
from feeds.engine.config_in_force import files_differently, put_in_force
from feeds.engine.startup import now_utc
from feeds.filing import FilingRules
from feeds.filing.tree import Comparison, Moved, Tally
from feeds.settings import Config, ConfigErrors, first_lines
from feeds.settings.config import without_collector
from feeds.store import ReadTx, Store, open_store

BUILT_IN = ("unfiled", "dropped")
"""What counts beside the sections: articles that no rule files, and those that `drop:` keeps from being published."""
ALONE = 5_000
"""With more articles than this, a second process pays."""


class Example(Struct, frozen=True, kw_only=True):
    """An article that would move."""

    id: str
    title: str
    source: str
    reason: str


class SectionPlan(Struct, frozen=True, kw_only=True):
    """What would become of a section. *fresh* entries of its document would be new to those who read it."""

    path: str
    state: str  # "stays", "new", "moved", "removed"
    moved_from: str | None
    before: int
    after: int
    enters: int
    leaves: int
    fresh: int
    entering: tuple[Example, ...]
    leaving: tuple[Example, ...]


class Plan(Struct, frozen=True, kw_only=True):
    """All that an edit would do. Ids of articles that are published stay in any case."""

    changed: bool
    articles: int
    seconds: float
    sections: tuple[SectionPlan, ...]
    sources_added: tuple[str, ...]
    sources_removed: tuple[str, ...]
    sources_changed: tuple[tuple[str, tuple[str, ...]], ...]
    sources_renamed: tuple[tuple[str, str], ...]
    emptied: tuple[str, ...]
    doubts: tuple[str, ...]


@click.command()
@with_places
@with_json
def plan(found: Places, as_json: bool) -> None:
    """Say what the edited config files would do to what is stored: what enters, leaves, appears, goes.

    Nothing is changed. Exits with 0 when nothing would move, with 3 when something would, with 78 on errors in files.
    """
    need_config(found)
    with opened(found) as store:
        try:
            edited = judged_files(found)
        except ConfigErrors as errors:
            for line in first_lines(errors.errors):
                click.echo(line, err=True)
            sys.exit(78)
        made = compare(store, found, need_running_config(store), edited)
    if as_json:
        print_json(made)
    else:
        tell(made)
    sys.exit(3 if made.changed else 0)


def compare(store: Store, found: Places, running: Config, edited: Config) -> Plan:
    """The plan for *edited* over what *store* holds; where saving files nothing again, nothing is looked at."""
    began = time.monotonic()
    tally = _tally(store, found, running, edited) if files_differently(running, edited) else Tally()
    with store.read() as tx:
        plans = tuple(_section_plans(tx, tally, running, edited))
    kept = {section.path for section in edited.sections}
    of_sources = _sources(running, edited)
    return Plan(
        changed=bool(plans or any(of_sources.values()) or running.settings != edited.settings),
        articles=tally.articles,
        seconds=round(time.monotonic() - began, 2),
        sections=plans,
        **of_sources,
        emptied=tuple(one.path for one in plans if one.path in kept and one.before and not one.after),
        doubts=tuple(_doubts(tally, edited)),
    )


def _section_plans(tx: ReadTx, tally: Tally, running: Config, edited: Config) -> Iterator[SectionPlan]:
    """What would become of each section, by its new path; nothing of those in which nothing changes."""
    moved = moved_sections(running, edited)
    old = {moved.get(section.path, section.path): section for section in running.sections}
    new = {section.path: section for section in edited.sections}
    counts = {moved.get(path, path): count for path, count in tx.sections.counts().items()}
    counts["dropped"] = tally.dropped
    for path in dict.fromkeys(["", *new, *old, *BUILT_IN]):
        state, stored_at = _state(path, old.get(path), new.get(path))
        if not tally.entering[path] and not tally.left.get(path) and state == "stays":
            continue
        limit = (new[path].limit if path in new else None) or edited.settings.publish.entries
        yield _section_plan(tx, tally, path, state, stored_at, counts.get(path, 0), limit)


def _section_plan(
    tx: ReadTx, tally: Tally, path: str, state: str, stored_at: str, before: int, limit: int
) -> SectionPlan:
    """What would become of the section at *path*, of *before* articles, whose documents hold *limit*."""
    enters, leaves = tally.entering[path], len(tally.left.get(path, ()))
    shows = bool(enters) and state != "removed" and path != "dropped"
    return SectionPlan(
        path=path,
        state=state,
        moved_from=stored_at if stored_at != path else None,
        before=before,
        after=before + enters - leaves,
        enters=enters,
        leaves=leaves,
        fresh=_fresh(tx, tally, path, stored_at, limit) if shows else 0,
        entering=_examples(tally.newest(path)),
        leaving=_examples(sorted(tally.leaves.get(path, ()), reverse=True)),
    )


def _state(path: str, old: Section | None, new: Section | None) -> tuple[str, str]:
    """What becomes of the section that is, was, or will be at *path*; and the path where it is stored."""
    if old is None and new is None:  # built in
        return "stays", path
    if old is None:
        return "new", path
    if new is None:
        return "removed", path
    return "stays" if old.path == path else "moved", old.path


def moved_sections(running: Config, edited: Config) -> dict[str, str]:
    """Old path → new, for sections that the edited config says have moved."""
    here = {section.path for section in running.sections}
    return {old: section.path for section in edited.sections for old in section.moved_from if old in here}


# --------------------------------------------------------------------------- counting


def _tally(store: Store, found: Places, running: Config, edited: Config) -> Tally:
    with store.read() as tx:
        newest = tx.articles.filed(None, 1)
        count = tx.articles.count()
    last = newest[0].id if newest else 0
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if count <= ALONE or cores == 1:
        return count_range(found.database, running, edited, 0, last)
    shares = min(cores, 4)
    bounds = [last * share // shares for share in range(shares + 1)]
    with ProcessPoolExecutor(shares - 1, mp_context=get_context("spawn")) as pool:
        parts = [
            pool.submit(count_range, found.database, running, edited, low, high)
            for low, high in zip(bounds[1:], bounds[2:], strict=False)
        ]
        total = count_range(found.database, running, edited, bounds[0], bounds[1])
        for part in parts:
            total.add(part.result())
    return total


def count_range(database: str, running: Config, edited: Config, low: int, high: int) -> Tally:
    """Compare the articles of rows above *low* up to *high*; in a process of its own where there are many."""
    learns = any(section.learned_precision for section in edited.sections)
    with open_store(database, create=False) as store, without_collector():
        comparison = Comparison(
            FilingRules(edited.sections, usable_model(store) if learns else None, drops=edited.drops),
            moved=moved_sections(running, edited),
            sources=by_stored_key(running, edited),
        )
        for article in filed_articles(store, high + 1):
            if article.id <= low:
                break
            if article.entries:
                comparison.look(article.uid, article.entries, article.placed)
    return comparison.tally


def _fresh(tx: ReadTx, tally: Tally, path: str, stored_at: str, limit: int) -> int:
    """How many entries of the section's next document its readers have not seen there."""
    candidates = {moved.uid for moved in tally.newest(path, 4 * limit)}
    left = tally.left.get(path, set())
    present = []
    if tx.sections.get(stored_at) is not None:
        present = [one for one in tx.sections.top(stored_at, limit + min(len(left), limit)) if one.uid not in left]
    ranked = [(article.rank_at, article.uid, False) for article in present if article.uid not in candidates]
    ranked += [(article.rank_at, uid, True) for uid, article in tx.articles.several(sorted(candidates)).items()]
    return sum(entered for _, _, entered in sorted(ranked, reverse=True)[:limit])


def _examples(moved: list[Moved]) -> tuple[Example, ...]:
    return tuple(Example(id=one.uid, title=one.title, source=one.source, reason=one.reason) for one in moved)


# --------------------------------------------------------------------------- sources, doubts


def by_stored_key(running: Config, edited: Config) -> dict[str, Source]:
    """The edited sources by the keys that they are stored under."""
    renamed = renames(running.sources, edited.sources)
    return {renamed.get(source.key, source.key): source for source in edited.sources}


def _sources(running: Config, edited: Config) -> dict[str, tuple[Any, ...]]:
    """The fields of a Plan that are about sources."""
    old = {source.key: source for source in running.sources}
    new = by_stored_key(running, edited)
    kept = sorted(old.keys() & new.keys(), key=lambda key: new[key].name)
    both = [(new[key].name, old[key], new[key]) for key in kept]
    changed = ((name, tuple(_differences(was, now))) for name, was, now in both)
    return {
        "sources_added": tuple(new[key].name for key in new if key not in old),
        "sources_removed": tuple(old[key].name for key in old if key not in new),
        "sources_changed": tuple(filter(itemgetter(1), changed)),
        "sources_renamed": tuple((was.name, name) for name, was, _ in both if was.name != name),
    }


def _differences(old: Source, new: Source) -> Iterator[str]:
    words: Mapping[str, str] = {"target": "address", "interval_s": "interval", "full_text": "rights"}
    for name in ("kind", "target", "section", "enabled", "interval_s", "full_text", "language", "priority"):
        was, now = getattr(old, name), getattr(new, name)
        if was != now:
            yield f"{words.get(name, name)} {was if was is not None else '-'} → {now if now is not None else '-'}"
    if old.headers != new.headers:
        yield "headers"  # which may be secret


def _doubts(tally: Tally, edited: Config) -> Iterator[str]:
    """What only stored articles can show of the edited rules."""
    if tally.articles < check.COMMON_OF:
        return
    terms = FilingRules(edited.sections, drops=edited.drops).terms
    for term, words in check.common_terms(terms, tally.terms, tally.articles):
        yield f"{term} {words}"
    for section in edited.sections:
        if section.match is not None and not tally.ruled[section.path]:
            yield f"the rule of {section.path} files nothing of what is stored"


# --------------------------------------------------------------------------- in words


def tell(made: Plan) -> None:
    """Print *made* for people."""
    for line in _in_words(made):
        click.echo(line)


def _in_words(made: Plan) -> Iterator[str]:
    if made.articles:
        yield f"{made.articles} stored articles looked at in {made.seconds:.1f} s."
    elif made.changed:
        yield "No rule and no section changes: what is stored stays where it is."
    if not made.changed:
        yield "The config files change nothing."
    width = max((len(_name(one)) for one in made.sections), default=0)
    for one in made.sections:
        yield from _section_lines(one, width)
    yield from _source_lines(made)
    for path in made.emptied:
        yield click.style(f"{path} becomes empty", fg="yellow")
    for doubt in made.doubts:
        yield click.style(f"doubtful: {doubt}", fg="yellow")
    if made.sections:
        yield "Articles keep their ids and their places in the order: nothing old comes out as new at the top."


def _source_lines(made: Plan) -> Iterator[str]:
    for name in made.sources_added:
        yield f"source {name} appears"
    for name in made.sources_removed:
        yield f"source {name} goes; its articles stay until retention takes them"
    for was, name in made.sources_renamed:
        yield f"source {was} is called {name} from now on; its history and its articles follow"
    for name, differences in made.sources_changed:
        yield f"source {name}: {', '.join(differences)}"


def _section_lines(one: SectionPlan, width: int) -> Iterator[str]:
    counts = ", ".join(f"{sign}{count}" for sign, count in (("+", one.enters), ("-", one.leaves)) if count)
    fresh = f"  {counted(one.fresh, 'entry', 'entries')} of its feed new to its readers" if one.fresh else ""
    yield click.style(f"{_name(one):<{width}}  {one.before:>6} → {one.after:<6} {counts}{fresh}", bold=True)
    for sign, examples, total in (("+", one.entering, one.enters), ("-", one.leaving, one.leaves)):
        for example in examples:
            yield f"    {sign} {_short(example.title, 64)} ({example.source}): {_short(example.reason, 80)}"
        if total > len(examples) > 0:
            yield f"    {sign} and {total - len(examples)} more"


def _name(one: SectionPlan) -> str:
    name = one.path or "(the whole desk)"
    if one.moved_from:
        return f"{name} (was {one.moved_from})"
    return name if one.state == "stays" else f"{name} ({one.state})"


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


@click.command()
@with_places
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
def apply(found: Places, dry_run: bool) -> None:
    """Put the config files in force now: for a desk on PostgreSQL, which takes none over from a machine that starts.

    Says first what changes, as `wiredesk plan` does. A running desk goes on by the new version within seconds. With
    --dry-run nothing is changed, and the exit code is 3 where something would. Files with errors change nothing (78).

    \b
      wiredesk apply --dry-run
      wiredesk apply
    """
    need_config(found)
    with opened(found) as store:
        edited, running = judged_files(found), running_config(store)
        if running is not None:
            tell(compare(store, found, running, edited))
        changed = running is None or running.digest != edited.digest
        if dry_run:
            sys.exit(3 if changed else 0)
        accepted = put_in_force(store, edited, found.config, found.environ(), now=now_utc())
    version = accepted.desk.version
    click.echo(f"Version {version} is in force." if changed else f"Version {version} was in force already.")
