"""What reading a feed costs: the desk's `parse` beside feedparser and fastfeedparser, on real feeds, in one run.

    python bench/parse.py --data DIR [--rounds N] [--feeds N]

Needs requirements-dev.txt. DIR holds feeds as files or in archives (.tar.gz, .tar.xz). CPU time; methods interleaved
feed by feed; each figure is the median over the rounds of the sum over all feeds. feedparser's default includes its
sanitiser and the resolving of links in HTML; so ours are shown with the desk's own (`+ sanitised`: nh3 and resolving,
on every text of HTML) and with all that `normalise` does. Exits with 0 whatever the figures are.
"""

from __future__ import annotations

import argparse
import gc
import io
import statistics
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import fastfeedparser  # noqa: E402
import feedparser  # noqa: E402

from feeds.configuration import Source  # noqa: E402
from feeds.errors import ParseError  # noqa: E402
from feeds.ingest.bodies import body_hash  # noqa: E402
from feeds.normalise import normalise  # noqa: E402
from feeds.normalise.texts import sanitise  # noqa: E402
from feeds.parse import parse  # noqa: E402
from feeds.parsed import ParsedFeed  # noqa: E402
from tests.development import REAL_FEEDS, archived  # noqa: E402

URL = "http://feeds.example.org/news/index.xml"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SOURCE = Source(key="bench", name="Bench", kind="feed", target=URL, id=1)
TARGETS = {
    "unchanged body (hash)": 3000.0,
    "nothing new": 100.0,
    "one new entry + sanitised": 25.0,
    "first sight + sanitised": 2.0,
}


def documents(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file below *folder*, or in it where it is an archive; those that are no feed are left to the caller."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else [folder]
    for path in paths:
        if ".tar" in path.name:
            yield from archived(path)
        else:
            yield path.name, path.read_bytes()


def stored(feed: ParsedFeed) -> None:
    normalise(feed, source=SOURCE, url=URL, received_at=NOW, desk_language="en", desk_timezone="UTC")


def sanitised(feed: ParsedFeed) -> None:
    for entry in feed.entries:
        for text in (entry.title, entry.summary, entry.content):
            if text is not None and text.type != "text":
                sanitise(text.value, URL)


def cpu_s(work: Callable[[], object], repeats: int = 1) -> float:
    start = time.process_time_ns()
    for _ in range(repeats):
        work()
    return (time.process_time_ns() - start) / 1e9 / repeats


def fast(body: bytes) -> None:
    try:
        fastfeedparser.parse(body)
    except Exception:  # what it refuses counts with the time that the refusal took
        fast.refused += 1  # type: ignore[attr-defined]


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--data", type=Path, default=REAL_FEEDS)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--feeds", type=int, default=0, help="only so many feeds, evenly picked (0: all)")
    options = arguments.parse_args()
    if not options.data.exists():
        print(f"no data at {options.data}: give --data DIR", file=sys.stderr)
        return 0
    warnings.simplefilter("ignore")
    corpus: list[tuple[str, bytes, ParsedFeed]] = []
    refused = 0
    for name, body in documents(options.data):
        try:
            feed = parse(body, url=URL)
        except ParseError:
            refused += 1
            continue
        if feed.entries and not feed.kind.startswith("json"):
            corpus.append((name, body, feed))
    if options.feeds:
        corpus = corpus[:: max(1, len(corpus) // options.feeds)][: options.feeds]
    if not corpus:
        print("no XML feed with entries in the data")
        return 0
    size = sum(len(body) for _, body, _ in corpus)
    count = sum(len(feed.entries) for _, _, feed in corpus)
    print(f"{len(corpus)} feeds, {size / 1e6:.1f} MB, {count} entries; {refused} documents of the data are no feeds")
    report_fallbacks(corpus)
    run(corpus, options.rounds)
    run_fallbacks(corpus)
    return 0


def report_fallbacks(corpus: list[tuple[str, bytes, ParsedFeed]]) -> None:
    several = [(body, feed) for _, body, feed in corpus if len(feed.entries) > 1]
    whole = sum(not parse(body, url=URL, known_items=frozenset(feed.item_hashes[1:])).skipped for body, feed in several)
    loose = sum(any("not well-formed" in warning for warning in feed.warnings) for _, feed in several)
    print(
        f"read whole although one entry is new: {whole} of {len(several)} ({whole / max(len(several), 1):.1%})", end=""
    )
    print(f", target < 2 %; malformed beyond mending: {loose}")


def run(corpus: list[tuple[str, bytes, ParsedFeed]], rounds: int) -> None:
    fast.refused = 0  # type: ignore[attr-defined]
    methods: dict[str, Callable[[bytes, ParsedFeed], float]] = {
        "feedparser": lambda body, feed: cpu_s(lambda: feedparser.parse(io.BytesIO(body))),
        "feedparser, no sanitising, no resolving": lambda body, feed: cpu_s(
            lambda: feedparser.parse(io.BytesIO(body), sanitize_html=False, resolve_relative_uris=False)
        ),
        "fastfeedparser": lambda body, feed: cpu_s(lambda: fast(body)),
        "unchanged body (hash)": lambda body, feed: cpu_s(lambda: body_hash(body), 50),
        "nothing new": lambda body, feed: cpu_s(_poll(body, feed.item_hashes, _nothing), 10),
        "one new entry": lambda body, feed: cpu_s(_poll(body, feed.item_hashes[1:], _nothing), 2),
        "one new entry + sanitised": lambda body, feed: cpu_s(_poll(body, feed.item_hashes[1:], sanitised), 2),
        "one new entry + normalised": lambda body, feed: cpu_s(_poll(body, feed.item_hashes[1:], stored), 2),
        "first sight": lambda body, feed: cpu_s(_poll(body, (), _nothing)),
        "first sight + sanitised": lambda body, feed: cpu_s(_poll(body, (), sanitised)),
        "first sight + normalised": lambda body, feed: cpu_s(_poll(body, (), stored)),
    }
    totals: dict[str, list[float]] = {name: [] for name in methods}
    gc.collect()
    for _ in range(rounds):
        spent = dict.fromkeys(methods, 0.0)
        for _, body, feed in corpus:
            for name, method in methods.items():
                spent[name] += method(body, feed)
        for name, seconds in spent.items():
            totals[name].append(seconds)
    print(f"\n{'method':42} {'ms a feed':>10} {'x feedparser':>13} {'target':>8}")
    for name, seconds in totals.items():
        ratio = statistics.median(base / own for base, own in zip(totals["feedparser"], seconds, strict=True))
        target = f">= {TARGETS[name]:,.0f}" if name in TARGETS else ""
        missed = " MISSED" if name in TARGETS and ratio < TARGETS[name] else ""
        print(f"{name:42} {statistics.median(seconds) * 1000 / len(corpus):10.4f} {ratio:13,.1f} {target:>8}{missed}")
    print(f"fastfeedparser refused {fast.refused // rounds} of them")  # type: ignore[attr-defined]


def _poll(body: bytes, known: tuple[int, ...], after: Callable[[ParsedFeed], None]) -> Callable[[], None]:
    known_items = frozenset(known)
    return lambda: after(parse(body, url=URL, known_items=known_items))


def _nothing(feed: ParsedFeed) -> None:
    """What follows where the parser alone is measured."""


def run_fallbacks(corpus: list[tuple[str, bytes, ParsedFeed]]) -> None:
    """The price of a fall-back: every feed, made malformed in its last item, beside plain parses of the same bytes."""
    spent = {"fall-back": 0.0, "ours": 0.0, "feedparser": 0.0}
    count = 0
    for _, body, feed in corpus:
        end = max(body.rfind(b"</item>"), body.rfind(b"</entry>"))
        broken = body[:end] + b"<broken>" + body[end:]
        known = frozenset(feed.item_hashes[1:])
        if not known or end < 0 or parse(broken, url=URL, known_items=known).skipped:
            continue
        count += 1
        for _ in range(2):
            spent["fall-back"] += cpu_s(partial(parse, broken, url=URL, known_items=known))
            spent["ours"] += cpu_s(partial(parse, broken, url=URL))
            spent["feedparser"] += cpu_s(
                lambda broken=broken: feedparser.parse(  # type: ignore[misc]
                    io.BytesIO(broken), sanitize_html=False, resolve_relative_uris=False
                )
            )
    if count:
        ours, plain = (spent["fall-back"] / spent[name] for name in ("ours", "feedparser"))
        print(
            f"a fall-back ({count} feeds, each broken on purpose) costs {ours:.2f} of our own parse without known items"
        )
        print(f"and {plain:.2f} of feedparser's without sanitising and resolving, target <= 1.1")


if __name__ == "__main__":
    raise SystemExit(main())
