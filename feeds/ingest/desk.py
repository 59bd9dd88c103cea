"""The accepted config made ready for work: compiled rules, sources with their secrets. Pure once made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from feeds.filing import Cabinet
from feeds.model import Section, Settings, Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What the flows need of an accepted config. All else about sources stands in the store.

    *secret* are the sources with secrets in address or headers, by key, filled in from the environment: never log
    them. *folder* is the config folder, against which sources of documents are relative.
    """

    version: int
    folder: Path
    settings: Settings
    sections: tuple[Section, ...]
    secret: Mapping[str, Source]
    cabinet: Cabinet
