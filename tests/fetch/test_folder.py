"""Folders as sources: what of them is read, and what never."""

from __future__ import annotations

import os
import subprocess
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from feeds import files
from feeds.fetch import folder as module
from feeds.fetch.folder import Look, look

SOON = timedelta(seconds=10)


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "good.txt").write_text("good")
    return tmp_path / "docs"


def seen(docs: Path, known: Look | None = None, pattern: str = "docs/*", follow: tuple[str, ...] = ()) -> Look:
    states = known.states if known else ()
    return look(docs.parent, pattern, states, now=datetime.now(UTC) + SOON, follow=follow)


def refusals(found: Look) -> dict[str, str]:
    return {one.name: one.cause for one in found.refused}


def test_a_name_that_is_not_utf_8_is_refused_alone_and_told_once(docs: Path) -> None:
    (docs / os.fsdecode(b"caf\xe9.txt")).write_text("old")
    (docs / "café.txt").write_text("new")
    found = seen(docs)
    assert sorted(file.name for file in found.found) == ["docs/café.txt", "docs/good.txt"]
    assert refusals(found) == {"docs/caf\\udce9.txt": "its name is not UTF-8"}
    again = seen(docs, found)
    assert (again.found, again.refused) == ([], [])


@pytest.mark.parametrize("target", ["/proc/self/environ", "/proc/self/status", "/sys/kernel/ostype", "/dev/zero"])
def test_what_the_system_shows_as_files_is_never_read(docs: Path, target: str) -> None:
    if not os.path.exists(target):
        target = "/proc/version"
    (docs / "link.txt").symlink_to(target)
    folder = str(Path(target).parent)
    for follow in ((), ("/",), (folder,), ("/proc", "/dev", "/sys")):
        found = seen(docs, follow=follow)
        assert [file.name for file in found.found] == ["docs/good.txt"]
        assert list(refusals(found)) == ["docs/link.txt"]
    named = look(docs.parent, target, (), now=datetime.now(UTC) + SOON)
    assert named.found == [] and len(named.refused) == 1


def test_links_lead_out_of_the_folder_only_to_where_config_says(docs: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "letter.txt").write_text("a letter")
    (docs / "letter.txt").symlink_to("../elsewhere/letter.txt")
    (docs / "inside.txt").symlink_to("good.txt")
    (docs / "nowhere.txt").symlink_to("missing.txt")
    (docs / "round.txt").symlink_to("round.txt")
    (docs / "sub").symlink_to("../elsewhere")
    found = seen(docs, pattern="docs/**/*")
    assert sorted(file.name for file in found.found) == ["docs/good.txt", "docs/inside.txt"]
    told = refusals(found)
    assert "leads out of its folder" in told["docs/letter.txt"]
    assert {"docs/nowhere.txt", "docs/round.txt"} <= set(told)
    opened = seen(docs, found, follow=("elsewhere",))
    assert "docs/letter.txt" in [file.name for file in opened.found]
    assert "docs/letter.txt" in [file.name for file in seen(docs, follow=(str(tmp_path / "elsewhere"),)).found]
    assert [file.name for file in seen(docs, pattern="docs/sub/*").found] == ["docs/sub/letter.txt"]


def test_a_folder_that_is_itself_a_link_is_read(docs: Path, tmp_path: Path) -> None:
    (tmp_path / "linked").symlink_to("docs")
    assert [file.name for file in seen(docs, pattern="linked/*.txt").found] == ["linked/good.txt"]


def test_pipes_sockets_and_folders_are_passed_over_without_waiting(docs: Path) -> None:
    os.mkfifo(docs / "pipe.txt")
    (docs / "folder.txt").mkdir()
    done: list[Look] = []
    thread = threading.Thread(target=lambda: done.append(seen(docs)), daemon=True)
    thread.start()
    thread.join(20)
    assert [file.name for file in done[0].found] == ["docs/good.txt"]
    assert refusals(done[0]) == {"docs/pipe.txt": "it is no plain file"}


def test_sizes_are_bounded_before_reading(docs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_FILE_BYTES", 100)
    with (docs / "huge.txt").open("wb") as huge:
        huge.truncate(1 << 40)  # a terabyte of nothing
    (docs / "just.txt").write_bytes(b"x" * 100)
    found = seen(docs)
    assert sorted(file.name for file in found.found) == ["docs/good.txt", "docs/just.txt"]
    assert "more than the 100 allowed" in refusals(found)["docs/huge.txt"]


def test_one_look_holds_so_many_bytes_and_the_next_brings_the_rest(docs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_LOOK_BYTES", 1000)
    for number in range(9):
        (docs / f"{number}.txt").write_bytes(b"x" * 400)
    first = seen(docs)
    assert (len(first.found), first.waiting) == (3, 7)
    assert len(seen(docs, first).found) == 3


def test_one_look_tells_so_many_refusals_and_the_next_the_rest(docs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_REFUSED", 3)
    for number in range(7):
        (docs / f"{number}.txt").symlink_to("/etc/hostname")
    told: list[str] = []
    states: list[int] = []
    for left in (4, 1, 0, 0):
        found = look(docs.parent, "docs/*", states, now=datetime.now(UTC) + SOON)
        states = found.states
        told += refusals(found)
        assert found.untold == left
    assert sorted(told) == [f"docs/{number}.txt" for number in range(7)]


def test_folders_in_folders_without_end_are_looked_through(docs: Path) -> None:
    """Deeper than Python recurses, and deeper than a path can be long."""
    held = os.open(docs, os.O_RDONLY)
    for level in range(3000):
        os.mkdir("d", dir_fd=held)
        inner = os.open("d", os.O_RDONLY, dir_fd=held)
        os.close(held)
        held = inner
        if level == 1200:
            os.close(os.open("deep.txt", os.O_WRONLY | os.O_CREAT, dir_fd=held))
    os.close(held)
    found = seen(docs, pattern="docs/**/*.txt")
    assert sorted(file.name.rpartition("/")[2] for file in found.found) == ["deep.txt", "good.txt"]
    assert found.refused == []
    subprocess.run(["rm", "-rf", str(docs / "d")], check=True)  # nothing of Python's can, and it would stay for good


def test_a_pattern_matches_as_a_shell_does(docs: Path) -> None:
    for name in ("a/one.txt", "a/b/two.txt", "a/b/c/three.md", "a/.hidden.txt", "a/half.txt~"):
        (docs / name).parent.mkdir(parents=True, exist_ok=True)
        (docs / name).write_text(name)
    (docs / "a" / "again").symlink_to("..")

    def names(pattern: str) -> list[str]:
        return sorted(file.name.removeprefix("docs/") for file in seen(docs, pattern=pattern).found)

    assert names("docs/**/*") == ["a/b/c/three.md", "a/b/two.txt", "a/one.txt", "good.txt"]
    assert names("docs/**/b/**/*") == ["a/b/c/three.md", "a/b/two.txt"]
    assert names("docs/*/*.txt") == ["a/one.txt"]
    assert names("docs/[ag]*.txt") == names("docs/good.txt") == ["good.txt"]
    assert names("docs/?/*/*.txt") == ["a/again/good.txt", "a/b/two.txt"]
    assert names("docs/**") == []


def test_a_link_put_in_the_way_while_it_is_opened_is_never_followed(docs: Path, tmp_path: Path) -> None:
    """The folder on the way is exchanged for a link, and back, as fast as that goes."""
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "letter.txt").write_text("secret")
    (docs / "open").mkdir()
    (docs / "open" / "letter.txt").write_text("open")
    (tmp_path / "link").symlink_to(tmp_path / "secret")
    stop = threading.Event()

    def exchange() -> None:
        while not stop.is_set():
            for new in (tmp_path / "link", tmp_path / "aside"):
                os.rename(docs / "open", tmp_path / "was")
                os.rename(new, docs / "open")
                os.rename(tmp_path / "was", tmp_path / ("aside" if new.name == "link" else "link"))

    thread = threading.Thread(target=exchange, daemon=True)
    thread.start()
    read = set()
    try:
        for _ in range(4000):
            with suppress(OSError):
                read.add(files.read_regular(docs / "open" / "letter.txt", most_bytes=100, within=[docs]))
    finally:
        stop.set()
        thread.join(20)
    assert read == {b"open"}


def test_a_file_that_may_not_be_read_is_told_once_and_read_when_it_may(docs: Path) -> None:
    if os.geteuid() == 0:
        (docs / "closed.txt").symlink_to("not-there-yet.txt")
        mend = lambda: (docs / "not-there-yet.txt").write_text("now")  # noqa: E731
    else:
        (docs / "closed.txt").write_text("closed")
        (docs / "closed.txt").chmod(0)
        mend = lambda: (docs / "closed.txt").chmod(0o600)  # type: ignore[assignment, return-value]  # noqa: E731
    first = seen(docs)
    assert list(refusals(first)) == ["docs/closed.txt"]
    second = seen(docs, first)
    assert second.refused == []
    mend()
    assert "docs/closed.txt" in [file.name for file in seen(docs, second).found]


def test_config_reads_plain_files_within_bounds(tmp_path: Path) -> None:
    (tmp_path / "list").write_bytes(b"abc")
    assert files.read_regular(tmp_path / "list", most_bytes=3) == b"abc"
    for odd in ("/dev/zero", "/proc/self/environ"):
        with pytest.raises(files.Refused):
            files.read_regular(Path(odd), most_bytes=3)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(files.Refused, match="no plain file"):
        files.read_regular(tmp_path / "pipe", most_bytes=3)
    with pytest.raises(files.Refused, match="more than the 2"):
        files.read_regular(tmp_path / "list", most_bytes=2)
