"""The ingest process itself: what it does when the clock is set, a part of it stops, or the database is taken away."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from feeds.engine.clock import IngestProcess
from feeds.engine.config_in_force import accept
from feeds.engine.roles import SILENT_S
from feeds.engine.timekeeping import Clocks
from feeds.errors import DatabaseLost, StoreError
from feeds.store import Store, dialect, open_store
from feeds.store.values import PollResult
from tests.databases import database
from tests.faults.injecting import Faults


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.setattr(dialect, "BUSY_TIMEOUT_MS", 50)
    config = tmp_path / "config"
    config.mkdir()
    (config / "sections.yaml").write_text("news: {title: News}\n")
    (config / "sources.yaml").write_text("- name: Tidings\n  url: http://127.0.0.1:9/feed.xml\n  interval_s: 3600\n")
    with open_store(database(tmp_path / "desk.sqlite3")) as opened:
        yield opened


@pytest.fixture
def process(store: Store, tmp_path: Path) -> Iterator[IngestProcess]:
    accepted = accept(store, tmp_path / "config", {}, now=datetime.now(UTC))
    made = IngestProcess(store, tmp_path / "config", tmp_path, {}, accepted, stop=threading.Event())
    yield made
    made._stop.set()
    for role in made._roles:
        role.let_go()
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


def test_a_store_that_refuses_hears_later_that_the_clock_was_set(
    process: IngestProcess, store: Store, tmp_path: Path
) -> None:
    wall = [1_000_000.0]
    process._clocks = Clocks(lambda: wall[0], lambda: 1.0, lambda: 1.0)
    due = datetime.now(UTC) + timedelta(minutes=10)
    with store.write() as tx:
        tx.sources.hold({1: due})
    wall[0] -= 3600
    other = sqlite3.connect(tmp_path / "desk.sqlite3", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="locked"):
        process._mind_clock()
    other.close()
    process._mind_clock()
    with store.read() as tx:
        assert tx.sources.next_due_at() == due - timedelta(hours=1)


def test_what_was_moved_unheard_is_moved_once(tmp_path: Path, process: IngestProcess) -> None:
    due = datetime.now(UTC) + timedelta(minutes=10)
    faults = Faults(tmp_path)
    with faults.in_place(), open_store(f"sqlite:///{tmp_path}/desk.sqlite3") as store:
        process._ingest._claims._store = store
        with store.write() as tx:
            tx.sources.hold({1: due})
        wall = [1_000_000.0]
        process._clocks = Clocks(lambda: wall[0], lambda: 1.0, lambda: 1.0)
        faults.plan("commit unheard", 1)
        wall[0] -= 3600
        with faults.on(), pytest.raises(StoreError):
            process._mind_clock()
        wall[0] -= 60  # set once more before it could be tried again
        for _ in range(2):
            process._mind_clock()
        with store.read() as tx:
            assert tx.sources.next_due_at() == due - timedelta(seconds=3660)


def test_a_clock_that_was_set_back_while_away_is_minded_by_the_first_process_alone(
    tmp_path: Path, process: IngestProcess, store: Store
) -> None:
    now = datetime.now(UTC)
    with store.write() as tx:
        claim = tx.sources.claim_named(None, now, lease_s=60)[0]
        state = replace(claim.state, last_poll_at=now + timedelta(hours=1))
        due = now + timedelta(hours=2)
        tx.sources.finish(
            [PollResult(source_id=1, claim_id=claim.claim_id, at=now, outcome="new", state=state, next_poll_at=due)]
        )
    for _ in range(2):  # the second is one that starts before the source was polled again
        process._mind_a_clock_set_while_away()
        process._mind_clock()
        with store.read() as tx:
            assert due - timedelta(hours=1, minutes=1) < tx.sources.next_due_at() <= due - timedelta(minutes=59)


@pytest.mark.parametrize("part", ["scheduler", "deliveries", "publishing"])
def test_a_part_that_does_nothing_ends_the_process(process: IngestProcess, part: str) -> None:
    process._check_parts()
    assert not process._stop.is_set()
    if part == "scheduler":
        process._ticked_at -= SILENT_S + 1
    else:
        process._look_at_roles()
        process._check_parts()
        assert not process._stop.is_set()
        parts = {role.name: role.part for role in process._roles}
        parts[part].close()
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
