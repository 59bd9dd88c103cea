"""Three years of a busy desk in minutes: do size and speed stay the same once `keep_days` is reached?

A made-up newsroom's articles are saved in batches as polls bring them; documents are published, and housekeeping runs,
every other simulated day. The clock is simulated, the work is real, and told in CPU time, which other programs do not
change. `longest write` is the write transaction that took most: what another writer may have to wait, for readers wait
for none (SQLite's WAL); what the disk takes for its commit comes on top. In the end: what an article takes, by table
and index, in the file as it is and after VACUUM.

    python bench/retention.py [--days 1095] [--articles 200] [--keep-days 300] [--chart docs/retention.svg]
"""

from __future__ import annotations

import argparse
import random
import sqlite3
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from werkzeug.test import Client

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.curves import Curve, draw  # noqa: E402
from feeds.configuration import PublishSettings, Section, Settings, Source  # noqa: E402
from feeds.model import Decision, Entry, Placement  # noqa: E402
from feeds.publish import publish  # noqa: E402
from feeds.serve.app import create_app  # noqa: E402
from feeds.settings import Config, config_to_json  # noqa: E402
from feeds.store import Store  # noqa: E402
from feeds.store.store import WriteTx  # noqa: E402

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
QUARTER_DAYS = 91
SOURCES_A_BATCH, ENTRIES_A_SOURCE = 4, 5
BATCH = SOURCES_A_BATCH * ENTRIES_A_SOURCE
SWEEP_AT_ONCE = 50
"""As many articles as the running desk takes out in one transaction."""
PAUSE_DAYS = 2
"""So many days' articles are published, and retention catches up, in one go: fewer and fuller steps to simulate."""
SYLLABLES = [
    f"{first}{second}" for first in "bcdfghklmnprst" for second in ("al", "er", "in", "or", "um", "ast", "ell")
]
WORDS = [f"{first}{second}" for first in SYLLABLES for second in ("", *SYLLABLES)]
SECTIONS = tuple(Section(path=path, title=path.title()) for path in ("world", "sport", "science", "business"))
SOURCES = tuple(
    Source(key=f"s{number}", name=f"Source {number}", kind="feed", target=f"https://s{number}.example/feed")
    for number in range(40)
)


@dataclass(slots=True)
class Quarter:
    """What was timed in a quarter of a year; milliseconds of CPU time."""

    ingest: list[float] = field(default_factory=list)
    publish: list[float] = field(default_factory=list)
    steps: list[float] = field(default_factory=list)
    longest: tuple[float, str] = (0.0, "")


class TimedStore(Store):
    """A store that remembers the longest of its write transactions, and what it was for."""

    doing = ""
    quarter = Quarter()

    @contextmanager
    def write(self) -> Iterator[WriteTx]:
        """A write transaction, timed from its lock to its commit."""
        with super().write() as tx:
            began = time.thread_time()
            yield tx
        self.quarter.longest = max(self.quarter.longest, (since(began), self.doing))


def since(began: float) -> float:
    """Milliseconds of CPU time since *began*."""
    return 1000 * (time.thread_time() - began)


def entry(number: int, at: datetime, dice: random.Random) -> Entry:
    """One article of 300 words, none of them twice."""
    words = " ".join(dice.sample(WORDS, k=300))
    return Entry(
        key=f"k{number}",
        entry_id=f"tag:example,{number}",
        link=f"https://a.example/{number}",
        comparable=f"a.example/{number}",
        title=f"Article {number} {words[:40]}",
        summary=f"<p>{words[:200]}</p>",
        content=f"<p>{words}</p>",
        text=words,
        published=at,
        text_hash=dice.getrandbits(63),
        content_hash=dice.getrandbits(63),
    )


def save(store: TimedStore, first: int, at: datetime, dice: random.Random) -> None:
    """Save one batch: polls of four sources that each brought five new articles."""
    store.doing = "save"
    decisions, placements = [], {}
    asked: dict[int, list[Entry]] = {}
    for number in range(first, first + BATCH):
        uid = f"urn:uuid:{uuid.UUID(int=dice.getrandbits(128), version=4)}"
        source_id = 1 + (number // ENTRIES_A_SOURCE) % len(SOURCES)
        one = entry(number, at, dice)
        asked.setdefault(source_id, []).append(one)
        signature = dice.randbytes(500)  # as large as dedupe's are
        decisions.append(Decision(kind="new", entry=one, article_uid=uid, source_id=source_id, signature=signature))
        section = dice.choice(SECTIONS).path
        placements[uid] = [Placement(section=path, by="rule", reason="bench") for path in (section, "")]
    began = time.thread_time()
    with store.read() as tx:
        tx.articles.known(list(asked.items()))
    with store.write() as tx:
        tx.articles.save(decisions, at, placements)
    store.quarter.ingest.append(since(began) / len(decisions))


def sweep(store: TimedStore, now: datetime, keep_days: int) -> None:
    """Housekeeping in steps as the running desk takes them; the last two only tidy up behind the others."""
    store.doing = "sweep"
    idle = 0
    while idle < 2:
        began = time.thread_time()
        with store.write() as tx:
            gone = tx.retention.sweep(now, keep_days, 0, limit=SWEEP_AT_ONCE)
        store.quarter.steps.append(since(began))
        idle += not gone


def look(store: Store, addresses: list[str]) -> float:
    """The median CPU milliseconds of *addresses*, each asked for the first time since it changed."""
    taken = []
    for _ in range(3):
        client = Client(create_app(f"sqlite:///{store.file}"))
        assert client.get("/readyz").status_code == 200
        for address in addresses:
            began = time.thread_time()
            answer = client.get(address)
            taken.append(since(began))
            assert answer.status_code == 200, (address, answer.status)
    return median(taken)


def live(store: TimedStore, settings: Settings, days: int, articles: int, quarterly: Callable[[int], None]) -> None:
    """Let *days* pass with so many articles each; *quarterly* is called with the day after each quarter."""
    dice, number = random.Random(7), 0
    for day in range(1, days + 1):
        now = BEGIN + timedelta(days=day)
        for _ in range(articles // BATCH):
            save(store, number, now, dice)
            number += BATCH
        if day % PAUSE_DAYS == 0:
            store.doing = "publish"
            began = time.thread_time()
            publish(store, settings, SECTIONS, now=now, most_archived=None)
            store.quarter.publish.append(since(began) / (articles * PAUSE_DAYS))
            sweep(store, now, settings.publish.keep_days)
        if day % QUARTER_DAYS == 0 or day == days:
            quarterly(day)


def sizes(file: Path, articles: int) -> None:
    """Print the bytes an article of all tables and indexes that take a hundredth of the file."""

    def measured() -> dict[str, float]:
        rows = database.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY name ORDER BY 2 DESC").fetchall()
        found = {name: size / articles for name, size in rows}
        return {"all": sum(found.values()), **found}

    with closing(sqlite3.connect(file)) as database:
        before = measured()
        database.execute("VACUUM")
        after = measured()
    print("bytes an article, after VACUUM")
    for name, size in before.items():
        if size > before["all"] / 100:
            print(f"{name:28} {size:6.0f} {after[name]:6.0f}")


def main() -> None:
    """Print a row for each quarter; draw them where that is asked for."""
    asked = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    asked.add_argument("--days", type=int, default=1095)
    asked.add_argument("--articles", type=int, default=200, help="a day")
    asked.add_argument("--keep-days", type=int, default=300)
    asked.add_argument("--chart", type=Path, help="SVG file to draw the curves into")
    given = asked.parse_args()
    settings = Settings(publish=PublishSettings(full_text="full", keep_days=given.keep_days))
    what = f"{given.articles} articles a day, kept for {given.keep_days} days"
    names = (
        "ingest, CPU ms an article",
        "publish, CPU ms an article",
        "retention, CPU ms a step",
        "section page, CPU ms",
    )
    curves = [Curve(name) for name in ("database, MB", *names)]
    pages = [f"/{section.path}" for section in SECTIONS]
    searches = [f"/search?q={word}+{other}" for word, other in zip(WORDS[:4], WORDS[40:44], strict=True)]
    print(f"{what}; CPU time")
    print("day  articles     MB  ingest  publish  retention step  page  search  longest write")
    print("      stored         ms/article ms/art.  median max ms    ms      ms  ms")

    with tempfile.TemporaryDirectory() as folder, TimedStore(f"sqlite:///{folder}/desk.sqlite3") as store:
        store.migrate()
        with store.write() as tx:
            tx.configs.accept(config_to_json(Config(settings=settings, sections=SECTIONS)), "bench", BEGIN)
            tx.sources.sync(SOURCES, "full", BEGIN)
            tx.sections.sync(SECTIONS, BEGIN)

        def quarterly(day: int) -> None:
            this, store.quarter = store.quarter, Quarter()
            with store.read() as tx:
                count = tx.articles.count()
            size = sum(file.stat().st_size for file in Path(folder).glob("desk.sqlite3*")) / 1e6
            step, page, search = median(this.steps), look(store, pages), look(store, searches)
            figures = (size, median(this.ingest), median(this.publish), step, page)
            for curve, figure in zip(curves, figures, strict=True):
                curve.points.append((day, figure))
            print(
                f"{day:<5}{count:>7} {size:>6.0f} {figures[1]:>7.2f} {figures[2]:>8.2f} {step:>8.1f}"
                f" {max(this.steps):>6.0f} {page:>6.1f} {search:>7.1f}  {this.longest[0]:.0f} ({this.longest[1]})",
                flush=True,
            )

        live(store, settings, given.days, given.articles, quarterly)
        with store.read() as tx:
            count = tx.articles.count()
        assert store.file is not None
        sizes(store.file, count)
    print(f"{time.process_time():.0f} CPU seconds")
    if given.chart:
        given.chart.write_text(draw(what, curves, "day"))


if __name__ == "__main__":
    main()
