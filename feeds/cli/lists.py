"""`wiredesk sections` and `opml`: the section tree and what is in it; lists of sources from and for other readers."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from feeds.cli.common import counted, need_config, need_database, places, with_places
from feeds.errors import DeskError, SectionNotFound

if TYPE_CHECKING:
    from feeds.filing.names import Signal
    from feeds.settings import Config
    from feeds.store import Store


AT_ONCE = 500
KINDS = ("breadcrumb", "category", "path")


@click.command()
@with_places
@click.option("--unmapped", is_flag=True, help="List what publishers call their sections and no section is.")
@click.option("--all", "everything", is_flag=True, help="With --unmapped: over all articles, not the unfiled alone.")
@click.option("--least", type=click.IntRange(1), default=2, show_default=True, help="Leave out rarer ones.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
def sections(config: str | None, data: str | None, unmapped: bool, everything: bool, least: int, as_json: bool) -> None:
    """List the sections with their articles; with --unmapped, publishers' words that mean none of them.

    These are lines to be pasted under the `match:` of a section in sections.yaml.
    """
    from feeds.settings import config_from_json
    from feeds.store import open_store

    found = places(config, data)
    need_database(found)
    with open_store(found.database, create=False) as store:
        with store.read() as tx:
            stored = tx.configs.current()
            rows = tx.sections.all()
            counts = tx.sections.counts()
        if stored is None:
            raise DeskError("no config is in force yet", remedy="start with `wiredesk poll` or `wiredesk run`")
        if unmapped:
            tell_unmapped(count_unmapped(store, config_from_json(stored.text), everything), least, as_json)
            return
    if as_json:
        told = [{"path": row.path, "title": row.title, "articles": counts.get(row.path, 0)} for row in rows]
        click.echo(json.dumps(told, ensure_ascii=False, indent=2))
        return
    for row in rows:
        depth = row.path.count("/") if row.path else 0
        click.echo(f"{counts.get(row.path, 0):>7}  {'  ' * depth}{row.path or '(the whole desk)'}  {row.title}")


def count_unmapped(store: Store, config: Config, everything: bool) -> dict[Signal, tuple[int, str]]:
    """What publishers say that means no section: how many articles say it, and the title of one."""
    from feeds.filing import FilingRules
    from feeds.model import UNFILED

    filing_rules = FilingRules(config.sections, drops=config.drops)
    counts: Counter[Signal] = Counter()
    titles: dict[Signal, str] = {}
    before: int | None = None
    while True:
        with store.read() as tx:
            articles = tx.articles.filed(before, AT_ONCE)
        if not articles:
            return {signal: (count, titles[signal]) for signal, count in counts.most_common()}
        before = articles[-1].id
        for article in articles:
            told: dict[Signal, str] = {}
            filed = False
            for entry, source in article.entries:
                filed |= all(one.section != UNFILED for one in filing_rules.place(entry, source))
                told |= dict.fromkeys(filing_rules.unmapped(entry), entry.title)
            if everything or not filed:
                counts.update(told.keys())
                titles |= told


def tell_unmapped(found: dict[Signal, tuple[int, str]], least: int, as_json: bool) -> None:
    """Print what was counted, ready to be pasted."""
    kept = {signal: told for signal, told in found.items() if told[0] >= least}
    if as_json:
        rows = [
            {"kind": signal.kind, "value": signal.value, "articles": count, "example": title}
            for signal, (count, title) in kept.items()
        ]
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    if not kept:
        click.echo("# Nothing: all that publishers say of their sections is filed.")
        return
    click.echo("# Paste what belongs in a section under its `match: any:` in sections.yaml.")
    for kind in KINDS:
        mine = {signal.value: told for signal, told in kept.items() if signal.kind == kind}
        width = max((len(_quoted(value)) for value in mine), default=0)
        for value, (count, title) in mine.items():
            plural = "article" if count == 1 else "articles"
            click.echo(f"- {kind}: {_quoted(value):<{min(width, 60)}}  # {count} {plural}, such as {_remark(title)}")
    rare = len(found) - len(kept)
    if rare:
        click.echo(f"# {rare} more in fewer than {least} articles: --least 1 lists them.")


def _quoted(value: str) -> str:
    """*value* as YAML reads it back, whatever stands in it: JSON's way to quote is one of YAML's."""
    return json.dumps(value, ensure_ascii=False)


def _remark(title: str) -> str:
    return " ".join(title.split())[:60]


LIST = click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True)


@click.group()
def opml() -> None:
    """Take over a subscription list of another reader, or give yours to one.

    \b
      wiredesk opml import feeds.opml >> config/sources.yaml
      wiredesk opml export -o desk.opml
    """


@opml.command(name="import")
@with_places
@click.argument("files", nargs=-1, required=True, metavar="FILE ...", type=LIST)
def import_(config: str | None, data: str | None, files: tuple[Path, ...]) -> None:
    """Print the feeds of OPML lists as lines for sources.yaml.

    FILE is a list, - standard input. Nothing is changed.

    A folder that is called like one of your sections gives its feeds a `section:`. What can't be a source comes as a
    comment with the reason; what you have already is left out.

    \b
      wiredesk opml import feeds.opml                             look first
      wiredesk opml import feeds.opml >> config/sources.yaml      then take it over
      wiredesk check
    """
    from feeds.settings import Config, ConfigErrors, load_config
    from feeds.settings.opml_lists import opml_to_lines

    found = places(config, data)
    present = Config()
    if found.config.is_dir():
        try:
            present = load_config(found.config, os.environ)
        except ConfigErrors as errors:
            told = (
                f"{found.config} has {counted(len(errors.errors), 'error')}, so its sections and sources are not known"
            )
            click.echo(f"{told}; `wiredesk check` says what is wrong", err=True)
    bodies = [(_name(file), sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()) for file in files]
    lines = opml_to_lines(bodies, sections=present.sections, present=present.sources)
    click.echo(lines.text, nl=False)
    notes = [counted(lines.sources, "source")]
    notes += [f"{lines.known} that you have already left out"] if lines.known else []
    notes += [f"{lines.refused} that no source can be, told as comments"] if lines.refused else []
    click.echo(f"{', '.join(notes)}.", err=True)


def _name(file: Path) -> str:
    return "standard input" if str(file) == "-" else file.name


@opml.command()
@with_places
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write to this file instead of printing.")
@click.option("--section", metavar="PATH", help="Only the feeds of this section and those below it.")
def export(config: str | None, data: str | None, output: Path | None, section: str | None) -> None:
    """Print your feeds as an OPML 2.0 list, for any other reader.

    Each section is a folder of it. Secrets never leave: an address that takes one from the environment is listed with
    its name, not its value.
    """
    from feeds.engine.entrance import now_utc
    from feeds.render.outlines import render_opml, source_outlines
    from feeds.settings import load_config

    found = places(config, data)
    need_config(found)
    judged = load_config(found.config, os.environ)
    sources = judged.sources
    if section is not None:
        if section not in {each.path for each in judged.sections}:
            raise SectionNotFound(section)
        sources = tuple(each for each in sources if f"{each.section}/".startswith(f"{section}/"))
    outlines = source_outlines(sources, judged.sections)
    document = render_opml(judged.settings.title, outlines, updated=now_utc(), owner_url=judged.settings.base_url)
    if output is None:
        click.echo(document.decode())
    else:
        output.write_bytes(document)
    feeds = sum(source.kind == "feed" for source in sources)
    others = len(sources) - feeds
    kept = (
        f" ({counted(others, 'page, sitemap or folder is', 'pages, sitemaps or folders are')} none)" if others else ""
    )
    click.echo(f"{counted(feeds, 'feed')}{kept}.", err=True)
