"""`bench/compare.py`: one byte more on the pages of a checkout is told, and all else is as in the other."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

COUNTS = re.compile(r"^(\w[\w ]*\w) +(\d+) +(\d+)$", re.MULTILINE)
ROOT = Path(__file__).resolve().parent.parent


def compared(old: Path, new: Path, data: Path) -> subprocess.CompletedProcess[str]:
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
    ]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)


def test_a_byte_more_on_pages_is_told_and_nothing_else(tmp_path: Path) -> None:
    changed = tmp_path / "changed"
    changed.mkdir()
    shutil.copytree(ROOT / "feeds", changed / "feeds")  # with its bytecode, which holds for the copy
    shutil.copy(ROOT / "wsgi.py", changed)
    for template in (changed / "feeds").rglob("*.html"):
        template.write_text(template.read_text().replace("</body>", "!</body>"))
    told = compared(ROOT, changed, tmp_path)
    assert told.returncode == 1, told.stdout + told.stderr
    assert re.search(r"^answer: released .* /$", told.stdout, re.MULTILINE)
    assert "new: !</body>" in told.stdout
    counts = {kind: (int(all_), int(differ)) for kind, all_, differ in COUNTS.findall(told.stdout)}
    assert counts["document"][0] > 100
    # A browser that asks for a document is given a page.
    assert {kind for kind, (_, differ) in counts.items() if differ} == {"answer", "document", "all"}


def test_a_folder_that_is_no_checkout_is_named(tmp_path: Path) -> None:
    ended = compared(tmp_path, ROOT, tmp_path)
    assert ended.returncode == 1
    assert f"{tmp_path} is no checkout" in ended.stderr
