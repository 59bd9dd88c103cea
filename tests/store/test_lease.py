"""The lease of the desk: one holder at a time, by the database's clock, and nobody else writes."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from feeds.errors import LeaseLost, StoreError
from feeds.store import Store, open_store
from feeds.store.lease import Lease, holder

from . import postgres


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres.running() as url:
        open_store(url).close()
        yield url


@pytest.fixture
def stores(server: str) -> Iterator[tuple[Store, Store]]:
    with Store(server) as one, Store(server) as other:
        with one.unfenced() as connection:
            connection.execute(text("DELETE FROM leases"))
        yield one, other


def expire(store: Store) -> None:
    """Have fifteen seconds pass for the lease."""
    with store.unfenced() as connection:
        connection.execute(text("UPDATE leases SET until = 1"))


def test_one_holds_it_and_the_other_after_it_was_given_back(stores: tuple[Store, Store]) -> None:
    one, other = stores
    first, second = Lease(one), Lease(other)
    assert first.take()
    assert not second.take()
    found = holder(other)
    assert found is not None and found.owner == one.name and 10 < found.left_s <= 15
    first.give_back()
    assert second.take()
    found = holder(one)
    assert found is not None and (found.owner, found.epoch) == (other.name, 2)


def test_whoever_lost_it_writes_nothing(stores: tuple[Store, Store]) -> None:
    one, other = stores
    assert Lease(one).take()
    with one.write() as tx:
        tx.lock_dedupe()
    expire(other)
    assert Lease(other).take()
    for raised in (StoreError, LeaseLost):  # first its session, which was just used, is gone
        with pytest.raises(raised), one.write():
            raise AssertionError("it went on")


def test_an_owner_that_stands_still_inside_a_transaction_keeps_nobody_waiting(stores: tuple[Store, Store]) -> None:
    one, other = stores
    first = Lease(one)
    assert first.take()
    within, go_on, ended = threading.Event(), threading.Event(), []

    def stand_still() -> None:
        try:
            with one.write() as tx:
                tx.lock_dedupe()
                tx.documents.publication()
                within.set()
                go_on.wait(20)
                tx.configs.accept("{}", "digest", 0, brief="{}")  # type: ignore[arg-type]
        except Exception as error:  # noqa: BLE001
            ended.append(error)

    thread = threading.Thread(target=stand_still)
    thread.start()
    assert within.wait(10)
    expire(other)
    assert Lease(other).take()
    go_on.set()
    thread.join(10)
    assert len(ended) == 1
    with other.read() as tx:
        assert tx.configs.version() == 0


def test_a_renewal_passes_those_who_write(stores: tuple[Store, Store]) -> None:
    one, other = stores
    lease = Lease(one)
    assert lease.take()
    expire(other)
    lease._renew_at = 0
    with one.write() as tx:
        tx.lock_dedupe()
        assert lease.renew()
    assert not Lease(other).take()
    assert not lease.renew()  # not yet time


def test_before_any_table_there_is_a_lease() -> None:
    with postgres.running() as url, Store(url) as one, Store(url) as other:
        assert holder(one) is None
        assert Lease(one).take()
        assert not Lease(other).take()
        one.migrate()
        assert not other.pending()
