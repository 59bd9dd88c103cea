"""kill -9 of every process, while an origin goes on publishing: nothing is lost, doubled or asked for without need."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
from contextlib import suppress

import feedparser
import psutil

from tests.e2e.desk import Desk, until
from tests.e2e.publisher import Publisher
from tests.fetch.origin import Origin

VICTIMS = ("ingest", "web", "ingest-worker", "ingest")
"""Which process is killed in each round; where there are several of a kind, chance takes one."""


def test_killing_each_process_loses_nothing_and_doubles_nothing(desk: Desk, origin: Origin) -> None:
    publishers = [Publisher(origin, f"/{name}.xml") for name in ("alpha", "beta", "gamma")]
    desk.write(
        sources=[
            {"name": publisher.path.strip("/"), "url": publisher.url, "section": "news/world", "interval_s": 1}
            for publisher in publishers
        ],
        desk={"publish": {"full_text": "full", "entries": 1000}, "title": "Test Wire"},
    )
    # `desk=` replaces whole keys only, so what the quick defaults gave stays.
    desk.start()
    dice = random.Random(20261123)
    ids: dict[str, str] = {}

    def titles() -> dict[str, str]:
        return {str(item["title"]): str(item["id"]) for item in desk.items("/news/world.json")}

    for round_number, kind in enumerate(VICTIMS):
        for publisher in publishers:
            publisher.publish(f"{publisher.path} round {round_number}")
        if round_number == 0:
            until(lambda: len(titles()) == len(publishers), what="the first articles")
        until(lambda: {"ingest", "web"} <= desk.children().keys(), what="children to kill")
        victims = [name for name in desk.children() if name == kind or name.startswith(f"{kind}-")]
        victim = dice.choice(victims or ["ingest"])
        try:
            desk.children()[victim].kill()
        except (psutil.NoSuchProcess, KeyError):
            continue
        wanted = (round_number + 1) * len(publishers)

        def all_here(wanted: int = wanted) -> bool:
            try:
                return len(titles()) == wanted
            except OSError:
                return False

        until(all_here, 60, f"{wanted} articles after {victim} was killed ({desk.log.read_text()[-2000:]})")
        now = titles()
        assert ids.items() <= now.items(), "an id changed"
        ids = now

    for suffix in ("rss", "atom"):
        entries = feedparser.parse(desk.get(f"/news/world.{suffix}").body).entries
        assert sorted(entry.id for entry in entries) == sorted(ids.values())
    for publisher in publishers:
        requests = origin.seen(publisher.path)
        unconditional = [seen for seen in requests if seen.header("if-none-match") is None]
        # Only what was in flight when its validators could not be known yet may be asked without them: the first.
        assert len(unconditional) <= 1, [seen.header("if-none-match") for seen in requests]


def test_killing_the_parent_frees_the_port_and_the_data(desk: Desk, origin: Origin) -> None:
    publisher = Publisher(origin)
    publisher.publish("Before")
    desk.write(sources=[{"name": "Tidings", "url": publisher.url, "section": "news/world", "interval_s": 1}])
    desk.start()
    until(lambda: desk.items("/news/world.json"), what="the first article")
    before = desk.items("/news/world.json")[0]["id"]
    family = desk.children()
    assert desk.process is not None
    desk.process.kill()
    desk.process.wait(60)
    psutil.wait_procs(list(family.values()), timeout=60)
    assert [name for name, process in family.items() if process.is_running()] == []
    publisher.publish("After")
    desk.start()
    until(lambda: len(desk.items("/news/world.json")) == 2, what="the second article")
    assert before in [item["id"] for item in desk.items("/news/world.json")]


def test_killing_parse_workers_and_whole_groups_charges_no_source_and_loses_no_document(
    desk: Desk, origin: Origin
) -> None:
    publisher = Publisher(origin)
    publisher.publish("Round none")
    (desk.config / "docs").mkdir()
    desk.write(
        sources=[
            {"name": "Tidings", "url": publisher.url, "section": "news/world", "interval_s": 1},
            {"name": "Letters", "files": "docs/*.txt", "section": "news/world"},
        ],
    )
    desk.start()
    until(lambda: desk.items("/news/world.json"), what="the first article")
    kills = 4
    for number in range(kills):
        publisher.publish(f"Round {number}")
        words = " ".join(f"word{number}x{each}" for each in range(40))
        (desk.config / "docs" / f"{number}.txt").write_text(f"Letter number {number}\n\n{words}.\n")
        ingest = desk.child("ingest")
        if number % 2:
            os.killpg(ingest.pid, signal.SIGKILL)
        else:
            with suppress(psutil.NoSuchProcess):  # ended by itself just now
                for worker in ingest.children():
                    worker.kill()
    wanted = 1 + 2 * kills

    def here() -> bool:
        try:
            return len(desk.items("/news/world.json")) == wanted
        except OSError:
            return False

    until(here, 90, f"{wanted} articles ({desk.log.read_text()[-2000:]})")
    with sqlite3.connect(desk.data / "desk.sqlite3") as database:
        charged = database.execute("SELECT error FROM polls WHERE error <> ''").fetchall()
    database.close()
    assert charged == []
