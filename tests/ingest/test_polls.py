"""What goes wrong between an answer and the save: nothing that arrived is lost, and nobody is charged for it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from feeds.configuration import Settings, Source
from feeds.errors import ParseUnfinished, StoreError
from feeds.filing import FilingRules
from feeds.ingest import flow, polls
from feeds.ingest.batches import AGAIN_AFTER, MOST_UNREAD, Batch, Saved
from feeds.ingest.bodies import LEASE_S
from feeds.ingest.desk import Desk
from feeds.ingest.flow import Ingest
from feeds.ingest.polls import Progress
from feeds.ingest.reading import Job, Reading, read
from feeds.parsed import Answer, Request
from feeds.store import Store, dialect, open_store
from feeds.store.values import InboxItem, PollResult
from tests.databases import database
from tests.ingest.test_flow import Fetcher

NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
FEED = """<rss version="2.0"><channel><title>%s</title><item><title>Tide of %s</title><guid>%s-1</guid>
<link>https://%s.example/1</link><description>%s</description></item>
</channel></rss>"""


class Feeds(Fetcher):
    """Every address answers with a feed of one entry, but one that it does not even take."""

    refuses = "nothing"
    edition = ""

    def submit(self, request: Request) -> None:
        if self.refuses in request.url:
            raise RuntimeError("a fault of ours")
        super().submit(request)

    def outcomes(self, wait_s: float, most: int = 256) -> list[Answer]:
        found = super().outcomes(wait_s, most)
        names = [answer.request.url.split("/")[2].split(".")[0] for answer in found]
        texts = [" ".join(f"{name}{number}{self.edition}" for number in range(40)) for name in names]
        return [
            replace(answer, body=(FEED % (name, name, name, name, text)).encode())
            for answer, name, text in zip(found, names, texts, strict=True)
        ]


class Here:
    """Reads in this process; `judge` may answer in the place of `read`."""

    def __init__(self) -> None:
        self.ready: list[tuple[object, Reading]] = []
        self.judge: Callable[[Job], Reading | None] = lambda job: None

    @property
    def pending(self) -> int:
        return len(self.ready)

    def submit(self, job: Job, tag: object) -> None:
        self.ready.append((tag, self.judge(job) or read(job)))

    def done(self, wait_s: float = 0.0, most: int = 256) -> list[tuple[object, Reading]]:
        given, self.ready = self.ready[:most], self.ready[most:]
        return given


class Bench:
    """An ingest flow over a real store, with a clock that is set by hand."""

    def __init__(self, folder: Path, store: Store) -> None:
        self.store = store
        self.now = NOW
        self.fetcher, self.readers = Feeds(), Here()
        desk = Desk(version=1, folder=folder, settings=Settings(), sections=(), secret={}, filing_rules=FilingRules(()))
        self.ingest = Ingest(
            store,
            self.fetcher,  # type: ignore[arg-type]
            self.readers,
            desk,
            clock=lambda: self.now,
            random=lambda: 0.5,
        )

    def begin(self, *sources: Source) -> None:
        with self.store.write() as tx:
            tx.sources.sync(sources, "full", self.now)
            claims = tx.sources.claim_named(None, self.now, lease_s=600)
        self.ingest.begin(claims)

    def to_its_end(self) -> Progress:
        came = Progress()
        while self.ingest.in_flight:
            progress = self.ingest.run_once(0.0)
            came.polls += progress.polls
            came.late += progress.late
            came.new += progress.new
        return came


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setattr(dialect, "BUSY_TIMEOUT_MS", 50)
    monkeypatch.setattr(flow, "PUT_OFF_LOOK_S", 0.0)
    with open_store(database(tmp_path / "desk.sqlite3")) as opened:
        yield Bench(tmp_path, opened)


def feed(name: str) -> Source:
    return Source(id=0, key=name, name=name.title(), kind="feed", target=f"https://{name}.example/feed")


def outcomes(polls: list[PollResult]) -> dict[str, tuple[str, int]]:
    return {poll.name: (poll.outcome, poll.state.failures) for poll in polls}


@pytest.mark.parametrize("turns_before", [0, 1, 2])
def test_a_store_that_refuses_for_a_while_costs_no_claim_no_body_and_no_request(
    bench: Bench, tmp_path: Path, turns_before: int
) -> None:
    bench.begin(*map(feed, ("alpha", "beta", "gamma")))
    asked = len(bench.fetcher.ready)
    came = Progress()
    for _ in range(turns_before):
        came.new += bench.ingest.run_once(0.0).new
    other = sqlite3.connect(tmp_path / "desk.sqlite3", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    if bench.ingest.in_flight:
        for _ in range(3):
            with pytest.raises(StoreError, match="locked"):
                bench.ingest.run_once(0.0)
    other.execute("ROLLBACK")
    other.close()
    came.new += bench.to_its_end().new
    assert (asked, came.new) == (3, 3)
    with bench.store.read() as tx:
        assert tx.inbox.count() == 0
        assert tx.sources.claimed(bench.now) == 0
        assert [state.last_outcome for _, state in tx.sources.all_states()] == ["new"] * 3


def test_what_can_not_be_saved_ends_one_poll_and_is_held_against_no_source(bench: Bench) -> None:
    def naive(job: Job) -> Reading | None:
        if "beta" not in job.url:
            return None
        reading = read(job)
        # What no reader may give: the store refuses times without a zone.
        odd = NOW.replace(tzinfo=None)
        return replace(reading, entries=tuple(replace(entry, published=odd) for entry in reading.entries))

    bench.readers.judge = naive
    bench.begin(*map(feed, ("alpha", "beta", "gamma")))
    came = bench.to_its_end()
    assert came.new == 2
    assert outcomes(came.polls) == {"Alpha": ("new", 0), "Beta": ("failed", 0), "Gamma": ("new", 0)}
    with bench.store.read() as tx:
        assert tx.sources.claimed(bench.now) == 0
        assert (tx.inbox.count(), tx.inbox.waiting(10)) == (1, []), "Beta's body is tried again later"


def test_a_source_that_can_not_even_be_asked_ends_alone(bench: Bench) -> None:
    bench.fetcher.refuses = "beta"
    bench.begin(*map(feed, ("alpha", "beta", "gamma")))
    came = bench.to_its_end()
    assert outcomes(came.polls) == {"Alpha": ("new", 0), "Beta": ("failed", 0), "Gamma": ("new", 0)}


def test_a_document_whose_reader_died_is_read_when_it_can_be(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    for name in ("one", "two"):
        (tmp_path / "docs" / f"{name}.txt").write_text(f"The tide of {name}\n\nIt came in at nine.\n")
    bench.now = datetime.now(UTC) + timedelta(seconds=10)
    died = Reading(error=ParseUnfinished("its reader was killed", remedy="it is tried again later"))
    bench.readers.judge = lambda job: died if "two" in job.name else None
    bench.begin(Source(id=0, key="docs", name="Docs", kind="files", target="docs/*.txt"))
    came = bench.to_its_end()
    assert [(late.document, late.new, late.error) for late in came.late] == [
        ("file:docs/one.txt", 1, ""),
        ("file:docs/two.txt", 0, "its reader was killed"),
    ]
    with bench.store.read() as tx:
        assert tx.inbox.count() == 1
        assert tx.inbox.waiting(10) == []
        assert len(tx.events.subjects("document")) == 1
        assert [poll.new for poll in tx.sources.polls(1, 5)] == [1]
    bench.ingest.take_put_off()
    assert bench.ingest.in_flight == 0
    for hours in (1, 3):
        bench.now += timedelta(hours=hours)
        if hours == 3:
            bench.readers.judge = lambda job: None
        bench.ingest.take_put_off()
        came = bench.to_its_end()
    assert [late.new for late in came.late] == [1]
    with bench.store.read() as tx:
        assert tx.inbox.count() == 0
        assert len(tx.events.subjects("document")) == 0


def test_a_document_that_is_never_read_is_given_up_in_the_end(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text("The tide\n\nIt came in at nine.\n")
    bench.now = datetime.now(UTC) + timedelta(seconds=10)
    bench.readers.judge = lambda job: Reading(error=ParseUnfinished("its reader was killed"))
    bench.begin(Source(id=0, key="docs", name="Docs", kind="files", target="*.txt"))
    bench.to_its_end()
    for _ in range(4):
        bench.now += timedelta(days=2)
        bench.ingest.take_put_off()
        assert len(bench.to_its_end().late) == 1
    with bench.store.read() as tx:
        assert tx.inbox.count() == 0
        assert len(tx.events.subjects("document")) == 1


def test_a_feed_whose_reader_died_is_read_when_it_can_be_and_overwrites_nothing_newer(bench: Bench) -> None:
    bench.readers.judge = lambda job: Reading(error=ParseUnfinished("its reader was killed"))
    bench.begin(feed("alpha"), feed("beta"))
    assert outcomes(bench.to_its_end().polls)["Alpha"] == ("failed", 1)
    bench.readers.judge = lambda job: None
    bench.fetcher.edition = "newer"
    with bench.store.write() as tx:
        claims = tx.sources.claim_named(["alpha"], bench.now, lease_s=600)
    bench.ingest.begin(claims)
    assert bench.to_its_end().new == 1
    bench.now += timedelta(minutes=31)
    bench.ingest.take_put_off()
    ended = bench.to_its_end()
    assert sorted((late.name, late.new, late.updated) for late in ended.late) == [("Alpha", 0, 0), ("Beta", 1, 0)]
    with bench.store.read() as tx:
        assert tx.inbox.count() == 0


@pytest.mark.parametrize("polled", [True, False])
def test_a_push_that_is_read_late_overwrites_nothing_newer_and_is_not_lost(bench: Bench, polled: bool) -> None:
    bench.begin(feed("alpha"))
    bench.to_its_end()
    bench.now += timedelta(minutes=10)
    text = " ".join(f"pushed{number}" for number in range(40))
    body = (FEED % ("alpha", "alpha", "alpha", "alpha", text)).encode()
    with bench.store.write() as tx:
        tx.inbox.put([InboxItem(source_id=1, received_at=bench.now, final_url="", body=body, pushed=True)])
    bench.readers.judge = lambda job: Reading(error=ParseUnfinished("its reader was killed"))
    bench.ingest.take_pushed()
    bench.to_its_end()
    bench.readers.judge = lambda job: None
    bench.fetcher.edition = "newer"
    if polled:
        bench.now += timedelta(minutes=10)
        with bench.store.write() as tx:
            claims = tx.sources.claim_named(["alpha"], bench.now, lease_s=600)
        bench.ingest.begin(claims)
        assert [poll.updated for poll in bench.to_its_end().polls] == [1]
    bench.now += timedelta(minutes=31)
    bench.ingest.take_put_off()
    assert [late.updated for late in bench.to_its_end().late] == [0 if polled else 1]


def test_a_feed_that_is_never_read_does_not_fill_the_inbox(bench: Bench) -> None:
    bench.readers.judge = lambda job: Reading(error=ParseUnfinished("its reader was killed"))
    bench.begin(feed("alpha"))
    bench.to_its_end()
    for _ in range(MOST_UNREAD + 3):
        bench.fetcher.edition += "x"
        with bench.store.write() as tx:
            claims = tx.sources.claim_named(None, bench.now, lease_s=600)
        bench.ingest.begin(claims)
        bench.to_its_end()
    with bench.store.read() as tx:
        assert tx.inbox.count() == MOST_UNREAD
    for _ in AGAIN_AFTER:
        bench.now += AGAIN_AFTER[-1]
        bench.ingest.take_put_off()
        bench.to_its_end()
    with bench.store.read() as tx:
        assert tx.inbox.count() == 0


def test_a_poll_that_takes_longer_than_its_lease_is_not_given_out_again(
    bench: Bench,
) -> None:
    bench.begin(feed("alpha"))
    held, bench.fetcher.ready = bench.fetcher.ready, type(bench.fetcher.ready)()
    bench.now += timedelta(seconds=599)
    bench.ingest._flight._held_at -= LEASE_S / 4
    bench.ingest.run_once(0.0)
    with bench.store.write() as tx:
        assert tx.sources.claim_due(bench.now + timedelta(seconds=300), lease_s=600, limit=10) == []
    bench.fetcher.ready = held
    assert outcomes(bench.to_its_end().polls) == {"Alpha": ("new", 0)}


def test_a_file_that_is_refused_is_an_open_event_for_as_long_as_it_is_there(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "one.txt").write_text("The tide\n\nIt came in at nine.\n")
    odd = tmp_path / "docs" / os.fsdecode(b"caf\xe9.txt")
    odd.write_text("Not UTF-8\n\nIn its name.\n")
    bench.now = datetime.now(UTC) + timedelta(seconds=10)
    docs = Source(id=0, key="docs", name="Docs", kind="files", target="docs/*.txt")
    bench.begin(docs)
    assert [(late.document, late.new) for late in bench.to_its_end().late] == [
        ("file:docs/caf\\udce9.txt", 0),
        ("file:docs/one.txt", 1),
    ]
    with bench.store.read() as tx:
        assert tx.events.subjects("document") == {"docs:file:docs/caf\\udce9.txt"}
    odd.rename(tmp_path / "docs" / "café.txt")
    bench.now = datetime.now(UTC) + timedelta(seconds=30)
    bench.begin(docs)
    assert [late.document for late in bench.to_its_end().late] == ["file:docs/café.txt"]
    with bench.store.read() as tx:
        assert tx.events.subjects("document") == set()


def test_what_arrives_is_in_the_inbox_before_much_else_is_saved(bench: Bench) -> None:
    """A save of many bodies is cut into short ones, and what has arrived meanwhile is kept between them."""
    saved: list[int] = []
    save = bench.ingest._saving.save

    def counted(batch: Batch, desk: Desk, now: datetime) -> Saved:
        saved.append(sum(len(reading.entries) for _, reading in batch.read))
        with bench.store.read() as tx:
            assert tx.inbox.count() >= len(bench.ingest._unsaved.read)
        return save(batch, desk, now)

    bench.ingest._saving.save = counted  # type: ignore[method-assign]
    bench.readers.judge = lambda job: replace(read(job), entries=read(job).entries * 100)
    bench.begin(*(feed(f"feed{number}") for number in range(12)))
    with bench.store.read() as tx:
        assert tx.sources.claimed(bench.now) == 12
    bench.to_its_end()
    assert max(saved) <= polls.MOST_ENTRIES_SAVED
    assert sum(saved) == 1200
