"""`wiredesk check`: judge the config files."""

from __future__ import annotations

import os
import sys

import click

from feeds.cli.places import need_config, places, with_places


@click.command()
@with_places
def check(config: str | None, data: str | None) -> None:
    """Judge the config files: every error at once, with file, line, column and remedy.

    Exits with 0 when they hold (warnings are told), with 78 when they don't.
    """
    from feeds.settings import ConfigErrors, load_config

    found = places(config, data)
    need_config(found)
    try:
        judged = load_config(found.config, os.environ)
    except ConfigErrors as errors:
        for error in errors.errors:
            click.echo(str(error))
        for warning in errors.warnings:
            click.echo(f"{warning} (warning)")
        count = len(errors.errors)
        click.echo(f"{count} error{'s' * (count != 1)}: a running desk keeps its last good config.", err=True)
        sys.exit(78)
    for warning in judged.warnings:
        click.echo(f"{warning} (warning)")
    sections, sources = len(judged.sections), len(judged.sources)
    click.echo(f"{found.config} holds: {sections} sections, {sources} sources, {len(judged.warnings)} warnings.")
