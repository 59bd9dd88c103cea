"""Contracts in pyproject.toml say what the table in docs/architecture.md says; the docs name files that exist."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = {path.parent.name for path in ROOT.glob("feeds/*/__init__.py")}
GROUND_FLOOR = {path.stem for path in ROOT.glob("feeds/*.py")} - {"__init__"}
ROW = re.compile(r"^\| `?(\w+)`? \| ([^|]*) \| ([^|]*) \| ([^|]*) \|$", re.MULTILINE)

Row = tuple[set[str], set[str]]
"""The rooms that a room may import, and the libraries."""


def table() -> dict[str, Row]:
    """The rows of docs/architecture.md by room."""
    rows: dict[str, Row] = {}
    for room, _what, imports, libraries in ROW.findall((ROOT / "docs/architecture.md").read_text("utf-8")):
        if room not in ROOMS and room != "ground":
            continue
        words = set(imports.split()) - {"–"}
        if "all" in words:
            words = (ROOMS | {"ground"}) - words if "but" in words else ROOMS | {"ground"}
        rows[room] = (words, set(libraries.split()) - {"–"})
    return rows


def contract(room: str, rows: dict[str, Row]) -> dict[str, object]:
    """The contract that a row of the table stands for."""
    imports, libraries = rows[room]
    guarded = set().union(*(owned for _, owned in rows.values()))
    forbidden = sorted(f"feeds.{other}" for other in ROOMS - imports - {room}) + sorted(guarded - libraries)
    sources = sorted(f"feeds.{module}" for module in GROUND_FLOOR) if room == "ground" else [f"feeds.{room}"]
    return {
        "id": room,
        "name": f"What {room} may import",
        "type": "forbidden",
        "source_modules": sources,
        "forbidden_modules": forbidden,
        "allow_indirect_imports": True,
    }


def in_toml(contract: dict[str, object]) -> str:
    """*contract* as it is to stand in pyproject.toml."""
    lines = ["[[tool.importlinter.contracts]]"]
    for key, value in contract.items():
        if isinstance(value, list):
            lines += [f"{key} = [", *(f'    "{item}",' for item in value), "]"]
        else:
            lines.append(
                f"{key} = {str(value).lower() if isinstance(value, bool) else repr(value).replace(chr(39), chr(34))}"
            )
    return "\n".join(lines) + "\n"


def test_every_room_has_a_row() -> None:
    assert set(table()) == ROOMS | {"ground"}


def test_the_contracts_are_the_table() -> None:
    rows = table()
    stated = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    wanted = [contract(room, rows) for room in rows]
    assert stated == wanted, "pyproject.toml should say:\n\n" + "\n".join(map(in_toml, wanted))


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
