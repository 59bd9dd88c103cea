"""The development data, for tests and benches: where it is, and how its archives and lists are read."""

from __future__ import annotations

import gzip
import json
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SHARED_DATA = Path(os.environ.get("WIREDESK_SHARED_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
REAL_FEEDS = SHARED_DATA / "feeds" / "realworld_2026_dev.tar.gz"


def archived(archive: Path) -> Iterator[tuple[str, bytes]]:
    """(name, body) of every file of a tar archive, in its order."""
    with tarfile.open(archive) as opened:
        for member in opened:
            if (stream := opened.extractfile(member)) is not None:
                yield member.name, stream.read()


def feed_documents() -> Iterator[tuple[str, bytes]]:
    """(archive/name, body) of every file of the archives of feeds."""
    for path in sorted((SHARED_DATA / "feeds").glob("*.tar.gz")):
        for name, body in archived(path):
            yield f"{path.name.split('_')[0]}/{name}", body


def json_rows(path: Path) -> list[dict[str, Any]]:
    """The objects of a file of JSON lines, packed or not."""
    opened = gzip.open(path, "rt", encoding="utf-8-sig") if path.suffix == ".gz" else path.open(encoding="utf-8-sig")
    with opened as lines:
        return [json.loads(line) for line in lines if line.strip()]
