"""Desks and origins for end-to-end tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.desk import Desk
from tests.fetch.origin import Origin


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A desk that is not started yet."""
    with Desk(tmp_path) as made:
        yield made


@pytest.fixture
def origin() -> Iterator[Origin]:
    """An origin on loopback."""
    with Origin() as made:
        yield made
