"""All processes of a desk are restarted one by one with a newer release, whose migration changes tables, under load."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.e2e.desk import ROOT, Desk, free_port, until
from tests.e2e.publisher import Publisher
from tests.e2e.test_halves import Half
from tests.e2e.test_many import CATCH_UP_S, Cluster, ask
from tests.fetch.origin import Origin
from tests.store import postgres

MIGRATION = """
import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "{before}"


def upgrade() -> None:
    op.add_column("sources", sa.Column("of_next", sa.BigInteger(), server_default=sa.text("7"), nullable=False))
    op.add_column("articles", sa.Column("of_next", sa.Text(), server_default=sa.text("'x'"), nullable=False))
    op.create_index("ix_articles_of_next", "articles", ["of_next"])
    op.create_table("of_next", sa.Column("id", sa.BigInteger(), primary_key=True))
    op.execute("UPDATE articles SET of_next = uid")
"""
PAUSE_S = 20.0


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """The release that comes next: this one with one migration more."""
    folder = tmp_path / "newer"
    shutil.copytree(ROOT / "feeds", folder / "feeds")  # with its bytecode, which holds for the copy
    versions = folder / "feeds" / "store" / "migrations" / "versions"
    last = max(versions.glob("r*.py")).stem[1:5]
    (versions / "r9999_next.py").write_text(MIGRATION.format(before=last))
    return folder


class Subscriber:
    """Asks for a document again and again, of the first of *ports* where somebody answers, as behind a balancer."""

    def __init__(self, ports: list[int]) -> None:
        self._ports, self._end = ports, threading.Event()
        self.statuses: list[int] = []
        self.items: list[int] = []
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Subscriber:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join(30)

    def _run(self) -> None:
        while not self._end.wait(0.1):
            self.statuses.append(self._ask())

    def _ask(self) -> int:
        for port in self._ports:
            with suppress(ConnectionRefusedError):
                answered = ask(port, "/news/world.json")
                self.items.append(len(json.loads(answered.body)["items"]) if answered.status == 200 else 0)
                return answered.status
        return 0


def test_a_rolling_upgrade_loses_nothing_and_subscribers_see_no_error(
    desk: Desk, origin: Origin, newer: Path, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    paper = Publisher(origin)
    paper.publish("Number 1")
    desk.write(
        sources=[
            {"name": "Tidings", "url": paper.url, "section": "news/world", "interval_s": 1},
            *({"name": f"Other {n}", "url": f"{paper.url}?{n}", "interval_s": 1} for n in range(2)),
        ]
    )
    release = {"PYTHONPATH": str(newer), "PYTHONSAFEPATH": "1"}
    with postgres.running() as url, ExitStack() as stack:
        cluster = Cluster(desk, url, tmp_path, stack)
        ports = [desk.port, free_port()]

        def start(name: str, **of: str) -> Half:
            return cluster.start("worker", name, **of)

        def serve(port: int, name: str, **of: str) -> Half:
            return cluster.start("web --workers 1", name, PORT=str(port), **of)

        workers = [start("a")]
        until(lambda: "published sections" in workers[0].said(), within_s=90, what="its first publication")
        cluster.has(*["Number 1"] * 3)
        workers.append(start("b"))
        until(lambda: "standing by" in workers[1].said(), within_s=90, what="the stand-by")
        webs = [serve(port, f"w{port}") for port in ports]
        until(lambda: all(answers(port) for port in ports), within_s=60, what="both web processes")
        with Subscriber(ports) as subscriber:
            numbers = stack.enter_context(Numbers(paper))
            # The stand-by first, for it takes over and upgrades; then who decided; who serves last.
            assert workers[1].end() == 0
            workers[1] = start("b2", **release)
            until(lambda: "standing by" in workers[1].said(), within_s=60, what="the new stand-by")
            assert workers[0].end() == 0
            until(lambda: "upgraded from" in workers[1].said(), within_s=60, what="the upgrade")
            workers[0] = start("a2", **release)
            until(lambda: "standing by" in workers[0].said(), within_s=60, what="the other stand-by")
            for number, port in enumerate(ports):
                assert webs[number].end() == 0
                webs[number] = serve(port, f"new{port}", **release)
                until(lambda port=port: answers(port), within_s=60, what="the new web process")  # type: ignore[misc]
            until(lambda: any("polled source=" in one.said() for one in workers), within_s=60, what="polls by the new")
            numbers.stop()
            titles = [f"Number {number}" for number in range(1, numbers.last + 1)]
            cluster.has(*titles * 3, within_s=90)
            until(lambda: subscriber.items[-1] == min(len(titles), 50), within_s=60, what="all of it published")
        assert set(subscriber.statuses) == {200}
        assert subscriber.items == sorted(subscriber.items)
        asked = sorted(seen.at for seen in origin.requests)
        pause_s = max(later - before for before, later in zip(asked, asked[1:], strict=False))
        record_property("measured", f"a rolling upgrade: polling paused for {pause_s:.1f} s at most")
        assert pause_s < PAUSE_S + CATCH_UP_S
        with cluster.store.unfenced() as connection:
            assert connection.execute(text("SELECT count(*) FROM articles WHERE of_next = uid")).scalar_one() >= 1
        assert not any("Traceback" in process.said() for process in [*workers, *webs])


class Numbers:
    """Publishes an article each half second until stopped."""

    def __init__(self, paper: Publisher) -> None:
        self._paper, self._end = paper, threading.Event()
        self.last = 1
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Numbers:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        self._end.set()
        self._thread.join(10)

    def _run(self) -> None:
        while not self._end.wait(0.5):
            self.last += 1
            self._paper.publish(f"Number {self.last}")


def answers(port: int) -> bool:
    with suppress(OSError):
        return ask(port, "/news/world.json").status == 200
    return False
