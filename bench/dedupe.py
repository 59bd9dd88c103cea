"""How well and how fast dedupe recognises copies, addresses and stories, beside the rules of other software.

    python bench/dedupe.py                       the development data: a part to tune on, a part to report, unseen edits
    python bench/dedupe_stories.py               stories alone: how steady they are, by order and by threshold
    python bench/dedupe.py scale [--articles N]  time and memory at 10^3, 10^5 (and N, say 1000000) articles
    python bench/dedupe.py neardup FILE --predictions OUT.jsonl
    python bench/dedupe.py urls    FILE --predictions OUT.jsonl
    python bench/dedupe.py stories FILE --predictions OUT.jsonl

FILE is JSON lines (also .gz): for neardup id, title, text and, to be scored, cluster; for urls a, b and same; for
stories id, title and, where there are, text, url, date or ts_ms, and story. OUT gets a line an item in the order of
the file: id and cluster; for urls a, b, same. Every row goes through `Deduper`, one after the other, as if each came
from another source, with the shipped defaults; gold labels are not looked at before scoring.

The cut of the development data: near copies by source (BBC business, politics, entertainment, BASIL and the odd
clusters of Reuters are reported), stories by a hash of the story's id, URL pairs by a hash of the host. Thresholds
were chosen on the other part. Unseen edits are those of `dedupe_edits.py`, made from the reported part.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from dedupe_digests import trials  # noqa: E402
from dedupe_edits import KINDS, STRESSES, held_out  # noqa: E402
from dedupe_peers import RULES  # noqa: E402
from dedupe_scale import scale  # noqa: E402

from feeds.comparable import comparable_url  # noqa: E402
from feeds.dedupe import Deduper, Stories, Window  # noqa: E402
from feeds.errors import UrlError  # noqa: E402
from feeds.model import Entry, Known  # noqa: E402
from feeds.text import plain, text_hash  # noqa: E402
from feeds.urls import host_of  # noqa: E402
from tests.development import SHARED_DATA, json_rows  # noqa: E402

Row = dict[str, Any]
Labels = list[str]
ARRIVED = datetime(2030, 1, 1, tzinfo=UTC)
"""Rows arrive in the order of the file and at once; their dates say when they were written."""
LENGTHS = ((0, 30), (30, 100), (100, 300), (300, 1 << 30))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="?", choices=("neardup", "urls", "stories", "scale"))
    parser.add_argument("file", nargs="?", type=Path)
    parser.add_argument("--predictions", type=Path)
    parser.add_argument("--articles", type=int, default=0, help="scale: also with so many articles in the window")
    asked = parser.parse_args()
    if asked.what == "scale":
        scale([1_000, 100_000] + ([asked.articles] if asked.articles else []))
    elif asked.what is None:
        development()
    else:
        if asked.file is None:
            parser.error("which FILE?")
        one_file(asked.what, json_rows(asked.file), asked.predictions)


# --------------------------------------------------------------------------- through the desk's own code


def entry_of(row: Row, number: int) -> Entry:
    text = plain(str(row.get("text") or ""))
    title = plain(str(row.get("title") or ""))
    try:
        address = comparable_url(str(row["url"])) if row.get("url") else None
    except UrlError:
        address = None
    return Entry(
        key=f"row {number}",
        comparable=address,
        title=title,
        text=text,
        text_hash=text_hash(text),
        content_hash=zlib.crc32(f"{title}\n{text}".encode()),
        published=when(row),
    )


def when(row: Row) -> datetime | None:
    if row.get("ts_ms"):
        return datetime.fromtimestamp(float(row["ts_ms"]) / 1000, UTC)
    text = str(row.get("date") or "")
    if not text:
        return None
    for form in (text, f"{text[:-2]}:{text[-2:]}", text[:10]):
        try:
            found = datetime.fromisoformat(form)
        except ValueError:
            continue
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    return None


class Desk:
    """What stands between rows and decisions: the window, the stories, and the two tables of the store."""

    def __init__(self) -> None:
        self.window = Window()
        self.stories = Stories()
        self._by_text: dict[int, str] = {}
        self._by_comparable: dict[str, str] = {}
        self._known = Known(by_text=self._by_text, by_comparable=self._by_comparable)
        self._story_of: dict[str, str] = {}
        self._became: dict[str, str] = {}
        self._made = 0
        self.seconds = 0.0
        self.why: list[str] = []
        self.related: set[tuple[str, str]] = set()
        """Pairs of articles, of which the first contains the second."""

    def run(self, rows: Sequence[Row]) -> Labels:
        labels = []
        for number, row in enumerate(rows):
            entry = entry_of(row, number)
            start = time.process_time()
            deduper = Deduper(self._known, now=ARRIVED, window=self.window, stories=self.stories, uid=self._uid)
            (decision,) = deduper.decide_all([(number + 1, [entry])])[0]
            self.seconds += time.process_time() - start
            uid = decision.article_uid
            if entry.text_hash:
                self._by_text.setdefault(entry.text_hash, uid)
            if entry.comparable:
                self._by_comparable.setdefault(entry.comparable, uid)
            if decision.story_uid is not None:
                self._story_of.setdefault(uid, decision.story_uid)
            self._story_of.update(deduper.moved)
            self._became.update(deduper.merged)
            self.related |= {(uid, part) for part in decision.parts} | {(whole, uid) for whole in decision.wholes}
            self.why.append("; ".join(f"{one.kind} {one.detail} {one.score}" for one in decision.evidence))
            labels.append(uid)
        return labels

    def stories_of(self, labels: Labels) -> Labels:
        return [self._final(self._story_of.get(uid, uid)) for uid in labels]

    def _final(self, story: str) -> str:
        while story in self._became:
            story = self._became[story]
        return story

    def _uid(self) -> str:
        self._made += 1
        return UUID(int=self._made).urn


def find_copies(rows: Sequence[Row]) -> Labels:
    return Desk().run(rows)


def find_stories(rows: Sequence[Row]) -> Labels:
    desk = Desk()
    return desk.stories_of(desk.run(rows))


def same_address(row: Row) -> bool:
    try:
        return comparable_url(str(row["a"])) == comparable_url(str(row["b"]))
    except UrlError:
        return False


# --------------------------------------------------------------------------- scores


def pairwise(gold: Labels, found: Labels) -> tuple[float, float, float]:
    def pairs(counts: Iterable[int]) -> int:
        return sum(count * (count - 1) // 2 for count in counts)

    both = pairs(Counter(zip(gold, found, strict=True)).values())
    precision = both / (pairs(Counter(found).values()) or 1) if pairs(Counter(found).values()) else 1.0
    recall = both / (pairs(Counter(gold).values()) or 1)
    return precision, recall, _f1(precision, recall)


def b_cubed(gold: Labels, found: Labels) -> tuple[float, float, float]:
    golds, founds, both = Counter(gold), Counter(found), Counter(zip(gold, found, strict=True))
    precision = sum(count * count / founds[label] for (_, label), count in both.items()) / len(gold)
    recall = sum(count * count / golds[label] for (label, _), count in both.items()) / len(gold)
    return precision, recall, _f1(precision, recall)


def _f1(precision: float, recall: float) -> float:
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def told(scores: tuple[float, float, float]) -> str:
    return "  ".join(f"{name} {score:.4f}" for name, score in zip("PRF", scores, strict=True))


def report(name: str, rows: Sequence[Row], gold: str, found: Labels, seconds: float) -> None:
    labels = [str(row[gold]) for row in rows]
    cost = f"{1000 * seconds / max(1, len(rows)):.2f} ms" if seconds else ""
    print(f"  {name:<16} pairs {told(pairwise(labels, found))}   B-cubed {told(b_cubed(labels, found))}   {cost}")


def by_length(rows: Sequence[Row], gold: str, found: Labels) -> None:
    """Only rows whose own text has such a length; pairs among them."""
    for low, high in LENGTHS:
        some = [at for at, row in enumerate(rows) if low <= len(str(row.get("text") or "").split()) < high]
        if len(some) > 20:
            labels, mine = [str(rows[at][gold]) for at in some], [found[at] for at in some]
            upto = f"to {high}" if high < 1 << 30 else "on"
            print(f"    {low:>4} {upto:<6} words, {len(some):>5} rows: pairs {told(pairwise(labels, mine))}")


def judge(rows: Sequence[Row], gold: str, *, stories: bool = False, peers: bool = True, lengths: bool = True) -> Labels:
    desk = Desk()
    found = desk.run(rows)
    if stories:
        found = desk.stories_of(found)
    report("wiredesk", rows, gold, found, desk.seconds)
    if lengths:
        by_length(rows, gold, found)
    if peers:
        for name, rule in RULES.items():
            start = time.process_time()
            labels = rule(rows)
            report(name, rows, gold, labels, time.process_time() - start)
    return found


def judge_urls(rows: Sequence[Row]) -> list[bool]:
    start = time.process_time()
    found = [same_address(row) for row in rows]
    cost = (time.process_time() - start) / max(1, len(rows)) / 2
    right = sum(one and row["same"] for one, row in zip(found, rows, strict=True))
    wrong = [row for one, row in zip(found, rows, strict=True) if one and not row["same"]]
    missed = Counter(row.get("family", "") for one, row in zip(found, rows, strict=True) if not one and row["same"])
    same = sum(bool(row["same"]) for row in rows)
    print(
        f"  wiredesk         false merges {len(wrong)} of {len(rows) - same}, recall {right / max(1, same):.4f}", end=""
    )
    print(f"   {1e6 * cost:.0f} µs an address   missed: {dict(missed) or 'none'}")
    return found


def judge_digests(rows: Sequence[Row]) -> None:
    """Of every kind of trial how many came out right, and how many parts were told to be such."""
    right: Counter[str] = Counter()
    every: Counter[str] = Counter()
    told, parts, wrong = 0, 0, 0
    for kind, arriving in trials(rows):
        desk = Desk()
        found = desk.run(arriving)
        every[kind] += 1
        right[kind] += len(set(found)) == len(found)
        digest = next(uid for uid, row in zip(found, arriving, strict=True) if row["id"] == "digest")
        told += sum(whole == digest for whole, _ in desk.related)
        wrong += sum(whole != digest for whole, _ in desk.related)
        parts += len(arriving) - 1
    print(f"digests: {sum(every.values())} trials")
    print(f"  right {sum(right.values())}; parts told to be such {told} of {parts}, others {wrong}")
    print(
        "  not all right: "
        + (", ".join(f"{kind} {right[kind]}/{n}" for kind, n in every.items() if right[kind] < n) or "none")
    )


# --------------------------------------------------------------------------- what the command line asks


def one_file(what: str, rows: list[Row], predictions: Path | None) -> None:
    print(f"{what}: {len(rows)} rows")
    if what == "urls":
        scored = all("same" in row for row in rows)
        same = judge_urls(rows) if scored else [same_address(row) for row in rows]
        lines: list[Row] = [{"a": row["a"], "b": row["b"], "same": one} for row, one in zip(rows, same, strict=True)]
    else:
        gold = "cluster" if what == "neardup" else "story"
        if rows and all(gold in row for row in rows):
            found = judge(rows, gold, stories=what == "stories")
        else:
            found = find_copies(rows) if what == "neardup" else find_stories(rows)
        ids = [row.get("id", number) for number, row in enumerate(rows)]
        lines = [{"id": id_, "cluster": label} for id_, label in zip(ids, found, strict=True)]
    if predictions is not None:
        predictions.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
        print(f"  written: {predictions}")


def development() -> None:
    if not SHARED_DATA.is_dir():
        sys.exit(f"no development data at {SHARED_DATA}; name its folder in WIREDESK_SHARED_DATA")
    pairs = json_rows(SHARED_DATA / "neardup/url_pairs.jsonl.gz")
    for part in ("tune", "report"):
        some = [row for row in pairs if (zlib.crc32(host_of(row["a"]).encode()) % 2 == 0) == (part == "tune")]
        print(f"URL pairs, {part}: {len(some)}")
        judge_urls(some)
    copies = json_rows(SHARED_DATA / "neardup/neardup_dev.jsonl.gz")
    for part in ("tune", "report"):
        some = [row for row in copies if _copies_part(row) == part]
        print(f"near copies, {part}: {len(some)}")
        found = judge(some, "cluster")
        _template_briefs(some, found)
    edited = held_out([row for row in copies if _copies_part(row) == "report"])
    print(f"near copies, {len(KINDS)} unseen kinds of edits: {len(edited)}")
    _by_kind(edited, judge(edited, "cluster"))
    stressed = held_out([row for row in copies if _copies_part(row) == "report"], seed=3, edits=STRESSES)
    print(f"near copies, {len(STRESSES)} harder kinds: {len(stressed)}")
    _by_kind(stressed, judge(stressed, "cluster"))
    judge_digests(copies)
    sets = {
        name: json_rows(SHARED_DATA / f"stories/{file}.jsonl.gz")
        for name, file in {
            "Wikinews": "wikinews_events_dev",
            "BASIL": "basil_triples_dev",
            "AllSides dated": "allsides_dated_dev",
            "UCI headlines": "uci_aggregator_dev",
        }.items()
    }
    for part in ("tune", "report"):
        cut = {
            name: [row for row in rows if (zlib.crc32(row["story"].encode()) % 2 == 0) == (part == "tune")]
            for name, rows in sets.items()
        }
        mixed = [row for rows in cut.values() for row in rows]
        random.Random(7).shuffle(mixed)
        for name, rows in {**cut, "mixed": mixed}.items():
            print(f"stories, {name}, {part}: {len(rows)}")
            judge(rows, "story", stories=True, peers=part == "report", lengths=False)


def _copies_part(row: Row) -> str:
    source = row["source"]
    if source.startswith("reuters"):
        return "report" if int(row["cluster"][1:]) % 2 else "tune"
    return "report" if source in ("bbc-business", "bbc-politics", "bbc-entertainment", "basil") else "tune"


def _template_briefs(rows: Sequence[Row], found: Labels) -> None:
    first: dict[str, Row] = {}
    wrong = []
    for row, label in zip(rows, found, strict=True):
        other = first.setdefault(label, row)
        if other["cluster"] != row["cluster"] and "reuters-template" in (row["source"], other["source"]):
            wrong.append(f"{other['id']} and {row['id']}")
    briefs = sum(row["source"] == "reuters-template" for row in rows)
    print(f"  template briefs: {briefs}, merged: {wrong or 'none'}")


def _by_kind(rows: Sequence[Row], found: Labels) -> None:
    """For each kind the part of its copies that are with most of their cluster."""
    members: defaultdict[str, list[int]] = defaultdict(list)
    for at, row in enumerate(rows):
        members[row["cluster"]].append(at)
    every: Counter[str] = Counter()
    home: Counter[str] = Counter()
    for places in members.values():
        label = Counter(found[at] for at in places).most_common(1)[0][0]
        for at in places:
            for kind in rows[at]["kinds"]:
                every[kind] += 1
                home[kind] += found[at] == label
    print("  found by kind: " + ", ".join(f"{kind} {home[kind] / every[kind]:.3f}" for kind in sorted(every)))


if __name__ == "__main__":
    main()
