"""What partitions by month would do for retention on PostgreSQL, and to the questions that every poll asks.

    python bench/partitions.py [--articles 1000000] [--month 100000] [--swept 10000]

The desk's tables are filled with articles that came evenly, a *month* of so many. The desk's own retention takes out
the first of them, in transactions as the running desk's. Then the same tables are copied into ones that are partitioned
by month (the month has to be in each unique key), and the first month is dropped. Told are time, CPU time with the
server's, the log written (WAL), and rows that are left dead. Then polls' questions are asked of both: 400 entries by
key, and 400 by article. PostgreSQL is the bench's own, without fsync: what the log costs is told by its bytes.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sqlalchemy import text

from bench.search import NOW, fill
from feeds.store import Store, open_store
from feeds.store.saving import stored
from feeds.store.schema import entries
from tests.store import postgres

SWEEP_AT_ONCE, ASKED, ROUNDS = 50, 400, 9
BY_ARTICLE = ("entries", "filings", "fragments")
MINUTE_US = 60_000_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, default=1_000_000)
    parser.add_argument("--month", type=int, default=100_000)
    parser.add_argument("--swept", type=int, default=10_000)
    chosen = parser.parse_args()
    with postgres.running(oldest=True) as url, open_store(url) as store:
        fill(store, chosen.articles)
        _evenly(store)
        questions(store, "entries", "as it is")
        _tell(store, f"retention of {chosen.swept:,} articles", lambda: _sweep(store, chosen.swept))
        months = -(-chosen.articles // chosen.month)
        _partition(store, months, chosen.month)
        questions(store, "parted_entries", f"{months} partitions")
        _tell(store, f"dropping a month of {chosen.month:,} articles", lambda: _drop(store))
        _tell(store, f"what stays to do for {chosen.swept:,} of its articles", lambda: _bury(store, chosen.swept))


def _evenly(store: Store) -> None:
    """Let articles and entries come a minute after the other, in the order of their rows."""
    first = int(NOW.timestamp() * 1e6)
    with store.unfenced() as connection:
        connection.execute(text(f"UPDATE articles SET seen_at = {first} + id * {MINUTE_US}"))
        connection.execute(text(f"UPDATE entries SET first_seen = {first} + article_id * {MINUTE_US}"))
    _vacuum(store)


def _vacuum(store: Store) -> None:
    import psycopg

    with psycopg.connect(store.conninfo, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


def _sweep(store: Store, count: int) -> None:
    now = NOW + timedelta(days=100, minutes=count + 0.5)
    gone = 0
    while gone < count:
        with store.write() as tx:
            gone += tx.retention.sweep(now, 100, 0, limit=SWEEP_AT_ONCE)


def _partition(store: Store, months: int, month: int) -> None:
    """Copy what hangs on an article into tables that are partitioned by the month in which it came."""
    first = int(NOW.timestamp() * 1e6)
    with store.unfenced() as connection:
        for table in BY_ARTICLE:
            at = "first_seen" if table == "entries" else "month_at"
            more = "" if table == "entries" else ", month_at bigint NOT NULL"
            made = f"LIKE {table} INCLUDING DEFAULTS{more}"
            connection.execute(text(f"CREATE TABLE parted_{table} ({made}) PARTITION BY RANGE ({at})"))
            for number in range(months):
                span = [first + (number + side) * month * MINUTE_US for side in (0, 1)]
                if number == months - 1:
                    span[1] += month * MINUTE_US
                named = f"CREATE TABLE parted_{table}_{number} PARTITION OF parted_{table}"
                connection.execute(text(f"{named} FOR VALUES FROM ({span[0]}) TO ({span[1]})"))
            value = "" if table == "entries" else f", {first} + article_id * {MINUTE_US}"
            connection.execute(text(f"INSERT INTO parted_{table} SELECT *{value} FROM {table}"))
            connection.execute(text(f"CREATE INDEX ON parted_{table} (article_id)"))
        connection.execute(text("CREATE UNIQUE INDEX ON parted_entries (key, source_id, first_seen)"))
        connection.execute(text("CREATE UNIQUE INDEX ON parted_entries (id, first_seen)"))
    _vacuum(store)


def _drop(store: Store) -> None:
    with store.unfenced() as connection:
        for table in BY_ARTICLE:
            connection.execute(text(f"DROP TABLE parted_{table}_0"))


def _bury(store: Store, count: int) -> None:
    """What no partition spares: the tombstones of a month, its addresses and texts, its words and what is named."""
    with store.unfenced() as connection:
        ids = f"(SELECT id FROM articles ORDER BY id LIMIT {count})"
        connection.execute(
            text(
                "INSERT INTO tombstones (mark, met_at, forever) SELECT id * 4 + part, seen_at, 0"
                f" FROM articles CROSS JOIN generate_series(0, 3) AS part WHERE id IN {ids}"
            )
        )
        for table in ("article_urls", "article_texts", "search_words"):
            connection.execute(text(f"DELETE FROM {table} WHERE article_id IN {ids}"))


def questions(store: Store, table: str, name: str) -> None:
    """Print what polls' questions of *table*, which is as `entries`, cost."""
    dice = random.Random(3)
    with store.read() as tx:
        newest = tx.articles.newest_entry()
    rows = dice.sample(range(newest // 2, newest), ASKED)
    with store.unfenced() as connection:
        found = connection.execute(
            text(f"SELECT source_id, key FROM entries WHERE id IN ({', '.join(map(str, rows))})")
        )
        keys = [(row.source_id, row.key) for row in found]
        if table != entries.name:
            connection.execute(text("ALTER TABLE entries RENAME TO whole_entries"))
            connection.execute(text(f"ALTER TABLE {table} RENAME TO entries"))

    def by_key() -> None:
        with store.unfenced() as connection:
            assert len(stored(connection, keys)) == len(keys)

    def by_article() -> None:
        with store.read() as tx:
            tx.articles.with_entries(rows)

    for what, way in (("by key", by_key), ("by article", by_article)):
        way()
        wall, cpu, _ = _median(store, way)
        print(f"{name}: {ASKED} entries {what}: {wall:.1f} ms, CPU {cpu:.1f} ms", flush=True)
    if table != entries.name:
        with store.unfenced() as connection:
            connection.execute(text(f"ALTER TABLE entries RENAME TO {table}"))
            connection.execute(text("ALTER TABLE whole_entries RENAME TO entries"))


def _median(store: Store, way: Callable[[], None]) -> tuple[float, float, int]:
    taken = sorted(_cost(store, way) for _ in range(ROUNDS))
    return taken[ROUNDS // 2]


def _cost(store: Store, way: Callable[[], None]) -> tuple[float, float, int]:
    """Milliseconds, those of CPU, and bytes of log."""
    log, cpu, began = _log(store), postgres.cpu_s(store.conninfo), time.perf_counter()
    way()
    took = time.perf_counter() - began
    return took * 1000, (postgres.cpu_s(store.conninfo) - cpu) * 1000, _log(store) - log


def _log(store: Store) -> int:
    with store.unfenced() as connection:
        return int(connection.execute(text("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn")).scalar_one())


def _tell(store: Store, what: str, way: Callable[[], None]) -> None:
    wall, cpu, log = _cost(store, way)
    with store.unfenced() as connection:
        connection.execute(text("SELECT pg_stat_clear_snapshot()"))
        dead = connection.execute(text("SELECT coalesce(sum(n_dead_tup), 0) FROM pg_stat_user_tables")).scalar_one()
    print(
        f"{what}: {wall / 1000:.2f} s, CPU {cpu / 1000:.2f} s, log {log / 1e6:.1f} MB, {dead:,} dead rows", flush=True
    )


if __name__ == "__main__":
    main()
