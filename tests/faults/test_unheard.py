"""A commit that stands, though nobody heard so: what is written again takes the place of what was written before."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from feeds.cli import wiredesk
from feeds.errors import StoreError
from feeds.ingest.polls import Claims
from feeds.store import open_store
from tests.faults.injecting import Faults
from tests.faults.stand import Stand, standing


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[Stand]:
    """A desk that has not polled yet; what is done in `on` counts."""
    with standing(tmp_path, Faults(tmp_path)) as made:
        yield made


def failing(stand: Stand, kind: str, do: object) -> None:
    stand.faults.plan(kind, 1)
    with stand.faults.on(), pytest.raises(StoreError):
        do()  # type: ignore[operator]


def test_what_was_claimed_unheard_is_claimed_again_at_once(stand: Stand) -> None:
    ingest = stand.process._ingest
    failing(stand, "commit unheard", lambda: ingest.take_due(10))
    assert ingest.in_flight == 0
    assert ingest.take_due(10) == 4


def test_what_was_claimed_by_name_unheard_is_claimed_again_or_given_back(stand: Stand) -> None:
    claims = Claims(stand.store, stand.clock)
    failing(stand, "commit unheard", lambda: claims.named(None))
    taken, held = claims.named(None)
    assert (len(taken), held) == (4, [])
    claims.give_back(taken)
    failing(stand, "commit unheard", lambda: claims.named(None))
    claims.give_back()
    assert len(claims.due(10)) == 4


def test_polling_once_leaves_no_claim_wherever_it_is_broken_off(tmp_path: Path) -> None:
    config, data = tmp_path / "config", tmp_path / "data"
    config.mkdir()
    (config / "sections.yaml").write_text("news: {title: News}\n")
    (config / "sources.yaml").write_text("- {name: Tidings, url: http://127.0.0.1:9/feed.xml}\n")
    (config / "wiredesk.yaml").write_text("fetch: {allow_private: [127.0.0.0/8]}\n")
    faults, at, struck = Faults(tmp_path), 0, 1
    command = ["poll", "--now", "--config", str(config), "--data", str(data)]
    with faults.in_place():
        while struck:
            at += 1
            faults.plan("commit unheard", at)
            with faults.on():
                CliRunner().invoke(wiredesk, command)
            struck = faults.struck
            with open_store(f"sqlite:///{data}/desk.sqlite3") as store, store.read() as tx:
                assert tx.sources.claimed(datetime.now(UTC)) == 0, at
    assert at > 4


def test_a_body_kept_unheard_is_in_the_inbox_once(stand: Stand) -> None:
    ingest = stand.process._ingest
    stand.publish()
    ingest.take_due(10)
    while not ingest._intake.arrived:
        ingest._take_in(stand.process._fetcher.outcomes(0.2, 10))
    failing(stand, "commit unheard", lambda: ingest._intake.keep(ingest.desk))
    ingest._intake.keep(ingest.desk)
    with stand.store.read() as tx:
        assert tx.inbox.count() == len(ingest._intake._unread) > 0


def test_files_kept_unheard_are_in_the_inbox_once(stand: Stand) -> None:
    ingest = stand.process._ingest
    stand.publish()
    ingest.take_due(10)
    for _ in range(2):
        failing(stand, "commit unheard", lambda: ingest.run_once(0.0))
    while ingest.in_flight:
        ingest.run_once(0.1)
    with stand.store.read() as tx:
        assert tx.inbox.count() == 0


def test_a_kill_between_a_listing_and_its_pages_loses_no_page(stand: Stand) -> None:
    stand.publish()
    stand.process._ingest.take_due(10)
    while not len(stand.process._ingest._pages):
        stand.process._ingest.run_once(0.1)
    stand.restart()
    for _ in range(3):
        stand.step()
    assert stand.books.now["Page 1"] == 1
    # A feed whose answer was on its way at the kill is asked whole again; the listing, which had arrived, is not.
    assert not [path for path in stand.books.unconditional if path.startswith("/list/")]


def test_a_store_that_fails_between_arrival_and_reading_leaves_nothing_in_flight(stand: Stand) -> None:
    ingest = stand.process._ingest
    stand.publish()
    ingest.take_due(10)
    while not ingest._intake.arrived:
        ingest._take_in(stand.process._fetcher.outcomes(0.2, 10))
    ingest._intake.keep(ingest.desk)
    failing(stand, "read", lambda: ingest._intake.hand_over(ingest.desk.settings))
    while ingest.in_flight:
        ingest.run_once(0.1)
    with stand.store.read() as tx:
        assert tx.articles.count() > 0
