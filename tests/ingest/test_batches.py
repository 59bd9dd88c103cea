"""A batch that could not be saved leaves no trace in memory: what comes after is decided as if it had never been."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zlib import crc32

import pytest
from msgspec.structs import replace
from sqlalchemy.exc import IntegrityError

from feeds.configuration import Settings, Source
from feeds.filing import FilingRules
from feeds.ingest.batches import Batch, Saving
from feeds.ingest.bodies import waiting
from feeds.ingest.desk import Desk
from feeds.ingest.host_queues import HostQueues
from feeds.ingest.memory import Memory
from feeds.ingest.reading import Reading
from feeds.model import Beside, Entry
from feeds.parsed import Validators
from feeds.store import Store, open_store
from feeds.store.values import InboxItem
from feeds.text import text_hash
from tests.databases import database

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
SOURCES = 6
PLACES = ["quay", "pier", "lock", "weir", "mole", "dyke", "ford", "isle"]
WORDS = [f"{head}{number}" for number in range(50) for head in ("tide", "buoy", "net", "hull")]

Brought = tuple[int, Entry]


def stream(count: int = 90, seed: int = 5) -> list[list[Brought]]:
    """Batches of entries: happenings told by several, reprints with another headline, entries that change."""
    dice = random.Random(seed)
    told: list[tuple[str, str]] = []
    made: list[Brought] = []
    for number in range(count):
        choice = dice.random()
        place = dice.choice(PLACES)
        if told and choice < 0.35:
            _, text = told[-1] if dice.random() < 0.5 else dice.choice(told[-12:])
            title, text = f"Reprint number {number} here", f"Coast Wire. {text}"
        elif made and choice < 0.45:
            source_id, before = dice.choice(made)
            text = f"{before.text} More of it at {number}."
            made.append((source_id, entry(before.key, before.title, text)))
            continue
        else:
            title = f"Flood at the {place} closes {place} road and harbour {place} gate {number % 3}"
            text = f"{title}. The {place} stood under water. " + " ".join(dice.choices(WORDS, k=60))
            told.append((title, text))
        made.append((dice.randrange(SOURCES) + 1, entry(f"e{number}", title, text)))
    batches: list[list[Brought]] = []
    while made:
        size = dice.choice((1, 2, 5))
        batches.append(made[:size])
        del made[:size]
    return batches


def entry(key: str, title: str, text: str) -> Entry:
    return Entry(
        key=key,
        entry_id=key,
        title=title,
        text=text,
        text_hash=text_hash(text),
        content_hash=crc32(f"{title}\n{text}".encode()),
    )


def opened(path: Path) -> Store:
    store = open_store(database(path))
    sources = [Source(key=f"s{n}", name=f"Paper {n}", kind="feed", target=f"https://p{n}.example/") for n in range(6)]
    with store.write() as tx:
        tx.sources.sync(sources, "full", NOW)
    return store


def decided(store: Store) -> list[tuple[int, str, int, int, bool]]:
    """Every entry with its article and its story, both numbered as they come: the ids themselves are drawn."""
    numbers: dict[str, int] = {}
    with store.read() as tx:
        rows = tx.articles._connection.exec_driver_sql(
            "select e.source_id, e.key, a.uid, coalesce(a.story_uid, ''), e.copy"
            " from entries e join articles a on a.id = e.article_id order by e.id"
        ).all()
    return [
        (source, key, numbers.setdefault(uid, len(numbers)), numbers.setdefault(story, len(numbers)), bool(copy))
        for source, key, uid, story, copy in rows
    ]


class Process:
    """One that saves, over a store of its own or another's."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.saving = Saving(store, HostQueues(lambda request: None), random=lambda: 0.5)
        self.desk = Desk(
            version=1, folder=Path(), settings=Settings(), sections=(), secret={}, filing_rules=FilingRules(())
        )

    def save(self, brought: Sequence[Brought], now: datetime) -> None:
        read = []
        for source_id, one in brought:
            item = InboxItem(
                id=0,
                source_id=source_id,
                claim_id="",
                received_at=now,
                final_url=f"https://p{source_id}.example/",
                status=200,
                headers=(),
                validators=Validators(),
                body=one.key.encode(),
                pushed=False,
            )
            with self.store.write() as tx:
                (id_,) = tx.inbox.put([item])
            item = replace(item, id=id_)
            source = Source(
                id=source_id, key=f"s{source_id - 1}", name=f"Paper {source_id}", kind="feed", target=item.final_url
            )
            waits = waiting(item, source, None, first=False, answer=None)
            read.append((waits, Reading(entries=(one,), beside=Beside(window=1), kind="rss")))
        self.saving.save(Batch(ended=[], read=read, flight={}, postponed=[]), self.desk, now)


def full(store: Store, on: bool) -> None:
    """Let the database refuse, as a full disk does, what every save does last."""
    with store.write() as tx:
        tx.articles._connection.exec_driver_sql(
            "create trigger full before delete on inbox begin select raise(abort, 'disk full'); end"
            if on
            else "drop trigger full"
        )


def test_every_save_may_fail_and_nothing_is_decided_otherwise(tmp_path: Path) -> None:
    with opened(tmp_path / "a.db") as smooth, opened(tmp_path / "b.db") as rough:
        one, other = Process(smooth), Process(rough)
        for number, batch in enumerate(stream(60)):
            now = NOW + timedelta(minutes=number)
            one.save(batch, now)
            for _ in range(1 + number % 3):
                full(rough, True)
                with pytest.raises(IntegrityError, match="disk full"):
                    other.save(batch, now)
                full(rough, False)
            other.save(batch, now)
        expected = decided(smooth)
        assert sum(copy for *_, copy in expected) > 10
        assert len({story for *_, story, _ in expected}) < len({article for _, _, article, *_ in expected}) / 2
        assert decided(rough) == expected


def test_what_somebody_else_saved_meanwhile_comes_first(tmp_path: Path) -> None:
    """Two processes take turns, and each time the one finds, about to save, that the other was quicker."""
    batches = stream(seed=8)
    with opened(tmp_path / "a.db") as alone, opened(tmp_path / "b.db") as shared:
        one, again = Process(alone), 0
        slow, quick = Memory(), Memory()
        for number in range(0, len(batches) - 1, 2):
            first, second, now = batches[number], batches[number + 1], NOW + timedelta(minutes=number)
            one.save(second, now)
            one.save(first, now)
            with shared.read() as tx:
                early = slow.decide(tx, grouped(first), now=now, language="en")
            save(shared, quick, second, now)
            early.undo()
            again += save(shared, slow, first, now)
        assert decided(shared) == decided(alone)
        assert again > len(batches) // 4


def grouped(brought: Sequence[Brought]) -> list[tuple[int, list[Entry]]]:
    return [(source_id, [one]) for source_id, one in brought]


def save(store: Store, memory: Memory, brought: Sequence[Brought], now: datetime) -> bool:
    """Decide and save as `Saving` does; whether another had saved since *memory* last looked."""
    with store.write() as tx:
        behind = not memory.is_current(tx)
        found = memory.decide(tx, grouped(brought), now=now, language="en")
        tx.articles.save([decision for group in found.decisions for decision in group], now, {})
        tx.stories.merge(found.merged, now)
        newest = tx.articles.newest_entry()
    memory.saved(newest)
    return behind
