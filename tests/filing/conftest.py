"""Desks and origins for the edit cycle: a running one, and one whose flows run in this process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cases.desk import CaseDesk
from tests.e2e.conftest import desk, origin

__all__ = ["desk", "origin"]


@pytest.fixture
def quick_desk(tmp_path: Path) -> Iterator[CaseDesk]:
    """A desk that is asked to poll."""
    with CaseDesk(tmp_path) as made:
        yield made
