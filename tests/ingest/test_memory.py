"""What dedupe remembers from one process to the next: taken over where it holds, read back where it does not."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from feeds import files
from feeds.dedupe import Window
from feeds.ingest import memory as module
from feeds.ingest.memory import Memory
from feeds.model import Decision, Entry, Source
from feeds.store import Store, open_store
from feeds.store.articles import Articles
from feeds.text import text_hash

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

    def take(self, found: list[Entry], source_id: int = 1, language: str = "en") -> tuple[Decision, ...]:
        with self.store.write() as tx:
            decided = self.memory.decide(tx, [(source_id, found)], now=NOW, language=language)
            tx.articles.save(decided.decisions[0], NOW, {})
            newest = tx.articles.newest_entry()
        self.memory.saved(newest)
        return decided.decisions[0]

    def end(self) -> None:
        with self.store.read() as tx:
            self.memory.keep(tx, "en")
        self.store.close()


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(module, "KEPT_AFTER", 20)
    files.use_cache(tmp_path / "cache")
    yield f"sqlite:///{tmp_path}/desk.db"
    files.use_cache(None)


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


def test_the_next_process_takes_over_and_reads_back_only_what_came_since(url: str, read_back: list[int]) -> None:
    first, other = Desk(url), Desk(url)
    came = entries(30, 1)
    first.take(came)
    first.end()
    late = entries(5, 2)
    other.take(late)
    other.end()
    read_back.clear()

    desk = Desk(url)
    for original in (came[3], late[2]):
        (copy,) = desk.take([reprinted(original)], source_id=2)
        assert copy.kind == "copy"
    assert read_back == [5]


def test_it_is_kept_anew_when_enough_came_and_only_then(url: str, tmp_path: Path) -> None:
    def written() -> list[int]:
        return [path.stat().st_mtime_ns for path in (tmp_path / "cache").glob("memory.*")]

    desk = Desk(url)
    desk.take(entries(5, 1))
    desk.end()
    assert written() == []
    for seed, (count, renews) in enumerate([(30, True), (5, False), (30, True)], 10):
        before = written()
        desk = Desk(url)
        desk.take(entries(count, seed))
        desk.take(entries(1, seed + 1000))
        desk.end()
        assert len(written()) == 1 and (written() != before) == renews


@pytest.mark.parametrize("change", ["language", "entry", "file", "desk"])
def test_what_is_of_another_past_is_left_alone(
    url: str, tmp_path: Path, change: str, read_back: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(url)
    came = entries(30, 1)
    desk.take(came)
    desk.end()
    desk, language = Desk(url), "en"
    match change:
        case "language":
            language = "de"
        case "entry":
            with desk.store.write() as tx:
                tx.articles._connection.exec_driver_sql(
                    "update entries set first_seen = first_seen + 1 where id = (select max(id) from entries)"
                )
        case "file":
            (path,) = (tmp_path / "cache").glob("memory.*")
            path.write_bytes(path.read_bytes().replace(b'"Window"', b'"Wandow"'))
        case "desk":
            monkeypatch.setattr("feeds.store.small_tables.Configs.desk_id", lambda self: "another")
    read_back.clear()
    (copy,) = desk.take([reprinted(came[3])], source_id=2, language=language)
    assert copy.kind == "copy" and read_back == [30]


def test_what_could_not_be_saved_is_not_kept(url: str, tmp_path: Path) -> None:
    desk = Desk(url)
    desk.take(entries(30, 1))
    with desk.store.read() as tx:
        desk.memory.decide(tx, [(1, entries(3, 2))], now=NOW + timedelta(hours=1), language="en").undo()
    desk.end()
    assert not list((tmp_path / "cache").glob("memory.*"))
    assert isinstance(desk.memory._window, Window)
