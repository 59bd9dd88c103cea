"""`wiredesk learn`: train the classifier on what rules have filed, and say how well it tells sections apart."""

from __future__ import annotations

import gzip
import json
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import click

from feeds.cli.common import Places, judged_files, make_data, need_config, print_json, with_places
from feeds.cli.stored import filed_articles, has_run, running_config
from feeds.engine.config_in_force import ask_for_refiling
from feeds.engine.liveness import end_with_parent
from feeds.errors import DeskError
from feeds.filing import FilingRules
from feeds.filing.examples import Example, Report, SectionReport, example_of, group_of, report_of
from feeds.filing.text_model import Model, model_to_bytes
from feeds.settings import Config
from feeds.store import Store, open_store

MOST_EXAMPLES = 200_000
TRUSTED = frozenset({"rule", "breadcrumb", "category", "path", "source"})
"""What the classifier learns from: never from what it filed itself."""


@click.command()
@with_places
@click.option(
    "--labelled",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="JSON lines (also .gz) of articles with their sections' paths; may be given several times.",
)
@click.option("--label", help="The field of these that holds a section, or a list of them [default: label].")
@click.option("--dry-run", is_flag=True, help="Report, and keep the model in use.")
@click.option("--refile", is_flag=True, help="File what is stored again by the new model, at its place in the order.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON, for programs.")
def learn(
    found: Places,
    labelled: tuple[Path, ...],
    label: str | None,
    dry_run: bool,
    refile: bool,
    as_json: bool,
) -> None:
    """Train the classifier on what rules, breadcrumbs and categories have filed.

    It files what no rule files, in sections with `learned: {precision: 0.95}`, where it is sure enough. The report
    is about articles that it had not seen. A running desk takes the new model over by itself, for what comes from
    then on; what is stored stays where it is, unless --refile asks the model about it too.
    """
    if "WIREDESK_PARENT" in os.environ:
        end_with_parent(int(os.environ["WIREDESK_PARENT"]))
    try:
        # By scikit-learn and SciPy, which need not be installed.
        from feeds.filing.matrix import knows_senses
        from feeds.filing.training import learn as train
    except ImportError as error:
        raise DeskError("learning needs scikit-learn", remedy="`bin/install learn` brings it") from error

    running, examples = _examples(found, labelled, label)
    now = datetime.now(UTC)
    if not knows_senses():
        click.echo(
            "WordLlama is not installed, so words are learned one by one: `bin/install learn` brings it", err=True
        )
    model, trial = train(examples, facts={"learned_at": now.isoformat(timespec="seconds")})
    wanted = {section.path: section.learned_precision for section in running.sections if section.learned_precision}
    report = report_of(model, trial, wanted)
    if as_json:
        print_json(report)
    else:
        tell(report, set(wanted), Counter(section for example in examples for section in example.sections))
    if dry_run:
        click.echo("Nothing was written.", err=True)
        return
    size = _save(model, found, refile=refile, now=now)
    click.echo(f"The model is in the database: {size / 1e6:.1f} MB", err=True)


def _save(model: Model, found: Places, *, refile: bool, now: datetime) -> int:
    """Put *model* in the place of the one in use, with *refile* have all filed again by it; its size in bytes."""
    body = model_to_bytes(model)
    refile = refile and has_run(found)
    make_data(found)
    with open_store(found.database) as store, store.write() as tx:
        tx.models.put(body, now)
        if refile:
            ask_for_refiling(tx, "what is stored is being filed again by a new model", now=now)
    return len(body)


def _examples(found: Places, labelled: Sequence[Path], label: str | None) -> tuple[Config, list[Example]]:
    """The config in force, else that of the files, with all examples: those stored, and those in *labelled* files."""
    running, examples = _in_force(found)
    if running is None and not labelled:
        raise DeskError(
            f"no desk has run on {found.data} yet, so there is nothing to learn from",
            remedy="poll first with `wiredesk poll`, or give articles with --labelled",
        )
    if running is None:
        need_config(found)
        running = judged_files(found)
    for path in labelled:
        examples += labelled_examples(path, label, running)
    return running, examples


def _in_force(found: Places) -> tuple[Config | None, list[Example]]:
    """The config in force, and the newest examples that are stored; None and none before a first poll."""
    if not has_run(found):
        return None, []
    with open_store(found.database, create=False) as store:
        running = running_config(store)
        stored = filed_examples(store, running) if running is not None else ()
        return running, list(islice(stored, MOST_EXAMPLES))


def filed_examples(store: Store, config: Config) -> Iterator[Example]:
    """What is stored and filed by more than the classifier, by the rules of today; newest first."""
    filing_rules = FilingRules(config.sections, drops=config.drops)
    at = datetime.now(UTC).timestamp()
    for article in filed_articles(store):
        placements = (one for entry, source in article.entries for one in filing_rules.place(entry, source))
        paths = tuple(dict.fromkeys(one.section for one in placements if one.by in TRUSTED))
        if not paths:
            continue
        entry, source = article.entries[0]
        at = entry.published.timestamp() if entry.published else at  # else about when its neighbour was
        yield Example(
            title=entry.title,
            text=entry.text,
            sections=paths,
            group=group_of(entry.title, entry.text),
            source=source.key,
            authors=tuple(person.name for person in entry.authors),
            at=at,
            language=entry.language or config.settings.language,
        )


def labelled_examples(path: Path, label: str | None, config: Config) -> list[Example]:
    """The examples of a file. Raises DeskError for a line that is none, or a section that config lacks."""
    paths = {section.path for section in config.sections}
    found = []
    for number, row in enumerate(_rows(path), 1):
        try:
            example = example_of(row, label)
        except DeskError as error:
            raise DeskError(f"{path}:{number}: {error.cause}", remedy=error.remedy) from error
        unknown = [section for section in example.sections if section not in paths]
        if unknown:
            raise DeskError(
                f"{path}:{number}: no section {unknown[0]!r}", remedy="write the paths of sections, such as news/world"
            )
        found.append(example)
    return found


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    try:
        with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    row = json.loads(line)
                    if not isinstance(row, dict):
                        raise DeskError(f"{path}:{number}: no JSON object", remedy="write one object a line")
                    yield row
    except (OSError, ValueError) as error:
        raise DeskError(f"{path}: {error}", remedy="write one JSON object a line, UTF-8") from error


def tell(report: Report, learns: set[str], counts: Counter[str]) -> None:
    """Print the report for people."""
    click.echo(
        f"{report.articles} articles. Of those held back {report.right:.1%} told right; at 95 % precision "
        f"{report.coverage:.1%} filed; probabilities off by {report.error:.1%}."
    )
    width = max((len(one.section) for one in report.sections), default=0)
    click.secho(f"{'section':<{width}}  articles  precision  recall  files  needs", bold=True)
    for one in report.sections:
        note = "" if one.section in learns else "  (not set to learn)"
        click.echo(
            f"{one.section:<{width}}  {one.support:>8}  {one.precision:>9.3f}  {one.recall:>6.3f}  {one.coverage:>5.0%}"
            f"  {_needs(one)}{note}"
        )
        click.echo(f"{'':<{width}}  words: {', '.join(one.words)}")
        for confusion in one.confusions:
            titles = "; ".join(map(repr, confusion.titles))
            click.echo(f"{'':<{width}}  {confusion.count} taken for {confusion.other}: {titles}")
    learned = {one.section for one in report.sections}
    few = sorted(section for section in counts if section not in learned)
    if few:
        click.echo(f"Too few articles to learn: {', '.join(f'{section} ({counts[section]})' for section in few)}")


def _needs(section: SectionReport) -> str:
    """How sure the classifier has to be before it files into *section*."""
    if section.threshold is None:
        return "never sure enough"
    return f"{section.threshold:.0%} for {section.wanted:.0%}{' (the floor)' if section.floor else ''}"
