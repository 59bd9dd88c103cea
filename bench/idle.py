"""What a desk at rest costs: no source due, nobody asking. CPU, wake-ups and memory of each of its processes.

    python bench/idle.py [--sources 20] [--seconds 30] [--settle 15] [--root CHECKOUT]

A desk with so many sources polls one of them, of fifty articles; the others are due tomorrow. `wiredesk run` with what
it does by itself, so a web process a core. After *settle* seconds its processes are looked at over *seconds*: CPU as
the scheduler counts it, wake-ups as voluntary context switches of all threads, memory as proportional set size. Limits
are for all of them together. Linux alone.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from running import ROOT, Origin, Running, Usage, usage

from tests.e2e.desk import until

MOST_CPU, MOST_WAKEUPS, MOST_PSS_MB = 0.003, 10.0, 120.0


def measure(sources: int, seconds: float, settle: float, root: Path) -> list[tuple[Usage, Usage]]:
    """What each process had used before and after the time that was looked at."""
    with tempfile.TemporaryDirectory(prefix="bench-idle-") as folder, Origin() as origin:
        origin.publish(50)
        with Running(Path(folder), root) as desk:
            first = {"name": "Origin", "url": origin.url, "section": "news/world", "interval_s": 86400}
            others = [
                {"name": f"Source {number}", "url": f"http://127.0.0.1:9/{number}.xml", "interval_s": 86400}
                for number in range(sources - 1)
            ]
            desk.write(sources=[first, *others])
            polled = desk.command("poll", "Origin")
            assert polled.returncode == 0, polled.stderr[-2000:]
            desk.let_rest()
            desk.run()
            until(lambda: desk.items("/news/world.json"), 60, "the articles")
            time.sleep(settle)
            pids = desk.pids()
            before = {pid: usage(pid) for pid in pids}
            time.sleep(seconds)
            return [(before[pid], usage(pid)) for pid in pids]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sources", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--settle", type=float, default=15.0)
    parser.add_argument("--root", type=Path, default=ROOT, help="the checkout whose desk is run")
    options = parser.parse_args()
    found = measure(options.sources, options.seconds, options.settle, options.root)
    print(f"{options.sources} sources, none due, {options.seconds:.0f} s")
    print(f"{'process':12} {'CPU %':>8} {'wake-ups/s':>11} {'PSS MB':>8} {'threads':>8}")
    for before, after in found:
        cpu = (after.cpu_s - before.cpu_s) / options.seconds
        wakeups = (after.wakeups - before.wakeups) / options.seconds
        print(f"{after.name:12} {cpu:8.3%} {wakeups:11.1f} {after.pss_bytes / 1e6:8.1f} {after.threads:8}")
    cpu = sum(after.cpu_s - before.cpu_s for before, after in found) / options.seconds
    wakeups = sum(after.wakeups - before.wakeups for before, after in found) / options.seconds
    pss = sum(after.pss_bytes for _, after in found) / 1e6
    print(f"{'all':12} {cpu:8.3%} {wakeups:11.1f} {pss:8.1f}")
    for name, value, most in (
        ("CPU", cpu, MOST_CPU),
        ("wake-ups", wakeups, MOST_WAKEUPS),
        ("memory", pss, MOST_PSS_MB),
    ):
        print(f"{name:9} at most {most:g}: {'met' if value <= most else 'missed'}")


if __name__ == "__main__":
    main()
