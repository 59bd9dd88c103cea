"""What the tables cost as they grow: claims of due sources, results of their polls, and new articles filed, through the
desk's own code.

    python bench/claims.py [--sources 1000 10000 100000 1000000] [--rounds 20] [--database sqlite postgresql]

A table of so many sources, each due once an hour, and of five times as many filings: one article a source, filed in the
whole desk and four of eight sections. A round comes when 256 are due: what the loop and the hands ask (when the next is
due, which shards have some), then they are claimed, it is written that their polls brought nothing, twenty new articles
are saved and filed in two sections, and the newest thirty of one are read. Median of the rounds: wall time, and behind
it CPU time, the database's included; PostgreSQL is one of the bench's own on a socket, without fsync.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from msgspec.structs import replace

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sqlalchemy import text

from feeds.configuration import Section
from feeds.model import Decision, Entry, Placement
from feeds.store import Store, dialect, open_store
from feeds.store.dialect import insert_many
from feeds.store.schema import sources
from feeds.store.values import Claim, PollResult
from feeds.urls import shard_of
from tests.store import postgres

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
CLAIMED, AT_ONCE, SAVED = 256, 20_000, 20
SECTIONS = [f"s{number}" for number in range(8)]
STEPS = ("next due", "due shards", "claim 256", "256 results", "save 20", "newest 30")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sources", type=int, nargs="+", default=[1000, 10_000, 100_000, 1_000_000])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--database", nargs="+", choices=["sqlite", "postgresql"], default=["sqlite", "postgresql"])
    chosen = parser.parse_args()
    heads = "".join(f"{step}, ms".rjust(20) for step in STEPS)
    print(f"database        sources     filings {heads}")
    for kind in chosen.database:
        for count in chosen.sources:
            with postgres.database(kind) as url, open_store(url) as store:
                _fill(store, count)
                filings = _file(store, count)
                figures = "".join(f"{wall:12.1f} ({cpu:5.1f})" for wall, cpu in _measure(store, count, chosen.rounds))
                print(f"{kind:12} {count:10,} {filings:11,} {figures}", flush=True)


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


def _file(store: Store, count: int) -> int:
    """Give each source an article that is filed in the whole desk and four sections; how many filings there are."""
    with store.write() as tx:
        tx.sections.sync([Section(path=path, title=path) for path in SECTIONS], NOW)
        ids = [state.id for state in tx.sections.all() if state.path in ("", *SECTIONS)]
    at = f"{int((NOW - HOUR).timestamp() * 1e6)} - id"
    with store.unfenced() as connection:
        columns = "uid, published_at, updated_at, rank_at, seen_at, rendered_revision"
        made = f"'urn:uuid:' || key, {at}, {at}, {at}, {at}, 0"
        connection.execute(text(f"INSERT INTO articles ({columns}) SELECT {made} FROM sources ORDER BY id"))
        columns = "section_id, article_id, rank_at, sequence, number, filed_by, reason, filed_at, changed_at"
        for place, section in enumerate(ids):
            # The whole desk is the first and has all; each of the others has the articles of four numbers in eight.
            here = f"(id + {place}) % 8 < 4" if section != min(ids) else "TRUE"
            made = f"{section}, id, rank_at, id, id, 'rule', 'bench', seen_at, seen_at"
            connection.execute(text(f"INSERT INTO filings ({columns}) SELECT {made} FROM articles WHERE {here}"))
        connection.execute(text(f"UPDATE sections SET sequence = {count}, filed = {count}"))
        if store.file is None:
            connection.execute(text("ANALYZE"))  # as autovacuum does
        return int(connection.execute(text("SELECT count(*) FROM filings")).scalar_one())


def _measure(store: Store, count: int, rounds: int) -> list[tuple[float, float]]:
    """Median milliseconds of each of `STEPS`: wall time and CPU time."""
    times: list[list[tuple[float, float]]] = []
    for number in range(1, rounds + 1):
        now = NOW + HOUR * number * CLAIMED / count
        dialect.clock = lambda connection, now=now: int(now.timestamp() * 1e6)
        claims: list[Claim] = []
        decisions = [_decision(number * SAVED + each, now) for each in range(SAVED)]
        ways: list[Callable[[], object]] = [
            lambda: _ask(store, "next_due_at"),
            lambda: _ask(store, "due_shards"),
            lambda now=now, claims=claims: _claim(store, now, claims),
            lambda now=now, claims=claims: _finish(store, now, claims, count),
            lambda now=now, decisions=decisions: _save(store, now, decisions),
            lambda: _newest(store),
        ]
        times.append([_ms(store, way) for way in ways])
        assert len(claims) > CLAIMED * 0.9, len(claims)
    steps = zip(*times, strict=True)
    return [(median(wall for wall, _ in step), median(cpu for _, cpu in step)) for step in steps]


def _decision(number: int, now: datetime) -> Decision:
    entry = Entry(
        key=f"new {number}",
        title=f"New {number}",
        link=f"https://new.example/{number}",
        comparable=f"new.example/{number}",
        text=f"what is new {number}",
        content=f"<p>what is new {number}</p>",
        published=now,
        content_hash=number,
        text_hash=number,
    )
    return Decision(kind="new", article_uid=f"urn:uuid:new-{number}", source_id=1 + number % 100, entry=entry)


def _save(store: Store, now: datetime, decisions: list[Decision]) -> None:
    placed = [Placement(section=path, by="rule", reason="bench") for path in ("s1", "")]
    with store.write() as tx:
        tx.articles.known([(one.source_id, [one.entry]) for one in decisions if one.entry is not None])
        report = tx.articles.save(decisions, now, {one.article_uid: placed for one in decisions})
    assert report.new == SAVED


def _newest(store: Store) -> None:
    with store.read() as tx:
        tx.sections.top("s1", 30)


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


def _ms(store: Store, way: Callable[[], object]) -> tuple[float, float]:
    began, began_cpu = time.perf_counter(), postgres.cpu_s(store.conninfo if store.file is None else None)
    way()
    took = time.perf_counter() - began
    return took * 1000, (postgres.cpu_s(store.conninfo if store.file is None else None) - began_cpu) * 1000


if __name__ == "__main__":
    main()
