"""How long news takes through a running desk: origin → document → subscriber of the hub, and what it costs.

    python bench/latency.py [--rounds 20] [--root CHECKOUT] [--postgres]

`wiredesk run` polls one source once a second. Each round it publishes an article of 300 words, which goes into two
sections of fifty. Counted from the moment at which the source has given its new document: until the section's
JSON document shows it, asked every ten milliseconds, and until a WebSub subscriber of that document has it. Median and
worst of the rounds. Then as many rounds in which nobody asks: CPU of all processes of the desk, what it uses at rest,
polls included, taken off. With *--postgres* the desk is on a PostgreSQL, whose CPU does not count, and has a hand.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parent))

from running import ROOT, Origin, Running, usage

from tests.e2e.desk import until
from tests.hub.subscriber import Subscriber
from tests.store import postgres

MOST_DOCUMENT_S, MOST_MORE_S, MOST_CPU_MS = 0.3, 0.1, 40.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--root", type=Path, default=ROOT, help="the checkout whose desk is run")
    parser.add_argument("--postgres", action="store_true")
    chosen = parser.parse_args()
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-latency-"))
        origin, subscriber = stack.enter_context(Origin()), stack.enter_context(Subscriber())
        database = stack.enter_context(postgres.running()) if chosen.postgres else ""
        origin.publish(50)
        with Running(Path(folder), chosen.root, database) as desk:
            source = {"name": "Origin", "url": origin.url, "section": "news/world", "interval_s": 1}
            desk.write(sources=[source], desk={"poll": {"first_s": 1, "floor_s": 1, "gap_s": 0}})
            desk.run()
            until(lambda: desk.items("/news/world.json"), 60, "the first articles")
            answered = subscriber.subscribe(f"{desk.base_url}/websub", f"{desk.base_url}/news/world.json")
            assert answered.status == 202, answered.body
            until(lambda: subscriber.verified, 30, "the subscription")
            time.sleep(5)  # what is sent to a new subscriber
            idle = _cpu_s(desk)
            began = time.monotonic()
            time.sleep(10)
            rest = (_cpu_s(desk) - idle) / (time.monotonic() - began)
            times = [_round(desk, origin, subscriber) for _ in range(chosen.rounds)]
            before, began = _cpu_s(desk), time.monotonic()
            for _ in range(chosen.rounds):
                _round(desk, origin, subscriber, ask=False)
            cpu_ms = (_cpu_s(desk) - before - rest * (time.monotonic() - began)) * 1000 / chosen.rounds
    shown, pushed = ([each[place] for each in times] for place in (0, 1))
    more = median(pushed) - median(shown)
    print(f"{chosen.rounds} articles, one a round, from the moment at which the source has given its document")
    for name, found, late, most in (
        ("in the document", shown, median(shown), MOST_DOCUMENT_S),
        ("at the subscriber", pushed, more, MOST_MORE_S),
    ):
        print(f"{name:18} p50 {median(found):6.3f} s, worst {max(found):6.3f} s; {late:.3f}: {_verdict(late, most)}")
    print(f"CPU an article     {cpu_ms:.1f} ms: {_verdict(cpu_ms, MOST_CPU_MS)}")


def _round(desk: Running, origin: Origin, subscriber: Subscriber, *, ask: bool = True) -> tuple[float, float]:
    """Seconds from the source's answer to the document, where that is to be asked for, and to the subscriber."""
    origin.publish()
    count, title = len(origin.titles), origin.titles[-1].encode()
    while count not in origin.given:
        time.sleep(0.005)
    given = origin.given[count]
    while ask and title not in desk.get("/news/world.json").body:
        assert time.monotonic() < given + 60, "the article did not come"
        time.sleep(0.01)
    shown = time.monotonic() - given
    until(lambda: any(title in each.body for each in subscriber.deliveries), 60, "the delivery")
    pushed = min(each.at for each in subscriber.deliveries if title in each.body) - given
    time.sleep(0.7)
    return shown, pushed


def _cpu_s(desk: Running) -> float:
    return sum(usage(pid).cpu_s for pid in desk.pids())


def _verdict(value: float, most: float) -> str:
    return f"at most {most:g}, {'met' if value <= most else 'missed'}"


if __name__ == "__main__":
    main()
