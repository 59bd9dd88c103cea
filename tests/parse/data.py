"""The development data, where it is there: every document of its feed archives."""

import os
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

FOLDER = Path(os.environ.get("WIREDESK_SHARED_DATA", Path(__file__).parents[2] / "../shared/data")) / "feeds"


def archives() -> list[Path]:
    """The archives of feeds; skips the test where there are none."""
    found = sorted(FOLDER.glob("*.tar.gz")) if FOLDER.is_dir() else []
    if not found:
        pytest.skip(f"no development data at {FOLDER}")
    return found


def documents(*names: str) -> Iterator[tuple[str, bytes]]:
    """(archive/name, body) of every file of the archives whose name begins with one of *names*, or of all."""
    for path in archives():
        if names and not path.name.startswith(names):
            continue
        with tarfile.open(path) as archive:
            for member in archive:
                stream = archive.extractfile(member) if member.isfile() else None
                if stream is not None:
                    yield f"{path.name.split('_')[0]}/{member.name}", stream.read()
