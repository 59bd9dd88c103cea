"""`wiredesk init`: config files to start from, those that are shipped."""

from __future__ import annotations

import shutil
from pathlib import Path

import click

import feeds
from feeds.errors import DeskError
from feeds.settings.judging import write_schemas

PACKAGE = Path(feeds.__file__).parent
SHIPPED = next(
    (folder for folder in (PACKAGE / "starting", PACKAGE.parent / "config") if folder.is_dir()), PACKAGE / "starting"
)
"""Within the package where it is installed from a wheel, beside it in a checkout."""
SCHEMAS = "$schema=../docs/schema/", "$schema=schema/"
"""Where the first line of a shipped file leads editors to, and where its copy does."""


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
def init(folder: Path) -> None:
    """Write config files to start from into DIR/config: a desk, a tree of sections, some public feeds.

    Refuses where DIR/config is there already. DIR is made where it is not there.

    \b
      wiredesk init wire
      cd wire && wiredesk run
    """
    if not SHIPPED.is_dir():
        raise DeskError(f"{SHIPPED} is not there", remedy="install the package anew; docs/config.md shows all files")
    target = folder / "config"
    if target.exists():
        raise DeskError(f"{target} is there already", remedy="name another folder, or move that one away")
    shutil.copytree(SHIPPED, target, ignore=shutil.ignore_patterns(".*", "__pycache__"))
    for file in target.glob("*.yaml"):
        file.write_text(file.read_text(encoding="utf-8").replace(*SCHEMAS), encoding="utf-8")
    write_schemas(target / "schema")
    click.echo(f"Wrote {target}. Go on with: cd {folder} && wiredesk run")
