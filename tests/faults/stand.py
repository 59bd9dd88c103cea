"""A desk in one process, step by step, between origins and a reader who keep books.

The ingest process of a running desk is here with its parts, but for the threads: `step` does in order what its loop and
its jobs do by the clock. What an origin showed whole has to be with the readers, once, under one id, for good.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from feeds.engine import clock as engine
from feeds.engine import roles
from feeds.engine.clock import IngestProcess
from feeds.engine.config_in_force import accept
from feeds.errors import ParseError, ParseUnfinished, StoreError
from feeds.ingest import flow
from feeds.ingest.reading import Job, Reading, read
from feeds.serve.app import answers_of, create_app
from feeds.store import Store, open_store
from feeds.store.hubs import HubRequest
from tests.databases import database
from tests.e2e.publisher import Publisher
from tests.faults.injecting import Faults
from tests.fetch.origin import Exchange, Gone, Origin, answer
from tests.serve.wsgi import ask

STEP = timedelta(seconds=20)
LOOKED_AT = ("/all.rss", "/all.atom", "/all.json", "/all", "/", "/status", "/healthz")
BASE = "https://wire.example.org"
INTERVAL_S = 15
MOST_TURNS = 60
"""Turns of the loop in one step, in which all that is in flight has long ended."""

WINDOW = 2
"""Entries that a feed shows: what rolls out of it is never shown again."""

TEXT = (
    "The council of {place} voted on Tuesday to replace the iron footbridge over the harbour mouth, which has been "
    "closed since a barge struck it in week {number}. The new crossing, drawn by {place}'s own yard, will carry "
    "bicycles as well, cost {number} million, and open before winter if the steel of {place} arrives on time."
)
PAGE = (
    "<!doctype html><html lang=en><head><title>{title}</title><meta property='article:published_time' "
    "content='2026-11-20T08:{number:02}:00Z'></head><body><article><h1>{title}</h1><p>{text}</p></article></body></html>"
)


class Steady:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        # Files bear the time of the system; they have to be quiet for a while.
        self.now = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)

    def __call__(self) -> datetime:
        return self.now


class InThisProcess:
    """Reads bodies here, at once; by the plan as a worker that died, or that met a fault of ours."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._done: deque[tuple[Any, Reading]] = deque()

    @property
    def pending(self) -> int:
        return len(self._done)

    def submit(self, job: Job, tag: object) -> None:
        if self._faults.strikes("worker"):
            said = Reading(error=ParseUnfinished("the document could not be read: its reader was killed"))
        elif self._faults.strikes("worker bug"):
            said = Reading(error=ParseError("a fault of the desk's own"), bug="Traceback: made to happen")
        else:
            said = read(job)
        self._done.append((tag, said))

    def done(self, wait_s: float = 0.0, most: int = 256) -> list[tuple[Any, Reading]]:
        return [self._done.popleft() for _ in range(min(most, len(self._done)))]

    def close(self) -> None:
        pass


@dataclass
class Books:
    """What was shown and what was seen."""

    shown: dict[str, float] = field(default_factory=dict)
    """Titles that an origin gave whole, with the step."""
    ids: dict[str, set[str]] = field(default_factory=dict)
    """The ids under which a title was ever seen."""
    now: Counter[str] = field(default_factory=Counter)
    """How often each stands in the section now."""
    told: set[str] = field(default_factory=set)
    """Titles that the hub's subscriber was told."""
    twins: dict[str, str] = field(default_factory=dict)
    """Titles that stand for the same article as another: whichever came first is shown."""
    unconditional: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    bugs: list[str] = field(default_factory=list)

    def saw(self, items: list[dict[str, Any]]) -> None:
        """Take in what the section holds now."""
        self.now = Counter(self._article(str(item["title"])) for item in items)
        for item in items:
            self.ids.setdefault(self._article(str(item["title"])), set()).add(str(item["id"]))

    def _article(self, title: str) -> str:
        return self.twins.get(title, title)

    @property
    def lost(self) -> set[str]:
        return {article for title in self.shown if not self.now.get(article := self._article(title))}

    @property
    def untold(self) -> set[str]:
        return set(self.now) - {self._article(title) for title in self.told}

    @property
    def doubled(self) -> set[str]:
        return {article for article, times in self.now.items() if times > 1}

    @property
    def changed(self) -> set[str]:
        return {article for article, ids in self.ids.items() if len(ids) > 1}

    @property
    def complete(self) -> bool:
        """Whether everything shown is with the readers and the subscriber."""
        return not self.lost and not self.untold


class Stand:
    """The desk below *folder*: two feeds, of which one copies the other, a page, a folder, a subscriber.

    *faults* says what fails. Close it.
    """

    def __init__(self, folder: Path, faults: Faults, clock: Steady) -> None:
        self.folder, self.faults, self.clock = folder, faults, clock
        self.books = Books()
        self.steps = self.round = self.restarts = 0
        self.origin = Origin()
        self.origin.__enter__()
        self.publishers = {name: Publisher(self.origin, f"/{name}.xml", window=WINDOW) for name in ("alpha", "beta")}
        for publisher in self.publishers.values():
            self.origin.add(publisher.path, self._feed(publisher))
        self._listed: list[str] = []
        self.origin.add("/list/", self._listing)
        self.origin.add("/hear", self._hear)
        self._whole: dict[str, str] = {}
        self.config, self.data = folder / "config", folder / "data"
        self._write_config()
        self.data.mkdir()
        self.url = database(self.data / "desk.sqlite3")
        self._begin()
        self.web = create_app(self.url)
        answers_of(self.web)._look_every_s = 0.0
        self._subscribed = False

    def close(self) -> None:
        """Stop the desk in order, and the origins."""
        answers_of(self.web).close()
        self._end()
        self.origin.__exit__(None, None, None)

    # ------------------------------------------------------------------ the world outside

    def publish(self) -> None:
        """Let every origin show something new: an article each, and a near copy of one in the other."""
        self.round += 1
        number, place = self.round, f"Ellan{self.round}"
        alpha, beta = self.publishers["alpha"], self.publishers["beta"]
        text = TEXT.format(place=place, number=number)
        alpha.publish(f"Footbridge {number}", text)
        beta.publish(f"Copied footbridge {number}", f"{text} So our reporter heard.")
        self.books.twins[f"Copied footbridge {number}"] = f"Footbridge {number}"
        beta.publish(f"Ferry {number}")
        title = f"Page {number}"
        words = " ".join(f"{word}{number}" for word in "lantern tide storm chapel market".split()) + "."
        body = PAGE.format(title=title, number=number, text=" ".join([words] * 12)).encode()
        path = f"/news/the-lantern-and-the-tide-{number}"
        self.origin.add(path, self._page(path, body, title))
        self._listed.insert(0, path)
        letter = self.config / "letters" / f"letter-{number}.txt"
        said = " ".join(f"{word}{number}" for word in "oven loaf baker flour yeast".split())
        letter.write_text(f"Letter {number}\n\nThe bakers write: {said}.\n")
        os.utime(letter, (0, self.clock.now.timestamp() - 3600))
        self.books.shown[f"Letter {number}"] = self.steps

    def _give(self, exchange: Exchange, status: int, body: bytes, titles: list[str], etag: str, kind: str) -> None:
        path = exchange.seen.path
        if self.faults.strikes("transfer reset"):
            exchange.reset()
            raise Gone
        if self.faults.strikes("transfer refused"):
            exchange.answer(500, b"no")
            return
        asked = exchange.seen.header("if-none-match")
        if asked is None and path in self._whole:
            self.books.unconditional.append(path)
        if asked == etag:
            exchange.answer(304, ETag=etag)
            return
        said = answer(status, body, ETag=etag, Content_Type=kind)
        if self.faults.strikes("transfer cut"):
            exchange.send(said[: -len(body) // 2])
            raise Gone
        exchange.send(said)
        exchange.keep_open = True
        self._whole[path] = etag
        for title in titles:
            self.books.shown.setdefault(title, self.steps)

    def _feed(self, publisher: Publisher) -> Any:
        def give(exchange: Exchange) -> None:
            titles = [title for _, title, _ in publisher._items[-WINDOW:]]
            self._give(exchange, 200, publisher.body(), titles, publisher.etag, "application/rss+xml")

        return give

    def _page(self, path: str, body: bytes, title: str) -> Any:
        # Pages are asked once, with nothing to compare.
        def give(exchange: Exchange) -> None:
            self._whole.pop(path, None)
            self._give(exchange, 200, body, [title], f'"{title}"', "text/html")

        return give

    def _listing(self, exchange: Exchange) -> None:
        links = "".join(f"<h2><a href='{path}'>Of the lantern and the tide</a></h2>" for path in self._listed)
        body = f"<!doctype html><html><head><title>List</title></head><body>{links}</body></html>".encode()
        self._give(exchange, 200, body, [], f'"list-{len(self._listed)}"', "text/html")

    def _hear(self, exchange: Exchange) -> None:
        """The subscriber: takes a delivery whole, or not at all."""
        body = exchange.seen.raw.partition(b"\r\n\r\n")[2]
        wanted = int(exchange.seen.header("content-length") or 0)
        while len(body) < wanted:
            body += exchange.connection.recv(65536)
        if self.faults.strikes("transfer reset"):
            exchange.reset()
            raise Gone
        if self.faults.strikes("transfer refused"):
            exchange.answer(500, b"no")
            return
        self.books.told |= {item["title"] for item in json.loads(body)["items"]}
        exchange.answer(200, b"thanks")

    # ------------------------------------------------------------------ the desk

    def _write_config(self) -> None:
        (self.config / "letters").mkdir(parents=True)
        told = {
            "title": "Faults",
            "base_url": BASE,
            "contact": "desk@example.org",
            "poll": {"first_s": 1, "floor_s": 1, "gap_s": 0, "per_host": 8},
            "fetch": {"allow_private": ["127.0.0.0/8"], "timeout_s": 10},
            "publish": {"first_import": 50, "full_text": "full", "entries": 1000},
        }
        sources: list[dict[str, Any]] = [
            {"name": name, "url": publisher.url, "interval_s": INTERVAL_S, "section": "all"}
            for name, publisher in self.publishers.items()
        ]
        sources.append({"name": "list", "page": self.origin.url("/list/"), "interval_s": INTERVAL_S, "section": "all"})
        sources.append({"name": "letters", "files": "letters/*.txt", "section": "all"})
        for name, value in (("wiredesk", told), ("sections", {"all": {"title": "All"}}), ("sources", sources)):
            (self.config / f"{name}.yaml").write_text(yaml.safe_dump(value, sort_keys=False))

    def _subscribe(self) -> None:
        """Subscribe to the section; what it holds then is no news."""
        self.books.told |= set(self.books.now)
        self._subscribed = True
        request = HubRequest(
            mode="subscribe",
            path="all",
            format="json",
            topic=f"{BASE}/all.json",
            callback=self.origin.url("/hear"),
            host="127.0.0.1",
            lease_s=864_000,
        )
        with self.store.write() as tx:
            tx.hubs.ask(request, self.clock.now)
            [due] = tx.hubs.requests_due(self.clock.now, 1)
            tx.hubs.verified(due, self.clock.now, self.clock.now + timedelta(days=10))

    def _begin(self) -> None:
        """As `wiredesk run` starts an ingest process."""
        self.store: Store = open_store(self.url)
        accepted = accept(self.store, self.config, {}, now=self.clock.now)
        with self.store.write() as tx:
            tx.sources.release_all()
        self.process = IngestProcess(self.store, self.config, self.data, {}, accepted, stop=threading.Event())
        reader: Any = InThisProcess(self.faults)
        self.process._workers = self.process._ingest._readers = self.process._ingest._intake._readers = reader
        self.process._ingest.resume()
        parts = roles.Parts(lambda: self.process._desk, {}, self.process._counts)
        self.publishing: Any = parts.publishing(self.store, accepted.desk)[0]
        self.deliveries: Any = parts.deliveries(self.store, accepted.desk)[0]
        self.upkeep: Any = parts.upkeep(self.store, accepted.desk)[0]

    def _end(self) -> None:
        process = self.process
        self.deliveries.close()
        process._fetcher.close()
        process._judge.close()
        self.store.close()

    def step(self, after: timedelta = STEP) -> None:
        """Let the desk work for a while *after* the last time, and a reader look."""
        self.steps += 1
        self.clock.now += after
        with self.faults.on():
            self._guard("ingest", self._poll)
            self._guard("publishing", self.publishing.sweep)
            self._guard("_watch_over", self.process._watch_over)
            for job in ("watch_over", "refile", "retain"):
                self._guard(job, getattr(self.upkeep, job))
            self._tell()
        self._look()

    def _guard(self, name: str, do: Any) -> None:
        """A job that raises is a fault of ours; where it is the loop, the process ends and another takes its place."""
        try:
            do()
        except Exception as error:
            self.books.bugs.append(f"{name}: {error!r}")
            if name == "ingest":
                self.restart()

    def restart(self) -> None:
        """Kill the ingest process, as far as one can in this process, and start the next."""
        self.restarts += 1
        self.faults._switch(False)
        self._end()
        self._begin()
        self.faults._switch(True)

    def _poll(self) -> None:
        process = self.process
        process._due.set()
        process._turn()
        turns = 0
        while process._ingest.in_flight and turns < MOST_TURNS:
            process._turn()
            turns += 1
        if turns == MOST_TURNS:
            raise TimeoutError(f"{process._ingest.in_flight} still in flight")

    def _tell(self) -> None:
        """The deliveries' thread, in this one."""
        deliveries = self.deliveries
        for _ in range(40):
            try:
                deliveries.turn(0.02)
            except StoreError:
                deliveries._forget()
            if not deliveries._delivering and not deliveries._look:
                return

    def _look(self) -> None:
        """A reader looks at everything; errors are counted once there was a document."""
        books, had = self.books, bool(self.books.ids)
        for path in LOOKED_AT:
            got = ask(self.web, path)
            if got.status >= 500 and had:
                books.errors.append(f"step {self.steps} {path}: {got.status}")
            if path == "/all.json" and got.status == 200:
                books.saw(json.loads(got.body)["items"])
                if not self._subscribed:
                    self._subscribe()


@contextmanager
def standing(folder: Path, faults: Faults) -> Iterator[Stand]:
    """A stand by a clock of its own, in which nobody waits for time to pass. Quiet: faults are told by the thousand."""
    before = engine.now_utc, engine.STORE_RETRY_S, engine.REST_S, flow.PUT_OFF_LOOK_S, logging.root.manager.disable  # type: ignore[attr-defined]
    clock = Steady()
    engine.now_utc, engine.STORE_RETRY_S, engine.REST_S, flow.PUT_OFF_LOOK_S = clock, 0.0, 0.0, 0.0  # type: ignore[attr-defined]
    roles.now_utc = clock  # type: ignore[attr-defined]
    logging.disable(logging.CRITICAL)
    try:
        with faults.in_place():
            stand = Stand(folder, faults, clock)
            try:
                yield stand
            finally:
                stand.close()
    finally:
        engine.now_utc, engine.STORE_RETRY_S, engine.REST_S, flow.PUT_OFF_LOOK_S = before[:4]  # type: ignore[attr-defined]
        roles.now_utc = before[0]  # type: ignore[attr-defined]
        logging.disable(before[4])
