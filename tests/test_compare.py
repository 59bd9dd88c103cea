"""`bench/compare.py`: a checkout behaves like itself, and one byte more on its pages is told."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def compared(old: Path, new: Path, data: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """The two checkouts compared on the databases of releases, without development data."""
    command = [
        sys.executable,
        "-m",
        "bench.compare",
        str(old),
        str(new),
        "--data",
        str(data),
        "--part",
        "released",
        *more,
    ]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)


def test_a_checkout_behaves_like_itself_and_a_changed_byte_is_told(tmp_path: Path) -> None:
    changed = tmp_path / "changed"
    changed.mkdir()
    shutil.copytree(ROOT / "feeds", changed / "feeds", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "wsgi.py", changed)
    alike = compared(ROOT, changed, tmp_path, "--keep", str(tmp_path))
    assert alike.returncode == 0, alike.stdout + alike.stderr
    counts = {line.split()[0]: line.split()[-2:] for line in alike.stdout.splitlines()[1:]}
    assert counts["all"][1] == "0"
    assert int(counts["document"][0]) > 100

    for template in (changed / "feeds").rglob("*.html"):
        template.write_text(template.read_text().replace("</body>", "!</body>"))
    told = compared(tmp_path / "old.record", changed, tmp_path)
    assert told.returncode == 1, told.stdout + told.stderr
    assert re.search(r"^answer: released .* /$", told.stdout, re.MULTILINE)
    assert "new: !</body>" in told.stdout


def test_a_folder_that_is_no_checkout_is_named(tmp_path: Path) -> None:
    ended = compared(tmp_path, ROOT, tmp_path)
    assert ended.returncode == 1
    assert f"{tmp_path} is no checkout" in ended.stderr
