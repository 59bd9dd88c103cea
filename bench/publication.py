"""What one new article in two sections costs to publish, whole, beside feedgen and gzip -6 making the same documents.

    python bench/publication.py [--entries 50] [--words 300] [--rounds 15] [--profile 25]

A SQLite desk has the section `news` and the whole desk, each full. Every round saves one article, which is not counted,
and then publishes: from the look for what changed to the commit, six documents, compressed, and then the look for
stories and archives that need fragments. The other side makes the same six documents of the same articles from the
beginning: feedgen's public calls, `json`, zlib at level 6. In turns, CPU of this process, median of the rounds; and how
many SQL statements a publication takes.
"""

from __future__ import annotations

import argparse
import cProfile
import gzip
import json
import pstats
import random
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from feedgen.feed import FeedGenerator
from sqlalchemy import Engine, event

from feeds.configuration import Section, Settings, Source
from feeds.engine.startup import collect_seldom
from feeds.frames import feed_urn
from feeds.model import FORMATS, Article, Decision, Entry, Format, Placement
from feeds.parsed import Category, Person
from feeds.publish import Published, Publisher
from feeds.store import Store, open_store

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SETTINGS = Settings(title="The Wire", base_url="https://wire.example.org")
SECTIONS = ("news", "")
TARGET, MOST_STATEMENTS = 0.2, 10
PAGE = "https://wire.example.org/news/world"
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
            published=NOW - timedelta(minutes=number),
            updated=NOW - timedelta(minutes=number),
            rank_at=NOW - timedelta(minutes=number),
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
    generator.id(feed_urn("bench", "news/world"))
    generator.title("World")
    generator.link(href=f"{PAGE}.{format}", rel="self")
    generator.link(href=PAGE, rel="alternate")
    generator.description("All of it")
    generator.language("en")
    generator.updated(NOW)
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
    feed = {"version": "https://jsonfeed.org/version/1.1", "title": "World", "items": items}
    return json.dumps(feed, ensure_ascii=False).encode()


def whole(stories: list[Article], format: Format) -> bytes:
    """One document the other way."""
    return by_json(stories) if format == "json" else by_feedgen(stories, format)


class Desk:
    """A store with two full sections. *samples* are the articles it is filled from."""

    def __init__(self, folder: Path, samples: list[Article], entries: int) -> None:
        self.store: Store = open_store(f"sqlite:///{folder}/desk.sqlite3")
        self.tree = (Section(path="news", title="News", limit=entries),)
        self.samples = samples
        self.count = 0
        self.now = NOW
        source = Source(key="source", name="Example World", kind="feed", target="https://example.org/feed")
        with self.store.write() as tx:
            tx.sections.sync(self.tree, NOW)
            tx.sources.sync([source], "full", NOW)
        self.publisher = Publisher(self.store)
        for _ in samples:
            self.save()
        self.catch_up(self.publish())

    def save(self) -> None:
        """Save one new article as ingest does."""
        self.count += 1
        self.now += timedelta(minutes=1)
        sample = self.samples[self.count % len(self.samples)]
        uid = f"urn:uuid:00000000-0000-4000-8000-{self.count:012d}"
        entry = Entry(
            key=str(self.count),
            title=f"{sample.title} {self.count}",
            link=f"https://example.org/{self.count}",
            comparable=f"example.org/{self.count}",
            summary=sample.summary,
            content=sample.content,
            published=self.now,
            authors=sample.authors,
            categories=sample.categories,
            language="en",
        )
        placed = [Placement(section=path, by="rule", reason="bench") for path in SECTIONS]
        decision = Decision(kind="new", article_uid=uid, source_id=1, entry=entry)
        with self.store.write() as tx:
            tx.articles.save([decision], self.now, {uid: placed})

    def publish(self) -> Published:
        """Replace the documents of the sections that changed."""
        done = self.publisher.publish(SETTINGS, self.tree, now=self.now)
        assert not done.held and not done.set_aside and set(done.sections) >= set(SECTIONS), done
        return done

    def catch_up(self, done: Published) -> None:
        """Make what no document lists: fragments of stories and of other articles."""
        self.publisher.catch_up(SETTINGS, done, most=500, now=self.now)

    def whole(self) -> None:
        """All that a desk does of it."""
        self.catch_up(self.publish())


def cpu_ms(way: Callable[[], object]) -> float:
    """Milliseconds of this process's CPU that *way* takes."""
    began = time.process_time()
    way()
    return (time.process_time() - began) * 1000


def statements_of(way: Callable[[], object]) -> list[str]:
    """The SQL statements that *way* executes, beginnings and ends of transactions left out."""
    seen: list[str] = []

    def note(connection: object, cursor: object, statement: str, *rest: object) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA")):
            seen.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        way()
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    return seen


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=50, help="entries a document")
    parser.add_argument("--words", type=int, default=300, help="words an article")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--profile", type=int, default=0, help="print so many lines of a profile")
    parser.add_argument("--statements", action="store_true", help="print the SQL statements of one publication")
    options = parser.parse_args()
    collect_seldom()  # as the process that publishes does
    samples = articles(options.entries + 10, options.words, 1)

    def by_feedgen() -> None:
        for _ in SECTIONS:
            for format in FORMATS:
                gzip.compress(whole(samples[: options.entries], format), 6)

    with tempfile.TemporaryDirectory(prefix="bench-publication-") as folder:
        desk = Desk(Path(folder), samples, options.entries)
        for _ in range(3):
            desk.save()
            desk.whole()
        ours: list[float] = []
        theirs: list[float] = []
        for _ in range(options.rounds):
            desk.save()
            ours.append(cpu_ms(desk.whole))
            theirs.append(cpu_ms(by_feedgen))
        desk.save()
        done: list[Published] = []
        statements = statements_of(lambda: done.append(desk.publish()))
        after = statements_of(lambda: desk.catch_up(done[0]))
        profile = cProfile.Profile(time.process_time)
        for _ in range(options.rounds if options.profile else 0):
            desk.save()
            profile.runcall(desk.whole)
        desk.store.close()
    ratio = median(ours) / median(theirs)
    print(f"one new article in two sections of {options.entries}, three formats, {options.words} words an article")
    print(f"feedgen and gzip -6  {median(theirs):8.2f} ms of CPU")
    print(f"published            {median(ours):8.2f} ms of CPU")
    print(f"ratio                {ratio:8.2f} (at most {TARGET}: {'met' if ratio <= TARGET else 'missed'})")
    verdict = "met" if len(statements) <= MOST_STATEMENTS else "missed"
    print(f"SQL statements       {len(statements):8} (at most {MOST_STATEMENTS}: {verdict}), {len(after)} for stories")
    for number, statement in enumerate(statements if options.statements else (), 1):
        print(f"  {number:2} {' '.join(statement.split())[:150]}")
    if options.profile:
        pstats.Stats(profile).sort_stats("cumtime").print_stats(options.profile)


if __name__ == "__main__":
    main()
