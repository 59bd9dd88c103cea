"""The accepted config made ready for work: compiled rules, headers with their secrets. Pure once made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from feeds.filing import Cabinet
from feeds.model import Section, Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What the flows need of an accepted config. All else about sources stands in the store.

    *headers* are those of the sources that have any, by key, secrets filled in: never log them. *folder* is the
    config folder, against which sources of documents are relative.
    """

    version: int
    folder: Path
    settings: Settings
    sections: tuple[Section, ...]
    headers: Mapping[str, tuple[tuple[str, str], ...]]
    cabinet: Cabinet
