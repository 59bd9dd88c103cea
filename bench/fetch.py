"""What a poll that ends in 304 costs: CPU seconds per 1,000, our Fetcher beside a bare pycurl multi loop.

    python bench/fetch.py [--requests 4000] [--rounds 5]

Both ask the same origin on loopback, in turns, with the same number of transfers at once and a connection a request,
as sources on hosts of their own need. The origin is nginx where it is installed, else a small asyncio server in
a process of its own. The Fetcher goes through its public door with the shipped limits; only gaps and the address guard
are set for loopback. The second line asks under distinct host names, so that lines and look-ups are part of it.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import pycurl

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from feeds import __version__
from feeds.configuration import FetchSettings, PollSettings
from feeds.fetch.client import Fetcher
from feeds.parsed import Answer, Request, Validators

ETAG = '"wire-1"'
MODIFIED = "Mon, 02 Nov 2026 10:00:00 GMT"
AT_ONCE = 64
USER_AGENT = f"Wiredesk/{__version__} (+https://desk.example/about)"

NGINX = """
worker_processes 1; daemon off; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{
  access_log off; keepalive_timeout 0; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{ listen 127.0.0.1:{port} backlog=4096; server_tokens off; root {folder}; etag off; if_modified_since off;
    location / {{ add_header ETag '{etag}' always; add_header Last-Modified '{modified}' always;
      add_header Cache-Control 'max-age=600' always; return 304; }} }}
}}
"""
ASYNCIO = """
import asyncio, sys
HEAD = ("HTTP/1.1 304 Not Modified\\r\\nServer: x\\r\\nDate: {modified}\\r\\nConnection: close\\r\\nETag: {etag}\\r\\n"
        "Last-Modified: {modified}\\r\\nCache-Control: max-age=600\\r\\n\\r\\n").encode()
async def serve(reader, writer):
    await reader.readuntil(b"\\r\\n\\r\\n")
    writer.write(HEAD)
    writer.close()
async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", {port}, backlog=4096)
    await server.serve_forever()
asyncio.run(main())
"""


@contextmanager
def origin() -> Iterator[tuple[str, int]]:
    """A server on loopback that answers 304 to everything; its name and port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        words = {"folder": folder, "port": port, "etag": ETAG, "modified": MODIFIED}
        if nginx := shutil.which("nginx"):
            config = Path(folder, "nginx.conf")
            config.write_text(NGINX.format(**words))
            name, command = "nginx", [nginx, "-c", str(config), "-p", folder]
        else:
            name, command = "asyncio", [sys.executable, "-c", ASYNCIO.format(**words)]
        server = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        try:
            for _ in range(100):
                try:
                    socket.create_connection(("127.0.0.1", port), 0.2).close()
                    break
                except OSError:
                    time.sleep(0.05)
            yield name, port
        finally:
            server.terminate()
            server.wait()


def bare(port: int, requests: int) -> int:
    """The least that pycurl needs: handles used again, no headers read, nothing checked."""
    multi = pycurl.CurlMulti()
    url = f"http://127.0.0.1:{port}/feed/"
    headers = [f"User-Agent: {USER_AGENT}", f"If-None-Match: {ETAG}", f"If-Modified-Since: {MODIFIED}"]

    def ignore(chunk: bytes) -> None:
        pass

    free = []
    for _ in range(AT_ONCE):
        easy = pycurl.Curl()
        easy.setopt(pycurl.WRITEFUNCTION, ignore)
        easy.setopt(pycurl.NOSIGNAL, 1)
        easy.setopt(pycurl.PROXY, "")
        free.append(easy)
    begun = done = answered = 0
    while done < requests:
        while free and begun < requests:
            easy = free.pop()
            easy.setopt(pycurl.URL, f"{url}{begun}")
            easy.setopt(pycurl.HTTPHEADER, headers)
            multi.add_handle(easy)
            begun += 1
        multi.perform()
        left = 1
        while left:
            left, good, bad = multi.info_read()
            for easy in good:
                answered += easy.getinfo(pycurl.RESPONSE_CODE) == 304
            for easy in good + [failed[0] for failed in bad]:
                multi.remove_handle(easy)
                free.append(easy)
                done += 1
        if done < requests:
            multi.select(1.0)
    return answered


def ours(port: int, requests: int, host: str) -> int:
    """The same through the Fetcher; ``{}`` in *host* is the number of the request."""
    limits = FetchSettings(allow_private=(f"127.0.0.1:{port}",), max_transfers=AT_ONCE)
    poll = PollSettings(per_host=AT_ONCE, gap_s=0)
    known = Validators(etag=ETAG, last_modified=MODIFIED)
    answered = done = 0
    with Fetcher(limits, poll, USER_AGENT, resolver=lambda name: ["127.0.0.1"]) as fetcher:
        for number in range(requests):
            url = f"http://{host.format(number)}:{port}/feed/{number}"
            fetcher.submit(Request(source_id=number, url=url, validators=known))
        while done < requests:
            outcomes = fetcher.outcomes(5)
            if not outcomes:
                raise SystemExit("the fetcher stands still")
            done += len(outcomes)
            answered += sum(isinstance(outcome, Answer) and outcome.status == 304 for outcome in outcomes)
    return answered


def measured(run: Callable[[], int], requests: int) -> tuple[float, float]:
    """CPU seconds per 1,000 and requests per second of one *run*."""
    cpu, wall = time.process_time(), time.monotonic()
    answered = run()
    if answered != requests:
        raise SystemExit(f"only {answered} of {requests} requests were answered by 304")
    return (time.process_time() - cpu) * 1000 / requests, requests / (time.monotonic() - wall)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=4000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--most", type=float, default=3.0, help="fail where the ratio is above this")
    options = parser.parse_args()
    count = options.requests
    with origin() as (name, port):
        runs: dict[str, Callable[[], int]] = {
            "bare pycurl multi": lambda: bare(port, count),
            "Fetcher, one host": lambda: ours(port, count, "127.0.0.1"),
            "Fetcher, distinct hosts": lambda: ours(port, count, "h{}.test"),
        }
        for run in runs.values():
            run()
        results: dict[str, list[tuple[float, float]]] = {title: [] for title in runs}
        for _ in range(options.rounds):
            for title, run in runs.items():
                results[title].append(measured(run, count))
    print(f"304 from {name}, {count} requests, {AT_ONCE} at once, median of {options.rounds} rounds")
    print(f"{'':26}{'CPU s/1000':>12}{'x bare':>8}{'requests/s':>12}")
    base = [cpu for cpu, _ in results["bare pycurl multi"]]
    ratios: dict[str, float] = {}
    for title, figures in results.items():
        ratio = median(cpu / bare_cpu for (cpu, _), bare_cpu in zip(figures, base, strict=True))
        ratios[title] = ratio
        cpu, rate = median(figure[0] for figure in figures), median(figure[1] for figure in figures)
        print(f"{title:26}{cpu:12.3f}{ratio:8.2f}{rate:12.0f}")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
    if ratios["Fetcher, one host"] > options.most:  # bare pycurl looks no names up: only this line is like with like
        raise SystemExit(f"more than {options.most:g} times bare pycurl")


if __name__ == "__main__":
    main()
