"""`wiredesk poll`: asked first is whether anything is due, before what polls is loaded."""

from __future__ import annotations

import gc
import logging
import os
import sys

import click

from feeds import files
from feeds.cli import importing
from feeds.cli.common import Places, make_data, need_config, with_places
from feeds.engine.startup import now_utc, set_up_logging, tell_address
from feeds.errors import StoreError
from feeds.settings import config_from_json, judged_before
from feeds.store.at_rest import config_at_rest


@click.command()
@with_places
@click.argument("sources", nargs=-1, metavar="[SOURCE ...]")
@click.option("--now", "everything", is_flag=True, help="Poll all sources, due or not (still conditionally).")
@click.option("--force", is_flag=True, help="Ask even where a Retry-After has not passed.")
@click.option("-v", "--verbose", is_flag=True, help="Log each poll.")
def poll(found: Places, sources: tuple[str, ...], everything: bool, force: bool, verbose: bool) -> None:
    """Poll once what is due, or the named sources at once, and publish what changed.

    Works beside a running desk. Exits with 1 when a source failed.

    \b
      wiredesk poll                    what is due
      wiredesk poll "Example World"    this one at once, due or not
      wiredesk poll --now              all of them, conditionally: most answer "nothing new"
    """
    set_up_logging(os.environ, verbose=verbose, quiet=not verbose)
    if not verbose:
        logging.getLogger("feeds.ingest").setLevel(logging.ERROR)  # the table tells what failed
    need_config(found)
    make_data(found)
    files.use_cache(found.tables)
    try:
        if not (sources or everything) and _rests(found):
            click.echo("Nothing is due.")
            return
        with importing():
            from feeds.cli.polling import poll_once  # three quarters of the start

        if not poll_once(found, sources, everything=everything, force=force):
            sys.exit(1)
    finally:
        gc.freeze()  # this process ends: to look through all that it holds first frees nothing


def _rests(found: Places) -> bool:
    """Whether nothing is due on a desk whose files are in force, and nothing is to be told of them."""
    text = config_at_rest(found.file, now_utc()) if found.file is not None else None
    if text is None:
        return False
    try:
        config = config_from_json(text)
    except StoreError:
        return False
    if config.warnings or not judged_before(config, found.config, found.environ()):
        return False
    tell_address(config.settings, os.environ)
    return True
