"""What dedupe remembers of what other processes saved, and of what could not be saved."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path

import pytest

from feeds.configuration import DedupeSettings, Source
from feeds.ingest.memory import Memory
from feeds.model import Decision, Entry
from feeds.store import Store, open_store
from feeds.store.articles import Articles
from feeds.text import text_hash
from tests.databases import database

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
WORDS = [f"{head}{number}" for number in range(90) for head in ("tide", "quay", "buoy", "net")]


def entries(count: int, seed: int) -> list[Entry]:
    dice = random.Random(seed)
    made = []
    for number in range(count):
        text = " ".join(dice.choices(WORDS, k=60))
        made.append(
            Entry(
                key=f"{seed}-{number}",
                title=text[:40],
                text=text,
                text_hash=text_hash(text),
                content_hash=number + 1,
                comparable=f"a.example/{seed}/{number}",
            )
        )
    return made


def reprinted(entry: Entry) -> Entry:
    title, text = f"Reprint of {entry.key}", f"Coast Wire. {entry.text}"
    return Entry(key=f"r {entry.key}", title=title, text=text, content_hash=text_hash(text))


class Desk:
    """A process over the store at *url*, which decides and saves."""

    def __init__(self, url: str) -> None:
        self.store: Store = open_store(url)
        self.memory = Memory()
        with self.store.write() as tx:
            tx.configs.desk_id()
            sources = [Source(key=key, name=key, kind="feed", target=f"https://{key}.example/") for key in "ab"]
            tx.sources.sync(sources, "full", NOW)

    def take(
        self, found: list[Entry], source_id: int = 1, language: str = "en", limits: DedupeSettings | None = None
    ) -> tuple[Decision, ...]:
        with self.store.write() as tx:
            decided = self.memory.decide(tx, [(source_id, found)], now=NOW, language=language, limits=limits)
            if not self.memory.is_current(tx):
                decided.undo()
                decided = self.memory.decide(tx, [(source_id, found)], now=NOW, language=language, limits=limits)
            report = tx.articles.save(decided.decisions[0], NOW, {}, missing=decided.missing)
        self.memory.saved(report.newest_entry)
        return decided.decisions[0]


@pytest.fixture
def url(tmp_path: Path) -> str:
    return database(tmp_path / "desk.db")


@pytest.fixture
def read_back(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many stored entries each reading back brought."""
    counts: list[int] = []
    whole = Articles.signatures

    def counted(self: Articles, after: int, since: datetime, limit: int):  # type: ignore[no-untyped-def]
        found = whole(self, after, since, limit)
        counts.append(len(found))
        return found

    monkeypatch.setattr(Articles, "signatures", counted)
    return counts


def test_each_process_reads_back_what_others_saved_since_it_last_looked(url: str, read_back: list[int]) -> None:
    first, other = Desk(url), Desk(url)
    came, late = entries(30, 1), entries(5, 2)
    first.take(came)
    other.take(late)
    assert read_back == [30]
    for original in (came[3], late[2]):
        (copy,) = first.take([reprinted(original)], source_id=2)
        assert copy.kind == "copy"
    assert read_back == [30, 5]
    (copy,) = Desk(url).take([reprinted(came[4])], source_id=2)
    assert copy.kind == "copy" and read_back == [30, 5, 37]


def test_what_could_not_be_saved_is_not_remembered(url: str) -> None:
    desk = Desk(url)
    desk.take(entries(3, 1))
    lost = entries(3, 2)
    with desk.store.read() as tx:
        desk.memory.decide(tx, [(1, lost)], now=NOW, language="en").undo()
    (again,) = desk.take([reprinted(lost[0])], source_id=2)
    assert again.kind == "new"


def test_what_memory_has_no_room_for_is_told_and_known_again_by_larger_limits(url: str, read_back: list[int]) -> None:
    small, larger = DedupeSettings(articles=20), DedupeSettings(articles=100)
    desk, came = Desk(url), entries(30, 1)
    desk.take(came, limits=small)
    (forgotten,) = desk.take([reprinted(came[3])], source_id=2, limits=small)
    (known,) = desk.take([reprinted(came[25])], source_id=2, limits=small)
    assert (forgotten.kind, known.kind) == ("new", "copy")
    told = "those of the last 0 days alone, and not of 14: dedupe.articles (20) are in memory"
    assert [words.endswith(told) for words in desk.memory.crowded] == [True]
    (found,) = desk.take([reprinted(came[4])], source_id=2, limits=larger)
    assert (found.kind, desk.memory.crowded, read_back) == ("copy", (), [32])


def test_fewer_stories_than_there_are_is_told(url: str) -> None:
    desk, few = Desk(url), DedupeSettings(stories=5)
    desk.take(entries(30, 1), limits=few)
    desk.take(entries(1, 2), limits=few)
    assert desk.memory.crowded == ("articles find the freshest stories alone: dedupe.stories (5) are in memory",)
