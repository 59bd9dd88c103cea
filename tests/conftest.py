"""What all tests share: the development data, figures that are printed, and no silent skips in CI."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

from tests.development import SHARED_DATA

# How long one example takes says more of the machine's other work than of the code.
settings.register_profile("desk", deadline=None, max_examples=40)  # other ones in each run: many runs see many
settings.register_profile("thorough", deadline=None, max_examples=1000)
settings.load_profile("desk")

ROOT = Path(__file__).resolve().parent.parent
SLOW = ("browser", "faults", "e2e", "filing", "engine", "cli")
"""Rooms of tests that wait for whole desks or train models: begun last, they would run alone at the end."""
TOGETHER = ("browser",)
"""Rooms whose tests share what takes long to start: one process runs them all."""
NO_SKIP = bool(os.environ.get("WIREDESK_NO_SKIP"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of the development data."""
    return SHARED_DATA


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what is marked `shared_data` where the data is absent; several processes begin with what waits for desks."""
    for item in items:
        if item.get_closest_marker("shared_data") and not SHARED_DATA.is_dir():
            item.add_marker(pytest.mark.skip(reason=f"development data is not at {SHARED_DATA}"))
    items[:] = dealt(items, int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))


def dealt(items: list[pytest.Item], processes: int) -> list[pytest.Item]:
    """*items* in *processes* stretches, of which each process begins one: whole modules, slow ones first in each."""
    modules: dict[tuple[str, str], list[pytest.Item]] = {}
    for item in items:
        room = item.path.parent.name
        modules.setdefault((room, "" if room in TOGETHER else item.path.name), []).append(item)
    stretches: list[list[pytest.Item]] = [[] for _ in range(processes)]
    rank = {room: place for place, room in enumerate(SLOW)}
    for module in sorted(modules, key=lambda module: rank.get(module[0], len(rank))):
        min(stretches, key=len).extend(modules[module])
    return [item for stretch in stretches for item in stretch]


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    """In CI a skip for anything but absent data is a failure: a test nobody runs proves nothing."""
    outcome = yield
    report = outcome.get_result()
    report.shared_data = item.get_closest_marker("shared_data") is not None
    if NO_SKIP and report.skipped and not report.shared_data and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {report.longrepr}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests measured (`record_property("measured", text)`), and how many ran on the development data."""
    counts = {"ran": 0, "skipped": 0}
    for outcome, reports in terminalreporter.stats.items():
        for report in reports:
            if getattr(report, "when", "") == "call":
                for name, text in report.user_properties:
                    if name == "measured":
                        terminalreporter.write_line(f"measured: {text}")
            if getattr(report, "shared_data", False) or "shared_data" in getattr(report, "keywords", {}):
                if outcome == "skipped":
                    counts["skipped"] += 1
                elif outcome in ("passed", "failed") and getattr(report, "when", "") == "call":
                    counts["ran"] += 1
    terminalreporter.write_line(
        f"tests on development data: {counts['ran']} ran, {counts['skipped']} skipped for its absence"
    )
