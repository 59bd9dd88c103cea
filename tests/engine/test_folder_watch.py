"""Folders are watched: what changes in one is told with the sources that it belongs to."""

from __future__ import annotations

import queue
import threading
from contextlib import suppress
from pathlib import Path

from feeds.configuration import FetchSettings
from feeds.engine.folder_watch import FolderWatch, MailWatch
from tests.fetch.dovecot import Dovecot
from tests.fetch.test_mailbox import url
from tests.parse.test_letters import letter


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


def test_a_letter_that_comes_is_told_with_its_source() -> None:
    told: queue.Queue[frozenset[int]] = queue.Queue()
    watch = MailWatch(told.put)
    with Dovecot() as server:
        settings = FetchSettings(allow_private=(f"127.0.0.1:{server.port}",))
        watch.watch({7: url(server), 8: url(server, "wrong")}, settings)
        try:
            for number in range(200):  # the wait begins some time after it was asked for
                server.deliver(f"w{number}", letter(plain="One."))
                with suppress(queue.Empty):
                    assert told.get(timeout=0.1) == {7}
                    break
            else:
                raise AssertionError("nothing was told")
        finally:
            watch.close()
