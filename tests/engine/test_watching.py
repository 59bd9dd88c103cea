"""Config files are judged once they stand still; folders and mailboxes tell whose documents and letters came."""

from __future__ import annotations

import os
import queue
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from feeds.configuration import FetchSettings
from feeds.engine.watching import EMPTIED_S, SETTLE_S, FolderWatch, Judge, MailWatch, Watch
from feeds.settings import Config, ConfigErrors, fingerprint
from tests.fetch.dovecot import Dovecot
from tests.fetch.test_mailbox import url
from tests.parse.test_letters import letter

SECTIONS = "news:\n  title: News\n"
STEP_S = 0.15


class Called:
    """Judges nothing, counts how often it was asked."""

    def __init__(self, opml_files: tuple[str, ...] = ()) -> None:
        self.warmed = 0
        self.judged = 0
        self.config = Config(opml_files=opml_files)
        self.meanwhile = lambda: None

    def warm(self) -> None:
        self.warmed += 1

    def judge(self) -> Config:
        self.judged += 1
        self.meanwhile()
        return self.config


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sections.yaml").write_text(SECTIONS)
    (tmp_path / "sources.yaml").write_text("# none yet\n")
    return tmp_path


def look_until(watch: Watch, at_s: float, most_s: float) -> float | None:
    """The time of the look that gave a judgement, None where none did within *most_s*."""
    end = at_s + most_s
    while at_s < end:
        if watch.look(at_s) is not None:
            return at_s
        at_s += STEP_S
    return None


def test_nothing_is_judged_while_nothing_changes(folder: Path) -> None:
    judge = Called()
    watch = Watch(folder, judge, judged=fingerprint(folder))
    assert look_until(watch, 0, 5) is None
    (folder / ".sections.yaml.swp").write_text("an editor's own")
    (folder / "sections.yaml~").write_text("an editor's backup")
    assert look_until(watch, 5, 5) is None
    assert judge.warmed == judge.judged == 0


def test_a_change_is_judged_once_and_only_when_it_stands_still(folder: Path) -> None:
    judge = Called()
    watch = Watch(folder, judge, judged=fingerprint(folder))
    for step in range(10):
        (folder / "sections.yaml").write_text(SECTIONS + "#" * step)
        assert watch.look(step * STEP_S) is None
    assert judge.judged == 0
    told = look_until(watch, 10 * STEP_S, 2)
    assert told is not None and told <= 10 * STEP_S + SETTLE_S + STEP_S
    assert look_until(watch, told + STEP_S, 3) is None
    assert judge.judged == 1


def test_what_became_empty_is_given_time_to_be_written(folder: Path) -> None:
    judge = Called()
    watch = Watch(folder, judge, judged=fingerprint(folder))
    (folder / "sections.yaml").write_text("")
    assert look_until(watch, 0, EMPTIED_S - 0.5) is None
    (folder / "sections.yaml").write_text(SECTIONS * 2)
    assert look_until(watch, EMPTIED_S, 1) is not None
    (folder / "sources.yaml").unlink()
    assert look_until(watch, 10, EMPTIED_S - 0.5) is None
    assert look_until(watch, 10 + EMPTIED_S, 1) is not None


def test_a_save_during_the_judgement_is_judged_again(folder: Path) -> None:
    judge = Called()
    judge.meanwhile = lambda: (folder / "sources.yaml").write_text("#" * judge.judged) and None  # type: ignore[func-returns-value]
    watch = Watch(folder, judge, judged=fingerprint(folder))
    (folder / "sections.yaml").write_text(SECTIONS * 2)
    assert look_until(watch, 0, 1.0) is None
    judge.meanwhile = lambda: None
    assert look_until(watch, 1.0, 2) is not None


def test_an_opml_file_that_the_config_names_is_watched_too(folder: Path) -> None:
    (folder / "list.opml").write_text("<opml/>")
    watch = Watch(folder, Called(("list.opml",)), judged=None)
    assert look_until(watch, 0, 2) is not None
    (folder / "list.opml").write_text("<opml version='2.0'/>")
    assert look_until(watch, 5, 2) is not None


def test_a_store_that_failed_gets_the_judgement_again(folder: Path) -> None:
    watch = Watch(folder, Called(), judged=fingerprint(folder))
    watch.again()
    assert look_until(watch, 0, 2) is not None
    assert look_until(watch, 5, 2) is None


def test_a_swapped_folder_behind_a_symlink_is_a_change(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        for file in ("sections.yaml", "sources.yaml"):
            (tmp_path / name / file).write_text("#")
            os.utime(tmp_path / name / file, (1, 1))
    (tmp_path / "config").symlink_to("one")
    watch = Watch(tmp_path / "config", Called(), judged=fingerprint(tmp_path / "config"))
    (tmp_path / "next").symlink_to("two")
    os.replace(tmp_path / "next", tmp_path / "config")
    assert look_until(watch, 0, 2) is not None


def test_good_and_bad_files_are_judged_in_another_process(folder: Path) -> None:
    judge = Judge(folder, {})
    good = judge.judge()
    assert isinstance(good, Config)
    assert [section.path for section in good.sections] == ["news"]
    judge.warm()
    (folder / "sections.yaml").write_text("news:\n  titel: News\n")
    bad = judge.judge()
    assert isinstance(bad, ConfigErrors)
    assert [(error.file, error.line, error.column) for error in bad.errors][:1] == [("sections.yaml", 2, 3)]
    judge.close()


def test_files_that_cost_too_much_are_an_error_and_harm_nobody(folder: Path) -> None:
    (folder / "sources.yaml").write_text("# a long comment\n" * 1_000_000)
    judge = Judge(folder, {}, memory_bytes=1 << 20)
    [error] = judge.judge().errors  # type: ignore[union-attr]
    assert "limit" in error.cause
    judge = Judge(folder, {}, cpu_s=0.001)
    [error] = judge.judge().errors  # type: ignore[union-attr]
    assert "more than 0.001 seconds of CPU time" in error.cause
    judge = Judge(folder, {}, timeout_s=0.0)
    [error] = judge.judge().errors  # type: ignore[union-attr]
    assert "took more than" in error.cause


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
