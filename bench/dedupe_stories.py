"""How well stories are told, how much that depends on the order of arrival, and on the numbers chosen.

    python bench/dedupe_stories.py [--orders N]     all figures below, some minutes

1. The sets of events whole, each row as if from a source of its own: B-cubed F1.
2. The real desk (`realdesk/` of the development data): its feeds decided in N orders of sources, in batches as a first
   poll brings them; pair precision and recall by the labels there, mean and worst; of the pairs that two orders make,
   those that both make.
3. The same with each number of `feeds.dedupe.linking` a fifth lower and a fifth higher.
4. Cross-validation: of four parts of the events each is judged under the JOIN that is best on the three others.

Near copies are decided once; what arrives for stories is kept and placed again under each setting.
"""

from __future__ import annotations

import argparse
import importlib.util
import random
import statistics
import sys
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import combinations, count
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from dedupe import ARRIVED, b_cubed, entry_of  # noqa: E402

from feeds.configuration import Source  # noqa: E402
from feeds.dedupe import Deduper, Stories, Window, grouping, linking  # noqa: E402
from feeds.dedupe.grouping import Arriving, Placed  # noqa: E402
from feeds.ingest.placing import left_out  # noqa: E402
from feeds.ingest.reading import Job, read  # noqa: E402
from feeds.model import Entry, Known  # noqa: E402
from tests.development import REAL_FEEDS, SHARED_DATA, archived, json_rows  # noqa: E402

SETS = {
    "Wikinews": "wikinews_events_dev",
    "BASIL": "basil_triples_dev",
    "AllSides": "allsides_dated_dev",
    "UCI": "uci_aggregator_dev",
}
PARTS = 4
TAKEN = 40
"""Entries of each feed that the real desk publishes."""
AT_ONCE, ENTRIES_AT_ONCE = 20, 250
NUMBERS = ("JOIN", "FADE", "FEW", "OWN", "REST")
FACTORS = (0.8, 1.2)
JOINS = (0.8, 0.9, 1.0, 1.1, 1.2)

Batches = list[list[Arriving]]


class Recorder(Stories):
    """Stories that keep what arrived."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: Batches = []

    def place(self, arriving: Sequence[Arriving], *, now: datetime, uid: Callable[[], str]) -> Placed:
        self.batches.append(list(arriving))
        return super().place(arriving, now=now, uid=uid)


def recorded(batches: Sequence[Sequence[tuple[int, Sequence[Entry]]]]) -> tuple[Batches, list[str]]:
    """What arrives for stories of *batches* of (source id, entries), and the article of each entry in turn."""
    recorder, window, labels = Recorder(), Window(), list[str]()
    by_text, by_comparable = dict[int, str](), dict[str, str]()
    known = Known(by_text=by_text, by_comparable=by_comparable)
    for number, batch in enumerate(batches):
        now = ARRIVED + timedelta(milliseconds=number)
        for decisions in Deduper(known, now=now, window=window, stories=recorder).decide_all(batch):
            for decision in decisions:
                labels.append(decision.article_uid)
                if decision.entry.text_hash:
                    by_text.setdefault(decision.entry.text_hash, decision.article_uid)
                if decision.entry.comparable:
                    by_comparable.setdefault(decision.entry.comparable, decision.article_uid)
    return recorder.batches, labels


def told(batches: Batches) -> dict[str, str]:
    """article → story."""
    every, numbers, found = Stories(), count(), dict[str, str]()
    for at, batch in enumerate(batches):
        every.begin()
        placed = every.place(batch, now=ARRIVED + timedelta(milliseconds=at), uid=lambda: f"story {next(numbers)}")
        found |= placed.moved
        if placed.merged:
            found = {article: placed.merged.get(story, story) for article, story in found.items()}
        found |= {one.uid: joined.uid for one, joined in zip(batch, placed.joined, strict=True)}
    return found


@contextmanager
def numbers(**changed: Any) -> Iterator[None]:
    """Other *changed* numbers for a while."""
    before = {name: getattr(linking, name) for name in changed}
    for values in (changed, before):
        for name, value in values.items():
            for module in (linking, grouping):
                if hasattr(module, name):
                    setattr(module, name, value)
        if values is changed:
            yield


# --------------------------------------------------------------------------- sets of events


class Events:
    """A set of events, or a part of it, with what arrives of it."""

    def __init__(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self._gold = [str(row["story"]) for row in rows]
        entries = [entry_of(dict(row), number) for number, row in enumerate(rows)]
        self._batches, self._articles = recorded([[(number, [entry])] for number, entry in enumerate(entries, 1)])

    def score(self) -> float:
        story_of = told(self._batches)
        return b_cubed(self._gold, [story_of.get(article, article) for article in self._articles])[2]


def part_of(row: Mapping[str, Any]) -> int:
    return zlib.crc32(str(row["story"]).encode()) % PARTS


# --------------------------------------------------------------------------- the real desk


class RealDesk:
    """The labelled feeds, in several orders of sources."""

    def __init__(self, orders: int) -> None:
        spec = importlib.util.spec_from_file_location("realdesk_score", SHARED_DATA / "realdesk/score.py")
        assert spec is not None and spec.loader is not None
        self._judge = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(self._judge)
        self._labels = self._judge.Labels(SHARED_DATA / "realdesk/labels.jsonl")
        feeds = dict(self._feeds())
        self._orders = [self._order(feeds, seed) for seed in range(orders)]

    def _feeds(self) -> Iterator[tuple[str, tuple[Entry, ...]]]:
        for path, body in archived(REAL_FEEDS):
            name = Path(path).name
            url = f"https://feeds.example.org/{name}"
            job = Job(
                reader="feed",
                body=body,
                url=url,
                source=Source(key=name, name=name, kind="feed", target=url, id=1),
                received_at=ARRIVED,
                desk_language="en",
                desk_timezone="UTC",
            )
            yield name, read(job).entries

    def _order(self, feeds: Mapping[str, tuple[Entry, ...]], seed: int) -> tuple[Batches, list[dict[str, Any]]]:
        names = sorted(feeds)
        id_of = {name: number for number, name in enumerate(names, 1)}
        random.Random(seed).shuffle(names)
        batches: list[list[str]] = [[]]
        for name in names:
            held = sum(len(feeds[one]) for one in batches[-1])
            if len(batches[-1]) == AT_ONCE or (held and held + len(feeds[name]) > ENTRIES_AT_ONCE):
                batches.append([])
            batches[-1].append(name)
        arriving, labels = recorded([[(id_of[name], feeds[name]) for name in batch] for batch in batches])
        articles: dict[str, dict[str, Any]] = {}
        at = iter(labels)
        for name in names:
            out = {entry.position for entry in _left_out(feeds[name])}
            for entry in feeds[name]:
                article = articles.setdefault(uid := next(at), {"uid": uid, "entries": [], "shown": False})
                article["entries"].append({"feed": name, "link": entry.link or "", "title": entry.title})
                article["shown"] |= entry.position not in out
        return arriving, [article for article in articles.values() if article["shown"]]

    def score(self) -> tuple[dict[str, list[float]], list[float]]:
        """{figure: its value in each order}, and how much every two orders agree."""
        runs, pairs = list[dict[str, float]](), list[set[frozenset[Any]]]()
        for arriving, articles in self._orders:
            story_of = told(arriving)
            made = [article | {"story": story_of.get(article["uid"])} for article in articles]
            counted, _ = self._judge.count(made, self._labels)
            runs.append(self._judge.figures(counted))
            pairs.append(self._pairs(made))
        names = ("story precision", "of one source", "of several", "story recall", "recall of several", "false merges")
        agree = [len(one & other) / max(1, len(one | other)) for one, other in combinations(pairs, 2)]
        return {name: [float(run[name] or 0) for run in runs] for name in names}, agree

    def _pairs(self, made: Sequence[Mapping[str, Any]]) -> set[frozenset[Any]]:
        stories_: dict[str, list[Any]] = {}
        for article in made:
            if article["story"]:
                stories_.setdefault(article["story"], []).append(self._judge.name(article["entries"][0]))
        return {frozenset(pair) for names in stories_.values() for pair in combinations(names, 2)}


def _left_out(entries: Sequence[Entry]) -> list[Entry]:
    class First:
        first = True
        source = Source(key="a", name="A", kind="feed", target="https://feeds.example.org/a")

    return left_out(First(), entries, TAKEN)  # type: ignore[arg-type]


# --------------------------------------------------------------------------- what is told


def tell(name: str, sets: Mapping[str, Events], desk: RealDesk) -> None:
    scores = "  ".join(f"{each} {events.score():.3f}" for each, events in sets.items())
    figures, agree = desk.score()
    print(f"{name}\n  B-cubed: {scores}")
    for figure, values in figures.items():
        worst = max(values) if figure == "false merges" else min(values)
        print(f"  real desk, {figure}: {statistics.mean(values):.3f}, worst {worst:.3f}")
    if agree:
        print(f"  real desk, pairs that two orders both make: {statistics.mean(agree):.3f}, worst {min(agree):.3f}")
    sys.stdout.flush()


def cross_validate(sets: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Each part under the JOIN that is best on the others, over all sets together."""
    parts = {name: [Events([r for r in rows if part_of(r) == n]) for n in range(PARTS)] for name, rows in sets.items()}
    scores = {}
    for factor in JOINS:
        with numbers(JOIN=linking.JOIN * factor):
            scores[factor] = {name: [part.score() for part in each] for name, each in parts.items()}
    found: dict[str, list[float]] = {name: [] for name in parts}
    chosen = []
    for held in range(PARTS):
        others = {
            factor: statistics.mean(each[n] for each in of.values() for n in range(PARTS) if n != held)
            for factor, of in scores.items()
        }
        best = max(others, key=lambda factor: others[factor])
        chosen.append(round(best * linking.JOIN, 4))
        for name in parts:
            found[name].append(scores[best][name][held])
    print(f"cross-validation over {PARTS} parts, JOIN chosen on the others: {chosen}")
    print("  " + "  ".join(f"{name} {statistics.mean(of):.3f}, worst {min(of):.3f}" for name, of in found.items()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=6, help="orders of sources in which the real desk is decided")
    asked = parser.parse_args()
    if not SHARED_DATA.is_dir():
        sys.exit(f"no development data at {SHARED_DATA}; name its folder in WIREDESK_SHARED_DATA")
    rows = {name: json_rows(SHARED_DATA / f"stories/{file}.jsonl.gz") for name, file in SETS.items()}
    sets, desk = {name: Events(each) for name, each in rows.items()}, RealDesk(asked.orders)
    tell("as shipped", sets, desk)
    for name in NUMBERS:
        for factor in FACTORS:
            value = getattr(linking, name) * factor
            with numbers(**{name: value}):
                tell(f"{name} {value}", sets, desk)
    for value in (1, 3):
        with numbers(NEAREST=value):
            tell(f"NEAREST {value}", sets, desk)
    cross_validate(rows)


if __name__ == "__main__":
    main()
