"""`wiredesk learn`: train the classifier on what rules have filed, and say how well it tells sections apart."""

from __future__ import annotations

import gzip
import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from feeds.cli.common import make_data, need_config, places, with_places
from feeds.engine.lifeline import end_with_parent
from feeds.errors import DeskError

if TYPE_CHECKING:
    from feeds.cli.common import Places
    from feeds.filing.learned.examples import Example
    from feeds.filing.learned.report import Report
    from feeds.settings import Config
    from feeds.store import Store

AT_ONCE = 500
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
    config: str | None,
    data: str | None,
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
        import sklearn  # noqa: F401
    except ImportError as error:
        raise DeskError("learning needs scikit-learn", remedy="`pip install 'wiredesk[learn]'` brings it") from error
    from feeds.engine.accept import ask_for_refiling
    from feeds.filing.learned import MODEL_FILE, save_model
    from feeds.filing.learned.matrix import knows_senses
    from feeds.filing.learned.report import report_of
    from feeds.filing.learned.training import learn as train
    from feeds.store import open_store

    found = places(config, data)
    running, examples = _in_force(found)
    if running is None:
        if not labelled:
            raise DeskError(
                f"no desk has run on {found.data} yet, so there is nothing to learn from",
                remedy="poll first with `wiredesk poll`, or give articles with --labelled",
            )
        running = _from_files(found)
    for path in labelled:
        examples += labelled_examples(path, label, running)
    now = datetime.now(UTC)
    if not knows_senses():
        click.echo(
            "WordLlama is not installed, so words are learned one by one: `pip install 'wiredesk[learn]'`", err=True
        )
    model, trial = train(examples, facts={"learned_at": now.isoformat(timespec="seconds")})
    wanted = {section.path: section.learned_precision for section in running.sections if section.learned_precision}
    report = report_of(model, trial, wanted)
    if as_json:
        click.echo(json.dumps(asdict(report), ensure_ascii=False, indent=2))
    else:
        tell(report, set(wanted), Counter(section for example in examples for section in example.sections))
    if dry_run:
        click.echo("Nothing was written.", err=True)
        return
    words = "what is stored is being filed again by a new model"
    if refile and _has_run(found):
        with open_store(found.database, create=False) as store:
            # Before, for a running desk looks when it takes the model over; after, for it may be filing again now.
            ask_for_refiling(store, words, now=now)
            size = save_model(model, found.data / MODEL_FILE)
            ask_for_refiling(store, words, now=now)
    else:
        make_data(found)
        size = save_model(model, found.data / MODEL_FILE)
    click.echo(f"{found.data / MODEL_FILE}: {size / 1e6:.1f} MB", err=True)


def _in_force(found: Places) -> tuple[Config | None, list[Example]]:
    """The config in force, and the examples that are stored; None and none before a first poll."""
    from feeds.settings import config_from_json
    from feeds.store import open_store

    if not _has_run(found):
        return None, []
    with open_store(found.database, create=False) as store:
        with store.read() as tx:
            stored = tx.configs.current()
        if stored is None:
            return None, []
        running = config_from_json(stored.text)
        return running, list(filed_examples(store, running))


def _has_run(found: Places) -> bool:
    """Whether there are tables in the database; none is made."""
    from feeds.store import Store

    if found.file is not None and not found.file.exists():
        return False
    with Store(found.database) as store:
        return store.revision() is not None


def _from_files(found: Places) -> Config:
    """What the first poll will put in force. Raises ConfigErrors where the files have errors."""
    from feeds.settings import load_config

    need_config(found)
    return load_config(found.config, os.environ)


def filed_examples(store: Store, config: Config) -> Iterator[Example]:
    """What is stored and filed by more than the classifier, by the rules of today; newest first."""
    from feeds.filing import FilingRules
    from feeds.filing.learned.examples import Example, group_of

    filing_rules = FilingRules(config.sections, drops=config.drops)
    before: int | None = None
    at = datetime.now(UTC).timestamp()
    count = 0
    while count < MOST_EXAMPLES:
        with store.read() as tx:
            articles = tx.articles.filed(before, AT_ONCE)
        if not articles:
            return
        before = articles[-1].id
        for article in articles:
            paths: dict[str, None] = {}
            for entry, source in article.entries:
                paths |= {one.section: None for one in filing_rules.place(entry, source) if one.by in TRUSTED}
            if paths and article.entries:
                entry, source = article.entries[0]
                at = entry.published.timestamp() if entry.published else at  # else about when its neighbour was
                count += 1
                yield Example(
                    title=entry.title,
                    text=entry.text,
                    sections=tuple(paths),
                    group=group_of(entry.title, entry.text),
                    source=source.key,
                    authors=tuple(person.name for person in entry.authors),
                    at=at,
                    language=entry.language or config.settings.language,
                )


def labelled_examples(path: Path, label: str | None, config: Config) -> list[Example]:
    """The examples of a file. Raises DeskError for a line that is none, or a section that config lacks."""
    from feeds.filing.learned.examples import example_of

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
        needs = "never sure enough"
        if one.threshold is not None:
            needs = f"{one.threshold:.0%} for {one.wanted:.0%}{' (the floor)' if one.floor else ''}"
        note = "" if one.section in learns else "  (not set to learn)"
        click.echo(
            f"{one.section:<{width}}  {one.support:>8}  {one.precision:>9.3f}  {one.recall:>6.3f}  {one.coverage:>5.0%}"
            f"  {needs}{note}"
        )
        click.echo(f"{'':<{width}}  words: {', '.join(one.words)}")
        for confusion in one.confusions:
            click.echo(f"{'':<{width}}  {confusion.count} taken for {confusion.other}: {_shown(confusion.titles)}")
    few = sorted(section for section in counts if section not in {one.section for one in report.sections})
    if few:
        click.echo(f"Too few articles to learn: {', '.join(f'{section} ({counts[section]})' for section in few)}")


def _shown(titles: Iterable[str]) -> str:
    return "; ".join(repr(title) for title in titles)
