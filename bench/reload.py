"""How long a saved change takes to be live: from the save to the answer that a subscriber gets, by count of sources.

All sources but one rest, so that the desk has nothing else to do. The change measured is a new section that takes
every stored article, seen by a subscriber who asks for its document.

    python bench/reload.py [--sources 100,2000,20000] [--changes 6]
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.e2e.desk import Desk, until  # noqa: E402

ARTICLES = 200


def measure(count: int, changes: int) -> list[float]:
    """Seconds from each save to its being seen over HTTP."""
    with tempfile.TemporaryDirectory() as folder, Desk(Path(folder)) as desk:
        (desk.config / "articles").mkdir()
        for number in range(ARTICLES):
            words = " ".join(f"word{number}n{each}" for each in range(40))
            (desk.config / "articles" / f"{number}.txt").write_text(f"Article {number}\n\nlantern {words}\n")
        letters = {"name": "Letters", "files": "articles/*.txt", "section": "news/world"}
        rested = [
            {"name": f"Source {number}", "url": f"https://h{number % 500}.example/{number}.xml", "enabled": False}
            for number in range(count - 1)
        ]
        tree: dict[str, object] = {"news": {"title": "News", "sections": {"world": {"title": "World"}}}}
        desk.write(sections=tree, sources=[letters, *rested])
        desk.start()
        until(lambda: len(desk.items("/news/world.json")) == 50, 120, "the articles")
        seconds = []
        for change in range(changes):
            path = f"made-{change}"
            tree[path] = {"title": f"Made {change}", "match": {"any": [{"keywords": ["lantern"]}]}}
            desk.write(sections=tree)
            began = time.monotonic()
            while not desk.items(f"/{path}.json"):
                time.sleep(0.01)
            seconds.append(time.monotonic() - began)
            time.sleep(1)
        return seconds


def main() -> None:
    """Print a line for each count."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    asked.add_argument("--sources", default="100,2000,20000")
    asked.add_argument("--changes", type=int, default=6)
    given = asked.parse_args()
    print(f"{'sources':>8} {'median s':>9} {'worst s':>8}")
    for count in (int(each) for each in given.sources.split(",")):
        seconds = measure(count, given.changes)
        print(f"{count:>8} {statistics.median(seconds):>9.2f} {max(seconds):>8.2f}", flush=True)


if __name__ == "__main__":
    main()
