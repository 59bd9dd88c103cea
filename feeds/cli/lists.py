"""`wiredesk sources`, `sections` and `opml`: what the desk has, listed; lists of sources from and for other readers."""

from __future__ import annotations

import json
import sys
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import click

from feeds.cli.common import (
    Places,
    counted,
    judged_files,
    need_config,
    print_json,
    show_table,
    table_width,
    with_json,
    with_places,
)
from feeds.cli.stored import filed_articles, need_running_config, opened
from feeds.condition import SourceState, ago, condition, span
from feeds.configuration import DOCUMENTS, UNFILED, Source
from feeds.engine.startup import now_utc
from feeds.errors import DeskError, SectionNotFound
from feeds.filing import FilingRules
from feeds.filing.names import Signal
from feeds.render.outlines import render_opml
from feeds.settings import Config, ConfigErrors
from feeds.settings.opml_lists import opml_to_lines
from feeds.settings.reports import did_you_mean
from feeds.store import Store
from feeds.urls import masked

POLLS_SHOWN = 10
TESTED = 12
"""Articles that a test shows at most."""


@click.command()
@with_places
@click.argument("name", required=False, metavar="[SOURCE]")
@click.option("--test", is_flag=True, help="Ask SOURCE now and show what it would bring; stores nothing.")
def sources(found: Places, name: str | None, test: bool) -> None:
    """List the sources: how each does, when it is asked next, and why then.

    \b
      wiredesk sources                         all of them
      wiredesk sources "Example World"         this one, with its last polls
      wiredesk sources "Example World" --test  asks it now, stores nothing
    """
    if test and name is None:
        raise click.UsageError("name the SOURCE to --test")
    with opened(found) as store:
        running = need_running_config(store)
        if name is None:
            _list(store)
        elif test:
            key = named_source(store, name)[0].key
            _test(next(one for one in running.sources if one.key == key), running, found)
        else:
            show_source(store, name)


def named_source(store: Store, name: str) -> tuple[Source, SourceState]:
    """The source of this name or id, in whatever case. Raises DeskError, with a guess at what was meant."""
    with store.read() as tx:
        states = tx.sources.all_states()
    wanted = name.casefold()
    for source, state in states:
        if wanted in (source.name.casefold(), source.key.casefold()):
            return source, state
    hint = did_you_mean(name, [source.name for source, _ in states])
    raise DeskError(f"no source {name!r}", remedy=hint or "`wiredesk sources` lists them")


def _list(store: Store) -> None:
    with store.read() as tx:
        states = tx.sources.all_states()
    if not states:
        click.echo("No sources yet: `wiredesk discover URL` prints lines for sources.yaml.")
        return
    now = now_utc()
    rows, colours = [("source", "how it does", "next poll", "why then")], [""]
    for source, state in states:
        how = condition(source, state, now=now)
        text = how.word if how.word in ("fine", "new") else masked(how.text)
        rows.append((source.name, text, _next(source, state, now), masked(state.reason)))
        colours.append("yellow" if how.trouble else "")
    show_table(rows, width=table_width(), colours=colours)
    click.echo(f"{counted(len(states), 'source')}. `wiredesk sources NAME` shows one, --test asks it.")


def show_source(store: Store, name: str) -> None:
    """Print how the source of this name does, with its last polls."""
    source, state = named_source(store, name)
    with store.read() as tx:
        polls = tx.sources.polls(source.id, POLLS_SHOWN)
    now = now_utc()
    how = condition(source, state, now=now)
    click.secho(source.name, bold=True)
    facts = {
        "address": masked(source.target),
        "section": source.section or "by rules and by what the publisher says",
        "state": masked(how.text),
        "what to do": how.remedy,
        "last poll": ago(state.last_poll_at, now),
        "next poll": _next(source, state, now),
        "why then": masked(state.reason),
        "last article": ago(state.last_new_at, now),
    }
    show_table([(word, text) for word, text in facts.items() if text], width=table_width(), head=False)
    if polls:
        rows = [("poll", "outcome", "new", "copies", "what to know")]
        rows += [
            (f"{one.at:%d %b %H:%M}", one.outcome, str(one.new), str(one.copies), masked(one.error)) for one in polls
        ]
        click.echo()
        show_table(rows, width=table_width(), numbers=(2, 3))


def _next(source: Source, state: SourceState, now: datetime) -> str:
    if not source.enabled:
        return "never"
    due = state.next_poll_at
    when = "now" if due is None or due <= now else f"in {span(due - now)}"
    return f"{when}, every {span(timedelta(seconds=state.interval_s))}" if state.interval_s else when


def _test(source: Source, running: Config, found: Places) -> None:
    """Ask *source* as the desk would, with its headers, and print what that brings."""
    # A fifth of the start, and lists need none of it.
    from feeds.cli.discover import asking
    from feeds.cli.preview import request_of, show, show_documents

    if source.kind in DOCUMENTS:
        show_documents(source, running, found, TESTED)
        return
    with asking(running.settings) as fetcher:
        answer = fetcher.fetch(request_of(source))
    show(answer, source, running, found, TESTED)


KINDS = ("breadcrumb", "category", "path")


@click.command()
@with_places
@click.option("--unmapped", is_flag=True, help="List what publishers call their sections and no section is.")
@click.option("--all", "everything", is_flag=True, help="With --unmapped: over all articles, not the unfiled alone.")
@click.option("--least", type=click.IntRange(1), default=2, show_default=True, help="Leave out rarer ones.")
@with_json
def sections(found: Places, unmapped: bool, everything: bool, least: int, as_json: bool) -> None:
    """List the sections with their articles; with --unmapped, publishers' words that mean none of them.

    These are lines to be pasted under the `match:` of a section in sections.yaml.
    """
    with opened(found) as store:
        running = need_running_config(store)
        if unmapped:
            tell_unmapped(count_unmapped(store, running, everything), least, as_json)
            return
        with store.read() as tx:
            rows = tx.sections.all()
            counts = tx.sections.counts()
    if as_json:
        print_json([{"path": row.path, "title": row.title, "articles": counts.get(row.path, 0)} for row in rows])
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
        print_json(
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
        _print_terms(kind, [one for one in kept if one[0].kind == kind])
    if rare := len(found) - len(kept):
        click.echo(f"# {rare} more in fewer than {least} articles: --least 1 lists them.")


def _print_terms(kind: str, rows: list[tuple[Signal, int, str]]) -> None:
    # As YAML reads them back, whatever stands in them: JSON's way to quote is one of YAML's.
    values = [json.dumps(signal.value, ensure_ascii=False) for signal, _, _ in rows]
    width = min(max(map(len, values), default=0), 60)
    for value, (_, count, title) in zip(values, rows, strict=True):
        example = " ".join(title.split())[:60]
        click.echo(f"- {kind}: {value:<{width}}  # {counted(count, 'article')}, such as {example}")


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
def import_(found: Places, files: tuple[Path, ...]) -> None:
    """Print the feeds of OPML lists as lines for sources.yaml.

    FILE is a list, - standard input. Nothing is changed.

    A folder that is called like one of your sections gives its feeds a `section:`. What can't be a source comes as a
    comment with the reason; what you have already is left out.

    \b
      wiredesk opml import feeds.opml                             look first
      wiredesk opml import feeds.opml >> config/sources.yaml      then take it over
      wiredesk check
    """
    present = Config()
    if found.config.is_dir():
        try:
            present = judged_files(found)
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
def export(found: Places, output: Path | None, section: str | None) -> None:
    """Print your feeds as an OPML 2.0 list, for any other reader.

    Each section is a folder of it. Secrets never leave: an address that takes one from the environment is listed with
    its name, not its value.
    """
    need_config(found)
    judged = judged_files(found)
    sources = judged.sources
    if section is not None:
        if section not in {each.path for each in judged.sections}:
            raise SectionNotFound(section)
        sources = tuple(each for each in sources if f"{each.section}/".startswith(f"{section}/"))
    settings = judged.settings
    document = render_opml(settings.title, sources, judged.sections, updated=now_utc(), owner_url=settings.base_url)
    if output is None:
        click.echo(document.decode())
    else:
        output.write_bytes(document)
    feeds = sum(source.kind == "feed" for source in sources)
    others = len(sources) - feeds
    none = counted(others, "page, sitemap or folder is", "pages, sitemaps or folders are")
    click.echo(f"{counted(feeds, 'feed')}{f' ({none} none)' if others else ''}.", err=True)
