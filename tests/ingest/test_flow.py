"""What one turn of the flow takes in hand."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from feeds.configuration import Settings, Source
from feeds.filing import FilingRules
from feeds.ingest.desk import Desk
from feeds.ingest.flow import MOST_READING, Ingest
from feeds.ingest.reading import Job, Reading
from feeds.parsed import Answer, Request, Validators
from feeds.store import Store, open_store
from tests.databases import database

NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
SOURCES = MOST_READING * 2 + 10


class Fetcher:
    """Every answer is there at once, as from hosts nearby."""

    def __init__(self) -> None:
        self.ready: deque[Request] = deque()

    def submit(self, request: Request) -> None:
        self.ready.append(request)

    @property
    def in_flight(self) -> int:
        return len(self.ready)

    def outcomes(self, wait_s: float, most: int = 256) -> list[Answer]:
        taken = [self.ready.popleft() for _ in range(min(most, len(self.ready)))]
        return [
            Answer(
                request=request,
                status=200,
                final_url=request.url,
                headers=(),
                body=request.url.encode(),
                validators=Validators(),
                received_at=NOW,
            )
            for request in taken
        ]


class Readers:
    """They give nothing back before they are told to."""

    def __init__(self) -> None:
        self.held: deque[Any] = deque()
        self.give = 0
        self.most_held = 0

    @property
    def pending(self) -> int:
        return len(self.held)

    def submit(self, job: Job, tag: object) -> None:
        self.held.append(tag)
        self.most_held = max(self.most_held, len(self.held))

    def done(self, wait_s: float = 0.0, most: int = 256) -> list[tuple[object, Reading]]:
        return [(self.held.popleft(), Reading(kind="rss")) for _ in range(min(self.give, most, len(self.held)))]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(database(tmp_path / "desk.sqlite3")) as opened:
        yield opened


def test_bodies_wait_on_the_wire_while_many_are_read(store: Store, tmp_path: Path) -> None:
    sources = [
        Source(id=0, key=f"s{number}", name=f"S {number}", kind="feed", target=f"https://h{number}.example/feed")
        for number in range(SOURCES)
    ]
    with store.write() as tx:
        tx.sources.sync(sources, "full", NOW)
        claims = tx.sources.claim_named(None, NOW, lease_s=600)
    assert len(claims) == SOURCES
    fetcher, readers = Fetcher(), Readers()
    desk = Desk(version=1, folder=tmp_path, settings=Settings(), sections=(), secret={}, filing_rules=FilingRules(()))
    ingest = Ingest(store, fetcher, readers, desk, clock=lambda: NOW, random=lambda: 0.5)  # type: ignore[arg-type]
    ingest.begin(claims)
    for _ in range(5):
        ingest.run_once(0.0)
    assert readers.pending == MOST_READING
    assert fetcher.in_flight == SOURCES - MOST_READING
    readers.give = 7
    ended = 0
    while ingest.in_flight:
        ended += len(ingest.run_once(0.0).polls)
    assert ended == SOURCES
    assert readers.most_held == MOST_READING
