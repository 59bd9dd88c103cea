"""What a command loads before it works: nothing that it does not need."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Ended

ROOT = Path(__file__).resolve().parents[2]
LOADED = """
import sys
from feeds.cli import main
try:
    main()
finally:
    print(*sys.modules, file=sys.stderr)
"""
ROOMS = {
    f"feeds.{room}" for room in "fetch parse normalise dedupe filing render hub serve ingest publish engine".split()
}
DATABASE = {"sqlalchemy", "alembic", "feeds.store.store"}
NUMBERS = {"numpy", "scipy", "sklearn"}
LIBRARIES = {"lxml", "yaml", "pycurl", "re2", "asyncio"}


def _loaded(folder: Path, *command: str) -> tuple[str, set[str]]:
    """What a *command* says, and the modules that its process has loaded in the end."""
    places = {"WIREDESK_CONFIG": str(folder / "config"), "WIREDESK_DATA": str(folder / "data")}
    ended = subprocess.run(
        [sys.executable, "-c", LOADED, *command],
        cwd=ROOT,
        env=os.environ | places,
        capture_output=True,
        text=True,
        check=True,
    )
    return ended.stdout, set(ended.stderr.split())


def test_help_loads_the_command_line_alone(folder: Path) -> None:
    said, loaded = _loaded(folder, "--help")
    assert said.startswith("Usage: ")
    assert {name for name in loaded if name.startswith("feeds")} == {"feeds", "feeds.cli", "feeds.errors"}


def test_check_loads_what_judges_files(folder: Path) -> None:
    said, loaded = _loaded(folder, "check")
    assert "is valid" in said
    assert not loaded & (ROOMS - {"feeds.filing"} | DATABASE | NUMBERS | {"feeds.store", "pycurl", "asyncio"})


def test_a_poll_with_nothing_due_loads_nothing_that_polls(run: Callable[..., Ended], folder: Path) -> None:
    run("poll")
    said, loaded = _loaded(folder, "poll")
    assert said == "Nothing is due.\n"
    assert not loaded & (ROOMS - {"feeds.engine"} | DATABASE | NUMBERS | LIBRARIES)


def test_a_poll_that_brings_nothing_loads_nothing_that_judges_decides_or_renders(
    run: Callable[..., Ended], folder: Path
) -> None:
    run("poll")
    said, loaded = _loaded(folder, "poll", "--now")
    assert "1 source polled, 0 new articles" in said
    assert not loaded & ({"feeds.render", "feeds.publish", "feeds.serve", "alembic", "lxml", "yaml"} | NUMBERS)


def test_a_poll_with_nothing_due_says_what_there_is_to_say(run: Callable[..., Ended], folder: Path) -> None:
    sources = folder / "config" / "sources.yaml"
    run("poll")
    assert run("poll") == Ended(0, "Nothing is due.\n", "")
    good = sources.read_text()
    sources.write_text(good.replace("news/world", "news/none"))
    for _ in range(2):
        wrong = run("poll")
        assert (wrong.code, wrong.out) == (0, "Nothing is due.\n")
        assert "the last good config (version 1) goes on" in wrong.err
    sources.write_text(good)
    assert run("poll").err == ""
    sources.write_text(good + "- name: B\n  url: http://127.0.0.1:1/feed\n")
    for said in ("None could", "Nothing is due."):
        doubtful = run("poll")
        assert said in doubtful.out or said == "None could"
        assert "WARNING config: sources.yaml:5:8: " in doubtful.err


@pytest.mark.parametrize(
    "change",
    [
        "update sources set next_poll_at = 0",
        "insert into events (uid, kind, subject, text, at) values ('x', 'refile', 'sections', '', 0)",
    ],
)
def test_what_became_due_is_seen(run: Callable[..., Ended], folder: Path, change: str) -> None:
    run("poll")
    with sqlite3.connect(folder / "data" / "desk.sqlite3") as database:
        database.execute(change)
    database.close()
    _, loaded = _loaded(folder, "poll")
    assert loaded > {"feeds.store.store", "feeds.ingest.flow"}
    assert run("poll").out == "Nothing is due.\n"
