"""Parse workers: what a body that hangs, bloats or breaks its reader costs, and whom."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from feeds.engine import workers as module
from feeds.engine.workers import Workers
from feeds.errors import ParseError
from feeds.ingest.reading import Job, Reading, read
from feeds.model import Source

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
FEED = b"""<rss version="2.0"><channel><title>Harbour</title><item><title>Tide %d</title><guid>t%d</guid>
<description>The tide came in at nine and went out at three.</description></item></channel></rss>"""


def odd(job: Job) -> Reading:
    """What takes the place of `read` in the workers: it obeys the first word of the body."""
    match job.body.partition(b" ")[0]:
        case b"hang":
            while True:
                time.sleep(0.05)
        case b"spin":
            while True:
                pass
        case b"bloat":
            held = []
            while True:
                held.append(bytes(256 << 20))
        case b"crash":
            ctypes.string_at(0)
        case b"end":
            os._exit(3)
        case b"pid":
            time.sleep(0.2 if b"slowly" in job.body else 0)
            return Reading(title=str(os.getpid()))
        case b"bug":
            raise KeyError("of our own")
    return read(job)


def job(body: bytes, number: int) -> Job:
    source = Source(key=f"s{number}", name=f"S{number}", kind="feed", target="https://a.example/feed", id=number)
    return Job(
        reader="feed",
        body=body,
        url=source.target,
        source=source,
        received_at=NOW,
        desk_language="en",
        desk_timezone="UTC",
    )


Reads = Callable[[list[bytes]], list[Reading]]


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Iterator[Reads]:
    monkeypatch.setattr(module, "read", odd)
    workers = Workers(2, timeout_s=3.0, memory_bytes=1 << 30)

    def give(bodies: list[bytes]) -> list[Reading]:
        for number, body in enumerate(bodies):
            workers.submit(job(body, number), number)
        assert workers.pending == len(bodies)
        found: dict[object, Reading] = {}
        end = time.monotonic() + 90
        while workers.pending and time.monotonic() < end:
            found.update(workers.done(0.2))
        assert sorted(found) == list(range(len(bodies)))  # type: ignore[type-var]
        return [found[number] for number in range(len(bodies))]

    yield give
    workers.close()


def good(number: int) -> bytes:
    return FEED % (number, number)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"hang", "more than 3 seconds"),
        (b"spin", "more than 3 seconds"),
        (b"bloat", "1024 MiB"),
        (b"crash", "1024 MiB"),
        (b"end", "1024 MiB"),
        (b"bug", "of our own"),
    ],
)
def test_one_bad_body_is_charged_to_its_source_and_the_others_are_read(reads: Reads, body: bytes, told: str) -> None:
    readings = reads([good(0), body, *[good(number) for number in range(2, 8)]])

    error = readings.pop(1).error
    assert isinstance(error, ParseError)
    assert told in error.cause
    assert [reading.error for reading in readings] == [None] * 7
    assert [reading.entries[0].title for reading in readings] == [f"Tide {number}" for number in (0, 2, 3, 4, 5, 6, 7)]


def test_a_fault_of_ours_comes_with_its_traceback_and_a_bad_document_without(reads: Reads) -> None:
    ours, theirs = reads([b"bug", b"no feed at all"])

    assert "KeyError" in ours.bug
    assert isinstance(theirs.error, ParseError)
    assert theirs.bug == ""


def test_no_worker_outlives_its_pool(reads: Reads) -> None:
    readings = reads([good(0)])

    assert readings[0].entries
    workers = Workers(1, timeout_s=3.0)
    workers.submit(job(b"hang", 1), 1)
    start = time.monotonic()
    workers.close()
    assert time.monotonic() - start < 30


def test_a_second_process_comes_when_bodies_pile_up_and_a_lost_one_is_replaced(
    reads: Reads, monkeypatch: pytest.MonkeyPatch
) -> None:
    pids = {reading.title for reading in reads([b"pid"] * 8)}
    assert len(pids) == 1
    monkeypatch.setattr(module, "PILED_UP", 4)
    monkeypatch.setattr(module, "STUCK_S", 60.0)
    pids |= {reading.title for reading in reads([b"pid slowly"] * 40)}
    assert len(pids) == 2

    for pid in pids:
        os.kill(int(pid), signal.SIGKILL)
    time.sleep(0.5)

    readings = reads([good(number) for number in range(20)])
    assert sum(reading.error is None for reading in readings) >= 16  # at most those that had been handed out
