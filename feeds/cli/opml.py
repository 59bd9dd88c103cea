"""`wiredesk opml import` and `opml export`: subscription lists of other readers, both ways."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from feeds.cli.places import need_config, places, with_places
from feeds.cli.tables import counted
from feeds.errors import SectionNotFound

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
    from feeds.settings.opml_lines import opml_to_lines

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
    from feeds.render.opml import render_opml, source_outlines
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
