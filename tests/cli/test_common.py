"""Tables that fit, in which nothing that a source says commands the terminal."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from feeds.cli.common import show_table

ROWS = [("source", "new", "what to know"), ("東京新聞", "12", "one two three four five six"), ("A", "", "x\ny")]


def test_a_table_in_a_pipe_folds_nothing_and_counts_the_cells_of_wide_characters(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show_table(ROWS, width=None, numbers=(1,))
    assert capsys.readouterr().out.splitlines() == [
        "source    new  what to know",
        "東京新聞   12  one two three four five six",
        "A              x",
        "               y",
    ]


@pytest.mark.parametrize("width", [28, 34, 60])
def test_the_widest_columns_of_a_table_are_folded_until_it_fits(capsys: pytest.CaptureFixture[str], width: int) -> None:
    show_table(ROWS, width=width, numbers=(1,))
    lines = capsys.readouterr().out.splitlines()
    wide = [line.replace("東京新聞", "東 京 新 聞 ") for line in lines]  # a character a cell
    assert max(map(len, wide)) <= width
    words = " ".join(line[15:] for line in wide[1:])
    assert words.split() == "one two three four five six x y".split()


def test_a_source_cannot_command_the_terminal_from_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    show_table([("a\x1b[2Jb\r", "c")], width=80, head=False)
    assert capsys.readouterr().out == "a\N{REPLACEMENT CHARACTER}[2Jb\N{REPLACEMENT CHARACTER}  c\n"


def test_rows_are_coloured_where_somebody_looks() -> None:
    @click.command()
    def command() -> None:
        show_table(ROWS[1:], width=80, head=False, colours=["red", ""])

    coloured = CliRunner().invoke(command, color=True).output.splitlines()
    assert coloured[0].startswith("\x1b[31m") and "\x1b" not in coloured[1]
    assert "\x1b" not in CliRunner().invoke(command).output
