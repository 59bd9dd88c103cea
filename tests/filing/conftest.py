"""Desks and origins for the edit cycle."""

from __future__ import annotations

from tests.e2e.conftest import desk, origin

__all__ = ["desk", "origin"]
