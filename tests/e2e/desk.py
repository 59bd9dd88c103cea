"""A whole desk as a process, as an admin starts it, with a config folder of its own on loopback."""

from __future__ import annotations

import contextlib
import http.client
import io
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from unittest.mock import patch

import psutil
import yaml

from feeds import files
from feeds.cli import main
from feeds.redaction import OF_THIS_PROCESS

ROOT = Path(__file__).resolve().parents[2]
UP_WITHIN_S = 60.0


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def until(true: Callable[[], object], within_s: float = 60.0, what: str = "it") -> None:
    """Wait until *true* gives something true; AssertionError when it does not in time."""
    end = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < end, f"{what} did not happen within {within_s:.0f} s"
        time.sleep(0.1)


def in_this_process(arguments: list[str], environ: dict[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run `wiredesk ARGUMENTS` in *folder* and *environ* alone; nothing of it stays in this process."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    root, cache = logging.getLogger(), files.cache_folder()
    loggers = [root, *map(logging.getLogger, ("feeds", "feeds.ingest"))]
    before = root.handlers[:], [logger.level for logger in loggers]
    code: object = 0
    with ExitStack() as stack:
        stack.enter_context(patch.dict(os.environ, environ, clear=True))
        stack.enter_context(patch.multiple(OF_THIS_PROCESS, _named={}, _shown={}))
        stack.enter_context(patch.object(sys, "argv", ["wiredesk", *arguments]))
        for module in (sys, threading):  # commands set them
            stack.enter_context(patch.object(module, "excepthook", module.excepthook))
        stack.enter_context(contextlib.chdir(folder))
        stack.enter_context(contextlib.redirect_stdout(out))
        stack.enter_context(contextlib.redirect_stderr(err))
        try:
            main()
        except SystemExit as ended:
            code = ended.code or 0
        finally:
            files.use_cache(cache)
            root.handlers[:], levels = before
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
    assert isinstance(code, int)
    texts = [stream.buffer.getvalue().decode() for stream in (out, err)]
    return subprocess.CompletedProcess(arguments, code, *texts)


class Answered:
    """An answer of the desk's: *headers* with lower-case names."""

    def __init__(self, status: int, headers: Iterable[tuple[str, str]], body: bytes) -> None:
        self.status = status
        self.headers = {name.lower(): value for name, value in headers}
        self.body = body


class Desk:
    """Config, data and process of one desk below *folder*; `start` runs it, leaving the context ends it."""

    def __init__(self, folder: Path, *, port: int | None = None) -> None:
        self.config = folder / "config"
        self.data = folder / "data"
        self.port = port or free_port()
        self.log = folder / "desk.log"
        self.config.mkdir(parents=True, exist_ok=True)
        self.process: subprocess.Popen[bytes] | None = None
        self.write(
            sections={"news": {"title": "News", "include_children": True, "sections": {"world": {"title": "World"}}}}
        )

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def folders(self) -> list[str]:
        """The arguments that name this desk."""
        return ["--config", str(self.config), "--data", str(self.data)]

    def write(
        self,
        *,
        sections: object | None = None,
        sources: list[dict[str, object]] | None = None,
        desk: dict[str, object] | None = None,
    ) -> None:
        """Write config files; what is not given stays, with defaults made for quick tests."""
        told = {
            "title": "Test Wire",
            "base_url": self.base_url,
            "contact": "desk@example.org",
            "poll": {"first_s": 1, "floor_s": 1, "gap_s": 0, "per_host": 8},
            "fetch": {"allow_private": ["127.0.0.0/8"], "timeout_s": 10},
            "publish": {"full_text": "full"},
        }
        if desk is not None or not (self.config / "wiredesk.yaml").exists():
            self._dump("wiredesk.yaml", told | (desk or {}))
        if sections is not None:
            self._dump("sections.yaml", sections)
        if sources is not None or not (self.config / "sources.yaml").exists():
            self._dump("sources.yaml", sources or [])

    def _dump(self, name: str, told: object) -> None:
        # Put in place whole, as careful editors do.
        path = self.config / name
        half = path.with_name(f".{name}.half")
        half.write_text(yaml.safe_dump(told, sort_keys=False, allow_unicode=True), encoding="utf-8")
        half.replace(path)

    def command(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run `wiredesk ARGUMENTS` on this desk's folders to its end, in this process, for a start of Python costs more
        than most commands. `run` has a process of its own.
        """
        called = [*arguments, *self.folders]
        if arguments[0] != "run":
            return in_this_process(called, self.environ(environ), self.config.parent)
        return subprocess.run(
            [sys.executable, "-m", "feeds.cli", *called],
            capture_output=True,
            text=True,
            timeout=60,
            env=self.environ(environ),
            cwd=self.config.parent,
        )

    def start(self, *arguments: str, program: Path | None = None, **environ: str) -> Desk:
        """Start `wiredesk run`, or *program* in the place of `wiredesk`, and wait until it is ready."""
        called = ["-m", "feeds.cli"] if program is None else [str(program)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *called, "run", "--port", str(self.port), "--workers", "1"]
                + [*self.folders, *arguments],
                stdout=log,
                stderr=log,
                env=self.environ(environ),
                cwd=self.config.parent,
            )
        until(self.ready, UP_WITHIN_S, f"the desk's start (log: {self.log.read_text()[-2000:]})")
        return self

    def ready(self) -> bool:
        """Whether the desk answers that it is ready; fails at once where its process has ended."""
        assert self.process is not None
        assert self.process.poll() is None, f"the desk ended: {self.log.read_text()[-3000:]}"
        try:
            return self.get("/readyz").status == 200
        except OSError:
            return False

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(60)
        self.process = None
        return code

    def children(self) -> dict[str, psutil.Process]:
        """The living processes of the running desk: parent, ingest, web and their workers (numbered)."""
        assert self.process is not None
        parent = psutil.Process(self.process.pid)
        named = {"parent": parent}
        for child in parent.children():
            try:
                name = child.name().removeprefix("wiredesk ")
                workers = child.children()
                is_dead = child.status() == psutil.STATUS_ZOMBIE  # until the parent looks
            except psutil.NoSuchProcess:
                continue
            if is_dead:
                continue
            if name in named:
                name = f"{name}-{child.pid}"
            named[name] = child
            for number, worker in enumerate(workers):
                named[f"{name}-worker-{number}"] = worker
        return named

    def child(self, name: str) -> psutil.Process:
        """The child of that name, as soon as there is one: another may have been killed just now."""
        found: list[psutil.Process] = []
        until(lambda: found.extend(each for key, each in self.children().items() if key == name) or found, what=name)
        return found[0]

    def get(self, path: str, headers: dict[str, str] | None = None, method: str = "GET") -> Answered:
        """Ask the desk; no redirects are followed."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, headers=headers or {})
            response = connection.getresponse()
            return Answered(response.status, response.getheaders(), response.read())
        finally:
            connection.close()

    def items(self, path: str) -> list[dict[str, object]]:
        """The items of a section's JSON Feed; nothing while there is no document."""
        answered = self.get(path)
        if answered.status != 200:
            return []
        items: list[dict[str, object]] = json.loads(answered.body)["items"]
        return items

    def environ(self, more: dict[str, str]) -> dict[str, str]:
        """The environment of a desk's process: ours without any other desk's, and *more*."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("WIREDESK_")}
        return clean | {"PYTHONPATH": str(ROOT)} | more

    def __enter__(self) -> Desk:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(60)
