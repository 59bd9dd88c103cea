"""The desk that the tests of publishing use."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from feeds.store import open_store
from tests.publish.desk import NOW, Desk


@pytest.fixture
def desk(tmp_path) -> Iterator[Desk]:
    url = f"sqlite:///{tmp_path}/desk.sqlite3"
    with open_store(url) as store:
        made = Desk(store, url)
        made.now = NOW.replace(month=12)
        yield made
        made.web.close()
