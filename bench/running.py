"""A desk that runs, for the benches: started as an admin starts it, an origin that it polls, what its processes use.

Linux alone: what a process uses is read from `/proc`.
"""

from __future__ import annotations

import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from xml.sax.saxutils import escape

import psutil

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.e2e.desk import Desk, until  # noqa: E402

BEGIN = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@dataclass
class Origin:
    """A source on loopback: one feed of the newest *keep* articles, of *words* words each; a context manager.

    *given* holds for each number of articles when the feed with so many was first given whole (`time.monotonic`).
    """

    keep: int = 50
    words: int = 300
    titles: list[str] = field(default_factory=list)
    given: dict[int, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        origin = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                count = len(origin.titles)
                etag = f'"{count}"'
                fresh = self.headers.get("If-None-Match") != etag
                self.send_response(200 if fresh else 304)
                body = origin.feed() if fresh else b""
                self.send_header("ETag", etag)
                self.send_header("Content-Type", "application/rss+xml")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
                origin.given.setdefault(count, time.monotonic())

            def log_message(self, *words: object) -> None:
                """Nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/feed.xml"

    def publish(self, count: int = 1) -> None:
        """Have so many articles more."""
        for _ in range(count):
            number = len(self.titles)
            self.titles.append(f"Harbour {number} and lantern {number * 7919 % 1000}")

    def feed(self) -> bytes:
        """The feed as it is now, newest first."""
        items = []
        for number in range(len(self.titles) - 1, max(len(self.titles) - self.keep, 0) - 1, -1):
            # Words of its own, so that no article is a copy of another.
            text = " ".join(f"w{number}x{each * 31 % 977}" for each in range(self.words))
            when = format_datetime(BEGIN + timedelta(minutes=number))
            items.append(
                f"<item><title>{escape(self.titles[number])}</title><link>{self.url}/{number}</link>"
                f"<guid>{self.url}/{number}</guid><pubDate>{when}</pubDate><description>{text}</description></item>"
            )
        head = f"<title>Origin</title><link>{self.url}</link><description>of a bench</description>"
        return f'<rss version="2.0"><channel>{head}{"".join(items)}</channel></rss>'.encode()

    def __enter__(self) -> Origin:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


class Running(Desk):
    """A desk of the project at *root*, such as another checkout; web processes as `wiredesk run` has them by itself."""

    def __init__(self, folder: Path, root: Path = ROOT, database: str = "") -> None:
        super().__init__(folder)
        self.root = root
        self.database = {"WIREDESK_DATABASE": database} if database else {}

    def environ(self, more: dict[str, str]) -> dict[str, str]:
        """As of a test's desk, but of the checkout at *root*, on its own *database* where one is named."""
        return super().environ(more) | {"PYTHONPATH": str(self.root)} | self.database

    def run(self) -> None:
        """Start `wiredesk run` and wait until it is ready."""
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", "feeds.cli", "run", "--port", str(self.port), *self.folders]
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, env=self.environ({}), cwd=self.config.parent
            )
        until(self.ready, 120, "the desk's start")

    def command(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run `wiredesk ARGUMENTS` of the checkout at *root* to its end, in a process of its own."""
        return subprocess.run(
            [sys.executable, "-m", "feeds.cli", *arguments, *self.folders],
            capture_output=True,
            text=True,
            timeout=300,
            env=self.environ(environ),
            cwd=self.config.parent,
        )

    def let_rest(self, hours: float = 24) -> None:
        """Have no source due for so long: written into the database of a desk that does not run."""
        with sqlite3.connect(self.data / "desk.sqlite3") as database:
            later = int((time.time() + hours * 3600) * 1_000_000)
            database.execute("UPDATE sources SET next_poll_at = ?, claim_id = NULL", (later,))

    def pids(self) -> list[int]:
        """The processes of the desk, the parent first."""
        assert self.process is not None
        return [process.pid for process in tree(self.process.pid)]


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process has used: seconds of CPU, wake-ups (voluntary context switches of its threads), memory (PSS)."""

    cpu_s: float
    wakeups: int
    pss_bytes: int
    threads: int
    name: str


def tree(pid: int) -> list[psutil.Process]:
    """The process *pid* and all that came of it; none where it is gone."""
    try:
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def memory_bytes(pid: int) -> int:
    """What the tree of a process holds for itself alone and its share of the rest (PSS)."""
    held = 0
    for process in tree(pid):
        with suppress(psutil.Error):
            held += process.memory_full_info().pss
    return held


def usage(pid: int) -> Usage:
    """What the process *pid* has used since it began; nothing where it is gone."""
    try:
        process = psutil.Process(pid)
        cpu = process.cpu_times()
        statuses = [file.read_text() for file in Path(f"/proc/{pid}/task").glob("*/status")]
        wakeups = re.findall(r"^voluntary_ctxt_switches:\s*(\d+)", "".join(statuses), re.M)
        held = process.memory_full_info().pss
        return Usage(cpu.user + cpu.system, sum(map(int, wakeups)), held, len(statuses), _name(process))
    except (psutil.Error, OSError):
        return Usage(0, 0, 0, 0, "")


def _name(process: psutil.Process) -> str:
    if process.name().startswith("wiredesk "):
        return process.name().removeprefix("wiredesk ")
    words = process.cmdline()
    if "feeds.cli" in words:
        return words[words.index("feeds.cli") + 1]
    return "spawned" if any("multiprocessing" in word for word in words) else " ".join(words)[:30]


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process in order, by force after half a minute."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(10)
