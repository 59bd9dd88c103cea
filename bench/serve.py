#!/usr/bin/env python3
"""How fast a poll is answered: the shipped web entry point beside nginx's static files, in one run on the same cores.

    bench/serve.py [--seconds 2] [--rounds 5] [--connections 32] [--command 'wiredesk web …'] [--json]

Three requests for one feed of some 60 KB: a 304, a gzip hit, an identity hit. Both servers get two processes; wrk
asks them by turns, and each figure is the median over the rounds, ratios being taken within a round. CPU is that of
the whole process tree, from /proc. Needs nginx and wrk (`bench/setup`).
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import hashlib
import http.client
import json
import os
import random
import re
import shlex
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from feeds.configuration import Section, Settings  # noqa: E402
from feeds.model import MEDIA_TYPES, Document  # noqa: E402
from feeds.settings import Config, config_to_json  # noqa: E402
from feeds.store import open_store  # noqa: E402
from feeds.store.values import Replacement  # noqa: E402

CASES = ("304", "gzip", "identity")
TICKS = os.sysconf("SC_CLK_TCK")
NGINX = """
user root; worker_processes 2; daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000; etag on;
  types {{ application/rss+xml rss; }}
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{ listen 127.0.0.1:{port} backlog=1024; root {folder}/files; gzip_static on; gzip_vary on;
            add_header Cache-Control "public, max-age=300"; }}
}}
"""


@dataclass(frozen=True)
class Measured:
    """One server, one case, one round."""

    per_second: float
    p99_ms: float
    cpu_us: float
    errors: int


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=int, default=2, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--command", help="starts the web processes; {port} and {data} are filled in")
    parser.add_argument("--json", action="store_true", help="print the medians as JSON")
    arguments = parser.parse_args()
    for tool in ("nginx", "wrk"):
        if shutil.which(tool) is None:
            print(f"{tool} is missing; bench/setup installs it", file=sys.stderr)
            return 2
    with tempfile.TemporaryDirectory(prefix="wiredesk-bench-") as name:
        folder = Path(name)
        body = feed_body(60_000)
        publish(folder, body)
        ports = {"nginx": free_port(), "wiredesk": free_port()}
        with (
            running(nginx(folder, ports["nginx"], body)) as one,
            running(ours(arguments, folder, ports["wiredesk"])) as two,
        ):
            trees = {"nginx": one.pid, "wiredesk": two.pid}
            for server, port in ports.items():
                wait_for(port, server)
            print_sizes(ports)
            found = measure(arguments, ports, trees)
    report(found, as_json=arguments.json)
    return 0


def feed_body(size: int) -> bytes:
    """A feed in the size of real ones, with text that compresses about as prose does."""
    draw = random.Random(20)
    words = ["".join(draw.choice("aeinorstlhdcumfpgwybvk") for _ in range(draw.randint(2, 10))) for _ in range(3000)]
    items = []
    while sum(map(len, items)) < size:
        text = " ".join(words[min(int(draw.paretovariate(0.5)) - 1, 2999)] for _ in range(160))
        items.append(f"<item><title>Story {len(items)}</title><guid>urn:x:{len(items)}</guid><description>{text}</description></item>\n")  # fmt: skip  # noqa: E501
    return f'<rss version="2.0"><channel><title>World</title>{"".join(items)}</channel></rss>'.encode()


def publish(folder: Path, body: bytes) -> None:
    """Put the feed, and some others beside it, into a store of its own."""
    now = datetime.now(UTC)
    sections = (
        Section(path="", title="All"),
        Section(path="news", title="News"),
        Section(path="news/world", title="World"),
    )
    document = Document(
        path="news/world",
        format="rss",
        media_type=MEDIA_TYPES["rss"],
        sequence=4711,
        etag="4711-" + hashlib.sha256(body).hexdigest()[:16],
        last_modified=now,
        body=body,
        gzip=gzip.compress(body, 6, mtime=0),
    )
    with open_store(f"sqlite:///{folder}/desk.sqlite3") as store, store.write() as tx:
        tx.configs.accept(config_to_json(Config(settings=Settings(), sections=sections, digest="bench")), "bench", now)
        tx.sections.sync(sections, now)
        tx.documents.replace([Replacement(path="news/world", documents=[document], sequence=4711)])


def nginx(folder: Path, port: int, body: bytes) -> subprocess.Popen[bytes]:
    """nginx over the same bytes as files."""
    target = folder / "files" / "news"
    target.mkdir(parents=True)
    (target / "world.rss").write_bytes(body)
    (target / "world.rss.gz").write_bytes(gzip.compress(body, 6, mtime=0))
    config = folder / "nginx.conf"
    config.write_text(NGINX.format(folder=folder, port=port))
    return subprocess.Popen(["nginx", "-c", str(config), "-p", str(folder)], stderr=subprocess.DEVNULL)


def ours(arguments: argparse.Namespace, folder: Path, port: int) -> subprocess.Popen[bytes]:
    """The shipped entry point with its shipped defaults."""
    command = arguments.command or f"{sys.executable} -m feeds.cli web --workers 2 --data {{data}} --port {{port}}"
    environ = {**os.environ, "WIREDESK_DATA": str(folder), "PORT": str(port)}
    words = shlex.split(command.format(port=port, data=folder))
    return subprocess.Popen(words, cwd=ROOT, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@contextlib.contextmanager
def running(process: subprocess.Popen[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def measure(
    arguments: argparse.Namespace, ports: dict[str, int], trees: dict[str, int]
) -> dict[tuple[str, str], list[Measured]]:
    found: dict[tuple[str, str], list[Measured]] = {}
    for turn in range(arguments.rounds + 1):
        for case in CASES:
            for server in sorted(ports, reverse=bool(turn % 2)):
                measured = one_run(arguments, ports[server], trees[server], case, warm_up=turn == 0)
                if turn:
                    found.setdefault((server, case), []).append(measured)
    return found


def one_run(arguments: argparse.Namespace, port: int, tree: int, case: str, *, warm_up: bool) -> Measured:
    headers = {"Accept-Encoding": "gzip"} if case == "gzip" else {}
    if case == "304":
        headers["If-None-Match"] = ask(port)[1]["ETag"]
    status = ask(port, headers)[0]
    if status != (304 if case == "304" else 200):
        raise SystemExit(f"port {port} answered {status} to {case}")
    seconds = 1 if warm_up else arguments.seconds
    command = ["wrk", "-t1", f"-c{arguments.connections}", f"-d{seconds}s", "--latency"]
    for name, value in headers.items():
        command += ["-H", f"{name}: {value}"]
    before = cpu_seconds(tree)
    text = subprocess.run([*command, f"http://127.0.0.1:{port}/news/world.rss"], capture_output=True, text=True).stdout
    used = cpu_seconds(tree) - before
    requests = int(re.search(r"(\d+) requests in", text)[1])  # type: ignore[index]
    errors = sum(map(int, re.findall(r"(?:connect|read|write|timeout) (\d+)", text)))
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    value, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", text).groups()  # type: ignore[union-attr]
    return Measured(
        per_second=float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1]),  # type: ignore[index]
        p99_ms=float(value) * {"us": 0.001, "ms": 1, "s": 1000}[unit],
        cpu_us=used / requests * 1e6,
        errors=errors + (int(refused[1]) if refused else 0),
    )


def ask(port: int, headers: dict[str, str] | None = None) -> tuple[int, http.client.HTTPMessage, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/news/world.rss", headers=headers or {})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def cpu_seconds(root: int) -> float:
    """User and system time of a process and all below it."""
    parents: dict[int, int] = {}
    times: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                parents[int(entry.name)] = int(fields[1])
                times[int(entry.name)] = sum(map(int, fields[11:15]))
    tree = {root}
    while more := {pid for pid, parent in parents.items() if parent in tree and pid not in tree}:
        tree |= more
    return sum(times.get(pid, 0) for pid in tree) / TICKS


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int, server: str) -> None:
    for _ in range(150):
        with contextlib.suppress(OSError, http.client.HTTPException):
            if ask(port)[0] == 200:
                return
        time.sleep(0.1)
    raise SystemExit(f"{server} did not come up")


def print_sizes(ports: dict[str, int]) -> None:
    whole = {len(ask(port)[2]) for port in ports.values()}
    coded = {len(ask(port, {"Accept-Encoding": "gzip"})[2]) for port in ports.values()}
    print(f"one feed of {', '.join(map(str, sorted(whole)))} bytes, gzip {', '.join(map(str, sorted(coded)))}")


def report(found: dict[tuple[str, str], list[Measured]], *, as_json: bool) -> None:
    """Print medians; ratios are medians of each round's own ratio."""
    rows = []
    for case in CASES:
        theirs, our = found["nginx", case], found["wiredesk", case]
        pairs = list(zip(theirs, our, strict=True))
        rows.append(
            {
                "case": case,
                "nginx_per_second": statistics.median(one.per_second for one in theirs),
                "per_second": statistics.median(one.per_second for one in our),
                "ratio": statistics.median(b.per_second / a.per_second for a, b in pairs),
                "nginx_cpu_us": statistics.median(one.cpu_us for one in theirs),
                "cpu_us": statistics.median(one.cpu_us for one in our),
                "cpu_ratio": statistics.median(b.cpu_us / a.cpu_us for a, b in pairs),
                "nginx_p99_ms": statistics.median(one.p99_ms for one in theirs),
                "p99_ms": statistics.median(one.p99_ms for one in our),
                "errors": sum(one.errors for one in our),
            }
        )
    if as_json:
        print(json.dumps(rows, indent=1))
        return
    print(f"{'':10}{'nginx req/s':>12}{'ours':>9}{'ratio':>7}  {'nginx CPU µs':>13}{'ours':>7}{'times':>7}"
          f"  {'nginx p99 ms':>13}{'ours':>7}{'errors':>8}")  # fmt: skip
    for row in rows:
        print(f"{row['case']:10}{row['nginx_per_second']:12.0f}{row['per_second']:9.0f}{row['ratio']:7.2f}"
              f"  {row['nginx_cpu_us']:13.1f}{row['cpu_us']:7.1f}{row['cpu_ratio']:7.1f}"
              f"  {row['nginx_p99_ms']:13.2f}{row['p99_ms']:7.2f}{row['errors']:8}")  # fmt: skip
    print("wanted: ratio at least 0.8, 0.75, 0.7, CPU at most 1.5 times, p99 no worse than nginx's")


if __name__ == "__main__":
    sys.exit(main())
