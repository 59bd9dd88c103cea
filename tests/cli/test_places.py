"""Where the desk lives: what the environment names and what an argument does, together."""

from __future__ import annotations

from pathlib import Path

import pytest

from feeds.cli.places import database_name, places, tell_database


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
