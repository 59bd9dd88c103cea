"""How commands print: tables that fit the terminal, colour on a terminal alone (and never with NO_COLOR). I/O."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

PIPED_WIDTH = 120
NARROW = 70
"""Below this width a table tells less rather than in shreds."""


def on_terminal() -> bool:
    """Whether what is printed has to fit a width: that of a terminal, or one that is named."""
    return sys.stdout.isatty() or "COLUMNS" in os.environ


def console() -> Console:
    """Standard output as rich knows it; a pipe is wide, for nobody looks at it through a window."""
    from rich.console import Console

    if on_terminal():
        return Console(highlight=False)
    return Console(highlight=False, width=PIPED_WIDTH)


def show(renderable: RenderableType, on: Console) -> None:
    """Print *renderable* without the blanks with which tables fill their lines."""
    with on.capture() as captured:
        on.print(renderable)
    click.echo("\n".join(line.rstrip() for line in captured.get().rstrip("\n").split("\n")), color=True)


def show_plainly(rows: Sequence[Sequence[str]], *, numbers: Collection[int] = ()) -> None:
    """Print *rows*, the first a heading, in columns; those of *numbers* end together. No cell is folded."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            cell.rjust(width) if at in numbers else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        click.echo("  ".join(cells).rstrip())


def counted(count: int, one: str, many: str = "") -> str:
    """*count* with its noun.

    >>> counted(1, "copy", "copies"), counted(1200, "article")
    ('1 copy', '1,200 articles')
    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"
