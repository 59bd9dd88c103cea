"""Who sees articles sooner at the same number of requests: real posting times, replayed to each rule of asking.

    python bench/cadence.py [--traces DIR] [--budget 1.0] [--part all|tune|report]

Ours runs through `feeds.fetch.cadence.plan` with the shipped settings, which gives the number of requests. Every
other rule is written from its described behaviour, and its intervals are then stretched or shrunk, with its own floor
and ceiling, until it asks as often (within 1 %). All see the same: what a document held when it was asked for.

Rules: *uniform*, one interval for all; *fixed*, what an admin who has read its dates would write (half an hour, one,
six, twelve or twenty-four hours by posts a day); *weekly count* (Miniflux); *stories a month* (NewsBlur); *duplicate
share* (Media Cloud). Beside them two that no rule can be: *known rates*, the closed formula with every feed's
true rate, and *clairvoyant*, who asks right after posts and, where requests run out, lets the cheapest posts wait.
"""

from __future__ import annotations

import argparse
import hashlib
import heapq
import math
import random
import statistics
import sys
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from feeds.configuration import PollSettings
from feeds.fetch.cadence import plan
from feeds.fetch.rhythm import Poll
from tests.development import SHARED_DATA, json_rows

DAY_S, HOUR_S = 86400.0, 3600.0
LONGEST_DAYS = 365.0
"""What is replayed of a feed at most: a personal feed's dates may reach back ten years."""
KNOWN_SHARE = 0.25
"""Share of a feed's dates that its first document shows; with them every rule begins."""


@dataclass
class Feed:
    """One feed's posting times in epoch seconds, sorted; asked from *start* to *end*, showing the newest *window*."""

    name: str
    group: str
    posts: list[float]
    window: int
    start: float
    end: float

    @property
    def replayed(self) -> list[float]:
        return self.posts[bisect_right(self.posts, self.start) : bisect_right(self.posts, self.end)]


@dataclass
class Seen:
    """What a rule may look at after a poll: *new* dates of this poll, *known* dates so far."""

    now: float
    first: bool
    new: list[float]
    shown: int
    known: list[float]
    interval_s: float
    previous: float


Rule = Callable[[Seen, dict[str, object]], float]
"""Gives the interval until the next poll; the dictionary is its memory of this feed."""


@dataclass
class Outcome:
    """What a rule came to over some feeds."""

    requests: int = 0
    delays: list[float] = field(default_factory=list)
    missed: int = 0
    missed_posts: set[tuple[str, int]] = field(default_factory=set)
    by_feed: dict[str, tuple[int, float]] = field(default_factory=dict)

    @property
    def mean(self) -> float:
        return statistics.fmean(self.delays) if self.delays else 0.0

    def share(self, part: float) -> float:
        ordered = sorted(self.delays)
        return ordered[min(int(part * len(ordered)), len(ordered) - 1)] if ordered else 0.0


# --------------------------------------------------------------------------- replay


def replay(feeds: Iterable[Feed], rule: Rule, scale: float = 1.0) -> Outcome:
    """Ask every feed as *rule* says, each interval times *scale*."""
    outcome = Outcome()
    for feed in feeds:
        memory: dict[str, object] = {"name": feed.name}
        posts, now, previous, count = feed.posts, feed.start, 0.0, 0
        seen_to = max(bisect_right(posts, feed.start) - feed.window, 0)
        first, interval, requests, total = True, 0.0, 0, 0.0
        while now <= feed.end:
            requests += 1
            upto = bisect_right(posts, now)
            oldest = max(upto - feed.window, 0)
            if not first:
                for lost in range(seen_to, oldest):
                    outcome.missed += 1
                    outcome.missed_posts.add((feed.name, lost))
                for at in range(max(seen_to, oldest), upto):
                    outcome.delays.append(now - posts[at])
                    total += now - posts[at]
                    count += 1
            new = posts[max(seen_to, oldest) : upto]
            seen = Seen(now, first, new, upto - oldest, posts[max(upto - 1000, 0) : upto], interval, previous)
            previous = now
            interval = max(rule(seen, memory) * scale, 1.0)
            now += interval
            first, seen_to = False, upto
        outcome.requests += requests
        outcome.by_feed[feed.name] = (requests, total / count if count else math.nan)
    return outcome


def at_requests(feeds: list[Feed], rule: Rule, wanted: int) -> tuple[Outcome, float]:
    """The outcome of *rule* at that scale of its intervals at which it asks *wanted* times, within 1 %."""
    low, high = 0.01, 100.0
    outcome, scale = Outcome(), 1.0
    for _ in range(60):
        scale = math.sqrt(low * high)
        outcome = replay(feeds, rule, scale)
        if abs(outcome.requests - wanted) <= wanted * 0.01:
            break
        low, high = (scale, high) if outcome.requests > wanted else (low, scale)
    return outcome, scale


# --------------------------------------------------------------------------- rules


def ours(settings: PollSettings, seed: int = 1) -> Rule:
    dice = random.Random(seed)

    def rule(seen: Seen, memory: dict[str, object]) -> float:
        poll = Poll(
            at=datetime.fromtimestamp(seen.now, UTC),
            outcome="new" if seen.new else "not-modified",
            new=len(seen.new),
            window=seen.shown if seen.new else 0,
            first=seen.first,
            published=tuple(datetime.fromtimestamp(date, UTC) for date in seen.new),
        )
        chosen = plan(
            poll,
            interval_s=seen.interval_s or None,
            memory=str(memory.get("memory", "")),
            settings=settings,
            jitter=dice.random(),
        )
        memory["memory"] = chosen.memory
        return (chosen.next_poll_at - poll.at).total_seconds()

    return rule


def uniform(seen: Seen, memory: dict[str, object]) -> float:
    return HOUR_S


def fixed(seen: Seen, memory: dict[str, object]) -> float:
    """Intervals as people write them, chosen once from what the first document shows."""
    if "interval" not in memory:
        # The newest half of the dates: the oldest ones may be strays from years ago.
        newer = seen.known[len(seen.known) // 2 :]
        rate = len(newer) / max((seen.now - newer[0]) / DAY_S, 0.1) if newer else 0.1
        memory["interval"] = next(
            hours * HOUR_S for least, hours in ((24, 0.5), (5, 1), (1, 6), (0.2, 12), (0, 24)) if rate >= least
        )
    return float(memory["interval"])  # type: ignore[arg-type]


def weekly_count(seen: Seen, memory: dict[str, object]) -> float:
    """A week over the entries of the last week, from five minutes to a day; a day where there were none (Miniflux)."""
    count = len(seen.known) - bisect_right(seen.known, seen.now - 7 * DAY_S)
    return min(max(7 * DAY_S / count, 300.0), DAY_S) if count else DAY_S


def stories_a_month(seen: Seen, memory: dict[str, object]) -> float:
    """By stories a day over the last month, slower by the months that a feed was idle (NewsBlur, one subscriber)."""
    a_day = (len(seen.known) - bisect_right(seen.known, seen.now - 30 * DAY_S)) / 30
    if a_day >= 1:
        minutes = 60.0
    elif a_day > 0:
        minutes = 60.0 + 12 * 60 * (1 - a_day)
    else:
        idle = (seen.now - seen.known[-1]) / (30 * DAY_S) if seen.known else 1.0
        minutes = 24 * 60 * max(idle, 1.0)
    return minutes * 60


def duplicate_share(seen: Seen, memory: dict[str, object]) -> float:
    """Ten minutes more where over 67 % of a document was known, ten less below 33 % (Media Cloud)."""
    minutes = float(memory.get("minutes", 12 * 60.0))  # type: ignore[arg-type]
    if not seen.first and seen.shown:
        known = 1 - len(seen.new) / seen.shown
        minutes += 10 if known > 0.67 else -10 if known < 0.33 else 0
    memory["minutes"] = minutes = min(max(minutes, 10.0), 24 * 60.0)
    return minutes * 60


def known_rates(feeds: list[Feed]) -> Rule:
    """The closed formula: intervals as one over the square root of the true rate, the same all day."""
    rates = {feed.name: max(len(feed.replayed), 0.05) / max(feed.end - feed.start, 1.0) for feed in feeds}
    return lambda seen, memory: 10.0 / math.sqrt(rates[str(memory["name"])])


PEERS: dict[str, Rule] = {
    "fixed": fixed,
    "weekly count (Miniflux)": weekly_count,
    "stories a month (NewsBlur)": stories_a_month,
    "duplicate share (Media Cloud)": duplicate_share,
}


def clairvoyant(feeds: list[Feed], wanted: int) -> Outcome:
    """Polls right at posts; of more posts than requests, those wait for the next whose waiting costs least."""
    outcome = Outcome(requests=wanted)
    moments: list[tuple[str, list[list[float]]]] = [(f.name, [[p] for p in f.replayed]) for f in feeds]
    total = sum(len(groups) for _, groups in moments)
    # A group of posts is seen at its last one. Joining a group to the next costs the gap for each of its posts.
    heap: list[tuple[float, int, int, int]] = []
    after: list[list[int]] = []
    sizes: list[list[int]] = []
    for which, (_, groups) in enumerate(moments):
        after.append(list(range(1, len(groups) + 1)))
        sizes.append([1] * len(groups))
        for at in range(len(groups) - 1):
            heap.append((groups[at + 1][0] - groups[at][0], which, at, 1))
    heapq.heapify(heap)
    ends = [[group[0] for group in groups] for _, groups in moments]
    alive = [[True] * len(groups) for _, groups in moments]
    waited = 0.0
    while total > wanted and heap:
        cost, which, at, size = heapq.heappop(heap)
        if not alive[which][at] or sizes[which][at] != size:
            continue
        follower = after[which][at]
        alive[which][at] = False
        waited += cost
        total -= 1
        sizes[which][follower] += size
        beyond = after[which][follower]
        if beyond < len(ends[which]):
            gap = ends[which][beyond] - ends[which][follower]
            heapq.heappush(heap, (gap * sizes[which][follower], which, follower, sizes[which][follower]))
    count = sum(len(feed.replayed) for feed in feeds)
    outcome.delays = [waited / count] * count if count else []
    return outcome


# --------------------------------------------------------------------------- traces


def traces(folder: Path) -> list[Feed]:
    """The feeds of a folder of traces; what is not there is left out."""
    return [*_personal(folder), *_news(folder), *_publishers(folder)]


def _rows(path: Path) -> list[dict[str, Any]]:
    return json_rows(path) if path.exists() else []


def _personal(folder: Path) -> Iterator[Feed]:
    rows: list[tuple[str, list[float], int]] = []
    for row in _rows(folder / "real_feed_pubtimes.jsonl.gz"):
        posts = sorted(float(stamp) for stamp in row["published"] if 1e9 < stamp < 4e9)
        if len(posts) >= 4:
            rows.append((str(row["file"]), posts, int(row["n_entries"])))
    if not rows:
        return
    end = max(posts[-1] for _, posts, _ in rows) + HOUR_S
    for name, posts, window in rows:
        start = max(posts[int(len(posts) * KNOWN_SHARE)], end - LONGEST_DAYS * DAY_S)
        yield Feed(name, "personal and real feeds", posts, max(window, 1), start, end)


def _news(folder: Path) -> Iterator[Feed]:
    posts: defaultdict[str, list[float]] = defaultdict(list)
    polls: defaultdict[str, list[float]] = defaultdict(list)
    shown: defaultdict[str, list[int]] = defaultdict(list)
    for row in _rows(folder / "rss_poll_items.jsonl.gz"):
        if row["pub"]:
            posts[str(row["feed"])].append(float(row["pub"]))
    for row in _rows(folder / "rss_poll_log.jsonl.gz"):
        polls[str(row["feed"])].append(float(row["t"]))
        shown[str(row["feed"])].append(int(row["n_items"]))
    for name in sorted(posts):
        if polls[name]:
            window = int(statistics.median(shown[name]))
            yield Feed(name, "busy news feeds", sorted(posts[name]), max(window, 1), min(polls[name]), max(polls[name]))


def _publishers(folder: Path) -> Iterator[Feed]:
    rows = {
        str(row["publisher"]): sorted(stamp / 1000 for stamp in row["ts_ms"])
        for row in _rows(folder / "uci_publisher_times.jsonl.gz")
    }
    if not rows:
        return
    end = max(posts[-1] for posts in rows.values())
    for name, posts in sorted(rows.items()):
        if len(posts) >= 4:
            yield Feed(f"uci:{name}", "publishers over two days", posts, 20, posts[int(len(posts) * KNOWN_SHARE)], end)


def part_of(feeds: list[Feed], part: str) -> list[Feed]:
    """Half of the feeds, by their names; of a few long ones half of the time, for there are too few to halve."""
    if part == "all":
        return feeds
    chosen: list[Feed] = []
    for feed in feeds:
        if feed.group == "busy news feeds":
            middle = (feed.start + feed.end) / 2
            start, end = (feed.start, middle) if part == "tune" else (middle, feed.end)
            chosen.append(Feed(feed.name, feed.group, feed.posts, feed.window, start, end))
        elif (hashlib.sha256(feed.name.encode()).digest()[0] % 2 == 0) == (part == "tune"):
            chosen.append(feed)
    return chosen


# --------------------------------------------------------------------------- report


@dataclass
class Row:
    name: str
    outcome: Outcome
    peer: bool = False


def compare(feeds: list[Feed], settings: PollSettings) -> list[Row]:
    """Every rule over *feeds* at as many requests as ours makes."""
    mine = replay(feeds, ours(settings))
    rows = [Row("ours", mine), Row("uniform", at_requests(feeds, uniform, mine.requests)[0])]
    rows += [Row(name, at_requests(feeds, rule, mine.requests)[0], True) for name, rule in PEERS.items()]
    rows.append(Row("known rates", at_requests(feeds, known_rates(feeds), mine.requests)[0]))
    rows.append(Row("clairvoyant", clairvoyant(feeds, mine.requests)))
    return rows


def _time(seconds: float) -> str:
    for unit, size in (("d", DAY_S), ("h", HOUR_S), ("min", 60.0)):
        if seconds >= size:
            return f"{seconds / size:.2f} {unit}"
    return f"{seconds:.1f} s"


def tell(group: str, feeds: list[Feed], rows: list[Row]) -> None:
    by_name = {row.name: row.outcome for row in rows}
    mine, even = by_name["ours"], by_name["uniform"]
    best = min((row for row in rows if row.peer), key=lambda row: row.outcome.mean)
    caught = set.union(*({*mine.missed_posts} - row.outcome.missed_posts for row in rows if row.peer), set())
    print(f"\n{group}: {len(feeds)} feeds, {len(mine.delays) + mine.missed} articles")
    print(f"{'rule':32} {'requests':>9} {'mean':>10} {'median':>10} {'p95':>10} {'missed':>7} {'of uniform':>11}")
    for row in rows:
        o = row.outcome
        median, high = (_time(o.share(0.5)), _time(o.share(0.95))) if row.name != "clairvoyant" else ("-", "-")
        ratio = o.mean / even.mean if even.mean else 0.0
        print(f"{row.name:32} {o.requests:9} {_time(o.mean):>10} {median:>10} {high:>10} {o.missed:7} {ratio:11.2f}")
    print(
        f"ours / best peer ({best.name}): {mine.mean / best.outcome.mean:.2f}; "
        f"ours / uniform: {mine.mean / even.mean:.2f}; missed by ours, caught by a peer: {len(caught)}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--traces", type=Path, default=SHARED_DATA / "traces", help="a folder of traces")
    parser.add_argument("--budget", type=float, default=1.0, help="poll.first_s times this")
    parser.add_argument("--part", choices=("all", "tune", "report"), default="all")
    arguments = parser.parse_args()
    feeds = part_of(traces(arguments.traces), arguments.part)
    if not feeds:
        sys.exit(f"no traces in {arguments.traces}")
    shipped = PollSettings()
    settings = PollSettings(first_s=shipped.first_s * arguments.budget)
    groups: dict[str, list[Feed]] = defaultdict(list)
    for feed in feeds:
        groups[feed.group].append(feed)
    for group, members in groups.items():
        tell(group, members, compare(members, settings))


if __name__ == "__main__":
    main()
