"""The README followed word by word in a fresh clone: every command in it is run, every config in it is taken."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from tests.e2e.desk import ROOT, Desk, free_port, until

BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)


def environ(clone: Path) -> dict[str, str]:
    """That of somebody who just cloned; the environment of these tests stands for an installed one."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("WIREDESK_", "PYTHONPATH"))}
    return clean | {"WIREDESK_VENV": str(clone.parent / "venv"), "WIREDESK_PYTHON": sys.executable}


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A fresh clone of what is here, with requirements taken as installed."""
    folder = tmp_path / "wiredesk"
    if (ROOT / ".git").exists():
        subprocess.run(["git", "clone", "-q", str(ROOT), str(folder)], check=True)
    else:
        shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(".venv", "var", "node_modules"))
    venv = tmp_path / "venv"
    (venv / "bin").mkdir(parents=True)
    # A Python of this environment; the stamps say that all is installed, so that nothing is downloaded again.
    (venv / "bin" / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (venv / "bin" / "python").chmod(0o755)
    for name in ("requirements.txt", "requirements-dev.txt"):
        shutil.copy(folder / name, venv / f".wiredesk-{name}")
    return folder


def test_the_readme_is_true_word_by_word(clone: Path) -> None:
    readme = (clone / "README.md").read_text()
    blocks = [(kind, text) for kind, text in BLOCK.findall(readme)]
    commands = [line.split("#")[0].split() for kind, text in blocks if kind == "sh" for line in text.splitlines()]
    assert ["bin/run"] in commands and ["bin/test"] in commands
    assert all(os.access(clone / command[0], os.X_OK) for command in commands if command)

    # `bin/run`, as it stands but for the port, which may be taken here.
    desk = Desk(clone.parent / "asked", port=free_port())
    log = clone.parent / "run.log"
    began = time.monotonic()
    with log.open("wb") as out:
        desk.process = subprocess.Popen(
            ["bin/run", "--port", str(desk.port)], cwd=clone, env=environ(clone), stdout=out, stderr=out
        )
    with desk:
        until(lambda: _ready(desk, log), 60, "the start")
        # "so that the desk shows something at once, without internet too"
        until(lambda: desk.items("/index.json"), 30, "an article")
        assert time.monotonic() - began < 90
        named = re.findall(r"^\| `(/[^`]*)`((?: `\.\w+`)*) \|", readme, re.MULTILINE)
        assert len(named) >= 5
        for path, endings in named:
            stem = path.rpartition(".")[0] if endings else path
            for each in (path, *(stem + ending for ending in re.findall(r"\.\w+", endings))):
                assert desk.get(each).status == 200, each
        assert f"http://127.0.0.1:{desk.port}/" in log.read_text()

        # "Config in two minutes": each snippet put into its file, and judged.
        snippets = [text for kind, text in blocks if kind == "yaml"]
        files = re.findall(r"^`config/(\w+\.yaml)` ", readme, re.MULTILINE)
        assert files == ["wiredesk.yaml", "sections.yaml", "sources.yaml"] and len(snippets) == 3
        for file, snippet in zip(files, snippets, strict=True):
            yaml.safe_load(snippet)
            (clone / "config" / file).write_text(snippet)
        judged = _run(clone, "bin/wiredesk", "check")
        assert judged.returncode == 0, judged.stdout + judged.stderr
        until(lambda: "config version=2 is live" in log.read_text(), 20, "the saved config")

        # The mistake that it shows is told in these words.
        [shown] = [
            line for kind, text in blocks if not kind for line in text.splitlines() if line.startswith("sources")
        ]
        (clone / "config" / "sources.yaml").write_text(snippets[2].replace("news/world", "news/wrold"))
        wrong = _run(clone, "bin/wiredesk", "check")
        assert wrong.returncode == 78
        assert shown in wrong.stdout.splitlines()

        # Every command of the table exists.
        told = _run(clone, "bin/wiredesk", "--help")
        assert told.returncode == 0
        present = re.findall(r"^  (\w+)  ", told.stdout, re.MULTILINE)
        named = re.findall(r"^\| `(\w+)[^|]*` \|", readme, re.MULTILINE)
        assert len(named) > 10 and set(named) <= set(present)
        assert desk.stop() == 0
    for target in re.findall(r"\]\(((?!http)[^)#]+)", readme):
        assert (clone / target).exists(), target


def _ready(desk: Desk, log: Path) -> bool:
    assert desk.process is not None and desk.process.poll() is None, log.read_text()
    try:
        return desk.get("/readyz").status == 200
    except OSError:
        return False


def _run(clone: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=clone, env=environ(clone), capture_output=True, text=True, timeout=60)
