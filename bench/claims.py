"""What the schedule costs as it grows: claims of due sources, and results of their polls, through the desk's own code.

    python bench/claims.py [--sources 1000 10000 100000 1000000] [--rounds 20] [--database sqlite postgresql]

A table of so many sources, each due once an hour. A round comes when 256 are due: what the loop and the hands ask (when
the next is due, which shards have some), then they are claimed, and it is written that their polls brought nothing.
Wall time, median of the rounds; PostgreSQL is one of the bench's own on a socket, without fsync.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sqlalchemy import text

from feeds.store import Store, dialect, open_store
from feeds.store.dialect import insert_many
from feeds.store.schema import sources
from feeds.store.values import Claim, PollResult
from feeds.urls import shard_of
from tests.store import postgres

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
CLAIMED, AT_ONCE = 256, 20_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sources", type=int, nargs="+", default=[1000, 10_000, 100_000, 1_000_000])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--database", nargs="+", choices=["sqlite", "postgresql"], default=["sqlite", "postgresql"])
    chosen = parser.parse_args()
    print("database        sources  claim 256, ms  256 results, ms  polls/s  next due, ms  due shards, ms")
    for kind in chosen.database:
        for count in chosen.sources:
            with _database(kind) as url, open_store(url) as store:
                _fill(store, count)
                due, shards, claims, results = _measure(store, count, chosen.rounds)
                rate = CLAIMED / (claims + results) * 1000
                print(
                    f"{kind:12} {count:10,} {claims:14.1f} {results:16.1f} {rate:8.0f} {due:13.2f} {shards:15.2f}",
                    flush=True,
                )


@contextmanager
def _database(kind: str) -> Iterator[str]:
    if kind == "sqlite":
        with tempfile.TemporaryDirectory(prefix="bench-claims-") as folder:
            yield f"sqlite:///{folder}/desk.sqlite3"
    else:
        with postgres.running() as url:
            yield url


def _fill(store: Store, count: int) -> None:
    for begin in range(0, count, AT_ONCE):
        rows = []
        for number in range(begin, min(begin + AT_ONCE, count)):
            target = f"https://www.paper{number % (count // 3 + 1)}.example/{number}.xml"
            due = NOW + HOUR * (number * 7919 % count / count)
            rows.append(
                {
                    "key": f"s{number}",
                    "name": f"Source {number}",
                    "kind": "feed",
                    "target": target,
                    "rights": "summary",
                    "added_at": NOW - HOUR * 24,
                    "next_poll_at": due,
                    "due_at": due,
                    "shard": shard_of(target),
                }
            )
        with store.unfenced() as connection:
            insert_many(connection, sources, rows)
    with store.unfenced() as connection:
        connection.execute(text("ANALYZE"))


def _measure(store: Store, count: int, rounds: int) -> list[float]:
    """Median milliseconds of the next due time, the due shards, a claim, its results."""
    times: list[tuple[float, ...]] = []
    for number in range(1, rounds + 1):
        now = NOW + HOUR * number * CLAIMED / count
        dialect.clock = lambda connection, now=now: int(now.timestamp() * 1e6)
        claims: list[Claim] = []
        times.append(
            (
                _ms(lambda: _ask(store, "next_due_at")),
                _ms(lambda: _ask(store, "due_shards")),
                _ms(lambda now=now, claims=claims: _claim(store, now, claims)),
                _ms(lambda now=now, claims=claims: _finish(store, now, claims, count)),
            )
        )
        assert len(claims) > CLAIMED * 0.9, len(claims)
    return [median(each) for each in zip(*times, strict=True)]


def _claim(store: Store, now: datetime, claims: list[Claim]) -> None:
    with store.write() as tx:
        claims += tx.sources.claim_due(now, 120, CLAIMED)


def _finish(store: Store, now: datetime, claims: list[Claim], count: int) -> None:
    results = [
        PollResult(
            source_id=claim.source.id,
            claim_id=claim.claim_id,
            at=now,
            outcome="same",
            state=replace(claim.state, last_poll_at=now, last_ok_at=now, last_status=304, interval_s=3600.0),
            before=claim.state,
            next_poll_at=now + HOUR * (1 - CLAIMED / count),
        )
        for claim in claims
    ]
    with store.write() as tx:
        tx.sources.finish(results)


def _ask(store: Store, what: str) -> None:
    with store.read() as tx:
        getattr(tx.sources, what)()


def _ms(way: Callable[[], object]) -> float:
    began = time.perf_counter()
    way()
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    main()
