"""Clocks that are set, machines that sleep: intervals go on, and nothing that is due is lost or done a day late."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from msgspec.structs import replace

from feeds.configuration import Source
from feeds.engine.timekeeping import Change, Clocks, Every, Scheduler
from feeds.ingest.host_queues import HostQueues
from feeds.publish.choosing import still_held
from feeds.store import open_store
from feeds.store.values import PollResult
from tests.databases import database

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def test_an_interval_lists_no_runs_that_were_missed() -> None:
    scheduler = BackgroundScheduler(timezone=UTC)
    job = scheduler.add_job(print, Every(0.15), next_run_time=NOW)
    scheduler.start(paused=True)
    try:
        assert job._get_run_times(NOW + DAY) == [NOW]
        assert job.trigger.get_next_fire_time(NOW, NOW + DAY) == NOW + DAY + timedelta(seconds=0.15)
        assert job.trigger.get_next_fire_time(NOW, NOW - DAY) == NOW - DAY + timedelta(seconds=0.15)
        assert job.trigger.get_next_fire_time(None, NOW) == NOW + timedelta(seconds=0.15)
        assert job.trigger.get_next_fire_time(NOW, NOW) == NOW + timedelta(seconds=0.15)
    finally:
        scheduler.shutdown()


def test_jobs_of_a_scheduler_whose_clock_was_set_back_run_again_once_they_are_told_the_time() -> None:
    scheduler = BackgroundScheduler(timezone=UTC)
    ran = threading.Event()
    scheduler.add_job(
        ran.set, Every(0.1), next_run_time=datetime.now(UTC) + DAY
    )  # as it looks after the clock went back
    scheduler.add_job(print, CronTrigger(hour=3, timezone="Europe/London"), id="learn")
    scheduler.start()
    try:
        assert not ran.wait(0.5)
        for job in scheduler.get_jobs():
            job.modify(next_run_time=job.trigger.get_next_fire_time(None, datetime.now(UTC)))
        assert ran.wait(10)
        assert scheduler.get_job("learn").next_run_time - datetime.now(UTC) < timedelta(hours=25)
    finally:
        scheduler.shutdown()


@pytest.mark.parametrize(
    ("wall", "awake", "steady", "change"),
    [
        (1.0, 1.0, 1.0, Change()),
        (-86_399.0, 1.0, 1.0, Change(set_s=-86_400.0)),
        (86_401.0, 1.0, 1.0, Change(set_s=86_400.0)),
        (3_601.0, 1.0, 3_601.0, Change(slept_s=3_600.0)),
        (1.0, 1.0, 3_601.0, Change(set_s=-3_600.0, slept_s=3_600.0)),
        (2.5, 1.0, 1.0, Change()),
    ],
)
def test_a_clock_that_was_set_is_told_from_a_machine_that_slept(
    wall: float, awake: float, steady: float, change: Change
) -> None:
    now = [1_000.0, 50.0, 60.0]
    clocks = Clocks(lambda: now[0], lambda: now[1], lambda: now[2])
    assert not clocks.look()
    now[0], now[1], now[2] = now[0] + wall, now[1] + awake, now[2] + steady
    assert clocks.look() == change
    assert not clocks.look()


@pytest.mark.parametrize("by", [-DAY, DAY, timedelta(hours=1), -timedelta(hours=1)])
def test_what_is_due_moves_with_the_clock(tmp_path: Path, by: timedelta) -> None:
    soon = NOW + timedelta(minutes=10)
    with open_store(database(tmp_path / "desk.sqlite3")) as store:
        with store.write() as tx:
            tx.sources.sync([Source(key="a", name="A", kind="feed", target="https://a.example/")], "full", NOW)
            tx.sources.sync([Source(key="a", name="A", kind="feed", target="https://a.example/")], "full", NOW)
            tx.sources.hold({1: soon})
            tx.schedule.shift(by, NOW + by)
        with store.write() as tx:
            assert tx.sources.next_due_at() == soon + by
            assert tx.sources.claim_due(soon + by - timedelta(seconds=1), lease_s=60, limit=1) == []
            claim = tx.sources.claim_due(soon + by, lease_s=60, limit=1)[0]
            assert claim.state.retry_after_until == soon + by
            tx.schedule.shift(-by, NOW)  # set right again while the poll is out
            tx.sources.release([claim])
            assert tx.sources.next_due_at() == soon


def test_who_asked_to_wait_is_left_alone_as_long_as_was_asked() -> None:
    queues = HostQueues(lambda request: None)
    queues.hold("https://a.example/feed", NOW + timedelta(minutes=5))
    queues.clock_was_set(-DAY)
    assert queues.held_until("https://a.example/feed", NOW - DAY) == NOW - DAY + timedelta(minutes=5)
    assert queues.held_until("https://a.example/feed", NOW - DAY + timedelta(minutes=6)) is None


def test_a_section_that_is_held_since_a_time_to_come_is_held_no_longer() -> None:
    assert still_held(NOW, NOW + timedelta(minutes=1))
    assert not still_held(NOW, NOW - DAY)
    assert not still_held(NOW, NOW + timedelta(minutes=16))


def test_a_source_that_was_polled_by_the_new_clock_already_stays_where_it_is(tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path}/desk.sqlite3") as store, store.write() as tx:
        tx.sources.sync([Source(key="a", name="A", kind="feed", target="https://a.example/")], "full", NOW)
        claim = tx.sources.claim_due(NOW, lease_s=60, limit=1)[0]
        state = replace(claim.state, last_poll_at=NOW, interval_s=60.0)
        due = NOW + timedelta(seconds=60)
        result = PollResult(source_id=1, claim_id=claim.claim_id, at=NOW, outcome="new", state=state, next_poll_at=due)
        tx.sources.finish([result])
        tx.schedule.shift(timedelta(hours=1), NOW + timedelta(seconds=1))
        assert tx.sources.next_due_at() == due


def test_a_scheduler_ends_though_its_job_asks_it_something_meanwhile() -> None:
    scheduler, begun, asked = Scheduler(), threading.Event(), threading.Event()

    def ask() -> None:
        begun.set()
        time.sleep(0.3)  # until the end has begun
        scheduler.get_job("ask")
        asked.set()

    scheduler.add_job(ask, "date", run_date=datetime.now(UTC), id="ask", misfire_grace_time=None)
    scheduler.start()
    assert begun.wait(20)
    ending = threading.Thread(target=scheduler.end, daemon=True)
    ending.start()
    ending.join(20)

    assert asked.is_set() and not ending.is_alive() and not scheduler.running
