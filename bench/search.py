"""How long a search takes among very many articles, through the desk's own verb.

    python bench/search.py [--articles 1000000] [--rounds 9] [--database sqlite postgresql]

Two thousand articles are saved as ingest does, of 120 words each that are as frequent as words are (Zipf) and made of
syllables, so that some words begin others; then rows and index are multiplied by SQL under other numbers. One source
and section has an article in ten, another one in a thousand, and one in ten is in a private section alone. Each
question is asked for the best thirty, in a transaction of its own: milliseconds, median and worst of the rounds, and
the median of CPU time, the database server's included. What is sought is told by how many of the articles hold it.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sqlalchemy import select, text

from feeds.codec import entry_from_blob
from feeds.configuration import Section, Source
from feeds.model import Decision, Entry, Placement
from feeds.store import Store, open_store
from feeds.store.schema import SEARCH, articles, entries, filings
from feeds.store.search import Question
from feeds.store.search_index import words_of
from tests.store import postgres

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
WAYS: Mapping[str, Mapping[str, Any]] = {
    "": {},
    "by date": {"by_date": True},
    "last day": {"since": NOW - timedelta(days=1)},
    "most's section": {"section": "news"},
    "a tenth's section": {"section": "sport"},
    "rare section": {"section": "chess"},
    "most's source": {"source": "a"},
    "a tenth's source": {"source": "b"},
    "rare source": {"source": "c"},
    "private section": {"section": "board"},
}
PLACES = {3: (10, 2, "sport"), 5: (10, 1, "board"), 7: (1000, 3, "chess")}
"""By what is left of an article's number: of how many it is one, its source, its section."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--database", nargs="+", choices=["sqlite", "postgresql"], default=["sqlite"])
    chosen = parser.parse_args()
    words = _words(random.Random(1))
    for kind in chosen.database:
        with postgres.database(kind) as url, open_store(url) as store:
            fill(store, chosen.articles)
            print(f"{kind}: {chosen.articles:,} articles")
            ask_all(store, words, chosen.rounds)


def _words(dice: random.Random) -> list[str]:
    """So many different words, the shorter ones first, as in a language."""
    made: dict[str, None] = {}
    while len(made) < VOCABULARY:
        syllables = 2 if len(made) < 2000 else dice.randint(2, 4)
        made["".join(dice.choice("bcdfghjklmnpqrstvwxyz") + dice.choice("aeiou") for _ in range(syllables))] = None
    return list(made)


def fill(store: Store, count: int) -> None:
    """Let there be *count* articles: those saved, again and again under other numbers."""
    _save(store, _words(random.Random(1)))
    _multiply(store, count)


def _save(store: Store, words: list[str]) -> None:
    dice = random.Random(2)
    weights = [1 / number for number in range(1, VOCABULARY + 1)]
    with store.write() as tx:
        sections = [Section(path=path, title=path.title()) for path in ("news", "sport", "chess")]
        tx.sections.sync([*sections, Section(path="board", title="Board", access="tokens")], NOW)
        keys = [Source(key=key, name=key, kind="feed", target=f"https://{key}.example/f") for key in "abc"]
        tx.sources.sync(keys, "full", NOW)
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
            one_of, source_id, section = next(
                (place for rest, place in PLACES.items() if number % place[0] == rest), (1, 1, "news")
            )
            decisions.append(Decision(kind="new", article_uid=uid, source_id=source_id, entry=entry))
            placed[uid] = [Placement(section=path, by="rule", reason="bench") for path in (section, "")]
        with store.write() as tx:
            tx.articles.save(decisions, NOW, placed)


def _multiply(store: Store, count: int) -> None:
    with store.unfenced() as connection:
        payloads = connection.execute(select(entries.c.article_id, entries.c.payload)).all()
        found_by = [(article_id, words_of(entry_from_blob(payload))) for article_id, payload in payloads]
    for begin in range(SAVED, count, SAVED):
        with store.unfenced() as connection:
            for table in (articles, filings, entries):
                changed = {
                    "id": f"id + {begin}",
                    "article_id": f"article_id + {begin}",
                    "uid": f"uid || '-{begin}'",
                    "key": f"key || '-{begin}'",
                    "number": f"number + {begin}",
                    "sequence": f"sequence + {begin}",
                    "rank_at": f"rank_at + {begin * 60_000_000}",
                    "seen_at": f"seen_at + {begin * 60_000_000}",
                    "published_at": f"published_at + {begin * 60_000_000}",
                }
                names = table.columns.keys()
                chosen = ", ".join(changed.get(name, name) for name in names)
                of_saved = f"{'id' if table is articles else 'article_id'} <= {SAVED}"
                into = f"INSERT INTO {table.name} ({', '.join(names)})"
                connection.execute(text(f"{into} SELECT {chosen} FROM {table.name} WHERE {of_saved}"))
            if store.file is None:
                those = f"SELECT article_id + {begin}, words FROM {SEARCH} WHERE article_id <= {SAVED}"
                connection.execute(text(f"INSERT INTO {SEARCH} (article_id, words) {those}"))
            else:
                rows = [{"number": article_id + begin, "words": words} for article_id, words in found_by]
                connection.execute(text(f"INSERT INTO {SEARCH} (rowid, words) VALUES (:number, :words)"), rows)
    with store.unfenced() as connection:
        connection.execute(text(f"UPDATE sections SET filed = filed * {count // SAVED}"))
        if store.file is None:
            connection.execute(text("ANALYZE"))  # as autovacuum does; SQLite has no statistics in a desk either


def ask_all(store: Store, words: list[str], rounds: int) -> None:
    """Print what every question takes, in every way of asking."""
    late = []
    for way, how in WAYS.items():
        for name, query in QUESTIONS.items():
            taken = _ask(store, f"{name}; {way}", query.format(*words), how, rounds)
            late += [(name, way)] if taken > LIMIT_MS else []
    asked = len(WAYS) * len(QUESTIONS)
    print(f"at most {LIMIT_MS:.0f} ms (median): {asked - len(late)} of {asked}")


def _ask(store: Store, name: str, query: str, how: Mapping[str, Any], rounds: int) -> float:
    times, cpu, found = [], [], 0
    server = store.conninfo if store.file is None else None
    narrowed = dict(how)
    by_date = narrowed.pop("by_date", False)
    if narrowed.get("since"):
        narrowed["since"] += timedelta(minutes=_minutes(store))
    if narrowed.get("section") == "board":
        narrowed["within"] = ("board",)
    for _ in range(rounds):
        began, began_cpu = time.perf_counter(), postgres.cpu_s(server)
        with store.read() as tx:
            found = tx.search.find(Question(words=query, **narrowed), 30, by_date=by_date).count
        took = time.perf_counter() - began
        cpu.append((postgres.cpu_s(server) - began_cpu) * 1000)
        times.append(took * 1000)
    costs = f"{median(times):8.1f} ms, worst {max(times):8.1f}, CPU {median(cpu):8.1f}"
    print(f"{name:46} {query:22} {found:3} found  {costs}", flush=True)
    return median(times)


def _minutes(store: Store) -> int:
    """By how much the newest article is dated later than the newest of those saved."""
    with store.read() as tx:
        return (tx.articles.count() - 1) // SAVED * SAVED


if __name__ == "__main__":
    main()
