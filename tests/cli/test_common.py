"""Where the desk lives; tables that fit, in which nothing that a source says commands the terminal."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from feeds.cli.common import database_name, places, show_table, tell_database


@pytest.mark.parametrize("data", [None, "/srv/files"])
def test_the_database_that_the_environment_names_is_used_beside_any_data_folder(data: str | None) -> None:
    named = "postgresql://desk:secret@db.example:5433/wire?sslmode=require"
    found = places(None, data, {"WIREDESK_DATABASE": named, "WIREDESK_DATA": "/srv/others"})
    assert found.database == named
    assert found.data == Path(data or "/srv/others")
    assert not found.embedded
    assert found.environ()["WIREDESK_DATABASE"] == named


def test_without_one_it_is_a_file_in_the_data_folder() -> None:
    for environ in ({}, {"WIREDESK_DATABASE": " "}):
        assert places(None, "/srv/files", environ).file == Path("/srv/files/desk.sqlite3")


def test_a_start_says_which_database_it_uses_and_never_its_password(capsys: pytest.CaptureFixture[str]) -> None:
    named = "postgresql://desk:hunter2@db.example:5433/wire?password=hunter3"
    tell_database(places(None, "/srv/files", {"WIREDESK_DATABASE": named}))
    said = capsys.readouterr().err
    assert "postgresql://db.example:5433/wire" in said
    assert "/srv/files" in said
    assert "hunter" not in said
    tell_database(places(None, "/srv/files", {}))
    assert not capsys.readouterr().err


@pytest.mark.parametrize(
    ("named", "shown"),
    [
        ("postgresql://postgres@/postgres?host=/run/pg", "postgresql:///postgres"),
        ("postgresql://u:p@[::1/x", "of an address that can't be read"),
        ("sqlite:////srv/desk.sqlite3", "/srv/desk.sqlite3"),
    ],
)
def test_a_database_is_named_without_what_is_secret(named: str, shown: str) -> None:
    assert database_name(places(None, None, {"WIREDESK_DATABASE": named})) == shown


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
