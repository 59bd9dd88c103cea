"""Commands run in this process, as the entrance does: arguments in; exit code, output and errors out."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from feeds.cli import main


@dataclass
class Ended:
    code: int
    out: str
    err: str


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A desk of one folder source with two articles, never run."""
    config = tmp_path / "config"
    (config / "articles").mkdir(parents=True)
    (config / "wiredesk.yaml").write_text("title: Wire\nbase_url: http://127.0.0.1:1\ncontact: desk@example.org\n")
    (config / "sections.yaml").write_text(
        "news:\n  title: News\n  include_children: true\n  sections:\n    world:\n      title: World\n"
    )
    (config / "sources.yaml").write_text("- name: Letters\n  files: articles/*.txt\n  section: news/world\n")
    for number, words in enumerate(("tide harbour ferry lantern", "orchard cider press barrel")):
        text = " ".join(f"{word} {words}" for word in words.split())
        (config / "articles" / f"{number}.txt").write_text(f"Article {number}\n\n{text}.\n")
        os.utime(config / "articles" / f"{number}.txt", (1_700_000_000, 1_700_000_000))
    return tmp_path


@pytest.fixture
def run(
    folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Ended]]:
    """`run("check", …)` on the desk in *folder*."""
    monkeypatch.chdir(folder)
    monkeypatch.delenv("WIREDESK_HOME", raising=False)
    monkeypatch.setenv("WIREDESK_CONFIG", str(folder / "config"))
    monkeypatch.setenv("WIREDESK_DATA", str(folder / "data"))
    for module in (sys, threading):  # commands set them
        monkeypatch.setattr(module, "excepthook", module.excepthook)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level

    def command(*arguments: str, columns: int | None = None) -> Ended:
        if columns:
            monkeypatch.setenv("COLUMNS", str(columns))
        monkeypatch.setattr(sys, "argv", ["wiredesk", *arguments])
        capfd.readouterr()
        code: object = 0
        try:
            main()
        except SystemExit as ended:
            code = ended.code or 0
        out, err = capfd.readouterr()
        assert isinstance(code, int)
        return Ended(code, out, err)

    yield command
    root.handlers[:] = handlers
    root.setLevel(level)
    for name in ("feeds", "feeds.ingest"):
        logging.getLogger(name).setLevel(logging.NOTSET)
