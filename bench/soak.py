"""A desk at work for an hour, and what grows: memory, descriptors, threads, database and latency, as curves.

    python bench/soak.py [--minutes 60] [--feeds 50] [--svg FILE]

Feeds on loopback show a new entry each every minute and are asked every five seconds; readers ask for documents,
section pages and status all the time. PSS, descriptors and threads are sums over the desk's processes. The first third
is warming up; what grows from the second third to the last is named. Exit code 1 where descriptors or threads grow, or
memory by more than a tenth, or an error was served.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path

import psutil

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent)]

from tests.e2e.desk import Desk  # noqa: E402
from tests.e2e.publisher import Publisher  # noqa: E402
from tests.fetch.origin import Origin  # noqa: E402

LOOKED_AT = ("/index.rss", "/news/world.atom", "/news/world.json", "/news", "/", "/status")
SAMPLES = 120
MEMORY_MAY_GROW = 1.10
BARS = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True)
class Sample:
    """One look: megabytes, counts, milliseconds (the median and the 99th percentile since the last look)."""

    pss_mb: float
    descriptors: float
    threads: float
    database_mb: float
    median_ms: float
    p99_ms: float
    errors: float


class Readers:
    """Somebody who asks for everything in turn, all the time."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._end = threading.Event()
        self._times: list[float] = []
        self.errors = 0
        self._thread = threading.Thread(target=self._ask, daemon=True)
        self._thread.start()

    def _ask(self) -> None:
        number = 0
        while not self._end.wait(0.02):
            number += 1
            began = time.monotonic()
            with suppress(OSError):
                if self._desk.get(LOOKED_AT[number % len(LOOKED_AT)]).status >= 500:
                    self.errors += 1
            self._times.append(1000 * (time.monotonic() - began))

    def taken(self) -> tuple[float, float]:
        times, self._times = sorted(self._times) or [0.0], []
        return statistics.median(times), times[int(len(times) * 0.99)]

    def close(self) -> None:
        self._end.set()
        self._thread.join(15)


def look(desk: Desk, readers: Readers) -> Sample:
    assert desk.process is not None
    pss = descriptors = threads = 0.0
    parent = psutil.Process(desk.process.pid)
    for process in (parent, *parent.children(recursive=True)):
        with suppress(psutil.Error):
            pss += process.memory_full_info().pss / 1e6
            descriptors += process.num_fds()
            threads += process.num_threads()
    stored = sum(path.stat().st_size for path in desk.data.glob("*.sqlite3*") if path.exists()) / 1e6
    median, p99 = readers.taken()
    return Sample(pss, descriptors, threads, stored, median, p99, readers.errors)


def grown(values: Sequence[float]) -> float:
    """How many times the middle third the last is."""
    third = len(values) // 3
    middle, last = values[third : 2 * third], values[2 * third :]
    return statistics.median(last) / (statistics.median(middle) or 1.0)


def curve(values: Sequence[float]) -> str:
    low, high = min(values), max(values)
    return "".join(
        BARS[int((each - low) / ((high - low) or 1) * (len(BARS) - 1))] for each in values[:: len(values) // 60 or 1]
    )


def svg(samples: Sequence[Sample]) -> str:
    """The curves one below the other."""
    parts = []
    for row, name in enumerate(field.name for field in fields(Sample)):
        values = [getattr(sample, name) for sample in samples]
        low, high = min(values), max(values)
        across, up = 580 / (len(values) - 1), 60 / ((high - low) or 1)
        points = " ".join(
            f"{10 + across * number:.1f},{100 * row + 90 - up * (each - low):.1f}" for number, each in enumerate(values)
        )
        parts.append(f'<text x="10" y="{100 * row + 20}">{name}: {low:.1f} to {high:.1f}</text>')
        parts.append(f'<polyline fill="none" stroke="#246" points="{points}"/>')
    size = f'width="600" height="{100 * len(fields(Sample))}" font-family="sans-serif" font-size="12"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{"".join(parts)}</svg>\n'


def soak(
    desk: Desk, origin: Origin, *, minutes: float, feeds: int, every_s: float = 60.0, poll_s: int = 5
) -> list[Sample]:
    """Run *desk* over *feeds* feeds for so many *minutes*; what was seen, at equal intervals.

    Each feed shows a new entry every *every_s* seconds and is asked every *poll_s*.
    """
    publishers = [Publisher(origin, f"/{number:03}.xml", window=50) for number in range(feeds)]
    desk.write(
        sources=[
            {"name": each.path, "url": each.url, "section": "news/world", "interval_s": poll_s} for each in publishers
        ]
    )
    for each in publishers:
        each.publish(f"{each.path} at first")
    desk.start()
    readers = Readers(desk)
    samples: list[Sample] = []
    began, published = time.monotonic(), 0
    try:
        while (now := time.monotonic() - began) < 60 * minutes:
            while published < now / every_s * feeds:
                publishers[published % feeds].publish(f"{publishers[published % feeds].path} number {published}")
                published += 1
            if now >= len(samples) * 60 * minutes / SAMPLES:
                samples.append(look(desk, readers))
            time.sleep(0.2)
    finally:
        readers.close()
    return samples


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--feeds", type=int, default=50)
    parser.add_argument("--svg", type=Path)
    told = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="wiredesk-soak-"))
    try:
        with Origin() as origin, Desk(folder) as desk:
            samples = soak(desk, origin, minutes=told.minutes, feeds=told.feeds)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for field in fields(Sample):
        values = [getattr(sample, field.name) for sample in samples]
        print(f"{field.name:<12} {values[0]:>9.1f} → {values[-1]:>9.1f}  x{grown(values):.2f}  {curve(values)}")
    if told.svg:
        told.svg.write_text(svg(samples), encoding="utf-8")
    bad = [
        name
        for name, most in (("descriptors", 1.05), ("threads", 1.05), ("pss_mb", MEMORY_MAY_GROW))
        if grown([getattr(sample, name) for sample in samples]) > most
    ]
    print("grows:", ", ".join(bad) or "nothing that should not")
    return 1 if bad or samples[-1].errors else 0


if __name__ == "__main__":
    sys.exit(main())
