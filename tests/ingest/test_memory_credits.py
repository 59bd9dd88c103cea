"""What is remembered of entries that are weighed again with every further copy of their article."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from feeds.configuration import Source
from feeds.ingest import memory
from feeds.ingest.memory import Credits
from feeds.model import Decision, Entry
from feeds.store.relations import Line, Settled

NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
SOURCES = [
    Source(id=number, key=f"s{number}", name=f"Paper {number}", kind="feed", target=f"https://p{number}.example/feed")
    for number in range(4)
]


class Articles:
    """The rows of one article, and which of them were read."""

    def __init__(self) -> None:
        self.rows: dict[int, tuple[Line, Entry]] = {}
        self.read: list[int] = []
        self.settled: list[Settled] = []

    def add(self, number: int, **said: Any) -> None:
        line = Line(
            id=number,
            source_id=number,
            key=str(number),
            changed_at=NOW,
            first_seen=NOW + timedelta(minutes=number),
            shown=number == 1,
            copy=number != 1,
            evidence=(),
        )
        self.rows[number] = line, Entry(key=str(number), title="Ferry late", **said)

    def lines(self, uids: list[str]) -> dict[str, list[Line]]:
        return {uid: [line for line, _ in self.rows.values()] for uid in uids}

    def entries(self, ids: list[int]) -> dict[int, Entry]:
        self.read += ids
        return {each: self.rows[each][1] for each in ids}

    def settle(self, settled: dict[str, list[Settled]]) -> None:
        [self.settled] = settled.values()


@pytest.fixture
def articles() -> Articles:
    return Articles()


def settle(credits: Credits, articles: Articles, key: str = "c") -> list[int]:
    """Settle a further copy, the entry *key* of source 2; the rows that were read for it."""
    by_id = {source.id: source for source in SOURCES}
    sources = SimpleNamespace(by_ids=lambda ids: by_id, all=lambda: SOURCES, by_id=lambda number: None)
    tx: Any = SimpleNamespace(relations=articles, sources=sources, search=SimpleNamespace(renew=lambda uids: None))
    entry = Entry(key=key, title="Ferry late")
    groups = [(Decision(kind="copy", entry=entry, article_uid="urn:a", source_id=2),)]
    credits.settle(tx, credits.credit(tx, [SOURCES[2]], groups, config=None), "summary")
    articles.read, read = [], articles.read
    return read


def test_an_entry_is_read_once(articles: Articles) -> None:
    credits = Credits()
    articles.add(1)
    articles.add(2)
    assert settle(credits, articles) == [1, 2]
    assert [one.copy for one in articles.settled] == [False, True]
    articles.add(3)
    assert settle(credits, articles) == [3]


def test_an_entry_that_changed_is_read_again(articles: Articles) -> None:
    credits = Credits()
    articles.add(1)
    articles.add(2)
    settle(credits, articles)
    line, entry = articles.rows[1]
    articles.rows[1] = replace(line, changed_at=NOW + timedelta(hours=1)), replace(entry, credits=("Source: Paper 2",))
    assert settle(credits, articles) == [1]
    assert [one.copy for one in articles.settled] == [True, False]


def test_what_was_saved_a_moment_ago_is_not_read_back(articles: Articles) -> None:
    credits = Credits()
    articles.add(1)
    articles.add(2)
    assert settle(credits, articles, key="2") == [1]


def test_so_many_are_remembered_and_no_more(articles: Articles, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "MOST_SIGNS", 1)
    credits = Credits()
    articles.add(1)
    articles.add(2)
    settle(credits, articles)
    assert settle(credits, articles) == [1]
