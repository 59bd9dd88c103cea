"""One desk on one PostgreSQL, by several workers that share nothing else: started at once, stopped, upgraded. Its roles
(publishing, deliveries, upkeep) are any hand's, one at a time, whatever becomes of it.
"""

from __future__ import annotations

import http.client
import json
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import pytest
from sqlalchemy import text

from feeds.engine.roles import ROLES
from feeds.model import FORMATS, Document
from feeds.publish.rendering import etag_of
from feeds.settings import config_from_json
from feeds.store import Store
from tests.e2e.desk import Answered, Desk, free_port, until
from tests.e2e.publisher import Publisher
from tests.e2e.test_halves import Half
from tests.fetch.origin import FEED, Exchange, Origin
from tests.store import postgres
from tests.validator import check


class Relay:
    """Stands before a PostgreSQL's socket; while *silent* is set it forwards nothing, as a cut network does."""

    def __init__(self, server: Path) -> None:
        self._server = server
        self._folder = tempfile.TemporaryDirectory(prefix="relay")
        self.url = f"postgresql://postgres@/postgres?host={self._folder.name}"
        self.silent, self._closed = threading.Event(), threading.Event()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(f"{self._folder.name}/{server.name}")
        self._listener.listen(64)
        self._open = [self._listener]
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Relay:
        self._run(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.set()
        for one in list(self._open):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)
        for one in self._open:
            one.close()
        self._folder.cleanup()

    def _run(self, do: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=do, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._closed.is_set():
            try:
                ours, _ = self._listener.accept()
            except OSError:
                return
            theirs = socket.socket(socket.AF_UNIX)
            theirs.connect(str(self._server))
            self._open += [ours, theirs]
            self._run(self._copy, ours, theirs)
            self._run(self._copy, theirs, ours)

    def _copy(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                while self.silent.is_set() and not self._closed.wait(0.05):
                    pass
                target.sendall(data)
        while self.silent.is_set() and not self._closed.wait(0.05):
            pass
        with suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)


class Slow:
    """A feed that takes its time, and knows how many ask for it at once."""

    def __init__(self, origin: Origin, path: str) -> None:
        self.url = origin.url(path)
        self.asked = self.most_at_once = self._now = 0
        self._lock = threading.Lock()
        origin.add(path, self._answer)

    def _answer(self, exchange: Exchange) -> None:
        with self._lock:
            self.asked += 1
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
        try:
            time.sleep(0.15)
        finally:
            with self._lock:
                self._now -= 1
        exchange.answer(304 if exchange.seen.header("if-none-match") else 200, FEED, ETag='"1"')


def polls(hand: Half) -> bool:
    """Whether it polled lately."""
    return "polled source=" in hand.said()[-2000:]


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
    """Processes of one desk, each on a data folder of its own."""

    def __init__(self, desk: Desk, url: str, folder: Path, stack: ExitStack) -> None:
        self.store = stack.enter_context(Store(url))
        self.url = url
        self._desk, self._folder, self._stack = desk, folder, stack

    def start(
        self,
        command: str,
        name: str,
        url: str = "",
        of: Desk | None = None,
        program: Sequence[str] = ("-m", "feeds.cli"),
        **environ: str,
    ) -> Half:
        data = {"WIREDESK_DATABASE": url or self.url, "WIREDESK_DATA": str(self._folder / name)} | environ
        half = Half(of or self._desk, name, *command.split(), program=program, **data)
        self._stack.callback(half.process.wait, 20)
        self._stack.callback(half.process.kill)
        return half

    def leader(self, name: str, url: str = "") -> Half:
        """A process that decides."""
        half = self.start("ingest", name, url)
        until(lambda: "published sections" in half.said(), within_s=90, what="its first publication")
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

    def has(self, *titles: str, within_s: float = 60) -> float:
        """Wait until exactly these are stored; how long it took."""
        began = time.monotonic()
        until(lambda: self.titles() == sorted(titles), within_s=within_s, what=f"{titles}")
        return time.monotonic() - began


@pytest.fixture
def publisher(desk: Desk, origin: Origin) -> Publisher:
    made = Publisher(origin)
    made.publish("One")
    desk.write(sources=[{"name": "Tidings", "url": made.url, "section": "news/world", "interval_s": 1}])
    return made


def test_three_workers_at_once_make_one_desk_of_an_empty_database(publisher: Publisher, cluster: Cluster) -> None:
    workers = [cluster.start("worker", name) for name in "abc"]
    until(lambda: sum("standing by" in worker.said() for worker in workers) == 2, within_s=90, what="two stand-bys")
    until(lambda: "published" in "".join(worker.said() for worker in workers), within_s=90, what="one that decides")
    cluster.has("One")
    assert [worker.process.poll() for worker in workers] == [None] * 3


def test_a_leader_that_goes_silent_or_stands_still_is_replaced_and_writes_nothing_when_it_goes_on(
    publisher: Publisher, cluster: Cluster
) -> None:
    with Relay(Path(cluster.url.partition("host=")[2]) / ".s.PGSQL.5432") as relay:
        first = cluster.leader("a", relay.url)
        cluster.start("hand", "hand")
        second, third = stand_by(cluster, "b"), stand_by(cluster, "c")
        cluster.has("One", within_s=90)
        relay.silent.set()
        publisher.publish("Two")
        assert cluster.has("One", "Two") < 20 + CATCH_UP_S
        relay.silent.clear()
        until(lambda: first.process.poll() is not None, within_s=60, what="the end of the first")
    leader = next(one for one in (second, third) if "deciding from now on" in one.said())
    leader.process.send_signal(signal.SIGSTOP)
    publisher.publish("Three")
    assert cluster.has("One", "Two", "Three") < 20 + CATCH_UP_S
    leader.process.send_signal(signal.SIGCONT)
    until(lambda: leader.process.poll() is not None, within_s=60, what="the end of the next")
    assert "another process decides" in leader.said()
    publisher.publish("Four")
    cluster.has("One", "Two", "Three", "Four")


def stand_by(cluster: Cluster, name: str) -> Half:
    half = cluster.start("ingest", name)
    until(lambda: "standing by" in half.said(), within_s=90, what="the stand-by")
    return half


def test_a_hand_that_stands_still_or_dies_is_replaced_and_a_host_is_never_asked_by_two(
    desk: Desk, origin: Origin, cluster: Cluster
) -> None:
    paper = Slow(origin, "/slow.xml")
    sources = [{"name": f"Slow {n}", "url": f"{paper.url}?{n}", "interval_s": 1} for n in range(12)]
    desk.write(sources=sources, desk={"poll": {"first_s": 1, "floor_s": 1, "gap_s": 0, "per_host": 2}})
    cluster.leader("a")
    hands = [cluster.start("hand", "h1"), cluster.start("hand", "h2")]

    def polls_on(what: str) -> None:
        asked = paper.asked
        until(lambda: paper.asked > asked + 24, within_s=90, what=what)

    polls_on("polls")
    still = next(hand for hand in hands if polls(hand))
    still.process.send_signal(signal.SIGSTOP)
    polls_on("polls by the other")
    time.sleep(10)  # longer than a hand may stand still
    still.process.send_signal(signal.SIGCONT)
    polls_on("more polls")
    cluster.start("hand", "h3")  # who stood still with work in hand has ended
    next(hand for hand in hands if hand is not still).process.kill()
    polls_on("polls by the one that is left")
    assert paper.most_at_once <= 2


def test_a_stand_by_with_older_files_changes_nothing_says_so_and_apply_is_followed(
    publisher: Publisher, desk: Desk, cluster: Cluster, tmp_path: Path
) -> None:
    tidings = {"name": "Tidings", "url": publisher.url, "section": "news/world", "interval_s": 1}
    letters = {"name": "Letters", "url": f"{publisher.url}?letters", "section": "news/world", "enabled": False}
    desk.write(sources=[tidings, letters])
    first = cluster.start("worker", "a")
    until(lambda: "published sections" in first.said(), within_s=90, what="its first publication")
    cluster.has("One")
    older = Desk(tmp_path / "older")
    older.write(sources=[tidings], desk={"base_url": desk.base_url})
    second = cluster.start("worker", "b", of=older)
    until(lambda: "1 source fewer (Letters)" in second.said(), within_s=90, what="what differs")
    assert "config: the files at" not in first.said()
    first.process.kill()
    publisher.publish("Two")
    cluster.has("One", "Two", within_s=90)
    assert cluster.accepted() == (1, {"Letters", "Tidings"}, [f"{socket.gethostname()}:{older.config}"])
    said = older.command("apply", WIREDESK_DATABASE=cluster.url)
    assert (said.returncode, "source Letters goes" in said.stdout) == (0, True), said.stderr
    until(lambda: "config version=2 is live" in second.said(), within_s=60, what="the applied config")
    assert cluster.accepted() == (2, {"Tidings"}, [])


def test_two_web_nodes_give_the_same_etags_and_go_on_while_the_database_is_away(
    desk: Desk, publisher: Publisher, tmp_path: Path
) -> None:
    with postgres.server() as server, ExitStack() as stack:
        cluster = Cluster(desk, server.url, tmp_path, stack)
        cluster.leader("a")
        hand = cluster.start("hand", "hand")
        nodes = [desk.port, free_port()]
        webs = [cluster.start("web --workers 1", f"w{port}", PORT=str(port)) for port in nodes]
        cluster.has("One", within_s=90)
        shown = ["/news/world.rss", "/news/world.atom", "/news/world.json", "/news/world", "/news"]

        def seen(*paths: str) -> list[list[tuple[int, str]]]:
            each = [[ask(port, path) for path in paths] for port in nodes]
            return [[(answer.status, answer.headers.get("etag", "")) for answer in answers] for answers in each]

        def both_show(title: str) -> bool:
            with suppress(OSError):
                return all(title.encode() in ask(port, "/news/world.json").body for port in nodes)
            return False

        until(lambda: both_show("One"), within_s=90, what="the article on both nodes")
        before = seen(*shown)
        assert before[0] == before[1] and {status for status, _ in before[0]} == {200}
        hand.process.kill()
        server.stop()
        assert seen(*shown) == before
        assert seen("/readyz") == [[(503, "")]] * 2
        assert b"the store does not answer" in ask(nodes[0], "/readyz").body
        server.start()
        until(lambda: seen("/readyz") == [[(200, "")]] * 2, within_s=60, what="that they are ready")
        publisher.publish("Two")
        cluster.start("hand", "other")
        until(lambda: both_show("Two"), within_s=90, what="the next article on both nodes")
        after = seen(*shown[:3])
        assert after[0] == after[1] and {status for status, _ in after[0]} == {200}
        assert not any("Traceback" in web.said() for web in webs)


def ask(port: int, path: str) -> Answered:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        connection.request("GET", path)
        response = connection.getresponse()
        return Answered(response.status, response.getheaders(), response.read())


def test_a_leader_lets_go_of_a_database_that_was_upgraded(publisher: Publisher, cluster: Cluster) -> None:
    leader = cluster.leader("a")
    with cluster.store.write() as tx:
        tx._connection.execute(text("UPDATE wiredesk_version SET version_num = '9999'"))
    until(lambda: leader.process.poll() is not None, within_s=60, what="its end")
    assert "newer release" in leader.said()
    with cluster.store.read() as tx:
        assert set(tx._connection.execute(text("SELECT owner FROM leases")).scalars()) == {""}


def test_a_hand_without_a_sources_secret_leaves_it_to_one_that_has_it(
    publisher: Publisher, desk: Desk, origin: Origin, cluster: Cluster
) -> None:
    desk.write(
        sources=[
            {"name": "Tidings", "url": publisher.url, "interval_s": 1, "headers": {"X-Token": "${TIDINGS_TOKEN}"}},
        ]
    )
    secret = {"TIDINGS_TOKEN": "open-sesame-42"}
    cluster.start("ingest", "a", **secret)
    poor = cluster.start("hand", "poor")
    until(lambda: "TIDINGS_TOKEN" in poor.said(), within_s=90, what="its words")
    time.sleep(3)
    assert not origin.requests
    cluster.start("hand", "rich", **secret)
    cluster.has("One", within_s=90)
    assert {seen.header("x-token") for seen in origin.requests} == {"open-sesame-42"}
    with cluster.store.read() as tx:
        for table in ("sources", "inbox", "configs", "procrastinate_jobs"):
            rows = tx._connection.execute(text(f"SELECT CAST(t AS text) FROM {table} t")).scalars()
            assert not any("open-sesame-42" in row for row in rows)


# --------------------------------------------------------------------------- roles

TAKEN = "{} is done here from now on"
SECTION = "news/world"


def has(half: Half, *roles: str) -> bool:
    """Whether a process has all of these roles, by what it said last of each."""
    said = half.said()
    return all(said.rfind(TAKEN.format(role)) > said.rfind(f"{role}: left to a hand") for role in roles)


def documents(cluster: Cluster) -> list[Document]:
    """The section's documents, in every format, whole and right."""
    with cluster.store.read() as tx:
        found = [document for format in FORMATS if (document := tx.documents.get(SECTION, format))]
        feed = tx.sections.get(SECTION)
    for document in found:
        assert not list(check(document.body, document.format)), document.format
        assert document.etag == etag_of(document.sequence, document.body)
    assert feed is not None and len({document.article_uids for document in found}) <= 1
    return found


def titles(cluster: Cluster) -> list[str]:
    """What the section's JSON document lists."""
    shown = [each for each in documents(cluster) if each.format == "json"]
    return [item["title"] for item in json.loads(shown[0].body)["items"]] if shown else []


def shows(cluster: Cluster, *expected: str) -> float:
    """Wait until the section lists exactly these; how long it took."""
    began = time.monotonic()
    until(lambda: titles(cluster) == list(expected), within_s=60, what=f"{expected}")
    return time.monotonic() - began


def test_a_hand_has_all_roles_and_the_process_that_decides_stands_in(publisher: Publisher, cluster: Cluster) -> None:
    desk = cluster.leader("a")
    assert has(desk, *ROLES)
    hand = cluster.start("hand", "hand")
    until(lambda: has(hand, *ROLES), within_s=60, what="a hand that has all roles")
    assert not has(desk, *ROLES)
    publisher.publish("Two")
    shows(cluster, "Two", "One")
    until(lambda: "published sections" in hand.said(), what="a publication by the hand")
    with cluster.store.read() as tx:
        owners = tx._connection.execute(text("SELECT count(DISTINCT owner), count(*) FROM leases")).one()
    assert tuple(owners) == (1 + len(ROLES), 1 + len(ROLES))
    hand.process.terminate()
    hand.process.wait(60)
    until(lambda: has(desk, *ROLES), within_s=60, what="that the process that decides stands in")


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_a_hand_that_ends_or_stands_still_in_the_middle_of_a_publication_is_replaced(
    how: signal.Signals,
    publisher: Publisher,
    cluster: Cluster,
    tmp_path: Path,
) -> None:
    cluster.leader("a")
    halt = tmp_path / "halt" / "now"
    halt.parent.mkdir()
    program = [str(Path(__file__).with_name("halting.py"))]
    victim = cluster.start("hand", "victim", program=program, HALT=str(halt))
    until(lambda: has(victim, *ROLES), within_s=60, what="a hand that publishes")
    shows(cluster, "One")
    halt.touch()
    publisher.publish("Two")
    until(lambda: halt.with_name("reached").exists(), within_s=60, what="the middle of a publication")
    before = documents(cluster)
    victim.process.send_signal(how)
    other = cluster.start("hand", "other")
    assert shows(cluster, "Two", "One") < 20 + CATCH_UP_S
    assert all(new.sequence > old.sequence for new, old in zip(documents(cluster), before, strict=True))
    until(lambda: has(other, *ROLES), within_s=60, what="another hand that has all roles")
    publisher.publish("Three")
    shows(cluster, "Three", "Two", "One")
    if how is signal.SIGSTOP:
        present = documents(cluster)
        victim.process.send_signal(signal.SIGCONT)
        halt.unlink()
        until(lambda: victim.process.poll() is not None, within_s=60, what="the end of the hand that stood still")
        assert documents(cluster) == present


def test_a_hand_without_the_secrets_of_webhooks_leaves_deliveries_to_others(
    publisher: Publisher,
    cluster: Cluster,
) -> None:
    cluster._desk.write(desk={"notify": [{"url": "https://hooks.example/${HOOK}"}]})
    desk = cluster.start("ingest", "a", HOOK="x7")
    poor = cluster.start("hand", "poor")
    until(lambda: has(poor, "publishing"), within_s=90, what="a hand that publishes")
    assert has(desk, "deliveries", "upkeep") and not has(poor, "deliveries")
    rich = cluster.start("hand", "rich", HOOK="x7")
    until(lambda: has(rich, "deliveries", "upkeep"), within_s=60, what="a hand that delivers")
    assert not has(desk, "deliveries")
