"""Every bench is run by hand as `python bench/NAME.py`, from any folder and without an environment of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

BENCHES = sorted(
    path for path in (Path(__file__).resolve().parent.parent / "bench").glob("*.py") if "argparse" in path.read_text()
)


# As `python FILE --help` in a process of its own, but for what is loaded once for all. That would hide a bench
# which does not find the package by itself, so that each has to have put its folder on the path.
EACH = """
import os, re, runpy, sys
top = sys.argv.pop(1)
sys.path.insert(0, top)
import feedgen.feed, feedparser, flask, hypothesis, lxml.html, numpy, sqlalchemy.orm, trafilatura
import feeds.cli, feeds.engine.clock, feeds.ingest.reading, feeds.publish, feeds.serve, feeds.settings.judging
sys.path[:] = [path for path in sys.path if path and path != top]
for bench in sys.argv[1:]:
    child = os.fork()
    if not child:
        sys.argv, sys.path[:0] = [bench, "--help"], [os.path.dirname(bench)]
        sys.stdout = sys.stderr = open(os.path.basename(bench) + ".told", "w")
        try:
            runpy.run_path(bench, run_name="__main__")
        except SystemExit:
            sys.stdout.flush()
            needs = re.search("^(from|import) feeds", open(bench).read(), re.MULTILINE)
            os._exit(4 if needs and top not in map(os.path.realpath, sys.path) else 0)
        os._exit(3)
    print(os.path.basename(bench), os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_all_start_from_anywhere(tmp_path: Path) -> None:
    clean = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "WIREDESK_HOME")}
    benches = [str(path) for path in BENCHES]
    ended = subprocess.run(
        [sys.executable, "-P", "-c", EACH, str(BENCHES[0].parent.parent), *benches],
        cwd=tmp_path,
        env=clean,
        capture_output=True,
        text=True,
        timeout=300,
    )
    told = {path.name: (tmp_path / f"{path.name}.told").read_text() for path in BENCHES}
    assert not [(name, said[-2000:]) for name, said in told.items() if not said.startswith("usage: ")]
    assert ended.stdout.split() == [word for path in BENCHES for word in (path.name, "0")], ended.stderr
