"""`wiredesk check`: judge the config files."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from feeds.cli.places import need_config, places, with_places
from feeds.cli.tables import counted

if TYPE_CHECKING:
    from feeds.settings import ConfigWarning


@click.command()
@with_places
def check(config: str | None, data: str | None) -> None:
    """Judge the config files: every error at once, with file, line, column and remedy.

    Nothing is changed, no database is needed; where a desk has run, keywords are held against what it stores. Exits
    with 0 when they hold (warnings are told), with 78 when not.

    \b
      wiredesk check
      wiredesk check --config /etc/wiredesk
    """
    from feeds.settings import ConfigErrors, first_lines, load_config

    found = places(config, data)
    need_config(found)
    try:
        judged = load_config(found.config, os.environ)
    except ConfigErrors as errors:
        for line in first_lines(errors.errors):
            click.echo(line)
        _warn(errors.warnings)
        click.echo(f"{counted(len(errors.errors), 'error')}: a running desk keeps its last good config.", err=True)
        sys.exit(78)
    from feeds.cli.common import common_warnings

    warnings = [*judged.warnings, *common_warnings(found, judged.sections)]
    _warn(warnings)
    told = (
        counted(len(judged.sections), "section"),
        counted(len(judged.sources), "source"),
        counted(len(warnings), "warning"),
    )
    click.echo(f"{found.config} holds: {', '.join(told)}.")


def _warn(warnings: Sequence[ConfigWarning]) -> None:
    """Warnings apart: they keep nothing back."""
    if warnings:
        click.secho("Allowed, but hardly meant:", bold=True)
        from feeds.settings import first_lines

        for line in first_lines(warnings):
            click.echo(f"  {line}")
