"""The tables of keys as JSON Schema (draft 7), for editors that complete and check while one types. Pure.

I/O: only when run, `python -m feeds.settings.schema docs/schema`, which writes the three files anew.
"""

from __future__ import annotations

import json
import sys
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any

from feeds.model import Settings
from feeds.settings.desk import DESK_KEYS
from feeds.settings.sources import sources_schema
from feeds.settings.tree import sections_schema
from feeds.settings.values import Schema, mapping_schema


def schemas() -> dict[str, str]:
    """Give file name → JSON text of the schema of each config file."""
    desk = mapping_schema(DESK_KEYS)
    _add_defaults(desk, Settings())
    titled = {"wiredesk": desk, "sections": sections_schema(), "sources": sources_schema()}
    head = {"$schema": "http://json-schema.org/draft-07/schema#"}
    return {
        f"{name}.schema.json": json.dumps({**head, "title": f"{name}.yaml", **schema}, ensure_ascii=False, indent=2)
        + "\n"
        for name, schema in titled.items()
    }


def _add_defaults(schema: Schema, settings: Any) -> None:
    for one in fields(settings):
        key = schema["properties"].get(one.name)
        default = getattr(settings, one.name)
        if key is None or default is None or default is MISSING:
            continue
        if is_dataclass(default):
            _add_defaults(key, default)
        else:
            key["default"] = list(default) if isinstance(default, tuple) else default


def write_schemas(folder: Path) -> None:
    """Write the three schema files into *folder*."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in schemas().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write_schemas(Path(sys.argv[1]))
