"""`wiredesk plan`: what the edited config files would do to what is stored. Changes nothing."""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from feeds.cli import check as common
from feeds.cli.common import Places, need_config, need_database, places, with_places
from feeds.errors import DeskError

if TYPE_CHECKING:
    from feeds.filing.comparison import Tally
    from feeds.model import Source
    from feeds.settings import Config
    from feeds.store import Store
    from feeds.store.store import ReadTx

AT_ONCE = 500
BUILT_IN = ("unfiled", "dropped")
"""What counts beside the sections: articles that no rule files, and those that `drop:` keeps from being published."""
ALONE = 5_000
"""With more articles than this, a second process pays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """An article that would move."""

    id: str
    title: str
    source: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionPlan:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All that an edit would do. Ids of articles that are published stay in any case."""

    changed: bool
    articles: int
    seconds: float
    sections: tuple[SectionPlan, ...]
    sources_added: tuple[str, ...]
    sources_removed: tuple[str, ...]
    sources_changed: tuple[tuple[str, tuple[str, ...]], ...]
    emptied: tuple[str, ...]
    doubts: tuple[str, ...]


@click.command()
@with_places
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
def plan(config: str | None, data: str | None, as_json: bool) -> None:
    """Say what the edited config files would do to what is stored: what enters, leaves, appears, goes.

    Nothing is changed. Exits with 0 when nothing would move, with 3 when something would, with 78 on errors in files.
    """
    from feeds.settings import ConfigErrors, config_from_json, first_lines, load_config
    from feeds.store import open_store

    found = places(config, data)
    need_config(found)
    need_database(found)
    try:
        edited = load_config(found.config, os.environ)
    except ConfigErrors as errors:
        for line in first_lines(errors.errors):
            click.echo(line, err=True)
        sys.exit(78)
    with open_store(found.database, create=False) as store:
        with store.read() as tx:
            stored = tx.configs.current()
        if stored is None:
            raise DeskError("no config is in force yet", remedy="start with `wiredesk poll` or `wiredesk run`")
        made = compare(store, found, config_from_json(stored.text), edited)
    if as_json:
        click.echo(json.dumps(asdict(made), ensure_ascii=False, indent=2))
    else:
        tell(made)
    sys.exit(3 if made.changed else 0)


def compare(store: Store, found: Places, running: Config, edited: Config) -> Plan:
    """The plan for *edited* over what *store* holds; where saving files nothing again, nothing is looked at."""
    from feeds.engine.accept import files_differently
    from feeds.filing.comparison import Tally

    began = time.monotonic()
    tally = _tally(store, found, running, edited) if files_differently(running, edited) else Tally()
    moved = moved_sections(running, edited)
    old = {moved.get(section.path, section.path): section for section in running.sections}
    new = {section.path: section for section in edited.sections}
    plans = []
    emptied = []
    with store.read() as tx:
        counts = {moved.get(path, path): count for path, count in tx.sections.counts().items()}
        counts["dropped"] = tally.dropped
        for path in dict.fromkeys(["", *new, *old, *BUILT_IN]):
            state = "stays" if path in ("", *BUILT_IN) or (path in old and path in new) else "new"
            earlier = old[path].path if path in old and path in new and old[path].path != path else None
            state = "moved" if earlier else "removed" if path not in new and path in old else state
            enters, leaves = tally.entering[path], len(tally.left.get(path, ()))
            if not enters and not leaves and state == "stays":
                continue
            before = counts.get(path, 0)
            after = before + enters - leaves
            if path in new and before and not after:
                emptied.append(path)
            limit = (new[path].limit if path in new else None) or edited.settings.publish.entries
            fresh = (
                0
                if state == "removed" or path == "dropped" or not enters
                else _fresh(tx, tally, path, earlier or path, limit)
            )
            plans.append(
                SectionPlan(
                    path=path,
                    state=state,
                    moved_from=earlier,
                    before=before,
                    after=after,
                    enters=enters,
                    leaves=leaves,
                    fresh=fresh,
                    entering=_examples(tally.newest(path)),
                    leaving=_examples(sorted(tally.leaves.get(path, ()), reverse=True)),
                )
            )
    added, removed, changed = _sources(running, edited)
    return Plan(
        changed=bool(plans or added or removed or changed or running.settings != edited.settings),
        articles=tally.articles,
        seconds=round(time.monotonic() - began, 2),
        sections=tuple(plans),
        sources_added=added,
        sources_removed=removed,
        sources_changed=changed,
        emptied=tuple(emptied),
        doubts=tuple(_doubts(tally, edited)),
    )


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
        return count_range(found.database, found.data, running, edited, 0, last)
    shares = min(cores, 4)
    bounds = [last * share // shares for share in range(shares + 1)]
    with ProcessPoolExecutor(shares - 1, mp_context=get_context("spawn")) as pool:
        parts = [
            pool.submit(count_range, found.database, found.data, running, edited, low, high)
            for low, high in zip(bounds[1:], bounds[2:], strict=False)
        ]
        total = count_range(found.database, found.data, running, edited, bounds[0], bounds[1])
        for part in parts:
            total.add(part.result())
    return total


def count_range(database: str, data: Path, running: Config, edited: Config, low: int, high: int) -> Tally:
    """Compare the articles of rows above *low* up to *high*; in a process of its own where there are many."""
    from feeds.filing import FilingRules
    from feeds.filing.comparison import Comparison
    from feeds.filing.learned import MODEL_FILE, load_model
    from feeds.store import open_store

    learns = any(section.learned_precision for section in edited.sections)
    model = load_model(data / MODEL_FILE) if learns else None
    comparison = Comparison(
        FilingRules(edited.sections, model, drops=edited.drops),
        moved=moved_sections(running, edited),
        sources={source.key: source for source in edited.sources},
    )
    with open_store(database, create=False) as store, _without_collector():
        below = high + 1
        while True:
            with store.read() as tx:
                articles = tx.articles.filed(below, AT_ONCE)
            for article in articles:
                if article.id <= low:
                    return comparison.tally
                if article.entries:
                    comparison.look(article.uid, article.entries, article.placed)
            if not articles:
                return comparison.tally
            below = articles[-1].id


@contextmanager
def _without_collector() -> Iterator[None]:
    """Nothing here hangs together in circles, and looking for some would take a tenth of the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


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


def _examples(moved: list[Any]) -> tuple[Example, ...]:
    return tuple(Example(id=one.uid, title=one.title, source=one.source, reason=one.reason) for one in moved)


# --------------------------------------------------------------------------- sources, doubts


def _sources(
    running: Config, edited: Config
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[tuple[str, tuple[str, ...]], ...]]:
    old = {source.key: source for source in running.sources}
    new = {source.key: source for source in edited.sources}
    changed = []
    for key in old.keys() & new.keys():
        told = tuple(_differences(old[key], new[key]))
        if told:
            changed.append((new[key].name, told))
    added = tuple(new[key].name for key in new if key not in old)
    removed = tuple(old[key].name for key in old if key not in new)
    return added, removed, tuple(sorted(changed))


def _differences(old: Source, new: Source) -> Iterator[str]:
    told: Mapping[str, str] = {"target": "address", "interval_s": "interval", "full_text": "rights"}
    for name in ("name", "kind", "target", "section", "enabled", "interval_s", "full_text", "language", "priority"):
        was, now = getattr(old, name), getattr(new, name)
        if was != now:
            yield f"{told.get(name, name)} {was if was is not None else '-'} → {now if now is not None else '-'}"
    if old.headers != new.headers:
        yield "headers"  # which may be secret


def _doubts(tally: Tally, edited: Config) -> Iterator[str]:
    """What only stored articles can show of the edited rules."""
    from feeds.filing import FilingRules

    if tally.articles < common.COMMON_OF:
        return
    for term, words in common.common_terms(
        FilingRules(edited.sections, drops=edited.drops).terms, tally.terms, tally.articles
    ):
        yield f"{term} {words}"
    for section in edited.sections:
        if section.match is not None and not tally.ruled[section.path]:
            yield f"the rule of {section.path} files nothing of what is stored"


# --------------------------------------------------------------------------- telling


def tell(made: Plan) -> None:
    """Print *made* for people."""
    if made.articles:
        click.echo(f"{made.articles} stored articles looked at in {made.seconds:.1f} s.")
    elif made.changed:
        click.echo("No rule and no section changes: what is stored stays where it is.")
    if not made.changed:
        click.echo("The config files change nothing.")
    width = max((len(_name(one)) for one in made.sections), default=0)
    for one in made.sections:
        head = f"{_name(one):<{width}}  {one.before:>6} → {one.after:<6} {_signed(one)}"
        if one.fresh:
            head += f"  {one.fresh} {'entry' if one.fresh == 1 else 'entries'} of its feed new to its readers"
        click.secho(head, bold=True)
        for sign, examples, total in (("+", one.entering, one.enters), ("-", one.leaving, one.leaves)):
            for example in examples:
                click.echo(f"    {sign} {_short(example.title, 64)} ({example.source}): {_short(example.reason, 80)}")
            if total > len(examples) > 0:
                click.echo(f"    {sign} and {total - len(examples)} more")
    for name in made.sources_added:
        click.echo(f"source {name} appears")
    for name in made.sources_removed:
        click.echo(f"source {name} goes; its articles stay until retention takes them")
    for name, told in made.sources_changed:
        click.echo(f"source {name}: {', '.join(told)}")
    for path in made.emptied:
        click.secho(f"{path} becomes empty", fg="yellow")
    for doubt in made.doubts:
        click.secho(f"doubtful: {doubt}", fg="yellow")
    if made.sections:
        click.echo("Articles keep their ids and their places in the order: nothing old comes out as new at the top.")


def _name(one: SectionPlan) -> str:
    name = one.path or "(the whole desk)"
    if one.moved_from:
        return f"{name} (was {one.moved_from})"
    return name if one.state == "stays" else f"{name} ({one.state})"


def _signed(one: SectionPlan) -> str:
    return ", ".join(
        part for part in (f"+{one.enters}" * bool(one.enters), f"-{one.leaves}" * bool(one.leaves)) if part
    )


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
