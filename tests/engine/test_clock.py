"""The ingest process itself: what it does when the clock is set, a part of it stops, or the database is taken away."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from feeds.engine import clock as module
from feeds.engine.accept import accept
from feeds.engine.clock import IngestProcess
from feeds.engine.timekeeping import Clocks
from feeds.errors import DatabaseLost
from feeds.store import Store, open_store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    config = tmp_path / "config"
    config.mkdir()
    (config / "sections.yaml").write_text("news: {title: News}\n")
    (config / "sources.yaml").write_text("- name: Tidings\n  url: http://127.0.0.1:9/feed.xml\n  interval_s: 3600\n")
    with open_store(f"sqlite:///{tmp_path}/desk.sqlite3") as opened:
        yield opened


@pytest.fixture
def process(store: Store, tmp_path: Path) -> Iterator[IngestProcess]:
    accepted = accept(store, tmp_path / "config", {}, now=datetime.now(UTC))
    made = IngestProcess(store, tmp_path / "config", tmp_path, {}, accepted, stop=threading.Event())
    yield made
    made._stop.set()
    made._courier.close()
    made._fetcher.close()
    made._workers.close()


@pytest.mark.parametrize("days", [-1, 1])
def test_a_clock_that_is_set_moves_what_is_due_and_is_told(process: IngestProcess, store: Store, days: int) -> None:
    by = timedelta(days=days)
    due = datetime.now(UTC) + timedelta(minutes=10)
    with store.write() as tx:
        tx.sources.hold({1: due})
    wall = [1_000_000.0]
    process._clocks = Clocks(lambda: wall[0], lambda: 1.0, lambda: 1.0)
    wall[0] += by.total_seconds()
    process._mind_clock()
    process._mind_clock()
    with store.read() as tx:
        assert tx.sources.next_due_at() == due + by
        told = [event.text for event in tx.events.recent(10) if event.kind == "clock"]
    assert len(told) == 1
    assert f"set {'forward' if days > 0 else 'back'} by 1 day" in told[0]


def test_a_store_that_refuses_hears_later_that_the_clock_was_set(process: IngestProcess, store: Store) -> None:
    wall = [1_000_000.0]
    process._clocks = Clocks(lambda: wall[0], lambda: 1.0, lambda: 1.0)
    due = datetime.now(UTC) + timedelta(minutes=10)
    with store.write() as tx:
        tx.sources.hold({1: due})
    wall[0] -= 3600
    process._set_s += process._clocks.look().set_s  # as it is where the write failed
    process._mind_clock()
    with store.read() as tx:
        assert tx.sources.next_due_at() == due - timedelta(hours=1)


@pytest.mark.parametrize("part", ["scheduler", "courier"])
def test_a_part_that_does_nothing_ends_the_process(
    process: IngestProcess, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    process._check_parts()
    assert not process._stop.is_set()
    if part == "scheduler":
        process._ticked_at -= module.PART_SILENT_S + 1
    else:
        monkeypatch.setattr(process._courier, "turn", lambda wait_s: time.sleep(0.01))
        process._courier.start()
        process._check_parts()
        assert not process._stop.is_set()
        process._courier._stop.set()
        process._courier._thread.join()
    process._check_parts()
    assert process._stop.is_set() and process._lost


def test_a_database_that_is_taken_away_ends_the_process_with_what_was_saved(
    process: IngestProcess, store: Store, tmp_path: Path
) -> None:
    process._check_place()
    assert not process._stop.is_set()
    (tmp_path / "desk.sqlite3").unlink()
    process._check_place()
    assert process._stop.is_set()
    with pytest.raises(DatabaseLost, match="nothing is lost"):
        process._save_what_can_be()
    assert (tmp_path / "desk.sqlite3").exists()
