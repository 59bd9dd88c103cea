"""`bin/run` on machines that lack something: one clear line each, with the remedy. Nothing is installed here."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENSUREPIP = (
    "The virtual environment was not created successfully because ensurepip is not\n"
    "available. On Debian/Ubuntu systems, you need to install the python3-venv package.\n"
)


def run(environ: dict[str, str], *, path: str = os.environ["PATH"]) -> subprocess.CompletedProcess[str]:
    """`bin/run` with *environ* added to an environment without the desk's variables."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("WIREDESK_")}
    return subprocess.run(
        ["/bin/sh", str(ROOT / "bin" / "run")],
        env=clean | {"PATH": path} | environ,
        capture_output=True,
        text=True,
        timeout=60,
    )


def stub_python(folder: Path, venv: str) -> Path:
    """A Python whose `-m venv` does *venv* (shell), all else being the real one's."""
    stub = folder / "python3"
    stub.write_text(f'#!/bin/sh\nif [ "$1 $2" = "-m venv" ]; then {venv}; fi\nexec {sys.executable} "$@"\n')
    stub.chmod(0o755)
    return stub


def test_a_debian_without_venv_is_told_what_to_install(tmp_path: Path) -> None:
    said = tmp_path / "said"
    said.write_text(ENSUREPIP)
    stub = stub_python(tmp_path, f'mkdir -p "$4" && touch "$4/pyvenv.cfg"; cat {said}; exit 1')
    ended = run({"WIREDESK_PYTHON": str(stub), "WIREDESK_VENV": str(tmp_path / "venv")})
    assert ended.returncode == 1
    assert "apt install python3-venv" in ended.stderr.splitlines()[-1]
    # What was half made must not look whole at the next start.
    assert not (tmp_path / "venv").exists()


def test_an_environment_that_was_there_before_is_never_deleted(tmp_path: Path) -> None:
    shared = tmp_path / "venv"
    shared.mkdir()
    (shared / "kept").write_text("somebody else's")
    stub = stub_python(tmp_path, 'touch "$4/pyvenv.cfg"; echo broken; exit 1')
    ended = run({"WIREDESK_PYTHON": str(stub), "WIREDESK_VENV": str(shared)})
    assert ended.returncode == 1
    assert f"could not make {shared}: broken" in ended.stderr
    assert (shared / "kept").read_text() == "somebody else's"


def test_without_uv_pip_installs_and_what_it_says_is_seen(tmp_path: Path) -> None:
    """No uv on the machine, none to be had, and a pip that fails: its last word is shown, and the remedy."""
    tools = tmp_path / "tools"
    tools.mkdir()
    environment = tmp_path / "venv" / "bin"
    environment.mkdir(parents=True)
    pip = environment / "python"
    pip.write_text('#!/bin/sh\ncase "$*" in *install*) echo "no route to the index" >&2; exit 1;; esac\nexit 0\n')
    pip.chmod(0o755)
    stub = tools / "python3"
    stub.write_text(f'#!/bin/sh\ncase "$*" in *pip*) exit 1;; esac\nexec {sys.executable} "$@"\n')
    stub.chmod(0o755)
    ended = run({"WIREDESK_VENV": str(tmp_path / "venv")}, path=f"{tools}:/usr/bin:/bin")
    assert ended.returncode == 1
    lines = ended.stderr.splitlines()
    assert lines[0].startswith("Installing the ")
    assert "no route to the index" in lines
    assert "check the network or the package index" in lines[-1]
    assert not list((tmp_path / "venv").glob(".wiredesk-*"))


def test_an_extra_that_is_not_known_is_refused() -> None:
    ended = subprocess.run(["/bin/sh", str(ROOT / "bin" / "install"), "learning"], capture_output=True, text=True)
    assert ended.returncode == 1
    assert (
        ended.stderr
        == "wiredesk: say what to install: bin/install postgres, bin/install learn, or bin/install server\n"
    )


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    stub = stub_python(tmp_path, "echo \"Error: [Errno 13] Permission denied: '$4'\"; exit 1")
    ended = run({"WIREDESK_PYTHON": str(stub), "WIREDESK_VENV": str(tmp_path / "venv")})
    assert ended.returncode == 1
    assert "WIREDESK_VENV" in ended.stderr.splitlines()[-1]


def test_a_machine_without_python_is_told_what_to_install(tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("dirname", "cmp", "cp", "id", "tail"):
        (tools / name).symlink_to(next(p for p in (f"/usr/bin/{name}", f"/bin/{name}") if Path(p).exists()))
    ended = run({"WIREDESK_VENV": str(tmp_path / "venv")}, path=str(tools))
    assert ended.returncode == 1
    assert "Python 3.11 or newer is not on this machine" in ended.stderr
    assert "apt install python3" in ended.stderr


def test_the_fast_lane_names_what_is_there() -> None:
    text = (ROOT / "bin" / "test").read_text()
    [steps] = re.findall(r'^steps="(.*)"$', text, re.MULTILINE)
    [floor] = re.findall(r'^floor="(.*)"$', text, re.MULTILINE)
    named = [ROOT / "tests" / room for room in steps.split()]
    named += [ROOT / "tests" / f"test_{module}.py" for module in floor.split()]
    assert len(named) > 10
    assert [path for path in named if not path.exists()] == []
