"""One desk on one PostgreSQL, by several workers that share nothing else: started at once, stopped, upgraded."""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import text

from feeds.settings import config_from_json
from feeds.store import Store
from tests.e2e.desk import Desk, until
from tests.e2e.publisher import Publisher
from tests.e2e.test_halves import Half
from tests.fetch.origin import Origin
from tests.store import postgres

CATCH_UP_S = 20.0
"""What a busy machine may add to the twenty seconds after which another process decides."""


@pytest.fixture
def database() -> Iterator[str]:
    with postgres.running() as url:
        yield url


@pytest.fixture
def cluster(desk: Desk, database: str, tmp_path: Path) -> Iterator[Cluster]:
    with ExitStack() as stack:
        yield Cluster(desk, database, tmp_path, stack)


class Cluster:
    """Workers of one desk, each on a data folder of its own."""

    def __init__(self, desk: Desk, url: str, folder: Path, stack: ExitStack) -> None:
        self.store = stack.enter_context(Store(url))
        self._desk, self.url, self._folder, self._stack = desk, url, folder, stack

    def worker(self, name: str, of: Desk | None = None, **environ: str) -> Half:
        data = {"WIREDESK_DATABASE": self.url, "WIREDESK_DATA": str(self._folder / name)} | environ
        half = Half(of or self._desk, name, "worker", **data)
        self._stack.callback(half.process.wait, 20)
        self._stack.callback(half.process.kill)
        return half

    def titles(self) -> list[str]:
        with self.store.read() as tx:
            return sorted(tx._connection.execute(text("SELECT title FROM entries")).scalars())

    def accepted(self) -> tuple[int, set[str], list[str]]:
        """The version of the config in force, the keys of its sources, and the nodes whose files say otherwise."""
        with self.store.read() as tx:
            stored = tx.configs.current()
            assert stored is not None
            keys = {source.key for source in config_from_json(stored.text).sources}
            polled = set(tx._connection.execute(text("SELECT key FROM sources WHERE removed_at IS NULL")).scalars())
            assert polled == keys
            return stored.version, keys, sorted(tx.events.subjects("files"))


def leads(half: Half) -> bool:
    return "polled source=" in half.said()


def test_three_workers_at_once_make_one_desk_of_an_empty_database(desk: Desk, origin: Origin, cluster: Cluster) -> None:
    publisher = Publisher(origin)
    publisher.publish("One")
    desk.write(sources=[{"name": "Tidings", "url": publisher.url, "section": "news/world", "interval_s": 1}])
    workers = [cluster.worker(name) for name in "abc"]
    until(lambda: any(map(leads, workers)), within_s=90, what="a poll")
    until(lambda: sum("standing by" in worker.said() for worker in workers) == 2, within_s=90, what="two that stand by")
    assert cluster.titles() == ["One"]
    assert [worker.process.poll() for worker in workers] == [None] * 3


def test_a_leader_that_stands_still_is_replaced_and_writes_nothing_when_it_goes_on(
    desk: Desk, origin: Origin, cluster: Cluster
) -> None:
    publisher = Publisher(origin)
    publisher.publish("One")
    desk.write(sources=[{"name": "Tidings", "url": publisher.url, "section": "news/world", "interval_s": 1}])
    first = cluster.worker("a")
    until(lambda: leads(first), within_s=90, what="a poll")
    second = cluster.worker("b")
    until(lambda: "standing by" in second.said(), within_s=90, what="the stand-by")
    first.process.send_signal(signal.SIGSTOP)
    stopped = time.monotonic()
    publisher.publish("Two")
    until(lambda: cluster.titles() == ["One", "Two"], within_s=60, what="the stand-by's article")
    assert time.monotonic() - stopped < 20 + CATCH_UP_S
    first.process.send_signal(signal.SIGCONT)
    until(lambda: first.process.poll() is not None, within_s=60, what="the end of the first")
    assert "another process decides" in first.said()
    publisher.publish("Three")
    until(lambda: len(cluster.titles()) == 3, within_s=60, what="the next article")
    assert cluster.titles() == ["One", "Three", "Two"]


def test_a_stand_by_with_older_files_changes_nothing_says_so_and_apply_is_followed(
    desk: Desk, origin: Origin, cluster: Cluster, tmp_path: Path
) -> None:
    publisher = Publisher(origin)
    publisher.publish("One")
    tidings = {"name": "Tidings", "url": publisher.url, "section": "news/world", "interval_s": 1}
    letters = {"name": "Letters", "url": f"{publisher.url}?letters", "section": "news/world", "enabled": False}
    desk.write(sources=[tidings, letters])
    first = cluster.worker("a")
    until(lambda: leads(first), within_s=90, what="a poll")
    older = Desk(tmp_path / "older")
    older.write(sources=[tidings], desk={"base_url": desk.base_url})
    second = cluster.worker("b", of=older)
    until(lambda: "1 source fewer (Letters)" in second.said(), within_s=90, what="what differs")
    assert "config: the files at" not in first.said()
    first.process.kill()
    publisher.publish("Two")
    until(lambda: cluster.titles() == ["One", "Two"], within_s=90, what="the stand-by's article")
    assert cluster.accepted() == (1, {"Letters", "Tidings"}, [f"{socket.gethostname()}:{older.config}"])
    said = older.command("apply", WIREDESK_DATABASE=cluster.url)
    assert (said.returncode, "source Letters goes" in said.stdout) == (0, True), said.stderr
    until(lambda: "config version=2 is live" in second.said(), within_s=60, what="the applied config")
    assert cluster.accepted() == (2, {"Tidings"}, [])


def test_a_leader_lets_go_of_a_database_that_was_upgraded(desk: Desk, origin: Origin, cluster: Cluster) -> None:
    publisher = Publisher(origin)
    desk.write(sources=[{"name": "Tidings", "url": publisher.url, "section": "news/world", "interval_s": 1}])
    worker = cluster.worker("a")
    until(lambda: leads(worker), within_s=90, what="a poll")
    with cluster.store.write() as tx:
        tx._connection.execute(text("UPDATE wiredesk_version SET version_num = '9999'"))
    until(lambda: worker.process.poll() is not None, what="its end")
    assert "newer release" in worker.said()
    with cluster.store.read() as tx:
        assert tx._connection.execute(text("SELECT owner FROM leases")).scalar_one() == ""
