"""Whether a section grows slow: publishing and serving one of 1,000 to 1,000,000 filings.

    python bench/publish.py [--most 100000] [--walk 100000] [--rounds 9]

One SQLite file grows tenfold a step. Articles are made of 300-word ones and written as rows; then, at each size, a new
article is saved and published by the desk's own flow, and the application is asked what readers ask. Wall time in
milliseconds, median of the rounds; "afresh" means that nothing was kept from an answer before. With --walk, a reader
goes back from the document through all archive pages (RFC 5005) of a section of that size and counts what it got.
`bench/publication.py` compares one publication with feedgen.
"""

from __future__ import annotations

import argparse
import re
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from msgspec.structs import replace

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from publication import articles as prose

from feeds.codec import deflate, entry_to_blob, micros
from feeds.configuration import Section, Settings, Source
from feeds.model import FORMATS, Article, Decision, Entry, Placement
from feeds.publish import publish
from feeds.publish.rendering import desk_context
from feeds.render import fragment_version
from feeds.serve.app import answers_of, create_app
from feeds.settings import Config, config_to_json
from feeds.store import Store, open_store
from feeds.store.documents import NOTED_AT_ONCE
from feeds.store.schema import ALL_FORMATS
from tests.render.documents import render_fragment
from tests.serve.wsgi import ask

BEGIN = datetime(2020, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SETTINGS = Settings(title="The Wire", base_url="https://wire.example.org")
TREE = (Section(path="news", title="News"),)
SOURCES = tuple(
    Source(key=f"source {n}", name=f"Source {n}", kind="feed", target=f"https://s{n}.example/f") for n in range(20)
)
WITH_FRAGMENTS = 100_000
"""Up to this size every article has its fragments; above, the first and the last thousands have."""


def uid_of(number: int) -> str:
    return f"urn:uuid:00000000-0000-4000-8000-{number:012d}"


class Bench:
    """One desk whose section `news` grows."""

    def __init__(self, folder: Path, samples: list[Article]) -> None:
        self.file = folder / "desk.sqlite3"
        self.url = f"sqlite:///{self.file}"
        self.store: Store = open_store(self.url)
        self.samples = samples
        self.size = 0
        self.new = 0
        self.now = NOW
        with self.store.write() as tx:
            config = Config(settings=SETTINGS, sections=TREE, sources=SOURCES, digest="bench")
            tx.configs.accept(config_to_json(config), config.digest, NOW)
            tx.sections.sync(TREE, NOW)
            tx.sources.sync(SOURCES, "full", NOW)
            self.sections = [tx.sections.get(path).id for path in ("news", "")]  # type: ignore[union-attr]
        self.desk = desk_context(SETTINGS)
        self.version = fragment_version(self.desk)
        self.web = create_app(self.url)

    def grow(self, to: int) -> None:
        """Write rows until the section has *to* filings; a minute lies between two."""
        database = sqlite3.connect(self.file, isolation_level=None)
        database.execute("PRAGMA synchronous = OFF")
        database.execute("BEGIN IMMEDIATE")
        texts = [
            (entry_to_blob(_entry(0, sample, "en")), entry_to_blob(_entry(0, sample, "de"))) for sample in self.samples
        ]
        bodies = [
            b"\0".join(render_fragment(replace(one, uid=uid_of(0)), format, desk=self.desk) for format in FORMATS)
            for one in self.samples
        ]
        first = database.execute("SELECT coalesce(max(id), 0) FROM articles").fetchone()[0] + 1
        filed, sequence = database.execute("SELECT filed, sequence FROM sections WHERE path = 'news'").fetchone()
        count = to - filed
        for start in range(0, count, 10_000):
            some = range(start, min(count, start + 10_000))
            times = {n: micros(BEGIN + timedelta(minutes=filed + n)) for n in some}
            database.executemany(
                "INSERT INTO articles"
                " (id, uid, published_at, updated_at, rank_at, seen_at, revision, rendered_revision)"
                " VALUES (?, ?, ?, ?, ?, ?, 0, 0)",
                ((first + n, uid_of(first + n), *[times[n]] * 4) for n in some),
            )
            database.executemany(
                "INSERT INTO entries (source_id, key, article_id, shown, link, comparable, title, first_seen,"
                " changed_at, payload) VALUES (?, ?, ?, 1, ?, ?, 'Title', ?, ?, ?)",
                (
                    (1 + n % 20, str(first + n), first + n, f"https://x.example/{first + n}", f"x.example/{first + n}",
                     times[n], times[n], texts[n % len(texts)][n % 2])
                    for n in some
                ),
            )  # fmt: skip
            database.executemany(
                "INSERT INTO filings (section_id, article_id, rank_at, sequence, number, filed_by, reason, filed_at,"
                " changed_at) VALUES (?, ?, ?, ?, ?, 'rule', 'bench', ?, ?)",
                (
                    (section, first + n, times[n], sequence + n + 1, filed + n + 1, times[n], times[n])
                    for section in self.sections
                    for n in some
                ),
            )
            database.executemany(
                "INSERT INTO fragments (article_id, format, version, revision, updated_at, body)"
                " VALUES (?, ?, ?, 0, ?, ?)",
                (
                    (first + n, ALL_FORMATS, self.version, times[n],
                     deflate(bodies[n % len(bodies)].replace(b"000000000000", b"%012d" % (first + n))))
                    for n in some
                    if filed + n < WITH_FRAGMENTS or count - n <= 3000
                ),
            )  # fmt: skip
        database.execute(
            "UPDATE sections SET filed = ?, sequence = ?, touched = touched + 1 WHERE path IN ('news', '')",
            (to, sequence + count),
        )
        database.execute("COMMIT")
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        database.execute("PRAGMA optimize").fetchall()
        database.close()
        self.size = to
        publish(self.store, SETTINGS, TREE, now=self.now)
        noted = NOTED_AT_ONCE  # a desk has told sitemaps of them as they came
        while noted == NOTED_AT_ONCE:
            with self.store.write() as tx:
                noted = tx.sitemaps.note()

    def bring(self) -> None:
        """Save one new article, as ingest does."""
        self.new += 1
        self.now += timedelta(seconds=1)
        number = 10**9 + self.new
        entry = _entry(number, self.samples[self.new % len(self.samples)], "en")
        places = [Placement(section=path, by="rule", reason="bench") for path in ("news", "")]
        with self.store.write() as tx:
            decision = Decision(kind="new", article_uid=uid_of(number), source_id=1, entry=entry)
            tx.articles.save([decision], self.now, {uid_of(number): places})

    def publish(self) -> None:
        publish(self.store, SETTINGS, TREE, now=self.now)

    def site(self) -> Any:
        return self.web.extensions["feeds.site"]


def _entry(number: int, sample: Article, language: str) -> Entry:
    return Entry(
        key=str(number),
        title=f"{sample.title} {number}",
        link=f"https://x.example/{number}",
        comparable=f"x.example/{number}",
        content=sample.content,
        summary=sample.summary,
        language=language,
    )


def timed(ways: dict[str, tuple[Callable[[], Any], Callable[[], Any]]], rounds: int) -> dict[str, float]:
    """Milliseconds of each way's second function; its first makes ready and does not count."""
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, (ready, way) in ways.items():
            ready()
            began = time.perf_counter()
            way()
            spent[name].append((time.perf_counter() - began) * 1000)
    return {name: median(times) for name, times in spent.items()}


def measure(bench: Bench, rounds: int) -> dict[str, float]:
    """What a new article and what readers cost at the present size."""
    site = bench.site()

    def afresh() -> None:
        answers_of(bench.web)._look_at = 0.0
        site.joins._kept.clear()
        site.cached._kept.clear()

    def answered(status: int, path: str, query: str = "", **headers: str) -> Callable[[], None]:
        def way() -> None:
            got = ask(bench.web, path, query=query, **headers)
            assert got.status == status, (path, query, got.status, got.body[:300])

        return way

    def published() -> None:
        bench.bring()
        bench.publish()
        afresh()

    bench.bring()
    bench.publish()
    afresh()
    etag = ask(bench.web, "/news.atom").headers["etag"]
    bench.bring()
    bench.publish()
    afresh()
    newest = re.search(rb"/news/archive/(\d+)\.atom", ask(bench.web, "/news.atom").body)
    assert newest is not None
    nothing: Callable[[], None] = lambda: None  # noqa: E731
    ways = {
        "save one article": (nothing, bench.bring),
        "publish it (2 sections)": (bench.bring, bench.publish),
    }
    written = timed(ways, rounds)
    bench.publish()
    written |= timed({"first 200 after a publication": (published, answered(200, "/news.rss"))}, rounds)
    afresh()
    current = ask(bench.web, "/news.atom").headers["etag"]
    reading = {
        "304 from memory": (nothing, answered(304, "/news.atom", if_none_match=current)),
        "200 from memory": (nothing, answered(200, "/news.atom")),
        "delta, afresh": (afresh, answered(226, "/news.atom", a_im="feed", if_none_match=etag)),
        "?source=, afresh": (afresh, answered(200, "/news.atom", "limit=20&source=source%203")),
        "?lang=, afresh": (afresh, answered(200, "/news.atom", "lang=de")),
        "newest archive page, afresh": (afresh, answered(200, f"/news/archive/{newest[1].decode()}.atom")),
        "oldest archive page, afresh": (afresh, answered(200, "/news/archive/100.atom")),
        "section's page, afresh": (afresh, answered(200, "/news")),
        "news sitemap, afresh": (afresh, answered(200, "/sitemap-news.xml")),
    }
    return written | timed(reading, rounds)


def walk(bench: Bench) -> tuple[int, int, float]:
    """Go back through the whole section: documents, articles met, seconds."""
    seen: set[bytes] = set()
    pages, path, began = 0, "/news.atom", time.perf_counter()
    while path:
        got = ask(bench.web, path)
        assert got.status == 200, (path, got.status, got.body[:300])
        seen.update(re.findall(rb"<id>urn:uuid:([0-9a-f-]{36})</id>", got.body))
        older = re.search(rb'<link href="https://wire\.example\.org([^"]+)" rel="prev-archive"/>', got.body)
        pages, path = pages + 1, older[1].decode() if older else ""
    return pages, len(seen), time.perf_counter() - began


def sizes(most: int) -> Iterator[int]:
    size = 1000
    while size <= most:
        yield size
        size *= 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--most", type=int, default=100_000)
    parser.add_argument("--walk", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    table: dict[str, dict[int, float]] = {}
    with tempfile.TemporaryDirectory(prefix="bench-publish-") as folder:
        bench = Bench(Path(folder), prose(60, 300, 1))
        for size in sizes(options.most):
            began = time.perf_counter()
            bench.grow(size)
            print(f"{size:>9,} filings written in {time.perf_counter() - began:.1f} s", flush=True)
            if size == options.walk:
                pages, met, seconds = walk(bench)
                print(
                    f"          walked back through {pages} documents in {seconds:.1f} s, met {met} articles of {size}"
                )
            for name, spent in measure(bench, options.rounds).items():
                table.setdefault(name, {})[size] = spent
        answers_of(bench.web).close()
        bench.store.close()
        print(f"\ndatabase {bench.file.stat().st_size / 1e6:.0f} MB")
    columns = list(sizes(options.most))
    print("\nms, median" + " " * 22 + "".join(f"{size:>12,}" for size in columns) + "   last : first")
    for name, row in table.items():
        ratio = row[columns[-1]] / row[columns[0]]
        print(f"{name:32}" + "".join(f"{row[size]:12.3f}" for size in columns) + f"{ratio:15.2f}")


if __name__ == "__main__":
    main()
