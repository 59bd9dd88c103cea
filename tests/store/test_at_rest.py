"""Whether a desk on SQLite has anything to do, asked without SQLAlchemy."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from feeds.store import open_store
from feeds.store.at_rest import config_at_rest

from .conftest import NOW, source

OPEN = "insert into events (uid, kind, subject, text, at) values ('x', '{}', 'sections', '', 0)"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A desk with one source, which is due in an hour."""
    with open_store(str(tmp_path / "a desk?#.db")) as store, store.write() as tx:
        tx.configs.accept("whole", "1", NOW)
        tx.configs.accept("newest", "2", NOW, brief="brief")
        tx.sources.sync([source("a")], "summary", NOW + timedelta(hours=1))
    return tmp_path / "a desk?#.db"


def _change(file: Path, statement: str) -> None:
    with sqlite3.connect(file) as opened:
        opened.execute(statement)
    opened.close()


def test_a_desk_rests_until_a_source_is_due(file: Path) -> None:
    assert config_at_rest(file, NOW) == "brief"
    assert config_at_rest(file, NOW + timedelta(minutes=59)) == "brief"
    assert config_at_rest(file, NOW + timedelta(hours=1)) is None


@pytest.mark.parametrize("change", ["enabled = 0", "removed_at = 0"])
def test_what_is_not_polled_is_never_due(file: Path, change: str) -> None:
    _change(file, f"update sources set {change}")
    assert config_at_rest(file, NOW + timedelta(days=9)) == "brief"


@pytest.mark.parametrize(
    "change",
    [
        OPEN.format("refile"),
        OPEN.format("config"),
        "update wiredesk_version set version_num = '0017'",
        "update wiredesk_version set version_num = '9999'",
        "delete from configs",
        "drop table events",
    ],
)
def test_where_work_waits_or_the_tables_are_others_nobody_rests(file: Path, change: str) -> None:
    _change(file, change)
    assert config_at_rest(file, NOW) is None


def test_events_that_are_over_or_of_another_kind_are_no_work(file: Path) -> None:
    _change(file, OPEN.format("refile"))
    _change(file, "update events set closed_at = 1")
    _change(file, OPEN.format("disk").replace("'x'", "'y'"))
    assert config_at_rest(file, NOW) == "brief"


def test_of_what_is_no_desk_nothing_is_said_or_made(tmp_path: Path) -> None:
    assert config_at_rest(tmp_path / "none.db", NOW) is None
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "bad.db").write_bytes(b"SQLite format 3\0" + b"\1" * 5000)
    assert config_at_rest(tmp_path / "bad.db", NOW) is None
