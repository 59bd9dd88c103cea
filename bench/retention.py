"""Three years of a busy desk in minutes: do size and speed of the database stay the same once `keep_days` is reached?

Articles of a made-up newsroom are saved in batches as polls bring them, documents are published, and housekeeping runs
after every simulated day. The clock is simulated; what is timed is real.

    python bench/retention.py [--days 1095] [--articles 200] [--keep-days 300] [--every 60]
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from feeds.model import Decision, Entry, Placement, PublishSettings, Section, Settings, Source  # noqa: E402
from feeds.publish import publish  # noqa: E402
from feeds.store import Store, open_store  # noqa: E402

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
BATCH = 20
WORDS = [f"{first}{second}" for first in "bcdfghklmnprst" for second in ("al", "er", "in", "or", "um", "ast", "ell")]
SECTIONS = tuple(Section(path=path, title=path.title()) for path in ("world", "sport", "science", "business"))
SOURCES = tuple(
    Source(key=f"s{number}", name=f"Source {number}", kind="feed", target=f"https://s{number}.example/feed")
    for number in range(40)
)


def entry(number: int, at: datetime, dice: random.Random) -> Entry:
    """One article of some 2,500 characters."""
    words = " ".join(dice.choice(WORDS) for _ in range(400))
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


def save(store: Store, first: int, at: datetime, dice: random.Random) -> float:
    """Save one batch; its seconds."""
    decisions = []
    placements = {}
    for number in range(first, first + BATCH):
        uid = f"urn:uuid:{uuid.UUID(int=dice.getrandbits(128), version=4)}"
        decisions.append(
            Decision(
                kind="new",
                entry=entry(number, at, dice),
                article_uid=uid,
                source_id=1 + number % len(SOURCES),
                signature=dice.randbytes(256),
            )
        )
        section = dice.choice(SECTIONS).path
        placements[uid] = [Placement(section=path, by="rule", reason="bench") for path in (section, "")]
    began = time.perf_counter()
    with store.write() as tx:
        tx.articles.known([(decision.source_id, (decision.entry,)) for decision in decisions])
        tx.articles.save(decisions, at, placements)
    return time.perf_counter() - began


def sweep(store: Store, now: datetime, keep_days: int) -> tuple[float, int]:
    """Housekeeping of a day; the seconds of its longest step, and how many steps."""
    longest, steps = 0.0, 0
    while True:
        began = time.perf_counter()
        with store.write() as tx:
            gone = tx.retention.sweep(now, keep_days, 0, limit=200)
        longest = max(longest, time.perf_counter() - began)
        steps += 1
        if not gone:
            return longest, steps


def main() -> None:
    """Print a row every so many days."""
    asked = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    asked.add_argument("--days", type=int, default=1095)
    asked.add_argument("--articles", type=int, default=200, help="a day")
    asked.add_argument("--keep-days", type=int, default=300)
    asked.add_argument("--every", type=int, default=60, help="days between rows")
    given = asked.parse_args()
    dice = random.Random(7)
    settings = Settings(publish=PublishSettings(full_text="full", keep_days=given.keep_days))
    print(f"{given.articles} articles a day, kept for {given.keep_days} days")
    print(f"{'day':>5} {'articles':>9} {'MB':>7} {'save ms':>8} {'sweep ms':>9} {'top 50 ms':>10} {'publish ms':>11}")
    with tempfile.TemporaryDirectory() as folder, open_store(f"{folder}/desk.sqlite3") as store:
        with store.write() as tx:
            tx.configs.accept("{}", "bench", BEGIN)
            tx.sources.sync(SOURCES, "full", BEGIN)
            tx.sections.sync(SECTIONS, BEGIN)
        number = 0
        for day in range(1, given.days + 1):
            now = BEGIN + timedelta(days=day)
            saves = []
            for _ in range(given.articles // BATCH):
                saves.append(save(store, number, now, dice))
                number += BATCH
            longest, _ = sweep(store, now, given.keep_days)
            published = 0.0
            if day % 10 == 0:
                began = time.perf_counter()
                publish(store, settings, SECTIONS, now=now)
                published = time.perf_counter() - began
            if day % given.every == 0 or day == given.days:
                began = time.perf_counter()
                with store.read() as tx:
                    tx.sections.top("world", 50)
                    count = tx.articles.count()
                top = time.perf_counter() - began
                size = sum(file.stat().st_size for file in Path(folder).glob("desk.sqlite3*")) / 1e6
                print(
                    f"{day:>5} {count:>9} {size:>7.0f} {1000 * sum(saves) / len(saves):>8.1f} {1000 * longest:>9.1f}"
                    f" {1000 * top:>10.1f} {1000 * published:>11.0f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
