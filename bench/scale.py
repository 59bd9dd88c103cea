"""How polling grows with hands: one, two and four of them on one PostgreSQL, against an origin of realistic latency.

    python -m bench.scale [--hands 1 2 4] [--sources 1600] [--hosts 400] [--seconds 60] [--articles-a-second 10]

The origin is a process of its own on 127.0.x.y, one address a host; each answer takes half a second to one and a half,
as those of far and busy servers do. So a hand is bounded as in the field: by the shards that it polls side by side, the
requests a host (2) and the time that they take, and not by its CPU; all sources are always due. The origin gives so
many new articles a second, one an answer, however often it is asked.

Printed for each number of hands: polls and articles a second, the share of what as many times one hand would make, CPU
milliseconds a poll of the hands (a role of the desk included), of the server and of the origin, CPU milliseconds an
article of the process that decides, and how much of the machine's cores all of it used, other work included. With more
than three quarters of them used, the figures say more of the machine than of the desk.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import psutil
import yaml
from sqlalchemy import text

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from feeds.store import Store
from tests.store import postgres

ROOT = Path(__file__).resolve().parent.parent
LATENCY_S = (0.5, 1.5)
SETTLE_S = 10.0
LEAST_SHARE, MOST_MS_AN_ARTICLE = 0.8, 3.0
WORDS = [f"{a}{b}{c}" for a in ("ba", "ke", "mi", "so", "tu") for b in ("lan", "rit", "mos", "ved") for c in "aeinor"]


def main() -> None:
    """Run the bench; a line for each number of hands."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--hands", type=int, nargs="+", default=[1, 2, 4])
    options.add_argument("--sources", type=int, default=1600)
    options.add_argument("--hosts", type=int, default=400)
    options.add_argument("--seconds", type=float, default=60)
    options.add_argument("--articles-a-second", type=float, default=10)
    chosen = options.parse_args()
    print(
        "hands  polls/s  of linear  articles/s   CPU ms a poll: hand  server  origin   desk ms an article   cores used"
    )
    one = 0.0
    for hands in chosen.hands:
        polls, desk_ms = _measure(hands, chosen, one)
        one = one or polls / hands
    print(f"wanted: of linear at least {LEAST_SHARE}, desk at most {MOST_MS_AN_ARTICLE} ms an article")


def _measure(hands: int, chosen: argparse.Namespace, one: float) -> tuple[float, float]:
    """Polls a second, and the CPU of the deciding process for an article; *one* is what one hand makes."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="scale")))
        origin, port = _start_origin(stack, chosen.articles_a_second)
        url = stack.enter_context(postgres.running())
        _write_config(folder / "config", port, chosen)
        desk = _start(stack, folder, url, "ingest", "desk")
        store = stack.enter_context(Store(url))
        _wait(store, lambda polls, articles: True)
        crew = [_start(stack, folder, url, "hand", f"hand{number}") for number in range(hands)]
        # The first polls import what is there; they are over, and every hand is at work, when all sources were polled.
        _wait(store, lambda polls, articles: polls >= chosen.sources)
        time.sleep(SETTLE_S)
        before, began, cores = _counts(store), time.monotonic(), psutil.cpu_times()
        cpu = [_cpu(process) for process in (desk, origin, *crew)] + [_server_cpu(url)]
        time.sleep(chosen.seconds)
        used = [_cpu(process) for process in (desk, origin, *crew)] + [_server_cpu(url)]
        seconds = time.monotonic() - began
        polls, articles = (now - then for now, then in zip(_counts(store), before, strict=True))
        desk_ms, origin_ms, *crew_ms, server_ms = (1000 * (now - then) for now, then in zip(used, cpu, strict=True))
        busy = _busy(psutil.cpu_times()) - _busy(cores)
        print(
            f"{hands:5}  {polls / seconds:7.1f}  {polls / seconds / hands / one if one else 1:9.2f}"
            f"  {articles / seconds:10.1f}   {sum(crew_ms) / polls:6.2f}  {server_ms / polls:6.2f}"
            f"  {origin_ms / polls:6.2f}   {desk_ms / max(articles, 1):14.2f}"
            f"   {busy / seconds:.2f} of {psutil.cpu_count()}",
            flush=True,
        )
        return polls / seconds, desk_ms / articles


def _busy(times: Any) -> float:
    return float(sum(times) - times.idle - times.iowait - times.guest - times.guest_nice)


def _start(stack: ExitStack, folder: Path, url: str, command: str, name: str) -> psutil.Process:
    environ = os.environ | {
        "WIREDESK_DATABASE": url,
        "WIREDESK_DATA": str(folder / name),
        "WIREDESK_CONFIG": str(folder / "config"),
    }
    log = stack.enter_context((folder / f"{name}.log").open("wb"))
    command_line = [sys.executable, "-m", "feeds.cli", command]
    process = subprocess.Popen(command_line, cwd=ROOT, env=environ, stdout=log, stderr=log)
    stack.callback(process.wait, 30)
    stack.callback(process.terminate)
    return psutil.Process(process.pid)


def _write_config(folder: Path, port: int, chosen: argparse.Namespace) -> None:
    folder.mkdir()
    desk = {
        "title": "Scale",
        "base_url": "http://127.0.0.1:8080",
        "contact": "bench@example.org",
        "poll": {"first_s": 1, "floor_s": 1, "gap_s": 0, "per_host": 2},
        "fetch": {"allow_private": ["127.0.0.0/8"], "ports": [80, 443, port]},
    }
    sources = [
        {
            "name": f"Source {number}",
            "url": f"http://127.0.{1 + number % chosen.hosts // 250}.{1 + number % chosen.hosts % 250}:{port}/{number}",
            "section": "news",
            "interval_s": 1,
        }
        for number in range(chosen.sources)
    ]
    for name, told in (("wiredesk", desk), ("sections", {"news": {"title": "News"}}), ("sources", sources)):
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(told))


def _wait(store: Store, enough: Callable[[int, int], bool]) -> None:
    end = time.monotonic() + 300
    while time.monotonic() < end:
        with suppress(Exception):  # while the tables are being made
            if enough(*_counts(store)):
                return
        time.sleep(0.5)
    raise SystemExit("the first polls took more than five minutes")


def _counts(store: Store) -> tuple[int, int]:
    """Polls that ended, and articles."""
    with store.unfenced() as connection:
        polled = connection.execute(text("SELECT coalesce(sum(polled), 0) FROM sources")).scalar_one()
        return int(polled), int(connection.execute(text("SELECT count(*) FROM articles")).scalar_one())


def _cpu(process: psutil.Process) -> float:
    """CPU seconds of a process and its children that live."""
    times = [one.cpu_times() for one in (process, *process.children(recursive=True)) if one.is_running()]
    return sum(each.user + each.system for each in times)


def _server_cpu(url: str) -> float:
    folder = url.partition("host=")[2]
    servers = [one for one in psutil.process_iter(["cmdline"]) if folder in " ".join(one.info["cmdline"] or ())]
    return sum(_cpu(server) for server in servers if server.ppid() == os.getpid())


# --------------------------------------------------------------------------- the origin


def _start_origin(stack: ExitStack, articles_a_second: float) -> tuple[psutil.Process, int]:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs, articles_a_second), daemon=True)
    process.start()
    stack.callback(process.join, 10)
    stack.callback(process.terminate)
    port: int = ours.recv()
    return psutil.Process(process.pid), port


def _serve(told: multiprocessing.connection.Connection, articles_a_second: float) -> None:
    dice, versions, given, began = random.Random(1), Counter[str](), 0, time.monotonic()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal given
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode("latin-1"):
                path = head.split(" ", 2)[1]
                await asyncio.sleep(dice.uniform(*LATENCY_S))
                due = min(int((time.monotonic() - began) * articles_a_second) - given, 1)
                if not versions[path]:
                    versions[path] = 1
                elif due > 0:
                    versions[path] += 1
                    given += 1
                writer.write(_answer(path, versions[path], head))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def run() -> None:
        server = await asyncio.start_server(serve, "0.0.0.0", 0, backlog=1024)
        told.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


def _answer(path: str, version: int, head: str) -> bytes:
    etag = f'"{version}"'
    if f"if-none-match: {etag}" in head.lower():
        return f"HTTP/1.1 304 Not Modified\r\nETag: {etag}\r\n\r\n".encode()
    items = "".join(_item(path, number) for number in range(version, max(version - 20, 0), -1))
    body = f"<rss version='2.0'><channel><title>Source {path}</title>{items}</channel></rss>".encode()
    return f"HTTP/1.1 200 OK\r\nETag: {etag}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def _item(path: str, number: int) -> str:
    words = random.Random(f"{path} {number}")
    title, said = " ".join(words.choices(WORDS, k=8)), " ".join(words.choices(WORDS, k=120))
    return f"<item><title>{title}</title><guid>{path}-{number}</guid><description>{said}</description></item>"


if __name__ == "__main__":
    main()
