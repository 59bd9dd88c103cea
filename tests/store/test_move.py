"""`wiredesk move`: a desk on SQLite goes on, on PostgreSQL, and nobody who reads it notices."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text

from feeds.engine.supervisor import DeskLock
from feeds.serve.app import answers_of, create_app
from feeds.store import open_store
from feeds.store.dialect import how_many
from feeds.store.schema import metadata
from tests.cases.desk import CaseDesk
from tests.serve.wsgi import ask
from tests.store.conftest import NOW, database_on

ROOT = Path(__file__).resolve().parent.parent.parent
TOPICS = ("ferry", "baker", "lighthouse", "school", "orchard", "railway", "theatre")
ITEMS = "".join(
    f"<item><title>The {topic} of Tidewick opens again</title><link>https://tide.example/{number}</link>"
    f"<guid>f{number}</guid><pubDate>Sat, 28 Nov 2026 0{number}:00:00 GMT</pubDate>"
    f"<description>{topic.title()} people at the harbour had waited for it, with a café — ¡olé!</description></item>"
    for number, topic in enumerate(TOPICS, 1)
)
FEED = (
    f"<rss version='2.0'><channel><title>Tide</title><link>https://tide.example/</link>{ITEMS}</channel></rss>".encode()
)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[CaseDesk]:
    with CaseDesk(tmp_path) as made:
        url = made.show("/feed.xml", FEED, ETag='"7"')
        made.write({"name": "Tide", "url": url})
        made.poll()
        yield made


@pytest.fixture
def target(postgres_url: str) -> Iterator[str]:
    """The URL of an empty PostgreSQL database of the test's own."""
    with database_on(postgres_url) as url:
        yield url


def move(desk: CaseDesk, target: str | None, *arguments: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("WIREDESK_")}
    if target is not None:
        clean["WIREDESK_DATABASE"] = target
    command = [sys.executable, "-m", "feeds.cli", "move", "--config", str(desk.config), "--data", str(desk.data)]
    return subprocess.run([*command, *arguments], env=clean, cwd=ROOT, capture_output=True, text=True, timeout=120)


def answers(url: str) -> list[tuple[object, ...]]:
    """What readers get of a desk: documents with their validators, pages, archive, search, a 304."""
    web = create_app(url)
    with closing(answers_of(web)):
        return asked(web)


def asked(web: Flask) -> list[tuple[object, ...]]:
    told: list[tuple[object, ...]] = []
    for path in ("/all.rss", "/all.atom", "/all.json", "/index.atom", "/all", "/", "/sections.opml"):
        got = ask(web, path)
        again = ask(web, path, if_none_match=got.headers["etag"]) if "etag" in got.headers else None
        told.append((path, got.status, got.body, got.headers.get("etag"), got.headers.get("last-modified")))
        told.append((path, again.status if again else None))
    found = ask(web, "/search.atom", query="q=harbour+caf%C3%A9")
    assert found.text.count("<entry") == 7
    told.append((found.status, found.body))
    return told


def test_everything_goes_with_it_and_stays_to_the_byte(desk: CaseDesk, target: str) -> None:
    before = answers(desk.url)
    ended = move(desk, target)
    assert ended.returncode == 0, ended.stderr
    assert "Moved 1 source, 7 articles, 9 documents" in ended.stdout.replace("\n", " "), ended.stdout
    assert answers(target) == before
    with open_store(desk.url) as old, open_store(target) as new:
        for table in metadata.sorted_tables:
            with old.unfenced() as here, new.unfenced() as there:
                assert how_many(here, table) == how_many(there, table), table.name

    # It goes on there: the source is asked with its validator, what is new gets a number that nobody had.
    desk.url = target
    body = FEED
    for before_, after in ((b"theatre", b"garden"), (b"Theatre", b"Garden"), (b"f7<", b"f8<"), (b"/7<", b"/8<")):
        body = body.replace(before_, after)
    desk.show("/feed.xml", body)
    desk.poll()
    assert desk.origin.seen("/feed.xml")[-1].header("if-none-match") == '"7"'
    with open_store(target) as new, new.unfenced() as there:
        assert list(there.execute(text("SELECT id FROM articles ORDER BY id")).scalars()) == list(range(1, 9))


def test_a_move_that_is_killed_has_not_happened(desk: CaseDesk, target: str) -> None:
    program = (
        "import os, signal, sys\n"
        "from feeds.store import open_store\n"
        "from feeds.store.move import move\n"
        "seen = []\n"
        "def progress(count):\n"
        "    seen.append(count)\n"
        "    if len(seen) > 8:\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "move(open_store(sys.argv[1]), open_store(sys.argv[2]), progress)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program, desk.url, target], cwd=ROOT, timeout=60)
    assert ended.returncode == -signal.SIGKILL
    with open_store(target) as new, new.unfenced() as there:
        assert [table.name for table in metadata.sorted_tables if how_many(there, table)] in ([], ["counters"])
    again = move(desk, target)
    assert again.returncode == 0, again.stderr


def test_it_is_refused_where_something_would_be_lost(desk: CaseDesk, target: str) -> None:
    with DeskLock(desk.data):
        running = move(desk, target)
    assert running.returncode == 1
    assert "desk" in running.stderr and "stop" in running.stderr

    unnamed = move(desk, None)
    assert unnamed.returncode == 1
    assert "no PostgreSQL database is named" in unnamed.stderr
    assert "WIREDESK_DATABASE" in unnamed.stderr

    with open_store(target) as new, new.write() as tx:
        tx.configs.accept("{}", "digest", NOW)
    full = move(desk, target)
    assert full.returncode == 1
    assert "holds a desk already" in full.stderr
    assert "createdb" in full.stderr
