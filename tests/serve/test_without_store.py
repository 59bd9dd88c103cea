"""Serving while the store does not answer: what is in memory goes on, the rest says why and what to do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from feeds.errors import StoreError
from feeds.serve.admission import Access
from feeds.serve.app import answers_of, create_app
from feeds.store import open_store
from tests.databases import database
from tests.publish.desk import SOURCES, Desk
from tests.serve.wsgi import ask

ADDRESSES = ["/news/world.rss", "/news/world.atom", "/news/world.json", "/", "/news/world", "/status", "/metrics"]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A desk with articles, all of whose pages were looked at once."""
    url = database(tmp_path / "desk.sqlite3")
    with open_store(url) as store:
        made = Desk(store, url)
        made.web.extensions["feeds.site"].access = Access(bind="0.0.0.0", token="s3cret")
        made.bring(range(5))
        made.render()
        for address in ADDRESSES:
            assert see(made, address).status == 200, address
        yield made
        answers_of(made.web).close()


def see(desk: Desk, address: str) -> Any:
    return ask(desk.web, address, authorization="Bearer s3cret")


def fail(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on every transaction of the web half fails, as on a damaged file."""

    def refuse() -> None:
        raise StoreError("the database file is damaged", remedy="restore the last backup with `wiredesk restore`")

    monkeypatch.setattr(answers_of(desk.web)._reader.store, "read", refuse)
    monkeypatch.setattr(answers_of(desk.web)._reader.store, "moved", lambda: True)


def test_documents_pages_status_and_metrics_need_no_store(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {address: see(desk, address).body for address in ADDRESSES[:3]}
    fail(desk, monkeypatch)
    for address in ADDRESSES:
        assert see(desk, address).status == 200, address
    assert {address: see(desk, address).body for address in ADDRESSES[:3]} == before
    told = see(desk, "/status").text
    assert "the database file is damaged" in told and "wiredesk restore" in told
    assert "wiredesk_store_up 0.0" in see(desk, "/metrics").text
    monkeypatch.undo()
    assert "the database file is damaged" not in see(desk, "/status").text
    assert "wiredesk_store_up 1.0" in see(desk, "/metrics").text


def test_pages_that_nobody_has_seen_say_that_they_come_later(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    fail(desk, monkeypatch)
    answered = see(desk, "/article/00000000-0000-4000-8000-000000000001")
    assert (answered.status, answered.headers["retry-after"]) == (503, "5")


def test_status_of_a_desk_never_seen_says_why_and_what_to_do(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.web.extensions["feeds.site"].health._summary = None
    fail(desk, monkeypatch)
    answered = see(desk, "/status")
    assert answered.status == 503
    assert "the database file is damaged; restore the last backup with `wiredesk restore`" in answered.text


LOOK = """
import json, os, sys
from feeds.serve.app import answers_of, create_app
from tests.serve.wsgi import ask
ask(create_app(sys.argv[1]), "/")  # what is imported late is imported now, while this user may read it
os.chmod(os.path.dirname(sys.argv[1].removeprefix("sqlite:///")), 0)
if os.getuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
web = create_app(sys.argv[1])
print(json.dumps({path: ask(web, path).status for path in sys.argv[2:]}))
"""


def test_a_database_that_may_not_be_opened_is_told_in_one_line(tmp_path: Path) -> None:
    folder = tmp_path / "closed"
    folder.mkdir()
    database(folder / "desk.sqlite3")
    addresses = ["/", "/index.rss", "/readyz", "/healthz", "/news/world"]
    told = subprocess.run(
        [sys.executable, "-c", LOOK, f"sqlite:///{folder}/desk.sqlite3", *addresses],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        timeout=60,
    )
    folder.chmod(0o700)
    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout) == dict.fromkeys(addresses, 503) | {"/healthz": 200}
    assert "Traceback" not in told.stderr


def test_a_web_half_without_a_database_starts_all_the_same(tmp_path: Path) -> None:
    web = create_app(f"sqlite:///{tmp_path}/none/desk.sqlite3")
    assert ask(web, "/index.rss").status == 503
    assert ask(web, "/healthz").status == 200


def test_readyz_says_when_nobody_polls(desk: Desk) -> None:
    site = desk.web.extensions["feeds.site"]
    site.now = lambda: desk.now
    with desk.store.write() as tx:
        tx.sources.sync(SOURCES, "full", desk.now)
    assert see(desk, "/readyz").text == "ready\n"
    desk.now += timedelta(minutes=31)
    answered = see(desk, "/readyz")
    assert answered.status == 200
    assert answered.text.splitlines()[0] == "ready"
    assert "nobody polls, or not fast enough" in answered.text
