"""A database whose files are deleted or exchanged while they are open: noticed, and what was committed is saved."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from feeds.errors import StoreError
from feeds.store import Store, open_store

from .conftest import NOW, new, save, section, source


@pytest.fixture
def desk(tmp_path: Path):
    with open_store(f"sqlite:///{tmp_path}/var/desk.db") as store:
        with store.write() as tx:
            tx.sections.sync([section("news")], NOW)
            tx.sources.sync([source("a")], "full", NOW)
        save(store, [new(f"r{number}") for number in range(50)], "news")
        assert store.loss() == ""
        yield store


def articles(url: str) -> int:
    with open_store(url, create=False) as store, store.read() as tx:
        return tx.articles.count()


def url_of(store: Store) -> str:
    return f"sqlite:///{store.file}"


def test_a_deleted_log_is_noticed_and_what_it_held_is_saved(desk: Store) -> None:
    desk.file.with_name("desk.db-wal").unlink()
    assert desk.loss() == "log deleted"
    assert "nothing is lost" in desk.rescue("log deleted")
    desk.close()
    assert articles(url_of(desk)) == 50


@pytest.mark.parametrize("whole_folder", [True, False])
def test_a_deleted_database_is_noticed_and_written_anew(desk: Store, whole_folder: bool) -> None:
    if whole_folder:
        shutil.rmtree(desk.file.parent)
    else:
        desk.file.unlink()
    assert desk.loss() == "deleted"
    assert "nothing is lost" in desk.rescue("deleted")
    desk.close()
    assert articles(url_of(desk)) == 50
    assert [path.name for path in desk.file.parent.iterdir() if "rescued" in path.name] == []


def test_a_database_that_was_put_in_its_place_stays(desk: Store, tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path}/other.db") as other, other.write() as tx:
        tx.sections.sync([section("news")], NOW)
    os.replace(tmp_path / "other.db", desk.file)
    assert desk.loss() == "replaced"
    assert "another database" in desk.rescue("replaced")


@pytest.mark.parametrize("by", ["a copy of before", "no database", "nothing"])
def test_a_database_that_is_overwritten_in_its_place_is_noticed(desk: Store, tmp_path: Path, by: str) -> None:
    shutil.copy(desk.file, tmp_path / "before.db")
    save(desk, [new(f"s{number}", text="word " * 400) for number in range(50)], "news")
    with sqlite3.connect(desk.file) as other:
        other.execute("PRAGMA wal_checkpoint(FULL)").fetchall()
    assert desk.loss() == ""
    contents = {"a copy of before": (tmp_path / "before.db").read_bytes(), "no database": b"x" * 9000, "nothing": b""}
    desk.file.write_bytes(contents[by])
    assert desk.loss() == "overwritten"
    assert "`wiredesk restore`" in desk.rescue("overwritten")


def test_a_look_leaves_the_locks_of_this_process_alone(desk: Store) -> None:
    with desk.read() as tx:
        tx.articles.count()
        assert desk.loss() == ""
        # The last who closes a database deletes its log; another process is not the last while this one has it open.
        other = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('SELECT 1 FROM articles'); c.close()"
        subprocess.run([sys.executable, "-c", other, str(desk.file)], check=True)
        assert desk.file.with_name("desk.db-wal").exists()
        assert desk.loss() == ""


def test_a_folder_that_cannot_be_looked_into_says_nothing_of_the_database_in_it(desk: Store, tmp_path: Path) -> None:
    folder = desk.file.parent
    aside = folder.rename(tmp_path / "aside")
    folder.symlink_to(folder)  # whatever is asked of it fails, as it does for a user without rights
    assert desk.loss() == ""
    folder.unlink()
    aside.rename(folder)
    assert desk.loss() == ""


def test_a_rescue_never_writes_over_a_database_that_has_come_meanwhile(desk: Store) -> None:
    desk.file.unlink()
    desk.file.write_bytes(b"another")
    with pytest.raises(StoreError, match="could not be saved"):
        desk.rescue("deleted")
    assert desk.file.read_bytes() == b"another"
