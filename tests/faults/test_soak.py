"""The soak of `bench/soak.py`, for a short while: nothing that must not grow does."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

from tests.e2e.desk import Desk
from tests.fetch.origin import Origin

ROOT = Path(__file__).resolve().parents[2]


def test_a_desk_at_work_leaks_no_descriptor_and_no_thread(tmp_path: Path, record_property) -> None:
    spec = importlib.util.spec_from_file_location("soak", ROOT / "bench" / "soak.py")
    assert spec is not None and spec.loader is not None
    soak = sys.modules["soak"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(soak)
    with Origin() as origin, Desk(tmp_path) as desk:
        samples = soak.soak(desk, origin, minutes=0.4, feeds=4, every_s=1.0, poll_s=1)
    assert samples[-1].errors == 0
    for name in ("descriptors", "threads"):
        values = [getattr(sample, name) for sample in samples]
        record_property("measured", f"soak: {name} {soak.curve(values)} {values[0]:.0f} to {values[-1]:.0f}")
        assert soak.grown(values) <= 1.25, values
