"""`wiredesk sections` and `opml`: the section tree and what is in it; lists of sources from and for other readers."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

import click

from feeds.cli.common import counted, filed_articles, need_running_config
from feeds.cli.places import need_config, need_database, places, with_places
from feeds.configuration import UNFILED
from feeds.engine.startup import now_utc
from feeds.errors import SectionNotFound
from feeds.filing import FilingRules
from feeds.filing.names import Signal
from feeds.render.outlines import render_opml, source_outlines
from feeds.settings import Config, ConfigErrors, load_config
from feeds.settings.opml_lists import opml_to_lines
from feeds.store import Store, open_store

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
    found = places(config, data)
    need_database(found)
    with open_store(found.database, create=False) as store:
        running = need_running_config(store)
        if unmapped:
            tell_unmapped(count_unmapped(store, running, everything), least, as_json)
            return
        with store.read() as tx:
            rows = tx.sections.all()
            counts = tx.sections.counts()
    if as_json:
        _print_json([{"path": row.path, "title": row.title, "articles": counts.get(row.path, 0)} for row in rows])
        return
    for row in rows:
        depth = row.path.count("/") if row.path else 0
        click.echo(f"{counts.get(row.path, 0):>7}  {'  ' * depth}{row.path or '(the whole desk)'}  {row.title}")


def count_unmapped(store: Store, config: Config, everything: bool) -> dict[Signal, tuple[int, str]]:
    """What publishers say that means no section: how many articles say it, and the title of one."""
    filing_rules = FilingRules(config.sections, drops=config.drops)
    counts: Counter[Signal] = Counter()
    titles: dict[Signal, str] = {}
    for article in filed_articles(store):
        unmapped: dict[Signal, str] = {}
        filed = False
        for entry, source in article.entries:
            filed |= all(one.section != UNFILED for one in filing_rules.place(entry, source))
            unmapped |= dict.fromkeys(filing_rules.unmapped(entry), entry.title)
        if everything or not filed:
            counts.update(unmapped.keys())
            titles |= unmapped
    return {signal: (count, titles[signal]) for signal, count in counts.most_common()}


def tell_unmapped(found: dict[Signal, tuple[int, str]], least: int, as_json: bool) -> None:
    """Print what was counted, ready to be pasted."""
    kept = [(signal, count, title) for signal, (count, title) in found.items() if count >= least]
    if as_json:
        _print_json(
            [
                {"kind": signal.kind, "value": signal.value, "articles": count, "example": title}
                for signal, count, title in kept
            ]
        )
        return
    if not kept:
        click.echo("# Nothing: all that publishers say of their sections is filed.")
        return
    click.echo("# Paste what belongs in a section under its `match: any:` in sections.yaml.")
    for kind in KINDS:
        _print_terms(kind, {signal: found[signal] for signal, _, _ in kept if signal.kind == kind})
    rare = len(found) - len(kept)
    if rare:
        click.echo(f"# {rare} more in fewer than {least} articles: --least 1 lists them.")


def _print_terms(kind: str, found: dict[Signal, tuple[int, str]]) -> None:
    # As YAML reads them back, whatever stands in them: JSON's way to quote is one of YAML's.
    values = {signal: json.dumps(signal.value, ensure_ascii=False) for signal in found}
    width = min(max(map(len, values.values()), default=0), 60)
    for signal, (count, title) in found.items():
        plural = "article" if count == 1 else "articles"
        example = " ".join(title.split())[:60]
        click.echo(f"- {kind}: {values[signal]:<{width}}  # {count} {plural}, such as {example}")


def _print_json(rows: list[dict[str, object]]) -> None:
    click.echo(json.dumps(rows, ensure_ascii=False, indent=2))


# --------------------------------------------------------------------------- opml

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
    found = places(config, data)
    present = Config()
    if found.config.is_dir():
        try:
            present = load_config(found.config, found.environ())
        except ConfigErrors as errors:
            count = counted(len(errors.errors), "error")
            click.echo(
                f"{found.config} has {count}, so its sections and sources are not known;"
                " `wiredesk check` says what is wrong",
                err=True,
            )
    bodies = [
        ("standard input", sys.stdin.buffer.read()) if str(file) == "-" else (file.name, file.read_bytes())
        for file in files
    ]
    lines = opml_to_lines(bodies, sections=present.sections, present=present.sources)
    click.echo(lines.text, nl=False)
    notes = [counted(lines.sources, "source")]
    notes += [f"{lines.known} that you have already left out"] if lines.known else []
    notes += [f"{lines.refused} that no source can be, told as comments"] if lines.refused else []
    click.echo(f"{', '.join(notes)}.", err=True)


@opml.command()
@with_places
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write to this file instead of printing.")
@click.option("--section", metavar="PATH", help="Only the feeds of this section and those below it.")
def export(config: str | None, data: str | None, output: Path | None, section: str | None) -> None:
    """Print your feeds as an OPML 2.0 list, for any other reader.

    Each section is a folder of it. Secrets never leave: an address that takes one from the environment is listed with
    its name, not its value.
    """
    found = places(config, data)
    need_config(found)
    judged = load_config(found.config, found.environ())
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
    none = counted(others, "page, sitemap or folder is", "pages, sitemaps or folders are")
    click.echo(f"{counted(feeds, 'feed')}{f' ({none} none)' if others else ''}.", err=True)
