"""`wiredesk apply`: what it says, and what it puts in force."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from feeds.store import open_store
from tests.cli.conftest import Ended

Run = Callable[..., Ended]


def version(folder: Path) -> int:
    with open_store(f"sqlite:///{folder}/data/desk.sqlite3") as store, store.read() as tx:
        return tx.configs.version()


def test_files_are_put_in_force_and_a_dry_run_changes_nothing(run: Run, folder: Path) -> None:
    assert run("poll").code == 0
    same = run("apply")
    assert (same.code, same.out.splitlines()[-1]) == (0, "Version 1 was in force already.")
    sources = folder / "config" / "sources.yaml"
    sources.write_text(sources.read_text() + "- name: More\n  url: http://127.0.0.1:9/feed.xml\n")
    dry = run("apply", "--dry-run")
    assert dry.code == 3
    assert "source More appears" in dry.out
    assert version(folder) == 1
    done = run("apply")
    assert done.code == 0
    assert "source More appears" in done.out
    assert done.out.splitlines()[-1] == "Version 2 is in force."
    assert version(folder) == 2
    assert run("apply", "--dry-run").code == 0


def test_files_with_errors_are_not_put_in_force(run: Run, folder: Path) -> None:
    assert run("poll").code == 0
    (folder / "config" / "sources.yaml").write_text("- name: Letters\n  url: gopher://x\n")
    bad = run("apply")
    assert bad.code == 78
    assert "sources.yaml:2:8: " in bad.err
    assert version(folder) == 1


def test_without_a_desk_it_says_what_to_do(run: Run) -> None:
    none = run("apply")
    assert none.code == 1
    assert "no desk has run" in none.err
