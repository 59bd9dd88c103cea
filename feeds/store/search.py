"""Search over what is stored: SQLite's FTS5 and PostgreSQL's text search behind one verb. I/O: database.

Both keep the folded words of `feeds.text.words`, so that the same question finds the same articles on either. What is
came last is found first, which both databases walk without looking at every match; then it is put in order here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, select, text

from feeds.codec import micros, moment
from feeds.model import Article, Entry, Format, Fragment
from feeds.store import dialect
from feeds.store.dialect import Verbs, rows_in, storable
from feeds.store.hydrate import hydrate
from feeds.store.schema import SEARCH as TABLE
from feeds.store.schema import articles, entries
from feeds.store.selections import PUBLIC, fragment_of
from feeds.text import spelled, words

MOST_TEXT_CHARS = 6000
"""How much of an article's text can be found; what it is about stands in its beginning."""
MOST_QUERY_CHARS = 200
MOST_TERMS = 12
MOST_FOUND = 500
"""Articles that one question finds at most; filters find others."""
MONTH = timedelta(days=30)
PREFIX_FROM = 3
"""A word of so many letters finds longer words that begin with it: flood, floods, flooding."""

_TERM = re.compile(r'(-?)(?:"([^"]*)"?|(\S+))')


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is looked for: *words* as `terms` reads them, in a *section* (its path), of a *source* (its key), published
    *since* a time; "" and None: any. Of private sections only those *within* are looked at.
    """

    words: str
    within: tuple[str, ...] = PUBLIC
    section: str = ""
    source: str = ""
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hits:
    """Some of what was found. *count* is how many there are, `MOST_FOUND` where there may be more."""

    articles: tuple[Article, ...] = ()
    count: int = 0


@dataclass(frozen=True, slots=True)
class Term:
    """Words that have to stand beside each other, or must not be there at all. *prefix*: the last may go on."""

    words: tuple[str, ...]
    wanted: bool = True
    prefix: bool = False


def terms(query: str) -> tuple[Term, ...]:
    """Return what *query* asks for: every word, each ``"phrase"``, and nothing of what stands after a ``-``.

    >>> terms('flood "tide gauge" -sport')
    (Term(words=('flood',), wanted=True, prefix=True), Term(words=('tide', 'gauge'), wanted=True, prefix=False), \
Term(words=('sport',), wanted=False, prefix=False))
    """
    found = []
    for minus, phrase, word in _TERM.findall(storable(query[:MOST_QUERY_CHARS])):
        said = tuple(words(phrase or word))
        if said:
            prefix = bool(word) and not minus and len(said[-1]) >= PREFIX_FROM
            found.append(Term(said, wanted=not minus, prefix=prefix))
    return tuple(found[:MOST_TERMS])


class Search(Verbs):
    """``tx.search``"""

    def find(self, question: Question, limit: int, offset: int = 0, *, by_date: bool = False) -> Hits:
        """*limit* of the published articles that *question* asks for, behind the first *offset* of them.

        Of very many the `MOST_FOUND` that came last are looked at, the most relevant first: see `_relevance`. *by_date*
        the newest first, as they are dated.
        """
        asked = terms(question.words)
        facts = select(articles.c.id, articles.c.published_at, entries.c.title).join_from(articles, entries)
        # The words themselves first: where enough have them, all that begins with them need not be put together.
        ids = self._rows([replace(term, prefix=False) for term in asked], question, MOST_FOUND)
        if len(ids) < MOST_FOUND:
            ids = self._rows(asked, question, MOST_FOUND)
        rows = list(rows_in(self._connection, facts.where(entries.c.shown == 1), articles.c.id, ids))
        score = _relevance(asked, rows)
        order = sorted(rows, key=lambda row: (0.0 if by_date else score(row), row.published_at, row.id), reverse=True)
        chosen = [row.id for row in order[offset : offset + limit]]
        found = hydrate(self._connection, chosen)
        return Hits(articles=tuple(found[each] for each in chosen if each in found), count=len(order))

    def fragments(self, question: Question, format: Format, limit: int) -> tuple[Fragment, ...]:
        """The fragments of what is asked for and came last, the last first; those not made yet are left out."""
        ids = self._rows(terms(question.words), question, limit)
        if not ids:
            return ()
        marks = ", ".join(f":i{number}" for number in range(len(ids)))
        rows = self._execute(
            text(
                "SELECT f.article_id, a.uid, f.version, f.revision, f.body, a.updated_at"
                " FROM fragments f JOIN articles a ON a.id = f.article_id"
                f" WHERE f.format = :format AND f.revision >= a.least_revision AND f.article_id IN ({marks})"
            ),
            {"format": format} | {f"i{number}": each for number, each in enumerate(ids)},
        )
        made = {
            row.article_id: fragment_of(row, article_uid=row.uid, format=format, updated=moment(row.updated_at))
            for row in rows
        }
        return tuple(made[each] for each in ids if each in made)

    def _rows(self, asked: Sequence[Term], question: Question, limit: int) -> list[int]:
        """The articles that came last of those asked for, by their row, the last first."""
        if not any(term.wanted for term in asked):
            return []
        postgres = dialect.is_postgres(self._connection)
        if postgres:
            number, match = "s.article_id", "s.words @@ CAST(:asked AS tsquery)"
        else:
            number, match = "s.rowid", f"{TABLE} MATCH :asked"
        values: dict[str, object] = {"asked": _postgres(asked) if postgres else _fts5(asked), "most": limit}
        of_section = of_source = since = ""
        paths = {f"path_{place}": path for place, path in enumerate(question.within)}
        named = ", ".join(f":{each}" for each in paths) or "NULL"
        values |= paths
        if question.section:
            of_section = " AND path = :section"
            values["section"] = question.section
        if question.source:
            of_source = (
                f" AND EXISTS (SELECT 1 FROM entries e WHERE e.article_id = {number}"
                " AND e.source_id = (SELECT id FROM sources WHERE key = :source))"
            )
            values["source"] = question.source
        if question.since is not None:
            # What came before that time was published before it, too: so much of the index need not be looked at.
            first = "(SELECT id FROM articles WHERE seen_at >= :since ORDER BY seen_at, id LIMIT 1)"
            since = " AND a.published_at >= :since"
            match += f" AND {number} >= {first}"
            values["since"] = micros(question.since)
        statement = (
            f"SELECT {number} FROM {TABLE} s WHERE {match}"
            f" AND EXISTS (SELECT 1 FROM articles a WHERE a.id = {number} AND a.retracted_at IS NULL"
            f" AND NOT (a.set_aside <> '' AND a.rendered_revision = a.revision){since})"
            f" AND EXISTS (SELECT 1 FROM filings f WHERE f.article_id = {number} AND f.state = 0 AND f.section_id IN"
            " (SELECT id FROM sections WHERE removed_at IS NULL"
            f" AND (private = 0 AND path <> '' OR path IN ({named})){of_section}))"
            f"{of_source} ORDER BY {number} DESC LIMIT :most"
        )
        return [int(row[0]) for row in self._execute(text(statement), values)]


def _relevance(asked: Sequence[Term], rows: Sequence[Row[Any]]) -> Callable[[Row[Any]], float]:
    """How relevant one of *rows* is: 1 for all terms in its title, up to a half for being new, which halves in a month.

    Neither database's own measure is asked: both look at all that was ever found, a tenth of a second of a million.
    """
    wanted = [term for term in asked if term.wanted]
    newest = max((row.published_at for row in rows), default=None)

    def score(row: Row[Any]) -> float:
        months = (newest - row.published_at) / MONTH if newest else 0.0
        return float(_in_title(words(row.title), wanted) / len(wanted) + 0.5 * 0.5**months)

    return score


def _in_title(title: Sequence[str], wanted: Sequence[Term]) -> int:
    """How many of the terms *wanted* stand in a title, given as its words."""
    return sum(any(_stands_at(title, at, term) for at in range(len(title))) for term in wanted)


def _stands_at(title: Sequence[str], at: int, term: Term) -> bool:
    part = title[at : at + len(term.words)]
    if len(part) < len(term.words) or tuple(part[:-1]) != term.words[:-1]:
        return False
    return part[-1].startswith(term.words[-1]) if term.prefix else part[-1] == term.words[-1]


_INDEX_POSTGRES = text(
    f"INSERT INTO {TABLE} (article_id, words) VALUES (:number, to_tsvector('simple', :words))"
    " ON CONFLICT (article_id) DO UPDATE SET words = excluded.words"
)
_INDEX = text(f"INSERT INTO {TABLE} (rowid, words) VALUES (:number, :words)")
_FORGET = text(f"DELETE FROM {TABLE} WHERE rowid = :number")


def index(connection: Connection, shown: Mapping[int, Entry]) -> None:
    """Let articles be found by the words of these entries, and by no others."""
    if not shown:
        return
    rows = [{"number": each, "words": _words(entry)} for each, entry in shown.items()]
    if dialect.is_postgres(connection):
        connection.execute(_INDEX_POSTGRES, rows)
    else:
        connection.execute(_FORGET, rows)
        connection.execute(_INDEX, rows)


def forget(connection: Connection, ids: list[int]) -> None:
    """Take articles out of what can be found; PostgreSQL does so when their rows go."""
    if ids and not dialect.is_postgres(connection):
        connection.execute(_FORGET, [{"number": each} for each in ids])


def tidy(connection: Connection, pages: int) -> None:
    """Merge up to *pages* of the index: FTS5 only notes what is deleted, and drops it when it merges by itself, which
    for the oldest words is never. PostgreSQL's autovacuum does so.
    """
    if not dialect.is_postgres(connection):
        # A negative number makes one merge of all segments, and goes on with that one the next time.
        connection.execute(text(f"INSERT INTO {TABLE} ({TABLE}, rank) VALUES ('merge', :pages)"), {"pages": -pages})


def _words(entry: Entry) -> str:
    names = " ".join(person.name for person in entry.authors)
    terms_ = " ".join(category.label or category.term for category in entry.categories)
    # A blank line of nothing findable keeps a phrase from reaching over the end of a title.
    parts = (entry.title, names, terms_, entry.text[:MOST_TEXT_CHARS])
    return storable(" \n ".join(spelled(part) for part in parts if part))


def _fts5(asked: Sequence[Term]) -> str:
    """Words are letters and digits alone, so that quotes around them are all the escaping there is."""

    def one(term: Term) -> str:
        return '"' + " ".join(term.words) + '"' + ("*" if term.prefix else "")

    wanted = " AND ".join(one(term) for term in asked if term.wanted)
    return f"({wanted})" + "".join(f" NOT {one(term)}" for term in asked if not term.wanted)


def _postgres(asked: Sequence[Term]) -> str:
    def one(term: Term) -> str:
        quoted = [f"'{word}'" for word in term.words]
        return "(" + " <-> ".join(quoted) + (":*" if term.prefix else "") + ")"

    return " & ".join(("" if term.wanted else "!") + one(term) for term in asked)
