"""The table in docs/architecture.md is whole, and the package is held to it; the docs name files that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from grimp import ImportGraph
from importlinter import configuration

from tests.rooms import GROUND_FLOOR, ROOMS, ROOT, Rooms, table


def test_every_room_has_a_row() -> None:
    assert set(table()) == ROOMS | {"ground"}


@pytest.mark.parametrize(
    ("importer", "imported", "kept"),
    [
        ("feeds.parse", "feeds.urls", True),
        ("feeds.parse", "lxml", True),
        ("feeds.parse", "feeds.store", False),
        ("feeds.parse.links", "sqlalchemy", False),
        ("feeds.urls", "feeds.parse", False),
    ],
)
def test_a_row_is_held(importer: str, imported: str, kept: bool) -> None:
    configuration.configure()
    graph = ImportGraph()
    for module in {"feeds", *(f"feeds.{one}" for one in ROOMS | GROUND_FLOOR), importer, imported}:
        graph.add_module(module, is_squashed=not module.startswith("feeds"))
    graph.add_import(importer=importer, imported=imported)
    options = {"root_packages": ["feeds"], "include_external_packages": True}
    assert Rooms("rooms", options, {}).check(graph, verbose=False).kept is kept


@pytest.mark.parametrize("page", sorted(ROOT.glob("docs/**/*.md")) + [ROOT / "README.md"], ids=lambda path: path.name)
def test_pages_name_files_that_exist(page: Path) -> None:
    text = page.read_text("utf-8")
    named = re.findall(r"`((?:feeds|tests|bench|docs|bin|deploy)/[\w./-]+\.\w+)", text)
    named += [f"feeds/{path}" for path in re.findall(rf"`((?:{'|'.join(sorted(ROOMS))})/[\w/]+\.py)", text)]
    assert [path for path in named if not (ROOT / path).exists()] == []
    links = [link.split("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]
    assert [link for link in links if link and not (page.parent / link).exists()] == []


def test_the_architecture_fits_one_sitting() -> None:
    assert len((ROOT / "docs/architecture.md").read_text("utf-8").splitlines()) <= 120
