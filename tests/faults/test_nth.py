"""The n-th operation of every kind fails, and the books are right. `bench/faults.py` does it for every n."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.injecting import KINDS, Faults
from tests.faults.runs import Row, copying, every, forgetting, ordeal, restoring, upgrading
from tests.upgrade.release import RELEASED

STORE = ("begin", "write", "read", "commit", "commit unheard", "connect", "open")
AT_ONCE_S = 60.0
PUT_OFF_S = 2000.0
"""A document whose reader died twice is tried again after half an hour."""

POINTS = {
    "begin": (1, 13, 31),
    "write": (3, 51, 120),
    "read": (2, 76, 180),
    "commit": (1, 26, 70),
    "commit unheard": (1, 16, 58, 101),
    "connect": (1,),
    "open": (3,),
    "transfer reset": (9,),
    "transfer cut": (8,),
    "transfer refused": (1, 23),
    "worker": (8,),
    "worker bug": (2,),
}


@pytest.fixture
def faults(tmp_path: Path) -> Faults:
    return Faults(tmp_path)


def judged(row: Row) -> None:
    """What must never be is not; a reading that failed leaves nothing that could be asked for by validators."""
    found = row.faulty
    if row.kind.startswith("worker"):
        found.pop("unconditional", None)
    assert not found, row
    assert row.recovered_s is not None, row
    assert row.recovered_s <= (PUT_OFF_S if row.kind.startswith("worker") else AT_ONCE_S), row


def test_without_a_fault_the_books_are_right(faults: Faults) -> None:
    row = ordeal(faults, "none", 1)
    judged(row)
    assert {kind for kind in POINTS if not faults.total(kind)} == set(), "an operation that is not counted"


@pytest.mark.parametrize(("kind", "at"), [(kind, at) for kind, points in POINTS.items() for at in points])
def test_the_desk_at_work(faults: Faults, kind: str, at: int) -> None:
    row = ordeal(faults, kind, at)
    assert row.times == 1 or at > row.total
    judged(row)


@pytest.mark.parametrize("kind", STORE[:5])
def test_the_desk_at_work_while_it_goes_on_failing_for_a_while(faults: Faults, kind: str) -> None:
    judged(ordeal(faults, kind, 20, lasts=15))


@pytest.mark.parametrize("run", [copying, restoring, upgrading, forgetting])
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind in STORE or kind == "path"])
def test_a_database_as_a_whole(faults: Faults, tmp_path: Path, run: Callable[..., Row], kind: str) -> None:
    old = tmp_path / "released.sqlite3"
    old.write_bytes(gzip.decompress((RELEASED / "0.1.0.sqlite3.gz").read_bytes()))
    step = 7 if run is forgetting else 1
    for row in every(lambda at: run(faults, kind, at, template=old), step):
        judged(row)
