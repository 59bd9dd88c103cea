"""The lock of a data folder, whose files others may take away; processes that are kept running."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from feeds.engine.supervisor import DeskLock, holder
from feeds.errors import DeskError


def test_a_lock_whose_folder_was_emptied_is_made_anew(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with DeskLock(data) as lock:
        assert lock.kept()
        shutil.rmtree(data)
        assert holder(data) is None
        assert lock.kept()
        assert holder(data) is not None
        with pytest.raises(DeskError, match="another desk .* already runs"), DeskLock(data):
            pass
    assert holder(data) is None


def test_a_folder_that_another_desk_has_taken_meanwhile_is_no_longer_ones_own(tmp_path: Path) -> None:
    with DeskLock(tmp_path) as lock:
        (tmp_path / "desk.lock").unlink()
        with DeskLock(tmp_path):
            assert not lock.kept()
            assert not lock.kept()


# In a process of its own: this one has threads, and is not to be forked.
PARENT = """
import os, signal, sys, threading, time
from pathlib import Path
from feeds.engine.supervisor import Child, DeskLock, supervise

folder = Path(sys.argv[1])

def failing():
    lock.let_go()
    runs = len(list(folder.glob("failing-*")))
    plain = signal.getsignal(signal.SIGTERM) is signal.SIG_DFL and not signal.pthread_sigmask(signal.SIG_BLOCK, ())
    name = Path("/proc/self/comm").read_text().strip()
    (folder / f"failing-{runs}").write_text(f"{name}, own group {os.getpgid(0) == os.getpid()}, plain {plain}")
    if runs == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    while len(list(folder.glob("steady-*"))) < runs:
        time.sleep(0.01)
    sys.exit(75 if runs == 1 else 78)

def steady():
    lock.let_go()
    (folder / f"steady-{os.getpid()}").touch()
    signal.pause()

def read_ahead():
    (folder / f"ahead-{len(list(folder.glob('failing-*')))}").touch()

with DeskLock(folder) as lock:
    children = [Child("failing", failing), Child("steady", steady)]
    sys.exit(supervise(children, threading.Event(), read_ahead=read_ahead))
"""


def test_children_are_started_again_all_anew_and_no_more_as_their_exit_says(tmp_path: Path) -> None:
    ended = subprocess.run([sys.executable, "-c", PARENT, str(tmp_path)], capture_output=True, text=True, timeout=60)
    assert ended.returncode == 78, ended.stderr
    runs = sorted(tmp_path.glob("failing-*"))
    assert [run.read_text() for run in runs] == ["wiredesk failin, own group True, plain True"] * 3
    assert len(list(tmp_path.glob("steady-*"))) == 2, "the exit code 75 has all of them started anew"
    assert {ahead.name for ahead in tmp_path.glob("ahead-*")} == {"ahead-0", "ahead-2"}, "before all are started"
    assert holder(tmp_path) is None
