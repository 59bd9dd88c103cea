"""`wiredesk sections`: the section tree with what is in it, and what publishers say that means no section yet."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

import click

from feeds.cli.places import need_database, places, with_places
from feeds.errors import DeskError

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
    from feeds.filing import Cabinet
    from feeds.model import UNFILED

    cabinet = Cabinet(config.sections, drops=config.drops)
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
                filed |= all(one.section != UNFILED for one in cabinet.place(entry, source))
                told |= dict.fromkeys(cabinet.unmapped(entry), entry.title)
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
