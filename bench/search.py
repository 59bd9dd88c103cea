"""How long a search takes among very many articles on SQLite, through the desk's own verb.

    python bench/search.py [--articles 1000000] [--rounds 9]

Two thousand articles are saved as ingest does, of 120 words each that are as frequent as words are (Zipf) and made of
syllables, so that some words begin others; then rows and index are multiplied by SQL under other numbers. Each question
is asked for the best thirty, in a transaction of its own: milliseconds, median and worst of the rounds. What is sought
is told by how many of the articles hold it.
"""

from __future__ import annotations

import argparse
import random
import sqlite3
import sys
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from feeds.configuration import Section, Source
from feeds.model import Decision, Entry, Placement
from feeds.store import Store, open_store
from feeds.store.search import Question

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
SAVED, WORDS, VOCABULARY = 2000, 120, 20_000
LIMIT_MS = 50.0
QUESTIONS = {
    "one word, in most": "{0}",
    "one word, in a tenth": "{100}",
    "one word, in 1 of 500": "{9000}",
    "one word, in none": "absent",
    "two words, both in most": "{0} {1}",
    "two words, one rare": "{0} {9000}",
    "three words": "{20} {40} {60}",
    "a phrase": '"{0} {1}"',
    "the beginning of many words": "{19999:.3}",
    "one word without another": "{60} -{40}",
}
"""Words are named by their rank."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=9)
    chosen = parser.parse_args()
    words = _words(random.Random(1))
    with tempfile.TemporaryDirectory(prefix="bench-search-") as folder:
        file = Path(folder) / "desk.sqlite3"
        with open_store(f"sqlite:///{file}") as store:
            _save(store, words)
        _multiply(file, chosen.articles)
        print(f"{chosen.articles:,} articles, {file.stat().st_size / 1e9:.2f} GB")
        with open_store(f"sqlite:///{file}") as store:
            worst = [_ask(store, name, query.format(*words), chosen.rounds) for name, query in QUESTIONS.items()]
        verdict = "met" if max(worst) <= LIMIT_MS else "missed"
        print(f"at most {LIMIT_MS:.0f} ms for each (median): {verdict}")


def _words(dice: random.Random) -> list[str]:
    """So many different words, the shorter ones first, as in a language."""
    made: dict[str, None] = {}
    while len(made) < VOCABULARY:
        syllables = 2 if len(made) < 2000 else dice.randint(2, 4)
        made["".join(dice.choice("bcdfghjklmnpqrstvwxyz") + dice.choice("aeiou") for _ in range(syllables))] = None
    return list(made)


def _save(store: Store, words: list[str]) -> None:
    dice = random.Random(2)
    weights = [1 / number for number in range(1, VOCABULARY + 1)]
    with store.write() as tx:
        tx.sections.sync([Section(path="news", title="News")], NOW)
        tx.sources.sync([Source(key="a", name="A", kind="feed", target="https://a.example/f")], "full", NOW)
    for begin in range(0, SAVED, 500):
        decisions, placed = [], {}
        for number in range(begin, begin + 500):
            uid = f"urn:uuid:00000000-0000-4000-8000-{number:012d}"
            text = " ".join(dice.choices(words, weights, k=WORDS))
            entry = Entry(
                key=str(number),
                title=f"Article {number}",
                link=f"https://a.example/{number}",
                comparable=f"a.example/{number}",
                text=text,
                content=f"<p>{text}</p>",
                published=NOW - timedelta(minutes=number),
                content_hash=number + 1,
            )
            decisions.append(Decision(kind="new", article_uid=uid, source_id=1, entry=entry))
            placed[uid] = [Placement(section=path, by="rule", reason="bench") for path in ("news", "")]
        with store.write() as tx:
            tx.articles.save(decisions, NOW, placed)


def _multiply(file: Path, articles: int) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as database:
        database.execute("PRAGMA synchronous = OFF")
        for begin in range(SAVED, articles, SAVED):
            database.execute("BEGIN")
            for table in ("articles", "filings", "entries"):
                names = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
                changed = {
                    "id": f"id + {begin}",
                    "article_id": f"article_id + {begin}",
                    "uid": f"uid || '-{begin}'",
                    "entry_key": f"entry_key || '-{begin}'",
                    "key": f"key || '-{begin}'",
                    "number": f"number + {begin}",
                    "sequence": f"sequence + {begin}",
                    "rank_at": f"rank_at + {begin * 60_000_000}",
                }
                chosen = ", ".join(changed.get(name, name) for name in names)
                first = "article_id" if table != "articles" else "id"
                columns = ", ".join(names)
                database.execute(
                    f"INSERT INTO {table} ({columns}) SELECT {chosen} FROM {table} WHERE {first} <= {SAVED}"
                )
            database.execute(
                f"INSERT INTO search_words (rowid, words) SELECT rowid + {begin}, words"
                f" FROM search_words WHERE rowid <= {SAVED}"
            )
            database.execute("COMMIT")


def _ask(store: Store, name: str, query: str, rounds: int) -> float:
    times, found = [], 0
    for _ in range(rounds):
        began = time.perf_counter()
        with store.read() as tx:
            found = len(tx.search.find(Question(words=query), 30).articles)
        times.append((time.perf_counter() - began) * 1000)
    print(f"{name:28} {query:22} {found:3} found  {median(times):8.1f} ms, worst {max(times):8.1f}", flush=True)
    return median(times)


if __name__ == "__main__":
    main()
