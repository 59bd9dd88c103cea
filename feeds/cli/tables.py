"""How commands print: tables that fit the terminal, colour on a terminal alone (and never with NO_COLOR). I/O."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

PIPED_WIDTH = 120
NARROW = 70
"""Below this width a table tells less rather than in shreds."""


def console() -> Console:
    """Standard output as rich knows it; a pipe is wide, for nobody looks at it through a window."""
    from rich.console import Console

    if sys.stdout.isatty() or "COLUMNS" in os.environ:
        return Console(highlight=False)
    return Console(highlight=False, width=PIPED_WIDTH)


def show(renderable: RenderableType, on: Console) -> None:
    """Print *renderable* without the blanks with which tables fill their lines."""
    with on.capture() as captured:
        on.print(renderable)
    click.echo("\n".join(line.rstrip() for line in captured.get().rstrip("\n").split("\n")), color=True)


def counted(count: int, one: str, many: str = "") -> str:
    """*count* with its noun.

    >>> counted(1, "copy", "copies"), counted(1200, "article")
    ('1 copy', '1,200 articles')
    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"
