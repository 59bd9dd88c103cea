"""`wiredesk export`: the whole site as files, for any web server or bucket."""

from __future__ import annotations

from pathlib import Path

import click

from feeds.cli.places import need_database, places, with_places
from feeds.engine.entrance import now_utc
from feeds.errors import DeskError


@click.command()
@with_places
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.option("--no-archives", is_flag=True, help="Leave out the past: archive pages, pages of older articles.")
def export(config: str | None, data: str | None, folder: Path, no_archives: bool) -> None:
    """Write every document, page and archive below DIR, compressed too, as a web server gives them away.

    Files are replaced whole and only where they changed; what the last export wrote and this one does not is removed,
    other files are left alone. docs/nginx.md shows a server for it. Works beside a running desk.
    """
    from feeds.cli.site_files import write_site
    from feeds.publish import publish
    from feeds.settings import config_from_json
    from feeds.store import open_store

    found = places(config, data)
    need_database(found)
    store = open_store(found.database)
    try:
        with store.read() as tx:
            stored = tx.configs.current()
        if stored is None:
            raise DeskError("no config was ever accepted here", remedy="poll once with `wiredesk poll`")
        accepted = config_from_json(stored.text)
        publish(store, accepted.settings, accepted.sections, now=now_utc(), most_archived=None)
    finally:
        store.close()
    written = write_site(found.database, folder, archives=not no_archives)
    click.echo(
        f"{folder}: {written.changed} files written, {written.same} unchanged, {written.removed} removed"
        f" ({written.addresses} addresses)."
    )
