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
from tests.fetch.origin import Origin

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

        # Every command of the page exists.
        told = _run(clone, "bin/wiredesk", "--help")
        assert told.returncode == 0
        present = re.findall(r"^  (\w+)  ", told.stdout, re.MULTILINE)
        page = (clone / "docs/commands.md").read_text()
        named = re.findall(r"^\| `(\w+)[^|]*` \|", page, re.MULTILINE)
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


FEED = (
    '<rss version="2.0"><channel><title>Example News</title>'
    "<item><title>The ferry sails again</title><link>{base}/1</link><description>From the harbour.</description></item>"
    "<item><title>A quiet day</title><link>{base}/2</link><description>Nothing at all.</description></item>"
    "</channel></rss>"
)


def test_the_ten_minutes_are_true_step_by_step(clone: Path, origin: Origin) -> None:
    page, base = (clone / "docs" / "ten-minutes.md").read_text(), origin.url("").rstrip("/")
    # The example site is one of this machine's, which has to be allowed.
    os_environ = environ(clone) | {"WIREDESK_ALLOW_PRIVATE": f"127.0.0.1:{origin.port}"}
    head = b'<link rel="alternate" type="application/rss+xml" title="Example News" href="/news.xml">'
    origin.add("/", lambda exchange: exchange.answer(200, head, Content_Type="text/html"))
    origin.add("/news.xml", lambda exchange: exchange.answer(200, FEED.format(base=base).encode()))

    def run(line: str) -> str:
        words = line.replace("https://example.org", base).split()
        ended = subprocess.run(words, cwd=clone, env=os_environ, capture_output=True, text=True, timeout=60)
        assert ended.returncode == 0, (line, ended.stdout, ended.stderr)
        return ended.stdout

    steps = [(text, None) if kind == "sh" else (text, name) for kind, text, name in _blocks(page)]
    desk = Desk(clone.parent / "asked", port=free_port())
    log = clone.parent / "run.log"
    did = []
    with desk:
        for text, file in steps:
            if file is not None:
                (clone / file).parent.mkdir(exist_ok=True)
                (clone / file).write_text(text.replace("https://example.org/", f"{base}/"))
                did.append(file)
                continue
            for line in text.splitlines():
                if line.startswith("git clone") or line == "bin/run":
                    continue  # the fixture has, and the README's test does
                did.append(line.split()[1])
                if line.startswith("bin/run"):
                    command = [*line.split(), "--port", str(desk.port)]
                    with log.open("wb") as out:
                        desk.process = subprocess.Popen(command, cwd=clone, env=os_environ, stdout=out, stderr=out)
                    until(lambda: _ready(desk, log), 60, "the start")
                    continue
                told = run(line)
                if "discover" in line:
                    assert yaml.safe_load(told)[0] == {"name": "Example News", "url": f"{base}/news.xml"}
                if "explain" in line:
                    assert "rule of town" in told or "keyword 'ferry'" in told
                if "sources" in line:
                    assert "Example News" in told and "My notes" in told
            if text.startswith("bin/run --config"):
                assert [item["title"] for item in desk.items("/town.json")] == ["The ferry sails again"]
                until(lambda: desk.items("/garden.json"), 20, "the note")
                assert [item["title"] for item in desk.items("/garden.json")] == ["The leeks are in"]
                assert desk.get("/town.atom").status == desk.get("/sections.opml").status == 200
                sections = clone / "mydesk" / "config" / "sections.yaml"
                sections.write_text(sections.read_text().replace("title: Garden", "title: My garden"))
                until(lambda: b"My garden" in desk.get("/garden").body, 20, "the new title")
        assert desk.stop() == 0
    assert {"init", "discover", "check", "poll", "--config", "explain", "sources"} <= set(did)
    assert len([one for one in did if "mydesk/" in one]) == 4


def _blocks(page: str) -> list[tuple[str, str, str]]:
    """Kind and text of each block, with the file of `mydesk/` that was named last before it."""
    found = []
    for match in BLOCK.finditer(page):
        named = re.findall(r"`(mydesk/[\w/]+\.\w+)`", page[: match.start()])
        found.append((match[1], match[2], named[-1] if named else ""))
    return found


def test_every_page_is_within_one_click_of_the_readme() -> None:
    readme = (ROOT / "README.md").read_text()
    linked = set(re.findall(r"\]\((docs/[^)#]+)", readme))
    pages = {f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")}
    assert pages - linked == set()
    assert re.search(r"!\[[^\]]+\]\(docs/screenshots/[\w-]+\.jpg\)", readme)


def test_links_between_pages_lead_somewhere() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(((?!https?:|#)[^)#\s]+)", page.read_text()):
            assert (page.parent / target).exists(), (page.name, target)
