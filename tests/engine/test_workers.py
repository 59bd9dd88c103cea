"""Parse workers: what a body that hangs, bloats or breaks its reader costs, and whom."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

from feeds import files
from feeds.configuration import Source
from feeds.engine import workers as module
from feeds.engine.workers import Limits, Workers
from feeds.errors import ParseError, ParseUnfinished
from feeds.ingest.reading import Job, Reading, read
from tests.e2e.desk import until

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
LIMITS = Limits(cpu_s=2.0, wall_s=60.0, still_s=3.0, memory_bytes=1 << 30)
FEED = b"""<rss version="2.0"><channel><title>Harbour</title><item><title>Tide %d</title><guid>t%d</guid>
<description>The tide came in at nine and went out at three.</description></item></channel></rss>"""


def odd(job: Job) -> Reading:
    """What takes the place of `read` in the workers: it obeys the first word of the body."""
    word, _, more = job.body.partition(b" ")
    match word:
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
        case b"killed":
            os.kill(os.getpid(), signal.SIGKILL)
        case b"once":  # dies with the first that reads it, as by a hand from outside
            if not (mark := Path(os.fsdecode(more))).exists():
                mark.touch()
                os.kill(os.getpid(), signal.SIGKILL)
            return Reading(title="read")
        case b"environ":
            return Reading(notes=tuple(sorted(os.environ)))
        case b"pid":
            time.sleep(0.2 if b"slowly" in job.body else 0)
            return Reading(title=str(os.getpid()))
        case b"bug":
            raise KeyError("of our own")
        case b"unsendable":
            return Reading(title=lambda: None)  # type: ignore[arg-type]
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


@pytest.fixture(autouse=True)
def tables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    before = files.cache_folder()
    files.use_cache(tmp_path_factory.getbasetemp())  # what each worker would unpack for itself
    yield
    files.use_cache(before)


@pytest.fixture
def pool() -> Iterator[Workers]:
    workers = Workers(2, limits=LIMITS, read=odd)
    yield workers
    workers.close()


@pytest.fixture
def reads(pool: Workers) -> Reads:
    def give(bodies: list[bytes]) -> list[Reading]:
        for number, body in enumerate(bodies):
            pool.submit(job(body, number), number)
        assert pool.pending == len(bodies)
        found: dict[object, Reading] = {}
        end = time.monotonic() + 120
        while pool.pending and time.monotonic() < end:
            found.update(pool.done(0.2))
        assert sorted(found) == list(range(len(bodies)))  # type: ignore[type-var]
        return [found[number] for number in range(len(bodies))]

    return give


def good(number: int) -> bytes:
    return FEED % (number, number)


def workers_of_this_process() -> list[psutil.Process]:
    found = []
    for child in psutil.Process().children():
        with suppress(psutil.NoSuchProcess):  # as a zombie is, too
            if any("feeds.engine.workers" in word for word in child.cmdline()):
                found.append(child)
    return found


def kill(worker: psutil.Process) -> None:
    """Kill it and see it gone, without taking note of its end, which is for whoever started it."""
    worker.kill()
    end = time.monotonic() + 10
    while worker in workers_of_this_process():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"hang", "stood still for 3 seconds, and so did the one before"),
        (b"spin", "more than 2 seconds of CPU time, and so did the one before"),
        (b"bloat", "more than 1024 MiB of memory, and so did the one before"),
        (b"crash", "signal 11 (SIGSEGV), and so did the one before"),
        (b"end", "exit code 3, and so did the one before"),
        (b"killed", "was killed (signal 9), as a system does that is out of memory, and so did the one before"),
    ],
)
def test_one_bad_body_is_charged_with_the_true_reason_and_the_others_are_read(
    reads: Reads, body: bytes, told: str
) -> None:
    readings = reads([good(0), body, *[good(number) for number in range(2, 8)]])

    error = readings.pop(1).error
    assert isinstance(error, ParseUnfinished)
    assert told in error.cause
    assert [reading.error for reading in readings] == [None] * 7
    assert [reading.entries[0].title for reading in readings] == [f"Tide {number}" for number in (0, 2, 3, 4, 5, 6, 7)]


def test_a_body_whose_reader_is_killed_once_is_read_all_the_same(reads: Reads, tmp_path: Path) -> None:
    killed = [b"once " + os.fsencode(tmp_path / str(number)) for number in range(5)]
    readings = reads([*killed, *[good(number) for number in range(20)]])
    assert [reading.error for reading in readings] == [None] * 25
    assert [reading.title for reading in readings[:5]] == ["read"] * 5


def test_killing_workers_again_and_again_loses_no_body_and_charges_none(pool: Workers) -> None:
    for number in range(60):
        pool.submit(job(b"pid slowly" if number % 3 else good(number), number), number)
    found: dict[object, Reading] = {}
    kills = 0
    while pool.pending:
        found.update(pool.done(0.05))
        # So many apart that none of them is hit twice, which would be held against the body.
        if kills < 3 and len(found) >= 12 * (kills + 1) and (victims := workers_of_this_process()):
            victims[0].kill()
            kills += 1
    assert kills
    assert sorted(found) == list(range(60))  # type: ignore[type-var]
    assert {number: reading.error for number, reading in found.items() if reading.error} == {}


def test_workers_that_are_killed_as_they_start_or_rest_charge_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "START_AGAIN_S", (0.1,))
    pool = Workers(1, limits=LIMITS, read=odd)
    found: dict[object, Reading] = {}
    try:
        for number in range(10):
            pool.submit(job(good(number), number), number)
        for _ in range(8):  # long before it has imported anything
            while not (starting := workers_of_this_process()):
                found.update(pool.done(0.01))
            kill(starting[0])
        assert found == {}
        while pool.pending:
            found.update(pool.done(0.2))
        kill(workers_of_this_process()[0])
        pool.submit(job(good(10), 10), 10)
        while pool.pending:
            found.update(pool.done(0.2))
        assert [reading.error for reading in found.values()] == [None] * 11
    finally:
        pool.close()


def test_a_worker_that_is_stopped_is_replaced_and_its_body_read(pool: Workers) -> None:
    pool.submit(job(b"pid", 0), 0)
    while pool.pending:
        pool.done(0.2)
    stopped = workers_of_this_process()
    for worker in stopped:
        worker.suspend()
    for number in range(1, 6):
        pool.submit(job(good(number), number), number)
    found: dict[object, Reading] = {}
    while pool.pending:
        found.update(pool.done(0.2))
    assert [reading.error for reading in found.values()] == [None] * 5


def test_readers_that_get_little_of_a_core_read_all() -> None:
    """A busy loop of higher priority on their only core: a reading is late, which is nobody's fault."""
    core = f"import os; os.sched_setaffinity(0, {{{min(os.sched_getaffinity(0))}}})\n"
    loop = subprocess.Popen([sys.executable, "-c", f"{core}while True: pass"])
    script = (
        f"{core}"
        "from tests.engine.test_workers import Limits, Workers, good, job\n"
        "os.nice(10)\n"
        "pool = Workers(2, limits=Limits(cpu_s=5.0, still_s=3.0))\n"
        "for number in range(8): pool.submit(job(good(number), number), number)\n"
        "found = {}\n"
        "while pool.pending: found.update(pool.done(0.2))\n"
        "pool.close()\n"
        "print(sum(reading.error is None for reading in found.values()))\n"
    )
    try:
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=600, cwd=ROOT)
    finally:
        loop.kill()
        loop.wait()
    assert done.stdout == "8\n", done.stderr


def test_a_fault_of_ours_comes_with_its_traceback_and_a_bad_document_without(reads: Reads) -> None:
    ours, theirs, odd_one = reads([b"bug", b"no feed at all", b"unsendable"])

    assert "KeyError" in ours.bug
    assert "reading_to_bytes" in odd_one.bug
    assert isinstance(theirs.error, ParseError) and not isinstance(theirs.error, ParseUnfinished)
    assert theirs.bug == ""


def test_a_worker_is_told_no_secret_of_the_environment(reads: Reads, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = {"WIREDESK_ADMIN_TOKEN", "WIREDESK_DATABASE", "PAPERS_PASSWORD"}
    for name in secrets:
        monkeypatch.setenv(name, "hunter2")

    (reading,) = reads([b"environ"])

    assert "PATH" in reading.notes
    assert not secrets & set(reading.notes)


def test_no_worker_outlives_its_pool(reads: Reads) -> None:
    readings = reads([good(0)])

    assert readings[0].entries
    workers = Workers(1, limits=LIMITS, read=odd)
    workers.submit(job(b"hang", 1), 1)
    assert len(workers_of_this_process()) == 2
    workers.close()
    assert len(workers_of_this_process()) == 1  # that of the fixture


def test_a_second_process_comes_when_bodies_pile_up_and_one_that_has_read_enough_is_replaced(
    reads: Reads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STUCK_S", 60.0)
    pids = {reading.title for reading in reads([b"pid"] * 8)}
    assert len(pids) == 1
    monkeypatch.setattr(module, "PILED_UP", 4)
    pids |= {reading.title for reading in reads([b"pid slowly"] * 40)}
    assert len(pids) == 2
    monkeypatch.setattr(module, "TASKS_PER_PROCESS", 100)
    pids |= {reading.title for reading in reads([b"pid"] * 300)}
    assert len(pids) > 2


def test_processes_that_have_read_nothing_for_long_end_and_the_next_body_is_read_all_the_same(
    pool: Workers, reads: Reads, monkeypatch: pytest.MonkeyPatch
) -> None:
    [before] = reads([b"pid"])
    pool.rest()
    assert [str(worker.pid) for worker in workers_of_this_process()] == [before.title]
    monkeypatch.setattr(module, "IDLE_S", 0.0)
    pool.rest()
    until(lambda: not workers_of_this_process(), what="the end of the process")
    monkeypatch.undo()
    [after] = reads([b"pid"])
    assert after.title != before.title
