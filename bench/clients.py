#!/usr/bin/env python3
"""Documents beside clients that take their time: p50 and p99 of a document, alone and beside 200 of each kind.

    bench/clients.py [--clients 200] [--seconds 8] [--json]

One process asks for a feed again and again, one connection each time, while others hold connections in one of these
ways: half a head, half a body, answers that are not read, nothing at all; or flood: addresses that are not there,
distinct narrowed feeds, distinct searches, requests sent before answers are read. The shipped web entry point with two
processes, over a store with one feed. Memory is that of the whole process tree, at its end.
"""

from __future__ import annotations

import argparse
import http.client
import json
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]

import serve  # noqa: E402
from running import memory_bytes  # noqa: E402

HEAD = b" HTTP/1.1\r\nHost: desk\r\n"
HELD: dict[str, tuple[bytes, bytes]] = {
    "slow heads": (b"GET /news/world.rss HTTP/1.1\r\nHost: desk\r\nX-Slow: ", b"x"),
    "slow bodies": (b"POST /websub" + HEAD + b"Content-Length: 4000\r\n\r\n", b"x"),
    "slow readers": (b"GET /news/world.rss" + HEAD + b"\r\n", b""),
    "pipelining": ((b"GET /news/world.rss" + HEAD + b"\r\n") * 20, b""),
    "idle": (b"", b""),
}
FLOODS: dict[str, Callable[[int], str]] = {
    "nothing there": lambda number: f"/nothing/{number}",
    "narrowed": lambda number: f"/news/world.rss?lang=x{number % 9}&limit={number % 400 + 1}",
    "searches": lambda number: f"/search?q=w{number}",
}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=8.0, help="of each kind")
    parser.add_argument("--command", default=None, help="starts the web processes; {port} and {data} are filled in")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--flood", nargs=2, metavar=("KIND", "PORT"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.flood:
        flood(FLOODS[arguments.flood[0]], int(arguments.flood[1]), arguments.clients, arguments.seconds)
        return 0
    with tempfile.TemporaryDirectory(prefix="wiredesk-bench-") as name:
        folder, port = Path(name), serve.free_port()
        serve.publish(folder, serve.feed_body(60_000))
        with serve.running(serve.ours(arguments, folder, port)) as web:
            serve.wait_for(port, "wiredesk")
            rows = [row("alone", asked(port, arguments.seconds), web.pid)]
            for kind, (opening, drop) in HELD.items():
                rows.append(row(kind, beside(port, opening, drop, arguments), web.pid))
            for kind in FLOODS:
                rows.append(row(kind, beside_flood(port, kind, arguments), web.pid))
    if arguments.json:
        print(json.dumps(rows, indent=1))
        return 0
    print(f"{'beside':16}{'asked':>8}{'failed':>8}{'p50 ms':>9}{'p99 ms':>9}{'MB':>7}")
    for one in rows:
        print(
            f"{one['beside']:16}{one['asked']:8}{one['failed']:8}{one['p50_ms']:9.1f}{one['p99_ms']:9.1f}{one['mb']:7}"
        )
    return 0


def row(beside: str, times: list[float | None], pid: int) -> dict[str, str | float]:
    took = sorted(one * 1000 for one in times if one is not None)
    return {
        "beside": beside,
        "asked": len(times),
        "failed": len(times) - len(took),
        "p50_ms": statistics.median(took) if took else float("nan"),
        "p99_ms": took[int(len(took) * 0.99)] if took else float("nan"),
        "mb": memory_bytes(pid) >> 20,
    }


def asked(port: int, seconds: float, busy: Callable[[], None] = lambda: None) -> list[float | None]:
    """How long each answer took; None for one that did not come within five seconds."""
    times: list[float | None] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        began = time.monotonic()
        try:
            status = serve.ask(port)[0]
            times.append(time.monotonic() - began if status == 200 else None)
        except (OSError, http.client.HTTPException):
            times.append(None)
        busy()
        time.sleep(0.01)
    return times


def beside(port: int, opening: bytes, drop: bytes, arguments: argparse.Namespace) -> list[float | None]:
    held = []
    for _ in range(arguments.clients):
        client = socket.create_connection(("127.0.0.1", port), 5)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.sendall(opening)
        held.append(client)
    turn = iter(range(10**9))

    def trickle() -> None:
        if drop:
            try:
                held[next(turn) % len(held)].send(drop)
            except OSError:
                pass  # it was told to go

    times = asked(port, arguments.seconds, trickle)
    for client in held:
        client.close()
    return times


def beside_flood(port: int, kind: str, arguments: argparse.Namespace) -> list[float | None]:
    command = [sys.executable, __file__, "--clients", str(arguments.clients), "--seconds", str(arguments.seconds + 1)]
    with serve.running(subprocess.Popen([*command, "--flood", kind, str(port)])):
        time.sleep(0.5)
        return asked(port, arguments.seconds - 1)


def flood(path_of: Callable[[int], str], port: int, clients: int, seconds: float) -> None:
    """So many clients, each asking anew as soon as it was answered."""
    import selectors

    chosen = selectors.DefaultSelector()
    end, number = time.monotonic() + seconds, 0

    def begin() -> None:
        nonlocal number
        client = socket.create_connection(("127.0.0.1", port), 5)
        number += 1
        client.sendall(f"GET {path_of(number)} HTTP/1.1\r\nHost: desk\r\nConnection: close\r\n\r\n".encode())
        chosen.register(client, selectors.EVENT_READ)

    for _ in range(clients):
        begin()
    while time.monotonic() < end:
        for key, _ in chosen.select(0.1):
            assert isinstance(key.fileobj, socket.socket)
            if not key.fileobj.recv(65536):
                chosen.unregister(key.fileobj)
                key.fileobj.close()
                begin()


if __name__ == "__main__":
    sys.exit(main())
