"""What `/status`, `/metrics`, a look for alarms, the front page and search cost on a large desk.

    python bench/status.py [--sources 20000] [--articles 20000] [--sections 1000] [--old CHECKOUT]

A SQLite desk is filled; then each address is asked over WSGI, five times, in a process of its own: CPU of the median
request and bytes of the answer. The front page is asked after a publication each time, for it is kept until the next.
What a desk reads and compiles before it answers is not counted. With --old, another checkout does the same with a desk
that it fills alike.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, os.environ.get("BENCH_CHECKOUT", str(ROOT)))

from feeds.configuration import Section, Settings, Source  # noqa: E402
from feeds.model import Decision, Entry, Placement  # noqa: E402
from feeds.settings import Config, config_to_json  # noqa: E402
from feeds.store import open_store  # noqa: E402
from feeds.store.values import PollResult  # noqa: E402

try:
    from feeds.condition import SourceState
except ImportError:  # an older checkout
    from feeds.store.values import SourceState  # type: ignore[attr-defined, no-redef]

AT_ONCE = 500
ADDRESSES = (
    ("/status", ""),
    ("/status", "state=failing&sort=interval&page=3"),
    ("/status", "q=paper+77&sort=name"),
    ("/metrics", ""),
    ("/", ""),
    ("/search", "q=flood"),
    ("/search", "q=flo"),
)
# Also run by older checkouts: nothing but names that have been there since 0.1.0.
ASK = """
import gzip, json, os, sqlite3, sys, time
from contextlib import closing
from datetime import UTC, datetime
from feeds.engine.alarms import look
from feeds.serve.app import create_app
from feeds.store import open_store
from werkzeug.test import create_environ, run_wsgi_app

def ask(web, path, query):
    environ = create_environ(path, "http://127.0.0.1", query) | {"REMOTE_ADDR": "127.0.0.1"}
    began = time.process_time()
    chunks, status, _ = run_wsgi_app(web, environ, buffered=True)
    body, took = b"".join(chunks), time.process_time() - began
    return took, len(body), len(gzip.compress(body, 5)), status

def publish(url):
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as database, database:
        database.execute("UPDATE counters SET value = value + 1 WHERE name = 'publication'")
    time.sleep(0.1)  # longer than a look at the store is let go by

url, addresses = sys.argv[1], json.loads(sys.argv[2])
web, found = create_app(url), []
getattr(web.wsgi_app, "read_ahead", lambda: ask(web, "/", ""))()
for path, query in addresses:
    several = []
    for number in range(5):
        if path == "/":
            publish(url)
        several.append(ask(web, path, query + "&utm_x=%d" % number if path == "/search" else query))
    middle = sorted(several)[2]
    found.append([f"{path}?{query}" if query else path, middle[0] * 1000, *middle[1:]])
with open_store(url) as store:
    times = []
    for _ in range(3):
        began = time.process_time()
        look(store, now=datetime(2026, 11, 23, 12, tzinfo=UTC))
        times.append(time.process_time() - began)
found.append(["look for alarms", sorted(times)[1] * 1000, 0, 0, "-"])
print(json.dumps(found))
"""


def fill(folder: Path, sources: int, articles: int, sections: int) -> str:
    """Make a desk with so many sources, a fifth of which fail with an alarm each, articles and sections; its URL."""
    now = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
    url = f"sqlite:///{folder}/desk.sqlite3"
    tree = tuple(Section(path=f"s{number:04}", title=f"Section {number}") for number in range(sections))
    told = tuple(
        Source(key=f"k{number}", name=f"Paper {number}", kind="feed", target=f"https://h{number}.example/feed")
        for number in range(sources)
    )
    settings = Settings(title="The Wire", base_url="http://127.0.0.1:8080")
    with open_store(url) as store:
        with store.write() as tx:
            tx.configs.accept(config_to_json(Config(settings=settings, sections=tree, sources=told)), "x", now)
            tx.sections.sync(tree, now)
            tx.sources.sync(told, "full", now)
        with store.write() as tx:
            claims = tx.sources.claim_named(None, now, 60)
            tx.sources.finish([_result(claim, number, now) for number, claim in enumerate(claims)])
            for number in range(0, sources, 5):
                tx.events.add("failing", f"k{number}", text=f"Paper {number}: answers 503", remedy="wait", now=now)
        for start in range(0, articles, AT_ONCE):
            several = range(start, min(start + AT_ONCE, articles))
            at = now - timedelta(days=13) * (articles - start) / articles
            placed = {
                _uid(number): [
                    Placement(section=path, by="rule", reason="bench") for path in ("", f"s{number % sections:04}")
                ]
                for number in several
            }
            with store.write() as tx:
                tx.articles.save([_decision(number, sources, at) for number in several], at, placed)
    return url


def _uid(number: int) -> str:
    return f"urn:uuid:00000000-0000-4000-8000-{number:012d}"


def _decision(number: int, sources: int, at: datetime) -> Decision:
    words = " ".join(f"word{number * step % 9973}" for step in range(1, 60))
    entry = Entry(
        key=str(number),
        title=f"{'Flood' if number % 3 == 0 else 'Tide'} number {number}",
        link=f"https://h{number}.example/{number}",
        comparable=f"h{number}.example/{number}",
        summary=f"<p>{words}</p>",
        text=words,
        published=at,
        language="en",
    )
    return Decision(kind="new", article_uid=_uid(number), source_id=number % sources + 1, entry=entry)


def _result(claim: object, number: int, now: datetime) -> PollResult:
    fails = number % 5 == 0
    state = SourceState(
        first_poll_done=True,
        failures=3 if fails else 0,
        last_poll_at=now,
        last_ok_at=now,
        last_new_at=now,
        last_status=503 if fails else 304,
        last_outcome="failed" if fails else "not-modified",
        last_error="answered 503" if fails else "",
        interval_s=3600.0,
        item_hashes=tuple(range(number, number + 50)),
    )
    return PollResult(
        source_id=claim.source.id,  # type: ignore[attr-defined]
        claim_id=claim.claim_id,  # type: ignore[attr-defined]
        at=now,
        outcome=state.last_outcome,
        error=state.last_error,
        state=state,
        next_poll_at=now + timedelta(hours=1),
    )


def main() -> None:
    """Fill a desk, ask each checkout, print both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sources", type=int, default=20_000)
    parser.add_argument("--articles", type=int, default=20_000)
    parser.add_argument("--sections", type=int, default=1_000)
    parser.add_argument("--old", type=Path)
    parser.add_argument("--fill", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.fill:
        fill(asked.fill, asked.sources, asked.articles, asked.sections)
        return
    for checkout in filter(None, (asked.old, ROOT)):
        print("old" if checkout == asked.old else "new")
        environ = os.environ | {"WIREDESK_BIND": "127.0.0.1", "BENCH_CHECKOUT": str(checkout)}
        environ["PYTHONPATH"] = str(checkout)
        with tempfile.TemporaryDirectory() as folder:
            filling = [sys.executable, __file__, *sys.argv[1:], "--fill", folder]
            subprocess.run(filling, env=environ, check=True)
            asking = [sys.executable, "-c", ASK, f"sqlite:///{folder}/desk.sqlite3", json.dumps(ADDRESSES)]
            answered = subprocess.run(asking, cwd=checkout, env=environ, stdout=subprocess.PIPE, check=True)
            for name, cpu_ms, size, zipped, status in json.loads(answered.stdout):
                print(f"  {name:45} {cpu_ms:8.1f} ms CPU  {size:9,} bytes  {zipped:8,} in gzip  {status}")


if __name__ == "__main__":
    main()
