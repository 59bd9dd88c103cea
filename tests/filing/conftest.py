"""What tests of learning share."""

from __future__ import annotations

import pytest

from feeds.filing import matrix


@pytest.fixture
def without_senses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Learn from the words shown alone, as where the library is not installed: half of the time goes into senses."""
    monkeypatch.setattr(matrix, "_library", lambda: None)
