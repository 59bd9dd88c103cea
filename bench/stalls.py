"""Do stalled hosts delay the others? Ten thousand sources due at once, every tenth stalling, beside the same without.

    python bench/stalls.py [--sources 10000]

Every source has a host name of its own, known to a test resolver (names of this machine would hide the fault). A tenth
of them stalls, a quarter of these each in another way: the name is not answered for 30 s, the connection is not
taken, the head or the body does not come. Printed is when the good ones were done, counted from the start, with and
without the stalling ones in between, in turns; and the CPU seconds of this process until the last good one was done,
for on a busy machine the clock tells little. The Fetcher runs with the shipped limits; only gaps and the guard are set
for loopback.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from statistics import quantiles

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from feeds import __version__
from feeds.configuration import FetchSettings, PollSettings
from feeds.fetch.client import Fetcher
from feeds.parsed import Answer, Request

USER_AGENT = f"Wiredesk/{__version__} (+https://desk.example/about)"
BODY = b"<rss version='2.0'><channel><title>x</title></channel></rss>" + b" " * 4000


async def serve(port: int) -> None:
    """Good hosts answer at once; a host of another name stalls in the way that its name says."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:  # the look whether this server is up yet
            writer.close()
            return
        if b"Host: head" in head:
            await asyncio.sleep(3600)
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(BODY))
        if b"Host: body" in head:
            writer.write(BODY[:50])
            await writer.drain()
            await asyncio.sleep(3600)
        writer.write(BODY)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


def black_hole() -> tuple[socket.socket, list[socket.socket]]:
    """A listener whose backlog is full: the system drops what else wants to connect."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    fillers = []
    for _ in range(4):
        filler = socket.socket()
        filler.setblocking(False)
        filler.connect_ex(listener.getsockname())
        fillers.append(filler)
    return listener, fillers


def run(port: int, hole: int, sources: int, stalling: bool) -> tuple[list[float], float, float]:
    """When each good source was done, the CPU seconds until the last of them was, and how long all took."""
    release = threading.Event()

    def look_up(host: str) -> list[str]:
        if host.startswith("name"):
            release.wait(30)  # three servers asked twice, 5 s each: the system's resolver gives up
            raise socket.gaierror(socket.EAI_AGAIN, "no answer")
        return ["127.0.0.1"]

    limits = FetchSettings(allow_private=(f"127.0.0.1:{port}", f"127.0.0.1:{hole}"))
    done: list[float] = []
    with Fetcher(limits, PollSettings(gap_s=0), USER_AGENT, resolver=look_up) as fetcher:
        start, cpu = time.monotonic(), time.process_time()
        spent = 0.0
        submitted = 0
        for number in range(sources):
            way = "good"
            if number % 10 == 0:
                if not stalling:
                    continue
                way = ("name", "connect", "head", "body")[number // 10 % 4]
            at = hole if way == "connect" else port
            fetcher.submit(Request(source_id=number, url=f"http://{way}{number}.test:{at}/"))
            submitted += 1
        while submitted:
            for outcome in fetcher.outcomes(60):
                submitted -= 1
                if outcome.request.source_id % 10:
                    if not isinstance(outcome, Answer):
                        raise SystemExit(f"a good source failed: {outcome}")
                    spent = time.process_time() - cpu
                    done.append(outcome.received_at.timestamp() - (time.time() - (time.monotonic() - start)))
        whole = time.monotonic() - start
        release.set()
    return done, spent, whole


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sources", type=int, default=10_000)
    parser.add_argument("--pairs", type=int, default=2)
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(serve(options.serve))
        return
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    listener, fillers = black_hole()
    server = subprocess.Popen([sys.executable, __file__, "--serve", str(port)])
    try:
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.05)
        run(port, listener.getsockname()[1], 200, False)
        print(f"{options.sources} sources due at once; seconds until a good one was done")
        print(f"{'':24}{'median':>8}{'90 %':>8}{'99 %':>8}{'last':>8}{'CPU s':>8}{'all':>8}")
        for title, stalling in (("without stalled ones", False), ("a tenth of all stalls", True)) * options.pairs:
            done, spent, whole = run(port, listener.getsockname()[1], options.sources, stalling)
            cuts = quantiles(done, n=100)
            print(f"{title:24}{cuts[49]:8.2f}{cuts[89]:8.2f}{cuts[98]:8.2f}{max(done):8.2f}{spent:8.2f}{whole:8.2f}")
        print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
    finally:
        server.terminate()
        server.wait()
        for held in (*fillers, listener):
            held.close()


if __name__ == "__main__":
    main()
