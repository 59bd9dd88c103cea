"""How polling grows with hands: one, two and four of them on one PostgreSQL, against an origin of realistic latency.

    python -m bench.scale [--hands 1 2 4] [--sources 400] [--hosts 100] [--seconds 30] [--fresh 0.1]

The origin is a process of its own on 127.0.x.y, one address a host; each answer takes 50 to 500 ms, and every source
has news with the share *fresh* of its polls. Printed: polls and articles a second, CPU seconds a second of the
hands, of the process that decides, of the server; CPU milliseconds a poll and an article.
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
from contextlib import ExitStack
from pathlib import Path

import psutil
import yaml
from sqlalchemy import text

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from feeds.store import Store
from tests.store import postgres

ROOT = Path(__file__).resolve().parent.parent
LATENCY_S = (0.05, 0.5)
WORDS = [f"{a}{b}{c}" for a in ("ba", "ke", "mi", "so", "tu") for b in ("lan", "rit", "mos", "ved") for c in "aeinor"]


def main() -> None:
    """Run the bench; a line for each number of hands."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--hands", type=int, nargs="+", default=[1, 2, 4])
    options.add_argument("--sources", type=int, default=400)
    options.add_argument("--hosts", type=int, default=100)
    options.add_argument("--seconds", type=float, default=30)
    options.add_argument("--fresh", type=float, default=0.1)
    chosen = options.parse_args()
    print("hands  polls/s  articles/s  CPU hands  desk  server   ms a poll (hand)  ms an article (desk)")
    for hands in chosen.hands:
        _measure(hands, chosen)


def _measure(hands: int, chosen: argparse.Namespace) -> None:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="scale")))
        port = _start_origin(stack, chosen.fresh)
        url = stack.enter_context(postgres.running())
        _write_config(folder / "config", port, chosen)
        desk = _start(stack, folder, url, "ingest", "desk")
        crew = [_start(stack, folder, url, "hand", f"hand{number}") for number in range(hands)]
        store = stack.enter_context(Store(url))
        _wait_for_first_polls(store, chosen.sources)
        before, began = _counts(store), time.monotonic()
        cpu = [_cpu(process) for process in (desk, *crew)], _server_cpu(url)
        time.sleep(chosen.seconds)
        seconds = time.monotonic() - began
        polls, articles = ((now - then) / seconds for now, then in zip(_counts(store), before, strict=True))
        used = [(_cpu(process) - then) / seconds for process, then in zip((desk, *crew), cpu[0], strict=True)]
        server = (_server_cpu(url) - cpu[1]) / seconds
        print(
            f"{hands:5}  {polls:7.1f}  {articles:10.1f}  {sum(used[1:]):9.2f}  {used[0]:4.2f}  {server:6.2f}"
            f"  {1000 * sum(used[1:]) / max(polls, 0.01):16.1f}  {1000 * used[0] / max(articles, 0.01):19.1f}",
            flush=True,
        )


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


def _wait_for_first_polls(store: Store, sources: int) -> None:
    end = time.monotonic() + 120
    while time.monotonic() < end:
        try:
            if _counts(store)[0] >= sources:
                return
        except Exception:  # noqa: BLE001, S110 - the tables are still being made
            pass
        time.sleep(0.5)
    raise SystemExit("the first polls took more than two minutes")


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


def _start_origin(stack: ExitStack, fresh: float) -> int:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs, fresh), daemon=True)
    process.start()
    stack.callback(process.join, 10)
    stack.callback(process.terminate)
    port: int = ours.recv()
    return port


def _serve(told: multiprocessing.connection.Connection, fresh: float) -> None:
    dice, versions = random.Random(1), Counter[str]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode("latin-1"):
                path = head.split(" ", 2)[1]
                await asyncio.sleep(dice.uniform(*LATENCY_S))
                versions[path] += dice.random() < fresh or not versions[path]
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
