"""Databases of every release so far are taken over: nothing that readers or sources count on changes."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import Client

from feeds.serve.app import create_app
from feeds.store import Store
from feeds.store.search import Question
from tests.e2e.desk import Desk
from tests.fetch.origin import Origin
from tests.upgrade.release import RELEASED, furnish, migrations, seen

RELEASES = sorted(RELEASED.glob("*.json"))


@pytest.fixture(params=RELEASES, ids=lambda file: file.stem)
def release(request: pytest.FixtureRequest) -> Path:
    """What a release left behind."""
    file: Path = request.param
    return file


def test_there_is_a_database_of_every_release_that_the_changelog_tells(request: pytest.FixtureRequest) -> None:
    changelog = (request.config.rootpath / "CHANGELOG.md").read_text()
    told = {line.split("[")[1].split("]")[0] for line in changelog.splitlines() if line.startswith("## [")}
    assert {file.name.removesuffix(".json") for file in RELEASES} == told - {"Unreleased"}


def test_a_migration_that_was_released_never_changes(release: Path) -> None:
    released = json.loads(release.read_text())["migrations"]
    present = migrations()
    assert {name: present.get(name) for name in released} == released


def test_a_released_database_goes_on_as_if_nothing_had_happened(release: Path, tmp_path: Path) -> None:
    told: dict[str, Any] = json.loads(release.read_text())["seen"]
    with Origin() as origin, Desk(tmp_path) as desk:
        desk.data.mkdir()
        database = desk.data / "desk.sqlite3"
        with gzip.open(release.with_suffix("").with_name(f"{release.stem}.sqlite3.gz")) as packed:
            with database.open("wb") as whole:
                shutil.copyfileobj(packed, whole)
        with Store(f"sqlite:///{database}") as store:
            store.migrate(tmp_path / "before.sqlite3")
            with store.read() as tx:
                [first, *_] = tx.sections.top("", 1)
                found = tx.search.find(Question(words=first.title), 10).articles
        assert first.uid in {article.uid for article in found}
        assert seen(database) == told

        client = Client(create_app(f"sqlite:///{database}"))
        for name, etag in told["documents"].items():
            path = "/" + (name if not name.startswith(".") else f"index{name}")
            assert client.get(path, headers={"If-None-Match": f'"{etag}"'}).status_code == 304, path

        # Its sources list the same articles; the feed has moved to another port meanwhile.
        furnish(desk, origin)
        ended = desk.command("poll", "--now")
        assert ended.returncode == 0, ended.stdout + ended.stderr
        assert ", 0 new articles, " in ended.stdout
        assert seen(database)["sections"] == told["sections"]
