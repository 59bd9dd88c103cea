"""Every bench is run by hand as `python bench/NAME.py`, from any folder and without an environment of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

BENCHES = sorted(
    path for path in (Path(__file__).resolve().parent.parent / "bench").glob("*.py") if "argparse" in path.read_text()
)


@pytest.mark.parametrize("bench", BENCHES, ids=lambda path: path.stem)
def test_it_starts_anywhere(bench: Path, tmp_path: Path) -> None:
    clean = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "WIREDESK_HOME")}
    ended = subprocess.run(
        [sys.executable, str(bench), "--help"], cwd=tmp_path, env=clean, capture_output=True, text=True, timeout=120
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("usage: ")
