"""How long `wiredesk plan` takes over many stored articles, and what the parts of it cost.

    python bench/plan.py [--articles 100000] [--keep FOLDER] [--profile]

The desk has a hundred sections with rules; the edit changes one of them and adds another. With --keep the desk is made
once and stays in FOLDER. Texts are AG News where the development data is there, else made of words.
"""

from __future__ import annotations

import argparse
import cProfile
import os
import pstats
import random
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec.structs import replace

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from feeds.cli.common import Places  # noqa: E402
from feeds.cli.plan import Plan, compare, count_range  # noqa: E402
from feeds.configuration import Match, Section, Settings, Source, Term  # noqa: E402
from feeds.engine.config_in_force import put_in_force  # noqa: E402
from feeds.filing import FilingRules  # noqa: E402
from feeds.filing.examples import example_of  # noqa: E402
from feeds.model import Decision, Entry  # noqa: E402
from feeds.parsed import Category, Person  # noqa: E402
from feeds.settings import Config  # noqa: E402
from feeds.store import Store, open_store  # noqa: E402
from tests.development import SHARED_DATA, json_rows  # noqa: E402

NOW = datetime(2026, 11, 1, tzinfo=UTC)
SECTIONS, TERMS = 100, 20
BATCH = 500


def texts() -> list[tuple[str, str]]:
    """Titles and texts to make articles of."""
    file = SHARED_DATA / "sections" / "agnews_train_sample.jsonl.gz"
    if file.exists():
        told = [example_of(row) for row in json_rows(file)]
        return [(one.title or one.text[:60], one.text) for one in told]
    dice = random.Random(1)
    known = ["".join(dice.choices("abcdefghijklmnoprstuvw", k=dice.randint(3, 10))) for _ in range(20_000)]
    return [(" ".join(dice.choices(known, k=8)), " ".join(dice.choices(known, k=35))) for _ in range(10_000)]


def config(said: Sequence[tuple[str, str]]) -> Config:
    """A hundred sections whose keywords stand in some of the texts."""
    dice = random.Random(2)
    counts = Counter(word for _, text in said for word in set(text.lower().split()) if word.isalpha())
    known = sorted(word for word, count in counts.items() if 1 < count <= len(said) // 2000)
    rules = [
        Match(
            any=(
                Term(field="keywords", values=tuple(dice.sample(known, TERMS))),
                Term(field="category", values=(f"Topic {number}",)),
            )
        )
        for number in range(SECTIONS)
    ]
    sections = tuple(
        Section(path=f"s{number}", title=f"Part {number}", match=rule) for number, rule in enumerate(rules)
    )
    sources = tuple(
        Source(key=f"t{number}", name=f"Tidings {number}", kind="feed", target=f"https://t{number}.example/feed")
        for number in range(50)
    )
    return Config(settings=Settings(), sections=sections, sources=sources, digest="running")


def fill(store: Store, running: Config, said: Sequence[tuple[str, str]], count: int) -> None:
    """Store *count* articles, filed as *running* says."""
    dice = random.Random(3)
    filing_rules = FilingRules(running.sections)
    with store.read() as tx:
        sources = [source for source, _ in tx.sources.all_states()]
    for first in range(0, count, BATCH):
        decisions, places = [], {}
        for number in range(first, min(first + BATCH, count)):
            title, source = dice.choice(said)[0], dice.choice(sources)
            text = " ".join(dice.choice(said)[1] for _ in range(4))
            entry = Entry(
                key=str(number),
                entry_id=f"tag:{number}",
                link=f"https://t.example/part/{number}/a-story.html",
                comparable=f"t.example/part/{number}/a-story.html",
                title=title,
                summary=f"<p>{text[:200]}</p>",
                content="".join(f"<p>{part}.</p>" for part in text.split(". ")),
                text=text,
                language="en",
                authors=(Person(name=f"Author {number % 900}"),),
                published=NOW - timedelta(minutes=count - number),
                categories=tuple(Category(term=f"Topic {dice.randint(0, 5000)}") for _ in range(3)),
                content_hash=number,
            )
            uid = f"urn:uuid:{uuid.UUID(int=dice.getrandbits(128), version=4)}"
            decisions.append(Decision(kind="new", entry=entry, article_uid=uid, source_id=source.id))
            places[uid] = filing_rules.place(entry, source)
        with store.write() as tx:
            tx.articles.save(decisions, NOW, places)


def edited(running: Config) -> Config:
    """The edit: some keywords of one section go, another section comes."""
    first, *others = running.sections
    assert first.match is not None and isinstance(first.match.any[0], Term)
    fewer = replace(first.match.any[0], values=first.match.any[0].values[TERMS // 2 :])
    more = Match(any=(Term(field="keywords", values=("president", "quarter")),))
    sections = (replace(first, match=Match(any=(fewer,))), *others, Section(path="new", title="New", match=more))
    return replace(running, sections=sections, digest="edited")


def main() -> None:
    """Make the desk, plan, and print what it took."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--articles", type=int, default=100_000)
    asked.add_argument("--keep", type=Path)
    asked.add_argument("--profile", action="store_true", help="one process, and where its time goes")
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as aside:
        folder = given.keep or Path(aside)
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"desk-{given.articles}.sqlite3"
        found = Places(config=folder, data=folder, database=f"sqlite:///{file}")
        said = texts()
        running = config(said)
        ready = file.exists()
        with open_store(found.database) as store:
            if not ready:
                put_in_force(store, running, folder, {}, now=NOW)
                fill(store, running, said, given.articles)
            if given.profile:
                profile(found, running, edited(running))
                return
            began, cpu = time.perf_counter(), time.process_time()
            made = compare(store, found, running, edited(running))
            tell(made, time.perf_counter() - began, time.process_time() - cpu + os.times().children_user)


def tell(made: Plan, seconds: float, cpu: float) -> None:
    """Print one line, and what the plan says of the sections that change."""
    print(f"plan over {made.articles} articles: {seconds:.1f} s, {cpu:.1f} s of CPU in all processes")
    for one in made.sections:
        print(f"  {one.path or '(the whole desk)'}: {one.before} -> {one.after}, +{one.enters} -{one.leaves}")


def profile(found: Places, running: Config, after: Config) -> None:
    """Where the time of one process goes."""
    profiler = cProfile.Profile(time.process_time)
    profiler.runcall(count_range, found.database, running, after, 0, 1 << 40)
    pstats.Stats(profiler).sort_stats("tottime").print_stats(25)


if __name__ == "__main__":
    main()
