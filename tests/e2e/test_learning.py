"""The learned classifier in a running desk: taken over when it is new, done without when it is broken."""

from __future__ import annotations

import json
import os
import random
import subprocess
import threading
from datetime import UTC, datetime
from pathlib import Path

from apscheduler.triggers.cron import CronTrigger

from feeds.cli.common import places
from feeds.engine.classifier import learn
from feeds.engine.config_in_force import accept
from feeds.engine.upkeep import learning_at
from feeds.store import Store, open_store
from tests.e2e.desk import Desk, until
from tests.e2e.publisher import Publisher
from tests.fetch.origin import Origin

SEA = "tide ferry harbour anchor gull pier storm net trawler buoy lantern deck sail crew rope wharf".split()
COURT = (
    "judge verdict trial witness jury lawyer appeal bench sentence charge evidence plea clerk oath court bail".split()
)
SECTIONS = {
    "sea": {"title": "Sea", "learned": {"precision": 0.8}},
    "court": {"title": "Court", "learned": {"precision": 0.8}},
    "fog": {"title": "Fog", "match": {"any": [{"keywords": ["fog"]}]}},
}


def now() -> datetime:
    return datetime.now(UTC)


class Wire:
    """A desk with a source a section, and one of everything whose articles nobody files."""

    def __init__(self, desk: Desk, origin: Origin) -> None:
        self.desk = desk
        self._dice = random.Random(7)
        self._count = 0
        self.sea, self.court, self.mixed = (Publisher(origin, f"/{name}.xml") for name in ("sea", "court", "mixed"))
        for _ in range(14):
            self.publish(self.sea, SEA)
            self.publish(self.court, COURT)
        sources = [
            {"name": "Sea wire", "url": self.sea.url, "section": "sea", "interval_s": 3600},
            {"name": "Court wire", "url": self.court.url, "section": "court", "interval_s": 3600},
            {"name": "Mixed", "url": self.mixed.url, "interval_s": 3600},
        ]
        desk.write(sections=SECTIONS, sources=sources, desk={"learn_at": "never"})

    def publish(self, by: Publisher, words: list[str]) -> str:
        """Publish an article made of *words*, and of some that stand in no other; its title."""
        self._count += 1
        own = [f"{word}{self._count}" for word in ("name", "place", "hour", "sum", "view", "note", "mark", "cause")]
        said = self._dice.sample(words, 8) + own
        self._dice.shuffle(said)
        title = f"{said[0]} {self._count} {self._dice.choice(words)}".capitalize()
        by.publish(title, " ".join([*said, *self._dice.sample(words, 8)]))
        return title

    def titles(self, path: str) -> list[object]:
        return [item["title"] for item in self.desk.items(f"/{path}.json")]

    def poll(self, title: str, path: str) -> None:
        """Have what was published polled, and wait until *title* stands in the section *path*."""
        assert self.desk.command("poll", "Mixed").returncode == 0
        until(lambda: title in self.titles(path), what=f"{title} in {path}")

    def alarms(self) -> dict[str, str]:
        """The open events by kind."""
        with open_store(places(str(self.desk.config), str(self.desk.data)).database) as store, store.read() as tx:
            return {event.kind: f"{event.text}; {event.remedy}" for event in tx.events.open()}


def learn_beside(desk: Desk, **environ: str) -> bool:
    """What the clock of the ingest process does at its hour."""
    found = places(str(desk.config), str(desk.data))
    told = os.environ | found.environ() | {"PYTHONPATH": str(Path(__file__).parents[2])} | environ
    with open_store(found.database) as store:
        return learn(store, told, threading.Event(), now=now())


def test_a_running_desk_takes_a_model_over_and_files_by_it_what_comes(desk: Desk, origin: Origin) -> None:
    wire = Wire(desk, origin)
    early = wire.publish(wire.mixed, SEA)
    desk.start()
    until(lambda: early in wire.titles("unfiled"), what="the first articles")
    until(lambda: "model" in wire.alarms(), what="telling that there is no model")
    assert "no model is there yet; run `wiredesk learn`" in wire.alarms()["model"]
    assert b"no model is there yet" in desk.get("/status").body
    assert "no model is there yet" in desk.command("doctor", "--offline").stdout
    before = {path: desk.items(f"/{path}.json") for path in ("sea", "court", "unfiled", "index")}

    # Learned beside the running desk, taken over without a restart; nothing that is stored moves.
    assert learn_beside(desk)
    until(lambda: "model" not in wire.alarms(), what="taking the model over")
    assert "a model learned" in desk.command("doctor", "--offline").stdout
    assert {path: desk.items(f"/{path}.json") for path in before} == before
    assert early in wire.titles("unfiled")

    late, fog = wire.publish(wire.mixed, SEA), wire.publish(wire.mixed, ["fog", *COURT[:8]])
    wire.poll(late, "sea")
    assert late not in wire.titles("court") + wire.titles("unfiled")
    # What a rule files is not the classifier's to say.
    assert fog in wire.titles("fog") and fog not in wire.titles("court")
    item = next(item for item in desk.items("/sea.json") if item["title"] == late)
    explained = desk.command("explain", str(item["id"])).stdout
    assert "learned, probability 0.9" in explained or "learned, probability 1.0" in explained

    # A changed config files what is stored again, by the model too: at its place, not on top.
    whole = wire.titles("index")
    edited = SECTIONS | {"fog": {"title": "Fog", "match": {"any": [{"keywords": ["fog", "haze"]}]}}}
    planned = json.loads(edit(desk, edited, "plan", "--json").stdout)
    assert {one["path"]: (one["enters"], one["leaves"]) for one in planned["sections"]} == {
        "sea": (1, 0),
        "unfiled": (0, 1),
    }
    desk.write(sections=edited)
    until(lambda: early in wire.titles("sea"), what="filing again")
    assert wire.titles("index") == whole
    for path in ("/sea.json", "/index.json"):
        dates = [str(item["date_published"]) for item in desk.items(path)]
        assert dates == sorted(dates, reverse=True)

    # A model that can't be used is told and done without; what it filed stays, even when all is filed again.
    with open_store(places(str(desk.config), str(desk.data)).database) as store, store.write() as tx:
        tx.models.put(b"PK\x03\x04 of another time", now())
    until(lambda: "model" in wire.alarms(), what="telling of the broken model")
    assert "the learned model can't be read" in wire.alarms()["model"]
    assert "the learned model can't be read" in desk.command("doctor", "--offline").stdout
    after = wire.publish(wire.mixed, SEA)
    wire.poll(after, "unfiled")
    desk.write(sections=SECTIONS)
    until(lambda: "refile" not in wire.alarms() and "filed again" in desk.log.read_text(), what="filing again")
    assert {early, late} <= set(wire.titles("sea"))
    assert after in wire.titles("unfiled")

    # Learned by hand, and asked about what is stored as well.
    tried = desk.command("learn", "--dry-run", "--json")
    assert {one["section"] for one in json.loads(tried.stdout)["sections"]} >= {"sea"}, tried.stderr
    learned = desk.command("learn", "--refile")
    assert learned.returncode == 0, learned.stderr
    until(lambda: after in wire.titles("sea"), what="filing again by the new model")
    assert [title for title in wire.titles("index") if title != after] == whole[:49]


def edit(desk: Desk, sections: object, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a *command* on an edited copy of the config files."""
    aside = desk.config.with_name("edited")
    aside.mkdir()
    for file in desk.config.glob("[a-z]*.yaml"):
        (aside / file.name).write_bytes(file.read_bytes())
    running, desk.config = desk.config, aside
    desk.write(sections=sections)
    done = desk.command(*command)
    desk.config = running
    return done


def test_a_desk_that_cannot_learn_says_so(desk: Desk, origin: Origin, tmp_path: Path) -> None:
    Wire(desk, origin)
    assert desk.command("poll").returncode == 0
    without = tmp_path / "without"
    without.mkdir()
    (without / "sklearn.py").write_text("raise ImportError")
    assert not learn_beside(desk, PYTHONPATH=f"{without}{os.pathsep}{Path(__file__).parents[2]}")
    with open_store(places(str(desk.config), str(desk.data)).database) as store:
        with store.read() as tx:
            [told] = [event for event in tx.events.open() if event.kind == "learning"]
            assert tx.models.body() is None
        assert "could not learn: learning needs scikit-learn; `bin/install learn` brings it" in told.text
        assert learn_beside(desk)
        with store.read() as tx:
            assert not [event for event in tx.events.open() if event.kind == "learning"]
            assert tx.models.body() is not None


def trigger(store: Store, desk: Desk) -> CronTrigger | None:
    """When a desk of this config learns."""
    return learning_at(accept(store, desk.config, {}, now=now()).desk)


def test_the_clock_learns_at_its_hour_where_a_section_is_to_learn(desk: Desk) -> None:
    asked = datetime(2026, 7, 1, 12, tzinfo=UTC)
    with open_store(places(str(desk.config), str(desk.data)).database) as store:
        store.migrate()
        assert trigger(store, desk) is None  # no section is set to learn
        desk.write(sections=SECTIONS, desk={"timezone": "Asia/Tokyo"})
        usual = trigger(store, desk)
        assert usual and usual.get_next_fire_time(None, asked) == datetime(2026, 7, 1, 18, 30, tzinfo=UTC)
        desk.write(desk={"learn_at": "4:05"})
        early = trigger(store, desk)
        assert early and early.get_next_fire_time(None, asked) == datetime(2026, 7, 2, 4, 5, tzinfo=UTC)
        desk.write(desk={"learn_at": "never"})
        assert trigger(store, desk) is None
