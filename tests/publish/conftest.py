"""The desk that the tests of publishing use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.publish.desk import Desk, published


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with published(tmp_path) as made:
        yield made
