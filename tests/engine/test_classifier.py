"""The learned model stands in the store: all machines ask the same, and what earlier releases left goes in."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

pytest.importorskip("sklearn", reason="learning needs scikit-learn (requirements-learn.txt)")

from feeds.engine.classifier import OLD_FILE, Classifier
from feeds.filing import FilingRules
from feeds.filing.text_model import model_to_bytes
from feeds.filing.training import learn
from feeds.store import Store, open_store
from tests.databases import database
from tests.filing.made_up import texts
from tests.filing.samples import section

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
LEARNS = FilingRules((section("sea", learned_precision=0.9),))


@pytest.fixture(scope="module")
def body() -> bytes:
    return model_to_bytes(learn(texts(120))[0])


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(database(tmp_path / "desk.sqlite3"))


def put(store: Store, body: bytes) -> None:
    with store.write() as tx:
        tx.models.put(body, NOW)


def test_every_machine_asks_the_one_model_and_takes_a_new_one_over(store: Store, body: bytes, tmp_path: Path) -> None:
    nodes = [Classifier(store, tmp_path / name) for name in ("a", "b")]
    assert [node.look(LEARNS) for node in nodes] == [None, None]
    put(store, body)
    assert [node.version for node in nodes] == [0, 0]
    assert [model is not None and model.decide("ferry", "tide")[0][0] for model in (n.look(LEARNS) for n in nodes)] == [
        "sea",
        "sea",
    ]
    assert [node.version for node in nodes] == [1, 1]
    kept = nodes[0].look(LEARNS)
    assert nodes[0].look(LEARNS) is kept
    put(store, b"of another time")
    assert nodes[0].look(LEARNS) is None


def test_what_an_earlier_release_left_in_the_folder_goes_into_the_database_once(
    store: Store, body: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    files = [tmp_path / name / OLD_FILE for name in ("a", "b")]
    for file in files:
        file.parent.mkdir(parents=True)
        file.write_bytes(body)
    assert Classifier(store, tmp_path / "a").look(LEARNS) is not None
    assert not files[0].exists()
    files[1].write_bytes(b"another")
    assert Classifier(store, tmp_path / "b").look(LEARNS) is not None
    assert files[1].exists() and f"the model at {files[1]} is not in use" in caplog.text
    with store.read() as tx:
        assert (tx.models.version(), tx.models.body()) == (1, body)
