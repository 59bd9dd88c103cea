"""What it costs to publish a section of which one article is new, beside feedgen and gzip -6.

    python bench/render.py [--entries 50] [--words 300] [--rounds 9] [--seed 1]

Both sides give the same section in RSS, Atom and JSON, each as it is and gzipped. The other side is feedgen by its own
means (its public calls and its dc extension), `json` for JSON Feed, and zlib at level 6, everything from the beginning.
Ours is `publish`'s way: three fragments of the new article, frames and stored fragments joined, ISA-L. CPU time of this
process, in turns, median of the rounds. Before timing, joined documents are compared with whole ones, byte for byte.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import brotli
from feedgen.feed import FeedGenerator
from isal import igzip

from feeds.frames import assemble, feed_urn
from feeds.model import FORMATS, Article, Format
from feeds.parsed import Category, Person
from feeds.render import DeskContext, SectionContext, check_fragment, compress, render_fragments, render_frame
from tests.render.documents import render_document, whole_document
from tests.validator import check

TARGET = 15
START = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
DESK = DeskContext(base_url="https://wire.example.org", title="The Wire")
SECTION = SectionContext(
    path="news/world", title="World", description="All of it", base_url=DESK.base_url, desk_title="The Wire"
)
FEED_ID = feed_urn("bench", SECTION.path)
SYLLABLES = "ka lo mi ren tas vel dor shi pu gan fer ost ly bra cen dia mor nex qui sol tur wen yar zim".split()


def articles(entries: int, words: int, seed: int) -> list[Article]:
    """Made-up articles; word frequencies fall as in prose, so that they compress about as prose does."""
    dice = random.Random(seed)
    vocabulary = ["".join(dice.choices(SYLLABLES, k=dice.randint(1, 4))) for _ in range(8000)]
    weights = [1 / rank for rank in range(1, len(vocabulary) + 1)]

    def prose(count: int) -> str:
        return " ".join(dice.choices(vocabulary, weights, k=count)).capitalize() + "."

    return [
        Article(
            uid=f"urn:uuid:00000000-0000-4000-8000-{number:012d}",
            link=f"https://example.org/{number}/{'-'.join(dice.choices(vocabulary, k=5))}",
            title=prose(9),
            summary=f"<p>{prose(40)}</p>",
            content="".join(f"<p>{prose(50)}</p>" for _ in range(max(1, words // 50))),
            published=START - timedelta(minutes=number),
            updated=START - timedelta(minutes=number),
            rank_at=START - timedelta(minutes=number),
            authors=(Person(name=prose(2)),),
            categories=(Category(term=prose(1)), Category(term="World")),
            source_name="Example World",
            source_url="https://example.org/feed",
        )
        for number in range(entries)
    ]


def by_feedgen(stories: list[Article], format: Format) -> bytes:
    """The whole document as a user of feedgen makes it."""
    generator = FeedGenerator()
    generator.load_extension("dc")
    generator.id(FEED_ID)
    generator.title(SECTION.title)
    generator.link(href=SECTION.url(format), rel="self")
    generator.link(href=SECTION.url(), rel="alternate")
    generator.description(SECTION.description)
    generator.language("en")
    generator.updated(START)
    for story in stories:
        entry = generator.add_entry(order="append")
        entry.id(story.uid)
        entry.title(story.title)
        entry.link(href=story.link)
        entry.summary(story.summary, type="html")
        entry.content(story.content, type="html")
        entry.published(story.published)
        entry.updated(story.updated)
        entry.category([{"term": category.term} for category in story.categories])
        entry.source(story.source_url, story.source_name)
        if format == "rss":
            entry.dc.dc_creator([person.name for person in story.authors])
        else:
            entry.author([{"name": person.name} for person in story.authors])
    body: bytes = generator.rss_str() if format == "rss" else generator.atom_str()
    return body


def by_json(stories: list[Article]) -> bytes:
    """JSON Feed as a user of `json` makes it."""
    items = [
        {
            "id": story.uid,
            "url": story.link,
            "title": story.title,
            "summary": story.summary,
            "content_html": story.content,
            "date_published": story.published.isoformat(),
            "date_modified": story.updated.isoformat(),
            "authors": [{"name": person.name} for person in story.authors],
            "tags": [category.term for category in story.categories],
        }
        for story in stories
    ]
    feed = {"version": "https://jsonfeed.org/version/1.1", "title": SECTION.title, "items": items}
    return json.dumps(feed, ensure_ascii=False).encode()


def whole(stories: list[Article], format: Format) -> bytes:
    """One document the other way."""
    return by_json(stories) if format == "json" else by_feedgen(stories, format)


def joined(stored: dict[Format, list[bytes]], stories: list[Article], format: Format) -> bytes:
    """One document our way: the first article is new, the others' fragments are stored."""
    fragments = [*render_fragments(stories[:1], format, desk=DESK), *stored[format][1:]]
    return assemble(
        render_frame(SECTION, format),
        fragments,
        self_url=SECTION.url(format),
        alternate_url=SECTION.url(),
        title=SECTION.title,
        description=SECTION.description,
        updated=START,
        feed_id=FEED_ID,
    )


def measure(ways: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Milliseconds of CPU for each of *ways*, in turns; each is repeated until a turn takes 20 ms."""
    repeats = {}
    for name, way in ways.items():
        began = time.process_time()
        way()
        repeats[name] = max(1, min(50, int(0.02 / max(1e-6, time.process_time() - began))))
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            began = time.process_time()
            for _ in range(repeats[name]):
                way()
            spent[name].append((time.process_time() - began) / repeats[name] * 1000)
    return {name: median(times) for name, times in spent.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=50)
    parser.add_argument("--words", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    stories = articles(options.entries, options.words, options.seed)
    stored = {format: render_fragments(stories, format, desk=DESK) for format in FORMATS}
    bodies = {format: joined(stored, stories, format) for format in FORMATS}
    told = {"desk": DESK, "updated": START, "feed_id": FEED_ID}
    identical = all(bodies[f] == whole_document(SECTION, stories, f, **told) for f in FORMATS)
    problems = [problem for format in FORMATS for problem in check(bodies[format], format)]

    ways: dict[str, Callable[[], object]] = {}
    for format in FORMATS:
        theirs = whole(stories, format)
        body = bodies[format]
        ways[f"{format} feedgen whole"] = lambda f=format: whole(stories, f)
        ways[f"{format} gzip -6"] = lambda b=theirs: gzip.compress(b, 6)
        ways[f"{format} ours joined"] = lambda f=format: joined(stored, stories, f)
        ways[f"{format} ours fragment"] = lambda f=format: render_fragments(stories[:1], f, desk=DESK)
        ways[f"{format} ours gzip"] = lambda b=body: compress(b)
        ways[f"{format} ours whole"] = lambda f=format: render_document(SECTION, stories, f, **told)
        first = stored[format][0]
        ways[f"{format} ours check"] = lambda f=format, b=first: check_fragment(b, f, stories[0].uid)
    ways["all feedgen"] = lambda: [gzip.compress(whole(stories, format), 6) for format in FORMATS]
    ways["all ours"] = lambda: [compress(joined(stored, stories, format)) for format in FORMATS]
    spent = measure(ways, options.rounds)

    print(f"{options.entries} articles of {options.words} words, one new; CPU ms, median of {options.rounds} rounds\n")
    columns = ("feedgen whole", "gzip -6", "ours joined", "ours fragment", "ours gzip", "ours whole", "ours check")
    print("format     kB" + "".join(f"{name:>15}" for name in columns))
    for format in FORMATS:
        figures = "".join(f"{spent[f'{format} {name}']:15.3f}" for name in columns)
        print(f"{format:6}{len(bodies[format]) / 1000:7.0f}{figures}")
    ratio = spent["all feedgen"] / spent["all ours"]
    print(f"\nthree formats and their gzip: feedgen {spent['all feedgen']:.2f} ms, ours {spent['all ours']:.2f} ms")
    print(f"ratio {ratio:.1f} (target {TARGET}: {'met' if ratio >= TARGET else 'missed'})")
    print(f"joined documents byte-identical to whole ones: {'yes' if identical else 'NO'}")
    print(f"problems found by the validator: {len(problems)}")

    body = bodies["rss"]
    codings: dict[str, Callable[[], bytes]] = {"zlib -6": lambda: gzip.compress(body, 6, mtime=0)}
    codings |= {f"ISA-L -{level}": lambda n=level: igzip.compress(body, n, mtime=0) for level in range(4)}
    codings |= {f"brotli -{quality}": lambda n=quality: brotli.compress(body, quality=n) for quality in (1, 3, 4, 5)}
    times = measure(dict(codings), max(3, options.rounds // 2))
    print(f"\ncodings of the RSS document ({len(body) / 1000:.0f} kB)       ms    size   x zlib -6")
    for name, coding in codings.items():
        size = len(coding()) / len(body)
        print(f"  {name:34}{times[name]:9.3f} {size:7.1%} {times['zlib -6'] / times[name]:11.1f}")


if __name__ == "__main__":
    main()
