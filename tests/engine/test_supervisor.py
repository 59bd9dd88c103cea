"""The lock of a data folder, whose files others may take away."""

from __future__ import annotations

import shutil
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
