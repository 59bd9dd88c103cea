"""Folders are watched: what changes in one is told with the sources that it belongs to."""

from __future__ import annotations

import threading
from pathlib import Path

from feeds.engine.folder_watch import FolderWatch


def test_a_file_that_is_written_moved_or_removed_is_told_with_its_sources(tmp_path: Path) -> None:
    for name in ("one", "two", "three"):
        (tmp_path / name).mkdir()
    came: set[int] = set()
    told = threading.Event()

    def touched(ids: frozenset[int]) -> None:
        came.update(ids)
        told.set()

    watch = FolderWatch(touched)
    watch.watch(tmp_path, {1: "one/*.txt", 2: "two/**/*.md", 3: "one/sub*/x.txt", 4: "not-there/*.txt"})
    try:
        for number in range(200):  # a watch begins some time after it was asked for
            (tmp_path / "one" / f"{number}.txt").write_text("words")
            if told.wait(0.1):
                break
        assert came == {1, 3}
        came.clear()
        told.clear()
        watch.watch(tmp_path, {3: "three/*.txt"})
        for number in range(200):
            (tmp_path / "one" / f"later-{number}.txt").write_text("words")
            (tmp_path / "three" / f"{number}.txt").write_text("words")
            if told.wait(0.1):
                break
        assert came == {3}
    finally:
        watch.close()
