"""A desk's store with one published section, its hub at work on loopback, and a real web server before it."""

from __future__ import annotations

import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from msgspec.structs import replace

from feeds.configuration import FetchSettings, PublishSettings, Section, Settings, Source
from feeds.hub.deliveries import Deliveries
from feeds.model import Decision, Entry, Placement
from feeds.publish import publish
from feeds.serve.app import answers_of, create_app
from feeds.settings.config import Config, config_to_json
from feeds.store import Store, open_store
from tests.databases import database
from tests.hub.subscriber import Subscriber


class Clock:
    """The present, and as much later as a test says."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


class HubDesk:
    """A desk without polling: `publish` puts articles into news/world and sweeps, as the ingest process does."""

    def __init__(self, folder: Path, port: int) -> None:
        self.clock = Clock()
        self.settings = Settings(
            base_url=f"http://127.0.0.1:{port}",
            fetch=FetchSettings(allow_private=("127.0.0.0/8",)),
            publish=PublishSettings(full_text="full"),
        )
        self.sections = (Section(path="news", title="News"), Section(path="news/world", title="World"))
        self.store: Store = open_store(database(folder / "desk.sqlite3"))
        self.source = Source(key="tidings", name="Tidings", kind="feed", target="https://tidings.example/feed")
        self.accept(self.settings)
        self.deliveries: Deliveries | None = None
        self.count = 0
        self.counted: Counter[tuple[str, str]] = Counter()

    @property
    def hub(self) -> str:
        return f"{self.settings.base_url}/websub"

    def topic(self, suffix: str = "atom") -> str:
        return f"{self.settings.base_url}/news/world.{suffix}"

    def accept(self, settings: Settings) -> None:
        """Take over *settings*, in the store and by the deliveries."""
        self.settings = settings
        config = Config(settings=settings, sections=self.sections, sources=(self.source,))
        now = self.clock()
        with self.store.write() as tx:
            tx.sections.sync(self.sections, now)
            tx.sources.sync([self.source], "full", now)
            tx.configs.accept(config_to_json(config), uuid.uuid4().hex, now)
            tx.sections.mark_dirty()
        publish(self.store, settings, self.sections, now=now)
        if getattr(self, "deliveries", None) is not None:
            self.deliveries.configure(settings, "Wiredesk/test")  # type: ignore[union-attr]

    def publish(self, title: str, *paths: str) -> float:
        """File an article in *paths* (none: news/world) and render; gives the moment when its documents stood there."""
        self.count += 1
        now = self.clock()
        words = " ".join(f"{word}{self.count}" for word in "harbour council tide ferry lantern chart crew".split())
        link = f"https://tidings.example/{self.count}"
        entry = Entry(
            key=link, link=link, comparable=link[8:], title=title, content=f"<p>{words}</p>", text=words,
            published=now, content_hash=self.count,
        )  # fmt: skip
        uid = f"urn:uuid:{uuid.uuid4()}"
        decision = Decision(kind="new", entry=entry, article_uid=uid, source_id=1)
        where = [Placement(section=path, by="rule", reason="because") for path in paths or ("news/world",)]
        with self.store.write() as tx:
            tx.articles.save([decision], now, {uid: where})
        publish(self.store, self.settings, self.sections, now=now)
        return time.monotonic()

    def start(self) -> None:
        """Have deliveries go on, as after a start of the ingest process."""
        self.deliveries = Deliveries(self.store, self.settings, "Wiredesk/test", clock=self.clock, count=self._counted)
        self.deliveries.start()
        threading.Thread(target=self._wake, args=(self.deliveries,), daemon=True).start()

    def _wake(self, deliveries: Deliveries) -> None:
        """As the ingest process's loop does, which sees that somebody wrote into the store."""
        while self.deliveries is deliveries:
            deliveries.wake()
            time.sleep(0.02)

    def _counted(self, kind: str, outcome: str) -> None:
        self.counted[kind, outcome] += 1

    def stop(self) -> None:
        """End the deliveries."""
        if self.deliveries is not None:
            self.deliveries.close()
            self.deliveries = None

    def publish_settings(self, **changes: object) -> None:
        """Accept other settings of `publish:`."""
        self.accept(replace(self.settings, publish=replace(self.settings.publish, **changes)))  # type: ignore[arg-type]


class _Quiet(WSGIRequestHandler):
    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[HubDesk]:
    """A desk with the article "Before" published, served and its deliveries at work."""
    server = make_server("127.0.0.1", 0, _nothing, WSGIServer, _Quiet)
    desk = HubDesk(tmp_path, server.server_port)
    application = create_app(f"sqlite:///{tmp_path}/desk.sqlite3")
    application.extensions["feeds.site"].now = desk.clock
    server.set_app(application)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    desk.publish("Before")
    desk.start()
    yield desk
    desk.stop()
    server.shutdown()
    server.server_close()
    answers_of(application).close()
    desk.store.close()


@pytest.fixture
def subscriber() -> Iterator[Subscriber]:
    with Subscriber() as made:
        yield made


def until(true: Callable[[], object], within_s: float = 60.0) -> None:
    """Wait until *true* gives something true."""
    end = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


def settled(hub: HubDesk) -> None:
    """Wait until no request waits for its callback."""

    def nothing_waits() -> bool:
        with hub.store.read() as tx:
            return not tx.hubs.requests_due(datetime.max.replace(year=9000, tzinfo=UTC), 10)

    until(nothing_waits)


def _nothing(environ: object, start_response: object) -> list[bytes]:
    return [b""]
