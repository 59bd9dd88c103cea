"""Who may import whom: the table in docs/architecture.md, as one contract of import-linter (`type = "rooms"`)."""

from __future__ import annotations

import re
from pathlib import Path

from grimp import ImportGraph
from importlinter import Contract, ContractCheck
from importlinter.contracts.forbidden import ForbiddenContract

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


def forbidden(room: str, rows: dict[str, Row]) -> list[str]:
    """What *room* may not import: other rooms, and libraries that only others may."""
    imports, libraries = rows[room]
    guarded = set().union(*(owned for _, owned in rows.values()))
    return [*(f"feeds.{other}" for other in ROOMS - imports - {room}), *(guarded - libraries)]


class Rooms(Contract):
    """Every row holds. What a room imports by way of another does not count."""

    type_name = "rooms"

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        rows, broken = table(), []
        for room in rows:
            options = {
                "source_modules": [f"feeds.{one}" for one in (GROUND_FLOOR if room == "ground" else [room])],
                "forbidden_modules": forbidden(room, rows),
                "allow_indirect_imports": "True",
            }
            contract = ForbiddenContract(f"What {room} may import", self.session_options, options)
            if not (check := contract.check(graph, verbose)).kept:
                broken.append((contract, check))
        return ContractCheck(kept=not broken, metadata={"broken": broken})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for contract, its in check.metadata["broken"]:
            contract.render_broken_contract(its)
