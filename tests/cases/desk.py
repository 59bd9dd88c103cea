"""One desk for one input: an origin serves it over HTTP, the flows take it in and publish it, readers look at it.

The flows run in this process, bodies are read in it too; all else is as in a running desk. Inputs lie in
`inputs/CASE/`; what must be seen of them is said by the test named after the case.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any

import feedparser
import yaml
from click.testing import CliRunner, Result

from feeds.cli import wiredesk
from feeds.engine.config_in_force import accept, refiled, to_refile
from feeds.fetch.client import Fetcher
from feeds.ingest.flow import Ingest
from feeds.ingest.placing import refile
from feeds.ingest.reading import Job, Reading, read
from feeds.publish import publish
from feeds.serve.app import answers_of, create_app
from feeds.store import open_store
from feeds.store.values import PollResult
from tests.databases import database
from tests.fetch.origin import Origin
from tests.serve.wsgi import Got, ask

INPUTS = Path(__file__).parent / "inputs"
NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
BASE = "https://wire.example.org"


def content(case: str, name: str) -> bytes:
    """The bytes of an input."""
    return (INPUTS / case / name).read_bytes()


class InThisProcess:
    """Reads bodies at once, here."""

    def __init__(self) -> None:
        self._done: deque[tuple[Any, Reading]] = deque()

    @property
    def pending(self) -> int:
        return len(self._done)

    def submit(self, job: Job, tag: object) -> None:
        self._done.append((tag, read(job)))

    def done(self, wait_s: float = 0.0, most: int = 256) -> list[tuple[Any, Reading]]:
        return [self._done.popleft() for _ in range(min(most, len(self._done)))]


@dataclass(frozen=True)
class Seen:
    """What readers see of a section: feedparser's entries, JSON items, raw bytes, the section's page."""

    rss: list[Any]
    atom: list[Any]
    items: list[dict[str, Any]]
    raw: dict[str, str]
    page: str

    def titled(self, words: str) -> tuple[Any, Any, dict[str, Any]]:
        """The entry whose title holds *words*, in RSS, Atom and JSON Feed."""
        rss = [entry for entry in self.rss if words in entry.title]
        atom = [entry for entry in self.atom if words in entry.title]
        items = [item for item in self.items if words in item.get("title", "")]
        assert len(rss) == len(atom) == len(items) == 1, f"{words!r}: {[item.get('title') for item in self.items]}"
        return rss[0], atom[0], items[0]


class CaseDesk:
    """A desk below *folder* with one section `all`; `poll` takes in what the origin shows now and publishes it."""

    def __init__(self, folder: Path) -> None:
        self.origin = Origin()
        self.config = folder / "config"
        self.config.mkdir(parents=True)
        self.data = folder / "data"
        self.data.mkdir()
        self.database = self.data / "desk.sqlite3"
        self.url = database(self.database)
        self.now = NOW
        self.environ: dict[str, str] = {}
        self.ended: list[PollResult] = []

    def __enter__(self) -> CaseDesk:
        self.origin.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.origin.__exit__(kind, error, at)

    def show(self, path: str, body: bytes, status: int = 200, **headers: str) -> str:
        """Let the origin answer *path* with *body*; its address. Names of headers with ``_`` for ``-``."""
        headers.setdefault("Content_Type", "text/html" if path.endswith(".html") else "application/xml")
        self.origin.add(path, lambda exchange: exchange.answer(status, body, **headers))
        return self.origin.url(path)

    def write(
        self,
        *sources: dict[str, Any],
        sections: dict[str, Any] | None = None,
        full_text: str | None = "full",
        **desk: Any,
    ) -> None:
        """Write the config: *sources* go to the section `all`, unless *sections* are given, whose rules file them."""
        publishing = {"first_import": 50} | ({"full_text": full_text} if full_text else {})
        told = {
            "title": "Cases",
            "base_url": BASE,
            "contact": "desk@example.org",
            "poll": {"first_s": 1, "floor_s": 1, "gap_s": 0, "per_host": 8},
            "fetch": {"allow_private": ["127.0.0.0/8"], "timeout_s": 10},
            "publish": publishing,
        }
        placed = [source if sections or "section" in source else source | {"section": "all"} for source in sources]
        tree = sections or {"all": {"title": "All"}}
        for name, value in (("wiredesk", told | desk), ("sections", tree), ("sources", placed)):
            text = yaml.safe_dump(value, sort_keys=False, allow_unicode=True)
            (self.config / f"{name}.yaml").write_text(text, encoding="utf-8")

    def poll(self, after: timedelta = timedelta(hours=1), *, only: Sequence[str] | None = None) -> None:
        """Ask every source once, or *only* those of these names, *after* the last time, and publish."""
        self.now += after
        store = open_store(self.url)
        try:
            desk = accept(store, self.config, self.environ, now=self.now).desk
            if to_refile(store):
                refile(store, desk.filing_rules, clock=lambda: self.now)
                refiled(store, desk.version, now=self.now)
            with store.write() as tx:
                claims = tx.sources.claim_named(only, self.now, lease_s=600)
            fetcher = Fetcher(desk.settings.fetch, desk.settings.poll, "cases")
            ingest = Ingest(store, fetcher, InThisProcess(), desk, clock=lambda: self.now, random=lambda: 0.5)
            try:
                ingest.take_put_off()
                ingest.begin(claims)
                self.ended = []
                while ingest.in_flight:
                    self.ended += ingest.run_once(0.05).polls
            finally:
                fetcher.close()
                ingest.stop()
            publish(store, desk.settings, desk.sections, now=self.now, most_archived=None)
        finally:
            store.close()

    def see(self, section: str = "all") -> Seen:
        """What the section's documents and its page show now."""
        bodies = {kind: self.get(f"/{section}.{kind}") for kind in ("rss", "atom", "json")}
        return Seen(
            rss=feedparser.parse(bodies["rss"].body).entries,
            atom=feedparser.parse(bodies["atom"].body).entries,
            items=json.loads(bodies["json"].body)["items"],
            raw={kind: got.text for kind, got in bodies.items()},
            page=self.get(f"/{section}").text,
        )

    def items(self, section: str = "all") -> list[dict[str, Any]]:
        """The items of a section's JSON Feed."""
        told: list[dict[str, Any]] = json.loads(self.get(f"/{section}.json").body)["items"]
        return told

    def get(self, path: str) -> Got:
        """What the web half answers with 200."""
        got = self.ask(path)
        assert got.status == 200, f"{path}: {got.status} {got.text[:300]}"
        return got

    def ask(self, path: str, *, query: str = "") -> Got:
        """What the web half answers."""
        web = create_app(self.url)
        answers_of(web)._look_every_s = 0.0
        return ask(web, path, query=query)

    def command(self, *arguments: str) -> Result:
        """What `wiredesk ARGUMENTS` says of this desk."""
        return CliRunner().invoke(wiredesk, [*arguments, "--config", str(self.config), "--data", str(self.data)])

    def article(self, item: dict[str, Any]) -> str:
        """The article page of a JSON Feed item."""
        return self.get("/article/" + str(item["id"]).removeprefix("urn:uuid:")).text
