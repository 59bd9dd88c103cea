"""A database of the release before: copied, then upgraded, by the first command that writes; told in one line."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from feeds.store import migrations
from tests.cli.conftest import Ended

NEXT = """
import sqlalchemy as sa
from alembic import op
revision = "9001"
down_revision = {before!r}
def upgrade():
    op.create_table("extra", sa.Column("id", sa.Integer(), primary_key=True))
    {last}
"""


@pytest.fixture
def release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes this the release after the present one, whose migration ends in the line given."""
    shipped = migrations.FOLDER

    def make(last: str) -> None:
        folder = tmp_path / "migrations"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(shipped, folder)
        [*_, newest] = sorted((folder / "versions").glob("r*.py"))
        before = newest.read_text().partition('revision = "')[2].partition('"')[0]
        (folder / "versions" / "r9001_next.py").write_text(NEXT.format(before=before, last=last))
        monkeypatch.setattr(migrations, "FOLDER", folder)

    return make


def _published(database: Path) -> list[tuple[object, ...]]:
    with sqlite3.connect(database) as opened:
        uids = opened.execute("select uid from articles order by uid").fetchall()
        return uids + opened.execute("select path, format, etag from documents order by path, format").fetchall()


def test_an_upgrade_copies_first_says_so_and_keeps_ids_and_etags(
    run: Callable[..., Ended], folder: Path, release: Callable[[str], None]
) -> None:
    run("poll")
    desk = folder / "data" / "desk.sqlite3"
    before = _published(desk)
    assert len(before) > 2
    release("raise ValueError('power cut')")
    with pytest.raises(ValueError, match="power cut"):
        run("poll")
    assert _published(desk) == before
    with sqlite3.connect(desk) as opened:
        assert opened.execute("select name from sqlite_master where name = 'extra'").fetchall() == []

    release("pass")
    ended = run("poll")
    assert ended.code == 0
    assert " upgraded from " in ended.err and " to 9001; " in ended.err
    assert _published(desk) == before
    copies = sorted((folder / "data" / "backups").glob("before-upgrade-of-*.sqlite3"))
    assert copies
    assert str(copies[-1]) in ended.err
    assert _published(copies[-1]) == before
    with sqlite3.connect(copies[-1]) as opened:
        assert opened.execute(f"select version_num from {migrations.VERSION_TABLE}").fetchone() != ("9001",)
