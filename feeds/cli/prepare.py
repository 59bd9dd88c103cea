"""What must be so before a desk starts: a database of this release, a config to run on. I/O: the store, files."""

from __future__ import annotations

import sys

import click

from feeds.cli.common import upgrade
from feeds.cli.places import Places
from feeds.engine.config_watch import accept, stored_version
from feeds.engine.startup import now_utc
from feeds.engine.supervisor import CONFIG_EXIT
from feeds.settings import ConfigErrors, first_lines
from feeds.store import open_store


def prepare(found: Places) -> None:
    """Migrate the database and see that there is a config to run on; exits with 78 where there is none."""
    try:
        with open_store(found.database) as store:
            upgrade(store, found, now_utc())
            if stored_version(store) == 0:
                # Else the ingest process takes the files over, when it is its turn to poll.
                accept(store, found.config, found.environ(), now=now_utc())
    except ConfigErrors as errors:
        sys.exit(refuse(found, errors))


def refuse(found: Places, errors: ConfigErrors) -> int:
    """Tell of files that no desk can start on; gives the exit code."""
    for line in first_lines(errors.errors):
        click.echo(line, err=True)
    count = len(errors.errors)
    click.echo(f"wiredesk: {count} error{'s' * (count != 1)} in {found.config}; mend and start again", err=True)
    return CONFIG_EXIT
