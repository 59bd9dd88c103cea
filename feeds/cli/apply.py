"""`wiredesk apply`: put the config files of this machine in force for all that share the desk."""

from __future__ import annotations

import sys

import click

from feeds.cli import plan
from feeds.cli.common import running_config
from feeds.cli.places import need_config, need_database, places, with_places
from feeds.engine.config_watch import put_in_force
from feeds.engine.startup import now_utc
from feeds.settings import load_config
from feeds.store import open_store


@click.command()
@with_places
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
def apply(config: str | None, data: str | None, dry_run: bool) -> None:
    """Put the config files in force now: for a desk on PostgreSQL, which takes none over from a machine that starts.

    Says first what changes, as `wiredesk plan` does. A running desk goes on by the new version within seconds. With
    --dry-run nothing is changed, and the exit code is 3 where something would. Files with errors change nothing (78).

    \b
      wiredesk apply --dry-run
      wiredesk apply
    """
    found = places(config, data)
    need_config(found)
    need_database(found)
    edited = load_config(found.config, found.environ())
    with open_store(found.database, create=False) as store:
        running = running_config(store)
        if running is not None:
            made = plan.compare(store, found, running, edited)
            plan.tell(made)
        changed = running is None or running.digest != edited.digest
        if dry_run:
            sys.exit(3 if changed else 0)
        accepted = put_in_force(store, edited, found.config, found.environ(), now=now_utc())
    version = accepted.desk.version
    click.echo(f"Version {version} is in force." if changed else f"Version {version} was in force already.")
