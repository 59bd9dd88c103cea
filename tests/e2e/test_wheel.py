"""The wheel, installed where nothing but what it declares can be imported: it starts, and all of it imports."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import venv
from importlib.metadata import distribution
from pathlib import Path

import pytest

from tests.e2e.desk import ROOT, free_port, until
from tests.test_requirements import PROJECT, declared, needed

SCAN = """
import importlib, pkgutil, feeds
wanting = {}
for found in pkgutil.walk_packages(feeds.__path__, "feeds."):
    if not found.name.endswith(("__main__", "migrations.env")) and ".versions." not in found.name:
        try:
            importlib.import_module(found.name)
        except ImportError as error:
            wanting[found.name] = error.name
print(wanting)
"""
TRAINING = {f"feeds.filing.{module}": "scipy" for module in ("matrix", "training")}
"""Modules that train a model, which is for the extra `learn`. To ask one needs none of them."""
MANY_MACHINES = {"feeds.engine.tasks": "procrastinate"}
"""What several machines share their work by, which is for the extra `postgres`."""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel and what it declares, taken from this one: nothing is downloaded."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in ("feeds", "config"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md"):
        shutil.copy(ROOT / name, source)
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder / "dist"), str(source)]
    built = subprocess.run(build, capture_output=True, text=True, timeout=180)
    assert built.returncode == 0, built.stdout + built.stderr
    [wheel] = (folder / "dist").glob("*.whl")
    shutil.rmtree(source)

    home = folder / "venv"
    venv.create(home, with_pip=False, symlinks=True)
    [site] = home.glob("lib/python*/site-packages")
    for name in set().union(*(needed(each.name, frozenset(each.extras)) for each in declared())):
        found = distribution(name)
        for top in {Path(file).parts[0] for file in found.files or ()} - {"..", "__pycache__"}:
            (site / top).symlink_to(Path(str(found.locate_file(top))))
    uv = [str(Path(sys.executable).parent / "uv"), "pip", "install", "--quiet", "--no-cache", "--no-index", "--no-deps"]
    install = [*uv, "--python", str(home / "bin" / "python"), str(wheel)]
    ended = subprocess.run(install, capture_output=True, text=True, timeout=180)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return home


def run(installed: Path, *command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("WIREDESK_", "PYTHON"))}
    program = str(installed / "bin" / command[0])
    return subprocess.run([program, *command[1:]], cwd=cwd, env=clean, capture_output=True, text=True, timeout=180)


def test_every_module_imports_with_what_is_declared(installed: Path, tmp_path: Path) -> None:
    scanned = run(installed, "python", "-c", SCAN, cwd=tmp_path)
    assert scanned.returncode == 0, scanned.stderr
    assert ast.literal_eval(scanned.stdout) == TRAINING | MANY_MACHINES


def test_it_starts_from_the_config_that_it_writes(installed: Path, tmp_path: Path) -> None:
    version = run(installed, "wiredesk", "--version", cwd=tmp_path)
    assert version.stdout.startswith(f"{PROJECT['name']}, version ")
    written = run(installed, "wiredesk", "init", "desk", cwd=tmp_path)
    assert written.returncode == 0, written.stderr
    again = run(installed, "wiredesk", "init", "desk", cwd=tmp_path)
    assert (again.returncode, "is there already" in again.stderr) == (1, True)
    judged = run(installed, "wiredesk", "check", cwd=tmp_path / "desk")
    assert judged.returncode == 0, judged.stdout + judged.stderr
    (tmp_path / "desk" / "config" / "sources.yaml").write_text("- {name: Letters, files: 'articles/*.txt'}\n")
    port = free_port()
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("WIREDESK_", "PYTHON"))}
    command = [str(installed / "bin" / "wiredesk"), "run", "--port", str(port)]
    with (tmp_path / "log").open("wb") as log:
        desk = subprocess.Popen(command, cwd=tmp_path / "desk", env=clean, stdout=log, stderr=log)
    try:
        until(lambda: _serves(port), 60, "an article on the front page")
    finally:
        desk.terminate()
        assert desk.wait(60) == 0, (tmp_path / "log").read_text()


def _serves(port: int) -> bool:
    asked = subprocess.run(
        ["curl", "-sf", f"http://127.0.0.1:{port}/index.json"], capture_output=True, text=True, timeout=10
    )
    return '"id"' in asked.stdout
